/** A caption where there is room only for its words, and what a text without a model's words was made from. */
import type { Provenance, ReviewState } from '../app/annotation.ts'
import { t } from './i18n.ts'

/** The caption with a mark if it is unsure or was rejected. */
export function captionText({ caption, state, unsure }: { caption: string | null; state: ReviewState | null; unsure: boolean }): string {
  if (caption === null || caption === '') return t('No caption')
  if (state === 'rejected') return `${t('rejected')}: ${caption}`
  return unsure ? `${t('not sure')}: ${caption}` : caption
}

/** For a text made from facts: people have a share in it where it would say something else, or be less sure, without them. */
export function madeFrom(provenance: Provenance | null): string {
  return provenance?.people ? t('from what was seen, and what people drew or decided') : t('from what was seen')
}

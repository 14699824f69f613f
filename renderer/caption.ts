/** A caption where there is room only for its words. */
import type { ReviewState } from '../app/annotation.ts'
import { t } from './i18n.ts'

/** The caption with a mark if it is unsure or was rejected. */
export function captionText({ caption, state, unsure }: { caption: string | null; state: ReviewState | null; unsure: boolean }): string {
  if (caption === null || caption === '') return t('No caption')
  if (state === 'rejected') return `${t('rejected')}: ${caption}`
  return unsure ? `${t('not sure')}: ${caption}` : caption
}

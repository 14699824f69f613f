import type { PackManifest } from '../../app/pack/pack.ts'
import { phrase, t } from '../i18n.ts'

/** What Tubelet's own packs say of themselves. */
const OWN = new Set([
  phrase('A demonstration model that learnt for some hours on a CPU from composed video only (known things in plain colours that move over pictures): on real footage expect most of its captions and answers to be wrong, and see its scores before you trust any of it.'),
  phrase('The checkpoint\'s own: see where it came from'),
])

/** Words of a pack.json in the window's language where they are Tubelet's own; those of others stay as they are. */
export function packText(text: string): string {
  return OWN.has(text) ? t(text) : text
}

/** Of what video a pack is never sure; null where it makes no such difference. */
export function doubts({ calibration: { familiar } }: PackManifest): string | null {
  if (familiar === undefined) return null
  if (familiar.taught === null) return t('The model learnt from no footage: what it says of yours, and finds there, is a guess until you teach it your corrections.')
  return t('Of footage the model learnt only the clips that it was taught: what it says of any other, and finds there, is a guess.')
}

export function describe({ description, source, input: { frames } }: PackManifest): string {
  if (source === undefined) return packText(description)
  return t('Made from {{file}} on this machine: {{frames}} frames of a clip, each seen as a picture. It writes captions and finds clips by words; it answers no questions and finds no boxes. Nothing of it was measured here, so how often it is right is not known.', { file: source.file, frames })
}

import { type Task } from '../../app/pack/base.ts'
import type { PackManifest } from '../../app/pack/pack.ts'
import { tell } from '../../app/scores.ts'
import { number, percent } from '../format.ts'
import { phrase, t } from '../i18n.ts'

export const TASK_NAMES: Record<Task, string> = {
  caption: phrase('Captions'),
  answer: phrase('Answers'),
  search: phrase('Search'),
  boxes: phrase('Boxes'),
  text: phrase('Text on screen'),
}

/** The texts in pack.json of Tubelet's own packs. */
const OWN = new Set([
  phrase(
    'A demonstration model that learnt for some hours on a CPU from composed video only (known things in plain colours that move over pictures): on real footage expect most of its captions and answers to be wrong, and see its scores before you trust any of it.',
  ),
  phrase(
    'Finds things of 80 everyday kinds: people, vehicles, animals, furniture, crockery, food, things of sport and of the desk. It knows no other words, and takes what it does not know for something that it does: toys, drawings, parts of people, and cars seen from straight above are often named wrongly.',
  ),
  phrase(
    'Reads text that stands upright on the picture: captions, clocks, signs. Latin letters with their accents, digits, Chinese and Japanese. It reads no handwriting, no turned or mirrored text, no Greek, Cyrillic or Arabic, and misses what is lower than about 2 % of the picture.',
  ),
  phrase("The checkpoint's own: see where it came from"),
  // What their scores were measured on.
  phrase('frames of real clips, as the app shows them'),
  phrase('63 frames of real clips, as they are and in a mirror'),
  phrase('lines drawn over pictures of real clips'),
  phrase('real clips with text'),
  phrase('real clips without text'),
  phrase('generated validation video'),
])

/** A text of a pack.json in the window's language if it is one of Tubelet's own; texts of other packs stay as they are. */
export function packText(text: string): string {
  // What `tubelet evaluate` has measured: the set, and how much of it.
  const set = /^(.*); measured here$/.exec(text)?.[1]
  if (set !== undefined) return t('{{set}}, on this computer', { set })
  return OWN.has(text) ? t(text) : text
}

/** Why what a pack says is not sure: the kind of video about which it is never sure, or that nothing was measured; null if there is no such reason. */
export function doubts(manifest: PackManifest): string | null {
  if (manifest.family === 'owl' && !manifest.calibration.measured)
    return t('Scores of {{pack}} are no probabilities, and from which score on a box counts is a guess.', {
      pack: manifest.name,
    })
  const familiar = manifest.family === 'mammut' ? manifest.calibration.familiar : undefined
  if (familiar === undefined) return null
  if (familiar.taught === null)
    return t('The model learnt from no footage: what it says of yours, and finds there, is a guess until you teach it your corrections.')
  return t('Of footage the model learnt only the clips that it was taught: what it says of any other, and finds there, is a guess.')
}

export function describe(manifest: PackManifest): string {
  if (manifest.family === 'owl' && manifest.source !== undefined)
    return t('Made from {{file}} on this machine: it finds boxes of any words, and of what looks like a box.', {
      file: manifest.source.file,
    })
  if (manifest.family === 'smolvlm')
    return t(
      'Made from {{file}} on this machine: a frame a second of a clip, each seen as a picture. It writes captions and answers questions in English; it finds no clips by words and no boxes.',
      { file: manifest.source.file },
    )
  if (manifest.family !== 'mammut' || manifest.source === undefined) return packText(manifest.description)
  return t(
    'Made from {{file}} on this machine: {{frames}} frames of a clip, each seen as a picture. It writes captions and finds clips by words; it answers no questions and finds no boxes.',
    { file: manifest.source.file, frames: manifest.input.frames },
  )
}

/** A pack's measured quality at a task, in one line. */
export function worth(manifest: PackManifest, task: Task): string {
  const familiar = manifest.family === 'mammut' ? manifest.calibration.familiar : undefined
  if (familiar?.taught === null) return t('Proof of the path; sure of nothing until you teach it.')
  if (familiar !== undefined) return t('Sure only of clips like those that you taught it.')
  const told = tell(manifest.scores)
  if (task === 'caption' && told?.captions)
    return t('Names the right thing in {{thing}} of clips.', { thing: percent(told.captions.thing) })
  if (task === 'answer' && told?.answers !== undefined) return t('Of its answers {{right}} are right.', { right: percent(told.answers) })
  if (task === 'search' && told?.search)
    return t('The clip that is meant comes first in {{first}} of searches.', { first: percent(told.search.first) })
  if (task === 'boxes' && told?.boxes && 'all' in told.boxes)
    return t('Its boxes: {{all}} average precision (AP50).', { all: percent(told.boxes.all) })
  if (task === 'boxes' && told?.boxes && 'known' in told.boxes)
    return t('Boxes of names that it learnt: {{known}} average precision (AP50).', { known: number(told.boxes.known, 2) })
  const of = (metric: string, on?: string) =>
    manifest.scores.find((score) => score.task === task && score.metric === metric && (on === undefined || score.on === on))?.value
  const [found, right] = [of('recall of asked names'), of('precision of asked names')]
  const [errors, real] = [of('character errors'), of('character errors', 'real clips with text')]
  if (found !== undefined && right !== undefined)
    return t('Of things that are asked for it finds {{found}}; {{right}} of what it then shows is right.', {
      found: percent(found),
      right: percent(right),
    })
  if (real !== undefined && errors !== undefined && errors !== real)
    return t('It reads {{real}} of the letters of real video wrong, and {{drawn}} of those of lines that were drawn to try it.', {
      real: percent(real),
      drawn: percent(errors),
    })
  if (errors !== undefined) return t('It reads {{errors}} of letters wrong.', { errors: percent(errors) })
  return t('Nothing was measured: how often it is right is not known.')
}

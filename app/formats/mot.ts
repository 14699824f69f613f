/**
 * Boxes of MOT Challenge: rows of frame, track, left, top, width, height, then a flag or a score, a class and a visibility. Frames and tracks count
 * from 1, pixels from 1 in MOT Challenge itself and from 0 in what CVAT and Datumaro write, so a person decides.
 */
import { phrase } from '../phrase.ts'
import { fault, type Found, numberIn, scoreOf } from './found.ts'
import { linesOf } from './lines.ts'

/** The classes of MOT Challenge by number, from 1 (its file of labels is beside the rows and not read). */
const CLASSES = [
  'pedestrian',
  'person on vehicle',
  'car',
  'bicycle',
  'motorbike',
  'non motorized vehicle',
  'static person',
  'distractor',
  'occluder',
  'occluder on the ground',
  'occluder full',
  'reflection',
]

/** Whether a line is such a row. */
export function isMotRow(line: string): boolean {
  const cells = line.split(',')
  return (
    cells.length >= 7 &&
    cells.length <= 10 &&
    cells.every((cell) => numberIn(cell) !== null) &&
    /^\s*[1-9]\d*(?:\.0*)?\s*$/.test(cells[0] ?? '')
  )
}

/** @throws SyntaxError where the first row is none. */
export function* readMot(open: () => Iterable<string>): Generator<Found> {
  let line = 0
  for (const text of linesOf(open())) {
    line += 1
    if (text.trim() === '') continue
    if (line === 1 && !isMotRow(text)) throw new SyntaxError(phrase('The first row is none of MOT Challenge.'))
    if (line === 1) yield { type: 'video', key: '', firstFrame: 1 }
    const numbers = text.split(',').map(numberIn)
    const [frame, track, x, y, w, h, considered, kind] = numbers
    if (frame == null || track == null || x == null || y == null || w == null || h == null) {
      yield fault('A row needs a frame, a track and four numbers.', line)
      continue
    }
    // A tracker's rows have ten columns, and a score where ground truth has a flag; rows with the flag 0 are not meant.
    const isTruth = numbers.length < 10
    if (isTruth && considered === 0) continue
    yield {
      type: 'box',
      video: '',
      track: track > 0 ? String(track) : null,
      label: CLASSES[(kind ?? 1) - 1] ?? 'object',
      frame,
      box: { x1: x, y1: y, x2: x + w, y2: y + h },
      score: isTruth ? null : scoreOf(considered),
      observed: true,
      occluded: false,
      outside: false,
      state: null,
      line,
    }
  }
}

/** Boxes of VIAME's CSV, as DIVE writes it: track, picture, frame from 0, corners, confidence, length, then labels with their scores. */
import { phrase } from '../phrase.ts'
import { fault, type Found, numberIn, scoreOf } from './found.ts'
import { linesOf } from './lines.ts'

/** Whether a line is such a row: a track, something, a frame, four corners. */
export function isViameRow(line: string): boolean {
  const cells = line.split(',')
  return cells.length >= 9 && [0, 2, 3, 4, 5, 6, 7].every((at) => numberIn(cells[at]) !== null) && numberIn(cells[9]) === null
}

/** @throws SyntaxError where it has no row. */
export function* readViame(open: () => Iterable<string>): Generator<Found> {
  let line = 0
  let rows = 0
  for (const text of linesOf(open())) {
    line += 1
    if (text.trim() === '' || text.startsWith('#')) continue
    const cells = text.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
    const [track, frame, x1, y1, x2, y2, confidence] = [0, 2, 3, 4, 5, 6, 7].map((at) => numberIn(cells[at]))
    if (track == null || frame == null || x1 == null || y1 == null || x2 == null || y2 == null) {
      yield fault('A row needs a frame, a track and four numbers.', line)
      continue
    }
    if ((rows += 1) === 1) yield { type: 'video', key: '', firstFrame: 0, firstPixel: 0 }
    const [label = '', score] = [cells[9], cells[10]]
    yield {
      type: 'box',
      video: '',
      track: String(track),
      label: label === '' || label.startsWith('(') ? 'unknown' : label,
      frame,
      box: { x1, y1, x2, y2 },
      score: scoreOf(numberIn(score) ?? confidence),
      observed: true,
      occluded: false,
      outside: false,
      state: null,
      line,
    }
  }
  if (rows === 0) throw new SyntaxError(phrase('The file has no rows.'))
}

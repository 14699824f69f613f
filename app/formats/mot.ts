/**
 * MOT Challenge, as CVAT's "MOT 1.1" and TrackEval lay it out: a folder for each video with ground truth, detections, the names of the
 * classes and facts of the video.
 *
 * Rows are frame, track, left, top, width, height, then a flag or a score, a class and a visibility. Frames and tracks count from 1. Pixels
 * count from 1 in MOT Challenge itself and from 0 in what CVAT, Datumaro and Tubelet write, so that a person decides about files of others. In
 * ground truth the seventh column is 1 for a box that counts: TrackEval cuts it to a whole number, so that a score there would delete the box.
 * Scores are in the detections, which have the ten columns and the numbers of tracks of a tracker's results.
 */
import type { Probe } from '../media.ts'
import { phrase } from '../phrase.ts'
import { type Category, decodedPicture, type Film, type Format, lineText, namesByNumber, thousandths, trackedObjects } from './document.ts'
import { type Beside, fault, type Found, numberIn, scoreOf, type VideoFound } from './found.ts'
import { linesOf } from './lines.ts'

interface MotRow {
  /** From 1. */
  frame: number
  track: number
  x: number
  y: number
  width: number
  height: number
  /** Of ground truth always 1. */
  score: number
  /** From 1, into labels.txt; -1 in detections. */
  kind: number
  /** 0 where something stands in front of the object, else 1; -1 in detections. */
  visibility: number
}

/** gt/gt.txt: every box. */
export const motTruth: Format<Film, MotRow> = {
  *pieces(film) {
    for (const { id, category, boxes } of trackedObjects(film))
      for (const { frame, x1, y1, x2, y2, occluded } of boxes)
        yield {
          frame: frame + 1,
          track: id,
          x: x1,
          y: y1,
          width: thousandths(x2 - x1),
          height: thousandths(y2 - y1),
          score: 1,
          kind: category.id,
          visibility: occluded ? 0 : 1,
        }
  },
  *write(rows) {
    for (const { frame, track, x, y, width, height, score, kind, visibility } of rows)
      yield `${[frame, track, x, y, width, height, score, kind, visibility].join(',')}\n`
  },
  *read(chunks) {
    for (const cells of rowsOf(chunks, 9)) {
      const [frame = 0, track = 0, x = 0, y = 0, width = 0, height = 0, score = 0, kind = 0, visibility = 0] = cells
      yield { frame, track, x, y, width, height, score, kind, visibility }
    }
  },
}

/** det/det.txt: the same boxes with their scores; 1 where a person drew the box. */
export const motDetections: Format<Film, MotRow> = {
  *pieces(film) {
    for (const { id, boxes } of trackedObjects(film))
      for (const { frame, x1, y1, x2, y2, carried } of boxes)
        yield {
          frame: frame + 1,
          track: id,
          x: x1,
          y: y1,
          width: thousandths(x2 - x1),
          height: thousandths(y2 - y1),
          score: carried ?? 1,
          kind: -1,
          visibility: -1,
        }
  },
  *write(rows) {
    for (const { frame, track, x, y, width, height, score } of rows)
      yield `${[frame, track, x, y, width, height, score, -1, -1, -1].join(',')}\n`
  },
  *read(chunks) {
    for (const cells of rowsOf(chunks, 10)) {
      const [frame = 0, track = 0, x = 0, y = 0, width = 0, height = 0, score = 0, kind = 0, visibility = 0] = cells
      yield { frame, track, x, y, width, height, score, kind, visibility }
    }
  },
}

function* rowsOf(chunks: Iterable<string>, columns: number): Generator<number[]> {
  for (const line of linesOf(chunks)) {
    const cells = line.split(',').map(numberIn)
    const numbers = cells.filter((cell) => cell !== null)
    if (numbers.length !== columns || cells.length !== columns)
      throw new SyntaxError(`A row needs ${columns} numbers: ${line.slice(0, 80)}`)
    yield numbers
  }
}

/** gt/labels.txt: the name of each class on its line, in the order of their numbers; a number that is no label's has a name that says so. */
export function motLabels(categories: readonly Category[]): string {
  return namesByNumber(categories)
    .map((name) => `${name}\n`)
    .join('')
}

const OURS = '; Tubelet counts pixels from 0'

/** seqinfo.ini: readers want these keys, whole numbers and nothing else but comments. */
export function motSequence({ title, pts, source }: Pick<Film, 'title' | 'pts' | 'source'>): string {
  const { width, height } = decodedPicture(source.probe)
  return `${OURS}
[Sequence]
name=${lineText(title)}
imDir=img1
frameRate=${wholeRate(source.probe)}
seqLength=${pts.length}
imWidth=${width}
imHeight=${height}
imExt=.jpg
`
}

function wholeRate({ frameRate: { num, den } }: Probe): number {
  return Math.max(1, Math.round(num / den) || 1)
}

// ── reading files of any tool

/** The classes of MOT Challenge by number, from 1, for rows without a file of labels beside them. */
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

/** Whether a line is such a row: numbers alone, of which the first is a frame. Trackers count it from 0 as well. */
function isMotRow(line: string): boolean {
  const cells = line.split(',')
  return (
    cells.length >= 7 && cells.length <= 10 && cells.every((cell) => numberIn(cell) !== null) && /^\s*\d+(?:\.0*)?\s*$/.test(cells[0] ?? '')
  )
}

/** Whether a text begins with such a row, or with one below names of columns. */
export function isMot(text: string): boolean {
  const [first = '', second = ''] = text.split(/\r\n|\n|\r/, 2)
  return isMotRow(first) || (/^\s*"?[A-Za-z]/.test(first) && first.split(',').length === second.split(',').length && isMotRow(second))
}

/** @throws SyntaxError where the first row is none. */
export function* readMot(open: () => Iterable<string>, beside: Beside): Generator<Found> {
  const named = beside('labels.txt') ?? beside('../gt/labels.txt')
  const labels = named?.split(/\r\n|\n|\r/).map((name) => name.trim())
  const sequence = beside('../seqinfo.ini') ?? beside('seqinfo.ini')
  const classOf = (kind: number) => (labels === undefined ? CLASSES[kind - 1] : labels[kind - 1]) || 'object'
  let line = 0
  let begun = false
  let [ignored, firstIgnored] = [0, 0]
  for (const text of linesOf(open())) {
    line += 1
    if (text.trim() === '') continue
    if (!begun && !isMotRow(text)) {
      // Names of columns.
      if (line === 1) continue
      throw new SyntaxError(phrase('The first row is none of MOT Challenge.'))
    }
    if (!begun) yield videoIn(sequence)
    begun = true
    const numbers = text.split(',').map(numberIn)
    const [frame, track, x, y, w, h, considered, kind, visibility] = numbers
    if (frame == null || track == null || x == null || y == null || w == null || h == null) {
      yield fault('A row needs a frame, a track and four numbers.', line)
      continue
    }
    // A tracker's rows have a score where ground truth has a flag, and mostly ten columns; rows with the flag 0 are not meant.
    const isTruth = numbers.length < 10 && Number.isInteger(considered ?? 1)
    if (isTruth && considered === 0) {
      ignored += 1
      firstIgnored ||= line
      continue
    }
    yield {
      type: 'box',
      video: '',
      track: track > 0 ? String(track) : null,
      label: classOf(kind ?? 1),
      frame,
      box: { x1: x, y1: y, x2: x + w, y2: y + h },
      score: isTruth ? null : scoreOf(considered),
      observed: true,
      occluded: isTruth && visibility != null && visibility >= 0 && visibility < 0.5,
      outside: false,
      state: null,
      line,
    }
  }
  if (ignored > 0)
    yield fault('Rows with the flag 0 do not count and are left out: {{rows}}, of which this is the first.', firstIgnored, {
      rows: ignored,
    })
}

/** What the facts of a sequence, if they lie beside its rows, say of the video. */
function videoIn(sequence: string | null): VideoFound {
  const video: VideoFound = { type: 'video', key: '', firstFrame: 1 }
  if (sequence === null) return video
  const facts = new Map(
    sequence.split(/\r\n|\n|\r/).map((line) => {
      const [key = '', ...value] = line.split('=')
      return [key.trim().toLowerCase(), value.join('=').trim()]
    }),
  )
  const positive = (key: string) => {
    const value = numberIn(facts.get(key))
    return value !== null && value > 0 ? value : undefined
  }
  const [name, width, height] = [facts.get('name'), positive('imwidth'), positive('imheight')]
  if (name) video.name = name
  if (width !== undefined && height !== undefined) Object.assign(video, { width, height })
  const frames = positive('seqlength')
  if (frames !== undefined) video.frames = frames
  if (sequence.includes(OURS)) Object.assign(video, { firstPixel: 0, gaps: 'empty' })
  return video
}

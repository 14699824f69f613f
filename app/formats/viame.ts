/**
 * Boxes of VIAME's CSV, as DIVE writes it: track, time, frame from 0, corners, confidence, length, then labels with their scores.
 *
 * DIVE takes the first label of a row that has no score in brackets, and takes a label that begins with `(` for an attribute: such a
 * bracket is written as a wide one. Cells that a spreadsheet would run have an apostrophe in front, as in our tables. Attributes of a box
 * (`(atr) …`) say what is occluded and what is interpolated, those of its first row (`(trk-atr) …`) what people decided about the track.
 */
import { ReviewState } from '../annotation.ts'
import { secondsOf } from '../media.ts'
import { phrase } from '../phrase.ts'
import { Standing } from '../review.ts'
import { csvLine, recordsOf } from './csv.ts'
import { type Film, type Format, thousandths, trackedObjects } from './document.ts'
import { fault, type Found, numberIn, scoreOf } from './found.ts'
import { unguarded } from './guard.ts'
import { linesOf } from './lines.ts'

interface ViameBox {
  track: number
  /** hours:minutes:seconds, from the first frame. */
  time: string
  frame: number
  x1: number
  y1: number
  x2: number
  y2: number
  /** 1 where a person drew it, as DIVE has it. */
  score: number
  label: string
  occluded: boolean
  interpolated: boolean
  /** On the first box of a track. */
  told: { state: ReviewState; review: Standing } | null
}
type ViamePiece = { part: 'rate'; rate: number } | { part: 'box'; box: ViameBox }

const HEAD =
  '# 1: Detection or Track-id,2: Video or Image Identifier,3: Unique Frame Identifier,4-7: Img-bbox(TL_x,TL_y,BR_x,BR_y),8: Detection or Length Confidence,9: Target Length (0 or -1 if invalid),10-11+: Repeated Species,Confidence Pairs or Attributes\r\n'
const RATE = /^#\s*metadata,\s*fps:\s*([\d.]+)/

export const viame: Format<Film, ViamePiece> = {
  *pieces(film) {
    const { probe } = film.source
    yield { part: 'rate', rate: thousandths(probe.frameRate.num / probe.frameRate.den) }
    for (const { id, category, state, review, boxes } of trackedObjects(film)) {
      let told: ViameBox['told'] = { state, review }
      for (const { frame, pts, x1, y1, x2, y2, carried, observed, occluded } of boxes) {
        const label = category.name.replace(/^\(/, '（')
        const time = clockOf(secondsOf(pts, probe))
        const place = { track: id, time, frame, x1, y1, x2, y2 }
        yield { part: 'box', box: { ...place, score: carried ?? 1, label, occluded, interpolated: !observed, told } }
        told = null
      }
    }
  },

  *write(pieces) {
    yield HEAD
    for (const piece of pieces) {
      if (piece.part === 'rate') {
        yield `# metadata,fps: ${piece.rate},exported_by: tubelet\r\n`
        continue
      }
      const { track, time, frame, x1, y1, x2, y2, score, label, occluded, interpolated, told } = piece.box
      yield csvLine([
        ...[track, time, frame, x1, y1, x2, y2, score, -1, label, score],
        ...(occluded ? ['(atr) occluded true'] : []),
        ...(interpolated ? ['(atr) interpolated true'] : []),
        ...(told === null ? [] : [`(trk-atr) state ${told.state}`, `(trk-atr) review ${told.review}`]),
      ])
    }
  },

  *read(chunks) {
    let rate: number | null = null
    for (const line of linesOf(chunks)) {
      if (line === '') continue
      if (line.startsWith('#')) {
        const found = RATE.exec(line)
        if (!found) continue
        rate = Number(found[1])
        yield { part: 'rate', rate }
        continue
      }
      const texts = cellsOf(line)
      const [track, frame, x1, y1, x2, y2, score] = [0, 2, 3, 4, 5, 6, 7].map((at) => numberIn(texts[at]))
      if (rate === null || track == null || frame == null || x1 == null || y1 == null || x2 == null || y2 == null || score == null)
        throw new SyntaxError(`A row is not as Tubelet writes it: ${line.slice(0, 80)}`)
      const more = texts.slice(11)
      const state = attributeIn(more, 'trk-atr', 'state')
      yield {
        part: 'box',
        box: {
          ...{ track, time: texts[1] ?? '', frame, x1, y1, x2, y2, score },
          label: unguarded(texts[9] ?? ''),
          occluded: attributeIn(more, 'atr', 'occluded') === 'true',
          interpolated: attributeIn(more, 'atr', 'interpolated') === 'true',
          told:
            state === undefined
              ? null
              : { state: ReviewState.parse(state), review: Standing.parse(attributeIn(more, 'trk-atr', 'review')) },
        },
      }
    }
    if (rate === null) throw new SyntaxError('The file does not tell its rate.')
  },
}

/** @throws SyntaxError where a quote is out of its place. */
function cellsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',')
  const [cells = []] = recordsOf([line])
  return cells.map((cell) => cell ?? '')
}

function clockOf(seconds: number): string {
  const micros = Math.round(seconds * 1e6)
  const part = (unit: number, limit: number) => String(Math.floor(micros / unit) % limit).padStart(2, '0')
  return `${part(3.6e9, Infinity)}:${part(6e7, 60)}:${part(1e6, 60)}.${String(micros % 1e6).padStart(6, '0')}`
}

function attributeIn(cells: readonly string[], kind: 'atr' | 'trk-atr', name: string): string | undefined {
  const start = `(${kind}) ${name} `
  return cells.find((cell) => cell.startsWith(start))?.slice(start.length)
}

// ── reading files of any tool

function cellsIn(line: string): string[] | null {
  try {
    return cellsOf(line)
  } catch {
    return null
  }
}

/** Whether a line is such a row: a track, something, a frame, four corners. */
export function isViameRow(line: string): boolean {
  const cells = line.split(',')
  return cells.length >= 9 && [0, 2, 3, 4, 5, 6, 7].every((at) => numberIn(cells[at]) !== null) && numberIn(cells[9]) === null
}

/** The rate by which DIVE counts frames, in a line such as `# metadata,fps: 5.0,"exported_by: dive:python"`. */
const DIVES_RATE = /\bfps:\s*(\d+(?:\.\d+)?)/i

/** What a row says that it is: of several names with their scores the likeliest, as DIVE shows it. Attributes begin with `(`. */
function speciesIn(cells: readonly string[]): { label: string; given: string | undefined } {
  let [label, given, best] = [cells[9] ?? '', cells[10], numberIn(cells[10]) ?? -1]
  for (let at = 11; at + 1 < cells.length; at += 2) {
    const [name = '', score] = [cells[at], numberIn(cells[at + 1])]
    if (name.startsWith('(') || score === null) break
    if (score > best) [label, given, best] = [name, cells[at + 1], score]
  }
  return { label, given }
}

/** @throws SyntaxError where it has no row. */
export function* readViame(open: () => Iterable<string>): Generator<Found> {
  let line = 0
  let rows = 0
  let isOurs = false
  let rate: number | null = null
  const states = new Map<number, ReviewState>()
  for (const row of linesOf(open())) {
    line += 1
    if (row.trim() === '') continue
    if (row.startsWith('#')) {
      isOurs ||= row.includes('exported_by: tubelet')
      rate ??= numberIn(DIVES_RATE.exec(row)?.[1])
      continue
    }
    const cells = cellsIn(row)
    if (cells === null) {
      yield fault('A quote of this row does not end.', line)
      continue
    }
    const texts = cells.map((text) => text.trim())
    const [track, frame, x1, y1, x2, y2, confidence] = [0, 2, 3, 4, 5, 6, 7].map((place) => numberIn(texts[place]))
    if (track == null || frame == null || x1 == null || y1 == null || x2 == null || y2 == null) {
      yield fault('A row needs a frame, a track and four numbers.', line)
      continue
    }
    if ((rows += 1) === 1) {
      const counts = isOurs ? { gaps: 'empty' as const } : rate !== null && rate > 0 ? { rate } : {}
      yield { type: 'video', key: '', firstFrame: 0, firstPixel: 0, ...counts }
    }
    const { label, given } = speciesIn(texts)
    const more = texts.slice(9)
    const told = ReviewState.safeParse(attributeIn(more, 'trk-atr', 'state'))
    if (told.success) states.set(track, told.data)
    const score = scoreOf(numberIn(given) ?? confidence)
    yield {
      type: 'box',
      video: '',
      track: String(track),
      label: label === '' || label.startsWith('(') ? 'unknown' : (isOurs ? unguarded(label) : label).replace(/^（/, '('),
      frame,
      box: { x1, y1, x2, y2 },
      // A person's box has the score 1.
      score: states.get(track) === 'edited' && score === 1 ? null : score,
      observed: attributeIn(more, 'atr', 'interpolated') !== 'true',
      occluded: attributeIn(more, 'atr', 'occluded') === 'true',
      outside: false,
      state: states.get(track) ?? null,
      line,
    }
  }
  if (rows === 0) throw new SyntaxError(phrase('The file has no rows.'))
}

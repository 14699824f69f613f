/** Where the model looked, prepared for display and for words. */
import type { Gaze } from './contract/find.ts'
import type { PictureInput } from './pack/base.ts'
import type { MammutManifest } from './pack/mammut.ts'

/** One frame of the file with the model's attention on it. */
export interface Glance {
  ordinal: number
  pts: number
  /** Its share 0..1 of the attention over the whole clip. */
  weight: number
  /**
   * One value for each cell, row-major: its attention above an even share of this frame, from 0 (even or less) to 1 (the strongest cell).
   */
  glow: number[]
  /** The strongest cell's attention as a multiple of its even share. */
  strongest: number
}

/**
 * The frames that the model was given, in order, each once: from a clip with few frames it got some repeatedly.
 * @param heat As in `Gaze`: for the text or for one word.
 */
export function glancesOf({ frames, rows, columns }: Pick<Gaze, 'frames' | 'rows' | 'columns'>, heat: readonly number[]): Glance[] {
  const cells = rows * columns
  const total = heat.reduce((sum, mass) => sum + mass, 0)
  const byOrdinal = new Map<number, { pts: number; masses: number[] }>()
  frames.forEach(({ ordinal, pts }, frame) => {
    const seen = byOrdinal.get(ordinal) ?? { pts, masses: new Array<number>(cells).fill(0) }
    seen.masses = seen.masses.map((mass, cell) => mass + (heat[frame * cells + cell] ?? 0))
    byOrdinal.set(ordinal, seen)
  })
  return [...byOrdinal]
    .map(([ordinal, { pts, masses }]) => {
      const mass = masses.reduce((sum, value) => sum + value, 0)
      const shares = masses.map((value) => (mass > 0 ? (value * cells) / mass : 0))
      const strongest = Math.max(...shares)
      return {
        ordinal,
        pts,
        weight: total > 0 ? mass / total : 0,
        glow: shares.map((share) => (strongest > 1 ? Math.max(0, (share - 1) / (strongest - 1)) : 0)),
        strongest,
      }
    })
    .sort((a, b) => a.ordinal - b.ordinal)
}

/** The glance nearest in time. */
export function glanceAt(glances: readonly Glance[], pts: number): Glance | null {
  return glances.reduce<Glance | null>(
    (near, glance) => (near === null || Math.abs(glance.pts - pts) < Math.abs(near.pts - pts) ? glance : near),
    null,
  )
}

const DOWN = ['upper', 'middle', 'lower'] as const
const ACROSS = ['left', 'centre', 'right'] as const
export type Third = `${(typeof DOWN)[number]} ${(typeof ACROSS)[number]}`

/** The ninth of the picture that glows most; null where none stands out. */
export function brightest({ glow }: Pick<Glance, 'glow'>, { rows, columns }: Pick<Gaze, 'rows' | 'columns'>): Third | null {
  const sums = new Map<Third, number>()
  glow.forEach((value, cell) => {
    const third = (at: number, of: number) => Math.min(2, Math.floor((3 * (at + 0.5)) / of))
    const name: Third = `${DOWN[third(Math.floor(cell / columns), rows) as 0 | 1 | 2]} ${ACROSS[third(cell % columns, columns) as 0 | 1 | 2]}`
    sums.set(name, (sums.get(name) ?? 0) + value)
  })
  const [first] = [...sums].sort(([, a], [, b]) => b - a)
  return first && first[1] > 0 ? first[0] : null
}

/** The part of a display-oriented frame that a pack sees, in shares of its width and height. */
export function areaSeen(frame: { width: number; height: number }, input: PictureInput): Gaze['area'] {
  if (input.fit !== 'crop') return { x: 0, y: 0, width: 1, height: 1 }
  const wider = (frame.width * input.height) / (frame.height * input.width)
  const [width, height] = [Math.min(1, 1 / wider), Math.min(1, wider)]
  return { x: (1 - width) / 2, y: (1 - height) / 2, width, height }
}

/**
 * How probable the text is according to the contrastive pass, which did not write it; null where nothing calibrates it.
 * @param agreement Cosine of the text and the clip.
 */
export function secondOpinion(
  agreement: number,
  search: MammutManifest['calibration']['search'],
): { probability: number; agrees: boolean } | null {
  if ('background' in search) return null
  const { scale, bias, threshold } = search
  const probability = 1 / (1 + Math.exp(-(scale * agreement + bias)))
  return { probability, agrees: probability >= threshold }
}

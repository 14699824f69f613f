/** From the finder's probability map to boxes of lines, and from the reader's steps to text. Differentiable binarization: Liao et al. 2020. */
import type { Box } from '../../app/annotation.ts'
import type { TextManifest } from '../../app/pack/text.ts'

/** Smallest box of a core, in pixels of the map: smaller ones are noise. */
const LEAST_WIDTH = 5
const LEAST_HEIGHT = 3
/**
 * Boxes are pieces of one line if they overlap vertically by SAME_ROW of the smaller height, if neither is more than SAME_SIZE times as high as
 * the other (as a dash or a degree sign would be), and if the gap between them is at most GAP of their mean height.
 */
const SAME_ROW = 0.6
const SAME_SIZE = 2.5
const GAP = 0.8
/** The map is often less sure of a line's first and last letters: boxes grow at both ends by this share of the core's height more. */
const ENDS = 0.2

export interface Core {
  /** Pixels of the map. */
  box: Box
  /** Mean probability inside the core, 0..1; for a line, that of its surest piece, so that a weak end of a sure line is kept. */
  score: number
}

/**
 * The connected cores of a map, grown to boxes around whole letters and joined to lines, best first.
 * @param map [height, width] probabilities.
 */
export function linesIn(map: Float32Array, width: number, height: number, finding: TextManifest['finding']): Core[] {
  return joinedPieces(coresIn(map, width, height, finding))
    .filter(({ score }) => score >= finding.sure)
    .toSorted((a, b) => b.score - a.score)
}

function coresIn(map: Float32Array, width: number, height: number, { core, grow }: TextManifest['finding']): Core[] {
  const seen = new Uint8Array(map.length)
  const open: number[] = []
  const cores: Core[] = []
  for (let start = 0; start < map.length; start++) {
    if (seen[start] === 1 || (map[start] ?? 0) <= core) continue
    let [left, top, right, bottom, sum, count] = [width, height, 0, 0, 0, 0]
    seen[start] = 1
    open.push(start)
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const y = Math.floor(at / width)
      const x = at - y * width
      sum += map[at] ?? 0
      count++
      left = Math.min(left, x)
      right = Math.max(right, x + 1)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y + 1)
      for (let ny = Math.max(y - 1, 0); ny <= Math.min(y + 1, height - 1); ny++) {
        for (let nx = Math.max(x - 1, 0); nx <= Math.min(x + 1, width - 1); nx++) {
          const next = ny * width + nx
          if (seen[next] === 1 || (map[next] ?? 0) <= core) continue
          seen[next] = 1
          open.push(next)
        }
      }
    }
    const [w, h] = [right - left, bottom - top]
    if (w < LEAST_WIDTH || h < LEAST_HEIGHT) continue
    const by = (w * h * grow) / (2 * (w + h))
    const ends = by + ENDS * h
    const box = {
      x1: Math.max(left - ends, 0),
      y1: Math.max(top - by, 0),
      x2: Math.min(right + ends, width),
      y2: Math.min(bottom + by, height),
    }
    cores.push({ box, score: sum / count })
  }
  return cores
}

/** Joins pieces from left to right: each is added to the line that ends just before it, on the same row and of similar height. */
function joinedPieces(pieces: readonly Core[]): Core[] {
  const lines: Core[] = []
  for (const piece of pieces.toSorted((a, b) => a.box.x1 - b.box.x1)) {
    const line = lines.find(({ box }) => oneLine(box, piece.box))
    if (!line) {
      lines.push({ ...piece })
      continue
    }
    line.score = Math.max(line.score, piece.score)
    line.box = spanning(line.box, piece.box)
  }
  return lines
}

function oneLine(a: Box, b: Box): boolean {
  const [ha, hb] = [a.y2 - a.y1, b.y2 - b.y1]
  const low = Math.min(ha, hb)
  return (
    Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1) >= SAME_ROW * low &&
    Math.max(ha, hb) <= SAME_SIZE * low &&
    b.x1 - a.x2 <= (GAP * (ha + hb)) / 2
  )
}

function spanning(a: Box, b: Box): Box {
  return { x1: Math.min(a.x1, b.x1), y1: Math.min(a.y1, b.y1), x2: Math.max(a.x2, b.x2), y2: Math.max(a.y2, b.y2) }
}

/**
 * Greedy connectionist temporal classification (Graves et al. 2006): blanks (class 0) and repeats of the step before are dropped.
 * @param symbols Entry n is the symbol of class n + 1.
 * @returns The text and the mean certainty of the steps that are kept.
 */
export function textOf(classes: Int32Array, certainty: Float32Array, symbols: readonly string[]): { text: string; confidence: number } {
  let [text, sum, count, before] = ['', 0, 0, 0]
  for (const [step, best] of classes.entries()) {
    if (best !== 0 && best !== before) {
      text += symbols[best - 1] ?? ''
      sum += certainty[step] ?? 0
      count++
    }
    before = best
  }
  // The symbol ℃, written as ° and C, is often read with a second degree sign before it.
  return { text: text.trim().replace(/ +/g, ' ').replace('°°', '°'), confidence: count > 0 ? sum / count : 0 }
}

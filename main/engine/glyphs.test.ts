import { expect, it } from 'vitest'
import { Glyphs } from './glyphs.ts'

/** The strokes of digits as on a meter, in shares of a letter's box: x, y, width, height. */
const STROKES: Record<string, readonly (readonly [number, number, number, number])[]> = {
  '0': [
    [0, 0, 1, 0.1],
    [0, 0.9, 1, 0.1],
    [0, 0, 0.2, 1],
    [0.8, 0, 0.2, 1],
  ],
  '1': [[0.4, 0, 0.2, 1]],
  '3': [
    [0, 0, 1, 0.1],
    [0, 0.43, 1, 0.14],
    [0, 0.9, 1, 0.1],
    [0.8, 0, 0.2, 1],
  ],
  '8': [
    [0, 0, 1, 0.1],
    [0, 0.43, 1, 0.14],
    [0, 0.9, 1, 0.1],
    [0, 0, 0.2, 1],
    [0.8, 0, 0.2, 1],
  ],
}
const [PITCH, WIDE, TOP, HIGH] = [30, 22, 10, 28]

/** A crop of digits, [48, 30 a digit, 3]. */
function crop(text: string, { paper = 230, ink = 20, noise = 0, joined = false } = {}): [rgb: Uint8Array, width: number] {
  const width = PITCH * text.length
  const rgb = new Uint8Array(48 * width * 3).fill(paper)
  for (const [at, letter] of Array.from(text).entries())
    for (const [x, y, w, h] of STROKES[letter] ?? [])
      for (let row = Math.round(TOP + y * HIGH); row < Math.round(TOP + (y + h) * HIGH); row++)
        for (let column = Math.round(x * WIDE); column < Math.round((x + w) * WIDE); column++)
          rgb.fill(ink, 3 * (row * width + at * PITCH + 4 + column), 3 * (row * width + at * PITCH + 5 + column))
  // A line below all letters.
  if (joined) rgb.fill(ink, 3 * (TOP + HIGH + 2) * width, 3 * (TOP + HIGH + 4) * width)
  return [rgb.map((level, i) => level + ((i * 7919) % (2 * noise + 1)) - noise), width]
}

function taught(...texts: string[]): Glyphs {
  const glyphs = new Glyphs()
  texts.forEach((text, i) => glyphs.learn(...crop(text), text, 0.9 + i / 100))
  return glyphs
}

it('tells a text whose letters it knows at their places, as surely as it learnt the least sure of them', () => {
  const glyphs = taught('008', '130')
  expect(glyphs.read(...crop('038'))).toEqual({ text: '038', confidence: 0.9 })
  expect(glyphs.read(...crop('130', { noise: 5 }))).toEqual({ text: '130', confidence: 0.91 })
  expect(taught('0 3', '8 1').read(...crop('0 1'))?.text).toBe('0 1')
})

it('tells letters that touch, where each was seen at its place', () => {
  const glyphs = new Glyphs()
  for (const text of ['033', '808']) glyphs.learn(...crop(text, { joined: true }), text, 0.9)
  expect(glyphs.read(...crop('838', { joined: true }))?.text).toBe('838')
  expect(glyphs.read(...crop('388', { joined: true }))).toBeNull()
})

it('does not tell a letter that it never saw at that place, however like another it is', () => {
  const glyphs = taught('033')
  expect(glyphs.read(...crop('083'))).toBeNull()
  expect(glyphs.read(...crop('830'))).toBeNull()
})

it('tells nothing where letters cannot be separated, where the picture is too faint, or of another size', () => {
  const glyphs = taught('13')
  expect(glyphs.read(...crop('13', { ink: 190 }))).toBeNull()
  expect(glyphs.read(...crop('131'))).toBeNull()
  const joined = new Glyphs()
  joined.learn(...crop('13'), '1', 0.99)
  expect(joined.read(...crop('13'))).toBeNull()
})

it('tells nothing any more once the same letter was read as two', () => {
  const glyphs = taught('03')
  glyphs.learn(...crop('03'), 'O3', 0.99)
  expect(glyphs.read(...crop('03'))).toBeNull()
  glyphs.learn(...crop('03'), '03', 0.99)
  expect(glyphs.read(...crop('03'))).toBeNull()
})

import { describe, expect, it } from 'vitest'
import { COLOURS, coloursOf, coloursOfLetters, dominantColour, edgeOf } from './colours.ts'

type Rgb = readonly [number, number, number]
const WHOLE = { cx: 0.5, cy: 0.5, w: 1, h: 1 }

/** A picture [height, width, 3] whose colours `at` gives, x and y in pixels. */
function picture(width: number, height: number, at: (x: number, y: number) => Rgb): Uint8Array {
  const rgb = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) rgb.set(at(x, y), (y * width + x) * 3)
  return rgb
}

/** The colour in less light: less linear light, as in a shadow. */
const shaded = (colour: Rgb, light: number): Rgb => colour.map((byte) => 255 * ((byte / 255) ** 2.2 * light) ** (1 / 2.2)) as unknown as Rgb

/** Pseudo-random numbers in [-1, 1), the same in every run. */
function noise(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1103515245 + 12345) % 2147483648) / 1073741824 - 1
}

const NAMED: readonly (readonly [string, Rgb])[] = [
  ['black', [25, 24, 28]],
  ['white', [238, 240, 242]],
  ['grey', [125, 127, 130]],
  ['red', [190, 30, 40]],
  ['red', [255, 0, 0]],
  ['orange', [245, 135, 25]],
  ['yellow', [240, 215, 50]],
  ['green', [45, 140, 60]],
  ['blue', [40, 80, 190]],
  ['blue', [0, 0, 255]],
  ['blue', [150, 190, 225]],
  ['purple', [120, 55, 160]],
  ['pink', [240, 140, 180]],
  ['brown', [110, 70, 40]],
]

describe('colours of a part of a picture', () => {
  it.each(NAMED)('calls a patch %s', (name, colour) => {
    const shares = coloursOf(
      picture(40, 30, () => colour),
      40,
      30,
      WHOLE,
    )
    expect(dominantColour(shares)?.colour).toBe(name)
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1)
  })

  it.each(NAMED.filter(([name]) => !['black', 'grey', 'yellow', 'pink'].includes(name)))(
    'keeps %s where a shadow of half the light falls on half of it, with noise',
    (name, colour) => {
      const random = noise(7)
      const rgb = picture(
        60,
        60,
        (x) => (x < 30 ? shaded(colour, 0.5) : colour).map((byte) => Math.min(255, Math.max(0, byte + 8 * random()))) as unknown as Rgb,
      )
      expect(dominantColour(coloursOf(rgb, 60, 60, WHOLE))?.colour).toBe(name)
    },
  )

  it('calls a wall grey or white that light tints a little, not blue or brown', () => {
    for (const tint of [
      [118, 122, 132],
      [132, 124, 114],
      [215, 222, 234],
    ] as const) {
      const named = dominantColour(
        coloursOf(
          picture(20, 20, () => tint),
          20,
          20,
          WHOLE,
        ),
      )
      expect(['grey', 'white']).toContain(named?.colour)
    }
  })

  it.each<[string, Rgb]>([
    ['tan', [209, 178, 111]],
    ['beige', [230, 218, 166]],
    ['light wood', [180, 140, 90]],
    ['a fawn coat', [196, 160, 120]],
  ])('claims no colour of what is %s: none of the words is right', (_, colour) => {
    expect(
      dominantColour(
        coloursOf(
          picture(40, 30, () => colour),
          40,
          30,
          WHOLE,
        ),
      ),
    ).toBeNull()
  })

  it('reads only the box, and of it the middle before the corners', () => {
    const disc = picture(100, 100, (x, y) => (Math.hypot(x - 70, y - 30) < 20 ? [200, 20, 30] : [30, 120, 40]))
    const box = { cx: 0.7, cy: 0.3, w: 0.4, h: 0.4 }
    const shares = coloursOf(disc, 100, 100, box)
    expect(dominantColour(shares)?.colour).toBe('red')
    // The disc fills 79 % of its box by area.
    expect(shares[COLOURS.indexOf('red')]).toBeGreaterThan(0.87)
    expect(dominantColour(coloursOf(disc, 100, 100, WHOLE))?.colour).toBe('green')
  })

  it('calls a glossy red thing red, of which most mirrors the sky, and a pink one pink', () => {
    const car = (side: Rgb) => picture(60, 60, (_, y) => (y < 42 ? [240, 135, 157] : side))
    expect(dominantColour(coloursOf(car([150, 25, 40]), 60, 60, WHOLE))?.colour).toBe('red')
    expect(dominantColour(coloursOf(car(shaded([240, 135, 157], 0.5)), 60, 60, WHOLE))?.colour).toBe('pink')
  })

  it('claims neither black nor a hue of what lies between the two', () => {
    const rival = (share: number) => COLOURS.map((colour) => (colour === 'green' ? share : colour === 'black' ? 0.92 - share : 0.08 / 9))
    expect([0.2, 0.4, 0.54, 0.7].map((share) => dominantColour(rival(share))?.colour ?? null)).toEqual(['black', null, null, 'green'])
  })

  it('claims no colour of a chequered thing, of an empty box, or of one outside of the picture', () => {
    const chequered = picture(64, 64, (x, y) => (((x >> 3) + (y >> 3)) % 2 === 0 ? [200, 20, 30] : [240, 240, 240]))
    expect(dominantColour(coloursOf(chequered, 64, 64, WHOLE))).toBeNull()
    expect(coloursOf(chequered, 64, 64, { cx: 1.5, cy: 0.5, w: 0.4, h: 0.4 })).toEqual(new Array(11).fill(0))
    expect(dominantColour(new Array<number>(11).fill(0))).toBeNull()
  })

  it('calls a white car white whose side lies in shadow, and a grey one with a few highlights grey', () => {
    const car = (shadow: number) => picture(60, 60, (x) => (x < shadow ? [140, 142, 145] : [238, 240, 242]))
    expect(dominantColour(coloursOf(car(32), 60, 60, WHOLE))?.colour).toBe('white')
    expect(dominantColour(coloursOf(car(50), 60, 60, WHOLE))?.colour).toBe('grey')
  })

  it('reads a box that hangs over the edge', () => {
    const rgb = picture(50, 50, (x) => (x >= 40 ? [40, 80, 190] : [240, 240, 240]))
    expect(dominantColour(coloursOf(rgb, 50, 50, { cx: 1, cy: 0.5, w: 0.4, h: 1 }))?.colour).toBe('blue')
  })
})

it.each([
  ['white', [240, 240, 240], [40, 90, 40]],
  ['yellow', [250, 220, 20], [10, 10, 10]],
  ['black', [10, 10, 10], [235, 235, 225]],
  ['red', [200, 20, 20], [240, 240, 240]],
] as const)('tells the colour of %s letters from their ground, edges that mix with it left out', (colour, ink, ground) => {
  const stroke = (x: number, y: number) => (y < 8 || y > 39 || x % 24 > 10 ? 0 : x % 24 === 0 || x % 24 === 10 ? 0.5 : 1)
  const rgb = picture(
    200,
    48,
    (x, y) => ground.map((byte, channel) => Math.round(byte + stroke(x, y) * ((ink[channel] ?? 0) - byte))) as unknown as Rgb,
  )
  expect(dominantColour(coloursOfLetters(rgb, 200, 48))).toMatchObject({ colour })
})

describe('the edge of a picture', () => {
  const bordered = (border: Rgb, width: number) =>
    picture(96, 64, (x, y) => (Math.min(x, y, 95 - x, 63 - y) < width ? border : [250, 250, 250]))

  it('has the colour of a border, and how much of the picture has it too', () => {
    expect(edgeOf(bordered([0, 0, 255], 3), 96, 64)).toMatchObject({ colour: 'blue' })
    expect(edgeOf(bordered([0, 0, 255], 3), 96, 64)?.whole).toBeLessThan(0.2)
    expect(edgeOf(bordered([250, 250, 250], 3), 96, 64)).toEqual({ colour: 'white', whole: expect.closeTo(1, 1) as number })
  })

  it('has none where its sides differ, or are of several colours', () => {
    expect(
      edgeOf(
        picture(96, 64, (_, y) => (y < 32 ? [90, 140, 230] : [60, 90, 40])),
        96,
        64,
      ),
    ).toBeNull()
    expect(
      edgeOf(
        picture(96, 64, (x) => (x % 8 < 4 ? [230, 30, 30] : [30, 30, 230])),
        96,
        64,
      ),
    ).toBeNull()
    expect(
      edgeOf(
        picture(2, 2, () => [0, 0, 0]),
        2,
        2,
      ),
    ).toBeNull()
  })
})

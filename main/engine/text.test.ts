import path from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { TextManifest } from '../../app/pack/text.ts'
import { byteTensor, floatsOf, Graphs, integersOf } from './graphs.ts'
import { openFolder } from './pack.ts'
import { resized } from './picture.ts'
import type { Picture } from './protocol.ts'
import { TextReader } from './text.ts'
import { textOf } from './text-cores.ts'
import { openText, type TextPack, testText } from './text-pack.ts'

const FOLDER = path.resolve(import.meta.dirname, '..', '..', 'models', 'packs', 'screen-text')

describe('the pack screen-text', () => {
  let pack: TextPack
  let manifest: TextManifest
  let graphs: Graphs
  const readerOf = (symbols = pack.symbols) => new TextReader(manifest, symbols, graphs)

  beforeAll(async () => {
    const { folder, manifest: any } = await openFolder(FOLDER)
    manifest = TextManifest.parse(any)
    pack = await openText(folder, manifest)
    graphs = new Graphs(pack.graphs, { provider: 'cpu', threads: 1 })
  })

  it('reads German, Scandinavian and Romance letters, digits and € where they stand', async () => {
    const [lines = []] = await readerOf().read([pack.knownAnswers.picture])
    expect(lines.map(({ text }) => text)).toEqual([
      'Größe der Tür: 3,50 €',
      'Straße Öl Äpfel Übung 20 °C',
      'Exit 23, platform B at 12:34',
      'señor café français køb får',
    ])
    for (const [i, { confidence, box }] of lines.entries()) {
      const drawn = pack.knownAnswers.lines[i]?.box
      expect(confidence).toBeGreaterThan(0.9)
      expect(Math.abs(box.cx - (drawn?.cx ?? NaN))).toBeLessThan(0.02)
      expect(Math.abs(box.cy - (drawn?.cy ?? NaN))).toBeLessThan(0.03)
      expect(Math.abs(box.w - (drawn?.w ?? NaN))).toBeLessThan(0.06)
    }
  })

  it('gives what the published networks give', async () => {
    expect(await testText(pack, readerOf())).toBeNull()
  })

  it('fails its self-test where the channels are turned, the levels are off, or the symbols are one line off', async () => {
    const { picture } = pack.knownAnswers
    const wrong = (rgb: Uint8Array) =>
      testText({ ...pack, knownAnswers: { ...pack.knownAnswers, picture: { ...picture, rgb } } }, readerOf())
    expect(await wrong(picture.rgb.map((_, i) => picture.rgb[i - (i % 3) + 2 - (i % 3)] ?? 0))).toMatch(/gives/)
    expect(await wrong(picture.rgb.map((level) => level / 2))).toMatch(/gives/)
    expect(await testText(pack, readerOf(['', ...pack.symbols]))).toMatch(/is read as/)
    expect(await testText(pack, readerOf(pack.symbols.slice(1)))).toMatch(/is read as/)
  })

  it('reads the same small on a large picture', async () => {
    const { picture, lines } = pack.knownAnswers
    const larger = placed(picture, { width: 1280, height: 720, x: 300, y: 250 })
    const [read = []] = await readerOf().read([larger])
    expect(read.map(({ text }) => text)).toEqual(lines.map(({ text }) => text))
    expect(read[0]?.box.cx).toBeCloseTo((300 + (lines[0]?.box.cx ?? 0) * picture.width) / 1280, 1)
    expect(read[0]?.box.cy).toBeCloseTo((250 + (lines[0]?.box.cy ?? 0) * picture.height) / 720, 1)
  })

  it('is sure of a letter of which it cannot see the case', async () => {
    // The s of "señor", alone and as high as the whole line.
    const crop = resized(pack.knownAnswers.picture, { x: 60, y: 188, width: 16, height: 26 }, 48, 48)
    const outputs = await graphs.run('reader', { rgb: byteTensor(crop, [1, 48, 48, 3]) })
    const { text, confidence } = textOf(integersOf(outputs, 'symbols'), floatsOf(outputs, 'certainty'), pack.symbols)
    expect(text.toLowerCase()).toBe('s')
    expect(confidence).toBeGreaterThan(0.95)
  })

  it('does not read again what stands still, and reads again where one digit of it changes', async () => {
    const reader = readerOf()
    const { picture } = pack.knownAnswers
    await reader.read([picture])
    const before = graphs.counts()['reader'] ?? 0
    const noisy = { ...picture, rgb: picture.rgb.map((level, i) => Math.min(level + (i % 3), 255)) }
    expect((await reader.read([noisy]))[0]).toHaveLength(4)
    expect(graphs.counts()['reader']).toBe(before)
    // The last digit of "12:34" is painted over with the one before it.
    const { rgb, width } = picture
    // `slice` of a Buffer would be the same memory.
    const changed = Uint8Array.from(rgb)
    for (let y = 128; y < 166; y++)
      for (let x = 0; x < 16; x++)
        for (let c = 0; c < 3; c++) changed[(y * width + 369 + x) * 3 + c] = rgb[(y * width + 352 + x) * 3 + c] ?? 0
    const [again = []] = await reader.read([{ ...picture, rgb: changed }])
    expect(again[2]?.text).toBe('Exit 23, platform B at 12:33')
    expect(graphs.counts()['reader']).toBe(before + 1)
  })

  it('reads the letters of a clock with the network only where it has not shown them before', async () => {
    const reader = readerOf()
    const { rgb, width } = pack.knownAnswers.picture
    // "12:34" alone on plain ground, and with each of its digits in the place of the last one.
    const clock = (last: number) => {
      const picture = { rgb: new Uint8Array(240 * 120 * 3).fill(rgb[0] ?? 0), width: 240, height: 120 }
      const copy = (from: number, to: number, wide: number) => {
        for (let y = 0; y < 38; y++)
          picture.rgb.set(rgb.subarray(((y + 128) * width + from) * 3, ((y + 128) * width + from + wide) * 3), ((y + 40) * 240 + to) * 3)
      }
      copy(306, 60, 80)
      copy(last, 60 + 369 - 306, 16)
      return picture
    }
    const shown: string[] = []
    const before = graphs.counts()['reader'] ?? 0
    const [three, four] = [clock(352), clock(369)]
    for (const picture of [four, three, four, three]) {
      const [lines = []] = await reader.read([picture])
      shown.push(`${lines.map(({ text }) => text).join()} ${(graphs.counts()['reader'] ?? 0) - before}`)
    }
    expect(shown).toEqual(['12:34 1', '12:33 2', '12:34 2', '12:33 2'])
  })

  it('looks for lines again where something has changed beside those that it knows, and not where their letters have', async () => {
    const reader = readerOf()
    const { picture } = pack.knownAnswers
    const searches = () => graphs.counts()['finder'] ?? 0
    const large = { width: 640, height: 480, x: 0, y: 0 }
    const text = placed(picture, large)
    await reader.read([text])
    const before = searches()
    // The upper half of "12:34" is painted over with that of other letters, then the whole line.
    const { rgb, width } = text
    const letters = rgb.slice()
    for (let y = 134; y < 160; y++)
      for (let x = 0; x < 16; x++)
        for (let c = 0; c < 3; c++) letters[(y * width + 369 + x) * 3 + c] = rgb[(y * width + 352 + x) * 3 + c] ?? 0
    const [lines = []] = await reader.read([{ ...text, rgb: letters }])
    expect(lines.map((line) => line.text)).toContain('Exit 23, platform B at 12:33')
    expect(searches()).toBe(before)
    const more = placed(picture, { ...large, y: 240 })
    more.rgb.set(letters.subarray(0, 240 * width * 3))
    expect((await reader.read([more]))[0]).toHaveLength(8)
    expect(searches()).toBe(before + 1)
    // Something else may be at the place of a line that is gone.
    expect((await reader.read([placed(picture, { ...large, y: 240 })]))[0]).toHaveLength(4)
    expect(searches()).toBe(before + 2)
    // Another video has pictures of another size.
    expect((await reader.read([picture]))[0]).toHaveLength(4)
    expect(searches()).toBe(before + 3)
  })

  it('searches a video that shows no text in small copies, completely from time to time and where one shows something', async () => {
    const run = vi.spyOn(graphs, 'run')
    const reader = readerOf()
    const { picture } = pack.knownAnswers
    const text = placed(picture, { width: 1280, height: 720, x: 300, y: 250 })
    const blank: Picture = { ...text, rgb: new Uint8Array(text.rgb.length).fill(110) }
    const found = await reader.read([
      blank,
      blank,
      ...[1, 2, 3, 4].map((level) => ({ ...blank, rgb: blank.rgb.map((one) => one + 10 * level) })),
    ])
    expect(found.flat()).toEqual([])
    const widths = () => run.mock.calls.flatMap(([name, { rgb }]) => (name === 'finder' ? [rgb?.dims[2]] : []))
    expect(widths()).toEqual([576, 256, 256, 256, 576])
    expect((await reader.read([text]))[0]).toHaveLength(4)
    expect(widths().slice(5)).toEqual([256, 576])
    run.mockRestore()
  })

  it('remembers the lines of two videos that are read in turns', async () => {
    const reader = readerOf()
    const { picture } = pack.knownAnswers
    const other = placed(picture, { width: 640, height: 480, x: 0, y: 100 })
    await Promise.all([reader.read([picture], 1), reader.read([other], 2)])
    const before = graphs.counts()
    for (const video of [1, 2, 1, 2]) expect((await reader.read([video === 1 ? picture : other], video))[0]).toHaveLength(4)
    expect(graphs.counts()).toEqual(before)
  })

  it('reads a line no more, however often something changes just above it, once it was read alike five times', async () => {
    const reader = readerOf()
    const { picture } = pack.knownAnswers
    const text = placed(picture, { width: 640, height: 480, x: 0, y: 0 })
    const [lines = []] = await reader.read([text])
    const { cy, h } = lines[2]?.box ?? expect.fail('no line')
    const top = Math.round((cy - h / 2) * text.height)
    const reads: number[] = []
    for (const seed of [1, 2, 3, 4, 5, 6, 7]) {
      const rgb = text.rgb.slice()
      // Above every letter, so that none looks as it did before.
      for (let x = 0; x < 640; x += 16) {
        const level = Math.imul(x + seed * 7919, 2_654_435_761) >>> 24
        for (let y = top; y < top + 4; y++) rgb.fill(level, (y * 640 + x) * 3, (y * 640 + x + 16) * 3)
      }
      const before = graphs.counts()['reader'] ?? 0
      const [again = []] = await reader.read([{ ...text, rgb }])
      expect(again[2]?.text).toBe(lines[2]?.text)
      reads.push((graphs.counts()['reader'] ?? 0) - before)
    }
    expect(reads).toEqual([1, 1, 1, 1, 1, 0, 0])
  })

  it('is silent on pictures without text', async () => {
    const blank: Picture = { rgb: new Uint8Array(640 * 360 * 3).fill(90), width: 640, height: 360 }
    const stripes: Picture = { ...blank, rgb: blank.rgb.map((_, i) => (Math.floor(i / 60) % 2) * 200) }
    const noise: Picture = { ...blank, rgb: blank.rgb.map((_, i) => Math.imul(i, 2_654_435_761) >>> 24) }
    expect(await readerOf().read([blank, stripes, noise])).toEqual([[], [], []])
  })
})

/** A picture inside a larger grey one. */
function placed({ rgb, width, height }: Picture, { x, y, ...size }: { width: number; height: number; x: number; y: number }): Picture {
  const out = new Uint8Array(size.width * size.height * 3).fill(110)
  for (let row = 0; row < height; row++) out.set(rgb.subarray(row * width * 3, (row + 1) * width * 3), ((y + row) * size.width + x) * 3)
  return { rgb: out, ...size }
}

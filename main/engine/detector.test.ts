import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { hash } from 'node:crypto'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RelativeBox } from '../../app/boxes.ts'
import { Detector } from './detector.ts'
import { type DetectorPack, openDetector, testDetector } from './detector-pack.ts'
import { Graphs } from './graphs.ts'
import { openFolder } from './pack.ts'
import type { Picture } from './protocol.ts'

const objects80 = fileURLToPath(new URL('../../models/packs/objects-80', import.meta.url))

async function opened(dir: string): Promise<{ pack: DetectorPack; detector: Detector; graphs: Graphs }> {
  const { folder, manifest } = await openFolder(dir)
  if (manifest.family !== 'detector') throw new TypeError('it is no detector')
  const pack = await openDetector(folder, manifest)
  const graphs = new Graphs(pack.graphs, { provider: 'cpu', threads: 1 })
  return { pack, graphs, detector: new Detector(manifest, graphs) }
}

/** A part of a picture; black beyond its edges. */
function cut({ rgb, width, height }: Picture, left: number, top: number, wide: number, high: number): Picture {
  const out = new Uint8Array(wide * high * 3)
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const [fromX, fromY] = [x + left, y + top]
      if (fromX >= 0 && fromX < width && fromY >= 0 && fromY < height)
        out.set(rgb.subarray((fromY * width + fromX) * 3, (fromY * width + fromX) * 3 + 3), (y * wide + x) * 3)
    }
  }
  return { rgb: out, width: wide, height: high }
}

function pixels({ cx, cy, w, h }: RelativeBox, { width, height }: Picture, left = 0, top = 0): number[] {
  return [(cx - w / 2) * width + left, (cy - h / 2) * height + top, (cx + w / 2) * width + left, (cy + h / 2) * height + top]
}

describe('the pack objects-80', () => {
  let pack: DetectorPack
  let detector: Detector
  let graphs: Graphs
  let picture: Picture
  beforeAll(async () => {
    ;({ pack, detector, graphs } = await opened(objects80))
    picture = pack.knownAnswers.picture
  })
  afterAll(() => graphs.release())

  it('sees in a frame of a real clip what it did where it was converted', async () => {
    expect(await testDetector(pack, detector)).toBeNull()
    const [seen = []] = await detector.see([picture], 0)
    expect(seen.filter(({ score }) => score > 0.5).map(({ name }) => name)).toEqual(['person', 'cup'])
  })

  it('notices blue and red in each other’s place, a picture that was stretched, and one that is upside down', async () => {
    const { rgb, width, height } = picture
    const after = async (changed: Picture) => testDetector({ ...pack, knownAnswers: { ...pack.knownAnswers, picture: changed } }, detector)
    const swapped = Uint8Array.from(rgb, (_, i) => rgb[i - (i % 3) + 2 - (i % 3)] ?? 0)
    expect(await after({ rgb: swapped, width, height })).toMatch(/is off|too many/)
    const stretched = new Uint8Array(416 * 416 * 3)
    for (let y = 0; y < 416; y++) {
      for (let x = 0; x < 416; x++) {
        const from = (Math.floor((y * height) / 416) * width + Math.floor((x * width) / 416)) * 3
        stretched.set(rgb.subarray(from, from + 3), (y * 416 + x) * 3)
      }
    }
    expect(await after({ rgb: stretched, width: 416, height: 416 })).toMatch(/is off|too many/)
    const turned = new Uint8Array(rgb.length)
    for (let i = 0; i < rgb.length; i += 3) turned.set(rgb.subarray(i, i + 3), rgb.length - 3 - i)
    expect(await after({ rgb: turned, width, height })).toMatch(/is off|too many/)
  })

  it('gives boxes in shares of the picture, whatever border it needs', async () => {
    const cup = async (...[left, top, wide, high]: [number, number, number, number]) => {
      const part = cut(picture, left, top, wide, high)
      const [seen = []] = await detector.see([part], 0)
      return pixels(seen.find(({ name }) => name === 'cup')?.box ?? { cx: NaN, cy: NaN, w: NaN, h: NaN }, part, left, top)
    }
    const [x1, y1, x2, y2] = await cup(0, 0, 288, 220)
    // 173 wide: 9 or 10 pixels of border on each side; 193 high: 15 or 16.
    for (const part of [
      [115, 0, 173, 220],
      [95, 27, 193, 193],
    ] satisfies [number, number, number, number][]) {
      const box = await cup(...part)
      for (const [i, side] of [x1, y1, x2, y2].entries()) expect(Math.abs((box[i] ?? NaN) - (side ?? NaN))).toBeLessThan(5)
    }
  })

  it('sees nothing in a black picture, and gives each of several pictures its own boxes', async () => {
    const black = { rgb: new Uint8Array(64 * 48 * 3), width: 64, height: 48 }
    const [none, some] = await detector.see([black, picture], 1)
    expect(none).toEqual([])
    expect(some?.[0]?.name).toBe('person')
  })

  it('shows every other picture to the network in a mirror, and finds the same places and colours', async () => {
    const [first = [], second = [], third = []] = await detector.see([picture, picture, picture], 0)
    expect(third).toEqual(first)
    expect(second).not.toEqual(first)
    const [alone = []] = await detector.see([picture], 1)
    expect(alone).toEqual(second)
    // Mirrored twice, it is the picture of the first turn.
    const { rgb, width, height } = picture
    const mirrored = Uint8Array.from(
      rgb,
      (_, i) => rgb[(Math.floor(i / 3 / width) * width + width - 1 - (Math.floor(i / 3) % width)) * 3 + (i % 3)] ?? 0,
    )
    const [back = []] = await detector.see([{ rgb: mirrored, width, height }], 1)
    expect(back.map(({ score }) => score)).toEqual(first.map(({ score }) => score))
    for (const name of ['cup', 'person']) {
      const [one, other] = [first, second].map((seen) =>
        pixels(seen.find((each) => each.name === name)?.box ?? { cx: NaN, cy: NaN, w: NaN, h: NaN }, picture),
      )
      for (const [i, side] of (one ?? []).entries()) expect(Math.abs((other?.[i] ?? NaN) - side)).toBeLessThan(12)
      const [here, there] = [first, second].map((seen) => seen.find((each) => each.name === name)?.colours)
      for (const [i, share] of (here ?? []).entries()) expect(Math.abs((there?.[i] ?? NaN) - share)).toBeLessThan(0.2)
    }
  })

  it('has one box for a thing of one name, best first, and the colours of its halves', async () => {
    const [seen = []] = await detector.see([picture], 0)
    expect(seen.map(({ score }) => score)).toEqual(seen.map(({ score }) => score).sort((a, b) => b - a))
    const mug = seen.find(({ name }) => name === 'cup')
    expect(mug?.colours).toHaveLength(22)
    for (const half of [mug?.colours.slice(0, 11) ?? [], mug?.colours.slice(11) ?? []]) {
      const named = half.reduce((sum, share) => sum + share, 0)
      // The rest is tan or beige.
      expect(named).toBeGreaterThan(0.5)
      expect(named).toBeLessThan(1.00001)
    }
  })
})

describe('a detector’s folder', () => {
  it('is refused when its picture is of another size than it says, and fails its test when its graph sees otherwise', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'tubelet-detector-'))
    try {
      await cp(objects80, dir, { recursive: true })
      const json = JSON.parse(await readFile(path.join(dir, 'pack.json'), 'utf8')) as { selfTest: { file: string; sha256: string } }
      const file = path.join(dir, json.selfTest.file)
      const answers = JSON.parse(await readFile(file, 'utf8')) as { picture: { width: number }; boxes: unknown[] }
      const save = async (changed: unknown) => {
        await writeFile(file, JSON.stringify(changed))
        json.selfTest.sha256 = hash('sha256', await readFile(file))
        await writeFile(path.join(dir, 'pack.json'), JSON.stringify(json))
      }
      await save({ ...answers, boxes: answers.boxes.slice(1) })
      const { pack, detector, graphs } = await opened(dir)
      expect(await testDetector(pack, detector)).toBe('there are 1 boxes too many')
      await graphs.release()
      await save({ ...answers, picture: { ...answers.picture, width: answers.picture.width + 1 } })
      await expect(opened(dir)).rejects.toMatchObject({
        problem: { code: 'pack-invalid', details: expect.stringContaining('size') as string },
      })
    } finally {
      await rm(dir, { recursive: true })
    }
  })
})

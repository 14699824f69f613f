import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { TubeletError } from '../../app/errors.ts'
import { secondsOf } from '../../app/media.ts'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import { clipNames, clipPath, decodedPts, freely } from './clips.testing.ts'
import { probe } from './probe.ts'
import type { Want } from './decode-plan.ts'
import { sample, type SampledClip, type SampleEvent } from './sample.ts'
import { findMediaTools, keepFrames } from './tools.ts'

const tools = await findMediaTools()

/** Each tube is a whole frame, so a clip's tubes are its frames. */
const input: MammutManifest['input'] = {
  frames: 16,
  width: 48,
  height: 32,
  fit: 'stretch',
  maxClipSeconds: 8,
  tubes: [{ name: 'frame', kernel: [1, 32, 48], stride: [1, 32, 48], offset: [0, 0, 0], depth: [1, 1, 1] }],
}
const PICTURE = 48 * 32 * 3
const encoder = (as = input, key = 'encoder'): Want => ({ key, kind: 'tubes', input: as })

type Shown = Extract<SampleEvent, { type: 'picture' }>

async function sampleAll(name: string, wants: readonly Want[] = [encoder()]) {
  const file = path.isAbsolute(name) ? name : clipPath(name)
  const found = await probe(tools, file)
  const clips: SampledClip[] = []
  const pictures: Shown[] = []
  const thumbnails: Uint8Array[] = []
  let done: Extract<SampleEvent, { type: 'done' }> | null = null
  for await (const event of sample(tools, file, found, wants)) {
    if (event.type === 'clip') clips.push(event.clip)
    if (event.type === 'picture') pictures.push(event)
    if (event.type === 'thumbnail') thumbnails.push(event.jpeg)
    if (event.type === 'done') done = event
  }
  if (done === null) throw new Error('sampling ended without its last event')
  return { file, probe: found, clips, pictures, thumbnails, done }
}

/** What the encoder of a clip reads. */
function seenOf(clip: SampledClip | undefined, key = 'encoder') {
  return clip?.inputs.find((one) => one.key === key) ?? expect.fail('no input')
}

const NEIGHBOURS = 2

/** The pictures of a frame and of its neighbours, got by counting frames in a run of ffmpeg of its own. */
async function picturesAround(
  file: string,
  stream: number,
  ordinal: number,
  fitted = `scale=${input.width}:${input.height}:flags=bicubic,format=rgb24`,
): Promise<Buffer[]> {
  const filter = `select=between(n\\,${ordinal - NEIGHBOURS}\\,${ordinal + NEIGHBOURS}),${fitted}`
  const { stdout } = await freely(tools.ffmpeg, [
    '-v',
    'error',
    '-i',
    file,
    '-map',
    `0:${stream}`,
    '-vf',
    filter,
    ...keepFrames(tools),
    '-f',
    'rawvideo',
    '-',
  ])
  return Array.from({ length: stdout.length / PICTURE }, (_, i) => stdout.subarray(i * PICTURE, (i + 1) * PICTURE))
}

/** Mean absolute difference, 0..255. */
function difference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length
}

function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9
}

/** Seconds at which shots begin, by SOURCES.md; every other clip is one shot. */
const cuts: Record<string, number[]> = { d15: [1.7, 2.8] }

/** How many children of this process have the file as an argument, by Linux's /proc: other tests may read the same file meanwhile. */
function childrenOn(file: string): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nPPid:\t${process.pid}\n`) &&
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`file:${file}`)
      )
    } catch {
      return false
    }
  }).length
}

describe('sample on real files', () => {
  it.concurrent.each(clipNames(/^[df]\d\d/))('%s', { timeout: 120_000 }, async (name) => {
    const { file, probe: found, clips, thumbnails, done } = await sampleAll(name)
    expect(done.damaged).toBeNull()

    const pts = await decodedPts(tools, file)
    expect(Array.from(done.pts)).toEqual(pts)
    expect(found.startPts).toBe(pts[0])
    if (found.frameCount !== null) expect(found.frameCount).toBe(pts.length)
    for (const frame of clips.flatMap((clip) => [...clip.frames, ...seenOf(clip).frames])) expect(frame.pts).toBe(pts[frame.ordinal])

    // Clips tile the source.
    let [ordinal, time] = [0, 0]
    for (const [i, clip] of clips.entries()) {
      expect(clip).toMatchObject({ index: i, startFrame: ordinal, start: time, startPts: pts[ordinal] })
      expect(clip.end).toBeGreaterThan(clip.start)
      expect(clip.end - clip.start).toBeLessThanOrEqual(input.maxClipSeconds + 0.3)
      const { frames, tubes } = seenOf(clip)
      expect(frames).toHaveLength(input.frames)
      for (const some of [frames, clip.frames]) {
        expect(some.every((f) => f.ordinal >= clip.startFrame && f.ordinal < clip.endFrame)).toBe(true)
        expect(some.toSorted((a, b) => a.ordinal - b.ordinal)).toEqual(some)
      }
      expect(clip.frames.length).toBeGreaterThan(0)
      expect(tubes.map((tube) => tube.length)).toEqual([input.frames * PICTURE])
      expect(isJpeg(clip.thumbnail)).toBe(true)
      for (const { time, mean } of clip.measured.light) expect(time >= clip.start && time < clip.end && mean >= 0 && mean <= 255).toBe(true)
      expect(clip.measured.light.length).toBeGreaterThan(0)
      expect(clip.measured.camera.steps.every(({ from, to }) => from >= clip.start && to < clip.end && from < to)).toBe(true)
      ;[ordinal, time] = [clip.endFrame, clip.end]
    }
    expect(ordinal).toBe(pts.length)
    expect(Math.abs(time - found.duration)).toBeLessThan(0.2)

    const shots = clips.filter((clip) => clip.kind === 'shot' && clip.index > 0).map((clip) => clip.start)
    const expected = cuts[name.slice(0, 3)] ?? []
    expect(shots).toHaveLength(expected.length)
    for (const [i, at] of expected.entries()) expect(Math.abs((shots[i] ?? NaN) - at)).toBeLessThan(0.15)

    expect(thumbnails.length).toBeGreaterThan(0)
    expect(done.filmstrip.length).toBeGreaterThan(Math.min(10, pts.length / 2))
    expect(done.filmstrip.length).toBeLessThanOrEqual(60)
    expect(done.filmstrip.every((cell) => cell !== null && isJpeg(cell))).toBe(true)
  })

  it.each(['d03_bottles.mp4', 't05_portrait.mp4', 't02_rotated.mp4'])(
    'the middle of %s is cut out undistorted where the input wants it',
    async (name) => {
      const square: MammutManifest['input'] = {
        ...input,
        width: 32,
        fit: 'crop',
        tubes: [{ name: 'frame', kernel: [1, 32, 32], stride: [1, 32, 32], offset: [0, 0, 0], depth: [1, 1, 1] }],
      }
      const { file, probe: found, clips } = await sampleAll(name, [encoder(square)])
      const {
        frames: [frame],
        tubes,
      } = seenOf(clips[0])
      if (frame === undefined) throw new Error('no frame')
      const picture = tubes[0]?.subarray(0, 32 * 32 * 3) ?? new Uint8Array()
      const as = async (fitted: string) =>
        Buffer.concat(await picturesAround(file, found.videoStream, frame.ordinal, `${fitted},format=rgb24`)).subarray(0, picture.length)
      const cropped = difference(picture, await as('scale=32:32:force_original_aspect_ratio=increase:flags=bicubic,crop=32:32'))
      expect(cropped).toBeLessThan(6)
      expect(cropped).toBeLessThan(difference(picture, await as('scale=32:32:flags=bicubic')) / 2)
    },
  )

  it.each(['d03_bottles.mp4', 't03_belt.gif', 'd07_flower_bloom_vp8.webm', 'd11_room_dog_rot180_vfr.mp4', 't02_rotated.mp4'])(
    'the pixels of %s are those of the frames that it names',
    async (name) => {
      const { file, probe: found, clips } = await sampleAll(name)
      const { frames, tubes } = seenOf(clips.at(-1))
      const at = 9
      const frame = frames[at]
      if (frame === undefined) throw new Error('no frame')
      const picture = tubes[0]?.subarray(at * PICTURE, (at + 1) * PICTURE) ?? new Uint8Array()
      const differences = (await picturesAround(file, found.videoStream, frame.ordinal)).map((other) => difference(picture, other))
      expect(differences).toHaveLength(2 * NEIGHBOURS + 1)
      // Scaling in two steps differs from scaling in one, by less than the next frame does.
      expect(differences[NEIGHBOURS]).toBeLessThan(2.5)
      expect(Math.min(...differences)).toBe(differences[NEIGHBOURS])
    },
  )

  it('reads what can be read of a damaged file, and says how much that is', async () => {
    // One pass after the other on the same thread: no damage may leak into the next.
    const message = 'Damaged: {{read}} of {{total}} frames could be read.'
    expect((await sampleAll('b02_truncated.mp4')).done.damaged).toMatchObject({ message, values: { read: 113, total: 292 } })
    const corrupt = await sampleAll('b04_decord_corrupted.mp4')
    // One picture is lost; what follows it up to the next key picture, here the end, may be made up from it. Decoding on several threads, ffmpeg tells of
    // it one to three pictures before that one comes.
    expect(corrupt.done.damaged).toMatchObject({
      message: 'Damaged: seconds {{spans}} cannot be read.',
      values: { spans: expect.stringMatching(/^2\.[567]–5$/) as string },
    })
    expect(corrupt.clips.at(-1)?.endFrame).toBe(49)
    const silent = await sampleAll('b07_missing_audio_stsd.mp4')
    expect([silent.done.pts.length, silent.done.damaged]).toEqual([30, null])
    await expect(sampleAll('b06_invalid_vp9_bitstream.webm')).rejects.toMatchObject({
      problem: { code: 'no-frames', file: clipPath('b06_invalid_vp9_bitstream.webm') },
    })
  })

  it('says of a Matroska file that was cut off how much is left, though all its packets are read at once', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-cut-'))
    try {
      const [whole, cut] = [path.join(folder, 'whole.mkv'), path.join(folder, 'cut.mkv')]
      execFileSync(tools.ffmpeg, ['-v', 'error', '-i', clipPath('d03_bottles.mp4'), '-t', '8', '-an', '-c', 'copy', whole])
      const bytes = readFileSync(whole)
      writeFileSync(cut, bytes.subarray(0, bytes.length >> 1))
      const { damaged } = (await sampleAll(cut)).done
      expect(damaged).toMatchObject({ code: 'damaged', message: 'Damaged: {{read}} of {{total}} seconds could be read.' })
      expect(damaged?.values?.['total']).toBeCloseTo(8, 0)
      expect((await sampleAll(whole)).done.damaged).toBeNull()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it.skipIf(process.platform !== 'linux')(
    'leaves no decoder behind when aborted, or when its consumer walks away',
    { meta: { needs: 'Linux' } },
    async () => {
      const file = clipPath('t04_long.mp4')
      const found = await probe(tools, file)
      const abort = new AbortController()
      const aborted = async () => {
        for await (const event of sample(tools, file, found, [encoder()], { signal: abort.signal })) {
          if (event.type !== 'clip') continue
          expect(childrenOn(file)).toBe(1)
          abort.abort()
        }
      }
      await expect(aborted()).rejects.toMatchObject({ name: 'AbortError' })
      expect(childrenOn(file)).toBe(0)
      for await (const event of sample(tools, file, found, [encoder()])) if (event.type === 'clip') break
      expect(childrenOn(file)).toBe(0)
    },
  )

  it('gives windows off while a long shot goes on, and waits for a slow consumer', async () => {
    const file = clipPath('t04_long.mp4')
    const found = await probe(tools, file)
    let furthest = 0
    for await (const event of sample(tools, file, found, [encoder()])) {
      if (event.type === 'progress') furthest = event.seconds
      if (event.type !== 'clip') continue
      // A shot is cut once it is two clip lengths long; the pipes hold some seconds more.
      if (event.clip.index === 0) expect(furthest).toBeLessThan(60)
      if (event.clip.index === 3) break
    }
    expect(furthest).toBeLessThan(secondsOf(found.startPts, found) + 120)
  })

  it('refuses a file that is gone', async () => {
    const found = await probe(tools, clipPath('d03_bottles.mp4'))
    const gone = sample(tools, clipPath('gone.mp4'), found, [encoder()])
    const error: unknown = await gone.next().catch((e: unknown) => e)
    expect(error).toBeInstanceOf(TubeletError)
    expect(error).toMatchObject({ problem: { code: 'file-missing' } })
  })
})

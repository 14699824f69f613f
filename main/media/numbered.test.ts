/** Numbered pictures as a video: what ffmpeg makes of them, by their painted colours. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { rateOf } from '../../app/numbered.ts'
import { freely } from './clips.testing.ts'
import { fingerprint } from './fingerprint.ts'
import { filesOf, writeList } from './numbered.ts'
import { makeProxy, playbackOf } from './playback.ts'
import { probe, probeNumbered } from './probe.ts'
import { sample } from './sample.ts'
import { findMediaTools } from './tools.ts'

const tools = await findMediaTools()
const alone = { ...tools, ffprobe: null }
const folder = await mkdtemp(path.join(os.tmpdir(), 'tubelet-numbered-'))
afterAll(() => rm(folder, { recursive: true }))

/** A folder name with characters that are special in lists and patterns. */
const run = path.join(folder, "it's 100% run")
const pattern = path.join(run, 'img_%04d.png')
const list = path.join(folder, 'lists', 'one.ffconcat')
const COUNT = 40
const rate = rateOf(29.97)

beforeAll(async () => {
  const made = path.join(folder, 'made')
  await mkdir(made)
  const cut = `color=black:s=64x48:r=25:d=1,drawbox=t=fill:c=white:enable='gte(n,20)'`
  await freely(tools.ffmpeg, [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    `${cut},tpad=stop_mode=clone:stop_duration=1`,
    '-frames:v',
    String(COUNT),
    path.join(made, 'img_%04d.png'),
  ])
  // ffmpeg could not write into a folder of this name itself.
  await rename(made, run)
  // A gap in the numbers is no gap in time: the next picture follows at once.
  await rename(path.join(run, 'img_0001.png'), path.join(run, 'img_0000.png'))
  await rm(path.join(run, 'img_0007.png'))
})

async function probed(by = tools) {
  const { files, runs } = await filesOf(pattern)
  await writeList(list, pattern, { frameRate: rate, runs })
  return probeNumbered(by, list, { pattern, count: files.length, frameRate: rate })
}

it('is a video of as many frames as there are pictures, at the rate that was said', async () => {
  for (const by of [tools, alone]) {
    const found = await probed(by)
    expect(found).toMatchObject({
      codec: 'png',
      width: 64,
      height: 48,
      frameCount: COUNT - 1,
      frameRate: { num: 30000, den: 1001 },
      timeBase: { num: 1001, den: 30000 },
      numbered: true,
      startPts: 0,
      variableFrameRate: false,
    })
    expect(found.duration).toBeCloseTo(((COUNT - 1) * 1001) / 30000, 9)
    expect(playbackOf(found)).toBe('proxy')
  }
})

it('has a frame for each picture, its PTS the place of the picture, and the cut where it was painted', async () => {
  const found = await probed()
  const cuts: number[] = []
  for await (const event of sample(tools, list, found, [])) {
    if (event.type === 'clip') cuts.push(event.clip.startFrame)
    if (event.type !== 'done') continue
    expect([...event.pts]).toEqual(Array.from({ length: COUNT - 1 }, (_, at) => at))
    expect(event.damaged).toBeNull()
    expect(event.probe.duration).toBeCloseTo(found.duration, 6)
  }
  // The white ones begin with the 21st, of which one before is missing.
  expect(cuts).toEqual([0, 19])
})

it('has a preview copy with the same frames', async () => {
  const found = await probed()
  await makeProxy(tools, list, found, path.join(folder, 'copy.mp4'))
  expect(await probe(tools, path.join(folder, 'copy.mp4'))).toMatchObject({ frameCount: COUNT - 1, frameRate: { num: 30000, den: 1001 } })
})

it('goes on after a picture that cannot be decoded: the others keep their places', async () => {
  const [made, broken] = [path.join(folder, 'made'), path.join(folder, '50%')]
  await mkdir(made)
  const all = path.join(broken, '%d.jpg')
  await freely(tools.ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=64x48:r=25', '-frames:v', '12', path.join(made, '%d.jpg')])
  await rename(made, broken)
  await writeFile(path.join(broken, '5.jpg'), 'no picture')
  const { files, runs } = await filesOf(all)
  await writeList(list, all, { frameRate: rate, runs })
  const found = await probeNumbered(tools, list, { pattern: all, count: files.length, frameRate: rate })
  const pts: number[] = []
  for await (const event of sample(tools, list, found, [])) if (event.type === 'done') pts.push(...event.pts)
  expect(pts).toEqual([0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11])
})

it('is known by its pictures, wherever they lie and whatever they are called', async () => {
  const before = await fingerprint(pattern)
  await rename(run, path.join(folder, 'moved'))
  const moved = path.join(folder, 'moved', 'img_%04d.png')
  expect(await fingerprint(moved)).toBe(before)
  const { files } = await filesOf(moved)
  const first = files.slice(0, 10).reduce((sum, { bytes }) => sum + bytes, 0)
  await writeFile(path.join(folder, 'moved', 'img_0041.png'), 'one more')
  expect(await fingerprint(moved)).not.toBe(before)
  // With only the first pictures: the fingerprint from before more were added.
  expect(
    await fingerprint(
      moved,
      files.reduce((sum, { bytes }) => sum + bytes, 0),
    ),
  ).toBe(before)
  expect(await fingerprint(moved, first)).not.toBe(before)
  await expect(fingerprint(pattern)).rejects.toMatchObject({ problem: { code: 'file-missing' } })
})

it('opens nothing but pictures', async () => {
  const film = path.join(folder, 'film.mkv')
  await freely(tools.ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=64x48:r=25:d=1', film])
  await writeFile(list, `ffconcat version 1.0\nfile 'file:${film}'\nduration 1\n`)
  await expect(probeNumbered(tools, list, { pattern: film, count: 1, frameRate: rate })).rejects.toMatchObject({
    problem: { code: 'no-frames' },
  })
})

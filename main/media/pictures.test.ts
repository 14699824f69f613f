/** Files with several pictures, such as front and rear: the one that a player shows is read, or the one that was chosen. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { pictureNumber, picturesOf } from '../../app/media.ts'
import { freely } from './clips.testing.ts'
import { firstPicture, makeProxy, playbackOf } from './playback.ts'
import { probe } from './probe.ts'
import { findMediaTools } from './tools.ts'

const tools = await findMediaTools()
/** As in the packaged app, which brings ffmpeg alone. */
const alone = { ...tools, ffprobe: null }
const folder = await mkdtemp(path.join(os.tmpdir(), 'tubelet-pictures-'))
afterAll(() => rm(folder, { recursive: true }))

const lavfi = (source: string) => ['-f', 'lavfi', '-i', source]
/** Front, small and red; rear, large and blue. */
const TWO = [...lavfi('color=red:s=64x48:r=25:d=1'), ...lavfi('color=blue:s=128x96:r=25:d=1')]
const H264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p']
const at = (name: string) => path.join(folder, name)
const make = (...args: string[]) => freely(tools.ffmpeg, ['-v', 'error', ...args])

beforeAll(async () => {
  const both = [...TWO, '-map', '0', '-map', '1', ...H264]
  await make(...both, '-disposition:v:0', 'default', '-disposition:v:1', 'default', at('both.mp4'))
  const named = ['-metadata:s:v:0', 'title=Front', '-metadata:s:v:1', 'title=Rear']
  await make(...both, ...named, '-disposition:v:0', '0', '-disposition:v:1', 'default', at('second.mkv'))
  await make(...lavfi('color=green:s=512x512'), '-frames:v', '1', at('cover.png'))
  const sound = ['-map', '1', '-map', '0', '-c:v:0', 'libx264', '-pix_fmt:v:0', 'yuv420p', '-c:v:1', 'png']
  await make('-i', at('cover.png'), ...lavfi('color=red:s=64x48:r=25:d=1'), ...sound, '-disposition:v:1', 'attached_pic', at('cover.mp4'))
})

it('reads the first of several that are marked default, and says which others there are', async () => {
  for (const by of [tools, alone]) {
    const found = await probe(by, at('both.mp4'))
    expect(found).toMatchObject({ videoStream: 0, width: 64, height: 48 })
    expect(picturesOf(found)).toMatchObject([
      { index: 0, width: 64, height: 48 },
      { index: 1, width: 128, height: 96 },
    ])
    // Default names that muxers write are no titles.
    expect(picturesOf(found).map(({ title }) => title)).toEqual([undefined, undefined])
    expect([pictureNumber(found), playbackOf(found)]).toEqual([1, 'direct'])
  }
})

it('reads the one that is marked default, by its name, and the one that was chosen; browsers get a copy of what they do not show', async () => {
  for (const by of [tools, alone]) {
    const usual = await probe(by, at('second.mkv'))
    expect(usual).toMatchObject({ videoStream: 1, width: 128 })
    expect(picturesOf(usual).map(({ title }) => title)).toEqual(['Front', 'Rear'])
    expect([pictureNumber(usual), playbackOf(usual)]).toEqual([2, 'proxy'])
    expect(await probe(by, at('second.mkv'), undefined, 0)).toMatchObject({ videoStream: 0, width: 64 })
    const chosen = await probe(by, at('both.mp4'), undefined, 1)
    expect([chosen.videoStream, pictureNumber(chosen), playbackOf(chosen)]).toEqual([1, 2, 'proxy'])
  }
})

it('takes a cover for no second picture', async () => {
  for (const by of [tools, alone]) {
    const found = await probe(by, at('cover.mp4'))
    expect(found).toMatchObject({ videoStream: 0, width: 64 })
    expect([picturesOf(found).length, pictureNumber(found), playbackOf(found)]).toEqual([1, null, 'direct'])
  }
})

it('copies and shows the chosen picture', async () => {
  const file = at('both.mp4')
  await makeProxy(tools, file, await probe(tools, file, undefined, 1), at('copy.mp4'))
  expect(await probe(tools, at('copy.mp4'))).toMatchObject({ width: 128, height: 96 })
  const { signal } = new AbortController()
  for (const [picture, colour] of [
    [null, 'red'],
    [1, 'blue'],
  ] as const) {
    await writeFile(at('first.jpg'), (await firstPicture(tools, file, picture, signal)) ?? '')
    const { stdout } = await freely(tools.ffmpeg, [
      '-v',
      'error',
      '-i',
      at('first.jpg'),
      '-vf',
      'scale=1:1',
      '-f',
      'rawvideo',
      '-pix_fmt',
      'rgb24',
      '-',
    ])
    const [red = 0, , blue = 0] = stdout
    expect([picture, red > blue ? 'red' : 'blue']).toEqual([picture, colour])
  }
})

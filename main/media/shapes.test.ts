/** Pictures of extreme proportions are read like any others: sensor lines stacked over time, a scan, a row of joined cameras. */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { freely } from './clips.testing.ts'
import type { Want } from './decode-plan.ts'
import { makeProxy } from './playback.ts'
import { probe } from './probe.ts'
import { sample } from './sample.ts'
import { findMediaTools } from './tools.ts'

const tools = await findMediaTools()
const folder = await mkdtemp(path.join(os.tmpdir(), 'tubelet-shapes-'))
afterAll(() => rm(folder, { recursive: true }))

const picture = { width: 64, height: 64, channels: 3 } as const
const wants = (['letterbox', 'inside', 'stretch', 'crop'] as const).map(
  (fit) => ({ key: fit, kind: 'pictures', rate: 2, input: { ...picture, fit } }) as unknown as Want,
)

it.each(['16x8000', '8000x16', '2x2', '2x640'])('%s: analysed whole, and copied for the player', async (size) => {
  const file = path.join(folder, `${size}.mkv`)
  await freely(tools.ffmpeg, [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    `testsrc2=s=${size}:r=10:d=1`,
    '-c:v',
    'ffv1',
    '-pix_fmt',
    'yuv420p',
    file,
  ])
  const found = await probe(tools, file)
  expect(`${found.width}x${found.height}`).toBe(size)
  const seen = { clips: 0, pictures: new Set<string>(), strip: 0, frames: 0 }
  for await (const event of sample(tools, file, found, wants)) {
    if (event.type === 'clip') seen.clips += 1
    if (event.type === 'picture') seen.pictures.add(event.key)
    if (event.type !== 'done') continue
    expect(event.damaged).toBeNull()
    seen.frames = event.pts.length
    seen.strip = event.filmstrip.length
  }
  expect(seen).toMatchObject({ clips: 1, frames: 10, pictures: new Set(wants.map(({ key }) => key)) })
  expect(seen.strip).toBeGreaterThan(0)
  const copy = path.join(folder, `${size}.mp4`)
  await makeProxy(tools, file, found, copy)
  expect(await probe(tools, copy)).toMatchObject({ frameCount: 10 })
})

/** The frame that the window names is the frame that it shows, on every frame of a file that browsers do not seek in exactly. */
import { execFileSync, spawn } from 'node:child_process'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { findMediaTools } from '../main/media/tools.ts'
import { app, call, done, page, tubelet } from './app.ts'

const FRAMES = 60
const FILE = 'B-frames without an edit list.mp4'

tubelet()

const named = async () => Number(/frame (\d+)/.exec((await page.getByRole('timer').textContent()) ?? '')?.[1])
const shows = (ordinal: number) => expect(page.getByRole('timer')).toContainText(new RegExp(`frame ${ordinal}(?!\\d)`))
/** The number that is painted on the picture: ten bars, the lowest bit on the left. */
const painted = () => page.evaluate('painted()')

test.beforeAll(async () => {
  const { ffmpeg } = await findMediaTools()
  const [plain, file] = [path.join(app.projectDir, 'plain.mp4'), path.join(app.projectDir, FILE)]
  const bars = `nullsrc=s=160x64:r=30000/1001:d=2,format=gray,geq=lum='if(mod(floor(N/pow(2,floor(X/16))),2),235,16)'`
  const codec = ['-c:v', 'libx264', '-bf', '2', '-g', '15', '-sc_threshold', '0', '-qp', '10', '-pix_fmt', 'yuv420p']
  execFileSync(ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', bars, '-frames:v', String(FRAMES), ...codec, plain])
  execFileSync(ffmpeg, [
    ...['-v', 'error', '-i', plain, '-c', 'copy'],
    ...['-use_editlist', '0', '-avoid_negative_ts', 'make_non_negative', file],
  ])
  await page.addInitScript(() => {
    const paintedOn = () => {
      const video = document.querySelector('video')
      if (!video || video.videoWidth === 0) return -1
      const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight)
      const drawing = canvas.getContext('2d')
      drawing?.drawImage(video, 0, 0)
      const { width, height } = canvas
      const bit = (at: number) => ((drawing?.getImageData((width / 10) * (at + 0.5), height / 2, 1, 1).data[0] ?? 0) > 128 ? 2 ** at : 0)
      return Array.from({ length: 10 }, (_, at) => bit(at)).reduce((sum, value) => sum + value)
    }
    Object.assign(globalThis, { painted: paintedOn })
  })
  await call('addSources', { body: { paths: [file] } })
  await done()
  await page.reload()
  await page.getByText(FILE).first().click()
  await page.locator('[data-clip]').first().click()
  await expect(page.locator('video')).toHaveJSProperty('readyState', 4, { timeout: 60_000 })
})

test('every frame is named as it is painted, step by step, forwards and backwards', async () => {
  const { pts } = await call('frames', { params: { sourceId: 1 } })
  expect(pts.length).toBe(FRAMES)
  for (let ordinal = 0; ordinal < FRAMES; ordinal += 1) {
    if (ordinal > 0) await page.keyboard.press('.')
    await shows(ordinal)
    await expect.poll(painted, `forwards to ${ordinal}`).toBe(ordinal)
  }
  for (let ordinal = FRAMES - 2; ordinal >= 0; ordinal -= 1) {
    await page.keyboard.press(',')
    await shows(ordinal)
    await expect.poll(painted, `backwards to ${ordinal}`).toBe(ordinal)
  }
})

test('every frame that a click goes to is named as it is painted', async () => {
  const bar = await page.locator('.ruler .lane-body').boundingBox()
  if (bar === null) throw new Error('the ruler is not on the screen')
  const seen = new Set<number>()
  for (let at = 0; at < FRAMES; at += 1) {
    // Back and forth, so that there is a key frame between one click and the next.
    const ordinal = at % 2 === 0 ? at : FRAMES - at
    await page.mouse.click(bar.x + (bar.width * (ordinal + 0.5)) / FRAMES, bar.y + bar.height / 2)
    await shows(ordinal)
    await expect.poll(painted, `clicked on ${ordinal}`).toBe(ordinal)
    seen.add(await named())
  }
  expect(seen.size).toBe(FRAMES)
})

test('the first step after a pause goes on from the frame that is named, and shows what is named, also where the processor is busy', async () => {
  const busy = Array.from({ length: 3 }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }))
  try {
    await page.evaluate(() => {
      // The frame that the window names when the key is pressed, and the picture that the player holds, which may not be on the screen yet.
      document.addEventListener(
        'keydown',
        ({ key }) => {
          if (key !== '.' && key !== ',') return
          const { painted: paintedNow } = globalThis as unknown as { painted: () => number }
          const timer = document.querySelector('[role=timer]')?.textContent ?? ''
          Object.assign(globalThis, { before: [Number(/frame (\d+)/.exec(timer)?.[1]), paintedNow()] })
        },
        { capture: true },
      )
    })
    for (const key of ['.', ',', '.', ',', '.', ',']) {
      await page.keyboard.press('g')
      await page.getByLabel('Go to a time or a frame').fill('#0')
      await page.keyboard.press('Enter')
      await shows(0)
      await expect.poll(painted).toBe(0)
      await page.keyboard.press('Space')
      await expect.poll(named).toBeGreaterThan(8)
      await page.keyboard.press('Space')
      await page.keyboard.press(key)
      const [before, held] = await page.evaluate<[number, number]>('before')
      expect(held - before).toBeGreaterThanOrEqual(0)
      expect(held - before).toBeLessThanOrEqual(1)
      const after = Math.min(FRAMES - 1, before + (key === '.' ? 1 : -1))
      await shows(after)
      await expect.poll(painted).toBe(after)
    }
  } finally {
    for (const child of busy) child.kill('SIGKILL')
  }
})

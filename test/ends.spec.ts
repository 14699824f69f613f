/** The first and the last picture of a video, and a video that has only one. */
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { findMediaTools } from '../main/media/tools.ts'
import { app, call, done, page, tubelet } from './app.ts'

tubelet()
const LAST = 11

const video = () => page.locator('video')
const shows = (ordinal: number) => expect(page.getByRole('timer')).toContainText(new RegExp(`frame ${ordinal}(?!\\d)`))
const choose = async (name: string) => {
  const { sources } = await call('listSources')
  const { clips } = await call('listClips', { query: { sourceId: sources.find((one) => one.name === name)?.id ?? 0 } })
  await page.locator(`[data-clip="${clips[0]?.id ?? 0}"]`).click()
  await expect(video()).toHaveJSProperty('readyState', 4)
}

test.beforeAll(async () => {
  const { ffmpeg } = await findMediaTools()
  const make = (name: string, ...args: string[]) => {
    const file = path.join(app.projectDir, name)
    execFileSync(ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=160x120:r=10', ...args, file])
    return file
  }
  const h264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p']
  const paths = [
    make('twelve.mp4', '-frames:v', String(LAST + 1), ...h264),
    make('one.mp4', '-frames:v', '1', ...h264),
    make('one.avi', '-frames:v', '1', '-c:v', 'mjpeg'),
  ]
  await call('addSources', { body: { paths } })
  await done()
})

test('a paused video that is stepped to its end stays on its last frame, and to its beginning on its first', async () => {
  await choose('twelve.mp4')
  const began = await video().evaluateHandle((element) => {
    const heard = { plays: 0 }
    element.addEventListener('play', () => (heard.plays += 1))
    return heard
  })
  await shows(0)
  for (let at = 1; at <= LAST; at += 1) {
    await page.keyboard.press('.')
    await shows(at)
  }
  for (const key of ['.', ']', '[', 'Shift+ArrowRight', '.']) {
    await page.keyboard.press(key)
    await expect(video()).toHaveJSProperty('seeking', false)
    await shows(LAST)
  }
  await page.getByRole('button', { name: 'One frame on' }).click()
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible()
  // What an end that is told late would begin is begun before the next frame that is gone to is shown.
  await page.keyboard.press(',')
  await shows(LAST - 1)
  for (let at = LAST - 2; at >= 0; at -= 1) await page.keyboard.press(',')
  await shows(0)
  await page.keyboard.press(',')
  await expect(video()).toHaveJSProperty('seeking', false)
  await shows(0)
  expect(await began.evaluate(({ plays }) => plays)).toBe(0)
  // Played, it goes round.
  await page.keyboard.press('l')
  await expect.poll(() => began.evaluate(({ plays }) => plays)).toBeGreaterThan(1)
  await expect(page.getByRole('button', { name: 'Pause', exact: true })).toBeVisible()
  await page.keyboard.press('k')
})

for (const name of ['one.mp4', 'one.avi'])
  test(`a video of one picture is shown, and boxes can be drawn on it: ${name}`, async () => {
    await choose(name)
    await shows(0)
    await page.getByRole('button', { name: 'Draw', exact: true }).click()
    const box = (await page.locator('.picture').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
    await page.mouse.move(box.x + box.width * 0.2, box.y + box.height * 0.2)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.6)
    await page.mouse.up()
    await expect(page.locator('li.track[data-state=edited]')).toHaveCount(1)
    await page.keyboard.press('Escape')
  })

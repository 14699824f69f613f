/** The first and the last picture of a video, a video that has only one, one that breaks off, and one whose pictures stand for very different times. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
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
  const cut = make('cut.mp4', '-t', '4', '-vf', 'noise=alls=20:allf=t', ...h264, '-bf', '0', '-movflags', '+faststart')
  writeFileSync(cut, readFileSync(cut).subarray(0, 0.5 * readFileSync(cut).length))
  const uneven = path.join(app.projectDir, 'uneven.mkv')
  const colour = (name: string, rate: number, seconds: number) => ['-f', 'lavfi', '-i', `color=${name}:s=160x120:r=${rate}:d=${seconds}`]
  const joined = ['-filter_complex', 'concat=n=2', '-vsync', 'vfr', '-c:v', 'libx264', '-pix_fmt', 'yuv420p']
  execFileSync(ffmpeg, ['-v', 'error', ...colour('red', 30, 1), ...colour('green', 1, 9), ...joined, uneven])
  const paths = [
    cut,
    uneven,
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

/** Clicks the strip of the whole video, at a share of its width. */
async function clickStrip(share: number): Promise<void> {
  const { x, y, width, height } = (await page.locator('.whole-video .lane-body').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
  await page.mouse.click(x + share * width, y + height / 2)
}

test('of a file that breaks off, bars and strip end with the last picture, and a click beyond shows that picture and says why', async () => {
  await choose('cut.mp4')
  const { sources } = await call('listSources')
  const { id = 0, probe } = sources.find((one) => one.name === 'cut.mp4') ?? {}
  const { pts } = await call('frames', { params: { sourceId: id } })
  const [unread] = probe?.unread ?? []
  expect(unread?.from).toBeCloseTo(pts.length / 10, 2)
  expect(unread?.to).toBeCloseTo(4, 1)
  const width = async (place: string) => (await page.locator(place).boundingBox())?.width ?? 0
  const whole = await width('.whole-video .lane-body')
  expect((await width('.clips .bar')) / whole).toBeCloseTo(pts.length / 40, 1)
  await expect(page.locator('.strip i')).not.toHaveCount(0)
  expect((await width('.strip i >> nth=-1')) * (await page.locator('.strip i').count())).toBeCloseTo(whole * (1 - pts.length / 40), -2)
  await expect(page.getByRole('img', { name: /cannot be read/ })).toHaveCount(1)
  for (const share of [0.9, 0.7]) {
    await clickStrip(share)
    await shows(pts.length - 1)
    await expect(page.getByText(/cannot be read: this is the last picture before it/).last()).toBeVisible()
  }
  await clickStrip(0.01)
  await shows(0)
  await expect(page.getByText(/this is the last picture before it/)).toHaveCount(0)
})

test('the strip shows each picture where it is on the screen, and a click in its framed part shows that picture', async () => {
  await choose('uneven.mkv')
  const isRed = () =>
    page.locator('.strip img').evaluateAll((cells) =>
      cells.map((cell) => {
        const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d')
        context?.drawImage(cell as HTMLImageElement, 0, 0, 1, 1)
        const [red = 0, green = 0] = context?.getImageData(0, 0, 1, 1).data ?? []
        return red > green
      }),
    )
  await expect.poll(async () => (await isRed()).length).toBeGreaterThan(5)
  // The first second of ten is red.
  await expect.poll(async () => ((red) => red.filter(Boolean).length / red.length)(await isRed())).toBeGreaterThan(0)
  expect(((red) => red.filter(Boolean).length / red.length)(await isRed())).toBeLessThan(0.15)
  await page.getByRole('button', { name: 'Show the whole video' }).click()
  await page.getByRole('button', { name: 'Show less' }).click()
  await expect(page.locator('.whole-video .window')).toBeVisible()
  await clickStrip(0.15)
  await shows(30)
  await clickStrip(0.25)
  await shows(31)
})

/** Adding files: files with several video streams, numbered pictures, nested folders, files beside videos. Real files, made here. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { accessible, app, call, done, goTo, page, tubelet } from './app.ts'

tubelet()
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-intake-'))
test.afterAll(() => rmSync(folder, { recursive: true, force: true }))

const at = (...parts: string[]) => path.join(folder, ...parts)
const ffmpeg = (...args: string[]) => execFileSync('ffmpeg', ['-v', 'error', '-y', ...args])
const H264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p']
const notice = (text: string | RegExp) => page.locator('[data-sonner-toast]').filter({ hasText: text })
const dialog = (name: string) => page.getByRole('dialog', { name })
/** Pictures of the window at both widths and in both themes, where SHOTS says where they go. */
async function shot(name: string): Promise<void> {
  const into = process.env['SHOTS']
  if (into === undefined) return
  for (const width of [1024, 1440])
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.setViewportSize({ width, height: 900 })
      await page.emulateMedia({ colorScheme })
      await page.screenshot({ path: path.join(into, `${name}-${width}-${colorScheme}.png`) })
    }
}

/** Types a path into the window's own dialog, as one must in a browser. */
async function type(typed: string): Promise<void> {
  await page.keyboard.press('Escape')
  await page
    .getByRole('button', { name: /^(Add videos|Choose or type a folder)$/ })
    .first()
    .click()
  await dialog('Add videos').getByLabel('Path').fill(typed)
}

/** Whether the picture in the player is more red or more blue. */
async function shownColour(): Promise<string> {
  await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2, null, { timeout: 60_000 })
  return page.evaluate(() => {
    const video = document.querySelector('video')
    const draw = document.createElement('canvas').getContext('2d')
    if (video === null || draw === null) return ''
    draw.drawImage(video, 0, 0, 1, 1)
    const [red = 0, , blue = 0] = draw.getImageData(0, 0, 1, 1).data
    return red > blue ? 'red' : 'blue'
  })
}

test('in a browser the empty library says beforehand what can be dropped and what must be typed', async () => {
  await expect(page.getByRole('heading', { name: 'Add videos or folders' })).toBeVisible()
  await expect(page.getByText('A browser tells no program where dropped videos lie')).toBeVisible()
  await shot('empty')
})

test('a typed folder says how many videos lie in the folders below it', async () => {
  for (let n = 1; n <= 27; n += 1) {
    mkdirSync(at('deep', `day ${n % 3}`, 'cam'), { recursive: true })
    writeFileSync(at('deep', `day ${n % 3}`, 'cam', `${n}.mp4`), '\0'.repeat(n))
  }
  mkdirSync(at('empty'))
  await type(at('deep'))
  await expect(dialog('Add videos')).toContainText('“Add” takes 27 videos, from there and from the folders below it.')
  await accessible()
  await shot('typed')
  await dialog('Add videos').getByLabel('Path').fill(at('empty'))
  await expect(dialog('Add videos')).toContainText('No video lies there or in the folders below it.')
  await page.keyboard.press('Enter')
  await expect(notice('This folder is empty.')).toContainText(at('empty'))
})

test('a typed place that cannot be taken is told before anything is added, and ~ is the home folder', async () => {
  const field = dialog('Add videos').getByLabel('Path')
  // What the window filled in is replaced by what is pasted.
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Choose or type a folder' }).click()
  await expect(field).not.toHaveValue('')
  await page.keyboard.insertText('/nope')
  await expect(field).toHaveValue('/nope')
  for (const [typed, said, next] of [
    ['/nope/x', 'There is nothing at this place.', 'Check the path'],
    ['nope/x', '“nope/x” is no whole path.', 'Begin it with /, or with ~ for your own folder.'],
  ] as const) {
    await type(typed)
    await expect(dialog('Add videos').getByRole('status')).toContainText(said)
    await field.press('Enter')
    await expect(dialog('Add videos').getByRole('alert')).toContainText(said)
    await expect(dialog('Add videos').getByRole('alert')).toContainText(next)
  }
  expect((await call('listSources')).sources.map(({ path: of }) => of).filter((of) => of.includes('nope'))).toEqual([])
  await field.fill('~')
  await expect(dialog('Add videos').getByRole('alert')).toBeHidden()
  await expect(dialog('Add videos').getByRole('status')).not.toContainText('whole path')
})

test('a file with two pictures says so, shows the one that was analysed, and the other one is a press away', async () => {
  const both = [...['-f', 'lavfi', '-i', 'color=red:s=320x240:r=25:d=2'], ...['-f', 'lavfi', '-i', 'color=blue:s=640x480:r=25:d=2']]
  const named = ['-metadata:s:v:0', 'handler_name=Front', '-metadata:s:v:1', 'handler_name=Rear']
  ffmpeg(...both, '-map', '0', '-map', '1', ...H264, ...named, '-disposition:v:0', 'default', '-disposition:v:1', 'default', at('two.mp4'))
  await type(at('two.mp4'))
  await page.keyboard.press('Enter')
  await done()
  await page
    .getByRole('button', { name: /two\.mp4/ })
    .first()
    .click()
  const pictures = page.getByRole('group', { name: 'This file has 2 pictures. Shown and analysed:' })
  await expect(pictures.getByRole('button', { pressed: true })).toHaveText('1 · Front · 320×240')
  expect(await shownColour()).toBe('red')
  await shot('pictures')
  await pictures.getByRole('button', { name: /Rear/ }).click()
  await expect(page.getByRole('heading', { name: 'two.mp4 #2' })).toBeVisible()
  await done()
  await expect(pictures.getByRole('button', { pressed: true })).toHaveText('2 · Rear · 640×480')
  expect(await shownColour()).toBe('blue')
  const { sources } = await call('listSources')
  expect(sources.map(({ name, picture, state, probe }) => [name, picture, state, probe?.width])).toEqual([
    ['two.mp4', null, 'done', 320],
    ['two.mp4 #2', 1, 'done', 640],
  ])
  // Back and forth makes no third one.
  await pictures.getByRole('button', { name: /Front/ }).click()
  await expect(page.getByRole('heading', { name: 'two.mp4', exact: true })).toBeVisible()
  expect((await call('listSources')).sources).toHaveLength(2)
})

test('numbered pictures are offered as a video, at a rate that a person says, and are shown', async () => {
  mkdirSync(at('run'))
  ffmpeg('-f', 'lavfi', '-i', 'color=blue:s=160x120:r=25:d=2', '-frames:v', '30', at('run', 'img_%04d.png'))
  rmSync(at('run', 'img_0011.png'))
  await type(at('run'))
  await page.keyboard.press('Enter')
  const offer = dialog('Numbered pictures')
  await expect(offer).toContainText('img_0001.png to img_0030.png')
  await expect(offer).toContainText('29 pictures · 1 number is missing between them: 11')
  await offer.getByLabel('Pictures a second').fill('many')
  await expect(offer.getByRole('button', { name: 'Add as a video' })).toBeDisabled()
  await offer.getByLabel('Pictures a second').fill('10')
  await expect(offer).toContainText('0:02.9 of video')
  await accessible()
  await shot('numbered')
  await offer.getByLabel('a video of each part').check()
  await expect(offer.getByRole('button', { name: 'Add as 2 videos' })).toBeEnabled()
  await offer.getByLabel('one video over the gap').check()
  await offer.getByRole('button', { name: 'Add as a video' }).click()
  await expect.poll(async () => (await call('listSources')).sources.length).toBe(3)
  await done()
  const source = (await call('listSources')).sources.at(-1)
  expect(source).toMatchObject({
    name: 'img_####.png',
    path: at('run', 'img_%04d.png'),
    state: 'done',
    numbered: { frameRate: { num: 10, den: 1 } },
  })
  expect((await call('frames', { params: { sourceId: source?.id ?? 0 } })).pts).toHaveLength(29)
  await page
    .getByRole('button', { name: /img_####/ })
    .first()
    .click()
  expect(await shownColour()).toBe('blue')
  await expect(page.getByText('One video over gaps: these numbers are missing: 11.')).toBeVisible()
  // Added again, the same pictures are known, both without a rate and at another rate.
  expect(await call('addSources', { body: { paths: [at('run')] } })).toMatchObject({
    added: [],
    duplicates: [{ sourceId: source?.id }],
    numbered: [],
  })
  const again = await call('addSources', { body: { paths: [at('run')], frameRate: 25 } })
  expect(again).toMatchObject({ added: [], duplicates: [{ sourceId: source?.id }], numbered: [] })
  await done()
  expect((await call('listSources')).sources.at(-1)?.probe).toMatchObject({ frameCount: 29, frameRate: { num: 25, den: 1 } })
})

test('what lies beside videos is no video, and is named in one line', async () => {
  mkdirSync(at('card'))
  ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=1', ...H264, at('card', 'clip.mp4'))
  for (const [name, text] of Object.entries({ 'clip.srt': '1\n', 'clip.xml': '<a/>\n', 'clip.json': '{}\n', 'index.ts': 'export {}\n' }))
    writeFileSync(at('card', name), text)
  await type(at('card'))
  await page.keyboard.press('Enter')
  await expect(notice('1 video added')).toBeVisible()
  await expect(notice('Not videos: 3 sidecar files.')).toContainText('clip.json, clip.srt, clip.xml')
  await expect(notice('Not a video: 1 text that is only called like one.')).toContainText('index.ts')
  await done()
  expect((await call('listSources')).sources.map(({ name }) => name)).not.toContain('index.ts')
})

test('a call with a field that is wrong is told which, and why', async () => {
  const { origin, searchParams } = new URL(app.url)
  const headers = { authorization: `Bearer ${searchParams.get('token') ?? ''}`, 'content-type': 'application/json' }
  const refused = async (body: unknown) => {
    const answer = await fetch(new URL('/api/sources', origin), { method: 'POST', headers, body: JSON.stringify(body) })
    return [answer.status, ((await answer.json()) as { problem: { message: string } }).problem.message]
  }
  expect(await refused({ paths: [at('run')], frameRate: 0 })).toEqual([400, expect.stringMatching(/^body\.frameRate: .*0\.0001/)])
  expect(await refused({ paths: [at('run')], frameRate: '25' })).toEqual([400, expect.stringMatching(/^body\.frameRate: .*number/)])
  expect(await refused({ paths: [at('run')], picture: 0 })).toEqual([400, expect.stringMatching(/^body\.picture: /)])
  expect(await refused({ paths: ['a\0b'] })).toEqual([400, expect.stringMatching(/^body\.paths\.0: .*character of number 0/)])
  const browsed = await fetch(new URL('/api/browse?path=%00', origin), { headers })
  expect(browsed.status).toBe(400)
  expect(await refused({ paths: [] })).toEqual([400, expect.stringMatching(/^body\.paths: /)])
})

test('failed entries leave the queue, one and all, and what could not be read goes to the bin', async () => {
  for (let n = 1; n <= 4; n += 1) writeFileSync(at(`broken${n}.mp4`), `no video ${n}\0`.repeat(50))
  await call('addSources', { body: { paths: [1, 2, 3, 4].map((n) => at(`broken${n}.mp4`)) } })
  await done()
  const before = (await call('listSources')).sources.length
  await goTo('Queue')
  const failed = page.getByRole('list', { name: 'Failed' }).getByRole('listitem')
  await expect(failed.filter({ hasText: /broken\d/ })).toHaveCount(4)
  await accessible()
  await shot('queue')
  await page.getByRole('button', { name: 'Remove broken1.mp4 from the queue' }).click()
  await expect(failed.filter({ hasText: 'broken1' })).toHaveCount(0)
  await expect(failed.filter({ hasText: /broken\d/ })).toHaveCount(3)
  await page.keyboard.press('Control+z')
  await expect(failed.filter({ hasText: /broken\d/ })).toHaveCount(4)
  await page.getByRole('button', { name: 'Remove all failed' }).click()
  await expect(page.getByRole('list', { name: 'Failed' })).toHaveCount(0)
  expect((await call('queue')).failed).toBe(0)
  const left = (await call('listSources')).sources
  expect(left.map(({ state }) => state)).not.toContain('failed')
  expect(left.length).toBeLessThanOrEqual(before - 4)
  expect((await call('listBin')).entries.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['broken1.mp4', 'broken2.mp4', 'broken3.mp4', 'broken4.mp4']),
  )
})

test('a folder is watched: what comes is added by itself, its annotation files are kept, and it can be ended', async () => {
  const camera = at('camera')
  mkdirSync(camera)
  await goTo('Settings')
  await page.getByRole('button', { name: 'Watch a folder…' }).click()
  const section = page.getByRole('region', { name: 'Watched folders' })
  await section.getByLabel('Path').fill(at('nowhere'))
  await section.getByRole('button', { name: 'Watch', exact: true }).click()
  await expect(section.getByRole('alert')).toContainText('There is nothing at this place.')
  await section.getByLabel('Path').fill(camera)
  await section.getByRole('button', { name: 'Watch', exact: true }).click()
  const row = section.getByRole('list', { name: 'Watched folders' }).getByRole('listitem')
  await expect(row).toContainText(camera)
  await row.getByRole('checkbox', { name: 'WebVTT' }).check()
  ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=96x64:r=10:d=1', ...H264, path.join(camera, 'came.mp4'))
  await expect(notice('New videos in the watched folder “camera”: 1')).toBeVisible({ timeout: 60_000 })
  await expect.poll(() => existsSync(path.join(camera, 'tubelet-sidecars', 'came', 'captions.vtt')), { timeout: 60_000 }).toBe(true)
  await accessible()
  await shot('watched')
  await row.getByRole('button', { name: `Stop watching ${camera}` }).click()
  await expect(row).toHaveCount(0)
  expect((await call('listWatched')).folders).toEqual([])
})

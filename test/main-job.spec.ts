/** The main job in the real window: folder in, captions, boxes and search out, corrected, kept, exported. Real clips, real pack. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { accessible, app, call, clipRows, done, page, restart, tubelet, violations } from './app.ts'
import { clip } from './clips.ts'

tubelet()

const add = async (name: string) => {
  await page.keyboard.press('Control+o')
  await page.getByLabel('Path').fill(clip(name))
  await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click()
  // What is typed is looked at first; the dialog closes when it is taken.
  await expect(page.getByRole('dialog')).toBeHidden()
}

test('an empty library says what to do, and that nothing leaves the computer', async () => {
  await expect(page.getByRole('heading', { name: 'Add videos or folders' })).toBeVisible()
  await expect(page.getByText('Nothing leaves this computer').first()).toBeVisible()
  await expect(page.getByText(/^Ready on/).first()).toBeVisible({ timeout: 60_000 })
  expect((await call('status')).engine.state).toBe('ready')
  expect(await violations()).toEqual([])
})

test('the sample clip can be tried at once', async () => {
  await page.getByRole('button', { name: 'Try the sample clip' }).click()
  await done()
  await expect(clipRows()).toHaveCount(4)
  for (const nth of [0, 1, 2]) {
    await page.keyboard.press('ArrowDown')
    await expect(clipRows().nth(nth)).toHaveAttribute('aria-current', 'true')
  }
  await page.getByLabel('Question about this clip').fill('is there a person?')
  await page.getByRole('button', { name: 'Ask every clip' }).click()
  await clipRows().nth(3).click()
  await expect(page.getByRole('article').filter({ hasText: 'is there a person?' })).toBeVisible()
  await page.getByRole('button', { name: 'Remove from library' }).click()
  await page.getByRole('button', { name: 'Remove', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'Add videos or folders' })).toBeVisible()
})

test('a file that is added shows its facts, its clips and a caption for each', async () => {
  await add('d03_bottles.mp4')
  await expect.poll(() => clipRows().count(), { timeout: 60_000 }).toBeGreaterThan(1)
  await done()
  const rows = await clipRows().allTextContents()
  expect(rows.length).toBeGreaterThan(1)
  for (const row of rows) expect(row).toMatch(/[a-z].*\d:\d\d\.\d–\d:\d\d\.\d/)
})

test('each unreadable file gets its own message and does not stop the others', async () => {
  await add('b01_zero_length.mp4')
  await add('b05_audio_only_15s.mp4')
  await add('b02_truncated.mp4')
  await expect(page.getByRole('button', { name: /b02_truncated\.mp4.*Damaged/ })).toBeVisible({ timeout: 90_000 })
  await done()
  await page.getByRole('button', { name: /b01_zero_length/ }).click()
  await expect(page.getByRole('alert').getByRole('heading')).toHaveText('This file is empty (0 bytes).')
  await page.getByRole('button', { name: /b05_audio_only/ }).click()
  await expect(page.getByRole('alert')).toContainText(/no video|sound/i)
  await page.getByRole('button', { name: /b02_truncated/ }).click()
  await expect(page.getByRole('alert').getByRole('heading')).toHaveText('Damaged: 113 of 292 frames could be read.')
})

test('a chosen clip plays, and steps exactly one frame', async () => {
  await clipRows().first().click()
  await expect(page.locator('video')).toHaveJSProperty('readyState', 4, { timeout: 30_000 })
  const time = page.getByRole('timer')
  await expect(time).toContainText('frame 0')
  await page.keyboard.press('.')
  await expect(time).toContainText('frame 1')
  await page.keyboard.press('.')
  await expect(time).toContainText('frame 2')
  await page.keyboard.press(',')
  await expect(time).toContainText('frame 1')
  await page.keyboard.press('Space')
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible()
  await expect.poll(() => page.locator('video').evaluate((video: HTMLVideoElement) => video.currentTime)).toBeGreaterThan(0.3)
  await page.keyboard.press('Space')
})

test('a question is answered in the window and kept with its evidence', async () => {
  await page.getByLabel('Question about this clip').fill('how many bottles are there?')
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  const answer = page.getByRole('article').filter({ hasText: 'how many bottles are there?' })
  await expect(answer).toBeVisible()
  await expect(answer).toContainText('from what was seen')
  await answer
    .getByRole('button', { name: /^\d+\.\d\d s$/ })
    .first()
    .click()
})

test('a corrected caption is kept, undone, redone, and survives kill -9', async () => {
  const caption = page.getByRole('article').first()
  const before = await caption.locator('.said').textContent()
  await page.getByRole('button', { name: 'Edit caption' }).click()
  await page.getByLabel('Caption', { exact: true }).fill('three bottles stand on a shelf')
  await page.keyboard.press('Enter')
  await expect(caption.locator('.said')).toHaveText('three bottles stand on a shelf')
  await expect(caption).toContainText('What was seen said')
  await page.keyboard.press('Control+z')
  await expect(caption.locator('.said')).toHaveText(before ?? '')
  await page.keyboard.press('Control+Shift+Z')
  await expect(caption.locator('.said')).toHaveText('three bottles stand on a shelf')

  await restart('SIGKILL')
  await expect(clipRows().first()).toContainText('three bottles stand on a shelf')
  await clipRows().first().click()
  await page.keyboard.press('Control+z')
  await expect(page.getByRole('article').first().locator('.said')).toHaveText(before ?? '')
  await page.keyboard.press('Control+Shift+Z')
  await expect(page.getByRole('article').first().locator('.said')).toHaveText('three bottles stand on a shelf')
})

test('a box can be added, follows time, is dragged, and a new run leaves it alone', async () => {
  const clipId = Number(await clipRows().first().getAttribute('data-clip'))
  const {
    clip: { sourceId },
  } = await call('getClip', { params: { clipId } })
  const { pts } = await call('frames', { params: { sourceId } })
  const key = (ordinal: number) => ({ ordinal, pts: pts[ordinal] ?? 0 })
  await call('addAnnotation', {
    params: { clipId },
    body: {
      body: {
        kind: 'track',
        label: 'parcel',
        boxes: [
          { ...key(0), box: { x1: 100, y1: 100, x2: 200, y2: 300 }, score: null },
          { ...key(200), box: { x1: 200, y1: 100, x2: 300, y2: 300 }, score: null },
        ],
      },
    },
  })
  const rect = page.getByRole('button', { name: 'parcel, box' }).locator('rect')
  await expect(rect).toHaveAttribute('x', /^10\d/)
  for (let press = 0; press < 5; press += 1) await page.keyboard.press('Shift+ArrowRight')
  await expect.poll(async () => Number(await rect.getAttribute('x'))).toBeGreaterThan(140)

  const box = await rect.boundingBox()
  if (!box) throw new Error('the box is not on the screen')
  const x = Number(await rect.getAttribute('x'))
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width / 2 + 40, box.y + box.height / 2, { steps: 4 })
  await page.mouse.up()
  await expect.poll(async () => Number(await rect.getAttribute('x'))).toBeGreaterThan(x + 20)

  await page.getByLabel('Add a label').fill('bottle')
  await page.keyboard.press('Enter')
  await done()
  await expect(page.getByRole('button', { name: 'parcel, box' })).toBeVisible()
})

test('a search finds clips, or says plainly that there are none', async () => {
  await page.keyboard.press('Control+f')
  await page.keyboard.type('bottles on a shelf')
  await page.keyboard.press('Enter')
  const results = page.getByRole('navigation', { name: 'Search results' })
  await expect(results.getByRole('status')).toContainText(/\d clips? match(es)? “bottles on a shelf”|No clip matches “bottles on a shelf”/)
  await expect(results.locator('[data-clip]').first()).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('navigation', { name: 'Library' })).toBeVisible()
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: /shortcuts/i })).toBeVisible()
  await page.keyboard.press('Escape')
})

test('an export writes every format where it was asked to', async () => {
  const out = path.join(app.projectDir, 'out')
  await page.keyboard.press('Control+e')
  const dialog = page.getByRole('dialog', { name: 'Export' })
  const { sources } = await call('listSources')
  const unread = sources.filter(({ probe }) => probe === null).length
  expect(unread).toBeGreaterThan(0)
  await expect(dialog.getByRole('radio', { name: `All (${sources.length - unread})` })).toBeChecked()
  await expect(dialog).toContainText(`${unread} ${unread === 1 ? 'video has' : 'videos have'} nothing to write`)
  for (const name of ['CVAT video 1.1', 'SRT', 'CSV']) await dialog.getByRole('checkbox', { name: new RegExp(`^${name}`) }).check()
  await expect(dialog.getByRole('row', { name: /^WebVTT/ }).getByRole('img', { name: 'cannot hold them' })).toHaveCount(4)
  await expect(dialog).toContainText(/Captions stay behind \([1-9]\d*\): COCO, CVAT video 1\.1 cannot hold them\./)
  await dialog.getByRole('button', { name: 'Export', exact: true }).click()
  await expect(page.getByRole('dialog', { name: 'Exported' })).toContainText('instances.json')
  const directory = (await page.getByRole('dialog').locator('.mono').first().textContent()) ?? out
  const coco = JSON.parse(readFileSync(path.join(directory, 'instances.json'), 'utf8')) as {
    annotations: unknown[]
    categories: { name: string }[]
  }
  expect(coco.categories.map(({ name }) => name)).toContain('bottle')
  expect(coco.annotations.length).toBeGreaterThan(1)
  for (const file of ['captions.vtt', 'captions.srt', 'frames.csv', 'boxes.csv'])
    expect(existsSync(path.join(directory, 'd03_bottles', file))).toBe(true)
  expect(readFileSync(path.join(directory, 'd03_bottles', 'captions.vtt'), 'utf8')).toContain('three bottles stand on a shelf')
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download as zip' }).click()
  expect((await download).suggestedFilename()).toMatch(/\.zip$/)
  await page.keyboard.press('Escape')
})

test('a report is printed from the dialog, as its own page', async () => {
  // Without a screen nothing is printed: the frame that would be says what it holds.
  await page.addInitScript(() => {
    window.print = () => window.parent.document.body.setAttribute('data-printed', document.querySelector('h1')?.textContent ?? '')
  })
  await page.keyboard.press('Control+e')
  const dialog = page.getByRole('dialog', { name: 'Export' })
  const chosen = dialog.getByRole('checkbox', { checked: true })
  // Each that is cleared is one less of them.
  for (let left = await chosen.count(); left > 0; left -= 1) await chosen.first().uncheck()
  await dialog.getByRole('checkbox', { name: /^Report/ }).check()
  await dialog.getByRole('button', { name: 'Export', exact: true }).click()
  await page.getByRole('dialog', { name: 'Exported' }).getByRole('button', { name: 'Print, or save as PDF…' }).click({ timeout: 60_000 })
  await expect(page.locator('body')).toHaveAttribute('data-printed', /^Report: /)
  await page.keyboard.press('Escape')
})

test('the window is accessible in both themes', async () => {
  await accessible()
})

test('a request without the key, or from another site, is refused', async ({ request }) => {
  const { origin } = new URL(app.url)
  expect((await request.get(`${origin}/api/status`)).status()).toBe(403)
  const token = new URL(app.url).searchParams.get('token') ?? ''
  expect((await request.get(`${origin}/api/status`, { headers: { authorization: `Bearer ${token}` } })).status()).toBe(200)
  expect(
    (await request.get(`${origin}/api/status`, { headers: { authorization: `Bearer ${token}`, origin: 'http://example.com' } })).status(),
  ).toBe(403)
})

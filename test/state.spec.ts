/** State survives restarts and crashes: the queue's order and pause, work interrupted by a kill, and steps of undo. */
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { app, call, goTo, page, restart, tubelet } from './app.ts'
import { clip } from './clips.ts'

tubelet()

const queue = () => call('queue')
const sources = async () => (await call('listSources')).sources
const waiting = () => page.getByRole('list', { name: 'Waiting' }).getByRole('listitem')

test('a paused queue begins nothing, is put in order by key and by mouse, and stays so over a kill', async () => {
  await call('pauseQueue')
  await call('addSources', {
    body: { paths: ['d11_room_dog_rot180_vfr.mp4', 'd06_sign_book.mkv', 'd03_bottles.mp4', 'b01_zero_length.mp4'].map(clip) },
  })
  await goTo('Queue')
  await expect(waiting()).toHaveCount(4)
  await page.getByRole('button', { name: 'Move d03_bottles.mp4' }).press('Home')
  await expect(waiting().first()).toContainText('d03_bottles.mp4')
  await page.getByRole('button', { name: 'Move d03_bottles.mp4' }).press('ArrowDown')
  await expect(waiting().nth(1)).toContainText('d03_bottles.mp4')
  // The same with the mouse: drag it to the place of another one.
  await waiting().filter({ hasText: 'd06_sign_book.mkv' }).dragTo(waiting().first())
  await expect(waiting().first()).toContainText('d06_sign_book.mkv')
  await expect(page.locator('.app')).toHaveAttribute('data-dragging', 'false')
  await expect.poll(async () => (await queue()).jobs[0]?.title).toBe('d06_sign_book.mkv')
  await page.getByRole('button', { name: 'Do d03_bottles.mp4 first' }).click()
  await expect.poll(async () => (await queue()).jobs[0]?.title).toBe('d03_bottles.mp4')
  await restart('SIGKILL')
  await goTo('Queue')
  await expect(page.getByRole('main').getByRole('status').filter({ hasText: 'Paused' })).toBeVisible()
  await expect(waiting().first()).toContainText('d03_bottles.mp4')
  expect((await queue()).running).toBe(0)
})

test('after kill -9 the queue goes on, and nothing is done twice', async () => {
  await page.getByRole('button', { name: 'Resume' }).click()
  // A part of the first video is stored.
  await expect
    .poll(async () => (await sources()).reduce((sum, { encodedCount }) => sum + encodedCount, 0), { timeout: 60_000, intervals: [50] })
    .toBeGreaterThan(0)
  const before = (await sources()).reduce((sum, { encodedCount }) => sum + encodedCount, 0)
  await restart('SIGKILL')
  expect((await sources()).reduce((sum, { encodedCount }) => sum + encodedCount, 0)).toBeGreaterThanOrEqual(before)
  await expect.poll(async () => ((now) => now.running + now.waiting)(await queue()), { timeout: 120_000 }).toBe(0)
  const done = await sources()
  expect(
    done
      .filter(({ state }) => state === 'done')
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['d03_bottles.mp4', 'd06_sign_book.mkv', 'd11_room_dog_rot180_vfr.mp4'])
  for (const { encodedCount, clipCount } of done) expect(encodedCount).toBe(clipCount)
  expect((await queue()).jobs.filter(({ kind }) => kind === 'analyse')).toHaveLength(4)
  for (const { id } of (await call('listClips')).clips) {
    const { annotations } = await call('getClip', { params: { clipId: id } })
    expect(annotations.filter(({ body }) => body.kind === 'caption')).toHaveLength(1)
  }
})

test('what failed says why and can be tried again', async () => {
  await goTo('Queue')
  const failed = page.getByRole('list', { name: 'Failed' }).getByRole('listitem')
  await expect(failed).toContainText('This file is empty (0 bytes).')
  const ended = (await queue()).jobs.length
  await expect(page.getByRole('main').getByRole('status').filter({ hasText: 'Nothing runs or waits; 1 failed' })).toBeVisible()
  await expect(page.getByText('Everything is done.')).toHaveCount(0)
  // It is visible on every page, and one click leads here.
  await goTo('Review')
  const ofQueue = page.getByRole('contentinfo').getByRole('button', { name: 'Show the queue' })
  await expect(ofQueue).toHaveText('Nothing runs or waits; 1 failed')
  await ofQueue.click()
  await expect(page.getByRole('button', { name: 'Retry all failed' })).toBeVisible()
  await failed.getByRole('button', { name: 'Retry b01_zero_length.mp4' }).click()
  await expect(failed).toContainText('This file is empty (0 bytes).')
  expect((await queue()).jobs).toHaveLength(ended)
})

test('a user of another window is notified when a batch ends, and of failures', async () => {
  await page.context().grantPermissions(['notifications'])
  // The browser's own notifications, recorded as they are shown: a page cannot list them.
  await page.evaluate(() => {
    const shown: string[] = []
    Object.assign(globalThis, {
      shown,
      Notification: class extends Notification {
        constructor(title: string, options?: NotificationOptions) {
          super(title, options)
          shown.push(`${title}: ${options?.body ?? ''}`)
        }
      },
    })
  })
  const shown = () => page.evaluate(() => (globalThis as unknown as { shown: string[] }).shown)
  await goTo('Settings')
  const wanted = page.getByRole('checkbox', { name: /^Tell me when a batch ends/ })
  // It is on when the browser has allowed it.
  await wanted.click()
  await expect(wanted).toBeChecked()
  const driver = await page.context().newCDPSession(page)
  await driver.send('Emulation.setFocusEmulationEnabled', { enabled: false })
  const other = await page.context().newPage()
  await other.bringToFront()
  await expect.poll(() => page.evaluate(() => document.hasFocus())).toBe(false)
  await call('retryFailed')
  await expect.poll(shown).toEqual(['Analysis finished: 1 could not be read'])
  const [finished] = (await sources()).filter(({ state }) => state === 'done')
  await call('retrySource', { params: { sourceId: finished?.id ?? 0 } })
  await expect.poll(shown).toHaveLength(2)
  expect((await shown())[1]).toBe('Analysis finished: 1 video done')
  await other.close()
  await driver.send('Emulation.setFocusEmulationEnabled', { enabled: true })
  // No notification while the window is in front. When a second listener has received the event, the window has too.
  await page.evaluate(async () => {
    const events = new EventSource('/api/events')
    await new Promise((resolve) => (events.onopen = resolve))
    const ended = new Promise<void>((resolve) => {
      events.onmessage = ({ data }) => {
        if (!String(data).includes('batch-done')) return
        events.close()
        resolve()
      }
    })
    Object.assign(globalThis, { ended })
  })
  await call('retryFailed')
  await page.evaluate(() => (globalThis as unknown as { ended: Promise<void> }).ended)
  expect(await shown()).toHaveLength(2)
})

test('many edits at once are one step, which is undone whole, after a restart too, and gone back to by the history', async () => {
  const { clips: listed } = await call('listClips')
  const captions = await Promise.all(
    listed.map(
      async ({ id }) =>
        (await call('getClip', { params: { clipId: id } })).annotations.find(({ body }) => body.kind === 'caption')?.id ?? 0,
    ),
  )
  await call('edit', { body: { edits: captions.map((annotationId) => ({ action: 'accept', annotationId })) } })
  const states = async () => new Set((await call('listClips')).clips.map(({ captionState }) => captionState))
  expect(await states()).toEqual(new Set(['accepted']))
  await restart('SIGKILL')
  await goTo('Review')
  await page.locator('[data-clip]').first().click()
  await page.getByRole('button', { name: 'History' }).click()
  const dialog = page.getByRole('dialog', { name: 'History' })
  await expect(dialog.locator('li[data-who=person]')).toContainText('Caption accepted')
  await expect(dialog.locator('li[data-who=model]').filter({ hasText: 'Caption' })).toContainText('from what was seen')
  await dialog.getByRole('button', { name: 'All edits' }).click()
  await expect(dialog.getByRole('button', { name: `Caption accepted × ${captions.length}` })).toHaveAttribute('aria-current', 'step')
  await dialog.getByRole('button', { name: 'Before all edits' }).click()
  await expect.poll(states).toEqual(new Set(['machine']))
  await dialog.getByRole('button', { name: /^Caption accepted/ }).click()
  await expect.poll(states).toEqual(new Set(['accepted']))
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+z')
  await expect.poll(states).toEqual(new Set(['machine']))
})

test('after another library was open, the first one is as it was left', async () => {
  await goTo('Settings')
  await page.getByRole('button', { name: 'Open or begin another library…' }).click()
  const second = path.join(app.projectDir, 'second')
  await page.getByLabel('Path', { exact: true }).fill(clip(''))
  await page.getByRole('button', { name: 'Open as library' }).click()
  await expect(page.getByRole('alert')).toContainText('This folder holds other files and no Tubelet library.')
  await page.getByLabel('Path', { exact: true }).fill(second)
  await page.getByRole('button', { name: 'Open as library' }).click()
  await expect(page.getByRole('heading', { name: 'Add videos or folders' })).toBeVisible({ timeout: 60_000 })
  expect(await sources()).toEqual([])
  await call('openProject', { body: { path: app.projectDir } })
  await page.reload()
  expect((await sources()).length).toBe(4)
})

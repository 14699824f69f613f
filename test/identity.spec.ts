/** Videos are known by their content, wherever their file is: replaced, moved, rotated, growing files in the real window; the bin; undo with two windows. */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { spawn, spawnSync } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import { app, call, done, goTo, page, tubelet } from './app.ts'

tubelet()
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-identity-'))
const at = (name: string) => path.join(folder, name)
const film = (name: string, picture: string, ...more: string[]) => {
  mkdirSync(path.dirname(at(name)), { recursive: true })
  const { status, stderr } = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-y', '-f', 'lavfi', '-i', picture, '-pix_fmt', 'yuv420p', ...more, at(name)],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(stderr)
}
test.afterAll(() => rmSync(folder, { recursive: true, force: true }))

const sources = async () => (await call('listSources')).sources
const named = async (name: string) => {
  const source = (await sources()).find((one) => one.name === name)
  if (!source) throw new Error(`no ${name}`)
  return source
}
const add = async (...paths: string[]) => {
  const answer = await call('addSources', { body: { paths: paths.map(at) } })
  await done()
  return answer
}
const captionOf = async (sourceId: number) => {
  const { clips } = await call('listClips', { query: { sourceId } })
  return clips[0]?.caption
}
const edit = async (sourceId: number, text: string) => {
  const { clips } = await call('listClips', { query: { sourceId } })
  const { annotations } = await call('getClip', { params: { clipId: clips[0]?.id ?? 0 } })
  const caption = annotations.find(({ body }) => body.kind === 'caption')
  await call('reviewAnnotation', { params: { annotationId: caption?.id ?? 0 }, body: { action: 'edit', body: { kind: 'caption', text } } })
}
const row = (name: string) => page.locator('.source-row').filter({ hasText: name })
const notice = (text: string | RegExp, where: Page = page) =>
  where.getByRole('region', { name: 'Notifications' }).getByRole('listitem').filter({ hasText: text })

test('a file that is replaced is told of, with a choice, and what was decided stays with its pictures', async () => {
  film('clip.mp4', 'testsrc2=s=320x240:r=25:d=2')
  await add('clip.mp4')
  const { id } = await named('clip.mp4')
  await edit(id, 'about the first pictures')
  film('clip.mp4', 'smptehdbars=s=640x360:r=25:d=2')
  await row('clip.mp4').click()
  const card = page.getByRole('alert').filter({ hasText: 'Another video lies in the place of this one' })
  await expect(card).toContainText('What was decided here stays with the pictures')
  // On the clock of whoever looks.
  await expect(card).toContainText(/since \w+ \d+, 20\d\d, \d+:\d\d/)
  await expect(card).not.toContainText('UTC')
  await expect(row('clip.mp4')).toContainText('File replaced')
  // Neither played, nor analysed, nor copied under the old entry.
  await expect(call('retrySource', { params: { sourceId: id } })).rejects.toThrow('file-replaced')
  await card.getByRole('button', { name: 'Add as a new video' }).click()
  await expect(row('clip.mp4')).toHaveCount(2)
  await done()
  const [old, fresh] = await sources()
  expect(old).toMatchObject({ id, file: 'replaced', probe: { width: 320 } })
  expect(fresh).toMatchObject({ file: 'there', probe: { width: 640 }, reviewedCount: 0 })
  expect(await captionOf(id)).toBe('about the first pictures')
  await expect(card).toContainText('That one has an entry of its own')
  if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/replaced.png` })
})

test('that a file was made anew is believed; of another length or shape it is asked once more', async () => {
  film('anew.mp4', 'testsrc2=s=320x240:r=25:d=2')
  await add('anew.mp4')
  const { id } = await named('anew.mp4')
  const again = async (picture: string) => {
    film('anew.mp4', picture)
    await row('clip.mp4').first().click()
    await row('anew.mp4').click()
    const card = page.getByRole('alert').filter({ hasText: 'Another video lies in the place of this one' })
    await card.getByRole('button', { name: 'It is the same video' }).click()
  }
  await again('testsrc2=s=640x480:r=25:d=2,negate')
  await expect(notice('It is analysed again; what was decided stays.')).toBeVisible()
  await done()
  expect(await named('anew.mp4')).toMatchObject({ id, file: 'there', probe: { width: 640 } })
  await again('smptehdbars=s=640x360:r=25:d=4')
  const asked = page.getByRole('dialog', { name: 'Is it the same video?' })
  await expect(asked).toContainText('What was analysed is 640×480, 2.0 s; what lies there now is 640×360, 4.0 s.')
  await page.keyboard.press('Escape')
  expect(await named('anew.mp4')).toMatchObject({ id, file: 'replaced', probe: { width: 640, height: 480 } })
  await page.getByRole('alert').getByRole('button', { name: 'It is the same video' }).click()
  await asked.getByRole('button', { name: 'It is the same video' }).click()
  // It is queued a moment after the click.
  await expect.poll(() => named('anew.mp4'), { timeout: 60_000 }).toMatchObject({ id, file: 'there', probe: { width: 640, height: 360 } })
  await done()
})

test('a recorder that rolls its files, and a folder that moves', async () => {
  film('camera/cam.mp4', 'testsrc=s=320x240:r=30:d=2')
  await add('camera')
  const { id } = await named('cam.mp4')
  await edit(id, 'of the first recording')
  renameSync(at('camera/cam.mp4'), at('camera/cam.1.mp4'))
  film('camera/cam.mp4', 'rgbtestsrc=s=320x240:r=30:d=2')
  // Nothing is added: opening the video shows its own pictures. Its file may have been found already, since it is new.
  await page
    .locator('.source-row')
    .filter({ hasText: /cam(\.1)?\.mp4/ })
    .click()
  await expect(notice('cam.mp4 was found again as cam.1.mp4, by its content.')).toBeVisible()
  await expect(row('cam.1.mp4')).toBeVisible()
  expect((await add('camera')).added.map(({ name }) => name)).toEqual(['cam.mp4'])
  renameSync(at('camera'), at('archive'))
  await row('clip.mp4').first().click()
  await row('cam.1.mp4').click()
  const card = page.getByRole('alert').filter({ hasText: 'The video is not where it was.' })
  await expect(card).toContainText('it is recognised by its content')
  // Its last place is visible, not collapsed.
  await expect(card.getByText(at('camera/cam.1.mp4'))).toBeVisible()
  await expect(page.getByText('No preview copy')).toHaveCount(0)
  const { moved } = await add('archive')
  expect(moved.map(({ from, path: to }) => [path.relative(folder, from), path.relative(folder, to)])).toEqual([
    ['camera/cam.1.mp4', 'archive/cam.1.mp4'],
    ['camera/cam.mp4', 'archive/cam.mp4'],
  ])
  await expect(card).toHaveCount(0)
  expect(await captionOf(id)).toBe('of the first recording')
})

test('a recording waits until it rests, whatever its container', async () => {
  test.setTimeout(120_000)
  mkdirSync(at('recorder'))
  const record = (name: string, ...how: string[]) =>
    new Promise((resolve) =>
      spawn('ffmpeg', [
        '-v',
        'error',
        '-re',
        '-f',
        'lavfi',
        '-i',
        'testsrc2=s=160x120:r=25',
        '-t',
        '7',
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-g',
        '25',
        ...how,
        at(`recorder/${name}`),
      ]).on('exit', resolve),
    )
  const ended = [record('rec.mkv', '-flush_packets', '1'), record('rec.mp4', '-movflags', 'frag_keyframe+empty_moov')]
  await expect
    .poll(async () => (await call('addSources', { body: { paths: [at('recorder')] } })).duplicates.length, {
      timeout: 10_000,
      intervals: [1_000],
    })
    .toBe(2)
  await expect(row('rec.mkv')).toContainText('Being written')
  await Promise.all(ended)
  await expect(async () => {
    for (const name of ['rec.mkv', 'rec.mp4']) {
      const { id, state } = await named(name)
      expect([name, state, (await call('frames', { params: { sourceId: id } })).pts.length]).toEqual([name, 'done', 175])
    }
  }).toPass({ timeout: 60_000 })
  expect((await sources()).filter(({ name }) => name.startsWith('rec.'))).toHaveLength(2)
})

test('a removed video comes back by undo, from the bin, and by adding its file', async () => {
  const { id } = await named('cam.1.mp4')
  const remove = async () => {
    await row('cam.1.mp4').click()
    await page.getByRole('button', { name: 'Remove from library' }).click()
    await page.getByRole('button', { name: 'Remove', exact: true }).click()
    await expect(row('cam.1.mp4')).toHaveCount(0)
  }
  await goTo('Review')
  await remove()
  await expect(notice('“cam.1.mp4” lies in the bin for 30 days')).toBeVisible()
  await page.keyboard.press('Control+z')
  await expect(row('cam.1.mp4')).toBeVisible()
  await expect(notice('Undone: Video removed · cam.1.mp4')).toBeVisible()
  await remove()
  await goTo('Settings')
  await expect(page.getByRole('list', { name: 'Removed videos' })).toContainText('cam.1.mp4')
  if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/bin.png` })
  await page.getByRole('button', { name: 'Restore cam.1.mp4' }).click()
  await expect(notice('cam.1.mp4 is in the library again')).toBeVisible()
  await goTo('Review')
  await remove()
  expect((await add('archive/cam.1.mp4')).restored.map(({ sourceId }) => sourceId)).toEqual([id])
  expect(await captionOf(id)).toBe('of the first recording')
  await remove()
  await goTo('Settings')
  await page.getByRole('button', { name: 'Empty the bin' }).click()
  await page.getByRole('button', { name: 'Forget for good' }).click()
  await expect(page.getByText('Empty. A video that is removed lies here')).toBeVisible()
  await goTo('Review')
})

test('two windows: each takes back its own, and never the other’s without saying so', async ({ browser }) => {
  const other = await (await browser.newContext({ locale: 'en-US', reducedMotion: 'reduce' })).newPage()
  try {
    await other.goto(app.url)
    const clip = (window: Page, source: string) => window.locator('[data-clip]').nth({ 'rec.mkv': -2, 'rec.mp4': -1 }[source] ?? 0)
    await page.reload()
    // The list loads video by video; its last row is the last clip only when all are loaded.
    const { total } = await call('listClips')
    for (const window of [page, other]) await expect(window.locator('[data-clip]')).toHaveCount(total)
    await clip(page, 'rec.mkv').click()
    await expect(page.getByRole('article').first()).toBeVisible()
    await page.keyboard.press('a')
    await expect(clip(page, 'rec.mkv')).toContainText('accepted')
    await expect(clip(other, 'rec.mkv')).toContainText('accepted')
    // That window has no step of its own: it does not undo what was done here, but says so.
    await other.keyboard.press('Control+z')
    await expect(notice(/Nothing was done in this window .* Caption accepted/, other)).toBeVisible()
    await expect(clip(other, 'rec.mkv')).toContainText('accepted')
    await clip(other, 'rec.mp4').click()
    await expect(other.getByRole('article').first()).toBeVisible()
    await other.keyboard.press('x')
    await expect(clip(page, 'rec.mp4')).toContainText('rejected')
    await page.keyboard.press('Control+z')
    await expect(clip(page, 'rec.mkv')).not.toContainText('accepted')
    await expect(clip(page, 'rec.mp4')).toContainText('rejected')
    await other.keyboard.press('Control+z')
    await expect(clip(other, 'rec.mp4')).not.toContainText('rejected')
  } finally {
    await other.context().close()
  }
})

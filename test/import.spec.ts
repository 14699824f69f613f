/** Annotation files that are dropped on the window: looked at on a picture, taken in, and taken back. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type CDPSession, expect, test } from '@playwright/test'
import { clip } from './clips.ts'
import { accessible, call, dropFiles, page, tubelet } from './app.ts'

tubelet('d09_dashcam_short.mp4')
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-import-'))
let devtools: CDPSession
test.beforeAll(async () => {
  devtools = await page.context().newCDPSession(page)
})
test.afterAll(() => rmSync(folder, { recursive: true, force: true }))

const dialog = () => page.getByRole('dialog', { name: 'Import annotations' })
const file = (name: string, text: string) => {
  const at = path.join(folder, name)
  writeFileSync(at, text)
  return at
}
const drop = (...files: string[]) => dropFiles(page, devtools, files)
const source = async () => {
  const [first] = (await call('listSources')).sources
  if (!first?.probe) throw new Error('no video')
  return { ...first, probe: first.probe }
}
const imported = async () =>
  (await Promise.all((await call('listClips')).clips.map(({ id }) => call('getClip', { params: { clipId: id } }))))
    .flatMap(({ annotations }) => annotations)
    .filter(({ origin }) => origin !== undefined)

test('a COCO file of another tool is shown on the picture before it is imported, and one undo takes it back', async () => {
  const { probe } = await source()
  const coco = {
    images: [3, 4, 5].map((n) => ({
      id: n,
      file_name: `d09_dashcam_short/${String(n).padStart(6, '0')}.jpg`,
      width: probe.width,
      height: probe.height,
    })),
    annotations: [3, 4, 5, 6].map((n) => ({ id: n, image_id: n, category_id: 1, track_id: 8, bbox: [20 + n, 30, 100, 80] })),
    categories: [{ id: 1, name: 'lorry of mine' }],
  }
  await drop(file('theirs.json', JSON.stringify(coco)))
  await expect(dialog()).toBeVisible()
  await expect(dialog().getByText('1 track, 3 boxes')).toBeVisible()
  await expect(dialog().getByText('the same name, without its ending')).toBeVisible()
  await expect(dialog().getByText('Frame 3 (from 0)')).toBeVisible()
  // As the file counts from 1, everything is a frame earlier.
  await dialog().getByLabel('The first frame is').selectOption('1')
  await expect(dialog().getByText('Frame 2 (from 0)')).toBeVisible()
  const picture = dialog().getByRole('img')
  await expect.poll(() => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(0)
  await expect(dialog().locator('.import-look rect')).toHaveAttribute('x', '23')
  await dialog().getByText('1 thing cannot be imported').click()
  await expect(dialog().getByText('There is no image 6 in the file.')).toBeVisible()
  await accessible()
  await dialog().getByRole('button', { name: 'Import', exact: true }).click()
  await expect(dialog()).toBeHidden()
  await expect(page.getByText('1 track imported.')).toBeVisible()
  const [track, ...others] = await imported()
  expect(others).toEqual([])
  expect(track).toMatchObject({ state: 'edited', body: { label: 'lorry of mine' }, origin: { file: 'theirs.json', format: 'COCO' } })
  expect(track?.body.kind === 'track' && track.body.boxes.map(({ ordinal }) => ordinal)).toEqual([2, 3, 4])
  expect((await call('getLabels')).labels.map(({ name }) => name)).toContain('lorry of mine')
  await page.keyboard.press('Control+z')
  await expect.poll(imported).toEqual([])
  expect((await call('getLabels')).labels.map(({ name }) => name)).not.toContain('lorry of mine')
})

test('subtitles say where they come from, and are not added twice', async () => {
  const subtitles = file('d09_dashcam_short.de.srt', '1\r\n00:00:00,200 --> 00:00:00,900\r\nEin Wagen biegt ab\r\n')
  for (const told of ['1 text imported.', '1 were here already.']) {
    await drop(subtitles)
    await expect(dialog().getByText('Ein Wagen biegt ab')).toBeVisible()
    await dialog().getByRole('button', { name: 'Import', exact: true }).click()
    await expect(page.getByText(told).last()).toBeVisible()
    await expect(dialog()).toBeHidden()
  }
  expect((await imported()).map(({ body }) => ('text' in body ? body.text : body.kind))).toEqual(['Ein Wagen biegt ab'])
  await page.getByRole('navigation').locator('[data-clip]').first().click()
  await expect(page.getByText('from d09_dashcam_short.de.srt')).toBeVisible()
})

test('what Tubelet exported comes back as it was', async () => {
  const { files } = await call('export', { body: { formats: ['jsonl'], by: 'people' } })
  const jsonl = files.find(({ path: one }) => one.endsWith('.jsonl'))?.path ?? ''
  expect(readFileSync(jsonl, 'utf8')).toContain('Ein Wagen biegt ab')
  expect(readdirSync(path.dirname(jsonl))).toContain('frames.csv')
  await drop(jsonl)
  await expect(dialog().getByText('the same file by its content')).toBeVisible()
  await dialog().getByRole('button', { name: 'Import', exact: true }).click()
  await expect(page.getByText('Nothing new was imported.').last()).toBeVisible()
  await expect(dialog()).toBeHidden()
})

test('a file that cannot be read says why, and nothing is imported', async () => {
  await drop(file('broken.json', '{"images": [{"id": 1'))
  await expect(dialog().getByText('The JSON ends before its end: it may be cut off.')).toBeVisible()
  await expect(dialog().getByRole('button', { name: 'Import', exact: true })).toHaveCount(0)
  await dialog().getByRole('button', { name: 'Close' }).last().click()
  await expect(dialog()).toBeHidden()
})

test('annotation files that are dropped with a video wait until its frames are known', async () => {
  const video = path.join(folder, 'later.mp4')
  copyFileSync(clip('t01_timer.mp4'), video)
  const [first, second] = [
    file('later.srt', '1\n00:00:00,000 --> 00:00:00,400\nfirst\n'),
    file('later.vtt', 'WEBVTT\n\n00:00.400 --> 00:00.800\nsecond\n'),
  ]
  await drop(video, first, second)
  const adding = page.getByRole('dialog', { name: 'Add videos' })
  await expect(adding).toContainText('After that these are read: later.srt, later.vtt.')
  await adding.getByLabel('Path').fill(video)
  await adding.getByRole('button', { name: 'Add', exact: true }).click()
  // All in one dialog, and one step.
  for (const name of ['later.srt', 'later.vtt']) await expect(dialog().getByText(name)).toBeVisible({ timeout: 60_000 })
  await expect(dialog().getByText('the annotation file is called like it, or lies in a folder that is')).toHaveCount(2)
  await dialog().getByRole('button', { name: 'Import', exact: true }).click()
  await expect(dialog()).toBeHidden()
  expect(
    (await imported())
      .map(({ body }) => ('text' in body ? body.text : ''))
      .sort()
      .slice(-2),
  ).toEqual(['first', 'second'])
})

test('annotation files that were dropped with a video that is not added are read all the same', async () => {
  await drop(clip('t01_timer.mp4'), file('alone.srt', '1\n00:00:00,000 --> 00:00:00,400\nalone\n'))
  await page.keyboard.press('Escape')
  await expect(dialog().getByText('alone.srt')).toBeVisible()
  await page.keyboard.press('Escape')
})

test('a newcomer finds the import by the palette, and the dialog says what becomes of a typed annotation file', async () => {
  const subtitles = file('anything.srt', '1\n00:00:00,000 --> 00:00:00,400\nwho said this\n')
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'An action, a page, a video or a clip' }).fill('import')
  await page.getByRole('option', { name: 'Import annotations…' }).click()
  const adding = page.getByRole('dialog', { name: 'Add videos' })
  await expect(adding).toContainText('Annotation files (COCO, CVAT, SRT and others) can be chosen here too')
  await adding.getByLabel('Path').fill(subtitles)
  await expect(adding.getByRole('status')).toHaveText('“Add” reads this file as annotations and shows them before anything is imported.')
  if (process.env['TUBELET_SHOTS']) await page.screenshot({ path: path.join(process.env['TUBELET_SHOTS'], 'add.png') })
  await adding.getByRole('button', { name: 'Add', exact: true }).click()
  await expect(dialog()).toContainText('The file does not tell who made it (1 of 1): it counts as people’s work')
  if (process.env['TUBELET_SHOTS']) await page.screenshot({ path: path.join(process.env['TUBELET_SHOTS'], 'import.png') })
  await page.keyboard.press('Escape')
  await expect(dialog()).toBeHidden()
})

test('what belongs to MOT Challenge’s rows and is dropped with them is sent with them', async () => {
  await drop(file('gt.txt', '1,1,10,10,40,40,1,1,1\n'), file('labels.txt', 'zebra\n'), file('seqinfo.ini', '[Sequence]\nname=street\n'))
  await expect(dialog()).toContainText('MOT Challenge')
  await expect(dialog()).toContainText('zebra')
  await expect(dialog()).toContainText('street')
  await page.keyboard.press('Escape')
  await expect(dialog()).toBeHidden()
})

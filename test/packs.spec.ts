/** Packs in the real window: a checkpoint is imported without Python, tested, given tasks, used and replaced; other files are refused; a download needs permission. */
import { createHash } from 'node:crypto'
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { tinyMammut, writeSafetensors } from '../main/packs/checkpoint.testing.ts'
import { app, call, clipRows, done, goTo, page, tubelet, violations } from './app.ts'

tubelet()
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-packs-e2e-'))
const checkpoint = path.join(folder, 'tiny.safetensors')
/** A server that serves only the checkpoint. */
const server = createServer((request, response) => {
  if (request.url !== '/tiny.safetensors') return void response.writeHead(404).end()
  createReadStream(checkpoint).pipe(response.writeHead(200, { 'content-length': statSync(checkpoint).size, etag: '"tiny"' }))
})

test.beforeAll(async () => {
  writeSafetensors(checkpoint, tinyMammut())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
test.afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

const card = (name: string) => page.getByRole('listitem', { name, exact: true })
const MINI = 'Tubelet mini'
const TINY = 'openMaMMUT ViT-64/14'
const bring = async (file: string) => {
  await page.getByRole('button', { name: 'Import a file' }).click()
  await page.getByLabel('Path').fill(file)
  await page.getByRole('button', { name: 'Import', exact: true }).click()
}
const doer = (task: string) => page.getByRole('combobox', { name: `Who does it: ${task}` }).locator('option:checked')
const captions = async () => {
  await goTo('Review')
  await expect(clipRows()).toHaveCount(4)
  // The list hears of the last caption after the queue has ended.
  await expect(clipRows().filter({ hasText: 'Waiting for its caption' })).toHaveCount(0)
  return clipRows().allTextContents()
}
let before: string[]

test('the page says what the pack that ships can do and how good it was measured to be', async () => {
  await page.getByRole('button', { name: 'Try the sample clip' }).click()
  await done()
  before = await captions()
  await goTo('Packs')
  await expect(card(MINI)).toContainText('In use: Captions, Answers, Search')
  await expect(card(MINI)).toContainText('4 clips')
  await expect(card(MINI)).toContainText(/Of its answers \d+% are right/)
  await expect(card(MINI)).toContainText(/\d+ measured scores/)
  await expect(card(MINI)).toContainText('learnt from no footage')
  await expect(card(MINI).getByRole('button', { name: 'Use this pack' })).toHaveCount(0)
  await expect(card(MINI).getByRole('button', { name: /^Delete/ })).toHaveCount(0)
  expect(await violations()).toEqual([])
})

test('a wrong file is refused with its reason and one next step', async () => {
  const renamed = path.join(folder, 'renamed.safetensors')
  writeFileSync(renamed, 'A shopping list that somebody renamed.')
  await bring(renamed)
  await expect(page.getByRole('alert').getByRole('heading')).toHaveText('This is not a .safetensors checkpoint, whatever its name says.')
  await expect(page.getByRole('alert')).toContainText('Choose the .safetensors file')
  writeFileSync(renamed, 'PK\x03\x04 archive/data.pkl')
  await bring(renamed)
  await expect(page.getByRole('alert')).toContainText('python -m models.openmammut convert')
  await page.getByRole('button', { name: 'Put away' }).click()
  await expect(page.getByRole('alert')).toHaveCount(0)
})

test('a checkpoint becomes a pack; before a switch it is said what that costs', async () => {
  await page.getByRole('button', { name: 'Import a file' }).click()
  await page.getByLabel('Path').fill(path.join(folder, 'TI'))
  const listed = page.getByRole('list', { name: 'Folders and files' })
  await expect(listed.getByRole('button', { name: 'renamed' })).toHaveCount(0)
  await listed.getByRole('button', { name: 'tiny.safetensors' }).click()
  await expect(card(TINY)).toBeInViewport({ timeout: 60_000 })
  await expect(page.getByRole('region', { name: 'Notifications' })).toContainText(`The pack “${TINY}” is ready`)
  await expect(card(TINY)).toContainText('No scores were measured for this pack')
  await card(TINY).getByRole('button', { name: 'Use this pack' }).click()
  const plan = page.getByRole('group', { name: 'Before you switch' })
  await expect(plan).toContainText('It would do: Captions, Search.')
  await expect(plan).toContainText(
    /4 clips \(0\.2 min of video\) must be seen by it: (a moment|about \d+ s),? (reckoned from one clip|by what it took)/,
  )
  expect(await violations()).toEqual([])
})

test('after the switch its captions come by themselves, and other tasks stay with their packs; back at the first pack, everything is there at once', async () => {
  await page.getByRole('button', { name: 'Switch now' }).click()
  await expect(card(TINY)).toContainText('In use', { timeout: 60_000 })
  await expect(card(TINY)).toContainText('4 clips', { timeout: 60_000 })
  const other = await captions()
  expect(other).not.toEqual(before)
  await goTo('Packs')
  await expect(doer('Captions')).toContainText(TINY)
  await expect(doer('Answers')).toContainText(MINI)
  await expect(doer('Boxes')).toContainText('Objects 80')
  await card(MINI).getByRole('button', { name: 'Use this pack' }).click()
  await expect(page.getByRole('group', { name: 'Before you switch' })).toContainText('No clip must be seen again')
  await page.getByRole('button', { name: 'Switch now' }).click()
  await expect(doer('Captions')).toContainText(MINI, { timeout: 60_000 })
  await expect.poll(captions).toEqual(before)
})

test('a pack is deleted with what it encoded; what ships stays', async () => {
  await goTo('Packs')
  await card(TINY)
    .getByRole('button', { name: `Delete ${TINY}` })
    .click()
  await card(TINY).getByRole('group').getByRole('button', { name: 'Delete' }).click()
  await expect(card(TINY)).toHaveCount(0)
  await expect(card(MINI)).toContainText('In use: Captions, Answers, Search')
  await goTo('Labels')
  await expect(page.getByRole('textbox', { name: 'Add labels' })).toBeVisible()
  await expect(page.getByRole('note')).toHaveCount(0)
  await goTo('Packs')
})

test('nothing is fetched before the network is allowed; then a pack comes from an address, and a wrong address is told', async () => {
  const { port } = server.address() as AddressInfo
  const address = page.getByLabel('Address of a .safetensors file')
  await expect(address).toBeDisabled()
  await page.getByRole('switch', { name: /Allow downloads/ }).click()
  await expect(address).toBeEnabled()
  await address.fill(`http://127.0.0.1:${port}/nothing.safetensors`)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('alert').getByRole('heading')).toHaveText('There is no such file at this address.')
  await page.getByRole('button', { name: 'Put away' }).click()
  await address.fill(`http://127.0.0.1:${port}/tiny.safetensors`)
  const sum = page.getByLabel('SHA-256, if its page gives one')
  await sum.fill('0'.repeat(64))
  await page.keyboard.press('Enter')
  await expect(page.getByRole('alert').getByRole('heading')).toContainText('its checksum differs')
  await page.getByRole('button', { name: 'Put away' }).click()
  await expect(sum).toHaveValue('')
  await address.fill(`http://127.0.0.1:${port}/tiny.safetensors`)
  await sum.fill(createHash('sha256').update(readFileSync(checkpoint)).digest('hex').toUpperCase())
  await page.keyboard.press('Enter')
  await expect(card(TINY)).toBeVisible({ timeout: 60_000 })
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
})

test('in German a pack that is Tubelet’s own, or made here, speaks German', async ({ browser }) => {
  const context = await browser.newContext({ locale: 'de-DE' })
  try {
    const german = await context.newPage()
    await german.goto(app.url)
    await german.getByRole('button', { name: 'Modelle', exact: true }).click()
    await expect(german.getByRole('listitem', { name: MINI, exact: true })).toContainText('Ein Modell zur Vorführung')
    await expect(german.getByRole('listitem', { name: TINY, exact: true })).toContainText(
      'Auf diesem Rechner aus tiny.safetensors gemacht: 4 Bilder',
    )
  } finally {
    await context.close()
  }
})

test('what the pack in use has not encoded is said where it is missed, with a button that has it done', async () => {
  await call('pauseQueue')
  await card(TINY).getByRole('button', { name: 'Use this pack' }).click()
  await page.getByRole('button', { name: 'Switch now' }).click()
  await expect(card(TINY)).toContainText('In use', { timeout: 60_000 })
  await expect.poll(async () => (await call('queue')).waiting).toBeGreaterThan(0)
  await call('cancelAll')
  await call('resumeQueue')
  const missing = page.getByRole('status').filter({ hasText: '4 clips are not encoded with the pack in use' })
  await goTo('Labels')
  await expect(missing).toBeVisible()
  await goTo('Review')
  await page.getByRole('combobox', { name: 'Search' }).fill('a ball')
  await page.keyboard.press('Enter')
  await expect(missing).toBeVisible()
  await expect(page.getByText('No clip could be searched yet')).toBeVisible()
  await expect(page.getByText(/No clip matches/)).toHaveCount(0)
  await page.getByRole('button', { name: /^Encode them now/ }).click()
  await expect(missing).toHaveCount(0)
  await expect(
    page
      .getByRole('list', { name: /Matches|Nearest/ })
      .getByRole('listitem')
      .first(),
  ).toBeVisible({ timeout: 60_000 })
})

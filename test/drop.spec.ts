/** Dropping models on the window, as the system drops files: a checkpoint becomes a pack on any page, and anything else is refused with a reason. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type BrowserContext, type CDPSession, expect, type Page, test } from '@playwright/test'
import { f32, tinyMammut, writeSafetensors } from '../main/packs/checkpoint.testing.ts'
import { copyPack } from '../main/packs/pack.testing.ts'
import { dropFiles, forget, type Running, start } from './app.ts'

test.describe.configure({ mode: 'serial' })
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-drop-'))
const sample = path.resolve(import.meta.dirname, '..', 'models', 'packs', 'sample.mp4')
const at = (name: string) => path.join(folder, name)
const NAME = 'openMaMMUT ViT-64/14'

let app: Running
let page: Page
let devtools: CDPSession
test.beforeAll(async ({ browser }) => {
  const tensors = tinyMammut()
  writeSafetensors(at('tiny.safetensors'), tensors)
  const { 'text.text_projection': head, ...newer } = tensors
  mkdirSync(at('newer'))
  writeSafetensors(at('newer/open_clip_model.safetensors'), { ...newer, ...(head && { 'text.lm_head': head }) })
  writeFileSync(at('newer/open_clip_config.json'), JSON.stringify({ model_cfg: { multimodal_cfg: { heads: 1, cross_attn_ratio: 2 } } }))
  cpSync(at('newer/open_clip_model.safetensors'), at('alone.safetensors'))
  cpSync(at('tiny.safetensors'), at('cut.safetensors'))
  truncateSync(at('cut.safetensors'), 20_000_000)
  writeSafetensors(at('clip.safetensors'), { logit_scale: f32([], [1]), 'visual.proj': f32([1], [1]) })
  writeFileSync(at('page.safetensors'), '<!DOCTYPE html><html><title>Sign in</title>')
  writeFileSync(at('pointer.safetensors'), 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 2033000000\n')
  writeFileSync(at('trainer.pt'), 'PK\x03\x04 archive/data.pkl')
  writeFileSync(at('open_clip_pytorch_model.bin'), Buffer.from([0x80, 2, 0x8a, 10]))
  app = await start()
  page = await (await browser.newContext({ locale: 'en' })).newPage()
  devtools = await page.context().newCDPSession(page)
  await page.goto(app.url)
})
test.afterAll(async () => {
  await page.context().close()
  await app.stop()
  forget(app)
  rmSync(folder, { recursive: true, force: true })
})

const drop = (files: readonly string[], place?: [x: number, y: number]) => dropFiles(page, devtools, files, place)
const goTo = (name: string) => page.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name }).click()
const card = () => page.getByRole('listitem', { name: NAME, exact: true })
const notice = (text: string | RegExp) =>
  page.getByRole('region', { name: 'Notifications' }).getByRole('listitem').filter({ hasText: text })
const remove = async () => {
  await card()
    .getByRole('button', { name: `Delete ${NAME}` })
    .click()
  await card().getByRole('group').getByRole('button', { name: 'Delete' }).click()
  await expect(card()).toHaveCount(0)
}
/** The files in the folder of packs, where nothing incomplete may be left. */
const packs = () => readdirSync(path.join(app.projectDir, 'packs')).filter((name) => name !== 'settings.json')

test('the first thing that is dropped may be a model', async () => {
  await expect(page.getByRole('heading', { name: 'Add videos or folders' })).toBeVisible()
  await drop([at('tiny.safetensors')])
  await expect(notice(`The pack “${NAME}” is ready`)).toBeVisible({ timeout: 60_000 })
  await notice('is ready').getByRole('button', { name: 'Show' }).click()
  await expect(card()).toContainText('No scores were measured')
  await remove()
  expect(packs()).toEqual([])
})

test('in the middle of other work nothing is lost: a search in words, a text under way, an open dialog', async () => {
  await goTo('Review')
  await page.getByRole('button', { name: 'Try the sample clip' }).click()
  await expect(page.getByRole('status').filter({ hasText: 'All done' })).toBeVisible({ timeout: 90_000 })
  await page.getByRole('navigation').locator('[data-clip]').first().click()
  const question = page.getByLabel('Question about this clip')
  await question.fill('what is half')
  await drop([at('tiny.safetensors')])
  await expect(notice('is ready')).toBeVisible({ timeout: 60_000 })
  await expect(question).toHaveValue('what is half')
  await drop([at('tiny.safetensors')])
  await expect(notice('This pack is on this computer already')).toBeVisible({ timeout: 60_000 })
  await notice('on this computer already').getByRole('button', { name: 'Show' }).click()
  await page.getByRole('button', { name: 'Put away' }).click()
  await remove()
})

const PAGES = ['Table', 'Overview', 'Labels', 'Queue', 'Settings']
test('the import of a dropped checkpoint is announced on every page', async () => {
  for (const name of PAGES) {
    await goTo(name)
    await drop([at('page.safetensors')])
    await expect(notice('page.safetensors: This is a web page that was saved under the name of a checkpoint.')).toBeVisible()
    await notice('web page').getByRole('button', { name: 'Close' }).click()
    await expect(notice('web page')).toHaveCount(0)
  }
})

/** Dismiss the last refusal. Others with the same text stay. Each click waits for its effect: two fast ones could hit the same refusal. */
const putAwayLast = async () => {
  const alerts = page.getByRole('alert')
  await expect(alerts).toHaveCount(PAGES.length + 1)
  await expect(alerts.last()).toContainText('web page')
  await alerts.last().getByRole('button', { name: 'Put away' }).click()
  await expect(alerts).toHaveCount(PAGES.length)
}

test('the notice disappears on the Packs page, which shows the import itself', async () => {
  await drop([at('page.safetensors')])
  await expect(notice('web page')).toBeVisible()
  await goTo('Packs')
  await expect(notice('web page')).toHaveCount(0)
  await putAwayLast()
})

test('a drop counts even if the element under the pointer has just appeared', async () => {
  await goTo('Packs')
  const data = { items: [], files: [at('page.safetensors')], dragOperationsMask: 1 }
  const send = (type: 'dragEnter' | 'dragOver' | 'drop', x: number) => devtools.send('Input.dispatchDragEvent', { type, x, y: 400, data })
  await send('dragEnter', 700)
  await send('dragOver', 700)
  // The rail is not part of the page: for it Chromium sends only a dragenter before the drop.
  await send('drop', 20)
  await expect(page.locator('.app[data-dragging=false]')).toBeAttached()
  await putAwayLast()
})

test('a file that is no openMaMMUT checkpoint is refused with its reason and one next step, whatever its name', async () => {
  await goTo('Packs')
  const alerts = page.getByRole('alert')
  for (let left = PAGES.length; left > 0; left -= 1) {
    await expect(alerts).toHaveCount(left)
    await alerts.first().getByRole('button', { name: 'Put away' }).click()
  }
  const reasons: [string, string][] = [
    ['pointer.safetensors', 'only a pointer to the checkpoint (Git LFS)'],
    ['cut.safetensors', 'This checkpoint is cut off: 20 of 26 MB are there.'],
    ['clip.safetensors', 'This is a plain CLIP model'],
    ['trainer.pt', 'python -m models.openmammut convert trainer.pt'],
    ['open_clip_pytorch_model.bin', 'can run programs when it is opened'],
    ['alone.safetensors', 'there is no open_clip_config.json beside it'],
  ]
  for (const [file, reason] of reasons) {
    await drop([at(file)])
    await expect(page.getByRole('alert')).toContainText(reason)
    await expect(page.getByRole('alert')).toContainText(file)
    await page.getByRole('button', { name: 'Put away' }).click()
    await expect(page.getByRole('alert')).toHaveCount(0)
  }
  expect(packs()).toEqual([])
})

test('a folder with a checkpoint and its config becomes a pack', async () => {
  await drop([at('newer')])
  await expect(card()).toBeVisible({ timeout: 60_000 })
  await remove()
})

test('of a checkpoint and a video dropped together the first becomes a pack; for the second the file picker opens and says why', async () => {
  await drop([sample, at('tiny.safetensors')])
  await expect(page.getByRole('dialog', { name: 'Add videos' })).toContainText(
    'A browser does not tell where dropped files lie (sample.mp4)',
  )
  await page.keyboard.press('Escape')
  await expect(card()).toBeVisible({ timeout: 60_000 })
  await remove()
})

test('for a dropped pack folder the picker opens and says why; its path can be typed', async () => {
  await drop([copyPack(folder, 'brought')])
  await expect(notice('where a dropped pack folder lies')).toBeVisible()
  await page.getByLabel('Path').fill(at('brought'))
  await page.getByRole('button', { name: 'Import', exact: true }).click()
  await expect(page.getByRole('listitem', { name: 'brought', exact: true })).toBeVisible({ timeout: 60_000 })
})

/** On the desktop, drops have paths; here the page gets them as from Electron's preload script (electron.spec.ts tests Electron itself). */
test('where paths are known, files and folders are read where they lie', async ({ browser }) => {
  const desktop: BrowserContext = await browser.newContext({ locale: 'en' })
  try {
    await desktop.addInitScript(
      (lie: string) =>
        Object.assign(window, {
          tubelet: {
            platform: 'linux',
            pathForFile: ({ name }: File) => `${lie}/${name}`,
            notify: () => undefined,
            onBring: () => undefined,
          },
        }),
      folder,
    )
    page = await desktop.newPage()
    devtools = await desktop.newCDPSession(page)
    await page.goto(app.url)
    cpSync(sample, at('dropped.mp4'))
    await drop([at('dropped.mp4'), at('page.safetensors'), at('newer')])
    await expect(notice('1 video added').or(notice('already in the library'))).toBeVisible()
    await expect(notice('page.safetensors: This is a web page')).toBeVisible()
    await expect(notice(`The pack “${NAME}” is ready`)).toBeVisible({ timeout: 60_000 })
    await goTo('Packs')
    await expect(page.getByRole('alert')).toContainText('web page')
    // Another model of the same name: only their folders distinguish them.
    await expect(card()).not.toContainText('openmammut-vit')
    await drop([at('tiny.safetensors')])
    await expect(card()).toHaveCount(2, { timeout: 60_000 })
    await expect(card().first()).toContainText('openmammut-vit-64-14-fp32')
    await expect(card().last()).toContainText(/openmammut-vit-64-14-fp32-\w{8}/)
  } finally {
    await desktop.close()
  }
})

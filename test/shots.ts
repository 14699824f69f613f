/**
 * `npm run shots [-- DIR [NAME…]]`: a picture of every page and dialog of the window, light and dark, for people to look at; those marked
 * `more` also in high contrast, with forced colours, in German, on a large screen, and at 200 % zoom. On the clips of TUBELET_CLIPS where there are some, else on the sample
 * clip alone. A page is one line of PICTURES.
 */
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { chromium, type Page } from '@playwright/test'
import { tinyMammut, writeSafetensors } from '../main/packs/checkpoint.testing.ts'
import { forget, start } from './app.ts'
import { clipsFolder } from './clips.ts'

interface Picture {
  name: string
  /** Opens it from any state of the window. Dialogs are closed afterwards with Escape. */
  go: (page: Page) => Promise<unknown>
  more?: boolean
}

const rail = (name: string) => async (page: Page) => {
  await page.locator(`.rail [data-page=${name}]`).click()
  await page.mouse.move(720, 890)
  await page.waitForTimeout(600)
  await page.waitForLoadState('networkidle', { timeout: 5000 }).catch(() => undefined)
}
const key = (combination: string) => async (page: Page) => {
  await page.keyboard.press(combination)
  await page.getByRole('dialog').waitFor()
}
const search = (words: string) => async (page: Page) => {
  await rail('review')(page)
  await page.keyboard.press('Control+f')
  await page.keyboard.press('Control+a')
  await page.keyboard.type(words)
  await page.keyboard.press('Enter')
  await page.waitForTimeout(1500)
}
/** By selector, not by name: names are English, and the window may be in another language. */
const button = (selector: string) => async (page: Page) => {
  await page.locator(selector).first().click()
  await page.waitForTimeout(400)
}
const then =
  (...steps: Picture['go'][]) =>
  async (page: Page) => {
    for (const step of steps) await step(page)
  }
const firstClip = async (page: Page) => {
  await rail('review')(page)
  await page.locator('[data-clip]').first().click()
  for (let press = 0; press < 2; press += 1) await page.keyboard.press('Shift+ArrowRight')
  await page.waitForTimeout(800)
}

const EMPTY: readonly Picture[] = [
  { name: 'empty', go: rail('review'), more: true },
  { name: 'empty-queue', go: rail('queue') },
  { name: 'add', go: key('Control+o'), more: true },
]
const FULL: readonly Picture[] = [
  { name: 'review', go: firstClip, more: true },
  { name: 'review-source', go: then(firstClip, button('.source-row')) },
  { name: 'review-unreadable', go: then(rail('review'), button('.source-row:has([data-state=failed])')) },
  { name: 'palette', go: then(rail('review'), key('Control+k')) },
  { name: 'filters', go: then(rail('review'), button('.filterbar button')) },
  { name: 'search', go: search('a car') },
  { name: 'search-none', go: search('tax return of 1987') },
  { name: 'table', go: rail('table'), more: true },
  { name: 'table-menu', go: then(rail('table'), button('[role=columnheader] button.icon')) },
  { name: 'labels', go: rail('labels'), more: true },
  { name: 'overview', go: rail('overview'), more: true },
  { name: 'queue', go: rail('queue'), more: true },
  { name: 'packs', go: rail('packs'), more: true },
  { name: 'settings', go: rail('settings'), more: true },
  { name: 'diagnostics', go: then(rail('settings'), (page) => page.locator('.diagnostics').scrollIntoViewIfNeeded()) },
  { name: 'export', go: key('Control+e'), more: true },
  { name: 'shortcuts', go: then(rail('review'), key('?')), more: true },
  {
    name: 'history-clip',
    go: then(firstClip, (page) => page.keyboard.press('a'), firstClip, button('.statusbar button.icon')),
    more: true,
  },
  {
    name: 'history',
    go: then(button('.statusbar button.icon'), (page) => page.getByRole('dialog').getByRole('button', { pressed: false }).first().click()),
  },
]

/** Waits until the queue has nothing left to do, even if jobs failed. */
const ENDED = /All done|Nothing runs or waits/
const out = path.resolve(process.argv[2] ?? 'shots')
const only = process.argv.slice(3)
mkdirSync(out, { recursive: true })
const clips = clipsFolder()
const app = await start()
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-background-networking', '--disable-gpu'],
})
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', locale: 'en-US' })
  await page.goto(app.url)
  await page
    .getByText(/Ready on/)
    .first()
    .waitFor({ timeout: 60_000 })
  await take(page, EMPTY)
  await page.getByRole('button', { name: 'Try the sample clip' }).click()
  if (clips !== null) {
    for (const name of readdirSync(clips).filter((file) => /^(b01|b02|b05|d03|d06|d12)/.test(file))) await add(page, path.join(clips, name))
    const long = path.join(
      app.projectDir,
      'A recording whose name says everything about the day and the place, camera 12, north gate, 2026-11-25 06-00-00.mp4',
    )
    copyFileSync(path.join(clips, 'd09_dashcam_short.mp4'), long)
    await add(page, long)
    await take(page, [{ name: 'queue-running', go: rail('queue') }])
  }
  await page.getByRole('status').filter({ hasText: ENDED }).first().waitFor({ timeout: 600_000 })
  const send = (url: string, body: unknown) =>
    page.evaluate(
      ([to, json]) => fetch(to, { method: 'POST', headers: { 'content-type': 'application/json' }, body: json }).then(({ ok }) => ok),
      [url, JSON.stringify(body)] as const,
    )
  for (const text of [
    'Is there a person?',
    'What colour is the car?',
    'Where does it happen, and what is the weather like there?',
    'What moves?',
  ])
    await send('/api/table/columns', { kind: 'question', text })
  const checkpoint = path.join(app.projectDir, 'tiny.safetensors')
  writeSafetensors(checkpoint, tinyMammut())
  await send('/api/packs/import', { path: checkpoint })
  await page.getByRole('status').filter({ hasText: ENDED }).first().waitFor({ timeout: 120_000 })
  await take(page, FULL)
} finally {
  await browser.close()
  await app.stop()
  forget(app)
}
console.log(`Pictures in ${out}`)

async function add(page: Page, file: string): Promise<void> {
  await page.keyboard.press('Control+o')
  await page.getByLabel('Path').fill(file)
  await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

/** All pictures in English, then those marked `more` in other languages, contrasts and sizes. */
async function take(page: Page, pictures: readonly Picture[]): Promise<void> {
  const wanted = pictures.filter(({ name }) => only.length === 0 || only.includes(name))
  for (const picture of wanted) await shoot(page, picture, '')
  const more = wanted.filter((picture) => picture.more)
  await page.emulateMedia({ contrast: 'more' })
  for (const picture of more) await shoot(page, picture, '-contrast')
  await page.emulateMedia({ contrast: 'no-preference', forcedColors: 'active' })
  for (const picture of more) await shoot(page, picture, '-forced', ['dark'])
  await page.emulateMedia({ forcedColors: 'none' })
  await page.setViewportSize({ width: 2560, height: 1440 })
  for (const picture of more) await shoot(page, picture, '-large', ['light'])
  await page.setViewportSize({ width: 1024, height: 700 })
  for (const picture of more) await shoot(page, picture, '-1024', ['light'])
  await speak(page, 'de')
  await page.setViewportSize({ width: 1440, height: 900 })
  for (const picture of more) await shoot(page, picture, '-german', ['light'])
  // As 1440 × 900 is at 200 % zoom.
  await page.setViewportSize({ width: 720, height: 450 })
  for (const picture of more) await shoot(page, picture, '-german-zoomed', ['light'])
  await speak(page, 'en')
  await page.setViewportSize({ width: 1440, height: 900 })
}

async function speak(page: Page, language: string): Promise<void> {
  await page.evaluate((code) => localStorage.setItem('tubelet-language', code), language)
  await page.reload()
  await page.locator('.rail').waitFor()
}

async function shoot(
  page: Page,
  { name, go }: Picture,
  kind: string,
  schemes: readonly ('light' | 'dark')[] = ['light', 'dark'],
): Promise<void> {
  try {
    await go(page)
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme })
      await page.screenshot({ path: path.join(out, `${name}${kind}-${colorScheme}.png`) })
    }
  } catch (error) {
    console.error(`No picture of ${name}${kind}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`)
    process.exitCode = 1
  }
  if ((await page.getByRole('dialog').count()) > 0) await page.keyboard.press('Escape')
}

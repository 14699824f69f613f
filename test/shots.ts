/**
 * `npm run shots [-- DIR]`: a picture of every page of the window, light and dark, for people to look at. On the clips of TUBELET_CLIPS
 * where there are some, else on the sample clip alone.
 */
import { mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { chromium, type Page } from '@playwright/test'
import { forget, start } from './app.ts'
import { clipsFolder } from './clips.ts'

const out = path.resolve(process.argv[2] ?? 'shots')
mkdirSync(out, { recursive: true })
const clips = clipsFolder()
const app = await start()
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-background-networking', '--disable-gpu'] })
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' })
  await page.goto(app.url)
  await page.getByText(/Ready on/).first().waitFor({ timeout: 60_000 })
  await shot(page, 'empty')
  await page.getByRole('button', { name: 'Try the sample clip' }).click()
  await page.getByRole('status').filter({ hasText: 'All done' }).waitFor({ timeout: 120_000 })
  const clip = page.getByRole('navigation').locator('[data-clip]').first()
  await clip.click()
  await page.getByLabel('Question about this clip').fill('What moves?')
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await page.getByRole('article').filter({ hasText: 'What moves?' }).waitFor()
  for (let press = 0; press < 2; press += 1) await page.keyboard.press('Shift+ArrowRight')
  await page.waitForTimeout(800)
  await shot(page, 'clip')
  await page.setViewportSize({ width: 1024, height: 700 })
  await shot(page, 'clip-1024')
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.getByRole('button', { name: /^sample\.mp4/ }).click()
  await shot(page, 'source')
  for (const [words, name] of [['a car', 'search'], ['tax return of 1987', 'search-none']] as const) {
    await page.keyboard.press('Control+f')
    await page.keyboard.press('Control+a')
    await page.keyboard.type(words)
    await page.keyboard.press('Enter')
    await page.getByRole('navigation', { name: 'Search results' }).getByRole('status').waitFor()
    await page.waitForTimeout(500)
    await shot(page, name)
  }
  await page.keyboard.press('Escape')
  for (const [keys, name] of [['Control+o', 'add'], ['Control+e', 'export'], ['?', 'shortcuts']] as const) {
    await page.keyboard.press(keys)
    await page.getByRole('dialog').waitFor()
    await shot(page, name)
    await page.keyboard.press('Escape')
  }
  await page.getByRole('button', { name: /Ready on/ }).click()
  await shot(page, 'engine')
  await page.keyboard.press('Escape')
  if (clips !== null) {
    await page.keyboard.press('Control+o')
    await page.getByLabel('Path').fill(clips)
    await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click()
    await page.waitForTimeout(20_000)
    await page.getByTitle('Show the queue').click()
    await shot(page, 'queue')
    await page.keyboard.press('Escape')
    await page.getByRole('status').filter({ hasText: 'All done' }).waitFor({ timeout: 600_000 })
    await page.getByTitle('Show the queue').click()
    await shot(page, 'queue-done')
    await page.keyboard.press('Escape')
    for (const name of readdirSync(clips).filter((file) => /^(b01|b02|b05|d12|d16)/.test(file))) {
      const row = page.getByRole('button', { name: new RegExp(`^${name.replaceAll('.', '\\.')}`) })
      for (let wheel = 0; wheel < 60 && (await row.count()) === 0; wheel += 1) {
        await page.getByRole('navigation').hover()
        await page.mouse.wheel(0, wheel < 30 ? -600 : 400)
        await page.waitForTimeout(50)
      }
      await row.click()
      await page.waitForTimeout(800)
      await shot(page, name.slice(0, 3))
    }
  }
} finally {
  await browser.close()
  await app.stop()
  forget(app)
}
console.log(`Pictures in ${out}`)

async function shot(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: path.join(out, `${name}-${colorScheme}.png`) })
  }
}

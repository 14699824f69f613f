/** The bar beneath the picture in a small window. */
import { expect, test } from '@playwright/test'
import { page, tubelet, violations } from './app.ts'

tubelet('d11_room_dog_rot180_vfr.mp4')

test('in a small window the bar beneath the picture has one line, in both languages and with everything on it; what is needed less is a key away', async () => {
  await page.setViewportSize({ width: 1024, height: 700 })
  const bar = page.locator('.transport')
  const rows = () =>
    bar.evaluate(
      (element) =>
        new Set(
          [...element.children]
            .filter((child) => child.getClientRects().length > 0)
            .map((child) => Math.round(child.getBoundingClientRect().top + child.getBoundingClientRect().height / 2)),
        ).size,
    )
  for (const language of ['de', 'en']) {
    await page.evaluate((chosen) => localStorage.setItem('tubelet-language', chosen), language)
    await page.reload()
    await page.locator('[data-clip]').first().click()
    await expect(page.locator('video')).toHaveJSProperty('readyState', 4, { timeout: 60_000 })
    const at = (ordinal: number) => expect(page.getByRole('timer')).toContainText(new RegExp(`(frame|Bild) ${ordinal}`))
    await at(0)
    for (const key of ['i', '.', '.']) await page.keyboard.press(key)
    await at(2)
    await page.keyboard.press('o')
    await page.locator('.viewport').hover()
    await page.mouse.wheel(0, -600)
    for (const key of ['l', 'l']) await page.keyboard.press(key)
    await expect(bar.locator('.chip')).toBeVisible()
    expect(await rows(), language).toBe(1)
    expect(await bar.evaluate((element) => element.scrollWidth <= element.clientWidth), language).toBe(true)
    await page.keyboard.press('k')
  }
  const more = bar.getByRole('button', { name: 'More' })
  await more.focus()
  await page.keyboard.press('Enter')
  const heat = bar.getByRole('button', { name: 'Show where the model looked' })
  await page.keyboard.press('Tab')
  await expect(bar.getByRole('button', { name: 'Draw a box' })).toBeFocused()
  await heat.focus()
  const before = await heat.getAttribute('aria-pressed')
  await page.keyboard.press('Enter')
  await expect(heat).toHaveAttribute('aria-pressed', before === 'true' ? 'false' : 'true')
  await page.keyboard.press('Enter')
  expect(await violations()).toEqual([])
  await page.keyboard.press('Escape')
  await expect(heat).toBeHidden()
  await page.setViewportSize({ width: 1440, height: 900 })
  await expect(more).toBeHidden()
  await expect(heat).toBeVisible()
})

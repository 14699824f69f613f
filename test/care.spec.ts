/** For everybody: by keyboard alone, read aloud, in any theme, at 200 % zoom, in either language. The real window on the sample clip. */
import { expect, test } from '@playwright/test'
import { app, done, goTo, page, tubelet, violations } from './app.ts'

tubelet()

/** Presses Tab until something of this name has the focus, which must then be visible. */
async function tabTo(name: RegExp): Promise<void> {
  for (let press = 0; press < 80; press += 1) {
    await page.keyboard.press('Tab')
    const seen = await page.evaluate(() => {
      const element = document.activeElement
      if (!(element instanceof HTMLElement)) return null
      const { outlineStyle, outlineWidth } = getComputedStyle(element)
      const { left, right, top, bottom } = element.getBoundingClientRect()
      const onTop = document.elementFromPoint((left + right) / 2, (top + bottom) / 2)
      return {
        name: `${element.getAttribute('aria-label') ?? ''} ${element.innerText}`,
        visible: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
        covered: onTop === null || !(element.contains(onTop) || onTop.contains(element)),
      }
    })
    if (seen === null || !name.test(seen.name)) continue
    expect(seen, 'the focus is seen and nothing lies over it').toMatchObject({ visible: true, covered: false })
    return
  }
  throw new Error(`nothing named ${String(name)} can be reached by Tab`)
}

const pages = () => page.locator('.rail button')
const LOOKS = [
  { colorScheme: 'light', contrast: 'no-preference' },
  { colorScheme: 'dark', contrast: 'no-preference' },
  { colorScheme: 'light', contrast: 'more' },
  { colorScheme: 'dark', contrast: 'more' },
  { colorScheme: 'light', contrast: 'no-preference', forcedColors: 'active' },
] as const
const PLAIN = { colorScheme: 'light', contrast: 'no-preference', forcedColors: 'none', reducedMotion: 'reduce' } as const
/** Dialogs: the page, the key or button that opens one, and its accessible name. */
const OPENED = [
  ['Review', 'Control+k', /^An action/],
  ['Review', 'Control+o', 'Add videos'],
  ['Review', 'Control+e', 'Export'],
  ['Review', '?', 'Keyboard shortcuts'],
  ['Review', 'Filter', 'Filters'],
  ['Review', 'History', 'History'],
  ['Table', 'Add column', /./],
  ['Table', 'Column Caption', 'Column Caption'],
  ['Table', 'Views', /./],
] as const

test('the main job by keyboard alone: try the sample, decide, ask, search, export', async () => {
  await tabTo(/Try the sample clip/)
  await page.keyboard.press('Enter')
  await done()
  const rows = page.getByRole('navigation').locator('[data-clip]')
  await expect(rows).toHaveCount(4)
  await page.keyboard.press('ArrowDown')
  await expect(rows.first()).toHaveAttribute('aria-current', 'true')
  await page.keyboard.press('a')
  await expect(rows.first()).toContainText('accepted')
  await page.keyboard.press('Control+z')
  await expect(rows.first()).not.toContainText('accepted')
  await page.keyboard.press('q')
  await page.keyboard.type('is there a person?')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('article').filter({ hasText: 'is there a person?' }).first()).toBeVisible({ timeout: 60_000 })
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+f')
  await page.keyboard.type('a boat')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('navigation', { name: 'Search results' })).toBeVisible()
  await page.keyboard.press('Control+f')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+e')
  const dialog = page.getByRole('dialog', { name: 'Export' })
  await expect(dialog).toBeVisible()
  await page.keyboard.press('Space')
  await tabTo(/^\s*Export$/)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog', { name: 'Exported' })).toBeVisible({ timeout: 30_000 })
  await page.keyboard.press('Escape')
})

test('every page, dialog and menu keeps WCAG 2.2 AA in light, dark, high contrast and forced colours', async () => {
  test.setTimeout(300_000)
  const found: string[] = []
  const look = async (name: string, looks: readonly (typeof LOOKS)[number][] = LOOKS) => {
    for (const [nth, media] of looks.entries()) {
      await page.emulateMedia({ ...PLAIN, ...media })
      for (const fault of await violations(nth === 0 ? 'all' : 'of looks')) found.push(`${name}, ${JSON.stringify(media)}: ${fault}`)
    }
  }
  for (let nth = 0; nth < (await pages().count()); nth += 1) {
    await pages().nth(nth).click()
    await page.waitForLoadState('networkidle', { timeout: 3_000 }).catch(() => undefined)
    await look((await pages().nth(nth).textContent()) ?? '')
  }
  for (const [where, how, name] of OPENED) {
    await page.emulateMedia(PLAIN)
    await goTo(where)
    if (/^(Control|\?)/.test(how)) await page.keyboard.press(how)
    else await page.getByRole('button', { name: how, exact: true }).click()
    await expect(page.getByRole('dialog', typeof name === 'string' ? { name } : {}).first()).toBeVisible()
    await look(
      `${where}, ${how}`,
      LOOKS.filter(({ contrast }) => contrast === 'no-preference'),
    )
    await page.keyboard.press('Escape')
  }
  await page.emulateMedia(PLAIN)
  expect(found).toEqual([])
})

test('no word is cut at 200 % zoom, in either language, and everything is reached by scrolling', async () => {
  test.setTimeout(240_000)
  // 1440 × 900 at 200 %.
  await page.setViewportSize({ width: 720, height: 450 })
  for (const language of ['de', 'en']) {
    await page.evaluate((code) => localStorage.setItem('tubelet-language', code), language)
    await page.reload()
    await expect(pages().first()).toBeVisible()
    expect(await page.evaluate(() => document.documentElement.lang)).toBe(language)
    for (let nth = 0; nth < (await pages().count()); nth += 1) {
      await pages().nth(nth).click()
      await expect(page.locator('main')).toBeVisible()
      const name = `${language}: ${(await pages().nth(nth).textContent()) ?? ''}`
      expect(await page.evaluate(outside), name).toEqual([])
      if (language === 'de') expect(await violations(), name).toEqual([])
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 })
})

/** Runs in the page: finds text beyond the right edge that cannot be scrolled to, and controls that cannot be scrolled into the window. */
function outside(): string[] {
  const scrolls = (element: Element | null): boolean =>
    element !== null && (/auto|scroll/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement))
  /** The nearest element that clips some of its text and does not scroll. */
  const clips = (element: Element | null): Element | null => {
    if (!(element instanceof HTMLElement) || /auto|scroll/.test(getComputedStyle(element).overflow)) return null
    const hides =
      /hidden|clip/.test(getComputedStyle(element).overflow) &&
      (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 2)
    return hides ? element : clips(element.parentElement)
  }
  const faults: string[] = []
  if (document.documentElement.scrollWidth > innerWidth) faults.push(`the document is ${document.documentElement.scrollWidth} px wide`)
  const walker = document.createTreeWalker(document.querySelector('.app') ?? document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement
    if (parent === null || (node.textContent ?? '').trim() === '' || parent.closest('.visually-hidden, svg, .skip') !== null) continue
    const range = document.createRange()
    range.selectNodeContents(node)
    const { right, width } = range.getBoundingClientRect()
    const cutter = clips(parent)
    // Text that ends in “…” is given in full elsewhere: in its title, or where it is chosen.
    if (cutter !== null && cutter.closest('[title], [data-clip]') === null)
      faults.push(`“${(node.textContent ?? '').slice(0, 40)}” is cut by ${cutter.className || cutter.tagName}`)
    if (width > 0 && right > innerWidth + 1 && !scrolls(parent))
      faults.push(`“${(node.textContent ?? '').slice(0, 40)}” ends at ${Math.round(right)}`)
  }
  for (const control of document.querySelectorAll('main :is(button, input, select, a)')) {
    if (control.getClientRects().length === 0 || control.closest('.visually-hidden') !== null) continue
    control.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    const { top, bottom, left, right } = control.getBoundingClientRect()
    if (bottom < 0 || top > innerHeight || right < 0 || left > innerWidth)
      faults.push(`${control.outerHTML.slice(0, 80)} cannot be scrolled into view`)
  }
  return faults
}

test('with forced colours what is chosen and what has the focus is still seen; with reduced motion nothing moves', async () => {
  await page.emulateMedia({ ...PLAIN, forcedColors: 'active' })
  await goTo('Table')
  const outlined = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((element) => getComputedStyle(element).outlineStyle)
  expect(await outlined('.rail [aria-current=page]')).toBe('solid')
  expect(await outlined('.rail button:not([aria-current])')).toBe('none')
  // A button without a border could not be told from text.
  expect(
    await page
      .locator('button.primary')
      .first()
      .evaluate((element) => getComputedStyle(element).borderTopWidth),
  ).not.toBe('0px')
  await tabTo(/Add column/)
  await page.emulateMedia(PLAIN)
  const moving = () =>
    page.evaluate(() =>
      [...document.querySelectorAll('*')]
        .filter((element) =>
          ['', '::before', '::after'].some((part) =>
            ((style) =>
              parseFloat(style.transitionDuration) > 0 || (style.animationName !== 'none' && parseFloat(style.animationDuration) > 0))(
              getComputedStyle(element, part),
            ),
          ),
        )
        .map((element) => element.getAttribute('class')),
    )
  for (let nth = 0; nth < (await pages().count()); nth += 1) {
    await pages().nth(nth).click()
    expect(await moving()).toEqual([])
  }
})

test('the language is changed in the settings, and stays', async () => {
  await pages().last().click()
  await page.getByLabel('Language').selectOption('de')
  await expect(page.getByRole('navigation', { name: 'Seiten' })).toBeVisible()
  await page.reload()
  await expect(page.getByRole('button', { name: 'Videos hinzufügen' })).toBeVisible()
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('de')
  await pages().last().click()
  await page.getByLabel('Sprache').selectOption('en')
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible()
})

test('diagnostics tell what runs, test it, and give a report without paths', async () => {
  await pages().last().click()
  await page.getByRole('button', { name: 'Run the self-test now' }).click()
  await expect(page.getByText(/The model gives its known answers/)).toBeVisible({ timeout: 60_000 })
  await expect(page.getByText(/^Tubelet mini: .*CPU in use/)).toBeVisible()
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  const diagnostics = page.getByRole('region', { name: 'Diagnostics' })
  const copied = async () => {
    await diagnostics.getByRole('button', { name: 'Copy report' }).click()
    await expect(page.getByText('Report copied').first()).toBeVisible()
    return page.evaluate(() => navigator.clipboard.readText())
  }
  const report = await copied()
  expect(report).toContain('Engine: Ready on')
  expect(report).not.toContain(app.projectDir)
  await diagnostics.getByLabel('With the paths of files and folders').check()
  await expect.poll(copied).toContain(app.projectDir)
})

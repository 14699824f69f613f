/** The library as a whole in the real window: over time, by similarity, by confidence. Real clips, real pack. */
import { readFileSync } from 'node:fs'
import { expect, test } from '@playwright/test'
import { accessible, analyse, call, goTo, page, tubelet } from './app.ts'

tubelet('d03_bottles.mp4', 'd09_dashcam_short.mp4')

const map = () => page.getByRole('application', { name: 'Map of clips' })
const picked = () => page.getByRole('complementary', { name: 'Picked clips' })

test('the overview draws every clip, in time and by likeness', async () => {
  await goTo('Overview')
  await expect(map()).toBeVisible({ timeout: 60_000 })
  const time = page.getByRole('region', { name: 'In time' })
  await expect(time.getByRole('button', { name: /^d03_bottles\.mp4/ })).toBeVisible()
  const { total } = await call('listClips')
  await expect(time).toContainText(`2 videos, ${total} clips`)
  await expect(page.getByRole('region', { name: 'By likeness' })).toContainText(`${total} clips`)
  await time.getByText('As a table').click()
  await expect.poll(() => time.getByRole('row').count()).toBeGreaterThan(1)
  await time.getByText('As a table').click()
})

test('a line drawn around clips takes them; keys can do it too', async () => {
  const box = await map().boundingBox()
  if (!box) throw new Error('the map is not on the screen')
  await page.mouse.move(box.x + 2, box.y + 2)
  await page.mouse.down()
  for (const [x, y] of [
    [box.width - 2, 2],
    [box.width - 2, box.height - 2],
    [2, box.height - 2],
    [2, 4],
  ] as const)
    await page.mouse.move(box.x + x, box.y + y, { steps: 3 })
  await page.mouse.up()
  const { total } = await call('listClips')
  await expect(picked().getByRole('status')).toHaveText(`${total} clips picked`)
  await map().focus()
  await page.keyboard.press('Escape')
  await expect(picked()).toHaveCount(0)
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press(' ')
  await expect(picked().getByRole('status')).toHaveText('1 clip picked')
})

test('picked captions are accepted as one step of undo, and notes are put on all', async () => {
  await map().focus()
  await page.keyboard.press('g')
  const review = page.getByRole('region', { name: 'Review' })
  await picked().getByRole('button', { name: 'Accept captions' }).click()
  await expect(review).toContainText(/\d+ accepted/)
  await page.keyboard.press('Control+z')
  await expect(review).toContainText(/^0 of \d+ clips reviewed/)
  await expect(review).not.toContainText('accepted')
  await picked().getByRole('button', { name: 'Note' }).click()
  await picked().getByLabel('Note').fill('shelf')
  await page.keyboard.press('Enter')
  const noted = async () => (await call('search', { body: { query: null, filters: { says: 'shelf' } } })).hits.length
  await expect.poll(noted).toBeGreaterThan(0)
  // A note does not count as review.
  await expect(review).toContainText(/^0 of \d+ clips reviewed/)
  await page.keyboard.press('Control+z')
})

test('a bar of a histogram opens its clips', async () => {
  await picked().getByRole('button', { name: 'Drop the selection' }).click()
  await page
    .getByRole('region', { name: 'How sure captions are' })
    .getByRole('button', { name: /^\d+–\d+ %: [1-9]/ })
    .first()
    .press('Enter')
  await picked().getByRole('button', { name: 'Open as a list' }).click()
  await picked().getByRole('listitem').first().getByRole('button').click()
  await expect(page.getByRole('region', { name: 'Player' })).toBeVisible()
  await page.getByRole('button', { name: 'Back to the overview' }).click()
  await expect(picked()).toBeVisible()
})

test('picked clips are gone through one by one in Review, in the place of the library, and are the rows of the table', async () => {
  await map().focus()
  await page.keyboard.press('g')
  const text = (await picked().getByRole('status').textContent()) ?? ''
  const count = Number(/\d+/.exec(text)?.[0])
  expect(count).toBeGreaterThan(1)
  await picked().getByRole('button', { name: 'Review them' }).click()
  const list = page.getByRole('navigation', { name: 'Picked clips' })
  await expect(list.getByRole('status')).toHaveText(`Picked clip 1 of ${count}`)
  await expect(list.locator('[data-clip]').first()).toHaveAttribute('aria-current', 'true')
  await page.keyboard.press('ArrowDown')
  await expect(list.getByRole('status')).toHaveText(`Picked clip 2 of ${count}`)
  await expect(list.locator('[data-clip]').nth(1)).toHaveAttribute('aria-current', 'true')
  await list.getByRole('button', { name: 'Previous clip' }).click()
  await expect(list.getByRole('status')).toHaveText(`Picked clip 1 of ${count}`)
  await list.getByRole('button', { name: 'Back to the whole library' }).click()
  await expect(page.getByRole('navigation', { name: 'Library' })).toBeVisible()
  await page.getByRole('button', { name: 'Back to the overview' }).click()

  await picked().getByRole('button', { name: 'Drop the selection' }).click()
  await map().focus()
  await page.keyboard.press(' ')
  await picked().getByRole('button', { name: 'Show in the table' }).click()
  await expect(page.locator('.grid-row')).toHaveCount(1)
  await page.getByRole('button', { name: 'Remove: 1 clip picked' }).click()
  const { total } = await page.evaluate(async () => (await (await fetch('/api/clips')).json()) as { total: number })
  await expect(page.locator('.grid-row')).toHaveCount(total)
  await goTo('Overview')
})

test('the map is a table too: each clip with those most like it, opened from there by key', async () => {
  const card = page.getByRole('region', { name: 'By likeness' })
  await card.getByText('As a table').press('Enter')
  const rows = card.getByRole('row')
  await expect(rows).toHaveCount((await call('listClips')).clips.length + 1)
  await expect(rows.nth(1).getByRole('cell').last()).toHaveText(/\d:\d\d/)
  const opens = rows.nth(1).getByRole('button')
  const name = (await opens.textContent()) ?? ''
  await opens.press('Enter')
  await expect(page.getByRole('heading', { name: name.replace(/ \S+$/, '') })).toBeVisible()
  await goTo('Overview')
})

test('each chart is kept as a picture with its title, counts and real text', async () => {
  for (const [name, words] of [
    ['In time', 'd03_bottles.mp4'],
    ['By likeness', '<circle'],
    ['How sure captions are', '100 %'],
  ] as const) {
    const card = page.getByRole('region', { name })
    const [svg] = await Promise.all([page.waitForEvent('download'), card.getByRole('button', { name: 'SVG' }).click()])
    const text = readFileSync(await svg.path(), 'utf8')
    expect(text).toContain(name)
    expect(text).toContain(words)
    expect(text).not.toMatch(/var\(|aria-|undefined|NaN/)
    const [png] = await Promise.all([page.waitForEvent('download'), card.getByRole('button', { name: 'PNG' }).click()])
    expect(
      readFileSync(await png.path())
        .subarray(1, 4)
        .toString('latin1'),
    ).toBe('PNG')
  }
})

test('the page is accessible in both themes', async () => {
  await accessible()
})

test('removing a video removes its clips from every page, and a new video does not inherit its data', async () => {
  await goTo('Table')
  const row = page.getByRole('row').filter({ hasText: 'd09_dashcam_short.mp4' })
  await expect(row.first()).toBeVisible()
  await goTo('Review')
  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  await page
    .getByRole('dialog', { name: 'Filters' })
    .getByRole('combobox', { name: /^Video/ })
    .selectOption('d09_dashcam_short.mp4')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('list', { name: 'Matches' }).locator('[data-clip]')).not.toHaveCount(0)
  const { sources } = await call('listSources')
  await call('removeSource', { params: { sourceId: sources.find(({ name }) => name.startsWith('d09'))?.id ?? 0 } })
  await expect(page.locator('[data-clip]')).toHaveCount(0)
  const { total } = await call('listClips')
  await goTo('Overview')
  await expect(page.getByRole('region', { name: 'By likeness' })).toContainText(`${total} clips`)
  await goTo('Table')
  await expect(row).toHaveCount(0)
  await analyse('d13_toy_robot_wmv2.wmv')
  await expect(page.getByRole('row').filter({ hasText: 'd13_toy_robot_wmv2.wmv' }).first()).toBeVisible()
  await goTo('Review')
  await expect(page.getByRole('button', { name: 'Remove filter A removed video' })).toBeVisible()
  await expect(page.locator('[data-clip]')).toHaveCount(0)
})

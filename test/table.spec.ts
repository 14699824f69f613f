/** The question table in the real window, on real clips. What is tested holds whatever the pack has learnt. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { accessible, app, call, done, goTo, page, restart, tubelet, violations } from './app.ts'

tubelet('d03_bottles.mp4', 'd06_sign_book.mkv', 'f06_tiny_64x48.mp4')
test.beforeAll(() => goTo('Table'))

const grid = () => page.getByRole('grid')
const rows = () => page.locator('.grid-row')
const cell = (line: number, key: string) => rows().nth(line).locator(`[data-key="${key}"]`)
const heading = (title: string) => page.getByRole('columnheader').filter({ hasText: title })
const menu = async (title: string) => {
  await page.getByRole('button', { name: `Column ${title}`, exact: true }).click()
  await expect(page.getByRole('dialog', { name: `Column ${title}` })).toBeVisible()
}
const column = (key: string) => Promise.all(Array.from({ length: 7 }, (_, line) => cell(line, key).textContent()))
const reopened = async () => {
  await page.goto(app.url)
  await goTo('Table')
  await expect(rows()).toHaveCount(7)
}

test('clips are rows with their facts and captions; a screen reader hears a grid of them', async () => {
  await expect(rows()).toHaveCount(7)
  await expect(grid()).toHaveAttribute('aria-rowcount', '8')
  await expect(cell(0, 'name')).toHaveText('d03_bottles.mp4')
  await expect(cell(0, 'caption')).toHaveText(/^[A-Z][^%]+$/)
  expect(await violations()).toEqual([])
})

test('a question is a column that fills as one looks, by keyboard alone', async () => {
  await page.getByRole('button', { name: 'Add column' }).focus()
  await page.keyboard.press('Enter')
  await page.keyboard.type('Is there a person?')
  await expect(page.getByRole('radio', { name: 'Yes or no' })).toBeChecked()
  await page.keyboard.press('Enter')
  await expect(heading('Is there a person?')).toBeVisible()
  for (let line = 0; line < 7; line += 1) await expect(cell(line, 'q1')).toHaveText(/^(yes|no|unsure)/)
  await expect(grid()).toBeFocused()
  await expect(cell(0, 'q1')).toHaveAttribute('aria-selected', 'true')
})

test('filling stops where it is told to, keeps what was done, and goes on', async () => {
  const answered = async () => (await column('q2')).filter((text) => text !== '').length
  // Stopped by the backend's own event of the first answer, which comes before the second is asked.
  const { id } = await call('addColumn', { body: { kind: 'question', text: 'How many people are there?' } })
  await call('stopColumn', { params: { columnId: id } })
  await expect(heading('How many people are there?')).toBeVisible()
  await done()
  const kept = await answered()
  await menu('How many people are there?')
  await page.getByRole('button', { name: /^Fill/ }).click()
  await expect.poll(answered).toBe(7)
  expect(kept).toBeLessThanOrEqual(7)
})

test('rows are sorted, filtered and grouped; a group closes', async () => {
  await heading('Length').getByRole('button', { name: 'Length', exact: true }).click()
  await expect(heading('Length')).toHaveAttribute('aria-sort', 'ascending')
  await expect.poll(async () => (await column('length')).map(Number)).toEqual([3.6, 3.6, 7.9, 7.9, 8, 8, 8])
  await menu('Video')
  await page.getByRole('checkbox', { name: /d06_sign_book/ }).check()
  await page.getByRole('dialog').getByRole('button', { name: 'Filter', exact: true }).click()
  await expect(rows()).toHaveCount(1)
  await expect(page.getByText('1 of 7')).toBeVisible()
  await page.getByRole('button', { name: /^Remove: Video/ }).click()
  await expect(rows()).toHaveCount(7)
  await menu('Video')
  await page.getByRole('button', { name: 'Group by this' }).click()
  const group = page.getByRole('row', { name: /d03_bottles\.mp4, 5 rows/ })
  await expect(group).toHaveAttribute('aria-expanded', 'true')
  await grid().focus()
  await page.keyboard.press('Control+Home')
  await page.keyboard.press('ArrowLeft')
  await expect(group).toHaveAttribute('aria-expanded', 'false')
  await expect(rows()).toHaveCount(2)
  await page.getByRole('button', { name: /^Remove: Grouped/ }).click()
  for (let press = 0; press < 2; press += 1) await heading('Length').getByRole('button', { name: 'Length', exact: true }).click()
  await expect(heading('Length')).not.toHaveAttribute('aria-sort')
})

test('a cell is written in place: Enter begins, Escape leaves it, Enter turns yes and no round, and letters write nothing', async () => {
  await cell(0, 'note').click()
  await page.keyboard.type('looks wrong')
  await expect(page.getByRole('textbox', { name: 'Change Note' })).toHaveCount(0)
  await expect(cell(0, 'note')).toHaveText('')
  await page.keyboard.press('Enter')
  await page.keyboard.type('looks wrong')
  await page.keyboard.press('Escape')
  await expect(cell(0, 'note')).toHaveText('')
  await page.keyboard.press('F2')
  await page.keyboard.type('third shelf')
  await page.keyboard.press('Enter')
  await expect(cell(0, 'note')).toHaveText('third shelf')
  await expect(cell(1, 'note')).toHaveAttribute('aria-selected', 'true')
  await page.keyboard.press('Enter')
  await page.keyboard.type('upper lower')
  for (let press = 0; press < 5; press += 1) await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('Alt+Enter')
  await page.keyboard.type('the ')
  await expect(page.getByRole('textbox', { name: 'Change Note' })).toHaveValue('upper \nthe lower')
  await page.keyboard.press('Escape')
  await cell(0, 'q1').click()
  for (let press = 0; press < 3 && (await cell(0, 'q1').textContent()) !== 'noedited'; press += 1) {
    const before = (await cell(0, 'q1').textContent()) ?? ''
    await page.keyboard.press('Enter')
    await expect(cell(0, 'q1')).not.toHaveText(before)
  }
  await expect(cell(0, 'q1')).toHaveText('noedited')
})

test('many cells are accepted at once: one step of undo, also after a restart', async () => {
  await cell(0, 'caption').click()
  for (let press = 0; press < 3; press += 1) await page.keyboard.press('Shift+ArrowDown')
  await expect(page.getByRole('region', { name: 'Chosen cell' })).toContainText('4 cells')
  await page.keyboard.press('Control+Enter')
  for (let line = 0; line < 4; line += 1) await expect(cell(line, 'caption')).toHaveText(/accepted$/)
  await restart()
  await reopened()
  await expect(cell(3, 'caption')).toHaveText(/accepted$/)
  await expect(page.getByRole('button', { name: /^Undo/ })).toBeEnabled()
  await page.keyboard.press('Control+z')
  for (let line = 0; line < 4; line += 1) await expect(cell(line, 'caption')).not.toHaveText(/accepted/)
  await expect(cell(0, 'q1')).toHaveText('noedited')
})

test('cells go to a spreadsheet and come back, and what could not be pasted is told', async () => {
  await cell(0, 'note').click()
  await page.keyboard.press('Shift+ArrowDown')
  await page.keyboard.press('Control+c')
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('third shelf\r\n')
  await page.evaluate(() => navigator.clipboard.writeText('yes\t"two\nlines"\nperhaps so\tplain\n'))
  await cell(2, 'q1').click()
  await menu('How many people are there?')
  await page.getByRole('button', { name: 'Hide', exact: true }).click()
  await cell(2, 'q1').click()
  await page.keyboard.press('Control+v')
  await expect(cell(2, 'note')).toHaveText('two\nlines')
  await expect(cell(3, 'note')).toHaveText('plain')
  await expect(cell(2, 'q1')).toHaveText(/^yes/)
  await expect(page.getByText(/Left as they were: neither yes, no nor unsure \(1\): “perhaps so”/)).toBeVisible()
})

test('a view is kept with its columns, sorting and filters, and the file holds every row of it', async () => {
  await heading('Video').getByRole('button', { name: 'Video', exact: true }).click()
  await menu('Is there a person?')
  await page.getByRole('button', { name: 'Pin at the left' }).click()
  await page.getByRole('button', { name: 'Views' }).click()
  await page.getByLabel('Name of the view').fill('People first')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'People first' })).toBeVisible()
  await page.getByRole('button', { name: 'People first' }).click()
  await page.getByRole('button', { name: 'Everything, as it came' }).click()
  await expect(heading('How many people are there?')).toBeVisible()
  await expect(heading('Video')).not.toHaveAttribute('aria-sort')
  await reopened()
  await page.getByRole('button', { name: 'Views' }).click()
  await page.getByRole('button', { name: 'People first', exact: true }).click()
  await expect(heading('How many people are there?')).toHaveCount(0)
  await expect(heading('Video')).toHaveAttribute('aria-sort', 'ascending')
  await expect(heading('Is there a person?')).toHaveAttribute('data-pinned', 'true')
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'CSV' }).click()
  const file = readFileSync(await (await download).path(), 'utf8')
  expect(file.split('\r\n')[0]).toBe(
    '\uFEFFVideo,Is there a person?,Is there a person? (confidence),Is there a person? (review),Time,Length,Review,Caption,Caption (confidence),Caption (review),Note',
  )
  expect(file.match(/^d0\d|^f06/gm)).toHaveLength(7)
  expect(file).toContain('"two\nlines"')
})

test('a row opens its clip in Review, and the table is as it was left', async () => {
  await cell(5, 'name').click()
  await page.keyboard.press('Alt+Enter')
  await expect(page.getByRole('heading', { name: /d06_sign_book\.mkv/ }).first()).toBeVisible()
  await page.getByRole('button', { name: 'Table', exact: true }).click()
  await expect(cell(5, 'name')).toHaveAttribute('aria-selected', 'true')
})

test('from Review one comes back to the same row, as far down and as far to the right, by key and by button', async () => {
  await page.setViewportSize({ width: 1024, height: 400 })
  await cell(0, 'name').click()
  await page.keyboard.press('Control+End')
  const place = () => grid().evaluate(({ scrollTop, scrollLeft }) => [scrollTop, scrollLeft])
  await expect.poll(async () => Math.min(...(await place()))).toBeGreaterThan(0)
  const before = await place()
  const chosen = await page.locator('.grid-cell[data-focus=true]').getAttribute('id')
  const arrangement = await grid().getAttribute('data-view')
  for (const back of [() => page.keyboard.press('Alt+Enter'), () => page.getByRole('button', { name: 'Back to the table' }).click()]) {
    await page.keyboard.press('Alt+Enter')
    await expect(page.getByRole('region', { name: 'Player' })).toBeVisible()
    await page.keyboard.press('ArrowUp')
    await back()
    await expect(grid()).toBeFocused()
    await expect(page.locator('.grid-cell[data-focus=true]')).toHaveAttribute('id', chosen ?? '')
    expect([await place(), await grid().getAttribute('data-view')]).toEqual([before, arrangement])
  }
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.keyboard.press('Control+Home')
})

test('an export is of the rows that are marked, and of the labels that are chosen', async () => {
  const { labels } = await call('getLabels')
  await call('setLabels', {
    body: { labels: [...labels, ...['bottle', 'person'].map((name) => ({ name, synonyms: [], colour: '#69c1fc', threshold: 0.5 }))] },
  })
  await done()
  await cell(1, 'name').click()
  await cell(3, 'name').click({ modifiers: ['Shift'] })
  await page.keyboard.press('Control+e')
  const dialog = page.getByRole('dialog', { name: 'Export' })
  await dialog.getByRole('radio', { name: 'The rows marked in the table (3)' }).check()
  await dialog.getByText('Boxes of: All labels').click()
  for (const name of ['bottle', 'person']) await dialog.getByRole('checkbox', { name, exact: true }).check()
  await expect(dialog.getByText('Boxes of: bottle, person')).toBeVisible()
  const asked = page.waitForRequest((request) => new URL(request.url()).pathname === '/api/export')
  await dialog.getByRole('button', { name: 'Export', exact: true }).click()
  expect((await asked).postDataJSON()).toMatchObject({ labels: ['bottle', 'person'], rows: { from: 1, to: 4 } })
  const exported = page.getByRole('dialog', { name: 'Exported' })
  await expect(exported).toContainText('annotations_part.jsonl')
  const directory = (await exported.locator('.mono').first().textContent()) ?? ''
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('_part.jsonl'))
  const clips = files.flatMap((file) => [...readFileSync(path.join(directory, file), 'utf8').matchAll(/"type":"clip"/g)])
  expect(clips).toHaveLength(3)
  await page.keyboard.press('Escape')
  // Nothing is selected: an export has everything again.
  await cell(0, 'name').click()
  await page.keyboard.press('Control+e')
  await expect(dialog.getByRole('radio', { name: /^All/ })).toBeChecked()
  await expect(dialog.getByRole('radio', { name: /marked/ })).toHaveCount(0)
  await page.keyboard.press('Escape')
})

test('videos are rows that sum up their clips, and the table is accessible in both themes', async () => {
  await page.getByRole('button', { name: 'Videos', exact: true }).click()
  await expect(rows()).toHaveCount(3)
  await expect(rows().first()).toContainText('0:39.9')
  await accessible()
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'CSV' }).click()
  const [head = '', first] = readFileSync(await (await download).path(), 'utf8').split('\r\n')
  const headings = await page.getByRole('columnheader').locator('.grid-title > span:not(.num)').allTextContents()
  expect(head.replace('\uFEFF', '').split(',')).toEqual(expect.arrayContaining(headings))
  // The length is a number of seconds, as in the file of clips.
  expect(first).toMatch(/^d0\d_[^,]+,.*,39\.\d,/)
})

/** Two windows on one library, and one that is reloaded: nothing that somebody wrote is written over unasked, and nothing that is written is lost. */
import { expect, type Page, test } from '@playwright/test'
import { app, call, clipRows, page, tubelet } from './app.ts'

tubelet('f06_tiny_64x48.mp4')

let other: Page
const caption = async () => {
  const { clips } = await call('listClips')
  const { annotations } = await call('getClip', { params: { clipId: clips[0]?.id ?? 0 } })
  return annotations.flatMap(({ body, state }) => (body.kind === 'caption' ? [[body.text, state]] : []))[0]
}
const field = (window: Page) => window.getByRole('textbox', { name: 'Caption' })
const standing = (window: Page) => window.locator('.inspector [data-kind=caption] [data-review]')
/** Begin to write the caption of the only clip anew. */
const write = async (window: Page, text: string) => {
  await window.keyboard.press('Enter')
  await expect(field(window)).toBeFocused()
  await field(window).fill(text)
}

test.beforeAll(async () => {
  other = await page.context().newPage()
  await other.goto(app.url)
  for (const window of [page, other]) {
    await window.locator('[data-clip]').first().click()
    await expect(window.locator('.inspector [data-kind=caption]')).toBeVisible()
  }
})
test.afterAll(() => other.close())

test('what was written in another window meanwhile is shown and asked about, not written over', async () => {
  await write(other, 'two')
  await write(page, 'one')
  await page.keyboard.press('Control+Enter')
  await expect.poll(caption).toEqual(['one', 'edited'])
  await field(other).press('Control+Enter')
  await expect(other.getByRole('alert').filter({ hasText: 'It says now: “one”' })).toBeVisible()
  await expect(standing(other)).toHaveText('edited')
  await expect(field(other)).toHaveValue('two')
  expect(await caption()).toEqual(['one', 'edited'])
  await other.getByRole('button', { name: 'Keep mine' }).click()
  await expect.poll(caption).toEqual(['two', 'edited'])
  await expect(field(other)).toHaveCount(0)

  await write(page, 'three')
  await write(other, 'four')
  await other.keyboard.press('Control+Enter')
  await expect.poll(caption).toEqual(['four', 'edited'])
  await page.getByRole('button', { name: 'Take theirs' }).click()
  await expect(page.locator('.inspector [data-kind=caption] .said')).toHaveText('four')
  expect(await caption()).toEqual(['four', 'edited'])
})

test('the caret stands behind what is there, and what is being written is there after a reload', async () => {
  await page.keyboard.press('Enter')
  await expect(field(page)).toBeFocused()
  await page.keyboard.type(' and five')
  await expect(field(page)).toHaveValue('four and five')
  await page.keyboard.press('Shift+Tab')
  await page.getByRole('button', { name: 'Note', exact: true }).click()
  const note = page.getByRole('textbox', { name: 'Note' })
  await note.fill('half a note')
  await page.reload()
  await clipRows().first().click()
  await expect(field(page)).toHaveValue('four and five')
  await expect(note).toHaveValue('half a note')
  await note.press('Enter')
  await field(page).press('Enter')
  await expect.poll(caption).toEqual(['four and five', 'edited'])
  // What is being written leaves the window when its answer has come.
  await expect(field(page)).toHaveCount(0)
  await expect(note).toHaveCount(0)
  await page.reload()
  await clipRows().first().click()
  await expect(page.locator('.inspector [data-kind=caption] .said')).toHaveText('four and five')
  await expect(page.locator('.inspector [data-kind=note] .said')).toHaveText('half a note')
  await expect(note).toHaveCount(0)
})

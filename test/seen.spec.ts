/** Results of the packs that ship on real footage: which pack does what, facts and their frames, guesses kept apart, text on screen, and what no pack can see. */
import { copyFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { app, call, clipRows, done, goTo, page, tubelet, violations } from './app.ts'
import { clip } from './clips.ts'

tubelet('d06_sign_book.mkv')
test.beforeAll(async () => {
  // The first seconds of a clock that shows digits of several sizes.
  const timer = path.join(app.projectDir, 'timer.mp4')
  copyFileSync(clip('t01_timer.mp4'), timer)
  await call('addSources', { body: { paths: [timer] } })
  await done()
})

const inspector = () => page.locator('.inspector')
const row = (task: string) => page.getByRole('region', { name: 'Who does what' }).locator(`[data-task=${task}]`)
const plan = () => page.getByRole('group', { name: 'Before you switch' })
const choose = async (nth: number) => {
  await goTo('Review')
  await clipRows().nth(nth).click()
  await expect(page.locator('.transport')).toContainText('frame')
}
const clipId = async (nth: number) => (await call('listClips')).clips[nth]?.id ?? 0

test('a row a task says who does it; before a task goes to another pack, what all packs cost together is said', async () => {
  await goTo('Packs')
  await expect(row('caption').getByRole('combobox')).toContainText('Tubelet mini')
  await expect(row('caption')).toContainText('sure of nothing until you teach it')
  const boxes = row('boxes').getByRole('combobox', { name: 'Who does it: Boxes' })
  await expect(boxes.locator('option:checked')).toHaveText(/Objects 80/)
  expect(await boxes.locator('option').allTextContents()).toEqual([
    'nobody',
    expect.stringContaining('Objects 80'),
    expect.stringContaining('Tubelet mini'),
  ])
  await boxes.selectOption({ label: (await boxes.locator('option').nth(2).textContent()) ?? '' })
  await expect(plan()).toContainText('It would do: Boxes.')
  await expect(plan()).toContainText(/Memory of all packs together: [\d.]+ [MG]B now, [\d.]+ [MG]B then/)
  await expect(plan()).toContainText(/A minute of video takes all packs together: .+ now, .+ then/)
  expect(await violations()).toEqual([])
  await plan().getByRole('button', { name: 'Not now' }).click()
  await expect(boxes.locator('option:checked')).toHaveText(/Objects 80/)
  expect((await call('status')).packs.boxes?.manifest.id).toBe('objects-80')
})

test('the text task can be given to no pack and back; lines that were read stay, and nothing is read again', async () => {
  const text = row('text').getByRole('combobox')
  const [clips] = [await call('listClips')]
  const read = async () =>
    (await Promise.all(clips.clips.map(({ id }) => call('getClip', { params: { clipId: id } })))).flatMap(({ annotations }) =>
      annotations.filter(({ body }) => body.kind === 'text'),
    ).length
  const before = await read()
  expect(before).toBeGreaterThan(0)
  await text.selectOption('')
  await expect(row('text')).toContainText('Nobody does this here')
  await expect.poll(async () => (await call('status')).packs.text).toBeNull()
  await text.selectOption({ index: 1 })
  await expect(plan()).toContainText('No clip must be seen again')
  await plan().getByRole('button', { name: 'Switch now' }).click()
  await expect.poll(async () => (await call('status')).packs.text?.manifest.id, { timeout: 60_000 }).toBe('screen-text')
  await done()
  expect(await read()).toBe(before)
})

test('a caption made from facts says so, without a share, over the facts; each goes to a frame that shows it', async () => {
  await choose(0)
  const caption = inspector().locator('[data-kind=caption]')
  await expect(caption.locator('.said')).toContainText(/person/i)
  await expect(caption).toContainText('from what was seen')
  await expect(caption).not.toContainText('%')
  const facts = inspector().getByRole('list', { name: 'What was seen' })
  // A key that is pressed before the video is loaded has no effect.
  await expect(async () => {
    await page.keyboard.press('End')
    await expect(page.locator('.transport')).not.toContainText('frame 0', { timeout: 1_000 })
  }).toPass({ timeout: 20_000 })
  await facts.getByRole('button', { name: /^A person/ }).click()
  await expect(page.locator('.transport')).toContainText('frame 0')
  expect(await violations()).toEqual([])
})

test('what facts can answer is answered from them; what nothing answers is said, and guessed only when asked to', async () => {
  const ask = inspector().getByRole('textbox', { name: 'Question about this clip' })
  await ask.fill('How many people are there?')
  await ask.press('Enter')
  const answer = inspector().locator('[data-kind=answer]').filter({ hasText: 'How many people are there?' })
  await expect(answer.locator('.said')).toHaveText(/^(1|one)\b/i)
  await expect(answer).toContainText('from what was seen')
  await ask.fill('Why is she happy about it?')
  await ask.press('Enter')
  const unanswered = inspector().locator('[data-kind=unanswered]')
  await expect(unanswered).toContainText('What can be answered:')
  const before = (await call('getClip', { params: { clipId: await clipId(0) } })).annotations.length
  await unanswered.getByRole('button', { name: 'What Tubelet mini guesses' }).click()
  await expect(unanswered).toContainText('a guess', { timeout: 30_000 })
  await inspector().getByRole('button', { name: 'What Tubelet mini guesses' }).click()
  await expect(inspector().locator('.guessed')).toHaveCount(2, { timeout: 30_000 })
  expect((await call('getClip', { params: { clipId: await clipId(0) } })).annotations).toHaveLength(before)
  expect(await violations()).toEqual([])
})

test('what nobody asked for becomes a label by one click; a label that no pack can see is told from one that is not there', async () => {
  await inspector().getByRole('button', { name: 'Add “person” to the labels' }).click()
  await expect(inspector().getByRole('list', { name: 'Labels' })).toContainText(/person 1/)
  await expect(inspector().getByRole('button', { name: 'Add “person” to the labels' })).toHaveCount(0)
  const add = inspector().getByRole('textbox', { name: 'Add a label' })
  await add.fill('helmet, dog')
  await expect(inspector().getByRole('note')).toHaveText('“Objects 80” cannot see “helmet”. Nearest that it can: person.')
  await add.press('Enter')
  await expect(inspector().getByRole('list', { name: 'Labels' })).toContainText(/helmet cannot see/)
  await expect(inspector().getByRole('list', { name: 'Labels' })).toContainText(/dog 0/)
  for (const text of ['helmet', 'dog']) await call('addColumn', { body: { kind: 'count', text } })
  await call('addColumn', { body: { kind: 'yesno', text: 'Is there a helmet?' } })
  await goTo('Table')
  const cells = page.getByRole('row').filter({ hasText: 'd06' }).getByRole('gridcell')
  await expect(cells.filter({ hasText: 'cannot see' })).toHaveCount(1)
  await expect(cells.filter({ hasText: /^0\s*not sure$/ })).toHaveCount(1)
  await cells.filter({ hasText: 'cannot answer' }).click()
  await expect(page.getByRole('region', { name: 'Chosen cell' })).toContainText(
    'This pack cannot see “helmet”; nearest that it can: person.',
  )
  await goTo('Labels')
  await page.getByRole('button', { name: /^helmet/ }).click()
  await expect(page.getByText('It is not looked for.')).toBeVisible()
  await expect(page.getByRole('slider', { name: /^Threshold/ })).toHaveCount(0)
})

test('text on screen is listed, on a lane of its own and outlined while it stands there; it is decided like a caption', async () => {
  await choose(1)
  const list = inspector().locator('.text-item')
  const first = list.filter({ hasText: /\d\d:\d\d/ }).first()
  await expect(page.getByRole('group', { name: 'Text', exact: true }).getByRole('button').first()).toBeVisible()
  await first.getByRole('button', { name: /\d\d:\d\d/ }).click()
  await expect(first).toHaveAttribute('aria-current', 'true')
  const id = await first.getAttribute('data-annotation')
  await expect(page.locator(`[data-text-box="${id}"][data-selected=true]`)).toBeVisible()
  expect(await violations()).toEqual([])
  await page.keyboard.press('x')
  await expect(inspector().locator(`.text-item[data-annotation="${id}"]`)).toHaveAttribute('data-state', 'rejected')
  await expect(page.locator(`[data-text-box="${id}"]`)).toHaveCount(0)
  await page.keyboard.press('Control+z')
  await expect(inspector().locator(`.text-item[data-annotation="${id}"]`)).toHaveAttribute('data-state', 'machine')
  await inspector().locator(`.text-item[data-annotation="${id}"]`).getByRole('button', { name: 'Edit text' }).click()
  await page.getByRole('textbox', { name: 'Text on screen' }).fill('A clock')
  await page.keyboard.press('Enter')
  await expect(inspector().locator(`.text-item[data-annotation="${id}"]`)).toContainText('A clock')
  // What was measured of the same pictures while the video was analysed.
  const ask = inspector().getByRole('textbox', { name: 'Question about this clip' })
  await ask.fill('What colour is the background?')
  await ask.press('Enter')
  const answer = inspector().locator('[data-kind=answer]').filter({ hasText: 'What colour is the background?' })
  await expect(answer.locator('.said')).toHaveText(/^White/)
})

test('a box is followed forward by key: one step of undo, and it is said how far', async () => {
  await choose(0)
  await page.keyboard.press('Home')
  await inspector().locator('.track:has([data-label-of]) input').first().focus()
  await page.keyboard.press('Escape')
  const track = async () =>
    (await call('getClip', { params: { clipId: await clipId(0) } })).annotations.flatMap(({ body, state }) =>
      body.kind === 'track' && state === 'edited' ? [body] : [],
    )
  expect(await track()).toEqual([])
  await page.locator('.boxes [data-box]').first().focus()
  await page.keyboard.press('Shift+F')
  await expect(page.getByRole('region', { name: 'Notifications' })).toContainText(/was followed to 0:0\d\.\d\d/, { timeout: 60_000 })
  expect((await track())[0]?.boxes.length).toBeGreaterThan(1)
  await page.keyboard.press('Control+z')
  await expect.poll(track).toEqual([])
})

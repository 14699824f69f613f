/** The vocabulary in the real window: named, looked for, dragged, compared, merged, undone, kept as a file. A real clip and the sample, and the real pack that looks for any words. */
import path from 'node:path'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from '@playwright/test'
import type { MammutManifest } from '../app/pack/mammut.ts'
import { accessible, app, call, done, goTo, page, tubelet, violations } from './app.ts'

tubelet('d09_dashcam_short.mp4')
test.beforeAll(async () => {
  // On any video the pack finds some stars and moons if the threshold is low enough.
  await call('addSources', { body: { paths: [path.resolve(import.meta.dirname, '..', 'models', 'packs', 'sample.mp4')] } })
  await done()
  await call('usePack', { params: { packId: 'tubelet-mini' }, body: { tasks: ['boxes'] } })
  await expect.poll(async () => (await call('status')).packs.boxes?.manifest.id, { timeout: 60_000 }).toBe('tubelet-mini')
  await done()
  await goTo('Labels')
})

const list = () => page.getByRole('list', { name: 'Labels' })
const slider = () => page.getByRole('slider', { name: /^Threshold of/ })
/** The number of tracks that remain: the first of the numbers shown. */
const remaining = async () => Number(await page.getByLabel('What remains').locator('strong').first().textContent())
const threshold = async () => Number(await slider().getAttribute('aria-valuenow'))
const annotations = async () =>
  (await Promise.all((await call('listClips')).clips.map(({ id }) => call('getClip', { params: { clipId: id } })))).flatMap(
    (detail) => detail.annotations,
  )
const stars = async () => (await annotations()).filter(({ body }) => body.kind === 'track' && body.label === 'star')
const starCount = async () => (await stars()).length

test('an empty vocabulary says what to do', async () => {
  await expect(page.getByRole('heading', { name: 'Name what you want to find' })).toBeVisible()
  expect(await violations()).toEqual([])
})

test('labels are looked for in what is encoded, and their scores are counted over the library', async () => {
  await page.getByLabel('Add labels').fill('star, moon')
  await page.keyboard.press('Enter')
  await expect(list().getByRole('listitem')).toHaveCount(2)
  await done()
  await expect(page.getByLabel('What remains')).toContainText(/of [1-9]/)
})

test('a dragged threshold shows at once what remains, and is saved once', async () => {
  const before = await threshold()
  const drawn = await starCount()
  await slider().focus()
  await page.keyboard.press('Home')
  await expect.poll(remaining).toBeGreaterThan(0)
  const all = await remaining()
  const line = await slider().boundingBox()
  if (!line) throw new Error('the line is not on the screen')
  const plot = await page.locator('.histogram').boundingBox()
  if (!plot) throw new Error('the histogram is not on the screen')
  await page.mouse.move(line.x + line.width / 2, plot.y + plot.height / 2)
  await page.mouse.down()
  await page.mouse.move(plot.x + plot.width * 0.2, plot.y + plot.height / 2, { steps: 6 })
  await page.mouse.up()
  expect(await threshold()).toBeCloseTo(0.04, 2)
  const kept = await remaining()
  expect(kept).toBeLessThanOrEqual(all)
  expect(await starCount()).toBe(drawn)
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(page.getByRole('region', { name: 'Unsaved thresholds' })).toHaveCount(0)
  expect(await starCount()).toBe(kept)
  await page.keyboard.press('Control+z')
  await expect.poll(threshold).toBe(before)
  await expect.poll(starCount).toBe(drawn)
  await page.keyboard.press('Control+Shift+Z')
  await expect.poll(starCount).toBe(kept)
})

test('the boxes in the picture follow the threshold before it is saved', async () => {
  await slider().focus()
  await page.keyboard.press('Home')
  const shown = page.getByRole('status').filter({ hasText: /tracks? shown/ })
  await expect(shown).toHaveText(/^[1-9]/)
  // A track may not be on the first frame, and may be on only one: step frame by frame until there is one.
  const position = page.getByLabel('Position in the clip')
  const boxes = page.locator('.looking [data-track]')
  while ((await boxes.count()) === 0) {
    const frame = await position.inputValue()
    await page.getByRole('button', { name: 'One frame on' }).click()
    await expect(position).not.toHaveValue(frame)
  }
  await slider().focus()
  await page.keyboard.press('End')
  await expect(shown).toHaveText(/^0/)
  await page.getByRole('button', { name: 'Reset' }).click()
})

test('two thresholds stand side by side, with what only one of them has', async () => {
  await page.getByRole('button', { name: 'Compare two thresholds or packs' }).click()
  await page.getByRole('group', { name: 'Left' }).getByLabel('Thresholds').selectOption('one')
  await page.getByRole('group', { name: 'Left' }).getByRole('slider').fill('0')
  await page.getByRole('group', { name: 'Right' }).getByRole('slider').fill('1')
  const agreement = page.getByRole('status').filter({ hasText: 'on both sides' })
  await expect(agreement).toContainText(/0 on both sides.*[1-9]\d* only left.*0 only right/)
  await page.getByRole('button', { name: 'Next difference' }).click()
  await expect(page.locator('.looking [data-alone=true]').first()).toBeAttached()
  await page.getByRole('group', { name: 'Right' }).getByRole('slider').fill('0')
  await expect(agreement).toContainText(/[1-9]\d* on both sides.*0 only left.*0 only right/)
  await page.getByRole('button', { name: 'Compare two thresholds or packs' }).click()
})

test('a synonym that was typed is kept where another label is chosen, as a name is', async () => {
  await page.getByLabel('Add a synonym').fill('sun')
  await list().getByRole('button', { name: /^moon/ }).click()
  await expect
    .poll(async () => (await call('getLabels')).labels.map(({ name, synonyms }) => [name, ...synonyms]))
    .toContainEqual(['star', 'sun'])
  await page.keyboard.press('Control+z')
  await expect.poll(async () => (await call('getLabels')).labels.flatMap(({ synonyms }) => synonyms)).toEqual([])
  await list().getByRole('button', { name: /^star/ }).click()
})

test('a label is merged into another with one step of undo', async () => {
  await page.getByLabel('Merge into another label').selectOption('moon')
  await expect(list().getByRole('listitem')).toHaveCount(1)
  await expect(list()).toContainText('star')
  await done()
  await page.keyboard.press('Control+z')
  await expect(list().getByRole('listitem')).toHaveCount(2)
})

test('removing a label asks about the boxes that a person accepted', async () => {
  await done()
  await expect.poll(starCount).toBeGreaterThan(0)
  await call('reviewAnnotation', { params: { annotationId: (await stars())[0]?.id ?? 0 }, body: { action: 'accept' } })
  await list().getByRole('button', { name: /^star/ }).click()
  await page.reload()
  await goTo('Labels')
  await page.getByRole('button', { name: 'Remove star' }).click()
  await page.getByRole('button', { name: 'Remove, keep mine' }).click()
  await expect(list().getByRole('listitem')).toHaveCount(1)
  await done()
  await expect.poll(starCount).toBe(1)
})

test('a list of labels is taken as long as it is; a name that is too long is told plainly, and what was typed stays', async () => {
  const kept = (await call('getLabels')).labels
  const named = async () => (await call('getLabels')).labels.map(({ name }) => name)
  const long = 'x'.repeat(61)
  const notice = page.locator('[data-sonner-toast]').filter({ hasText: 'A name has at most 60 characters. This one has 61' })
  await page.getByLabel('Add labels').fill(`tree, ${long}`)
  await page.keyboard.press('Enter')
  await expect(notice).toBeVisible()
  await expect(page.getByLabel('Add labels')).toHaveValue(`tree, ${long}`)
  await page.getByLabel('Add labels').fill('')
  await page.getByLabel('Add a synonym').fill(long)
  await page.keyboard.press('Enter')
  await expect(page.getByLabel('Add a synonym')).toHaveValue(long)
  await page.getByLabel('Add a synonym').fill('')
  expect(await named()).toEqual(kept.map(({ name }) => name))
  await goTo('Review')
  const list = ['a brown wooden door', 'an open window', 'a long red fire engine', 'a small grey cat', 'a bicycle']
  await page.getByLabel('Add a label').fill(list.join(', '))
  await page.keyboard.press('Enter')
  await expect(page.getByLabel('Add a label')).toHaveValue('')
  expect(await named()).toEqual([...kept.map(({ name }) => name), ...list])
  await call('setLabels', { body: { labels: kept } })
  await done()
  await goTo('Labels')
})

test('the vocabulary goes out as a file and comes back from one', async () => {
  await expect(list().getByRole('listitem')).toHaveCount(1)
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export the vocabulary' }).click()])
  const out = path.join(app.projectDir, 'labels.csv')
  await file.saveAs(out)
  expect(readFileSync(out, 'utf8')).toMatch(/^moon,#[0-9a-f]{6},0\.6\r\n$/)
  writeFileSync(out, 'moon, #ff0000, 0.25, crescent\nring\n')
  await page.getByLabel('Vocabulary file').setInputFiles(out)
  await expect(list().getByRole('listitem')).toHaveCount(2)
  await expect(list()).toContainText('crescent')
  await expect(list()).toContainText('≥ 0.25')
  await done()
})

test('two packs stand side by side on one clip: what each says of it, and the boxes that only one has', async () => {
  // The same weights with other label prompts and a higher confidence: other scores, and boxes that the first pack does not give.
  const folder = path.join(app.projectDir, 'plain')
  cpSync(path.resolve(import.meta.dirname, '..', 'models', 'packs', 'tubelet-mini'), folder, { recursive: true })
  const manifest = JSON.parse(readFileSync(path.join(folder, 'pack.json'), 'utf8')) as MammutManifest
  const { detect } = manifest.calibration
  if (!detect) throw new Error('the pack finds no boxes')
  writeFileSync(
    path.join(folder, 'pack.json'),
    JSON.stringify({
      ...manifest,
      calibration: { ...manifest.calibration, detect: { ...detect, bias: detect.bias + 4 } },
      id: 'tubelet-mini-plain',
      version: '9.9.9',
      name: 'Plain',
      prompts: { ...manifest.prompts, label: '{label}' },
    }),
  )
  const worked = () =>
    expect.poll(async () => (await call('listPacks')).works.map(({ state }) => state), { timeout: 60_000 }).not.toContain('running')
  await call('setLabels', { body: { labels: ['star', 'moon'].map((name) => ({ name, synonyms: [], colour: '#69c1fc', threshold: 0 })) } })
  await done()
  await call('importPack', { body: { path: folder } })
  await worked()
  await call('usePack', { params: { packId: 'tubelet-mini-plain' }, body: { tasks: ['boxes'] } })
  await worked()
  await expect.poll(async () => (await call('listPacks')).packs.find(({ does }) => does.includes('boxes'))?.id).toBe('tubelet-mini-plain')
  await done()
  await page.reload()
  await goTo('Labels')
  await page.getByRole('button', { name: 'Compare two thresholds or packs' }).click()
  const [left, right] = [page.getByRole('group', { name: 'Left' }), page.getByRole('group', { name: 'Right' })]
  await right.getByLabel('Thresholds').selectOption('own')
  await page.getByLabel(/^Only /).uncheck()
  const agreement = page.getByRole('status').filter({ hasText: 'on both sides' })
  await expect(agreement).toContainText(/[1-9]\d* on both sides.*0 only left.*0 only right/)
  await left.getByLabel('Pack').selectOption({ label: 'tubelet-mini-plain 9.9.9' })
  await right.getByLabel('Pack').selectOption({ index: 0 })
  await expect(right.getByLabel('Pack').locator(':checked')).toHaveText(/^tubelet-mini \d/)
  await expect(agreement).not.toContainText(/\b0 only left/)
  const clips = (await call('listClips')).clips
  for (const side of [left, right])
    expect(clips.some(({ caption }) => caption !== null)).toBe((await side.locator('.told').textContent()) !== '')
  expect(await violations()).toEqual([])
})

test('the page is accessible in both themes', async () => {
  await accessible()
})

test('labels that another window has changed meanwhile are not overwritten', async () => {
  await goTo('Labels')
  const { labels } = await call('getLabels')
  // This window learns of nothing until it has asked for its change.
  await page.route('**/api/labels', (route) => (route.request().method() === 'GET' ? undefined : route.continue()))
  await call('setLabels', { body: { labels: [...labels, { name: 'theirs', synonyms: [], colour: '#69c1fc', threshold: 0.5 }] } })
  await page.getByLabel('Add labels').fill('mine')
  await page.keyboard.press('Enter')
  await expect(page.getByText('The labels were changed in another place meanwhile.')).toBeVisible()
  await page.unrouteAll({ behavior: 'ignoreErrors' })
  expect((await call('getLabels')).labels.map(({ name }) => name)).toEqual([...labels.map(({ name }) => name), 'theirs'])
  await call('setLabels', { body: { labels } })
})

test('a change that is made before the answer to the one before adds to it', async () => {
  await goTo('Labels')
  // What the test before did has arrived.
  await expect(page.getByRole('button', { name: /^theirs/ })).toHaveCount(0)
  await page.route('**/api/labels', async (route) => {
    if (route.request().method() === 'PUT') await new Promise((resolve) => setTimeout(resolve, 1_000))
    await route.continue()
  })
  const add = page.getByLabel('Add labels')
  for (const name of ['first of two', 'second of two']) {
    await add.fill(name)
    await add.press('Enter')
    await expect(page.getByRole('button', { name: new RegExp(`^${name}`) })).toBeVisible()
  }
  await expect
    .poll(async () => (await call('getLabels')).labels.map(({ name }) => name), { timeout: 20_000 })
    .toEqual(expect.arrayContaining(['first of two', 'second of two']))
  await page.unroute('**/api/labels')
})

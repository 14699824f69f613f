/** Decisions and edits in the real window: they apply to what was selected, are kept, and are undone step by step. */
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { call, clipRows, done, goTo, page, tubelet } from './app.ts'
import { clip } from './clips.ts'

tubelet()
const SAMPLE = path.resolve(import.meta.dirname, '..', 'models', 'packs', 'sample.mp4')

const clipId = async () => Number(await page.locator('[data-clip][aria-current=true]').getAttribute('data-clip'))
const annotations = async () => (await call('getClip', { params: { clipId: await clipId() } })).annotations
const caption = async () => (await annotations()).flatMap(({ body, state }) => (body.kind === 'caption' ? [[body.text, state]] : []))[0]
const trackStates = async () => (await annotations()).filter(({ body }) => body.kind === 'track').map(({ state }) => state)
const rows = () => page.locator('li.track')
const notice = (text: string) => page.getByRole('listitem').filter({ hasText: text })
const goToFrame = async (ordinal: number) => {
  await page.keyboard.press('g')
  await page.getByLabel('Go to a time or a frame').fill(`#${ordinal}`)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('timer')).toContainText(`frame ${ordinal}`)
}
/** The first clip with at least so many tracks, chosen, with nothing else chosen and no edits. */
const clipWithTracks = async (least: number) => {
  const { clips } = await call('listClips')
  const details = await Promise.all(clips.map(({ id }) => call('getClip', { params: { clipId: id } })))
  const found = details.find(
    (one) => one.annotations.filter(({ body, state }) => body.kind === 'track' && state === 'machine').length >= least,
  )
  if (!found) throw new Error(`no clip has ${least} tracks`)
  await page.locator(`[data-clip="${found.clip.id}"]`).click()
  await expect(rows().first()).toBeVisible()
}

test.beforeAll(async () => {
  await call('setLabels', {
    body: { labels: ['bottle', 'bird'].map((name) => ({ name, synonyms: [], colour: '#69c1fc', threshold: 0.02 })) },
  })
  await call('addSources', { body: { paths: [SAMPLE, clip('d03_bottles.mp4')] } })
  await done()
})
/** Each test starts with the library as it was after analysis. */
test.afterEach(async () => {
  await call('jump', { body: { step: 1 } })
  await page.reload()
  await expect(clipRows().first()).toBeVisible()
})

test('after a track was rejected the keys still apply to it and can restore it; an edited caption is left alone', async () => {
  await clipWithTracks(1)
  await page.getByRole('button', { name: 'Edit caption' }).click()
  await page.getByRole('textbox', { name: 'Caption' }).fill('a zebra and a cake')
  await page.keyboard.press('Enter')
  await expect.poll(caption).toEqual(['a zebra and a cake', 'edited'])
  await rows()
    .first()
    .click({ position: { x: 4, y: 4 } })
  for (const [key, state] of [
    ['x', 'rejected'],
    ['u', 'machine'],
    ['x', 'rejected'],
    ['a', 'accepted'],
  ] as const) {
    await page.keyboard.press(key)
    await expect(rows().first()).toHaveAttribute('data-state', state)
    expect((await trackStates())[0]).toBe(state)
    expect(await caption()).toEqual(['a zebra and a cake', 'edited'])
  }
})

test('several tracks are decided in one step of undo', async () => {
  await clipWithTracks(2)
  await rows()
    .nth(0)
    .click({ position: { x: 4, y: 4 } })
  await rows()
    .nth(1)
    .click({ modifiers: ['Shift'], position: { x: 4, y: 4 } })
  await page.keyboard.press('a')
  await expect.poll(async () => (await trackStates()).slice(0, 2)).toEqual(['accepted', 'accepted'])
  await page.keyboard.press('Control+z')
  await expect.poll(async () => (await trackStates()).slice(0, 2)).toEqual(['machine', 'machine'])
})

test('the Undo of a notice undoes what the notice reports, and the notice disappears after the next action', async () => {
  await clipWithTracks(1)
  await page.keyboard.press('a')
  const accepted = page
    .getByRole('listitem')
    .filter({ hasText: /accepted/i })
    .getByRole('button', { name: 'Undo' })
  // A notice under the pointer does not close by itself.
  await accepted.hover()
  await page.keyboard.press('Control+z')
  await expect(notice('Undone')).toBeVisible()
  await expect(accepted).toHaveCount(0)
  await goTo('Table')
  const cell = (line: number) => page.getByRole('row').nth(line).locator('[data-key=caption]')
  await cell(1).click()
  await page.keyboard.press('Control+Enter')
  await notice('Accepted 1 cell').getByRole('button', { name: 'Undo' }).hover()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('F2')
  await page.keyboard.press('Control+a')
  await page.keyboard.type('mine')
  await page.keyboard.press('Enter')
  await expect(notice('Accepted 1 cell').getByRole('button', { name: 'Undo' })).toHaveCount(0)
})

test('a box is drawn on the frame that is shown, by key or by mouse, whichever clip is chosen; the clip that it lies in is looked at', async () => {
  const { clips } = await call('listClips', { query: { sourceId: 2 } })
  const drawn = async () =>
    (
      await Promise.all(
        clips.map(async ({ id }) =>
          (
            await call('getClip', { params: { clipId: id } })
          ).annotations.flatMap(({ clipId, body, machine }) =>
            clipId === id && body.kind === 'track' && machine === null ? [[id, body.boxes[0]?.ordinal]] : [],
          ),
        ),
      )
    ).flat()
  const clipAt = (frame: number) => clips.find(({ startFrame, endFrame }) => startFrame <= frame && frame < endFrame)?.id ?? 0
  await page.locator(`[data-clip="${clips[2]?.id ?? 0}"]`).click()
  await expect(page.locator('video')).toHaveJSProperty('readyState', 4)
  await goToFrame(10)
  await page.keyboard.press('n')
  await page.keyboard.press('Enter')
  await expect.poll(drawn).toEqual([[clipAt(10), 10]])
  await expect(page.locator(`[data-clip="${clipAt(10)}"]`)).toHaveAttribute('aria-current', 'true')
  await expect(page.getByRole('timer')).toContainText('frame 10')
  // A new box asks for its label as soon as it is stored; keys pressed before would be typed into the field.
  await expect(page.locator('input[data-label-of]:focus')).toBeVisible()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await goToFrame(500)
  await page.keyboard.press('n')
  const picture = await page.locator('.picture').boundingBox()
  if (!picture) throw new Error('the picture is not on the screen')
  await page.mouse.move(picture.x + 60, picture.y + 60)
  await page.mouse.down()
  await page.mouse.move(picture.x + 160, picture.y + 160, { steps: 3 })
  await page.mouse.up()
  await expect.poll(drawn).toEqual([
    [clipAt(10), 10],
    [clipAt(500), 500],
  ])
  await expect(page.getByRole('timer')).toContainText('frame 500')
})

test('a threshold can be typed, is stepped by its arrows, and is left as it was by Escape', async () => {
  await goTo('Labels')
  const field = page.getByRole('spinbutton', { name: 'Threshold' })
  const at = async () => Number(await page.getByRole('slider', { name: /^Threshold of/ }).getAttribute('aria-valuenow'))
  await field.click()
  await page.keyboard.press('Control+a')
  await page.keyboard.type('0.25')
  await expect(field).toHaveValue('0.25')
  expect(await at()).toBe(0.02)
  await page.keyboard.press('Enter')
  expect(await at()).toBe(0.25)
  await page.keyboard.press('ArrowUp')
  await expect.poll(at).toBe(0.251)
  await expect(field).toHaveValue('0.251')
  await page.keyboard.press('Control+a')
  await page.keyboard.type('0.9')
  await page.keyboard.press('Escape')
  await expect(field).toHaveValue('0.251')
  await page.keyboard.press('Control+a')
  await page.keyboard.type('0.4')
  await page.getByLabel('Add labels').click()
  expect(await at()).toBe(0.4)
})

test('undo takes a dragged threshold back before what was saved', async () => {
  await goTo('Review')
  await clipRows().first().click()
  await expect(page.getByRole('button', { name: 'Accept caption' })).toBeVisible()
  await page.keyboard.press('a')
  const accepted = async () => (await call('listClips')).clips.filter(({ captionState }) => captionState === 'accepted').length
  await expect.poll(accepted).toBe(1)
  await goTo('Labels')
  await page.getByRole('slider', { name: /^Threshold of/ }).press('PageUp')
  const unsaved = page.getByRole('region', { name: 'Unsaved thresholds' })
  await expect(unsaved).toBeVisible()
  await page.keyboard.press('Control+z')
  await expect(unsaved).toHaveCount(0)
  expect(await accepted()).toBe(1)
  await page.keyboard.press('Control+z')
  await expect.poll(accepted).toBe(0)
})

test('a text that is being written outlives a look at another clip and another page, until it is saved or cancelled', async () => {
  const [first, second] = [clipRows().nth(0), clipRows().nth(1)]
  await first.click()
  const field = page.getByRole('textbox', { name: 'Caption', exact: true })
  await page.getByRole('button', { name: 'Edit caption' }).click()
  await field.fill('a hand takes a bottle away')
  await page.keyboard.press('Escape')
  await expect(field).toHaveCount(0)
  await page.getByRole('button', { name: 'Edit caption' }).click()
  await field.fill('a hand takes a bottle')
  await second.click()
  await expect(field).toHaveCount(0)
  const { clip: shown } = await call('getClip', { params: { clipId: await clipId() } })
  await expect(page.getByRole('timer')).toContainText(`frame ${shown.startFrame}`)
  await page.keyboard.press('Shift+T')
  const note = page.getByRole('textbox', { name: 'Note' })
  await expect(note).toBeFocused()
  await page.keyboard.type('ask Anna')
  await goTo('Table')
  await goTo('Review')
  await expect(note).toHaveValue('ask Anna')
  // Moving through the clips by key does not put the focus into a field.
  await first.click()
  await expect(field).toHaveValue('a hand takes a bottle')
  await expect(field).not.toBeFocused()
  await expect(note).toHaveCount(0)
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(field).toHaveCount(0)
  expect(await caption()).toEqual(['a hand takes a bottle', 'edited'])
  await second.click()
  await note.press('Enter')
  await expect(note).toHaveCount(0)
  expect((await annotations()).map(({ body }) => ('text' in body ? body.text : ''))).toContain('ask Anna')
})

test('a text that could not be saved stays in its field', async () => {
  await clipRows().first().click()
  await page.route('**/api/edits', (route) => route.abort())
  const field = page.getByRole('textbox', { name: 'Caption', exact: true })
  await page.getByRole('button', { name: 'Edit caption' }).click()
  await field.fill('of mine')
  await page.keyboard.press('Enter')
  await expect(notice('Tubelet does not answer')).toBeVisible()
  await expect(field).toHaveValue('of mine')
  await page.keyboard.press('Shift+T')
  await expect(field).toHaveValue('of mineT')
  await page.unroute('**/api/edits')
  await page.keyboard.press('Enter')
  await expect(field).toHaveCount(0)
  expect(await caption()).toEqual(['of mineT', 'edited'])
})

test('the next question can be typed while the answer to the last one comes', async () => {
  await clipRows().first().click()
  const answering = Promise.withResolvers<undefined>()
  await page.route('**/ask', async (route) => {
    await answering.promise
    await route.continue()
  })
  const field = page.getByRole('textbox', { name: 'Question about this clip' })
  await field.fill('is there a person?')
  await page.keyboard.press('Enter')
  await field.fill('is there a dog?')
  answering.resolve(undefined)
  await expect
    .poll(async () => (await annotations()).flatMap(({ body }) => (body.kind === 'answer' ? [body.question] : [])))
    .toEqual(['is there a person?'])
  await expect(page.locator('.inspector .caret')).toHaveCount(0)
  await expect(field).toHaveValue('is there a dog?')
  await page.unroute('**/ask')
  await page.keyboard.press('Enter')
  await expect(field).toHaveValue('')
})

test('boxes that were rejected are not counted', async () => {
  await clipWithTracks(1)
  const head = page.getByRole('heading', { name: 'Boxes' })
  const before = (await trackStates()).length
  await expect(head).toContainText(`Boxes ${before}`)
  await rows()
    .first()
    .click({ position: { x: 4, y: 4 } })
  const size = page.viewportSize()
  await page.setViewportSize({ width: 1024, height: 700 })
  for (const tool of await page.getByRole('toolbar', { name: 'Chosen tracks' }).getByRole('button').all())
    await expect(tool).toBeInViewport({ ratio: 1 })
  if (size !== null) await page.setViewportSize(size)
  await page.keyboard.press('x')
  await expect(head).toContainText(before > 1 ? `Boxes ${before - 1}` : /^Boxes Draw/)
  await expect(rows()).toHaveCount(before)
})

test('in a narrow window, in either language, nothing at the sides is cut off that says what was decided or can be done', async () => {
  await call('addSources', { body: { paths: [clip('b01_zero_length.mp4')] } })
  await done()
  const { clips } = await call('listClips')
  const captions = await Promise.all(
    clips
      .slice(0, 3)
      .map(
        async ({ id }) =>
          (await call('getClip', { params: { clipId: id } })).annotations.find(({ body }) => body.kind === 'caption')?.id ?? 0,
      ),
  )
  for (const [nth, action] of (['accept', 'reject', 'edit'] as const).entries()) {
    await call('reviewAnnotation', {
      params: { annotationId: captions[nth] ?? 0 },
      body: {
        action,
        ...(action === 'edit' ? { body: { kind: 'caption', text: 'a caption that a person wrote, longer than its two lines are' } } : {}),
      },
    })
  }
  // As while a video of a long name is analysed.
  const queue = await call('queue')
  const job = { ...queue.jobs[0], kind: 'analyse', state: 'running', progress: 0.5, title: `${'a recording of a lecture '.repeat(8)}.mp4` }
  await page.route('**/api/queue', (route) => route.fulfill({ json: { ...queue, jobs: [job], running: 1, paused: false, etaSeconds: 75 } }))
  for (const language of ['de', 'en']) {
    await page.evaluate((code) => localStorage.setItem('tubelet-language', code), language)
    for (const [width, height] of [
      [1440, 900],
      [1024, 700],
      [720, 450],
    ] as const) {
      await page.setViewportSize({ width, height })
      await page.reload()
      await clipRows().first().click()
      await expect(page.locator('.inspector [data-kind=caption]')).toBeVisible()
      const faults = await page.evaluate(() => {
        const said = document.querySelector('.inspector .scroll')
        const wide =
          said && said.scrollWidth > said.clientWidth ? [`what is said is ${said.scrollWidth} px wide in ${said.clientWidth}`] : []
        const inside = (child: Element, parent: Element | null) =>
          child.getBoundingClientRect().right <= (parent?.getBoundingClientRect().right ?? 0)
        const cut = [...document.querySelectorAll('.clip-row em')]
          .filter((one) => !inside(one, one.closest('.text')))
          .map((one) => `${one.textContent} is cut off`)
        const status = [...document.querySelectorAll('.statusbar > button')].flatMap((button, nth, all) => {
          const next = all[nth + 1]
          const words = button.querySelector('[role=status]') ?? button
          return next && words.getBoundingClientRect().right > next.getBoundingClientRect().left
            ? [`${words.textContent} lies over what follows`]
            : []
        })
        return [...wide, ...cut, ...status]
      })
      expect(faults, `${language} ${width}`).toEqual([])
      expect(await page.locator('.clip-row em').count()).toBeGreaterThanOrEqual(2)
      await expect(page.locator('.statusbar [role=status]')).toContainText('50')
    }
  }
  await page.unroute('**/api/queue')
  await page.evaluate(() => localStorage.setItem('tubelet-language', 'en'))
  await page.setViewportSize({ width: 1440, height: 900 })
})

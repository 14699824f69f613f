/** Search and evidence in the real window, on real clips and a re-encoded copy of one. What is tested holds whatever the pack has learnt. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { glancesOf } from '../app/gaze.ts'
import { findMediaTools } from '../main/media/tools.ts'
import { copyTalkative } from '../main/packs/pack.testing.ts'
import { accessible, app, call, done, goTo, page, tubelet } from './app.ts'
import { clip } from './clips.ts'

tubelet()

let videos: string
test.beforeAll(async () => {
  videos = path.join(app.projectDir, 'videos')
  mkdirSync(videos)
  const { ffmpeg } = await findMediaTools()
  const make = (...args: string[]) => execFileSync(ffmpeg, ['-v', 'error', ...args])
  make(
    '-i',
    clip('d03_bottles.mp4'),
    '-t',
    '15.9',
    '-an',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-crf',
    '20',
    path.join(videos, 'original.mp4'),
  )
  make(
    '-i',
    path.join(videos, 'original.mp4'),
    '-vf',
    'scale=trunc(iw/4)*2:-2',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-crf',
    '33',
    path.join(videos, 'smaller copy.mp4'),
  )
  make('-i', clip('d09_dashcam_short.mp4'), '-an', '-c:v', 'libx264', '-preset', 'veryfast', path.join(videos, 'road.mp4'))
})

function missing(what: string): never {
  throw new Error(what)
}
const results = () => page.getByRole('navigation', { name: 'Search results' })
const rows = () => results().locator('[data-clip]')
const searchFor = async (words: string) => {
  await page.keyboard.press('/')
  await page.keyboard.press('Control+a')
  await page.keyboard.type(words)
  await page.keyboard.press('Enter')
}
const clipsOf = async (name: string) => (await call('listClips')).clips.filter(({ sourceName }) => sourceName === name)
const open = async (name: string, index = 0) => {
  const found = (await clipsOf(name))[index] ?? missing(`no clip ${index} in ${name}`)
  await page.locator(`nav [data-clip="${found.id}"]`).click()
  await expect(page.locator('video')).toHaveJSProperty('readyState', 4, { timeout: 30_000 })
  return found
}

test('while a batch runs, search says how much it has seen, and goes on by itself', async () => {
  await call('addSources', { body: { paths: [videos] } })
  await expect(page.getByRole('combobox', { name: 'Search' })).toBeEnabled()
  await searchFor('bottles on a shelf')
  await expect(
    results()
      .getByText(/so far|still being read/)
      .first(),
  ).toBeVisible()
  await expect(results().getByText(/so far|still being read/)).toHaveCount(0, { timeout: 90_000 })
  const { searched, total, unread } = await call('search', { body: { query: { by: 'words', words: 'bottles on a shelf' } } })
  expect({ searched, unread }).toEqual({ searched: total, unread: 0 })
  await expect(rows().first()).toBeVisible()
})

test('arrow keys move from the search box to the results and back', async () => {
  await searchFor('a shelf with bottles')
  await expect(page.getByRole('combobox', { name: 'Search' })).toBeFocused()
  await expect(results().getByText('“a shelf with bottles”')).toBeVisible()
  await page.keyboard.press('ArrowDown')
  await expect(rows().first()).toHaveAttribute('aria-current', 'true')
  await expect(page.getByRole('combobox', { name: 'Search' })).not.toBeFocused()
  await page.keyboard.press('ArrowDown')
  await expect(rows().nth(1)).toHaveAttribute('aria-current', 'true')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('navigation', { name: 'Library' })).toBeVisible()
  await page.keyboard.press('/')
  const earlier = page.getByRole('listbox', { name: 'Earlier searches' })
  await expect(earlier.getByRole('option')).toHaveText(['a shelf with bottles', 'bottles on a shelf'])
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await expect(results()).toBeVisible()
  await expect(page.getByRole('combobox', { name: 'Search' })).toHaveValue('bottles on a shelf')
  await page.keyboard.press('Escape')
})

test('a re-encoded copy is what is most like a clip', async () => {
  const original = await open('original.mp4')
  const [copy] = await clipsOf('smaller copy.mp4')
  await page.keyboard.press('s')
  await expect(rows().first()).toHaveAttribute('data-clip', String(copy?.id))
  const { hits } = await call('search', { body: { query: { by: 'clip', clipId: original.id } } })
  expect(hits[0]?.clip.id).toBe(copy?.id)
  expect(hits[0]?.score ?? 0).toBeGreaterThan(Math.max(-1, ...hits.slice(1).map(({ score }) => score ?? -1)))
})

test('copies are listed once, beneath the best of them', async () => {
  await page.keyboard.press('Escape')
  await open('road.mp4')
  await page.getByRole('button', { name: 'Find similar' }).click()
  const copies = results().getByRole('button', { name: 'Same picture: 1 more clip' })
  await expect(copies.first()).toBeVisible()
  const listed = await rows().count()
  await copies.first().click()
  await expect(rows()).toHaveCount(listed + 1)
  const names = await rows().allTextContents()
  expect(names.some((text) => text.includes('original.mp4')) && names.some((text) => text.includes('smaller copy.mp4'))).toBe(true)
})

test('nothing is shown as a match that is none, and what could be searched for is told', async () => {
  for (const words of ['🦄', '!!!', '1234567', 'xqzzv blorp', 'tax return of 1987']) {
    const { hits, nearest } = await call('search', { body: { query: { by: 'words', words } } })
    expect({ words, hits, nearest }).toEqual({ words, hits: [], nearest: [] })
  }
  await searchFor('helmet')
  await expect(results().getByRole('status')).toContainText('No clip matches “helmet”')
  await expect(results().getByText('No pack here has a name for “helmet”')).toBeVisible()
  await expect(rows()).toHaveCount(0)
  await results().getByText('What boxes can be found of').click()
  await results().getByRole('button', { name: 'giraffe', exact: true }).click()
  await expect(results().getByText('“giraffe” is looked for, but was found in no clip.')).toBeVisible()
})

test('what a person wrote is found first, with the reason, and a result goes to its moment', async () => {
  const [, second] = await clipsOf('original.mp4')
  const [road] = await clipsOf('road.mp4')
  if (!second || !road) missing('no clips')
  const note = await call('addAnnotation', {
    params: { clipId: second.id },
    body: {
      body: { kind: 'note', text: 'the blue lighthouse', span: { startFrame: second.startFrame + 20, endFrame: second.startFrame + 40 } },
    },
  })
  await call('addAnnotation', { params: { clipId: road.id }, body: { body: { kind: 'caption', text: 'lighthouses by the road' } } })
  const { hits } = await call('search', { body: { query: { by: 'words', words: 'Lighthouse' } } })
  expect(hits.map(({ clip, why }) => [clip.id, why[0]?.kind, why[0]?.state])).toEqual([
    [second.id, 'note', 'edited'],
    [road.id, 'caption', 'edited'],
  ])
  await searchFor('lighthouse')
  await expect(rows()).toHaveCount(2)
  await expect(rows().nth(0)).toContainText('your note: “the blue lighthouse”')
  await expect(rows().nth(1)).toContainText('your caption')
  await rows().nth(0).click()
  await expect(page.getByRole('timer')).toContainText(`frame ${second.startFrame + 20}`)
  await call('reviewAnnotation', { params: { annotationId: note.id }, body: { action: 'reject' } })
  await expect(results().getByRole('status')).toContainText('1 clip matches')
  await call('undo')
  await call('undo')
  await call('undo')
  expect((await call('search', { body: { query: { by: 'words', words: 'lighthouse' } } })).hits).toEqual([])
})

test('the pack that ships learnt from no footage, so its pictures count only where guesses are asked for', async () => {
  const { hits, line, couldGuess } = await call('search', { body: { query: { by: 'words', words: 'a purple star' } } })
  expect({ hits, line, couldGuess }).toEqual({ hits: [], line: null, couldGuess: true })
  const guessed = await call('search', { body: { query: { by: 'words', words: 'a purple star', guesses: true } } })
  expect(guessed.line).not.toBeNull()
  const shown = guessed.hits.length > 0 ? guessed.hits : guessed.nearest
  expect(shown.length).toBeGreaterThan(0)
  for (const { why } of shown) expect(why).toMatchObject([{ kind: 'picture', guess: true }])
  await searchFor('a purple star')
  await results().getByRole('button', { name: 'Guess from the pictures too' }).click()
  await expect(results().getByRole('button', { name: 'Leave guesses out' })).toBeVisible()
  await expect(results().locator('.score[data-guessed=true]')).toHaveCount(shown.length)
})

test('words that the pack never learnt are named where it guesses', async () => {
  await searchFor('a red tax return')
  await results().getByRole('button', { name: 'Guess from the pictures too' }).click()
  await expect(results().getByText('never learnt the words “tax”, “return”')).toBeVisible()
  await searchFor('a red circle')
  await expect(results().getByText('“a red circle”')).toBeVisible()
  await expect(results().getByText('never learnt')).toHaveCount(0)
})

test('a question that nothing here answers is refused with its reason, and a label that the pack cannot see says so', async () => {
  const { id } = (await clipsOf('road.mp4'))[0] ?? missing('no clip of the road')
  await page.keyboard.press('Escape')
  await page.locator(`nav [data-clip="${id}"]`).click()
  const ask = async (question: string) => {
    await page.getByLabel('Question about this clip').fill(question)
    await page.getByRole('button', { name: 'Ask', exact: true }).click()
    await expect(page.getByLabel('Question about this clip')).toHaveValue('')
  }
  await ask('Is the weather nice?')
  await expect(page.getByText('This pack cannot see “weather”.')).toBeVisible()
  await ask('How many cars are there?')
  await expect(page.getByRole('article').filter({ hasText: 'How many cars are there?' })).toContainText(/cars? at most at once/)
  await goTo('Labels')
  await page.getByRole('textbox', { name: 'Add labels' }).fill('helmet')
  await page.keyboard.press('Enter')
  await expect(page.getByText('cannot see “helmet”').first()).toBeVisible()
  await goTo('Review')
})

test('filters narrow a search, and work without one', async () => {
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  const panel = page.getByRole('dialog', { name: 'Filters' })
  await panel.getByLabel('Video').selectOption('smaller copy.mp4')
  await expect(results().getByRole('status')).toContainText('2 clips')
  for (const text of await rows().allTextContents()) expect(text).toContain('smaller copy.mp4')
  await page.keyboard.press('Escape')
  await results().getByRole('button', { name: 'Show all 2 in the table' }).click()
  await expect(page.locator('.grid-row')).toHaveCount(2)
  await page.getByRole('button', { name: 'Remove: 2 clips picked' }).click()
  await expect(page.locator('.grid-row')).not.toHaveCount(2)
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name: 'Review' }).click()
  await expect(results().getByRole('status')).toContainText('2 clips')
  await page.getByRole('button', { name: /^Filter/ }).click()
  await panel.getByLabel('At least, seconds').fill('100')
  await expect(results().getByRole('status')).toContainText('No clip passes the filters')
  await page.keyboard.press('Escape')
  await expect(panel).toBeHidden()
  await expect(results().getByRole('status')).toContainText('No clip passes the filters')
  await page.getByRole('button', { name: 'Remove filter 100–… s' }).click()
  await searchFor('bottles on a shelf')
  await expect(rows().first()).toBeVisible()
  for (const text of await rows().allTextContents()) expect(text).toContain('smaller copy.mp4')
  await page.getByRole('button', { name: 'Remove filter smaller copy.mp4' }).click()
})

test('what is decided about results shows in their rows, which stay where they are, and in the number of them', async () => {
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  await page.getByRole('dialog', { name: 'Filters' }).getByLabel('Review').selectOption({ label: 'Not reviewed' })
  await page.keyboard.press('Escape')
  await expect(results().getByRole('status')).toHaveText(/^\d+ clips$/)
  const before = await rows().count()
  const order = await rows().evaluateAll((all) => all.map((row) => row.getAttribute('data-clip')))
  await expect(results().getByRole('status')).toHaveText(`${before} clips`)
  await rows().nth(1).click()
  const annotationOf = async (at: number) =>
    (await call('getClip', { params: { clipId: Number(order[at]) } })).annotations.find(({ body }) => body.kind === 'caption')?.id ??
    missing('no caption')
  await call('reviewAnnotation', { params: { annotationId: await annotationOf(1) }, body: { action: 'accept' } })
  await call('reviewAnnotation', {
    params: { annotationId: await annotationOf(0) },
    body: { action: 'edit', body: { kind: 'caption', text: 'said anew' } },
  })
  await expect(results().getByRole('status')).toHaveText(`${before - 2} clips`)
  await expect(rows().nth(0)).toContainText('said anew')
  await expect(rows().nth(0)).toContainText('edited')
  await expect(rows().nth(1)).toContainText('accepted')
  expect(await rows().evaluateAll((all) => all.map((row) => row.getAttribute('data-clip')))).toEqual(order)
  await results()
    .getByRole('button', { name: `Show all ${before - 2} in the table` })
    .click()
  await expect(page.locator('.grid-row')).toHaveCount(before - 2)
  await page.getByRole('button', { name: `Remove: ${before - 2} clips picked` }).click()
  await goTo('Review')
  // When the search is repeated, the list has what matches now.
  await page.getByRole('button', { name: 'Remove filter Not reviewed' }).click()
  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  await page.getByRole('dialog', { name: 'Filters' }).getByLabel('Review').selectOption({ label: 'Not reviewed' })
  await page.keyboard.press('Escape')
  await expect(rows()).toHaveCount(before - 2)
  await page.getByRole('button', { name: 'Remove filter Not reviewed' }).click()
  await call('undo')
  await call('undo')
})

test('the curve of a video shows every clip of it, and a press goes there', async () => {
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  const second = await open('original.mp4', 1)
  await searchFor('a red circle')
  // Only words were looked up: nothing was compared with the video.
  await expect(page.getByRole('group', { name: 'Match over time' })).toHaveCount(0)
  await results().getByRole('button', { name: 'Guess from the pictures too' }).click()
  const curve = page.getByRole('group', { name: 'Match over time' })
  await expect(curve.getByRole('button')).toHaveCount(2)
  const first = curve.getByRole('button').first()
  const box = (await first.boundingBox()) ?? missing('no curve')
  await page.mouse.click(box.x + box.width / 2, box.y + 5)
  const time = () => page.locator('video').evaluate((video: HTMLVideoElement) => video.currentTime)
  await expect.poll(time).toBeGreaterThan(3)
  expect(await time()).toBeLessThan(5)
  await curve.getByRole('button').last().focus()
  await page.keyboard.press('Enter')
  await expect.poll(time).toBeGreaterThanOrEqual(second.start - 0.001)
})

test('one press goes to the moment that the model looked at, with heat where it looked', async () => {
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  // A pack that captions every clip: the one that ships captions no real footage.
  const worked = () =>
    expect.poll(async () => (await call('listPacks')).works.map(({ state }) => state), { timeout: 60_000 }).not.toContain('running')
  await call('importPack', { body: { path: copyTalkative(app.projectDir, 'talkative') } })
  await worked()
  await call('usePack', { params: { packId: 'talkative' }, body: { tasks: ['caption', 'answer', 'search'] } })
  await worked()
  await done()
  const opened = await open('original.mp4')
  const { annotations } = await call('getClip', { params: { clipId: opened.id } })
  const caption = annotations.find(({ body }) => body.kind === 'caption') ?? missing('no caption')
  const heaviest = caption.evidence?.frames[1] ?? missing('no evidence')
  const gaze = await call('gaze', { params: { annotationId: caption.id } })
  const heat = page.locator('.heat')
  await expect(heat).toHaveCount(0)
  await page.getByRole('article').first().getByRole('button', { name: /\d s$/ }).nth(1).click()
  await expect(page.getByRole('timer')).toContainText(`frame ${heaviest.ordinal}`)
  await expect(heat).toHaveAttribute('data-ordinal', String(heaviest.ordinal))
  // The overlay is brightest in the cell that got most of the attention.
  const glance = glancesOf(gaze, gaze.heat).find(({ ordinal }) => ordinal === heaviest.ordinal)
  const painted = await heat.locator('image').evaluate(async (image, { rows: height, columns: width }) => {
    const picture = new Image()
    picture.src = image.getAttribute('href') ?? ''
    await picture.decode()
    const context = new OffscreenCanvas(width, height).getContext('2d')
    context?.drawImage(picture, 0, 0)
    const data = context?.getImageData(0, 0, width, height).data ?? []
    return Array.from({ length: width * height }, (_, cell) => (data[cell * 4] ?? 0) + (data[cell * 4 + 1] ?? 0))
  }, gaze)
  expect(painted.indexOf(Math.max(...painted))).toBe(glance?.glow.indexOf(1))
  await expect(heat).toHaveAttribute('aria-label', /the model looked/)

  await page.getByRole('article').first().getByText('Why?').click()
  const word = gaze.words[1] ?? missing('a caption of one word')
  await page.getByRole('group', { name: 'Word by word' }).getByRole('button', { name: word.text, exact: true }).first().hover()
  await expect(page.locator('.heat-legend strong')).toHaveText(word.text)
  await page.getByRole('timer').hover()
  await page.keyboard.press('h')
  await expect(heat).toHaveCount(0)
})

test('what is like a box is found in other clips, and shown where it is', async () => {
  const opened = await open('original.mp4')
  const box = { x1: 10, y1: 10, x2: 120, y2: 160 }
  await call('addAnnotation', {
    params: { clipId: opened.id },
    body: { body: { kind: 'track', label: 'drawn', boxes: [{ ordinal: 0, pts: 0, box, score: null }] } },
  })
  await page.locator('.inspector .track[data-state=edited]').click()
  await page.getByRole('button', { name: 'Find similar things' }).click()
  await expect(page.getByText('Similar to a box')).toBeVisible()
  await expect(rows().first()).toBeVisible()
  await expect(results().getByText(/so far/)).toHaveCount(0, { timeout: 30_000 })
  const like = () => call('search', { body: { query: { by: 'box', clipId: opened.id, ordinal: 0, box } } })
  // The first such search has to prepare all clips; wait until all are searched.
  await expect.poll(async () => (({ searched, total }) => total - searched)(await like())).toBe(0)
  const found = await like()
  const [best] = [...found.hits, ...found.nearest]
  const { frames } = await call('getClip', { params: { clipId: opened.id } })
  expect(found.region?.ordinal).toBe(frames[0]?.ordinal)
  expect(best?.place).not.toBeNull()
  await results()
    .locator(`[data-clip="${best?.clip.id ?? 0}"]`)
    .click()
  await expect(page.getByRole('timer')).toContainText(`frame ${best?.place?.ordinal ?? -1}`)
  await expect(page.getByRole('img', { name: 'The region that was compared' })).toBeVisible()
})

test('search and heat are accessible in both themes', async () => {
  await page.keyboard.press('h')
  await accessible()
})

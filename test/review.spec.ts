/** Reviewing one clip in the real window: playing, timeline, boxes and tracks, words with times, keys, preview copies. Real clips, real pack. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, type Locator, test } from '@playwright/test'
import { findMediaTools } from '../main/media/tools.ts'
import { accessible, analyse, app, call, done, goTo as toPage, page, restart, tubelet, violations } from './app.ts'

tubelet()

const clipId = () => page.locator('[data-clip][aria-current=true]').getAttribute('data-clip')
const annotations = async () => (await call('getClip', { params: { clipId: Number(await clipId()) } })).annotations
const tracks = async () =>
  (await annotations()).flatMap(({ body, state }) => (body.kind === 'track' && state !== 'rejected' ? [body.boxes] : []))
const ordinals = async () => (await tracks()).map((boxes) => boxes.map(({ ordinal }) => ordinal))
const frame = async () => Number(/frame (\d+)/.exec((await page.getByRole('timer').textContent()) ?? '')?.[1])
const shows = (ordinal: number) => expect(page.getByRole('timer')).toContainText(`frame ${ordinal}`)
const goTo = async (ordinal: number) => {
  await page.keyboard.press('g')
  await page.getByLabel('Go to a time or a frame').fill(`#${ordinal}`)
  await page.keyboard.press('Enter')
  await shows(ordinal)
}
const boxOf = async (locator: Locator) => {
  await expect(locator).toBeVisible()
  const box = await locator.boundingBox()
  if (box === null) throw new Error('it is not on the screen')
  return box
}
const drag = async (from: { x: number; y: number }, to: { x: number; y: number }) => {
  await page.mouse.move(from.x, from.y)
  await page.mouse.down()
  await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2)
  await page.mouse.move(to.x, to.y)
  await page.mouse.up()
}
const choose = async (name: string) => {
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'An action, a page, a video or a clip' }).fill(name)
  await expect(page.getByRole('listbox', { name: 'Found' }).getByRole('option', { selected: true })).toContainText(name)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name })).toBeVisible()
}
const playable = () => expect(page.locator('video')).toHaveJSProperty('readyState', 4, { timeout: 60_000 })

test.beforeAll(async () => {
  await call('setLabels', { body: { labels: [] } })
  await analyse('d11_room_dog_rot180_vfr.mp4', 'd09_dashcam_short.mp4', 'f03_hevc_10bit.mkv')
  await expect.poll(() => page.locator('[data-clip]').count()).toBeGreaterThanOrEqual(3)
  await choose('d11_room_dog_rot180_vfr.mp4')
  await page.keyboard.press('ArrowDown')
  await playable()
})

test('frames of a rotated video with a variable rate are stepped one by one, forwards and backwards, by key alone', async () => {
  await shows(0)
  for (const ordinal of [1, 2, 3, 4]) {
    await page.keyboard.press('.')
    await shows(ordinal)
  }
  await page.keyboard.press(',')
  await shows(3)
  await goTo(20)
  await page.keyboard.press('j')
  await expect.poll(frame).toBeLessThan(16)
  await page.keyboard.press('k')
  const stopped = await frame()
  expect(stopped).toBeGreaterThanOrEqual(0)
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible()
  await page.keyboard.press('l')
  await page.keyboard.press('l')
  await expect(page.locator('.transport .chip')).toHaveText('2×')
  await page.keyboard.press('Space')
  // The row of the video has nothing to do with the key once it is chosen.
  await page.locator('.source-row[data-chosen=true]').click()
  await page.keyboard.press('Space')
  await expect(page.getByRole('button', { name: 'Pause', exact: true })).toBeVisible()
  await page.keyboard.press('Space')
})

test('a span is marked, looped, dragged by its end, and becomes a clip that a new analysis leaves alone', async () => {
  await goTo(4)
  await page.keyboard.press('i')
  await goTo(16)
  await page.keyboard.press('o')
  const end = page.getByRole('slider', { name: 'End of Marked span' })
  await expect(end).toHaveAttribute('aria-valuenow', '17')
  const { x, y, width, height } = await boxOf(end)
  await drag({ x: x + width / 2, y: y + height / 2 }, { x: x + width / 2 - 60, y: y + height / 2 })
  await expect.poll(async () => Number(await end.getAttribute('aria-valuenow'))).toBeLessThan(17)
  const endFrame = Number(await end.getAttribute('aria-valuenow'))
  await goTo(endFrame - 2)
  await page.keyboard.press('Space')
  // Only looping can get from there to the beginning of the span.
  await expect.poll(frame).toBeLessThan(endFrame - 4)
  await page.keyboard.press('Space')
  await page.keyboard.press('Shift+N')
  const row = page.locator('[data-clip][aria-current=true]')
  await expect(page.getByRole('button', { name: 'Remove this clip' })).toBeVisible()
  await expect(row).not.toContainText('Waiting for its caption', { timeout: 60_000 })
  const id = Number(await row.getAttribute('data-clip'))
  await call('retrySource', { params: { sourceId: 1 } })
  await done()
  const { clips: kept } = await call('listClips', { query: { sourceId: 1 } })
  expect(kept).toContainEqual(expect.objectContaining({ id, kind: 'marked', startFrame: 4, endFrame, encoded: true }))
})

test('a marked clip that is removed comes back by undo with its caption and notes, also after a restart; its marking can be undone too', async () => {
  const row = page.locator('[data-clip][aria-current=true]')
  const id = Number(await row.getAttribute('data-clip'))
  const marked = page.locator(`[data-clip="${id}"]`)
  await call('addAnnotation', { params: { clipId: id }, body: { body: { kind: 'note', text: 'of mine' } } })
  const before = await annotations()
  await page.getByRole('button', { name: 'Remove this clip' }).click()
  await expect(marked).toHaveCount(0)
  await page
    .getByRole('listitem')
    .filter({ hasText: 'The clip was removed, with what was said about it' })
    .getByRole('button', { name: 'Undo' })
    .click()
  await expect(marked).toBeVisible()
  await page.keyboard.press('Control+Shift+Z')
  await expect(marked).toHaveCount(0)
  await restart()
  await choose('d11_room_dog_rot180_vfr.mp4')
  await playable()
  await page.keyboard.press('Control+z')
  await marked.click()
  expect(await annotations()).toEqual(before)
  // Undo the note, then the marking itself: the shown clip disappears, and its video stays open.
  for (const left of [1, 0]) {
    await page.keyboard.press('Control+z')
    await expect(marked).toHaveCount(left)
  }
  await expect(page.getByText('Choose a clip to see and correct what is said about it.')).toBeVisible()
  await page.locator('[data-clip]').first().click()
})

test('the timeline is zoomed at the pointer and by key, and fits again', async () => {
  const slider = page.getByRole('slider', { name: 'Position in the video' })
  const ticks = page.locator('.tick')
  const whole = await ticks.last().textContent()
  const ruler = await boxOf(page.locator('.ruler .lane-body'))
  await page.mouse.move(ruler.x + 30, ruler.y + 8)
  await page.keyboard.down('Control')
  await page.mouse.wheel(0, -900)
  await page.keyboard.up('Control')
  await expect(ticks.last()).not.toHaveText(whole ?? '')
  await page.keyboard.press('z')
  await expect(ticks.last()).toHaveText(whole ?? '')
  await page.keyboard.press('Control+ArrowUp')
  await expect(ticks.last()).not.toHaveText(whole ?? '')
  await page.keyboard.press('z')
  await page.mouse.click(ruler.x + ruler.width / 2, ruler.y + 8)
  await expect.poll(async () => Number(await slider.getAttribute('aria-valuenow'))).toBeGreaterThan(0.5)
})

test('a box is drawn and named, resized with its sides’ ratio, moved, nudged, and taken back step by step', async () => {
  await goTo(2)
  const picture = await boxOf(page.locator('.picture'))
  await page.keyboard.press('n')
  await drag({ x: picture.x + 100, y: picture.y + 60 }, { x: picture.x + 220, y: picture.y + 140 })
  const box = page.getByRole('button', { name: 'object, box' })
  await expect(box).toBeVisible()
  // The name is selected, so that typing replaces it.
  await expect(page.getByLabel(/^Label of track \d+$/)).toBeFocused()
  await page.keyboard.type('dog')
  await page.keyboard.press('Enter')
  const dog = page.getByRole('button', { name: 'dog, box' })
  await expect(dog).toBeVisible()
  const before = await boxOf(dog.locator('rect'))
  const grip = await boxOf(dog.locator('.se'))
  await page.keyboard.down('Shift')
  await drag({ x: grip.x + 5, y: grip.y + 5 }, { x: grip.x + 65, y: grip.y + 15 })
  await page.keyboard.up('Shift')
  await expect.poll(async () => (await boxOf(dog.locator('rect'))).width).toBeGreaterThan(before.width + 40)
  const resized = await boxOf(dog.locator('rect'))
  expect(resized.width / resized.height).toBeCloseTo(before.width / before.height, 1)
  await dog.focus()
  await page.keyboard.press('Shift+ArrowRight')
  await expect.poll(async () => (await boxOf(dog.locator('rect'))).x).toBeGreaterThan(resized.x + 2)
  for (let step = 0; step < 3; step += 1) await page.keyboard.press('Control+z')
  await expect(page.getByRole('button', { name: 'object, box' })).toBeVisible()
  for (let step = 0; step < 3; step += 1) await page.keyboard.press('Control+Shift+Z')
  await expect(dog).toBeVisible()
  await expect.poll(async () => (await boxOf(dog.locator('rect'))).x).toBeGreaterThan(resized.x + 2)
})

test('key frames, flags, ends, splitting and merging by key, each one step of undo', async () => {
  const [first = 0, ...rest] = (await ordinals())[0] ?? []
  const last = rest.at(-1) ?? 0
  expect([first, last > 20]).toEqual([2, true])
  await page.keyboard.press('Escape')
  await page.keyboard.press('Alt+ArrowDown')
  await goTo(10)
  await page.keyboard.press('d')
  await expect.poll(ordinals).toEqual([[2, 10, last]])
  await page.keyboard.press('Alt+ArrowRight')
  await shows(last)
  await page.keyboard.press('Alt+ArrowLeft')
  await shows(10)
  await page.keyboard.press('p')
  await expect.poll(async () => (await tracks())[0]?.[1]?.occluded).toBe(true)
  await page.keyboard.press('Control+z')
  await goTo(15)
  await page.keyboard.press('Shift+P')
  await expect(page.getByRole('button', { name: 'dog, box' })).toBeHidden()
  await page.keyboard.press('Control+z')
  await expect(page.getByRole('button', { name: 'dog, box' })).toBeVisible()
  await page.keyboard.press('b')
  await expect.poll(ordinals).toEqual([
    [2, 10, 14],
    [15, last],
  ])
  await page.keyboard.press('Control+z')
  await expect.poll(ordinals).toEqual([[2, 10, last]])
  await page.keyboard.press('Control+Shift+Z')
  await expect.poll(ordinals).toHaveLength(2)
  const lanes = page.getByRole('button', { name: 'Track of dog', exact: true })
  await lanes.first().click()
  await lanes.nth(1).click({ modifiers: ['Shift'] })
  await page.keyboard.press('Shift+M')
  await expect.poll(ordinals).toEqual([[2, 10, 14, 15, last]])
  await page.keyboard.press('Control+z')
  await expect.poll(ordinals).toHaveLength(2)
  await page.keyboard.press('Control+Shift+Z')
  await expect(lanes).toHaveCount(1)
  await goTo(last - 4)
  await page.keyboard.press('e')
  await expect.poll(ordinals).toEqual([[2, 10, 14, 15, last - 4]])
})

test('a track is retimed and its key frame moved on the timeline', async () => {
  const [before = []] = await ordinals()
  await page.getByRole('button', { name: 'Track of dog', exact: true }).click()
  const start = page.getByRole('slider', { name: 'Start of Track of dog' })
  await start.focus()
  await page.keyboard.press('Shift+ArrowRight')
  await expect.poll(async () => (await ordinals())[0]?.[0]).toBe(12)
  await page.keyboard.press('Control+z')
  await expect.poll(ordinals).toEqual([before])
  const key = await boxOf(page.locator('[data-key="10"]'))
  await drag({ x: key.x + 4, y: key.y + 4 }, { x: key.x - 70, y: key.y + 4 })
  await expect.poll(async () => (await ordinals())[0]?.[1]).toBeLessThan(10)
  await page.keyboard.press('Control+z')
  await expect.poll(ordinals).toEqual([before])
})

test('boxes are drawn, named, moved, resized, merged and their key frames moved by keys alone', async () => {
  const before = await ordinals()
  await page.keyboard.press('Escape')
  await goTo(6)
  await page.keyboard.press('n')
  await page.keyboard.press('Enter')
  await expect(page.getByLabel(/^Label of track \d+$/).last()).toBeFocused()
  await page.keyboard.type('cat')
  await page.keyboard.press('Enter')
  const cat = page.getByRole('button', { name: 'cat, box' })
  await page.keyboard.press('Shift+Enter')
  await expect(cat).toBeFocused()
  const drawn = await boxOf(cat.locator('rect'))
  await page.keyboard.press('Shift+ArrowLeft')
  await expect.poll(async () => (await boxOf(cat.locator('rect'))).x).toBeLessThan(drawn.x)
  await page.keyboard.press('Alt+Shift+ArrowRight')
  await expect.poll(async () => (await boxOf(cat.locator('rect'))).width).toBeGreaterThan(drawn.width)
  await goTo(10)
  await page.keyboard.press('d')
  const end = (await ordinals()).at(-1)?.at(-1) ?? 0
  await expect.poll(async () => (await ordinals()).at(-1)).toEqual([6, 10, end])
  const key = page.getByRole('slider', { name: 'Key frame 10 of cat' })
  await key.focus()
  await page.keyboard.press('ArrowRight')
  await expect.poll(async () => (await ordinals()).at(-1)).toEqual([6, 11, end])
  await page.keyboard.press('Alt+Shift+ArrowDown')
  await page.keyboard.press('Shift+M')
  await expect.poll(ordinals).toHaveLength(before.length)
  for (let step = 0; step < 6; step += 1) await page.keyboard.press('Control+z')
  await expect.poll(async () => (await ordinals()).length).toBe(before.length + 1)
  await page.keyboard.press('Control+z')
  await expect.poll(ordinals).toEqual(before)
})

test('a label is taken away in Review only after a question, and undo brings it back with what was decided', async () => {
  await page.keyboard.press('Escape')
  await call('setLabels', { body: { labels: [{ name: 'dog', synonyms: [], colour: '#69c1fc', threshold: 0.9 }] } })
  const remove = page.getByRole('button', { name: 'Remove label dog' })
  await remove.click()
  const question = page.getByRole('group', { name: 'Remove dog' })
  await expect(question).toContainText('yours')
  await question.getByRole('button', { name: 'Cancel' }).click()
  await expect(remove).toBeVisible()
  const before = await tracks()
  await remove.click()
  await question.getByRole('button', { name: 'Remove, reject mine too' }).click()
  await expect(remove).toBeHidden()
  await expect.poll(tracks).toEqual([])
  await page.getByRole('listitem').filter({ hasText: 'dog removed' }).getByRole('button', { name: 'Undo' }).click()
  await expect(remove).toBeVisible()
  await expect.poll(tracks).toEqual(before)
  await call('setLabels', { body: { labels: [] } })
})

test('an edit that is refused is taken back with its reason', async () => {
  await page.route('**/api/edits', (route) =>
    route.fulfill({ status: 507, json: { problem: { code: 'disk-full', message: 'The disk is full.' } } }),
  )
  await goTo(12)
  const dog = page.getByRole('button', { name: 'dog, box' })
  const before = await dog.locator('rect').getAttribute('y')
  await dog.focus()
  await page.keyboard.press('Shift+ArrowDown')
  await expect(page.getByText('The disk is full.')).toBeVisible()
  await expect(dog.locator('rect')).toHaveAttribute('y', before ?? '')
  await page.unroute('**/api/edits')
})

test('captions of parts and notes have their times, and what the caption says can be said of a part too, beside it', async () => {
  await page.keyboard.press('Escape')
  await goTo(8)
  await page.keyboard.press('i')
  await goTo(18)
  await page.keyboard.press('o')
  await page.keyboard.press('t')
  await page.getByRole('textbox', { name: 'Caption of a part' }).fill('the dog looks up')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('article').filter({ hasText: 'the dog looks up' })).toBeVisible()
  const ofWhole = async () => (await annotations()).flatMap(({ id, body, state }) => (body.kind === 'caption' ? [{ id, body, state }] : []))
  const whole = await ofWhole()
  await page.getByRole('button', { name: 'Say it of the marked span too' }).click()
  // A key that is pressed while what was clicked is still under way has been lost once.
  await expect.poll(async () => (await annotations()).filter(({ body }) => body.kind === 'segment').length).toBe(2)
  await page.keyboard.press('Shift+T')
  await page.getByRole('textbox', { name: 'Note' }).fill('ask Anna')
  // What is written stays a note about its own span.
  await page.getByRole('toolbar', { name: 'Playback' }).getByRole('button', { name: 'One frame on' }).click()
  await page.getByTestId('said').getByRole('button', { name: 'Caption', exact: true }).click()
  await expect(page.getByRole('textbox', { name: 'Note' })).toHaveValue('ask Anna')
  await page.keyboard.press('Enter')
  await expect
    .poll(async () =>
      (await annotations())
        .flatMap(({ body }) => ('span' in body && body.span ? [[body.kind, body.span.startFrame, body.span.endFrame]] : []))
        .sort(),
    )
    .toEqual([
      ['note', 8, 19],
      ['segment', 8, 19],
      ['segment', 8, 19],
    ])
  expect(await ofWhole()).toEqual(whole)
})

test('a span marked across the end of a clip shows in both clips', async () => {
  const marked = await call('markClip', { params: { sourceId: 2 }, body: { span: { startFrame: 5, endFrame: 20 } } })
  await choose('d09_dashcam_short.mp4')
  await page.locator(`[data-clip="${marked.id}"]`).click()
  await playable()
  const span = { startFrame: marked.endFrame - 3, endFrame: marked.endFrame + 3 }
  await goTo(span.startFrame)
  await page.keyboard.press('i')
  await goTo(span.endFrame - 1)
  await page.keyboard.press('o')
  await page.keyboard.press('Shift+T')
  await page.getByRole('textbox', { name: 'Note' }).fill('the end')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('article').filter({ hasText: 'the end' })).toBeVisible()
  await expect.poll(async () => (await annotations()).flatMap(({ body }) => (body.kind === 'note' ? [body.span] : []))).toEqual([span])
  const { clips } = await call('listClips', { query: { sourceId: 2 } })
  const beneath = clips.find(
    ({ id, startFrame, endFrame }) => id !== marked.id && startFrame <= span.startFrame && span.startFrame < endFrame,
  )
  await page.locator(`[data-clip="${beneath?.id ?? 0}"]`).click()
  await expect(page.getByRole('article').filter({ hasText: 'the end' })).toBeVisible()
  const beyond = call('addAnnotation', {
    params: { clipId: marked.id },
    body: { body: { kind: 'note', text: 'x', span: { startFrame: 5, endFrame: 100_000 } } },
  })
  await expect(beyond).rejects.toThrow('are not all in this video')
  await choose('d11_room_dog_rot180_vfr.mp4')
  await page.locator('[data-clip]').first().click()
  await playable()
})

test('the picture is enlarged for small things, and saved', async () => {
  const picture = page.locator('.picture')
  const { width } = await boxOf(picture)
  await page.keyboard.press('+')
  await expect.poll(async () => (await boxOf(picture)).width).toBeGreaterThan(width * 1.4)
  await page.keyboard.press('0')
  await expect.poll(async () => (await boxOf(picture)).width).toBeCloseTo(width, 0)
  const download = page.waitForEvent('download')
  await page.keyboard.press('c')
  expect((await download).suggestedFilename()).toMatch(/^d11_room_dog_rot180_vfr frame \d+\.png$/)
})

test('keys are changed, their conflicts shown at once, kept, and restored; other tools’ keys can be had', async () => {
  await page.keyboard.press('?')
  const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
  await dialog.getByRole('button', { name: 'Add a key for “Draw a box”' }).click()
  await page.keyboard.press('b')
  await expect(dialog.getByText('One key is wanted by two actions')).toBeVisible()
  await dialog.getByRole('button', { name: 'Take B from “Split the track here”' }).click()
  await expect(dialog.getByText('One key is wanted by two actions')).toBeHidden()
  expect(await violations()).toEqual([])
  await page.keyboard.press('Escape')
  await page.keyboard.press('b')
  await expect(page.getByRole('button', { name: 'Draw a box', exact: true })).toHaveAttribute('aria-pressed', 'true')
  await page.keyboard.press('Escape')
  await page.reload()
  await page.locator('[data-clip]').first().click()
  await playable()
  await page.keyboard.press('b')
  await expect(page.getByRole('button', { name: 'Draw a box', exact: true })).toHaveAttribute('aria-pressed', 'true')
  await page.keyboard.press('Escape')
  await page.keyboard.press('?')
  await dialog.getByRole('button', { name: 'Restore defaults' }).click()
  await dialog.getByLabel('Keys of').selectOption('CVAT')
  await expect(dialog.getByRole('button', { name: 'Take D from “One frame back”' })).toBeAttached()
  await dialog.getByRole('button', { name: 'Restore defaults' }).click()
  await page.keyboard.press('Escape')
})

test('what a browser cannot play gets a preview copy: a job of the queue with progress, which waits, is cancelled and tried again there and in the player', async () => {
  await call('pauseQueue')
  await choose('f03_hevc_10bit.mkv')
  const player = page.getByRole('region', { name: 'Player' })
  await expect(player).toContainText('Its preview copy waits, because the queue is paused.')
  await player.getByRole('button', { name: 'Show the queue' }).click()
  const name = 'Preview copy of f03_hevc_10bit.mkv'
  await expect(page.getByRole('list', { name: 'Waiting' }).getByRole('listitem')).toHaveText(name)
  await page.getByRole('button', { name: `Cancel ${name}` }).click()
  await expect(page.getByRole('list', { name: 'Finished' }).getByRole('listitem').first()).toContainText(`${name}Cancelled`)
  await toPage('Review')
  await player.getByRole('button', { name: 'Make the preview copy' }).click()
  await player.getByRole('button', { name: 'Cancel', exact: true }).click()
  await player.getByRole('button', { name: 'Make the preview copy' }).click()
  await expect(player).toContainText('Its preview copy waits')
  // A requested preview is made even after a crash.
  await restart('SIGKILL')
  await toPage('Queue')
  await page.getByRole('button', { name: `Cancel ${name}` }).click()
  await page.getByRole('button', { name: `Retry ${name}` }).click()
  await expect(page.getByRole('list', { name: 'Waiting' }).getByRole('listitem')).toHaveText(name)
  await toPage('Review')
  await choose('f03_hevc_10bit.mkv')
  await player.getByRole('button', { name: 'Resume' }).click()
  await playable()
})

test('a preview copy is exact to the frame', async () => {
  const { pts, timeBase } = await call('frames', { params: { sourceId: 3 } })
  // The frame that the browser reports as presented, whatever the player was told to seek to.
  await page.locator('video').evaluate((video: HTMLVideoElement) => {
    const note = (_: number, { mediaTime }: VideoFrameCallbackMetadata) => {
      video.dataset['shown'] = String(mediaTime)
      video.requestVideoFrameCallback(note)
    }
    video.requestVideoFrameCallback(note)
  })
  for (const ordinal of [1, 2, Math.floor(pts.length / 2), pts.length - 1, 0]) {
    await goTo(ordinal)
    const seconds = (((pts[ordinal] ?? 0) - (pts[0] ?? 0)) * timeBase.num) / timeBase.den
    await expect.poll(async () => Number(await page.locator('video').getAttribute('data-shown'))).toBeCloseTo(seconds, 3)
  }
})

test('the export holds the edits', async () => {
  const { directory } = await call('export', { body: { formats: ['cvat', 'vtt', 'srt', 'csv'], sourceIds: [1] } })
  const read = (name: string) => readFileSync(path.join(directory, 'd11_room_dog_rot180_vfr', name), 'utf8')
  expect(read('captions.vtt')).toContain('the dog looks up')
  expect(read('captions.srt')).toContain('the dog looks up')
  expect(read('spans.csv')).toMatch(/,note,[^\n]*,8,19,ask Anna/)
  expect(read('cvat.xml')).toContain('label="dog"')
})

test('parts of the page are resized by mouse and by key, closed, opened again, reset, and kept; nothing of a closed part is walked through', async () => {
  const width = async (id: string) => (await page.locator(`#${id}`).boundingBox())?.width ?? 0
  const bar = page.getByRole('separator', { name: 'Size of Library' })
  const usual = await width('library')
  const { x, y, height } = await boxOf(bar)
  await drag({ x, y: y + height / 3 }, { x: x + 90, y: y + height / 3 })
  expect(await width('library')).toBeCloseTo(usual + 90, -1)
  const value = Number(await bar.getAttribute('aria-valuenow'))
  await bar.focus()
  await page.keyboard.press('ArrowLeft')
  await expect.poll(async () => Number(await bar.getAttribute('aria-valuenow'))).toBeLessThan(value)
  await bar.dblclick()
  await expect.poll(() => width('library')).toBeCloseTo(usual, 0)
  for (const name of ['Size of Library', 'Size of What is said about the clip', 'Size of Timeline']) {
    await page.getByRole('separator', { name }).focus()
    await page.keyboard.press('Enter')
  }
  await expect(page.locator('[data-panel] [inert]')).toHaveCount(3)
  await page.reload()
  await expect(page.getByRole('separator', { name: 'Size of Library' })).toBeVisible()
  expect([await width('library'), await width('said')]).toEqual([0, 0])
  await page.keyboard.press('Control+Shift+ArrowLeft')
  await page.locator('[data-clip]').first().click()
  for (const key of ['Right', 'Down']) await page.keyboard.press(`Control+Shift+Arrow${key}`)
  await expect(page.getByRole('region', { name: 'Timeline' })).toBeVisible()
  await expect(page.getByRole('complementary', { name: 'What is said about the clip' })).toBeVisible()
  await page.setViewportSize({ width: 1024, height: 700 })
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
  await page.setViewportSize({ width: 1440, height: 900 })
})

test('where sound begins before the picture, or the file after time 0, the frame that is named is the frame that is shown', async () => {
  const { ffmpeg } = await findMediaTools()
  // Each frame is ten grey levels lighter than the one before it.
  const picture = ['-f', 'lavfi', '-i', "nullsrc=s=64x64:r=10:d=2,geq=lum='20+10*N':cb=128:cr=128"]
  const [sound, codec] = [
    ['-f', 'lavfi', '-i', 'sine=d=3'],
    ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-y'],
  ]
  const files = [
    { file: 'sound first.mkv', args: ['-itsoffset', '1.5', ...picture, ...sound, ...codec] },
    { file: 'no edit list.mp4', args: [...picture, ...sound, ...codec, '-bf', '2', '-use_editlist', '0'] },
    {
      file: 'sound first, copied.avi',
      args: ['-itsoffset', '1.5', ...picture, ...sound, ...codec, '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-f', 'matroska'],
    },
  ].map(({ file, args }) => ({ file: path.join(app.projectDir, file), args }))
  for (const { file, args } of files) execFileSync(ffmpeg, ['-v', 'error', ...args, file])
  await call('addSources', { body: { paths: files.map(({ file }) => file) } })
  await done()
  const level = () =>
    page.locator('video').evaluate((video: HTMLVideoElement) => {
      const canvas = new OffscreenCanvas(1, 1).getContext('2d')
      canvas?.drawImage(video, 0, 0, 1, 1)
      const [red = 0] = canvas?.getImageData(0, 0, 1, 1).data ?? []
      return Math.round(((red * 219) / 255 + 16 - 20) / 10)
    })
  for (const { file } of files) {
    await choose(path.basename(file))
    await page.keyboard.press('ArrowDown')
    await playable()
    await shows(0)
    expect(await level()).toBe(0)
    for (const ordinal of [12, 3, 19]) {
      await goTo(ordinal)
      await expect.poll(level).toBe(ordinal)
    }
    await page.keyboard.press(',')
    await shows(18)
    await expect.poll(level).toBe(18)
  }
})

test('a notice that comes while the one before it is fading is seen', async () => {
  await page.locator('[data-clip]').first().click()
  await page.keyboard.press('b')
  const notice = page.locator('[data-sonner-toast]').filter({ hasText: 'Choose a track' })
  await expect(notice).toBeVisible()
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const fading = new MutationObserver(() => {
          if (document.querySelector('[data-sonner-toast][data-removed=true]') === null) return
          fading.disconnect()
          document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'b', code: 'KeyB', bubbles: true }))
          resolve()
        })
        fading.observe(document.body, { subtree: true, childList: true, attributes: true })
      }),
  )
  await expect(page.locator('[data-sonner-toast][data-removed=false]')).toContainText('Choose a track')
})

test('the page is accessible in both themes', async () => {
  await page.locator('[data-clip]').first().click()
  await accessible()
})

/** Reviewing one clip in the real window: playing, timeline, boxes and tracks, words with times, keys, preview copies. Real clips, real pack. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { expect, type Locator, type Page, test } from '@playwright/test'
import { forget, type Running, start } from './app.ts'
import { clipsFolder } from './clips.ts'

const clips = clipsFolder()
const folder = clips ?? ''
test.describe.configure({ mode: 'serial' })
test.skip(clips === null, 'no real clips: set TUBELET_CLIPS')

let app: Running
let page: Page

interface Told {
  id: number
  state: string
  body: { kind: string; label?: string; text?: string; span?: { startFrame: number; endFrame: number }; boxes?: { ordinal: number; occluded?: boolean; outside?: boolean }[] }
}
const api = <T>(method: string, url: string, body?: unknown) =>
  page.evaluate(
    async ([how, where, what]) => (await (await fetch(where, { method: how, headers: { 'content-type': 'application/json' }, ...(what === undefined ? {} : { body: JSON.stringify(what) }) })).json()) as unknown,
    [method, url, body] as const,
  ) as Promise<T>
const clipId = () => page.locator('[data-clip][aria-current=true]').getAttribute('data-clip')
const annotations = async () => (await api<{ annotations: Told[] }>('GET', `/api/clips/${String(await clipId())}`)).annotations
const tracks = async () => (await annotations()).filter(({ body, state }) => body.kind === 'track' && state !== 'rejected')
const ordinals = async () => (await tracks()).map(({ body }) => (body.boxes ?? []).map(({ ordinal }) => ordinal))
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
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name })).toBeVisible()
}
const playable = () => expect(page.locator('video')).toHaveJSProperty('readyState', 4, { timeout: 60_000 })

test.beforeAll(async ({ browser }) => {
  app = await start()
  page = await (await browser.newContext({ acceptDownloads: true })).newPage()
  await page.goto(app.url)
  await api('PUT', '/api/labels', { labels: [] })
  await api('POST', '/api/sources', { paths: ['d11_room_dog_rot180_vfr.mp4', 'd09_dashcam_short.mp4', 'f03_hevc_10bit.mkv'].map((name) => path.join(folder, name)) })
  await expect(page.getByRole('status').filter({ hasText: 'All done' })).toBeVisible({ timeout: 110_000 })
  await expect.poll(() => page.locator('[data-clip]').count()).toBeGreaterThanOrEqual(3)
  await choose('d11_room_dog_rot180_vfr.mp4')
  await page.keyboard.press('ArrowDown')
  await playable()
})
test.afterAll(async () => {
  await page.context().close()
  await app.stop()
  forget(app)
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
  // Only a loop leads from there to the beginning of the span.
  await expect.poll(frame).toBeLessThan(endFrame - 4)
  await page.keyboard.press('Space')
  await page.keyboard.press('Shift+N')
  const row = page.locator('[data-clip][aria-current=true]')
  await expect(page.getByRole('button', { name: 'Remove this clip' })).toBeVisible()
  await expect(row).not.toContainText('Waiting for its caption', { timeout: 60_000 })
  const id = Number(await row.getAttribute('data-clip'))
  await api('POST', '/api/sources/1/retry')
  await expect(page.getByRole('status').filter({ hasText: 'All done' })).toBeVisible({ timeout: 90_000 })
  const { clips: kept } = await api<{ clips: { id: number; kind: string; startFrame: number; endFrame: number; encoded: boolean }[] }>('GET', '/api/clips?sourceId=1')
  expect(kept).toContainEqual(expect.objectContaining({ id, kind: 'marked', startFrame: 4, endFrame, encoded: true }))
  await page.getByRole('button', { name: 'Remove this clip' }).click()
  await page.getByRole('button', { name: 'Remove', exact: true }).click()
  await expect(page.locator(`[data-clip="${id}"]`)).toHaveCount(0)
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
  // The name is selected, to be typed over.
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
  await expect.poll(async () => (await tracks())[0]?.body.boxes?.[1]?.occluded).toBe(true)
  await page.keyboard.press('Control+z')
  await goTo(15)
  await page.keyboard.press('Shift+P')
  await expect(page.getByRole('button', { name: 'dog, box' })).toBeHidden()
  await page.keyboard.press('Control+z')
  await expect(page.getByRole('button', { name: 'dog, box' })).toBeVisible()
  await page.keyboard.press('b')
  await expect.poll(ordinals).toEqual([[2, 10, 14], [15, last]])
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

test('an edit that is refused is taken back with its reason', async () => {
  await page.route('**/api/edits', (route) => route.fulfill({ status: 507, json: { problem: { code: 'disk-full', message: 'The disk is full.' } } }))
  await goTo(12)
  const dog = page.getByRole('button', { name: 'dog, box' })
  const before = await dog.locator('rect').getAttribute('y')
  await dog.focus()
  await page.keyboard.press('Shift+ArrowDown')
  await expect(page.getByText('The disk is full.')).toBeVisible()
  await expect(dog.locator('rect')).toHaveAttribute('y', before ?? '')
  await page.unroute('**/api/edits')
})

test('captions of parts and notes have their times, and the caption can have one too', async () => {
  await page.keyboard.press('Escape')
  await goTo(8)
  await page.keyboard.press('i')
  await goTo(18)
  await page.keyboard.press('o')
  await page.keyboard.press('t')
  await page.getByRole('textbox', { name: 'Caption of a part' }).fill('the dog looks up')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('article').filter({ hasText: 'the dog looks up' })).toBeVisible()
  await page.getByRole('button', { name: 'Say it of the marked span only' }).click()
  await page.keyboard.press('Shift+T')
  await page.getByRole('textbox', { name: 'Note' }).fill('ask Anna')
  await page.keyboard.press('Enter')
  await expect.poll(async () => (await annotations()).filter(({ body }) => body.span).map(({ body }) => [body.kind, body.span?.startFrame, body.span?.endFrame]).sort()).toEqual([['caption', 8, 19], ['note', 8, 19], ['segment', 8, 19]])
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
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id, nodes }) => ({ id, html: nodes.map(({ html }) => html) }))).toEqual([])
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

test('what a browser cannot play gets a preview copy with progress, which can be cancelled, and is exact to the frame', async () => {
  await choose('f03_hevc_10bit.mkv')
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
  await page.getByRole('button', { name: 'Make the preview copy' }).click()
  await playable()
  const { pts, timeBase } = await api<{ pts: number[]; timeBase: { num: number; den: number } }>('GET', '/api/sources/3/frames')
  // What the browser says it has put on the screen, whatever the player was told to seek.
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
  const { directory } = await api<{ directory: string }>('POST', '/api/export', { formats: ['cvat', 'vtt', 'srt', 'csv'], sourceIds: [1] })
  const read = (name: string) => readFileSync(path.join(directory, 'd11_room_dog_rot180_vfr', name), 'utf8')
  expect(read('captions.vtt')).toContain('the dog looks up')
  expect(read('captions.srt')).toContain('the dog looks up')
  expect(read('spans.csv')).toMatch(/,note,[^\n]*,8,19,ask Anna/)
  expect(read('cvat.xml')).toContain('label="dog"')
})

test('the page is accessible in both themes', async () => {
  await page.locator('[data-clip]').first().click()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id, nodes }) => ({ id, html: nodes.map(({ html }) => html) }))).toEqual([])
  }
})

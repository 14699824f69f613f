/** Actions in the window are stored as intended: boxes across the ends of clips, many decisions at once, keys. On videos made here. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { findMediaTools } from '../main/media/tools.ts'
import { call, done, goTo, page, tubelet } from './app.ts'

tubelet()

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-window-'))
test.afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Two shots of two seconds: a moving pattern, then another one in other colours. */
test.beforeAll(async () => {
  const { ffmpeg } = await findMediaTools()
  const made = path.join(folder, 'two shots.mp4')
  execFileSync(ffmpeg, [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    'testsrc2=s=320x240:r=25:d=2',
    '-f',
    'lavfi',
    '-i',
    'mandelbrot=s=320x240:r=25',
    '-filter_complex',
    '[1:v]trim=duration=2,setpts=PTS-STARTPTS[b];[0:v][b]concat=n=2:v=1[v]',
    '-map',
    '[v]',
    '-pix_fmt',
    'yuv420p',
    made,
  ])
  for (const at of [0, 1, 2, 3])
    execFileSync(ffmpeg, [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      `testsrc2=s=320x240:r=25:d=1,hue=h=${60 * at}`,
      '-pix_fmt',
      'yuv420p',
      path.join(folder, `colour ${at + 1}.mp4`),
    ])
  await call('addSources', { body: { paths: [folder] } })
  await done()
})

const clipsOf = async (name: string) => (await call('listClips')).clips.filter(({ sourceName }) => sourceName === name)
const said = async (clipId: number) => (await call('getClip', { params: { clipId } })).annotations
const frameIs = (ordinal: number) => expect(page.getByRole('timer')).toContainText(`frame ${ordinal}`)
const goToFrame = async (ordinal: number) => {
  await page.keyboard.press('g')
  await page.getByLabel('Go to a time or a frame').fill(`#${ordinal}`)
  await page.keyboard.press('Enter')
  await frameIs(ordinal)
}
const choose = async (clipId: number) => {
  await goTo('Review')
  await page.locator('.source-row').filter({ hasText: 'two shots' }).click()
  await page.locator(`[data-clip="${clipId}"]`).click()
  await expect(page.locator('video')).toHaveJSProperty('readyState', 4)
}
const draw = async () => {
  const picture = await page.locator('.picture').boundingBox()
  if (!picture) throw new Error('the picture is not on the screen')
  await page.mouse.move(picture.x + 60, picture.y + 60)
  await page.mouse.down()
  await page.mouse.move(picture.x + 160, picture.y + 160, { steps: 4 })
  await page.mouse.up()
}

test('a box is drawn where the playhead stands, also in the next clip; its label is asked for within reach; it is seen on both sides of a border that it crosses', async () => {
  const [first, second] = (await clipsOf('two shots.mp4')).map(({ id, endFrame }) => ({ id, endFrame }))
  if (!first || !second) throw new Error('there are not two clips')
  await choose(first.id)
  await goToFrame(first.endFrame + 5)
  await page.keyboard.press('n')
  await draw()
  await expect
    .poll(async () =>
      (await said(second.id)).flatMap(({ body, clipId }) =>
        body.kind === 'track' && clipId === second.id ? [body.boxes[0]?.ordinal] : [],
      ),
    )
    .toEqual([first.endFrame + 5])
  await frameIs(first.endFrame + 5)
  await expect(page.locator(`[data-clip="${second.id}"]`)).toHaveAttribute('aria-current', 'true')
  const field = page.locator('[data-label-of]').last()
  await expect(field).toBeFocused()
  await expect(field).toBeInViewport()
  await page.keyboard.type('ball')
  await page.keyboard.press('Enter')
  // Its span is extended across the border: it begins in the first clip.
  await page.keyboard.press('Escape')
  const track = (await said(second.id)).find(({ body }) => body.kind === 'track')
  if (track?.body.kind !== 'track') throw new Error('there is no track')
  await page.locator('li.track').click({ position: { x: 6, y: 6 } })
  await goToFrame(first.endFrame - 10)
  await page.keyboard.press('Shift+E')
  await expect
    .poll(async () => (await said(first.id)).flatMap(({ body }) => (body.kind === 'track' ? [body.boxes[0]?.ordinal] : [])))
    .toEqual([first.endFrame - 10])
  await expect(page.locator(`[data-box="${track.id}"]`)).toBeVisible()
  await choose(first.id)
  await goToFrame(first.endFrame - 5)
  await expect(page.locator(`[data-box="${track.id}"]`)).toBeVisible()
  await expect(page.locator(`[data-label-of="${track.id}"]`)).toHaveValue('ball')
  // Drawing a box does not count as review.
  expect((await call('listSources')).sources.find(({ name }) => name === 'two shots.mp4')).toMatchObject({ reviewedCount: 0 })
})

test('many decisions at once leave the opposite ones alone until they are meant, and no group is chosen by itself', async () => {
  const clips = (await call('listClips')).clips.filter(({ sourceName }) => sourceName.startsWith('colour'))
  const captions = await Promise.all(clips.map(async ({ id }) => (await said(id)).find(({ body }) => body.kind === 'caption')?.id ?? 0))
  for (const annotationId of captions.slice(0, 2)) await call('reviewAnnotation', { params: { annotationId }, body: { action: 'reject' } })
  const states = async () =>
    (await call('listClips')).clips.filter(({ sourceName }) => sourceName.startsWith('colour')).map(({ captionState }) => captionState)
  const asked = page.getByRole('dialog', { name: 'Decided otherwise before' })
  await goTo('Table')
  await page.getByRole('button', { name: 'Column Length', exact: true }).click()
  await page.getByRole('button', { name: 'Group by this' }).click()
  await expect(page.locator('.grid-group').first()).toBeVisible()
  await page.getByRole('grid').focus()
  await expect(page.locator('.grid-group [aria-selected=true]')).toHaveCount(0)
  await page
    .locator('.grid-group')
    .filter({ hasText: '1.0' })
    .click({ position: { x: 400, y: 12 } })
  await page.keyboard.press('a')
  await expect(asked).toContainText('2 cells had been rejected by a person')
  await expect(asked.getByRole('button', { name: 'Leave them' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(asked).toHaveCount(0)
  expect(await states()).toEqual(['rejected', 'rejected', 'accepted', 'accepted'])
  await page.keyboard.press('x')
  await expect(asked).toContainText('2 cells had been accepted or written by a person')
  await asked.getByRole('button', { name: 'Reject these 2 too' }).click()
  await expect.poll(states).toEqual(['rejected', 'rejected', 'rejected', 'rejected'])
  await page.keyboard.press('Control+z')
  await expect.poll(states).toEqual(['rejected', 'rejected', 'accepted', 'accepted'])
})

test('letters write nothing in the table: A accepts and X rejects there as in Review, Enter and F2 edit', async () => {
  await page.getByRole('button', { name: /^Remove: Grouped/ }).click()
  const cell = page.locator('.grid-row').first().locator('[data-key=caption]')
  await cell.click()
  const before = await cell.locator('.clamped').textContent()
  await page.keyboard.press('a')
  await expect(cell).toHaveAttribute('data-state', 'accepted')
  await page.keyboard.press('x')
  await expect(cell).toHaveAttribute('data-state', 'rejected')
  await page.keyboard.press('u')
  await expect(cell.locator('.clamped')).toHaveText(before ?? '')
  await page.keyboard.type('zebra')
  await expect(page.locator('.cell-editor')).toHaveCount(0)
  await page.keyboard.press('F2')
  await page.keyboard.press('Control+a')
  await page.keyboard.type('zebra')
  await page.keyboard.press('Enter')
  await expect(cell.locator('.clamped')).toHaveText('zebra')
})

test('what is written in a cell is stored in that cell, wherever one clicks meanwhile, and over a reload', async () => {
  const captions = page.locator('.grid-row [data-key=caption]')
  const other = await captions.nth(1).textContent()
  const write = async (text: string) => {
    await captions.first().dblclick()
    await page.keyboard.press('Control+a')
    await page.keyboard.type(text)
  }
  await write('quince')
  await captions.nth(1).click()
  await expect(captions.first().locator('.clamped')).toHaveText('quince')
  await write('medlar')
  await page.locator('.grid-row [data-key=time]').nth(1).click()
  await expect(captions.first().locator('.clamped')).toHaveText('medlar')
  await write('sorb')
  await page.reload()
  // Beside a box that is ticked nobody types.
  await goTo('Queue')
  await page.getByRole('checkbox', { name: 'Only what is left to review' }).focus()
  await page.keyboard.press('Alt+2')
  await expect(captions.first().locator('.clamped')).toHaveText('sorb')
  await expect(captions.nth(1)).toHaveText(other ?? '')
})

test('what is refused over REST names the field and the fault', async () => {
  const [clip] = await clipsOf('two shots.mp4')
  const { pts } = await call('frames', { params: { sourceId: clip?.sourceId ?? 0 } })
  const key = (ordinal: number, time = pts[ordinal] ?? 0) => ({ ordinal, pts: time, box: { x1: 1, y1: 1, x2: 9, y2: 9 }, score: null })
  const add = (body: Parameters<typeof call<'addAnnotation'>>[1]['body']['body']) =>
    call('addAnnotation', { params: { clipId: clip?.id ?? 0 }, body: { body } })
  await expect(add({ kind: 'track', label: 'dog', boxes: [key(0), key(10, (pts[10] ?? 0) + 1)] })).rejects.toThrow(
    /body\.body\.boxes\.1\.pts: \d+ is not the time of frame 10, which is \d+/,
  )
  await expect(add({ kind: 'track', label: ' ', boxes: [key(0)] })).rejects.toThrow('body.body.label: This must not be empty')
  await expect(add({ kind: 'note', text: '' })).rejects.toThrow('body.body.text: This must not be empty')
  await expect(add({ kind: 'segment', text: 'x' } as never)).rejects.toThrow(/body\.body\.span: is missing/)
  await expect(add({ kind: 'dance' } as never)).rejects.toThrow(/body\.body\.kind: must be one of caption, answer/)
  await expect(call('export', { body: { formats: ['pictures'], frames: 'every:100' } } as never)).rejects.toThrow(
    'body.frames: must be \\"annotated\\", {\\"every\\": N} or',
  )
  await expect(call('listClips', { query: { sourceId: 999 } })).rejects.toThrow('There is no source 999')
  await expect(call('search', { body: { query: null, filters: { sourceIds: [999] } } })).rejects.toThrow('There is no source 999')
  await expect(call('editPicked', { body: { clipIds: [999], deed: { action: 'accept' } } })).rejects.toThrow('There is no clip 999')
})

test('a notice covers no button', async () => {
  for (const [width, where] of [
    [1024, 'Review'],
    [1440, 'Review'],
    [1024, 'Table'],
    [1440, 'Table'],
  ] as const) {
    await page.setViewportSize({ width, height: 900 })
    if (where === 'Review') await choose((await clipsOf('two shots.mp4'))[0]?.id ?? 0)
    else {
      await goTo('Table')
      await page.locator('.grid-row').last().locator('[data-key=caption]').click()
    }
    await page.keyboard.press('u')
    await page.keyboard.press('a')
    const notice = page.locator('[data-sonner-toast]').first()
    await expect(notice).toBeVisible()
    const covered = () =>
      page.evaluate(() => {
        const boxes = [...document.querySelectorAll('[data-sonner-toast]')].map((one) => one.getBoundingClientRect())
        return [...document.querySelectorAll<HTMLElement>('.app button, .app input')]
          .filter((tool) => tool.closest('[data-sonner-toaster]') === null && tool.checkVisibility())
          .filter((tool) => {
            const { left, right, top, bottom } = tool.getBoundingClientRect()
            return boxes.some((box) => left < box.right && right > box.left && top < box.bottom && bottom > box.top)
          })
          .map((tool) => tool.outerHTML.slice(0, 120))
      })
    // It slides to its place.
    await expect.poll(covered, { timeout: 3_000 }).toEqual([])
  }
  await page.setViewportSize({ width: 1440, height: 900 })
})

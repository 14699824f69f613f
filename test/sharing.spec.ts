/** Anna hands her library over, Ben goes on with it, and Anna takes his work in again: in the real window, with real videos. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { clip } from './clips.ts'
import { accessible, app, call, done, goTo, page, tubelet } from './app.ts'

tubelet()
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-sharing-'))
test.afterAll(() => rmSync(folder, { recursive: true, force: true }))

const settings = () => page.getByRole('region', { name: 'Working together' })
const dialog = () => page.getByRole('dialog')
const name = () => settings().getByRole('textbox', { name: 'Your name' })

async function called(who: string): Promise<void> {
  await goTo('Settings')
  await name().fill(who)
  await name().press('Enter')
  await expect.poll(async () => (await call('person')).name).toBe(who)
}

async function handOver(to: string, withVideos: boolean): Promise<void> {
  await goTo('Settings')
  await settings().getByRole('button', { name: 'Hand over…' }).click()
  if (withVideos) await settings().getByRole('checkbox', { name: 'With the videos themselves' }).check()
  await settings().getByRole('textbox', { name: 'Path' }).fill(to)
  await settings().getByRole('button', { name: 'Hand over', exact: true }).click()
  await expect(page.getByText(/^Handed over: /)).toBeVisible()
}

async function lookAt(file: string): Promise<void> {
  await goTo('Settings')
  await settings().getByRole('button', { name: 'Open or take in a file…' }).click()
  await dialog().getByRole('textbox', { name: 'Path' }).fill(file)
  await dialog().getByRole('button', { name: 'Look at it' }).click()
}

const captions = async () =>
  (await Promise.all((await call('listClips')).clips.map(({ id }) => call('getClip', { params: { clipId: id } })))).flatMap(
    ({ annotations }) => annotations.filter(({ body }) => body.kind === 'caption'),
  )
const write = (annotationId: number, text: string) =>
  call('reviewAnnotation', { params: { annotationId }, body: { action: 'edit', body: { kind: 'caption', text } } })

const STREET = `A car drives through a street${', and on through the next'.repeat(40)}`

test('Anna hands her library over with a video, and Ben opens it and goes on', async () => {
  mkdirSync(path.join(folder, 'films'))
  const video = path.join(folder, 'films', 'street.mp4')
  copyFileSync(clip('d09_dashcam_short.mp4'), video)
  await call('addSources', { body: { paths: [video] } })
  await done()
  await called('Anna')
  const [first] = await captions()
  await call('reviewAnnotation', { params: { annotationId: first?.id ?? 0 }, body: { action: 'accept' } })
  await handOver(path.join(folder, 'half.tubelet'), true)

  await lookAt(path.join(folder, 'half.tubelet'))
  await accessible()
  const reloaded = page.waitForEvent('load')
  await dialog().getByRole('button', { name: 'Open it' }).click()
  await reloaded
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible()
  const { sources } = await call('listSources')
  expect(sources.map(({ path: file, file: state }) => [file, state])).toEqual([
    [path.join(folder, 'half', 'videos', 'street.mp4'), 'there'],
  ])
  // It plays from its new place, and Anna's decision has her name.
  await page.locator('[data-clip]').first().click()
  await expect.poll(() => page.locator('video').evaluate((element) => (element as HTMLVideoElement).readyState)).toBeGreaterThan(1)
  await expect(page.getByText(/^by Anna, /).first()).toBeVisible()
  await called('Ben')
  const [hers] = await captions()
  await write(hers?.id ?? 0, STREET)
  await call('addAnnotation', { params: { clipId: hers?.clipId ?? 0 }, body: { body: { kind: 'note', text: 'Seen by Ben' } } })
  await handOver(path.join(folder, 'back.tubelet'), false)
})

test('Anna sees what Ben did differently, decides, and one undo takes all of it back', async () => {
  await call('openProject', { body: { path: app.projectDir } })
  await page.reload()
  const [own] = await captions()
  await write(own?.id ?? 0, 'A tram stops')
  await lookAt(path.join(folder, 'back.tubelet'))
  await dialog().getByRole('button', { name: 'Take in somebody’s work…' }).click()
  await expect(dialog().getByText('Handed over by Ben on')).toBeVisible()
  await expect(dialog().getByText('1 note')).toBeVisible()
  const difference = dialog().getByRole('listitem')
  await expect(difference).toHaveCount(1)
  await expect(difference.getByText('A tram stops')).toBeVisible()
  // A long text is folded, so that other differences are seen too.
  const heightOf = async () => (await difference.boundingBox())?.height ?? 0
  expect(await heightOf()).toBeLessThan(220)
  await difference.getByRole('button', { name: 'Show more' }).click()
  await expect.poll(heightOf).toBeGreaterThan(300)
  await accessible()
  await difference.getByRole('button', { name: 'Show less' }).click()
  await expect(difference.getByText(/^edited by Anna, /)).toBeVisible()
  await expect(difference.getByText(/^edited by Ben, /)).toBeVisible()
  await expect.poll(() => difference.locator('img').evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(0)
  const take = dialog().getByRole('button', { name: 'Take in', exact: true })
  await expect(take).toBeDisabled()
  await accessible()
  await difference.getByText('A car drives through a street').click()
  await take.click()
  await expect(page.getByText('Taken in. One undo takes all of it back.')).toBeVisible()
  expect((await captions()).map(({ body, by }) => [body, by])).toEqual([[{ kind: 'caption', text: STREET }, 'Ben']])
  await goTo('Review')
  await page.locator('[data-clip]').first().click()
  await expect(page.getByText('Seen by Ben')).toBeVisible()
  await goTo('Table')
  await expect(page.locator('.standing[title^="edited by Ben, "]').first()).toBeAttached()
  await page.keyboard.press('Control+z')
  await expect
    .poll(async () => (await captions()).map(({ body, by }) => [body, by]))
    .toEqual([[{ kind: 'caption', text: 'A tram stops' }, 'Anna']])

  // The same file may be taken in again.
  await lookAt(path.join(folder, 'back.tubelet'))
  await dialog().getByRole('button', { name: 'Take in somebody’s work…' }).click()
  await dialog().getByRole('button', { name: 'All mine' }).click()
  await dialog().getByRole('button', { name: 'Take in', exact: true }).click()
  await expect(dialog()).toBeHidden()
  await lookAt(path.join(folder, 'back.tubelet'))
  await dialog().getByRole('button', { name: 'Take in somebody’s work…' }).click()
  await expect(dialog().getByText('There is nothing new in it.')).toBeVisible()
})

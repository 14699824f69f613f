/**
 * An uncertain name that no label asks for is marked in every place in the window, and no longer once a label asks for it. A false object is added
 * to the detector's results as an earlier version would have stored it: without its certainty. sureness.test.ts checks lists and files.
 */
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from '@playwright/test'
import type { TrackBody } from '../app/annotation.ts'
import { app, call, clipRows, done, goTo, page, restart, tubelet } from './app.ts'

tubelet('d06_sign_book.mkv')
test.beforeAll(async () => {
  await app.stop()
  const db = new DatabaseSync(path.join(app.projectDir, 'library.sqlite'))
  const like = db.prepare('SELECT clip_id, pack_digest, boxes, body, provenance FROM candidates ORDER BY score DESC LIMIT 1').get() ?? {}
  const body = JSON.stringify({ ...(JSON.parse(String(like['body'])) as TrackBody), label: 'donut' })
  const { lastInsertRowid: candidate } = db
    .prepare(`INSERT INTO candidates (clip_id, pack_digest, label, score, boxes, body, provenance) VALUES (?, ?, 'donut', 0.85, ?, ?, ?)`)
    .run(like['clip_id'] ?? null, like['pack_digest'] ?? null, like['boxes'] ?? null, body, like['provenance'] ?? null)
  db.prepare(
    `INSERT INTO annotations (clip_id, kind, topic, machine, provenance, state, updated_at, candidate) VALUES (?, 'track', '', ?, ?, 'machine', '2026-01-01T00:00:00.000Z', ?)`,
  ).run(like['clip_id'] ?? null, body, like['provenance'] ?? null, candidate)
  db.close()
  await restart()
  await expect.poll(async () => (await call('listClips')).clips.flatMap(({ perhaps }) => perhaps)).toContain('donut')
})

const window = () => page.locator('body')
/** The name without a question mark. */
const SURE = /\bdonut\b(?!\?)/

/** As the window asks; the stream ends when the answer is stored. */
async function ask(clipId: number, question: string): Promise<void> {
  const { origin, searchParams } = new URL(app.url)
  const response = await fetch(`${origin}/api/clips/${clipId}/ask`, {
    method: 'POST',
    headers: { authorization: `Bearer ${searchParams.get('token') ?? ''}`, 'content-type': 'application/json' },
    body: JSON.stringify({ question }),
  })
  await response.text()
}

test('Review: the row of the clip, the list of boxes, the facts, the lane and the box itself', async () => {
  await goTo('Review')
  await clipRows().first().click()
  await expect(clipRows().first()).toContainText('donut?')
  const track = page.locator('.inspector .track').filter({ has: page.locator('input[value=donut]') })
  await expect(track).toContainText('perhaps')
  await expect(page.getByRole('list', { name: 'What was seen' })).toContainText('Perhaps a donut')
  await expect(page.locator('.inspector [data-kind=caption] .said')).not.toContainText(/donut/i)
  await expect(page.locator('.timeline .lane.life').filter({ hasText: 'donut?' })).toHaveCount(1)
  await expect(page.locator('.boxes text').filter({ hasText: /^donut\?$/ })).toHaveCount(1)
})

test('search says so in its reason, the filters at the name', async () => {
  await page.keyboard.press('Control+f')
  await page.keyboard.type('donut')
  await page.keyboard.press('Enter')
  const reasons = page.getByRole('list', { name: 'Matches' }).locator('.reasons')
  await expect(reasons).toContainText('donut?')
  await expect(reasons).toContainText('not sure')
  await page.keyboard.press('Control+f')
  await page.keyboard.press('Control+a')
  await page.keyboard.press('Delete')
  await page.locator('.filterbar button').first().click()
  await expect(page.locator('.option').filter({ hasText: 'donut' })).toContainText('donut?')
  await page.keyboard.press('Escape')
})

test('Overview counts answers that are not sure apart, as it counts tracks', async () => {
  const clip = (await call('listClips')).clips[0]
  // That there is none is never a sure answer to how many.
  await ask(clip?.id ?? 0, 'How many trains are there?')
  await goTo('Overview')
  await expect(page.locator('.totals div').filter({ hasText: 'Answers' })).toHaveText(/^Answers0 \+ 1 not sure$/)
})

test('Overview counts it apart, and Labels proposes it with a question mark', async () => {
  await goTo('Overview')
  await expect(page.locator('.totals')).toContainText('+ 1 not sure')
  await expect(page.locator('.overview .legend').filter({ hasText: 'donut' })).toContainText('donut?')
  await expect(window()).not.toContainText(SURE)
  await goTo('Labels')
  await expect(page.locator('.suggestions .chip').filter({ hasText: 'donut' })).toContainText('donut?')
})

test('once somebody asks for it, no place doubts it', async () => {
  await page.locator('.suggestions .chip').filter({ hasText: 'donut' }).click()
  await expect.poll(async () => (await call('listClips')).clips.flatMap(({ labels }) => labels)).toContain('donut')
  await done()
  await goTo('Review')
  await expect(clipRows().first()).toContainText(SURE)
  await expect(window()).not.toContainText('donut?')
})

test('Table marks a 0 that is not sure, as its file does', async () => {
  await call('addColumn', { body: { kind: 'count', text: 'bottle' } })
  await goTo('Table')
  await expect(page.locator('.grid-cell[data-type=count]').first()).toHaveText(/^0\s*not sure$/)
})

test('a question about one clip asks for it too: row, fact and box say what the answer says', async () => {
  await call('setLabels', { body: { labels: [] } })
  const perhaps = async () => (await call('listClips')).clips.find((clip) => clip.perhaps.includes('donut'))
  await expect.poll(perhaps).toBeDefined()
  await ask((await perhaps())?.id ?? 0, 'How many donuts are there?')
  await expect.poll(perhaps).toBeUndefined()
  await goTo('Review')
  await expect(clipRows().first()).toContainText(SURE)
  await expect(window()).not.toContainText('donut?')
})

/**
 * `npm run bench -- --table`: the question table over libraries of 1,000, 10,000 and 100,000 clips, in the window, in a real browser: how
 * long it takes until the rows of a sort, a filter or a group are drawn, and how long frames are while it scrolls. Figures, never a pass or fail.
 */
import { mkdtempSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { chromium, type Page } from '@playwright/test'
import { contract } from '../app/contract.ts'
import { Library } from '../main/library/library.ts'
import { forget, start } from './app.ts'

type Row = (what: string, measured: string, goal: string) => void
const QUESTIONS = ['What colour is it?', 'Is there a person?', 'What moves?']
const WORDS = [
  'red',
  'blue',
  'a green car',
  'white',
  'black',
  'a brown dog',
  'yellow',
  'a man with a hat',
  'grey',
  'a small pink ball that rolls to the left',
]

export async function benchTable(row: Row): Promise<void> {
  for (const clips of [1_000, 10_000, 100_000]) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-table-'))
    const library = Library.open(folder)
    for (const [at, question] of QUESTIONS.entries()) library.table.addColumn(at === 1 ? 'yesno' : 'question', question, false)
    await library.close()
    fill(folder, clips)
    const app = await start(folder)
    const browser = await chromium.launch({
      executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-background-networking', '--disable-gpu'],
    })
    try {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
      await page.goto(app.url)
      await page
        .getByText(/Ready on/)
        .first()
        .waitFor({ timeout: 60_000 })
      await page.waitForTimeout(1_000)
      const name = clips.toLocaleString('en')
      row(
        `${name} clips: the table opens`,
        `${(await timed(page, () => page.getByRole('button', { name: 'Table', exact: true }).click())).toFixed(0)} ms`,
        '',
      )
      for (const when of ['just opened', 'at rest for five seconds before']) {
        if (when !== 'just opened') await page.waitForTimeout(5_000)
        const { median, high, most } = await scroll(page)
        row(
          `${name} clips: frames while it scrolls by wheel, ${when}: median / 95th percentile / longest`,
          `${median.toFixed(1)} / ${high.toFixed(1)} / ${most.toFixed(0)} ms`,
          '16.7 ms',
        )
      }
      row(`${name} clips: from end to end at once until rows are there`, `${(await jump(page)).toFixed(0)} ms`, '')
      const menu = async (column: string, act: () => Promise<void>) => {
        await page.getByRole('button', { name: `Column ${column}`, exact: true }).click()
        await act()
      }
      row(
        `${name} clips: sort by an answer`,
        `${(await timed(page, () => page.locator('[data-heading=q1] .grid-title').click())).toFixed(0)} ms`,
        '',
      )
      row(
        `${name} clips: the other way`,
        `${(await timed(page, () => page.locator('[data-heading=q1] .grid-title').click())).toFixed(0)} ms`,
        '100 ms',
      )
      await menu('Caption', async () => page.getByLabel('Text to find').fill('number 77'))
      row(`${name} clips: captions that contain a text`, `${(await timed(page, () => page.keyboard.press('Enter'))).toFixed(0)} ms`, '')
      await page.getByRole('button', { name: /^Remove: Caption/ }).click()
      await menu('Is there a person?', () => Promise.resolve())
      row(
        `${name} clips: group by yes or no`,
        `${(await timed(page, () => page.getByRole('button', { name: 'Group by this' }).click())).toFixed(0)} ms`,
        '',
      )
      if (clips === 100_000) {
        const token = new URL(app.url).searchParams.get('token') ?? ''
        const post = async (route: string, body: unknown) =>
          (
            await fetch(new URL(route, app.url), {
              method: 'POST',
              headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
              body: JSON.stringify(body),
            })
          ).json() as Promise<unknown>
        const { view } = (await post(contract.openTable.path, { rows: 'clips', sort: [], filters: [], group: null })) as { view: string }
        /** Milliseconds it takes, and how long other calls wait meanwhile. */
        const busy = async (work: () => Promise<unknown>) => {
          const began = performance.now()
          const waits: number[] = []
          const state = { open: true }
          const doing = work().finally(() => (state.open = false))
          while (state.open) {
            const asked = performance.now()
            await fetch(new URL(contract.history.path, app.url), { headers: { authorization: `Bearer ${token}` } })
            waits.push(performance.now() - asked)
          }
          await doing
          return `${((performance.now() - began) / 1000).toFixed(1)} s; other calls wait ${percentile(waits, 0.95).toFixed(0)} ms at the 95th percentile, ${Math.max(...waits).toFixed(0)} ms at most`
        }
        row(
          '100,000 answers accepted as one step',
          await busy(() => post(contract.editCells.path, { view, from: 0, to: 100_000, columns: ['q1'], action: 'accept' })),
          '',
        )
        row('That step undone', await busy(() => post(contract.undo.path, {})), '')
      }
    } finally {
      await browser.close()
      await app.stop()
      forget(app)
    }
  }
}

/** Milliseconds from the press until rows of the new arrangement have been drawn, measured in the page. */
async function timed(page: Page, act: () => Promise<unknown>): Promise<number> {
  await page.evaluate(() => {
    const done = Promise.withResolvers<number>()
    Object.assign(globalThis, { drawn: done.promise })
    let began = 0
    for (const type of ['click', 'keydown']) document.addEventListener(type, () => (began ||= performance.now()), { capture: true })
    const view = () => document.querySelector<HTMLElement>('.grid')?.dataset['view']
    const before = view()
    const seen = new MutationObserver(() => {
      if (
        began === 0 ||
        view() === undefined ||
        view() === before ||
        document.querySelector('.grid-row') === null ||
        document.querySelector('.grid-row .skeleton') !== null
      )
        return
      seen.disconnect()
      requestAnimationFrame(() => setTimeout(() => done.resolve(performance.now() - began)))
    })
    seen.observe(document.body, { subtree: true, childList: true, attributes: true })
  })
  await act()
  return page.evaluate(() => (globalThis as unknown as { drawn: Promise<number> }).drawn)
}

/** Frame times over two seconds of wheel scrolling. */
async function scroll(page: Page): Promise<{ median: number; high: number; most: number }> {
  await page.getByRole('grid').hover()
  await page.evaluate(() => {
    const times: number[] = []
    Object.assign(globalThis, { times, last: performance.now(), enough: false })
    const tick = () => {
      const state = globalThis as unknown as { last: number; enough?: boolean }
      const now = performance.now()
      times.push(now - state.last)
      state.last = now
      if (!state.enough) requestAnimationFrame(tick)
    }
    requestAnimationFrame(tick)
  })
  for (let turn = 0; turn < 60; turn += 1) {
    await page.mouse.wheel(0, 240)
    await page.waitForTimeout(33)
  }
  const times = await page.evaluate(() => {
    const state = globalThis as unknown as { times: number[]; enough: boolean }
    state.enough = true
    return state.times.slice(2)
  })
  return { median: percentile(times, 0.5), high: percentile(times, 0.95), most: Math.max(...times) }
}

/** Milliseconds from a jump to the last row until its block is on the screen. */
function jump(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const grid = document.querySelector('.grid')
        const began = performance.now()
        grid?.scrollTo({ top: grid.scrollHeight })
        const look = () => {
          const rows = [...document.querySelectorAll('.grid-row')]
          const bottom = grid?.getBoundingClientRect().bottom ?? 0
          const there = rows.some(
            (row) => Math.abs(row.getBoundingClientRect().bottom - bottom) < 60 && row.querySelector('.skeleton') === null,
          )
          if (there) resolve(performance.now() - began)
          else requestAnimationFrame(look)
        }
        requestAnimationFrame(look)
      }),
  )
}

function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN
}

/** Clips with a caption and an answer to each question, written to the library without the engine. */
function fill(folder: string, clips: number): void {
  const db = new DatabaseSync(path.join(folder, 'library.sqlite'))
  const source = db.prepare(
    `INSERT INTO sources (id, path, name, bytes, mtime_ms, fingerprint, added_at, state) VALUES (?, ?, ?, 1, 0, ?, '2026-01-01', 'done')`,
  )
  const clip = db.prepare(
    `INSERT INTO clips (id, source_id, idx, kind, start, "end", start_frame, end_frame, frames) VALUES (?, ?, ?, 'window', ?, ?, ?, ?, '[]')`,
  )
  const said = db.prepare(
    `INSERT INTO annotations (clip_id, kind, topic, machine, state, evidence, provenance, updated_at) VALUES (?, ?, ?, ?, 'machine', ?, ?, '2026-01-01')`,
  )
  const encoding = db.prepare(`INSERT INTO encodings (clip_id, pack_digest, embedding, memory) VALUES (?, 'none', x'00000000', x'0000')`)
  const provenance = JSON.stringify({
    packId: 'p',
    packVersion: '1',
    packDigest: 'none',
    provider: 'cpu',
    prompt: '',
    appVersion: '0',
    at: '2026-01-01T00:00:00.000Z',
  })
  const frames = Array.from({ length: 16 }, (_, at) => ({ ordinal: at * 12, pts: at * 12, weight: 0.06 }))
  db.exec('BEGIN')
  for (let id = 1; id <= clips; id += 1) {
    const [video, index] = [Math.ceil(id / 50), (id - 1) % 50]
    if (index === 0) source.run(video, `/v/${video}.mp4`, `camera ${video % 12} day ${video}.mp4`, `f${video}`)
    clip.run(id, video, index, index * 8, index * 8 + 8, index * 200, index * 200 + 200)
    encoding.run(id)
    const evidence = (at: number) =>
      JSON.stringify({
        confidence: ((id * 7919 + at * 31) % 1000) / 1000,
        unsure: (id * 7919 + at * 31) % 1000 < 500,
        agreement: 0.2,
        frames,
      })
    said.run(
      id,
      'caption',
      '',
      JSON.stringify({
        kind: 'caption',
        text: `clip number ${id}: ${WORDS[(id * 13) % WORDS.length] ?? ''} moves to the left while the camera pans`,
      }),
      evidence(0),
      provenance,
    )
    for (const [at, question] of QUESTIONS.entries()) {
      const text = at === 1 ? (['yes', 'no', 'a red car'][(id * 31) % 3] ?? '') : (WORDS[(id * 17 + at) % WORDS.length] ?? '')
      said.run(
        id,
        'answer',
        question.toLowerCase().replace('?', ''),
        JSON.stringify({ kind: 'answer', question, text }),
        evidence(at + 1),
        provenance,
      )
    }
  }
  db.exec('COMMIT')
  db.close()
}

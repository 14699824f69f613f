/**
 * `npm run bench [-- --install | --search | --table | --overview | --workers | --vectors | --export [BOXES… FORMATS…] | --import [MEGABYTES…] | --merge [DECISIONS…]]`: the numbers of the README, measured on this machine with the shipped pack and the clips of
 * TUBELET_CLIPS, printed as one table. Figures, never a pass or fail: machines are shared and noisy.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium, type Page } from '@playwright/test'
import { contract } from '../app/contract.ts'
import { forget, start } from './app.ts'
import { clipsFolder } from './clips.ts'
import { analyseBatch } from './cost.ts'
import { benchOverview } from './bench-overview.ts'
import { benchExport, benchImport } from './export-bench.ts'
import { benchMerge } from './merge-bench.ts'
import { benchSearch } from './search-bench.ts'
import { benchTable } from './table-bench.ts'
import { benchVectors } from './vector-bench.ts'
import { benchWorkers } from './workers-bench.ts'

const root = path.resolve(import.meta.dirname, '..')
const work = mkdtempSync(path.join(os.tmpdir(), 'tubelet-bench-'))
const rows: { what: string; measured: string; goal: string }[] = []

function row(what: string, measured: string, goal: string): void {
  rows.push({ what, measured, goal })
  console.log(`${what}: ${measured}  (goal: ${goal})`)
}

const clips = clipsFolder()
if (clips === null) process.exit(1)
const videos = readdirSync(clips)
  .filter((name) => /^[df]\d/.test(name))
  .map((name) => path.join(clips, name))

try {
  if (process.argv.includes('--search')) await benchSearch(row)
  else if (process.argv.includes('--table')) await benchTable(row)
  else if (process.argv.includes('--export')) benchExport(row, process.argv.slice(process.argv.indexOf('--export') + 1))
  else if (process.argv.includes('--import')) benchImport(row, process.argv.slice(process.argv.indexOf('--import') + 1))
  else if (process.argv.includes('--merge')) benchMerge(row, process.argv.slice(process.argv.indexOf('--merge') + 1))
  else if (process.argv.includes('--overview')) await benchOverview(row)
  else if (process.argv.includes('--vectors')) await benchVectors(row, videos)
  else if (process.argv.includes('--workers')) await benchWorkers(row)
  else await all()
  const cpu = os.cpus()
  console.log(`\n${cpu.length} × ${cpu[0]?.model ?? '?'}, ${(os.totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}\n`)
  console.log(
    ['| What | Measured | Goal |', '|---|---|---|', ...rows.map(({ what, measured, goal }) => `| ${what} | ${measured} | ${goal} |`)].join(
      '\n',
    ),
  )
} finally {
  rmSync(work, { recursive: true, force: true })
}

async function all(): Promise<void> {
  await batch(videos)
  const dropped = path.join(work, 'dropped')
  mkdirSync(dropped)
  for (const file of videos) symlinkSync(file, path.join(dropped, path.basename(file)))
  await inWindow(dropped)
  packagedSize()
  if (process.argv.includes('--install')) install()
}

/** All tasks over all clips, as one command from a cold start. */
async function batch(files: readonly string[]): Promise<void> {
  const { wall, memory, report } = await analyseBatch(root, files, { labels: ['person', 'car', 'ball'], project: path.join(work, 'batch') })
  const done = report.sources.filter(({ state }) => state === 'done')
  const seconds = done.reduce((sum, { duration }) => sum + (duration ?? 0), 0)
  const clipCount = done.reduce((sum, source) => sum + source.clips.length, 0)
  row(
    `${done.length} of ${files.length} files (the same content counts once), ${clipCount} clips, ${seconds.toFixed(0)} s of video: captions, boxes, a question, exports`,
    `${wall.toFixed(0)} s, ${(seconds / wall).toFixed(1)} × real time`,
    '8 × real time',
  )
  row('Peak memory of all processes together', `${(memory / 1e9).toFixed(2)} GB`, '1.5 GB')
}

/** The window in a real browser: time until something is seen, smoothness, and the speed of a second question. */
async function inWindow(folder: string): Promise<void> {
  const app = await start()
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
    const painted = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN)
    row('The window is drawn after it is opened', `${(painted / 1000).toFixed(2)} s`, '0.5 s')
    // An idle app, as it is while people who have just started it look for their files.
    await page.waitForTimeout(3000)
    // Measured in the page, so that the figures do not include the driver's delay.
    await page.evaluate(() => {
      const seen = { added: 0, picture: 0, caption: 0, long: [] as number[] }
      Object.assign(globalThis, { seen })
      document.addEventListener(
        'click',
        (event) => {
          if ((event.target as HTMLElement).textContent === 'Add') seen.added = performance.now()
        },
        { capture: true },
      )
      // The load event of pictures does not bubble: listen in the capture phase.
      document.addEventListener(
        'load',
        ({ target }) => {
          if (seen.added > 0 && seen.picture === 0 && target instanceof HTMLImageElement && target.closest('nav'))
            seen.picture = performance.now()
        },
        { capture: true },
      )
      const captions = new MutationObserver(() => {
        if (!/[a-z]{3}/.test(document.querySelector('[data-clip]')?.textContent ?? '')) return
        seen.caption = performance.now()
        captions.disconnect()
      })
      captions.observe(document, { subtree: true, childList: true })
      new PerformanceObserver((list) => seen.long.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' })
    })
    await page.keyboard.press('Control+o')
    await page.getByLabel('Path').fill(folder)
    await page.evaluate(() => ((globalThis as unknown as { seen: { long: number[] } }).seen.long.length = 0))
    await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click()
    // Polled through the API: a driver that searches the page for words would keep the page busy.
    const token = new URL(app.url).searchParams.get('token') ?? ''
    const left = async () => {
      const response = await fetch(new URL(contract.queue.path, app.url), { headers: { authorization: `Bearer ${token}` } })
      const { waiting, running, finished } = (await response.json()) as { waiting: number; running: number; finished: number }
      return finished === 0 ? Infinity : waiting + running
    }
    while ((await left()) > 0) await sleep(1000)
    const seen = await page.evaluate(
      () => (globalThis as unknown as { seen: { added: number; picture: number; caption: number; long: number[] } }).seen,
    )
    row('First picture after the drop', `${((seen.picture - seen.added) / 1000).toFixed(2)} s`, '1 s')
    row('First caption after the drop', `${((seen.caption - seen.added) / 1000).toFixed(2)} s`, '5 s')
    row(
      'Longest task of the window while the batch ran',
      seen.long.length === 0 ? 'none over 50 ms' : `${Math.max(...seen.long).toFixed(0)} ms (${seen.long.length} over 50 ms)`,
      '50 ms',
    )

    await whileBusy(page, left, (route) =>
      fetch(new URL(route, app.url), { method: 'POST', headers: { authorization: `Bearer ${token}` } }),
    )

    const clip = Number(await page.locator('[data-clip]').first().getAttribute('data-clip'))
    const ask = (question: string) =>
      page.evaluate(
        async ([url, question]) => {
          const began = performance.now()
          const response = await fetch(url, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ question }),
          })
          let first: number | null = null
          let text = ''
          for await (const chunk of response.body ?? []) {
            text += new TextDecoder().decode(chunk)
            if (first === null && text.includes('"token"')) first = performance.now() - began
          }
          return first
        },
        [contract.askClip.path.replace('{clipId}', String(clip)), question] as const,
      )
    await ask('What moves?')
    const times: number[] = []
    for (const question of ['What colour is it?', 'How many things are there?', 'Where is it?', 'Is the camera still?', 'What is large?'])
      times.push((await ask(question)) ?? NaN)
    row('First token of a further question about a clip, median of 5', `${times.sort((a, b) => a - b)[2]?.toFixed(0) ?? '?'} ms`, '150 ms')
  } finally {
    await browser.close()
    await app.stop()
    forget(app)
  }
}

/** From a key or a press to the next picture (Event Timing, of at least 16 ms), on every page, while all videos are decoded again. */
async function whileBusy(page: Page, left: () => Promise<number>, post: (route: string) => Promise<Response>): Promise<void> {
  const sources = await page.locator('.source-row').count()
  for (let id = 1; id <= Math.max(sources, videos.length); id += 1) await post(contract.retrySource.path.replace('{sourceId}', String(id)))
  await page.evaluate(() => {
    const slow = new Map<number, number>()
    Object.assign(globalThis, { slow })
    const note = (entry: PerformanceEventTiming) =>
      entry.interactionId > 0 && slow.set(entry.interactionId, Math.max(slow.get(entry.interactionId) ?? 0, entry.duration))
    new PerformanceObserver((list) => (list.getEntries() as PerformanceEventTiming[]).forEach(note)).observe({
      type: 'event',
      durationThreshold: 16,
    } as PerformanceObserverInit)
  })
  const pages = await page
    .locator('.rail [data-page]')
    .evaluateAll((buttons) => buttons.map((button) => button.getAttribute('data-page') ?? ''))
  let count = 0
  for (let turn = 0; turn < 200 && (await left()) > 0; turn += 1) {
    await page.locator(`.rail [data-page=${pages[turn % pages.length] ?? 'review'}]`).click()
    await page.keyboard.press('ArrowDown')
    count += 2
    await sleep(250)
  }
  const slow = await page.evaluate(() => [...(globalThis as unknown as { slow: Map<number, number> }).slow.values()])
  // Event Timing does not report shorter ones.
  const all = [...slow, ...Array.from({ length: Math.max(0, count - slow.length) }, () => 16)].sort((a, b) => a - b)
  row(
    `From a press to the next picture while a batch runs, 95th percentile of ${count}`,
    `${all[Math.ceil(all.length * 0.95) - 1]?.toFixed(0) ?? '?'} ms`,
    '100 ms',
  )
  await page.locator('.rail [data-page=review]').click()
}

/** The size of what electron-builder puts beside Electron's own files: it really packs, with an empty folder in place of Electron. */
function packagedSize(): void {
  spawnSync('npm', ['run', 'build'], { cwd: root, stdio: 'ignore' })
  const electron = path.join(work, 'electron')
  const out = path.join(work, 'packed')
  mkdirSync(electron)
  writeFileSync(path.join(electron, 'electron'), '')
  const packed = spawnSync(
    process.execPath,
    [
      path.join(root, 'node_modules', 'electron-builder', 'cli.js'),
      '--linux',
      'dir',
      `-c.electronDist=${electron}`,
      `-c.directories.output=${out}`,
    ],
    { cwd: root, encoding: 'utf8' },
  )
  const resources = path.join(out, 'linux-unpacked', 'resources')
  if (packed.status !== 0 || !existsSync(resources))
    row(
      "The packaged app's own files, Linux",
      `not measured: ${(packed.stderr || packed.stdout).trim().split('\n').at(-1) ?? ''}`,
      '200 MB',
    )
  else row("The packaged app's own files, Linux", `${(sizeOf(resources) / 1e6).toFixed(0)} MB`, '200 MB')
}

function sizeOf(item: string): number {
  const stat = statSync(item)
  return stat.isDirectory() ? readdirSync(item).reduce((sum, name) => sum + sizeOf(path.join(item, name)), 0) : stat.size
}

/** `npm ci` and the build, in a copy without anything installed; npm's cache is warm because this project was installed before. */
function install(): void {
  const copy = path.join(work, 'clone')
  spawnSync('git', ['clone', '-q', root, copy])
  const began = performance.now()
  const done = spawnSync('sh', ['-c', 'npm ci --no-audit --no-fund && npm run build'], { cwd: copy, stdio: 'ignore' })
  row(
    'npm ci and build from a warm npm cache',
    done.status === 0 ? `${((performance.now() - began) / 1000).toFixed(0)} s` : 'failed',
    '180 s',
  )
}

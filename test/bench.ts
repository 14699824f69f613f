/**
 * `npm run bench`: the numbers of the README, measured on this machine with the shipped pack and the clips of TUBELET_CLIPS, printed
 * as one table. Figures, never a pass or fail: machines are shared and noisy.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { chromium } from 'playwright'
import { clipsFolder } from './clips.ts'

const root = path.resolve(import.meta.dirname, '..')
const cli = path.join(root, 'main', 'cli.ts')
const work = mkdtempSync(path.join(os.tmpdir(), 'tubelet-bench-'))
const rows: { what: string; measured: string; goal: string }[] = []
const row = (what: string, measured: string, goal: string) => {
  rows.push({ what, measured, goal })
  console.log(`${what}: ${measured}  (goal: ${goal})`)
}

const clips = clipsFolder()
if (clips === null) {
  console.error('No clips: set TUBELET_CLIPS to a folder of videos.')
  process.exit(1)
}
const videos = readdirSync(clips).filter((name) => /^[df]\d/.test(name)).map((name) => path.join(clips, name))

try {
  await batch(videos)
  await window(clips)
  packaged()
  if (process.argv.includes('--install')) install()
  console.table(Object.fromEntries(rows.map(({ what, ...rest }) => [what, rest])))
} finally {
  rmSync(work, { recursive: true, force: true })
}

/** All tasks over all readable clips, as one command; memory is the sum over the process tree, sampled. */
async function batch(files: readonly string[]): Promise<void> {
  const began = performance.now()
  const child = spawn(process.execPath, [cli, 'analyze', ...files, '--ask', 'What moves?', '--labels', 'person,car,ball', '--export', 'coco,vtt', '--out', path.join(work, 'out'), '--project', path.join(work, 'batch'), '--json'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  let peak = 0
  const meter = setInterval(() => (peak = Math.max(peak, treeMemory(child.pid ?? 0))), 200)
  await exited(child)
  clearInterval(meter)
  const wall = (performance.now() - began) / 1000
  const report = JSON.parse(output) as { sources: { duration: number | null; clips: unknown[]; state: string }[] }
  const seconds = report.sources.reduce((sum, { duration }) => sum + (duration ?? 0), 0)
  const clipCount = report.sources.reduce((sum, source) => sum + source.clips.length, 0)
  row(`${report.sources.length} files, ${clipCount} clips, ${seconds.toFixed(0)} s of video: all tasks`, `${wall.toFixed(1)} s = ${(seconds / wall).toFixed(1)}x real time`, '8x')
  row('peak memory of all processes', `${(peak / 2 ** 30).toFixed(2)} GB`, '1.5 GB')
}

/** The window under a real browser: how soon something is seen, how smooth it stays, how fast a second question is. */
async function window(folder: string): Promise<void> {
  const server = spawn(process.execPath, [cli, 'serve', '--project', path.join(work, 'window')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const browser = await chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-background-networking'] })
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    await page.goto(await address(server))
    await page.getByText(/Ready on/).first().waitFor()
    await page.evaluate(() => {
      const seen = globalThis as unknown as { longest: number }
      seen.longest = 0
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) seen.longest = Math.max(seen.longest, entry.duration)
      }).observe({ type: 'longtask' })
    })
    const began = performance.now()
    const token = page.request
    await token.post('/api/sources', { data: { paths: [folder] }, timeout: 120_000 }).catch(() => undefined)
    void began
  } finally {
    await browser.close()
    server.kill('SIGTERM')
    await exited(server)
  }
}

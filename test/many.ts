/**
 * `npm run many [-- CLIPS]`: many short videos through one session, while a window's requests and its stream of events go on. Prints how many files,
 * how much memory and how long a log of the library are open as it goes: none of them may grow with the number of videos. Linux only.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RouteOutput } from '../app/contract.ts'
import { Library } from '../main/library/library.ts'
import { lean } from '../main/setup.mjs'

interface Session {
  videos: number
  /** All bundled packs, or only the one that writes captions. */
  packs: 'all' | 'one'
  /** How often it is measured. */
  measurements: number
  onMeasured?: (measured: Measured) => void
}
/** Memory in MB. */
export interface Measured {
  done: number
  /** Open files of the host, and of the engine that has most. */
  files: number
  engineFiles: number
  threads: number
  memory: number
  /** Of all engines together. */
  engineMemory: number
  /** Of the log that SQLite keeps beside the library. */
  log: number
  requests: number
}
export interface Outcome {
  measured: Measured[]
  /** Videos that are not done in the end, and requests that failed. */
  faults: string[]
}

const MB = 2 ** 20
const cli = path.resolve(import.meta.dirname, '..', 'main', 'cli.ts')

export async function many({ videos, packs, measurements, onMeasured }: Session): Promise<Outcome> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-many-'))
  const [project, files] = [path.join(folder, 'library'), path.join(folder, 'videos')]
  mkdirSync(files)
  makeVideos(files, videos)
  if (packs === 'one') {
    const library = Library.open(project)
    for (const task of ['boxes', 'text'] as const) library.packs.use(task, null)
    await library.close()
  }
  const args = ['serve', '--project', project, '--packs', path.join(folder, 'packs')]
  const host = spawn(process.execPath, [...lean, cli, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const died: string[] = []
  host.on('exit', (code, signal) => died.push(`the host ended with ${signal ?? String(code)}`))
  try {
    const window = new Window(await addressOf(host))
    const events = window.listen()
    await window.ask('POST', '/api/sources', { paths: [files] })
    const measured: Measured[] = []
    for (;;) {
      const queue = await window.look()
      const over = queue.waiting + queue.running === 0
      if (over || queue.finished >= ((measured.length + 1) * videos) / measurements) {
        const now = { done: queue.finished, ...measure(host.pid ?? 0, project), requests: window.requests }
        measured.push(now)
        onMeasured?.(now)
      }
      if (over) break
      await sleep(200)
    }
    const { sources } = await window.ask<RouteOutput<'listSources'>>('GET', '/api/sources')
    for (const { name, state, problem } of sources)
      if (state !== 'done' || problem !== null) window.faults.push(`${name} is “${state}”: ${JSON.stringify(problem)}`)
    if (sources.length !== videos) window.faults.push(`${sources.length} of ${videos} videos are there`)
    window.leave()
    await events
    return { measured, faults: [...died, ...window.faults] }
  } finally {
    if (host.exitCode === null) {
      host.kill('SIGINT')
      await once(host, 'exit')
    }
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One picture each, of one second, and a number at the end that makes each another video. */
function makeVideos(folder: string, count: number): void {
  const shapes = Array.from({ length: Math.min(count, 10) }, (_, n) => {
    const file = path.join(folder, 'shape.mp4')
    const picture = `testsrc2=s=96x72:r=5:d=1,hue=h=${n * 33}`
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', picture, '-pix_fmt', 'yuv420p', '-preset', 'ultrafast', file])
    return readFileSync(file)
  })
  rmSync(path.join(folder, 'shape.mp4'))
  for (let n = 0; n < count; n += 1) {
    // A box of MP4 that readers skip.
    const box = Buffer.alloc(16)
    box.writeUInt32BE(box.length)
    box.write('free', 4, 'latin1')
    box.writeUInt32BE(n, 8)
    writeFileSync(path.join(folder, `${n}.mp4`), Buffer.concat([shapes[n % shapes.length] ?? Buffer.alloc(0), box]))
  }
}

function addressOf(host: ChildProcess): Promise<URL> {
  return new Promise((resolve, reject) => {
    let output = ''
    host.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const address = /http:\/\/\S+/.exec(output)?.[0]
      if (address !== undefined) resolve(new URL(address))
    })
    host.once('exit', (code) => reject(new Error(`tubelet serve ended with ${String(code)}: ${output}`)))
  })
}

/** What a window asks for while somebody looks through what is there. */
class Window {
  requests = 0
  /** Bytes of events. */
  heard = 0
  readonly faults: string[] = []
  readonly #address: URL
  readonly #closed = new AbortController()
  #turn = 0

  constructor(address: URL) {
    this.#address = address
  }

  async #get(method: string, url: string, init: RequestInit = {}): Promise<Response> {
    this.requests += 1
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${this.#address.searchParams.get('token') ?? ''}`)
    return fetch(new URL(url, this.#address.origin), { method, ...init, headers })
  }

  async ask<T>(method: string, url: string, body?: unknown): Promise<T> {
    const response = await this.#get(method, url, body === undefined ? {} : { body: JSON.stringify(body) })
    const text = await response.text()
    if (!response.ok) this.faults.push(`${method} ${url}: ${response.status} ${text.slice(0, 300)}`)
    return (text.startsWith('{') ? JSON.parse(text) : null) as T
  }

  /** Keeps the stream of events open, and opens it again now and then as a window that is loaded again does. */
  async listen(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(5_000)])
      try {
        const { body } = await this.#get('GET', '/api/events', { signal })
        for await (const piece of body ?? []) this.heard += piece.length
      } catch (error) {
        if (!signal.aborted) this.faults.push(`the stream of events ended: ${String(error)}`)
      }
    }
  }

  leave(): void {
    this.#closed.abort()
  }

  /** One look at the window; every few of them at another page. */
  async look(): Promise<RouteOutput<'queue'>> {
    const { clips, total } = await this.ask<RouteOutput<'listClips'>>('GET', `/api/clips?limit=20&offset=${this.#turn * 7}`)
    if (clips.length === 0) this.#turn = 0
    const [clip] = clips
    if (clip !== undefined) {
      await this.ask('GET', `/api/clips/${clip.id}`)
      await this.ask('GET', `/api/clips/${clip.id}/thumbnail`)
      await this.#play(clip.sourceId)
    }
    if (this.#turn % 5 === 0) await this.ask('GET', '/api/sources')
    if (this.#turn % 8 === 0 && total > 0) {
      const { view } = await this.ask<{ view: string }>('POST', '/api/table/open', { rows: 'clips', sort: [], filters: [], group: null })
      await this.ask('GET', `/api/table/rows?view=${view}&from=0&to=20&columns=name`)
      await this.ask('POST', '/api/search', { query: { by: 'words', words: 'camera' } })
    }
    if (this.#turn % 8 === 4 && clip !== undefined) {
      await this.ask('POST', `/api/clips/${clip.id}/annotations`, { body: { kind: 'note', text: `seen at ${this.#turn}` } })
      await this.ask('POST', '/api/history/undo')
    }
    this.#turn += 1
    return this.ask('GET', '/api/queue')
  }

  /** Plays a video and leaves it before it has come. */
  async #play(sourceId: number): Promise<void> {
    const left = new AbortController()
    const { body } = await this.#get('GET', `/api/sources/${sourceId}/media`, { headers: { range: 'bytes=0-' }, signal: left.signal })
    await body?.getReader().read()
    left.abort()
  }
}

function measure(pid: number, project: string): Omit<Measured, 'done' | 'requests'> {
  const engines = readdirSync('/proc').flatMap((name) => {
    try {
      const isEngine =
        /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1] === String(pid) &&
        readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('engine')
      return isEngine ? [Number(name)] : []
    } catch {
      // Not a process, or one that has ended meanwhile.
      return []
    }
  })
  const status = (of: number, key: string) =>
    Number(new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(readFileSync(`/proc/${of}/status`, 'utf8'))?.[1] ?? 0)
  const files = (of: number) => readdirSync(`/proc/${of}/fd`).length
  return {
    files: files(pid),
    engineFiles: Math.max(0, ...engines.map(files)),
    threads: status(pid, 'Threads'),
    memory: Math.round(status(pid, 'VmRSS') / 1024),
    engineMemory: Math.round(engines.reduce((sum, engine) => sum + status(engine, 'VmRSS'), 0) / 1024),
    log: Number(((statSync(path.join(project, 'library.sqlite-wal'), { throwIfNoEntry: false })?.size ?? 0) / MB).toFixed(1)),
  }
}

if (process.argv[1] === import.meta.filename) {
  const [videos = 5_000] = process.argv.slice(2).map(Number)
  const began = performance.now()
  console.log('| videos done | open files | files of an engine | threads | memory, MB | engines, MB | log, MB | requests |')
  console.log('|---|---|---|---|---|---|---|---|')
  const { faults } = await many({
    videos,
    packs: 'all',
    measurements: 20,
    onMeasured: (now) =>
      console.log(
        `| ${[now.done, now.files, now.engineFiles, now.threads, now.memory, now.engineMemory, now.log, now.requests].join(' | ')} |`,
      ),
  })
  console.log(`${((performance.now() - began) / 60_000).toFixed(1)} minutes; ${faults.length} faults`)
  for (const fault of faults.slice(0, 20)) console.log(fault)
  process.exit(faults.length === 0 ? 0 : 1)
}

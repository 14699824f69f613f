/** Workers for tests and measurements: a store of tickets, a library that hands its videos out, and worker processes, all on this machine. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { inflateSync } from 'node:zlib'
import { Redis } from 'ioredis'
import type { Scope } from '../app/contract/access.ts'
import type { Worker } from '../app/contract/workers.ts'
import { Library } from '../main/library/library.ts'
import { openTubelet, type Tubelet } from '../main/open.ts'
import { copyTalkative } from '../main/packs/pack.testing.ts'
import { digestsOf } from '../main/pack-digest.ts'
import { serveWorkers } from '../main/serve.ts'

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return address !== null && typeof address === 'object' ? address.port : 0
}

/** A Redis that keeps nothing on the disk. */
export class Store {
  readonly url: string
  readonly #port: number
  #child: ChildProcess | null = null

  constructor(port: number) {
    this.#port = port
    this.url = `redis://127.0.0.1:${port}`
  }

  async start(): Promise<void> {
    const child = spawn('redis-server', ['--port', String(this.#port), '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'], {
      stdio: 'ignore',
    })
    this.#child = child
    await this.ask((redis) => redis.ping())
  }

  async ask<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
    redis.on('error', () => undefined)
    try {
      return await work(redis)
    } finally {
      redis.disconnect()
    }
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

export const TOKEN = 'tubelet_test'
const scopeOf = (token: string): Scope | null => (token === TOKEN ? 'work' : null)

/** A library that hands its videos to workers, at an address that stays the same when it is opened again. */
export class Host {
  projectDir: string
  readonly packsDir: string
  readonly url: string
  tubelet: Tubelet
  readonly #port: number
  readonly #queue: string
  #server: { close: () => Promise<void> } | null = null

  /** @param packs `one`: captions by a pack that is sure of every clip and that workers must fetch, nothing else. `all`: the bundled ones. */
  constructor(folder: string, port: number, queue: string, packs: 'one' | 'all') {
    this.projectDir = path.join(folder, 'library')
    this.packsDir = path.join(folder, 'packs')
    this.#port = port
    this.#queue = queue
    this.url = `http://127.0.0.1:${port}`
    mkdirSync(this.packsDir, { recursive: true })
    if (packs === 'one') useOnePack(this.projectDir, this.packsDir)
    this.tubelet = this.#opened()
  }

  async listen(): Promise<void> {
    this.#server = await serveWorkers({
      handle: (request, scope) => this.tubelet.handle(request, scope),
      scopeOf,
      address: `127.0.0.1:${this.#port}`,
    })
  }

  async restart(): Promise<void> {
    await this.close()
    this.tubelet = this.#opened()
    await this.listen()
  }

  /** As somebody who opens another library in the window. */
  async open(projectDir: string): Promise<void> {
    await this.close()
    this.projectDir = projectDir
    this.tubelet = this.#opened()
    await this.listen()
  }

  async close(): Promise<void> {
    await this.#server?.close()
    this.#server = null
    await this.tubelet.close()
  }

  worker(name: string): Worker | undefined {
    return this.tubelet.crew?.list().workers.find((one) => one.name === name)
  }

  #opened(): Tubelet {
    return openTubelet({ projectDir: this.projectDir, packsDir: this.packsDir, host: 'cli', queue: this.#queue, mostSilent: 6 })
  }
}

/** Only captions, answers and search, by a pack that no worker has: it starts soon. */
export function useOnePack(projectDir: string, packsDir: string): void {
  const dir = copyTalkative(packsDir, 'talkative')
  const { digest } = digestsOf(readFileSync(path.join(dir, 'pack.json')))
  mkdirSync(projectDir, { recursive: true })
  const library = Library.open(projectDir)
  for (const task of ['caption', 'answer', 'search'] as const) library.packs.use(task, { id: 'talkative', digest })
  for (const task of ['boxes', 'text'] as const) library.packs.use(task, null)
  void library.close()
}

export const cli = path.resolve(import.meta.dirname, '..', 'main', 'cli.ts')

/** A worker process. */
export class WorkerProcess {
  readonly name: string
  readonly child: ChildProcess
  output = ''

  constructor(
    name: string,
    {
      host,
      queue,
      folder,
      media = [],
      env = {},
      more = [],
    }: { host: Host; queue: string; folder: string; media?: readonly string[]; env?: NodeJS.ProcessEnv; more?: readonly string[] },
  ) {
    this.name = name
    const roots = media.flatMap((root) => ['--media', root])
    const packs = path.join(folder, `packs-of-${name}`)
    this.child = spawn(
      process.execPath,
      [cli, 'worker', '--queue', queue, '--host', host.url, '--name', name, '--jobs', '1', '--packs', packs, ...roots, ...more],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TUBELET_TOKEN: TOKEN, ...env }, detached: true },
    )
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
  }

  get gone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** To the worker itself. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** As a machine that loses its power: the worker, its engines and its ffmpeg. */
  async kill(): Promise<void> {
    if (this.gone) return
    const ended = once(this.child, 'exit')
    process.kill(-(this.child.pid ?? 0), 'SIGKILL')
    await ended
  }

  /** Its exit code. */
  async ended(): Promise<number | null> {
    if (!this.gone) await once(this.child, 'exit')
    return this.child.exitCode
  }
}

/** Waits for a state that stays. @throws Error that says for what, with `tell`. */
export async function until(
  what: string,
  is: () => boolean | Promise<boolean>,
  tell: () => string = () => '',
  seconds = 60,
): Promise<void> {
  const end = performance.now() + 1000 * seconds
  while (!(await is())) {
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}\n${tell()}`)
    await sleep(50)
  }
}

/** Copies of a video with other bytes, and so other videos. */
export function copies(ffmpeg: string, file: string, folder: string, names: readonly string[]): string[] {
  mkdirSync(folder, { recursive: true })
  return names.map((name) => {
    const copy = path.join(folder, `${name}${path.extname(file)}`)
    execFileSync(ffmpeg, ['-v', 'error', '-y', '-i', file, '-c', 'copy', '-metadata', `comment=${name}`, copy])
    return copy
  })
}

/** Everything that a library holds about its videos, without ids and times: what two analyses of the same videos must have in common. */
export function contentOf(projectDir: string): Record<string, unknown> {
  const db = new DatabaseSync(path.join(projectDir, 'library.sqlite'), { readOnly: true })
  const sha = (value: unknown) => (value instanceof Uint8Array ? hash('sha256', value).slice(0, 12) : null)
  try {
    const rows = (sql: string, id: unknown) =>
      db
        .prepare(sql)
        .all(Number(id))
        .map((row) => ({ ...row }))
    return Object.fromEntries(
      db
        .prepare('SELECT * FROM sources ORDER BY name')
        .all()
        .map((source) => [
          String(source['name']),
          {
            state: source['state'],
            probe: JSON.parse(String(source['probe'])) as unknown,
            pts: sha(source['pts']),
            pictures: [source['has_thumbnail'], source['filmstrip_cells']],
            clips: rows('SELECT * FROM clips WHERE source_id = ? ORDER BY start_frame', source['id']).map((clip) => ({
              ...{
                kind: clip['kind'],
                start: clip['start'],
                end: clip['end'],
                from: clip['start_frame'],
                to: clip['end_frame'],
                frames: clip['frames'],
              },
              seen: rows('SELECT by, body, looked_for FROM seen WHERE clip_id = ? ORDER BY by', clip['id']).map(
                ({ by, body, looked_for }) => [by, looked_for, body instanceof Uint8Array ? inflateSync(body).toString('utf8') : null],
              ),
              encodings: rows(
                "SELECT pack_digest, embedding, memory, tokens, frames, looked_for, json_extract(caption, '$.body') AS caption FROM encodings WHERE clip_id = ? ORDER BY pack_digest",
                clip['id'],
              ).map((one) => ({ ...one, embedding: sha(one['embedding']), memory: sha(one['memory']), tokens: sha(one['tokens']) })),
              candidates: rows(
                'SELECT pack_digest, label, score, boxes, body FROM candidates WHERE clip_id = ? ORDER BY label, score, body',
                clip['id'],
              ),
              annotations: rows(
                `SELECT kind, topic, machine, human, state, evidence, provenance ->> '$.packDigest' AS pack, provenance ->> '$.prompt' AS prompt
                 FROM annotations WHERE clip_id = ? ORDER BY kind, topic, machine`,
                clip['id'],
              ),
              told: rows('SELECT whole, strength, words FROM told WHERE clip_id = ? ORDER BY words', clip['id']),
            })),
          },
        ]),
    )
  } finally {
    db.close()
  }
}

/** A preload that sets the clock of a process forward by so many hours. */
export function clockAhead(folder: string, hours: number): NodeJS.ProcessEnv {
  const file = path.join(folder, `clock-${hours}.mjs`)
  writeFileSync(
    file,
    `const real = Date, ahead = ${hours * 3_600_000}
globalThis.Date = class extends real {
  constructor(...given) { if (given.length === 0) super(real.now() + ahead); else super(...given) }
  static now() { return real.now() + ahead }
}
`,
  )
  return { NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import ${file}`.trim() }
}

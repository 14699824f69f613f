/**
 * `npm run kills [-- TIMES [SEED]]`: a batch of small videos is analysed and edited while processes and threads are killed at random moments: the host,
 * engines, ffmpeg, worker threads. What the host showed as done or decided must be there afterwards, once. Linux only: children are found in /proc.
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Annotation } from '../app/annotation.ts'
import type { Clip, RouteOutput, Source } from '../app/contract.ts'
import { inEnglish, type Problem } from '../app/errors.ts'
import { random } from '../app/random.ts'
import { faultsOf } from '../main/library/check.ts'
import { Library } from '../main/library/library.ts'
import { digestsOf } from '../main/pack-digest.ts'
import { copyTalkative } from '../main/packs/pack.testing.ts'
import type { FromHost, ToHost } from './kills-host.ts'

export const VICTIMS = ['host', 'engine', 'ffmpeg', 'thread'] as const
export type Victim = (typeof VICTIMS)[number]

interface Trial {
  seed: number
  /** How often each is killed. */
  times: Readonly<Record<Victim, number>>
  videos: number
  /** All bundled packs, or only one that is sure of every clip. */
  packs: 'all' | 'one'
  /** Told after each kill. */
  onKill?: (victim: Victim, outcome: Outcome) => void
}
export interface Outcome {
  killed: Record<Victim, number>
  /** How many videos and decisions were shown as done before a kill of the host, and looked for after it. */
  compared: number
  /** What a person decided and the host confirmed. */
  decided: number
  /** Jobs that were told as cut off by a kill, and then done again as a person does. */
  retried: number
  /** Everything that was lost, is double, or is not as it should be. */
  faults: string[]
}

/** Engines are given up after five crashes within a minute (main/engine/engine.ts). */
const CRASHES_A_LIFE = 3
/** Between two kills a person does up to so many things, and gives up waiting after so many milliseconds. */
const DEEDS = 3
const PATIENCE = 3_000
/** What a person is told of a job that kills cut off too often; it is then retried. */
const CUT_OFF: ReadonlySet<string> = new Set(['tool-killed', 'engine-unavailable'])

const GONE = 'gone'
const valueOf = ({ state, body }: Annotation) => `${state}: ${'text' in body ? body.text : ''}`

export async function kills(trial: Trial): Promise<Outcome> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-kills-'))
  const course = new Course(folder, trial)
  try {
    return await course.run()
  } finally {
    await course.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Why a request was not answered: the host was killed. */
class HostGone extends Error {}

class Host {
  readonly #child: ChildProcess
  readonly #pending = new Map<number, PromiseWithResolvers<FromHost>>()
  #next = 1
  engineKills = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (message) => {
      const answer = message as FromHost
      this.#pending.get(answer.id)?.resolve(answer)
    })
    child.once('close', () => {
      for (const { reject } of this.#pending.values()) reject(new HostGone('the host was killed'))
      this.#pending.clear()
    })
  }

  static async start(project: string, packs: string): Promise<Host> {
    const child = fork(path.join(import.meta.dirname, 'kills-host.ts'), [project, packs], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // Later starts compile nothing.
      env: { ...process.env, NODE_COMPILE_CACHE: path.join(packs, '..', 'compiled') },
    })
    const host = new Host(child)
    await host.#answer(0)
    return host
  }

  #answer(id: number): Promise<FromHost> {
    const answer = Promise.withResolvers<FromHost>()
    this.#pending.set(id, answer)
    return answer.promise.finally(() => this.#pending.delete(id))
  }

  /** @throws HostGone */
  #send(make: (id: number) => ToHost): Promise<FromHost> {
    if (!this.#child.connected) return Promise.reject(new HostGone('the host was killed'))
    const id = this.#next++
    const answer = this.#answer(id)
    this.#child.send(make(id), () => undefined)
    return answer
  }

  ask(method: string, url: string, body?: unknown): Promise<FromHost> {
    return this.#send((id) => ({ id, method, url, body }))
  }

  /** Ends one of its worker threads. @returns Whether it had any. */
  async endThread(which: number): Promise<boolean> {
    return (await this.#send((id) => ({ id, endThread: which }))).json === true
  }

  /** Process ids of its children by their kind. */
  children(): Record<'engine' | 'ffmpeg', number[]> {
    const found = { engine: [] as number[], ffmpeg: [] as number[] }
    for (const name of readdirSync('/proc')) {
      try {
        const [, comm = '', parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? []
        if (Number(parent) !== this.#child.pid) continue
        if (/^ff(?:mpeg|probe)/.test(comm)) found.ffmpeg.push(Number(name))
        else if (readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('engine')) found.engine.push(Number(name))
      } catch {
        // Not a process, or one that has ended meanwhile.
      }
    }
    return found
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await closed
  }
}

/** What an annotation may say: more than one thing only after a request that was not answered. */
interface Decision {
  clipId: number
  may: Set<string>
}

class Course {
  readonly #trial: Trial
  readonly #random: () => number
  readonly #at: Record<'library' | 'videos' | 'packs' | 'out', string>
  #host: Host | null = null
  readonly #decisions = new Map<number, Decision>()
  /** Notes whose request was not answered: each may be there, once. */
  readonly #unanswered = new Set<string>()
  /** The clips of videos that were shown as done. */
  readonly #done = new Map<number, string>()
  readonly #outcome: Outcome = { killed: { host: 0, engine: 0, ffmpeg: 0, thread: 0 }, compared: 0, decided: 0, retried: 0, faults: [] }
  #words = 0
  #deeds = 0
  /** Whether a person may do something now. */
  #edits = false
  #over = false

  constructor(folder: string, trial: Trial) {
    this.#trial = trial
    this.#random = random(trial.seed)
    this.#at = {
      library: path.join(folder, 'library'),
      videos: path.join(folder, 'videos'),
      packs: path.join(folder, 'packs'),
      out: path.join(folder, 'out'),
    }
    for (const dir of Object.values(this.#at)) mkdirSync(dir)
  }

  async run(): Promise<Outcome> {
    makeVideos(this.#at.videos, this.#trial.videos)
    if (this.#trial.packs === 'one') await choosePack(this.#at.library, copyTalkative(this.#at.packs, 'talkative'))
    await this.#live()
    const editing = this.#edit()
    for (const victim of this.#order()) {
      await this.#wait()
      await this.#kill(victim)
    }
    this.#over = true
    await editing
    await this.#complete()
    // What was shown last is looked for too.
    await this.#kill('host')
    return this.#outcome
  }

  async end(): Promise<void> {
    this.#over = true
    await this.#host?.kill()
  }

  /** The victims in a random order, but for a host, which is killed at the end. */
  #order(): Victim[] {
    const { times } = this.#trial
    return this.#shuffled(VICTIMS.flatMap((victim) => Array<Victim>(times[victim] - (victim === 'host' ? 1 : 0)).fill(victim)))
  }

  async #wait(): Promise<void> {
    const until = this.#deeds + Math.floor(this.#random() * DEEDS)
    const latest = performance.now() + PATIENCE
    await sleep(this.#random() * 100)
    while (this.#deeds < until && performance.now() < latest) await sleep(2)
  }

  #fault(what: string): void {
    this.#outcome.faults.push(what)
  }

  /** Starts the host, compares what is there with what was shown, and has the batch go on. */
  async #live(): Promise<void> {
    const file = path.join(this.#at.library, 'library.sqlite')
    if (existsSync(file)) for (const fault of faultsOf(file, 'thorough')) this.#fault(`integrity: ${fault}`)
    this.#host = await Host.start(this.#at.library, this.#at.packs)
    await this.#compare()
    this.#edits = true
    await this.#ask('POST', '/api/sources', { paths: [this.#at.videos] })
  }

  async #kill(victim: Victim): Promise<void> {
    for (;;) {
      const host = this.#host
      if (host === null) throw new Error('there is no host')
      if (victim === 'host' || host.engineKills >= CRASHES_A_LIFE) {
        if (victim === 'host') this.#killed('host')
        const { engine, ffmpeg } = host.children()
        this.#edits = false
        this.#host = null
        await host.kill()
        await this.#leavesNothing([...engine, ...ffmpeg])
        await this.#live()
        if (victim === 'host') return
        continue
      }
      if (victim === 'thread' ? await host.endThread(this.#random()) : this.#killChild(host, victim)) {
        this.#killed(victim)
        return
      }
      // Nothing runs that could be killed: something is analysed again.
      const [source] = this.#shuffled(await this.#sources())
      if (source?.state === 'done' || source?.state === 'failed') await this.#ask('POST', `/api/sources/${source.id}/retry`)
      await sleep(5)
    }
  }

  #killed(victim: Victim): void {
    this.#outcome.killed[victim] += 1
    this.#trial.onKill?.(victim, this.#outcome)
  }

  #killChild(host: Host, victim: 'engine' | 'ffmpeg'): boolean {
    const [pid] = this.#shuffled(host.children()[victim])
    if (pid === undefined) return false
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      return false
    }
    if (victim === 'engine') host.engineKills += 1
    return true
  }

  /** Children of a killed host end by themselves. */
  async #leavesNothing(pids: readonly number[]): Promise<void> {
    const left = () => pids.filter((pid) => isAlive(pid))
    for (let wait = 0; wait < 200 && left().length > 0; wait += 1) await sleep(50)
    if (left().length > 0) this.#fault(`${left().length} children outlived their host by ten seconds`)
  }

  #shuffled<T>(some: readonly T[]): T[] {
    return some
      .map((one) => ({ one, at: this.#random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ one }) => one)
  }

  /** @returns null where it was refused, with a sentence. @throws HostGone */
  async #ask<T>(method: string, url: string, body?: unknown): Promise<T | null> {
    if (this.#host === null) throw new HostGone('the host was killed')
    const { status, json } = await this.#host.ask(method, url, body)
    if (status === 200) return json as T
    const { problem } = json as { problem: Problem }
    if (inEnglish(problem).message.startsWith('Something went wrong') || problem.next === undefined)
      this.#fault(`${method} ${url} was answered with ${String(status)}: ${JSON.stringify(problem)}`)
    return null
  }

  async #sources(): Promise<Source[]> {
    return (await this.#ask<RouteOutput<'listSources'>>('GET', '/api/sources'))?.sources ?? []
  }

  async #clips(sourceId?: number): Promise<Clip[]> {
    const of = sourceId === undefined ? '' : `?sourceId=${sourceId}`
    return (await this.#ask<RouteOutput<'listClips'>>('GET', `/api/clips${of}`))?.clips ?? []
  }

  /** What a person does meanwhile, one thing after the other. */
  async #edit(): Promise<void> {
    while (!this.#over) {
      try {
        if (this.#edits) await this.#deed()
      } catch (error) {
        if (!(error instanceof HostGone)) throw error
      }
      await sleep(5)
    }
  }

  async #deed(): Promise<void> {
    const [clip] = this.#shuffled(await this.#clips())
    if (clip === undefined) return
    const chance = this.#random()
    if (chance < 0.35) await this.#note(clip.id)
    else if (chance < 0.7) await this.#review(clip.id)
    else if (chance < 0.8) await this.#undo(clip.id)
    else if (chance < 0.87) await this.#ask('POST', '/api/search', { query: { by: 'words', words: 'written by a person' } })
    else if (chance < 0.94) await this.#ask('POST', '/api/table/open', { rows: 'clips', sort: [], filters: [], group: null })
    else await this.#ask('POST', '/api/export', { formats: ['jsonl'], directory: this.#at.out })
    await this.#look()
    this.#deeds += 1
  }

  async #note(clipId: number): Promise<Annotation | null> {
    const text = `written by a person ${this.#words++}`
    this.#unanswered.add(text)
    const added = await this.#ask<Annotation>('POST', `/api/clips/${clipId}/annotations`, { body: { kind: 'note', text } })
    this.#unanswered.delete(text)
    if (added !== null) this.#decided(added)
    return added
  }

  /** Accepts a caption, rejects it, or writes another one. */
  async #review(clipId: number): Promise<void> {
    const detail = await this.#ask<RouteOutput<'getClip'>>('GET', `/api/clips/${clipId}`)
    const caption = detail?.annotations.find(({ body }) => body.kind === 'caption')
    if (caption === undefined) return
    const action = (['accept', 'reject', 'edit'] as const)[Math.floor(this.#random() * 3)] ?? 'accept'
    const text = action === 'edit' ? `corrected by a person ${this.#words++}` : 'text' in caption.body ? caption.body.text : ''
    const next = `${{ accept: 'accepted', reject: 'rejected', edit: 'edited' }[action]}: ${text}`
    const before = this.#decisions.get(caption.id)
    // Until it is answered, both may hold. What the machine said may be replaced by the next analysis.
    if (before !== undefined) before.may.add(next)
    const body = action === 'edit' ? { body: { kind: 'caption', text } } : {}
    const changed = await this.#ask<Annotation>('PATCH', `/api/annotations/${caption.id}`, { action, ...body })
    if (changed !== null) this.#decided(changed)
  }

  async #undo(clipId: number): Promise<void> {
    const added = await this.#note(clipId)
    const decision = added && this.#decisions.get(added.id)
    if (!decision) return
    decision.may.add(GONE)
    if ((await this.#ask('POST', '/api/history/undo')) !== null) decision.may = new Set([GONE])
  }

  #decided(annotation: Annotation): void {
    this.#outcome.decided += 1
    this.#decisions.set(annotation.id, { clipId: annotation.clipId, may: new Set([valueOf(annotation)]) })
  }

  /** Remembers which videos are shown as done. */
  async #look(): Promise<void> {
    for (const { id, state } of await this.#sources())
      if (state === 'done' && !this.#done.has(id)) this.#done.set(id, spansOf(await this.#clips(id)))
  }

  /** Compares what is there with everything that was shown. */
  async #compare(): Promise<void> {
    const clips = await this.#clips()
    for (const [id, spans] of this.#done) {
      this.#outcome.compared += 1
      const now = spansOf(clips.filter(({ sourceId }) => sourceId === id))
      if (now !== spans) this.#fault(`clips of video ${id} were ${spans} and are ${now}`)
    }
    const there = new Map<number, Annotation>()
    for (const { id } of clips) {
      const detail = await this.#ask<RouteOutput<'getClip'>>('GET', `/api/clips/${id}`)
      const annotations = detail?.annotations ?? []
      for (const one of annotations) there.set(one.id, one)
      const captions = annotations.filter(({ body }) => body.kind === 'caption').length
      if (captions > 1) this.#fault(`clip ${id} has ${captions} captions`)
    }
    for (const [id, { clipId, may }] of this.#decisions) {
      this.#outcome.compared += 1
      const one = there.get(id)
      const now = one === undefined ? GONE : valueOf(one)
      if (!may.has(now) || (one !== undefined && one.clipId !== clipId))
        this.#fault(`annotation ${id} of clip ${clipId} should be “${[...may].join('” or “')}” and is “${now}”`)
      this.#decisions.set(id, { clipId, may: new Set([now]) })
    }
    const notes = [...there.values()].flatMap(({ body }) => (body.kind === 'note' ? [body.text] : []))
    if (new Set(notes).size < notes.length) this.#fault('a note is double')
    const known = new Set([...this.#decisions.keys()])
    for (const one of there.values()) {
      if (one.body.kind !== 'note' || known.has(one.id)) continue
      if (!this.#unanswered.has(one.body.text)) this.#fault(`“${one.body.text}” is there, and nobody wrote it`)
      // The host stored it and was killed before it could say so.
      this.#decisions.set(one.id, { clipId: one.clipId, may: new Set([valueOf(one)]) })
    }
    this.#unanswered.clear()
    this.#double()
  }

  /** Rows that must not be there twice. */
  #double(): void {
    const db = new DatabaseSync(path.join(this.#at.library, 'library.sqlite'), { readOnly: true, timeout: 5_000 })
    for (const [what, query] of Object.entries({
      videos: 'SELECT 1 FROM sources GROUP BY path HAVING count(*) > 1',
      clips: 'SELECT 1 FROM clips GROUP BY source_id, start_frame HAVING count(*) > 1',
      encodings: 'SELECT 1 FROM encodings GROUP BY clip_id, pack_digest HAVING count(*) > 1',
      'jobs of a video': `SELECT 1 FROM jobs WHERE kind = 'analyse' AND state IN ('queued', 'running') GROUP BY source_id HAVING count(*) > 1`,
    })) {
      const { length } = db.prepare(query).all()
      if (length > 0) this.#fault(`${length} ${what} are double`)
    }
    db.close()
  }

  /** Waits for the end of the batch; what kills cut off is retried, as people are told to. */
  async #complete(): Promise<void> {
    for (;;) {
      const queue = await this.#ask<RouteOutput<'queue'>>('GET', '/api/queue')
      if (queue === null) return
      if (queue.waiting + queue.running > 0) {
        await sleep(50)
        continue
      }
      const sources = await this.#sources()
      const cutOff = sources.filter(({ state, problem }) => state !== 'done' && problem !== null && CUT_OFF.has(problem.code))
      this.#outcome.retried += cutOff.length
      for (const { id } of cutOff) await this.#ask('POST', `/api/sources/${id}/retry`)
      if (cutOff.length > 0) continue
      for (const { name, state, problem, clipCount, encodedCount } of sources)
        if (state !== 'done' || problem !== null || clipCount === 0 || encodedCount < clipCount)
          this.#fault(`${name} is “${state}” with ${encodedCount} of ${clipCount} clips: ${JSON.stringify(problem)}`)
      if (sources.length !== this.#trial.videos) this.#fault(`${sources.length} of ${this.#trial.videos} videos are there`)
      await this.#look()
      return
    }
  }
}

function spansOf(clips: readonly Clip[]): string {
  return clips.map(({ id, startFrame, endFrame }) => `${id}: ${startFrame}–${endFrame}`).join(', ')
}

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Small videos of two shots, each with other pictures. */
function makeVideos(folder: string, count: number): void {
  for (let n = 0; n < count; n += 1) {
    const shot = (hue: number) => `testsrc2=s=96x72:r=10:d=1,hue=h=${hue}`
    const args = ['-f', 'lavfi', '-i', `${shot(n * 23)}[a];color=c=white:s=96x72:r=10:d=1,drawgrid=w=${8 + n}[b];[a][b]concat`]
    execFileSync('ffmpeg', ['-v', 'error', ...args, '-pix_fmt', 'yuv420p', '-preset', 'ultrafast', path.join(folder, `${n}.mp4`)])
  }
}

/** A library in which this pack does all tasks of words, and none the others. */
async function choosePack(project: string, dir: string): Promise<void> {
  const library = Library.open(project)
  const { digest } = digestsOf(readFileSync(path.join(dir, 'pack.json')))
  for (const task of ['caption', 'answer', 'search'] as const) library.packs.use(task, { id: path.basename(dir), digest })
  for (const task of ['boxes', 'text'] as const) library.packs.use(task, null)
  await library.close()
}

if (process.argv[1] === import.meta.filename) {
  const [times = 200, seed = 17] = process.argv.slice(2).map(Number)
  const host = Math.round(times * 0.15)
  const engine = Math.round(times * 0.25)
  const ffmpeg = Math.round(times * 0.3)
  const outcome = await kills({
    seed,
    times: { host, engine, ffmpeg, thread: times - host - engine - ffmpeg },
    videos: 24,
    packs: 'all',
    onKill: (victim, { killed, faults }) =>
      console.log(`${Object.values(killed).reduce((sum, count) => sum + count)} of ${times}: ${victim}; ${faults.length} faults`),
  })
  console.log(JSON.stringify(outcome, null, 2))
  process.exit(outcome.faults.length === 0 ? 0 : 1)
}

/**
 * The workers of a library: gives each that draws a ticket the analysis of a video, hears how far it is, and stores what it delivers. Who does what is
 * decided here alone, by claims: a result is stored only under the claim that holds now, so a video that two machines have analysed is stored once.
 */
import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import type { Source } from '../../app/contract.ts'
import type { RouteArgs, RouteOutput } from '../../app/contract.ts'
import type { Work, Worker, Workers } from '../../app/contract/workers.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { LIBRARY_FILE } from '../../app/handover.ts'
import { type Phrase, said } from '../../app/phrase.ts'
import { fileResponse } from '../files.ts'
import { makeFolderSync } from '../folders.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { CameBack } from '../jobs/scheduler.ts'
import type { Report } from '../jobs/pipeline.ts'
import type { Shower } from '../library/detections.ts'
import { contentOf } from '../library/known-files.ts'
import type { Library } from '../library/library.ts'
import { takeResults } from '../library/results.ts'
import type { PackStore } from '../packs/store.ts'
import { worker as sharing } from '../sharing/handover.ts'
import { packageVersion } from '../version.ts'
import { Tickets } from './tickets.ts'

/** Names of settings. */
const [BANNED, QUEUE] = ['banned-workers', 'queue-name']
const TICK_MS = 1_000
/** Workers tell how far they are every other second. One that was silent for so many ticks is lost; ticks stop while this machine sleeps. */
const MOST_SILENT = 20
/** A worker without work that was silent for so long has left. */
const LEFT_AFTER = 15
/** A video that was lost so often, each time without one more clip, is set aside: it may be what kills those who work on it. */
const MOST_LOSSES = 3
const SET_ASIDE: Problem = {
  code: 'tool-killed',
  message:
    '{{times}} times a worker was lost, or its engine died, while it worked on this file and got no further, so the file is set aside.',
  values: { times: MOST_LOSSES },
  stillWorks: 'All other files go on.',
  next: 'Try it again if those machines were switched off. Otherwise leave this file out.',
}
/** What a worker says is wrong with itself rather than with the file: another one may succeed. */
const OWN_FAULTS: ReadonlySet<Problem['code']> = new Set([
  'engine-unavailable',
  'internal',
  'tool-killed',
  'pack-invalid',
  'ffmpeg-missing',
])

interface Member {
  name: string
  state: Worker['state']
  silent: number
  videos: number
  seconds: number
  busy: number
  lost: number
}

interface Claim {
  id: string
  member: Member
  ticket: string | null
  jobId: number
  sourceId: number
  title: string
  /** The digests of the packs that were in use when it was given. */
  packs: readonly string[]
  stage: Phrase
  progress: number
  clips: number
  /** Ticks since it was heard of last. */
  silent: number
  /** Its results are here and are being stored. */
  taking: boolean
  outcome: PromiseWithResolvers<Problem | null>
  report: Report
  /** Aborted when it does not hold any more. */
  signal: AbortSignal
}

interface Parts {
  library: Library
  jobs: Jobs
  store: PackStore
  /** The address of the store of tickets. */
  url: string
  mostSilent?: number | undefined
}

export class Crew {
  readonly #parts: Parts
  readonly #tickets: Tickets
  readonly #queueName: string
  readonly #mostSilent: number
  readonly #members = new Map<string, Member>()
  readonly #claims = new Map<string, Claim>()
  /** Claims that ended here: those who hold them are told to stop. */
  readonly #over = new Set<string>()
  readonly #timer: NodeJS.Timeout
  readonly #stopHearing: () => void

  /** @throws TubeletError `bad-request` where `url` is no address of a store. */
  constructor(parts: Parts) {
    this.#parts = parts
    this.#mostSilent = parts.mostSilent ?? MOST_SILENT
    const { library, jobs } = parts
    for (const name of library.setting<string[]>(BANNED, [])) this.#members.set(name, { ...newMember(name), state: 'banned' })
    const wanted = () => jobs.lendable() + this.#claims.size
    this.#queueName = library.setting<string>(QUEUE, '') || `tubelet-${randomUUID()}`
    library.setSetting(QUEUE, this.#queueName)
    this.#tickets = new Tickets(parts.url, this.#queueName, wanted, () => this.#changed())
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#stopHearing = library.onChange(({ type }) => {
      if (type === 'queue') this.#tickets.count()
    })
  }

  /** Resolves when tickets can be handed out. @throws TubeletError Why not. */
  ready(): Promise<void> {
    return this.#tickets.ready()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopHearing()
    await this.#tickets.close()
  }

  place(): RouteOutput<'workPlace'> {
    return { version: packageVersion, queue: this.#queueName }
  }

  list(): Workers {
    const doing = (name: string) => [...this.#claims.values()].filter(({ member }) => member.name === name)
    return {
      queue: { address: this.#tickets.address, problem: this.#tickets.problem },
      workers: [...this.#members.values()].map(({ name, state, silent, ...counts }) => ({
        name,
        state,
        present: silent <= LEFT_AFTER && state !== 'banned',
        doing: doing(name).map(({ jobId, title, stage, progress }) => ({ jobId, title, stage, progress })),
        ...counts,
      })),
    }
  }

  /** @throws TubeletError `not-found` */
  set(name: string, state: Worker['state']): Workers {
    const member = this.#members.get(name)
    if (member === undefined)
      throw new TubeletError({ code: 'not-found', message: 'There is no worker “{{worker}}”.', values: { worker: name } })
    member.state = state
    const banned = [...this.#members.values()].filter((one) => one.state === 'banned').map((one) => one.name)
    this.#parts.library.setSetting(BANNED, banned)
    if (state === 'banned') for (const claim of this.#claims.values()) if (claim.member === member) this.#comeBack(claim)
    this.#changed()
    return this.list()
  }

  /** The next video for a worker with a ticket; null if none waits. @throws TubeletError `conflict`, `forbidden` */
  async take({ worker, version, ticket }: RouteArgs<'takeWork'>['body']): Promise<Work | null> {
    const member = this.#met(worker, version)
    // A ticket is drawn again when its lock ran out: whoever held it is lost.
    for (const claim of this.#claims.values()) if (claim.ticket === ticket) this.#lose(claim)
    for (;;) {
      const claim = member.state === 'working' ? this.#lend(member, ticket) : null
      if (claim === null) return null
      try {
        return this.#workOf(claim, await this.#parts.jobs.identity.there(claim.sourceId))
      } catch (error) {
        claim.outcome.reject(error)
        await setImmediate()
      }
    }
  }

  /** @throws TubeletError `conflict`, `forbidden` */
  tell({ worker, version, doing }: RouteArgs<'tellWork'>['body']): RouteOutput<'tellWork'> {
    const member = this.#met(worker, version)
    const { jobs } = this.#parts
    const stop: string[] = []
    for (const { claim: id, stage, progress, clips } of doing) {
      const claim = this.#claims.get(id) ?? this.#takeUp(member, id)
      if (claim === null) {
        // While nothing may start, nobody knows yet.
        if (this.#over.has(id) || !jobs.paused) stop.push(id)
        continue
      }
      Object.assign(claim, { stage, progress, clips: Math.max(clips, claim.clips), silent: 0 })
      void claim.report({ stage, progress, clips }).catch(() => undefined)
    }
    this.#changed()
    return { state: member.state === 'draining' ? 'draining' : 'working', queue: this.#queueName, paused: jobs.paused, stop }
  }

  /**
   * Store the results of a claim.
   * @throws TubeletError `conflict` where it does not hold any more or other packs are in use by now, `file-unreadable` for what no worker sends, `disk-full`.
   */
  async deliver(id: string, body: ReadableStream<Uint8Array> | null): Promise<void> {
    const claim = this.#holding(id)
    if (claim.taking) throw notWanted()
    claim.taking = true
    const { library, jobs } = this.#parts
    const folder = library.cachePath('work', id)
    const file = path.join(folder, 'parcel.zip')
    try {
      makeFolderSync(folder)
      await pipeline(body ?? [], createWriteStream(file), { signal: claim.signal })
      const into = path.join(folder, 'opened')
      const { result, pictures } = await sharing.call('parcel', { file, into }, { signal: claim.signal })
      const packs = this.#packsFor(claim, result.version, result.packs)
      const { boxes, text } = library.packs.current()
      await takeResults(library, claim.sourceId, {
        file: path.join(into, LIBRARY_FILE),
        fingerprint: contentOf(library.source(claim.sourceId).fingerprint),
        pictures: (name) => pictures.get(name) ?? null,
        packs,
        boxes: (boxes && packs.get(boxes.digest)) ?? null,
        readsText: text !== null && text !== undefined,
        signal: claim.signal,
      })
      const { member, sourceId } = claim
      member.videos += 1
      member.seconds += library.source(sourceId).probe?.duration ?? 0
      member.busy += result.busy
      claim.outcome.resolve(result.problem && { ...result.problem, file: library.source(sourceId).name })
      // The job's end is in the library before the worker hears of it.
      await setImmediate()
      if (library.unencodedMarks().includes(sourceId)) jobs.encodeMarked(sourceId)
      // Labels may have changed since the worker was given them.
      if (boxes && library.detections.stale(boxes.digest).length > 0) jobs.eventually(() => jobs.detectLabels())
    } catch (error) {
      throw this.#notStored(claim, error)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** A claim ends without results. @param problem What is wrong with the video; null where another worker should do it. */
  giveBack(id: string, problem: Problem | null): void {
    const claim = this.#holding(id)
    if (problem === null) this.#comeBack(claim)
    else if (OWN_FAULTS.has(problem.code)) this.#lose(claim, problem)
    else claim.outcome.reject(new TubeletError({ ...problem, file: this.#parts.library.source(claim.sourceId).path }))
  }

  async media(id: string, request: Request): Promise<Response> {
    const { path: file } = await this.#parts.jobs.identity.there(this.#holding(id).sourceId)
    const answer = await fileResponse(request, file, 'application/octet-stream')
    if (answer === null) throw notWanted()
    return answer
  }

  /** @throws TubeletError `not-found` for a pack that is not in use. */
  async packFiles(digest: string): Promise<{ name: string; bytes: number }[]> {
    const dir = this.#packIn(digest)
    const files = (await readdir(dir, { withFileTypes: true })).filter((entry) => entry.isFile())
    return Promise.all(files.map(async ({ name }) => ({ name, bytes: (await stat(path.join(dir, name))).size })))
  }

  async packFile(digest: string, name: string, request: Request): Promise<Response> {
    const known = (await this.packFiles(digest)).some((one) => one.name === name)
    const answer = known ? await fileResponse(request, path.join(this.#packIn(digest), name), 'application/octet-stream') : null
    if (answer === null) throw noPack()
    return answer
  }

  #packIn(digest: string): string {
    const { library, store } = this.#parts
    const pack = library.packs.inUse().includes(digest) ? store.usable().find((one) => one.digest === digest) : undefined
    if (pack === undefined) throw noPack()
    return pack.dir
  }

  /** @throws TubeletError `conflict` for another version; `forbidden` for a worker that was banned. */
  #met(name: string, version: string): Member {
    if (version !== packageVersion)
      throw new TubeletError({
        code: 'conflict',
        message: 'This worker is Tubelet {{theirs}}, and the library is open in Tubelet {{ours}}: their results would differ.',
        values: { theirs: version, ours: packageVersion },
        next: 'Install the same version on both.',
      })
    const member = this.#members.get(name) ?? newMember(name)
    if (member.state === 'banned')
      throw new TubeletError({
        code: 'forbidden',
        message: 'The worker “{{worker}}” is banned from this library.',
        values: { worker: name },
        next: 'Whoever has the library open can let it work again, on the Queue page.',
      })
    // One that had left after it was drained is asked to work again by being started.
    if (member.silent > LEFT_AFTER) member.state = 'working'
    member.silent = 0
    this.#members.set(name, member)
    return member
  }

  #lend(member: Member, ticket: string | null, id: string = randomUUID(), waiting?: number): Claim | null {
    const { library, jobs } = this.#parts
    let claim: Claim | null = null
    jobs.lend(
      id,
      async (job, report, signal) => {
        if (job.sourceId === null) throw new Error('only analyses are lent')
        const over = new AbortController()
        claim = {
          ...{ id, member, ticket, jobId: job.id, sourceId: job.sourceId, title: library.titles.of(job.sourceId) || job.title },
          ...{ packs: library.packs.inUse(), stage: said('Starting'), progress: 0, clips: 0, silent: 0, taking: false },
          ...{ outcome: Promise.withResolvers<Problem | null>(), report, signal: AbortSignal.any([signal, over.signal]) },
        }
        const { outcome } = claim
        const abort = () => outcome.reject(signal.reason)
        signal.addEventListener('abort', abort, { once: true })
        this.#claims.set(id, claim)
        library.setSourceState(job.sourceId, 'analysing')
        try {
          return await outcome.promise
        } finally {
          signal.removeEventListener('abort', abort)
          over.abort()
          this.#claims.delete(id)
          this.#over.add(id)
          this.#changed()
        }
      },
      waiting,
    )
    return claim
  }

  /** A worker goes on with what an earlier process of this library gave it. */
  #takeUp(member: Member, id: string): Claim | null {
    const job = this.#over.has(id) || member.state === 'banned' ? null : this.#parts.library.jobs.claimed(id)
    return job === null ? null : this.#lend(member, null, id, job.id)
  }

  #workOf({ id }: Claim, { path: file, name, bytes, fingerprint, picture, probe }: Source): Work {
    const { library } = this.#parts
    const packs = Object.entries(library.packs.current()).map(
      ([task, pack]) => [task, pack && { id: pack.id, digest: pack.digest, ...(pack.names ? { names: [...pack.names] } : {}) }] as const,
    )
    return {
      claim: id,
      video: { path: file, name, bytes, fingerprint: contentOf(fingerprint), picture: picture ?? probe?.videoStream ?? null },
      packs: Object.fromEntries(packs),
      vocabulary: library.detections.vocabulary(),
      language: library.facts.language,
      columns: library.table.columns().flatMap(({ kind, text, automatic }) => (automatic && kind !== 'count' ? [{ kind, text }] : [])),
    }
  }

  /** @throws TubeletError `conflict` where the results are not of these packs, as this version uses them. */
  #packsFor({ packs }: Claim, version: string, used: readonly string[]): Map<string, Shower> {
    const { library, store } = this.#parts
    const wanted = library.packs.inUse()
    const same = (some: readonly string[]) => some.length === wanted.length && wanted.every((digest) => some.includes(digest))
    if (version !== packageVersion || !same(used) || !same(packs))
      throw new TubeletError({
        code: 'conflict',
        message: 'These results are of other packs than the library uses: {{used}} instead of {{wanted}}.',
        values: { used: used.map(short).join(', '), wanted: wanted.map(short).join(', ') },
        stillWorks: 'Nothing of them was stored; the video waits for another worker.',
        next: 'Start the worker anew: it fetches the packs that the library uses.',
      })
    return new Map(
      store.usable().flatMap(({ digest, manifest }) => (wanted.includes(digest) ? [[digest, { digest, manifest }] as const] : [])),
    )
  }

  /** @returns The error that the worker is told. */
  #notStored(claim: Claim, error: unknown): unknown {
    if (claim.signal.aborted || !this.#claims.has(claim.id)) return notWanted()
    claim.taking = false
    if (error instanceof TubeletError && error.problem.code === 'conflict') this.#comeBack(claim)
    else if (isUnreadable(error)) {
      this.#lose(claim)
      return new TubeletError(
        {
          code: 'file-unreadable',
          message: 'These results are not as a worker of this version sends them, so nothing of them counts.',
          next: 'Start the worker anew.',
          details: String(error),
        },
        { cause: error },
      )
    } else claim.outcome.reject(error)
    return error
  }

  /** @throws TubeletError `conflict` where the claim does not hold any more. */
  #holding(id: string): Claim {
    const claim = this.#claims.get(id)
    if (claim === undefined) throw notWanted()
    claim.silent = 0
    return claim
  }

  /** The job waits again, before the others. */
  #comeBack({ sourceId, outcome }: Claim): void {
    this.#parts.library.setSourceState(sourceId, 'queued')
    outcome.reject(new CameBack())
  }

  /** The same, unless that has happened too often. */
  #lose(claim: Claim, problem: Problem = SET_ASIDE): void {
    if (claim.taking) return
    claim.member.lost += 1
    if (this.#parts.library.jobs.lost(claim.jobId, claim.clips) < MOST_LOSSES) this.#comeBack(claim)
    else claim.outcome.reject(new TubeletError(problem))
  }

  #tick(): void {
    for (const member of this.#members.values()) {
      member.silent += 1
      if (member.silent === LEFT_AFTER + 1) this.#changed()
    }
    for (const claim of this.#claims.values()) {
      claim.silent += 1
      if (claim.silent > this.#mostSilent) this.#lose(claim)
    }
  }

  #changed(): void {
    this.#parts.library.emit({ type: 'workers' })
  }
}

const short = (digest: string) => digest.slice(0, 12)

function newMember(name: string): Member {
  return { name, state: 'working', silent: 0, videos: 0, seconds: 0, busy: 0, lost: 0 }
}

/** Whether what came is none that a worker writes, however it was noticed. */
function isUnreadable(error: unknown): boolean {
  return (
    (error instanceof TubeletError && error.problem.code === 'file-unreadable') ||
    error instanceof RangeError ||
    error instanceof TypeError ||
    error instanceof SyntaxError
  )
}

function notWanted(): TubeletError {
  return new TubeletError({
    code: 'conflict',
    message: 'This work is no longer wanted from this worker: it was cancelled, or another one does it.',
    stillWorks: 'Nothing was stored twice.',
  })
}

function noPack(): TubeletError {
  return new TubeletError({ code: 'not-found', message: 'No pack of this digest is in use in this library.' })
}

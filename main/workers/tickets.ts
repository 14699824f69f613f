/**
 * The queue of tickets on Redis or Valkey, from the host's side. A ticket says nothing but "there is work": whoever draws one asks the host for a video.
 * So all that is known about videos is in the library; tickets that are lost are replaced, and too many of them do no harm.
 */
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { type Problem, problemOf, TubeletError } from '../../app/errors.ts'

// A third of all code that a host would load, for which only few have a use.
const load = createRequire(import.meta.url)
const redisClient = () => load('ioredis') as typeof import('ioredis')
const bullmq = () => load('bullmq') as typeof import('bullmq')

/** Tickets are counted this often: a store that was started anew has lost them all. */
const COUNT_MS = 2_000
/**
 * So many wait to be drawn at most, and are made in one go when fewer than half are left: who waits for a ticket is told soon, and an archive of millions
 * of videos takes no memory of the store.
 */
const READY = 2_000

/** Seconds are short because people wait: a worker that dies holds its ticket for one to two of these. */
export const LOCKS = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 1_000_000 } as const

/**
 * A connection that comes back whenever it is lost.
 * @param begin `at-once`, or when it is first used. BullMQ's worker makes another one like it, and never draws a ticket if the first attempt of one that
 *   begins when it is used fails.
 * @throws TubeletError `bad-request` for an address that is none of Redis.
 */
export function connectionTo(url: string, begin: 'at-once' | 'when-used'): Redis {
  if (!URL.canParse(url) || !['redis:', 'rediss:'].includes(new URL(url).protocol))
    throw new TubeletError({
      code: 'bad-request',
      message: '“{{url}}” is no address of a queue.',
      values: { url: withoutPassword(url) },
      next: 'Write redis://HOST:PORT, or rediss:// for an encrypted connection.',
    })
  // Commands wait for a lost connection to come back.
  return new (redisClient().Redis)(url, {
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(2_000, 100 * times),
    lazyConnect: begin === 'when-used',
  })
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return url
  const told = new URL(url)
  if (told.password !== '') told.password = '***'
  return told.href
}

/**
 * A store that may throw keys away when it is full would lose tickets and locks.
 * @throws TubeletError `bad-request`; what the connection throws.
 */
export async function mustKeepKeys(redis: Redis): Promise<void> {
  const policy = /^maxmemory_policy:(\S+)/m.exec(await redis.info('memory'))?.[1]
  if (policy === 'noeviction') return
  throw new TubeletError({
    code: 'bad-request',
    message:
      'The store of the queue may throw away what it keeps when its memory is full (maxmemory-policy {{policy}}), so it is not used.',
    values: { policy: policy ?? '?' },
    next: 'Set maxmemory-policy to noeviction in its configuration: redis-cli CONFIG SET maxmemory-policy noeviction.',
  })
}

export class Tickets {
  readonly address: string
  /** Why no ticket can be handed out now. */
  problem: Problem | null = null
  readonly #redis: Redis
  readonly #queue: Queue
  readonly #wanted: () => number
  readonly #changed: () => void
  readonly #timer: NodeJS.Timeout
  /** The count under way, and whether another one was asked for meanwhile. */
  #counting: Promise<void> | null = null
  #again = false
  #checked = false
  #closed = false

  /**
   * @param name Of the queue in the store. @param wanted How many tickets could be drawn or are in use. @param changed Called when `problem` changes.
   * @throws TubeletError `bad-request` for an address that is none.
   */
  constructor(url: string, name: string, wanted: () => number, changed: () => void) {
    this.address = withoutPassword(url)
    this.#wanted = wanted
    this.#changed = changed
    this.#redis = connectionTo(url, 'when-used')
    this.#redis.on('error', (error) => this.#tell(unreachable(this.address, error)))
    this.#redis.on('close', () => {
      this.#checked = false
    })
    this.#queue = new (bullmq().Queue)(name, { connection: this.#redis, skipWaitingForReady: true })
    this.#queue.on('error', () => undefined)
    this.#timer = setInterval(() => this.count(), COUNT_MS)
  }

  /** @throws TubeletError Why the store cannot be used, or not now. */
  async ready(): Promise<void> {
    try {
      if (this.#redis.status === 'wait') await this.#redis.connect()
      await mustKeepKeys(this.#redis)
      this.#checked = true
      this.#tell(null)
    } catch (error) {
      const problem = error instanceof TubeletError ? error.problem : unreachable(this.address, error)
      this.#tell(problem)
      throw new TubeletError(problem, { cause: error })
    }
  }

  /** Soon there are as many tickets as are wanted, or enough for now. */
  count(): void {
    if (this.#closed) return
    if (this.#counting !== null) {
      this.#again = true
      return
    }
    this.#counting = this.#count()
      .catch(() => undefined)
      .finally(() => {
        this.#counting = null
        if (!this.#again) return
        this.#again = false
        this.count()
      })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    // Commands that wait for a connection would keep this waiting.
    this.#redis.disconnect()
    await this.#counting
  }

  async #count(): Promise<void> {
    if (this.#redis.status !== 'ready' && this.#redis.status !== 'wait') return
    // It may be another store, or one set up in another way, since the connection was lost.
    if (!this.#checked) await this.ready()
    const {
      waiting = 0,
      delayed = 0,
      prioritized = 0,
      active = 0,
    } = await this.#queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized')
    const there = waiting + delayed + prioritized
    const wanted = Math.max(0, this.#wanted() - active)
    if (there > wanted + READY) await this.#queue.drain()
    if (there >= Math.min(wanted, READY / 2)) return
    await this.#queue.addBulk(
      Array.from({ length: Math.min(wanted, READY) - there }, () => ({
        name: 'ticket',
        data: {},
        // Never a number: a store that was emptied would give the same ones again.
        opts: { jobId: `ticket-${randomUUID()}`, removeOnComplete: true, removeOnFail: true },
      })),
    )
  }

  #tell(problem: Problem | null): void {
    if (JSON.stringify(problem) === JSON.stringify(this.problem)) return
    this.problem = problem
    this.#changed()
  }
}

function unreachable(address: string, error: unknown): Problem {
  return {
    code: 'engine-unavailable',
    message: 'The store of the queue at {{address}} cannot be reached.',
    values: { address },
    stillWorks: 'Workers finish what they have. Everything else in the library.',
    next: 'Start it, or check the address. The queue goes on by itself.',
    details: problemOf(error).details ?? String(error),
  }
}

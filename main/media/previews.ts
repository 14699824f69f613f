/** The preview copies of a project: each made once, by one ffmpeg, in the background, however many ask for it. */
import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Source } from '../../app/contract.ts'
import type { Preview } from '../../app/contract/review.ts'
import { problemOf, TubeletError } from '../../app/errors.ts'
import { makeProxy } from './playback.ts'
import type { MediaTools } from './tools.ts'

interface Making {
  stop: AbortController
  seconds: number
  done: Promise<void>
}

export class Previews {
  readonly #media: () => Promise<MediaTools>
  readonly #folder: string
  readonly #changed: (sourceId: number) => void
  readonly #making = new Map<number, Making>()
  readonly #failed = new Map<number, TubeletError['problem']>()

  /** @param changed Called as a copy grows, is done, fails or is cancelled. */
  constructor(media: () => Promise<MediaTools>, folder: string, changed: (sourceId: number) => void) {
    this.#media = media
    this.#folder = folder
    this.#changed = changed
  }

  file({ fingerprint }: Pick<Source, 'fingerprint'>): string {
    return path.join(this.#folder, `${fingerprint}.mp4`)
  }

  async state(source: Source): Promise<Preview> {
    const making = this.#making.get(source.id)
    if (making) return { state: 'making', seconds: making.seconds, problem: null }
    if (await stat(this.file(source)).catch(() => null)) return { state: 'ready', seconds: source.probe?.duration ?? 0, problem: null }
    const problem = this.#failed.get(source.id) ?? null
    return { state: problem ? 'failed' : 'none', seconds: 0, problem }
  }

  /** Begin, unless it is there or being made. @throws TubeletError `not-found` before the video was read. */
  async make(source: Source): Promise<Preview> {
    const { probe } = source
    if (probe === null) throw new TubeletError({ code: 'not-found', message: 'This video was not read yet.' })
    const { state } = await this.state(source)
    // Asked again meanwhile, it may have begun.
    if ((state === 'none' || state === 'failed') && !this.#making.has(source.id)) {
      this.#failed.delete(source.id)
      const making: Making = { stop: new AbortController(), seconds: 0, done: Promise.resolve() }
      this.#making.set(source.id, making)
      making.done = this.#run(source, probe, making)
    }
    return this.state(source)
  }

  async cancel(source: Source): Promise<Preview> {
    const making = this.#making.get(source.id)
    making?.stop.abort()
    await making?.done
    return this.state(source)
  }

  /** Ends all that are under way. */
  async close(): Promise<void> {
    const all = [...this.#making.values()]
    for (const { stop } of all) stop.abort()
    await Promise.all(all.map(({ done }) => done))
  }

  async #run(source: Source, probe: NonNullable<Source['probe']>, making: Making): Promise<void> {
    const { signal } = making.stop
    try {
      await mkdir(this.#folder, { recursive: true })
      await makeProxy(await this.#media(), source.path, probe, this.file(source), {
        signal,
        onProgress: (seconds) => {
          making.seconds = seconds
          this.#changed(source.id)
        },
      })
    } catch (error) {
      if (!signal.aborted) this.#failed.set(source.id, problemOf(error))
    } finally {
      this.#making.delete(source.id)
      this.#changed(source.id)
    }
  }
}

/** Files that may still be written: an analysis waits until its file stops changing, and recently changed files are watched for a while longer. */
import { stat } from 'node:fs/promises'
import type { Library } from '../library/library.ts'
import { stampOf } from '../media/fingerprint.ts'

const LOOK_MS = 500
/** A copied file counts as complete when it has not changed for so long. */
const REST_MS = 2_000
/** A file that was seen to grow counts as complete after so long without growing: recorders write in pieces. */
const REST_AFTER_GROWTH_MS = 6_000
/** So long after its last change a file is no longer watched. */
const YOUNG_MS = 60_000

interface Look {
  path: string
  stamp: string
  /** Time of its last change by this machine's clock. */
  changedAt: number
  grew: boolean
  waits: boolean
}

interface Told {
  /** Called when an analysis need no longer wait. */
  rested: () => void
  /** Called when a file was written to after its analysis began. */
  changed: (sourceId: number) => void
  /** Runs work in the background. */
  eventually: (work: () => Promise<void>) => void
}

export class Resting {
  readonly #library: Library
  readonly #told: Told
  readonly #looks = new Map<number, Look>()
  /** Files that are being checked for the first time. */
  readonly #asked = new Set<number>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(library: Library, told: Told) {
    this.#library = library
    this.#told = told
  }

  /** Sources whose analysis waits. */
  get waiting(): number[] {
    return [...this.#asked, ...[...this.#looks].filter(([, { waits }]) => waits).map(([id]) => id)]
  }

  /** Watch the file of a source that is to be analysed. Resolves when it is known whether the analysis has to wait. */
  watch(id: number, path: string): Promise<void> {
    this.#asked.add(id)
    return this.#begin(id, path).finally(() => {
      this.#asked.delete(id)
      if (!this.#closed && this.#looks.get(id)?.waits !== true) this.#told.rested()
    })
  }

  async #begin(id: number, path: string): Promise<void> {
    const now = await stat(path).catch(() => null)
    if (now === null || this.#closed) return
    const age = Date.now() - now.mtimeMs
    // A time in the future comes from another clock: count from now.
    const changedAt = age < 0 ? Date.now() : now.mtimeMs
    if (age > YOUNG_MS) return
    this.#looks.set(id, {
      path,
      stamp: stampOf(now),
      changedAt,
      grew: this.#looks.get(id)?.grew ?? false,
      waits: Date.now() - changedAt < REST_MS,
    })
    this.#timer ??= setInterval(() => this.#told.eventually(() => this.#look()), LOOK_MS).unref()
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    let rested = false
    for (const [id, look] of this.#looks) {
      const now = await stat(look.path).catch(() => null)
      if (this.#closed) return
      const stamp = now && stampOf(now)
      if (stamp !== null && stamp !== look.stamp) {
        if (now && now.size === Number(look.stamp.split(':')[0]) && now.mtimeMs === Number(look.stamp.split(':')[1])) look.stamp = stamp
        else {
          Object.assign(look, { stamp, changedAt: Date.now(), grew: true })
          if (look.waits) this.#library.files.growing(id, true)
          else this.#told.changed(id)
        }
        continue
      }
      const quiet = Date.now() - look.changedAt
      if (look.waits && (now === null || quiet >= (look.grew ? REST_AFTER_GROWTH_MS : REST_MS))) {
        look.waits = false
        this.#library.files.growing(id, false)
        rested = true
      }
      if (now === null || quiet > YOUNG_MS) this.#looks.delete(id)
    }
    if (this.#looks.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    if (rested) this.#told.rested()
  }
}

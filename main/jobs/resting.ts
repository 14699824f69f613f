/** Files that may still be written: an analysis waits until its file rests, and one that was changed a moment ago is looked at for a while longer. */
import { stat } from 'node:fs/promises'
import type { Library } from '../library/library.ts'
import { stampOf } from '../media/fingerprint.ts'

const LOOK_MS = 500
/** A file that was just copied is taken to be whole when it did not change for so long; */
const REST_MS = 2_000
/** one that was seen to grow, when it did not for so long: recorders write what they have in pieces. */
const REST_AFTER_GROWTH_MS = 6_000
/** So long after its last change nobody is expected to go on writing. */
const YOUNG_MS = 60_000

interface Look {
  path: string
  stamp: string
  /** When it was changed last, by this machine's clock. */
  changedAt: number
  grew: boolean
  waits: boolean
}

interface Told {
  /** Some analysis need not wait any more. */
  rested: () => void
  /** A file was written to after its analysis began. */
  changed: (sourceId: number) => void
  /** Do what nobody waits for. */
  eventually: (work: () => Promise<void>) => void
}

export class Resting {
  readonly #library: Library
  readonly #told: Told
  readonly #looks = new Map<number, Look>()
  /** Looked at for the first time just now. */
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

  /** Look after the file of a source that is to be analysed. Resolves when it is known whether that waits. */
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
    // A time in the future is another clock's: that file has to be seen at rest.
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

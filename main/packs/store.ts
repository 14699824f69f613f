/** The packs on this machine: those that ship, and those that were imported, each in a folder of its own. */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, type Stats, statSync } from 'node:fs'
import path from 'node:path'
import { type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import { PackManifest } from '../../app/pack/pack.ts'
import { isAlive } from '../alive.ts'
import { makeFolderSync } from '../folders.ts'
import { digestsOf } from '../pack-digest.ts'

export interface StoredPack {
  /** Unique on this machine: the name of its folder. */
  id: string
  dir: string
  /** Ships with the app and cannot be deleted. */
  bundled: boolean
  /** On disk. */
  bytes: number
  /** As the engine gives it, and what the same pack was known by before. */
  digest: string
  formerly: string[]
  manifest: PackManifest
}
/** A folder that should hold a pack and does not: it can be deleted, not used. */
export interface BrokenPack {
  id: string
  dir: string
  bytes: number
  problem: Problem
}

const UNFINISHED = '.unfinished-'

export class PackStore {
  /** Where imported packs lie. */
  readonly folder: string
  readonly #bundled: readonly string[]

  /** @param bundled The folders of the packs that ship. */
  constructor(bundled: readonly string[], folder: string) {
    this.#bundled = bundled
    this.folder = folder
    // What an import left whose process was killed.
    for (const name of namesIn(folder)) {
      if (!name.startsWith(UNFINISHED) || isAlive(Number(name.slice(UNFINISHED.length).split('-')[0]))) continue
      try {
        rmSync(path.join(folder, name), { recursive: true, force: true })
      } catch {
        // It is no pack, and may be removed another time.
      }
    }
  }

  /** Those that ship first, then by name. */
  list(): (StoredPack | BrokenPack)[] {
    const imported = namesIn(this.folder)
      .filter((name) => !name.startsWith('.'))
      .map((name) => path.join(this.folder, name))
      .filter((dir) => infoOf(dir)?.isFile() !== true)
    return [
      ...this.#bundled.map((dir) => read(dir, true)),
      ...imported.map((dir) => read(dir, false)).sort((a, b) => a.id.localeCompare(b.id)),
    ]
  }

  usable(): StoredPack[] {
    return this.list().filter((pack) => 'digest' in pack)
  }

  /** @throws TubeletError `not-found`, or the problem of a broken one. */
  find(id: string): StoredPack {
    const found = this.list().find((pack) => pack.id === id)
    if (found === undefined)
      throw new TubeletError({
        code: 'not-found',
        message: 'There is no pack “{{id}}” on this computer.',
        next: 'Choose one of: {{packs}}.',
        values: {
          id,
          packs: this.usable()
            .map((pack) => pack.id)
            .join(', '),
        },
      })
    if ('problem' in found) throw new TubeletError(found.problem)
    return found
  }

  /** `folder`, made where it was never needed before. */
  existingFolder(): string {
    makeFolderSync(this.folder)
    return this.folder
  }

  /** A folder to build a pack in. It is no pack before it is adopted, and is removed at the next start if this process dies. */
  unfinished(): string {
    return mkdtempSync(path.join(this.existingFolder(), `${UNFINISHED}${process.pid}-`))
  }

  /** Make a finished folder a pack. @throws TubeletError `conflict` where it is there already. */
  adopt(dir: string): StoredPack {
    const pack = read(dir, false)
    if ('problem' in pack) throw new TubeletError(pack.problem)
    const others = this.list()
    const same = others.filter((other) => 'digest' in other).find((other) => isSame(other, pack))
    if (same)
      throw new TubeletError({
        code: 'conflict',
        message: 'This pack is on this computer already.',
        file: same.dir,
        stillWorks: 'Everything.',
        next: 'It is listed as “{{name}}”.',
        values: { name: same.manifest.name },
      })
    const taken = others.some((other) => other.id === pack.manifest.id)
    const target = path.join(this.folder, taken ? `${pack.manifest.id}-${pack.digest.slice(0, 8)}` : pack.manifest.id)
    renameSync(dir, target)
    return { ...pack, id: path.basename(target), dir: target }
  }

  /** @throws TubeletError `not-found`; `forbidden` for those that ship. */
  delete(id: string): void {
    const found = this.list().find((pack) => pack.id === id)
    if (found === undefined)
      throw new TubeletError({ code: 'not-found', message: 'There is no pack “{{id}}” on this computer.', values: { id } })
    if (this.#bundled.includes(found.dir))
      throw new TubeletError({
        code: 'forbidden',
        message: 'A pack that comes with Tubelet cannot be deleted.',
        next: 'Use another one instead.',
      })
    // Out of the list at once; what cannot be removed now goes at the next start.
    const doomed = this.unfinished()
    renameSync(found.dir, path.join(doomed, 'pack'))
    rmSync(doomed, { recursive: true, force: true })
  }
}

/** Of one checkpoint the same pack is made, wherever that came from. */
function isSame(one: StoredPack, other: StoredPack): boolean {
  const [a, b] = [one.manifest, other.manifest]
  if (one.digest === other.digest) return true
  if (a.family !== 'mammut' || b.family !== 'mammut' || a.source === undefined) return false
  const made = ({ graphs, weights, tokenizer }: MammutManifest) => JSON.stringify([graphs, weights, tokenizer])
  return made(a) === made(b)
}

/** None where there is no folder, or none that may be read: other packs are there all the same. */
function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}

/** Null for a link to what is not there. */
function infoOf(file: string): Stats | null {
  try {
    return statSync(file)
  } catch {
    return null
  }
}

function read(dir: string, bundled: boolean): StoredPack | BrokenPack {
  const id = path.basename(dir)
  const bytes = namesIn(dir).reduce((sum, name) => sum + (infoOf(path.join(dir, name))?.size ?? 0), 0)
  try {
    const text = readFileSync(path.join(dir, 'pack.json'))
    return { id, dir, bundled, bytes, ...digestsOf(text), manifest: PackManifest.parse(JSON.parse(text.toString('utf8'))) }
  } catch (error) {
    const { message, details = message } = problemOf(error)
    return {
      id,
      dir,
      bytes,
      problem: {
        code: 'pack-invalid',
        message: 'The pack “{{id}}” is not complete, so it cannot be used.',
        values: { id },
        file: dir,
        stillWorks: 'The other packs.',
        next: bundled ? 'Install Tubelet again.' : 'Delete it and import it again.',
        details,
      },
    }
  }
}

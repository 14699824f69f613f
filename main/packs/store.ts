/** The packs on this machine, bundled or imported, each in a folder of its own. */
import { mkdtempSync, readdirSync, renameSync, rmSync, type Stats, statSync } from 'node:fs'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import { MOST_MANIFEST } from '../../app/pack/base.ts'
import { PackManifest } from '../../app/pack/pack.ts'
import { isAlive } from '../alive.ts'
import { makeFolderSync } from '../folders.ts'
import { digestsOf } from '../pack-digest.ts'
import { readPlainSync } from '../plain-file.ts'

export interface StoredPack {
  /** Unique on this machine: the name of its folder. */
  id: string
  dir: string
  /** Whether it ships with the app; then it cannot be deleted. */
  bundled: boolean
  /** Size on disk. */
  bytes: number
  /** As `digestsOf` gives them. */
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
  /** The folder of imported packs. */
  readonly folder: string
  readonly #bundled: readonly string[]
  /** What was read of each folder, and how its files looked then. */
  readonly #read = new Map<string, { files: string; pack: StoredPack | BrokenPack }>()

  /** @param bundled The folders of the packs that ship with the app. */
  constructor(bundled: readonly string[], folder: string) {
    this.#bundled = bundled
    this.folder = folder
    // Remains of an import whose process was killed.
    for (const name of namesIn(folder)) {
      if (!name.startsWith(UNFINISHED) || isAlive(Number(name.slice(UNFINISHED.length).split('-')[0]))) continue
      try {
        rmSync(path.join(folder, name), { recursive: true, force: true })
      } catch {
        // It is not a pack, and can be deleted at another start.
      }
    }
  }

  /** All packs: bundled ones first, then by name. Reads what changed since the last time only. */
  list(): (StoredPack | BrokenPack)[] {
    const [bundled, imported] = this.#dirs()
    return [
      ...bundled.map((dir) => this.#of(dir, true)),
      ...imported.map((dir) => this.#of(dir, false)).sort((a, b) => a.id.localeCompare(b.id)),
    ]
  }

  /** Read what changed, one pack after the other, so that `list` has nothing to read: hundreds of packs would hold everything else up. */
  async refresh(): Promise<void> {
    const [bundled, imported] = this.#dirs()
    for (const dir of [...bundled, ...imported]) {
      this.#of(dir, bundled.includes(dir))
      await setImmediate()
    }
  }

  #dirs(): [bundled: readonly string[], imported: string[]] {
    const imported = namesIn(this.folder)
      .filter((name) => !name.startsWith('.'))
      .map((name) => path.join(this.folder, name))
      .filter((dir) => infoOf(dir)?.isFile() !== true)
    return [this.#bundled, imported]
  }

  #of(dir: string, bundled: boolean): StoredPack | BrokenPack {
    const files = looksOf(dir)
    const known = this.#read.get(dir)
    if (known?.files === files) return known.pack
    const pack = read(dir, bundled)
    this.#read.set(dir, { files, pack })
    return pack
  }

  usable(): StoredPack[] {
    return this.list().filter((pack) => 'digest' in pack)
  }

  /** @throws TubeletError `not-found`, or the problem of a broken pack. */
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

  /** `folder`, made if it does not exist yet. */
  existingFolder(): string {
    makeFolderSync(this.folder)
    return this.folder
  }

  /** A new folder to build a pack in. It becomes a pack by `adopt`, and is deleted at the next start if this process dies first. */
  unfinished(): string {
    return mkdtempSync(path.join(this.existingFolder(), `${UNFINISHED}${process.pid}-`))
  }

  /** Make a finished folder a pack. @throws TubeletError `conflict` if the same pack is already there. */
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

  /** @throws TubeletError `not-found`; `forbidden` for bundled packs. */
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
    // Renamed first, so that it leaves the list at once; what cannot be deleted now is deleted at the next start.
    const doomed = this.unfinished()
    renameSync(found.dir, path.join(doomed, 'pack'))
    rmSync(doomed, { recursive: true, force: true })
  }
}

/** Whether two packs are the same: one checkpoint always gives the same pack, wherever it came from. */
function isSame(one: StoredPack, other: StoredPack): boolean {
  const [a, b] = [one.manifest, other.manifest]
  if (one.digest === other.digest) return true
  if (!('source' in a) || !('source' in b)) return false
  const made = ({ graphs, weights, tokenizer }: typeof a) => JSON.stringify([graphs, weights, tokenizer])
  return made(a) === made(b)
}

/** The names in a folder; none if it does not exist or cannot be read, so that other packs still work. */
function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}

/** Null for a link whose target does not exist. */
function infoOf(file: string): Stats | null {
  try {
    return statSync(file)
  } catch {
    return null
  }
}

/** How the files of a folder look: when one of them or their number changes, so does this. */
function looksOf(dir: string): string {
  const info = infoOf(path.join(dir, 'pack.json'))
  return [infoOf(dir)?.mtimeMs, info?.mtimeMs, info?.ctimeMs, info?.size, info?.ino].join()
}

function read(dir: string, bundled: boolean): StoredPack | BrokenPack {
  const id = path.basename(dir)
  const bytes = namesIn(dir).reduce((sum, name) => sum + (infoOf(path.join(dir, name))?.size ?? 0), 0)
  try {
    const text = readPlainSync(path.join(dir, 'pack.json'), MOST_MANIFEST)
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

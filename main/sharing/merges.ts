/** Work of other people that is being taken in: read from a handed-over file at once, shown with what differs, and taken or put away then. */
import { randomUUID } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Merge, Merged, Verdict } from '../../app/contract/sharing.ts'
import { TubeletError } from '../../app/errors.ts'
import { type Handover, LIBRARY_FILE } from '../../app/handover.ts'
import { said } from '../../app/phrase.ts'
import { makeFolderSync } from '../folders.ts'
import { stampOf } from '../media/fingerprint.ts'
import type { Library } from '../library/library.ts'
import { mustBeAFile, videosIn, worker } from './handover.ts'

/** Differences that are told one by one: more can be decided together only. */
const TOLD = 2_000

interface Open {
  file: string
  folder: string
  manifest: Handover
  theirs: DatabaseSync
}

export class Merges {
  readonly #library: Library
  readonly #folder: string
  readonly #open = new Map<string, Open>()

  constructor(library: Library) {
    this.#library = library
    this.#folder = library.cachePath('merges')
    // What an earlier run left.
    rmSync(this.#folder, { recursive: true, force: true })
  }

  close(): void {
    for (const id of this.#open.keys()) this.leave(id)
  }

  /** @throws TubeletError `file-missing`, `file-unreadable`, `conflict` where a newer Tubelet made it, `disk-full`; the signal's reason. */
  async read(file: string, signal?: AbortSignal, onProgress?: (share: number) => void): Promise<Merge> {
    mustBeAFile(file)
    const mergeId = randomUUID()
    const folder = path.join(this.#folder, mergeId)
    try {
      const manifest = await worker.call('unpack', { file, into: folder, files: 'pictures' }, { signal, onNote: onProgress })
      const theirs = new DatabaseSync(path.join(folder, LIBRARY_FILE), { readOnly: true })
      this.#open.set(mergeId, { file, folder, manifest, theirs })
      return await this.#told(mergeId)
    } catch (error) {
      if (this.#open.has(mergeId)) this.leave(mergeId)
      throw error
    } finally {
      await worker.call('rest', null).catch(() => undefined)
      if (!this.#open.has(mergeId)) rmSync(folder, { recursive: true, force: true })
    }
  }

  async #told(mergeId: string): Promise<Merge> {
    const { theirs, manifest, file } = this.#opened(mergeId)
    const { videos, ...rest } = await this.#library.merge.plan(theirs, TOLD)
    return {
      mergeId,
      file,
      by: manifest.by,
      madeAt: manifest.madeAt,
      ...rest,
      videos: videos.map(({ name }) => name),
    }
  }

  /**
   * @param verdicts What becomes of single differences, by their number. @param rest Of all others; without it each must be decided.
   * @throws TubeletError `not-found`, `conflict` where one is not decided, `disk-full`. Nothing is taken then.
   */
  async take(mergeId: string, verdicts: readonly { id: number; verdict: Verdict }[], rest?: Verdict): Promise<Merged> {
    const open = this.#opened(mergeId)
    const { theirs, manifest, file } = open
    const plan = await this.#library.merge.plan(theirs, 0)
    const known = new Map(verdicts.map(({ id, verdict }) => [id, verdict]))
    const own = path.join(this.#library.projectDir, 'handed-over', mergeId)
    try {
      const places = await this.#places(open, plan.videos, own)
      const { step, ...ids } = await this.#library.merge.take(
        theirs,
        manifest.by === null
          ? said('Work taken in from {{file}}', { file: path.basename(file) })
          : said('Work of {{name}} taken in', { name: manifest.by }),
        (id) => known.get(id) ?? rest,
        (id) => places.get(id) ?? { path: path.join(path.dirname(file), nameOf(manifest, id)), stamp: null },
      )
      this.#takePictures(open, ids)
      this.leave(mergeId)
      return { step, away: plan.videos.flatMap(({ id, name }) => (places.has(id) ? [] : [name])) }
    } catch (error) {
      rmSync(own, { recursive: true, force: true })
      const all = path.dirname(own)
      if (existsSync(all) && readdirSync(all).length === 0) rmdirSync(all)
      throw error
    }
  }

  /** The small pictures of new videos and clips; of a video that both have, those here stay. */
  #takePictures(
    { folder, theirs }: Open,
    { sources, clips }: { sources: ReadonlyMap<number, number>; clips: ReadonlyMap<number, number> },
  ): void {
    const from = path.join(folder, 'cache', 'sources')
    const copy = (their: number, name: string, own: number, as: string) => {
      const [picture, to] = [path.join(from, String(their), name), this.#library.cachePath('sources', own, as)]
      if (!existsSync(picture)) return
      makeFolderSync(path.dirname(to))
      copyFileSync(picture, to)
    }
    for (const [their, own] of sources)
      for (const name of existsSync(path.join(from, String(their))) ? readdirSync(path.join(from, String(their))) : [])
        if (!name.startsWith('clip-')) copy(their, name, own, name)
    const sourceOf = theirs.prepare('SELECT source_id FROM clips WHERE id = ?')
    for (const [their, own] of clips)
      copy(Number(sourceOf.get(their)?.['source_id']), `clip-${their}.jpg`, this.#library.clip(own).sourceId, `clip-${own}.jpg`)
  }

  /** Where the files of new videos are: in the file that was handed over, or beside it. */
  async #places(
    { file, manifest }: Open,
    videos: readonly { id: number }[],
    into: string,
  ): Promise<Map<number, { path: string; stamp: string }>> {
    const news = manifest.videos.filter(({ id }) => videos.some((one) => one.id === id))
    const places = await videosIn(
      news.filter((one) => one.file === null),
      [path.dirname(path.resolve(file))],
    )
    const along = news.filter((one) => one.file !== null)
    if (along.length === 0) return places
    await worker.call('videos', { file, into, videos: along })
    for (const { id, file: name } of along) {
      const at = path.join(into, ...(name ?? '').split('/'))
      // Numbered pictures are a pattern: they are looked at when they are needed.
      const info = statSync(at, { throwIfNoEntry: false })
      places.set(id, { path: at, stamp: info === undefined ? '' : stampOf(info) })
    }
    return places
  }

  /** @throws TubeletError `not-found` */
  leave(mergeId: string): void {
    const { theirs, folder } = this.#opened(mergeId)
    this.#open.delete(mergeId)
    theirs.close()
    rmSync(folder, { recursive: true, force: true })
  }

  #opened(mergeId: string): Open {
    const open = this.#open.get(mergeId)
    if (open) return open
    throw new TubeletError({ code: 'not-found', message: 'This file is not open any more.', next: 'Choose it again.' })
  }
}

function nameOf({ videos }: Handover, id: number): string {
  return path.basename(videos.find((one) => one.id === id)?.name ?? '')
}

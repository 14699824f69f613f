/**
 * Which video a file is. It is identified by content, not by path: whenever a file is added, opened, analysed, played or exported, the file at its path
 * is compared with what is known of it, by size and times, and by its fingerprint if these differ. A renamed file is found
 * in its old folder, one that grew is the same video, and any other file at the path is another video, which gets none of the decisions.
 */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Source } from '../../app/contract.ts'
import { TubeletError } from '../../app/errors.ts'
import { picturesOf, pictureNumber, usualPicture } from '../../app/media.ts'
import { type NumberedVideo, patternOf, titleOfPattern } from '../../app/numbered.ts'
import { said } from '../../app/phrase.ts'
import { exchanged, type Renamed, saidOfExchanged } from '../../app/renames.ts'
import type { KnownFile } from '../library/known-files.ts'
import type { Library } from '../library/library.ts'
import { problemOfAccess } from '../media/access.ts'
import { fingerprint, fingerprintOfBefore, stampOf } from '../media/fingerprint.ts'
import { filesOf, type NumberedFile } from '../media/numbered.ts'

/** How many files of the same size in the old folder are read to find a renamed file. */
const CANDIDATES = 20
/** Fingerprints kept in memory, so that repeated checks do not read a file again. */
const REMEMBERED = 500

interface FileNow {
  bytes: number
  mtimeMs: number
  stamp: string
}

/** For a file with several video streams: the stream, and its number counted from 1. */
export interface ChosenPicture {
  stream: number
  number: number
}

/** What an added file is: new; known; known but moved here; known but longer than before; back from the bin. */
export interface Recognised {
  how: 'new' | 'known' | 'moved' | 'changed' | 'restored'
  sourceId: number
  /** The old path of a moved file. */
  from?: string
}

export class Identity {
  readonly #library: Library
  readonly #changed: ((sourceId: number) => void) | null
  /** Running checks, so that the many requests of one player share one. */
  readonly #checks = new Map<number, Promise<void>>()
  /** What running checks found under another name: its path before, by video. It is told when the last of them has ended, together. */
  readonly #moved = new Map<number, string>()
  readonly #prints = new Map<string, string>()

  /**
   * @param changed Called when the file of a video has grown, or has new content, since it was analysed; null where nobody here could analyse it
   *   again: a file that grew is then left as it is known.
   */
  constructor(library: Library, changed: ((sourceId: number) => void) | null) {
    this.#library = library
    this.#changed = changed
  }

  /**
   * Find where the content of a video is now, and store that. Never fails: an unreadable file counts as missing.
   * @param quiet The caller reports moved files itself.
   */
  check(sourceId: number, quiet = false): Promise<void> {
    const running = this.#checks.get(sourceId)
    if (running) return running
    const check = this.#check(sourceId, quiet).finally(() => {
      this.#checks.delete(sourceId)
      if (this.#checks.size === 0) this.#tell()
    })
    this.#checks.set(sourceId, check)
    return check
  }

  /** The video, after checking that its content lies at its path. @throws TubeletError `file-missing`, `file-replaced`, `not-found` */
  async there(sourceId: number): Promise<Source> {
    const begunBefore = this.#checks.has(sourceId)
    await this.check(sourceId)
    // A file that was missing a moment ago may be back.
    if (begunBefore && this.#library.source(sourceId).file !== 'there') await this.check(sourceId)
    const source = this.#library.source(sourceId)
    if ((source.file === 'missing' || source.file === 'replaced') && source.problem) throw new TubeletError(source.problem)
    return source
  }

  /**
   * Add a file, or numbered pictures by their pattern. A known video keeps its annotations; numbered pictures take the frame rate given last.
   *
   * @throws TubeletError `file-missing` or `file-unreadable`.
   */
  async recognise(
    file: string,
    { numbered = null, picture }: { numbered?: NumberedVideo | null; picture?: ChosenPicture } = {},
  ): Promise<Recognised> {
    const recognised = await this.#recognise(file, numbered, picture)
    const source = this.#library.source(recognised.sourceId)
    if (numbered === null || JSON.stringify(source.numbered) === JSON.stringify(numbered)) return recognised
    this.#library.setNumbered(source.id, numbered)
    this.#changed?.(source.id)
    return recognised
  }

  async #recognise(file: string, numbered: NumberedVideo | null, picture?: ChosenPicture): Promise<Recognised> {
    const { files, bin } = this.#library
    const now = await look(file)
    if (now === null) throw await refusalOf(file)
    if (picture) return this.#picture(file, now, await this.#print(file, now), picture)
    const here = files.at(file)
    const same = here.find(({ stamp, file: state }) => stamp === now.stamp && state !== 'replaced' && state !== 'missing')
    if (same) return { how: 'known', sourceId: same.id }
    const content = await this.#print(file, now)
    const known = await this.#known(file, content)
    const [first] = known
    if (first && first.path !== file) await this.check(first.id, true)
    // The video that was at this path may have moved: look for it before another one takes the path.
    for (const { id } of here) if (!known.some((one) => one.id === id)) await this.check(id, true)
    if (first) {
      const { path: at, file: state } = files.get(first.id) ?? first
      const moved = at !== file && (state === 'missing' || state === 'replaced')
      if (at !== file && !moved) return { how: 'known', sourceId: first.id }
      // Beside a copy of it the video itself may have moved along, under its own name.
      const own = path.join(path.dirname(file), path.basename(at))
      const itself = moved && own !== file ? await look(own) : null
      if (itself !== null && (await this.#print(own, itself)) === content) {
        for (const { id } of known) this.#found(id, own, itself.stamp)
        return { how: 'known', sourceId: first.id }
      }
      for (const { id } of known) this.#found(id, file, now.stamp)
      return moved || first.path !== file ? { how: 'moved', sourceId: first.id, from: first.path } : { how: 'known', sourceId: first.id }
    }
    const grown = files.at(file).find((one) => one.content === content)
    if (grown) return { how: 'changed', sourceId: grown.id }
    const binned = bin.ofContent(content)
    if (binned !== null) {
      this.#library.restoreSource(binned)
      this.#found(binned, file, now.stamp)
      return { how: 'restored', sourceId: binned }
    }
    const { source } = this.#library.addSource({ path: file, name: nameOf(file, null), ...now, fingerprint: content, numbered })
    return { how: 'new', sourceId: source.id }
  }

  /** Accept the file at the path as a new version of the video. @throws TubeletError `conflict` if it is another video of the library, `file-missing`. */
  async accept(sourceId: number): Promise<void> {
    const { files } = this.#library
    const { path: file } = this.#library.source(sourceId)
    const now = await look(file)
    if (now === null) throw await refusalOf(file)
    const content = await this.#print(file, now)
    const [other] = files.ofContent(content).filter(({ id }) => id !== sourceId)
    if (other) {
      throw new TubeletError({
        code: 'conflict',
        message: 'This content is in the library already, as {{name}}.',
        values: { name: this.#library.source(other.id).name },
        file,
        stillWorks: 'Nothing was changed.',
        next: 'Keep this entry as it is, or remove that one first.',
      })
    }
    files.changed(sourceId, content, now)
  }

  /**
   * Add another video stream of the file as a video of its own: annotations of one stream never belong to another.
   *
   * @returns The video of that picture: known, back from the bin, or new. @throws TubeletError `bad-request`, `file-missing`, `file-replaced`, `not-found`
   */
  async picture(sourceId: number, stream: number): Promise<Pick<Recognised, 'how' | 'sourceId'>> {
    const { files } = this.#library
    const source = await this.there(sourceId)
    const { path: file, probe } = source
    const pictures = probe === null ? [] : picturesOf(probe)
    const number = pictures.findIndex(({ index }) => index === stream) + 1
    const [known, now] = [files.get(sourceId), await look(file)]
    if (probe === null || number === 0 || known === null || now === null)
      throw new TubeletError({
        code: 'bad-request',
        message: 'This file has no picture {{stream}}.',
        field: 'body.stream',
        values: { stream },
        file,
        next: 'Choose one of those that its probe lists.',
      })
    const ofFile = files.ofContent(known.content)
    // The stream that players show has no number, as in a file with only one.
    const isUsual = usualPicture(probe)?.index === stream && ofFile.every(({ id }) => this.#library.source(id).picture !== null)
    return this.#picture(file, now, known.content, { stream, number: isUsual ? null : number })
  }

  /** @param number Null for the stream that players show. */
  #picture(
    file: string,
    now: FileNow,
    content: string,
    { stream, number }: Pick<ChosenPicture, 'stream'> & { number: number | null },
  ): Pick<Recognised, 'how' | 'sourceId'> {
    const { files, bin } = this.#library
    const there = files
      .ofContent(content)
      .map(({ id }) => this.#library.source(id))
      .find((one) => (one.picture ?? one.probe?.videoStream) === stream)
    if (there) return { how: 'known', sourceId: there.id }
    const picture = number === null ? null : stream
    const print = picture === null ? content : `${content}#${picture}`
    const binned = bin.ofContent(print)
    if (binned !== null) {
      this.#library.restoreSource(binned)
      this.#found(binned, file, now.stamp)
      return { how: 'restored', sourceId: binned }
    }
    const { source } = this.#library.addSource({ path: file, name: nameOf(file, number), ...now, fingerprint: print, picture })
    return { how: 'new', sourceId: source.id }
  }

  async #check(sourceId: number, quiet: boolean): Promise<void> {
    const { files } = this.#library
    const known = files.get(sourceId)
    if (known === null) return
    const now = await look(known.path)
    if (now !== null && now.stamp === known.stamp) {
      if (known.file === 'missing' || known.file === 'replaced') this.#found(sourceId, known.path, now.stamp)
      // Its drive is back: others are too. Nobody waits for them, since theirs may be one that does not answer.
      if (known.file === 'missing') void this.#othersBack().catch(() => undefined)
      return
    }
    if (now !== null && known.file === 'replaced' && now.stamp === known.seen) return
    try {
      if (now !== null && (await this.#same(known, now))) return
      if (await this.#foundBeside(known, quiet)) return
      if (now !== null && this.#changed !== null && known.replaceable && files.ofContent(await this.#print(known.path, now)).length === 0) {
        files.changed(sourceId, await this.#print(known.path, now), now)
        this.#changed(sourceId)
        return
      }
    } catch {
      // Unreadable, or deleted in the meantime: it counts as missing.
    }
    if (!files.get(sourceId)) return
    files.lost(sourceId, now === null ? 'missing' : 'replaced', now?.stamp ?? null)
    const gone = now === null ? await goneAbove(known.path) : null
    if (gone !== null) files.lostBelow(`${gone}${path.sep}`)
  }

  /** Look again at all videos that were missing. */
  async #othersBack(): Promise<void> {
    for (const { id, path: file, stamp } of this.#library.files.missing()) {
      const now = await look(file)
      if (now?.stamp === stamp && this.#library.files.get(id)?.file === 'missing') this.#found(id, file, now.stamp)
    }
  }

  /** Whether the file at the path of a video has the same content, or has grown. */
  async #same(known: KnownFile, now: FileNow): Promise<boolean> {
    const { files } = this.#library
    const content = await this.#print(known.path, now)
    if (content === known.content) {
      this.#found(known.id, known.path, now.stamp)
      return true
    }
    if (known.stamp === null && now.bytes === known.bytes && (await fingerprintOfBefore(known.path)) === known.content) {
      files.changed(known.id, content, now)
      return true
    }
    if (now.bytes <= known.bytes || known.bytes === 0 || (await fingerprint(known.path, known.bytes)) !== known.content) return false
    if (this.#changed === null) return true
    files.changed(known.id, content, now)
    this.#changed(known.id)
    return true
  }

  /** Videos with this content, also by their earlier fingerprint. */
  async #known(file: string, content: string): Promise<KnownFile[]> {
    const { files } = this.#library
    const known = files.ofContent(content)
    if (known.length > 0) return known
    const before = await fingerprintOfBefore(file)
    const old = before === null ? [] : files.ofContent(before).filter(({ stamp }) => stamp === null)
    const now = old.length > 0 ? await look(file) : null
    if (now !== null) for (const { id } of old) files.changed(id, content, now)
    return old
  }

  /** A recorder that rotates its files, or a person who renames one, leaves it in its folder. */
  async #foundBeside({ id, path: was, bytes, content }: KnownFile, quiet: boolean): Promise<boolean> {
    const folder = path.dirname(was)
    let tried = 0
    for (const name of await readdir(folder).catch(() => [])) {
      const file = path.join(folder, name)
      if (file === was) continue
      const now = await look(file)
      if (now?.bytes !== bytes || (tried += 1) > CANDIDATES) continue
      if ((await this.#print(file, now).catch(() => null)) !== content) continue
      this.#found(id, file, now.stamp)
      if (!quiet && !this.#moved.has(id)) this.#moved.set(id, was)
      // The video that had this name may have another one now: exchanged names are reported together.
      for (const other of this.#library.files.at(file)) if (!this.#checks.has(other.id)) await this.check(other.id, quiet)
      return true
    }
    return false
  }

  #tell(): void {
    if (this.#moved.size === 0) return
    const renamed = renamedSince(this.#moved, this.#library.files.paths())
    this.#moved.clear()
    const together = exchanged(renamed)
    const phrases = [
      ...(together.length > 0 ? [saidOfExchanged(together)] : []),
      ...renamed
        .filter((one) => !together.includes(one))
        .map(({ from, path: to }) =>
          said('{{was}} was found again as {{name}}, by its content.', { was: path.basename(from), name: path.basename(to) }),
        ),
    ]
    for (const phrase of phrases) this.#library.emit({ type: 'told', phrase })
  }

  #found(id: number, file: string, stamp: string): void {
    const { picture, probe } = this.#library.source(id)
    this.#library.files.found(id, file, nameOf(file, picture === null ? null : (pictureNumber(probe) ?? picture)), stamp)
  }

  /** Only up to the size seen first: a file may grow while it is read. */
  async #print(file: string, { bytes, stamp }: FileNow): Promise<string> {
    const key = `${stamp} ${file}`
    const print = this.#prints.get(key) ?? (await fingerprint(file, bytes))
    if (this.#prints.size >= REMEMBERED) this.#prints.clear()
    this.#prints.set(key, print)
    return print
  }
}

/** Videos whose path has changed. */
export function renamedSince(before: ReadonlyMap<number, string>, now: ReadonlyMap<number, string>): (Renamed & { sourceId: number })[] {
  return [...now].flatMap(([sourceId, to]) => {
    const from = before.get(sourceId)
    return from === undefined || from === to ? [] : [{ sourceId, from, path: to }]
  })
}

/** The name of a video: its file, and the number of the video stream (from 1) where there are several. */
function nameOf(file: string, number: number | null): string {
  const name = titleOfPattern(path.basename(file))
  return number === null ? name : `${name} #${number}`
}

async function look(file: string): Promise<FileNow | null> {
  if (patternOf(file) !== null) return lookAtNumbered(file).catch(() => null)
  const info = await stat(file).catch(() => null)
  return info?.isFile() === true ? { bytes: info.size, mtimeMs: info.mtimeMs, stamp: stampOf(info) } : null
}

/** The uppermost folder above a file that is not there; null if the file's own folder is. */
async function goneAbove(file: string): Promise<string | null> {
  let gone: string | null = null
  for (let folder = path.dirname(file); (await stat(folder).catch(() => null)) === null; folder = path.dirname(folder)) {
    gone = folder
    if (path.dirname(folder) === folder) break
  }
  return gone
}

/** Why `look` finds nothing at a path. */
async function refusalOf(file: string): Promise<TubeletError> {
  const error: unknown = await (patternOf(file) === null ? stat(file) : filesOf(file)).then(
    () => Object.assign(new Error('It is no file.'), { code: 'ENOENT' }),
    (why: unknown) => why,
  )
  return error instanceof TubeletError ? error : new TubeletError(problemOfAccess(file, error))
}

/** One stamp for all numbered pictures: it differs when a picture is added, removed or changed. */
async function lookAtNumbered(pattern: string): Promise<FileNow> {
  const { files } = await filesOf(pattern)
  const most = (value: (file: NumberedFile) => number) => files.reduce((most, file) => Math.max(most, value(file)), 0)
  const [size, mtimeMs, ctimeMs] = [
    files.reduce((sum, { bytes }) => sum + bytes, 0),
    most((file) => file.mtimeMs),
    most((file) => file.ctimeMs),
  ]
  return { bytes: size, mtimeMs, stamp: `${stampOf({ size, mtimeMs, ctimeMs })}:${files.length}` }
}

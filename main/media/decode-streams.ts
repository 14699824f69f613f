/** Parsers for the formats that a decode pass writes, fed with bytes as they come in. */
import { randomInt } from 'node:crypto'

/** Bytes that come piece by piece. */
class Filling {
  readonly bytes: Uint8Array<ArrayBuffer>
  #filled = 0

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes
  }

  /** Takes what it needs of a piece from `at` on. @returns Where it has stopped. */
  take(piece: Uint8Array, at: number): number {
    const part = piece.subarray(at, at + this.bytes.length - this.#filled)
    this.bytes.set(part, this.#filled)
    this.#filled += part.length
    return at + part.length
  }

  get full(): boolean {
    return this.#filled === this.bytes.length
  }
}

/** At most so many pictures' memory is kept for later ones. */
const MOST_KEPT = 4

/** Raw video: pictures of one size, one after the other, each in memory of its own that may be handed to another thread. */
export class RawPictures {
  readonly #bytes: number
  readonly #free: Uint8Array<ArrayBuffer>[] = []
  #next: Filling | null = null

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  /** @returns The pictures that are complete now. */
  push(piece: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const complete: Uint8Array<ArrayBuffer>[] = []
    for (let at = 0; at < piece.length; ) {
      this.#next ??= new Filling(this.#free.pop() ?? new Uint8Array(this.#bytes))
      at = this.#next.take(piece, at)
      if (!this.#next.full) break
      complete.push(this.#next.bytes)
      this.#next = null
    }
    return complete
  }

  /** A picture is no longer needed: a later one may use its memory. */
  reuse(memory: ArrayBuffer): void {
    if (memory.byteLength === this.#bytes && this.#free.length < MOST_KEPT) this.#free.push(new Uint8Array(memory))
  }
}

/** ffmpeg's mpjpeg: a header of lines that states the length, an empty line, the JPEG, CR LF. */
export class JpegPictures {
  #header = ''
  #next: Filling | null = null

  /** @returns The pictures that are complete now. */
  push(piece: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const complete: Uint8Array<ArrayBuffer>[] = []
    for (let at = 0; at < piece.length; ) {
      if (this.#next === null) {
        this.#header += String.fromCharCode(piece[at++] ?? 0)
        if (!this.#header.endsWith('\r\n\r\n')) continue
        this.#next = new Filling(new Uint8Array(Number(/content-length: *(\d+)/i.exec(this.#header)?.[1] ?? 0) + 2))
        this.#header = ''
      }
      at = this.#next.take(piece, at)
      if (!this.#next.full) break
      complete.push(this.#next.bytes.slice(0, -2))
      this.#next = null
    }
    return complete
  }
}

export type Message =
  /** A frame passed a showinfo filter: `all` sees every frame, `picked` the sampled ones, `strip` those of the filmstrip, a number those for the want of that number. `key`: a key frame. */
  | { type: 'frame'; filter: 'all' | 'picked' | 'strip' | number; pts: number; key?: true }
  /** The time base of the PTS that a filter prints. */
  | { type: 'time-base'; num: number; den: number }
  /** The clock of the file starts again with the frame that comes next, see clock.ts. */
  | { type: 'new-clock' }
  /** `about`: the file (its bytes or pictures are broken), its references (pictures that others need are missing), or our own output. */
  | {
      type: 'error'
      about: 'file' | 'references' | 'output'
      text: string
      /** The decoder made up all or a part of the next frame. */
      madeUp?: true
    }

/**
 * ffmpeg's messages at `-v level+info`, line by line. Lines of no use are skipped.
 *
 * A file's names, tags and numbers are printed among them, line breaks included, and could imitate a message. So the filters that report frames have a
 * number in their names that no file can know, see `newSeal`.
 */
export class Messages {
  readonly #seal: number
  #rest = ''

  constructor(seal: number) {
    this.#seal = seal
  }

  *push(text: string): Generator<Message> {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const message = readMessage(line, this.#seal)
      if (message !== null) yield message
    }
  }
}

/** A random number that marks the messages of one pass: nine digits, which ffmpeg's expressions print exactly. */
export function newSeal(): number {
  return randomInt(100_000_000, 1_000_000_000)
}

function readMessage(line: string, seal: number): Message | null {
  const [, filter, want, sealed, said = ''] = /^\[showinfo@(all|picked|strip|want(\d+))_(\d+) @ [^\]]*\] \[info\] (.*)/.exec(line) ?? []
  if (filter !== undefined) {
    if (sealed !== String(seal)) return null
    const pts = /^n: *\d+ pts: *(-?\d+)/.exec(said)?.[1]
    if (pts !== undefined)
      return {
        type: 'frame',
        filter: want === undefined ? (filter as 'all' | 'picked' | 'strip') : Number(want),
        pts: Number(pts),
        ...(filter === 'all' && / iskey: ?1\b| type: ?I\b/.test(said) ? { key: true } : {}),
      }
    const [, num, den] = (filter === 'all' ? /^config in time_base: (\d+)\/(\d+)/.exec(said) : null) ?? []
    return num === undefined ? null : { type: 'time-base', num: Number(num), den: Number(den) }
  }
  // The plan's expressions print nothing else.
  const printed = /^(?:\[Eval @ [^\]]*\] )?\[info\] (\d+)\.0+\s*$/.exec(line)?.[1]
  if (printed !== undefined) return Number(printed) === seal ? { type: 'new-clock' } : null
  return readComplaint(line)
}

/** A message: the parts of ffmpeg that it comes from, its level, its text. */
const SPOKEN = /^((?:\[[^\]]* @ [^\]]*\] )*)\[(warning|error|fatal|panic)\] (.*)/
/** Messages about our own output: names of the pipes' muxers and encoders, and the prefixes of newer ffmpeg. */
const OURS = /^\[(?:rawvideo|mpjpeg|null|mp4|out#|vost#|aost#|enc:|libx264|aac)/
const WARNINGS = /corrupt|packet mismatch/i
const CONCEALED = /^\[[^\]]* @ [^\]]*\] (?:\[[^\]]* @ [^\]]*\] )*\[info\] concealing \d+ DC, \d+ AC/
/** What of a picture of JPEG cannot be decoded stays grey. Of bytes that are missing at its end alone, as some cameras write them, nothing is lost. */
const JPEG = /^\[mjpeg @ [^\]]*\] \[error\] (?:error (?:count: \d|y=\d+ x=\d|dc)|mjpeg_decode_dc: bad vlc)/
/** Missing references: recordings that begin, or were cut, between key frames lack pictures that others depend on. That is no damage. */
const REFERENCES =
  /unref short failure|co located pocs|reference frames|reference picture|non-existing [ps]ps|could not find ref|no frame!|decode_slice_header error|constructing the frame rps|mvs not available/i

function readComplaint(line: string): Message | null {
  // Only information to ffmpeg. A picture that is made up because its references are missing is no fault of the file.
  if (CONCEALED.test(line)) return { type: 'error', about: 'references', text: line, madeUp: true }
  const [, speakers = '', level, text = ''] = SPOKEN.exec(line) ?? []
  if (level === undefined || (level === 'warning' && !WARNINGS.test(text))) return null
  const about =
    OURS.test(speakers) || text.startsWith('Application provided invalid') ? 'output' : REFERENCES.test(text) ? 'references' : 'file'
  return { type: 'error', about, text: line, ...(text.includes('corrupt decoded frame') || JPEG.test(line) ? { madeUp: true } : {}) }
}

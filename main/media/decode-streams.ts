/** The four formats that a decode pass writes, taken apart as their bytes come in. */

/** Bytes in, exact pieces out, each a copy of its own that may be handed to another thread. */
class ByteQueue {
  length = 0
  #chunks: Uint8Array[] = []

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.length += chunk.length
  }

  /** @returns null, and takes nothing, until `count` bytes are there. */
  take(count: number): Uint8Array<ArrayBuffer> | null {
    if (this.length < count) return null
    const out = new Uint8Array(count)
    let filled = 0
    while (filled < count) {
      const chunk = this.#chunks[0]
      if (chunk === undefined) break
      const part = chunk.subarray(0, count - filled)
      out.set(part, filled)
      filled += part.length
      if (part.length === chunk.length) this.#chunks.shift()
      else this.#chunks[0] = chunk.subarray(part.length)
    }
    this.length -= count
    return out
  }
}

/** Raw video: pictures of one size, one after the other. */
export class RawPictures {
  readonly #queue = new ByteQueue()
  readonly #bytes: number

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  *push(chunk: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    this.#queue.push(chunk)
    for (let picture = this.#queue.take(this.#bytes); picture !== null; picture = this.#queue.take(this.#bytes)) yield picture
  }
}

/** ffmpeg's mpjpeg: a header of lines that states the length, an empty line, the JPEG, CR LF. */
export class JpegPictures {
  readonly #queue = new ByteQueue()
  #header = ''
  #length: number | null = null

  #readHeader(): boolean {
    for (let byte = this.#queue.take(1); byte !== null; byte = this.#queue.take(1)) {
      this.#header += String.fromCharCode(byte[0] ?? 0)
      if (!this.#header.endsWith('\r\n\r\n')) continue
      this.#length = Number(/content-length: *(\d+)/i.exec(this.#header)?.[1] ?? 0)
      this.#header = ''
      return true
    }
    return false
  }

  *push(chunk: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    this.#queue.push(chunk)
    for (;;) {
      if (this.#length === null && !this.#readHeader()) return
      const jpeg = this.#queue.take((this.#length ?? 0) + 2)
      if (jpeg === null) return
      this.#length = null
      yield jpeg.slice(0, -2)
    }
  }
}

export type Message =
  /** A frame passed a showinfo filter: every frame `all`, those sampled `picked` as well, and of those some for the want of that number. */
  | { type: 'frame'; filter: 'all' | 'picked' | number; pts: number }
  /** The time base that the PTS of a filter count in. */
  | { type: 'time-base'; num: number; den: number }
  /** The clock of the file starts again with the frame that comes next, see clock.ts. */
  | { type: 'new-clock' }
  | { type: 'error'; text: string }

/** ffmpeg's messages at `-v level+info`, line by line. Lines that say nothing of use are passed over. */
export class Messages {
  #rest = '';

  *push(text: string): Generator<Message> {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const message = readMessage(line)
      if (message !== null) yield message
    }
  }
}

function readMessage(line: string): Message | null {
  const frame = /^\[showinfo@(all|picked|want(\d+)) @ [^\]]*\] \[info\] n: *\d+ pts: *(-?\d+)/.exec(line)
  if (frame !== null) return { type: 'frame', filter: frame[2] !== undefined ? Number(frame[2]) : frame[1] === 'all' ? 'all' : 'picked', pts: Number(frame[3]) }
  const base = /^\[showinfo@all @ [^\]]*\] \[info\] config in time_base: (\d+)\/(\d+)/.exec(line)
  if (base !== null) return { type: 'time-base', num: Number(base[1]), den: Number(base[2]) }
  // All that the expressions of the plan print.
  if (/^(?:\[Eval @ [^\]]*\] )?\[info\] -?\d+\.\d+\s*$/.test(line)) return { type: 'new-clock' }
  return /\[(?:error|fatal|panic)\]/.test(line) ? { type: 'error', text: line } : null
}

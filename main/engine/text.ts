/** Reads lines of text on pictures: the finder looks for them on a smaller copy, the reader reads each from the picture itself. */
import type { Box } from '../../app/annotation.ts'
import { iou, type RelativeBox } from '../../app/boxes.ts'
import { changesBetween, type Thinned, thinned } from '../../app/changes.ts'
import { coloursOfLetters } from '../../app/colours.ts'
import type { TextManifest } from '../../app/pack/text.ts'
import type { Line } from '../../app/text-lines.ts'
import { Glyphs } from './glyphs.ts'
import { byteTensor, floatsOf, type Graphs, integersOf } from './graphs.ts'
import { type Part, resized } from './picture.ts'
import type { Picture } from './protocol.ts'
import { linesIn, textOf } from './text-cores.ts'

/** Sides of the finder's copy are multiples of this. */
const MULTIPLE = 32
/** Small pictures are enlarged for the finder at most so many times. */
const LARGEST_SCALE = 1.5
const READER_HEIGHT = 48
/** The reader's width is a multiple of this, so that few shapes occur; lines longer than READER_LONGEST are squeezed. */
const READER_STEP = 16
const READER_LONGEST = 2048
/** At most so many of the likeliest lines are read, so that a picture full of text does not take many seconds. */
const MOST_LINES = 40
/** A box more than so many times as high as wide is vertical text or no line, and is not read. */
const UPRIGHT = 1.5
/** A line is not read again if it is nearly at the place of one before (IoU), and no strip of its crop, STRIP wide, differs by more grey levels. */
const SAME_PLACE = 0.75
/** A line found again this near to a known one (IoU) has as many letters, and is cropped like that, so that letters seen before are known again. */
const SAME_BOX = 0.9
const SAME_PIXELS = 10
const STRIP = 8
/** What stands above or below a line reaches into so many rows at the edges of its crop; they do not count once the line is settled. */
const EDGE_ROWS = 8
/** A line is settled when one spelling of it (x0.5 or X0.5) was read so many times more often than any other. */
const SETTLED = 5
/** A change within this share of a known line's height around it counts as a change of the line: changes are only known as coarse squares. */
const BESIDE = 0.35
/**
 * While a video shows no text, its pictures are looked at with the finder in a copy with sides of at most this many pixels, at a fifth of the cost,
 * and completely where that shows anything; one look in so many is complete anyway, since the smallest letters are lost in such a copy.
 */
const GLANCE_SIDE = 256
const COMPLETE_EVERY = 4
/** So many videos are read at a time, and their lines remembered. */
const MOST_VIDEOS = 4

/** What was read at a place, sure or not, and its crop [48, width, 3]. */
interface Known {
  part: Part
  width: number
  crop: Uint8Array
  /** What its letters looked like whenever it was read surely. */
  glyphs: Glyphs
  read: { text: string; confidence: number; colours: readonly number[] }
  /** How often it was read in each spelling; `read` has the commonest one. */
  spellings: ReadonlyMap<string, number>
}

export class TextReader {
  readonly graphs: Graphs
  readonly #manifest: TextManifest
  readonly #symbols: readonly string[]
  /** The last ones read, latest last. */
  readonly #videos = new Map<number, VideoReader>()

  constructor(manifest: TextManifest, symbols: readonly string[], graphs: Graphs) {
    this.graphs = graphs
    this.#manifest = manifest
    this.#symbols = symbols
  }

  /** The sure lines of each picture, from top to bottom. Consecutive pictures of one video cost less. @param video Any number that tells it from others. */
  async read(pictures: readonly Picture[], video = 0): Promise<Line[][]> {
    const reader = this.#videos.get(video) ?? new VideoReader(this.#manifest, this.#symbols, this.graphs)
    this.#videos.delete(video)
    this.#videos.set(video, reader)
    for (const oldest of this.#videos.keys()) if (this.#videos.size > MOST_VIDEOS) this.#videos.delete(oldest)
    return await reader.read(pictures)
  }
}

/** Reads the pictures of one video, in the order in which they come. */
class VideoReader {
  readonly #graphs: Graphs
  readonly #manifest: TextManifest
  readonly #symbols: readonly string[]
  /** The lines of the previous picture. */
  #known: Known[] = []
  /** The last picture that was searched completely. */
  #searched: { size: Pick<Picture, 'width' | 'height'>; thinned: Thinned } | null = null
  /** How many looks for lines there were, complete or not, since there were some. */
  #looks = 0
  /** So many of the next looks are complete, since a small copy showed something that was no line. */
  #doubtful = 0
  /** Resolves when the pictures before have been read. */
  #before: Promise<unknown> = Promise.resolve()

  constructor(manifest: TextManifest, symbols: readonly string[], graphs: Graphs) {
    this.#graphs = graphs
    this.#manifest = manifest
    this.#symbols = symbols
  }

  async read(pictures: readonly Picture[]): Promise<Line[][]> {
    const read = this.#before.then(async () => {
      const out: Line[][] = []
      for (const picture of pictures) out.push(await this.#lines(picture))
      return out
    })
    this.#before = read.catch(() => undefined)
    return await read
  }

  async #lines(picture: Picture): Promise<Line[]> {
    this.#known = (await this.#again(picture)) ?? (await this.#anew(picture))
    return this.#known
      .filter((line) => this.#tells(line))
      .map(({ part, read }) => ({ ...read, box: relative(part, picture) }))
      .toSorted((a, b) => a.box.cy - b.box.cy || a.box.cx - b.box.cx)
  }

  /** Runs the finder, and reads the lines that are new. */
  async #anew(picture: Picture): Promise<Known[]> {
    if (!(await this.#needsSearch(picture))) return []
    this.#searched = { size: { width: picture.width, height: picture.height }, thinned: thinned(picture.rgb, picture.width) }
    const lines: Known[] = []
    for (const part of await this.#find(picture)) {
      const known = this.#known.find((line) => iou(boxOf(line.part), boxOf(part)) >= SAME_BOX)
      lines.push(this.#remembered(picture, part) ?? (await (known ? this.#readAgain(picture, known) : this.#recognise(picture, part))))
    }
    return lines
  }

  /**
   * The known lines, read again, if only their letters have changed since the finder ran: the digits of a clock, a score, a meter. Null
   * if something else has changed, or one of them cannot be read any more.
   */
  async #again(picture: Picture): Promise<Known[] | null> {
    const searched = this.#searched
    if (searched === null || searched.size.width !== picture.width || searched.size.height !== picture.height) return null
    const told = this.#known.filter((line) => this.#tells(line))
    const areas = told.map(({ part }) => boxOf(grown(part, BESIDE * part.height)))
    const changed = changesBetween(searched.thinned, thinned(picture.rgb, picture.width))
    const isInLine = ({ cx, cy }: RelativeBox) => areas.some((area) => isInside(cx * picture.width, cy * picture.height, area))
    if (!changed.every(isInLine)) return null
    const lines: Known[] = []
    for (const line of this.#known) {
      const now = this.#remembered(picture, line.part) ?? (await this.#readAgain(picture, line))
      if (told.includes(line) && !this.#tells(now)) return null
      lines.push(now)
    }
    return lines
  }

  #tells({ read }: Known): boolean {
    return read.confidence >= this.#manifest.calibration.floor && isText(read.text)
  }

  /** Whether there may be text: there was some just now, or a small copy of the picture shows something like it, or it has not been searched for long. */
  async #needsSearch(picture: Picture): Promise<boolean> {
    this.#looks = this.#known.some((line) => this.#tells(line)) ? 0 : this.#looks + 1
    if (this.#looks === 0 || this.#looks % COMPLETE_EVERY === 1 || this.#doubtful-- > 0) return true
    const { map } = await this.#map(picture, GLANCE_SIDE)
    const shows = map.some((share) => share > this.#manifest.finding.core)
    this.#doubtful = shows ? COMPLETE_EVERY : 0
    return shows
  }

  /** Searches the picture completely. @returns Boxes of lines, in pixels of the picture. */
  async #find(picture: Picture): Promise<Part[]> {
    const { finding } = this.#manifest
    const { map, width, height } = await this.#map(picture, finding.side)
    const [across, down] = [picture.width / width, picture.height / height]
    return linesIn(map, width, height, finding)
      .slice(0, MOST_LINES)
      .map(({ box }) => ({ x: box.x1 * across, y: box.y1 * down, width: (box.x2 - box.x1) * across, height: (box.y2 - box.y1) * down }))
      .filter((part) => part.height <= UPRIGHT * part.width)
  }

  /** Runs the finder on a copy of the picture with sides of at most `side`. @returns [height, width] shares 0..1. */
  async #map(picture: Picture, side: number): Promise<{ map: Float32Array; width: number; height: number }> {
    // Enlarging separates lines that are close together on a small picture; beyond this it only takes time.
    const scale = Math.min(LARGEST_SCALE, side / Math.max(picture.width, picture.height))
    const whole = (length: number) => Math.max(Math.round((length * scale) / MULTIPLE), 1) * MULTIPLE
    const [width, height] = [whole(picture.width), whole(picture.height)]
    const copy = resized(picture, { x: 0, y: 0, width: picture.width, height: picture.height }, width, height)
    return { map: floatsOf(await this.#graphs.run('finder', { rgb: byteTensor(copy, [1, height, width, 3]) }), 'text'), width, height }
  }

  /** A known line whose letters have changed: only those that it never showed need the network. */
  async #readAgain(picture: Picture, line: Known): Promise<Known> {
    const crop = resized(picture, line.part, line.width, READER_HEIGHT)
    const read = line.glyphs.read(crop, line.width)
    if (read === null) return this.#recognise(picture, line.part, line)
    return { ...line, crop, read: { ...line.read, ...read }, spellings: read.text === line.read.text ? line.spellings : new Map() }
  }

  /** @param before The line that was known there. */
  async #recognise(picture: Picture, part: Part, before?: Known): Promise<Known> {
    const wanted = Math.round((part.width / part.height) * (READER_HEIGHT / READER_STEP)) * READER_STEP
    const width = Math.min(Math.max(wanted, READER_HEIGHT), READER_LONGEST)
    const crop = resized(picture, part, width, READER_HEIGHT)
    const outputs = await this.#graphs.run('reader', { rgb: byteTensor(crop, [1, READER_HEIGHT, width, 3]) })
    // Shares are rounded to a hundredth: nobody sees less.
    const colours = coloursOfLetters(crop, width, READER_HEIGHT).map((share) => Math.round(100 * share) / 100)
    const read = textOf(integersOf(outputs, 'symbols'), floatsOf(outputs, 'certainty'), this.#symbols)
    const spelt = isSpelling(before?.read.text, read.text) ? before?.spellings : undefined
    const spellings = new Map(spelt).set(read.text, (spelt?.get(read.text) ?? 0) + 1)
    const [text] = [...spellings].reduce((best, one) => (one[1] > best[1] ? one : best))
    const glyphs = before?.glyphs ?? new Glyphs()
    const line = { part, width, crop, glyphs, read: { ...read, text, colours }, spellings }
    if (this.#tells(line)) glyphs.learn(crop, width, read.text, read.confidence)
    return line
  }

  /** The line of the previous picture at the same place, if the picture still looks the same there. */
  #remembered(picture: Picture, part: Part): Known | undefined {
    return this.#known.find(
      (line) =>
        iou(boxOf(line.part), boxOf(part)) >= SAME_PLACE &&
        alike(line.crop, resized(picture, line.part, line.width, READER_HEIGHT), line.width, isSettled(line) ? EDGE_ROWS : 0),
    )
  }
}

function isSettled({ spellings }: Known): boolean {
  const [most = 0, next = 0] = [...spellings.values()].sort((a, b) => b - a)
  return most - next >= SETTLED
}

/** Whether two texts differ at most in the case of letters, which is not seen of some. */
function isSpelling(a: string | undefined, b: string): boolean {
  return a?.toLowerCase() === b.toLowerCase()
}

/** Whether no strip of two crops [48, width, 3] differs much, but for `edge` rows at either edge: one digit of a clock is about a strip. */
function alike(a: Uint8Array, b: Uint8Array, width: number, edge: number): boolean {
  for (let left = 0; left < width; left += STRIP) {
    const right = Math.min(left + STRIP, width)
    let sum = 0
    for (let y = edge; y < READER_HEIGHT - edge; y++) {
      for (let i = (y * width + left) * 3; i < (y * width + right) * 3; i++) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0))
    }
    if (sum > SAME_PIXELS * (right - left) * (READER_HEIGHT - 2 * edge) * 3) return false
  }
  return true
}

/** Whether it is likely text: a single symbol, or only punctuation, is more often a pattern. */
function isText(text: string): boolean {
  return (text.match(/[\p{L}\p{N}]/gu)?.length ?? 0) >= 2
}

function grown({ x, y, width, height }: Part, by: number): Part {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by }
}

function isInside(x: number, y: number, { x1, y1, x2, y2 }: Box): boolean {
  return x >= x1 && x <= x2 && y >= y1 && y <= y2
}

function boxOf({ x, y, width, height }: Part): Box {
  return { x1: x, y1: y, x2: x + width, y2: y + height }
}

function relative({ x, y, width, height }: Part, picture: Picture): RelativeBox {
  return {
    cx: (x + width / 2) / picture.width,
    cy: (y + height / 2) / picture.height,
    w: width / picture.width,
    h: height / picture.height,
  }
}

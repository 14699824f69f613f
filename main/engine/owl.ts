/** Family `owl`: one image pass a picture leaves cells; any words, or a box of another picture, are then found in those. */
import { type Cells, keptOf, logitsOf, packed, queryOf, type Spot, spotsOf, unpacked } from '../../app/cells.ts'
import type { RelativeBox } from '../../app/boxes.ts'
import { z } from 'zod'
import { FileRef } from '../../app/pack/base.ts'
import type { OwlManifest } from '../../app/pack/owl.ts'
import { resample } from '../../app/resample.ts'
import { floatsOf, floatTensor, type GraphFiles, type Graphs, idTensor } from './graphs.ts'
import type { PackFolder } from './pack.ts'
import type { KnownLook, Picture } from './protocol.ts'
import { Text, TokenizerFile } from './tokenizer.ts'

const TEXTS_KEPT = 2_000
/** A Gaussian is cut at so many standard deviations, as scipy's is. */
const CUT = 4

const Side = z.number().int().positive()
/** The graphs' known outputs, computed where the pack was made. */
const SelfTest = z.object({
  /** Gzipped RGB bytes [height, width, 3]. */
  picture: FileRef.extend({ width: Side, height: Side }),
  texts: z.array(z.string()).min(1),
  /** Every how many-th cell was kept. */
  every: Side,
  /** [cells kept, 4] */
  boxes: z.array(z.number()).min(4),
  /** [texts, cells kept] */
  logits: z.array(z.array(z.number())),
  /** Largest allowed difference of a share of the picture or of a logit. */
  tolerance: z.number().positive(),
})

export interface OwlPack {
  manifest: OwlManifest
  graphs: GraphFiles
  tokenizer: z.infer<typeof TokenizerFile>
  knownAnswers: (Omit<z.infer<typeof SelfTest>, 'picture'> & { picture: Picture }) | null
}

/**
 * @param untested For a pack that is being made, which has no known answers yet.
 * @throws TubeletError `pack-invalid` when anything is missing, changed, malformed or outside the folder.
 */
export async function openOwl(folder: PackFolder, manifest: OwlManifest, untested: boolean): Promise<OwlPack> {
  const { weights, graphs: refs } = manifest
  for (const ref of weights) await folder.check(ref)
  const graphs: GraphFiles = {}
  for (const [name, ref] of Object.entries(refs)) graphs[name] = weights.length === 0 ? await folder.read(ref) : await folder.check(ref)
  const tokenizer = folder.parse(TokenizerFile, await folder.read(manifest.tokenizer), manifest.tokenizer.file)
  const pack = { manifest, graphs, tokenizer }
  if (untested) return { ...pack, knownAnswers: null }
  const { picture, ...answers } = folder.parse(SelfTest, await folder.read(manifest.selfTest), manifest.selfTest.file)
  const { width, height } = picture
  const rgb = await folder.unzip(picture, width * height * 3)
  if (weights.length > 0) await folder.refuseOthers([...Object.values(refs), ...weights, manifest.tokenizer, manifest.selfTest, picture])
  return { ...pack, knownAnswers: { ...answers, picture: { rgb, width, height } } }
}

export class Owl {
  readonly #manifest: OwlManifest
  readonly #graphs: Graphs
  readonly #text: Text
  readonly #known: OwlPack['knownAnswers']
  /** By phrase, the oldest first. */
  readonly #queries = new Map<string, Float32Array>()

  constructor({ manifest, tokenizer, knownAnswers }: OwlPack, graphs: Graphs) {
    this.#manifest = manifest
    this.#graphs = graphs
    this.#known = knownAnswers
    this.#text = new Text({ tokenizer, manifest })
  }

  /** The image pass: every cell of a picture, boxes in shares of the model's square. */
  async seeSquare(picture: Picture): Promise<Cells> {
    const { square, dims } = this.#manifest
    const { side } = square
    const out = await this.#graphs.run('image', { pixel_values: floatTensor(squareOf(picture, square), [1, 3, side, side]) })
    const of = (name: string, width: number) => floatsOf(out, name, dims.cells * width)
    return {
      count: dims.cells,
      boxes: of('boxes', 4),
      regions: of('regions', dims.region),
      shift: of('shift', 1),
      scale: of('scale', 1),
      worth: of('worth', 1),
    }
  }

  /** The same with boxes in shares of the picture, clipped to it. */
  async see(picture: Picture): Promise<Cells> {
    const cells = await this.seeSquare(picture)
    return { ...cells, boxes: inPicture(cells.boxes, picture, this.#manifest.square.fit) }
  }

  /** Of each picture the cells that are worth keeping, as they are stored. */
  async look(pictures: readonly Picture[]): Promise<Uint16Array[]> {
    const { kept, calibration } = this.#manifest
    const out: Uint16Array[] = []
    for (const picture of pictures) out.push(packed(keptOf(await this.see(picture), kept, calibration.floor)))
    return out
  }

  /** The labels' boxes among stored cells, picture by picture. @param labels For each the phrases that mean it. */
  async spot(pictures: readonly Uint16Array[], labels: readonly (readonly string[])[]): Promise<Spot[][]> {
    const { dims, calibration } = this.#manifest
    const queries: Float32Array[][] = []
    for (const phrases of labels) queries.push(await this.queries(phrases))
    return pictures.map((bits) => spotsOf(unpacked(bits, dims.region), queries, calibration.floor))
  }

  /**
   * Boxes among stored cells that look like a box of one of the pictures, picture by picture.
   * @param from The cells of the picture of that box.
   */
  liken(from: Uint16Array, box: RelativeBox, pictures: readonly Uint16Array[]): Spot[][] {
    const { dims, calibration } = this.#manifest
    const query = queryOf(unpacked(from, dims.region), box)
    return pictures.map((bits) => (query === null ? [] : spotsOf(unpacked(bits, dims.region), [[query]], calibration.floor)))
  }

  /** [E] for each phrase, of length 1. Those that were asked for before need no run. */
  async queries(phrases: readonly string[]): Promise<Float32Array[]> {
    const missing = [...new Set(phrases)].filter((phrase) => !this.#queries.has(phrase))
    const templates = this.#manifest.prompts.label
    if (missing.length > 0) {
      const made = await this.embed(missing.flatMap((phrase) => templates.map((one) => one.replace('{label}', () => phrase))))
      for (const [i, phrase] of missing.entries())
        this.#queries.set(phrase, meanOf(made.slice(i * templates.length, (i + 1) * templates.length)))
    }
    const out = phrases.map((phrase) => this.#queries.get(phrase) ?? new Float32Array(this.#manifest.dims.region))
    for (const phrase of this.#queries.keys()) {
      if (this.#queries.size <= TEXTS_KEPT) break
      this.#queries.delete(phrase)
    }
    return out
  }

  /** [E] for each text as it is, of length 1. */
  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    const { tokenizer, dims } = this.#manifest
    const rows = texts.map((text) => this.#text.sentence(text))
    const longest = Math.max(...rows.map(({ length }) => length))
    const ids = rows.map((row) => [...row, ...new Array<number>(longest - row.length).fill(tokenizer.pad)])
    const mask = rows.map((row) => Array.from({ length: longest }, (_, i) => Number(i < row.length)))
    const out = await this.#graphs.run('text', { input_ids: idTensor(ids), attention_mask: idTensor(mask) })
    const all = floatsOf(out, 'query', rows.length * dims.region)
    return rows.map((_, i) => all.slice(i * dims.region, (i + 1) * dims.region))
  }

  /** What the graphs say of a picture and of texts, and what that costs on this machine. */
  async knownLook(picture: Picture, texts: readonly string[], every: number): Promise<KnownLook> {
    const { boxes, logits } = await this.#told(picture, texts, every)
    const start = performance.now()
    await this.see(picture)
    return { boxes, logits, secondsPerPicture: (performance.now() - start) / 1000, memoryBytes: process.resourceUsage().maxRSS * 1024 }
  }

  /** Compare with the known answers. Returns what is wrong, or null. @param brief Texts only. */
  async selfTest(brief = false): Promise<string | null> {
    if (this.#known === null) return 'the pack has no known answers'
    const { picture, texts, every, boxes, logits, tolerance } = this.#known
    if (brief) return (await this.embed(texts)).every((query) => Math.abs(lengthOf(query) - 1) < 0.01) ? null : 'a query is off'
    const told = await this.#told(picture, texts, every)
    const off = (got: readonly number[], known: readonly number[]) =>
      got.length !== known.length || got.some((value, i) => !(Math.abs(value - (known[i] ?? NaN)) <= tolerance))
    if (off(told.boxes, boxes)) return 'the boxes are off'
    return told.logits.some((row, i) => off(row, logits[i] ?? [])) ? 'the scores are off' : null
  }

  async #told(picture: Picture, texts: readonly string[], every: number): Promise<Pick<KnownLook, 'boxes' | 'logits'>> {
    const cells = await this.see(picture)
    const some = Array.from({ length: Math.ceil(cells.count / every) }, (_, i) => i * every)
    const queries = await this.embed(texts)
    return {
      boxes: some.flatMap((cell) => [...cells.boxes.subarray(cell * 4, cell * 4 + 4)]),
      logits: queries.map((query) => {
        const row = logitsOf(cells, query)
        return some.map((cell) => row[cell] ?? NaN)
      }),
    }
  }
}

const lengthOf = (vector: Float32Array) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))

/** The mean direction of unit vectors. */
function meanOf(vectors: readonly Float32Array[]): Float32Array {
  const [first, ...others] = vectors
  if (first === undefined) throw new RangeError('no vectors')
  if (others.length === 0) return first
  const sum = first.map((value, i) => others.reduce((all, other) => all + (other[i] ?? 0), value))
  const length = lengthOf(sum)
  return sum.map((value) => value / length)
}

/** Boxes of the model's square as shares of the picture, clipped to it. @param boxes [cells, 4]: centre, size */
function inPicture(boxes: Float32Array, { width, height }: Picture, fit: OwlManifest['square']['fit']): Float32Array {
  const longer = Math.max(width, height)
  const [wide, high] = fit === 'pad' ? [longer / width, longer / height] : [1, 1]
  const out = new Float32Array(boxes.length)
  for (let at = 0; at < boxes.length; at += 4) {
    for (const [axis, factor] of [wide, high].entries()) {
      const [centre, size] = [(boxes[at + axis] ?? 0) * factor, (boxes[at + 2 + axis] ?? 0) * factor]
      const [from, to] = [Math.max(0, centre - size / 2), Math.min(1, centre + size / 2)]
      out[at + axis] = (from + to) / 2
      out[at + 2 + axis] = Math.max(0, to - from)
    }
  }
  return out
}

/** The picture as the model takes it, f32 [3, side, side]. */
export function squareOf(picture: Picture, { side, fit, mean, std }: OwlManifest['square']): Float32Array {
  const out = new Float32Array(3 * side * side)
  const plane = side * side
  const put = (channel: number, at: number, value: number) => {
    out[channel * plane + at] = (Math.fround(value) - (mean[channel] ?? 0)) / (std[channel] ?? 1)
  }
  if (fit === 'stretch') {
    const { rgb } = resample(picture, side, side, 'bicubic')
    for (let at = 0, from = 0; at < plane; at += 1)
      for (let channel = 0; channel < 3; channel += 1) put(channel, at, (rgb[from++] ?? 0) / 255)
  } else zoomed(picture, side, put)
  return out
}

/**
 * OWLv2's way to the square: padded with black at right and bottom to a square, filtered by a Gaussian where it shrinks, then interpolated linearly
 * between the centres of its pixels; edges mirrored without repeating the edge pixel (scipy's mirror). All three are linear and separable, so
 * one kernel for each axis does them at once.
 * @param put Gets each value, 0..1, by channel and place.
 */
function zoomed({ rgb, width, height }: Picture, side: number, put: (channel: number, at: number, value: number) => void): void {
  const kernels = kernelsOf(Math.max(width, height), side)
  const across = new Float32Array(side * height * 3)
  for (const [x, taps] of kernels.entries()) {
    for (let y = 0; y < height; y += 1) {
      const row = y * width * 3
      let [red, green, blue] = [0, 0, 0]
      for (const [from, weight] of taps) {
        if (from >= width) continue
        const at = row + from * 3
        red += (rgb[at] ?? 0) * weight
        green += (rgb[at + 1] ?? 0) * weight
        blue += (rgb[at + 2] ?? 0) * weight
      }
      const to = (y * side + x) * 3
      across[to] = red / 255
      across[to + 1] = green / 255
      across[to + 2] = blue / 255
    }
  }
  const line = new Float64Array(side * 3)
  for (const [y, taps] of kernels.entries()) {
    line.fill(0)
    for (const [from, weight] of taps) {
      if (from >= height) continue
      const row = from * side * 3
      for (let at = 0; at < line.length; at += 1) line[at] = (line[at] ?? 0) + (across[row + at] ?? 0) * weight
    }
    for (let x = 0; x < side; x += 1)
      for (let channel = 0; channel < 3; channel += 1) put(channel, y * side + x, line[x * 3 + channel] ?? 0)
  }
}

/** For each pixel of an axis of `to`: the pixels of an axis of `from` that it is made of, and their weights. */
function kernelsOf(from: number, to: number): [from: number, weight: number][][] {
  const factor = from / to
  const sigma = Math.max(0, (factor - 1) / 2)
  const radius = Math.trunc(CUT * sigma + 0.5)
  const bell = Array.from({ length: 2 * radius + 1 }, (_, i) => (sigma === 0 ? 1 : Math.exp((-0.5 * (i - radius) ** 2) / sigma ** 2)))
  const sum = bell.reduce((a, b) => a + b, 0)
  const period = 2 * (from - 1)
  const mirrored = (place: number) => {
    if (from === 1) return 0
    const within = ((place % period) + period) % period
    return within < from ? within : period - within
  }
  return Array.from({ length: to }, (_, i) => {
    const place = mirrored((i + 0.5) * factor - 0.5)
    const first = Math.floor(place)
    const taps = new Map<number, number>()
    for (const [pixel, share] of [
      [first, 1 - (place - first)],
      [first + 1, place - first],
    ] as const) {
      if (share === 0) continue
      for (const [k, height] of bell.entries()) {
        const at = mirrored(pixel + k - radius)
        taps.set(at, (taps.get(at) ?? 0) + (share * height) / sum)
      }
    }
    return [...taps]
  })
}

/**
 * CVAT for video 1.1, one document for each source, and the list of labels that a task needs before CVAT accepts it.
 *
 * Boxes are in pixels of the decoded picture, as CVAT shows it. Frames are absolute and 0-based, with step 1. Every frame of a track has
 * its box, but CVAT reads only those with `keyframe` 1 and draws the others on a line by frame number between them. Keyframes are
 * therefore: boxes that were observed, the first and last box beside a gap, the `outside` box on the frame after the track's end, and boxes
 * where CVAT's line would leave ours, which moves by time and ends at the frame's edge. The attribute `observed` marks the first kind. CVAT
 * takes an attribute that a keyframe lacks from the one before: in a track where some boxes have a score, a box without one has -1. A track
 * without any score has no such attribute, because an empty number stops other readers.
 */
import { XMLParser } from 'fast-xml-parser'
import sax from 'sax'
import { z } from 'zod'
import { ReviewState } from '../annotation.ts'
import type { Box } from '../annotation.ts'
import { Standing } from '../review.ts'
import { decodedPicture, lineText, trackedObjects } from './document.ts'
import type { Category, Film, Format, TrackedBox, TrackedObject } from './document.ts'
import { type BoxFound, fault, type Found, frameInName, numberIn, scoreOf } from './found.ts'
import { withKeyframes } from './keyframes.ts'
import { phrase } from '../phrase.ts'

interface CvatTask {
  part: 'task'
  name: string
  /** Frames in the source. */
  size: number
  width: number
  height: number
  labels: { name: string; colour: string }[]
}

interface CvatTrack {
  part: 'track'
  id: number
  label: string
  /** `manual` if a person drew or changed the track. */
  source: 'auto' | 'manual'
  state: ReviewState
  review: Standing
  /** The pack and version that found it; empty where a person drew it. */
  model: string
  /** Whether some of its boxes have a score. */
  scored: boolean
}

/** One box of the track that precedes it. */
interface CvatBox extends Box {
  part: 'box'
  frame: number
  outside: boolean
  keyframe: boolean
  observed: boolean
  occluded: boolean
  score: number | null
}

const ATTRIBUTES = [
  { name: 'state', mutable: false, input_type: 'select', default_value: 'machine', values: ['machine', 'accepted', 'edited', 'rejected'] },
  {
    name: 'review',
    mutable: false,
    input_type: 'select',
    default_value: 'sure',
    values: ['sure', 'unsure', 'accepted', 'edited', 'rejected'],
  },
  { name: 'model', mutable: false, input_type: 'text', default_value: '', values: [''] },
  { name: 'observed', mutable: true, input_type: 'checkbox', default_value: 'true', values: ['true', 'false'] },
  { name: 'score', mutable: true, input_type: 'number', default_value: '-1', values: ['-1', '1', '0.001'] },
] as const
/** Stands for "no score". */
const NONE = -1

export const cvat: Format<Film, CvatTask | CvatTrack | CvatBox> = {
  *pieces(film) {
    yield {
      part: 'task',
      name: lineText(film.title),
      size: film.pts.length,
      ...decodedPicture(film.source.probe),
      labels: film.categories.map(({ name, colour }) => ({ name, colour })),
    }
    for (const object of trackedObjects(film)) {
      const { id, category, state, review, provenance, boxes } = object
      const model = provenance ? lineText(`${provenance.packId} ${provenance.packVersion}`) : ''
      yield {
        part: 'track',
        id,
        label: category.name,
        source: provenance && state !== 'edited' ? 'auto' : 'manual',
        state,
        review,
        model,
        scored: isScored(boxes),
      }
      yield* cvatBoxes(object, film.pts.length)
    }
  },

  *write(pieces) {
    let track: CvatTrack | null = null
    for (const piece of pieces) {
      if (piece.part === 'task') yield `<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n${metaOf(piece)}`
      else if (piece.part === 'track') {
        yield `${track ? '</track>\n' : ''}<track id="${piece.id}" label="${escaped(piece.label)}" source="${piece.source}">\n`
        track = piece
      } else if (track) yield boxElement(piece, track)
    }
    yield `${track ? '</track>\n' : ''}</annotations>\n`
  },

  /** Box by box, as our writer lays them out: a general XML parser takes ten times as long, and a file may have millions. */
  *read(chunks) {
    let text = ''
    let hasTask = false
    /** The attributes of the opening tag of the track that is being read, until its first box arrives. */
    let opened: ReadonlyMap<string, string> | null = null
    let isNew = false
    for (const chunk of chunks) {
      text += chunk
      let at = 0
      if (!hasTask) {
        // Our files declare no document type, and document types allow entity attacks.
        if (/<!DOCTYPE|<!ENTITY/i.test(text)) throw new SyntaxError('A document type declaration is not allowed.')
        const head = text.indexOf('</meta>')
        if (head === -1) continue
        hasTask = true
        at = head + '</meta>'.length
        yield taskOf(Document.parse(parser.parse(`${text.slice(0, at)}</annotations>`)).annotations.meta.task)
      }
      for (;;) {
        const element = nextElement(text, at, opened !== null)
        if (element === null) break
        at = element.end
        if (element.kind === 'track') {
          opened = element.attributes
          isNew = true
        } else if (element.kind === 'end') {
          if (isNew) throw new SyntaxError('A track without boxes.')
          opened = null
        } else {
          if (isNew) yield trackOf(TrackElement.parse(Object.fromEntries(opened ?? [])), element)
          isNew = false
          yield boxOf(element)
        }
      }
      text = text.slice(at)
      if (text.length > LARGEST_ELEMENT) throw new SyntaxError(`This is no CVAT file: “${text.slice(0, 40)}”.`)
    }
    if (!hasTask || opened !== null || !/^\s*<\/annotations>\s*$/.test(text))
      throw new SyntaxError('The file does not end where a CVAT file ends: it may be cut off.')
  },
}

/**
 * The labels of a project for the Raw tab of a new task: CVAT refuses tracks whose label the task lacks, and drops attributes that it
 * lacks.
 */
export function cvatLabels(categories: readonly Category[]): string {
  return `${JSON.stringify(
    categories.map(({ name, colour }) => ({ name, color: colour, attributes: ATTRIBUTES })),
    null,
    2,
  )}\n`
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  textNodeName: 'text',
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreDeclaration: true,
  isArray: (_name, path) => String(path) === 'annotations.meta.task.labels.label',
})

/** A longer element, in characters, is not one of ours. */
const LARGEST_ELEMENT = 1 << 20
const TRACK = /\s*<track((?:\s+[\w-]+="[^"<]*")*)\s*>/y
const BOX = /\s*<box((?:\s+[\w-]+="[^"<]*")*)\s*>((?:\s*<attribute name="[^"<]*">[^<]*<\/attribute>)*)\s*<\/box>/y
const END = /\s*<\/track>/y

interface BoxElement {
  kind: 'box'
  end: number
  attributes: ReadonlyMap<string, string>
  /** Values of CVAT's own `attribute` elements, by name. */
  values: ReadonlyMap<string, string>
}

/** The complete element at `at`, and where it ends; null where more text is needed, or where no more tracks follow. */
function nextElement(
  text: string,
  at: number,
  isInTrack: boolean,
): BoxElement | { kind: 'track'; end: number; attributes: ReadonlyMap<string, string> } | { kind: 'end'; end: number } | null {
  TRACK.lastIndex = BOX.lastIndex = END.lastIndex = at
  if (!isInTrack) {
    const track = TRACK.exec(text)
    return track && { kind: 'track', end: TRACK.lastIndex, attributes: attributesIn(track[1] ?? '') }
  }
  const box = BOX.exec(text)
  if (box) return { kind: 'box', end: BOX.lastIndex, attributes: attributesIn(box[1] ?? ''), values: valuesIn(box[2] ?? '') }
  return END.test(text) ? { kind: 'end', end: END.lastIndex } : null
}

function attributesIn(tag: string): Map<string, string> {
  return new Map(Array.from(tag.matchAll(/([\w-]+)="([^"]*)"/g), ([, name = '', value = '']) => [name, unescaped(value)]))
}

function valuesIn(elements: string): Map<string, string> {
  return new Map(Array.from(elements.matchAll(/name="([^"]*)">([^<]*)</g), ([, name = '', value = '']) => [name, unescaped(value)]))
}

const Count = z.coerce.number().int().nonnegative()
const TaskElement = z.object({
  name: z.string(),
  size: Count,
  labels: z.object({ label: z.array(z.object({ name: z.string(), color: z.string() })) }).default({ label: [] }),
  original_size: z.object({ width: Count, height: Count }),
})
const Document = z.object({ annotations: z.object({ meta: z.object({ task: TaskElement }) }) })
const TrackElement = z.object({ id: Count, label: z.string(), source: z.enum(['auto', 'manual']) })

function taskOf({ name, size, labels, original_size }: z.infer<typeof TaskElement>): CvatTask {
  return {
    part: 'task',
    name,
    size,
    ...original_size,
    labels: labels.label.map(({ name: label, color }) => ({ name: label, colour: color })),
  }
}

/** @param first Its first box, whose values hold for the whole track. */
function trackOf(track: z.infer<typeof TrackElement>, { values }: BoxElement): CvatTrack {
  return {
    part: 'track',
    ...track,
    state: ReviewState.parse(values.get('state')),
    review: Standing.parse(values.get('review')),
    model: values.get('model') ?? '',
    // One box has the attribute if any has a score.
    scored: values.has('score'),
  }
}

function isScored(boxes: Iterable<TrackedBox>): boolean {
  for (const { score } of boxes) if (score !== null) return true
  return false
}

function boxOf({ attributes, values }: BoxElement): CvatBox {
  const number = (name: string) => {
    const value = Number(attributes.get(name) || NaN)
    if (!Number.isFinite(value)) throw new SyntaxError(`${name} of a box is no number.`)
    return value
  }
  const flag = (name: string) => {
    const value = attributes.get(name)
    if (value !== '0' && value !== '1') throw new SyntaxError(`${name} of a box is neither 0 nor 1.`)
    return value === '1'
  }
  const score = Number(values.get('score') ?? NONE)
  return {
    part: 'box',
    frame: number('frame'),
    x1: number('xtl'),
    y1: number('ytl'),
    x2: number('xbr'),
    y2: number('ybr'),
    outside: flag('outside'),
    keyframe: flag('keyframe'),
    observed: values.get('observed') === 'true',
    occluded: flag('occluded'),
    score: score === NONE ? null : score,
  }
}

function* cvatBoxes({ boxes }: TrackedObject, size: number): Generator<CvatBox> {
  for (const { box, keyframe, isLast } of withKeyframes(boxes)) {
    const { frame, x1, y1, x2, y2, score, observed, occluded } = box
    const visible = { part: 'box' as const, frame, x1, y1, x2, y2, outside: false, keyframe, observed, occluded, score }
    yield visible
    if (isLast && frame + 1 < size)
      yield { ...visible, frame: frame + 1, outside: true, keyframe: true, observed: false, occluded: false, score: null }
  }
}

function boxElement(
  { frame, x1, y1, x2, y2, outside, keyframe, observed, occluded, score }: CvatBox,
  { state, review, model, scored }: CvatTrack,
): string {
  const last = scored ? `<attribute name="score">${score ?? NONE}</attribute>\n` : ''
  return `<box frame="${frame}" keyframe="${bit(keyframe)}" outside="${bit(outside)}" occluded="${bit(occluded)}" xtl="${x1}" ytl="${y1}" xbr="${x2}" ybr="${y2}" z_order="0">
<attribute name="state">${state}</attribute>
<attribute name="review">${review}</attribute>
<attribute name="model">${escaped(model)}</attribute>
<attribute name="observed">${observed}</attribute>
${last}</box>
`
}

function metaOf({ name, size, width, height, labels }: CvatTask): string {
  const facts = {
    id: '1',
    name,
    size: String(size),
    mode: 'interpolation',
    overlap: '0',
    start_frame: '0',
    stop_frame: String(Math.max(0, size - 1)),
  }
  const specs = ATTRIBUTES.map(({ name: attribute, mutable, input_type, default_value, values }) =>
    element(
      'attribute',
      leaves({
        name: attribute,
        mutable: mutable ? 'True' : 'False',
        input_type,
        default_value,
        values: values.join(input_type === 'number' ? ';' : '\n'),
      }),
    ),
  )
  const declared = labels.map(({ name: label, colour }) =>
    element('label', [...leaves({ name: label, color: colour }), element('attributes', specs)]),
  )
  // An empty list of labels stops other readers.
  const list = labels.length > 0 ? [element('labels', declared)] : []
  return `${element('meta', [element('task', [...leaves(facts), ...list, element('original_size', leaves({ width: String(width), height: String(height) }))])])}\n`
}

/** An element with a text, or with elements on lines of their own. */
function element(name: string, content: string | readonly string[]): string {
  return `<${name}>${typeof content === 'string' ? escaped(content) : content.map((child) => `\n${child}`).join('') + '\n'}</${name}>`
}

function leaves(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => element(name, value))
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function unescaped(text: string): string {
  if (!text.includes('&')) return text
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&')
}

function bit(value: boolean): string {
  return value ? '1' : '0'
}

// ── reading files of any tool

/** What is read of a task. */
const FACTS = ['id', 'name', 'source', 'size', 'start_frame', 'frame_filter', 'width', 'height'] as const
type Task = Partial<Record<(typeof FACTS)[number], string | undefined>>
/** The key of a task without a number. */
const ONLY = ''

/** Elements within elements: CVAT's have eight. */
const DEEPEST = 64

/**
 * Tracks of a file of CVAT for video, or boxes of one of CVAT for images whose images are the frames of a video.
 * @throws SyntaxError with the line, where it is no XML or has a document type.
 */
export function* readCvat(open: () => Iterable<string>): Generator<Found> {
  const reading = new CvatReading()
  for (const chunk of open()) {
    reading.write(chunk)
    yield* reading.found.splice(0)
  }
  reading.end()
  yield* reading.found.splice(0)
}

class CvatReading {
  readonly found: Found[] = []
  readonly #parser = sax.parser(true, { position: true })
  readonly #path: string[] = []
  #text = ''
  /** What the file says of its tasks, by their numbers; a file of one task has one, without a number. */
  readonly #tasks = new Map<string, Task>()
  #task: Task = {}
  /** Those of which it was told that they are videos. */
  readonly #told = new Set<string>()
  #track: { key: string; label: string; video: string } | null = null
  #image: { frame: number; video: string } | null = null
  #box: { attributes: Readonly<Record<string, string>>; values: Map<string, string>; line: number } | null = null
  #named = ''

  constructor() {
    const parser = this.#parser
    parser.onopentag = ({ name, attributes }) => this.#opened(name, attributes)
    parser.onclosetag = (name) => this.#closed(name)
    parser.ontext = parser.oncdata = (text) => {
      // Longer texts are none of those that count.
      if (this.#text.length < 10_000) this.#text += text
    }
    parser.ondoctype = () => this.#refuse(phrase('A document type declaration is not allowed.'))
    parser.onerror = ({ message }) => this.#refuse(message.split('\n', 1)[0] ?? '')
  }

  write(chunk: string): void {
    this.#parser.write(chunk)
  }

  end(): void {
    this.#parser.close()
    if (this.#told.size === 0) this.#tellVideo(undefined)
  }

  #refuse(message: string): never {
    throw new SyntaxError(`Line ${this.#parser.line + 1}: ${message}`)
  }

  #opened(name: string, attributes: Readonly<Record<string, string>>): void {
    if (this.#path.length === 0 && name !== 'annotations') this.#refuse(`The file begins with <${name}>, not with <annotations>.`)
    this.#path.push(name)
    if (this.#path.length > DEEPEST) this.#refuse(phrase('Elements lie too deep in each other.'))
    this.#text = ''
    if (name === 'task' && this.#path[1] === 'meta') this.#task = {}
    else if (name === 'track' && this.#path.length === 2) {
      const key = attributes['id'] ?? String(this.#parser.line)
      this.#track = { key, label: attributes['label'] ?? '', video: this.#tellVideo(attributes['task_id']) }
    } else if (name === 'image' && this.#path.length === 2) {
      const frame = numberIn(attributes['id']) ?? frameInName(attributes['name'] ?? '')?.frame
      const video = this.#tellVideo(attributes['task_id'], attributes)
      this.#image = frame === undefined ? null : { frame, video }
    } else if (name === 'box') this.#box = { attributes, values: new Map(), line: this.#parser.line + 1 }
    else if (name === 'attribute') this.#named = attributes['name'] ?? ''
    else if (['polygon', 'polyline', 'points', 'mask', 'cuboid', 'ellipse', 'skeleton'].includes(name))
      this.found.push(fault('Tubelet has boxes alone, no “{{shape}}”.', this.#parser.line + 1, { shape: name }))
  }

  #closed(name: string): void {
    const text = this.#text.trim()
    this.#text = ''
    const [, place] = this.#path
    this.#path.pop()
    if (name === 'attribute' && this.#box) this.#box.values.set(this.#named, text)
    else if (name === 'box') this.#tellBox()
    else if (name === 'track') this.#track = null
    else if (name === 'image') this.#image = null
    else if (place === 'meta' && !this.#path.includes('labels')) {
      const fact = FACTS.find((one) => one === name)
      if (fact !== undefined) this.#task[fact] ??= text
      // Of a task alone and of a job everything lies in `meta` or one below; a project has a list of tasks.
      if (name === 'task') this.#tasks.set(this.#path.includes('tasks') ? (this.#task.id ?? '') : ONLY, this.#task)
    }
  }

  /**
   * Says once of each task that it is a video.
   * @param number Of the task, in the file of a project.
   * @param image The attributes of a picture, which has its size where the task has none.
   * @returns Its key.
   */
  #tellVideo(number: string | undefined, image: Readonly<Record<string, string>> = {}): string {
    const key = number !== undefined && this.#tasks.has(number) ? number : ONLY
    if (this.#told.has(key)) return key
    this.#told.add(key)
    const { name, source, size, start_frame: start, frame_filter: filter, width, height } = this.#tasks.get(key) ?? this.#task
    // Frames keep the numbers of the video where a task has a part of them or every n-th.
    const isWhole = !filter && (start === undefined || Number(start) === 0)
    this.found.push({
      type: 'video',
      key,
      name: source || name,
      ...sizeIn({ width: width ?? image['width'], height: height ?? image['height'] }),
      frames: isWhole ? (numberIn(size) ?? undefined) : undefined,
      firstFrame: 0,
      firstPixel: 0,
      gaps: 'filled',
    })
    return key
  }

  #tellBox(): void {
    const box = this.#box
    this.#box = null
    if (!box) return
    const { attributes, values, line } = box
    const [x1, y1, x2, y2] = ['xtl', 'ytl', 'xbr', 'ybr'].map((side) => numberIn(attributes[side]))
    const frame = this.#image?.frame ?? numberIn(attributes['frame'])
    if (x1 == null || y1 == null || x2 == null || y2 == null || frame === null) {
      this.found.push(fault('A box needs a frame and four numbers.', line))
      return
    }
    const turned = numberIn(attributes['rotation'])
    if (turned !== null && turned !== 0) {
      this.found.push(fault('The box is turned by {{angle}} degrees: Tubelet has upright boxes alone.', line, { angle: turned }))
      return
    }
    const state = ReviewState.safeParse(values.get('state'))
    // Our own files say which boxes were seen; those of CVAT which it draws its lines between.
    const observed = values.get('observed') ?? (attributes['keyframe'] === '0' ? 'false' : 'true')
    const found: BoxFound = {
      type: 'box',
      video: this.#image?.video ?? this.#track?.video ?? ONLY,
      track: this.#track?.key ?? null,
      label: this.#track?.label ?? attributes['label'] ?? '',
      frame,
      box: { x1, y1, x2, y2 },
      score: scoreOf(numberIn(values.get('score'))),
      observed: observed === 'true',
      occluded: attributes['occluded'] === '1',
      outside: attributes['outside'] === '1',
      state: state.success ? state.data : null,
      line,
    }
    this.found.push(found)
  }
}

function sizeIn({ width, height }: Readonly<Record<string, string | undefined>>): { width?: number; height?: number } {
  const [w, h] = [numberIn(width), numberIn(height)]
  return w !== null && h !== null && w > 0 && h > 0 ? { width: w, height: h } : {}
}

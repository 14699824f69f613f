/**
 * CVAT for video 1.1, one document a source.
 *
 * Boxes are in pixels of the decoded picture, as CVAT shows it. Frames are absolute and 0-based, with step 1. Every frame of a track has
 * its box, but CVAT reads only those with `keyframe` 1 and draws the others on a line by frame number between them. So they are where the
 * box was observed, on the first and last box before a gap, on the `outside` box that ends its life on the frame after, and where that
 * line would leave our box, which moves by time and ends at the frame's edge. The attribute `observed` keeps the first kind apart. An
 * attribute that a keyframe lacks CVAT takes from the one before: a box without a score has an empty one.
 */
import { XMLParser } from 'fast-xml-parser'
import { z } from 'zod'
import { ReviewState } from '../annotation.ts'
import type { Box } from '../annotation.ts'
import { colourIn } from '../vocabulary.ts'
import { byText, decodedPicture, trackedObjects } from './document.ts'
import type { AnnotationDocument, Format, TrackedBox, TrackedObject } from './document.ts'

interface CvatBox extends Box {
  frame: number
  outside: boolean
  keyframe: boolean
  observed: boolean
  occluded: boolean
  score: number | null
}

interface CvatTrack {
  id: number
  label: string
  /** `manual` once a person changed the track or where one drew it. */
  source: 'auto' | 'manual'
  state: ReviewState
  /** Pack and version that found it, empty where a person drew it. */
  model: string
  boxes: CvatBox[]
}

interface CvatTask {
  name: string
  /** Frames in the source. */
  size: number
  width: number
  height: number
  labels: { name: string; colour: string }[]
  tracks: CvatTrack[]
}

export const cvat: Format<AnnotationDocument, CvatTask> = {
  project(document) {
    const picture = decodedPicture(document.source.probe)
    const objects = trackedObjects(document, picture)
    const tracks = objects.map((object): CvatTrack => ({
      id: object.id,
      label: xmlText(object.label),
      source: object.provenance && object.state !== 'edited' ? 'auto' : 'manual',
      state: object.state,
      model: object.provenance ? xmlText(`${object.provenance.packId} ${object.provenance.packVersion}`) : '',
      boxes: cvatBoxes(object, document.pts.length),
    }))
    const colours = new Map(objects.map(({ label }) => [xmlText(label), colourIn(document.labels, label)]))
    const labels = [...colours].map(([name, colour]) => ({ name, colour })).sort((a, b) => byText(a.name, b.name))
    return { name: xmlText(document.source.name), size: document.pts.length, ...picture, labels, tracks }
  },

  write({ name, size, width, height, labels, tracks }) {
    const facts = { id: '1', name, size: String(size), mode: 'interpolation', overlap: '0', start_frame: '0', stop_frame: String(Math.max(0, size - 1)) }
    const specs = ATTRIBUTES.map((attribute) => element('attribute', {}, leaves(attribute)))
    const declared = labels.map(({ name: label, colour }) => element('label', {}, [...leaves({ name: label, color: colour }), element('attributes', {}, specs)]))
    const originalSize = element('original_size', {}, leaves({ width: String(width), height: String(height) }))
    const task = element('task', {}, [...leaves(facts), element('labels', {}, declared), originalSize])
    const elements = tracks.map(({ id, label, source, state, model, boxes }) =>
      element('track', { id: String(id), label, source }, boxes.map((box) => boxElement(box, state, model))),
    )
    return `<?xml version="1.0" encoding="utf-8"?>\n${element('annotations', {}, [element('version', {}, '1.1'), element('meta', {}, [task]), ...elements])}\n`
  },

  read(text) {
    // Our files declare no document type, and one is the door to entity attacks.
    if (/<!DOCTYPE|<!ENTITY/i.test(text)) throw new SyntaxError('A document type declaration is not allowed.')
    if (!/<\/annotations>\s*$/.test(text)) throw new SyntaxError('The file does not end where a CVAT file ends: it may be cut off.')
    const { meta: { task }, track } = Document.parse(parser.parse(text)).annotations
    return {
      name: task.name, size: task.size, width: task.original_size.width, height: task.original_size.height,
      labels: task.labels.label.map(({ name, color }) => ({ name, colour: color })),
      tracks: track.map(({ id, label, source, box }) => ({
        id, label, source,
        state: ReviewState.parse(attributeOf(box[0], 'state')),
        model: attributeOf(box[0], 'model') ?? '',
        boxes: box.map((one) => {
          // Files of before have none where it is not known.
          const score = attributeOf(one, 'score') ?? ''
          return {
            frame: one.frame, x1: one.xtl, y1: one.ytl, x2: one.xbr, y2: one.ybr,
            outside: one.outside === '1', occluded: one.occluded === '1', keyframe: one.keyframe === '1',
            observed: attributeOf(one, 'observed') === 'true', score: score === '' ? null : Number(score),
          }
        }),
      })),
    }
  },
}

const ATTRIBUTES = [
  { name: 'state', mutable: 'False', input_type: 'select', default_value: 'machine', values: 'machine\naccepted\nedited' },
  { name: 'model', mutable: 'False', input_type: 'text', default_value: '', values: '' },
  { name: 'observed', mutable: 'True', input_type: 'checkbox', default_value: 'true', values: '' },
  { name: 'score', mutable: 'True', input_type: 'number', default_value: '0', values: '0;1;0.001' },
] as const

const LISTS = new Set(['annotations.track', 'annotations.track.box', 'annotations.track.box.attribute', 'annotations.meta.task.labels.label'])
const parser = new XMLParser({
  ignoreAttributes: false, attributeNamePrefix: '', textNodeName: 'text', parseTagValue: false, parseAttributeValue: false, ignoreDeclaration: true,
  isArray: (_name, path) => LISTS.has(String(path)),
})

const Count = z.coerce.number().int().nonnegative()
const Bit = z.enum(['0', '1'])
const BoxElement = z.object({
  frame: Count, outside: Bit, occluded: Bit, keyframe: Bit, xtl: z.coerce.number(), ytl: z.coerce.number(), xbr: z.coerce.number(), ybr: z.coerce.number(),
  attribute: z.array(z.object({ name: z.string(), text: z.string().default('') })).default([]),
})
const Labels = z.object({ label: z.array(z.object({ name: z.string(), color: z.string() })).default([]) })
const Document = z.object({
  annotations: z.object({
    meta: z.object({
      task: z.object({
        name: z.string(),
        size: Count,
        // An empty element reads as an empty text.
        labels: z.union([z.literal('').transform(() => ({ label: [] })), Labels]),
        original_size: z.object({ width: Count, height: Count }),
      }),
    }),
    track: z.array(z.object({ id: Count, label: z.string(), source: z.enum(['auto', 'manual']), box: z.array(BoxElement).min(1) })).default([]),
  }),
})

function attributeOf(box: z.infer<typeof BoxElement> | undefined, name: string): string | undefined {
  return box?.attribute.find((attribute) => attribute.name === name)?.text
}

const SIDES = ['x1', 'y1', 'x2', 'y2'] as const
/** Pixels that CVAT's box may be off ours. */
const TOLERANCE = 0.5

function cvatBoxes({ boxes }: TrackedObject, size: number): CvatBox[] {
  const keyframes = keyframesOf(boxes)
  return boxes.flatMap(({ frame, box, score, observed, occluded }, i) => {
    const ends = boxes[i + 1]?.frame !== frame + 1 && frame + 1 < size
    const visible = { frame, ...box, outside: false, keyframe: keyframes.has(i), observed, occluded, score }
    return ends ? [visible, { ...visible, frame: frame + 1, outside: true, keyframe: true, observed: false, occluded: false, score: null }] : [visible]
  })
}

/** Indices of the boxes that CVAT needs: between two that it has, the one that its line misses most, until it misses none. */
function keyframesOf(boxes: readonly TrackedBox[]): Set<number> {
  const known = boxes.flatMap(({ frame, observed }, i) => (observed || boxes[i - 1]?.frame !== frame - 1 || boxes[i + 1]?.frame !== frame + 1 ? [i] : []))
  const keyframes = new Set(known)
  const spans = known.map((from, i): [number, number] => [from, known[i + 1] ?? from])
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [from, to] = span
    const missed = mostMissed(boxes, from, to)
    if (missed === null) continue
    keyframes.add(missed)
    spans.push([from, missed], [missed, to])
  }
  return keyframes
}

/** Which box between two CVAT would draw furthest from its place, if any too far. */
function mostMissed(boxes: readonly TrackedBox[], from: number, to: number): number | null {
  const [first, last] = [boxes[from], boxes[to]]
  if (!first || !last) return null
  let missed: number | null = null
  let most = TOLERANCE
  for (let i = from + 1; i < to; i++) {
    const one = boxes[i]
    if (!one) continue
    const share = (one.frame - first.frame) / (last.frame - first.frame)
    const off = Math.max(...SIDES.map((side) => Math.abs(first.box[side] + (last.box[side] - first.box[side]) * share - one.box[side])))
    if (off > most) [missed, most] = [i, off]
  }
  return missed
}

function boxElement({ frame, x1, y1, x2, y2, outside, keyframe, observed, occluded, score }: CvatBox, state: ReviewState, model: string): string {
  const place = { xtl: String(x1), ytl: String(y1), xbr: String(x2), ybr: String(y2), z_order: '0' }
  const values = { state, model, observed: String(observed), score: score === null ? '' : String(score) }
  return element(
    'box',
    { frame: String(frame), keyframe: bit(keyframe), outside: bit(outside), occluded: bit(occluded), ...place },
    Object.entries(values).map(([name, value]) => element('attribute', { name }, value)),
  )
}

/** An element with a text, or with elements on lines of their own. */
function element(name: string, attributes: Readonly<Record<string, string>>, content: string | readonly string[]): string {
  const tag = name + Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`).join('')
  const inside = typeof content === 'string' ? escaped(content) : content.map((child) => `\n${child}`).join('') + '\n'
  return `<${tag}>${inside}</${name}>`
}

function leaves(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => element(name, {}, value))
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function bit(value: boolean): string {
  return value ? '1' : '0'
}

/** On one line and without the characters that XML 1.0 cannot hold. */
function xmlText(text: string): string {
  return text.toWellFormed().replace(/\s+/g, ' ').replace(/[\p{Cc}\uFFFE\uFFFF]/gu, '').trim()
}

/** Made-up films: one with everything that breaks a naive writer, and random ones from a seed; and a library that holds them. */
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { deflateSync } from 'node:zlib'
import { Annotation, type AnnotationBody, type KeyBox, type ReviewState } from '../app/annotation.ts'
import { type Category, type DocumentClip, type DocumentSource, type Film, labelText } from '../app/formats/document.ts'
import { inScope, type Scope } from '../app/formats/scope.ts'
import type { Probe } from '../app/media.ts'
import { colourIn } from '../app/vocabulary.ts'
import { Library } from '../main/library/library.ts'

export interface AnnotationDocument {
  source: DocumentSource
  pts: number[]
  clips: (DocumentClip & { annotations: Annotation[] })[]
  labels: { name: string; colour: string }[]
}

/** Films as a library that holds all of these documents returns them. */
export function filmsOf(documents: readonly AnnotationDocument[], scope: Scope = {}, lookedFor: readonly string[] = []): Film[] {
  const vocabulary = documents[0]?.labels ?? []
  const names = new Map<string, string>()
  const tracks = documents.flatMap(({ clips }) =>
    clips.flatMap(({ annotations }) =>
      annotations.flatMap(({ body, state }) => (body.kind === 'track' && state !== 'rejected' ? [labelText(body.label)] : [])),
    ),
  )
  for (const name of [...vocabulary.map((label) => labelText(label.name)), ...tracks.sort()])
    if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name)
  const categories = [...names.values()].map((name, at): Category => ({ id: at + 1, name, colour: colourIn(vocabulary, name) }))
  return documents.map(({ source, pts, clips }) => {
    const ordered = clips
      .toSorted((a, b) => a.startFrame - b.startFrame || a.id - b.id)
      .map((clip) => ({ ...clip, annotations: clip.annotations.map((one) => Annotation.parse(one)) }))
    return {
      source,
      title: source.name,
      pts,
      categories,
      lookedFor,
      isAbsent: () => true,
      partial: false,
      appVersion: '0.1.0',
      clips: ordered.map(({ id, index, kind, start, end, startFrame, endFrame }) => ({
        id,
        index,
        kind,
        start,
        end,
        startFrame,
        endFrame,
      })),
      of: ({ id }, kinds, withRejected = false) =>
        (ordered.find((clip) => clip.id === id)?.annotations ?? [])
          .toSorted((a, b) => a.id - b.id)
          .filter((annotation) => kinds.includes(annotation.body.kind) && inScope(scope, annotation, withRejected)),
    }
  })
}

export function filmOf(document: AnnotationDocument, scope: Scope = {}, lookedFor: readonly string[] = []): Film {
  const [film] = filmsOf([document], scope, lookedFor)
  if (!film) throw new RangeError('a document makes a film')
  return film
}

/** A library in a new folder that holds these documents, each with its ids. */
export function libraryOf(directory: string, documents: readonly AnnotationDocument[], state = 'done'): Library {
  const library = Library.open(directory)
  const db = new DatabaseSync(path.join(directory, 'library.sqlite'))
  library.detections.setVocabulary((documents[0]?.labels ?? []).map((label) => ({ ...label, synonyms: [], threshold: 0.5 })))
  for (const { source, pts, clips } of documents) {
    const steps = Float64Array.from(pts, (at, i) => at - (i === 0 ? 0 : (pts[i - 1] ?? 0)))
    db.prepare(
      'INSERT INTO sources (id, path, name, bytes, mtime_ms, fingerprint, added_at, state, probe, pts) VALUES (?, ?, ?, 1, 0, ?, ?, ?, ?, ?)',
    ).run(
      source.id,
      source.path,
      source.name,
      source.fingerprint,
      '2026-01-01T00:00:00Z',
      state,
      JSON.stringify(source.probe),
      deflateSync(new Uint8Array(steps.buffer)),
    )
    for (const { id, index, kind, start, end, startFrame, endFrame, annotations } of clips) {
      db.prepare(
        'INSERT INTO clips (id, source_id, idx, kind, start, "end", start_frame, end_frame, frames) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ).run(id, source.id, index, kind, start, end, startFrame, endFrame, '[]')
      for (const { id: one, body, machine, state: review, evidence, provenance, updatedAt } of annotations) {
        const topic = body.kind === 'caption' || body.kind === 'answer' ? `${one}` : ''
        db.prepare(
          'INSERT INTO annotations (id, clip_id, kind, topic, machine, human, state, evidence, provenance, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ).run(
          one,
          id,
          body.kind,
          topic,
          machine && JSON.stringify(machine),
          review === 'machine' ? null : JSON.stringify(body),
          review,
          evidence && JSON.stringify(evidence),
          provenance && JSON.stringify(provenance),
          updatedAt,
        )
      }
    }
  }
  db.close()
  return library
}

const probe: Probe = {
  container: 'mov,mp4',
  codec: 'h264',
  pixelFormat: 'yuv420p',
  bitDepth: 8,
  hdr: false,
  width: 320,
  height: 240,
  codedWidth: 320,
  codedHeight: 240,
  rotation: 0,
  sampleAspectRatio: { num: 1, den: 1 },
  duration: 4,
  frameRate: { num: 15, den: 1 },
  variableFrameRate: true,
  timeBase: { num: 1, den: 90_000 },
  startPts: 126_000,
  frameCount: 12,
  videoStream: 0,
  streams: [{ index: 0, type: 'video', codec: 'h264', isDefault: true }],
}
/** Variable frame rate, first PTS not 0, times that do not end on whole milliseconds. */
const pts = [126_000, 129_003, 132_006, 141_015, 144_018, 171_000, 171_090, 216_001, 261_000, 300_007, 360_000, 450_001]

function key(ordinal: number, x1: number, y1: number, x2: number, y2: number, score: number | null = 0.75): KeyBox {
  return { ordinal, pts: pts[ordinal] ?? 0, box: { x1, y1, x2, y2 }, score }
}

function said(id: number, clipId: number, state: ReviewState, body: AnnotationBody): Annotation {
  const evidence = {
    confidence: 0.625,
    unsure: state === 'machine',
    agreement: -0.125,
    frames: [{ ordinal: 1, pts: pts[1] ?? 0, weight: 0.5 }],
  }
  const provenance = {
    packId: 'mini "é" <&>',
    packVersion: '0.1.0',
    packDigest: 'sha256:00ff',
    provider: 'cpu',
    prompt: '=a prompt -->\nwith lines',
    appVersion: '0.1.0',
    at: '2026-01-02T03:04:05Z',
  }
  return {
    id,
    clipId,
    body,
    machine: state === 'edited' ? { kind: 'caption', text: '@was' } : body,
    state,
    evidence,
    provenance,
    updatedAt: '2026-01-02T03:04:06Z',
  }
}

function byHand(id: number, clipId: number, body: AnnotationBody): Annotation {
  return { ...said(id, clipId, 'edited', body), machine: null, evidence: null, provenance: null }
}

export const tricky: AnnotationDocument = {
  source: { id: 7, path: '/films/été, "quoted"\n空白.mp4', name: 'été <a> & "b" 空白.mp4', fingerprint: 'xxh:0123', probe },
  pts,
  labels: [{ name: '=CMD|1', colour: '#12ab00' }],
  clips: [
    {
      id: 31,
      index: 0,
      kind: 'shot',
      start: 0,
      end: 0.5,
      startFrame: 0,
      endFrame: 5,
      annotations: [
        said(1, 31, 'machine', { kind: 'caption', text: 'A "dog" & a <b>cat</b>\r\n\r\n\r\n00:00:01.000 --> 00:00:02.000\n\n17\nend ' }),
        said(2, 31, 'accepted', { kind: 'answer', question: '+What, "now"?', text: '\'=HYPERLINK("x")' }),
        said(3, 31, 'machine', {
          kind: 'track',
          label: '狗 "dog" & <cat>',
          boxes: [key(0, -20, 10, 40, 60), key(3, 10.12345, 10, 70, 60, 0.5)],
        }),
        said(4, 31, 'edited', { kind: 'track', label: '=cmd|1', boxes: [key(1, 5, 5, 45, 55, null), key(4, 300, 200, 400, 300, null)] }),
        said(5, 31, 'rejected', { kind: 'track', label: 'REJECTED', boxes: [key(2, 1, 1, 9, 9)] }),
        said(6, 31, 'rejected', { kind: 'caption', text: 'REJECTED' }),
      ],
    },
    { id: 32, index: 1, kind: 'shot', start: 0.5, end: 0.5, startFrame: 5, endFrame: 5, annotations: [] },
    {
      id: 33,
      index: 2,
      kind: 'window',
      start: 0.5,
      end: 3.6,
      startFrame: 5,
      endFrame: 12,
      annotations: [
        byHand(11, 33, { kind: 'note', text: '-note\twith tab, comma\nand line' }),
        byHand(12, 33, { kind: 'track', label: 'one frame', boxes: [key(6, 0, 0, 320, 240, null)] }),
        said(13, 33, 'machine', { kind: 'track', label: 'out of the picture', boxes: [key(6, 400, 10, 420, 30)] }),
        said(14, 33, 'machine', {
          kind: 'track',
          label: 'leaves and comes back',
          boxes: [key(5, 290, 10, 310, 30), key(6, 330, 10, 350, 30), key(8, 290, 10, 310, 30), key(11, 10, 10, 30, 30)],
        }),
        said(15, 33, 'accepted', { kind: 'caption', text: 'Emoji 👩‍👩‍👧, عربي, half \ud83d and \u0007bell\u2028line' }),
        said(16, 33, 'machine', { kind: 'caption', text: ' \n \r\n' }),
      ],
    },
  ],
}

/** A linear congruential generator: 0 ≤ next() < 1. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const PIECES = [
  'a',
  'Z',
  ' ',
  '\n',
  '\r',
  '"',
  "'",
  ',',
  '<',
  '>',
  '&',
  '&amp;',
  '&#10;',
  '-->',
  '=',
  '+',
  '-',
  '@',
  '\t',
  '狗',
  '👍',
  '\ud800',
  '\u0000',
  '\u2028',
  ']]>',
  '<!--',
  '\\',
  '1',
  '\ufeff',
]

/** A random sound document: texts of hostile pieces, tracks that may leave the frame, any state. */
export function randomDocument(seed: number): AnnotationDocument {
  const next = generator(seed)
  const below = (limit: number) => Math.floor(next() * limit)
  const text = () => Array.from({ length: below(12) }, () => PIECES[below(PIECES.length)]).join('')
  const states: readonly ReviewState[] = ['machine', 'accepted', 'edited', 'rejected']
  const times: number[] = []
  let at = below(100_000) - 50_000
  for (let i = below(30) + 2; i > 0; i--) times.push((at += 1 + below(9000)))
  let id = 0
  const body = (startFrame: number, endFrame: number): AnnotationBody => {
    const kind = below(5)
    const from = startFrame + below(endFrame - startFrame)
    const span = { startFrame: from, endFrame: from + 1 + below(endFrame - from) }
    const maybe = next() < 0.4 ? { span } : {}
    if (kind === 0) return { kind: 'caption', text: text(), ...maybe }
    if (kind === 1) return { kind: 'answer', question: text(), text: text() }
    if (kind === 2) return { kind: 'note', text: text(), ...maybe }
    if (kind === 3) return { kind: 'segment', text: text(), span }
    const boxes = Array.from({ length: endFrame - startFrame }, (_, i) => startFrame + i).filter((_, i) => i === 0 || next() < 0.3)
    return {
      kind: 'track',
      label: text(),
      boxes: boxes.map((ordinal) => {
        const [x1, y1] = [next() * 400 - 60, next() * 300 - 40]
        return {
          ordinal,
          pts: times[ordinal] ?? 0,
          box: { x1, y1, x2: x1 + next() * 90, y2: y1 + next() * 90 },
          score: next() < 0.5 ? null : next(),
          ...(next() < 0.2 ? { occluded: true } : {}),
          ...(next() < 0.1 ? { outside: true } : {}),
        }
      }),
    }
  }
  const cut = 1 + below(times.length - 1)
  const clips = [
    [0, cut],
    [cut, cut],
    [cut, times.length],
  ].map(([startFrame = 0, endFrame = 0], index): AnnotationDocument['clips'][number] => ({
    id: index + 1,
    index,
    kind: index === 1 ? 'shot' : 'window',
    start: index,
    end: index + 1,
    startFrame,
    endFrame,
    annotations:
      startFrame === endFrame
        ? []
        : Array.from({ length: below(6) }, () => {
            id += 1
            const made = said(id, index + 1, states[below(4)] ?? 'machine', body(startFrame, endFrame))
            return next() < 0.3 ? { ...made, evidence: null, provenance: null } : made
          }),
  }))
  const source = { id: 1 + seed, path: text(), name: text(), fingerprint: text(), probe: { ...probe, startPts: times[0] ?? 0 } }
  const labels = Array.from({ length: below(3) }, () => ({
    name: text().slice(0, 20).trim() || 'x',
    colour: `#${Math.floor(next() * 0x1000000)
      .toString(16)
      .padStart(6, '0')}`,
  }))
  return { source, pts: times, clips, labels }
}

/** Texts that some format, or some reader of it, interprets as syntax. */
export const nasty: readonly string[] = [
  '00:00:01,000 --> 00:00:02,000',
  'from 00:00:01.000 to 00:00:05.000 he sings',
  'at 01:02.500, 01:03.250 and 1:04.75 the bell rings',
  'line one\n\nline two\r\n\r\n\r\n17\r\n00:00:09,000 --> 00:00:10,000\nline three',
  'Room\n101',
  '42',
  '42\n43\n44',
  'WEBVTT',
  'NOTE this is said\nSTYLE\nREGION',
  'a --> b ---> c <!-- d --> e',
  'x < y > z & &amp; &lt;b&gt; &#10; <b>bold</b> <v Anna>hi</v> <c.red> <00:00:01.000>',
  '<cat on\na wall>',
  '{\\an8}top {y:i}italic {\\i1}',
  'bell\u0007 esc\u001b[31mred\u001b[0m del\u007f c1\u009b nul\u0000 tab\t vt\u000b ff\u000c',
  'nel\u0085 ls\u2028 ps\u2029 cr\r lf\n end',
  '"quoted", \'single\', comma; semicolon\ttab',
  '=1+1\n@SUM(A1)\n+cmd|x!A1',
  'NA',
  ' null ',
  '',
  ' \n\t\r\n ',
  '{"json": [1, 2]}\n[Script Info]\n',
  ']]><!DOCTYPE a [<!ENTITY b "c">]><?xml version="1.0"?></annotations>',
  'half \ud83d pair \udc00, \ufeff mark, \ufffe, \uffff, \u202egnidaer',
  'C:\\new\\table \\u0000 \\N \\n %s $(id) `id`',
  '1\n00:00:00,000 --> 00:00:01,000\nnot mine\n\n2\n00:00:01,000 --> 00:00:02,000\nnot mine either',
]

/** Each of these texts as each kind of annotation that a person can write, in an order that depends on the seed. */
export function nastyDocument(seed: number): AnnotationDocument {
  const at = (i: number) => nasty[(i * 7 + seed) % nasty.length] ?? ''
  const both = (i: number) => `${at(i)}${seed % 3 === 0 ? '' : '\n'}${seed % 2 === 0 ? '' : at(i + 3)}`
  const span = { startFrame: 1, endFrame: 4 }
  const annotations = nasty.flatMap((_, i) => [
    said(10 * i + 1, 1, i % 2 === 0 ? 'machine' : 'edited', { kind: 'caption', text: both(i) }),
    byHand(10 * i + 2, 1, { kind: 'segment', text: both(i + 1), span }),
    byHand(10 * i + 3, 1, { kind: 'note', text: both(i + 2), span }),
    said(10 * i + 4, 1, 'accepted', { kind: 'answer', question: both(i + 3), text: both(i + 4) }),
    said(10 * i + 5, 1, 'machine', { kind: 'text', text: both(i), span, box: { x1: 1, y1: 1, x2: 9, y2: 9 } }),
    {
      ...said(10 * i + 6, 1, 'machine', { kind: 'track', label: both(i), boxes: [key(1, 5, 5, 45, 55), key(3, 6, 5, 46, 55)] }),
      provenance: {
        packId: both(i),
        packVersion: at(i + 1),
        packDigest: at(i),
        provider: at(i),
        prompt: both(i),
        appVersion: at(i),
        at: at(i),
      },
    },
  ])
  // The machine's annotations have provenance whose prompts are as hostile.
  for (const one of annotations) if (one.provenance) one.provenance = { ...one.provenance, prompt: both(one.id), provider: at(one.id) }
  const clip = { id: 1, index: 0, kind: 'shot' as const, start: 0, end: 3.6, startFrame: 0, endFrame: 12, annotations }
  return {
    source: { id: 1, path: `/films/${both(0)}`, name: both(1), fingerprint: `xxh:${seed}`, probe },
    pts,
    labels: nasty
      .map((text) => ({ name: text.trim() || 'x', colour: '#12ab00' }))
      .filter(({ name }, i, all) => all.findIndex((one) => one.name === name) === i),
    clips: [clip],
  }
}

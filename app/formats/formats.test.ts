import { describe, expect, it } from 'vitest'
import { WebVTTParser } from 'webvtt-parser'
import entities from 'webvtt-parser/html-entities.json' with { type: 'json' }
import { randomDocument, tricky } from '../../test/documents.ts'
import type { Annotation } from '../annotation.ts'
import { coco } from './coco.ts'
import { boxes, spans, table } from './csv.ts'
import { cvat } from './cvat.ts'
import { trackedObjects } from './document.ts'
import type { AnnotationDocument, DocumentClip, Format } from './document.ts'
import { frames } from './frames.ts'
import { jsonl } from './jsonl.ts'
import { srt } from './srt.ts'
import { vtt } from './vtt.ts'
import type { Probe } from '../media.ts'
import { PALETTE } from '../vocabulary.ts'

/** Through UTF-8, as on disk. */
const stored = (text: string) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text))

function roundTrip<I, C>(format: Format<I, C>, input: I): void {
  const carried = format.project(input)
  const text = format.write(carried)
  expect(format.read(stored(text))).toStrictEqual(carried)
  expect(format.write(format.read(text))).toBe(text)
}

describe('what is written reads back', () => {
  const perSource = { cvat, vtt, srt, boxes, spans, jsonl, frames } as const
  for (const [name, format] of Object.entries(perSource)) {
    it(name, () => {
      const check = (document: AnnotationDocument) => roundTrip(format as Format<AnnotationDocument, unknown>, document)
      check(tricky)
      check({ ...tricky, clips: [] })
      for (let seed = 1; seed <= 60; seed++) check(randomDocument(seed))
    })
  }
  it('coco', () => {
    roundTrip(coco, [])
    for (let seed = 1; seed <= 15; seed++) roundTrip(coco, [tricky, ...[1, 2, 3].map((n) => randomDocument(seed * 10 + n))].map((document, i) => ({ ...document, source: { ...document.source, id: i + 1 } })))
  })
  it('the state of review without loss, also what was rejected', () => {
    expect(jsonl.read(jsonl.write(tricky))).toStrictEqual(tricky)
  })
  it('many entities in one CVAT file', () => {
    const clip = { id: 1, index: 0, kind: 'shot' as const, start: 0, end: 4, startFrame: 0, endFrame: 12 }
    const track = tricky.clips[0]?.annotations[2]
    if (!track) throw new RangeError('the tricky document lost its track')
    roundTrip(cvat, { ...tricky, clips: [{ ...clip, annotations: Array.from({ length: 200 }, (_, i) => ({ ...track, id: i + 1 })) }] })
  })
})

describe('tracks', () => {
  const objects = trackedObjects(tricky)
  it('are boxes inside the frame, interpolated in time and marked so, without what was rejected', () => {
    expect(objects.map(({ id }) => id)).toEqual([3, 4, 12, 14])
    expect(objects[0]?.boxes).toEqual([
      { frame: 0, pts: 126_000, box: { x1: 0, y1: 10, x2: 40, y2: 60 }, score: 0.75, observed: true, occluded: false },
      // A fifth of the way in time, though a third in frames.
      { frame: 1, pts: 129_003, box: { x1: 0, y1: 10, x2: 46, y2: 60 }, score: null, observed: false, occluded: false },
      { frame: 2, pts: 132_006, box: { x1: 0, y1: 10, x2: 52, y2: 60 }, score: null, observed: false, occluded: false },
      { frame: 3, pts: 141_015, box: { x1: 10.123, y1: 10, x2: 70, y2: 60 }, score: 0.5, observed: true, occluded: false },
    ])
  })
  it('end in CVAT with an outside box on the next frame, unless the video ends', () => {
    const tracks = cvat.project(tricky).tracks
    expect(tracks[0]?.boxes.map(({ frame, keyframe, outside }) => [frame, keyframe, outside])).toEqual([
      // A line by frame number would miss frame 2, and with it frame 1, by several pixels.
      [0, true, false], [1, false, false], [2, true, false], [3, true, false], [4, true, true],
    ])
    expect(tracks.at(-1)?.boxes.map(({ frame, keyframe, outside }) => [frame, keyframe, outside])).toEqual([
      [5, true, false], [6, true, true], [7, true, false], [8, true, false], [9, true, false], [10, true, false], [11, true, false],
    ])
    expect(tracks.map(({ source }) => source)).toEqual(['auto', 'manual', 'manual', 'auto'])
  })
  it('are in CVAT where they are here, though it draws lines by frame number between keyframes', () => {
    for (const document of [tricky, ...Array.from({ length: 60 }, (_, i) => randomDocument(i + 1))]) {
      for (const { boxes: all } of cvat.project(document).tracks) {
        const keys = all.filter(({ keyframe }) => keyframe)
        for (const one of all) {
          const before = keys.findLast(({ frame }) => frame <= one.frame)
          const after = keys.find(({ frame }) => frame >= one.frame)
          if (!before || !after) throw new RangeError('a box outside all keyframes')
          const share = after === before ? 0 : (one.frame - before.frame) / (after.frame - before.frame)
          for (const side of ['x1', 'y1', 'x2', 'y2'] as const) expect(Math.abs(before[side] + (after[side] - before[side]) * share - one[side])).toBeLessThanOrEqual(0.5)
        }
      }
    }
  })
  it('have no more keyframes in CVAT than it needs, and their last box before a gap is one', () => {
    const key = (ordinal: number, x: number, outside?: true) => ({ ordinal, pts: 1000 * ordinal, box: { x1: x, y1: 10, x2: x + 40, y2: 60 }, score: null, ...(outside ? { outside } : {}) })
    const [clip] = tricky.clips
    const [annotation] = clip?.annotations ?? []
    if (!clip || !annotation) throw new RangeError('the tricky document lost its clip')
    const body = { kind: 'track' as const, label: 'x', boxes: [key(0, 0), key(10, 100, true), key(15, 150), key(19, 190)] }
    const [track] = cvat.project({ ...tricky, pts: Array.from({ length: 20 }, (_, i) => 1000 * i), clips: [{ ...clip, annotations: [{ ...annotation, body }] }] }).tracks
    expect(track?.boxes.filter(({ keyframe }) => keyframe).map(({ frame, x1, outside, observed }) => [frame, x1, outside, observed])).toEqual([
      [0, 0, false, true], [9, 90, false, false], [10, 90, true, false], [15, 150, false, true], [19, 190, false, true],
    ])
  })
  it('say in CVAT that a box has no score, which would else be that of the keyframe before', () => {
    const { tracks } = cvat.project(tricky)
    const text = cvat.write({ ...cvat.project(tricky), tracks: tracks.slice(0, 1) })
    expect([...text.matchAll(/<attribute name="score">(.*?)<\/attribute>/g)].map(([, score]) => score)).toEqual(['0.75', '', '', '0.5', ''])
    expect(cvat.read(text.replaceAll('<attribute name="score"></attribute>\n', '')).tracks).toStrictEqual(tracks.slice(0, 1))
  })
  it('that a person said are hidden or out of the picture say so in CVAT', () => {
    const body = { kind: 'track' as const, label: 'x', boxes: [0, 2, 4, 6].map((ordinal, i) => ({ ordinal, pts: tricky.pts[ordinal] ?? 0, box: { x1: 10, y1: 10, x2: 50, y2: 50 }, score: null, ...(i === 1 ? { outside: true } : i === 2 ? { occluded: true } : {}) })) }
    const [clip] = tricky.clips
    const [annotation] = clip?.annotations ?? []
    if (!clip || !annotation) throw new RangeError('the tricky document lost its clip')
    const track = cvat.project({ ...tricky, clips: [{ ...clip, annotations: [{ ...annotation, body }] }] }).tracks[0]
    expect(track?.boxes.map(({ frame, outside, occluded }) => [frame, outside, occluded])).toEqual([
      [0, false, false], [1, false, false], [2, true, false], [4, false, true], [5, false, true], [6, false, false], [7, true, false],
    ])
  })
  it('of one object in a clip that a person marked over others are one', () => {
    const [clip] = tricky.clips
    const track = clip?.annotations[2]
    if (!clip || track?.body.kind !== 'track') throw new RangeError('the tricky document lost its track')
    const pts = (ordinal: number) => tricky.pts[ordinal] ?? 0
    type Found = [id: number, state: Annotation['state'], label: string, from: number, to: number, x: number]
    const clipWith = (id: number, kind: DocumentClip['kind'], startFrame: number, endFrame: number, ...found: Found[]): DocumentClip => ({
      ...clip, id, kind, startFrame, endFrame,
      annotations: found.map(([one, state, label, from, to, x]): Annotation => ({
        ...track, id: one, clipId: id, state,
        body: { kind: 'track', label, boxes: [from, to].map((ordinal) => ({ ordinal, pts: pts(ordinal), box: { x1: x, y1: 10, x2: x + 40, y2: 60 }, score: 0.5 })) },
      })),
    })
    const seen = (...clips: DocumentClip[]) => trackedObjects({ ...tricky, labels: [], clips }).map(({ id, boxes: all }) => [id, all.map(({ frame }) => frame).join(' ')])
    const shots = [clipWith(1, 'shot', 0, 6, [1, 'machine', 'cat', 0, 5, 10]), clipWith(2, 'shot', 6, 12, [2, 'machine', 'cat', 6, 11, 10])]
    const over = (...found: Found[]) => clipWith(3, 'marked', 3, 9, ...found)
    const alone = [[1, '0 1 2 3 4 5'], [2, '6 7 8 9 10 11']]
    expect(seen(...shots, over([3, 'machine', 'Cat', 3, 8, 12]))).toEqual(alone)
    expect(seen(...shots, over([3, 'rejected', 'cat', 3, 8, 12]))).toEqual(alone)
    // What a person decided goes before, and where it says nothing the other still does.
    expect(seen(...shots, over([3, 'accepted', 'cat', 3, 8, 12]))).toEqual([[1, '0 1 2'], [3, '3 4 5 6 7 8'], [2, '9 10 11']])
    expect(seen(clipWith(1, 'shot', 0, 6, [1, 'machine', 'cat', 0, 4, 10]), over([3, 'machine', 'cat', 3, 8, 12]))).toEqual([[1, '0 1 2 3 4'], [3, '5 6 7 8']])
    // Another place, another label, and what was there before are other objects.
    expect(seen(...shots, over([3, 'machine', 'cat', 3, 8, 100], [4, 'machine', 'dog', 3, 8, 10])).map(([id]) => id)).toEqual([1, 3, 4, 2])
    expect(seen(clipWith(1, 'shot', 0, 6, [1, 'machine', 'cat', 0, 2, 10]), over([3, 'machine', 'cat', 3, 8, 10]))).toEqual([[1, '0 1 2'], [3, '3 4 5 6 7 8']])
    // What a person decided twice stays, and so do neighbours in one clip.
    expect(seen(clipWith(1, 'shot', 0, 6, [1, 'accepted', 'cat', 3, 5, 10]), over([3, 'edited', 'cat', 3, 5, 12], [4, 'edited', 'cat', 3, 5, 12]))).toEqual([1, 3, 4].map((id) => [id, '3 4 5']))
    expect(seen(clipWith(1, 'shot', 0, 6, [1, 'machine', 'cat', 3, 5, 10], [2, 'machine', 'cat', 3, 5, 12]))).toEqual([1, 2].map((id) => [id, '3 4 5']))
    // Of marked clips the earlier one goes before.
    const marked = (id: number, from: number, to: number) => clipWith(id, 'marked', from, to, [id, 'machine', 'cat', from, to - 1, 10])
    expect(seen(marked(3, 3, 9), marked(4, 1, 5), marked(5, 8, 12))).toEqual([[4, '1 2 3 4'], [3, '5 6 7 8'], [5, '9 10 11']])
  })
  it('have ids from 1 in COCO, and an image for each frame with a box', () => {
    const dataset = coco.project([tricky])
    expect(dataset.annotations.map(({ id }) => id)).toEqual(dataset.annotations.map((_, i) => i + 1))
    expect(dataset.images.map(({ frame_index }) => frame_index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(dataset.annotations[0]).toMatchObject({ bbox: [0, 10, 40, 50], area: 2000, track_id: 3, attributes: { track_id: 3, interpolated: false, state: 'machine', score: 0.75 } })
  })
})

describe('pixels that are not square', () => {
  const track = tricky.clips[0]?.annotations[2]
  const filmed = (probe: Partial<Probe>): AnnotationDocument => {
    const [clip] = tricky.clips
    if (!clip || track?.body.kind !== 'track') throw new RangeError('the tricky document lost its track')
    const body = { kind: 'track' as const, label: 'x', boxes: [0, 3].map((ordinal) => ({ ordinal, pts: tricky.pts[ordinal] ?? 0, box: { x1: 64, y1: 32, x2: 128, y2: 288 }, score: 0.5 })) }
    return { ...tricky, source: { ...tricky.source, probe: { ...tricky.source.probe, ...probe } }, clips: [{ ...clip, annotations: [{ ...track, body }] }] }
  }
  const wide = { codedWidth: 360, codedHeight: 288, sampleAspectRatio: { num: 64, den: 45 } }
  it('are as coded in CVAT and COCO, whose readers decode the video, and the picture is upright', () => {
    for (const [document, picture, [x1, y1, x2, y2]] of [
      [filmed({ ...wide, width: 512, height: 288 }), { width: 360, height: 288 }, [45, 32, 90, 288]],
      [filmed({ ...wide, width: 512, height: 288, rotation: 180 }), { width: 360, height: 288 }, [45, 32, 90, 288]],
      [filmed({ ...wide, width: 288, height: 512, rotation: 90 }), { width: 288, height: 360 }, [64, 22.5, 128, 202.5]],
    ] as const) {
      const task = cvat.project(document)
      expect(task).toMatchObject(picture)
      expect(task.tracks[0]?.boxes[1]).toMatchObject({ x1, y1, x2, y2 })
      const { videos, images, annotations } = coco.project([document])
      expect([videos[0], images[0]]).toMatchObject([picture, picture])
      expect(annotations[0]?.bbox).toEqual([x1, y1, x2 - x1, y2 - y1])
      expect(boxes.project(document)[0]).toMatchObject({ x1: 64, y1: 32, x2: 128, y2: 288, width: document.source.probe.width, height: document.source.probe.height })
      roundTrip(cvat, document)
      roundTrip(coco, [document])
    }
  })
  it('leave no box without an area', () => {
    const body = { kind: 'track' as const, label: 'x', boxes: [{ ordinal: 0, pts: tricky.pts[0] ?? 0, box: { x1: 0.001, y1: 0, x2: 0.002, y2: 9 }, score: null }] }
    const document = filmed({ ...wide, width: 512, height: 288 })
    const thin = { ...document, clips: document.clips.map((clip) => ({ ...clip, annotations: clip.annotations.map((one) => ({ ...one, body })) })) }
    expect([boxes.project(thin).length, cvat.project(thin).tracks.length, coco.project([thin]).annotations.length]).toEqual([1, 0, 0])
  })
})

describe('labels', () => {
  const named = (id: number, ...names: string[]) => {
    const [clip] = tricky.clips
    const track = clip?.annotations[2]
    if (!clip || track?.body.kind !== 'track') throw new RangeError('the tricky document lost its track')
    const { body } = track
    return { ...tricky, source: { ...tricky.source, id }, labels: [{ name: 'Dog', colour: '#12ab00' }], clips: [{ ...clip, annotations: names.map((label, i) => ({ ...track, id: 10 * id + i, body: { ...body, label } })) }] }
  }
  it('that differ only in case are one, under the name of the vocabulary or else the first that is met', () => {
    const film = named(1, 'Cat', 'cat', 'dog', 'DOG')
    expect(trackedObjects(film).map(({ label }) => label)).toEqual(['Cat', 'Cat', 'Dog', 'Dog'])
    expect(cvat.project(film).labels.map(({ name }) => name)).toEqual(['Cat', 'Dog'])
    expect(new Set(boxes.project(film).map(({ label }) => label))).toEqual(new Set(['Cat', 'Dog']))
    const { categories, tracks } = coco.project([named(2, 'CAT', 'dog'), film])
    expect(categories.map(({ id, name }) => [id, name])).toEqual([[1, 'Cat'], [2, 'Dog']])
    expect(tracks.map(({ category_id }) => category_id)).toEqual([1, 1, 2, 2, 1, 2])
  })
})

describe('colours', () => {
  const labels = [{ name: '=CMD|1', colour: '#12ab00' }]
  it('of the project go with the labels, whatever their case, and every other label has the one that the window draws', () => {
    expect(cvat.project({ ...tricky, labels }).labels).toContainEqual({ name: '=CMD|1', colour: '#12ab00' })
    expect(cvat.write(cvat.project({ ...tricky, labels }))).toContain('<name>=CMD|1</name>\n<color>#12ab00</color>')
    const categories = coco.project([{ ...tricky, labels }]).categories
    expect(categories.find(({ name }) => name === '=CMD|1')?.color).toEqual([0x12, 0xab, 0])
    const other = PALETTE.map((colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)))
    expect(other).toContainEqual(categories.find(({ name }) => name === 'one frame')?.color)
  })
  it('may be missing in a file of before', () => {
    expect(jsonl.read(jsonl.write(tricky).replace(/,"labels":\[.*?\]/, '')).labels).toEqual([])
  })
})

describe('captions', () => {
  it('please the parser of the W3C validator', () => {
    for (const document of [tricky, ...Array.from({ length: 40 }, (_, i) => randomDocument(i + 1))]) {
      const cues = vtt.project(document)
      const seen = new WebVTTParser(entities).parse(vtt.write(cues), 'captions')
      expect(seen.errors).toEqual([])
      expect(seen.cues.map(({ id, startTime, endTime, tree }) => [id, Math.round(startTime * 1000), Math.round(endTime * 1000), tree.children.map((node) => node.value).join('')])).toEqual(
        cues.map(({ id, start, end, text }) => [id, start, end, text]),
      )
    }
  })
  it('take their times from PTS, rounded once', () => {
    expect(vtt.project(tricky).map(({ start, end }) => [start, end])).toEqual([[0, 500], [500, 3600]])
  })
  it('count from where the file begins, not from a first frame that comes later', () => {
    const { probe } = tricky.source
    const begins = (probe.startPts * probe.timeBase.num) / probe.timeBase.den
    const document = { ...tricky, source: { ...tricky.source, probe: { ...probe, fileStart: begins - 1.4 } } }
    for (const format of [vtt, srt]) expect(format.project(document).map(({ start, end }) => [start, end])).toEqual([[1400, 1900], [1900, 5000]])
  })
  it('of a part of a clip have its times, in WebVTT, SRT and the table of spans', () => {
    const [clip] = tricky.clips
    const [caption] = clip?.annotations ?? []
    if (!clip || !caption) throw new RangeError('the tricky document lost its clip')
    const annotations = [
      { ...caption, id: 91, state: 'edited' as const, body: { kind: 'segment' as const, text: 'late', span: { startFrame: 3, endFrame: 5 } } },
      { ...caption, id: 92, state: 'edited' as const, body: { kind: 'caption' as const, text: 'early', span: { startFrame: 1, endFrame: 4 } } },
      { ...caption, id: 93, body: { kind: 'note' as const, text: 'look', span: { startFrame: 2, endFrame: 3 } } },
    ]
    const document = { ...tricky, clips: [{ ...clip, annotations }] }
    const at = (ordinal: number) => Math.round((1000 * ((tricky.pts[ordinal] ?? 0) - tricky.source.probe.startPts) * tricky.source.probe.timeBase.num) / tricky.source.probe.timeBase.den)
    const cues = [{ start: at(1), end: at(4), text: 'early' }, { start: at(3), end: at(5), text: 'late' }]
    expect(srt.project(document)).toEqual(cues)
    expect(vtt.project(document)).toMatchObject(cues)
    expect(spans.project(document).map(({ kind, start_frame, end_frame }) => [kind, start_frame, end_frame])).toEqual([['shot', 0, 5], ['segment', 3, 5], ['caption', 1, 4], ['note', 2, 3]])
  })
  it('that the model is not sure of say so, until a person has looked at them', () => {
    const [clip] = tricky.clips
    const [caption] = clip?.annotations ?? []
    if (!clip || !caption?.evidence) throw new RangeError('the tricky document lost its clip')
    const texts = (state: 'machine' | 'accepted' | 'edited', unsure: boolean) => {
      const annotation = { ...caption, state, body: { kind: 'caption' as const, text: 'a hat' }, evidence: { ...caption.evidence, confidence: 0.9, agreement: 0, frames: [], unsure } }
      const document = { ...tricky, clips: [{ ...clip, annotations: [annotation] }] }
      return [...vtt.project(document), ...srt.project(document)].map(({ text }) => text)
    }
    expect(texts('machine', true)).toEqual(['(?) a hat', '(?) a hat'])
    for (const [state, unsure] of [['machine', false], ['accepted', true], ['edited', true]] as const) expect(texts(state, unsure)).toEqual(['a hat', 'a hat'])
  })
  it('keep who made them in WebVTT', () => {
    expect(vtt.project(tricky)[0]?.origin).toMatchObject({ state: 'machine', confidence: 0.625, provenance: { packVersion: '0.1.0' } })
  })
  it('are read with a byte order mark, any line end, without hours, with settings and tags', () => {
    expect(vtt.read('\uFEFFWEBVTT - a title\r\nKind: captions\r\n\r\nNOTE\r\nremark\r\n\r\nSTYLE\r\n::cue {}\r\n\r\n01:02.500 --> 01:03.000 align:start line:0\r\n<v Anna>Hi &amp; <i>bye</i>\r\n')).toEqual([
      { id: '', start: 62_500, end: 63_000, text: 'Hi & bye', origin: null },
    ])
    expect(srt.read('\uFEFF1\r00:00:01,5 --> 00:00:02,000 X1:1\rone\rtwo\r\r\r\r00:03.000 --> 00:04.000\rthree')).toEqual([
      { start: 1500, end: 2000, text: 'one\ntwo' },
      { start: 3000, end: 4000, text: 'three' },
    ])
  })
  it('of other kinds are refused', () => {
    expect(() => vtt.read('1\n00:00:01.000 --> 00:00:02.000\nx')).toThrow('WEBVTT')
    expect(() => srt.read('1\nno times\nx')).toThrow('times')
  })
})

describe('hostile cells and files', () => {
  it('no cell starts as a formula', () => {
    const cells = table({ text: 'text' })
    for (const text of ['=1', '+1', '-1', '@x', '\t=1', '\r=1', "'=1"]) {
      expect(cells.write([{ text }]).split('\r\n').slice(1).join('')).toMatch(/^"?'/)
      expect(cells.read(cells.write([{ text }]))).toEqual([{ text }])
    }
  })
  it('a broken table is refused', () => {
    const cells = table({ a: 'number', b: 'text' })
    expect(() => cells.read('a,c\r\n')).toThrow('columns')
    expect(() => cells.read('a,b\r\n1\r\n')).toThrow('cells')
    expect(() => cells.read('a,b\r\nx,y\r\n')).toThrow('not a number')
    expect(() => cells.read('a,b\r\n1,"open\r\n')).toThrow('quote')
  })
  it('CVAT with a document type is refused', () => {
    const text = cvat.write(cvat.project(tricky))
    expect(() => cvat.read(text.replace('?>', '?><!DOCTYPE a [<!ENTITY b "c">]>'))).toThrow('not allowed')
    expect(() => cvat.read(text.replace('</annotations>', ''))).toThrow('cut off')
    expect(() => cvat.read(text.replace('keyframe="1"', 'keyframe="yes"'))).toThrow()
  })
  it('COCO and JSON Lines with a missing part are refused', () => {
    expect(() => coco.read('{"images":[]}')).toThrow()
    expect(() => jsonl.read(jsonl.write(tricky).split('\n').slice(1).join('\n'))).toThrow('first two lines')
  })
})

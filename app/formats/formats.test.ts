import { describe, expect, it } from 'vitest'
import { WebVTTParser } from 'webvtt-parser'
import entities from 'webvtt-parser/html-entities.json' with { type: 'json' }
import { type AnnotationDocument, filmOf, filmsOf, randomDocument, tricky } from '../../test/documents.ts'
import { Annotation } from '../annotation.ts'
import { coco } from './coco.ts'
import { boxes, spans, table } from './csv.ts'
import { isFormula } from './guard.ts'
import { cvat, cvatLabels } from './cvat.ts'
import { datumaro } from './datumaro.ts'
import { trackedObjects } from './document.ts'
import { fiftyone } from './fiftyone.ts'
import type { Film, Format } from './document.ts'
import { frames } from './frames.ts'
import { jsonl } from './jsonl.ts'
import { srt } from './srt.ts'
import { vtt } from './vtt.ts'
import { webAnnotation } from './web-annotation.ts'
import { youtubeVis } from './youtube-vis.ts'
import type { Probe } from '../media.ts'
import { inScope, type Scope, scopeKey } from './scope.ts'
import { titlesOf } from './titles.ts'
import { PALETTE } from '../vocabulary.ts'

/** The text as stored on disk, through UTF-8, in chunks of `size` characters. */
function* stored(text: string, size: number): Generator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += size) yield decoder.decode(bytes.subarray(at, at + size), { stream: true })
  yield decoder.decode()
}

const textOf = <I, P>(format: Format<I, P>, input: I): string => [...format.write(format.pieces(input))].join('')
const readAll = <I, P>(format: Format<I, P>, text: string): P[] => [...format.read([text])]

function roundTrip<I, P>(format: Format<I, P>, input: I): void {
  const pieces = [...format.pieces(input)]
  const text = textOf(format, input)
  // Wherever a chunk ends, in the middle of a name, a quote or a letter, the result is the same.
  for (const size of [1 << 18, 97]) expect([...format.read(stored(text, size))]).toStrictEqual(pieces)
  // The check on writing compares the pieces as text, in the order of their keys.
  expect([...format.read([text])].map((piece) => JSON.stringify(piece))).toEqual(pieces.map((piece) => JSON.stringify(piece)))
  expect([...format.write(format.read([text]))].join('')).toBe(text)
}

/** What a whole COCO file holds. */
function dataset(films: readonly Film[]) {
  const all = [...coco.pieces(films)]
  const listed = <K extends (typeof all)[number]['part']>(part: K) =>
    all.flatMap((piece) => (piece.part === part ? [piece.value as Extract<(typeof all)[number], { part: K }>['value']] : []))
  return {
    categories: listed('categories'),
    annotations: listed('annotations'),
    tracks: listed('tracks'),
    videos: listed('videos'),
    images: listed('images'),
  }
}

type CvatPiece = ReturnType<typeof cvat.pieces> extends Iterable<infer P> ? P : never
/** Tracks of a CVAT file with their boxes. */
function cvatTracks(film: Film) {
  const tracks: (Extract<CvatPiece, { part: 'track' }> & { boxes: Extract<CvatPiece, { part: 'box' }>[] })[] = []
  for (const piece of cvat.pieces(film)) {
    if (piece.part === 'track') tracks.push({ ...piece, boxes: [] })
    if (piece.part === 'box') tracks.at(-1)?.boxes.push(piece)
  }
  return tracks
}

describe('what is written reads back', () => {
  const perSource = { cvat, vtt, srt, boxes, spans, jsonl, frames, fiftyone, webAnnotation } as const
  for (const [name, format] of Object.entries(perSource)) {
    it(name, () => {
      const check = (document: AnnotationDocument) => roundTrip(format as Format<Film, unknown>, filmOf(document))
      check(tricky)
      check({ ...tricky, clips: [] })
      for (let seed = 1; seed <= 40; seed++) check(randomDocument(seed))
    })
  }
  it.each(Object.entries({ coco, youtubeVis, datumaro }))('%s', (_, of) => {
    const format = of as Format<Iterable<Film>, unknown>
    roundTrip(format, [])
    for (let seed = 1; seed <= 15; seed++)
      roundTrip(
        format,
        filmsOf(
          [tricky, ...[1, 2, 3].map((n) => randomDocument(seed * 10 + n))].map((document, i) => ({
            ...document,
            source: { ...document.source, id: i + 1 },
          })),
        ),
      )
  })
  it('the state of review without loss, also what was rejected', () => {
    const lines = readAll(jsonl, textOf(jsonl, filmOf(tricky)))
    const annotations = tricky.clips.flatMap((clip) => clip.annotations)
    expect(lines.flatMap((line) => (line.type === 'annotation' ? [line.annotation] : []))).toStrictEqual(
      JSON.parse(JSON.stringify(annotations.map((one) => Annotation.parse(one)))),
    )
  })
  it('many entities in one CVAT file', () => {
    const clip = { id: 1, index: 0, kind: 'shot' as const, start: 0, end: 4, startFrame: 0, endFrame: 12 }
    const track = tricky.clips[0]?.annotations[2]
    if (!track) throw new RangeError('the tricky document lost its track')
    roundTrip(
      cvat,
      filmOf({ ...tricky, clips: [{ ...clip, annotations: Array.from({ length: 200 }, (_, i) => ({ ...track, id: i + 1 })) }] }),
    )
  })
})

describe('tracks', () => {
  const objects = [...trackedObjects(filmOf(tricky))]
  it('are boxes inside the frame, interpolated in time and marked so, without what was rejected', () => {
    expect(objects.map(({ id }) => id)).toEqual([3, 4, 12, 14])
    expect([...(objects[0]?.boxes ?? [])]).toEqual([
      { frame: 0, pts: 126_000, x1: 0, y1: 10, x2: 40, y2: 60, score: 0.75, carried: 0.75, observed: true, occluded: false },
      // A fifth of the way in time, though a third in frames.
      { frame: 1, pts: 129_003, x1: 0, y1: 10, x2: 46, y2: 60, score: null, carried: 0.75, observed: false, occluded: false },
      { frame: 2, pts: 132_006, x1: 0, y1: 10, x2: 52, y2: 60, score: null, carried: 0.75, observed: false, occluded: false },
      { frame: 3, pts: 141_015, x1: 10.123, y1: 10, x2: 70, y2: 60, score: 0.5, carried: 0.5, observed: true, occluded: false },
    ])
  })
  it('end in CVAT with an outside box on the next frame, unless the video ends', () => {
    const tracks = cvatTracks(filmOf(tricky))
    expect(tracks[0]?.boxes.map(({ frame, keyframe, outside }) => [frame, keyframe, outside])).toEqual([
      // A line by frame number would miss frame 2, and with it frame 1, by several pixels.
      [0, true, false],
      [1, false, false],
      [2, true, false],
      [3, true, false],
      [4, true, true],
    ])
    expect(tracks.at(-1)?.boxes.map(({ frame, keyframe, outside }) => [frame, keyframe, outside])).toEqual([
      [5, true, false],
      [6, true, true],
      [7, true, false],
      [8, true, false],
      [9, true, false],
      [10, true, false],
      [11, true, false],
    ])
    expect(tracks.map(({ source }) => source)).toEqual(['auto', 'manual', 'manual', 'auto'])
  })
  it('are in CVAT where they are here, though it draws lines by frame number between keyframes', () => {
    for (const document of [tricky, ...Array.from({ length: 60 }, (_, i) => randomDocument(i + 1))]) {
      for (const { boxes: all } of cvatTracks(filmOf(document))) {
        const keys = all.filter(({ keyframe }) => keyframe)
        for (const one of all) {
          const before = keys.findLast(({ frame }) => frame <= one.frame)
          const after = keys.find(({ frame }) => frame >= one.frame)
          if (!before || !after) throw new RangeError('a box outside all keyframes')
          const share = after === before ? 0 : (one.frame - before.frame) / (after.frame - before.frame)
          for (const side of ['x1', 'y1', 'x2', 'y2'] as const)
            expect(Math.abs(before[side] + (after[side] - before[side]) * share - one[side])).toBeLessThanOrEqual(0.5)
        }
      }
    }
  })
  it('have no more keyframes in CVAT than it needs, and their last box before a gap is one', () => {
    const key = (ordinal: number, x: number, outside?: true) => ({
      ordinal,
      pts: 1000 * ordinal,
      box: { x1: x, y1: 10, x2: x + 40, y2: 60 },
      score: null,
      ...(outside ? { outside } : {}),
    })
    const [clip] = tricky.clips
    const [annotation] = clip?.annotations ?? []
    if (!clip || !annotation) throw new RangeError('the tricky document lost its clip')
    const body = { kind: 'track' as const, label: 'x', boxes: [key(0, 0), key(10, 100, true), key(15, 150), key(19, 190)] }
    const [track] = cvatTracks(
      filmOf({
        ...tricky,
        pts: Array.from({ length: 20 }, (_, i) => 1000 * i),
        clips: [{ ...clip, annotations: [{ ...annotation, body }] }],
      }),
    )
    expect(
      track?.boxes.filter(({ keyframe }) => keyframe).map(({ frame, x1, outside, observed }) => [frame, x1, outside, observed]),
    ).toEqual([
      [0, 0, false, true],
      [9, 90, false, false],
      [10, 90, true, false],
      [15, 150, false, true],
      [19, 190, false, true],
    ])
  })
  it('say in CVAT by a number that a box has no score, which would else be that of the keyframe before, and by nothing that no box has', () => {
    const scores = (text: string) => [...text.matchAll(/<attribute name="score">(.*?)<\/attribute>/g)].map(([, score]) => score)
    const tracks = textOf(cvat, filmOf(tricky)).split('<track ').slice(1)
    expect(scores(tracks[0] ?? '')).toEqual(['0.75', '-1', '-1', '0.5', '-1'])
    // Two tracks that people drew.
    expect([tracks[1], tracks[2]].map((track) => scores(track ?? ''))).toEqual([[], []])
    expect(textOf(cvat, filmOf(tricky))).not.toMatch(/<attribute name="score"><\/attribute>/)
  })
  it('that a person said are hidden or out of the picture say so in CVAT', () => {
    const body = {
      kind: 'track' as const,
      label: 'x',
      boxes: [0, 2, 4, 6].map((ordinal, i) => ({
        ordinal,
        pts: tricky.pts[ordinal] ?? 0,
        box: { x1: 10, y1: 10, x2: 50, y2: 50 },
        score: null,
        ...(i === 1 ? { outside: true } : i === 2 ? { occluded: true } : {}),
      })),
    }
    const [clip] = tricky.clips
    const [annotation] = clip?.annotations ?? []
    if (!clip || !annotation) throw new RangeError('the tricky document lost its clip')
    const [track] = cvatTracks(filmOf({ ...tricky, clips: [{ ...clip, annotations: [{ ...annotation, body }] }] }))
    expect(track?.boxes.map(({ frame, outside, occluded }) => [frame, outside, occluded])).toEqual([
      [0, false, false],
      [1, false, false],
      [2, true, false],
      [4, false, true],
      [5, false, true],
      [6, false, false],
      [7, true, false],
    ])
  })
  it('of one object in a clip that a person marked over others are one', () => {
    const [clip] = tricky.clips
    const track = clip?.annotations[2]
    if (!clip || track?.body.kind !== 'track') throw new RangeError('the tricky document lost its track')
    const pts = (ordinal: number) => tricky.pts[ordinal] ?? 0
    type Found = [id: number, state: Annotation['state'], label: string, from: number, to: number, x: number]
    const clipWith = (
      id: number,
      kind: AnnotationDocument['clips'][number]['kind'],
      startFrame: number,
      endFrame: number,
      ...found: Found[]
    ): AnnotationDocument['clips'][number] => ({
      ...clip,
      id,
      kind,
      startFrame,
      endFrame,
      annotations: found.map(
        ([one, state, label, from, to, x]): Annotation => ({
          ...track,
          id: one,
          clipId: id,
          state,
          body: {
            kind: 'track',
            label,
            boxes: [from, to].map((ordinal) => ({ ordinal, pts: pts(ordinal), box: { x1: x, y1: 10, x2: x + 40, y2: 60 }, score: 0.5 })),
          },
        }),
      ),
    })
    const seen = (...clips: AnnotationDocument['clips']) =>
      [...trackedObjects(filmOf({ ...tricky, labels: [], clips }))].map(({ id, boxes: all }) => [
        id,
        [...all].map(({ frame }) => frame).join(' '),
      ])
    const shots = [clipWith(1, 'shot', 0, 6, [1, 'machine', 'cat', 0, 5, 10]), clipWith(2, 'shot', 6, 12, [2, 'machine', 'cat', 6, 11, 10])]
    const over = (...found: Found[]) => clipWith(3, 'marked', 3, 9, ...found)
    const alone = [
      [1, '0 1 2 3 4 5'],
      [2, '6 7 8 9 10 11'],
    ]
    expect(seen(...shots, over([3, 'machine', 'Cat', 3, 8, 12]))).toEqual(alone)
    expect(seen(...shots, over([3, 'rejected', 'cat', 3, 8, 12]))).toEqual(alone)
    // The track that a person decided about has priority; on other frames the other track still counts.
    expect(seen(...shots, over([3, 'accepted', 'cat', 3, 8, 12]))).toEqual([
      [1, '0 1 2'],
      [3, '3 4 5 6 7 8'],
      [2, '9 10 11'],
    ])
    expect(seen(clipWith(1, 'shot', 0, 6, [1, 'machine', 'cat', 0, 4, 10]), over([3, 'machine', 'cat', 3, 8, 12]))).toEqual([
      [1, '0 1 2 3 4'],
      [3, '5 6 7 8'],
    ])
    // A track at another place or with another label is another object, and so is one that ended before.
    expect(seen(...shots, over([3, 'machine', 'cat', 3, 8, 100], [4, 'machine', 'dog', 3, 8, 10])).map(([id]) => id)).toEqual([1, 3, 4, 2])
    expect(seen(clipWith(1, 'shot', 0, 6, [1, 'machine', 'cat', 0, 2, 10]), over([3, 'machine', 'cat', 3, 8, 10]))).toEqual([
      [1, '0 1 2'],
      [3, '3 4 5 6 7 8'],
    ])
    // Tracks that a person decided about twice both stay, and so do neighbours in one clip.
    expect(
      seen(
        clipWith(1, 'shot', 0, 6, [1, 'accepted', 'cat', 3, 5, 10]),
        over([3, 'edited', 'cat', 3, 5, 12], [4, 'edited', 'cat', 3, 5, 12]),
      ),
    ).toEqual([1, 3, 4].map((id) => [id, '3 4 5']))
    expect(seen(clipWith(1, 'shot', 0, 6, [1, 'machine', 'cat', 3, 5, 10], [2, 'machine', 'cat', 3, 5, 12]))).toEqual(
      [1, 2].map((id) => [id, '3 4 5']),
    )
    // Of two marked clips the earlier one has priority.
    const marked = (id: number, from: number, to: number) => clipWith(id, 'marked', from, to, [id, 'machine', 'cat', from, to - 1, 10])
    expect(seen(marked(3, 3, 9), marked(4, 1, 5), marked(5, 8, 12))).toEqual([
      [4, '1 2 3 4'],
      [3, '5 6 7 8'],
      [5, '9 10 11'],
    ])
  })
  it('have ids from 1 in COCO, and an image for each frame with a box', () => {
    const { annotations, images } = dataset([filmOf(tricky)])
    expect(annotations.map(({ id }) => id)).toEqual(annotations.map((_, i) => i + 1))
    expect(images.map(({ frame_index }) => frame_index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    const places = new Map(images.map(({ id, frame_index }) => [id, frame_index]))
    expect(annotations.slice(0, 4).map(({ image_id }) => places.get(image_id))).toEqual([0, 1, 2, 3])
    expect(annotations[0]).toMatchObject({
      bbox: [0, 10, 40, 50],
      area: 2000,
      track_id: 3,
      score: 0.75,
      attributes: { track_id: 3, interpolated: false, state: 'machine' },
    })
  })
  it('have a score in COCO where the machine saw them, also between, and none where a person drew them', () => {
    const { annotations } = dataset([filmOf(tricky)])
    const of = (track: number) => annotations.filter(({ track_id }) => track_id === track).map(({ score }) => score)
    expect([of(3), of(4)]).toEqual([
      [0.75, 0.75, 0.75, 0.5],
      [undefined, undefined, undefined, undefined],
    ])
  })
  it('of labels that were looked for everywhere say so in COCO, and then frames without boxes are there too', () => {
    const one = {
      ...tricky,
      labels: [
        { name: 'cat', colour: '#12ab00' },
        { name: 'one frame', colour: '#12ab00' },
        { name: 'dog', colour: '#12ab00' },
      ],
      clips: tricky.clips.map((clip) => ({ ...clip, annotations: clip.annotations.filter(({ id }) => id === 12 || id === 4) })),
    }
    const unsaid = dataset([filmOf(one)])
    const ids = new Map(unsaid.categories.map(({ name, id }) => [name, id]))
    const [cat = 0, drawn = 0, frame = 0, dog = 0] = ['cat', '=cmd|1', 'one frame', 'dog'].map((name) => ids.get(name))
    // A detection of a label that was not looked for does not count as false, and a frame that is not listed is not claimed to be empty.
    expect(unsaid.images.map(({ frame_index }) => frame_index)).toEqual([1, 2, 3, 4, 6])
    expect(unsaid.videos[0]).toMatchObject({ neg_category_ids: [], not_exhaustive_category_ids: [frame, drawn].sort() })
    const { images, videos } = dataset([filmOf(one, {}, ['cat', 'one frame'])])
    expect(images.map(({ frame_index }) => frame_index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(videos[0]).toMatchObject({ neg_category_ids: [cat], not_exhaustive_category_ids: [drawn] })
    expect([images[0], images[1], images[6]].map((image) => [image?.neg_category_ids, image?.not_exhaustive_category_ids])).toEqual([
      [[cat, frame], []],
      [[cat, frame], [drawn]],
      [[cat], []],
    ])
    expect(dog).toBeGreaterThan(0)
  })
  it('lie in COCO on images that CVAT takes for their frame, of a video whose rate DIVE reads', () => {
    const { images, videos } = dataset([filmOf(tricky)])
    expect(images[3]?.file_name).toBe('video-7/frame_000003.jpg')
    expect(videos[0]?.annotation_fps).toBe(15)
  })
})

describe('pixels that are not square', () => {
  const track = tricky.clips[0]?.annotations[2]
  const filmed = (probe: Partial<Probe>): AnnotationDocument => {
    const [clip] = tricky.clips
    if (!clip || track?.body.kind !== 'track') throw new RangeError('the tricky document lost its track')
    const body = {
      kind: 'track' as const,
      label: 'x',
      boxes: [0, 3].map((ordinal) => ({ ordinal, pts: tricky.pts[ordinal] ?? 0, box: { x1: 64, y1: 32, x2: 128, y2: 288 }, score: 0.5 })),
    }
    return {
      ...tricky,
      source: { ...tricky.source, probe: { ...tricky.source.probe, ...probe } },
      clips: [{ ...clip, annotations: [{ ...track, body }] }],
    }
  }
  const wide = { codedWidth: 360, codedHeight: 288, sampleAspectRatio: { num: 64, den: 45 } }
  it('are as coded in every file, since every reader decodes the video, and the picture is upright', () => {
    for (const [document, picture, [x1, y1, x2, y2]] of [
      [filmed({ ...wide, width: 512, height: 288 }), { width: 360, height: 288 }, [45, 32, 90, 288]],
      [filmed({ ...wide, width: 512, height: 288, rotation: 180 }), { width: 360, height: 288 }, [45, 32, 90, 288]],
      [filmed({ ...wide, width: 288, height: 512, rotation: 90 }), { width: 288, height: 360 }, [64, 22.5, 128, 202.5]],
    ] as const) {
      const film = filmOf(document)
      expect([...cvat.pieces(film)][0]).toMatchObject(picture)
      expect(cvatTracks(film)[0]?.boxes[1]).toMatchObject({ x1, y1, x2, y2 })
      const { videos, images, annotations } = dataset([film])
      expect([videos[0], images[0]]).toMatchObject([picture, picture])
      expect(annotations[0]?.bbox).toEqual([x1, y1, x2 - x1, y2 - y1])
      expect([...boxes.pieces(film)][0]).toMatchObject({ x1, y1, x2, y2, ...picture })
      const [head, , , line] = [...jsonl.pieces(film)]
      expect(head).toMatchObject({ picture })
      expect(line).toMatchObject({ annotation: { body: { boxes: [{ box: { x1, y1, x2, y2 } }, {}] } } })
      for (const format of [cvat, boxes, jsonl]) roundTrip(format as Format<Film, unknown>, film)
      roundTrip(coco, [film])
    }
  })
  it('are so for text on screen too', () => {
    const document = filmed({ ...wide, width: 512, height: 288 })
    const body = { kind: 'text' as const, text: 'EXIT', span: { startFrame: 0, endFrame: 3 }, box: { x1: 64, y1: 32, x2: 128, y2: 288 } }
    const film = filmOf({
      ...document,
      clips: document.clips.map((clip) => ({ ...clip, annotations: clip.annotations.map((one) => ({ ...one, body, machine: body })) })),
    })
    const box = { x1: 45, y1: 32, x2: 90, y2: 288 }
    expect([...jsonl.pieces(film)][3]).toMatchObject({ annotation: { body: { box }, machine: { box } } })
  })
  it('leave no box without an area', () => {
    const body = {
      kind: 'track' as const,
      label: 'x',
      boxes: [{ ordinal: 0, pts: tricky.pts[0] ?? 0, box: { x1: 0.001, y1: 0, x2: 0.002, y2: 9 }, score: null }],
    }
    const document = filmed({ ...wide, width: 512, height: 288 })
    const thin = filmOf({
      ...document,
      clips: document.clips.map((clip) => ({ ...clip, annotations: clip.annotations.map((one) => ({ ...one, body })) })),
    })
    expect([[...boxes.pieces(thin)].length, cvatTracks(thin).length, dataset([thin]).annotations.length]).toEqual([0, 0, 0])
  })
})

describe('labels', () => {
  const named = (id: number, ...names: string[]) => {
    const [clip] = tricky.clips
    const track = clip?.annotations[2]
    if (!clip || track?.body.kind !== 'track') throw new RangeError('the tricky document lost its track')
    const { body } = track
    return {
      ...tricky,
      source: { ...tricky.source, id },
      labels: [{ name: 'Dog', colour: '#12ab00' }],
      clips: [{ ...clip, annotations: names.map((label, i) => ({ ...track, id: 10 * id + i, body: { ...body, label } })) }],
    }
  }
  it('that differ only in case are one, under the name of the vocabulary or else the first that is met', () => {
    const film = filmOf(named(1, 'Cat', 'cat', 'dog', 'DOG'))
    expect([...trackedObjects(film)].map(({ category }) => category.name)).toEqual(['Cat', 'Cat', 'Dog', 'Dog'])
    expect(new Set([...boxes.pieces(film)].map(({ label }) => label))).toEqual(new Set(['Cat', 'Dog']))
    const { categories, tracks } = dataset(filmsOf([named(2, 'CAT', 'dog'), named(1, 'Cat', 'cat', 'dog', 'DOG')]))
    expect(categories.map(({ id, name }) => [id, name])).toEqual([
      [1, 'Dog'],
      [2, 'CAT'],
    ])
    expect(tracks.map(({ category_id }) => category_id)).toEqual([2, 2, 1, 1, 2, 1])
  })
  it('are on one line and never empty, the same in every file', () => {
    const film = filmOf(named(1, 'a  b\n c', ' ', 'x\u0007y'))
    const expected = ['a b c', 'unnamed', 'xy']
    expect(cvatTracks(film).map(({ label }) => label)).toEqual(expected)
    expect([...new Set([...boxes.pieces(film)].map(({ label }) => label))]).toEqual(expected)
    expect(
      dataset([film])
        .categories.map(({ name }) => name)
        .sort(),
    ).toEqual(['Dog', ...expected])
  })
  it('are all listed, with and without a box, in COCO, in CVAT and for the task that CVAT needs; without any there is no empty list', () => {
    const film = filmOf({
      ...named(1, 'cat'),
      labels: [
        { name: 'Dog', colour: '#12ab00' },
        { name: 'bicycle', colour: '#445566' },
      ],
    })
    const listed = ['Dog', 'bicycle', 'cat']
    expect(dataset([film]).categories.map(({ name }) => name)).toEqual(listed)
    expect([...cvat.pieces(film)][0]).toMatchObject({ labels: listed.map((name) => ({ name })) })
    const raw = JSON.parse(cvatLabels(film.categories)) as {
      name: string
      color: string
      attributes: { name: string; mutable: boolean; input_type: string; values: string[] }[]
    }[]
    expect(raw.map(({ name }) => name)).toEqual(listed)
    expect(raw[1]?.color).toBe('#445566')
    for (const { mutable, input_type, values } of raw.flatMap(({ attributes }) => attributes))
      expect([typeof mutable, /^[a-z]+$/.test(input_type), values.length > 0]).toEqual(['boolean', true, true])
    const declared = [...textOf(cvat, film).matchAll(/<attribute>\n<name>(.*?)<\/name>/g)].map(([, name]) => name)
    expect(new Set(declared)).toEqual(new Set(raw[0]?.attributes.map(({ name }) => name)))
    expect(textOf(cvat, filmOf({ ...tricky, labels: [], clips: [] }))).not.toContain('<labels>')
  })
})

describe('colours', () => {
  const labels = [{ name: '=CMD|1', colour: '#12ab00' }]
  it('of the project go with the labels, whatever their case, and every other label has the one that the window draws', () => {
    const film = filmOf({ ...tricky, labels })
    expect(textOf(cvat, film)).toContain('<name>=CMD|1</name>\n<color>#12ab00</color>')
    const { categories } = dataset([film])
    expect(categories.find(({ name }) => name === '=CMD|1')?.color).toEqual([0x12, 0xab, 0])
    const other = PALETTE.map((colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)))
    expect(other).toContainEqual(categories.find(({ name }) => name === 'one frame')?.color)
  })
})

describe('captions', () => {
  it('please the parser of the W3C validator', () => {
    for (const document of [tricky, ...Array.from({ length: 40 }, (_, i) => randomDocument(i + 1))]) {
      const film = filmOf(document)
      const cues = [...vtt.pieces(film)]
      const seen = new WebVTTParser(entities).parse(textOf(vtt, film), 'captions')
      expect(seen.errors).toEqual([])
      expect(
        seen.cues.map(({ id, startTime, endTime, tree }) => [
          id,
          Math.round(startTime * 1000),
          Math.round(endTime * 1000),
          tree.children.map((node) => node.value).join(''),
        ]),
      ).toEqual(cues.map(({ id, start, end, text }) => [id, start, end, text]))
    }
  })
  it('take their times from PTS, rounded once', () => {
    expect([...vtt.pieces(filmOf(tricky))].map(({ start, end }) => [start, end])).toEqual([
      [0, 500],
      [500, 3600],
    ])
  })
  it('count from where the file begins, not from a first frame that comes later', () => {
    const { probe } = tricky.source
    const begins = (probe.startPts * probe.timeBase.num) / probe.timeBase.den
    const document = { ...tricky, source: { ...tricky.source, probe: { ...probe, fileStart: begins - 1.4 } } }
    for (const format of [vtt, srt])
      expect([...format.pieces(filmOf(document))].map(({ start, end }) => [start, end])).toEqual([
        [1400, 1900],
        [1900, 5000],
      ])
  })
  it('of a part of a clip have its times, in WebVTT, SRT and the table of spans', () => {
    const [clip] = tricky.clips
    const [caption] = clip?.annotations ?? []
    if (!clip || !caption) throw new RangeError('the tricky document lost its clip')
    const annotations = [
      {
        ...caption,
        id: 91,
        state: 'edited' as const,
        body: { kind: 'segment' as const, text: 'late', span: { startFrame: 3, endFrame: 5 } },
      },
      {
        ...caption,
        id: 92,
        state: 'edited' as const,
        body: { kind: 'caption' as const, text: 'early', span: { startFrame: 1, endFrame: 4 } },
      },
      { ...caption, id: 93, body: { kind: 'note' as const, text: 'look', span: { startFrame: 2, endFrame: 3 } } },
    ]
    const film = filmOf({ ...tricky, clips: [{ ...clip, annotations }] })
    const at = (ordinal: number) =>
      Math.round(
        (1000 * ((tricky.pts[ordinal] ?? 0) - tricky.source.probe.startPts) * tricky.source.probe.timeBase.num) /
          tricky.source.probe.timeBase.den,
      )
    const cues = [
      { start: at(1), end: at(4), text: 'early' },
      { start: at(3), end: at(5), text: 'late' },
    ]
    expect([...srt.pieces(film)]).toEqual(cues)
    expect([...vtt.pieces(film)]).toMatchObject(cues)
    expect([...spans.pieces(film)].map(({ kind, start_frame, end_frame }) => [kind, start_frame, end_frame])).toEqual([
      ['shot', 0, 5],
      ['segment', 3, 5],
      ['caption', 1, 4],
      ['note', 2, 3],
    ])
  })
  it('that the model is not sure of say so, until a person has looked at them', () => {
    const [clip] = tricky.clips
    const [caption] = clip?.annotations ?? []
    if (!clip || !caption?.evidence) throw new RangeError('the tricky document lost its clip')
    const texts = (state: 'machine' | 'accepted' | 'edited', unsure: boolean) => {
      const annotation = {
        ...caption,
        state,
        body: { kind: 'caption' as const, text: 'a hat' },
        evidence: { ...caption.evidence, confidence: 0.9, agreement: 0, frames: [], unsure },
      }
      const film = filmOf({ ...tricky, clips: [{ ...clip, annotations: [annotation] }] })
      return [...vtt.pieces(film), ...srt.pieces(film)].map(({ text }) => text)
    }
    expect(texts('machine', true)).toEqual(['(?) a hat', '(?) a hat'])
    for (const [state, unsure] of [
      ['machine', false],
      ['accepted', true],
      ['edited', true],
    ] as const)
      expect(texts(state, unsure)).toEqual(['a hat', 'a hat'])
  })
  it('that a person wrote have no confidence of the machine', () => {
    const [clip] = tricky.clips
    const [caption] = clip?.annotations ?? []
    if (!clip || !caption?.evidence) throw new RangeError('the tricky document lost its clip')
    const { confidence, agreement } = caption.evidence
    const machine = { kind: 'caption' as const, text: 'a cat' }
    const confidences = (text: string) => {
      const body = { ...machine, text }
      const film = filmOf({ ...tricky, clips: [{ ...clip, annotations: [{ ...caption, machine, body, state: 'edited' as const }] }] })
      const row = [...spans.pieces(film)].find((one) => one.kind === 'caption')
      return [row?.confidence, row?.agreement, [...vtt.pieces(film)][0]?.origin?.confidence]
    }
    expect(confidences('a cat')).toEqual([confidence, agreement, confidence])
    expect(confidences('a hat')).toEqual([null, null, null])
  })
  it('keep who made them in WebVTT', () => {
    expect([...vtt.pieces(filmOf(tricky))][0]?.origin).toMatchObject({
      state: 'machine',
      review: 'unsure',
      confidence: 0.625,
      provenance: { packVersion: '0.1.0' },
    })
  })
  it('are all that stands in WebVTT from the first time on: a reader that takes all lines up to the next times for text sees captions', () => {
    for (const document of [tricky, ...Array.from({ length: 40 }, (_, i) => randomDocument(i + 1))]) {
      const film = filmOf(document)
      const cues: string[][] = []
      for (const line of textOf(vtt, film).split('\n')) {
        if (line.includes('-->')) {
          cues.at(-1)?.pop()
          cues.push([])
        } else cues.at(-1)?.push(line)
      }
      const plain = (text: string) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
      expect(cues.map((lines) => plain(lines.join('\n').trim()))).toEqual([...vtt.pieces(film)].map(({ text }) => text))
    }
  })
  it('are read with a byte order mark, any line end, without hours, with settings and tags', () => {
    expect(
      readAll(
        vtt,
        '\uFEFFWEBVTT - a title\r\nKind: captions\r\n\r\nNOTE\r\nremark\r\n\r\nSTYLE\r\n::cue {}\r\n\r\n01:02.500 --> 01:03.000 align:start line:0\r\n<v Anna>Hi &amp; <i>bye</i>\r\n',
      ),
    ).toEqual([{ id: '', start: 62_500, end: 63_000, text: 'Anna: Hi & bye', origin: null }])
    expect(readAll(srt, '\uFEFF1\r00:00:01,5 --> 00:00:02,000 X1:1\rone\rtwo\r\r\r\r00:03.000 --> 00:04.000\rthree')).toEqual([
      { start: 1500, end: 2000, text: 'one\ntwo' },
      { start: 3000, end: 4000, text: 'three' },
    ])
  })
  it('of other kinds are refused', () => {
    expect(() => readAll(vtt, '1\n00:00:01.000 --> 00:00:02.000\nx')).toThrow('WEBVTT')
    expect(() => readAll(srt, '1\nno times\nx')).toThrow('times')
  })
})

describe('what nobody has decided and the machine is not sure of', () => {
  it('looks so in every file that says something', () => {
    const [clip] = tricky.clips
    const [caption] = clip?.annotations ?? []
    if (!clip || !caption?.evidence) throw new RangeError('the tricky document lost its clip')
    const film = (state: 'machine' | 'accepted', unsure: boolean) =>
      filmOf({
        ...tricky,
        clips: [
          {
            ...clip,
            annotations: [{ ...caption, state, evidence: { ...caption.evidence, confidence: 0.9, agreement: 0, frames: [], unsure } }],
          },
        ],
      })
    for (const [state, unsure, review] of [
      ['machine', true, 'unsure'],
      ['machine', false, 'sure'],
      ['accepted', true, 'accepted'],
    ] as const) {
      const made = film(state, unsure)
      expect([...spans.pieces(made)][1]).toMatchObject({ review })
      expect([...vtt.pieces(made)][0]?.origin).toMatchObject({ review })
      expect([...jsonl.pieces(made)][3]).toMatchObject({ review })
      for (const format of [vtt, srt]) expect([...format.pieces(made)][0]?.text.startsWith('(?)')).toBe(review === 'unsure')
    }
  })
})

describe('a part of what is said', () => {
  const ids = (scope: Scope, withRejected = false) =>
    tricky.clips.flatMap(({ annotations }) => annotations.filter((one) => inScope(scope, one, withRejected)).map(({ id }) => id))
  it('is by whom it was made', () => {
    expect(ids({ by: 'machine' })).toEqual([1, 2, 3, 13, 14, 15, 16])
    expect(ids({ by: 'people' })).toEqual([2, 4, 11, 12, 15])
  })
  it('is how it was reviewed, also what was rejected', () => {
    expect(ids({ states: ['rejected', 'edited'] })).toEqual([4, 5, 6, 11, 12])
    expect(ids({})).toEqual([1, 2, 3, 4, 11, 12, 13, 14, 15, 16])
    expect(ids({}, true)).toEqual([1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16])
  })
  it('is boxes of some labels, whatever their case, beside everything that is no box', () => {
    expect(ids({ labels: ['=CMD|1'] })).toEqual([1, 2, 4, 11, 15, 16])
    const film = filmOf(tricky, { labels: ['One Frame'] })
    expect(cvatTracks(film).map(({ id }) => id)).toEqual([12])
    expect(dataset([film]).tracks.map(({ id }) => id)).toEqual([12])
  })
  it('has a key of its own', () => {
    expect(scopeKey({ labels: ['b', 'A'] })).toBe(scopeKey({ labels: ['a', 'B'] }))
    expect(
      new Set([{}, { by: 'machine' }, { by: 'people' }, { labels: ['a'] }, { states: ['edited'] }].map((scope) => scopeKey(scope as Scope)))
        .size,
    ).toBe(5)
    expect(scopeKey({})).toBe('')
  })
})

describe('names of films', () => {
  const named = (...paths: string[]) => [
    ...titlesOf(paths.map((path, i) => ({ id: i + 1, path, name: path.split(/[\\/]/).at(-1) ?? '' }))).values(),
  ]
  it('have as much of the folder as tells them apart', () => {
    expect(named('/a/x.mp4', '/a/y.mp4')).toEqual(['x.mp4', 'y.mp4'])
    expect(new Set(named('/a/monday/clip.mp4', '/a/tuesday/clip.mp4', '/a/other.mp4'))).toEqual(
      new Set(['monday/clip.mp4', 'tuesday/clip.mp4', 'other.mp4']),
    )
    expect(new Set(named('C:\\v\\a\\1\\c.mp4', 'C:\\v\\b\\1\\c.mp4', 'C:\\v\\b\\2\\c.mp4'))).toEqual(
      new Set(['a/1/c.mp4', 'b/1/c.mp4', '2/c.mp4']),
    )
  })
  it('have the folder first, then the number of a picture', () => {
    const films = ['/v/A/cam.mp4|cam.mp4', '/v/A/cam.mp4|cam.mp4 #2', '/v/B/cam.mp4|cam.mp4', '/v/two.mkv|two.mkv', '/v/two.mkv|two.mkv #2']
    const titled = titlesOf(films.map((film, id) => ({ id, path: film.split('|')[0] ?? '', name: film.split('|')[1] ?? '' })))
    expect([...titled].toSorted(([a], [b]) => a - b).map(([, title]) => title)).toEqual([
      'A/cam.mp4',
      'A/cam.mp4 #2',
      'B/cam.mp4',
      'two.mkv',
      'two.mkv #2',
    ])
  })
  it('differ even where one place held several, one after the other', () => {
    expect(new Set(named('/cam.mp4', '/cam.mp4', '/a/cam.mp4')).size).toBe(3)
  })
})

describe('hostile cells and files', () => {
  it('no cell starts as a formula', () => {
    const cells = table({ text: 'text' })
    for (const text of [
      '=1',
      '+1+1',
      '-1-A1',
      '@x',
      '\t=1',
      '\r=1',
      "'=1",
      '+SUM(A1)',
      "-2+3+cmd|' /C calc'!A0",
      '-A1',
      '=',
      '＝1',
      '-1*$B$2',
      '+Sheet1!A1',
      '-2024-01-05',
    ]) {
      expect([text, [...cells.write([{ text }])].join('').split('\r\n').slice(1).join('')]).toEqual([text, expect.stringMatching(/^"?'/)])
      expect([...cells.read(cells.write([{ text }]))]).toEqual([{ text }])
    }
  })
  it('a text that is no formula stays as it is, whatever it starts with', () => {
    const cells = table({ text: 'text' })
    for (const text of [
      '-5 °C',
      '+5 °C',
      '-5 degC',
      '+5',
      '-3.2',
      '-1e-5',
      '- a dash',
      '-',
      '--',
      '+',
      "'quoted'",
      '-very hot (not cold)',
      '+49 30 1234',
      '-no',
      '-5 %',
      "'-5 °C",
      '\thello',
      '-12,5 dB',
    ]) {
      const written = [...cells.write([{ text }])].join('').slice('text\r\n'.length, -2)
      expect(written.startsWith('"') ? written.slice(1, -1) : written).toBe(text)
      expect(isFormula(text)).toBe(false)
      expect([...cells.read(cells.write([{ text }]))]).toEqual([{ text }])
    }
  })
  it('a long text is told from a formula at once', () => {
    const began = performance.now()
    isFormula(`-${'1,1.'.repeat(20_000)} °`)
    isFormula(`-${'a+'.repeat(20_000)}°`)
    expect(performance.now() - began).toBeLessThan(1_000)
  })
  it('what others read as missing is in quotes', () => {
    const cells = table({ text: 'text' })
    for (const text of ['NA', 'None', 'null', 'nan', 'N/A', 'NULL']) expect([...cells.write([{ text }])].at(-1)).toBe(`"${text}"\r\n`)
  })
  it('whole numbers have a value in every row, so that a column of them stays one', () => {
    for (const document of [tricky, ...Array.from({ length: 10 }, (_, i) => randomDocument(i + 1))]) {
      for (const row of spans.pieces(filmOf(document)))
        for (const key of ['clip_id', 'annotation_id', 'start_frame', 'end_frame', 'unsure'] as const)
          expect(Number.isInteger(row[key])).toBe(true)
      for (const row of boxes.pieces(filmOf(document)))
        for (const key of ['frame', 'pts', 'timebase_num', 'timebase_den', 'track_id', 'observed', 'width', 'height'] as const)
          expect(Number.isInteger(row[key])).toBe(true)
    }
  })
  it('a broken table is refused', () => {
    const cells = table({ a: 'number', b: 'text' })
    const read = (text: string) => [...cells.read([text])]
    expect(() => read('a,c\r\n')).toThrow('columns')
    expect(() => read('')).toThrow('columns')
    expect(() => read('a,b\r\n1\r\n')).toThrow('cells')
    expect(() => read('a,b\r\nx,y\r\n')).toThrow('not a number')
    expect(() => read('a,b\r\n1,"open\r\n')).toThrow('quote')
  })
  it('CVAT with a document type is refused', () => {
    const text = textOf(cvat, filmOf(tricky))
    expect(() => readAll(cvat, text.replace('?>', '?><!DOCTYPE a [<!ENTITY b "c">]>'))).toThrow('not allowed')
    expect(() => readAll(cvat, text.replace('</annotations>', ''))).toThrow('cut off')
    expect(() => readAll(cvat, text.slice(0, text.lastIndexOf('<box')))).toThrow('cut off')
    expect(() => readAll(cvat, text.replace('keyframe="1"', 'keyframe="yes"'))).toThrow()
  })
  it('COCO and JSON Lines with a missing part are refused', () => {
    expect(() => readAll(coco, '{"images":[]}')).toThrow()
    const text = textOf(coco, [filmOf(tricky)])
    expect(() => readAll(coco, text.slice(0, text.length / 2))).toThrow('cut off')
    expect(() => readAll(coco, text.replace('"bbox"', '"box"'))).toThrow()
    expect(() => readAll(jsonl, textOf(jsonl, filmOf(tricky)).split('\n').slice(1).join('\n'))).toThrow('first two lines')
  })
})

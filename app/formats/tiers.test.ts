/** ELAN, ActivityNet Captions and Label Studio: what is written reads back, and files of other tools are understood. */
import { describe, expect, it } from 'vitest'
import { filmOf, filmsOf, nastyDocument, randomDocument, tricky } from '../../test/documents.ts'
import { activitynet, readActivitynet } from './activitynet.ts'
import { captionCues } from './cues.ts'
import { formatOf } from './detect.ts'
import type { Format } from './document.ts'
import { trackedObjects } from './document.ts'
import { eaf, readEaf } from './eaf.ts'
import type { Found } from './found.ts'
import { labelstudio, labelstudioConfig, readLabelstudio } from './labelstudio.ts'

const documents = [tricky, { ...tricky, clips: [] }, nastyDocument(1), ...Array.from({ length: 40 }, (_, seed) => randomDocument(seed + 1))]
const films = documents.map((document) => filmOf(document))
const textOf = <I, P>(format: Format<I, P>, input: I) => [...format.write(format.pieces(input))].join('')
const pieces = (text: string, size: number) =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size))
const boxes = (found: Iterable<Found>) => [...found].flatMap((one) => (one.type === 'box' ? [one] : []))
const texts = (found: Iterable<Found>) => [...found].flatMap((one) => (one.type === 'text' ? [one] : []))

function roundTrip<I, P>(format: Format<I, P>, input: I): void {
  const meant = [...format.pieces(input)]
  const text = textOf(format, input)
  for (const size of [1 << 18, 97]) expect([...format.read(pieces(text, size))]).toStrictEqual(meant)
  expect([...format.write(format.read([text]))].join('')).toBe(text)
}

describe('ELAN', () => {
  it('reads back what it wrote, wherever a chunk ends', () => {
    for (const film of films) roundTrip(eaf, film)
  })

  it('has no overlap on a tier, no annotation without a length, and every caption', () => {
    for (const film of films) {
      const tiers = new Map<string, [number, number][]>()
      for (const piece of eaf.pieces(film)) {
        if (piece.part !== 'annotation') continue
        const before = tiers.get(piece.tier) ?? []
        tiers.set(piece.tier, [...before, [piece.start, piece.end]])
        expect(piece.start).toBeLessThan(piece.end)
        expect(before.at(-1)?.[1] ?? 0).toBeLessThanOrEqual(piece.start)
      }
      const read = texts(readEaf(() => [textOf(eaf, film)])).filter(({ kind }) => kind === 'caption')
      expect(read.map(({ text, ms }) => [ms?.start, text]).sort()).toEqual(
        captionCues(film)
          .map(({ start, text }) => [start, text.replace(/^\(\?\) /, '')])
          .sort(),
      )
    }
  })

  it('of another tool: tiers that depend on others, times between others, an offset, a name with a space', () => {
    const text = `<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="me" DATE="2020-01-01T00:00:00+01:00" FORMAT="3.0" VERSION="3.0">
<HEADER TIME_UNITS="milliseconds"><MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/films/cam%201.mp4" MIME_TYPE="video/mp4" TIME_ORIGIN="1000" RELATIVE_MEDIA_URL="./cam%201.mp4"/></HEADER>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="100"/><TIME_SLOT TIME_SLOT_ID="b"/><TIME_SLOT TIME_SLOT_ID="c" TIME_VALUE="500"/><TIME_SLOT TIME_SLOT_ID="d"/></TIME_ORDER>
<TIER TIER_ID="gloss" LINGUISTIC_TYPE_REF="r"><ANNOTATION><REF_ANNOTATION ANNOTATION_ID="x2" ANNOTATION_REF="x1"><ANNOTATION_VALUE>HELLO &amp; bye</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="notes" LINGUISTIC_TYPE_REF="t"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="x1" TIME_SLOT_REF1="b" TIME_SLOT_REF2="c"><ANNOTATION_VALUE>hello</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="x3" TIME_SLOT_REF1="c" TIME_SLOT_REF2="d"><ANNOTATION_VALUE>open</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
</ANNOTATION_DOCUMENT>`
    expect(formatOf('x.xml', text)).toBe('eaf')
    expect([...readEaf(() => pieces(text, 11))]).toMatchObject([
      { type: 'video', name: 'cam 1.mp4', path: 'C:/films/cam 1.mp4' },
      { type: 'text', kind: 'caption', text: 'gloss: HELLO & bye', ms: { start: 1300, end: 1500 } },
      { type: 'text', kind: 'caption', text: 'notes: hello', ms: { start: 1300, end: 1500 } },
      { type: 'fault', line: 7 },
    ])
    expect(() => [...readEaf(() => ['<!DOCTYPE a><ANNOTATION_DOCUMENT/>'])]).toThrow('document type')
    expect(() => [...readEaf(() => ['<ANNOTATION_DOCUMENT><TIER>'])]).toThrow('Line 1')
  })
})

describe('ActivityNet Captions', () => {
  it('reads back what it wrote: as many sentences as spans, within the duration', () => {
    roundTrip(activitynet, [])
    for (const film of films) {
      roundTrip(activitynet, [film])
      for (const { entry } of activitynet.pieces([film])) {
        expect(entry.sentences).toHaveLength(entry.timestamps.length)
        for (const [start, end] of entry.timestamps) expect([start < end, end <= entry.duration]).toEqual([true, true])
      }
    }
  })

  it('of another tool, as reference or as results', () => {
    const reference = '{"v_QOlSCBRmfWY":{"duration":82.73,"timestamps":[[0.83,19.86],[1,"x"]],"sentences":["A woman is seen."," no "]}}'
    const results = '{"version":"VERSION 1.0","results":{"v_1":[{"sentence":"A dog.","timestamp":[1.5,2]}]},"external_data":{"used":false}}'
    expect([formatOf('a.json', reference), formatOf('b.json', results)]).toEqual(['activitynet', 'activitynet'])
    expect([...readActivitynet(() => [reference])]).toMatchObject([
      { type: 'video', name: 'v_QOlSCBRmfWY' },
      { type: 'text', ms: { start: 830, end: 19_860 }, text: 'A woman is seen.', line: 1 },
      { type: 'fault', line: 2 },
    ])
    expect(texts(readActivitynet(() => [results]))).toMatchObject([{ video: 'v_1', ms: { start: 1500, end: 2000 }, text: 'A dog.' }])
    expect(() => [...readActivitynet(() => ['{"a":1}'])]).toThrow('no list of captions')
  })
})

describe('Label Studio', () => {
  it('reads back what it wrote: several videos, with and without regions', () => {
    roundTrip(labelstudio, [])
    for (let seed = 1; seed <= 15; seed++)
      roundTrip(
        labelstudio,
        filmsOf([tricky, ...[1, 2, 3].map((n) => randomDocument(seed * 10 + n))]).map((film, i) => ({
          ...film,
          source: { ...film.source, id: i + 1 },
        })),
      )
  })

  it('is one list of tasks, and draws each box where it is, until the object is gone', () => {
    for (const film of films) {
      const text = textOf(labelstudio, [film])
      const tasks = JSON.parse(text) as { annotations?: unknown; predictions?: unknown }[]
      expect(tasks).toHaveLength(1)
      expect(formatOf('tasks.json', text)).toBe('label-studio')
      const drawn = new Map<string, number[]>()
      const all = boxes(readLabelstudio(() => pieces(text, 101)))
      for (const [at, one] of all.entries()) {
        const next = all[at + 1]
        if (one.outside) continue
        const until = next?.track === one.track && !(next.outside && next.frame === one.frame + 1) ? next.frame : one.frame + 1
        for (let frame = one.frame; frame < until; frame++) {
          const share = next && until > one.frame + 1 ? (frame - one.frame) / (next.frame - one.frame) : 0
          drawn.set(
            `${one.track} ${frame - 1}`,
            [one.box.x1, one.box.x2].map((side, i) => 320 * (side + share * (((i === 0 ? next?.box.x1 : next?.box.x2) ?? 0) - side))),
          )
        }
      }
      const meant = [...trackedObjects(film)].flatMap(({ id, boxes: own }) =>
        [...own].map(({ frame, x1, x2 }): [string, number[]] => [`t${id} ${frame}`, [x1, x2]]),
      )
      expect([...drawn.keys()].sort()).toEqual(meant.map(([key]) => key).sort())
      for (const [key, sides] of meant)
        for (const [i, side] of sides.entries()) expect(Math.abs((drawn.get(key)?.[i] ?? 0) - side)).toBeLessThan(0.6)
    }
  })

  it('of another tool: an uploaded video, an open end, a gap, what is no box', () => {
    const key = (frame: number, enabled: boolean, x = 10) => ({
      frame,
      enabled,
      rotation: 0,
      x,
      y: 20,
      width: 30,
      height: 40,
      time: frame / 25,
    })
    const region = (id: string, sequence: unknown[]) => ({
      id,
      type: 'videorectangle',
      from_name: 'a',
      to_name: 'b',
      value: { framesCount: 9, labels: ['cat'], sequence },
    })
    const task = {
      id: 1,
      data: { video: '/data/upload/1/0a1b2c3d-my%20cat.mp4' },
      annotations: [
        {
          result: [region('x', [key(2, true), key(4, false), key(6, true)]), region('y', [key(3, false)]), { type: 'choices', value: {} }],
        },
      ],
    }
    const found = [...readLabelstudio(() => [JSON.stringify([task])])]
    expect(found[0]).toMatchObject({ type: 'video', name: 'my cat.mp4', firstFrame: 1, relative: true })
    expect(boxes(found).map(({ track, frame, outside }) => [track, frame, outside])).toEqual([
      ['x', 2, false],
      ['x', 4, false],
      ['x', 5, true],
      ['x', 6, false],
      ['x', 9, false],
      ['y', 3, false],
      ['y', 4, true],
    ])
    expect(found.at(-1)).toMatchObject({ type: 'fault', line: 3 })
  })

  it('has a configuration with every label, in which nothing is taken for markup', () => {
    const text = labelstudioConfig([{ id: 1, name: 'a <b> & "c"', colour: '#112233' }])
    expect(text).toContain('<Label value="a &lt;b&gt; &amp; &quot;c&quot;" background="#112233"/>')
  })
})

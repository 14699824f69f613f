import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer/src/index.js'
import { afterAll, describe, expect, it } from 'vitest'
import { type AnnotationDocument, libraryOf, randomDocument, tricky } from '../../test/documents.ts'
import type { ExportFormat } from '../../app/contract/export.ts'
import type { ImportPart } from '../../app/contract/imports.ts'
import { inEnglish, TubeletError } from '../../app/errors.ts'
import { cvatLabels } from '../../app/formats/cvat.ts'
import type { Probe } from '../../app/media.ts'
import { english } from '../../app/phrase.ts'
import { writeArchive } from '../archive.ts'
import { exportProject } from '../export/export.ts'
import { Library } from '../library/library.ts'
import { parquetBoxes, parquetSpans } from '../../app/formats/parquet.ts'
import { Imports } from './imports.ts'

const root = mkdtempSync(path.join(os.tmpdir(), 'tubelet-imports-'))
let made = 0
const folder = () => {
  const dir = path.join(root, String((made += 1)))
  mkdirSync(dir)
  return dir
}
const open: Library[] = []
afterAll(async () => {
  for (const library of open) await library.close()
  rmSync(root, { recursive: true, force: true })
})
function hold(documents: readonly AnnotationDocument[]): Library {
  const library = libraryOf(folder(), documents)
  open.push(library)
  return library
}
/** The same videos and clips, with nothing said about them. */
const bare = (documents: readonly AnnotationDocument[]) =>
  documents.map((document) => ({ ...document, clips: document.clips.map((clip) => ({ ...clip, annotations: [] })) }))

async function files(library: Library, formats: readonly ExportFormat[], which: RegExp): Promise<string[]> {
  const { files: written } = await exportProject(library, { formats, directory: folder() })
  return written.map(({ path: file }) => file).filter((file) => which.test(file))
}

/** @param choose The video of a part that is not sure. */
async function taken(
  library: Library,
  paths: readonly string[],
  unreviewed = true,
  choose: (part: ImportPart) => number | null = () => null,
) {
  const imports = new Imports(library)
  const read = await imports.read(paths)
  const chosen = read.parts.flatMap((part) => {
    const sourceId = part.sure ? part.sourceId : choose(part)
    return sourceId === null ? [] : [{ part: part.id, sourceId, ...part.counting }]
  })
  const result = await imports.take(read.importId, chosen, unreviewed)
  await imports.close()
  return { read, result }
}

/** A file as another tool would write it. */
function file(name: string, text: string | Buffer): string {
  const at = path.join(folder(), name)
  writeFileSync(at, text)
  return at
}

describe('a file that Tubelet wrote', () => {
  const shapes: Partial<Probe>[] = [
    {},
    { rotation: 90, codedWidth: 240, codedHeight: 320 },
    { codedWidth: 160, sampleAspectRatio: { num: 2, den: 1 } },
    { rotation: 270, codedWidth: 480, codedHeight: 320, sampleAspectRatio: { num: 1, den: 2 } },
  ]
  /** The first two have one name, in two folders. */
  const documents = [3, 11, 12, 17, 29, 31, 32, 40].map((seed, at): AnnotationDocument => {
    const document = randomDocument(seed)
    const own = (id: number) => seed * 100 + id
    const name = at < 2 ? 'same.mp4' : `v${seed}.mp4`
    return {
      ...document,
      source: {
        ...document.source,
        name,
        path: `/films/${seed}/${name}`,
        fingerprint: `xxh:${seed}`,
        probe: { ...document.source.probe, ...shapes[at % shapes.length] },
      },
      clips: document.clips.map((clip) => ({
        ...clip,
        id: own(clip.id),
        annotations: clip.annotations.map((one) => ({ ...one, id: own(one.id), clipId: own(clip.id) })),
      })),
    }
  })
  const cases: [ExportFormat, RegExp][] = [
    ['jsonl', /annotations\.jsonl$/],
    ['csv', /(?:boxes|spans)\.csv$/],
    ['coco', /^(?!.*\/annotations\/).*instances\.json$/],
    ['youtube-vis', /youtube-vis\.json$/],
    ['parquet', /(?:boxes|spans)\.parquet$/],
    ['cvat', /cvat\.xml$/],
    ['mot', /gt\.txt$/],
    ['viame', /viame\.csv$/],
    ['label-studio', /label-studio\.json$/],
    ['vtt', /captions\.vtt$/],
    ['srt', /captions\.srt$/],
    ['eaf', /annotations\.eaf$/],
    ['activitynet', /activitynet-captions\.json$/],
  ]
  for (const [format, which] of cases)
    it(`${format} is the same after it was imported elsewhere and exported again`, async () => {
      const ids = documents.map(({ source }) => source.id).sort((a, b) => a - b)
      // Subtitles of two videos of one name lie in folders of which only one is called like them.
      const inOrder = (part: ImportPart) => ids[part.file] ?? null
      const first = hold(documents)
      const second = hold(bare(documents))
      const told = await files(first, [format], which)
      await taken(second, told, true, inOrder)
      const third = hold(bare(documents))
      const written = await files(second, [format], which)
      await taken(third, written, true, inOrder)
      const again = await files(third, [format], which)
      for (const [at, one] of written.entries())
        expect(comparable(await textIn(again[at] ?? ''), format)).toEqual(comparable(await textIn(one), format))
      // Who decided may differ from the first, in which most is a machine's. What is said may not.
      const [before = '', after = ''] = await Promise.all([told, written].map(([one = '']) => textIn(one)))
      if (format === 'srt' || format === 'activitynet') expect(after).toBe(before.replaceAll('(?) ', ''))
      if (format === 'mot') expect(comparable(after, format)).toEqual(comparable(before, format))
      if (format === 'coco') {
        expect(boxesIn(after).length).toBe(boxesIn(before).length)
        expect([allAmong(boxesIn(before), boxesIn(after)), allAmong(boxesIn(after), boxesIn(before))]).toEqual([true, true])
      }
    }, 120_000)
})

describe('a file of another tool', () => {
  const [plain] = [tricky].map(
    (document): AnnotationDocument => ({
      ...document,
      source: {
        ...document.source,
        name: 'cam 1.mp4',
        path: '/films/cam 1.mp4',
        probe: { ...document.source.probe, startPts: 0, variableFrameRate: false, timeBase: { num: 1, den: 25 }, duration: 0.48 },
      },
      pts: Array.from({ length: 12 }, (_, i) => i),
      clips: document.clips
        .filter(({ startFrame, endFrame }) => startFrame < endFrame)
        .map((clip) => ({ ...clip, start: clip.startFrame / 25, end: clip.endFrame / 25, annotations: [] })),
    }),
  )
  if (!plain) throw new RangeError('no document')
  const here = () => hold([plain])
  const said = (library: Library) =>
    library
      .clips({ limit: 100, offset: 0 })
      .clips.flatMap(({ id }) => library.annotations(id))
      .map(({ body, origin }) => ({ body, file: origin?.file }))
  const tracksOf = (library: Library) =>
    said(library).flatMap(({ body }) =>
      body.kind === 'track'
        ? [{ label: body.label, keys: body.boxes.map(({ ordinal, box, outside = false }) => [ordinal, box.x1, outside]) }]
        : [],
    )
  const json = (value: unknown) => JSON.stringify(value)

  it('of COCO without videos is matched by the names of its images, and asks where its frames begin', async () => {
    const library = here()
    const coco = file(
      'anything.json',
      json({
        images: [3, 4].map((n) => ({ id: n, file_name: `images/cam 1_frame_${String(n).padStart(6, '0')}.jpg`, width: 640, height: 480 })),
        annotations: [
          { id: 1, image_id: 3, category_id: 9, bbox: [100, 20, 40, 60], score: 0.5 },
          { id: 2, image_id: 4, category_id: 9, bbox: [110, 20, 40, 60] },
          { id: 3, image_id: 77, category_id: 9, bbox: [1, 1, 1, 1] },
          { id: 4, image_id: 4, category_id: 8, bbox: [1, 1, 1, 1] },
          { id: 5, image_id: 4, category_id: 9, bbox: [1, 1, null, 1] },
          { id: 6, image_id: 4, category_id: 9, bbox: [10, 10, -5, 5] },
        ],
        categories: [{ id: 9, name: 'fork lift' }],
      }),
    )
    const imports = new Imports(library)
    const read = await imports.read([coco])
    expect(read.parts).toMatchObject([{ named: 'cam 1', sourceId: 7, fits: true, sure: false, boxes: 2, asks: { firstFrame: true } }])
    expect(read.faults.list.map(({ line, what }) => [line, english(what)])).toEqual([
      [3, 'There is no image 77 in the file.'],
      [4, 'There is no category 8 in the file.'],
      [5, 'It has no box of four numbers.'],
      [6, 'It has no box of four numbers.'],
    ])
    await expect(imports.take(read.importId)).rejects.toThrow('not sure')
    const chosen = { part: read.parts[0]?.id ?? 0, sourceId: 7, firstFrame: 1, firstPixel: 0 } as const
    // The file is about a picture of twice the size.
    expect(await imports.look(read.importId, chosen)).toMatchObject({
      ordinal: 2,
      boxes: [{ label: 'fork lift', box: { x1: 50, y1: 10, x2: 70, y2: 40 } }],
      doubts: [{ text: expect.stringContaining('scaled') as string }],
    })
    const result = await imports.take(read.importId, [chosen])
    expect(result).toMatchObject({ tracks: 2, labels: ['fork lift'] })
    expect(tracksOf(library)).toEqual([
      { label: 'fork lift', keys: [[2, 50, false]] },
      { label: 'fork lift', keys: [[3, 55, false]] },
    ])
    expect(library.detections.vocabulary().map(({ name }) => name)).toContain('fork lift')
    // One step takes all of it back, and brings it again with its source.
    await library.history.undo('all')
    expect([said(library), library.detections.vocabulary().map(({ name }) => name)]).toEqual([[], ['=CMD|1']])
    await library.history.redo()
    expect(said(library).map(({ file: from }) => from)).toEqual(['anything.json', 'anything.json'])
    // A label is looked for in every video: of boxes that are there already none comes.
    library.detections.setVocabulary([])
    const again = await imports.read([coco])
    expect(await imports.take(again.importId, [{ ...chosen, part: again.parts[0]?.id ?? 0 }])).toMatchObject({
      tracks: 0,
      there: 2,
      labels: [],
    })
    expect(library.detections.vocabulary()).toEqual([])
  })

  it('of CVAT has boxes at its keyframes, and none where the object is outside', async () => {
    const library = here()
    const box = (frame: number, x: number, more = '') =>
      `<box frame='${frame}' ${more} xtl="${x}" ytl="10.5" xbr="${x + 20}" ybr="30" occluded="0" keyframe="1" z_order="0"></box>`
    const xml = file(
      'task.xml',
      `<?xml version="1.0"?><annotations><version>1.1</version><meta><job><size>12</size><original_size><width>320</width><height>240</height></original_size></job><source>cam 1.mp4</source></meta>
<track id="0" label="a &lt;b&gt; &amp;#33;" source="manual">
${box(0, 10, 'outside="0"')}${box(4, 50, 'outside="0"')}
${box(5, 50, 'outside="1"')}<!-- gone -->
${box(8, 90, 'outside="0"')}${box(9, 90, 'outside="1"')}
</track><track id="1" label="x"><polygon frame="1" points="1,1;2,2;3,1"></polygon></track></annotations>`,
    )
    const { read, result } = await taken(library, [xml])
    expect(read.parts).toMatchObject([{ named: 'cam 1.mp4', sure: true, tracks: 1 }])
    expect(read.faults.list.map(({ line, what }) => [line, english(what)])).toEqual([[6, 'Tubelet has boxes alone, no “polygon”.']])
    expect(result.tracks).toBe(1)
    expect(tracksOf(library)).toEqual([
      {
        label: 'a <b> &#33;',
        keys: [
          [0, 10, false],
          [4, 50, false],
          [5, 50, true],
          [8, 90, false],
        ],
      },
    ])
  })

  it('of subtitles becomes captions of clips and of parts, in any code', async () => {
    const library = here()
    const cues = [
      '1',
      '00:00:00,000 --> 00:00:00,200',
      '<i>Grüße</i>',
      'zwei Zeilen',
      '',
      'nothing',
      '',
      '2',
      '00:00:00,240 --> 00:00:00,330',
      '{\\an8}ein Teil',
    ]
    const srt = file('cam 1.de.srt', Buffer.from(cues.join('\r\n'), 'latin1'))
    const { read } = await taken(library, [srt])
    expect(read.parts).toMatchObject([{ sure: true, texts: 2 }])
    expect(read.faults.list).toMatchObject([{ line: 6 }])
    expect(said(library).map(({ body }) => body)).toEqual([
      { kind: 'caption', text: 'Grüße\nzwei Zeilen' },
      { kind: 'segment', text: 'ein Teil', span: { startFrame: 6, endFrame: 8 } },
    ])
    // Once more: all is there.
    const again = await taken(library, [srt])
    expect(again.result).toMatchObject({ texts: 0, there: 2, step: 0 })
  })

  it('of MOT Challenge counts frames from 1 and asks for pixels; of VIAME from 0', async () => {
    const mot = here()
    const imports = new Imports(mot)
    const read = await imports.read([
      file('cam 1.txt', '1,4,11,21,40,50,1,3,1.0\n2,4,16,21,40,50,1,3,1.0\n2,5,1,1,9,9,0,3,1\n5,4,31,21,40,50,1,3,0.4\n'),
    ])
    expect(read.parts).toMatchObject([{ tracks: 1, boxes: 3, fits: true, sure: false, asks: { firstFrame: false, firstPixel: true } }])
    await imports.take(read.importId, [{ part: read.parts[0]?.id ?? 0, sourceId: 7, firstFrame: 1, firstPixel: 1 }])
    expect(tracksOf(mot)).toEqual([
      {
        label: 'car',
        keys: [
          [0, 10, false],
          [1, 15, false],
          [2, 15, true],
          [4, 30, false],
        ],
      },
    ])
    const dive = here()
    const { read: told } = await taken(dive, [
      file('cam 1.csv', '# metadata,fps: 25\n3,x.png,0,10,20,50,60,0.9,-1,shark,0.8\n3,x.png,1,12,20,52,60,0.9,-1,shark,0.7,(atr) a b\n'),
    ])
    expect(told.files[0]?.format).toBe('VIAME CSV')
    expect(tracksOf(dive)).toEqual([
      {
        label: 'shark',
        keys: [
          [0, 10, false],
          [1, 12, false],
        ],
      },
    ])
  })

  it('that counts frames at a rate of its own lies where these are in time: in DIVE five a second, in Label Studio 24 by default', async () => {
    const keys = [
      [0, 10, false],
      [5, 60, false],
      [10, 110, false],
    ]
    const dive = here()
    const rows = [0, 1, 2].map((n) => `3,00:00:00.${n * 2}00000,${n},${10 + 50 * n},20,${50 + 50 * n},60,0.9,-1,shark,0.8`)
    const head = '# 1: Detection or Track-id\n# metadata,fps: 5.0,"exported_by: dive:python"\n'
    await taken(dive, [file('cam 1.csv', head + rows.join('\n'))])
    expect(tracksOf(dive)).toEqual([{ label: 'shark', keys }])
    const coco = here()
    const boxes = [0, 1, 2].map((n) => ({ id: n, image_id: n, category_id: 1, track_id: 3, bbox: [10 + 50 * n, 20, 40, 40] }))
    const images = [0, 1, 2].map((n) => ({ id: n, video_id: 1, frame_index: n, file_name: `f${n}.png` }))
    const videos = [{ id: 1, name: 'cam 1.mp4', annotation_fps: 5 }]
    await taken(coco, [file('dive.json', json({ videos, images, annotations: boxes, categories: [{ id: 1, name: 'shark' }] }))])
    expect(tracksOf(coco)).toEqual([{ label: 'shark', keys }])
    // 50 frames a second of a video of 25.
    const studio = here()
    const sequence = [1, 11, 21].map((frame, n) => ({ frame, x: (10 + 50 * n) / 3.2, y: 10, width: 12.5, height: 20, enabled: n < 2 }))
    const value = { framesCount: 24, duration: 0.48, labels: ['shark'], sequence }
    const task = {
      data: { video: '/data/upload/1/0a1b2c3d-cam 1.mp4' },
      annotations: [{ result: [{ id: 'r', type: 'videorectangle', value }] }],
    }
    const { read } = await taken(studio, [file('project.json', json([task]))])
    expect(read.parts).toMatchObject([{ sure: true }])
    expect(tracksOf(studio).map((track) => track.keys.map(([ordinal]) => ordinal))).toEqual([[0, 5, 10]])
    // Such a file says so before it is imported.
    const imports = new Imports(here())
    const { importId, parts } = await imports.read([file('cam 1.csv', head + rows.join('\n'))])
    const look = await imports.look(importId, { part: parts[0]?.id ?? 0, sourceId: 7, firstFrame: 0, firstPixel: 0 })
    expect(look.doubts.map(english)).toEqual(['The file counts 5 frames a second, this video has 25: its numbers are taken for times.'])
    await imports.close()
  })

  it('of a project of CVAT has each track on the video of its task', async () => {
    const other: AnnotationDocument = {
      ...plain,
      source: { ...plain.source, id: 8, name: 'cam 2.mp4', path: '/films/cam 2.mp4', fingerprint: 'xxh:8' },
      clips: plain.clips.map((clip) => ({ ...clip, id: clip.id + 1000, sourceId: 8 })),
    }
    const library = hold([plain, other])
    const task = (id: number, more: string) =>
      `<task><id>${id}</id><name>task ${id}</name>${more}<original_size><width>320</width><height>240</height></original_size><source>cam ${id - 2}.mp4</source></task>`
    const track = (id: number, of: number, frame: number) =>
      `<track id="${id}" label="car" task_id="${of}" subset="default"><box frame="${frame}" keyframe="1" outside="0" occluded="0" xtl="10" ytl="10" xbr="30" ybr="30"></box></track>`
    // A part of a video, every second frame: the numbers are still those of the video.
    const part = '<size>3</size><start_frame>4</start_frame><stop_frame>9</stop_frame><frame_filter>step=2</frame_filter>'
    const xml = `<annotations><version>1.1</version><meta><project><id>1</id><name>both</name><tasks>${task(3, '<size>12</size><start_frame>0</start_frame>')}${task(4, part)}</tasks></project></meta>${track(0, 3, 1)}${track(1, 4, 6)}</annotations>`
    const { read } = await taken(library, [file('project.xml', xml)])
    expect(read.parts).toMatchObject([
      { named: 'cam 1.mp4', sourceId: 7, sure: true, tracks: 1 },
      { named: 'cam 2.mp4', sourceId: 8, sure: true, tracks: 1 },
    ])
    const framesOf = (sourceId: number) =>
      library
        .clips({ limit: 100, offset: 0, sourceId })
        .clips.flatMap(({ id }) =>
          library.annotations(id).flatMap(({ body }) => (body.kind === 'track' ? body.boxes.map(({ ordinal }) => ordinal) : [])),
        )
    expect([framesOf(7), framesOf(8)]).toEqual([[1], [6]])
  })

  it('of a tracker that counts from 0, or under names of columns, is MOT Challenge and no VIAME CSV; rows that do not count are told', async () => {
    const library = here()
    const text = 'frame,id,x,y,w,h,conf,class,visibility\n0,1,11,21,40,50,1,1,1\n1,1,12,21,40,50,1,1,1\n1,2,1,1,9,9,0,3,1\n0,1,x,1,1,1,1\n'
    const folders = path.join(folder(), 'cam 1', 'gt')
    mkdirSync(folders, { recursive: true })
    writeFileSync(path.join(folders, 'gt.txt'), text)
    const { read } = await taken(library, [path.join(folders, 'gt.txt')], true, () => 7)
    expect(read.files[0]?.format).toBe('MOT Challenge')
    expect(read.parts).toMatchObject([{ sourceId: 7, fits: true, counting: { firstFrame: 0 } }])
    expect(read.faults.list.map(({ line, what }) => [line, english(what)])).toEqual([
      [5, 'A row needs a frame, a track and four numbers.'],
      [4, 'Rows with the flag 0 do not count and are left out: 1, of which this is the first.'],
    ])
    expect(tracksOf(library).map(({ keys }) => keys.map(([ordinal]) => ordinal))).toEqual([[0, 1]])
  })

  it('in a zip is read out of it, with what belongs to it, and called by both; what is none is told', async () => {
    const library = here()
    const zip = path.join(folder(), 'cam 1.zip')
    const text = (name: string, from: string) => ({ name, from: Buffer.from(from), deflate: true })
    const entries = [
      text('gt/gt.txt', '1,1,11,21,40,50,1,1,1\n2,1,12,21,40,50,1,1,1\n'),
      text('gt/labels.txt', 'tram\n'),
      text('img1/000001.jpg', 'no picture'),
      text('subs/en.vtt', 'WEBVTT\n\n00:00.040 --> 00:00.200\nin a zip\n'),
      text('WRONG.xml', '<annotations>'),
    ]
    await writeArchive(zip, entries, () => undefined, { kept: false })
    // Zips of other tools list folders too.
    const [nothing, cut] = [path.join(folder(), 'none.zip'), path.join(folder(), 'cut.zip')]
    await writeArchive(nothing, [text('a.jpg', 'x')], () => undefined, { kept: false })
    writeFileSync(cut, readFileSync(zip).subarray(0, 120))
    const imports = new Imports(library)
    const read = await imports.read([zip, nothing, cut])
    expect(read.files.map(({ name, format, problem }) => [name, format, problem && inEnglish(problem).message])).toEqual([
      ['cam 1.zip/gt/gt.txt', 'MOT Challenge', null],
      ['cam 1.zip/subs/en.vtt', 'WebVTT', null],
      ['cam 1.zip/WRONG.xml', 'CVAT', 'This CVAT file cannot be read: Line 1: Unclosed root tag'],
      ['none.zip', null, 'This file cannot be read: It is a zip that is damaged, or that has no annotation files in it.'],
      ['cut.zip', null, 'This file cannot be read: It is a zip that is damaged, or that has no annotation files in it.'],
    ])
    expect(read.files[2]?.problem?.file).toBe(path.join(zip, 'WRONG.xml'))
    expect(read.parts).toMatchObject([
      { sourceId: 7, fits: true, labels: ['tram'] },
      { sourceId: 7, sure: true, texts: 1 },
    ])
    await imports.take(
      read.importId,
      read.parts.map(({ id, counting }) => ({ part: id, sourceId: 7, ...counting })),
    )
    const from = said(library).map(({ body, file: name }) => `${body.kind} ${name ?? ''}`)
    expect(from.sort()).toEqual(['segment cam 1.zip/subs/en.vtt', 'track cam 1.zip/gt/gt.txt'])
    await imports.close()
  })

  it('that a spreadsheet wrote anew, in German or with tabs, is read as it was, with what is occluded', async () => {
    const names = ['video_path', 'note', 'frame', 'label', 'track_id', 'observed', 'occluded', 'x1', 'y1', 'x2', 'y2']
    const rows = [
      ['/films/cam 1.mp4', '"a;b,c"', '2', 'tram', '1', '1', '0', '10,5', '20', '50,25', '60'],
      ['/films/cam 1.mp4', '', '3', 'tram', '1', '1', '1', '11,5', '20', '51,25', '60'],
    ]
    for (const separator of [';', '\t']) {
      const library = here()
      const text = [names, ...rows].map((row) => row.join(separator)).join('\r\n')
      await taken(library, [file('boxes.csv', `\uFEFF${text}\r\n`)])
      expect(said(library).map(({ body }) => (body.kind === 'track' ? body.boxes : []))).toMatchObject([
        [
          { ordinal: 2, box: { x1: 10.5, x2: 50.25 } },
          { ordinal: 3, box: { x1: 11.5 }, occluded: true },
        ],
      ])
    }
  })

  it('of a browser comes with others: all are read in one import, also two of one name', async () => {
    const library = here()
    const imports = new Imports(library)
    const cue = (text: string) => new Blob([`1\n00:00:00,000 --> 00:00:00,200\n${text}\n`]).stream()
    await imports.bringAlso('several', 'cam 1.srt', cue('one'))
    await imports.bringAlso('several', 'CAM 1.srt', cue('two'))
    const read = await imports.bring('cam 1.de.srt', cue('three'), undefined, 'several')
    expect(read.files.map(({ name, problem }) => [name, problem])).toEqual([
      ['cam 1.srt', null],
      ['CAM 1.srt', null],
      ['cam 1.de.srt', null],
    ])
    expect(await imports.take(read.importId)).toMatchObject({ texts: 3 })
    // Where it lies in the cache tells nobody anything.
    const broken = await imports.bring('broken.json', new Blob(['{"images"']).stream())
    expect(broken.files.map(({ path: place, problem }) => [place, problem?.file])).toEqual([['broken.json', 'broken.json']])
    await imports.close()
  })

  it('of YOLO is found by lists of pictures too, as CVAT writes them, in folders called like the video', async () => {
    const library = here()
    const yaml = file('data.yaml', 'path: ./\ntrain: train.txt\nval: train.txt\nnames:\n  0: tram\n')
    const root = path.dirname(yaml)
    mkdirSync(path.join(root, 'labels', 'cam 1'), { recursive: true })
    writeFileSync(
      path.join(root, 'train.txt'),
      './images/cam 1/frame_000000.PNG\r\nimages/cam 1/frame_000003.PNG\nimages/cam 1/frame_000004.PNG\n',
    )
    for (const n of ['000000', '000003']) writeFileSync(path.join(root, 'labels', 'cam 1', `frame_${n}.txt`), '0 0.5 0.5 0.25 0.5\n')
    const { read } = await taken(library, [yaml])
    expect(read.parts).toMatchObject([{ named: 'cam 1', sure: true, boxes: 2 }])
    expect(tracksOf(library)).toEqual([
      { label: 'tram', keys: [[0, 120, false]] },
      { label: 'tram', keys: [[3, 120, false]] },
    ])
  })

  it('of WebVTT keeps who speaks, and one of ELAN its tiers', async () => {
    const library = here()
    const tier = (id: string, at: number, text: string) =>
      `<TIER TIER_ID="${id}" LINGUISTIC_TYPE_REF="d"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a${at}" TIME_SLOT_REF1="t${at}" TIME_SLOT_REF2="t${at + 1}"><ANNOTATION_VALUE>${text}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>`
    const slots = [80, 160, 240, 320].map((ms, at) => `<TIME_SLOT TIME_SLOT_ID="t${at}" TIME_VALUE="${ms}"/>`).join('')
    const eaf = `<ANNOTATION_DOCUMENT AUTHOR="x"><HEADER><MEDIA_DESCRIPTOR MEDIA_URL="cam 1.mp4"/></HEADER><TIME_ORDER>${slots}</TIME_ORDER>${tier('gesture', 0, 'points')}${tier('Anna', 2, 'there')}${tier('empty', 2, ' ')}</ANNOTATION_DOCUMENT>`
    await taken(library, [
      file('cam 1.vtt', 'WEBVTT\n\n00:00.040 --> 00:00.200\n<v.loud Bob Smith>Hello <i>there</i></v>\n<v Eve>hi &lt;v x&gt;\n'),
      file('cam 1.eaf', eaf),
    ])
    const texts = said(library).map(({ body }) => ('text' in body ? body.text : ''))
    expect(texts.sort()).toEqual(['Anna: there', 'Bob Smith: Hello there\nEve: hi <v x>', 'gesture: points'])
  })

  it('of ActivityNet or mmaction has parts with the names of what is done; what is no annotation file, or empty, says so', async () => {
    const library = here()
    const named = { 'cam 1': { duration: 0.48, subset: 'training', annotations: [{ segment: [0.08, 0.2], label: 'Pouring' }] } }
    const paths = [
      file('net.json', json({ version: '1.3', database: named, taxonomy: [] })),
      file(
        'dive.json',
        json({ version: 2, tracks: { 0: { id: 0, features: [{ frame: 0, bounds: [1, 2, 3, 4] }], confidencePairs: [['x', 1]] } } }),
      ),
      file('plain.json', json({ hello: 1 })),
      file('voc.xml', '<annotation><filename>f_1.jpg</filename></annotation>'),
      file('min.json', json([{ video: 'cam 1.mp4', box: [{ framesCount: 12, sequence: [] }] }])),
      file('bare.json', json({ images: [{ id: 1, file_name: 'f_1.jpg' }], annotations: [], categories: [] })),
      file('data.yaml', 'names: [a]\ntrain: images\n'),
    ]
    const labels = path.join(path.dirname(paths.at(-1) ?? ''), 'labels')
    mkdirSync(labels)
    writeFileSync(path.join(labels, 'cam_mp4-0012_jpg.rf.0123456789abcde7.txt'), '0 0.5 0.5 0.1 0.1\n')
    const { read, result } = await taken(library, paths)
    expect(read.files.map(({ problem }) => problem && inEnglish(problem).message)).toEqual([
      null,
      'This is DIVE’s own JSON.',
      'This is no annotation file that Tubelet reads.',
      'This is no annotation file that Tubelet reads.',
      'This Label Studio file cannot be read: A task has no “data”. Label Studio’s export “JSON” has it, “JSON-MIN” has not.',
      'There is nothing in this COCO file that can be imported: no boxes and no texts.',
      null,
    ])
    expect(read.faults.list.map(({ what }) => english(what))).toEqual([expect.stringContaining('is a picture of Roboflow') as string])
    expect(result.texts).toBe(1)
    expect(said(library).map(({ body }) => body)).toEqual([{ kind: 'segment', text: 'Pouring', span: { startFrame: 2, endFrame: 5 } }])
  })

  it('changes nothing that a person said: what differs is kept beside it', async () => {
    const library = here()
    const [clip] = library.clips({ limit: 1, offset: 0 }).clips
    if (!clip) throw new RangeError('no clip')
    library.addAnnotation(clip.id, { kind: 'caption', text: 'mine' })
    const vtt = file('cam 1.vtt', 'WEBVTT\n\n00:00.000 --> 00:00.200\ntheirs\n')
    const { result } = await taken(library, [vtt])
    expect(result).toMatchObject({ texts: 1, beside: 1 })
    expect(said(library)).toEqual([
      { body: { kind: 'caption', text: 'mine' }, file: undefined },
      { body: { kind: 'segment', text: 'theirs', span: { startFrame: 0, endFrame: 5 } }, file: 'cam 1.vtt' },
    ])
  })

  it('knows what was imported before by what it said then, though somebody has corrected it since', async () => {
    const library = here()
    const srt = file('cam 1.srt', '1\n00:00:00,000 --> 00:00:00,200\nHelo there\n\n2\n00:00:00,040 --> 00:00:00,120\nGodbye\n')
    expect((await taken(library, [srt])).result).toMatchObject({ texts: 2, there: 0 })
    const [clip] = library.clips({ limit: 1, offset: 0 }).clips
    const correct = (text: string, right: string) => {
      const one = library.annotations(clip?.id ?? 0).find(({ body }) => 'text' in body && body.text === text)
      if (one && 'text' in one.body) library.review(one.id, 'edit', { ...one.body, text: right })
    }
    correct('Helo there', 'Hello there')
    correct('Godbye', 'Goodbye')
    const corrected = said(library)
    expect(corrected.map(({ body }) => 'text' in body && body.text)).toEqual(['Hello there', 'Goodbye'])
    expect((await taken(library, [srt])).result).toMatchObject({ texts: 0, there: 2, beside: 0 })
    expect(said(library)).toEqual(corrected)
    // Taken back by undo, it can be imported again.
    for (let step = 0; step < 3; step += 1) await library.history.undo()
    expect((await taken(library, [srt])).result).toMatchObject({ texts: 2, there: 0 })
  })

  it('is refused as a whole where it cannot be read to its end, with a sentence; others are read', async () => {
    const bad: [string, string | Buffer, string][] = [
      ['empty.json', '', 'The file is empty.'],
      ['cut.json', '{"images":[{"id":1,"file_name":"a1.jpg"},', 'cut off'],
      ['list.json', '[1,2]', 'no annotation file'],
      ['cvat-labels.json', cvatLabels([{ id: 1, name: 'a "cup"', colour: '#ffffff' }]), 'labels for CVAT'],
      ['frames.csv', 'frame,pts,time_s,picture\n0,0,0,\n', 'times of the frames'],
      ['results.json', '[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]', 'COCO results'],
      ['other.xml', '<html><body></body></html>', 'no annotation file'],
      ['bomb.xml', '<!DOCTYPE a [<!ENTITY b "c">]><annotations></annotations>', 'document type'],
      ['deep.xml', `<annotations>${'<a>'.repeat(100)}`, 'too deep'],
      ['cut.xml', '<annotations><track id="1" label="x"><box frame="1" xtl="1" ytl="1" xbr="3" ybr="3"/>', 'Line 1'],
      ['video.srt', Buffer.from([0, 1, 2, 0, 0, 3]), 'no text'],
      ['notes.txt', 'dear diary', 'no annotation file'],
      ['quote.csv', 'frame,label,x1,y1,x2,y2\n1,"open,1,1,2,2\n', 'quote'],
    ]
    const library = here()
    const imports = new Imports(library)
    const good = file('cam 1.srt', '1\n00:00:00,000 --> 00:00:00,200\nhello\n')
    const read = await imports.read([...bad.map(([name, text]) => file(name, text)), good])
    expect(read.files.slice(0, -1).map(({ name, problem }) => [name, problem && inEnglish(problem).message])).toEqual(
      bad.map(([name, , why]) => [name, expect.stringContaining(why) as string]),
    )
    expect(read.parts).toMatchObject([{ file: bad.length, texts: 1 }])
    await imports.leave(read.importId)
    expect(said(library)).toEqual([])
    await expect(imports.read([folder()])).rejects.toThrow('folder')
    await expect(imports.read(['/nowhere/x.json'])).rejects.toThrow(TubeletError)
  })

  it('is taken whole or not at all, also where the process dies in the middle', async () => {
    const library = here()
    const origin = { file: 'x.csv', format: 'CSV', at: '2026-01-01T00:00:00Z' }
    const one = (n: number) => ({
      sourceId: 7,
      span: { startFrame: n, endFrame: n + 1 },
      state: null,
      origin,
      body: { kind: 'note' as const, text: `n${n}`, span: { startFrame: n, endFrame: n + 1 } },
    })
    const failing = async function* () {
      yield [one(0), one(1)]
      expect(said(library)).toHaveLength(2)
      // What a crash here would leave is taken back when the library is opened again.
      const copy = folder()
      cpSync(library.projectDir, copy, { recursive: true })
      const reopened = Library.open(copy)
      expect(said(reopened)).toEqual([])
      expect(reopened.history.list(10)).toEqual({ steps: [], total: 0 })
      await reopened.close()
      throw new TubeletError({ code: 'cancelled', message: 'The import was cancelled.' })
    }
    await expect(
      library.imports.add(
        failing(),
        () => [],
        { text: 'x' },
        () => undefined,
      ),
    ).rejects.toThrow('cancelled')
    expect(said(library)).toEqual([])
    expect(library.history.list(10)).toEqual({ steps: [], total: 0 })
  })
})

/** Without the numbers and times that belong to a library. */
function comparable(text: string, format: ExportFormat): string[] {
  const numbers: Partial<Record<ExportFormat, [RegExp, string]>> = {
    mot: [/^(\d+),\d+,(.*),\d+,([\d.]+)$/gm, '$1 $2 $3'],
    viame: [/^\d+,/gm, ''],
    'label-studio': [/"id":"t\d+"/g, ''],
  }
  return text
    .replaceAll(...(numbers[format] ?? [/$^/g, '']))
    .replaceAll(/"(?:id|clipId|image_id|track_id|category_id)":\d+/g, '')
    .replaceAll(/"labels":\[.*?\],"partial"/g, '')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '')
    .split(/\r?\n/)
    .sort()
}

/** A table as lines of text. */
async function textIn(file: string): Promise<string> {
  if (!file.endsWith('.parquet')) return readFileSync(file, 'utf8')
  const { buffer, byteOffset, byteLength } = readFileSync(file)
  const slice = (start: number, end = byteLength) => buffer.slice(byteOffset + start, byteOffset + end)
  const lines: string[] = []
  const table = file.endsWith('boxes.parquet') ? parquetBoxes : parquetSpans
  for await (const row of table.read({ byteLength, slice })) lines.push(JSON.stringify({ ...row, annotation_id: 0, clip_id: 0 }))
  return lines.join('\n')
}

interface Bare {
  where: string
  sides: number[]
}

/** The boxes of a COCO file, without who decided about them and who made them. */
function boxesIn(text: string): Bare[] {
  const { annotations, images, categories } = JSON.parse(text) as {
    annotations: { image_id: number; category_id: number; bbox: number[] }[]
    images: { id: number; file_name: string }[]
    categories: { id: number; name: string }[]
  }
  const files = new Map(images.map(({ id, file_name }) => [id, file_name]))
  const names = new Map(categories.map(({ id, name }) => [id, name.toLowerCase()]))
  return annotations.map(({ image_id, category_id, bbox }) => ({
    where: `${files.get(image_id)} ${names.get(category_id)}`,
    sides: bbox,
  }))
}

/** Whether each box is among the others, to a fiftieth of a pixel. */
function allAmong(boxes: readonly Bare[], others: readonly Bare[]): boolean {
  return boxes.every(({ where, sides }) =>
    others.some((other) => other.where === where && other.sides.every((side, at) => Math.abs(side - (sides[at] ?? 0)) < 0.02)),
  )
}

it('a page that unpacks to more than it says is not unpacked further', async () => {
  const buffer = parquetWriteBuffer({
    columnData: [{ name: 'video', data: Array.from({ length: 500 }, (_, n) => `${n} ${'x'.repeat(60)}`), type: 'STRING' }],
    codec: 'GZIP',
    // A thousand times as much as the page was.
    compressors: { GZIP: (page) => new Uint8Array(gzipSync(Buffer.alloc(page.length * 1000))) },
  })
  const imports = new Imports(hold([tricky]))
  const {
    files: [read],
    parts,
  } = await imports.read([file('bomb.parquet', Buffer.from(buffer))])
  expect(parts).toEqual([])
  // Its reader would say that the lengths differ, once it had all of it.
  expect(JSON.stringify(read?.problem)).toContain('Cannot create a Buffer larger than')
  await imports.close()
})

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
      ['other.xml', '<html><body></body></html>', 'begins with <html>'],
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

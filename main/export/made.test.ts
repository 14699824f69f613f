import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Annotation, AnnotationBody } from '../../app/annotation.ts'
import { TubeletError } from '../../app/errors.ts'
import { english } from '../../app/phrase.ts'
import { type AnnotationDocument, libraryOf } from '../../test/documents.ts'
import type { Library } from '../library/library.ts'
import { filmed, HEIGHT, numberOn, painted, WIDTH, x264 } from '../media/painted.testing.ts'
import { findMediaTools } from '../media/tools.ts'
import { Imports } from '../import/imports.ts'
import { cutsAhead } from './cuts-ahead.ts'
import { type Exported, exportProject, type ExportOptions } from './export.ts'
import { filesIn } from './folder.ts'

const tools = await findMediaTools()
const LABEL = '../../up/car'
const CAPTION = '<script>alert(1)</script> <img src=x onerror=alert(2)> "quoted"'
let directory = ''
let library: Library
/** Its pixels are twice as wide as high. */
const wide = { width: 2 * WIDTH, height: HEIGHT }

function annotation(id: number, clipId: number, body: AnnotationBody, unsure: boolean): Annotation {
  const evidence = { confidence: 0.5, unsure, agreement: null, frames: [] }
  const provenance = {
    packId: 'pack',
    packVersion: '1',
    packDigest: '00ff',
    provider: 'cpu',
    prompt: '',
    appVersion: '0',
    at: '2026-01-02T03:04:05Z',
  }
  return { id, clipId, body, machine: body, state: 'machine', evidence, provenance, updatedAt: '2026-01-02T03:04:05Z' }
}

beforeAll(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'tubelet-made-'))
  for (const folder of ['x', 'y']) mkdirSync(path.join(directory, folder))
  const file = painted(tools, path.join(directory, 'x', 'a b.mp4'), 60, '-vf', 'setsar=2', ...x264)
  const { probe, pts } = await filmed(tools, file)
  const key = (ordinal: number, x1: number) => ({ ordinal, pts: pts[ordinal] ?? 0, box: { x1, y1: 0, x2: x1 + 16, y2: 16 }, score: 0.9 })
  const source = { id: 1, path: file, name: 'a b.mp4', fingerprint: 'f1', probe }
  const clip = { id: 11, index: 0, kind: 'shot' as const, start: 0, end: 1.2, startFrame: 0, endFrame: 30 }
  const second = { ...clip, id: 12, index: 1, start: 1.2, end: 2.4, startFrame: 30, endFrame: 60 }
  const documents: AnnotationDocument[] = [
    {
      source,
      pts: Array.from(pts),
      labels: [{ name: LABEL, colour: '#12ab00' }],
      clips: [
        {
          ...clip,
          annotations: [
            annotation(21, 11, { kind: 'caption', text: CAPTION }, true),
            // It moves from the lowest bit to the next: on frame 3 both are set, on frame 8 none is.
            annotation(22, 11, { kind: 'track', label: LABEL, boxes: [key(3, 0), key(8, 16)] }, false),
          ],
        },
        { ...second, annotations: [annotation(23, 12, { kind: 'answer', question: 'Is it?', text: 'Yes' }, false)] },
      ],
    },
    {
      source: { ...source, id: 2, path: path.join(directory, 'y', 'a b.mp4'), fingerprint: 'f2' },
      pts: Array.from(pts),
      labels: [],
      clips: [{ ...clip, id: 13, annotations: [annotation(24, 13, { kind: 'track', label: LABEL, boxes: [key(3, 0)] }, false)] }],
    },
  ]
  const folder = path.join(directory, 'library')
  mkdirSync(folder)
  library = libraryOf(folder, documents)
})
afterAll(async () => {
  await library.close()
  rmSync(directory, { recursive: true, force: true })
})

const out = (name: string) => path.join(directory, 'out', name)
function made(name: string, options: Partial<ExportOptions>): Promise<Exported> {
  return exportProject(library, { formats: ['pictures'], directory: out(name), media: () => Promise.resolve(tools), ...options })
}
function pixels(file: string, { width, height }: { width: number; height: number }): { width: number; height: number; data: Buffer } {
  const data = execFileSync(tools.ffmpeg, ['-v', 'error', '-i', file, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'])
  expect(data.length).toBe(width * height * 3)
  return { width, height, data }
}

test('pictures of annotated frames are those frames, upright and square, and say what they are; a missing video is told', async () => {
  const { notes, files } = await made('one', { formats: ['pictures', 'crops'] })
  expect(notes.map(english)).toEqual([expect.stringMatching(/^y\/a b\.mp4 has no pictures here\. /)])
  expect(files.map(({ path: file, count }) => [path.relative(out('one'), file), count])).toEqual([
    ['pictures', 3],
    ['crops', 3],
  ])
  expect(filesIn(out('one'))).toEqual([
    'crops/.._.._up_car/x_a b_frame000003_00h00m00.120s_track22.png',
    'crops/.._.._up_car/x_a b_frame000008_00h00m00.320s_track22.png',
    'crops/crops.csv',
    'pictures/pictures.csv',
    'pictures/x_a b/x_a b_frame000003_00h00m00.120s.jpg',
    'pictures/x_a b/x_a b_frame000008_00h00m00.320s.jpg',
    'tubelet-export.json',
  ])
  for (const ordinal of [3, 8]) {
    const name = `x_a b_frame00000${ordinal}_00h00m00.${ordinal * 40}s`
    expect(numberOn(pixels(out(`one/pictures/x_a b/${name}.jpg`), wide))).toBe(ordinal)
    const { data } = pixels(out(`one/crops/.._.._up_car/${name}_track22.png`), { width: 16, height: 16 })
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length
    expect(mean > 128, `the crop of frame ${ordinal}: ${mean}`).toBe(ordinal === 3)
  }
  expect(readFileSync(out('one/crops/crops.csv'), 'utf8').split('\r\n')[1]).toContain(',../../up/car,22,0.9,1,0,sure,f1,')
})

test('every n-th frame, and frames by number; the same again replaces, what somebody changed stays', async () => {
  await made('two', { sourceIds: [1], frames: { every: 25 } })
  const numbers = () => filesIn(out('two')).flatMap((name) => /frame(\d+)/.exec(name)?.[1] ?? [])
  expect(numbers()).toEqual(['000000', '000025', '000050'])
  const { notes } = await made('two', { sourceIds: [1], frames: { numbers: [7, 59, 60, 7] } })
  expect(numbers()).toEqual(['000007', '000059'])
  expect(notes.map(english)).toEqual(['x/a b.mp4 has 60 frames and not these: 60.'])
  // Frames that no video has make no empty folder, nor one in the place of what is there.
  await expect(made('two', { sourceIds: [1], frames: { numbers: [60] } })).rejects.toThrow('Nothing of what was asked could be made')
  expect(numbers()).toEqual(['000007', '000059'])
  writeFileSync(out('two/pictures/mine.txt'), 'mine')
  await expect(made('two', { sourceIds: [1], frames: { every: 25 } })).rejects.toMatchObject({ problem: { code: 'conflict' } })
  expect(existsSync(out('two/pictures/mine.txt'))).toBe(true)
})

test('clips and a reel keep the order of the search, and tell where a copy really begins', async () => {
  const { notes } = await made('three', { formats: ['clips', 'reel'], sourceIds: [1], clipIds: [12, 11] })
  expect(notes.map(english)).toEqual([
    expect.stringMatching(/^Clips that begin earlier than chosen, at the key frame before: 1, by at most 1\.2 s/),
  ])
  const rows = readFileSync(out('three/clips_x_a b/clips.csv'), 'utf8').trim().split('\r\n')
  expect(rows.map((row) => row.split(',').slice(3, 6).join())).toEqual(['clip_id,start_frame,end_frame', '12,30,60', '11,0,30'])
  expect(rows[1]?.split(',')[8]).toBe('0')
  const args = [
    '-v',
    'error',
    '-i',
    out('three/reel_x_a b/reel.mp4'),
    '-fps_mode',
    'passthrough',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
    '-',
  ]
  const raw = execFileSync(tools.ffmpeg, args)
  const bytes = wide.width * wide.height * 3
  const shown = Array.from({ length: raw.length / bytes }, (_, i) => numberOn({ ...wide, data: raw.subarray(i * bytes, (i + 1) * bytes) }))
  expect(shown).toEqual([...Array.from({ length: 30 }, (_, i) => 30 + i), ...Array.from({ length: 30 }, (_, i) => i)])
})

test('a report is one inert file that tells guesses, sources and what could not be read, in both languages', async () => {
  const { notes } = await made('four', { formats: ['report', 'sheet'], subject: '<b>red & car</b>' })
  expect(notes.map(english)).toEqual([expect.stringMatching(/^y\/a b\.mp4 has no pictures here\. /)])
  const text = readFileSync(out('four/report.html'), 'utf8')
  expect(text).not.toMatch(/<script|<b>red|<img src=x|https?:/i)
  for (const said of [
    '&lt;script&gt;alert(1)',
    '&lt;b&gt;red &amp; car',
    'not sure',
    'pack 1',
    '00ff',
    'x/a b.mp4',
    'y/a b.mp4',
    'The picture could not be read',
  ])
    expect(text, said).toContain(said)
  expect(text.match(/data:image\/jpeg/g)?.length).toBe(6)
  expect(readFileSync(out('four/sheet.html'), 'utf8').match(/data:image\/jpeg/g)?.length).toBe(2)
  await made('five', { formats: ['report'], language: 'de' })
  expect(readFileSync(out('five/report.html'), 'utf8')).toMatch(/<html lang="de">[^]*nicht sicher[^]*Woher es kommt/)
})

test('a cancelled export leaves nothing, and no ffmpeg', async () => {
  const stop = new AbortController()
  const one = made('six', {
    formats: ['pictures', 'reel'],
    sourceIds: [1],
    frames: { every: 1 },
    signal: stop.signal,
    onProgress: () => stop.abort(),
  })
  await expect(one).rejects.toMatchObject({ problem: { code: 'cancelled' } })
  expect(existsSync(out('six'))).toBe(false)
})

test('nothing is made of another video that lies at the path, and it is told', async () => {
  const problem = { code: 'file-replaced', message: 'At this path lies another video.', next: 'Put it back.' } as const
  const there = (id: number) => (id === 2 ? Promise.reject(new TubeletError(problem)) : Promise.resolve(library.source(id)))
  // What lies there can be read: it has the same size and times.
  copyFileSync(path.join(directory, 'x', 'a b.mp4'), path.join(directory, 'y', 'a b.mp4'))
  try {
    const formats = ['pictures', 'crops', 'clips', 'reel', 'sheet', 'report'] as const
    const options = { formats, cut: 'exact', frames: { every: 25 }, there } as const
    const { notes } = await made('replaced', options)
    expect(notes.map(english).filter((note) => note.includes('At this path lies another video.'))).toEqual([
      expect.stringMatching(/^y\/a b\.mp4 has no pictures here\./),
      expect.stringMatching(/^y\/a b\.mp4, 0:00.* is left out\./),
    ])
    expect(filesIn(out('replaced')).filter((name) => name.includes('y_a b'))).toEqual([])
    for (const table of ['pictures/pictures.csv', 'clips/clips.csv', 'reel/reel.csv'])
      expect(readFileSync(out(`replaced/${table}`), 'utf8'), table).not.toContain('f2')
    expect(readFileSync(out('replaced/report.html'), 'utf8').match(/data:image\/jpeg/g)?.length).toBe(6)
    // Where nothing of what was asked comes, this is an error, and nothing is written.
    for (const one of ['pictures', 'clips', 'reel'] as const)
      await expect(made('absent', { ...options, formats: [one], sourceIds: [2] }), one).rejects.toMatchObject({
        problem: { code: 'file-replaced', next: 'Put it back.' },
        message: expect.stringMatching(/y\/a b\.mp4\. At this path lies another video\.$/) as string,
      })
    expect(existsSync(out('absent'))).toBe(false)
    const beside = await made('absent', { ...options, formats: ['clips', 'csv'], sourceIds: [2] })
    expect(beside.files.map(({ path: file }) => path.relative(out('absent'), file))).not.toContain('clips_y_a b')
    expect(filesIn(out('absent'))).toEqual(['tubelet-export.json', 'y_a b/boxes.csv', 'y_a b/frames.csv', 'y_a b/spans.csv'])
  } finally {
    rmSync(path.join(directory, 'y', 'a b.mp4'))
  }
})

test('of a file that is gone no empty clip is left, and the copy of a clip says which frames it has', async () => {
  await expect(made('gone', { formats: ['clips'], cut: 'exact', sourceIds: [2] })).rejects.toMatchObject({
    problem: { code: 'ffmpeg-failed' },
  })
  expect(existsSync(out('gone'))).toBe(false)
  await made('gone', { formats: ['clips'], cut: 'exact' })
  expect(filesIn(out('gone/clips')).filter((name) => name.includes('y_a b'))).toEqual([])
  await made('gone', { formats: ['clips'], sourceIds: [1] })
  const [, row] = readFileSync(out('gone/clips_x_a b/clips.csv'), 'utf8').split('\r\n')
  expect(row?.split(',')).toHaveLength(13)
})

test('YOLO has the pictures with their boxes, split by video, and is read again', async () => {
  const { notes, files } = await made('seven', { formats: ['yolo'] })
  expect(notes.map(english)).toEqual([
    expect.stringMatching(/^y\/a b\.mp4 has no pictures here\. /),
    expect.stringMatching(/^All pictures for YOLO are of x\/a b\.mp4, so that training and validation have the same ones/),
    'Captions stay behind (1): YOLO cannot hold them.',
    'Answers stay behind (1): YOLO cannot hold them.',
  ])
  expect(files.map(({ format, count }) => [format, count])).toEqual([
    ['frames', undefined],
    ['frames', undefined],
    ['yolo', 5],
  ])
  // The second video: on one frame without a box nothing is said, as a picture without an object.
  copyFileSync(path.join(directory, 'x', 'a b.mp4'), path.join(directory, 'y', 'a b.mp4'))
  await made('seven', { formats: ['yolo'], frames: { numbers: [3, 5, 9] } })
  const written = filesIn(out('seven/yolo'))
  expect(
    written
      .filter((name) => name.endsWith('.jpg'))
      .map((name) => name.replace(/^images\/(?:train|val)/, ''))
      .sort(),
  ).toEqual([3, 5, 9].flatMap((n) => [`/y_a b_frame_00000${n}.jpg`, `/x_a b_frame_00000${n}.jpg`]).sort())
  const splits = new Set(written.flatMap((name) => /^labels\/(\w+\/[xy]_a b)_/.exec(name)?.[1] ?? []))
  expect([...splits].map((one) => one.split('/')[0]).sort()).toEqual(['train', 'val'])
  const labels = (stem: string) => readFileSync(out(`seven/yolo/${written.find((name) => name.endsWith(`/${stem}.txt`)) ?? ''}`), 'utf8')
  // Shares of the picture, whatever the shape of its pixels.
  expect(labels('x_a b_frame_000003').trim()).toBe(
    ['0', ...[8 / wide.width, 8 / HEIGHT, 16 / wide.width, 16 / HEIGHT].map((share) => share.toFixed(8))].join(' '),
  )
  // Between two observations too: the object is there.
  expect(labels('x_a b_frame_000005')).toMatch(/^0 /)
  expect(labels('y_a b_frame_000005')).toBe('')
  expect(numberOn(pixels(out(`seven/yolo/${written.find((name) => name.endsWith('/x_a b_frame_000005.jpg')) ?? ''}`), wide))).toBe(5)
  expect(readFileSync(out('seven/yolo/data.yaml'), 'utf8')).toContain(
    `train: images/train\nval: images/val\nnames:\n  0: ${JSON.stringify(LABEL)}\n`,
  )
  const imports = new Imports(library)
  const read = await imports.read([out('seven/yolo/data.yaml')])
  expect(read.files).toMatchObject([{ format: 'YOLO', problem: null }])
  expect(read.parts.map(({ sourceId, sure, tracks, labels: named }) => [sourceId, sure, tracks, named]).sort()).toEqual([
    [1, true, 2, [LABEL]],
    [2, true, 1, [LABEL]],
  ])
  await imports.close()
})

test('how early copies would begin is told of videos that are there, and of no other video at their path', async () => {
  const told = (there: (id: number) => Promise<unknown>) =>
    cutsAhead(library, tools, { sourceIds: [1] }, there, new AbortController().signal)
  // One group of pictures: the second clip would begin with the first.
  expect(await told(() => Promise.resolve())).toMatchObject({ clips: 2, looked: 2, early: 1, uncut: 0 })
  expect(await told(() => Promise.reject(new Error('another video')))).toMatchObject({ clips: 2, looked: 0, early: 0 })
})

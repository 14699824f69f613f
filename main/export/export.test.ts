import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ExportFormat, type Source } from '../app/contract.ts'
import { coco } from '../app/formats/coco.ts'
import { boxes, spans } from '../app/formats/csv.ts'
import { cvat } from '../app/formats/cvat.ts'
import type { AnnotationDocument } from '../app/formats/document.ts'
import { jsonl } from '../app/formats/jsonl.ts'
import { srt } from '../app/formats/srt.ts'
import { vtt } from '../app/formats/vtt.ts'
import { randomDocument, tricky } from '../test/documents.ts'
import { exportProject, type ExportableLibrary } from './export.ts'

const repository = path.join(import.meta.dirname, '..')
const python = path.join(repository, '.venv', 'bin', 'python')
const hasPython = existsSync(python)
if (!hasPython) console.warn('SKIPPED: outside readers of annotation files, because .venv is not there (models/requirements.txt)')

let directory = ''
beforeEach(() => void (directory = mkdtempSync(path.join(os.tmpdir(), 'tubelet-export-'))))
afterEach(() => {
  chmodSync(directory, 0o755)
  rmSync(directory, { recursive: true, force: true })
})

function sourceOf({ source: { id, path: file, name, fingerprint, probe } }: AnnotationDocument): Source {
  return {
    id, path: file, name, fingerprint, probe, bytes: 1, addedAt: '', state: 'done', problem: null, clipCount: 0, encodedCount: 0, reviewedCount: 0, touchedCount: 0, hasThumbnail: false, filmstripCells: 0, playback: 'direct',
  }
}

/** The documents as a library holds them. */
function libraryOf(documents: readonly AnnotationDocument[]): ExportableLibrary {
  const find = (id: number | undefined) => documents.filter(({ source }) => id === undefined || source.id === id)
  return {
    sources: () => documents.map(sourceOf),
    clips: ({ sourceId, limit, offset }) => {
      const clips = find(sourceId).flatMap(({ clips: all, source }) =>
        all.map((clip) => ({ ...clip, sourceId: source.id, sourceName: source.name, encoded: true, caption: null, captionState: null, captionUnsure: false, unfamiliar: false, labels: [] })),
      )
      return { clips: clips.slice(offset, offset + limit), total: clips.length }
    },
    annotations: (clipId) => documents.flatMap(({ clips }) => clips).find(({ id }) => id === clipId)?.annotations ?? [],
    frames: (id) => Float64Array.from(find(id)[0]?.pts ?? []),
    detections: { vocabulary: () => (documents[0]?.labels ?? []).map((label) => ({ ...label, synonyms: [], threshold: 0.5 })) },
  }
}

const formats = ExportFormat.options
const named = (name: string, id: number): AnnotationDocument => ({ ...tricky, source: { ...tricky.source, name, id } })
const contents = () => new Map(readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => {
  const file = path.join(entry.parentPath, entry.name)
  return [path.relative(directory, file), readFileSync(file, 'utf8')]
}))

describe('an export', () => {
  it('has a folder for each source and one COCO file, as it says', async () => {
    const { files } = await exportProject(libraryOf([tricky]), { formats, directory })
    const folder = 'été _a_ & _b_ 空白'
    const expected = ['boxes.csv', 'captions.srt', 'captions.vtt', 'cvat.xml', 'frames.csv', 'reviewed.jsonl', 'spans.csv'].map((file) => path.join(folder, file))
    expect(files.map(({ path: file }) => path.relative(directory, file)).sort()).toEqual(['instances.json', ...expected].sort())
    expect([...contents().keys()].sort()).toEqual(['instances.json', 'tubelet-export.json', ...expected].sort())
    for (const { path: file, bytes } of files) expect(readFileSync(file).length).toBe(bytes)
    expect(jsonl.read(contents().get(path.join(folder, 'reviewed.jsonl')) ?? '')).toEqual(tricky)
  })

  it('leaves out what a person rejected, except in the state of review', async () => {
    await exportProject(libraryOf([tricky]), { formats, directory })
    for (const [file, text] of contents()) expect([file, text.includes('REJECTED')]).toEqual([file, file.endsWith('.jsonl')])
  })

  it('gives each source a name of its own that every system takes', async () => {
    const names = ['clip.mp4', 'Clip.mkv', 'CON.avi', '日本語.mov', 'a:b*c?.mp4', '...mp4', 'instances.json.mp4', `${'長'.repeat(200)}.mp4`, 'dots. .mp4']
    const library = libraryOf(names.map((name, i) => named(name, i + 1)))
    await exportProject(library, { formats: ['vtt'], directory })
    const folders = readdirSync(directory).filter((name) => name !== 'tubelet-export.json')
    expect(folders.sort()).toEqual(['clip', 'Clip (2)', '_CON', '日本語', 'a_b_c_', 'video', 'instances.json (2)', '長'.repeat(66), 'dots'].sort())
    const { files } = await exportProject(library, { formats: ['srt'], directory, sourceIds: [2] })
    expect(path.basename(path.dirname(files[0]?.path ?? ''))).toBe('Clip (2)')
  })

  it('can be written again over itself, but over nothing else', async () => {
    const once = await exportProject(libraryOf([named('a.mp4', 1)]), { formats, directory })
    expect(await exportProject(libraryOf([named('a.mp4', 1)]), { formats, directory })).toEqual(once)
    writeFileSync(path.join(directory, 'a', 'captions.srt'), 'mine')
    const before = contents()
    await expect(exportProject(libraryOf([named('a.mp4', 1)]), { formats, directory })).rejects.toMatchObject({ problem: { code: 'conflict', file: path.join(directory, 'a', 'captions.srt') } })
    expect(contents()).toEqual(before)
  })

  const filmed = (id: number, fingerprint: string): AnnotationDocument => ({ ...tricky, source: { ...tricky.source, id, fingerprint, path: `/${fingerprint}/clip.mp4`, name: 'clip.mp4' } })
  const about = (folder: string) => readdirSync(path.join(directory, folder)).filter((file) => /^boxes|jsonl$/.test(file)).map((file) => /day\d/.exec(readFileSync(path.join(directory, folder, file), 'utf8'))?.[0])

  it('keeps a folder for one video, also when another of its name is gone', async () => {
    await exportProject(libraryOf([filmed(1, 'day1'), filmed(2, 'day2')]), { formats: ['csv', 'jsonl', 'coco'], directory })
    const left = libraryOf([filmed(2, 'day2')])
    await exportProject(left, { formats: ['csv', 'coco'], directory })
    expect([about('clip'), about('clip (2)')]).toEqual([['day1', 'day1'], ['day2', 'day2']])
    await exportProject(libraryOf([filmed(3, 'day3')]), { formats: ['csv'], directory })
    expect([about('clip'), about('clip (2)'), about('clip (3)')]).toEqual([['day1', 'day1'], ['day2', 'day2'], ['day3']])
  })

  it('writes over no COCO file of another project', async () => {
    await exportProject(libraryOf([filmed(1, 'day1')]), { formats: ['coco'], directory })
    const before = contents()
    const other = libraryOf([filmed(1, 'day2')])
    await expect(exportProject(other, { formats: ['coco', 'csv'], directory })).rejects.toMatchObject({ problem: { code: 'conflict', file: path.join(directory, 'instances.json') } })
    expect(contents()).toEqual(before)
    rmSync(path.join(directory, 'instances.json'))
    await exportProject(other, { formats: ['coco'], directory })
    expect(contents().get('instances.json')).toContain('day2')
  })

  it('goes on in a folder whose record is from before it told the videos', async () => {
    const library = libraryOf([filmed(1, 'day1')])
    const once = await exportProject(library, { formats, directory })
    const record = path.join(directory, 'tubelet-export.json')
    const { files } = z.object({ files: z.record(z.string(), z.unknown()) }).parse(JSON.parse(readFileSync(record, 'utf8')))
    writeFileSync(record, JSON.stringify({ files }))
    expect(await exportProject(library, { formats, directory })).toEqual(once)
    expect(JSON.parse(readFileSync(record, 'utf8'))).toMatchObject({ videos: { clip: ['day1'], 'instances.json': ['day1'] } })
  })

  it('needs something to export, and a folder that may be written', async () => {
    await expect(exportProject(libraryOf([]), { formats, directory })).rejects.toMatchObject({ problem: { code: 'bad-request' } })
    await expect(exportProject(libraryOf([tricky]), { formats, directory, sourceIds: [99] })).rejects.toMatchObject({ problem: { code: 'bad-request' } })
    await expect(exportProject(libraryOf([tricky]), { formats, directory: path.join(import.meta.filename, 'x') })).rejects.toMatchObject({ problem: { code: 'conflict' } })
  })

  it.skipIf(process.platform === 'win32')('says so when the folder may not be written', async () => {
    chmodSync(directory, 0o555)
    const isRoot = process.geteuid?.() === 0
    // Nothing is forbidden to root, so the attempt is nobody's.
    if (isRoot) process.seteuid?.(65_534)
    try {
      await expect(exportProject(libraryOf([tricky]), { formats, directory })).rejects.toMatchObject({ problem: { code: 'forbidden' } })
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  })

  it('says so when the disk is full, and leaves nothing behind', async () => {
    if (!existsSync('/dev/full')) {
      console.warn('SKIPPED: a full disk, because this system has no /dev/full')
      return
    }
    const library = libraryOf([named('full.mp4', 1)])
    execFileSync('mkdir', [path.join(directory, 'full')])
    execFileSync('ln', ['-s', '/dev/full', path.join(directory, 'full', 'captions.vtt.tubelet-part')])
    await expect(exportProject(library, { formats: ['vtt', 'srt'], directory })).rejects.toMatchObject({ problem: { code: 'disk-full' } })
    expect([...contents().keys()]).toEqual([])
  })
})

const Cues = z.object({ cues: z.array(z.object({ start: z.number(), end: z.number(), text: z.string() })) })

describe.skipIf(!hasPython)('outside readers', () => {
  const random = Array.from({ length: 50 }, (_, i) => randomDocument(i + 1)).filter((document) => srt.project(document).length > 0 && boxes.project(document).length > 0)
  const documents = [tricky, ...random.slice(0, 2)].map((document, i): AnnotationDocument => ({
    ...document,
    source: { ...document.source, id: i + 1, name: `v${i + 1}.mp4` },
    labels: tricky.labels,
    // In one library no two clips or annotations share an id.
    clips: document.clips.map((clip) => ({
      ...clip, id: clip.id + i * 1000, annotations: clip.annotations.map((one) => ({ ...one, id: one.id + i * 1000, clipId: clip.id + i * 1000 })),
    })),
  }))
  let exported = ''
  beforeAll(async () => {
    exported = mkdtempSync(path.join(os.tmpdir(), 'tubelet-readers-'))
    await exportProject(libraryOf(documents), { formats, directory: exported })
  })
  afterAll(() => rmSync(exported, { recursive: true, force: true }))
  const seen = (reader: string, ...file: string[]): unknown =>
    JSON.parse(execFileSync(python, ['-m', 'models.readback', reader, path.join(exported, ...file)], { cwd: repository, encoding: 'utf8', stdio: 'pipe' }))

  it('pycocotools finds every box, and the file scores 1 against itself', () => {
    const dataset = coco.project(documents)
    expect(seen('coco', 'instances.json')).toMatchObject({
      self_precision: 1,
      categories: dataset.categories.map(({ name, color }) => ({ name, color })),
      boxes: dataset.annotations.map(({ bbox, track_id, video_id }) => ({ bbox, track: track_id, video: video_id })),
    })
  }, 60_000)

  it('the documented rules of CVAT hold, and ElementTree finds every box', () => {
    documents.forEach((document, i) => {
      const { labels, tracks, size } = cvat.project(document)
      expect(seen('cvat', `v${i + 1}`, 'cvat.xml')).toMatchObject({
        size,
        labels,
        tracks: tracks.map(({ id, label, source, boxes: all }) => ({
          id, label, source, boxes: all.map(({ frame, x1, y1, x2, y2, outside, keyframe }) => ({ frame, box: [x1, y1, x2, y2], outside, keyframe })),
        })),
      })
    })
  })

  it('pysrt and ffprobe read the captions', () => {
    documents.forEach((document, i) => {
      const cues = srt.project(document)
      expect(Cues.parse(seen('srt', `v${i + 1}`, 'captions.srt')).cues).toEqual(cues)
      expect(Cues.parse(seen('vtt', `v${i + 1}`, 'captions.vtt')).cues.map(({ start, end }) => [start, end])).toEqual(vtt.project(document).map(({ start, end }) => [start, end]))
      for (const [file, codec] of [['captions.srt', 'subrip'], ['captions.vtt', 'webvtt']] as const) {
        const probe = execFileSync('ffprobe', ['-v', 'error', '-of', 'json', '-show_streams', '-show_packets', path.join(exported, `v${i + 1}`, file)], { encoding: 'utf8' })
        expect(JSON.parse(probe)).toMatchObject({
          streams: [{ codec_type: 'subtitle', codec_name: codec }],
          packets: cues.map(({ start, end }) => ({ pts: start, duration: end - start })),
        })
      }
    })
  })

  it("Python's csv reads the tables, and frames count from 0", () => {
    const Rows = z.object({ rows: z.array(z.record(z.string(), z.unknown())) })
    documents.forEach((document, i) => {
      const folder = `v${i + 1}`
      const boxRows = Rows.parse(seen('csv', folder, 'boxes.csv')).rows
      expect(boxRows.map(({ frame, x1, label }) => [Number(frame), Number(x1), String(label).replace(/^'(?='*[=+\-@\t\r\n])/, '')])).toEqual(
        boxes.project(document).map(({ frame, x1, label }) => [frame, x1, label]),
      )
      expect(Rows.parse(seen('csv', folder, 'spans.csv')).rows.map(({ kind, start_s }) => [kind, Number(start_s)])).toEqual(spans.project(document).map(({ kind, start_s }) => [kind, start_s]))
      expect(Rows.parse(seen('frames', folder, 'frames.csv')).rows.map(({ pts }) => pts)).toEqual(document.pts)
    })
  })

  it('refuse files that break the rules', () => {
    const file = path.join(exported, 'v1', 'cvat.xml')
    const break_ = (from: RegExp, to: string) => writeFileSync(path.join(exported, 'broken.xml'), readFileSync(file, 'utf8').replace(from, to))
    for (const [from, to] of [[/ frame="1"/, ' frame="0"'], [/keyframe="1"/, 'keyframe="0"'], [/outside="1"/, 'outside="0"'], [/<name>one frame<\/name>/, '<name>x</name>']] as const) {
      break_(from, to)
      expect(() => seen('cvat', 'broken.xml')).toThrow('Command failed')
    }
  })
})

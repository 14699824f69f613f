import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { SidecarFormat } from '../../app/contract/export.ts'
import { contract } from '../../app/contract.ts'
import { english } from '../../app/phrase.ts'
import { guarded, unguarded } from '../../app/formats/guard.ts'
import { coco } from '../../app/formats/coco.ts'
import { boxes, spans } from '../../app/formats/csv.ts'
import { cvat } from '../../app/formats/cvat.ts'
import type { Film } from '../../app/formats/document.ts'
import { srt } from '../../app/formats/srt.ts'
import { vtt } from '../../app/formats/vtt.ts'
import { type AnnotationDocument, filmOf, filmsOf, libraryOf as keep, nastyDocument, randomDocument, tricky } from '../../test/documents.ts'
import { killNextThread } from '../threads.testing.ts'
import type { Library } from '../library/library.ts'
import { CONTENTS, type TextContent } from './files.ts'
import { countsOfExport, exportProject } from './export.ts'
import { partOf } from '../part.ts'

const repository = path.join(import.meta.dirname, '..', '..')
const python = path.join(repository, '.venv', 'bin', 'python')

let directory = ''
beforeEach(() => void (directory = mkdtempSync(path.join(os.tmpdir(), 'tubelet-export-'))))
afterEach(() => {
  chmodSync(directory, 0o755)
  rmSync(directory, { recursive: true, force: true })
})

const libraries: { library: Library; folder: string }[] = []
afterAll(async () => {
  for (const { library, folder } of libraries) {
    await library.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

/** A library that holds them; clips and annotations get numbers that are theirs alone. */
function libraryOf(documents: readonly AnnotationDocument[], state = 'done'): Library {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-export-library-'))
  const library = keep(folder, apart(documents), state)
  libraries.push({ library, folder })
  return library
}

function apart(documents: readonly AnnotationDocument[]): AnnotationDocument[] {
  return documents.map((document, i) => ({
    ...document,
    source: {
      ...document.source,
      fingerprint:
        document.source.fingerprint +
        (documents.some((other, j) => j < i && other.source.fingerprint === document.source.fingerprint) ? ` ${i}` : ''),
    },
    clips: document.clips.map((clip) => ({
      ...clip,
      id: clip.id + i * 1000,
      annotations: clip.annotations.map((one) => ({ ...one, id: one.id + i * 1000, clipId: clip.id + i * 1000 })),
    })),
  }))
}

const Lines = z.object({ type: z.string() })
const cocoOf = (file: string) => {
  const parts: Record<string, unknown[]> = {}
  for (const { part, value } of coco.read([readFileSync(file, 'utf8')])) (parts[part] ??= []).push(value)
  return z
    .object({
      videos: z.array(z.object({ id: z.number(), name: z.string() })).default([]),
      categories: z.array(z.object({ id: z.number(), name: z.string() })).default([]),
      annotations: z.array(z.object({ video_id: z.number(), category_id: z.number() })).default([]),
      images: z.array(z.unknown()).default([]),
    })
    .parse(parts)
}

const formats = SidecarFormat.options
const named = (name: string, id: number): AnnotationDocument => ({ ...tricky, source: { ...tricky.source, name, id } })
const contents = () =>
  new Map(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const file = path.join(entry.parentPath, entry.name)
        return [path.relative(directory, file), readFileSync(file, 'utf8')]
      }),
  )

describe('an export', () => {
  it('has a folder for each source and one COCO file, as it says', async () => {
    const { files } = await exportProject(libraryOf([tricky]), { formats, directory })
    const folder = 'été _a_ & _b_ 空白'
    const ofVideo = [
      'annotations.eaf',
      'annotations.jsonl',
      'annotations.jsonld',
      'boxes.csv',
      'boxes.parquet',
      'captions.srt',
      'captions.vtt',
      'cvat-labels.json',
      'cvat.xml',
      'frames.csv',
      'spans.csv',
      'spans.parquet',
      'viame.csv',
    ].map((file) => path.join(folder, file))
    const inTrees = ['gt/gt.txt', 'gt/labels.txt', 'det/det.txt', 'seqinfo.ini'].map((file) => path.join('mot', folder, file))
    inTrees.push(...['labels.json', 'manifest.json'].map((file) => path.join('fiftyone', folder, file)))
    const ofAll = ['activitynet-captions.json', 'instances.json', 'label-studio-config.xml', 'label-studio.json', 'youtube-vis.json']
    ofAll.push(path.join('datumaro', 'annotations', 'default.json'))
    const expected = [...ofAll, path.join('annotations', 'instances_default.json'), ...ofVideo, ...inTrees].sort()
    expect(files.map(({ path: file }) => path.relative(directory, file)).sort()).toEqual(expected)
    expect([...contents().keys()].sort()).toEqual(['tubelet-export.json', ...expected].sort())
    // Datumaro wants a folder for pictures, with or without any.
    expect(existsSync(path.join(directory, 'images'))).toBe(true)
    for (const { path: file, bytes } of files) expect(readFileSync(file).length).toBe(bytes)
  })

  it('of labels and texts with characters that no file holds has them without', async () => {
    const odd = (text: string): AnnotationDocument => ({
      ...tricky,
      clips: tricky.clips.map((clip) => ({
        ...clip,
        annotations: clip.annotations.map((one) => ({
          ...one,
          body: one.body.kind === 'track' ? { ...one.body, label: text } : one.body.kind === 'caption' ? { ...one.body, text } : one.body,
        })),
      })),
    })
    const { files } = await exportProject(libraryOf([odd('ca\0r \ud83d')]), { formats, directory })
    expect(files.length).toBeGreaterThan(20)
    for (const [name, text] of contents()) if (!name.endsWith('.parquet')) expect([name, text.includes('\0')]).toEqual([name, false])
    expect(readFileSync(path.join(directory, 'mot', 'été _a_ & _b_ 空白', 'gt', 'labels.txt'), 'utf8')).toContain('car \ufffd\n')
  })

  it('calls no file reviewed that holds what nobody reviewed', async () => {
    await exportProject(libraryOf([tricky]), { formats, directory })
    for (const [file, text] of contents()) if (text.includes('"state":"machine"')) expect(file).not.toMatch(/review/)
    await exportProject(libraryOf([tricky]), {
      formats: ['jsonl'],
      directory: path.join(directory, 'decided'),
      scope: { states: ['accepted', 'edited'] },
    })
    const lines =
      [...contents()]
        .find(([file]) => file.startsWith('decided') && file.endsWith('.jsonl'))?.[1]
        .split('\n')
        .filter(Boolean) ?? []
    const annotations = lines.filter((line) => Lines.parse(JSON.parse(line)).type === 'annotation')
    expect([annotations.length, annotations.some((line) => line.includes('"state":"machine"'))]).toEqual([5, false])
  })

  it('leaves out what a person rejected, except in the state of review', async () => {
    await exportProject(libraryOf([tricky]), { formats, directory })
    for (const [file, text] of contents()) expect([file, text.includes('REJECTED')]).toEqual([file, file.endsWith('.jsonl')])
  })

  it('gives each source a name of its own that every system takes', async () => {
    const names = [
      'clip.mp4',
      'Clip.mkv',
      'CON.avi',
      '日本語.mov',
      'a:b*c?.mp4',
      '...mp4',
      'instances.json.mp4',
      `${'長'.repeat(200)}.mp4`,
      'dots. .mp4',
    ]
    const library = libraryOf(names.map((name, i) => named(name, i + 1)))
    await exportProject(library, { formats: ['vtt'], directory })
    const folders = readdirSync(directory).filter((name) => name !== 'tubelet-export.json')
    expect(folders.sort()).toEqual(
      ['clip.mp4', 'Clip.mkv', '_CON', '日本語', 'a_b_c_', 'video', 'instances.json.mp4', '長'.repeat(66), 'dots'].sort(),
    )
    const { files } = await exportProject(library, { formats: ['srt'], directory, sourceIds: [2] })
    expect(path.basename(path.dirname(files[0]?.path ?? ''))).toBe('Clip.mkv')
  })

  it('can be written again over itself, but over nothing else', async () => {
    const once = await exportProject(libraryOf([named('a.mp4', 1)]), { formats, directory })
    expect(await exportProject(libraryOf([named('a.mp4', 1)]), { formats, directory })).toEqual(once)
    writeFileSync(path.join(directory, 'a', 'captions.srt'), 'mine')
    const before = contents()
    await expect(exportProject(libraryOf([named('a.mp4', 1)]), { formats, directory })).rejects.toMatchObject({
      problem: { code: 'conflict', file: path.join(directory, 'a', 'captions.srt') },
    })
    expect(contents()).toEqual(before)
  })

  const filmed = (id: number, fingerprint: string): AnnotationDocument => ({
    ...tricky,
    source: { ...tricky.source, id, fingerprint, path: `/${fingerprint}/clip.mp4`, name: 'clip.mp4' },
  })
  const about = (folder: string) =>
    readdirSync(path.join(directory, folder))
      .filter((file) => /^spans|jsonl$/.test(file))
      .map((file) => /day\d/.exec(readFileSync(path.join(directory, folder, file), 'utf8'))?.[0])

  it('keeps a folder for one video, also when another of its name is gone', async () => {
    await exportProject(libraryOf([filmed(1, 'day1'), filmed(2, 'day2')]), { formats: ['csv', 'jsonl', 'coco'], directory })
    const left = libraryOf([filmed(2, 'day2')])
    await exportProject(left, { formats: ['csv', 'coco'], directory })
    expect([about('day1_clip'), about('day2_clip')]).toEqual([
      ['day1', 'day1'],
      ['day2', 'day2'],
    ])
    await exportProject(libraryOf([filmed(3, 'day3')]), { formats: ['csv'], directory })
    expect([about('day1_clip'), about('day2_clip'), about('clip')]).toEqual([['day1', 'day1'], ['day2', 'day2'], ['day3']])
    // Its own stays what it was called when it was the only one of its name.
    await exportProject(libraryOf([filmed(3, 'day3'), filmed(4, 'day4')]), { formats: ['csv'], directory })
    expect([about('clip'), about('day4_clip')]).toEqual([['day3'], ['day4']])
  })

  it('writes over no COCO file of another project', async () => {
    await exportProject(libraryOf([filmed(1, 'day1')]), { formats: ['coco'], directory })
    const before = contents()
    const other = libraryOf([filmed(1, 'day2')])
    await expect(exportProject(other, { formats: ['coco', 'csv'], directory })).rejects.toMatchObject({
      problem: { code: 'conflict', file: path.join(directory, 'instances.json') },
    })
    expect(contents()).toEqual(before)
    rmSync(path.join(directory, 'instances.json'))
    rmSync(path.join(directory, 'annotations'), { recursive: true })
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
    await expect(exportProject(libraryOf([tricky]), { formats, directory, sourceIds: [99] })).rejects.toMatchObject({
      problem: { code: 'bad-request' },
    })
    await expect(exportProject(libraryOf([tricky]), { formats, directory: path.join(import.meta.filename, 'x') })).rejects.toMatchObject({
      problem: { code: 'conflict' },
    })
  })

  it.skipIf(process.platform === 'win32')('says so when the folder may not be written', { meta: { needs: 'a Unix system' } }, async () => {
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

  it('says so when a name is longer than a disk allows, and asks for a name that can be one', async () => {
    const long = exportProject(libraryOf([tricky]), { formats, directory: path.join(directory, 'n'.repeat(5_000)) })
    await expect(long).rejects.toMatchObject({
      problem: { code: 'conflict', message: 'This name or path is longer than the disk allows.' },
    })
    for (const name of ['', 'a\0b']) expect(contract.export.body.safeParse({ formats: ['csv'], directory: name }).success).toBe(false)
  })

  it.skipIf(process.platform !== 'linux')('comes back from where no folder can be made', { meta: { needs: 'Linux' } }, async () => {
    await expect(exportProject(libraryOf([tricky]), { formats, directory: '/proc/tubelet/export' })).rejects.toMatchObject({
      problem: { code: 'forbidden', message: 'No folder can be made here.', next: 'Choose another folder.' },
    })
  })

  it.skipIf(process.platform === 'win32')(
    'can be stopped while the folder does not answer',
    { meta: { needs: 'a Unix system' } },
    async () => {
      const record = path.join(directory, 'tubelet-export.json')
      execFileSync('mkfifo', [record])
      const stop = new AbortController()
      const exporting = exportProject(libraryOf([tricky]), { formats, directory, signal: stop.signal })
      setImmediate(() => stop.abort())
      await expect(exporting).rejects.toMatchObject({ problem: { code: 'cancelled' } })
      // Whoever reads it waits for somebody to write.
      spawn('sh', ['-c', ': > "$0"', record])
    },
  )

  it('says so when its thread dies, leaves nothing behind and can be tried again', async () => {
    const library = libraryOf([tricky])
    killNextThread()
    await expect(exportProject(library, { formats, directory })).rejects.toMatchObject({
      problem: {
        code: 'internal',
        message: 'The export stopped unexpectedly.',
        stillWorks: 'Your library and earlier exports are unchanged.',
      },
    })
    expect(readdirSync(directory, { recursive: true }).filter((name) => String(name).endsWith('.tubelet-part'))).toEqual([])
    expect((await exportProject(library, { formats, directory })).files).not.toEqual([])
  })

  it('says so when the disk is full, and leaves nothing behind', async () => {
    const disk = path.join(directory, 'disk')
    mkdirSync(disk)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', disk], { stdio: 'ignore' })
    } catch {
      console.warn('SKIPPED: a full disk, because only root can mount a small one')
      return
    }
    try {
      const library = libraryOf([named('full.mp4', 1)])
      writeFileSync(path.join(disk, 'filler'), Buffer.alloc(24_576))
      await expect(exportProject(library, { formats: ['vtt', 'srt'], directory: disk })).rejects.toMatchObject({
        problem: { code: 'disk-full' },
      })
      expect([...contents().keys()]).toEqual(['disk/filler'])
    } finally {
      execFileSync('umount', ['-l', disk])
    }
  })

  it('writes through no link that lies in its way, and clears away only what a killed process left long ago', async () => {
    const library = libraryOf([named('film.mp4', 1)])
    const mine = path.join(directory, 'mine.txt')
    writeFileSync(mine, 'mine')
    mkdirSync(path.join(directory, 'film'))
    const inFilm = (name: string) => path.join(directory, 'film', name)
    // The names that could be known before: those of earlier versions, and of the files themselves.
    for (const name of ['captions.vtt.tubelet-part', 'frames.csv.tubelet-part']) symlinkSync(mine, inFilm(name))
    symlinkSync(mine, path.join(directory, 'tubelet-export.json.tubelet-part'))
    const [left, fresh] = [partOf(inFilm('captions.vtt')), partOf(inFilm('captions.vtt'))]
    for (const file of [left, fresh]) writeFileSync(file, '')
    utimesSync(left, 0, 0)
    await exportProject(library, { formats: ['vtt'], directory })
    expect(readFileSync(mine, 'utf8')).toBe('mine')
    expect([left, fresh].map((file) => existsSync(file))).toEqual([false, true])
    expect(readFileSync(inFilm('captions.vtt'), 'utf8')).toMatch(/^WEBVTT/)
    // A file that is only a link to somebody's own is not Tubelet's to replace.
    rmSync(inFilm('captions.vtt'))
    symlinkSync(mine, inFilm('captions.vtt'))
    await expect(exportProject(library, { formats: ['vtt'], directory })).rejects.toMatchObject({ problem: { code: 'conflict' } })
    expect(readFileSync(mine, 'utf8')).toBe('mine')
  })
})

describe('which videos are in the files', () => {
  const film = (id: number, name: string, fingerprint = name): AnnotationDocument => ({
    ...tricky,
    source: { ...tricky.source, id, name, path: `/films/${name}`, fingerprint },
  })
  const three = [film(1, 'a.mp4'), film(2, 'b.mp4'), film(3, 'c.mp4')]
  const shown = (file: string) => cocoOf(path.join(directory, file)).videos.map(({ name }) => name)
  const setState = (library: Library, id: number, state: string) => {
    const db = new DatabaseSync(path.join(library.projectDir, 'library.sqlite'))
    db.prepare('UPDATE sources SET state = ? WHERE id = ?').run(state, id)
    db.close()
  }

  it('are never fewer than before: a part gets a name of its own', async () => {
    const library = libraryOf(three)
    await exportProject(library, { formats: ['coco'], directory })
    const { files } = await exportProject(library, { formats: ['coco'], directory, sourceIds: [2] })
    expect(files.map(({ path: file }) => path.basename(file))).toContain('instances_b.json')
    await exportProject(library, { formats: ['coco'], directory, sourceIds: [1, 3] })
    expect([shown('instances.json'), shown('instances_b.json'), shown('instances_part.json')]).toEqual([
      ['a.mp4', 'b.mp4', 'c.mp4'],
      ['b.mp4'],
      ['a.mp4', 'c.mp4'],
    ])
    // Also where one is left out since it is being analysed again.
    setState(library, 3, 'analysing')
    await exportProject(library, { formats: ['coco'], directory })
    expect([shown('instances.json'), shown('instances_part (2).json')]).toEqual([
      ['a.mp4', 'b.mp4', 'c.mp4'],
      ['a.mp4', 'b.mp4'],
    ])
    // One that holds all of them and more takes the place.
    await exportProject(libraryOf([...three, film(4, 'd.mp4')]), { formats: ['coco'], directory })
    expect(shown('instances.json')).toEqual(['a.mp4', 'b.mp4', 'c.mp4', 'd.mp4'])
  })

  it('are never fewer because one was removed, which is told; restored, it is in the same file again', async () => {
    const library = libraryOf(three)
    const all = () => exportProject(library, { formats: ['coco'], directory })
    await all()
    library.removeSource(2)
    for (const { notes } of [await all(), await all()])
      expect(notes.map(english)).toContainEqual(
        expect.stringMatching(/^instances\.json stays as it is: .*removed.* instances_part\.json\.$/),
      )
    expect([shown('instances.json'), shown('instances_part.json')]).toEqual([
      ['a.mp4', 'b.mp4', 'c.mp4'],
      ['a.mp4', 'c.mp4'],
    ])
    await library.history.undo()
    const { files, notes } = await all()
    expect(files.map(({ path: file }) => path.basename(file))).toContain('instances.json')
    expect(notes.map(english).join()).not.toContain('stays as it is')
  })

  it('lie in a file each where that is wished', async () => {
    await exportProject(libraryOf(three), { formats: ['coco'], directory, perVideo: true })
    expect(existsSync(path.join(directory, 'instances.json'))).toBe(false)
    expect(['a', 'b', 'c'].map((name) => shown(`${name}/instances.json`))).toEqual([['a.mp4'], ['b.mp4'], ['c.mp4']])
  })

  it('have names that differ, the same in a file of one of them', async () => {
    const films = [film(1, 'clip.mp4', 'x'), film(2, 'clip.mp4', 'y')].map((document, i) => ({
      ...document,
      source: { ...document.source, path: `/films/${i === 0 ? 'monday' : 'tuesday'}/clip.mp4` },
    }))
    const library = libraryOf(films)
    await exportProject(library, { formats, directory })
    expect(shown('instances.json')).toEqual(['monday/clip.mp4', 'tuesday/clip.mp4'])
    await exportProject(library, { formats: ['coco'], directory: path.join(directory, 'one'), sourceIds: [2] })
    expect(shown('one/instances.json')).toEqual(['tuesday/clip.mp4'])
    expect(contents().get(path.join('tuesday_clip', 'cvat.xml'))).toContain('<name>tuesday/clip.mp4</name>')
  })

  it.each(['queued', 'probing', 'analysing', 'cancelled', 'failed'])('are not those whose analysis is %s, which is told', async (state) => {
    const library = libraryOf(three)
    setState(library, 2, state)
    const { files, leftOut } = await exportProject(library, { formats, directory })
    expect(leftOut).toEqual([{ sourceId: 2, name: 'b.mp4', state }])
    expect(files.some(({ path: file }) => path.relative(directory, file).startsWith('b'))).toBe(false)
    expect(shown('instances.json')).toEqual(['a.mp4', 'c.mp4'])
    await expect(exportProject(library, { formats, directory, sourceIds: [2] })).rejects.toMatchObject({
      problem: { code: 'bad-request', message: expect.stringContaining('unfinished') as string },
    })
  })

  it('say so where only a part of a file could be read', async () => {
    const library = libraryOf([film(1, 'a.mp4')], 'partial')
    const { notes } = await exportProject(library, { formats, directory })
    expect(notes[0]).toMatchObject({ values: { names: 'a.mp4' } })
    expect(contents().get(path.join('a', 'annotations.jsonl'))).toContain('"partial":true')
    expect(contents().get('instances.json')).toContain('"partial":true')
  })

  it('say so where another video lies at the path now', async () => {
    const library = libraryOf(three)
    library.files.lost(2, 'replaced', null)
    const { notes } = await exportProject(library, { formats, directory })
    expect(notes.map(english).filter((note) => note.includes('other videos now'))).toEqual([expect.stringMatching(/: b\.mp4\.$/)])
  })
})

describe('which part of what is said is in the files', () => {
  const tracks = () =>
    [...contents()]
      .filter(([file]) => file.endsWith('.csv') && file.includes('boxes'))
      .map(([file, text]) => [
        path.basename(file),
        new Set(
          text
            .split('\r\n')
            .slice(1, -1)
            .map((line) => line.split(',').at(-18)?.replaceAll('"', '')),
        ).size,
      ])
  it('has a name of its own, so that the file of everything stays', async () => {
    const library = libraryOf([{ ...tricky, source: { ...tricky.source, name: 'a.mp4' } }])
    await exportProject(library, { formats, directory })
    const before = contents()
    // A filter that nothing can pass is told, not answered by files without a box.
    await expect(exportProject(library, { formats, directory, scope: { labels: ['nosuch'] } })).rejects.toMatchObject({
      problem: { code: 'bad-request', message: 'There is no label “{{label}}” in this library.', values: { label: 'nosuch' } },
    })
    await exportProject(library, { formats, directory, scope: { by: 'people' } })
    await exportProject(library, { formats, directory, scope: { by: 'machine' } })
    for (const [file, text] of before) if (file !== 'tubelet-export.json') expect([file, contents().get(file)]).toEqual([file, text])
    expect(
      [...contents().keys()]
        .filter((file) => /boxes.*\.csv$/.test(path.basename(file)))
        .map((file) => path.basename(file))
        .sort(),
    ).toEqual(['boxes.csv', 'boxes_part (2).csv', 'boxes_part.csv'])
    // The same part goes to the same file.
    await exportProject(library, { formats, directory, scope: { by: 'people' } })
    expect(tracks()).toHaveLength(3)
  })
  it('is told with what stays behind of it, as a person is told before', async () => {
    const library = libraryOf([{ ...tricky, source: { ...tricky.source, name: 'a.mp4' } }])
    const written = async (options: Pick<Parameters<typeof exportProject>[1], 'clipIds' | 'scope'>) => {
      const { notes } = await exportProject(library, { formats: ['coco', 'vtt'], directory, ...options })
      return [await countsOfExport(library, options), notes.map(english)]
    }
    expect(await written({})).toEqual([
      { track: 5, caption: 3, segment: 0, answer: 1, note: 1, text: 0 },
      [
        'Tracks stay behind (5): WebVTT cannot hold them.',
        'Captions stay behind (3): COCO cannot hold them.',
        'Answers stay behind (1): COCO, WebVTT cannot hold them.',
        'Notes stay behind (1): COCO, WebVTT cannot hold them.',
      ],
    ])
    expect(await written({ clipIds: [31], scope: { states: ['accepted', 'edited'], labels: ['=CMD|1'] } })).toEqual([
      { track: 1, caption: 0, segment: 0, answer: 1, note: 0, text: 0 },
      ['Tracks stay behind (1): WebVTT cannot hold them.', 'Answers stay behind (1): COCO, WebVTT cannot hold them.'],
    ])
    expect((await written({ scope: { by: 'people' } }))[0]).toMatchObject({ track: 2, caption: 1, note: 1 })
  })
  it('has a folder of its own where a format has one', async () => {
    const library = libraryOf([{ ...tricky, source: { ...tricky.source, name: 'a.mp4' } }])
    await exportProject(library, { formats: ['mot'], directory })
    await exportProject(library, { formats: ['mot'], directory, scope: { by: 'people' } })
    await exportProject(library, { formats: ['mot'], directory, scope: { by: 'machine' } })
    await exportProject(library, { formats: ['mot'], directory, scope: { by: 'people' } })
    const tracks = (tree: string) =>
      new Set(
        readFileSync(path.join(directory, tree, 'a', 'gt', 'gt.txt'), 'utf8')
          .split('\n')
          .slice(0, -1)
          .map((row) => row.split(',')[1]),
      ).size
    expect(['mot', 'mot_part', 'mot_part (2)'].map(tracks)).toEqual([4, 2, 2])
  })
  it('may be some clips alone', async () => {
    const library = libraryOf([{ ...tricky, source: { ...tricky.source, name: 'a.mp4' } }])
    await exportProject(library, { formats, directory, clipIds: [31] })
    const text = [...contents()].find(([file]) => file.includes('annotations_part.jsonl'))?.[1] ?? ''
    expect([...text.matchAll(/"type":"clip","clip":{"id":(\d+)/g)].map(([, id]) => Number(id))).toEqual([31])
    await expect(exportProject(library, { formats, directory, clipIds: [99] })).rejects.toMatchObject({ problem: { code: 'bad-request' } })
  })
})

describe('what people said over the end of a clip', () => {
  const [first, , last] = tricky.clips
  const [track, note] = [first?.annotations.find(({ id }) => id === 4), last?.annotations.find(({ id }) => id === 11)]
  if (!first || !last || track?.body.kind !== 'track' || note?.body.kind !== 'note') throw new RangeError('the tricky document lost a part')
  const key = (ordinal: number) => ({ ordinal, pts: tricky.pts[ordinal] ?? 0, box: { x1: 10, y1: 10, x2: 50, y2: 50 }, score: null })
  /** Frames 3 to 9, over the end of the first clip, which has 5. */
  const across = { ...track, body: { ...track.body, label: 'ACROSS', boxes: [key(3), key(9)] } }
  const told = { ...note, id: 12, clipId: first.id, body: { ...note.body, text: 'TOLD', span: { startFrame: 4, endFrame: 8 } } }
  const inside = { ...track, id: 13, body: { ...track.body, label: 'INSIDE', boxes: [key(1), key(2)] } }
  const document: AnnotationDocument = {
    ...tricky,
    source: { ...tricky.source, name: 'a.mp4' },
    labels: [],
    clips: [
      { ...first, annotations: [across, told, inside] },
      { ...last, annotations: [] },
    ],
  }
  it.each([
    ['all', undefined],
    ['the clip that it begins in', [first.id]],
    ['the clip that it ends in', [last.id]],
    ['both, chosen one by one', [first.id, last.id]],
  ])('is in every file once and whole, where the scope is %s', async (_, clipIds) => {
    await exportProject(libraryOf([document]), { formats, directory, clipIds })
    const files = [...contents()]
    const text = (pattern: RegExp) => files.find(([file]) => pattern.test(file))?.[1] ?? ''
    const count = (pattern: RegExp, of: RegExp) => [...text(pattern).matchAll(of)].length
    const frames = [3, 4, 5, 6, 7, 8, 9].length
    expect(count(/boxes.*\.csv$/, /,ACROSS,/g)).toBe(frames)
    const drawn = [...text(/cvat.*\.xml$/).matchAll(/<track [^>]*label="ACROSS"[^]*?<\/track>/g)].map(
      ([track]) => track.match(/<box /g)?.length,
    )
    // And the one that ends it.
    expect(drawn).toEqual([frames + 1])
    expect(count(/jsonl$/, /"label":"ACROSS"/g)).toBe(1)
    expect([count(/jsonl$/, /"text":"TOLD"/g), count(/spans.*\.csv$/, /,TOLD,/g)]).toEqual([1, 1])
    const whole = clipIds?.includes(first.id) ?? true
    expect(count(/boxes.*\.csv$/, /,INSIDE,/g)).toBe(whole ? 2 : 0)
    const { annotations } = cocoOf(files.map(([file]) => path.join(directory, file)).find((file) => /instances[^/]*json$/.test(file)) ?? '')
    expect(annotations).toHaveLength(frames + (whole ? 2 : 0))
  })
})

describe('numbers of labels', () => {
  it('stay the same whatever is exported, drawn, renamed or taken away, and are never given again', async () => {
    const [clip] = tricky.clips
    const track = clip?.annotations.find(({ id }) => id === 4)
    if (!clip || !track || track.body.kind !== 'track') throw new RangeError('the tricky document lost its track')
    const { body } = track
    const film = (id: number, ...labels: string[]): AnnotationDocument => ({
      ...tricky,
      source: { ...tricky.source, id, name: `${id}.mp4`, fingerprint: `f${id}` },
      labels: [
        { name: 'person', colour: '#112233' },
        { name: 'dog', colour: '#112233' },
      ],
      clips: [{ ...clip, annotations: labels.map((label, i) => ({ ...track, id: i + 1, body: { ...body, label } })) }],
    })
    const library = libraryOf([film(1, 'zebra'), film(2, 'person', 'Dog', 'ant')])
    const ids = async (folder: string, sourceIds?: number[]) => {
      await exportProject(library, { formats: ['coco'], directory: path.join(directory, folder), ...(sourceIds ? { sourceIds } : {}) })
      return Object.fromEntries(cocoOf(path.join(directory, folder, 'instances.json')).categories.map(({ name, id }) => [name, id]))
    }
    const first = { person: 1, dog: 2, ant: 3, zebra: 4 }
    expect(await ids('all')).toEqual(first)
    expect(await ids('one', [1])).toEqual(first)
    library.changeVocabulary([{ name: 'aardvark', synonyms: [], colour: '#112233', threshold: 0.5 }])
    expect(await ids('later')).toEqual({ ...first, aardvark: 5 })
    library.changeVocabulary([])
    expect(await ids('after', [1])).toEqual({ ...first, aardvark: 5 })
    library.changeVocabulary([
      { name: 'Person', synonyms: [], colour: '#112233', threshold: 0.5 },
      { name: 'cow', synonyms: [], colour: '#112233', threshold: 0.5 },
    ])
    expect(await ids('again')).toEqual({ Person: 1, dog: 2, ant: 3, zebra: 4, aardvark: 5, cow: 6 })
  })
})

describe('an export that takes long', () => {
  it('tells how far it is, is ended when asked, and leaves nothing behind', async () => {
    const [clip] = tricky.clips
    const track = clip?.annotations.find(({ id }) => id === 4)
    if (!clip || !track || track.body.kind !== 'track') throw new RangeError('the tricky document lost its track')
    const { body } = track
    const count = 20_000
    const pts = Array.from({ length: count }, (_, i) => i * 3000)
    const key = (ordinal: number) => ({ ordinal, pts: pts[ordinal] ?? 0, box: { x1: 10, y1: 10, x2: 50, y2: 50 }, score: null })
    const library = libraryOf([
      {
        ...tricky,
        pts,
        clips: [
          {
            ...clip,
            endFrame: count,
            annotations: Array.from({ length: 20 }, (_, i) => ({
              ...track,
              id: i + 1,
              body: { ...body, boxes: [key(0), key(count - 1)] },
            })),
          },
        ],
      },
    ])
    const stop = new AbortController()
    const shares: number[] = []
    const under = exportProject(library, {
      formats,
      directory,
      signal: stop.signal,
      onProgress: (share) => {
        shares.push(share)
        if (shares.length === 3) stop.abort()
      },
    })
    await expect(under).rejects.toMatchObject({ problem: { code: 'cancelled' } })
    expect(shares).toEqual(shares.toSorted((a, b) => a - b))
    expect([...contents().keys()]).toEqual([])
  }, 60_000)
})

const Cues = z.object({ cues: z.array(z.object({ start: z.number(), end: z.number(), text: z.string() })) })

describe.skipIf(!existsSync(python))('outside readers', { meta: { needs: 'the Python of models/requirements.txt in .venv' } }, () => {
  const of = <I, P>(format: { pieces: (input: I) => Iterable<P> }, input: I) => [...format.pieces(input)]
  const random = Array.from({ length: 50 }, (_, i) => randomDocument(i + 1)).filter((document) =>
    filmsOf([document]).every((film) => of(srt, film).length > 0 && of(boxes, film).length > 0),
  )
  const documents = apart(
    [tricky, ...random.slice(0, 2)].map(
      (document, i): AnnotationDocument => ({
        ...document,
        source: { ...document.source, id: i + 1, name: `v${i + 1}.mp4`, path: `/v${i + 1}.mp4` },
        labels: tricky.labels,
      }),
    ),
  )
  /** As they are read of a library, whose numbers of labels they have. */
  let films: Film[] = []
  let exported = ''
  beforeAll(async () => {
    exported = mkdtempSync(path.join(os.tmpdir(), 'tubelet-readers-'))
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-export-library-'))
    const library = keep(folder, documents)
    libraries.push({ library, folder })
    await exportProject(library, { formats, directory: exported })
    films = filmsOf(documents).map((film) => ({ ...film, categories: library.exports.categories(false) }))
  })
  afterAll(() => rmSync(exported, { recursive: true, force: true }))
  const seen = (reader: string, ...file: string[]): unknown =>
    JSON.parse(
      execFileSync(python, ['-m', 'models.readback', reader, path.join(exported, ...file)], {
        cwd: repository,
        encoding: 'utf8',
        stdio: 'pipe',
      }),
    )

  it('pycocotools finds every box, and the file scores 1 against itself', () => {
    const parts = of(coco, films)
    expect(seen('coco', 'instances.json')).toMatchObject({
      self_precision: 1,
      categories: parts.flatMap((piece) => (piece.part === 'categories' ? [{ name: piece.value.name, color: piece.value.color }] : [])),
      boxes: parts.flatMap((piece) =>
        piece.part === 'annotations' ? [{ bbox: piece.value.bbox, track: piece.value.track_id, video: piece.value.video_id }] : [],
      ),
    })
    expect(seen('coco', 'annotations', 'instances_default.json')).toEqual(seen('coco', 'instances.json'))
  }, 60_000)

  it('the documented rules of CVAT hold, and ElementTree finds every box', () => {
    films.forEach((film, i) => {
      const pieces = of(cvat, film)
      const [task] = pieces
      const tracks: { id: number; label: string; source: string; boxes: unknown[] }[] = []
      for (const piece of pieces) {
        if (piece.part === 'track') tracks.push({ id: piece.id, label: piece.label, source: piece.source, boxes: [] })
        if (piece.part === 'box')
          tracks.at(-1)?.boxes.push({
            frame: piece.frame,
            box: [piece.x1, piece.y1, piece.x2, piece.y2],
            outside: piece.outside,
            keyframe: piece.keyframe,
          })
      }
      expect(seen('cvat', `v${i + 1}`, 'cvat.xml')).toMatchObject({
        size: film.pts.length,
        labels: task?.part === 'task' ? task.labels : [],
        tracks,
      })
    })
  })

  it('the rules of MOT Challenge and VIAME CSV hold, and Python finds every box', () => {
    films.forEach((film, i) => {
      const rows = of(boxes, film).map(({ frame, x1, label, track_id }) => ({ frame, x1, label, track: track_id }))
      expect(seen('mot', 'mot', `v${i + 1}`)).toMatchObject({ frames: film.pts.length, boxes: rows })
      expect(seen('viame', `v${i + 1}`, 'viame.csv')).toMatchObject({
        rows: rows.map(({ label, ...row }) => ({ ...row, label: guarded(label ?? '') })),
      })
    })
  })

  it('pysrt, webvtt-py and ffprobe read the captions', () => {
    films.forEach((film, i) => {
      const cues = of(srt, film)
      const told = of(vtt, film)
      expect(Cues.parse(seen('srt', `v${i + 1}`, 'captions.srt')).cues).toEqual(cues)
      expect(Cues.parse(seen('vtt', `v${i + 1}`, 'captions.vtt')).cues.map(({ start, end }) => [start, end])).toEqual(
        told.map(({ start, end }) => [start, end]),
      )
      expect(Cues.parse(seen('webvtt', `v${i + 1}`, 'captions.vtt')).cues).toEqual(
        told.map(({ start, end, text }) => ({ start, end, text })),
      )
      for (const [file, codec] of [
        ['captions.srt', 'subrip'],
        ['captions.vtt', 'webvtt'],
      ] as const) {
        const probe = execFileSync(
          'ffprobe',
          ['-v', 'error', '-of', 'json', '-show_streams', '-show_packets', path.join(exported, `v${i + 1}`, file)],
          { encoding: 'utf8' },
        )
        expect(JSON.parse(probe)).toMatchObject({
          streams: [{ codec_type: 'subtitle', codec_name: codec }],
          packets: cues.map(({ start, end }) => ({ pts: start, duration: end - start })),
        })
      }
    })
  })

  const Rows = z.object({ rows: z.array(z.record(z.string(), z.unknown())) })

  it("Python's csv reads the tables, and frames count from 0", () => {
    films.forEach((film, i) => {
      const folder = `v${i + 1}`
      const boxRows = Rows.parse(seen('csv', folder, 'boxes.csv')).rows
      expect(boxRows.map(({ frame, x1, label }) => [Number(frame), Number(x1), unguarded(String(label))])).toEqual(
        of(boxes, film).map(({ frame, x1, label }) => [frame, x1, label]),
      )
      expect(Rows.parse(seen('csv', folder, 'spans.csv')).rows.map(({ kind, start_s }) => [kind, Number(start_s)])).toEqual(
        of(spans, film).map(({ kind, start_s }) => [kind, start_s]),
      )
      expect(Rows.parse(seen('frames', folder, 'frames.csv')).rows.map(({ pts }) => pts)).toEqual(Array.from(film.pts))
    })
  })

  it('pandas reads whole numbers as such, and no label as missing', () => {
    const labels = ['NA', 'None', 'null', 'nan', '-5 °C']
    const [clip] = tricky.clips
    const track = clip?.annotations.find(({ id }) => id === 4)
    if (!clip || !track || track.body.kind !== 'track') throw new RangeError('the tricky document lost its track')
    const { body } = track
    const document = {
      ...tricky,
      source: { ...tricky.source, name: 'na.mp4' },
      clips: [{ ...clip, annotations: labels.map((label, i) => ({ ...track, id: 50 + i, body: { ...body, label } })) }],
    }
    return exportProject(libraryOf([document]), { formats: ['csv'], directory: exported }).then(() => {
      const Table = z.object({ types: z.record(z.string(), z.string()), labels: z.array(z.string()) })
      const boxTable = Table.parse(seen('pandas', 'na', 'boxes.csv'))
      expect(new Set(boxTable.labels)).toEqual(new Set(labels))
      expect(['frame', 'pts', 'timebase_den', 'track_id', 'observed'].map((column) => boxTable.types[column])).toEqual(
        Array(5).fill('int64'),
      )
      const spanTable = Table.parse(seen('pandas', 'v1', 'spans.csv'))
      expect(['clip_id', 'annotation_id', 'start_frame', 'end_frame', 'unsure'].map((column) => spanTable.types[column])).toEqual(
        Array(5).fill('int64'),
      )
    })
  }, 60_000)

  it('find text where text looks like something else', () => {
    const film = filmOf(nastyDocument(1))
    const written = (content: TextContent) => {
      void CONTENTS[content]([film], path.join(exported, content), () => undefined)
      return content
    }
    const [told, said] = [of(vtt, film), of(srt, film)]
    const texts = (reader: string, content: TextContent) => Cues.parse(seen(reader, written(content))).cues.map(({ text }) => text)
    expect(texts('srt', 'captions.srt')).toEqual(said.map(({ text }) => text))
    expect(texts('webvtt', 'captions.vtt')).toEqual(told.map(({ text }) => text))
    expect(texts('vtt', 'captions.vtt')).toHaveLength(told.length)
    const rows = Rows.parse(seen('csv', written('spans.csv'))).rows
    expect(rows.map(({ text }) => unguarded(String(text)))).toEqual(of(spans, film).map(({ text }) => text ?? ''))
    expect(seen('cvat', written('cvat.xml'))).toMatchObject({
      tracks: of(cvat, film).flatMap((piece) => (piece.part === 'track' ? [{ id: piece.id, label: piece.label }] : [])),
    })
  })

  it('refuse files that break the rules', () => {
    const file = path.join(exported, 'v1', 'cvat.xml')
    const break_ = (from: RegExp, to: string) =>
      writeFileSync(path.join(exported, 'broken.xml'), readFileSync(file, 'utf8').replace(from, to))
    for (const [from, to] of [
      [/ frame="1"/, ' frame="0"'],
      [/keyframe="1"/, 'keyframe="0"'],
      [/outside="1"/, 'outside="0"'],
      [/<name>one frame<\/name>/, '<name>x</name>'],
      [/<attribute name="score">[^<]*</, '<attribute name="score"><'],
    ] as const) {
      break_(from, to)
      expect(() => seen('cvat', 'broken.xml')).toThrow('Command failed')
    }
  })
})

/** What Tubelet exported, imported into another library: a machine's texts stay a machine's, and each file finds its own video. */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { type AnnotationDocument, libraryOf, tricky } from '../../test/documents.ts'
import type { Annotation } from '../../app/annotation.ts'
import type { ExportFormat } from '../../app/contract/export.ts'
import { exportProject } from '../export/export.ts'
import { Library } from '../library/library.ts'
import { Imports } from './imports.ts'

const root = mkdtempSync(path.join(os.tmpdir(), 'tubelet-own-exports-'))
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
  const at = folder()
  const library = libraryOf(at, documents)
  // As the library writes it: a clip has one caption.
  const db = new DatabaseSync(path.join(at, 'library.sqlite'))
  db.exec(`UPDATE annotations SET topic = '' WHERE kind = 'caption'`)
  db.close()
  open.push(library)
  return library
}

const provenance = {
  packId: 'p',
  packVersion: '1',
  packDigest: 'd',
  provider: 'cpu',
  prompt: '',
  appVersion: '1',
  at: '2026-01-01T00:00:00Z',
}
/** Two videos of one stem, size and length, each with texts that a machine made and one that a person wrote. */
const both = ['mma_test.avi', 'mma_test.mp4'].map((name, at): AnnotationDocument => {
  const [clip] = tricky.clips
  if (!clip) throw new RangeError('no clip')
  const id = (n: number) => at * 100 + n
  const whole = { ...clip, id: id(1), sourceId: at + 1, index: 0, startFrame: 0, endFrame: 12, start: 0, end: 0.48 }
  const common = {
    clipId: id(1),
    evidence: { confidence: 0.9, unsure: false, agreement: null, frames: [] },
    provenance,
    updatedAt: provenance.at,
  }
  const machine = (n: number, body: Annotation['body']): Annotation => ({ ...common, id: id(n), state: 'machine', body, machine: body })
  const note = { kind: 'note', text: `note ${at}` } as const
  const key = (ordinal: number) => ({ ordinal, pts: ordinal, box: { x1: 10, y1: 10, x2: 50, y2: 50 }, score: 0.9 })
  return {
    ...tricky,
    source: {
      ...tricky.source,
      ...{ id: at + 1, name, path: `/films/${name}`, fingerprint: `content of ${name}` },
      probe: { ...tricky.source.probe, startPts: 0, variableFrameRate: false, timeBase: { num: 1, den: 25 }, duration: 0.48 },
    },
    pts: Array.from({ length: 12 }, (_, i) => i),
    clips: [
      {
        ...whole,
        annotations: [
          machine(2, { kind: 'caption', text: `A man stands there, ${at}.` }),
          machine(3, { kind: 'answer', question: 'What colour?', text: 'White.' }),
          machine(4, { kind: 'track', label: 'car', boxes: [key(1), key(2)] }),
          { ...common, id: id(5), state: 'edited', body: note, machine: null, evidence: null, provenance: null },
        ],
      },
    ],
  }
})
const bare = both.map((document) => ({ ...document, clips: document.clips.map((clip) => ({ ...clip, annotations: [] })) }))

const written = async (format: ExportFormat, which: RegExp, documents = both) => {
  const { files } = await exportProject(hold(documents), { formats: [format], directory: folder() })
  return files.map(({ path: file }) => file).filter((file) => which.test(file))
}

describe('who made it', () => {
  it('is told by the tiers of ELAN', async () => {
    const library = hold(bare)
    const imports = new Imports(library)
    const read = await imports.read(await written('eaf', /\.eaf$/))
    expect(read.parts).toMatchObject([
      { texts: 3, unreviewed: 2, unknown: 0 },
      { texts: 3, unreviewed: 2, unknown: 0 },
    ])
    expect(await imports.take(read.importId)).toMatchObject({ texts: 2 })
    await imports.close()
    const people = library.clips({ limit: 9, offset: 0 }).clips.flatMap(({ id }) => library.annotations(id))
    expect(people.map(({ body }) => ('text' in body ? body.text : ''))).toEqual(['note 0', 'note 1'])
  })

  it.each([
    ['srt', /\.srt$/, { texts: 1, unknown: 1 }],
    ['activitynet', /activitynet-captions\.json$/, { texts: 1, unknown: 1 }],
    ['mot', /gt\.txt$/, { tracks: 1, unknown: 1 }],
    ['vtt', /\.vtt$/, { texts: 1, unreviewed: 1, unknown: 0 }],
    ['viame', /viame\.csv$/, { tracks: 1, unreviewed: 1, unknown: 0 }],
    ['label-studio', /label-studio\.json$/, { tracks: 1, unreviewed: 1, unknown: 0 }],
  ] as const)('is told by %s, or it is said that it is not', async (format, which, told) => {
    const imports = new Imports(hold(bare))
    const read = await imports.read(await written(format, which))
    expect(read.parts).toMatchObject([told, told])
    await imports.close()
  })

  it('is the machine of this library where that says the same, also of a caption that a person changed', async () => {
    const files = await written('activitynet', /activitynet-captions\.json$/)
    const [first, second] = both
    if (!first || !second) throw new RangeError('no document')
    const changed = {
      ...second,
      clips: second.clips.map((clip) => ({
        ...clip,
        annotations: clip.annotations.map((one) =>
          one.body.kind === 'caption' ? { ...one, state: 'edited' as const, body: { ...one.body, text: 'Mine.' } } : one,
        ),
      })),
    }
    const imports = new Imports(hold([first, changed]))
    const read = await imports.read(files)
    expect(await imports.take(read.importId)).toMatchObject({ texts: 0, there: 2, beside: 0 })
    await imports.close()
  })
})

describe('of two videos with one stem, each file finds its own by the record of the export', () => {
  it.each([
    ['srt', /\.srt$/],
    ['viame', /viame\.csv$/],
    ['mot', /gt\.txt$/],
  ] as const)('%s', async (format, which) => {
    const imports = new Imports(hold(bare))
    const read = await imports.read(await written(format, which))
    expect(read.parts.map(({ sourceId, sure }) => [sourceId, sure])).toEqual([
      [1, true],
      [2, true],
    ])
    // Without the record, and in a folder that is called like both, as earlier versions wrote it, a person says which is meant.
    const [one = ''] = await written(format, which)
    rmSync(path.join(one.slice(0, one.indexOf('mma_test')).replace(/mot.$/, ''), 'tubelet-export.json'))
    const stem = one.replace(/mma_test\.\w+/, 'mma_test')
    mkdirSync(path.dirname(stem), { recursive: true })
    renameSync(one, stem)
    const unsure = await imports.read([stem])
    if (format !== 'mot') expect(unsure.parts).toMatchObject([{ sourceId: null, sure: false }])
    await imports.close()
  })

  it('a single video of the name is sure', async () => {
    const one = both.slice(1)
    const imports = new Imports(hold(bare.slice(1)))
    for (const [format, which] of [
      ['mot', /gt\.txt$/],
      ['viame', /viame\.csv$/],
    ] as const)
      expect((await imports.read(await written(format, which, one))).parts).toMatchObject([{ sourceId: 2, sure: true }])
    await imports.close()
  })
})

/**
 * `npm run readers [-- FOLDER]`: every file that an export writes, read by programs that nobody here wrote, at pinned versions (models/outside_readers.py). They
 * are too large for `npm test`, so they get Python environments of their own in FOLDER, which stay for the next time (default: a folder of the
 * system's for temporary files). Where they cannot be installed the run says so and ends with 1.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { AnnotationFormat } from '../app/contract/export.ts'
import { exportProject } from '../main/export/export.ts'
import { filmed, painted, uneven, x264 } from '../main/media/painted.testing.ts'
import { findMediaTools } from '../main/media/tools.ts'
import { type AnnotationDocument, libraryOf, randomDocument, tricky } from './documents.ts'

/** By environment: the SDK of Label Studio needs an older NumPy than TrackEval. */
const READERS = {
  most: [
    'pycocotools==2.0.11',
    'trackeval==1.3.0',
    'numpy==2.4.6',
    'pympi-ling==1.71',
    'lxml==6.1.3',
    'pyarrow==25.0.1',
    'supervision==0.31.2',
    'kwcoco==0.9.1',
    'datumaro==1.13.12',
    'pyld==3.3.0',
  ],
  'label-studio': ['label-studio-sdk==2.1.2'],
} as const

const folder = path.resolve(process.argv[2] ?? path.join(os.tmpdir(), 'tubelet-readers'))
const environments = Object.entries(READERS).map(([name, packages]) => {
  const [venv, list] = [path.join(folder, name), path.join(folder, `${name}.txt`)]
  const python = path.join(venv, 'bin', 'python')
  // The list is written last, since an installation may be interrupted.
  if (!existsSync(list) || readFileSync(list, 'utf8') !== packages.join('\n')) {
    rmSync(venv, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const made = spawnSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' })
    const installed = made.status === 0 ? spawnSync(python, ['-m', 'pip', 'install', '-q', ...packages], { stdio: 'inherit' }) : made
    if (installed.status !== 0) {
      console.error(`SKIPPED: the readers (${packages.join(', ')}), because they cannot be installed here`)
      process.exit(1)
    }
    writeFileSync(list, packages.join('\n'))
  }
  return { python, names: packages.map((one) => one.replace(/=.*/, '')) }
})

/** Turned, with pixels that are not square, of one name, and with everything that breaks a naive writer. */
const shapes = [
  {},
  { rotation: 90 as const, codedWidth: 240, codedHeight: 320 },
  { codedWidth: 160, sampleAspectRatio: { num: 2, den: 1 } },
]
const documents = [tricky, ...[3, 5, 7, 11, 12, 17, 23, 29, 31, 32, 40].map(randomDocument)].map(
  (document, i): AnnotationDocument => ({
    ...document,
    source: {
      ...document.source,
      id: i + 1,
      name: i < 2 ? 'same.mp4' : `v${i} ü.mp4`,
      path: `/films/${i}/${i < 2 ? 'same.mp4' : `v${i} ü.mp4`}`,
      fingerprint: `xxh:${i}`,
      probe: { ...document.source.probe, ...shapes[i % shapes.length] },
    },
    clips: document.clips.map((clip) => ({
      ...clip,
      id: clip.id + i * 1000,
      annotations: clip.annotations.map((one) => ({ ...one, id: one.id + i * 1000, clipId: clip.id + i * 1000 })),
    })),
  }),
)
const work = mkdtempSync(path.join(os.tmpdir(), 'tubelet-readers-'))

/** A document over a film that is there, for formats with pictures. */
async function overFilm(document: AnnotationDocument, file: string, ...args: string[]): Promise<AnnotationDocument> {
  const film = await filmed(tools, painted(tools, file, document.pts.length, ...args, ...x264))
  const [across, down] = [film.probe.width / document.source.probe.width, film.probe.height / document.source.probe.height]
  return {
    ...document,
    source: { ...document.source, probe: film.probe, path: file, name: path.basename(file) },
    pts: Array.from(film.pts),
    clips: document.clips.map((clip) => ({
      ...clip,
      annotations: clip.annotations.map((one) => {
        if (one.body.kind !== 'track') return one
        const boxes = one.body.boxes.map((key) => {
          const { x1, y1, x2, y2 } = key.box
          return { ...key, pts: film.pts[key.ordinal] ?? 0, box: { x1: x1 * across, y1: y1 * down, x2: x2 * across, y2: y2 * down } }
        })
        return { ...one, body: { ...one.body, boxes } }
      }),
    })),
  }
}

const tools = await findMediaTools()
const films = [[], ['-vf', 'setsar=2'], uneven, ['-vf', 'transpose=1']]
for (const [i, args] of films.entries()) {
  const at = documents.length - films.length + i
  const document = documents[at]
  if (document) documents[at] = await overFilm(document, path.join(work, `film ${i} ü.mp4`), ...args)
}
const library = libraryOf(path.join(work, 'library'), documents)
try {
  await exportProject(library, {
    formats: AnnotationFormat.options,
    directory: path.join(work, 'out'),
    media: () => Promise.resolve(tools),
    frames: { every: 2 },
  })
  const script = path.resolve(import.meta.dirname, '..', 'models', 'outside_readers.py')
  const failed = environments.filter(
    ({ python, names }) => spawnSync(python, [script, path.join(work, 'out'), ...names], { stdio: 'inherit' }).status !== 0,
  )
  process.exitCode = failed.length === 0 ? 0 : 1
} finally {
  await library.close()
  rmSync(work, { recursive: true, force: true })
}

/** Which files an export has, and what each is called. */
import { createHash } from 'node:crypto'
import path from 'node:path'
import type { Source } from '../../app/contract.ts'
import type { ExportFormat } from '../../app/contract/export.ts'
import { type Scope, scopeKey } from '../../app/formats/scope.ts'
import { holdsAnnotations } from '../../app/formats/holds.ts'
import type { Content } from './made.ts'
import { COCO_FILE, COCO_FOLDER, type ExportRecord, FileNames, folderNames } from './names.ts'

/** A file to write. `name`: its path in the folder, with `/` as separator, which is its key in the record. `also`: further names (hard links). */
export interface Planned {
  format: string
  content: Content
  name: string
  also: string[]
  /** Which part of the annotations it holds; empty for all. */
  part: string
  sources: Source[]
}

/**
 * The files that each format has. Those of PROJECT are about all videos, the others about one, in its folder; with `*` for that folder
 * in a folder that the format has for all videos, because its readers want it so.
 */
const FILES: Record<ExportFormat | 'frames', readonly Content[]> = {
  coco: [COCO_FILE],
  'youtube-vis': ['youtube-vis.json'],
  cvat: ['cvat.xml', 'cvat-labels.json'],
  mot: ['mot/*/gt/gt.txt', 'mot/*/gt/labels.txt', 'mot/*/det/det.txt', 'mot/*/seqinfo.ini'],
  yolo: ['yolo'],
  viame: ['viame.csv'],
  'label-studio': ['label-studio.json', 'label-studio-config.xml'],
  datumaro: ['datumaro/annotations/default.json'],
  fiftyone: ['fiftyone/*/labels.json', 'fiftyone/*/manifest.json'],
  vtt: ['captions.vtt'],
  srt: ['captions.srt'],
  eaf: ['annotations.eaf'],
  activitynet: ['activitynet-captions.json'],
  'web-annotation': ['annotations.jsonld'],
  csv: ['boxes.csv', 'spans.csv'],
  parquet: ['boxes.parquet', 'spans.parquet'],
  jsonl: ['annotations.jsonl'],
  pictures: ['pictures'],
  crops: ['crops'],
  clips: ['clips'],
  reel: ['reel'],
  sheet: ['sheet.html'],
  report: ['report.html'],
  frames: ['frames.csv'],
}
/** What is made of the videos themselves: always of all that are chosen. */
const MADE: readonly Content[] = ['yolo', 'pictures', 'crops', 'clips', 'reel', 'sheet.html', 'report.html']
const PROJECT = new Set<Content>([
  COCO_FILE,
  'youtube-vis.json',
  'datumaro/annotations/default.json',
  'label-studio.json',
  'label-studio-config.xml',
  'activitynet-captions.json',
  ...MADE,
])
/** What does not depend on the part that is written. */
const WHOLE = new Set<Content>(['frames.csv', 'cvat-labels.json'])

/** Names that no video's folder may have. */
const RESERVED = Object.values(FILES).flatMap((contents) =>
  contents.flatMap((content) => (content.includes('*') || PROJECT.has(content) ? [content.split('/', 1)[0] ?? ''] : [])),
)

/** Whether any of these formats is made of the videos themselves. */
export function readsVideos(formats: readonly ExportFormat[]): boolean {
  return formats.some((format) => FILES[format].some((content) => MADE.includes(content)))
}

/** Whether a file is about all videos, if they are not asked for one by one. */
export function isOfProject(content: Content): boolean {
  return PROJECT.has(content)
}

/** By id: what the folder of a video is called, and its pictures begin with. */
export function videoNames(all: readonly Source[], record: ExportRecord): Map<number, string> {
  return folderNames(all, record, RESERVED)
}

export interface Wanted {
  formats: readonly ExportFormat[]
  directory: string
  clipIds?: readonly number[] | undefined
  scope?: Scope | undefined
  perVideo?: boolean | undefined
  /** Fingerprints of removed videos: a file that has one of them is not replaced by one without it. */
  binned: ReadonlySet<string>
}

export function plan(
  all: readonly Source[],
  chosen: Source[],
  record: ExportRecord,
  { formats, directory, scope = {}, clipIds, perVideo = false, binned }: Wanted,
): Planned[] {
  const clipsKey = clipIds
    ? createHash('sha256')
        .update(clipIds.toSorted((a, b) => a - b).join())
        .digest('hex')
    : ''
  const part = [scopeKey(scope), clipsKey].filter(Boolean).join(' ')
  const [names, whole] = [new FileNames(directory, record, part), new FileNames(directory, record, '')]
  const folders = videoNames(all, record)
  const folderOf = ({ id }: Source) => folders.get(id) ?? String(id)
  const [only] = chosen.length === 1 ? chosen : []
  const nameOf = (content: Content, source: Source) => {
    const [tree = '', inTree] = content.split('/*/')
    if (inTree !== undefined) return names.inTree(tree, `${folderOf(source)}/${inTree}`)
    return (WHOLE.has(content) ? whole : names).inFolder(folderOf(source), content)
  }
  const planned = (format: string, content: Content, name: string, sources: Source[]): Planned => ({
    format,
    content,
    name,
    also: content === COCO_FILE ? [datumaroName(name)] : [],
    part: WHOLE.has(content) ? '' : part,
    sources,
  })
  const wanted = [...new Set(formats), ...(formats.some(holdsAnnotations) ? (['frames'] as const) : [])].flatMap((format) =>
    FILES[format].map((content) => ({ format, content })),
  )
  const ofEach = chosen.flatMap((source) =>
    wanted
      .filter(({ content }) => !PROJECT.has(content) || (perVideo && !MADE.includes(content)))
      .map(({ format, content }) => planned(format, content, nameOf(content, source), [source])),
  )
  const fingerprints = chosen.map(({ fingerprint }) => fingerprint)
  const known = new Set([...all.map(({ fingerprint }) => fingerprint), ...binned])
  const ofAll = wanted.filter(({ content }) => PROJECT.has(content) && (!perVideo || MADE.includes(content)))
  return [
    ...ofEach,
    ...ofAll.map(({ format, content }) =>
      planned(format, content, names.ofProject(content, fingerprints, known, only ? folderOf(only) : null), chosen),
    ),
  ]
}

/** Datumaro only finds `annotations/instances_SUBSET.json` beside a folder `images`. */
function datumaroName(name: string): string {
  const { dir, name: stem } = path.posix.parse(name)
  return path.posix.join(
    dir,
    COCO_FOLDER.annotations,
    stem === path.posix.parse(COCO_FILE).name ? 'instances_default.json' : `${stem}.json`,
  )
}

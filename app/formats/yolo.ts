/**
 * YOLO as Ultralytics lays it out: a folder of pictures, beside it a folder with a text of the same name for each, and data.yaml, which names the
 * classes and the folders for training and validation.
 *
 * A row is the class, from 0 in the order of the names, then the centre and the size of a box as shares 0..1 of the picture: so they are the same
 * in the decoded picture and in one with square pixels. A text without rows says that nothing is on its picture. Tracks and scores have no place:
 * readers pass over a sixth number and take seven for a polygon. What data.yaml says for Tubelet stands in comments.
 */
import { z } from 'zod'
import type { Box } from '../annotation.ts'
import { phrase } from '../phrase.ts'
import type { FramedBox } from './by-frame.ts'
import { type Beside, fault, type FolderOf, type Found, frameInName, numberIn, withoutFrame } from './found.ts'

export interface YoloRow {
  /** From 0. */
  kind: number
  /** Centre and size, 0..1. */
  cx: number
  cy: number
  width: number
  height: number
}

/** Decimals of a share: a thousandth of a pixel of the largest picture is more. */
const DECIMALS = 8

export function yoloRow({ object, x1, y1, x2, y2 }: FramedBox, picture: { width: number; height: number }): YoloRow {
  const share = (value: number) => Number(Math.min(1, Math.max(0, value)).toFixed(DECIMALS))
  return {
    kind: object.category.id - 1,
    cx: share((x1 + x2) / 2 / picture.width),
    cy: share((y1 + y2) / 2 / picture.height),
    width: share((x2 - x1) / picture.width),
    height: share((y2 - y1) / picture.height),
  }
}

/** The text of one picture. */
export function yoloText(rows: readonly YoloRow[]): string {
  const share = (value: number) => value.toFixed(DECIMALS)
  return rows.map(({ kind, cx, cy, width, height }) => `${[kind, ...[cx, cy, width, height].map(share)].join(' ')}\n`).join('')
}

/** @returns Null for a line that is no box: readers take more numbers for the corners of a polygon. */
function rowIn(line: string): YoloRow | null {
  const cells = line.trim().split(/\s+/)
  const [kind, cx, cy, width, height] = cells.map(numberIn)
  if (kind == null || cx == null || cy == null || width == null || height == null || cells.length > 6) return null
  if (!Number.isInteger(kind) || kind < 0 || [cx, cy, width, height].some((one) => one < 0 || one > 1)) return null
  return { kind, cx, cy, width, height }
}

export function yoloRows(text: string): (YoloRow | null)[] {
  return text
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '')
    .map(rowIn)
}

/** Whether a text begins with such a row. */
export function isYoloRow(line: string): boolean {
  const cells = line.trim().split(/\s+/)
  return cells.length === 5 && rowIn(line) !== null && cells.slice(1).some((cell) => cell.includes('.'))
}

/** A video whose pictures begin with `stem`. */
const YoloVideo = z.object({
  stem: z.string(),
  name: z.string(),
  fingerprint: z.string(),
  frames: z.number(),
})
export type YoloVideo = z.infer<typeof YoloVideo>

const OURS = '# tubelet '

export function yoloData(names: readonly string[], folders: { train: string; val: string }, videos: readonly YoloVideo[]): string {
  return `# Made by Tubelet. Pictures of one video are never in both folders.
${videos.map((video) => `${OURS}${JSON.stringify(video)}\n`).join('')}train: ${folders.train}
val: ${folders.val}
names:
${names.map((name, at) => `  ${at}: ${JSON.stringify(name)}\n`).join('')}`
}

/** The folders of pictures that Ultralytics reads, by their name in data.yaml. */
const SPLITS = ['train', 'val', 'test'] as const

interface YoloData {
  names: ReadonlyMap<number, string>
  /** Relative to data.yaml. */
  folders: string[]
  videos: YoloVideo[]
}

/** What is needed of data.yaml: a small part of YAML. */
function dataIn(text: string): YoloData {
  const names = new Map<number, string>()
  const folders: string[] = []
  const videos: YoloVideo[] = []
  let root = ''
  let key = ''
  const add = (name: string, at?: number) => names.set(at ?? names.size, name)
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    if (line.startsWith(OURS)) {
      const video = YoloVideo.safeParse(parsed(line.slice(OURS.length)))
      if (video.success) videos.push(video.data)
      continue
    }
    const [, indent = '', item, name, rest = ''] =
      /^(\s*)(?:(-)\s+|("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#:][^:#]*?)\s*:(?=\s|$))?\s*(.*)$/.exec(line) ?? []
    const value = scalar(rest)
    if (indent === '' && name !== undefined) {
      key = name
      if (key === 'path') root = value
      if (key === 'names') for (const [at, one] of flowOf(rest)) add(one, at)
      if (SPLITS.some((split) => split === key))
        for (const [, folder] of rest.startsWith('[') ? flowOf(rest) : [[0, value] as const]) if (folder !== '') folders.push(folder)
    } else if (key === 'names' && item !== undefined) add(value)
    else if (key === 'names' && name !== undefined && /^\d+$/.test(name)) add(value, Number(name))
    else if (SPLITS.some((split) => split === key) && item !== undefined && value !== '') folders.push(value)
  }
  const places = folders.flatMap((folder) => [joined(root, folder), joined('', folder)])
  return { names, folders: [...new Set(places)], videos }
}

/** A list or a map between brackets on one line. */
function flowOf(text: string): [number | undefined, string][] {
  const inner = /^[[{](.*)[\]}]/.exec(text.trim())?.[1] ?? ''
  const parts = inner.match(/(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,"'])+/g) ?? []
  return parts.map((part) => {
    const [, at, value = part] = (text.trim().startsWith('{') ? /^\s*(\d+)\s*:\s*(.*)$/.exec(part) : null) ?? []
    return [at === undefined ? undefined : Number(at), scalar(value)]
  })
}

function scalar(text: string): string {
  const trimmed = text.trim()
  const quoted = /^"(?:[^"\\]|\\.)*"/.exec(trimmed)?.[0]
  if (quoted !== undefined) {
    const value = parsed(quoted)
    return typeof value === 'string' ? value : quoted.slice(1, -1)
  }
  const single = /^'((?:[^']|'')*)'/.exec(trimmed)?.[1]
  return single?.replaceAll("''", "'") ?? trimmed.replace(/(?:^|\s)#.*$/, '').trim()
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** A path from data.yaml on. Nothing outside the folder of data.yaml is read: parts that lead out of it are left off, as Ultralytics does. */
function joined(...parts: string[]): string {
  return parts
    .join('/')
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .join('/')
}

/** Whether a text is such a data.yaml. */
export function isYoloData(text: string): boolean {
  return /^names\s*:/m.test(text) && /^(?:train|val|test)\s*:/m.test(text)
}

/** Where the labels of a picture lie, or of a folder of pictures: readers replace the last `images` of a path. */
function labelsOf(pictures: string): string {
  return pictures.replace(/^(.*\/|)images(?=\/|$)/, '$1labels')
}

/** The text of each picture: of the folders of data.yaml, and of the lists of pictures that CVAT and Darknet write instead. */
function* textsOf(
  folders: readonly string[],
  beside: Beside,
  folderOf: FolderOf,
): Generator<{ picture: string; file: string; text: string }> {
  for (const folder of folders) {
    if (folder.endsWith('.txt')) {
      const root = folder.split('/').slice(0, -1).join('/')
      for (const line of (beside(folder) ?? '').split(/\r\n|\n|\r/)) {
        const picture = joined(root, line.trim())
        const labels = labelsOf(picture).replace(/\.\w+$/, '.txt')
        const text = line.trim() === '' ? null : beside(labels)
        if (text !== null) yield { picture, file: labels.split('/').at(-1) ?? labels, text }
      }
      continue
    }
    const labels = labelsOf(folder)
    for (const file of folderOf(labels)) {
      if (!file.endsWith('.txt') || /^(?:classes|labels|readme[^/]*)\.txt$/i.test(file)) continue
      const text = beside(`${labels}/${file}`)
      if (text !== null) yield { picture: file, file, text }
    }
  }
}

/** The texts of all folders that data.yaml names. Numbers of lines count in the text that is named. @throws SyntaxError */
export function* readYolo(open: () => Iterable<string>, beside: Beside, folderOf: FolderOf): Generator<Found> {
  const { names, folders, videos } = dataIn([...open()].join(''))
  if (names.size === 0) throw new SyntaxError(phrase('The file names no classes.'))
  const known = new Set<string>()
  let texts = 0
  for (const { picture, file, text } of textsOf(folders, beside, folderOf)) {
    texts += 1
    const stem = file.slice(0, -'.txt'.length)
    const own = videos.find((video) => stem.startsWith(`${video.stem}_frame_`))
    const named = frameInName(picture)
    if (named === null) {
      yield withoutFrame(file)
      continue
    }
    const video = own?.stem ?? named.video
    if (!known.has(video)) {
      known.add(video)
      yield {
        type: 'video',
        key: video,
        name: own?.name ?? named.video,
        relative: true,
        ...(own && { fingerprint: own.fingerprint, frames: own.frames, firstFrame: 0 }),
      }
    }
    for (const row of yoloRows(text)) {
      if (row === null) {
        yield fault('“{{file}}” has a row that is no box: it needs a class and four shares from 0 to 1.', null, { file })
        continue
      }
      const label = names.get(row.kind)
      if (label === undefined)
        yield fault('“{{file}}” has the class {{kind}}, which data.yaml does not name.', null, { file, kind: row.kind })
      else
        yield {
          type: 'box',
          video,
          track: null,
          label,
          frame: named.frame,
          box: boxOf(row),
          score: null,
          observed: true,
          occluded: false,
          outside: false,
          state: null,
          line: null,
        }
    }
  }
  if (texts === 0)
    throw new SyntaxError(
      phrase(
        'There are no labels in the folders beside it that it names. A browser sends data.yaml alone: choose it by its path, or drop the data set as a zip.',
      ),
    )
}

function boxOf({ cx, cy, width, height }: YoloRow): Box {
  return { x1: cx - width / 2, y1: cy - height / 2, x2: cx + width / 2, y2: cy + height / 2 }
}

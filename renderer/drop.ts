/** What was dropped on the window: videos, models, folders of either, and annotation files. */
import { BESIDE, isCheckpoint } from '../app/catalogue.ts'
import type { CallArgs, RouteOutput } from '../app/contract.ts'
import { VIDEO_EXTENSIONS } from '../app/media.ts'
import { exchanged, saidOfExchanged } from '../app/renames.ts'
import { call } from './api.ts'
import { desktop } from './desktop.ts'
import { shown, t, told } from './i18n.ts'
import { importAfter, importFiles, importPaths, withoutBeside } from './import/store.ts'
import { bringFile, chooseFolder, followImport, packsNow } from './packs/queries.ts'
import { usePacksUi } from './packs/store.ts'
import { isHandedOver, lookAtFile } from './sharing/store.ts'
import { tell, toast } from './toast.ts'
import { useUi } from './store.ts'

/** Endings of annotation files; the backend tells by their content which they are. */
const ENDINGS = /\.(?:json|jsonl|ndjson|xml|eaf|csv|parquet|srt|vtt|txt|ya?ml|zip)$/i
/** Files of models with one of these endings. */
const OF_MODELS = ['pack.json', ...BESIDE]

export const mayBeAnnotations = (name: string): boolean =>
  ENDINGS.test(name) && !OF_MODELS.includes(nameOf(name).toLowerCase()) && !isCheckpoint(name)

/** Files beside videos that are offered at once. */
const MOST_BESIDE = 1_000

export async function drop(transfer: DataTransfer): Promise<void> {
  // Read before anything is awaited: the list is empty once the event is over.
  const files = [...transfer.files]
  const folders = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(isFolder)
  if (files.length === 0) return
  // A dialog over the page would hide the result.
  useUi.getState().open(null)
  if (desktop !== null) await addAny(files.map(desktop.pathForFile).filter((path) => path !== ''))
  else
    await bring(
      files.filter(({ name }) => folders.every((folder) => folder.name !== name)),
      folders,
    ).catch(tell)
}

/**
 * Add files and folders by their paths, and report the outcome of each. Numbered pictures are first offered as a video.
 * @param as Frame rate of numbered pictures, and whether those with gaps become one video or several.
 */
export async function addAny(paths: readonly string[], as: Pick<CallArgs<'addSources'>['body'], 'frameRate' | 'gaps'> = {}): Promise<void> {
  const handedOver = paths.find(isHandedOver)
  if (handedOver !== undefined) {
    lookAtFile(handedOver)
    return
  }
  const annotations = paths.filter(mayBeAnnotations)
  const added = await addOthers(
    paths.filter((path) => !mayBeAnnotations(path)),
    as,
  )
  if (annotations.length > 0) void importAfter(added, () => importPaths(annotations))
  void readHeld(added)
}

/** Annotation files that came with videos which a browser cannot add by itself. */
let held: readonly File[] = []

/** Read them, now that the videos are added, or are not. */
export async function readHeld(added: readonly number[]): Promise<void> {
  const files = held
  held = []
  if (files.length > 0) await importAfter(added, () => importFiles(files))
}

/** @returns The videos that are new. */
async function addOthers(paths: readonly string[], as: Pick<CallArgs<'addSources'>['body'], 'frameRate' | 'gaps'>): Promise<number[]> {
  if (paths.length === 0) return []
  try {
    const { precision } = usePacksUi.getState()
    const known = paths.some((path) => !VIDEO_EXTENSIONS.has(/[^.]*$/.exec(path)?.[0].toLowerCase() ?? '')) ? await packsNow() : null
    const brought = await call('addSources', { body: { paths: [...paths], precision, ...as } })
    tellBrought(brought)
    if (brought.numbered.length > 0) useUi.getState().setOffered(brought.numbered)
    const [source] = brought.added
    if (source && useUi.getState().sourceId === null) useUi.getState().selectSource(source.id)
    if (known) await Promise.all(brought.packs.map((pack) => followImport(pack, known)))
    return brought.added.map(({ id }) => id)
  } catch (error) {
    tell(error)
    return []
  }
}

type Brought = RouteOutput<'addSources'>

function tellBrought({ added, duplicates, moved, restored, rejected, packs, numbered, sidecars, texts, nothing }: Brought): void {
  if (added.length > 0) toast.success(t('{{count, number}} videos added', { count: added.length }))
  if (duplicates.length > 0) toast.info(t('{{count, number}} files are already in the library', { count: duplicates.length }))
  const together = exchanged(moved)
  if (together.length > 0) toast.info(shown(saidOfExchanged(together)))
  for (const { path, from } of moved.filter((one) => !together.includes(one)))
    toast.info(t('{{name}} was known: its new place is kept.', { name: nameOf(from) }), { description: path })
  if (restored.length > 0)
    toast.success(t('{{count, number}} videos came back from the bin, with what was said about them', { count: restored.length }))
  const [first, ...more] = rejected
  if (first) {
    const { message, next } = told(first.problem)
    const others =
      more.length > 0
        ? t('{{count, number}} more could not be added: {{names}}', { count: more.length, names: namesOf(more.map(({ path }) => path)) })
        : ''
    toast.error(message, { description: [first.path, next, others].filter(Boolean).join(' · '), duration: 12_000 })
  }
  const annotations = sidecars.filter(mayBeAnnotations)
  if (sidecars.length > 0)
    toast.info(t('Not videos: {{count, number}} sidecar files. They stay where they are.', { count: sidecars.length }), {
      description: namesOf(sidecars),
      // Subtitles beside a video are offered when its frames are known.
      ...(annotations.length > 0 && {
        duration: 20_000,
        action: {
          label: t('Import…'),
          onClick: () =>
            void importAfter(
              added.map(({ id }) => id),
              () => importPaths(annotations.slice(0, MOST_BESIDE)),
            ),
        },
      }),
    })
  if (texts.length > 0)
    toast.info(t('Not videos: {{count, number}} texts that are only called like videos.', { count: texts.length }), {
      description: namesOf(texts),
    })
  for (const { path, files } of nothing)
    toast.info(
      files === 0
        ? t('This folder is empty.')
        : t('No video was found there, nor in the folders below it; {{count, number}} other files lie there.', { count: files }),
      {
        description: path,
      },
    )
  const taken = [added, duplicates, moved, restored, rejected, packs, numbered, sidecars, texts, nothing]
  if (taken.every(({ length }) => length === 0)) toast.info(t('No video was found there'))
}

/** The first of their names: a folder may have thousands of files. */
function namesOf(paths: readonly string[]): string {
  return [...paths.slice(0, 5).map(nameOf), ...(paths.length > 5 ? ['…'] : [])].join(', ')
}

function nameOf(path: string): string {
  return path.replace(/^.*[\\/]/, '')
}

/**
 * A browser does not reveal paths. A model's bytes are sent, whatever their number; videos stay where they are, so for them the picker
 * opens and says why.
 */
async function bring(files: readonly File[], folders: readonly FileSystemDirectoryEntry[]): Promise<void> {
  if (files.some(({ name }) => isHandedOver(name))) {
    lookAtFile(null)
    return
  }
  const models = files.filter(({ name }) => isCheckpoint(name)).map((file) => ({ file, beside: files }))
  const read = withoutBeside(files)
  const beside = files.filter((file) => !read.includes(file))
  const annotations = [...read.filter((file) => mayBeAnnotations(file.name)), ...beside]
  const videos = read
    .filter((file) => !isCheckpoint(file.name) && !(BESIDE.includes(file.name) && models.length > 0) && !annotations.includes(file))
    .map(({ name }) => name)
  for (const folder of folders) {
    const within = await filesOf(folder)
    const inside = within.filter(({ name }) => isCheckpoint(name) && !name.endsWith('.bin'))
    const chosen = inside.find(({ name }) => name.endsWith('.safetensors')) ?? inside[0]
    if (within.some(({ name }) => name === 'pack.json')) chooseFolder()
    else if (chosen) models.push({ file: chosen, beside: within })
    else videos.push(folder.name)
  }
  if (videos.length > 0) {
    held = annotations
    useUi.getState().setDropped(
      videos,
      annotations.map(({ name }) => name),
    )
  } else if (annotations.length > 0) await importFiles(annotations)
  for (const { file, beside } of models) await bringFile(file, beside)
}

/** The files directly in a folder. */
async function filesOf(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = folder.createReader()
  const entries: FileSystemEntry[] = []
  // Each call returns some entries, and none at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) break
    entries.push(...some)
  }
  return Promise.all(entries.filter(isFile).map((entry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject))))
}

// Chromium names their classes differently from the standard.
const isFolder = (entry: FileSystemEntry | null): entry is FileSystemDirectoryEntry => entry?.isDirectory === true
const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile

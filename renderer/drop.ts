/** What was dropped on the window: videos, models, folders of either. */
import { isCheckpoint } from '../app/catalogue.ts'
import { call } from './api.ts'
import { desktop } from './desktop.ts'
import { bringFile, chooseFolder, importFile } from './packs/queries.ts'
import { addPaths, tell } from './queries.ts'
import { useUi } from './store.ts'

/** Beside a checkpoint it says what its tensors do not. */
const CONFIG = 'open_clip_config.json'

export async function drop(transfer: DataTransfer): Promise<void> {
  // Read before anything is awaited: the list is empty once the event is over.
  const files = [...transfer.files]
  const folders = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(isFolder)
  if (files.length === 0) return
  // A dialog over the page would hide what comes of it.
  useUi.getState().open(null)
  if (desktop !== null) await addAny(files.map(desktop.pathForFile).filter((path) => path !== ''))
  else
    await bring(
      files.filter(({ name }) => folders.every((folder) => folder.name !== name)),
      folders,
    ).catch(tell)
}

/** Files and folders by their paths: models become packs, everything else is searched for videos. */
export async function addAny(paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return
  try {
    const { models, others } = await call('sortPaths', { body: { paths: [...paths] } })
    if (others.length > 0) void addPaths(others)
    for (const path of models) await importFile(path)
  } catch (error) {
    tell(error)
  }
}

/** A browser does not tell paths. A model's bytes are sent, however many they are; videos stay where they are, so for them the picker opens and says why. */
async function bring(files: readonly File[], folders: readonly FileSystemDirectoryEntry[]): Promise<void> {
  const models = files.filter(({ name }) => isCheckpoint(name)).map((file) => ({ file, beside: files }))
  const videos = files.filter(({ name }) => !isCheckpoint(name) && !(name === CONFIG && models.length > 0)).map(({ name }) => name)
  for (const folder of folders) {
    const beside = await filesOf(folder)
    const inside = beside.filter(({ name }) => isCheckpoint(name) && !name.endsWith('.bin'))
    const chosen = inside.find(({ name }) => name.endsWith('.safetensors')) ?? inside[0]
    if (beside.some(({ name }) => name === 'pack.json')) chooseFolder()
    else if (chosen) models.push({ file: chosen, beside })
    else videos.push(folder.name)
  }
  if (videos.length > 0) useUi.getState().setDropped(videos)
  for (const { file, beside } of models) await bringFile(file, (await beside.find(({ name }) => name === CONFIG)?.text()) ?? null)
}

/** The files directly in a folder. */
async function filesOf(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = folder.createReader()
  const entries: FileSystemEntry[] = []
  // It gives some at a time, and none when it is done.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) break
    entries.push(...some)
  }
  return Promise.all(entries.filter(isFile).map((entry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject))))
}

// Their classes have other names in Chromium than in the standard.
const isFolder = (entry: FileSystemEntry | null): entry is FileSystemDirectoryEntry => entry?.isDirectory === true
const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile

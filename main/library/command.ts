/** `tubelet library …`: checks a library file, and makes and restores its backups. Verifying may run beside an open window. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Command } from 'commander'
import { inEnglish, problemOf, TubeletError } from '../../app/errors.ts'
import { lockLibrary } from '../lock.ts'
import { libraryIn } from '../options.ts'
import { type Backup, Backups, backupsOf, restoreBackup } from './backups.ts'
import { faultsOf } from './check.ts'
import { newerLibrary } from './schema.ts'
import { printError, printJson, printLine } from '../terminal.ts'

interface Options {
  project: string
}

/** @param project The library that is meant if none is named. @param known The folders of the libraries that this person has. */
export function libraryCommand(project: string, known: () => string[]): Command {
  const command = new Command('library').description(
    'List libraries, check one, restore a backup of it, hand one over, take in the work of others',
  )
  command
    .command('list')
    .description('The standard library and those that a window had open, with what they hold')
    .option('--json', 'print one JSON document', false)
    .action(({ json }: { json: boolean }) => listLibraries(known(), json))
  const add = (name: string, description: string) =>
    command.command(name).description(description).option('--project <folder>', 'the library', project)
  add('verify', 'Look for damage in the library and in each of its backups; changes nothing').action(verify)
  add('backups', 'List the backups of the library, newest first').action(list)
  add('backup', 'Make a backup now').action(make)
  add('restore', 'Put a backup in the place of the library, which is set aside')
    .argument('[name]', 'which one, by its name in the list', 'newest')
    .action(restore)
  return command
}

function listLibraries(folders: readonly string[], json: boolean): void {
  const libraries = folders.map((folder) => ({ folder, ...sizeOf(path.join(folder, 'library.sqlite')) }))
  if (json) printJson(libraries)
  else if (libraries.length === 0) printLine('There is no library yet. The first analysis makes one: tubelet analyze PATHS...')
  else for (const { folder, videos, clips, wrong } of libraries) printLine(`${folder}  ${wrong ?? `${videos} videos, ${clips} clips`}`)
}

/** What a library holds, or why that cannot be read. */
function sizeOf(file: string): { videos: number | null; clips: number | null; wrong: string | null } {
  if (!existsSync(file)) return { videos: null, clips: null, wrong: 'is not there' }
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(file, { readOnly: true })
    const counted = (table: 'sources' | 'clips') => Number(db?.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'])
    return { videos: counted('sources'), clips: counted('clips'), wrong: null }
  } catch (error) {
    return { videos: null, clips: null, wrong: `cannot be read: ${inEnglish(problemOf(error)).message}` }
  } finally {
    db?.close()
  }
}

function verify({ project }: Options): void {
  const folder = libraryIn(project)
  const library = path.join(folder, 'library.sqlite')
  const backups = backupsOf(folder)
  const state = told(library, folder)
  const sound = backups.filter(({ name }) => told(path.join(folder, 'backups', name), folder) === 'sound')
  if (state === 'sound' && sound.length === backups.length) return
  process.exitCode = 1
  if (state !== 'damaged') return
  const [newest] = sound
  printError(
    newest === undefined
      ? 'No sound backup is there. Keep the library file as it is; what can be read of it can be exported with “tubelet export”.'
      : `Restore the newest sound backup: tubelet library restore "${newest.name}" --project "${folder}"`,
  )
}

/** Prints what is wrong with a file. `newer`: only a newer Tubelet can tell. */
function told(file: string, folder: string): 'sound' | 'damaged' | 'newer' {
  const name = path.relative(folder, file)
  const faults = faultsOf(file, 'thorough')
  const newer = faults.length > 0 ? null : newerLibrary(file)
  if (newer !== null) printLine(`${name}: ${inEnglish(newer).message} ${inEnglish(newer).next}`)
  else if (faults.length === 0) printLine(`${name}: nothing is wrong.`)
  else for (const text of [`${name}: damaged.`, ...faults.map((fault) => `    ${fault}`)]) printLine(text)
  return newer !== null ? 'newer' : faults.length > 0 ? 'damaged' : 'sound'
}

function list({ project }: Options): void {
  const folder = path.resolve(project)
  const backups = backupsOf(folder)
  if (backups.length === 0) printLine('There is no backup of this library yet.')
  for (const backup of backups) printLine(line(backup))
}

function line({ name, bytes, kind }: Backup): string {
  return `${name}  ${(bytes / 1e6).toFixed(1)} MB${kind === 'set-aside' ? '  (set aside when another was restored)' : ''}`
}

async function make({ project }: Options): Promise<void> {
  const folder = libraryIn(project)
  const backups = new Backups(folder, () => false)
  try {
    await backups.make()
    const [made] = backupsOf(folder)
    if (made !== undefined) printLine(`wrote ${path.join(folder, 'backups', made.name)}`)
  } finally {
    await backups.close()
  }
}

function restore(name: string, { project }: Options): void {
  const folder = path.resolve(project)
  const [newest] = backupsOf(folder).filter(({ kind }) => kind === 'automatic')
  const chosen = name === 'newest' ? newest?.name : name
  if (chosen === undefined)
    throw new TubeletError({
      code: 'not-found',
      message: 'There is no backup of this library.',
      file: folder,
      next: 'Name another folder with --project.',
    })
  const unlock = lockLibrary(folder)
  try {
    const aside = restoreBackup(folder, chosen)
    printLine(`restored ${chosen}`)
    if (aside !== null) printLine(`The library that was there is kept as ${path.join(folder, 'backups', aside)}.`)
  } finally {
    unlock()
  }
}

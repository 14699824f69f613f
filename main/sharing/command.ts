/** `tubelet library hand-over`, `open` and `merge`: work of several people, without a window. */
import path from 'node:path'
import { type Command, Option } from 'commander'
import type { AnnotationBody } from '../../app/annotation.ts'
import { type Conflict, type Merge, Verdict } from '../../app/contract/sharing.ts'
import { TubeletError } from '../../app/errors.ts'
import { LONGEST_NAME } from '../../app/handover.ts'
import { Identity } from '../jobs/identity.ts'
import { Library } from '../library/library.ts'
import { PERSON } from '../library/signed.ts'
import { lockLibrary } from '../lock.ts'
import { libraryIn } from '../options.ts'
import { printError, printLine } from '../terminal.ts'
import { handOver, openHandedOver } from './handover.ts'
import { Merges } from './merges.ts'

interface Options {
  project: string
}

/** Add them to `tubelet library`. @param project The library that is meant if none is named. */
export function addSharing(command: Command, project: string): Command {
  const add = (name: string, description: string) =>
    command.command(name).description(description).option('--project <folder>', 'the library', project)
  add('hand-over', 'Write the library into one new file that others can open, or take into theirs')
    .argument('<file>', 'the new file, NAME.tubelet')
    .option('--with-videos', 'with the videos themselves', false)
    .option('--name <name>', 'whose work it is: kept in the library and stored with what is decided in it from then on')
    .action(handOverTo)
  command
    .command('open')
    .description('Make a library of its own of a file that was handed over')
    .argument('<file>', 'NAME.tubelet')
    .option('--into <folder>', 'a new or empty folder for it; else one beside the file, with its name')
    .option('--search <folder>', 'where its videos may lie, if they did not come along: they are known by their content')
    .action(openFile)
  add('merge', 'Take in the work of a file that was handed over: all of it or nothing, as one step of undo')
    .argument('<file>', 'NAME.tubelet')
    .addOption(
      new Option(
        '--conflicts <whose>',
        'what becomes of things that both decided differently; without it they are listed, and nothing is taken',
      ).choices(Verdict.options),
    )
    .option('--dry-run', 'only say what would be taken, and what differs', false)
    .action(merge)
  return command
}

/** Runs `work` on a library that no window has open. Ctrl-C cancels it. */
async function onLibrary(project: string, work: (library: Library, signal: AbortSignal) => Promise<void>): Promise<void> {
  const folder = libraryIn(project)
  const unlock = lockLibrary(folder)
  const library = Library.open(folder)
  // Idle workers of the library do not keep the process alive.
  const awake = setInterval(() => undefined, 1_000)
  try {
    await work(library, untilCancelled())
  } finally {
    clearInterval(awake)
    await library.close()
    unlock()
  }
}

/** Aborted by Ctrl-C, or a polite kill. */
function untilCancelled(): AbortSignal {
  const stop = new AbortController()
  const why = new TubeletError({ code: 'cancelled', message: 'It was cancelled.', stillWorks: 'Nothing is left of it.' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort(why))
  return stop.signal
}

async function handOverTo(file: string, { project, withVideos, name }: Options & { withVideos: boolean; name?: string }): Promise<void> {
  if (name !== undefined && name.trim().length > LONGEST_NAME)
    throw new TubeletError({
      code: 'bad-request',
      message: 'A name has at most {{most}} letters.',
      values: { most: LONGEST_NAME },
      stillWorks: 'Nothing was written.',
      next: 'Give a shorter one.',
    })
  await onLibrary(project, async (library, signal) => {
    if (name !== undefined) library.setSetting(PERSON, name.trim())
    const identity = new Identity(library, null)
    const made = await handOver(library, { file: path.resolve(file), withVideos, there: (id) => identity.there(id), signal })
    printLine(`wrote ${made.path} (${(made.bytes / 1e6).toFixed(1)} MB, ${withVideos ? `${made.videos} videos` : 'without videos'})`)
    for (const title of made.left) printError(`${title}: not where it was, so it did not go along.`)
    if (made.left.length > 0) process.exitCode = 1
  })
}

async function openFile(file: string, { into, search }: { into?: string; search?: string }): Promise<void> {
  const from = path.resolve(file)
  const folder = path.resolve(into ?? path.join(path.dirname(from), path.parse(from).name))
  const { away, manifest } = await openHandedOver({
    file: from,
    into: folder,
    search: search === undefined ? undefined : path.resolve(search),
    signal: untilCancelled(),
  })
  printLine(`made a library of it: ${folder} (${manifest.videos.length} videos${manifest.by === null ? '' : `, from ${manifest.by}`})`)
  for (const name of away) printLine(`${name}: not found. Add it from where it is, or its folder: it is known by its content.`)
}

async function merge(file: string, { project, conflicts, dryRun }: Options & { conflicts?: Verdict; dryRun: boolean }): Promise<void> {
  await onLibrary(project, async (library, signal) => {
    const merges = new Merges(library)
    try {
      const read = await merges.read(path.resolve(file), signal)
      const [head = '', ...news] = linesOfMerge(read)
      for (const line of [head, ...news]) printLine(line)
      for (const one of read.conflicts) printLine(lineOfConflict(library, one))
      if (dryRun) {
        if (news.length === 0 && read.differing === 0) printLine('There is nothing new in it.')
        return
      }
      if (read.differing > 0 && conflicts === undefined) {
        printError(
          `Nothing was taken: ${read.differing === 1 ? 'one thing differs' : `${read.differing} things differ`}. Decide in the window, or all alike with --conflicts ${Verdict.options.join(', ')}.`,
        )
        process.exitCode = 1
        return
      }
      const { step, away } = await merges.take(read.mergeId, [], conflicts)
      const alone = conflicts === 'both' ? read.conflicts.filter(({ canBoth }) => !canBoth).length : 0
      if (alone > 0) printLine(`${alone} of the differences listed cannot stand side by side: yours was kept.`)
      printLine(step === 0 ? 'There was nothing new.' : 'Taken in. One undo takes all of it back.')
      for (const name of away) printLine(`${name}: not found. Add it from where it is, or its folder: it is known by its content.`)
    } finally {
      merges.close()
    }
  })
}

function linesOfMerge({ by, madeAt, videos, binned, clips, taken, alike, labels, columns, views }: Merge): string[] {
  const counts = Object.entries(taken).flatMap(([kind, count]) => (count === 0 ? [] : [`${count} ${kind}${count === 1 ? '' : 's'}`]))
  const listed = (what: string, names: readonly string[]) => (names.length === 0 ? [] : [`${what}: ${names.join(', ')}`])
  return [
    `handed over${by === null ? '' : ` by ${by}`} on ${madeAt}`,
    ...listed('new videos', videos),
    ...(clips > 0 ? [`new clips: ${clips}`] : []),
    ...(counts.length > 0 ? [`newer, or only there: ${counts.join(', ')}`] : []),
    ...(alike > 0 ? [`decided alike: ${alike}`] : []),
    ...listed('new labels', labels),
    ...listed('new columns', columns),
    ...listed('new views', views),
    ...listed('in the bin here, so left out', binned),
  ]
}

/** Two may say the same of different parts. */
function framesOf(body: AnnotationBody): string {
  const [from, to] =
    body.kind === 'track'
      ? [body.boxes[0]?.ordinal, body.boxes.at(-1)?.ordinal]
      : 'span' in body && body.span !== undefined
        ? [body.span.startFrame, body.span.endFrame - 1]
        : []
  return from === undefined || to === undefined ? '' : ` (frames ${from} to ${to})`
}

function lineOfConflict(library: Library, { clipId, kind, mine, theirs }: Conflict): string {
  const { index, sourceName } = library.clip(clipId)
  const said = ({ state, body, by }: Conflict['mine']) =>
    `${by ?? 'somebody'} ${body === null ? 'set it back' : `${state} “${body.kind === 'track' ? body.label : body.text}”${framesOf(body)}`}`
  return `differs: ${kind} of clip ${index + 1} in ${sourceName}: here ${said(mine)}, there ${said(theirs)}`
}

/** `tubelet import …`: annotation files into a library, without a window. It starts no engine. */
import { Command, InvalidArgumentError } from 'commander'
import type { Source } from '../../app/contract.ts'
import type { Import, ImportFault, ImportPart } from '../../app/contract/imports.ts'
import { READERS } from '../../app/formats/detect.ts'
import { inEnglish, TubeletError } from '../../app/errors.ts'
import { english } from '../../app/phrase.ts'
import { Library } from '../library/library.ts'
import { lockLibrary } from '../lock.ts'
import { libraryIn, videosNamed } from '../options.ts'
import { type Chosen, Imports } from './imports.ts'
import { printError, printJson, printLine } from '../terminal.ts'

interface Options {
  project: string
  to?: string
  firstFrame?: 0 | 1
  firstPixel?: 0 | 1
  unreviewed: boolean
  dryRun: boolean
  json: boolean
}

/** @param project The library to import into if none is named. */
export function importCommand(project: string): Command {
  return new Command('import')
    .description(
      `Take annotation files of other tools, or of another Tubelet, into a library: ${[...new Set(Object.values(READERS).map(({ name }) => name))].join(', ')}`,
    )
    .argument('<files...>', 'annotation files')
    .option('--to <video>', 'the video that they are about, by name or path; otherwise it is found by what the files say')
    .option('--project <folder>', 'the library', project)
    .option('--first-frame <number>', '0 or 1: what the files call the first frame, where they do not say it', zeroOrOne)
    .option('--first-pixel <number>', '0 or 1: what the files call the leftmost and topmost pixel', zeroOrOne)
    .option('--unreviewed', 'also what a machine made and nobody looked at', false)
    .option('--dry-run', 'only say what would be imported, and why', false)
    .option('--json', 'print one JSON document', false)
    .action(run)
}

function zeroOrOne(text: string): 0 | 1 {
  if (text === '0') return 0
  if (text === '1') return 1
  throw new InvalidArgumentError('It is 0 or 1.')
}

async function run(files: string[], { project, to, firstFrame, firstPixel, unreviewed, dryRun, json }: Options): Promise<void> {
  const folder = libraryIn(project)
  const unlock = lockLibrary(folder)
  const library = Library.open(folder)
  // Idle workers of the library do not keep the process alive.
  const awake = setInterval(() => undefined, 1_000)
  const imports = new Imports(library)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
  try {
    const read = await imports.read(files, stop.signal)
    stop.signal.addEventListener('abort', () => void imports.leave(read.importId).catch(() => undefined), { once: true })
    const sources = library.sources()
    const target = to === undefined ? null : videoNamed(sources, to)
    const chosen = read.parts.flatMap((part) => chosenOf(part, target, { firstFrame, firstPixel }))
    const missed = read.parts.filter(({ id }) => chosen.every(({ part }) => part !== id))
    const say = json ? () => undefined : printLine
    for (const { problem } of read.files) if (problem !== null) printError(`${problem.file ?? ''}: ${sentence(inEnglish(problem))}`)
    for (const part of read.parts) {
      say(lineOf(part, read.files[part.file]?.name ?? '', chosen, sources))
      if (missed.includes(part)) say(nextLine(part, target))
      else if (part.unknown > 0) say(unknownLine(part, read))
    }
    sayFaults(read, read.faults)
    if (dryRun || chosen.length === 0) {
      if (json) printJson(read)
      if (!dryRun && read.files.every(({ problem }) => problem === null)) printError('Nothing was imported.')
    } else {
      const taken = await imports.take(read.importId, chosen, unreviewed || undefined)
      if (json) printJson({ ...read, taken })
      say(
        `imported: ${counted(taken.tracks, 'track')}, ${counted(taken.texts, 'text')}; ${taken.there} were there already${taken.beside > 0 ? `; ${taken.beside} differ from what people said here and are kept beside it` : ''}`,
      )
      if (taken.labels.length > 0) say(`new labels: ${taken.labels.join(', ')}`)
      sayFaults(read, taken.faults)
    }
    if (missed.length > 0 || chosen.length === 0 || read.files.some(({ problem }) => problem !== null)) process.exitCode = 1
  } finally {
    clearInterval(awake)
    await imports.close()
    await library.close()
    unlock()
  }
}

/** @throws TubeletError `not-found` where there is none or several. */
function videoNamed(sources: readonly Source[], video: string): Source {
  const [one, ...more] = videosNamed(sources, video)
  if (more.length === 0) return one
  throw new TubeletError({
    code: 'not-found',
    message: 'There are several videos “{{video}}” in this library.',
    values: { video },
    next: 'Name it as it is listed, or by its path.',
  })
}

function chosenOf(
  part: ImportPart,
  target: Source | null,
  given: { firstFrame: 0 | 1 | undefined; firstPixel: 0 | 1 | undefined },
): Chosen[] {
  const sourceId = target?.id ?? part.sourceId
  const { counting, asks } = part
  const isTold = (!asks.firstFrame || given.firstFrame !== undefined) && (!asks.firstPixel || given.firstPixel !== undefined)
  if (sourceId === null || !isTold || !(target !== null || part.fits)) return []
  return [
    { part: part.id, sourceId, firstFrame: given.firstFrame ?? counting.firstFrame, firstPixel: given.firstPixel ?? counting.firstPixel },
  ]
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

function lineOf(part: ImportPart, file: string, chosen: readonly Chosen[], sources: readonly Source[]): string {
  const { named, tracks, texts, unreviewed, rejected } = part
  const counts = [
    tracks > 0 ? counted(tracks, 'track') : '',
    texts > 0 ? counted(texts, 'text') : '',
    unreviewed > 0 ? `${unreviewed} of them not looked at by a person (--unreviewed takes them too)` : '',
    rejected > 0 ? `${rejected} rejected` : '',
  ].filter(Boolean)
  const onto = chosen.find((one) => one.part === part.id)
  const known = sources.find(({ id }) => id === (onto?.sourceId ?? part.sourceId))
  const why = part.why && part.sourceId === known?.id ? ` (${english(part.why)})` : ''
  const where = onto
    ? `→ ${known?.path ?? ''}${why}`
    : known
      ? `not imported; perhaps ${known.path}${why}`
      : 'not imported: no video here fits'
  return `${named ?? `${file}, which names no video`}: ${counts.join(', ')} ${where}`
}

/** Who made it is not in the file: it is imported as somebody's work, and that is said. */
function unknownLine({ file, unknown, tracks, texts }: ImportPart, { files }: Import): string {
  const { name = '', format = '' } = files[file] ?? {}
  return `  This ${format} file does not tell who made it: ${unknown} of ${tracks + texts} count as people's work, imported from ${name}, and may be a machine's.`
}

/** What brings in a part that was left out. */
function nextLine({ fits, asks }: ImportPart, target: Source | null): string {
  const options = [
    target === null && !fits ? '--to VIDEO' : '',
    asks.firstFrame ? '--first-frame 0 or 1' : '',
    asks.firstPixel ? '--first-pixel 0 or 1' : '',
  ].filter(Boolean)
  return `  Left out: to import it, say ${options.join(' and ')}.`
}

function sayFaults({ files }: Import, { list, total }: { list: readonly ImportFault[]; total: number }): void {
  for (const { file, line, what } of list) {
    const { name = '', counts = 'lines' } = files[file] ?? {}
    const place = line === null ? '' : counts === 'lines' ? `, line ${line}` : `, annotation ${line}`
    printError(`${name}${place}: ${english(what)}`)
  }
  if (total > list.length) printError(`… and ${total - list.length} more of such.`)
}

function sentence({ message, next }: { message: string; next: string }): string {
  return `${message} ${next}`.trim()
}

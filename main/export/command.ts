/** `tubelet export …`: annotation files of a library without a window. It starts no engine and may run beside an open window. */
import path from 'node:path'
import { SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError } from 'commander'
import { ReviewState } from '../../app/annotation.ts'
import { ExportFormat, type FrameChoice, type LeftOut } from '../../app/contract/export.ts'
import type { Kind } from '../../app/formats/document.ts'
import { aboutFormat, DETAILS, HOLDS, holdsAnnotations } from '../../app/formats/holds.ts'
import { english, type Phrase } from '../../app/phrase.ts'
import { Identity } from '../jobs/identity.ts'
import { Library } from '../library/library.ts'
import { findMediaTools } from '../media/tools.ts'
import { ids, libraryIn, listOf, names, oneOf, videosNamed, words as withWords } from '../options.ts'
import { Search } from '../search/search.ts'
import { exportProject } from './export.ts'
import { chosenClips } from './which.ts'
import { printError, printJson, printLine } from '../terminal.ts'

interface Options {
  project: string
  formats: ExportFormat[]
  out: string
  videos?: string[]
  clips?: number[]
  search?: string
  view?: string
  labels?: string[]
  states?: ReviewState[]
  by?: 'machine' | 'people'
  perVideo: boolean
  lookedFor?: string[]
  frames?: FrameChoice
  cut?: 'copy' | 'exact'
  language?: 'en' | 'de'
  json: boolean
}

/** @param project The library to export if none is named. */
export function exportCommand(project: string): Command {
  return new Command('export')
    .description('Write annotation files of a library; what it holds is in docs/exports.md')
    .requiredOption('--formats <formats>', `which, separated by commas: ${ExportFormat.options.join(', ')}`, listOf(ExportFormat.options))
    .option('--out <folder>', 'where to write them', '.')
    .option('--project <folder>', 'the library', project)
    .option('--videos <names>', 'of these videos alone: names or paths, separated by commas', names)
    .option('--clips <ids>', 'of these clips alone, separated by commas', ids)
    .option('--search <words>', 'of the clips that a search finds', withWords('A search has words.'))
    .option('--view <name>', 'of the rows of a saved view of the table')
    .option('--labels <labels>', 'boxes of these labels alone, separated by commas', names)
    .option(
      '--states <states>',
      `reviewed like this alone, separated by commas: ${ReviewState.options.join(', ')}`,
      listOf(ReviewState.options),
    )
    .option(
      '--by <whom>',
      'machine: what the machine said and nobody changed; people: what people wrote, drew, changed or accepted',
      oneOf(['machine', 'people'] as const),
    )
    .option('--per-video', 'a COCO file a video, in its folder', false)
    .option(
      '--looked-for <labels>',
      'labels that were looked for everywhere, separated by commas, or "none"; otherwise those that the pack of boxes looked for',
      (text: string) => (text === 'none' ? [] : names(text)),
    )
    .option(
      '--frames <which>',
      'of pictures, crops and YOLO: annotated, every:N for every n-th frame, or numbers of frames separated by commas',
      frameChoice,
    )
    .option(
      '--cut <how>',
      'of clips: copy without loss from the key frame before, or exact to the frame, encoded again',
      oneOf(['copy', 'exact'] as const),
    )
    .option('--language <language>', 'of a report and a contact sheet', oneOf(['en', 'de'] as const))
    .option('--json', 'print one JSON document', false)
    .addHelpText('after', () => `\nWhat each format holds:\n${held()}`)
    .action(run)
}

function frameChoice(text: string): FrameChoice {
  if (text === 'annotated') return text
  const every = /^every:([1-9]\d*)$/.exec(text)?.[1]
  if (every !== undefined) return { every: Number(every) }
  if (!/^\d+(?:,\d+)*$/.test(text))
    throw new InvalidArgumentError('Give annotated, every:N or numbers of frames, for example every:25 or 0,17,40.')
  return { numbers: text.split(',').map(Number) }
}

const KINDS_IN_WORDS = {
  track: 'tracks',
  caption: 'captions',
  segment: 'captions of parts',
  answer: 'answers',
  note: 'notes',
  text: 'text on screen',
} as const satisfies Record<Kind, string>

/** The table of docs/exports.md, a format in a paragraph. */
function held(): string {
  return ExportFormat.options
    .map((format) => {
      if (!holdsAnnotations(format)) return `  ${format}: ${aboutFormat(format).what}.\n`
      const { kinds, keeps, but } = HOLDS[format]
      const details = keeps.length > 0 ? `; keeps ${keeps.map((detail) => DETAILS[detail]).join(', ')}` : ''
      return `  ${format}: ${kinds.map((kind) => KINDS_IN_WORDS[kind]).join(', ')}${details}.${but === undefined ? '' : ` ${but}`}\n`
    })
    .join('')
}

async function run({
  project,
  formats,
  out,
  videos,
  clips,
  search: words,
  view,
  labels,
  states,
  by,
  perVideo,
  lookedFor,
  frames,
  cut,
  language,
  json,
}: Options): Promise<void> {
  const folder = libraryIn(project)
  const library = Library.open(folder)
  // Idle workers of the library do not keep the process alive.
  const awake = setInterval(() => undefined, 1_000)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
  const bar = process.stderr.isTTY
    ? new SingleBar({ format: '{bar} {percentage}%', stream: process.stderr, hideCursor: true, clearOnComplete: true })
    : null
  try {
    const none = () => Promise.resolve(null)
    const search = new Search({
      library,
      packs: {
        all: () => Promise.resolve([]),
        words: (): Promise<never> => Promise.reject(new Error('no engine runs')),
        boxes: none,
        text: none,
      },
    })
    const clipIds = await chosenClips(library, search, {
      clipIds: clips,
      view,
      search: words === undefined ? undefined : { query: { by: 'words', words }, filters: {} },
    })
    // Nobody here analyses a file that grew.
    const identity = new Identity(library, null)
    bar?.start(1, 0)
    const exported = await exportProject(library, {
      formats,
      directory: path.resolve(out),
      sourceIds: videos?.flatMap((video) => videosNamed(library.sources(), video).map(({ id }) => id)),
      clipIds,
      scope: { labels, states, by },
      perVideo,
      lookedFor,
      frames,
      cut,
      language,
      subject: words ?? view,
      media: findMediaTools,
      there: (id) => identity.there(id),
      signal: stop.signal,
      onProgress: (share) => bar?.update(share),
    })
    bar?.stop()
    if (json) printJson(exported)
    else
      for (const { path: file, reader } of exported.files)
        printLine(`wrote ${file}${reader === null ? '' : ` (also read back by ${reader})`}`)
    sayWhatIsMissing(exported)
  } finally {
    bar?.stop()
    clearInterval(awake)
    await library.close()
  }
}

/** Write what the files leave out to standard error. */
export function sayWhatIsMissing({ leftOut, notes }: { leftOut: readonly LeftOut[]; notes: readonly Phrase[] }): void {
  for (const { name, state } of leftOut) printError(`${name} is left out: its analysis is unfinished (${state}).`)
  for (const note of notes) printError(english(note))
}

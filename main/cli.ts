/** The same backend without a window: `tubelet analyze` for batches, `tubelet serve` for a browser on this machine. */
import path from 'node:path'
import { SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError } from 'commander'
import type { Source } from '../app/contract.ts'
import { ExportFormat } from '../app/contract/export.ts'
import { type ErrorCode, inEnglish, type Problem, problemOf } from '../app/errors.ts'
import { english } from '../app/phrase.ts'
import { looksYesNo } from '../app/table/question.ts'
import { onlyNames } from '../app/vocabulary.ts'
import { openBrowser } from './browser.ts'
import { dataFolder, openTubelet, type Tubelet } from './open.ts'
import { Projects } from './projects.ts'
import { exportCommand, listOf, sayWhatIsMissing } from './export/command.ts'
import { type Exported, exportProject } from './export/export.ts'
import { packsCommand } from './packs/command.ts'
import { searchCommand } from './search/command.ts'
import { serve } from './serve.ts'
import { packageVersion } from './version.ts'

interface AnalyzeOptions {
  ask: string[]
  labels?: string[]
  export: ExportFormat[]
  out: string
  project: string
  packs: string
  pack?: string
  json: boolean
}

/** Verdicts about a file itself: nothing that Tubelet could have done better on it. */
const UNREADABLE: ReadonlySet<ErrorCode> = new Set([
  'empty-file',
  'not-a-video',
  'audio-only',
  'no-index',
  'codec-unsupported',
  'no-frames',
])

const PACKS = 'where imported packs lie'

const program = new Command('tubelet')
  .description('Captions, answers, search and boxes for a lot of video, on this machine.')
  .version(packageVersion)

program
  .command('analyze')
  .description('Analyse files and folders, ask questions of every clip, and write annotation files')
  .argument('<paths...>', 'video files and folders (searched recursively)')
  .option(
    '--ask <question>',
    'ask every clip this question; it becomes a column of the table (repeatable)',
    (question: string, all: string[]) => {
      if (question.trim() === '') throw new InvalidArgumentError('A question has words.')
      return [...all, question]
    },
    [],
  )
  .option('--labels <labels>', 'what to detect, separated by commas', commaList)
  .option(
    '--export <formats>',
    `formats to write, separated by commas: ${ExportFormat.options.join(', ')}`,
    listOf(ExportFormat.options),
    [],
  )
  .option('--out <folder>', 'where to write them', '.')
  .option('--project <folder>', 'the library to use; analysed files are not analysed again', path.join(dataFolder, 'cli'))
  .option('--pack <id>', 'use this pack from now on, see "tubelet packs list"')
  .option('--packs <folder>', PACKS, path.join(dataFolder, 'packs'))
  .option('--json', 'print one JSON document to standard output, messages to standard error', false)
  .action(analyze)

program
  .command('serve')
  .description('Open the app in a browser on this machine')
  .argument('[paths...]', 'video files and folders to add')
  .option('--open', 'open the browser', false)
  .option('--port <port>', 'a fixed port', Number)
  .option('--project <folder>', 'the library to use', path.join(dataFolder, 'library'))
  .option('--packs <folder>', PACKS, path.join(dataFolder, 'packs'))
  .action(serveApp)

program.addCommand(searchCommand(path.join(dataFolder, 'cli')))
program.addCommand(exportCommand(path.join(dataFolder, 'cli')))

program.addCommand(
  packsCommand(
    async ({ project, packs }, work) => {
      const tubelet = openTubelet({ projectDir: path.resolve(project), packsDir: path.resolve(packs), host: 'cli' })
      endOnSignals(tubelet)
      try {
        await work(tubelet)
      } finally {
        await tubelet.close()
      }
    },
    (command) =>
      command
        .option('--project <folder>', 'the library in which a pack is used', path.join(dataFolder, 'cli'))
        .option('--packs <folder>', PACKS, path.join(dataFolder, 'packs')),
  ),
)

try {
  await program.parseAsync()
} catch (error) {
  printProblem(problemOf(error))
  process.exitCode = 1
}

function commaList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function printProblem(problem: Problem): void {
  const { file, details, code } = problem
  const { message, next } = inEnglish(problem)
  console.error(`${file ? `${file}: ` : ''}${message}${next ? ` ${next}` : ''}`)
  if (code === 'internal' && details) console.error(details)
}

/** End in order on Ctrl-C and on a polite kill. A second Ctrl-C ends at once. */
function endOnSignals(tubelet: Pick<Tubelet, 'close'>, alsoClose?: () => Promise<void>): void {
  let ending = false
  const end = (exitCode: number) => {
    if (ending) process.exit(exitCode)
    ending = true
    const close = async () => {
      await alsoClose?.()
      await tubelet.close()
    }
    void close()
      .catch((error: unknown) => printProblem(problemOf(error)))
      .finally(() => process.exit(exitCode))
  }
  process.on('SIGINT', () => end(130))
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(143))
}

async function analyze(paths: string[], options: AnalyzeOptions): Promise<void> {
  const say = (line: string) => (options.json ? console.error(line) : console.log(line))
  const tubelet = openTubelet({ projectDir: path.resolve(options.project), packsDir: path.resolve(options.packs), host: 'cli' })
  endOnSignals(tubelet)
  try {
    const { library, jobs, packs } = tubelet
    if (options.pack !== undefined) await packs.finished(packs.use(options.pack, null, false))
    // A library that was left paused in the window: here somebody waits.
    jobs.resume()
    if (options.labels) await jobs.setVocabulary(onlyNames(library.detections.vocabulary(), options.labels))
    const progress = showProgress(tubelet, say)
    const { added, duplicates, moved, restored, rejected } = await jobs.addPaths(paths.map((item) => path.resolve(item)))
    for (const { path: file, problem } of rejected) printProblem({ file, ...problem })
    const known = [...duplicates, ...moved, ...restored]
    if (added.length + known.length + rejected.length === 0)
      console.error(`No video was found in ${paths.join(', ')}. Name files, or a folder with videos in it or below it.`)
    // Each under its own name, also one whose content another file has.
    for (const { path: file, sourceId } of known)
      if (library.source(sourceId).path !== file) say(`the same video as ${library.source(sourceId).path}: ${file}`)
    for (const { path: file, from } of moved) say(`known from ${from}: ${file}`)
    for (const { path: file } of restored) say(`back from the bin: ${file}`)
    // A file that an earlier run left unfinished was taken up again as it was added; one that is done is not.
    const ids = [...new Set([...added.map(({ id }) => id), ...known.map(({ sourceId }) => sourceId)])]
    if (options.pack !== undefined) packs.encodeMissing(ids)
    await jobs.idle()
    const clipIds = ids.flatMap((sourceId) =>
      library.clips({ sourceId, limit: Number.MAX_SAFE_INTEGER, offset: 0 }).clips.map(({ id }) => id),
    )
    // Only of these files, and not by itself of those of the next command.
    for (const question of options.ask)
      await jobs.fillColumn(library.table.addColumn(looksYesNo(question) ? 'yesno' : 'question', question, false), clipIds)
    await jobs.idle()
    progress.stop()

    const sources = ids.map((id) => jobs.source(id))
    const readable = sources.filter(({ problem }) => problem === null || !UNREADABLE.has(problem.code))
    const finished = readable.filter(({ state }) => state === 'done' || state === 'partial')
    // Those that are unfinished are left out by the export, which says so.
    const exported =
      options.export.length > 0 && finished.length > 0
        ? await exportProject(library, {
            formats: options.export,
            directory: path.resolve(options.out),
            sourceIds: readable.map(({ id }) => id),
          })
        : null
    if (exported) sayWhatIsMissing(exported)
    if (options.json) console.log(JSON.stringify(report(tubelet, sources, rejected, exported?.files ?? []), null, 2))
    else printSummary(tubelet, sources, exported?.files ?? [], options.ask)
    process.exitCode = finished.length > 0 && finished.length === readable.length && rejected.length === 0 ? 0 : 1
  } finally {
    await tubelet.close()
  }
}

/** A bar on a terminal, a plain line a finished file elsewhere. */
function showProgress(tubelet: Tubelet, say: (line: string) => void): { stop: () => void } {
  const bar = process.stderr.isTTY
    ? new SingleBar({
        format: '{bar} {percentage}% | {finished}/{jobs} | {title}',
        stream: process.stderr,
        hideCursor: true,
        clearOnComplete: true,
      })
    : null
  bar?.start(1, 0, { finished: 0, jobs: 0, title: '' })
  const stopListening = tubelet.onEvent((event) => {
    if (event.type !== 'queue') return
    const { jobs } = event.queue
    const sum = jobs.reduce((total, job) => total + (job.state === 'queued' || job.state === 'running' ? job.progress : 1), 0)
    bar?.setTotal(jobs.length)
    bar?.update(sum, {
      finished: event.queue.finished,
      jobs: jobs.length,
      title: jobs.find(({ state }) => state === 'running')?.title ?? '',
    })
  })
  // The queue lists some; every end is heard of here.
  const stopHearing = tubelet.jobs.onEnd(({ state, title, problem }) => {
    if (!bar) say(`${state}: ${title}${problem ? `: ${inEnglish(problem).message}` : ''}`)
  })
  return {
    stop: () => {
      stopListening()
      stopHearing()
      bar?.stop()
    },
  }
}

type ExportedFile = Exported['files'][number]

function report(
  { library }: Tubelet,
  sources: readonly Source[],
  rejected: readonly { path: string; problem: Problem }[],
  exports: readonly ExportedFile[],
) {
  return {
    sources: sources.map(({ id, path: file, state, problem, probe }) => ({
      path: file,
      state,
      problem,
      duration: probe?.duration ?? null,
      clips: library.clips({ sourceId: id, limit: Number.MAX_SAFE_INTEGER, offset: 0 }).clips.map((clip) => ({
        start: clip.start,
        end: clip.end,
        annotations: library
          .annotations(clip.id)
          .map(({ body, state: review, evidence, provenance }) => ({ ...body, state: review, evidence, provenance })),
      })),
    })),
    rejected,
    exports,
  }
}

/** @param asked The questions of this run: where a clip has no answer, why. */
function printSummary({ library }: Tubelet, sources: readonly Source[], exports: readonly ExportedFile[], asked: readonly string[]): void {
  for (const source of sources) {
    console.log(`\n${source.name}  (${source.state})`)
    if (source.problem) printProblem({ ...source.problem, file: undefined })
    for (const clip of library.clips({ sourceId: source.id, limit: Number.MAX_SAFE_INTEGER, offset: 0 }).clips) {
      console.log(`  ${clip.start.toFixed(2)}–${clip.end.toFixed(2)} s  ${clip.caption ?? ''}${clip.captionUnsure ? ' (not sure)' : ''}`)
      const answered = library.annotations(clip.id).flatMap(({ body, evidence }) => (body.kind === 'answer' ? [{ body, evidence }] : []))
      for (const { body, evidence } of answered) console.log(`      ${body.question}  ${body.text}${evidence?.unsure ? ' (not sure)' : ''}`)
      for (const question of asked.filter((one) => !answered.some(({ body }) => body.question === one))) {
        const why = library.facts.answer(clip.id, question)
        console.log(
          `      ${question}  – no answer: ${why !== null && 'text' in why ? english(why) : 'nothing that was seen or measured tells it'}`,
        )
      }
    }
  }
  for (const { path: file } of exports) console.log(`wrote ${file}`)
}

async function serveApp(paths: string[], options: { open: boolean; port?: number; project: string; packs: string }): Promise<void> {
  const projects = new Projects(
    path.resolve(options.project),
    { host: 'web', packsDir: path.resolve(options.packs) },
    path.join(dataFolder, 'projects.json'),
  )
  const server = await serve({ handle: projects.handle, ...(options.port === undefined ? {} : { port: options.port }) })
  endOnSignals(projects, server.close)
  const address = `${server.url}/?token=${server.token}`
  console.log(`Tubelet is open at ${address}\nPress Ctrl-C to end it.`)
  if (options.open) openBrowser(address)
  if (paths.length > 0) {
    const { rejected } = await projects.current.jobs.addPaths(paths.map((item) => path.resolve(item)))
    for (const { path: file, problem } of rejected) printProblem({ file, ...problem })
  }
}

/** The same backend without a window: `tubelet analyze` for batches, `tubelet serve` for a browser on this machine. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { text as wholeText } from 'node:stream/consumers'
import { SingleBar } from 'cli-progress'
import { Command, Option } from 'commander'
import { analysedToItsEnd } from '../app/analysed.ts'
import type { Job, Source } from '../app/contract.ts'
import type { PackWork } from '../app/contract/packs.ts'
import { ExportFormat, SidecarFormat } from '../app/contract/export.ts'
import { type ErrorCode, hasCode, problemOf, spokenJson, TubeletError } from '../app/errors.ts'
import { findMediaTools } from './media/tools.ts'
import { pictureNumber, picturesOf } from '../app/media.ts'
import { english } from '../app/phrase.ts'
import { looksYesNo } from '../app/table/question.ts'
import { withNames } from '../app/vocabulary.ts'
import { openBrowser } from './browser.ts'
import { dataFolder, openTubelet, type Tubelet } from './open.ts'
import { endOnSignals, printProblem, sentenceOf, type Where, withJson, withTubelet, withWhere } from './command-host.ts'
import { completionCommand } from './completion.ts'
import { doctorCommand } from './doctor.ts'
import { askCommand, detectCommand } from './jobs/command.ts'
import type { Library } from './library/library.ts'
import { Projects, recentProjects, standardLibrary } from './projects.ts'
import { importCommand } from './import/command.ts'
import { exportCommand, sayWhatIsMissing } from './export/command.ts'
import { type Exported, exportProject } from './export/export.ts'
import type { Brought } from './intake/intake.ts'
import { becameOf, linesOf } from './intake/told.ts'
import { SIDECARS } from './intake/watching.ts'
import { libraryCommand } from './library/command.ts'
import { frameRate, listOf, names, pictureChoice, wholeNumber, words } from './options.ts'
import { evaluateCommand } from './evaluation/command.ts'
import { packsCommand } from './packs/command.ts'
import type { Packs } from './packs/packs.ts'
import { searchCommand } from './search/command.ts'
import { invitation, keyFrom, servedAt, tellPrograms } from './invitation.ts'
import { Places } from './places.ts'
import { serve, serveWorkers } from './serve.ts'
import { addSharing } from './sharing/command.ts'
import { packageVersion } from './version.ts'
import { workerCommand } from './workers/command.ts'
import { inert } from '../app/inert.ts'
import { scopeOf, tokenCommand } from './tokens.ts'
import { printError, printJson, printJsonLine, printLine } from './terminal.ts'

interface AnalyzeOptions extends Where {
  ask: string[]
  labels?: string[]
  export: ExportFormat[]
  out: string
  pack?: string
  fps?: number
  gaps?: 'join' | 'split'
  picture?: number | 'all'
  json: boolean
  jsonl: boolean
}

/** Errors that are the file's own: such a file cannot be read, and no retry would help. */
const UNREADABLE: ReadonlySet<ErrorCode> = new Set([
  'empty-file',
  'not-a-video',
  'audio-only',
  'no-index',
  'codec-unsupported',
  'no-frames',
])

/** docs/command-line.md has the long version. */
const HELP = `
Examples:
  tubelet analyze holiday/ --ask "is there a dog?" --export coco,vtt --out labels/
  find /archive -name '*.mp4' -newer last | tubelet analyze - --jsonl > found.jsonl

Exit codes:
  0   everything that was named was analysed
  1   something was not: a file cannot be read or only in part, a place holds no video, an option is wrong
  130 and 143: ended by Ctrl-C or by a polite kill; what was done is kept, the next run goes on from there

Environment:
  FFMPEG_PATH, FFPROBE_PATH  the ffmpeg and ffprobe to use, instead of the first that is found
  XDG_DATA_HOME, XDG_CACHE_HOME (Linux)  where libraries and packs lie by default, and what may be deleted
`

/** Whether the command goes on until it is ended, so that somebody who has read its address may leave. */
let lasting = false

// Whoever reads the output may have enough of it ("| head"): that is the end of what was to be printed, and no fault.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error) => {
    if (!hasCode(error, 'EPIPE')) throw error
    if (!lasting) process.exit()
  })

const program = new Command('tubelet')
  .description('Captions, answers, search and boxes for a lot of video, on this machine.')
  .version(packageVersion)

const analyzing = program
  .command('analyze')
  .description('Analyse files and folders, ask questions of every clip, and write annotation files')
  .argument('<paths...>', 'video files and folders (searched recursively); - for a list of them in standard input, one a line')
  .option(
    '--ask <question>',
    'ask every clip this question; it becomes a column of the table (repeatable)',
    (question: string, all: string[]) => [...all, words('A question has words.')(question)],
    [],
  )
  .option('--labels <labels>', 'what to detect beside the labels that the library has, separated by commas', names)
  .option(
    '--export <formats>',
    `formats to write, separated by commas: ${ExportFormat.options.join(', ')}`,
    listOf(ExportFormat.options),
    [],
  )
  .option('--out <folder>', 'where to write them', '.')
  .option('--fps <rate>', 'take numbered pictures (img_0001.jpg …) as videos of so many pictures a second', frameRate)
  .addOption(
    new Option('--gaps <how>', 'where numbered pictures are missing: one video over the gaps, or one of each part between them').choices([
      'join',
      'split',
    ]),
  )
  .option(
    '--picture <number>',
    'of files with several pictures (front and rear): 1 for the first, or "all"; else the one that players show',
    pictureChoice,
  )
  .option('--pack <id>', 'use this pack from now on, see "tubelet packs list"')
  .addHelpText('after', HELP)
  .action(analyze)
withWhere(withJson(analyzing, 'each video'), 'the library to use; analysed files are not analysed again')

const serving = program
  .command('serve')
  .description('Open the app in a browser on this machine')
  .argument('[paths...]', 'video files and folders to add')
  .option('--open', 'open the browser', false)
  .option(
    '--allow <folder>',
    'a folder that the window may list and export to, beside your own folders and drives (repeatable)',
    (folder: string, all: string[]) => [...all, folder],
    [],
  )
  .option('--port <port>', 'a fixed port', wholeNumber('A port is a number from 1 to 65535.', 1, 65_535))
  .addOption(
    new Option('--queue <url>', 'let workers on other machines analyse the videos: the Redis or Valkey over which work is handed out').env(
      'TUBELET_QUEUE',
    ),
  )
  .option('--listen <address>', 'HOST:PORT at which workers reach this machine; without it, only those on this machine do')
  .action(serveApp)
withWhere(serving, 'the library to use')

const watching = program
  .command('watch')
  .description('Analyse new videos of folders as they come, until it is ended with Ctrl-C')
  .argument('<folders...>', 'folders, to any depth; videos that are in them now are analysed first')
  .option(
    '--sidecars <formats>',
    `annotation files that are kept up to date in the folder ${SIDECARS} of each, separated by commas: ${SidecarFormat.options.join(', ')}`,
    listOf(SidecarFormat.options),
    [],
  )
  .action(watchFolders)
withWhere(watching, 'the library to use')
program.hook('preAction', (_, command) => {
  lasting = command === serving || command === watching
})

program
  .command('address')
  .description('Print an address that opens the window of a running "npm start" or "tubelet serve" once, within five minutes')
  .option('--project <folder>', 'its library', standardLibrary(dataFolder))
  .action(({ project }: { project: string }) => printLine(invitation(servedAt(path.resolve(project)))))

program.addCommand(askCommand())
program.addCommand(detectCommand())
program.addCommand(searchCommand(standardLibrary(dataFolder)))
program.addCommand(exportCommand(standardLibrary(dataFolder)))
program.addCommand(
  addSharing(
    libraryCommand(standardLibrary(dataFolder), () => {
      const standard = standardLibrary(dataFolder)
      const recent = recentProjects(path.join(dataFolder, 'projects.json')).map((one) => one.path)
      return [...new Set([...(existsSync(standard) ? [standard] : []), ...recent])]
    }),
    standardLibrary(dataFolder),
  ),
)
program.addCommand(importCommand(standardLibrary(dataFolder)))

program.addCommand(packsCommand())
program.addCommand(evaluateCommand())
program.addCommand(tokenCommand(standardLibrary(dataFolder)))
program.addCommand(workerCommand())
program.addCommand(doctorCommand())
program.addCommand(completionCommand(program))

try {
  await program.parseAsync()
} catch (error) {
  printProblem(problemOf(error))
  process.exitCode = 1
}

/** Resolves when making a pack has succeeded or failed. */
async function madeOf(packs: Packs, file: string, work: PackWork, say: (line: string) => void): Promise<void> {
  try {
    await packs.finished(work)
    say(`a pack was made of it: ${file}`)
  } catch (error) {
    printProblem({ ...problemOf(error), file })
    process.exitCode = 1
  }
}

/** A line that says that a file has several pictures, and which of them was analysed; none for other files. */
function picturesLine({ path: file, probe }: Source): string[] {
  const number = pictureNumber(probe)
  if (probe === null || number === null) return []
  const named = picturesOf(probe).map(({ title, width, height }, at) => `${at + 1} ${title ? `${title} ` : ''}${width}×${height}`)
  return [`${file} has ${named.length} pictures (${named.join(', ')}). Analysed: ${number}. Others: --picture NUMBER, or "all".`]
}

interface WatchOptions extends Where {
  sidecars: SidecarFormat[]
}

/** Runs until a signal ends it. The folders are watched for so long; the library does not keep them. */
async function watchFolders(given: string[], { sidecars, project, packs }: WatchOptions): Promise<void> {
  const tubelet = openTubelet({ projectDir: path.resolve(project), packsDir: path.resolve(packs), host: 'cli' })
  endOnSignals(tubelet)
  try {
    const { jobs, watching } = tubelet
    // The queue may have been left paused in the window, but here somebody waits.
    jobs.resume()
    jobs.onEnd((job) => {
      if (job.kind === 'analyse') printLine(endOf(job))
    })
    // What else waits here does not keep the process alive.
    setInterval(() => undefined, 60_000)
    const told = new Set<string>()
    tubelet.onEvent((event) => {
      if (event.type === 'told') printLine(english(event.phrase))
      if (event.type !== 'watched') return
      for (const { problem } of watching.list()) {
        const key = JSON.stringify(problem)
        if (problem !== null && !told.has(key)) printProblem(problem)
        told.add(key)
      }
    })
    for (const folder of new Set(given.map((one) => path.resolve(one)))) {
      await watching.add({ folder, formats: sidecars }, false)
      printLine(`watching ${folder}`)
    }
  } catch (error) {
    await tubelet.close()
    throw error
  }
}

/** The paths that are named; `-` stands for those in standard input, one a line, or ended by NUL as `find -print0` writes them. */
async function pathsNamed(paths: readonly string[]): Promise<string[]> {
  if (!paths.includes('-')) return [...paths]
  const given = await wholeText(process.stdin)
  const listed = given.split(given.includes('\0') ? '\0' : /\r?\n/).filter((line) => line.trim() !== '')
  if (listed.length === 0 && paths.length === 1)
    throw new TubeletError({
      code: 'bad-request',
      message: 'Standard input names no file.',
      next: 'Write one path a line, for example with find.',
    })
  return paths.flatMap((one) => (one === '-' ? listed : [one]))
}

async function analyze(paths: string[], options: AnalyzeOptions): Promise<void> {
  const say = (line: string) => (options.json || options.jsonl ? printError(line) : printLine(line))
  const named = await pathsNamed(paths)
  await withTubelet(options, async (tubelet) => {
    const { library, jobs, packs, intake } = tubelet
    if (options.pack !== undefined) await packs.finished(packs.use(options.pack, null, false))
    // The queue may have been left paused in the window, but here somebody waits.
    jobs.resume()
    if (options.labels) await jobs.setVocabulary(withNames(library.detections.vocabulary(), options.labels))
    const progress = showProgress(tubelet, say)
    const told = new Set<number>()
    const tellVideo = (source: Source) => {
      if (!told.has(source.id)) printJsonLine(JSON.parse(spokenJson(videoReport(library, source))))
      told.add(source.id)
    }
    // Questions are asked once all is analysed: a video with its answers is told at the end.
    if (options.jsonl && options.ask.length === 0)
      jobs.onEnd((job) => {
        if (job.kind === 'analyse') tellVideo(jobs.source(job.sourceId))
      })
    const { fps, gaps, picture } = options
    const brought = await intake.bring({
      paths: named.map((item) => path.resolve(item)),
      ...(fps === undefined ? {} : { frameRate: fps }),
      ...(gaps === undefined ? {} : { gaps }),
      ...(picture === undefined ? {} : { picture }),
    })
    const { added, duplicates, moved, restored, rejected } = brought
    for (const line of linesOf(brought, (id) => library.source(id).path)) (line.wrong ? printError : say)(line.text)
    await Promise.all(brought.packs.flatMap(({ path: file, work }) => (work === null ? [] : [madeOf(packs, file, work, say)])))
    const known = [...duplicates, ...moved, ...restored]
    // Adding a file resumed it if an earlier run left it unfinished; a finished one is not analysed again.
    const ids = [...new Set([...added.map(({ id }) => id), ...known.map(({ sourceId }) => sourceId)])]
    // A pack that was taken into use since has not seen them.
    packs.encodeMissing(ids)
    await jobs.idle()
    const clipIds = ids.flatMap((sourceId) =>
      library.clips({ sourceId, limit: Number.MAX_SAFE_INTEGER, offset: 0 }).clips.map(({ id }) => id),
    )
    // The question is asked of these files only, not automatically of those of later commands.
    for (const question of options.ask) await jobs.addColumn(looksYesNo(question) ? 'yesno' : 'question', question, clipIds)
    await jobs.idle()
    progress.stop()

    const sources = ids.map((id) => jobs.source(id))
    if (options.picture === undefined) for (const line of sources.flatMap(picturesLine)) say(line)
    const readable = sources.filter(({ problem }) => problem === null || !UNREADABLE.has(problem.code))
    const finished = readable.filter(({ state }) => analysedToItsEnd(state))
    // The export leaves out unfinished ones and says so.
    const exported =
      options.export.length > 0 && finished.length > 0
        ? await exportProject(library, {
            formats: options.export,
            directory: path.resolve(options.out),
            sourceIds: readable.map(({ id }) => id),
            media: findMediaTools,
            there: (id) => jobs.identity.there(id),
          })
        : null
    if (exported) sayWhatIsMissing(exported)
    if (options.json) printJson(JSON.parse(spokenJson(report(tubelet, sources, brought, exported?.files ?? []))))
    else if (options.jsonl) for (const source of sources) tellVideo(source)
    // Files that could not be read were reported when they failed.
    else
      printSummary(
        tubelet,
        sources.filter(({ id, state }) => state !== 'failed' || !progress.told.has(id)),
        exported?.files ?? [],
        options.ask,
      )
    const refused = rejected.length + brought.packs.filter(({ problem }) => problem !== null).length
    const isAny = sources.length > 0 || brought.packs.length > 0
    // A file that was read in part is one that a script has to look at.
    process.exitCode = isAny && sources.every(({ state }) => state === 'done') && refused === 0 ? 0 : 1
  })
}

/** A progress bar on a terminal; elsewhere one line for each finished file. */
function showProgress(tubelet: Tubelet, say: (line: string) => void): { stop: () => void; told: ReadonlySet<number> } {
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
      title: inert(jobs.find(({ state }) => state === 'running')?.title ?? ''),
    })
  })
  // By events, since the queue's list is limited.
  const told = new Set<number>()
  const stopHearing = tubelet.jobs.onEnd((job) => {
    if (bar || job.kind !== 'analyse') return
    told.add(job.sourceId)
    say(endOf(job))
  })
  return {
    told,
    stop: () => {
      stopListening()
      stopHearing()
      bar?.stop()
    },
  }
}

/** The line of a job that has ended. */
function endOf({ state, title, problem }: Pick<Job, 'state' | 'title' | 'problem'>): string {
  return [`${state}: ${title}`, ...(problem ? [sentenceOf(problem)] : [])].join(': ')
}

type ExportedFile = Exported['files'][number]

/** The JSON report. `files`: everything that was found, each once, and what became of it; `sources`: the videos, each once. */
function report({ library }: Tubelet, sources: readonly Source[], brought: Brought, exports: readonly ExportedFile[]) {
  return {
    sources: sources.map((source) => videoReport(library, source)),
    files: becameOf(brought, (id) => library.source(id).path),
    rejected: brought.rejected,
    exports,
  }
}

function videoReport(library: Library, { id, path: file, state, problem, probe, numbered }: Source) {
  return {
    path: file,
    state,
    problem,
    duration: probe?.duration ?? null,
    picture: pictureNumber(probe),
    pictures: probe === null ? [] : picturesOf(probe),
    ...(numbered === null ? {} : { numbered }),
    clips: library.clips({ sourceId: id, limit: Number.MAX_SAFE_INTEGER, offset: 0 }).clips.map((clip) => ({
      start: clip.start,
      end: clip.end,
      annotations: library
        .annotations(clip.id)
        .map(({ body, state: review, evidence, provenance }) => ({ ...body, state: review, evidence, provenance })),
    })),
  }
}

/** @param asked The questions of this run; where a clip has no answer, the summary says why. */
function printSummary({ library }: Tubelet, sources: readonly Source[], exports: readonly ExportedFile[], asked: readonly string[]): void {
  for (const source of sources) {
    printLine('')
    printLine(`${source.title}  (${source.state})`)
    if (source.problem) printProblem({ ...source.problem, file: undefined })
    for (const clip of library.clips({ sourceId: source.id, limit: Number.MAX_SAFE_INTEGER, offset: 0 }).clips) {
      printLine(
        `  ${clip.start.toFixed(2)}–${clip.end.toFixed(2)} s  ${clip.caption ?? 'no caption'}${clip.captionUnsure ? ' (not sure)' : ''}`,
      )
      const answered = library.annotations(clip.id).flatMap(({ body, evidence }) => (body.kind === 'answer' ? [{ body, evidence }] : []))
      for (const { body, evidence } of answered) printLine(`      ${body.question}  ${body.text}${evidence?.unsure ? ' (not sure)' : ''}`)
      for (const question of asked.filter((one) => !answered.some(({ body }) => body.question === one))) {
        const why = library.facts.answer(clip.id, question)
        printLine(
          `      ${question}  – no answer: ${why !== null && 'text' in why ? english(why) : 'nothing that was seen or measured tells it'}`,
        )
      }
    }
  }
  for (const { path: file } of exports) printLine(`wrote ${file}`)
}

interface ServeOptions extends Where {
  open: boolean
  allow: string[]
  port?: number
  queue?: string
  listen?: string
}

async function serveApp(paths: string[], options: ServeOptions): Promise<void> {
  const { queue, listen } = options
  if (listen !== undefined && queue === undefined)
    throw new TubeletError({ code: 'bad-request', message: '--listen is for workers, and needs --queue.', next: 'Give both, or neither.' })
  const projects = new Projects(
    path.resolve(options.project),
    { host: 'web', packsDir: path.resolve(options.packs), places: new Places(options.allow), ...(queue === undefined ? {} : { queue }) },
    path.join(dataFolder, 'projects.json'),
  )
  let close = () => projects.close()
  try {
    const chosen = keyFrom(process.env['TUBELET_KEY'])
    const projectDir = path.resolve(options.project)
    const server = await serve({
      handle: projects.handle,
      scopeOf: (token) => scopeOf(projectDir, token),
      memory: path.join(projectDir, 'address.json'),
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(chosen === undefined ? {} : { key: chosen }),
    })
    close = () => server.close().then(() => projects.close())
    const forWorkers = await workersAt(projects, projectDir, listen)
    projects.remember()
    const forget = tellPrograms(projectDir, server)
    const stop = () => {
      forget()
      return Promise.all([server.close(), forWorkers?.close()]).then(() => undefined)
    }
    close = () => stop().then(() => projects.close())
    endOnSignals(projects, stop)
    // A program that reads this and knows no key gets it here. A person gets an address that is worth nothing once it was opened.
    const address = process.stdout.isTTY || chosen !== undefined ? invitation(server) : `${server.url}/?token=${server.key}`
    printLine(`Tubelet is open at ${address}`)
    if (process.stdout.isTTY) printLine('This address works once, within five minutes. For another one: npx tubelet address')
    if (queue !== undefined) printLine(`Workers reach this library at ${forWorkers?.url ?? server.url} (tubelet worker --help)`)
    printLine('Press Ctrl-C to end it.')
    if (options.open) openBrowser(invitation(server))
    if (paths.length > 0) {
      const brought = await projects.current.intake.bring({ paths: paths.map((item) => path.resolve(item)) })
      for (const { text } of linesOf(brought, (id) => projects.current.library.source(id).path)) printError(text)
    }
  } catch (error) {
    // Open handles would keep the process alive.
    await close()
    throw error
  }
}

/** Opens what workers reach, once it is known that the queue may be used; one that cannot be reached now is tried again by itself. */
async function workersAt(
  projects: Projects,
  projectDir: string,
  listen: string | undefined,
): Promise<{ url: string; close: () => Promise<void> } | null> {
  const { crew } = projects.current
  if (crew === null) return null
  await crew.ready().catch((error: unknown) => {
    if (problemOf(error).code === 'bad-request') throw error
    printProblem(problemOf(error))
  })
  return listen === undefined
    ? null
    : serveWorkers({ handle: projects.handle, scopeOf: (token) => scopeOf(projectDir, token), address: listen })
}

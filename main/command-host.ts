/** What the commands share that run a whole Tubelet, or print what comes of it. */
import path from 'node:path'
import { type Command, Option } from 'commander'
import { inEnglish, type Problem, problemOf } from '../app/errors.ts'
import { dataFolder, openTubelet, type Tubelet } from './open.ts'
import { standardLibrary } from './projects.ts'
import { printError } from './terminal.ts'

/** A library, and the folder of imported packs. */
export interface Where {
  project: string
  packs: string
}

/** Adds the options of `Where`. @param library What `--project` is for. */
export function withWhere(command: Command, library = 'the library'): Command {
  return command
    .option('--project <folder>', library, standardLibrary(dataFolder))
    .option('--packs <folder>', 'where imported packs lie', path.join(dataFolder, 'packs'))
}

/** Adds `--json` and `--jsonl`, of which one may be given. @param lines What each line of `--jsonl` is. */
export function withJson(command: Command, lines: string): Command {
  return command
    .option('--json', 'print one JSON document to standard output, messages to standard error', false)
    .addOption(new Option('--jsonl', `print ${lines} as a line of JSON as soon as it is known`).default(false).conflicts('json'))
}

/** Opens a Tubelet without a window, does the work with it, and closes it, also where a signal ends it. */
export async function withTubelet({ project, packs }: Where, work: (tubelet: Tubelet) => Promise<void>): Promise<void> {
  const tubelet = openTubelet({ projectDir: path.resolve(project), packsDir: path.resolve(packs), host: 'cli' })
  endOnSignals(tubelet)
  try {
    await work(tubelet)
  } finally {
    await tubelet.close()
  }
}

/** Shut down in order on SIGINT (Ctrl-C) and SIGTERM. A second Ctrl-C ends at once. */
export function endOnSignals(tubelet: Pick<Tubelet, 'close'>, alsoClose?: () => Promise<void>): void {
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

/** What happened and what to do, as one line. */
export function sentenceOf(problem: Problem): string {
  const { message, next } = inEnglish(problem)
  return [message, next].filter(Boolean).join(' ')
}

export function printProblem(problem: Problem): void {
  const { file, details, code } = problem
  printError(`${file ? `${file}: ` : ''}${sentenceOf(problem)}`)
  if (code === 'internal' && details) for (const line of details.split('\n')) printError(line)
}

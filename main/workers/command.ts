/** `tubelet worker`: analyses videos for a library that is open on another machine. */
import os from 'node:os'
import path from 'node:path'
import { Command, Option } from 'commander'
import { JOB_KINDS } from '../../app/job-kinds.ts'
import { TubeletError } from '../../app/errors.ts'
import { wholeNumber, words } from '../options.ts'
import { dataFolder, packsIn } from '../open.ts'
import { printLine } from '../terminal.ts'

const HELP = `
The host hands out work once it was started so:
  tubelet token make workers --scope work
  tubelet serve --queue redis://10.0.0.5:6379 --listen 10.0.0.5:7700

Examples:
  TUBELET_TOKEN=tubelet_… tubelet worker --queue redis://10.0.0.5:6379 --host http://10.0.0.5:7700
  TUBELET_TOKEN=tubelet_… tubelet worker --queue redis://10.0.0.5:6379 --host http://10.0.0.5:7700 --media /mnt/archive

Exit codes: 0 where the host drained it; 1 where it was refused or cannot work; 130 and 143 by Ctrl-C or a polite kill, after it has given its work back.
docs/workers.md has the long version.
`

interface Options {
  queue: string
  host: string
  media: string[]
  name: string
  jobs: number
  packs: string
}

export function workerCommand(): Command {
  return new Command('worker')
    .description('Analyse videos for a library that is open on another machine')
    .addOption(
      new Option('--queue <url>', 'the Redis or Valkey over which the host hands out work').env('TUBELET_QUEUE').makeOptionMandatory(),
    )
    .addOption(new Option('--host <url>', 'the address that the host prints for workers').env('TUBELET_HOST').makeOptionMandatory())
    .option(
      '--media <folder>',
      'where the videos of the host lie here (repeatable); those that are not there are fetched from the host',
      (folder: string, all: string[]) => [...all, path.resolve(folder)],
      [],
    )
    .option('--name <name>', 'how it is called on the Queue page', words('A worker has a name.'), os.hostname())
    .option(
      '--jobs <number>',
      'videos at a time',
      wholeNumber('A whole number from 1 to 64.', 1, 64),
      Math.min(JOB_KINDS.analyse.slots, os.availableParallelism()),
    )
    .option('--packs <folder>', 'where packs lie that were fetched', path.join(dataFolder, 'packs'))
    .addHelpText('after', HELP)
    .action(run)
}

async function run({ queue, host, media, name, jobs, packs }: Options): Promise<void> {
  const token = process.env['TUBELET_TOKEN']
  if (token === undefined || token === '')
    throw new TubeletError({
      code: 'bad-request',
      message: 'The worker needs a token of the library in the environment variable TUBELET_TOKEN.',
      next: 'Make one on the host: tubelet token make workers --scope work',
    })
  // Only those who work load what a queue needs.
  const { Worker } = await import('./worker.ts')
  const worker = new Worker({ queue, host, token, media, name, atATime: jobs, packs: packsIn(path.resolve(packs)), say: printLine })
  let code = 0
  const end = (exitCode: number) => {
    if (code !== 0) process.exit(exitCode)
    code = exitCode
    worker.end()
  }
  process.on('SIGINT', () => end(130))
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(143))
  await worker.run()
  if (code === 0) printLine('The host has drained this worker.')
  process.exitCode = code
}

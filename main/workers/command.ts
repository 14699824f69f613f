/** `tubelet worker`: analyses videos for a library that is open on another machine. */
import os from 'node:os'
import path from 'node:path'
import { Command, Option } from 'commander'
import { JOB_KINDS } from '../../app/job-kinds.ts'
import { TubeletError } from '../../app/errors.ts'
import { sentenceOf } from '../command-host.ts'
import { wholeNumber, words } from '../options.ts'
import { dataFolder, packsIn } from '../open.ts'
import { printError, printJson, printJsonLine, printLine } from '../terminal.ts'
import type { WorkerEvent } from './worker.ts'

const HELP = `
The host hands out work once it was started so:
  tubelet token make workers --scope work
  tubelet serve --queue redis://10.0.0.5:6379 --listen 10.0.0.5:7700

Examples:
  TUBELET_TOKEN=tubelet_… tubelet worker --queue redis://10.0.0.5:6379 --host http://10.0.0.5:7700
  TUBELET_TOKEN=tubelet_… tubelet worker --queue redis://10.0.0.5:6379 --host http://10.0.0.5:7700 --media /mnt/archive
  TUBELET_TOKEN=tubelet_… tubelet worker --queue redis://10.0.0.5:6379 --host http://10.0.0.5:7700 --jsonl | jq -r 'select(.event == "failed") | .video'

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
  json: boolean
  jsonl: boolean
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
    .option('--json', 'print one JSON document when it ends, messages to standard error', false)
    .addOption(new Option('--jsonl', 'print what happens as lines of JSON').default(false).conflicts('json'))
    .addHelpText('after', HELP)
    .action(run)
}

async function run({ queue, host, media, name, jobs, packs, json, jsonl }: Options): Promise<void> {
  const token = process.env['TUBELET_TOKEN']
  if (token === undefined || token === '')
    throw new TubeletError({
      code: 'bad-request',
      message: 'The worker needs a token of the library in the environment variable TUBELET_TOKEN.',
      next: 'Make one on the host: tubelet token make workers --scope work',
    })
  /** Videos by what became of them. */
  const videos = { done: 0, failed: 0, 'not-taken': 0, 'given-back': 0, stopped: 0 }
  const say = json || jsonl ? printError : printLine
  const tell = (event: WorkerEvent) => {
    if ('video' in event) videos[event.event] += 1
    if (jsonl) printJsonLine(event)
    else say(lineOf(event))
  }
  // Only those who work load what a queue needs.
  const { Worker } = await import('./worker.ts')
  const worker = new Worker({ queue, host, token, media, name, atATime: jobs, packs: packsIn(path.resolve(packs)), tell })
  let code = 0
  const end = (exitCode: number) => {
    if (code !== 0) process.exit(exitCode)
    code = exitCode
    worker.end()
  }
  process.on('SIGINT', () => end(130))
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(143))
  await worker.run()
  if (json) printJson({ worker: name, host, drained: code === 0, videos })
  else if (code === 0) say('The host has drained this worker.')
  process.exitCode = code
}

function lineOf(event: WorkerEvent): string {
  switch (event.event) {
    case 'working':
      return `${event.worker} works for ${event.host}`
    case 'queue-unreachable':
      return 'The store of the queue cannot be reached; trying again.'
    case 'pack':
      return `fetched the pack ${event.name} (${event.digest.slice(0, 12)})`
    case 'done':
      return `done: ${event.video} (${event.seconds.toFixed(1)} s)`
    case 'stopped':
      return `stopped: ${event.video}`
    case 'given-back':
      return `given back: ${event.video}`
    case 'not-taken':
      return `not taken: ${event.video}: ${sentenceOf(event.problem)}`
    case 'failed':
      return `failed: ${event.video}: ${sentenceOf(event.problem)}`
  }
}

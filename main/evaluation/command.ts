/** `tubelet evaluate`: measures a pack on a public set that lies on this machine. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Argument, Command } from 'commander'
import { problemOf } from '../../app/errors.ts'
import { printProblem } from '../command-host.ts'
import { dataFolder, packsIn } from '../open.ts'
import { wholeNumber } from '../options.ts'
import { writeWhole } from '../part.ts'
import { printError, printJson, printLine } from '../terminal.ts'
import { evaluate, type Score } from './evaluate.ts'
import { readSet, type SetName, SETS } from './layouts.ts'

interface Options {
  packs: string
  most?: number
  json: boolean
}

export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('Measure a pack on a public set of questions, captions or boxes, and keep its scores with the pack')
    .argument('<id>', 'the pack, as "packs list" shows it')
    .addArgument(new Argument('<set>', 'which set it is').choices(SETS))
    .argument('<folder>', 'where the set lies, its lists and its media; docs/evaluation.md says which files that are')
    .option(
      '--most <items>',
      'measure on so many items, chosen at random, always the same ones',
      wholeNumber('--most is a whole number from 1 on.'),
    )
    .option('--packs <folder>', 'where imported packs lie', path.join(dataFolder, 'packs'))
    .option('--json', 'print the scores as one JSON document, messages to standard error', false)
    .action(measure)
}

async function measure(id: string, name: SetName, folder: string, { packs, most = Infinity, json }: Options): Promise<void> {
  const stop = new AbortController()
  const leave = () => stop.abort()
  process.once('SIGINT', leave).once('SIGTERM', leave)
  try {
    const pack = packsIn(path.resolve(packs)).find(id)
    const set = await readSet(name, path.resolve(folder))
    const { scores, unread } = await evaluate(pack.dir, set, {
      most,
      signal: stop.signal,
      report: (done, total) => {
        if (done === total || done % Math.ceil(total / 20) === 0) printError(`${done} of ${total}`)
      },
    })
    for (const file of unread) printError(`left out, since it cannot be read: ${file}`)
    if (json) printJson(scores)
    else for (const { task, metric, value, n } of scores) printLine(`${task}  ${metric}: ${(100 * value).toFixed(1)} % (of ${n})`)
    if (pack.bundled) printError('The pack ships with Tubelet, so these scores are not kept with it.')
    else if (scores.length > 0) await keep(pack.dir, scores)
    if (unread.length > 0 || scores.length === 0) process.exitCode = 1
  } catch (error) {
    if (!stop.signal.aborted) printProblem(problemOf(error))
    process.exitCode = stop.signal.aborted ? 130 : 1
  } finally {
    process.off('SIGINT', leave).off('SIGTERM', leave)
  }
}

/** Writes the scores into pack.json, in place of earlier ones on the same set. The digest of a pack does not cover them, so nothing is analysed again. */
async function keep(dir: string, scores: readonly Score[]): Promise<void> {
  const file = path.join(dir, 'pack.json')
  const json = JSON.parse(readFileSync(file, 'utf8')) as { scores: Score[] }
  const others = json.scores.filter(({ on }) => setOf(on) !== setOf(scores[0]?.on ?? ''))
  await writeWhole(file, `${JSON.stringify({ ...json, scores: [...others, ...scores] }, null, 2)}\n`)
}

/** "COCO boxes, val2017, 50 of 5000; measured here" without the part that was measured. */
const setOf = (on: string) => on.replace(/(?:, \d+ of \d+)?; measured here$/, '')

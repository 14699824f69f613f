/** `tubelet search …`: search by words over a library without a window. It starts no engine and may run beside an open window. */
import { Command, Option } from 'commander'
import type { Clip } from '../../app/contract.ts'
import type { FindHit, FindResult } from '../../app/contract/find.ts'
import { clipIdsOf, reasonParts } from '../../app/find.ts'
import { english } from '../../app/phrase.ts'
import { Library } from '../library/library.ts'
import { libraryIn, wholeNumber, words as hasWords } from '../options.ts'
import { Search } from './search.ts'
import { printJson, printJsonLine, printLine } from '../terminal.ts'

interface Options {
  project: string
  limit: number
  json: boolean
  jsonl: boolean
}

const LIMIT = 20

/** @param project The library that is searched if none is named. */
export function searchCommand(project: string): Command {
  return new Command('search')
    .description('Find clips by words: in captions, facts, notes, answers, labels of boxes, text on screen and names of files')
    .argument('<words...>', 'what to look for; all of them must be there', (word: string, before: string[] | undefined) => [
      ...(before ?? []),
      hasWords('A search has words.')(word),
    ])
    .option('--project <folder>', 'the library to search', project)
    .option('--limit <number>', 'how many clips at most', wholeNumber('It must be a number from 1 on.'), LIMIT)
    .option('--json', 'print one JSON document', false)
    .addOption(new Option('--jsonl', 'print each hit as a line of JSON').default(false).conflicts('json'))
    .action(search)
}

async function search(words: string[], { project, limit, json, jsonl }: Options): Promise<void> {
  const folder = libraryIn(project)
  const wanted = words.join(' ')
  const library = Library.open(folder)
  // An idle search worker does not keep the process alive, so this does.
  const awake = setInterval(() => undefined, 1_000)
  try {
    const none = () => Promise.resolve(null)
    const found = await new Search({
      library,
      packs: {
        all: () => Promise.resolve([]),
        words: (): Promise<never> => Promise.reject(new Error('no engine runs')),
        boxes: none,
        text: none,
      },
    }).find({ by: 'words', words: wanted }, {}, limit)
    if (json)
      printJson({ words: wanted, matches: found.matches, hits: found.hits.map(plain), unknown: found.unknown, findable: found.findable })
    else if (jsonl) for (const hit of found.hits) printJsonLine(plain(hit))
    else print(found, wanted)
    process.exitCode = found.hits.length > 0 ? 0 : 1
  } finally {
    clearInterval(awake)
    await library.close()
  }
}

/** A hit without what only the window needs. Times are seconds from the first frame of the video. */
function plain({ clip, why, alike }: FindHit) {
  return { ...namedClip(clip), why, alike: alike.map(namedClip) }
}

/** A rejected caption is none, as in exports. */
function namedClip({ id, sourceName, start, end, caption, captionState, captionUnsure }: Clip) {
  return captionState === 'rejected'
    ? { clipId: id, file: sourceName, start, end, caption: null, captionState, captionUnsure: false }
    : { clipId: id, file: sourceName, start, end, caption, captionState, captionUnsure }
}

function print({ hits, matches, nearest, unknown, findable }: FindResult, words: string): void {
  for (const hit of hits) printHit(hit)
  if (hits.length > 0) {
    // Copies under a hit match too, and were printed with it.
    const told = hits.flatMap(clipIdsOf).length
    if (matches > told) {
      printLine('')
      printLine(`${matches} clips match; these are the first ${told}.`)
    }
    return
  }
  printLine(`No clip matches “${words}”.`)
  for (const { word, seen, nearest: near } of unknown)
    printLine(
      seen
        ? `“${word}” is looked for, but was found in no clip.`
        : `Nothing here says “${word}”${near.length > 0 ? `; nearest: ${near.join(', ')}` : ''}.`,
    )
  if (findable.length > 0) printLine(`Boxes can be found of: ${findable.join(', ')}.`)
  if (nearest.length > 0) {
    printLine('')
    printLine('These have some of the words:')
  }
  for (const hit of nearest) printHit(hit)
}

function printHit({ clip, why, alike }: FindHit): void {
  const more = alike.length === 0 ? '' : `  (and ${alike.length === 1 ? 'one' : alike.length} alike: ${alike.map(spanOf).join('; ')})`
  printLine(`${spanOf(clip)}${more}`)
  for (const reason of why)
    printLine(
      `    ${reasonParts(reason, true, (value, digits) => value.toFixed(digits))
        .map(english)
        .join(', ')}`,
    )
}

function spanOf({ sourceName, start, end }: Clip): string {
  return `${sourceName}  ${start.toFixed(1)}–${end.toFixed(1)} s`
}

/** `tubelet ask …` and `tubelet detect …`: questions to, and labels of, what a library has analysed, without a window. */
import { Command } from 'commander'
import type { Annotation } from '../../app/annotation.ts'
import type { Clip, Source } from '../../app/contract.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { secondsOf } from '../../app/media.ts'
import { standingOfAnnotation } from '../../app/review.ts'
import { looksYesNo, topicOf, type YesNo } from '../../app/table/question.ts'
import { labelNamed, withNames } from '../../app/vocabulary.ts'
import { classesOf, nearestWords } from '../../app/words.ts'
import type { Tubelet } from '../open.ts'
import { sentenceOf, type Where, withJson, withTubelet, withWhere } from '../command-host.ts'
import type { Library } from '../library/library.ts'
import { libraryIn, names, videosNamed, words as withWords } from '../options.ts'
import { printError, printJson, printJsonLine, printLine } from '../terminal.ts'

interface Options extends Where {
  videos?: string[]
  json: boolean
  jsonl: boolean
}

export function askCommand(): Command {
  const command = new Command('ask')
    .description(
      'Ask every clip of a library a question; it becomes a column of the table, and what was answered before is not asked again',
    )
    .argument('<question...>', 'the question', (word: string, before: string[] | undefined) => [
      ...(before ?? []),
      withWords('A question has words.')(word),
    ])
    .option('--videos <names>', 'only of these videos: names or paths, separated by commas', names)
    .addHelpText(
      'after',
      `
Examples:
  tubelet ask "how many people are there?"
  tubelet ask what colour is the car --videos street.mp4 --jsonl | jq -r 'select(.sure) | .answer'
${codes('every clip was asked', 'nothing can answer it in any clip, no clip is there, or an option is wrong')}`,
    )
    .action(ask)
  return withWhere(withJson(command, 'the answer of each clip'))
}

export function detectCommand(): Command {
  const command = new Command('detect')
    .description('Look for things in every clip of a library, and list where they are; the labels stay in the library')
    .argument('<labels>', 'what to look for, separated by commas', names)
    .option('--videos <names>', 'only of these videos: names or paths, separated by commas', names)
    .addHelpText(
      'after',
      `
Examples:
  tubelet detect car,bicycle
  tubelet detect dog --jsonl > dogs.jsonl
${codes('all labels can be seen by the pack of boxes', 'one of them cannot, no clip is there, or an option is wrong')}`,
    )
    .action(detect)
  return withWhere(withJson(command, 'each track, with its boxes,'))
}

const codes = (good: string, bad: string) => `
Exit codes:
  0   ${good}
  1   ${bad}
`

/** Has the packs in use look at the clips that they have not seen, since another pack was taken into use. */
async function lookFirst({ packs, jobs, library }: Tubelet, clips: readonly { source: Source }[]): Promise<void> {
  const { sourceIds } = library.packs.missing(library.packs.inUse())
  const unseen = new Set(clips.flatMap(({ source: { id } }) => (sourceIds.includes(id) ? [id] : [])))
  if (unseen.size === 0) return
  printError(
    `A pack in use has not seen ${unseen.size === 1 ? 'one video' : `${unseen.size} videos`} yet; it looks at ${unseen.size === 1 ? 'it' : 'them'} first.`,
  )
  packs.encodeMissing([...unseen])
  await jobs.idle()
}

/** A clip of the library as scripts name it. Times are seconds from the first frame of the video. */
function named(source: Source, { id, start, end }: Clip) {
  return { file: source.path, clipId: id, start, end }
}

/** The clips that are meant, by video. @throws TubeletError `not-found` where there are none. */
function clipsOf(library: Library, videos: readonly string[] | undefined): { source: Source; clip: Clip }[] {
  const all = library.sources()
  const sources = videos === undefined ? all : videos.flatMap((video) => videosNamed(all, video))
  const clips = [...new Set(sources)].flatMap((source) =>
    library.clips({ sourceId: source.id, limit: Number.MAX_SAFE_INTEGER, offset: 0 }).clips.map((clip) => ({ source, clip })),
  )
  if (clips.length > 0) return clips
  throw new TubeletError({
    code: 'not-found',
    message: 'No clip is in this library yet.',
    file: library.projectDir,
    next: 'Analyse videos first: tubelet analyze PATHS...',
  })
}

/** Opens the library and does the work on the clips that are meant, once every pack in use has looked at them. */
async function withClips(options: Options, work: (tubelet: Tubelet, clips: ReturnType<typeof clipsOf>) => Promise<void>): Promise<void> {
  libraryIn(options.project)
  await withTubelet(options, async (tubelet) => {
    const { library, jobs } = tubelet
    // The queue may have been left paused in the window, but here somebody waits.
    jobs.resume()
    await lookFirst(tubelet, clipsOf(library, options.videos))
    await work(tubelet, clipsOf(library, options.videos))
  })
}

interface Told {
  file: string
  clipId: number
  start: number
  end: number
  question: string
  answer: string | null
  /** Whether the answer is stated; false where it is a guess, which a person decided nothing about. */
  sure: boolean
  state: Annotation['state'] | null
  why: string | null
}

async function ask(said: string[], options: Options): Promise<void> {
  const question = said.join(' ')
  await withClips(options, async ({ library, jobs, onEvent }, left) => {
    const all: Told[] = []
    const tell = (told: Told) => {
      all.push(told)
      if (options.jsonl) printJsonLine(told)
      else if (!options.json)
        printLine(
          `${spanOf(told)}  ${told.answer === null ? `– no answer: ${told.why ?? ''}` : `${told.answer}${told.sure ? '' : ' (not sure)'}`}`,
        )
    }
    // In the order of the clips: those are told that are answered, up to the first that is not.
    const goOn = (last = false) => {
      for (let next = left[0]; next !== undefined; next = left[0]) {
        const told = answered(library, next, question)
        if (told === null && !last) return
        left.shift()
        tell(
          told ?? { ...named(next.source, next.clip), question, answer: null, sure: false, state: null, why: 'its analysis is unfinished' },
        )
      }
    }
    onEvent(({ type }) => {
      if (type === 'annotations') goOn()
    })
    await jobs.addColumn(
      looksYesNo(question) ? 'yesno' : 'question',
      question,
      left.map(({ clip }) => clip.id),
    )
    await jobs.idle()
    goOn(true)
    if (options.json) printJson(all)
    if (all.every(({ answer }) => answer === null)) process.exitCode = 1
  })
}

/** What a clip says to a question; null where it was not asked yet. */
function answered(library: Library, { source, clip }: { source: Source; clip: Clip }, question: string): Told | null {
  const found = library
    .annotations(clip.id)
    .find(({ body, state }) => body.kind === 'answer' && topicOf(body.question) === topicOf(question) && state !== 'rejected')
  if (found?.body.kind === 'answer')
    return {
      ...named(source, clip),
      question,
      answer: found.body.text,
      // A person's "unsure" is decided, and still not sure.
      sure: standingOfAnnotation(found) !== 'unsure' && found.body.text !== ('unsure' satisfies YesNo),
      state: found.state,
      why: null,
    }
  const why: Problem | null = library.table.whyUnanswered(clip.id, question)
  return why === null ? null : { ...named(source, clip), question, answer: null, sure: false, state: null, why: sentenceOf(why) }
}

async function detect(labels: string[], options: Options): Promise<void> {
  await withClips(options, async ({ library, jobs, engines }, clips) => {
    // What the pack of boxes can see is known once it runs.
    await engines.all()
    const known = library.packs.current().boxes?.names ?? null
    const unseen = known === null ? [] : labels.filter((label) => classesOf(label, known) === null)
    for (const label of unseen) {
      const near = nearestWords(label, known ?? [])
      printError(`The pack of boxes cannot see “${label}”${near.length > 0 ? `; nearest that it can: ${near.join(', ')}` : ''}.`)
    }
    if (unseen.length > 0) process.exitCode = 1
    const asked = labels.filter((label) => !unseen.includes(label))
    if (asked.length === 0) return
    await jobs.setVocabulary(withNames(library.detections.vocabulary(), asked))
    await jobs.idle()
    const vocabulary = library.detections.vocabulary()
    const wanted = new Set(asked.map((name) => labelNamed(vocabulary, name)?.name))
    const all = clips.flatMap(({ source, clip }) => tracksOf(library, source, clip, wanted))
    if (options.json) printJson(all)
    else
      for (const track of all)
        if (options.jsonl) printJsonLine(track)
        else
          printLine(
            `${spanOf(track)}  ${track.label}${track.sure ? '' : ' (not sure)'}${track.score === null ? '' : `  ${track.score.toFixed(2)}`}`,
          )
    if (!options.json && !options.jsonl && all.length === 0) printLine('Nothing of this was seen.')
  })
}

/** The tracks of a clip with these labels that nobody rejected. Boxes are in pixels of the picture as it is shown. */
function tracksOf(library: Library, source: Source, clip: Clip, labels: ReadonlySet<string | undefined>) {
  const { probe } = source
  if (probe === null) return []
  return library.annotations(clip.id).flatMap((annotation) => {
    const { body, state } = annotation
    if (body.kind !== 'track' || state === 'rejected' || !labels.has(body.label)) return []
    const scores = body.boxes.flatMap(({ score }) => (score === null ? [] : [score]))
    const boxes = body.boxes.map(({ ordinal, pts, box, score }) => ({ frame: ordinal, time: secondsOf(pts, probe), ...box, score }))
    return [
      {
        file: source.path,
        clipId: clip.id,
        start: boxes[0]?.time ?? clip.start,
        end: boxes.at(-1)?.time ?? clip.end,
        label: body.label,
        score: scores.length > 0 ? Math.max(...scores) : null,
        sure: standingOfAnnotation(annotation) !== 'unsure',
        state,
        boxes,
      },
    ]
  })
}

function spanOf({ file, start, end }: Pick<Told, 'file' | 'start' | 'end'>): string {
  return `${file}  ${start.toFixed(2)}–${end.toFixed(2)} s`
}

/** Measures an installed pack on a public set, through the same engine, decoder and pictures as the app's own analysis. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { boxArea, pixelBox, type RelativeBox } from '../../app/boxes.ts'
import { problemOf, TubeletError } from '../../app/errors.ts'
import { areaSeen } from '../../app/gaze.ts'
import { type Probe, secondsOf } from '../../app/media.ts'
import type { PackManifest } from '../../app/pack/pack.ts'
import { random } from '../../app/random.ts'
import { type Asked, Engine, type Encoding, ofFamily, type Picture, type WordsEngine } from '../engine/engine.ts'
import { wantOf } from '../jobs/pipeline.ts'
import { probe } from '../media/probe.ts'
import { sample } from '../media/sample.ts'
import { framesOf, framesWanted, sampleFrames } from '../media/span.ts'
import { findMediaTools, type MediaTools, pictureFile, runTool } from '../media/tools.ts'
import type { Boxed, Described, Name, PublicSet, Question } from './layouts.ts'
import { AveragePrecision, holds, isSame, recallAt, type SaidBox } from './measures.ts'

export type Score = PackManifest['scores'][number]

/** Boxes of one picture that are judged, best first: more than a set has. */
const MOST_BOXES = 300
/** Rank 1, 5 and 10, as papers give them. */
const RANKS = [1, 5, 10]
/** Which items a part of a set is: the same each time. */
const SEED = 1

interface Options {
  /** Items to take, chosen at random from a fixed seed; all where there are fewer. */
  most: number
  signal: AbortSignal
  /** After each item. */
  report: (done: number, total: number) => void
}

/**
 * @param packDir The folder of the pack.
 * @returns Its scores, and the files of the set that could not be read and are in none of them.
 * @throws TubeletError `pack-cannot` if the pack has nothing to do with such a set; what the engine throws.
 */
export async function evaluate(packDir: string, set: PublicSet, options: Options): Promise<{ scores: Score[]; unread: string[] }> {
  const work = await mkdtemp(path.join(os.tmpdir(), 'tubelet-evaluate-'))
  const engine = await Engine.start({ packDir, signal: options.signal })
  try {
    const run = new Run(await findMediaTools(), work, options)
    const rows = await run.rows(engine, set)
    const all = set.items.length
    const on = run.total < all ? `${set.title}, ${run.total} of ${all}; measured here` : `${set.title}; measured here`
    const date = new Date().toISOString().slice(0, 10)
    return { scores: rows.map((row) => ({ ...row, on, date })), unread: run.unread }
  } finally {
    await engine.close()
    await rm(work, { recursive: true, force: true })
  }
}

type Measured = Pick<Score, 'task' | 'metric' | 'value' | 'n'>

class Run {
  readonly unread: string[] = []
  total = 0
  readonly #tools: MediaTools
  readonly #work: string
  readonly #options: Options

  constructor(tools: MediaTools, work: string, options: Options) {
    this.#tools = tools
    this.#work = work
    this.#options = options
  }

  rows(engine: Engine, set: PublicSet): Promise<Measured[]> {
    switch (set.kind) {
      case 'questions':
        if (ofFamily(engine, 'mammut') || ofFamily(engine, 'smolvlm')) return this.#questions(engine, set.items)
        break
      case 'captions':
        if (ofFamily(engine, 'mammut')) return this.#captions(engine, set.items)
        break
      case 'boxes':
        return this.#boxes(seerOf(engine, set.names), set)
    }
    throw cannot()
  }

  /** Answers in free words are compared word by word; of choices the one is taken that the decoder finds likeliest, word for word. */
  async #questions(engine: WordsEngine, all: readonly Question[]): Promise<Measured[]> {
    const items = this.#chosen(all)
    // One video has many questions: it is encoded once.
    const files = Map.groupBy(items, ({ file }) => file)
    const free: { said: string; truth: string; unsure: boolean }[] = []
    const choices: boolean[] = []
    let done = 0
    for (const [file, questions] of files) {
      await this.#reading(file, async () => {
        const clip = await this.#encoded(engine, file)
        for (const { question, answer, choices: offered } of questions) {
          if (offered === null) {
            const { text, unsure } = await engine.answer(clip, question, { signal: this.#options.signal })
            free.push({ said: text, truth: answer, unsure })
          } else choices.push((await this.#likeliest(engine, clip, question, offered)) === answer)
        }
      })
      done += questions.length
      this.#options.report(done, items.length)
    }
    const rows: Measured[] = []
    const measure = (metric: string, value: number, n: number) => {
      // Of nothing there is no share.
      if (n > 0) rows.push({ task: 'answer', metric, value: value / n, n })
    }
    const same = ({ said, truth }: { said: string; truth: string }) => isSame(said, truth)
    const sure = free.filter(({ unsure }) => !unsure)
    const commonest = Math.max(0, ...[...Map.groupBy(free, ({ truth }) => truth).values()].map(({ length }) => length))
    measure('exact match', free.filter(same).length, free.length)
    measure('holds the answer', free.filter(({ said, truth }) => holds(said, truth)).length, free.length)
    measure('always the commonest answer', commonest, free.length)
    measure('share where sure', sure.length, free.length)
    measure('exact match where sure', sure.filter(same).length, sure.length)
    measure('right choice of five', choices.filter(Boolean).length, choices.length)
    return rows
  }

  async #likeliest(engine: WordsEngine, clip: Asked, question: string, offered: readonly string[]): Promise<string | undefined> {
    const likely: { choice: string; perWord: number }[] = []
    for (const choice of offered) {
      const { words } = await engine.follow(clip, choice, question, this.#options.signal)
      const logs = words.map(({ probability }) => Math.log(Math.max(probability, Number.MIN_VALUE)))
      likely.push({ choice, perWord: logs.reduce((sum, one) => sum + one, 0) / Math.max(1, logs.length) })
    }
    return likely.sort((a, b) => b.perWord - a.perWord)[0]?.choice
  }

  /** Each caption searches for its picture, and each picture for one of its captions. */
  async #captions(engine: WordsEngine, all: readonly Described[]): Promise<Measured[]> {
    const items = this.#chosen(all)
    const pictures: Float32Array[] = []
    const texts: Float32Array[] = []
    const pictureOf: number[] = []
    for (const [i, { file, captions }] of items.entries()) {
      await this.#reading(file, async () => {
        const { embedding } = await this.#encoded(engine, await this.#asVideo(file))
        const embedded = await engine.embedText(captions, 'search')
        for (const text of embedded) {
          texts.push(text)
          pictureOf.push(pictures.length)
        }
        pictures.push(embedding)
      })
      this.#options.report(i + 1, items.length)
    }
    if (pictures.length === 0) return []
    if (pictures[0]?.length === 0) throw cannot()
    const product = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
    const scores = texts.map((text) => pictures.map((picture) => product(text, picture)))
    const turned = pictures.map((_, picture) => scores.map((row) => row[picture] ?? 0))
    const captionsOf = pictures.map((_, picture) => pictureOf.flatMap((own, text) => (own === picture ? [text] : [])))
    const row = (metric: string, value: number, n: number): Measured => ({ task: 'search', metric, value, n })
    return RANKS.flatMap((most) => [
      row(
        `R@${most} among ${pictures.length}`,
        recallAt(
          scores,
          pictureOf.map((own) => [own]),
          most,
        ),
        texts.length,
      ),
      row(`captions of a picture, R@${most} among ${texts.length}`, recallAt(turned, captionsOf, most), pictures.length),
    ])
  }

  async #boxes(seer: Seer, { items: all, names }: Extract<PublicSet, { kind: 'boxes' }>): Promise<Measured[]> {
    const items: Boxed[] = this.#chosen(all)
    const measure = new AveragePrecision()
    for (const [i, { file, ...rest }] of items.entries()) {
      await this.#reading(file, async () => {
        const video = await this.#asVideo(file)
        const found = await probe(this.#tools, video, this.#options.signal)
        const said = (await this.#seen(seer, video, found))
          .map(({ box, ...one }): SaidBox => ({ ...one, box: pixelBox(box, found) }))
          .filter(({ box }) => boxArea(box) > 0)
        measure.add({ ...rest, said: said.sort((a, b) => b.score - a.score).slice(0, MOST_BOXES) })
      })
      this.#options.report(i + 1, items.length)
    }
    const each = [...measure.result()]
    const row = (metric: string, labels: typeof each, of: 'mean' | 'half'): Measured[] =>
      labels.length === 0
        ? []
        : [
            {
              task: 'boxes',
              metric,
              value: labels.reduce((sum, [, value]) => sum + value[of], 0) / labels.length,
              n: items.length - this.unread.length,
            },
          ]
    const among = (frequency: Name['frequency']) => each.filter(([label]) => names[label]?.frequency === frequency)
    return [
      ...row('AP50', each, 'half'),
      ...row('AP', each, 'mean'),
      ...(['rare', 'common', 'frequent'] as const).flatMap((one) => row(`AP, ${one} names`, among(one), 'mean')),
    ]
  }

  async #seen(seer: Seer, video: string, found: Probe): Promise<Said[]> {
    const { signal } = this.#options
    if (seer.wants === 'clip') return seer.see(await this.#encoded(seer.engine, video), areaSeen(found, seer.engine.info.manifest.input))
    const { digest, manifest } = seer.engine.info
    const want = { key: digest, kind: 'pictures', input: manifest.input, rate: manifest.input.rate } as const
    for await (const event of sample(this.#tools, video, found, [want], { signal }))
      if (event.type === 'picture' && event.picture !== null) {
        const { rgb, width, height } = event.picture
        // Leaving the loop gives the picture's memory back.
        return await seer.see({ rgb, width, height })
      }
    return []
  }

  /** The whole video as one clip. */
  async #encoded(engine: WordsEngine, file: string): Promise<Encoding & Asked> {
    const { signal } = this.#options
    const claimed = await probe(this.#tools, file, signal)
    for await (const event of sample(this.#tools, file, claimed, [], { signal })) {
      if (event.type !== 'done') continue
      const { pts, probe: found } = event
      const whole = { startFrame: 0, endFrame: pts.length }
      const frames = framesOf(pts, whole, framesWanted(wantOf(engine), whole, found.duration))
      const { tubes } = await sampleFrames(this.#tools, file, found, wantOf(engine), frames, signal)
      const times = { frames: frames.map(({ pts: at }) => Math.max(0, secondsOf(at, found))), seconds: found.duration }
      return { ...(await engine.encode({ tubes }, signal)), times }
    }
    throw new Error('a pass ends with what it found')
  }

  /** A picture as a video of one frame, its bytes unchanged: the app reads videos. */
  async #asVideo(file: string): Promise<string> {
    const video = path.join(this.#work, 'picture.mkv')
    const args = ['-v', 'error', '-nostdin', ...pictureFile(file), '-c', 'copy', '-f', 'matroska', 'pipe:1']
    const { code, stdout, stderr } = await runTool(this.#tools.ffmpeg, args, { signal: this.#options.signal })
    if (code !== 0 || stdout.length === 0)
      throw new TubeletError({ code: 'no-frames', message: 'This picture cannot be read.', file, details: stderr })
    await writeFile(video, stdout)
    return video
  }

  /** What cannot be read is left out, and said. */
  async #reading(file: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#options.signal.throwIfAborted()
      const { code } = problemOf(error)
      if (code === 'engine-unavailable' || code === 'pack-cannot' || code === 'internal') throw error
      this.unread.push(file)
    }
  }

  #chosen<T>(items: readonly T[]): T[] {
    const next = random(SEED)
    const chosen =
      items.length <= this.#options.most
        ? [...items]
        : items
            .map((item) => ({ item, at: next() }))
            .sort((a, b) => a.at - b.at)
            .slice(0, this.#options.most)
            .map(({ item }) => item)
    this.total = chosen.length
    return chosen
  }
}

interface Said {
  label: number
  score: number
  box: RelativeBox
}
type ClipSeer = { wants: 'clip'; engine: WordsEngine; see: (clip: Encoding, area: ReturnType<typeof areaSeen>) => Promise<Said[]> }
type PictureSeer = {
  wants: 'picture'
  engine: Engine<Extract<PackManifest, { family: 'detector' | 'owl' }>>
  see: (picture: Picture) => Promise<Said[]>
}
type Seer = ClipSeer | PictureSeer

/** How the boxes of a set's names are asked of a pack. */
function seerOf(engine: Engine, names: readonly Name[]): Seer {
  const labels = names.map(({ words }) => [words])
  if (ofFamily(engine, 'detector'))
    return {
      wants: 'picture',
      engine,
      see: async (picture) =>
        ((await engine.see([picture], 0))[0] ?? []).flatMap(({ name, score, box }) => {
          const label = names.findIndex(({ words }) => words === name)
          return label < 0 ? [] : [{ label, score, box }]
        }),
    }
  if (ofFamily(engine, 'owl'))
    return { wants: 'picture', engine, see: async (picture) => (await engine.spot(await engine.look([picture]), labels))[0] ?? [] }
  if (ofFamily(engine, 'mammut') && engine.info.manifest.tasks.includes('boxes'))
    return {
      wants: 'clip',
      engine,
      see: async (clip, { x, y, width, height }) =>
        (await engine.detect(clip, labels)).flatMap((found, label) =>
          found
            .filter(({ frame }) => frame === 0)
            .map(({ score, cx, cy, w, h }) => ({
              label,
              score,
              box: { cx: x + cx * width, cy: y + cy * height, w: w * width, h: h * height },
            })),
        ),
    }
  throw cannot()
}

function cannot(): TubeletError {
  return new TubeletError({
    code: 'pack-cannot',
    message: 'This pack does not do what the set measures.',
    next: 'Choose a set for what it does: “tubelet packs list” shows that.',
  })
}

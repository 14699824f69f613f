/**
 * Search by words, by a clip or by a box; each hit says why it was found. Words need no engine: they are looked up in the annotations and facts of
 * the library. What the pack of the search task finds in pictures ranks below that, and only clips on which it is trusted count.
 */
import type { Box } from '../../app/annotation.ts'
import { iou, pixelBox, type RelativeBox } from '../../app/boxes.ts'
import type { Clip } from '../../app/contract.ts'
import type { Curve, Filters, FindHit, FindQuery, FindResult } from '../../app/contract/find.ts'
import { TubeletError } from '../../app/errors.ts'
import { secondsOf } from '../../app/media.ts'
import { unlearnt } from '../../app/pack/mammut.ts'
import { withoutExcluded, wordsIn } from '../../app/wording.ts'
import { classesOf, nearestWords } from '../../app/words.ts'
import { type Encoding, type MammutEngine, ofFamily } from '../engine/engine.ts'
import { describer } from '../jobs/regions.ts'
import type { Pipeline } from '../jobs/pipeline.ts'
import type { Sought, SoughtText, SoughtWords, WordRanking } from '../library/search-worker.ts'
import { LikeBox } from './cells.ts'
import { factReasons, reasonsOf } from './why.ts'

type Words = Extract<FindQuery, { by: 'words' }>
type Likeness = Exclude<FindQuery, { by: 'words' }>

const NEAREST = 3
const SUGGESTIONS = 3
/** So many clips are compared with a box at most. */
const MOST_COMPARED = 100_000
/** Most reasons of one hit. */
const REASONS = 4
/** At most so many names of findable things are offered when nothing was found. */
const FINDABLE = 200

export class Search {
  readonly #library: Pipeline['library']
  readonly #packs: Pipeline['packs']
  readonly #describeAll: () => Promise<void>

  constructor({ library, packs }: Pick<Pipeline, 'library' | 'packs'>) {
    this.#library = library
    this.#packs = packs
    this.#describeAll = describer({ library, packs })
  }

  /** @throws TubeletError `not-found`, `clip-not-encoded`, `pack-cannot` or `engine-unavailable`; for words none of them. */
  async find(query: FindQuery | null, filters: Filters, limit: number): Promise<FindResult> {
    const found = query?.by === 'words' ? await this.#byWords(query, filters, limit) : await this.#byLikeness(query, filters, limit)
    return { ...found, unread: this.#library.find.unread() }
  }

  /** All clips that `find` counts as matches. */
  async matching(query: FindQuery | null, filters: Filters): Promise<number[]> {
    const { find } = this.#library
    if (query?.by === 'words') {
      const { sought, digest } = await this.#soughtWords(query)
      return find.ask('saying', { filters, sought }, digest)
    }
    const like = await this.#likeBox(query)
    if (like !== null && query?.by === 'box')
      return (await this.#amongCells(like, query.box, filters, Infinity)).hits.map(({ clip }) => clip.id)
    const { sought, digest } = await this.#soughtLikeness(query)
    return find.ask('matching', { filters, sought }, digest)
  }

  /** How well each moment of a video matches, in clips on which the pack is trusted. */
  async curve(sourceId: number, query: FindQuery): Promise<Curve> {
    const library = this.#library
    const like = await this.#likeBox(query)
    if (like !== null) return like.curve(sourceId)
    const { probe } = library.source(sourceId)
    const measure = query.by === 'words' ? ('probability' as const) : ('cosine' as const)
    const sought = query.by === 'words' ? (await this.#picture(query)).picture : (await this.#soughtLikeness(query)).sought
    if (sought === null) return { measure, line: 1, clips: [], moments: [] }
    const { manifest, digest } = (await this.#packs.words('search')).info
    const found = await library.find.ask('curve', { sourceId, sought, input: manifest.input, dims: manifest.dims }, digest)
    const score = query.by === 'words' ? probability : asItIs
    const clips = new Map(library.find.clips(found.clips.map(({ clipId }) => clipId)).map((clip) => [clip.id, clip]))
    const frames = new Map(found.moments.map(({ clipId }) => [clipId, library.clipFrames(clipId, digest)]))
    return {
      measure,
      line: score(found.line),
      clips: found.clips.flatMap(({ clipId, score: own }) => {
        const clip = clips.get(clipId)
        return clip ? [{ clipId, start: clip.start, end: clip.end, score: own === null ? null : score(own) }] : []
      }),
      moments: found.moments.flatMap(({ clipId, frame, score: own }) => {
        const seen = frames.get(clipId)?.[frame]
        return seen && probe ? [{ clipId, time: secondsOf(seen.pts, probe), score: score(own) }] : []
      }),
    }
  }

  // ── words

  async #byWords(query: Words, filters: Filters, limit: number): Promise<Omit<FindResult, 'unread'>> {
    const { find } = this.#library
    const { sought, digest, couldGuess } = await this.#soughtWords(query)
    const { ranked, nearest, unknown, ...counts } = await find.ask('words', { filters, sought, limit }, digest)
    const none = ranked.length === 0
    const findable = none ? await this.#findable(sought.classes) : []
    return {
      ...counts,
      hits: this.#hits(ranked),
      nearest: this.#hits(nearest),
      measure: 'probability',
      line: sought.picture && probability(sought.picture.line),
      suggestions: none ? await this.#suggestionsFor(query.words) : [],
      unknown: unknown.map((word) => {
        const seen = classesOf(word, findable) !== null
        return { word, seen, nearest: seen ? [] : nearestWords(word, findable) }
      }),
      findable: findable.slice(0, FINDABLE),
      couldGuess,
      region: null,
    }
  }

  /** Names by which boxes can be found: labels of tracks, those of the vocabulary that the pack can find, and all names of the pack that finds boxes. */
  async #findable(wanted: readonly string[]): Promise<string[]> {
    const boxes = await this.#packs.boxes().catch(() => null)
    const classes = boxes !== null && ofFamily(boxes, 'detector') ? boxes.info.manifest.classes : []
    // A detector with a closed list finds no other words, whatever labels are looked for.
    const possible = classes.length === 0 ? wanted : wanted.filter((word) => classesOf(word, classes) !== null)
    return [...new Set([...(await this.#library.find.ask('labels', null)), ...possible, ...classes])]
  }

  async #soughtWords(query: Words): Promise<{ sought: SoughtWords; digest: string | undefined; couldGuess: boolean }> {
    const library = this.#library
    const { picture, couldGuess, digest } = await this.#picture(query)
    const classes = library.detections.vocabulary().flatMap(({ name, synonyms }) => [name, ...synonyms])
    return {
      sought: { words: query.words, guesses: query.guesses ?? false, classes, picture },
      digest: digest ?? library.packs.current().search?.digest,
      couldGuess,
    }
  }

  /**
   * What the pack of the search task compares with pictures; null if it cannot help: it is not running, no clip here is familiar to
   * it, or it does not know the words. `couldGuess`: with guesses it would find more.
   */
  async #picture({ words: asked, guesses = false }: Words): Promise<{ picture: SoughtText | null; couldGuess: boolean; digest?: string }> {
    const words = withoutExcluded(asked).wanted
    const ready = await this.#packs.words('search').catch(() => null)
    if (ready === null) return { picture: null, couldGuess: false }
    const { digest, manifest } = ready.info
    const told = wordsIn(words).filter((word) => /\p{L}/u.test(word))
    if (told.length === 0 || unlearnt(manifest, told.join(' ')).length === new Set(told).size) return { picture: null, couldGuess: false }
    const { search, familiar } = manifest.calibration
    const known = familiar === undefined ? { some: true, all: true } : await this.#library.find.ask('familiar', null, digest)
    if (!known.some && !guesses) return { picture: null, couldGuess: !known.all }
    // If the engine dies here, words are still found in annotations.
    const [vector] = await ready.embedText([words], 'search').catch(() => [])
    if (vector === undefined) return { picture: null, couldGuess: false }
    const against = 'background' in search ? await ready.embedText(search.background, 'search') : search.bias
    const picture: SoughtText = {
      by: 'text',
      vector,
      scale: search.scale,
      against,
      line: Math.log(search.threshold / (1 - search.threshold)),
      familiar: familiar === undefined ? 'unsaid' : guesses ? 'any' : 'only',
    }
    return { picture, couldGuess: !known.all && !guesses, digest }
  }

  #hits(ranked: WordRanking['ranked']): FindHit[] {
    const library = this.#library
    const clips = new Map(library.find.clips(ranked.flatMap(({ clipId, alike }) => [clipId, ...alike])).map((clip) => [clip.id, clip]))
    return ranked.flatMap(({ clipId, score, guess, ids, told, named, alike }): FindHit[] => {
      const clip = clips.get(clipId)
      if (clip === undefined) return []
      const { probe } = library.source(clip.sourceId)
      const about = { state: null, standing: null, when: null, annotationId: null }
      const odds = score === null ? null : probability(score)
      const why = [
        ...reasonsOf(library.annotationsById(ids.slice(0, REASONS * 2)), clip, probe, REASONS),
        ...(told.length === 0 ? [] : factReasons(told, library.facts.of(clip.id), library.facts.language)),
        ...(named ? [{ ...about, kind: 'name' as const, text: clip.sourceName, score: null, guess: false }] : []),
        ...(odds === null ? [] : [{ ...about, kind: 'picture' as const, text: '', score: odds, guess }]),
      ]
      return [{ clip, score: odds, why, place: null, alike: alike.flatMap((id) => clips.get(id) ?? []) }]
    })
  }

  #suggestionsFor(words: string): Promise<string[]> {
    // Short words are articles and prepositions, which occur in any suggestion.
    const told = words
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .filter((word) => word.length > 2)
    return this.#library.find.ask('phrases', { words: told, most: SUGGESTIONS })
  }

  // ── likeness

  async #byLikeness(query: Likeness | null, filters: Filters, limit: number): Promise<Omit<FindResult, 'unread'>> {
    const library = this.#library
    const like = await this.#likeBox(query)
    if (like !== null && query?.by === 'box') return this.#amongCells(like, query.box, filters, limit)
    const { sought, digest, region } = await this.#soughtLikeness(query)
    if (query?.by === 'box') void this.#describeAll()
    const { ranked, line, ...counts } = await library.find.ask('rank', { filters, sought, limit }, digest)
    const hits = ranked.filter(({ score }) => score === null || line === null || score >= line)
    const shown = hits.length > 0 ? hits : ranked.slice(0, NEAREST)
    const clips = new Map(library.find.clips(shown.flatMap(({ clipId, alike }) => [clipId, ...alike])).map((clip) => [clip.id, clip]))
    const listed = shown.flatMap(({ clipId, score, place, alike }): FindHit[] => {
      const clip = clips.get(clipId)
      return clip === undefined
        ? []
        : [{ clip, score, why: [], place: place && this.#placeOf(clip, place, digest), alike: alike.flatMap((id) => clips.get(id) ?? []) }]
    })
    const [found, nearest] = hits.length > 0 ? [listed, []] : [[], listed]
    return {
      ...counts,
      line,
      hits: found,
      nearest,
      measure: query && 'cosine',
      suggestions: [],
      unknown: [],
      findable: [],
      couldGuess: false,
      region,
    }
  }

  /** For a box, if a detector of any words finds boxes here. @throws TubeletError `not-found`, `clip-not-encoded` */
  async #likeBox(query: FindQuery | null): Promise<LikeBox | null> {
    const boxes = query?.by === 'box' ? await this.#packs.boxes().catch(() => null) : null
    if (query?.by !== 'box' || boxes === null || !ofFamily(boxes, 'owl')) return null
    const like = LikeBox.of(this.#library, boxes, query)
    if (like === null) throw notCompared()
    return like
  }

  async #amongCells(like: LikeBox, box: Box, filters: Filters, limit: number): Promise<Omit<FindResult, 'unread'>> {
    const { ranked, ...counts } = await this.#library.find.ask('rank', { filters, sought: null, limit: MOST_COMPARED })
    const found = await like.hits(this.#library.find.clips(ranked.map(({ clipId }) => clipId)))
    const hits = found.filter(({ score }) => score >= like.line)
    return {
      ...counts,
      matches: hits.length,
      line: like.line,
      hits: hits.slice(0, limit),
      nearest: hits.length > 0 ? [] : found.slice(0, NEAREST),
      measure: 'cosine',
      suggestions: [],
      unknown: [],
      findable: [],
      couldGuess: false,
      region: { ordinal: like.ordinal, box },
    }
  }

  /** What to compare clips with, and for a box the region that represents it. */
  async #soughtLikeness(query: Likeness | null): Promise<{ sought: Sought | null; digest?: string; region: FindResult['region'] }> {
    if (query === null) return { sought: null, region: null }
    const library = this.#library
    const engine = await this.#packs.words('search')
    const { digest } = engine.info
    const encoding = this.#encodingOf(query.clipId, engine)
    if (query.by === 'clip') return { sought: query, digest, region: null }
    const found = await engine.regions(encoding, null)
    const { probe } = library.source(library.clip(query.clipId).sourceId)
    if (found === null || probe === null) {
      throw new TubeletError({
        code: 'pack-cannot',
        message: 'The model pack in use does not describe what lies in boxes, so it cannot search by one.',
        stillWorks: 'Search by words and by whole clips.',
        next: 'Use a pack that detects.',
      })
    }
    const frames = library.clipFrames(query.clipId, digest)
    const regions = found.frames.map((frame, at) => ({
      at,
      ordinal: frames[frame]?.ordinal ?? 0,
      box: pixelBox(found.boxes[at] ?? { cx: 0, cy: 0, w: 0, h: 0 }, probe),
    }))
    const [best] = regions.sort(
      (a, b) =>
        Math.abs(a.ordinal - query.ordinal) - Math.abs(b.ordinal - query.ordinal) ||
        iou(b.box, query.box) - iou(a.box, query.box) ||
        distance(a.box, query.box) - distance(b.box, query.box),
    )
    if (best === undefined) throw new Error('the detector gave no regions')
    const width = found.vectors.length / found.frames.length
    return {
      sought: { by: 'region', clipId: query.clipId, vector: found.vectors.slice(best.at * width, (best.at + 1) * width) },
      digest,
      region: { ordinal: best.ordinal, box: best.box },
    }
  }

  /** @throws TubeletError `not-found`, `clip-not-encoded` */
  #encodingOf(clipId: number, engine: MammutEngine): Encoding {
    const library = this.#library
    library.clip(clipId)
    const encoding = library.encoding(clipId, engine.info.digest)
    if (encoding !== null) return encoding
    throw notCompared()
  }

  #placeOf(clip: Clip, { frame, box }: { frame: number; box: RelativeBox }, digest: string | undefined): FindHit['place'] {
    const library = this.#library
    const { probe } = library.source(clip.sourceId)
    const seen = library.clipFrames(clip.id, digest)[frame]
    return probe && seen ? { ordinal: seen.ordinal, box: pixelBox(box, probe) } : null
  }
}

function probability(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds))
}

function asItIs(cosine: number): number {
  return cosine
}

function distance(a: Box, b: Box): number {
  return Math.hypot(a.x1 + a.x2 - b.x1 - b.x2, a.y1 + a.y2 - b.y1 - b.y2)
}

function notCompared(): TubeletError {
  return new TubeletError({
    code: 'clip-not-encoded',
    message: 'This clip has not been analysed yet, so nothing can be compared with it.',
    stillWorks: 'Clips that are done can be searched now.',
    next: 'Wait until its analysis is done, retry the file, or have its clips encoded on the Packs page.',
  })
}

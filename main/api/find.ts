/** Finding moments, and seeing why: the calls of search and evidence. */
import type { Box } from '../../app/annotation.ts'
import { iou, pixelBox, type RelativeBox } from '../../app/boxes.ts'
import type { Clip, RouteName } from '../../app/contract.ts'
import type { FindHit, FindQuery, FindResult } from '../../app/contract/find.ts'
import { TubeletError } from '../../app/errors.ts'
import { areaSeen } from '../../app/gaze.ts'
import { secondsOf } from '../../app/media.ts'
import type { Encoding, MammutEngine } from '../engine/engine.ts'
import { describer } from '../jobs/regions.ts'
import type { Sought } from '../library/search-worker.ts'
import type { Handlers, Services } from './handler.ts'

const NEAREST = 3
const SUGGESTIONS = 3
const REMEMBERED = 20
const HISTORY = 'searches'

export function findHandlers({ pipeline }: Services) {
  const { library } = pipeline
  const describeAll = describer(pipeline)

  function encodingOf(clipId: number, engine: MammutEngine): Encoding {
    library.clip(clipId)
    const encoding = library.encoding(clipId, engine.info.digest)
    if (encoding !== null) return encoding
    throw new TubeletError({
      code: 'clip-not-encoded',
      message: 'This clip has not been analysed yet, so nothing can be compared with it.',
      stillWorks: 'Clips that are done can be searched now.',
      next: 'Wait until its analysis is done, retry the file, or have its clips encoded on the Packs page.',
    })
  }

  /** What to compare with, and for a box the region that stands for it. */
  async function soughtOf(query: FindQuery, engine: MammutEngine): Promise<{ sought: Sought; region: FindResult['region'] }> {
    if (query.by === 'words') {
      const { search } = engine.info.manifest.calibration
      const [vector] = await engine.embedText([query.words], 'search')
      if (vector === undefined) throw new Error('the engine gave no embedding')
      const against = 'background' in search ? await engine.embedText(search.background, 'search') : search.bias
      return { sought: { by: 'text', vector, scale: search.scale, against, line: Math.log(search.threshold / (1 - search.threshold)) }, region: null }
    }
    const encoding = encodingOf(query.clipId, engine)
    if (query.by === 'clip') return { sought: query, region: null }
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
    const frames = library.clipFrames(query.clipId)
    const regions = found.frames.map((frame, at) => ({ at, ordinal: frames[frame]?.ordinal ?? 0, box: pixelBox(found.boxes[at] ?? { cx: 0, cy: 0, w: 0, h: 0 }, probe) }))
    const [best] = regions.sort((a, b) => Math.abs(a.ordinal - query.ordinal) - Math.abs(b.ordinal - query.ordinal) || iou(b.box, query.box) - iou(a.box, query.box) || distance(a.box, query.box) - distance(b.box, query.box))
    if (best === undefined) throw new Error('the detector gave no regions')
    const width = found.vectors.length / found.frames.length
    return { sought: { by: 'region', clipId: query.clipId, vector: found.vectors.slice(best.at * width, (best.at + 1) * width) }, region: { ordinal: best.ordinal, box: best.box } }
  }

  function placeOf(clip: Clip, { frame, box }: { frame: number; box: RelativeBox }): FindHit['place'] {
    const { probe } = library.source(clip.sourceId)
    const seen = library.clipFrames(clip.id)[frame]
    return probe && seen ? { ordinal: seen.ordinal, box: pixelBox(box, probe) } : null
  }

  function remember(words: string): void {
    const known = library.setting<string[]>(HISTORY, [])
    if (known[0] !== words) library.setSetting(HISTORY, [words, ...known.filter((other) => other !== words)].slice(0, REMEMBERED))
  }

  return {
    search: async ({ body: { query, filters, limit } }) => {
      const engine = query && (await pipeline.packs.words('search'))
      const target = query && engine && (await soughtOf(query, engine))
      if (query?.by === 'box') void describeAll()
      if (query?.by === 'words') remember(query.words)
      const found = await library.find.ask('rank', { filters, sought: target?.sought ?? null, limit }, engine?.info.digest)
      const score = query?.by === 'words' ? probability : asItIs
      const { line } = found
      const hits = found.ranked.filter(({ score: own }) => own === null || line === null || own >= line)
      const shown = hits.length > 0 ? hits : found.ranked.slice(0, NEAREST)
      const clips = new Map(library.find.clips(shown.flatMap(({ clipId, alike }) => [clipId, ...alike])).map((clip) => [clip.id, clip]))
      const listed = shown.flatMap(({ clipId, score: own, place, alike }): FindHit[] => {
        const clip = clips.get(clipId)
        return clip === undefined ? [] : [{ clip, score: own === null ? null : score(own), place: place && placeOf(clip, place), alike: alike.flatMap((id) => clips.get(id) ?? []) }]
      })
      return {
        hits: hits.length > 0 ? listed : [],
        nearest: hits.length > 0 ? [] : listed,
        matches: found.matches,
        measure: query === null ? null : query.by === 'words' ? ('probability' as const) : ('cosine' as const),
        line: line === null ? null : score(line),
        searched: found.searched,
        total: found.total,
        unread: library.find.unread(),
        suggestions: query?.by === 'words' && hits.length === 0 ? await suggestionsFor(query.words) : [],
        region: target?.region ?? null,
      }
    },

    pickRows: async ({ body: { clipIds, search } }) => {
      if (clipIds === undefined && search === undefined) throw new TubeletError({ code: 'bad-request', message: 'Say which clips: by id, or by a search.' })
      const engine = search?.query ? await pipeline.packs.words('search') : null
      const found = search && (await library.find.ask('matching', { filters: search.filters, sought: search.query && engine ? (await soughtOf(search.query, engine)).sought : null }, engine?.info.digest))
      return library.table.pick(clipIds ?? found ?? [])
    },

    curve: async ({ params: { sourceId }, body: { query } }) => {
      const { probe } = library.source(sourceId)
      const engine = await pipeline.packs.words('search')
      const { manifest, digest } = engine.info
      const { sought } = await soughtOf(query, engine)
      const found = await library.find.ask('curve', { sourceId, sought, input: manifest.input, dims: manifest.dims }, digest)
      const score = query.by === 'words' ? probability : asItIs
      const clips = new Map(library.find.clips(found.clips.map(({ clipId }) => clipId)).map((clip) => [clip.id, clip]))
      const frames = new Map(found.moments.map(({ clipId }) => [clipId, library.clipFrames(clipId)]))
      return {
        measure: query.by === 'words' ? ('probability' as const) : ('cosine' as const),
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
    },

    facets: () => library.find.ask('facets', null),
    searches: () => ({ searches: library.setting<string[]>(HISTORY, []) }),
    forgetSearches: () => {
      library.setSetting(HISTORY, [])
      return {}
    },

    gaze: async ({ params: { annotationId } }) => {
      const { clipId, body } = library.annotation(annotationId)
      if (body.kind !== 'caption' && body.kind !== 'answer') throw new TubeletError({ code: 'bad-request', message: 'Only captions and answers are words of the model.' })
      const engine = await pipeline.packs.words(body.kind === 'answer' ? 'answer' : 'caption')
      const { rows, columns, heat, words } = await engine.follow(encodingOf(clipId, engine), body.text, body.kind === 'answer' ? body.question : null)
      const { probe } = library.source(library.clip(clipId).sourceId)
      const area = areaSeen(probe ?? { width: 1, height: 1 }, engine.info.manifest.input)
      return { text: body.text, rows, columns, area, frames: library.clipFrames(clipId), heat: bytesOf(heat), words: words.map((word) => ({ ...word, heat: bytesOf(word.heat) })) }
    },
  } satisfies Partial<Handlers<RouteName>>

  function suggestionsFor(words: string): Promise<string[]> {
    // Short words are articles and prepositions: they would suggest anything.
    const told = words.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter((word) => word.length > 2)
    return library.find.ask('phrases', { words: told, most: SUGGESTIONS })
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

/** From nothing to the strongest cell in 0..255. */
function bytesOf(heat: Float32Array): number[] {
  const strongest = heat.reduce((most, mass) => Math.max(most, mass), 0)
  return Array.from(heat, (mass) => (strongest > 0 ? Math.round((255 * mass) / strongest) : 0))
}

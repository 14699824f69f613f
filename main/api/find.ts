/** Finding moments, and seeing why: the calls of search and evidence. */
import type { RouteName } from '../../app/contract.ts'
import { TubeletError } from '../../app/errors.ts'
import { areaSeen } from '../../app/gaze.ts'
import { askedOf } from '../jobs/pipeline.ts'
import { Search } from '../search/search.ts'
import type { Handlers, Services } from './handler.ts'

const REMEMBERED = 20
const HISTORY = 'searches'

export function findHandlers({ pipeline }: Services) {
  const { library } = pipeline
  const search = new Search(pipeline)

  function remember(words: string): void {
    const known = library.setting<string[]>(HISTORY, [])
    if (known[0] !== words) library.setSetting(HISTORY, [words, ...known.filter((other) => other !== words)].slice(0, REMEMBERED))
  }

  return {
    search: ({ body: { query, filters, limit } }) => {
      library.checkSources(filters.sourceIds ?? [])
      if (query?.by === 'words') remember(query.words)
      return search.find(query, filters, limit)
    },

    pickRows: async ({ body: { clipIds, search: by } }) => {
      if (clipIds === undefined && by === undefined)
        throw new TubeletError({ code: 'bad-request', message: 'Say which clips: by id, or by a search.', field: 'body.clipIds' })
      library.checkClips(clipIds ?? [])
      library.checkSources(by?.filters.sourceIds ?? [])
      return library.table.pick(clipIds ?? (by ? await search.matching(by.query, by.filters) : []))
    },

    curve: ({ params: { sourceId }, body: { query } }) => search.curve(sourceId, query),
    facets: () => library.find.ask('facets', null),
    searches: () => ({ searches: library.setting<string[]>(HISTORY, []) }),
    forgetSearches: () => {
      library.setSetting(HISTORY, [])
      return {}
    },

    gaze: async ({ params: { annotationId } }) => {
      const { clipId, body } = library.annotation(annotationId)
      if (body.kind !== 'caption' && body.kind !== 'answer')
        throw new TubeletError({
          code: 'bad-request',
          message: 'Only captions and answers are words of the model.',
          field: 'path.annotationId',
        })
      const engine = await pipeline.packs.words(body.kind === 'answer' ? 'answer' : 'caption')
      const { rows, columns, heat, words } = await engine.follow(
        askedOf(library, clipId, engine),
        body.text,
        body.kind === 'answer' ? body.question : null,
      )
      const { probe } = library.source(library.clip(clipId).sourceId)
      const area = areaSeen(probe ?? { width: 1, height: 1 }, engine.info.manifest.input)
      return {
        text: body.text,
        rows,
        columns,
        area,
        frames: library.clipFrames(clipId, engine.info.digest),
        heat: bytesOf(heat),
        words: words.map((word) => ({ ...word, heat: bytesOf(word.heat) })),
      }
    },
  } satisfies Partial<Handlers<RouteName>>
}

/** Heat as bytes: 0 is none, 255 the strongest cell. */
function bytesOf(heat: Float32Array): number[] {
  const strongest = heat.reduce((most, mass) => Math.max(most, mass), 0)
  return Array.from(heat, (mass) => (strongest > 0 ? Math.round((255 * mass) / strongest) : 0))
}

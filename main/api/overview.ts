/** The calls of the overview. */
import type { overviewRoutes } from '../../app/contract/overview.ts'
import { said } from '../../app/phrase.ts'
import { editClips, noteClips } from '../library/table-edits.ts'
import type { Handlers, Services } from './handler.ts'

export function overviewHandlers({ pipeline }: Services): Handlers<keyof typeof overviewRoutes> {
  const { library } = pipeline
  const { overview } = library
  return {
    editPicked: ({ body: { clipIds, deed, basedOn, overturn } }) => {
      library.checkClips(clipIds)
      return deed.action === 'note'
        ? noteClips(library, clipIds, deed.text)
        : editClips(library, clipIds, ['caption'], { ...deed, overturn, basedOn: basedOn?.map((text) => [text]) }, (clips) =>
            said(deed.action === 'accept' ? 'Captions of {{clips}} clips accepted' : 'Captions of {{clips}} clips rejected', { clips }),
          )
    },
    overview: () => overview.facts(),
    clipMap: async () => overview.map((await pipeline.packs.words('search')).info.digest),
  }
}

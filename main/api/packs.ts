/** The calls of packs: list, get, switch, delete. */
import type { packRoutes } from '../../app/contract/packs.ts'
import { wholePath } from '../intake/look.ts'
import type { Handlers, Services } from './handler.ts'
import { foldersOf } from './library.ts'

export function packHandlers({ pipeline, packs, places }: Services) {
  return {
    listPacks: () => packs.overview(),
    planSwitch: ({ params, query }) => packs.plan(params.packId, query.task ?? null),
    usePack: ({ params, body }) => packs.use(params.packId, body.tasks ?? null),
    leaveTask: async ({ params }) => {
      await packs.leave(params.task)
      return {}
    },
    deletePack: ({ params }) => {
      packs.delete(params.packId)
      return {}
    },
    encodeMissing: () => ({ sources: packs.encodeMissing() }),
    forgetOrphans: () => {
      packs.forgetOrphans()
      return {}
    },
    importPack: ({ body }) => {
      const file = wholePath(body.path, 'body.path')
      places.mustBeTakeable(file, 'body.path', () => foldersOf(pipeline.library))
      return packs.import(file, body.precision)
    },
    bringPack: ({ query: { precision, beside = [], ...file } }, { body }) =>
      packs.bring({ ...file, beside }, body ?? new Blob([]).stream(), precision),
    downloadPack: ({ body: { url, ...options } }) => packs.download(url, options),
    discardDownload: async ({ body }) => {
      await packs.discardDownload(body.url)
      return {}
    },
    cancelPackWork: async ({ params }) => {
      await packs.cancel(params.workId)
      return {}
    },
    setNetwork: ({ body }) => {
      packs.setNetwork(body.allowed)
      return { allowed: body.allowed }
    },
  } satisfies Handlers<keyof typeof packRoutes>
}

/** Watched folders. */
import path from 'node:path'
import type { watchedRoutes } from '../../app/contract/watched.ts'
import { wholePath } from '../intake/look.ts'
import { SIDECARS } from '../intake/watching.ts'
import type { Handlers, Services } from './handler.ts'
import { foldersOf } from './library.ts'

export function watchedHandlers({ pipeline: { library }, watching, places }: Services): Handlers<keyof typeof watchedRoutes> {
  return {
    listWatched: () => ({ folders: watching.list() }),
    watchFolder: async ({ body }) => {
      const folder = wholePath(body.folder, 'body.folder')
      if (body.formats.length > 0) places.mustBeWritable(path.join(folder, SIDECARS), 'body.folder', () => foldersOf(library))
      await watching.add({ ...body, folder }, true)
      return {}
    },
    unwatchFolder: ({ query }) => {
      watching.remove(wholePath(query.folder, 'query.folder'))
      return {}
    },
  }
}

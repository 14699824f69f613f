/** Removed videos. */
import type { binRoutes } from '../../app/contract/bin.ts'
import type { Handlers, Services } from './handler.ts'

export function binHandlers({ pipeline: { library }, jobs }: Services): Handlers<keyof typeof binRoutes> {
  return {
    listBin: () => ({ entries: library.bin.list() }),
    restoreSource: async ({ params: { sourceId } }) => {
      await jobs.restoreSource(sourceId)
      return {}
    },
    emptyBin: () => ({ forgotten: library.bin.empty() }),
  }
}

/** What the overview draws. */
import type { overviewRoutes } from '../../app/contract/overview.ts'
import type { Handlers, Services } from './handler.ts'

export function overviewHandlers({ pipeline }: Services): Handlers<keyof typeof overviewRoutes> {
  const { overview } = pipeline.library
  return {
    overview: () => overview.facts(),
    clipMap: async () => overview.map((await pipeline.engine()).info.digest),
  }
}

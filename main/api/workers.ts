/** Workers on other machines. */
import type { workersRoutes } from '../../app/contract/workers.ts'
import { TubeletError } from '../../app/errors.ts'
import type { Handlers, Services } from './handler.ts'

export function workersHandlers({ crew }: Services): Handlers<keyof typeof workersRoutes> {
  const there = () => {
    if (crew !== null) return crew
    throw new TubeletError({
      code: 'conflict',
      message: 'This library hands no work to other machines.',
      stillWorks: 'It analyses videos itself.',
      next: 'Start it with “tubelet serve --queue redis://HOST:PORT”.',
    })
  }
  return {
    listWorkers: () => crew?.list() ?? { queue: null, workers: [] },
    setWorker: ({ params: { worker }, body: { state } }) => there().set(worker, state),
    workPlace: () => there().place(),
    takeWork: async ({ body }) => ({ work: await there().take(body) }),
    tellWork: ({ body }) => there().tell(body),
    deliverWork: async ({ params: { claim } }, request) => {
      await there().deliver(claim, request.body)
      return {}
    },
    returnWork: ({ params: { claim }, body: { problem } }) => {
      there().giveBack(claim, problem)
      return {}
    },
    workMedia: ({ params: { claim } }, request) => there().media(claim, request),
    workPack: async ({ params: { digest } }) => ({ files: await there().packFiles(digest) }),
    workPackFile: ({ params: { digest, file } }, request) => there().packFile(digest, file, request),
  }
}

/** Work of several people: names, handing over, opening what was handed over, taking it in. */
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import type { sharingRoutes } from '../../app/contract/sharing.ts'
import { TubeletError } from '../../app/errors.ts'
import { wholePath } from '../intake/look.ts'
import { PERSON } from '../library/signed.ts'
import { handOver } from '../sharing/handover.ts'
import type { Handlers, Services } from './handler.ts'
import { foldersOf } from './library.ts'

export function sharingHandlers({ pipeline: { library }, jobs, merges, projects, places }: Services): Handlers<keyof typeof sharingRoutes> {
  const underWay = new Map<string, AbortController>()
  const told = (sharingId: string) => (share: number) => library.emit({ type: 'sharing', sharingId, share })
  const videoFolders = () => foldersOf(library)
  return {
    person: () => ({ name: library.setting<string>(PERSON, '') }),
    setPerson: ({ body: { name } }) => {
      library.setSetting(PERSON, name)
      return {}
    },
    handOver: async ({ body: { path: given, withVideos, handOverId = randomUUID() } }, request) => {
      const file = wholePath(given, 'body.path')
      places.mustBeWritable(file, 'body.path', videoFolders)
      if (underWay.has(handOverId))
        throw new TubeletError({ code: 'conflict', message: 'A hand-over of this name is under way.', stillWorks: 'It goes on.' })
      const stop = new AbortController()
      underWay.set(handOverId, stop)
      try {
        const made = await handOver(library, {
          file,
          withVideos,
          there: (id) => jobs.identity.there(id),
          signal: AbortSignal.any([stop.signal, request.signal]),
          onProgress: told(handOverId),
        })
        places.wrote([made.path])
        return made
      } finally {
        underWay.delete(handOverId)
      }
    },
    cancelHandOver: ({ params: { handOverId } }) => {
      const stop = underWay.get(handOverId)
      if (stop === undefined) throw new TubeletError({ code: 'not-found', message: 'No hand-over of this name is under way.' })
      stop.abort(new TubeletError({ code: 'cancelled', message: 'The hand-over was cancelled.', stillWorks: 'Nothing was written.' }))
      return {}
    },
    openHandedOver: async ({ body }, { signal }) => {
      const file = wholePath(body.path, 'body.path')
      places.mustBeTakeable(file, 'body.path', videoFolders)
      const into = body.into === undefined ? besideOf(file) : wholePath(body.into, 'body.into')
      places.mustBeWritable(into, 'body.into', videoFolders)
      const search = body.search === undefined ? undefined : wholePath(body.search, 'body.search')
      if (search !== undefined) places.mustBeReadable(search, videoFolders)
      const away = await projects.openFile({ file, into, search, signal, onProgress: told('open') })
      return { path: into, away }
    },
    readMerge: ({ body }, { signal }) => {
      const file = wholePath(body.path, 'body.path')
      places.mustBeTakeable(file, 'body.path', videoFolders)
      return merges.read(file, signal, told('merge'))
    },
    takeMerge: async ({ params: { mergeId }, body: { verdicts, rest } }) => {
      const taken = await merges.take(mergeId, verdicts, rest)
      await jobs.detectLabels()
      return taken
    },
    leaveMerge: ({ params: { mergeId } }) => {
      merges.leave(mergeId)
      return {}
    },
  }
}

/** The folder of a library that is opened from a file, where none is named: beside it, with its name. */
function besideOf(file: string): string {
  return path.join(path.dirname(file), path.parse(file).name)
}

/** Annotation files that are taken in, and the pictures on which they are looked at first. */
import type { importRoutes } from '../../app/contract/imports.ts'
import { wholePath } from '../intake/look.ts'
import { foldersOf } from './library.ts'
import { mediaFile } from '../jobs/pipeline.ts'
import { frameJpeg } from '../media/span.ts'
import { type Handlers, notFound, type Services } from './handler.ts'

export function importHandlers({ pipeline, jobs, imports, places }: Services): Handlers<keyof typeof importRoutes> {
  const { library, media } = pipeline
  return {
    readImport: ({ body }, { signal }) => {
      const { importId } = body
      const paths = body.paths.map((one, nth) => wholePath(one, `body.paths.${nth}`))
      for (const [nth, file] of paths.entries()) places.mustBeTakeable(file, `body.paths.${nth}`, () => foldersOf(library))
      return imports.read(paths, signal, importId)
    },
    bringImport: ({ query: { name, importId } }, { body, signal }) => imports.bring(name, body ?? new Blob([]).stream(), signal, importId),
    bringAlso: async ({ params: { importId }, query: { name } }, { body, signal }) => {
      await imports.bringAlso(importId, name, body ?? new Blob([]).stream(), signal)
      return {}
    },
    bringBeside: async ({ params: { importId }, query: { name } }, { body, signal }) => {
      await imports.bringBeside(importId, name, body ?? new Blob([]).stream(), signal)
      return {}
    },
    lookImport: ({ params: { importId }, body }) => imports.look(importId, body),
    takeImport: async ({ params: { importId }, body: { parts, unreviewed } }) => {
      const taken = await imports.take(importId, parts, unreviewed)
      if (taken.labels.length > 0) await jobs.detectLabels()
      return taken
    },
    leaveImport: async ({ params: { importId } }) => {
      await imports.leave(importId)
      return {}
    },
    framePicture: async ({ params: { sourceId, ordinal } }, { signal }) => {
      const source = await jobs.identity.there(sourceId)
      const pts = library.frames(sourceId)[ordinal]
      if (source.probe === null || pts === undefined) return notFound('This video has no such frame.')
      const jpeg = await frameJpeg(await media(), await mediaFile(library, source), source.probe, pts, signal)
      return new Response(jpeg, { headers: { 'content-type': 'image/jpeg', 'cache-control': 'private, max-age=600' } })
    },
  }
}

/** Annotation files: the calls that write and download them. */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { exportRoutes } from '../../app/contract/export.ts'
import { TubeletError } from '../../app/errors.ts'
import { cutsAhead } from '../export/cuts-ahead.ts'
import { countsOfExport, exportProject } from '../export/export.ts'
import { filesIn, isFolder } from '../export/folder.ts'
import { chosenClips } from '../export/which.ts'
import { zipOf } from '../export/zip.ts'
import { Search } from '../search/search.ts'
import { type Handlers, notFound, type Services } from './handler.ts'
import { foldersOf } from './library.ts'

/** The window shows it in a frame, from which it is printed. */
const INERT = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"

export function exportHandlers({ pipeline, jobs, places }: Services): Handlers<keyof typeof exportRoutes> {
  const { library } = pipeline
  const search = new Search(pipeline)
  const written = new Map<string, { directory: string; files: string[] }>()
  const underWay = new Map<string, AbortController>()

  return {
    export: async (
      {
        body: { exportId: named, formats, directory, sourceIds, labels, states, by, perVideo, lookedFor, frames, cut, language, ...which },
      },
      request,
    ) => {
      const exportId = named ?? `${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}-${randomUUID().slice(0, 8)}`
      const target = directory ?? path.join(library.projectDir, 'exports', exportId)
      if (!path.isAbsolute(target))
        throw new TubeletError({
          code: 'bad-request',
          message: 'The folder must be a full path.',
          field: 'body.directory',
          file: target,
          next: 'Choose the folder again.',
        })
      if (directory !== undefined) places.mustBeWritable(directory, 'body.directory', () => foldersOf(library))
      if (underWay.has(exportId))
        throw new TubeletError({
          code: 'conflict',
          message: 'An export of this name is under way.',
          stillWorks: 'It goes on.',
          next: 'Give another name.',
        })
      const stop = new AbortController()
      underWay.set(exportId, stop)
      try {
        const result = await exportProject(library, {
          formats,
          directory: target,
          sourceIds,
          scope: { labels, states, by },
          perVideo,
          lookedFor,
          frames,
          cut,
          language,
          subject: which.search?.query?.by === 'words' ? which.search.query.words : which.view,
          media: () => pipeline.media(),
          there: (id) => jobs.identity.there(id),
          clipIds: await chosenClips(library, search, which),
          signal: AbortSignal.any([stop.signal, request.signal]),
          onProgress: (share) => library.emit({ type: 'export', exportId, share }),
        })
        const files = result.files.map((file) => file.path)
        written.set(exportId, { directory: result.directory, files })
        places.wrote([result.directory, ...files])
        return { exportId, ...result }
      } finally {
        underWay.delete(exportId)
      }
    },
    cutsAhead: async ({ body: { sourceIds, ...which } }, { signal }) =>
      await cutsAhead(
        library,
        await pipeline.media(),
        { sourceIds, clipIds: await chosenClips(library, search, which) },
        (id) => jobs.identity.there(id),
        signal,
      ),
    exportCounts: async ({ body: { sourceIds, labels, states, by, ...which } }) =>
      await countsOfExport(library, { sourceIds, clipIds: await chosenClips(library, search, which), scope: { labels, states, by } }),
    cancelExport: ({ params: { exportId } }) => {
      const stop = underWay.get(exportId)
      if (stop === undefined) throw new TubeletError({ code: 'not-found', message: 'No export of this name is under way.' })
      stop.abort()
      return {}
    },
    exportPage: async ({ params: { exportId }, query: { format } }) => {
      const file = written.get(exportId)?.files.find((one) => path.basename(one).startsWith(format) && path.extname(one) === '.html')
      const text = file === undefined ? null : await readFile(file, 'utf8').catch(() => null)
      if (text === null) return notFound()
      return new Response(text, { headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': INERT } })
    },
    exportZip: async ({ params: { exportId } }) => {
      const { directory, files } = written.get(exportId) ?? {}
      if (directory === undefined || files === undefined) return notFound()
      const all = files.flatMap((file) => (isFolder(file) ? filesIn(file).map((name) => path.join(file, name)) : [file]))
      const zip = await zipOf(all.map((file) => ({ file, name: path.relative(directory, file).split(path.sep).join('/') })))
      return new Response(zip, {
        headers: { 'content-type': 'application/zip', 'content-disposition': `attachment; filename="tubelet-${exportId}.zip"` },
      })
    },
  }
}

/** Folders whose new videos are added by themselves. */
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { SidecarFormat } from './export.ts'
import { FilePath, route } from './route.ts'

export const WatchFolder = z.object({
  /** Its full path. */
  folder: FilePath,
  /** Annotation files that are kept up to date for its videos, in the folder `tubelet-sidecars` in it. */
  formats: z.array(SidecarFormat),
})
export type WatchFolder = z.infer<typeof WatchFolder>

export const WatchedFolder = WatchFolder.extend({
  /** Why it, or a file in it, could not be read or written when that was tried last. */
  problem: Problem.nullable(),
})
export type WatchedFolder = z.infer<typeof WatchedFolder>

export const watchedRoutes = {
  listWatched: route({
    method: 'get',
    path: '/api/watched',
    summary: 'Folders whose new videos are added by themselves',
    output: z.object({ folders: z.array(WatchedFolder) }),
  }),
  watchFolder: route({
    method: 'put',
    path: '/api/watched',
    summary:
      'Watch a folder at any depth, or change which annotation files are kept of one that is watched. Videos that are in it now are added at once',
    body: WatchFolder,
    output: z.object({}),
    errors: ['file-missing', 'file-unreadable', 'conflict', 'forbidden'],
  }),
  unwatchFolder: route({
    method: 'delete',
    path: '/api/watched',
    summary: 'Stop watching a folder. Its videos stay in the library, and written files where they are',
    query: z.object({ folder: FilePath }),
    output: z.object({}),
    errors: ['not-found'],
  }),
} as const

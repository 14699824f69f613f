/** Videos that were removed and can be restored. */
import { z } from 'zod'
import { Id, route } from './route.ts'

export const BinEntry = z.object({
  sourceId: z.number().int(),
  name: z.string(),
  path: z.string(),
  clips: z.number().int(),
  /** Clips in which a person decided something. */
  reviewed: z.number().int(),
  removedAt: z.string(),
  /** When it is deleted for good unless it is restored before. */
  until: z.string(),
})
export type BinEntry = z.infer<typeof BinEntry>

export const binRoutes = {
  listBin: route({
    method: 'get',
    path: '/api/bin',
    summary: 'Videos that were removed, newest first; each goes for good after 30 days',
    output: z.object({ entries: z.array(BinEntry) }),
  }),
  restoreSource: route({
    method: 'post',
    path: '/api/bin/{sourceId}/restore',
    summary: 'Put a removed video back, with everything that was said about it',
    params: z.object({ sourceId: Id }),
    output: z.object({}),
    errors: ['not-found', 'conflict'],
  }),
  emptyBin: route({
    method: 'delete',
    path: '/api/bin',
    summary: 'Forget all removed videos for good; the files themselves are untouched',
    output: z.object({ forgotten: z.number().int() }),
  }),
} as const

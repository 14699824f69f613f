/** The library as a whole: what the overview draws. */
import { z } from 'zod'
import { Facts } from '../overview.ts'
import { route } from './route.ts'

/** Places of clips by what they show; parallel lists. */
export const ClipMap = z.object({
  clipIds: z.array(z.number().int()),
  /** 0..1 */
  x: z.array(z.number()),
  y: z.array(z.number()),
  /** 0..1 while a newer map is being made, else null. */
  building: z.number().nullable(),
})
export type ClipMap = z.infer<typeof ClipMap>

export const overviewRoutes = {
  overview: route({ method: 'get', path: '/api/overview', summary: 'Every clip with what is counted of it', output: Facts }),
  clipMap: route({
    method: 'get', path: '/api/overview/map', summary: 'Clips in the plane, alike ones near each other (UMAP of their embeddings). Made beside everything else; ask again while `building`',
    output: ClipMap, errors: ['engine-unavailable'],
  }),
} as const

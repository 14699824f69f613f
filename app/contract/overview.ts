/** The library as a whole: what the overview draws. */
import { z } from 'zod'
import { Facts } from '../overview.ts'
import { Id, route } from './route.ts'
import { EditReport, Overturn } from './table.ts'

/** Positions of clips on a map where similar clips lie close together; parallel lists. */
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
  editPicked: route({
    method: 'post',
    path: '/api/overview/edit',
    summary:
      'Accept or reject the captions of some clips, or note something on each; one step of undo. Captions that a person decided otherwise are left alone and counted as `kept`, unless `overturn`. With `basedOn` nothing is changed where a person has written something else since',
    body: z.object({
      clipIds: z.array(Id).min(1).max(1_000_000),
      deed: z.discriminatedUnion('action', [
        z.object({ action: z.enum(['accept', 'reject']) }),
        z.object({ action: z.literal('note'), text: z.string().trim().min(1).max(10_000) }),
      ]),
      /** What the caption of each clip said when it was looked at, in the order of `clipIds`; null where nobody looked. */
      basedOn: z.array(z.string().nullable()).optional(),
      overturn: Overturn,
    }),
    output: EditReport,
  }),
  overview: route({ method: 'get', path: '/api/overview', summary: 'Every clip with what is counted of it', output: Facts }),
  clipMap: route({
    method: 'get',
    path: '/api/overview/map',
    summary:
      'Clips in the plane, alike ones near each other (UMAP of their embeddings). Made beside everything else; ask again while `building`',
    output: ClipMap,
    errors: ['engine-unavailable'],
  }),
} as const

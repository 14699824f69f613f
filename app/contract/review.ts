/** Looking at one clip: the preview copy of what a browser cannot play, and clips that a person marks. */
import { z } from 'zod'
import { Span } from '../annotation.ts'
import { Problem } from '../errors.ts'
import { Clip } from './clip.ts'
import { Id, route } from './route.ts'

/** none: not asked for, or deleted since. waiting: in the queue, as every copy that is not made. making: `progress` of it, 0..1, is done. */
export const Preview = z.object({ state: z.enum(['none', 'waiting', 'making', 'ready', 'failed', 'cancelled']), progress: z.number(), problem: Problem.nullable() })
export type Preview = z.infer<typeof Preview>

const onSource = z.object({ sourceId: Id })

export const reviewRoutes = {
  preview: route({ method: 'get', path: '/api/sources/{sourceId}/preview', summary: 'How far the preview copy is', params: onSource, output: Preview, errors: ['not-found'] }),
  makePreview: route({
    method: 'post', path: '/api/sources/{sourceId}/preview', summary: 'Make a copy that every browser plays, with each frame at its own time: a job of the queue, before those that wait; answers at once',
    params: onSource, output: Preview, errors: ['not-found'],
  }),
  cancelPreview: route({ method: 'delete', path: '/api/sources/{sourceId}/preview', summary: 'Cancel its job', params: onSource, output: Preview, errors: ['not-found'] }),
  previewMedia: route({ method: 'get', path: '/api/sources/{sourceId}/preview/media', summary: 'The preview copy with byte ranges', params: onSource, bytes: 'video/mp4', errors: ['not-found'] }),
  markClip: route({
    method: 'post', path: '/api/sources/{sourceId}/clips', summary: 'Make a clip of a span of frames; it is encoded and captioned in the queue, and no later analysis removes it; a step of undo. The span of a clip that is there gives that clip',
    params: onSource, body: z.object({ span: Span }), output: Clip, errors: ['not-found', 'bad-request'],
  }),
  removeClip: route({ method: 'delete', path: '/api/clips/{clipId}', summary: 'Take a clip away that a person marked, with what was said about it: a step of undo', params: z.object({ clipId: Id }), output: z.object({}), errors: ['not-found', 'conflict'] }),
} as const

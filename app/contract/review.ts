/** Reviewing one clip: preview copies of videos that a browser cannot play, and clips that a person marks. */
import { z } from 'zod'
import { Box, KeyBox, Span } from '../annotation.ts'
import { Problem } from '../errors.ts'
import { Clip } from './clip.ts'
import { FrameRef } from '../media.ts'
import { Id, route } from './route.ts'

/** none: not requested, or deleted since. waiting: in the queue. making: under way; `progress` is 0..1. */
export const Preview = z.object({
  state: z.enum(['none', 'waiting', 'making', 'ready', 'failed', 'cancelled']),
  progress: z.number(),
  problem: Problem.nullable(),
})
export type Preview = z.infer<typeof Preview>

/** The result of following a box forward. */
export const FollowedBox = z.object({
  /** Key boxes from the drawn one to the last on which the object was seen; boxes between them are interpolated. */
  boxes: z.array(KeyBox).min(1),
  /** The first frame on which the object was not found, if it was lost. */
  lost: FrameRef.nullable(),
  /** Why it ended. limit: the object was seen up to the last frame that was looked at, and can be followed further from there. */
  end: z.enum(['lost', 'cut', 'end', 'limit']),
})
export type FollowedBox = z.infer<typeof FollowedBox>

const onSource = z.object({ sourceId: Id })

export const reviewRoutes = {
  preview: route({
    method: 'get',
    path: '/api/sources/{sourceId}/preview',
    summary: 'How far the preview copy is',
    params: onSource,
    output: Preview,
    errors: ['not-found'],
  }),
  makePreview: route({
    method: 'post',
    path: '/api/sources/{sourceId}/preview',
    summary:
      'Make a copy that every browser plays, with each frame at its own time: a job of the queue, before those that wait; answers at once',
    params: onSource,
    output: Preview,
    errors: ['not-found'],
  }),
  cancelPreview: route({
    method: 'delete',
    path: '/api/sources/{sourceId}/preview',
    summary: 'Cancel its job',
    params: onSource,
    output: Preview,
    errors: ['not-found'],
  }),
  previewMedia: route({
    method: 'get',
    path: '/api/sources/{sourceId}/preview/media',
    summary: 'The preview copy with byte ranges',
    params: onSource,
    bytes: 'video/mp4',
    errors: ['not-found'],
  }),
  markClip: route({
    method: 'post',
    path: '/api/sources/{sourceId}/clips',
    summary:
      'Make a clip of a span of frames; it is encoded and captioned in the queue, and no later analysis removes it; a step of undo. The span of a clip that is there gives that clip',
    params: onSource,
    body: z.object({ span: Span }),
    output: Clip,
    errors: ['not-found', 'bad-request'],
  }),
  followBox: route({
    method: 'post',
    path: '/api/clips/{clipId}/follow',
    summary:
      "Follow a box that was drawn on a frame (ordinal) forward through the video, past the clip's end, until it is lost, cut away or 20 s have passed; nothing is stored. With a label, tracks of that label help",
    params: z.object({ clipId: Id }),
    body: z.object({ box: Box, ordinal: z.number().int().nonnegative(), label: z.string().optional() }),
    output: FollowedBox,
    errors: ['not-found', 'bad-request', 'no-frames', 'file-missing'],
  }),
  removeClip: route({
    method: 'delete',
    path: '/api/clips/{clipId}',
    summary: 'Take a clip away that a person marked, with what was said about it: a step of undo',
    params: z.object({ clipId: Id }),
    output: z.object({}),
    errors: ['not-found', 'conflict'],
  }),
} as const

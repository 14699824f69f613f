/** A clip as lists show it. */
import { z } from 'zod'
import { ReviewState } from '../annotation.ts'

export const Clip = z.object({
  id: z.number().int(),
  sourceId: z.number().int(),
  sourceName: z.string(),
  index: z.number().int(),
  /** shot: from cut to cut. window: a fixed part of a long shot. marked: a span that a person chose, on top of the others. */
  kind: z.enum(['shot', 'window', 'marked', 'beginning']),
  /** Half-open span, seconds from the first frame of the source. */
  start: z.number(),
  end: z.number(),
  /** Ordinals, half-open. */
  startFrame: z.number().int(),
  endFrame: z.number().int(),
  encoded: z.boolean(),
  caption: z.string().nullable(),
  captionState: ReviewState.nullable(),
  captionUnsure: z.boolean(),
  /** The pack that captioned it was trained on nothing like it, so its caption and boxes are guesses. */
  unfamiliar: z.boolean(),
  /** Names of the things in it that are sure, drawn or accepted. */
  labels: z.array(z.string()),
  /** Names of things that may be in it: nobody asked for them, nobody decided about them, and they are not sure. */
  perhaps: z.array(z.string()),
})
export type Clip = z.infer<typeof Clip>

/** A statement about a clip that rests on what was measured in it. */
export const ClipFact = z.object({
  /** unread: the part of the clip that could not be read, so that nothing is stated about it. */
  kind: z.enum(['name', 'thing', 'overlap', 'camera', 'light', 'text', 'unread']),
  text: z.object({ en: z.string(), de: z.string() }),
  /** The frames that show it. */
  ordinals: z.array(z.number().int()),
  /** 0..1: how often statements of this kind are right; 1 for what a person drew, named or accepted. */
  reliability: z.number(),
  /** Whether it is certain because a person says so. */
  people: z.boolean(),
})
export type ClipFact = z.infer<typeof ClipFact>

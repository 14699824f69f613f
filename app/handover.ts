/** What a handed-over library says of itself: handover.json in a .tubelet file, which is a zip. docs/exports.md describes the file. */
import { z } from 'zod'

/** Names in the archive. Videos lie in VIDEOS/, small pictures of each video in PICTURES/ID/. */
export const [MANIFEST, LIBRARY_FILE, VIDEOS, PICTURES] = ['handover.json', 'library.sqlite', 'videos', 'pictures'] as const

/** The format that is written, and the newest that is read. */
export const FORMAT_VERSION = 1

/** Letters of the name that a person gives, in UTF-16 units. */
export const LONGEST_NAME = 100

export const Handover = z.object({
  format: z.literal('tubelet-handover'),
  version: z.number().int().positive(),
  /** ISO 8601, UTC. */
  madeAt: z.string(),
  appVersion: z.string(),
  /** The name of who handed it over, where that person gave one. */
  by: z.string().max(LONGEST_NAME).nullable(),
  videos: z.array(
    z.object({
      /** In the library. */
      id: z.number().int(),
      name: z.string(),
      bytes: z.number().int().nonnegative(),
      fingerprint: z.string(),
      /** Its place in the archive; for numbered pictures the pattern of their names. Null where it did not come along. */
      file: z.string().nullable(),
    }),
  ),
})
export type Handover = z.infer<typeof Handover>

/** Small pictures of a video and of its clips. */
export const PICTURE = /^pictures\/\d+\/(?:thumbnail|strip-\d+|clip-\d+)\.jpg$/

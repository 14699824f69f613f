/** Family `text`: lines of text on single pictures, found and read. */
import { z } from 'zod'
import { FileRef, Pack, PictureInput } from './base.ts'

export const TextManifest = Pack.extend({
  family: z.literal('text'),
  tasks: z.tuple([z.literal('text')]),
  /** Pictures of at most this size, so many a second where something changes. */
  input: PictureInput.extend({ fit: z.literal('letterbox'), rate: z.number().positive() }),
  graphs: z.object({ finder: FileRef, reader: FileRef }),
  /** The reader's symbols, a line each, in the order of its classes without the blank. */
  symbols: FileRef,
})
export type TextManifest = z.infer<typeof TextManifest>

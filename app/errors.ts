/** The one error family. A shown error says what happened, to which file, what still works, and one next step. */
import { z } from 'zod'
import { english, Values } from './phrase.ts'

export const ErrorCode = z.enum([
  'bad-request',
  'not-found',
  'forbidden',
  'conflict',
  'empty-file',
  'not-a-video',
  'audio-only',
  'no-index',
  'codec-unsupported',
  'no-frames',
  'damaged',
  'file-missing',
  'file-replaced',
  'file-unreadable',
  'ffmpeg-missing',
  'ffmpeg-failed',
  'decode-timeout',
  'tool-killed',
  'clip-not-encoded',
  'not-answerable',
  'pack-invalid',
  'pack-self-test-failed',
  'checkpoint-unusable',
  'network-off',
  'download-failed',
  'pack-cannot',
  'engine-unavailable',
  'cancelled',
  'disk-full',
  'internal',
])
export type ErrorCode = z.infer<typeof ErrorCode>

/**
 * An error as the UI, the API and the CLI show it. Its sentences are phrases: `{{name}}` stands for `values.name`. `details` (an ffmpeg
 * dump, a stack) stays folded.
 */
export const Problem = z.object({
  code: ErrorCode,
  /** What happened, one plain sentence. */
  message: z.string(),
  /** The file it happened to, if one. */
  file: z.string().optional(),
  /** What still works. */
  stillWorks: z.string().optional(),
  /** One next step for the person. */
  next: z.string().optional(),
  values: Values.optional(),
  details: z.string().optional(),
})
export type Problem = z.infer<typeof Problem>

export class TubeletError extends Error {
  readonly problem: Problem
  constructor(problem: Problem, options?: ErrorOptions) {
    super(inEnglish(problem).message, options)
    this.name = 'TubeletError'
    this.problem = problem
  }
}

/** The sentences of a problem with their values, where there is no window to translate them. */
export function inEnglish({ message, next = '', stillWorks = '', values = {} }: Problem): { message: string; next: string; stillWorks: string } {
  return { message: english({ text: message, values }), next: english({ text: next, values }), stillWorks: english({ text: stillWorks, values }) }
}

/** Any thrown value as a Problem; what is not ours becomes `internal` with its stack folded into `details`. */
export function problemOf(error: unknown): Problem {
  if (error instanceof TubeletError) return error.problem
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return {
    code: 'internal',
    message: 'Something went wrong inside Tubelet.',
    stillWorks: 'Your library and everything already shown as done are safe.',
    next: 'Try again. If it happens again, copy the details into a report.',
    details: text,
  }
}

/** The one error family. A shown error says what happened, to which file, what still works, and one next step. */
import { z } from 'zod'
import { english, Phrase, Values } from './phrase.ts'

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
  /** The part of the request that the problem is about, such as `body.labels`. */
  field: z.string().optional(),
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

/** Runs `work`, which checks a part of something, and makes its refusals those of the whole: their field then begins with `path`. */
export function inField<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof TubeletError) || error.problem.field === undefined) throw error
    throw new TubeletError({ ...error.problem, field: `${path}.${error.problem.field}` }, { cause: error })
  }
}

/** A problem's sentences in English with their values filled in, for output that no window translates. */
export function inEnglish({ message, next = '', stillWorks = '', values = {} }: Problem): {
  message: string
  next: string
  stillWorks: string
} {
  return {
    message: english({ text: message, values }),
    next: english({ text: next, values }),
    stillWorks: english({ text: stillWorks, values }),
  }
}

/** A problem as other programs read it: its sentences in English, with their values filled in. */
export function spoken(problem: Problem): Problem {
  const said = inEnglish(problem)
  return {
    ...problem,
    message: said.message,
    ...(problem.next !== undefined && { next: said.next }),
    ...(problem.stillWorks !== undefined && { stillWorks: said.stillWorks }),
  }
}

/**
 * A value as JSON for other programs: problems and phrases in it have their English sentences filled in. The window gets them as they are, and fills
 * them in its own language.
 */
export function spokenJson(value: unknown): string {
  const plain = JSON.stringify(value)
  // Most answers have none, and are not looked through.
  return plain.includes('{{') ? JSON.stringify(value, (_, part: unknown) => filledIn(part)) : plain
}

function filledIn(part: unknown): unknown {
  if (typeof part !== 'object' || part === null || !('values' in part)) return part
  const [problem, sentence] = [Problem.safeParse(part), Phrase.safeParse(part)]
  if (problem.success) return spoken(problem.data)
  return sentence.success ? { ...part, text: english(sentence.data) } : part
}

const SAFE = 'Your library and everything already shown as done are safe.'

/** Codes for a full disk: the file system's by name, SQLite's by number (its primary result code). */
const FULL = new Set<unknown>(['ENOSPC', 'EDQUOT', 13])
const NOT_ALLOWED = new Set<unknown>(['EACCES', 'EPERM', 'EROFS', 8, 14])
const IN_THE_WAY = new Set<unknown>(['EEXIST', 'ENOTDIR', 'EISDIR'])
const SILENT = new Set<unknown>(['EIO', 'ENXIO', 'ESTALE', 'ENOTCONN', 10])
const IN_USE = new Set<unknown>([5])
const NO_LIBRARY = new Set<unknown>([11, 26])
/** SQLite has no room for the index that it keeps beside its log. */
const NO_ROOM_FOR_INDEX = 4874

/** Whether the system, or Node, threw it with this code: `ENOENT`, `ERR_…`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/** Why the disk or folder refused; null if the thrown value is no file system error. */
export function diskProblem(error: unknown): Problem | null {
  if (!(error instanceof Error)) return null
  const { code, errcode, path, syscall } = error as { code?: unknown; errcode?: unknown; path?: unknown; syscall?: unknown }
  const cause = typeof errcode !== 'number' ? code : errcode === NO_ROOM_FOR_INDEX ? 13 : errcode & 0xff
  const rest = { stillWorks: SAFE, details: error.message, ...(typeof path === 'string' ? { file: path } : {}) }
  if (FULL.has(cause))
    return { code: 'disk-full', message: 'The disk is full.', next: 'Free some space on it; what waits then goes on by itself.', ...rest }
  if (NOT_ALLOWED.has(cause))
    return {
      code: 'forbidden',
      message: 'Tubelet may not read or write here.',
      next: 'Give yourself the right to write in this folder, or choose another one.',
      ...rest,
    }
  if (code === 'ENOENT' && syscall === 'mkdir')
    return { code: 'forbidden', message: 'No folder can be made here.', next: 'Choose another folder.', ...rest }
  if (IN_THE_WAY.has(cause))
    return {
      code: 'conflict',
      message: 'A file lies where a folder is needed, or the other way round.',
      next: 'Choose another folder.',
      ...rest,
    }
  if (cause === 'ENAMETOOLONG')
    return { code: 'conflict', message: 'This name or path is longer than the disk allows.', next: 'Choose a shorter one.', ...rest }
  if (SILENT.has(cause))
    return {
      code: 'file-unreadable',
      message: 'The disk could not be read or written.',
      next: 'Check that it is connected and sound; what waits then goes on by itself.',
      ...rest,
    }
  if (IN_USE.has(cause))
    return {
      code: 'conflict',
      message: 'Another program keeps the library to itself.',
      next: 'Close that program; what waits then goes on by itself.',
      ...rest,
    }
  if (NO_LIBRARY.has(cause))
    return {
      code: 'file-unreadable',
      message: 'The library file is damaged, or is no library.',
      next: 'Restore one of its backups, in the settings or with "tubelet library restore", or choose another library.',
      ...rest,
      stillWorks: 'The file was not changed.',
    }
  return null
}

/**
 * Any thrown value as a Problem. Values that are neither our own errors nor the file system's become `internal`, with the stack in
 * `details`.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof TubeletError) return error.problem
  const refused = diskProblem(error)
  if (refused !== null) return refused
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return {
    code: 'internal',
    message: 'Something went wrong inside Tubelet.',
    stillWorks: SAFE,
    next: 'Try again. If it happens again, copy the details into a report.',
    details: text,
  }
}

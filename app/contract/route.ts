/** How a route is declared. Each area of the backend has its own file of routes and their schemas in this folder; `contract.ts` joins them. */
import { z } from 'zod'
import type { ErrorCode } from '../errors.ts'

/** Header that carries a window's id. Undo is per window. */
export const WINDOW = 'x-tubelet-window'

/** A path of a file or folder. */
export const FilePath = z
  .string()
  .min(1)
  .refine((path) => !path.includes('\0'), 'must not contain a character of number 0')

/**
 * A whole number in an address, where all values are text, or in a body. Only digits are read: other readers take an empty text, `true` and `[7]`
 * for numbers.
 */
export function whole<S extends z.ZodNumber>(schema: S) {
  const { type, minimum, maximum, exclusiveMinimum } = z.toJSONSchema(schema)
  return z
    .preprocess((value) => (typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value), schema)
    .meta({ type, minimum, maximum, exclusiveMinimum })
}

/** A row of the library, in a path, a query or a body. */
export const Id = whole(z.number().int().positive())

/** Of a span from one number to before another: refused the wrong way round, where it would silently have nothing. */
export const ASCENDING: [test: (span: { from: number; to: number }) => boolean, refusal: { path: string[]; error: string }] = [
  ({ from, to }) => from <= to,
  { path: ['to'], error: 'must not be less than “from”' },
]

export interface RouteSpec {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** `{name}` marks a path parameter. */
  path: string
  summary: string
  params?: z.ZodObject
  query?: z.ZodObject
  body?: z.ZodObject
  /** The request's body is raw bytes of this media type. */
  accepts?: string
  /** JSON answer. */
  output?: z.ZodType
  /** Server-sent events: one JSON object in each event. */
  events?: z.ZodType
  /** Raw bytes of this media type, with range requests where `ranges`. */
  bytes?: string
  errors?: readonly ErrorCode[]
}
export const route = <const T extends RouteSpec>(spec: T): T => spec

/**
 * Fields of a request that the contract does not know. A schema drops such fields: a misspelt limit or scope would silently mean
 * everything.
 */
import { z } from 'zod'
import { editDistance } from '../words.ts'

/** A field that a schema does not know. */
export interface UnknownField {
  /** Where it is; the last entry is the field itself. */
  path: (string | number)[]
  /** The fields that the schema knows at that place. */
  known: string[]
}

/**
 * The first field of a value, at any depth, that its schema does not know; null where it knows all. Errors in known fields are left to the
 * schema.
 */
export function unknownField(schema: z.core.$ZodType, value: unknown): UnknownField | null {
  if (Array.isArray(value)) {
    const of = elementOf(schema)
    return of === null ? null : firstOf(value.entries(), ([at, item]) => within(at, unknownField(of(at), item)))
  }
  if (typeof value !== 'object' || value === null) return null
  const object = objectOf(schema, value)
  if (object === null) return null
  const { shape, rest } = object
  return firstOf(Object.entries(value), ([name, part]) => {
    const field = Object.hasOwn(shape, name) ? shape[name] : rest
    return field === null || field === undefined ? { path: [name], known: Object.keys(shape) } : within(name, unknownField(field, part))
  })
}

/** Longer than any field. To compare what is longer letter by letter would keep the host from everything else. */
const LONGEST = 100

/** The known name that was probably meant; null where none is similar. */
export function nearestField(name: string, known: readonly string[]): string | null {
  if (name.length > LONGEST) return null
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  const wanted = plain(name)
  const near = known
    .map((field) => ({
      field,
      off: editDistance(wanted, plain(field)),
      begins: plain(field).startsWith(wanted) || wanted.startsWith(plain(field)),
    }))
    .filter(({ field, off, begins }) => off <= Math.max(1, Math.floor(plain(field).length / 3)) || (begins && wanted.length > 2))
    .sort((a, b) => a.off - b.off)
  return near[0]?.field ?? null
}

/** A field's name for a sentence. */
export function nameOf(field: PropertyKey): string {
  const name = String(field)
  return name.length > LONGEST ? `${name.slice(0, LONGEST)}…` : name
}

/** What is said of a name that is not known: the nearest one, or which there are. */
export function nearestOf(name: string, known: readonly string[]): string {
  const near = nearestField(name, known)
  return near !== null ? `the nearest is “${near}”` : known.length > 0 ? `there are ${known.join(', ')}` : 'there are none'
}

function firstOf<T>(items: Iterable<T>, look: (item: T) => UnknownField | null): UnknownField | null {
  for (const item of items) {
    const found = look(item)
    if (found !== null) return found
  }
  return null
}

function within(name: string | number, found: UnknownField | null): UnknownField | null {
  return found && { ...found, path: [name, ...found.path] }
}

interface Fields {
  shape: Readonly<Record<string, z.core.$ZodType>>
  /** The schema of all other names; null where there are none. */
  rest: z.core.$ZodType | null
}

/** The schema inside wrappers that do not change which fields are accepted. */
function core(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodPipe) return core(schema.in)
  if (schema instanceof z.ZodLazy) return core(schema.unwrap())
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  )
    return core(schema.unwrap())
  return schema
}

function objectOf(wrapped: z.core.$ZodType, value: object): Fields | null {
  const schema = core(wrapped)
  if (schema instanceof z.ZodObject) return { shape: schema.shape, rest: schema.def.catchall ?? null }
  if (schema instanceof z.ZodRecord) return { shape: {}, rest: schema.valueType }
  if (!(schema instanceof z.ZodUnion)) return null
  const options = schema.options.map((option) => ({ option, fields: objectOf(option, value) }))
  const { discriminator } = schema.def as { discriminator?: string }
  const fitting = options.filter(({ option, fields }) =>
    discriminator === undefined
      ? z.safeParse(option, value).success
      : fields?.shape[discriminator] && z.safeParse(fields.shape[discriminator], Reflect.get(value, discriminator)).success,
  )
  return fitting[0]?.fields ?? null
}

/** The schema of each place of a list; null where the schema takes no list. */
function elementOf(wrapped: z.core.$ZodType): ((at: number) => z.core.$ZodType) | null {
  const schema = core(wrapped)
  if (schema instanceof z.ZodArray) return () => schema.element
  if (schema instanceof z.ZodTuple) {
    const items = schema.def.items
    return (at) => items[at] ?? schema.def.rest ?? z.unknown()
  }
  if (schema instanceof z.ZodUnion) return schema.options.map(elementOf).find((of) => of !== null) ?? null
  return null
}

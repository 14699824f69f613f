/** Implements the contract: one fetch-standard handler for every host. */
import { Hono } from 'hono'
import { z } from 'zod'
import { mayCall, Scope } from '../app/contract/access.ts'
import { type RouteSpec, WINDOW } from '../app/contract/route.ts'
import { nameOf, nearestOf, unknownField } from '../app/contract/strict.ts'
import { contract, type RouteArgs, type RouteName } from '../app/contract.ts'
import { type ErrorCode, type Problem, problemOf, spoken, spokenJson, TubeletError } from '../app/errors.ts'
import { exportHandlers } from './api/export.ts'
import { binHandlers } from './api/bin.ts'
import { findHandlers } from './api/find.ts'
import { importHandlers } from './api/imports.ts'
import { type Handler, type Handlers, notFound, type Services } from './api/handler.ts'
import { labelHandlers } from './api/labels.ts'
import { libraryHandlers } from './api/library.ts'
import { packHandlers } from './api/packs.ts'
import { overviewHandlers } from './api/overview.ts'
import { reviewHandlers } from './api/review.ts'
import { sharingHandlers } from './api/sharing.ts'
import { stateHandlers } from './api/state.ts'
import { systemHandlers } from './api/system.ts'
import { tableHandlers } from './api/table.ts'
import { watchedHandlers } from './api/watched.ts'
import { workersHandlers } from './api/workers.ts'
import { apiPage } from './api-page.ts'
import { windowFile } from './files.ts'
import { madeIn } from './made-in.ts'

const HTTP_STATUS: Partial<Record<ErrorCode, number>> = {
  'bad-request': 400,
  forbidden: 403,
  'not-found': 404,
  'file-missing': 404,
  'file-replaced': 409,
  conflict: 409,
  cancelled: 409,
  'clip-not-encoded': 409,
  'not-answerable': 422,
  'pack-cannot': 422,
  'checkpoint-unusable': 422,
  'pack-invalid': 422,
  'network-off': 403,
  'engine-unavailable': 503,
  'disk-full': 507,
}

/** Answers a request; `scope` is that of the token that came with it, and without one everything is allowed. */
export type Handle = (request: Request, scope?: Scope) => Promise<Response>

/** @param windowDir The folder of the built window. */
export function createBackend(services: Services, windowDir: string): Handle {
  // One file of handlers for each area; together they cover every route.
  const handlers: Handlers<RouteName> = {
    ...libraryHandlers(services),
    ...exportHandlers(services),
    ...importHandlers(services),
    ...findHandlers(services),
    ...stateHandlers(services),
    ...binHandlers(services),
    ...watchedHandlers(services),
    ...workersHandlers(services),
    ...systemHandlers(services),
    ...sharingHandlers(services),
    ...labelHandlers(services),
    ...overviewHandlers(services),
    ...tableHandlers(services),
    ...packHandlers(services),
    ...reviewHandlers(services),
  }
  const app = new Hono<{ Bindings: { scope?: Scope } }>()
  const register = <N extends RouteName>(name: N, handler: Handler<N>) => {
    const spec: RouteSpec = contract[name]
    app.on(spec.method.toUpperCase(), spec.path.replaceAll(/\{(\w+)\}/g, ':$1'), async (context) => {
      const request = context.req.raw
      const { scope } = context.env
      if (scope !== undefined && !mayCall(scope, name)) throw notAllowed(scope, name)
      const args = {
        params: checked('path', spec.params, context.req.param()),
        query: checked('query', spec.query, oncesIn(context.req.queries())),
        // A body of bytes is read by the handler.
        body:
          spec.accepts === undefined
            ? checked('body', spec.body, await jsonOf(request, mayCall('read', name) ? MOST_QUESTION : MOST_JSON))
            : undefined,
      } as RouteArgs<N>
      const work = () => despiteDamage(services, spec.method, () => handler(args, request))
      const answer = await madeIn(request.headers.get(WINDOW), work, scope !== undefined)
      if (answer instanceof Response) return answer
      const text = request.headers.has(WINDOW) ? JSON.stringify(answer) : spokenJson(answer)
      return new Response(text, { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } })
    })
  }
  for (const name of Object.keys(handlers) as RouteName[]) register(name, handlers[name] as Handler<RouteName>)
  const document = openApi()
  app.get('/api/openapi.json', () => Response.json(document))
  app.get('/api/docs', () => apiPage())
  app.all('/api/*', () => notFound())
  app.get('*', (context) => windowFile(context.req.raw, windowDir, context.req.path))
  app.onError((error) => {
    const problem = problemOf(error)
    // In English for other programs; the window translates the phrase itself.
    return Response.json({ problem: named(problem), phrase: problem }, { status: HTTP_STATUS[problem.code] ?? 500 })
  })
  return async (request, scope) => app.fetch(request, scope === undefined ? {} : { scope })
}

function notAllowed(scope: Scope, name: RouteName): TubeletError {
  const other = Scope.options.find((one) => mayCall(one, name))
  return new TubeletError({
    code: 'forbidden',
    message:
      scope === 'work'
        ? 'This token is for workers, and may do nothing else.'
        : other === 'work'
          ? 'Only the token of a worker may do this.'
          : other === 'edit'
            ? 'This token may read, and do nothing else.'
            : 'No token may do this: it reaches beyond the library.',
    next: other === undefined ? 'Use the window, or the command line.' : 'Make one with “tubelet token make NAME --scope {{scope}}”.',
    values: { scope: other ?? '' },
  })
}

/** Runs `work`; damaged rows that make it fail are set aside. What only reads then runs again, what writes is for the person to ask for again. */
async function despiteDamage<T>({ pipeline: { library } }: Services, method: string, work: () => Promise<T> | T): Promise<T> {
  if (method === 'get') return library.damage.despite(work)
  try {
    return await work()
  } catch (error) {
    const damaged = library.damage.setAside(error)
    throw damaged === null ? error : new TubeletError(damaged, { cause: error })
  }
}

/** A problem in English; the message begins with the field that it is about. */
function named(problem: Problem): Problem {
  const said = spoken(problem)
  return problem.field === undefined ? said : { ...said, message: `${problem.field}: ${said.message}` }
}

const NO_FIELDS = z.object({})

/**
 * @param schema Undefined where no fields are accepted: an empty object, or nothing, is still allowed.
 * @throws TubeletError `bad-request` that names the first field that is wrong or unknown.
 */
function checked(where: string, schema: z.ZodType | undefined, value: unknown): unknown {
  // Unknown fields are reported first: a misspelt name would otherwise be reported as missing.
  const unknown = unknownField(schema ?? NO_FIELDS, value)
  if (unknown !== null) throw wrongField([where, ...unknown.path], strangeness(unknown.path.at(-1), unknown.known))
  if (schema === undefined) return undefined
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw wrongField([where, ...(issue?.path ?? [])], issue === undefined ? 'is not as documented' : faultOf(issue))
}

function wrongField(path: readonly PropertyKey[], fault: string): TubeletError {
  return new TubeletError({
    code: 'bad-request',
    message: '{{field}}: {{fault}}.',
    values: { field: path.map(nameOf).join('.'), fault },
    next: 'See /api/openapi.json.',
  })
}

function strangeness(name: unknown, known: readonly string[]): string {
  return `is no field here; ${nearestOf(String(name), known)}`
}

/** @throws TubeletError `bad-request` if a value is given more than once, since only one of them would be read. */
function oncesIn(queries: Record<string, string[]>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(queries).map(([name, values]) => {
      if (values.length > 1) throw wrongField(['query', name], `is given ${values.length} times`)
      return [name, values[0] ?? '']
    }),
  )
}

/** Bytes of a JSON body: a hundred thousand edits of cells take a third of it. Files are sent to routes that take bytes, and are not kept in memory. */
const MOST_JSON = 64 * 2 ** 20
/** Of one that only asks: the ids of half a million clips. More would take seconds to be parsed, and a token that may read could send it. */
const MOST_QUESTION = 4 * 2 ** 20

/** The text of a body. @throws TubeletError `bad-request` if it is larger than `most` bytes; what comes of it later is not read. */
async function textOf(request: Request, most: number): Promise<string> {
  const tooLarge = () => wrongField(['body'], `is larger than ${most / 2 ** 20} MB, the most that is read here`)
  if (Number(request.headers.get('content-length') ?? 0) > most) throw tooLarge()
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of request.body ?? []) {
    bytes += piece.length
    if (bytes > most) throw tooLarge()
    pieces.push(piece)
  }
  return new TextDecoder().decode(Buffer.concat(pieces))
}

/** The body; undefined if it is empty. @throws TubeletError `bad-request` if it is not JSON, or too large. */
async function jsonOf(request: Request, most: number): Promise<unknown> {
  const text = await textOf(request, most)
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw wrongField(['body'], `is not JSON (${error instanceof Error ? error.message : String(error)})`)
  }
}

/** What is wrong with a field, from zod's issue. */
function faultOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) {
    const known = (issue as { options?: readonly unknown[] }).options
    return known === undefined ? `must say by “${issue.discriminator}” what it is` : `must be one of ${known.map(String).join(', ')}`
  }
  // One with a message of its own says more than its parts.
  if (issue.code === 'invalid_union' && issue.message === 'Invalid input')
    return [...new Set(issue.errors.flatMap((of) => of.slice(0, 1).map(({ message }) => message)))].join('; or: ')
  if (issue.code === 'invalid_type' && issue.input === undefined && issue.message.endsWith('received undefined'))
    return `is missing; ${issue.expected} expected`
  return issue.message
}

/** The OpenAPI 3.1 document of the contract; its schemas are JSON Schema 2020-12, as zod writes them. */
function openApi(): unknown {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [name, spec] of Object.entries<RouteSpec>(contract)) {
    const parameters = (
      [
        ['path', spec.params],
        ['query', spec.query],
      ] as const
    ).flatMap(([place, schema]) =>
      Object.entries((schema?.shape ?? {}) as Record<string, z.ZodType>).map(([key, field]) => ({
        name: key,
        in: place,
        required: place === 'path' || !field.safeParse(undefined).success,
        schema: jsonSchema(field, 'input'),
      })),
    )
    const content = spec.output
      ? { 'application/json': { schema: jsonSchema(spec.output, 'output') } }
      : spec.events
        ? { 'text/event-stream': { schema: jsonSchema(spec.events, 'output') } }
        : { [spec.bytes ?? 'application/octet-stream']: {} }
    ;(paths[spec.path] ??= {})[spec.method] = {
      operationId: name,
      summary: spec.summary,
      ...(parameters.length > 0 ? { parameters } : {}),
      ...(spec.body
        ? { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(spec.body, 'input') } } } }
        : {}),
      ...(spec.accepts ? { requestBody: { required: true, content: { [spec.accepts]: {} } } } : {}),
      responses: {
        200: { description: 'Done', content },
        default: { description: `A problem${spec.errors ? `: ${spec.errors.join(', ')}` : ''}` },
      },
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Tubelet', version: '1' },
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    security: [{ token: [] }],
  }
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): unknown {
  return z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema: told }) => {
      // Tuples also have their length, and some generators of clients take no schema that is a boolean.
      if (told.items === false && told.maxItems === told.prefixItems?.length) delete told.items
    },
  })
}

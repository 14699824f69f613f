/** The contract, answered: one fetch-standard handler for every host. */
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { zipSync } from 'fflate'
import { Hono } from 'hono'
import { z } from 'zod'
import { type AskEvent, type BackendEvent, contract, type RouteArgs, type RouteName, type RouteOutput, type SearchHit, type Status } from '../app/contract.ts'
import { type ErrorCode, problemOf, TubeletError } from '../app/errors.ts'
import { VIDEO_EXTENSIONS } from '../app/media.ts'
import { exportProject } from './export.ts'
import { fileResponse, windowFile } from './files.ts'
import { answerClip, type Pipeline } from './jobs/pipeline.ts'
import type { Jobs } from './jobs/queue.ts'
import { makeProxy } from './media/playback.ts'

export interface Services {
  pipeline: Pipeline
  jobs: Jobs
  status: () => Promise<Status>
  /** The built window. */
  windowDir: string
}

type Handler<N extends RouteName> = (args: RouteArgs<N>, request: Request) => Promise<Answer<N>> | Answer<N>
/** A JSON value where the route has one, else the whole response. */
type Answer<N extends RouteName> = RouteOutput<N> extends undefined ? Response : RouteOutput<N>

const HTTP_STATUS: Partial<Record<ErrorCode, number>> = { 'bad-request': 400, forbidden: 403, 'not-found': 404, 'file-missing': 404, conflict: 409, 'clip-not-encoded': 409, 'engine-unavailable': 503, 'disk-full': 507 }
const COALESCE_MS = 100
const HEARTBEAT_MS = 15_000

export function createBackend({ pipeline, jobs, status, windowDir }: Services): (request: Request) => Promise<Response> {
  const { library } = pipeline
  const exports = new Map<string, { directory: string; files: string[] }>()
  const proxies = new Map<number, Promise<string>>()

  const picture = async (request: Request, ...parts: (string | number)[]) => (await fileResponse(request, library.cachePath('sources', ...parts), 'image/jpeg')) ?? notFound('picture')

  const handlers: { [N in RouteName]: Handler<N> } = {
    status: () => status(),

    addSources: ({ body }) => jobs.addPaths(body.paths),
    listSources: () => ({ sources: library.sources() }),
    removeSource: async ({ params }) => {
      await jobs.removeSource(params.sourceId)
      return {}
    },
    retrySource: ({ params }) => jobs.retry(params.sourceId),
    thumbnail: ({ params }, request) => picture(request, params.sourceId, 'thumbnail.jpg'),
    filmstrip: ({ params }, request) => picture(request, params.sourceId, `strip-${params.cell}.jpg`),
    media: async ({ params }, request) => {
      const source = library.source(params.sourceId)
      const file = source.playback === 'proxy' ? await preview(source.id) : source.path
      const response = await fileResponse(request, file)
      if (response) return response
      throw new TubeletError({ code: 'file-missing', message: 'The video is not where it was.', file: source.path, stillWorks: 'Captions, answers, search and labels work without it.', next: 'Put it back, or add it again from its new place.' })
    },
    frames: ({ params }) => {
      const { probe } = library.source(params.sourceId)
      if (probe === null) throw new TubeletError({ code: 'not-found', message: 'This video was not read yet.' })
      return { timeBase: probe.timeBase, startPts: probe.startPts, pts: [...library.frames(params.sourceId)] }
    },

    listClips: ({ query: { sourceId, limit, offset } }) => library.clips({ ...(sourceId === undefined ? {} : { sourceId }), limit, offset }),
    getClip: ({ params: { clipId } }) => ({ clip: library.clip(clipId), frames: library.clipFrames(clipId), annotations: library.annotations(clipId) }),
    clipThumbnail: ({ params: { clipId } }, request) => picture(request, library.clip(clipId).sourceId, `clip-${clipId}.jpg`),
    askClip: ({ params: { clipId }, body: { question } }) => {
      library.clip(clipId)
      return eventStream((send, signal) =>
        answerClip(pipeline, clipId, question, signal, (text) => send({ type: 'token', text })).then(
          (annotation) => send({ type: 'done', annotation }),
          (error: unknown) => send({ type: 'error', problem: problemOf(error) }),
        ),
      )
    },
    askMany: ({ body: { question, clipIds } }) => jobs.askMany(question, clipIds),
    search: async ({ query: { q, limit } }) => {
      const engine = await pipeline.engine()
      const { digest, manifest } = engine.info
      const [embedding] = await engine.embedText([q], 'search')
      if (embedding === undefined) throw new Error('the engine gave no embedding')
      const { found, searched } = await library.search(embedding, digest, limit)
      const { scale, bias, threshold } = manifest.calibration.search
      const ranked = found.map(({ clipId, cosine }): SearchHit => ({ clip: library.clip(clipId), cosine, probability: 1 / (1 + Math.exp(-(scale * cosine + bias))) }))
      const hits = ranked.filter(({ probability }) => probability >= threshold)
      return { query: q, hits, nearest: hits.length === 0 ? ranked.slice(0, 3) : [], threshold, searched, total: library.clips({ limit: 0, offset: 0 }).total }
    },
    getLabels: () => ({ labels: library.labels() }),
    setLabels: ({ body }) => {
      jobs.setLabels(body.labels)
      return { labels: library.labels() }
    },

    addAnnotation: ({ params, body }) => library.addAnnotation(params.clipId, body.body),
    reviewAnnotation: ({ params, body }) => library.review(params.annotationId, body.action, body.body),
    history: () => library.history(),
    undo: () => library.undo(),
    redo: () => library.redo(),

    queue: () => jobs.queue(),
    cancelJob: ({ params }) => {
      jobs.cancel(params.jobId)
      return {}
    },
    cancelAll: () => {
      jobs.cancelAll()
      return {}
    },
    events: () =>
      eventStream((send, signal) => {
        const { promise, resolve } = Promise.withResolvers<undefined>()
        const stop = library.onChange(coalesced(send))
        signal.addEventListener('abort', () => {
          stop()
          resolve(undefined)
        })
        return promise
      }),

    export: async ({ body: { formats, directory, sourceIds } }) => {
      const exportId = `${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}-${randomUUID().slice(0, 8)}`
      const target = directory ?? path.join(library.projectDir, 'exports', exportId)
      if (!path.isAbsolute(target)) throw new TubeletError({ code: 'bad-request', message: 'The folder must be a full path.', file: target, next: 'Choose the folder again.' })
      const result = await exportProject(library, { formats, directory: target, ...(sourceIds ? { sourceIds } : {}) })
      exports.set(exportId, { directory: result.directory, files: result.files.map((file) => file.path) })
      return { exportId, ...result }
    },
    exportZip: async ({ params }) => {
      const written = exports.get(params.exportId)
      if (written === undefined) return notFound('export')
      const entries = await Promise.all(written.files.map(async (file) => [path.relative(written.directory, file).split(path.sep).join('/'), new Uint8Array(await readFile(file))] as const))
      return new Response(zipSync(Object.fromEntries(entries)), { headers: { 'content-type': 'application/zip', 'content-disposition': `attachment; filename="tubelet-${params.exportId}.zip"` } })
    },
    browse: ({ query }) => browse(query.path ?? os.homedir()),
  }

  /** A copy that the browser can play, made once and by one ffmpeg however many ask for it. */
  function preview(sourceId: number): Promise<string> {
    const source = library.source(sourceId)
    const file = library.cachePath('previews', `${source.fingerprint}.mp4`)
    const making = proxies.get(sourceId)
    if (making) return making
    const made = (async () => {
      if (await stat(file).catch(() => null)) return file
      if (source.probe === null) throw new TubeletError({ code: 'not-found', message: 'This video was not read yet.' })
      await mkdir(path.dirname(file), { recursive: true })
      await makeProxy(await pipeline.media(), source.path, source.probe, file, {})
      return file
    })().finally(() => proxies.delete(sourceId))
    proxies.set(sourceId, made)
    return made
  }

  const app = new Hono()
  const register = <N extends RouteName>(name: N, handler: Handler<N>) => {
    const spec: { method: string; path: string; params?: z.ZodType; query?: z.ZodType; body?: z.ZodType } = contract[name]
    app.on(spec.method.toUpperCase(), spec.path.replaceAll(/\{(\w+)\}/g, ':$1'), async (context) => {
      const request = context.req.raw
      const args = {
        params: checked('path', spec.params, context.req.param()),
        query: checked('query', spec.query, context.req.query()),
        body: spec.body ? checked('body', spec.body, await request.json().catch(() => undefined)) : undefined,
      } as RouteArgs<N>
      const answer = await handler(args, request)
      return answer instanceof Response ? answer : Response.json(answer, { headers: { 'cache-control': 'no-store' } })
    })
  }
  for (const name of Object.keys(handlers) as RouteName[]) register(name, handlers[name] as Handler<RouteName>)
  const document = openApi()
  app.get('/api/openapi.json', () => Response.json(document))
  app.all('/api/*', () => notFound('call'))
  app.get('*', (context) => windowFile(context.req.raw, windowDir, context.req.path))
  app.onError((error) => {
    const problem = problemOf(error)
    return Response.json({ problem }, { status: HTTP_STATUS[problem.code] ?? 500 })
  })
  return async (request) => app.fetch(request)
}

function notFound(what: string): Response {
  return Response.json({ problem: { code: 'not-found', message: `There is no such ${what}.` } }, { status: 404 })
}

/** @throws TubeletError `bad-request` that names the first field that is wrong. */
function checked(where: string, schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return undefined
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new TubeletError({ code: 'bad-request', message: `${[where, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'is not as documented'}.`, next: 'See /api/openapi.json.' })
}

/** Server-sent events until `run` resolves; `signal` aborts when the client leaves. */
function eventStream(run: (send: (event: AskEvent | BackendEvent) => void, signal: AbortSignal) => Promise<unknown>): Response {
  const gone = new AbortController()
  const text = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const write = (chunk: string) => {
        if (!gone.signal.aborted) controller.enqueue(text.encode(chunk))
      }
      // A comment now and then tells both ends that the other is there.
      const heartbeat = setInterval(() => write(':\n\n'), HEARTBEAT_MS)
      write(':\n\n')
      void run((event) => write(`data: ${JSON.stringify(event)}\n\n`), gone.signal).finally(() => {
        clearInterval(heartbeat)
        if (!gone.signal.aborted) controller.close()
      })
    },
    cancel: () => gone.abort(),
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' } })
}

/** Many small changes as few events: what came within a tenth of a second is merged by kind. */
function coalesced(send: (event: BackendEvent) => void): (event: BackendEvent) => void {
  const pending = new Map<string, BackendEvent>()
  let timer: NodeJS.Timeout | undefined
  return (event) => {
    const key = event.type === 'clips' ? `clips ${event.sourceId}` : event.type
    pending.set(key, merged(pending.get(key), event))
    timer ??= setTimeout(() => {
      timer = undefined
      const events = [...pending.values()]
      pending.clear()
      events.forEach(send)
    }, COALESCE_MS)
  }
}

function merged(earlier: BackendEvent | undefined, later: BackendEvent): BackendEvent {
  const union = (a: readonly number[], b: readonly number[]) => [...new Set([...a, ...b])]
  if (earlier?.type === 'sources' && later.type === 'sources') return { ...later, ids: union(earlier.ids, later.ids) }
  if (earlier?.type === 'clips' && later.type === 'clips') return { ...later, clipIds: union(earlier.clipIds, later.clipIds) }
  if (earlier?.type === 'annotations' && later.type === 'annotations') return { ...later, clipIds: union(earlier.clipIds, later.clipIds) }
  return later
}

async function browse(folder: string): Promise<RouteOutput<'browse'>> {
  const here = path.resolve(folder)
  const listed = await readdir(here, { withFileTypes: true }).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const missing = code === 'ENOENT' || code === 'ENOTDIR'
    throw new TubeletError({ code: missing ? 'not-found' : 'file-unreadable', message: missing ? 'There is no such folder.' : 'This folder cannot be read.', file: here, next: 'Choose another folder.' }, { cause: error })
  })
  const visible = listed.filter(({ name }) => !name.startsWith('.'))
  const entries = await Promise.all(
    visible.map(async (entry) => {
      const target = path.join(here, entry.name)
      const info = await stat(target).catch(() => null)
      const kind = info?.isDirectory() ? ('folder' as const) : VIDEO_EXTENSIONS.has(path.extname(entry.name).slice(1).toLowerCase()) ? ('video' as const) : ('file' as const)
      return { name: entry.name, path: target, kind, bytes: info?.isFile() ? info.size : null }
    }),
  )
  const natural = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })
  entries.sort((a, b) => Number(b.kind === 'folder') - Number(a.kind === 'folder') || natural.compare(a.name, b.name))
  const parent = path.dirname(here)
  return { path: here, parent: parent === here ? null : parent, entries }
}

/** The OpenAPI 3.1 document of the contract; its schemas are JSON Schema 2020-12, as zod writes them. */
function openApi(): unknown {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [name, spec] of Object.entries(contract) as [RouteName, { method: string; path: string; summary: string; params?: z.ZodObject; query?: z.ZodObject; body?: z.ZodObject; output?: z.ZodType; events?: z.ZodType; bytes?: string; errors?: readonly ErrorCode[] }][]) {
    const parameters = ([['path', spec.params], ['query', spec.query]] as const).flatMap(([place, schema]) =>
      Object.entries((schema?.shape ?? {}) as Record<string, z.ZodType>).map(([key, field]) => ({ name: key, in: place, required: place === 'path' || !field.safeParse(undefined).success, schema: jsonSchema(field, 'input') })),
    )
    const content = spec.output ? { 'application/json': { schema: jsonSchema(spec.output, 'output') } } : spec.events ? { 'text/event-stream': { schema: jsonSchema(spec.events, 'output') } } : { [spec.bytes ?? 'application/octet-stream']: {} }
    ;(paths[spec.path] ??= {})[spec.method] = {
      operationId: name,
      summary: spec.summary,
      ...(parameters.length > 0 ? { parameters } : {}),
      ...(spec.body ? { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(spec.body, 'input') } } } } : {}),
      responses: { 200: { description: 'Done', content }, default: { description: `A problem${spec.errors ? `: ${spec.errors.join(', ')}` : ''}` } },
    }
  }
  return { openapi: '3.1.0', info: { title: 'Tubelet', version: '1' }, paths }
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): unknown {
  return z.toJSONSchema(schema, { io, unrepresentable: 'any' })
}

/**
 * The contract: every call and event of the backend, declared once. The backend checks requests against it and builds
 * /api/openapi.json from it; the renderer's client is typed by it. Nothing else crosses between the two.
 */
import { z } from 'zod'
import { Annotation, AnnotationBody } from './annotation.ts'
import { Clip, ClipFact } from './contract/clip.ts'
import { exportRoutes } from './contract/export.ts'
import { binRoutes } from './contract/bin.ts'
import { findRoutes } from './contract/find.ts'
import { importRoutes } from './contract/imports.ts'
import { Bring, BroughtBeside } from './contract/intake.ts'
import { labelRoutes } from './contract/labels.ts'
import { packRoutes } from './contract/packs.ts'
import { overviewRoutes } from './contract/overview.ts'
import { reviewRoutes } from './contract/review.ts'
import { Job, Queue } from './contract/queue.ts'
import { FilePath, Id, route, whole } from './contract/route.ts'
import { sharingRoutes } from './contract/sharing.ts'
import { BasedOn, stateRoutes } from './contract/state.ts'
import { systemRoutes } from './contract/system.ts'
import { tableRoutes } from './contract/table.ts'
import { watchedRoutes } from './contract/watched.ts'
import { workersRoutes } from './contract/workers.ts'
import { Problem } from './errors.ts'
import { FrameRef, Probe } from './media.ts'
import { NumberedVideo } from './numbered.ts'
import { Task } from './pack/base.ts'
import { PackManifest } from './pack/pack.ts'
import { Phrase } from './phrase.ts'

/** queued → probing → analysing → done. `partial`: analysed, but a part of the file could not be read (see `problem`). */
export const SourceState = z.enum(['queued', 'probing', 'analysing', 'done', 'partial', 'failed', 'cancelled'])
export type SourceState = z.infer<typeof SourceState>

export const Source = z.object({
  id: z.number().int(),
  path: z.string(),
  name: z.string(),
  /** The name with as much of the folder as tells it from other videos of that name. */
  title: z.string(),
  bytes: z.number().int(),
  /** Hash of the file's content; if one of several pictures of a file was chosen, of its stream as well. */
  fingerprint: z.string(),
  addedAt: z.string(),
  state: SourceState,
  problem: Problem.nullable(),
  /** What was last found at its path: its content, a part of it that is still being written, nothing, or another video. */
  file: z.enum(['there', 'growing', 'missing', 'replaced']),
  /** The stream that a person chose in a file with several pictures. */
  picture: z.number().int().nullable(),
  /** For a folder of numbered pictures, which `path` names by their pattern: their frame rate, and which numbers exist. */
  numbered: NumberedVideo.nullable(),
  probe: Probe.nullable(),
  clipCount: z.number().int(),
  encodedCount: z.number().int(),
  /** Clips that are completely reviewed. */
  reviewedCount: z.number().int(),
  /** Clips that are reviewed, or in which there is or may come something to review. */
  reviewableCount: z.number().int(),
  /** Clips with something that a person made: decisions, boxes, notes. */
  touchedCount: z.number().int(),
  hasThumbnail: z.boolean(),
  filmstripCells: z.number().int(),
  /** How the browser plays it: from the file itself, or from a preview copy that the queue makes on request. none: the file was not probed yet. */
  playback: z.enum(['direct', 'proxy', 'none']),
})
export type Source = z.infer<typeof Source>

export { Clip }

const ClipDetail = z.object({
  clip: Clip,
  /** The frames that the encoder was given, ascending. */
  frames: z.array(FrameRef),
  /**
   * The clip's own annotations, and those of other clips of its video that reach into it: tracks, notes and captions of parts belong to the
   * video.
   */
  annotations: z.array(Annotation),
  /** What its caption and answers are made from, surest first. */
  facts: z.array(ClipFact),
})

export { Job, Queue }

export const Status = z.object({
  version: z.string(),
  host: z.enum(['electron', 'web', 'cli']),
  projectPath: z.string(),
  /** Whether anything may be fetched from the network: only packs, and only if a person allowed it. */
  network: z.boolean(),
  engine: z.object({
    state: z.enum(['starting', 'ready', 'restarting', 'failed']),
    /** The sentence of the status bar, such as "Ready on CPU, 2 threads; GPU not used: …". */
    sentence: Phrase,
    provider: z.string().nullable(),
    fallback: z.boolean(),
    problem: Problem.nullable(),
  }),
  ffmpeg: z.object({ path: z.string(), version: z.string() }).nullable(),
  ffmpegProblem: Problem.nullable(),
  /** The pack that does each task, once it has started; null where no pack does it. */
  packs: z.record(Task, z.object({ digest: z.string(), manifest: PackManifest }).nullable()),
  /** A bundled clip that is offered for a try while the library is empty. */
  sample: z.string().nullable(),
})
export type Status = z.infer<typeof Status>

export const AskEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('token'), text: z.string() }),
  z.object({ type: z.literal('done'), annotation: Annotation }),
  z.object({ type: z.literal('error'), problem: Problem }),
])
export type AskEvent = z.infer<typeof AskEvent>

/** What a pack says of a clip that is unlike anything it was taught. Shown as a guess and never stored. */
export const Guess = z.object({ text: z.string(), confidence: z.number(), pack: z.string() })
export type Guess = z.infer<typeof Guess>

/** Sent over /api/events. Events carry ids only, except progress: the receiver asks again for what it shows. */
export const BackendEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('sources'), ids: z.array(z.number().int()) }),
  /** Empty means any clip: a video was removed, or an analysis dropped clips. */
  z.object({ type: z.literal('clips'), sourceId: z.number().int(), clipIds: z.array(z.number().int()) }),
  z.object({ type: z.literal('annotations'), clipIds: z.array(z.number().int()) }),
  z.object({ type: z.literal('queue'), queue: Queue }),
  z.object({ type: z.literal('status') }),
  z.object({ type: z.literal('labels') }),
  /** The table's columns or its saved views have changed. */
  z.object({ type: z.literal('table') }),
  /** The search index has grown. */
  z.object({ type: z.literal('search') }),
  z.object({ type: z.literal('packs') }),
  z.object({ type: z.literal('history') }),
  /** A folder is watched or no longer, or cannot be. */
  z.object({ type: z.literal('watched') }),
  /** A worker came, left, or is elsewhere with its work. */
  z.object({ type: z.literal('workers') }),
  /** The bin has changed. */
  z.object({ type: z.literal('bin') }),
  /** A message to the user about something that happened in the background. */
  z.object({ type: z.literal('told'), phrase: Phrase }),
  /** Progress of an edit of thousands of annotations, or of its undo or redo. Small edits send none. */
  z.object({ type: z.literal('progress'), what: z.enum(['edit', 'undo', 'redo']), share: z.number() }),
  /** Progress of the export with this name. */
  z.object({ type: z.literal('export'), exportId: z.string(), share: z.number() }),
  /** Progress of the reading of the import with this name. */
  z.object({ type: z.literal('import'), importId: z.string(), share: z.number() }),
  /** Progress of a hand-over with this name, of opening a file that was handed over (`open`), or of reading one (`merge`). */
  z.object({ type: z.literal('sharing'), sharingId: z.string(), share: z.number() }),
  z.object({ type: z.literal('batch-done'), done: z.number().int(), failed: z.number().int() }),
])
export type BackendEvent = z.infer<typeof BackendEvent>

const onClip = z.object({ clipId: Id })
const onSource = z.object({ sourceId: Id })

export const contract = {
  ...reviewRoutes,
  ...watchedRoutes,
  ...workersRoutes,
  ...findRoutes,
  status: route({ method: 'get', path: '/api/status', summary: 'Engine, ffmpeg, pack and project', output: Status }),

  addSources: route({
    method: 'post',
    path: '/api/sources',
    summary:
      'Bring files and folders (recursively) by path: videos and numbered pictures are registered and analysed in the queue, packs and checkpoints become packs. Answers when all are registered, and names everything that was found',
    body: Bring,
    output: BroughtBeside.extend({ added: z.array(Source) }),
  }),
  listSources: route({
    method: 'get',
    path: '/api/sources',
    summary: 'All sources, newest last',
    output: z.object({ sources: z.array(Source) }),
  }),
  removeSource: route({
    method: 'delete',
    path: '/api/sources/{sourceId}',
    summary: 'Move a source with its clips to the bin: a step of undo; the file itself is untouched',
    params: onSource,
    output: z.object({}),
    errors: ['not-found'],
  }),
  retrySource: route({
    method: 'post',
    path: '/api/sources/{sourceId}/retry',
    summary: 'Analyse again; human decisions stay',
    params: onSource,
    output: Source,
    errors: ['not-found', 'file-missing', 'file-replaced'],
  }),
  lookForFile: route({
    method: 'get',
    path: '/api/sources/{sourceId}/file',
    summary: 'Look whether its content lies where it was, and find it beside that place',
    params: onSource,
    output: Source,
    errors: ['not-found'],
  }),
  acceptFile: route({
    method: 'post',
    path: '/api/sources/{sourceId}/file',
    summary:
      'Say that what lies at its path now is the same video, made anew: it is analysed again, human decisions stay. One of another length or shape is refused unless `anyway` is “yes”',
    params: onSource,
    query: z.object({ anyway: z.literal('yes').optional() }),
    output: Source,
    errors: ['not-found', 'file-missing', 'conflict'],
  }),
  choosePicture: route({
    method: 'post',
    path: '/api/sources/{sourceId}/picture',
    summary:
      'Another picture of a file that has several, such as front and rear: a video of its own, which is analysed. `stream` is the index of one of the video streams of its probe',
    params: onSource,
    body: z.object({ stream: z.number().int().min(0) }),
    output: Source,
    errors: ['not-found', 'bad-request', 'file-missing', 'file-replaced'],
  }),
  thumbnail: route({
    method: 'get',
    path: '/api/sources/{sourceId}/thumbnail',
    summary: 'JPEG',
    params: onSource,
    bytes: 'image/jpeg',
    errors: ['not-found'],
  }),
  filmstrip: route({
    method: 'get',
    path: '/api/sources/{sourceId}/filmstrip/{cell}',
    summary:
      'JPEG: the picture on the screen in the middle of one of `filmstripCells` equal stretches of the source, 0-based; none (404) where nothing could be read',
    params: onSource.extend({ cell: whole(z.number().int().min(0)) }),
    bytes: 'image/jpeg',
    errors: ['not-found'],
  }),
  media: route({
    method: 'get',
    path: '/api/sources/{sourceId}/media',
    summary: 'The video with byte ranges; a preview copy where the browser cannot play the file',
    params: onSource,
    bytes: 'video/*',
    errors: ['not-found', 'file-missing', 'file-replaced', 'ffmpeg-failed'],
  }),
  frames: route({
    method: 'get',
    path: '/api/sources/{sourceId}/frames',
    summary: 'PTS of every decoded frame, by ordinal',
    params: onSource,
    output: z.object({ timeBase: Probe.shape.timeBase, startPts: z.number().int(), pts: z.array(z.number().int()) }),
    errors: ['not-found'],
  }),

  listClips: route({
    method: 'get',
    path: '/api/clips',
    summary: 'Clips in source and time order',
    query: z.object({
      sourceId: Id.optional(),
      limit: whole(z.number().int().min(1).max(1_000_000)).default(5_000),
      offset: whole(z.number().int().min(0)).default(0),
    }),
    output: z.object({ clips: z.array(Clip), total: z.number().int() }),
  }),
  getClip: route({
    method: 'get',
    path: '/api/clips/{clipId}',
    summary: 'One clip with its annotations and its facts',
    params: onClip,
    output: ClipDetail,
    errors: ['not-found'],
  }),
  clipThumbnail: route({
    method: 'get',
    path: '/api/clips/{clipId}/thumbnail',
    summary: 'JPEG',
    params: onClip,
    bytes: 'image/jpeg',
    errors: ['not-found'],
  }),
  askClip: route({
    method: 'post',
    path: '/api/clips/{clipId}/ask',
    summary:
      'Ask one question about one clip: answered by facts, or by a pack that knows such footage; streams tokens, then the stored answer',
    params: onClip,
    body: z.object({ question: z.string().trim().min(1).max(300) }),
    events: AskEvent,
    errors: ['not-found', 'clip-not-encoded', 'not-answerable', 'engine-unavailable'],
  }),
  guessClip: route({
    method: 'post',
    path: '/api/clips/{clipId}/guess',
    summary: 'What the pack makes of a clip that it knows nothing of: its caption, or with a question its answer. Nothing is stored',
    params: onClip,
    body: z.object({ question: z.string().trim().min(1).max(300).nullable() }),
    output: Guess,
    errors: ['not-found', 'clip-not-encoded', 'engine-unavailable', 'pack-cannot'],
  }),
  ...tableRoutes,
  ...labelRoutes,
  ...overviewRoutes,

  addAnnotation: route({
    method: 'post',
    path: '/api/clips/{clipId}/annotations',
    summary: 'A person adds an annotation',
    params: onClip,
    body: z.object({ body: AnnotationBody }),
    output: Annotation,
    errors: ['not-found', 'bad-request', 'conflict'],
  }),
  reviewAnnotation: route({
    method: 'patch',
    path: '/api/annotations/{annotationId}',
    summary:
      'Accept, reject, edit, or go back to what the model said. With `basedOn` it is refused where a person has changed the annotation since',
    params: z.object({ annotationId: Id }),
    body: z.object({ action: z.enum(['accept', 'reject', 'edit', 'reset']), body: AnnotationBody.optional(), basedOn: BasedOn }),
    output: Annotation,
    errors: ['not-found', 'bad-request', 'conflict'],
  }),
  ...stateRoutes,
  ...binRoutes,
  ...systemRoutes,
  ...sharingRoutes,

  queue: route({ method: 'get', path: '/api/queue', summary: 'Jobs and ETA', output: Queue }),
  events: route({ method: 'get', path: '/api/events', summary: 'What changed, as it changes', events: BackendEvent }),

  ...exportRoutes,
  ...importRoutes,
  browse: route({
    method: 'get',
    path: '/api/browse',
    summary: 'Folders and files on this machine, for picking a path in a browser',
    query: z.object({ path: FilePath.optional() }),
    output: z.object({
      path: z.string(),
      parent: z.string().nullable(),
      /** Where looking around can begin: the home, drives, and folders that were allowed at the start. */
      starts: z.array(z.string()),
      entries: z.array(
        z.object({ name: z.string(), path: z.string(), kind: z.enum(['folder', 'video', 'file']), bytes: z.number().int().nullable() }),
      ),
    }),
    errors: ['not-found', 'file-unreadable', 'forbidden'],
  }),
  lookBelow: route({
    method: 'get',
    path: '/api/browse/videos',
    summary:
      'What adding a path would bring: how many videos, series of numbered pictures and packs lie there and below it; `more` where looking on would take too long. `~` is the home folder',
    query: z.object({ path: FilePath }),
    output: z.object({
      /** The path as it is understood. */
      path: z.string(),
      isFile: z.boolean(),
      videos: z.number().int(),
      numbered: z.number().int(),
      packs: z.number().int(),
      /** First and last number of each gap in the first of the numbered series that has gaps. */
      gaps: z.array(z.tuple([z.number().int(), z.number().int()])),
      /** How many files and folders cannot be read, and why the first of them: the path itself where nothing can be taken. */
      unreadable: z.number().int(),
      trouble: Problem.nullable(),
      more: z.boolean(),
    }),
    errors: ['forbidden'],
  }),

  ...packRoutes,
} as const

type Contract = typeof contract
export type RouteName = keyof Contract
/** A type of the schema `K` of route `R`, or undefined where the route has none. */
type Part<R, K extends string, Side extends 'input' | 'output'> =
  R extends Record<K, infer S extends z.ZodType> ? (Side extends 'input' ? z.input<S> : z.output<S>) : undefined
export type RouteArgs<N extends RouteName> = {
  params: Part<Contract[N], 'params', 'output'>
  query: Part<Contract[N], 'query', 'output'>
  body: Part<Contract[N], 'body', 'output'>
}
/** What a client passes: only the parts that the route declares. */
export type CallArgs<N extends RouteName> = {
  [K in 'params' | 'query' | 'body' as Part<Contract[N], K, 'input'> extends undefined ? never : K]: Part<Contract[N], K, 'input'>
}
export type RouteOutput<N extends RouteName> = Part<Contract[N], 'output', 'output'>
export type RouteEvent<N extends RouteName> = Part<Contract[N], 'events', 'output'>

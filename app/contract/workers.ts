/** Other machines that analyse videos for this library: what they ask of it, and what a person sees and decides about them. */
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { Phrase } from '../phrase.ts'
import { Task } from '../pack/base.ts'
import { Vocabulary } from '../vocabulary.ts'
import { route } from './route.ts'
import { ColumnKind } from './table.ts'

/** How a worker is called: by default as its machine. */
const WorkerName = z
  .string()
  .max(100)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N}._ -]*$/u, 'a name of letters, digits, dots and hyphens')
const Digest = z.string().regex(/^[0-9a-f]{64}$/)

const WORKER_STATES = ['working', 'draining', 'banned'] as const

const Progress = z.object({
  claim: z.uuid(),
  stage: Phrase,
  /** 0..1 */
  progress: z.number().min(0).max(1),
  /** Clips that are done. */
  clips: z.number().int().min(0),
})

/** The analysis of one video, handed to one worker. */
export const Work = z.object({
  claim: z.uuid(),
  video: z.object({
    /** Where it lies on the host; workers look for its last parts under the folders that they were given. */
    path: z.string(),
    name: z.string(),
    bytes: z.number().int(),
    /** Of the whole file, see main/media/fingerprint.ts. */
    fingerprint: z.string(),
    /** The video stream to analyse; null for the one that players show. */
    picture: z.number().int().nullable(),
  }),
  packs: z.partialRecord(Task, z.object({ id: z.string(), digest: Digest, names: z.array(z.string()).optional() }).nullable()),
  vocabulary: Vocabulary,
  language: z.enum(['en', 'de']),
  /** Questions that every new clip is asked. */
  columns: z.array(z.object({ kind: ColumnKind, text: z.string() })),
})
export type Work = z.infer<typeof Work>

export const Worker = z.object({
  name: z.string(),
  /** draining: it ends what it does, takes nothing more, and leaves. banned: nothing is given to it or taken from it. */
  state: z.enum(WORKER_STATES),
  /** Whether it was heard of lately. */
  present: z.boolean(),
  doing: z.array(z.object({ jobId: z.number().int(), title: z.string(), stage: Phrase, progress: z.number() })),
  /** Since the library was opened: videos that it analysed, their length in seconds, and the time that it took. */
  videos: z.number().int(),
  seconds: z.number(),
  busy: z.number(),
  /** Videos that it took and did not bring back: it was lost, or said that it cannot. */
  lost: z.number().int(),
})
export type Worker = z.infer<typeof Worker>

export const Workers = z.object({
  /** The queue over which work is handed out; null where this library's analyses are done on this machine. */
  queue: z.object({ address: z.string(), problem: Problem.nullable() }).nullable(),
  workers: z.array(Worker),
})
export type Workers = z.infer<typeof Workers>

const onClaim = z.object({ claim: z.uuid() })
const onPack = z.object({ digest: Digest })
const Who = z.object({ worker: WorkerName, version: z.string().max(100) })

/** What workers call. */
export const workRoutes = {
  workPlace: route({
    method: 'get',
    path: '/api/work',
    summary: 'For a worker: the version of this Tubelet, and the name of the queue in which its tickets lie',
    output: z.object({ version: z.string(), queue: z.string() }),
    errors: ['conflict'],
  }),
  takeWork: route({
    method: 'post',
    path: '/api/work',
    summary: 'For a worker that drew a ticket: the next video to analyse, or null',
    body: Who.extend({ ticket: z.string().max(100) }),
    output: z.object({ work: Work.nullable() }),
    errors: ['conflict', 'forbidden'],
  }),
  tellWork: route({
    method: 'post',
    path: '/api/work/progress',
    summary: 'From a worker, every other second: that it is there, and how far it is. Answers what it should do from now on',
    body: Who.extend({ doing: z.array(Progress).max(100) }),
    output: z.object({
      state: z.enum(['working', 'draining']),
      /** As `workPlace` says: another one once another library is open there. */
      queue: z.string(),
      /** Rest after the current step. */
      paused: z.boolean(),
      /** What is no longer wanted. */
      stop: z.array(z.uuid()),
    }),
    errors: ['conflict', 'forbidden'],
  }),
  deliverWork: route({
    method: 'put',
    path: '/api/work/{claim}',
    summary:
      'From a worker: what it found, as main/workers/parcel.ts packs it. Stored once it answers; refused where the work is no longer its own',
    params: onClaim,
    accepts: 'application/octet-stream',
    output: z.object({}),
    errors: ['conflict', 'file-unreadable'],
  }),
  returnWork: route({
    method: 'post',
    path: '/api/work/{claim}/return',
    summary: 'From a worker: why the video cannot be analysed; or null, that it does not go on and another one should',
    params: onClaim,
    body: z.object({ problem: Problem.nullable() }),
    output: z.object({}),
    errors: ['conflict'],
  }),
  workMedia: route({
    method: 'get',
    path: '/api/work/{claim}/media',
    summary: 'For a worker: the video of its work, with byte ranges',
    params: onClaim,
    bytes: 'application/octet-stream',
    errors: ['conflict', 'file-missing', 'file-replaced'],
  }),
  workPack: route({
    method: 'get',
    path: '/api/work/packs/{digest}',
    summary: 'For a worker: the files of a pack in use',
    params: onPack,
    output: z.object({ files: z.array(z.object({ name: z.string(), bytes: z.number().int() })) }),
    errors: ['not-found'],
  }),
  workPackFile: route({
    method: 'get',
    path: '/api/work/packs/{digest}/{file}',
    summary: 'For a worker: a file of a pack in use',
    params: onPack.extend({ file: z.string().max(200) }),
    bytes: 'application/octet-stream',
    errors: ['not-found'],
  }),
} as const

export const workersRoutes = {
  listWorkers: route({
    method: 'get',
    path: '/api/workers',
    summary: 'The machines that analyse videos for this library',
    output: Workers,
  }),
  setWorker: route({
    method: 'put',
    path: '/api/workers/{worker}',
    summary: 'Let a worker work, let it leave once it has done what it does, or ban it; what a banned one does is given to others',
    params: z.object({ worker: WorkerName }),
    body: z.object({ state: z.enum(WORKER_STATES) }),
    output: Workers,
    errors: ['not-found', 'conflict'],
  }),
  ...workRoutes,
} as const

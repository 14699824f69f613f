/** What Tubelet runs on, and the libraries of this person. */
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { FilePath, route } from './route.ts'

/** Outcome of trying an execution provider. absent: this machine has no such device. slow: another is faster. broken: it failed the self-test. */
export const ProviderTrial = z.object({ provider: z.string(), outcome: z.enum(['used', 'absent', 'slow', 'broken']), details: z.string() })
export type ProviderTrial = z.infer<typeof ProviderTrial>

const bytes = z.number().int().nonnegative()

/** Facts for troubleshooting. None of them reveals what is in the videos. */
export const Diagnostics = z.object({
  versions: z.object({ tubelet: z.string(), node: z.string(), electron: z.string().nullable(), sqlite: z.string(), system: z.string() }),
  processor: z.object({ name: z.string(), threads: z.number().int() }),
  /** Null where none was found; Status says why. `decoders`: the codecs that people bring most, and whether this build reads them. */
  ffmpeg: z
    .object({
      path: z.string(),
      ffprobe: z.string().nullable(),
      version: z.string(),
      licence: z.string(),
      toneMapping: z.boolean(),
      /** What its children are held to: bytes of memory, null if the system offers no limit; without a network; without other files. */
      fence: z.object({ memory: bytes.nullable(), noNetwork: z.boolean(), noFiles: z.boolean() }),
      decoders: z.array(z.object({ codec: z.string(), works: z.boolean() })),
    })
    .nullable(),
  /** The running engines. */
  engines: z.array(z.object({ pack: z.string(), provider: z.string(), threads: z.number().int(), tried: z.array(ProviderTrial) })),
  memory: z.object({ total: bytes, free: bytes, host: bytes }),
  /** The library folder: what it holds, and the free space beside it. */
  disk: z.object({ path: z.string(), library: bytes, cache: bytes, free: bytes }),
})
export type Diagnostics = z.infer<typeof Diagnostics>

/** A copy of the library. automatic: made by itself. set-aside: a library that a restored copy took the place of. */
const Backup = z.object({ name: z.string(), madeAt: z.string(), bytes, kind: z.enum(['automatic', 'set-aside']) })

const Project = z.object({ path: z.string(), name: z.string(), openedAt: z.string(), there: z.boolean() })
export type Project = z.infer<typeof Project>

export const systemRoutes = {
  diagnostics: route({ method: 'get', path: '/api/diagnostics', summary: 'What Tubelet runs on', output: Diagnostics }),
  selfTest: route({
    method: 'post',
    path: '/api/self-test',
    summary:
      'Give the pack’s known clips and texts to the running engine; `wrong` says what came out otherwise than it should, null when all is right',
    output: z.object({ wrong: z.string().nullable(), seconds: z.number() }),
    errors: ['engine-unavailable'],
  }),
  setLanguage: route({
    method: 'put',
    path: '/api/language',
    summary: 'The language in which captions are made from facts in this library; those that nobody decided about are made anew',
    body: z.object({ language: z.enum(['en', 'de']) }),
    output: z.object({}),
  }),
  projects: route({
    method: 'get',
    path: '/api/projects',
    summary: 'The library that is open and those that were, newest first',
    output: z.object({ current: z.string(), recent: z.array(Project) }),
  }),
  openProject: route({
    method: 'post',
    path: '/api/projects/open',
    summary: 'Open another library, or begin one in an empty or new folder. What the one before was at goes on when it is opened again',
    body: z.object({ path: FilePath }),
    output: z.object({}),
    errors: ['bad-request', 'conflict', 'forbidden'],
  }),
  listBackups: route({
    method: 'get',
    path: '/api/backups',
    summary: 'Copies of a library (of the open one if no path is given), newest first; `problem` says why the last could not be made',
    query: z.object({ path: FilePath.optional() }),
    output: z.object({ path: z.string(), backups: z.array(Backup), problem: Problem.nullable() }),
    errors: ['bad-request', 'forbidden'],
  }),
  makeBackup: route({
    method: 'post',
    path: '/api/backups',
    summary: 'Make a copy of the open library now',
    output: z.object({}),
    errors: ['disk-full', 'file-unreadable'],
  }),
  restoreBackup: route({
    method: 'post',
    path: '/api/backups/restore',
    summary: 'Put a copy in the place of a library and open that; the library that was there is set aside and can be restored the same way',
    body: z.object({ path: FilePath, name: z.string().min(1) }),
    output: z.object({}),
    errors: ['not-found', 'conflict', 'file-unreadable', 'disk-full'],
  }),
} as const

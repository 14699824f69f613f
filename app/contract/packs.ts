/** Packs: what is on this machine, what can be downloaded, what a switch would cost, and the work in progress. */
import { z } from 'zod'
import { BESIDE, CatalogueEntry, MOST_BESIDE_BYTES } from '../catalogue.ts'
import { Problem } from '../errors.ts'
import { Task } from '../pack/base.ts'
import { PackManifest } from '../pack/pack.ts'
import { FilePath, Id, route, whole } from './route.ts'

const Bytes = z.number().int().min(0)

export const InstalledPack = z.object({
  /** Its folder's name, unique on this machine. */
  id: z.string(),
  folder: z.string(),
  /** Comes with the app. */
  bundled: z.boolean(),
  /** The tasks that it has in this library. */
  does: z.array(Task),
  /** On disk. */
  bytes: Bytes,
  /** Null where the folder holds no usable pack; `problem` says why. */
  manifest: PackManifest.nullable(),
  digest: z.string().nullable(),
  problem: Problem.nullable(),
  /** Memory of the engine with this pack: measured at the import on this machine, else estimated from its size. */
  memory: z.object({ bytes: Bytes, measured: z.boolean() }),
  /** Time to encode and caption one clip, measured at the import on this machine. */
  secondsPerClip: z.number().nullable(),
  /** What it has encoded in this library. */
  encoded: z.object({ clips: z.number().int(), bytes: Bytes }),
})
export type InstalledPack = z.infer<typeof InstalledPack>

/** What must be encoded before everything can be searched and asked with a pack. */
const Missing = z.object({
  clips: z.number().int(),
  /** Total length of the video in those clips. */
  videoSeconds: z.number(),
  /**
   * Estimated seconds; null where this machine has not measured the pack. here: from files analysed on this machine. clip: from the one
   * clip of the import's self-test.
   */
  estimate: z.object({ seconds: z.number(), from: z.enum(['here', 'clip']) }).nullable(),
  /** Size of the encodings in the library file. */
  bytes: Bytes,
})

const Cost = z.object({
  /** Memory of all engines together. */
  memory: Bytes,
  /** Time to analyse a minute of video, as measured on this machine with exactly these packs; null where it was not measured. */
  secondsPerMinute: z.number().nullable(),
})
const SwitchPlan = z.object({
  packId: z.string(),
  /** The tasks that it would have. */
  tasks: z.array(Task),
  /** Clips that are already encoded with it and can be used at once. */
  ready: z.number().int(),
  missing: Missing,
  /** All packs in use together, now and after the switch. */
  cost: z.object({ now: Cost, then: Cost }),
})
export type SwitchPlan = z.infer<typeof SwitchPlan>

export const PackWork = z.object({
  id: z.number().int(),
  kind: z.enum(['download', 'import', 'switch']),
  /** The name of a file or of a pack. */
  title: z.string(),
  /** The address, for a download. */
  url: z.string().nullable(),
  state: z.enum(['running', 'failed']),
  stage: z.enum(['downloading', 'checking', 'converting', 'copying', 'testing', 'switching']),
  bytes: Bytes.nullable(),
  totalBytes: Bytes.nullable(),
  problem: Problem.nullable(),
})
export type PackWork = z.infer<typeof PackWork>

export const Precision = z.enum(['fp32', 'fp16', 'int8'])
export type Precision = z.infer<typeof Precision>

const Overview = z.object({
  packs: z.array(InstalledPack),
  catalogue: z.array(CatalogueEntry),
  /** Running, or failed and not yet dismissed. */
  works: z.array(PackWork),
  /** Downloads that were stopped. Starting a download from the same address resumes it. */
  stopped: z.array(z.object({ url: z.string(), name: z.string(), bytes: Bytes, totalBytes: Bytes.nullable() })),
  machine: z.object({ memoryTotal: Bytes, memoryFree: Bytes, diskFree: Bytes, folder: z.string() }),
  networkAllowed: z.boolean(),
  /** One row for each task: the pack that does it, and all that could. */
  tasks: z.array(z.object({ task: Task, packId: z.string().nullable(), able: z.array(z.string()) })),
  /** All packs in use together. */
  cost: Cost,
  /** What the packs in use have not encoded. */
  missing: Missing,
  /** Encodings in this library that belong to packs not on this machine. */
  orphans: z.object({ clips: z.number().int(), bytes: Bytes }),
  /** The pack that this library used, if it is no longer on this machine. */
  lost: z.string().nullable(),
})
export type PackOverview = z.infer<typeof Overview>

/** `config.json:12,tokenizer.json:345`: what comes before a checkpoint, and how many bytes of each. */
const besideOf = (list: string) =>
  list.split(',').map((one) => ({ name: one.replace(/:[^:]*$/, ''), bytes: Number(/:(\d+)$/.exec(one)?.[1]) }))
const Beside = z
  .array(
    z.object({
      name: z.string().refine((name) => BESIDE.includes(name), 'the name of a file that is read beside a checkpoint'),
      bytes: z.number().int().min(0).max(MOST_BESIDE_BYTES),
    }),
  )
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'each file once')

const onPack = z.object({ packId: z.string() })

export const packRoutes = {
  listPacks: route({
    method: 'get',
    path: '/api/packs',
    summary: 'Packs on this machine, what can be had, and the work under way',
    output: Overview,
  }),
  planSwitch: route({
    method: 'get',
    path: '/api/packs/{packId}/plan',
    summary: 'What must be encoded again with this pack, and how long that takes here',
    params: onPack,
    query: z.object({ task: Task.optional() }),
    output: SwitchPlan,
    errors: ['not-found', 'pack-invalid'],
  }),
  usePack: route({
    method: 'post',
    path: '/api/packs/{packId}/use',
    summary:
      'Give tasks to this pack, all that suit it where none is named: it starts and is tested, then clips that it has not seen are queued; where it fails, the packs from before go on',
    params: onPack,
    body: z.object({ tasks: z.array(Task).min(1).optional() }),
    output: PackWork,
    errors: ['not-found', 'conflict', 'pack-invalid'],
  }),
  leaveTask: route({
    method: 'delete',
    path: '/api/tasks/{task}/pack',
    summary: 'Have a task done by no pack in this library; what was found stays',
    params: z.object({ task: Task }),
    output: z.object({}),
    errors: ['conflict'],
  }),
  deletePack: route({
    method: 'delete',
    path: '/api/packs/{packId}',
    summary: 'Delete an imported pack and its encodings in this library; never one in use or the one that ships',
    params: onPack,
    output: z.object({}),
    errors: ['not-found', 'conflict', 'forbidden'],
  }),
  encodeMissing: route({
    method: 'post',
    path: '/api/encodings/missing',
    summary: 'Queue every source with clips that the pack in use has not encoded',
    output: z.object({ sources: z.number().int() }),
  }),
  forgetOrphans: route({
    method: 'delete',
    path: '/api/encodings/orphans',
    summary: 'Remove encodings of packs that are not on this machine',
    output: z.object({}),
  }),
  importPack: route({
    method: 'post',
    path: '/api/packs/import',
    summary: 'Make a pack of a .safetensors checkpoint, or take a pack folder; refused at once when it is none',
    body: z.object({ path: FilePath, precision: Precision.optional() }),
    output: PackWork,
    errors: ['forbidden', 'checkpoint-unusable', 'pack-invalid', 'conflict', 'disk-full', 'file-missing'],
  }),
  bringPack: route({
    method: 'put',
    path: '/api/packs/bring',
    summary:
      'Import a checkpoint whose bytes are sent, where nobody knows its path: first the files that lie beside it, if there are any, then the file. Answered when all of it is here, or it is refused',
    query: z.object({
      name: z.string().min(1).max(255),
      bytes: whole(z.number().int().min(0)),
      beside: z.string().max(1_000).transform(besideOf).pipe(Beside).optional(),
      precision: Precision.optional(),
    }),
    accepts: 'application/octet-stream',
    output: PackWork,
    errors: ['checkpoint-unusable', 'disk-full'],
  }),
  downloadPack: route({
    method: 'post',
    path: '/api/packs/download',
    summary: 'Fetch a checkpoint and import it; goes on with what is here of it already. Only where the network is allowed',
    body: z.object({
      url: z.string().min(1),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional(),
      precision: Precision.optional(),
    }),
    output: PackWork,
    errors: ['network-off', 'bad-request', 'conflict'],
  }),
  discardDownload: route({
    method: 'post',
    path: '/api/packs/download/discard',
    summary: 'Remove what has come of a stopped download',
    body: z.object({ url: z.string().min(1) }),
    output: z.object({}),
  }),
  cancelPackWork: route({
    method: 'delete',
    path: '/api/packs/work/{workId}',
    summary: 'Stop a download or an import, or put a failed one away; a download keeps what has come',
    params: z.object({ workId: Id }),
    output: z.object({}),
    errors: ['not-found', 'conflict'],
  }),
  setNetwork: route({
    method: 'put',
    path: '/api/packs/network',
    summary: 'Whether downloads may use the network; off unless switched on here',
    body: z.object({ allowed: z.boolean() }),
    output: z.object({ allowed: z.boolean() }),
  }),
}

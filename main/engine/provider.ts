/**
 * Chooses where a pack runs: every accelerator that the runtime lists is tried and measured against the CPU once, with the pack's self-test;
 * the choice is remembered for this machine and pack.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import envPaths from 'env-paths'
import { z } from 'zod'
import { ProviderTrial } from '../../app/contract/system.ts'
import { TubeletError } from '../../app/errors.ts'
import { type Phrase, said } from '../../app/phrase.ts'
import { isAlive } from '../alive.ts'
import { makeFolder } from '../folders.ts'
import type { OpenedPack, Placed } from './families.ts'
import { listedProviders, type Placement, runtimeVersion } from './graphs.ts'
import type { EngineInfo } from './protocol.ts'

const NAMES: Record<string, string> = { cpu: 'CPU', cuda: 'CUDA', dml: 'DirectML', coreml: 'CoreML', webgpu: 'WebGPU' }
/** After this long everything is measured again, because drivers change. */
const REMEMBERED_DAYS = 7

const Memory = z.object({
  key: z.string(),
  at: z.number(),
  chosen: z.string().nullable(),
  tried: z.array(ProviderTrial),
  /** Accelerators whose trial ended the process, one entry each time. */
  crashed: z.array(z.string()),
  /** What that process is trying at the moment; if the process is gone and this is still set, the driver crashed it. */
  trying: z.object({ provider: z.string(), pid: z.number() }).nullable(),
  /** Time of the whole self-test on the CPU when it passed, milliseconds. */
  passed: z.number().nullable().default(null),
})
type Memory = z.infer<typeof Memory>

/** Time limit of an accelerator's trial: a software driver can take minutes for what takes the CPU a moment. */
const TRIAL_MS = 10_000
/** If the self-test took the CPU longer than this, later starts test texts only: the checksums show that the files are the same. */
const LONG_TEST_MS = 5_000
/** So many crashes rule out an accelerator: a single one may be a person who closed the app during the trial. */
const CRASHES_TRUSTED = 2

interface Refusal {
  refused: Exclude<ProviderTrial['outcome'], 'used'>
  details: string
}

interface Candidate {
  provider: string
  placed: Placed
}

/** Place a pack that has no known answers yet on the CPU, to compute them: accelerators are compared with the CPU. */
export function placeUntested(pack: OpenedPack): { placed: Placed; info: EngineInfo } {
  const threads = cpuThreads()
  const placed = pack.place({ provider: 'cpu', threads })
  return {
    placed,
    info: {
      manifest: pack.manifest,
      digest: pack.digest,
      provider: nameOf('cpu'),
      threads,
      sentence: said('Ready on {{provider}}.', { provider: nameOf('cpu') }),
      fallback: false,
      tried: [],
    },
  }
}

/** Place a pack on the fastest provider that passes. @throws TubeletError `pack-self-test-failed` when the pack gives wrong answers even on the CPU. */
export async function placePack(pack: OpenedPack): Promise<{ placed: Placed; info: EngineInfo }> {
  const threads = cpuThreads()
  const listed = listedProviders().filter((name) => name !== 'cpu')
  const file = path.join(envPaths('tubelet', { suffix: '' }).cache, 'providers', `${pack.digest}.json`)
  const memory = await remember(file, [pack.digest, runtimeVersion, process.platform, process.arch, ...listed].join(' '))
  const { chosen } = memory
  const crashing = listed.filter((name) => memory.crashed.filter((crashed) => crashed === name).length >= CRASHES_TRUSTED)
  const tried: ProviderTrial[] = crashing.map((name) => ({
    provider: nameOf(name),
    outcome: 'broken',
    details: 'It ended the process that tried it.',
  }))

  const candidates: Candidate[] = []
  for (const provider of listed) {
    if (crashing.includes(provider) || (chosen !== null && chosen !== provider)) continue
    await write(file, { ...memory, trying: { provider, pid: process.pid } })
    const placed = await tryProvider(pack, { provider, threads })
    if ('refused' in placed) tried.push({ provider: nameOf(provider), outcome: placed.refused, details: placed.details })
    else candidates.push({ provider, placed })
  }
  // An accelerator that was chosen before is not compared again. Otherwise the CPU is tried, for comparison or as the only choice.
  let { passed } = memory
  if (candidates.length === 0 || chosen === null) {
    const brief = passed !== null && passed > LONG_TEST_MS
    const start = performance.now()
    const placed = await tryProvider(pack, { provider: 'cpu', threads }, brief)
    if ('refused' in placed) throw selfTestFailed(pack, placed.details)
    if (!brief) passed = performance.now() - start
    candidates.push({ provider: 'cpu', placed })
  }
  const { provider, placed } = await fastest(candidates)

  tried.push({ provider: nameOf(provider), outcome: 'used', details: '' })
  for (const other of candidates)
    if (other.provider !== provider) tried.push({ provider: nameOf(other.provider), outcome: 'slow', details: '' })
  // With a remembered choice the others were not tried again.
  const outcomes = chosen === provider ? memory.tried : tried
  await write(file, { ...memory, chosen: provider, tried: outcomes, trying: null, passed })
  return {
    placed,
    info: {
      manifest: pack.manifest,
      digest: pack.digest,
      provider: nameOf(provider),
      threads,
      tried: outcomes,
      ...standing(provider, threads, outcomes),
    },
  }
}

/** Where it runs and why not on a GPU, for people. */
function standing(provider: string, count: number, tried: readonly ProviderTrial[]): { sentence: Phrase; fallback: boolean } {
  if (provider !== 'cpu') return { sentence: said('Ready on {{provider}}.', { provider: nameOf(provider) }), fallback: false }
  const of = (wanted: ProviderTrial['outcome']) => tried.filter(({ outcome }) => outcome === wanted).map((trial) => trial.provider)
  const [broken, slow] = [of('broken'), of('slow')]
  const sentence =
    broken.length > 0
      ? said('Ready on CPU, {{count}} threads; GPU not used: {{providers}} cannot be trusted on this machine.', {
          count,
          providers: broken.join(', '),
        })
      : slow.length > 0
        ? said('Ready on CPU, {{count}} threads; GPU not used: {{providers}} would be slower here.', { count, providers: slow.join(', ') })
        : said('Ready on CPU, {{count}} threads; GPU not used: no usable GPU was found.', { count })
  return { sentence, fallback: slow.length === 0 && broken.length > 0 }
}

/** The pack on this provider if it passes the self-test there, else the reason. */
async function tryProvider(pack: OpenedPack, placement: Placement, brief = false): Promise<Placed | Refusal> {
  const placed = pack.place(placement)
  let limit: AbortSignal | undefined
  let opened = false
  try {
    await placed.graphs.open()
    opened = true
    if (placement.provider !== 'cpu') limit = AbortSignal.timeout(TRIAL_MS)
    const wrong = await placed.selfTest({ signal: limit, brief })
    if (wrong === null) return placed
    await placed.graphs.release()
    return { refused: 'broken', details: `It failed the self-test: ${wrong}.` }
  } catch (error) {
    await placed.graphs.release()
    const refused = !opened ? 'absent' : limit?.aborted ? 'slow' : 'broken'
    return { refused, details: error instanceof Error ? error.message : String(error) }
  }
}

/** The fastest candidate in a second, warm self-test. The others are released. */
async function fastest(candidates: readonly Candidate[]): Promise<Candidate> {
  const [only] = candidates
  if (only && candidates.length === 1) return only
  const timed: (Candidate & { elapsed: number })[] = []
  for (const candidate of candidates) {
    const start = performance.now()
    await candidate.placed.selfTest({})
    timed.push({ ...candidate, elapsed: performance.now() - start })
  }
  const [best, ...others] = timed.sort((a, b) => a.elapsed - b.elapsed)
  if (!best) throw new RangeError('no candidates')
  for (const { placed } of others) await placed.graphs.release()
  return best
}

function cpuThreads(): number {
  return Math.min(8, Math.ceil(availableParallelism() / 2))
}

function nameOf(provider: string): string {
  return NAMES[provider] ?? provider
}

async function remember(file: string, key: string): Promise<Memory> {
  const blank: Memory = { key, at: Date.now(), chosen: null, tried: [], crashed: [], trying: null, passed: null }
  const memory = await readFile(file, 'utf8')
    .then((text) => Memory.parse(JSON.parse(text)))
    .catch(() => null)
  if (memory?.key !== key || Date.now() - memory.at > REMEMBERED_DAYS * 86_400_000) return blank
  const { trying } = memory
  if (trying === null || isAlive(trying.pid)) return { ...memory, trying: null }
  return { ...memory, chosen: null, crashed: [...memory.crashed, trying.provider], trying: null }
}

/** Store what was measured. A cache folder that cannot be written is no error: that only costs another measurement. */
async function write(file: string, memory: Memory): Promise<void> {
  const part = `${file}.${process.pid}`
  await makeFolder(path.dirname(file))
    .then(() => writeFile(part, JSON.stringify(memory)))
    .then(() => rename(part, file))
    .catch(() => undefined)
}

function selfTestFailed(pack: OpenedPack, details: string): TubeletError {
  return new TubeletError({
    code: 'pack-self-test-failed',
    message: 'The model pack “{{name}}” does not give the answers that it should on this machine, so it is not used.',
    values: { name: pack.manifest.name },
    file: pack.dir,
    stillWorks: 'Your library, its annotations and exports work without a model.',
    next: 'Install the pack again, or choose another one.',
    details,
  })
}

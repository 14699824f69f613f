/**
 * `node test/owl-bench.ts PACK…`: what an OWL pack takes and how far it is from the reference at its true shape. Each runs in a process of its own, as in
 * the engine. Boxes of random weights mean nothing; times, memory and differences do not depend on what the weights say. Figures, never a pass or fail.
 *
 *     .venv/bin/python -m models.owl.seeded base-32 DIR/model.safetensors        # or base-16
 *     npx tubelet packs import DIR/model.safetensors                             # and --precision fp16, int8; `packs list` says where they lie
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Cells, keptOf, logitsOf, packed, spotsOf, unpacked } from '../app/cells.ts'
import { noise } from '../app/noise.testing.ts'
import { Graphs } from '../main/engine/graphs.ts'
import { openOwl, Owl, squareOf } from '../main/engine/owl.ts'
import { openFolder } from '../main/engine/pack.ts'

interface Golden {
  texts: string[]
  configs: Record<string, { cellStep: number; pictures: { size: [number, number]; logits: number[]; boxes: number[] }[] }>
}
interface Measured {
  name: string
  /** Bytes. */
  size: number
  memory: number
  /** Seconds of wall time, the least of three: the process shares its machine. */
  image: number
  prepare: number
  label: number
  score: number
  /** From the reference, of the same weights; null where it was not run. */
  logits: number | null
  boxes: number | null
  /** Share of the best boxes of all cells that are kept, by how many cells are. */
  kept: [most: number, share: number][]
}

/** As many boxes of a text are compared. */
const BEST = 10

async function least(work: () => unknown, times = 3): Promise<number> {
  let best = Infinity
  for (let i = 0; i < times; i += 1) {
    const began = performance.now()
    await work()
    best = Math.min(best, (performance.now() - began) / 1000)
  }
  return best
}

const furthest = (got: readonly number[], expected: readonly number[], relative: boolean) =>
  got.length === expected.length
    ? Math.max(...expected.map((value, i) => Math.abs(value - (got[i] ?? NaN)))) / (relative ? Math.max(...expected.map(Math.abs)) : 1)
    : NaN

async function measure(dir: string, threads: number): Promise<Measured> {
  const { folder, manifest } = await openFolder(dir)
  if (manifest.family !== 'owl') throw new Error(`${dir} is no OWL`)
  const pack = await openOwl(folder, manifest, false)
  const owl = new Owl(pack, new Graphs(pack.graphs, { provider: 'cpu', threads }))
  const picture = noise(1280, 720, 0)
  const all = await owl.see(picture)
  const image = await least(() => owl.see(picture))
  await owl.queries(['warm'])
  let label = 0
  const text = await least(() => owl.queries([`a label of its own ${(label += 1)}`]))
  const bits = packed(keptOf(all, manifest.kept, manifest.calibration.floor))
  const query = await owl.queries(['dog'])
  const score = await least(() => spotsOf(unpacked(bits, manifest.dims.region), [query], manifest.calibration.floor), 20)

  const golden = JSON.parse(readFileSync(new URL('../models/owl/golden/values.json', import.meta.url), 'utf8')) as Golden
  const known = golden.configs[manifest.dims.cells === 576 && manifest.square.side === 768 ? 'base-32' : '']
  let far: { logits: number; boxes: number } | null = null
  for (const [seed, { size, logits, boxes }] of known?.pictures.entries() ?? []) {
    const cells = await owl.seeSquare(noise(...size, seed))
    const some = Array.from({ length: cells.count }, (_, cell) => cell).filter((cell) => cell % (known?.cellStep ?? 1) === 0)
    const rows = (await owl.embed(golden.texts)).map((one) => logitsOf(cells, one))
    far = {
      logits: furthest(
        some.flatMap((cell) => rows.map((row) => row[cell] ?? NaN)),
        logits,
        true,
      ),
      boxes: furthest(
        some.flatMap((cell) => [...cells.boxes.subarray(cell * 4, cell * 4 + 4)]),
        boxes,
        false,
      ),
    }
  }
  const shares = [50, 100, 150, 300, 600].filter((most) => most < all.count)
  const kept = await Promise.all(
    shares.map(async (most): Promise<[number, number]> => [most, await foundAmong(owl, all, most, golden.texts)]),
  )
  return {
    name: manifest.name,
    size: readdirSync(dir).reduce((sum, file) => sum + statSync(path.join(dir, file)).size, 0),
    memory: process.resourceUsage().maxRSS * 1024,
    image,
    prepare: await least(() => squareOf(picture, manifest.square)),
    label: text,
    score,
    logits: far?.logits ?? null,
    boxes: far?.boxes ?? null,
    kept,
  }
}

/** Of the best boxes of each text among all cells: the share whose very cell is kept. That another one which overlaps it is kept is not counted. */
async function foundAmong(owl: Owl, all: Cells, most: number, texts: readonly string[]): Promise<number> {
  const few = keptOf(all, most, 0)
  let [found, sought] = [0, 0]
  for (const query of await owl.embed(texts)) {
    const [whole = [], part = []] = [all, few].map((cells) => spotsOf(cells, [[query]], 0))
    const wanted = whole.slice(0, BEST)
    sought += wanted.length
    found += wanted.filter(({ box }) =>
      part.some((other) => other.box.cx === box.cx && other.box.cy === box.cy && other.box.w === box.w),
    ).length
  }
  return found / sought
}

const [mode, ...rest] = process.argv.slice(2)
if (mode === '--one') {
  const [dir = '', threads = '1'] = rest
  process.stdout.write(JSON.stringify(await measure(dir, Number(threads))))
} else {
  const rows = [
    '| Pack, threads | On disk | Memory above it | Image pass | of it the preparation | A new label’s text | A label in a picture | Label : image | Logits | Boxes | Best boxes kept |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
  ]
  const ms = (seconds: number) => `${(seconds * 1000).toFixed(seconds < 0.01 ? 2 : 0)} ms`
  for (const dir of process.argv.slice(2)) {
    for (const threads of [1, 2]) {
      const one = JSON.parse(
        execFileSync(process.execPath, [import.meta.filename, '--one', dir, String(threads)], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'inherit'],
        }),
      ) as Measured
      const cells = [
        `${one.name}, ${threads}`,
        `${(one.size / 1e6).toFixed(0)} MB`,
        `${((one.memory - one.size) / 1e6).toFixed(0)} MB`,
        ms(one.image),
        ms(one.prepare),
        ms(one.label),
        ms(one.score),
        `1 : ${(one.image / (one.label + one.score)).toFixed(0)}`,
        one.logits?.toExponential(1) ?? '-',
        one.boxes?.toExponential(1) ?? '-',
        one.kept.map(([most, share]) => `${most}: ${(share * 100).toFixed(0)} %`).join(', '),
      ]
      rows.push(`| ${cells.join(' | ')} |`)
      console.log(rows.at(-1))
    }
  }
  const [cpu] = os.cpus()
  const load = os.loadavg().map((one) => one.toFixed(1))
  console.log(`\n${os.cpus().length} × ${cpu?.model ?? '?'}, load ${load.join(' ')}\n\n${rows.join('\n')}`)
}

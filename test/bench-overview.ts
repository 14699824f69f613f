/** `npm run bench -- --overview`: a threshold moved and a map drawn over a library of 1 000 and of 10 000 clips, without a window. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withNames } from '../app/vocabulary.ts'
import { lookedFor } from '../main/library/detections.ts'
import { Library } from '../main/library/library.ts'
import { mammut } from '../main/library/shower.testing.ts'

const DIGEST = 'd'.repeat(64)
const PACK = mammut(DIGEST)
const DIMENSIONS = 96
const provenance = {
  packId: 'bench',
  packVersion: '1',
  packDigest: DIGEST,
  provider: 'CPU',
  prompt: '',
  appVersion: '0',
  at: '2026-01-01T00:00:00.000Z',
}

export async function benchOverview(row: (what: string, measured: string, goal: string) => void): Promise<void> {
  for (const count of [1_000, 10_000]) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-bench-overview-'))
    const library = Library.open(folder)
    try {
      fill(library, count)
      row(`Counts of a label's scores, ${count} clips`, `${timed(() => library.detections.scores(DIGEST, ['car']))} ms`, '100 ms')
      const [car] = library.detections.vocabulary()
      if (!car) throw new Error('no vocabulary')
      library.changeVocabulary([{ ...car, threshold: 0.3 }])
      row(`A saved threshold holds, ${count} clips`, `${timed(() => library.showVocabulary(PACK))} ms`, '1000 ms')
      row(`Facts of the overview, ${count} clips`, `${timed(() => library.overview.facts())} ms`, '500 ms')
      const began = performance.now()
      while (library.overview.map(DIGEST).building !== null) await sleep(50)
      row(`The map of ${count} clips, beside everything else`, `${((performance.now() - began) / 1000).toFixed(1)} s`, '60 s')
    } finally {
      await library.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

function timed(work: () => void): string {
  const began = performance.now()
  work()
  return (performance.now() - began).toFixed(0)
}

/** Clips of ten kinds with three tracks of one label each, of all scores. */
function fill(library: Library, count: number): void {
  library.changeVocabulary(withNames([], ['car']))
  const { source } = library.addSource({ path: '/bench.mp4', name: 'bench.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'bench' })
  for (let index = 0; index < count; index += 1) {
    const id = library.saveClip(source.id, {
      index,
      kind: 'window',
      start: index * 8,
      end: index * 8 + 8,
      startFrame: index * 200,
      endFrame: index * 200 + 200,
      frames: [],
    })
    const raw = Float32Array.from(
      { length: DIMENSIONS },
      (_, at) => (at % 10 === index % 10 ? 1 : 0) + 0.4 * Math.sin(index * 12.9898 + at * 78.233),
    )
    const length = Math.hypot(...raw)
    const candidates = [0, 1, 2].map((at) => {
      const score = ((index * 7 + at * 31) % 100) / 100
      return {
        score,
        provenance,
        body: {
          kind: 'track' as const,
          label: 'car',
          boxes: [{ ordinal: index * 200, pts: index, box: { x1: at * 50, y1: 0, x2: at * 50 + 40, y2: 40 }, score }],
        },
      }
    })
    library.saveClipResult(id, PACK, { embedding: raw.map((value) => value / length), memory: new Uint16Array([1]), tokens: null }, [], {
      caption: { body: { kind: 'caption', text: 'a car' }, evidence: null, provenance },
      seen: { lookedFor: lookedFor(library.detections.vocabulary()), fresh: new Map(), candidates },
    })
  }
}

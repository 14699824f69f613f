/**
 * `npm run bench -- --merge [DECISIONS…]`: what it costs to look at another person's work and to take it in, where both decided about the same so many
 * things: half of them alike, a quarter otherwise, a quarter only there. Half are of one video, as of one that lasts a day. Figures, never a pass or fail.
 */
import { execFileSync } from 'node:child_process'
import { rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Library } from '../main/library/library.ts'
import { handOver } from '../main/sharing/handover.ts'
import { Merges } from '../main/sharing/merges.ts'
import { libraryOf, tricky } from './documents.ts'
import { inFolder, type Measured, metered, type Row, told } from './export-bench.ts'

const [VIDEOS, CLIPS] = [10, 100] as const
const KINDS = ['caption', 'track', 'segment', 'note'] as const

export function benchMerge(row: Row, asked: readonly string[]): void {
  const sizes = asked.map(Number).filter((size) => size > 0)
  for (const decisions of sizes.length > 0 ? sizes : [10_000, 100_000])
    inFolder((folder) => {
      alone('make', folder, String(decisions))
      for (const [what, name] of [
        ['plan', 'what differs is told'],
        ['take', 'taken in'],
      ] as const)
        row(`${decisions.toLocaleString('en')} decisions of each: ${name}`, told(alone(what, folder) as Measured), '200 MB, 50 ms')
    })
}

function alone(part: string, ...rest: string[]): unknown {
  return JSON.parse(execFileSync(process.execPath, [import.meta.filename, part, ...rest], { encoding: 'utf8' }))
}

/** Anna's library, and Ben's as a file. */
async function make(folder: string, decisions: number): Promise<null> {
  for (const who of ['anna', 'ben'] as const) {
    const documents = Array.from({ length: VIDEOS }, (_, video) => ({
      ...tricky,
      source: { ...tricky.source, id: video + 1, name: `${video}.mp4`, path: `/films/${video}.mp4`, fingerprint: `xxh:${video}` },
      clips: Array.from({ length: CLIPS }, (_, index) => ({
        id: video * CLIPS + index + 1,
        index,
        kind: 'window' as const,
        start: index,
        end: index + 1,
        startFrame: index * 100,
        endFrame: index * 100 + 100,
        annotations: [],
      })),
    }))
    const library = libraryOf(path.join(folder, who), documents)
    const db = new DatabaseSync(path.join(folder, who, 'library.sqlite'))
    const add = db.prepare(
      `INSERT INTO annotations (id, clip_id, kind, topic, machine, human, state, evidence, provenance, lineage, by, decided_at, updated_at)
       VALUES (?, ?, ?, ?, NULL, ?, 'edited', NULL, NULL, ?, ?, '2026-01-02T03:04:06Z', '2026-01-02T03:04:06Z')`,
    )
    db.exec('BEGIN')
    for (let nth = 0; nth < decisions; nth += 1) {
      const kind = KINDS[nth % KINDS.length] ?? 'note'
      const clip = nth % 2 === 0 ? (nth >> 1) % CLIPS : (nth >> 1) % (VIDEOS * CLIPS)
      const differs = nth % 8 >= 6
      const isOwn = nth % 8 === 5 || nth % 8 === 4
      if (isOwn && who === 'anna') continue
      const text = `What is seen here, number ${nth}${differs ? `, as ${who} has it` : ''}.`
      const [from, key] = [(clip % CLIPS) * 100, { score: null }]
      const box = (at: number) => ({ x1: nth % 50, y1: at, x2: (nth % 50) + 20 + (differs && who === 'ben' ? 5 : 0), y2: at + 40 })
      const body =
        kind === 'track'
          ? {
              kind,
              label: `thing ${nth % 97}`,
              boxes: [0, 40, 99].map((at) => ({ ...key, ordinal: from + at, pts: (from + at) * 3600, box: box(at) })),
            }
          : kind === 'segment' || kind === 'note'
            ? { kind, text, span: { startFrame: from, endFrame: from + 50 } }
            : { kind, text }
      // A clip has one caption: more are captions of parts.
      const own =
        kind === 'caption' && nth >= 4 * VIDEOS * CLIPS
          ? { ...body, kind: 'segment', span: { startFrame: from, endFrame: from + 10 } }
          : body
      const topic = own.kind === 'caption' ? String(nth) : ''
      add.run(
        nth + 1,
        clip + 1,
        own.kind,
        topic,
        JSON.stringify(own),
        JSON.stringify({ now: [`${differs || who === 'anna' ? who : 'ben'}${nth}`], past: [] }),
        who,
      )
    }
    db.exec('COMMIT')
    db.close()
    if (who === 'ben')
      await handOver(library, { file: path.join(folder, 'ben.tubelet'), withVideos: false, there: () => Promise.reject(new Error('away')) })
    await library.close()
  }
  rmSync(path.join(folder, 'ben'), { recursive: true })
  return null
}

async function merging(folder: string, what: string): Promise<Measured> {
  const library = Library.open(path.join(folder, 'anna'))
  const file = path.join(folder, 'ben.tubelet')
  try {
    return await metered(async () => {
      const merges = new Merges(library)
      const { mergeId } = await merges.read(file)
      if (what === 'take') await merges.take(mergeId, [], 'both')
      merges.close()
      return statSync(file).size
    })
  } finally {
    await library.close()
  }
}

if (process.argv[1] === import.meta.filename) {
  const [part = '', folder = '', size = ''] = process.argv.slice(2)
  console.log(JSON.stringify(part === 'make' ? await make(folder, Number(size)) : await merging(folder, part)))
}

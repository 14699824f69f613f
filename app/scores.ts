/** A pack's measured scores in plain terms: how often it is right, what it is good at, and where it is no better than a guess. */
import type { PackManifest } from './pack/pack.ts'

type Row = PackManifest['scores'][number]

/** Kinds of question, as models.data.questions names them. */
const KINDS = ['what', 'colour', 'count', 'direction', 'speed', 'size', 'where', 'camera', 'before-after', 'yesno'] as const
export type Kind = (typeof KINDS)[number]

/** Shares 0..1; undefined where nobody measured it. */
export interface Told {
  on: string
  answers?: number
  /** How often it is sure, and how often it is right when it is sure. */
  sure?: { share: number; right: number }
  /** Kinds that it often gets right, well above the score of always giving the commonest answer; best first. */
  good: { kind: Kind; right: number }[]
  /** Kinds that it seldom gets right, or hardly more often than that; worst first. */
  poor: { kind: Kind; right: number }[]
  /** How often the right clip comes first, and among the first ten. */
  search?: { first: number; ten: number; among: number }
  captions?: { colour: number; thing: number; direction: number }
  /** Average precision at an overlap of 0.5 (COCO's AP50). */
  boxes?: { known: number; novel: number | null } | { all: number }
}

/** What was measured on the set with most rows; null where nothing was. */
export function tell(scores: readonly Row[]): Told | null {
  const sets = Map.groupBy(scores, ({ on }) => on)
  const [largest] = [...sets].sort(([, a], [, b]) => b.length - a.length)
  if (!largest) return null
  const [on, rows] = largest
  const get = (task: string, metric: string) => rows.find((row) => row.task === task && row.metric === metric)?.value
  const told: Told = { on, good: [], poor: [] }
  for (const kind of KINDS) {
    const [right, guess = 0] = [get('answer', `exact match: ${kind}`), get('answer', `commonest answer: ${kind}`)]
    if (right === undefined) continue
    if (right < 0.4 || right < guess + 0.1) told.poor.push({ kind, right })
    else if (right >= 0.6 && right >= guess + 0.15) told.good.push({ kind, right })
  }
  told.good.sort((a, b) => b.right - a.right)
  told.poor.sort((a, b) => a.right - b.right)
  const answers = get('answer', 'exact match')
  if (answers !== undefined) told.answers = answers
  const [share, right] = [get('answer', 'share where sure'), get('answer', 'exact match where sure')]
  if (share !== undefined && right !== undefined) told.sure = { share, right }
  const first = rows.find(({ task, metric }) => task === 'search' && /^R@1 among \d+$/.test(metric))
  const among = Number(first?.metric.split(' ').at(-1))
  const ten = get('search', `R@10 among ${among}`)
  if (first && ten !== undefined) told.search = { first: first.value, ten, among }
  const [colour, thing, direction] = ['colour', 'what', 'direction'].map((topic) => get('caption', `${topic} right`))
  if (colour !== undefined && thing !== undefined && direction !== undefined) told.captions = { colour, thing, direction }
  const known = get('detect', 'AP50, known names')
  const all = get('boxes', 'AP50')
  if (known !== undefined) told.boxes = { known, novel: get('detect', 'AP50, novel') ?? null }
  else if (all !== undefined) told.boxes = { all }
  return told
}

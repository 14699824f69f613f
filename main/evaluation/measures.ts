/** How right answers, rankings and boxes are, as the public sets count it. */
import { boxArea, iou, sharedArea } from '../../app/boxes.ts'
import type { Box } from '../../app/annotation.ts'

const NUMBERS = 'zero one two three four five six seven eight nine ten'.split(' ')
const ARTICLES = new Set(['a', 'an', 'the'])

/** The words of an answer in small letters, without punctuation and articles, numbers up to ten as digits: what VQA's evaluation compares. */
function wordsOf(answer: string): string[] {
  const words =
    answer
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{N}'’]+/gu) ?? []
  return words
    .filter((word) => !ARTICLES.has(word))
    .map((word) => {
      const number = NUMBERS.indexOf(word)
      return number < 0 ? word : String(number)
    })
}

/** Whether two answers are the same words. */
export function isSame(said: string, truth: string): boolean {
  return wordsOf(said).join(' ') === wordsOf(truth).join(' ')
}

/** Whether the words of the true answer stand in what was said, side by side: models write sentences where the sets have one word. */
export function holds(said: string, truth: string): boolean {
  return ` ${wordsOf(said).join(' ')} `.includes(` ${wordsOf(truth).join(' ')} `)
}

/**
 * The share of queries for which something that belongs to them is among the first `most`.
 * @param scores [queries][candidates], higher is better. @param belongs The candidates of each query. Equal scores count against it.
 */
export function recallAt(scores: readonly ArrayLike<number>[], belongs: readonly (readonly number[])[], most: number): number {
  const found = scores.filter((row, query) => {
    const own = new Set(belongs[query])
    const best = Math.max(...[...own].map((one) => row[one] ?? -Infinity))
    return Array.from(row).filter((score, candidate) => !own.has(candidate) && score >= best).length < most
  })
  return scores.length === 0 ? 0 : found.length / scores.length
}

/** A box of a label: an index. */
interface TrueBox {
  label: number
  box: Box
  /** Stands for many things (COCO's `iscrowd`): what lies in it counts neither way. */
  crowd: boolean
}
export interface SaidBox {
  label: number
  box: Box
  score: number
}
/** One picture with all its boxes. */
export interface JudgedPicture {
  truth: readonly TrueBox[]
  said: readonly SaidBox[]
  /** The labels that are judged on this picture; null: all. LVIS says of few labels that they are not there. */
  judged: ReadonlySet<number> | null
  /** Labels of which not every thing has a box: what matches none counts neither way. */
  partly: ReadonlySet<number>
}

// In the floating-point numbers of numpy's linspace, since recalls lie on them.
const OVERLAPS = Array.from({ length: 10 }, (_, i) => 0.5 + i * (0.45 / 9))
const RECALLS = Array.from({ length: 101 }, (_, i) => i * 0.01)
/** Boxes of one label on one picture that count, best first. */
const MOST = 100

interface Row {
  score: number
  /** At each overlap: true, false, or null where it counts neither way. */
  right: (boolean | null)[]
}

/**
 * Average precision of boxes as COCO's evaluation counts it (T.-Y. Lin et al. 2014, `cocoeval` of pycocotools: all areas, 100 boxes of a label and picture,
 * 101 points of recall), with what LVIS adds (A. Gupta et al. 2019: labels judged on some pictures, things without a box). Pictures come one after the other.
 */
export class AveragePrecision {
  readonly #rows = new Map<number, Row[]>()
  readonly #things = new Map<number, number>()

  add({ truth, said, judged, partly }: JudgedPicture): void {
    const truths = Map.groupBy(truth, ({ label }) => label)
    const finds = Map.groupBy(said, ({ label }) => label)
    for (const label of new Set([...truths.keys(), ...finds.keys()])) {
      const own = truths.get(label) ?? []
      if (judged !== null && own.length === 0 && !judged.has(label)) continue
      const rows = this.#rows.get(label) ?? []
      this.#rows.set(label, rows)
      rows.push(...matched(own, finds.get(label) ?? [], partly.has(label)))
      this.#things.set(label, (this.#things.get(label) ?? 0) + own.filter(({ crowd }) => !crowd).length)
    }
  }

  /**
   * AP of each label that is on a picture, 0..1: `mean` over overlaps of 0.5 to 0.95, and at 0.5 alone.
   * @returns By label.
   */
  result(): Map<number, { mean: number; half: number }> {
    const all = [...this.#things].filter(([, things]) => things > 0).sort(([a], [b]) => a - b)
    return new Map(
      all.map(([label, things]) => {
        const rows = (this.#rows.get(label) ?? []).toSorted((a, b) => b.score - a.score)
        const each = OVERLAPS.map((_, at) => precision(rows, at, things))
        return [label, { mean: each.reduce((sum, one) => sum + one, 0) / each.length, half: each[0] ?? 0 }]
      }),
    )
  }
}

/** What becomes of the boxes of one label on one picture. */
function matched(truth: readonly TrueBox[], said: readonly SaidBox[], partly: boolean): Row[] {
  const best = said.toSorted((a, b) => b.score - a.score).slice(0, MOST)
  // Things that are meant one by one come first.
  const things = truth.toSorted((a, b) => Number(a.crowd) - Number(b.crowd))
  const shares = best.map(({ box }) =>
    things.map((thing) => (thing.crowd ? sharedArea(box, thing.box) / Math.max(boxArea(box), Number.EPSILON) : iou(box, thing.box))),
  )
  const taken = OVERLAPS.map(() => new Set<number>())
  return best.map(({ score }, one) => ({
    score,
    right: OVERLAPS.map((overlap, at) => {
      let [most, mine] = [overlap, -1]
      for (const [i, thing] of things.entries()) {
        if (taken[at]?.has(i) === true && !thing.crowd) continue
        if (mine >= 0 && thing.crowd && things[mine]?.crowd === false) break
        const share = shares[one]?.[i] ?? 0
        if (share >= most) [most, mine] = [share, i]
      }
      if (mine < 0) return partly ? null : false
      taken[at]?.add(mine)
      return things[mine]?.crowd === true ? null : true
    }),
  }))
}

/** Mean of the best precision at or beyond each recall. */
function precision(rows: readonly Row[], at: number, things: number): number {
  let [right, wrong] = [0, 0]
  const curve: { recall: number; precision: number }[] = []
  for (const row of rows) {
    const one = row.right[at]
    if (one === true) right += 1
    else if (one === false) wrong += 1
    curve.push({ recall: right / things, precision: right + wrong > 0 ? right / (right + wrong) : 0 })
  }
  for (let i = curve.length - 2; i >= 0; i -= 1) {
    const [here, next] = [curve[i], curve[i + 1]]
    if (here && next) here.precision = Math.max(here.precision, next.precision)
  }
  let place = 0
  let sum = 0
  for (const recall of RECALLS) {
    while ((curve[place]?.recall ?? Infinity) < recall) place += 1
    sum += curve[place]?.precision ?? 0
  }
  return sum / RECALLS.length
}

/** Clips as dots on the map: the kind of each, and which are near to one. */
import type { Source } from '../../app/contract.ts'
import { type Facts, type Point, tracksOf } from '../../app/overview.ts'
import { doubted } from '../../app/review.ts'
import { t } from '../i18n.ts'

/** Side of the square that the map is drawn in, in its own units. */
export const SIDE = 1000
/** How many similar clips the key G takes. */
export const GROUP = 20

export interface Dot extends Point {
  id: number
  kind: string
}

/** Returns a function that gives a clip's kind by the criterion `by`; empty where it has none. */
export function kinder(by: string, facts: Facts, sources: readonly Source[]): (clip: Facts['clips'][number]) => string {
  if (by === 'source') {
    const names = new Map(sources.map(({ id, name }) => [id, name]))
    return ({ sourceId }) => names.get(sourceId) ?? ''
  }
  if (by === 'state') return ({ state }) => (state !== null && state !== 'machine' ? t(state) : '')
  if (by === 'label') return (clip) => tracksOf(clip).sort(([, a], [, b]) => b - a)[0]?.[0] ?? ''
  const answers = new Map(
    facts.answers.filter(({ question }) => `answer ${question}` === by).map(({ clipId, text, unsure }) => [clipId, doubted(text, unsure)]),
  )
  return ({ id }) => answers.get(id) ?? ''
}

/** The nearest clip in a direction. Distance across the direction counts twice. */
export function beside(here: Dot, dots: readonly Dot[], dx: number, dy: number): number {
  let best = { id: here.id, cost: Infinity }
  for (const dot of dots) {
    const along = (dot.x - here.x) * dx + (dot.y - here.y) * dy
    if (along <= 0) continue
    const aside = Math.abs((dot.x - here.x) * dy) + Math.abs((dot.y - here.y) * dx)
    const cost = along + 2 * aside
    if (cost < best.cost) best = { id: dot.id, cost }
  }
  return best.id
}

/** The nearest clips, nearest first; the first is the clip itself. */
export function alike(here: Dot, dots: readonly Dot[], most = GROUP): number[] {
  const near: { id: number; distance: number }[] = []
  for (const { id, x, y } of dots) {
    const distance = Math.hypot(x - here.x, y - here.y)
    if (near.length === most && distance >= (near.at(-1)?.distance ?? 0)) continue
    const at = near.findIndex((other) => other.distance > distance)
    near.splice(at === -1 ? near.length : at, 0, { id, distance })
    if (near.length > most) near.pop()
  }
  return near.map(({ id }) => id)
}

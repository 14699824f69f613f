/**
 * Joining what two people decided about the same things. Pure: which statements of two libraries are about the same, and what becomes of each.
 *
 * A decision that knows the other (Lineage in app/annotation) is the newer one. Two that do not know each other stand if they say the same; else a
 * person must choose.
 */
import { type AnnotationBody, isOnlyOne, type Lineage, type ReviewState } from './annotation.ts'
import { sameObject } from './tracks.ts'

/** What one library says, and what a person decided about it. */
export interface Statement {
  id: number
  kind: AnnotationBody['kind']
  topic: string
  /** Of its clip, in frames: half-open. */
  startFrame: number
  endFrame: number
  machine: AnnotationBody | null
  /** What a person made of it; null where nobody decided, or it was set back. */
  human: AnnotationBody | null
  state: ReviewState
  /** Null where nobody ever decided. */
  lineage: Lineage | null
}

/**
 * take: theirs is newer, or only they decided. keep: ours is. same: it is one decision. alike: two that say the same. conflict: two that do not.
 */
export type Joined = 'take' | 'keep' | 'same' | 'alike' | 'conflict'

export function joined(ours: Statement, theirs: Statement): Joined {
  const [own, other] = [ours.lineage, theirs.lineage]
  if (other === null) return 'same'
  if (own === null) return saying(ours) === saying(theirs) ? 'alike' : 'take'
  if (meet(own.now, other.now)) return 'same'
  const [theirsIsOld, oursIsOld] = [meet(other.now, own.past), meet(own.now, other.past)]
  if (theirsIsOld !== oursIsOld) return theirsIsOld ? 'keep' : 'take'
  return saying(ours) === saying(theirs) ? 'alike' : 'conflict'
}

/** The lineage of a decision that took the place of others, or says the same as they do. @param now Its own versions. */
export function lineageAfter(now: readonly string[], ...before: readonly (Lineage | null)[]): Lineage {
  const past = new Set(before.flatMap((one) => (one === null ? [] : [...one.now, ...one.past])))
  for (const version of now) past.delete(version)
  // In one order, so that it is the same in whichever library they were joined.
  return { now: [...new Set(now)].sort(), past: [...past].sort() }
}

/** What a decision comes to, as text: what was rejected is gone, whatever it said; labels that differ in case are one. */
function saying({ human, state }: Pick<Statement, 'human' | 'state'>): string {
  if (human === null) return ''
  return state === 'rejected' ? 'rejected' : wordsOf(human)
}

/** What a statement says, the same for labels that differ in case. */
function wordsOf(human: AnnotationBody): string {
  const body = human.kind === 'track' ? { ...human, label: human.label.trim().toLowerCase(), object: undefined, colours: undefined } : human
  return JSON.stringify(body, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}

/**
 * Whether what both people made of the same thing can stand side by side. It cannot where a clip has only one of the kind, nor where they say the
 * same and one holds it for right, the other for wrong: the clip would then say a thing and deny it.
 */
export function bothCanStand(ours: Statement, theirs: Statement): boolean {
  if (isOnlyOne(theirs.kind) || ours.human === null || theirs.human === null) return false
  return wordsOf(ours.human) !== wordsOf(theirs.human)
}

/**
 * Which of our statements about a video each of theirs is about; null where we have none. Those with versions in common first; then a clip's only caption
 * and answer, what has the same result of a machine beneath, and what says the same; last, boxes of the same object. It gives null after each small part
 * of work.
 */
export function* matching(ours: readonly Statement[], theirs: readonly Statement[]): Generator<null, Map<Statement, Statement | null>> {
  const found = new Map<Statement, Statement | null>(theirs.map((one) => [one, null]))
  const free = new Set(ours)
  const take = (one: Statement, own: Statement | undefined) => {
    if (own === undefined || !free.delete(own)) return
    found.set(one, own)
  }
  const round = function* (keysOf: (one: Statement) => readonly string[]): Generator<null> {
    // Latest first: those that were taken are dropped from the end, so that many of one key are not looked at again and again.
    const known = new Map<string, Statement[]>()
    for (const own of ours.toReversed()) {
      if (free.has(own)) for (const key of keysOf(own)) listIn(known, key).push(own)
      yield null
    }
    const firstFree = (key: string) => {
      const those = known.get(key) ?? []
      for (let own = those.at(-1); own !== undefined; own = those.at(-1)) {
        if (free.has(own)) return own
        those.pop()
      }
      return undefined
    }
    for (const [one, own] of found) {
      if (own === null)
        for (const key of keysOf(one)) {
          const next = firstFree(key)
          if (next === undefined) continue
          take(one, next)
          break
        }
      yield null
    }
  }
  yield* round(({ lineage }) => lineage?.now ?? [])
  yield* round(({ lineage }) => (lineage === null ? [] : [...lineage.now, ...lineage.past]))
  const placeOf = ({ kind, topic, startFrame, endFrame }: Statement) => `${kind} ${startFrame} ${endFrame} ${topic}`
  yield* round((one) => (isOnlyOne(one.kind) ? [placeOf(one)] : []))
  yield* round((one) => (one.machine === null ? [] : [`${placeOf(one)} ${JSON.stringify(one.machine)}`]))
  yield* round((one) => (one.human === null || one.state === 'rejected' ? [] : [`${placeOf(one)} ${saying(one)}`]))
  const tracks = new Map<string, Statement[]>()
  for (const own of ours) for (const place of trackPlacesOf(own)) listIn(tracks, place).push(own)
  for (const [one, own] of found) {
    if (own === null && one.kind === 'track') {
      const near = trackPlacesOf(one).flatMap((place) => tracks.get(place) ?? [])
      take(
        one,
        near.find((candidate) => free.has(candidate) && isSameTrack(layersOf(candidate), layersOf(one))),
      )
    }
    yield null
  }
  return found
}

function listIn(lists: Map<string, Statement[]>, key: string): Statement[] {
  const known = lists.get(key)
  if (known) return known
  const list: Statement[] = []
  lists.set(key, list)
  return list
}

/** Its clip with each label that a track has: only those of one label there can be one object. */
function trackPlacesOf(one: Statement): string[] {
  const labels = new Set(layersOf(one).flatMap((body) => (body.kind === 'track' ? [body.label] : [])))
  return [...labels].map((label) => `${one.startFrame} ${one.endFrame} ${label}`)
}

function layersOf({ human, machine }: Statement): AnnotationBody[] {
  return [human, machine].filter((body) => body !== null)
}

function isSameTrack(ours: readonly AnnotationBody[], theirs: readonly AnnotationBody[]): boolean {
  return ours.some((a) => theirs.some((b) => a.kind === 'track' && b.kind === 'track' && sameObject(a, b)))
}

function meet(a: readonly string[], b: readonly string[]): boolean {
  return a.some((one) => b.includes(one))
}

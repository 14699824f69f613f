/**
 * Edits of tracks by people. Every function returns a new track and leaves its input unchanged; keys ascend by ordinal, one per frame.
 * Boxes that an edit has to add lie where the track was interpolated before, so that nothing moves that was not edited.
 */
import type { Box, KeyBox, TrackBody } from './annotation.ts'
import { interpolate } from './tracks.ts'

/** PTS by ordinal of the source. */
export type PtsOf = (ordinal: number) => number

/** First and last frame of a track's life, ordinals, both inclusive. */
export function lifetime({ boxes }: Pick<TrackBody, 'boxes'>): { first: number; last: number } {
  return { first: boxes[0]?.ordinal ?? 0, last: boxes.at(-1)?.ordinal ?? 0 }
}

/** Sets a person's box on a frame. Its other flag (occluded) stays; an object that was outside is back. */
export function withKeyBox(track: TrackBody, ordinal: number, pts: number, box: Box): TrackBody {
  const { occluded } = keyInForce(track, ordinal) ?? {}
  return withKey(track, { ordinal, pts, box, score: null, ...(occluded ? { occluded } : {}) })
}

function withKey(track: TrackBody, key: KeyBox): TrackBody {
  return { ...track, boxes: [...track.boxes.filter(({ ordinal }) => ordinal !== key.ordinal), key].sort((a, b) => a.ordinal - b.ordinal) }
}

/** Null when it was the last one: a track needs a box. The same track if there is no key on that frame. */
export function withoutKey(track: TrackBody, ordinal: number): TrackBody | null {
  const boxes = track.boxes.filter((key) => key.ordinal !== ordinal)
  if (boxes.length === 0) return null
  return boxes.length === track.boxes.length ? track : { ...track, boxes }
}

/** The key on a frame, or a new one at the track's interpolated place; null outside its life. */
export function keyAt(track: TrackBody, ordinal: number, ptsOf: PtsOf): KeyBox | null {
  const key = track.boxes.find((one) => one.ordinal === ordinal)
  if (key) return key
  const { first, last } = lifetime(track)
  const before = keyInForce(track, ordinal)
  if (!before || ordinal < first || ordinal > last) return null
  const pts = ptsOf(ordinal)
  const { occluded, outside } = before
  return {
    ordinal,
    pts,
    box: interpolate(track, pts) ?? before.box,
    score: null,
    ...(occluded ? { occluded } : {}),
    ...(outside ? { outside } : {}),
  }
}

/** The last key on or before a frame: its flags apply there. */
export function keyInForce({ boxes }: TrackBody, ordinal: number): KeyBox | undefined {
  return boxes.findLast((key) => key.ordinal <= ordinal)
}

/** The key frame after (1) or before (-1) a frame. */
export function neighbourKey({ boxes }: TrackBody, ordinal: number, direction: 1 | -1): KeyBox | undefined {
  return direction === 1 ? boxes.find((key) => key.ordinal > ordinal) : boxes.findLast((key) => key.ordinal < ordinal)
}

/** Mark the object as occluded or out of the picture from a frame on, up to the next key; or remove that mark. Null outside its life. */
export function withFlag(track: TrackBody, ordinal: number, ptsOf: PtsOf, flag: 'occluded' | 'outside', on: boolean): TrackBody | null {
  const key = keyAt(track, ordinal, ptsOf)
  if (key === null) return null
  const { occluded, outside, ...rest } = { ...key, [flag]: on }
  return withKey(track, { ...rest, ...(occluded ? { occluded } : {}), ...(outside ? { outside } : {}) })
}

/**
 * A track that ends before `ordinal` and one that begins on it; together they cover the original. Null where one of them would be empty.
 */
export function splitTrack(track: TrackBody, ordinal: number, ptsOf: PtsOf): [TrackBody, TrackBody] | null {
  const [end, start] = [keyAt(track, ordinal - 1, ptsOf), keyAt(track, ordinal, ptsOf)]
  if (end === null || start === null) return null
  return [
    { ...track, boxes: [...track.boxes.filter((key) => key.ordinal < end.ordinal), end] },
    { ...track, boxes: [start, ...track.boxes.filter((key) => key.ordinal > start.ordinal)] },
  ]
}

/**
 * Joins two tracks of one object. Where both exist the first one decides, and it gives its label; the second adds what lies before and
 * after. Between them the object is interpolated, since it was one all along.
 */
export function mergeTracks(first: TrackBody, second: TrackBody): TrackBody {
  const life = lifetime(first)
  const added = second.boxes.filter(({ ordinal }) => ordinal < life.first || ordinal > life.last)
  return { ...first, boxes: [...first.boxes, ...added].sort((a, b) => a.ordinal - b.ordinal) }
}

/**
 * Moves the first or last frame: a shorter life is cut where the track was, a longer one keeps its outermost box. A life never gets shorter
 * than the one frame at its other end.
 */
export function retimeTrack(track: TrackBody, edge: 'first' | 'last', ordinal: number, ptsOf: PtsOf): TrackBody {
  const life = lifetime(track)
  const to = edge === 'first' ? Math.min(ordinal, life.last) : Math.max(ordinal, life.first)
  const outermost = edge === 'first' ? track.boxes[0] : track.boxes.at(-1)
  if (!outermost) return track
  const key = keyAt(track, to, ptsOf) ?? { ...outermost, ordinal: to, pts: ptsOf(to), score: null }
  const inside = track.boxes.filter((one) => (edge === 'first' ? one.ordinal > to : one.ordinal < to))
  return { ...track, boxes: edge === 'first' ? [key, ...inside] : [...inside, key] }
}

/** Moves a key box to another time, never past its neighbours. */
export function moveKey(track: TrackBody, from: number, to: number, ptsOf: PtsOf): TrackBody {
  const at = track.boxes.findIndex(({ ordinal }) => ordinal === from)
  const key = track.boxes[at]
  if (!key) return track
  const ordinal = Math.min(Math.max(to, (track.boxes[at - 1]?.ordinal ?? -1) + 1), (track.boxes[at + 1]?.ordinal ?? Infinity) - 1)
  return { ...track, boxes: track.boxes.with(at, { ...key, ordinal, pts: ptsOf(ordinal) }) }
}

/** Copies the object's present box to its next key frame; null where there is no next one or nothing to copy. */
export function copyToNextKey(track: TrackBody, ordinal: number, ptsOf: PtsOf): TrackBody | null {
  const [key, next] = [keyAt(track, ordinal, ptsOf), neighbourKey(track, ordinal, 1)]
  return key && next && !key.outside ? withKeyBox(track, next.ordinal, next.pts, key.box) : null
}

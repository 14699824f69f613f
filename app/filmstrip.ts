/** The filmstrip of a video: small pictures at even times, each for a stretch of its own length; none where nothing could be read. */
import type { Stretch } from './facts/unread.ts'

/** The most cells of a filmstrip. */
export const STRIP_CELLS = 60

/** The time that a cell shows: the middle of its stretch, in the unit of `duration`. */
export function timeOfCell(cell: number, cells: number, duration: number): number {
  return ((cell + 0.5) * duration) / cells
}

/** Whether nothing could be read at a time. Both in seconds from the first frame. */
export function isUnread(unread: readonly Stretch[], time: number): boolean {
  return unread.some(({ from, to }) => time >= from && time < to)
}

/**
 * The cells of a strip, from pictures that stand for different lengths of time: each gets the picture that is on the screen at its time, null where none
 * could be read. Cells are as short as the shortest stay of a picture, so that none is left out, but never more than STRIP_CELLS.
 *
 * @param pictures Ascending. @param duration Of the video. @param unread Ascending. All times in seconds from the first frame.
 */
export function stripOf<T>(
  pictures: readonly { time: number; picture: T }[],
  { duration, unread }: { duration: number; unread: readonly Stretch[] },
): (T | null)[] {
  const [first] = pictures
  if (first === undefined) return []
  const stays = pictures.slice(1).map(({ time }, at) => time - (pictures[at]?.time ?? 0))
  const shortest = Math.min(duration, ...stays.filter((stay) => stay > 0))
  const cells = Math.max(1, Math.min(STRIP_CELLS, Math.round(duration / shortest) || 1))
  return Array.from({ length: cells }, (_, cell) => {
    const time = timeOfCell(cell, cells, duration)
    return isUnread(unread, time) ? null : (pictures.findLast((one) => one.time <= time) ?? first).picture
  })
}

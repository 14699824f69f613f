/** The stretch of a video that a timeline shows: zoomed around a point, moved, kept within the video. Seconds from the first frame. */

export interface View {
  from: number
  to: number
}

/** Shortest stretch that can be shown: a few frames. */
const SHORTEST = 0.2

/** Zoom by `factor` (above 1 shows less) so that `at` keeps its place on the screen. */
export function zoomView({ from, to }: View, at: number, factor: number, duration: number): View {
  const length = Math.min(duration, Math.max(Math.min(SHORTEST, duration), (to - from) / factor))
  return within({ from: at - ((at - from) / (to - from)) * length, to: 0 }, length, duration)
}

export function panView({ from, to }: View, by: number, duration: number): View {
  return within({ from: from + by, to: 0 }, to - from, duration)
}

/** A view of a span with some room on both sides. */
export function fitView({ from, to }: View, duration: number): View {
  const room = (to - from) * 0.08
  return within({ from: from - room, to: 0 }, Math.min(duration, Math.max(SHORTEST, to - from + 2 * room)), duration)
}

/** The view, or the next page of it if `time` has left it. */
export function follow(view: View, time: number, duration: number): View {
  if (time >= view.from && time <= view.to) return view
  return within({ from: time - (view.to - view.from) * 0.05, to: 0 }, view.to - view.from, duration)
}

function within({ from }: View, length: number, duration: number): View {
  const start = Math.min(Math.max(0, from), Math.max(0, duration - length))
  return { from: start, to: start + length }
}

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18_000, 36_000]

/** Round times inside a view, at most `most` of them, and the decimals needed to tell them apart. */
export function ticks({ from, to }: View, most: number): { times: number[]; decimals: number } {
  const step = STEPS.find((size) => (to - from) / size <= most) ?? (to - from) / Math.max(1, most)
  const first = Math.ceil(from / step - 1e-6)
  const count = Math.max(0, Math.floor(to / step + 1e-6) - first + 1)
  return { times: Array.from({ length: count }, (_, i) => (first + i) * step), decimals: step >= 1 ? 0 : step >= 0.1 ? 1 : 2 }
}

/** How the clip is being looked at: what of the timeline is shown, what is marked, what is chosen beside the one track, how the picture is zoomed. */
import { create } from 'zustand'
import type { Span } from '../../app/annotation.ts'
import type { View } from '../../app/timeline.ts'

/** Enlarged by `scale` about a point of the picture, in shares 0..1 of it. */
export interface Zoom {
  scale: number
  x: number
  y: number
}

const WHOLE: Zoom = { scale: 1, x: 0.5, y: 0.5 }
const LARGEST = 16

interface Review {
  /** Null shows the whole video. */
  view: View | null
  /** In and out, first and last frame, both shown. */
  markIn: number | null
  markOut: number | null
  loop: boolean
  /** Tracks chosen beside the one that the window knows as chosen, in the order of choice. */
  also: readonly number[]
  /** The next drag on the picture makes a box. */
  drawing: boolean
  zoom: Zoom
  /** The enlarged picture stays on the chosen track. */
  following: boolean
  showBoxes: boolean
  /** Asking for a time or a frame to go to. */
  goingTo: boolean
  setView: (view: View | null) => void
  mark: (edge: 'in' | 'out', ordinal: number | null) => void
  clearMarks: () => void
  toggle: (what: 'loop' | 'following' | 'showBoxes') => void
  setAlso: (also: readonly number[]) => void
  setDrawing: (drawing: boolean) => void
  setZoom: (zoom: Zoom) => void
  setGoingTo: (goingTo: boolean) => void
  /** Another video: nothing of the last one holds. */
  reset: () => void
}

export const useReview = create<Review>((set) => ({
  view: null,
  markIn: null,
  markOut: null,
  loop: true,
  also: [],
  drawing: false,
  zoom: WHOLE,
  following: false,
  showBoxes: true,
  goingTo: false,
  setView: (view) => set({ view }),
  // An out before the in takes it away, and the other way round: a span always has a frame.
  mark: (edge, ordinal) =>
    set(({ markIn, markOut }) =>
      edge === 'in'
        ? { markIn: ordinal, markOut: ordinal !== null && markOut !== null && markOut < ordinal ? null : markOut }
        : { markOut: ordinal, markIn: ordinal !== null && markIn !== null && markIn > ordinal ? null : markIn },
    ),
  clearMarks: () => set({ markIn: null, markOut: null }),
  toggle: (what) => set((now) => ({ [what]: !now[what] })),
  setAlso: (also) => set({ also }),
  setDrawing: (drawing) => set({ drawing }),
  setZoom: ({ scale, x, y }) => {
    const larger = Math.min(LARGEST, Math.max(1, scale))
    const edge = 0.5 / larger
    const inside = (share: number) => Math.min(1 - edge, Math.max(edge, share))
    set({ zoom: { scale: larger, x: inside(x), y: inside(y) } })
  },
  setGoingTo: (goingTo) => set({ goingTo }),
  reset: () => set({ view: null, markIn: null, markOut: null, also: [], drawing: false, zoom: WHOLE, goingTo: false }),
}))

/** What is marked, where both ends are. */
export function markedSpan({ markIn, markOut }: Pick<Review, 'markIn' | 'markOut'>): Span | null {
  return markIn === null || markOut === null ? null : { startFrame: markIn, endFrame: markOut + 1 }
}

/** How the clip is viewed: the visible part of the timeline, the marks, further chosen tracks, the zoom of the picture. */
import { create } from 'zustand'
import type { Span } from '../../app/annotation.ts'
import type { View } from '../../app/timeline.ts'

/** Enlarged by `scale` around a point of the picture, given in shares 0..1 of it. */
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
  /** The in and out marks: first and last frame, both included. */
  markIn: number | null
  markOut: number | null
  loop: boolean
  /** Tracks chosen in addition to the window's chosen one, in order of choice. */
  also: readonly number[]
  /** The next drag on the picture draws a box. */
  drawing: boolean
  zoom: Zoom
  /** The enlarged picture follows the chosen track. */
  following: boolean
  showBoxes: boolean
  /** The field for a time or frame to go to is open. */
  goingTo: boolean
  setView: (view: View | null) => void
  mark: (edge: 'in' | 'out', ordinal: number | null) => void
  clearMarks: () => void
  toggle: (what: 'loop' | 'following' | 'showBoxes') => void
  setAlso: (also: readonly number[]) => void
  setDrawing: (drawing: boolean) => void
  setZoom: (zoom: Zoom) => void
  setGoingTo: (goingTo: boolean) => void
  /** For another video: nothing of the last one applies. */
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
  // An out mark before the in mark removes it, and the other way round: a span always has a frame.
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

/** The marked span, if both ends are set. */
export function markedSpan({ markIn, markOut }: Pick<Review, 'markIn' | 'markOut'>): Span | null {
  return markIn === null || markOut === null ? null : { startFrame: markIn, endFrame: markOut + 1 }
}

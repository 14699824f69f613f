/** The player's clock, apart from the rest of the window: it ticks with every shown frame, and only what draws a time listens. */
import { create } from 'zustand'

/** Which frame is which time: PTS by ordinal, and how to make seconds of them. */
export interface FrameTable {
  timeBase: { num: number; den: number }
  startPts: number
  pts: readonly number[]
}

interface Player {
  /** Seconds from the first frame, of the frame that is shown. */
  time: number
  playing: boolean
  /** Whether sound is off: a choice that outlives the video. */
  muted: boolean
  /** A frame to show as soon as its video and its frame table are there. */
  goal: { sourceId: number; ordinal: number } | null
  video: HTMLVideoElement | null
  attach: (video: HTMLVideoElement | null) => void
  setTime: (time: number) => void
  setPlaying: (playing: boolean) => void
  toggleSound: () => void
}

export const usePlayer = create<Player>((set) => ({
  time: 0,
  playing: false,
  muted: false,
  goal: null,
  video: null,
  attach: (video) => set({ video, time: 0, playing: false }),
  setTime: (time) => set({ time }),
  setPlaying: (playing) => set({ playing }),
  toggleSound: () => set(({ muted }) => ({ muted: !muted })),
}))

export function seek(seconds: number): void {
  const { video } = usePlayer.getState()
  if (video === null) return
  video.currentTime = Math.max(0, Number.isFinite(video.duration) ? Math.min(seconds, video.duration) : seconds)
}

/** Go on or back in time. From where the player is going, not from what it still shows: quick presses add up. */
export function skip(seconds: number): void {
  const { video } = usePlayer.getState()
  if (video !== null) seek(video.currentTime + seconds)
}

export function togglePlay(): void {
  const { video } = usePlayer.getState()
  if (video?.paused) void video.play().catch(() => undefined)
  else video?.pause()
}

export function timeOf(table: FrameTable, ordinal: number): number {
  return (((table.pts[ordinal] ?? table.startPts) - table.startPts) * table.timeBase.num) / table.timeBase.den
}

/** PTS ticks of a time in seconds from the first frame. */
export function ptsAt(table: Pick<FrameTable, 'timeBase' | 'startPts'>, seconds: number): number {
  return table.startPts + (seconds * table.timeBase.den) / table.timeBase.num
}

/** The frame that is on the screen at a time: the last one that began, 0 before the first. */
export function ordinalAt(table: FrameTable, seconds: number): number {
  // Players report a frame’s time rounded to a microsecond.
  const pts = ptsAt(table, seconds + 0.0001)
  let low = 0
  let high = table.pts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((table.pts[middle] ?? 0) <= pts) low = middle
    else high = middle - 1
  }
  return low
}

/** Where to seek so that exactly this frame is shown: its middle, since a boundary may round to either side. */
export function seekTarget(table: FrameTable, ordinal: number): number {
  const frame = Math.min(Math.max(0, ordinal), Math.max(0, table.pts.length - 1))
  const begins = timeOf(table, frame)
  return frame + 1 < table.pts.length ? (begins + timeOf(table, frame + 1)) / 2 : begins + 0.001
}

/** Pause and show one frame of the chosen video, at once or when it is there. */
export function goToFrame(sourceId: number, ordinal: number): void {
  usePlayer.setState({ goal: { sourceId, ordinal } })
}

/** Pause and show the frame `by` frames from this one. */
export function step(table: FrameTable, by: number): void {
  const { video } = usePlayer.getState()
  if (video === null || table.pts.length === 0) return
  video.pause()
  seek(seekTarget(table, ordinalAt(table, video.currentTime) + by))
}

/**
 * The player's clock, separate from the rest of the window: it ticks with every shown frame, and only components that draw a time subscribe
 * to it.
 */
import { create } from 'zustand'

/** Which frame is shown at which time: PTS by ordinal, and what converts them to seconds. */
export interface FrameTable {
  timeBase: { num: number; den: number }
  startPts: number
  pts: readonly number[]
}

interface Player {
  /** Seconds from the first frame, of the frame that is shown. */
  time: number
  playing: boolean
  /** Playback speed as a multiple of the chosen rate; negative plays backwards. */
  shuttle: number
  /** The chosen rate: kept when another video is opened, as the volume is. */
  rate: number
  muted: boolean
  /** 0..1 */
  volume: number
  video: HTMLVideoElement | null
  /** Seconds of the video element's time at which the first frame is shown. */
  origin: number
  /** Target of a seek of which no frame was shown yet, in seconds from the first frame. */
  going: number | null
  /** When that seek was asked for, in milliseconds of `performance.now()`. */
  left: number
  /** A frame to show as soon as its video and its frame table are loaded. */
  goal: { sourceId: number; ordinal: number } | null
  attach: (video: HTMLVideoElement | null) => void
  /** @param shown The video element's time of the frame that is shown. @param since When it was put on the screen, in milliseconds of `performance.now()`. */
  setShown: (shown: number, since: number) => void
  setPlaying: (playing: boolean) => void
  toggleSound: () => void
  setVolume: (volume: number) => void
  setRate: (rate: number) => void
}

export const usePlayer = create<Player>((set) => ({
  time: 0,
  playing: false,
  shuttle: 1,
  rate: 1,
  muted: false,
  volume: 1,
  video: null,
  origin: 0,
  going: null,
  left: 0,
  goal: null,
  attach: (video) => {
    backwards?.abort()
    set({ video, time: 0, playing: false, shuttle: 1, going: null })
  },
  // A frame of an earlier seek may come while a later one is under way, and the browser may tell of a frame from before a seek when that is over already.
  setShown: (shown, since) =>
    set(({ origin, video, going, left }) => ({
      time: Math.max(0, shown - origin),
      going: video?.seeking === true || since < left ? going : null,
    })),
  setPlaying: (playing) => set({ playing }),
  toggleSound: () => set(({ muted }) => ({ muted: !muted })),
  setVolume: (volume) => set({ volume, muted: volume === 0 }),
  setRate: (rate) => {
    set({ rate })
    const { video, shuttle, playing } = usePlayer.getState()
    if (video && playing && shuttle > 0) video.playbackRate = shuttle * rate
  },
}))

/** @param seconds From the first frame. */
export function seek(seconds: number): void {
  const { video, origin } = usePlayer.getState()
  if (video === null) return
  const goal = origin + Math.max(0, seconds)
  usePlayer.setState({ going: Math.max(0, seconds), left: performance.now() })
  video.currentTime = Number.isFinite(video.duration) ? Math.min(goal, video.duration) : goal
}

/** Where a player is or is seeking to, in seconds from the first frame. */
function whereabouts({ currentTime }: HTMLVideoElement): number {
  return Math.max(0, currentTime - usePlayer.getState().origin)
}

/** Move in time. From where the player is seeking to, not from what it still shows, so that quick presses add up. */
export function skip(seconds: number): void {
  const { video } = usePlayer.getState()
  if (video !== null) seek(whereabouts(video) + seconds)
}

export function pause(): void {
  backwards?.abort()
  // At once: what the browser tells of frames and of the end before it tells of the pause is no playing.
  usePlayer.setState({ playing: false })
  usePlayer.getState().video?.pause()
}

export function play(shuttle: number): void {
  const { video, rate } = usePlayer.getState()
  if (video === null) return
  backwards?.abort()
  backwards = null
  // Set at once, before the browser reports it, so that quick presses of the same key add up.
  usePlayer.setState({ shuttle, playing: true })
  video.playbackRate = Math.min(16, shuttle * rate)
  void video.play().catch(() => usePlayer.setState({ playing: !video.paused }))
}

export function togglePlay(): void {
  if (usePlayer.getState().playing) pause()
  else play(1)
}

const FASTEST = 8

/** Play in a direction; if it already plays that way, twice as fast. */
export function shuttle(direction: 1 | -1, table: FrameTable | undefined): void {
  const { playing, shuttle: now } = usePlayer.getState()
  const speed = playing && Math.sign(now) === direction ? Math.min(FASTEST, Math.abs(now) * 2) : 1
  if (direction === 1) play(speed)
  else if (table) void playBackwards(table, speed)
}

let backwards: AbortController | null = null

/** Browsers cannot play backwards, so frames are shown one by one, as many as time allows. */
async function playBackwards(table: FrameTable, speed: number): Promise<void> {
  const { video, rate } = usePlayer.getState()
  if (video === null || table.pts.length === 0) return
  pause()
  const stop = (backwards = new AbortController())
  usePlayer.setState({ playing: true, shuttle: -speed })
  const [began, from] = [performance.now(), whereabouts(video)]
  let shown = ordinalAt(table, from)
  while (shown > 0 && !stop.signal.aborted) {
    const next = ordinalAt(table, Math.max(0, from - ((performance.now() - began) / 1000) * speed * rate))
    if (next === shown) await new Promise(requestAnimationFrame)
    else {
      const seeked = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true, signal: stop.signal }))
      const stopped = new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }))
      seek(seekTarget(table, (shown = next)))
      await Promise.race([seeked, stopped])
    }
  }
  if (backwards !== stop) return
  backwards = null
  usePlayer.setState({ playing: false, shuttle: 1 })
}

export function timeOf(table: FrameTable, ordinal: number): number {
  return (((table.pts[ordinal] ?? table.startPts) - table.startPts) * table.timeBase.num) / table.timeBase.den
}

/** When a span of frames ends: where the next frame begins, or `otherwise` if there is none. */
export function endTime(table: FrameTable, endFrame: number, otherwise: number): number {
  return endFrame < table.pts.length ? timeOf(table, endFrame) : otherwise
}

/** PTS ticks of a time in seconds from the first frame. */
export function ptsAt(table: Pick<FrameTable, 'timeBase' | 'startPts'>, seconds: number): number {
  return table.startPts + (seconds * table.timeBase.den) / table.timeBase.num
}

/** The frame on the screen at a time: the last one that has begun, 0 before the first. */
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

/** Where to seek so that exactly this frame is shown: its middle, since a boundary may be rounded to either side. */
export function seekTarget(table: FrameTable, ordinal: number): number {
  const frame = Math.min(Math.max(0, ordinal), Math.max(0, table.pts.length - 1))
  const begins = timeOf(table, frame)
  return frame + 1 < table.pts.length ? (begins + timeOf(table, frame + 1)) / 2 : begins + 0.001
}

/**
 * Pause and show the frame `by` frames from the one shown, or from the one that quick presses are seeking to: the player's own clock may be
 * past it.
 */
export function step(table: FrameTable, by: number): void {
  const { video, time, going } = usePlayer.getState()
  if (video === null || table.pts.length === 0) return
  pause()
  const from = ordinalAt(table, going ?? time)
  // At the first and the last frame it stays.
  if (table.pts[from + by] !== undefined) seek(seekTarget(table, from + by))
}

/** Pause and show one frame of the chosen video, now or as soon as it is loaded. */
export function goToFrame(sourceId: number, ordinal: number): void {
  usePlayer.setState({ goal: { sourceId, ordinal } })
}

/** Pause and show a frame. */
export function showFrame(table: FrameTable, ordinal: number): void {
  pause()
  seek(seekTarget(table, ordinal))
}

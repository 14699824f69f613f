/** Made-up measurements of clips for the tests of facts, captions and answers. */
import { COLOURS, type Colour } from '../colours.ts'
import type { CameraTrace } from './camera.ts'
import type { ClipMeasures, ThingTrack } from './input.ts'

export const KNOWN = [
  'person',
  'bicycle',
  'car',
  'bus',
  'truck',
  'bird',
  'cat',
  'dog',
  'horse',
  'bottle',
  'cup',
  'chair',
  'dining table',
  'sports ball',
  'tv',
  'traffic light',
  'orange',
  'apple',
  'bench',
]

const FRAME = { width: 640, height: 360 }

interface Part {
  label: string
  from?: number
  to?: number
  /** Middle at the start and at the end, in pixels. */
  at?: [number, number]
  till?: [number, number]
  size?: [number, number]
  score?: number
  colour?: Colour
}

/** A thing that is seen four times a second and moves evenly. The clip lasts ten seconds. */
export function thing({ label, from = 0, to = 10, at = [320, 180], till = at, size = [80, 60], score = 0.985, colour }: Part): ThingTrack {
  const looks = Math.round((to - from) * 4)
  return {
    label,
    score,
    boxes: Array.from({ length: looks + 1 }, (_, i) => {
      const share = i / Math.max(1, looks)
      const [x, y] = [at[0] + share * (till[0] - at[0]), at[1] + share * (till[1] - at[1])]
      const time = from + i / 4
      return {
        ordinal: Math.round(time * 24),
        time,
        score,
        box: { x1: x - size[0] / 2, y1: y - size[1] / 2, x2: x + size[0] / 2, y2: y + size[1] / 2 },
      }
    }),
    ...(colour ? { colours: COLOURS.map((one) => (one === colour ? 0.8 : 0.02)) } : {}),
  }
}

/** A camera that stands, or whose ground moves evenly by (dx, dy) of the picture in ten seconds. */
export function camera(dx = 0, dy = 0): CameraTrace {
  const moves = dx !== 0 || dy !== 0
  const seconds = Array.from({ length: 10 }, (_, i) => i)
  return {
    steps: seconds.map((i) => ({ from: i, to: i + 1, dx: dx / 10, dy: dy / 10, zoom: 0, trust: 0.9 })),
    stays: seconds.map((i) => ({ from: i, to: i + 1, rests: moves ? 0.05 : 0.95 })),
  }
}

export function clip(tracks: readonly ThingTrack[], rest: Partial<ClipMeasures> = {}, weak: Record<string, number> = {}): ClipMeasures {
  const looked = Array.from({ length: 41 }, (_, i) => ({ ordinal: 6 * i, time: i / 4 }))
  return {
    span: { from: 0, to: 10 },
    frame: FRAME,
    things: {
      tracks,
      looked,
      weak: { ...Object.fromEntries(tracks.map(({ label, score }) => [label, score])), ...weak },
      known: KNOWN,
      asked: 0.6,
      volunteered: 0.8,
    },
    camera: camera(),
    light: looked.map(({ time }) => ({ time, mean: 130, spread: 40, change: 3 })),
    lines: [],
    ...rest,
  }
}

export const line = (text: string, from = 1, to = 6, score = 0.95) => ({
  text,
  ordinal: Math.round(24 * from),
  from,
  to,
  score,
  box: { x1: 10, y1: 300, x2: 300, y2: 330 },
})

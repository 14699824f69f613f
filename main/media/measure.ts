/** What is measured of every sampled frame, whatever packs there are: from small grey pictures. */
import type { RelativeBox } from '../../app/boxes.ts'
import { CameraGauge, type CameraTrace, type GreyPicture } from '../../app/facts/camera.ts'
import { type LightSample, lightSample } from '../../app/facts/light.ts'
import { type FrameRef, type Probe, secondsOf } from '../../app/media.ts'

/** The longer side of the grey pictures. */
const GREY_SIDE = 160

/** What was measured of the frames of a clip. Times in seconds from the first frame of the source. */
export interface Measured {
  camera: CameraTrace
  light: LightSample[]
}

/** A sampled frame, one byte a pixel, of the size `greySize`. */
export interface GreyFrame extends FrameRef {
  grey: Uint8Array
}

export function greySize({ width, height }: Pick<Probe, 'width' | 'height'>): { width: number; height: number } {
  const scale = GREY_SIDE / Math.max(width, height)
  return { width: Math.max(16, Math.round(width * scale)), height: Math.max(16, Math.round(height * scale)) }
}

/** Pixels between those of a picture that are compared, and side of the squares that are compared as a whole, in these. */
const STEP = 4
const SQUARE = 4
/** Mean difference of a square's three channels together, 0..765, at which something has changed there: noise and compression stay below. */
const CHANGED = 27

/** What of a picture is compared: every so manieth pixel of every so manieth row, RGB24. */
export interface Thinned {
  rgb: Uint8Array
  columns: number
}

/** @param rgb RGB24. @param width In pixels. */
export function thinned(rgb: Uint8Array, width: number): Thinned {
  const [columns, rows] = [Math.ceil(width / STEP), Math.ceil(rgb.length / 3 / width / STEP)]
  const out = new Uint8Array(columns * rows * 3)
  for (let row = 0, to = 0; row < rows; row++) {
    for (let column = 0, at = row * STEP * width * 3; column < columns; column++, at += STEP * 3) {
      out[to++] = rgb[at] ?? 0
      out[to++] = rgb[at + 1] ?? 0
      out[to++] = rgb[at + 2] ?? 0
    }
  }
  return { rgb: out, columns }
}

/** Where a person would see that something has changed between two pictures of one size: squares, in shares of the picture. */
export function changesBetween({ rgb: a, columns }: Thinned, { rgb: b }: Thinned): RelativeBox[] {
  const rows = a.length / 3 / columns
  const changed: RelativeBox[] = []
  for (let top = 0; top < rows; top += SQUARE) {
    const bottom = Math.min(top + SQUARE, rows)
    for (let left = 0; left < columns; left += SQUARE) {
      const right = Math.min(left + SQUARE, columns)
      let sum = 0
      for (let y = top; y < bottom; y++)
        for (let at = 3 * (y * columns + left); at < 3 * (y * columns + right); at++) sum += Math.abs((a[at] ?? 0) - (b[at] ?? 0))
      if (sum > CHANGED * (bottom - top) * (right - left))
        changed.push({
          cx: (left + right) / 2 / columns,
          cy: (top + bottom) / 2 / rows,
          w: (right - left) / columns,
          h: (bottom - top) / rows,
        })
    }
  }
  return changed
}

/** @param frames Of one clip, in order. */
export function measure(frames: readonly GreyFrame[], probe: Probe): Measured {
  const size = greySize(probe)
  const gauge = new CameraGauge()
  let before: GreyPicture | null = null
  const light = frames.map(({ grey, pts }) => {
    const [picture, time] = [{ grey, ...size }, secondsOf(pts, probe)]
    gauge.add(picture, time)
    const sample = lightSample(picture, time, before)
    before = picture
    return sample
  })
  return { camera: gauge.trace, light }
}

/** What is measured of every sampled frame, whatever packs there are: from small grey pictures. */
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

/** Pixels between those of a picture that are compared, and side of the squares that are compared as a whole, in compared pixels. */
const STEP = 4
const SQUARE = 4
/** Mean difference of a square's three channels together, 0..765, at which something has changed there: noise and compression stay below. */
const CHANGED = 27

/** Whether nothing a person would see has changed between two pictures, RGB24 of one size. @param width In pixels. */
export function looksAlike(a: Uint8Array, b: Uint8Array, width: number): boolean {
  const height = a.length / 3 / width
  const side = STEP * SQUARE
  for (let top = 0; top < height; top += side) {
    for (let left = 0; left < width; left += side) {
      let [sum, count] = [0, 0]
      for (let y = top; y < Math.min(top + side, height); y += STEP) {
        for (let x = left; x < Math.min(left + side, width); x += STEP) {
          const at = 3 * (y * width + x)
          sum +=
            Math.abs((a[at] ?? 0) - (b[at] ?? 0)) +
            Math.abs((a[at + 1] ?? 0) - (b[at + 1] ?? 0)) +
            Math.abs((a[at + 2] ?? 0) - (b[at + 2] ?? 0))
          count += 1
        }
      }
      if (sum > CHANGED * count) return false
    }
  }
  return true
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

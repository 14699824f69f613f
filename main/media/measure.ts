/** Measures every sampled frame on small grey pictures, whichever packs are in use. */
import { CameraGauge, type CameraTrace } from '../../app/facts/camera.ts'
import { type LightSample, lightSample } from '../../app/facts/light.ts'
import type { GreyPicture } from '../../app/facts/tiles.ts'
import { type FrameRef, type Probe, secondsOf } from '../../app/media.ts'

/** The longer side of the grey pictures, pixels. */
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

/** Pixels of a grey picture's side that are averaged, against noise, and the most by which their brightness (0..255) may differ in pictures that look the same. */
const [BLOCK, SAME] = [4, 12]

/** Whether two grey pictures of one size show the same: nothing in them moved. */
export function looksSame(a: Uint8Array, b: Uint8Array, width: number): boolean {
  const height = a.length / width
  for (let top = 0; top < height; top += BLOCK)
    for (let left = 0; left < width; left += BLOCK) {
      let [sum, count] = [0, 0]
      for (let y = top; y < Math.min(height, top + BLOCK); y++)
        for (let x = left; x < Math.min(width, left + BLOCK); x++) {
          sum += (a[y * width + x] ?? 0) - (b[y * width + x] ?? 0)
          count += 1
        }
      if (Math.abs(sum) > SAME * count) return false
    }
  return true
}

/** Measures one clip as it grows: what was measured of its beginning is reused for the whole. */
export class Measuring {
  readonly #probe: Probe
  #gauge = new CameraGauge()
  #light: LightSample[] = []
  #before: GreyPicture | null = null

  constructor(probe: Probe) {
    this.#probe = probe
  }

  /** @param frames The clip's frames so far, in order: those of the last call and newer ones, or fewer if the clip ended earlier. */
  of(frames: readonly GreyFrame[]): Measured {
    if (frames.length < this.#light.length) {
      this.#gauge = new CameraGauge()
      this.#light = []
      this.#before = null
    }
    const size = greySize(this.#probe)
    for (const { grey, pts } of frames.slice(this.#light.length)) {
      const [picture, time] = [{ grey, ...size }, secondsOf(pts, this.#probe)]
      this.#gauge.add(picture, time)
      this.#light.push(lightSample(picture, time, this.#before))
      this.#before = picture
    }
    return { camera: this.#gauge.trace, light: [...this.#light] }
  }
}

/** Parts of decoded pictures at another size. */

/** Display-oriented, RGB24: [height, width, 3]. */
export interface Picture {
  rgb: Uint8Array
  width: number
  height: number
}

/** A part of a picture in its pixels; its edges need not be whole. */
export interface Part {
  x: number
  y: number
  width: number
  height: number
}

/** For each of `to` places along one side, the pixels that it is made of: `first[i]`, `count[i]`, and their weights one after the other. */
interface Taps {
  first: Int32Array
  count: Int32Array
  weights: Float32Array
  most: number
}

/** Area averaging where the part shrinks, bilinear where it grows; pixels beyond the picture's edge repeat it. @returns [height, width, 3] */
export function resized(picture: Picture, part: Part, width: number, height: number): Uint8Array {
  const across = taps(part.x, part.width, width, picture.width)
  const down = taps(part.y, part.height, height, picture.height)
  const top = down.first[0] ?? 0
  const bottom = (down.first[height - 1] ?? 0) + (down.count[height - 1] ?? 0)
  const { rgb } = picture
  // Rows first: what lies above and below the part is never touched.
  const rows = new Float32Array((bottom - top) * width * 3)
  for (let y = top, to = 0; y < bottom; y++) {
    const line = y * picture.width * 3
    for (let x = 0; x < width; x++) {
      const count = across.count[x] ?? 0
      const weight = x * across.most
      let from = line + (across.first[x] ?? 0) * 3
      let [r, g, b] = [0, 0, 0]
      for (let tap = 0; tap < count; tap++) {
        const share = across.weights[weight + tap] ?? 0
        r += share * (rgb[from++] ?? 0)
        g += share * (rgb[from++] ?? 0)
        b += share * (rgb[from++] ?? 0)
      }
      rows[to++] = r
      rows[to++] = g
      rows[to++] = b
    }
  }
  const out = new Uint8Array(width * height * 3)
  const stride = width * 3
  for (let y = 0; y < height; y++) {
    const count = down.count[y] ?? 0
    const from = ((down.first[y] ?? 0) - top) * stride
    for (let i = 0; i < stride; i++) {
      let sum = 0.5
      for (let tap = 0; tap < count; tap++) sum += (down.weights[y * down.most + tap] ?? 0) * (rows[from + tap * stride + i] ?? 0)
      out[y * stride + i] = sum
    }
  }
  return out
}

function taps(start: number, length: number, to: number, size: number): Taps {
  const step = length / to
  const most = Math.max(2, Math.ceil(step) + 1)
  const out = { first: new Int32Array(to), count: new Int32Array(to), weights: new Float32Array(to * most), most }
  const within = (at: number) => Math.min(Math.max(at, 0), size - 1)
  for (let i = 0; i < to; i++) {
    const parts = step > 1 ? covered(start + i * step, step) : between(start + (i + 0.5) * step - 0.5)
    const first = within(parts.first)
    const last = within(parts.first + parts.weights.length - 1)
    out.first[i] = first
    out.count[i] = last - first + 1
    for (const [tap, weight] of parts.weights.entries()) {
      const at = i * most + within(parts.first + tap) - first
      out.weights[at] = (out.weights[at] ?? 0) + weight
    }
  }
  return out
}

/** The pixels under [from, from + length), each by its share. */
function covered(from: number, length: number): { first: number; weights: number[] } {
  const first = Math.floor(from)
  const weights: number[] = []
  for (let at = first; at < from + length - 1e-6; at++) weights.push((Math.min(at + 1, from + length) - Math.max(at, from)) / length)
  return { first, weights }
}

/** The two pixels whose centres lie around a place. */
function between(place: number): { first: number; weights: number[] } {
  const first = Math.floor(place)
  return { first, weights: [1 - (place - first), place - first] }
}

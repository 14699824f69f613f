/** The discrete Fourier transform of small square planes, in place (Cooley and Tukey, radix 2). */

/** A plane of complex numbers, row by row. */
export interface Plane {
  re: Float32Array
  im: Float32Array
}

export class Fourier {
  readonly side: number
  readonly #cos: Float32Array
  readonly #sin: Float32Array
  /** The position of each element of a line before the butterflies: its index with the bits reversed. */
  readonly #swap: Int32Array

  /** @param side A power of two. */
  constructor(side: number) {
    this.side = side
    this.#cos = Float32Array.from({ length: side / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / side))
    this.#sin = Float32Array.from({ length: side / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / side))
    const bits = Math.log2(side)
    this.#swap = Int32Array.from({ length: side }, (_, i) =>
      Array.from({ length: bits }, (__, bit) => ((i >> bit) & 1) << (bits - 1 - bit)).reduce((sum, one) => sum + one, 0),
    )
  }

  /** The spectrum of real values. */
  forward(values: Float32Array): Plane {
    const plane = { re: Float32Array.from(values), im: new Float32Array(values.length) }
    this.#transform(plane)
    return plane
  }

  /** The real part of the inverse transform; the spectrum is overwritten. */
  backward({ re, im }: Plane): Float32Array {
    // The inverse is the conjugate of the transform of the conjugate.
    for (let i = 0; i < im.length; i++) im[i] = -(im[i] ?? 0)
    this.#transform({ re, im })
    for (let i = 0; i < re.length; i++) re[i] = (re[i] ?? 0) / re.length
    return re
  }

  #transform(plane: Plane): void {
    const { side } = this
    for (let i = 0; i < side; i++) this.#line(plane, i * side, 1)
    for (let i = 0; i < side; i++) this.#line(plane, i, side)
  }

  // The innermost loop of following an object: no arrays are allocated here.
  #line({ re, im }: Plane, start: number, stride: number): void {
    const { side } = this
    for (let i = 0; i < side; i++) {
      const j = this.#swap[i] ?? 0
      if (j <= i) continue
      const a = start + i * stride
      const b = start + j * stride
      const keptRe = re[a] ?? 0
      const keptIm = im[a] ?? 0
      re[a] = re[b] ?? 0
      im[a] = im[b] ?? 0
      re[b] = keptRe
      im[b] = keptIm
    }
    for (let length = 2; length <= side; length *= 2) {
      const half = length >> 1
      const step = side / length
      for (let k = 0; k < half; k++) {
        const cos = this.#cos[k * step] ?? 0
        const sin = this.#sin[k * step] ?? 0
        for (let block = k; block < side; block += length) {
          const a = start + block * stride
          const b = a + half * stride
          const bRe = re[b] ?? 0
          const bIm = im[b] ?? 0
          const turnedRe = bRe * cos - bIm * sin
          const turnedIm = bRe * sin + bIm * cos
          const aRe = re[a] ?? 0
          const aIm = im[a] ?? 0
          re[a] = aRe + turnedRe
          im[a] = aIm + turnedIm
          re[b] = aRe - turnedRe
          im[b] = aIm - turnedIm
        }
      }
    }
  }
}

/** Arithmetic of embeddings. */

/**
 * Dot product.
 * @param a, b Vectors of the same length.
 */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let at = 0; at < a.length; at += 1) sum += (a[at] ?? 0) * (b[at] ?? 0)
  return sum
}

/** Whether a vector can be compared: one of zeros has no direction, nor has one with values that are no numbers. */
export function isDirection(vector: Float32Array): boolean {
  let square = 0
  for (let at = 0; at < vector.length; at += 1) square += (vector[at] ?? 0) ** 2
  return Number.isFinite(square) && square > 0
}

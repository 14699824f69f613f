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

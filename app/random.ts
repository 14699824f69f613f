/**
 * A repeatable stream of numbers in [0, 1), for maps that must come out alike and for tests with made-up input. Not for secrets.
 * The generator is mulberry32 by Tommy Ettinger, public domain.
 */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

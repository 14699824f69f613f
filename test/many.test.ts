/** A few short videos through one session (many.ts): nothing stays open. `npm run many` does thousands, and measures memory too. */
import { expect, test } from 'vitest'
import { many } from './many.ts'

test.skipIf(process.platform !== 'linux')(
  'videos, requests and streams of events leave no file open, and the log of the library stays short',
  { timeout: 300_000, meta: { needs: 'Linux' } },
  async () => {
    const { measured, faults } = await many({ videos: 20, packs: 'one', measurements: 10 })
    expect(faults).toEqual([])
    // In the middle and at the end; some files are open only for a moment.
    const least = (some: typeof measured) => Math.min(...some.map(({ files }) => files))
    const half = Math.ceil(measured.length / 2)
    expect(least(measured.slice(half))).toBeLessThanOrEqual(least(measured.slice(0, half)) + 4)
    const last = measured.at(-1)
    expect(last?.done).toBe(20)
    expect(last?.requests).toBeGreaterThan(20)
    expect(last?.engineFiles).toBe(measured[half]?.engineFiles)
    expect(last?.log).toBeLessThan(8)
  },
)

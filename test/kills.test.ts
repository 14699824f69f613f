/** Thirty kills at random moments (kills.ts). `npm run kills` does two hundred with all packs. */
import { expect, test } from 'vitest'
import { kills } from './kills.ts'

test.skipIf(process.platform !== 'linux')(
  'nothing that was shown as done or decided is lost, and nothing is double, when the host, engines, ffmpeg or threads are killed',
  { timeout: 300_000, meta: { needs: 'Linux' } },
  async () => {
    const times = { host: 2, engine: 4, ffmpeg: 12, thread: 12 }
    const { killed, compared, decided, faults } = await kills({ seed: 18, times, videos: 5, packs: 'one' })
    expect(faults).toEqual([])
    expect(killed).toEqual(times)
    expect(Math.min(compared, decided)).toBeGreaterThan(0)
  },
)

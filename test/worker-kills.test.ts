import { expect, test } from 'vitest'
import { workerKills } from './worker-kills.ts'
import { hasRedis } from './workers.ts'

test.skipIf(!hasRedis)(
  'twenty random kills of workers, of the store of tickets and of the host: nothing is lost and nothing is double',
  { timeout: 400_000, meta: { needs: 'redis-server' } },
  async () => {
    const { killed, duringWork, found, alone } = await workerKills({ seed: 21, times: 20, videos: 32, longest: 1.2 })
    expect(found).toEqual(alone)
    expect(Object.keys(found)).toHaveLength(32)
    expect(Object.keys(killed).toSorted()).toEqual(['a', 'b', 'c', 'host', 'store'])
    // Kills of workers that have nothing to do would show nothing.
    expect(duringWork).toBeGreaterThanOrEqual(10)
  },
)

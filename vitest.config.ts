import { defineConfig } from 'vitest/config'

declare module 'vitest' {
  interface TaskMeta {
    /** What a test needs from the machine; it is skipped where that is missing. test/results.mjs lists what may be missing. */
    needs?: string
  }
}

export default defineConfig({
  test: {
    include: ['app/**/*.test.ts', 'main/**/*.test.ts', 'renderer/**/*.test.{ts,tsx}', 'test/*.test.ts'],
    // In CI a failed test is tried once more; `npm test` lists each one that passed only then.
    retry: process.env['CI'] === undefined ? 0 : 1,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // Two cores: tests that start ffmpeg and the engine must not starve each other.
    maxWorkers: 2,
    pool: 'forks',
  },
})

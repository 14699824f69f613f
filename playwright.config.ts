import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'test',
  testMatch: '**/*.spec.ts',
  timeout: 120_000,
  expect: { timeout: 20_000 },
  // Two cores: ffmpeg, the engine and the browser are enough load for one test at a time.
  workers: 1,
  // In CI a failed test is retried once; `npm test` lists each one that passed only then.
  retries: process.env['CI'] === undefined ? 0 : 1,
  use: {
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-background-networking', '--disable-gpu'],
    },
    screenshot: 'only-on-failure',
  },
})

/** The real clips that tests and the benchmark run on: a folder beside the project, or TUBELET_CLIPS. */
import { existsSync } from 'node:fs'
import path from 'node:path'

/** Null, said loudly, where there are none. */
export function clipsFolder(): string | null {
  const folder = process.env['TUBELET_CLIPS'] ?? path.resolve(import.meta.dirname, '..', '..', 'shared', 'clips')
  if (existsSync(folder)) return folder
  console.warn(`\n!!! No real clips at ${folder}: what needs them is SKIPPED. Set TUBELET_CLIPS to a folder of videos.\n`)
  return null
}

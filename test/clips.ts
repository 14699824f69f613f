/** The videos of tests and measurements. */
import { existsSync } from 'node:fs'
import path from 'node:path'

/** The path of a small video that is in the project, see clips/README.md. */
export const clip = (name: string) => path.join(import.meta.dirname, 'clips', name)

/** The folder of real clips with ground truth, for measurements: TUBELET_CLIPS, or a folder beside the project. Null, with a warning, where there is none. */
export function clipsFolder(): string | null {
  const folder = process.env['TUBELET_CLIPS'] ?? path.resolve(import.meta.dirname, '..', '..', 'shared', 'clips')
  if (existsSync(folder)) return folder
  console.warn(`\n!!! No real clips at ${folder}: what needs them is SKIPPED. Set TUBELET_CLIPS to a folder of videos.\n`)
  return null
}

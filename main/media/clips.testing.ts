/** The real clips that the tests of this folder run on, and what ffprobe says of their frames when asked in another way than the product asks. */
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { describe } from 'vitest'
import { type MediaTools, runTool } from './tools.ts'

export const CLIPS = process.env['TUBELET_CLIPS'] ?? path.resolve(import.meta.dirname, '../../../shared/clips')
const present = existsSync(CLIPS)
if (!present) console.warn(`SKIPPED: the tests on real video, because ${CLIPS} does not exist. Set TUBELET_CLIPS to the folder with the clips.`)

export const describeWithClips = describe.skipIf(!present)

export function clipNames(pattern: RegExp): string[] {
  return present ? readdirSync(CLIPS).filter((name) => pattern.test(name)) : []
}

/** PTS of every frame that ffprobe decodes of the first video stream. */
export async function decodedPts({ ffprobe }: MediaTools, file: string): Promise<number[]> {
  const args = ['-v', 'quiet', '-threads', '2', '-select_streams', 'v:0', '-show_frames', '-show_entries', 'frame=best_effort_timestamp', '-of', 'csv=p=0', file]
  if (ffprobe === null) throw new Error('the tests need ffprobe')
  const { stdout } = await runTool(ffprobe, args)
  return [...stdout.toString().matchAll(/^-?\d+/gm)].map(Number)
}

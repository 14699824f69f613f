/** The videos that tests run on, and what ffprobe says of their frames when asked in another way than the product asks. */
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { type MediaTools, runTool } from './tools.ts'

const COMMITTED = path.resolve(import.meta.dirname, '../../test/clips')
/** Further videos, for the tests that walk over all. */
const MORE = process.env['TUBELET_CLIPS'] ?? path.resolve(import.meta.dirname, '../../../shared/clips')

/** A video that is in the project, see test/clips/README.md, or of the further ones. */
export function clipPath(name: string): string {
  const committed = path.join(COMMITTED, name)
  return existsSync(committed) ? committed : path.join(MORE, name)
}

export function clipNames(pattern: RegExp): string[] {
  const names = [COMMITTED, MORE].flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
  return [...new Set(names)].filter((name) => pattern.test(name)).sort()
}

/** PTS of every frame that ffprobe decodes of the first video stream. */
export async function decodedPts({ ffprobe }: MediaTools, file: string): Promise<number[]> {
  const args = [
    '-v',
    'quiet',
    '-threads',
    '2',
    '-select_streams',
    'v:0',
    '-show_frames',
    '-show_entries',
    'frame=best_effort_timestamp',
    '-of',
    'csv=p=0',
    file,
  ]
  if (ffprobe === null) throw new Error('the tests need ffprobe')
  const { stdout } = await runTool(ffprobe, args)
  return [...stdout.toString().matchAll(/^-?\d+/gm)].map(Number)
}

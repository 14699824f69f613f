/** The videos that tests run on, and their frame times as ffprobe gives them, read in another way than the product does. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import type { MediaTools } from './tools.ts'

const COMMITTED = path.resolve(import.meta.dirname, '../../test/clips')
/** The folder of further videos, for tests over all videos. */
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

/** Run a tool to its end without the fence, which lets it write no file but a named one. A test makes its videos so. */
export async function freely(tool: string, args: readonly string[]): Promise<{ stdout: Buffer; stderr: string }> {
  const child = spawn(tool, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, said]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject))
  return { stdout: Buffer.concat(out), stderr: Buffer.concat(said).toString() }
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
  const { stdout } = await freely(ffprobe, args)
  return [...stdout.toString().matchAll(/^-?\d+/gm)].map(Number)
}

/** An MP4 of H.264, its `moov` behind its pictures, with a clean aperture in the middle of them: box `clap` of ISO/IEC 14496-12, 12.1.4. */
export function withCleanAperture(mp4: Buffer, width: number, height: number): Buffer {
  const clap = Buffer.alloc(40)
  clap.writeUInt32BE(40, 0)
  clap.write('clap', 4)
  // Width, height and the offsets of its centre, each as a fraction.
  for (const [at, value] of [width, 1, height, 1, 0, 1, 0, 1].entries()) clap.writeUInt32BE(value, 8 + 4 * at)
  const grown = (boxes: Buffer, [name, ...below]: readonly string[]): Buffer => {
    const parts: Buffer[] = []
    for (let at = 0; at < boxes.length; ) {
      const box = boxes.subarray(at, at + boxes.readUInt32BE(at))
      at += box.length
      if (box.toString('latin1', 4, 8) !== name) {
        parts.push(box)
        continue
      }
      // Bytes before its boxes: version and count of `stsd`.
      const own = name === 'stsd' ? 16 : 8
      const content = below.length === 0 ? Buffer.concat([box.subarray(own), clap]) : grown(box.subarray(own), below)
      const head = Buffer.from(box.subarray(0, own))
      head.writeUInt32BE(own + content.length, 0)
      parts.push(head, content)
    }
    return Buffer.concat(parts)
  }
  return grown(mp4, ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd', 'avc1'])
}

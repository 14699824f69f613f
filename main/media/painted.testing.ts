/** Videos whose frames show their numbers, so that a test reads from a picture which frame it is. */
import { execFileSync } from 'node:child_process'
import { probe } from './probe.ts'
import { sample } from './sample.ts'
import type { FilmedVideo } from './stills.ts'
import type { MediaTools } from './tools.ts'

export const WIDTH = 80
export const HEIGHT = 32

/** Ten columns, the lowest bit on the left, in the upper half. */
function pictureOf(number: number): Buffer {
  const line = Buffer.from(Array.from({ length: WIDTH }, (_, x) => ((number >> Math.floor(x / 8)) & 1 ? 235 : 16)))
  return Buffer.concat(Array.from({ length: HEIGHT }, (_, y) => (y < HEIGHT / 2 ? line : Buffer.alloc(WIDTH, 16))))
}

/** @param args ffmpeg's, between the pictures and the file. */
export function painted(tools: MediaTools, file: string, frames: number, ...args: string[]): string {
  const input = Buffer.concat(Array.from({ length: frames }, (_, number) => pictureOf(number)))
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', `${WIDTH}x${HEIGHT}`, '-r', '25', '-i', 'pipe:0']
  execFileSync(tools.ffmpeg, ['-v', 'error', ...raw, ...args, file], { input })
  return file
}

/** The number on a picture of RGB24, of any size. */
export function numberOn({ width, height, data }: { width: number; height: number; data: Uint8Array }): number {
  const columns = Array.from({ length: 10 }, (_, bit) => {
    const x = Math.floor(((bit + 0.5) * width) / 10)
    return (data[(Math.floor(height / 4) * width + x) * 3] ?? 0) > 128 ? 2 ** bit : 0
  })
  return columns.reduce((sum, value) => sum + value, 0)
}

/** With B-frames and few key frames. */
export const x264 = ['-c:v', 'libx264', '-bf', '3', '-g', '60', '-crf', '20', '-pix_fmt', 'yuv420p', '-preset', 'veryfast']
/** Frames at uneven times, with a gap. */
const UNEVEN = ['-vf', "settb=1/1000,setpts='40*N+13*mod(N,3)+if(gte(N,200),20000,0)'", '-fps_mode', 'passthrough']
export const uneven = [...UNEVEN, '-enc_time_base', '1:1000']
/** On the clock of the frame rate, some of these share a time, or nearly so. */
export const twins = UNEVEN

/** A video as the product knows it. */
export async function filmed(tools: MediaTools, file: string): Promise<FilmedVideo> {
  for await (const event of sample(tools, file, await probe(tools, file), []))
    if (event.type === 'done') return { file, probe: event.probe, pts: event.pts }
  throw new Error('no frames')
}

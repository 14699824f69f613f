/** The packets of a file's pictures, listed without decoding them. */
import type { Probe } from '../../app/media.ts'
import { inputFile, type MediaTools, runTool } from './tools.ts'

export interface Packet {
  /** In ticks of the probe. */
  pts: number
  key: boolean
}

/**
 * The packets in decoding order, as ffmpeg copies them.
 *
 * @param from Options before the input, such as where to seek to. @param until Options after it, such as where to end.
 * @throws TubeletError `decode-timeout`, `tool-killed`; the signal's reason when aborted.
 */
export async function packetsOf(
  { ffmpeg }: Pick<MediaTools, 'ffmpeg'>,
  file: string,
  { timeBase, videoStream }: Pick<Probe, 'timeBase' | 'videoStream'>,
  { from = [], until = [], signal }: { from?: readonly string[]; until?: readonly string[]; signal?: AbortSignal | undefined } = {},
): Promise<Packet[]> {
  const input = ['-v', 'error', '-nostdin', '-copyts', ...from, ...inputFile(file)]
  const { stdout } = await runTool(ffmpeg, [...input, '-map', `0:${videoStream}`, '-c', 'copy', ...until, '-f', 'framecrc', 'pipe:1'], {
    signal,
  })
  const text = stdout.toString()
  const [, num = '1', den = '1'] = /^#tb 0: (\d+)\/(\d+)/m.exec(text) ?? []
  const ticks = (Number(num) * timeBase.den) / (Number(den) * timeBase.num)
  // Key frames have no flags written.
  return [...text.matchAll(/^0, +-?\d+, +(-?\d+), +\d+, +\d+, 0x[0-9a-f]+(.*)$/gm)].map(([, pts = '0', rest = '']) => ({
    pts: Math.round(Number(pts) * ticks),
    key: !/F=0x/.test(rest),
  }))
}

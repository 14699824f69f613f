/** What a file is, and a verdict in plain words when it is no usable video. */
import { open, stat } from 'node:fs/promises'
import path from 'node:path'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { picturesOf, type Probe, type Rational, usualPicture } from '../../app/media.ts'
import { readReport, type Report, type Stream } from './report.ts'
import { problemOfAccess } from './access.ts'
import type { MediaTools } from './tools.ts'
import { packetTiming, type PacketTiming } from './timing.ts'

/**
 * Probe a file. Nothing is decoded, so a file that passes may still turn out damaged, or without a single readable frame.
 *
 * @param picture The index of the stream that was chosen in a file with several pictures; the usual one (`usualPicture`) if null or no longer there.
 * @throws TubeletError `file-missing`, `file-unreadable`, `empty-file`, `not-a-video`, `audio-only`, `no-index`, `codec-unsupported`,
 *   `no-frames`, `decode-timeout`; the signal's reason when aborted.
 */
export async function probe(tools: MediaTools, file: string, signal?: AbortSignal, picture: number | null = null): Promise<Probe> {
  const header = await readHeader(file)
  if (isPhoto(header))
    throw verdict(file, {
      code: 'not-a-video',
      message: '{{name}} is a photo, not a video.',
      values: { name: path.basename(file) },
      next: 'Remove it from the list, or add the video that you meant.',
    })
  const { report, messages: stderr } = await readReport(tools, file, signal)
  if (report === null) throw unopened(file, header, stderr)
  const streams = report.streams.map(streamInfo)
  const chosen = picturesOf({ streams }).find(({ index }) => index === picture) ?? usualPicture({ streams })
  const stream = report.streams.find(({ index }) => index === chosen?.index)
  if (stream === undefined) throw withoutVideo(file, report, stderr)
  if (!tools.decoders.has(stream.codec_name)) throw unsupportedCodec(file, stream, stderr)
  if (stream.width <= 0 || stream.height <= 0)
    throw verdict(
      file,
      {
        code: 'no-frames',
        message: 'No picture in this file can be read.',
        next: 'Copy the file again from its source, or export it again.',
      },
      stderr,
    )
  return { ...describe(report, stream), streams }
}

/**
 * Probe numbered pictures by the list of them.
 *
 * @param pattern Their path as shown to people. @param count How many there are. @throws TubeletError as `probe`
 */
export async function probeNumbered(
  tools: MediaTools,
  list: string,
  { pattern, count, frameRate }: { pattern: string; count: number; frameRate: Rational },
  signal?: AbortSignal,
): Promise<Probe> {
  const { report, messages } = await readReport(tools, list, signal, true)
  const stream = report?.streams.find(({ codec_type }) => codec_type === 'video')
  if (report === null || stream === undefined || stream.width <= 0 || stream.height <= 0)
    throw verdict(
      pattern,
      {
        code: 'no-frames',
        message: 'The first of these pictures cannot be read.',
        next: 'Write it again, or remove it and add the others again.',
      },
      messages,
    )
  if (!tools.decoders.has(stream.codec_name)) throw unsupportedCodec(pattern, stream, messages)
  return {
    ...describe(report, stream),
    container: 'numbered pictures',
    streams: [streamInfo(stream)],
    numbered: true,
    duration: (count * frameRate.den) / frameRate.num,
    frameRate,
    variableFrameRate: false,
    timeBase: { num: frameRate.den, den: frameRate.num },
    startPts: 0,
    frameCount: count,
  }
}

function describe(report: Report, stream: Stream): Omit<Probe, 'streams'> {
  const timeBase = rational(stream.time_base) ?? { num: 1, den: 1000 }
  const packets = report.packets.filter((packet) => packet.stream_index === stream.index)
  const timing = packetTiming(packets, report.complete)
  const rotation = rotationOf(stream)
  const sar = rational(stream.sample_aspect_ratio.replace(':', '/')) ?? { num: 1, den: 1 }
  const turned = rotation === 90 || rotation === 270
  // Pixels are made square by scaling the coded width, as players do.
  const square = { width: Math.max(1, Math.round((stream.width * sar.num) / sar.den)), height: stream.height }
  return {
    container: report.format.format_name,
    codec: stream.codec_name,
    pixelFormat: stream.pix_fmt,
    bitDepth: bitDepthOf(stream),
    hdr: stream.color_transfer === 'smpte2084' || stream.color_transfer === 'arib-std-b67',
    width: turned ? square.height : square.width,
    height: turned ? square.width : square.height,
    codedWidth: stream.width,
    codedHeight: stream.height,
    rotation,
    sampleAspectRatio: sar,
    duration: durationOf(report, stream, timing, timeBase),
    ...frameRateOf(stream, timing, timeBase),
    timeBase,
    startPts: (timing.firstPts ?? stream.start_pts) - timing.untimed * (timing.medianDelta ?? 0),
    ...(timing.untimed > 0 ? { untimedFrames: timing.untimed } : {}),
    ...(timing.shownLate && /\b(?:mov|mp4)\b/.test(report.format.format_name) ? { shownLate: true } : {}),
    ...(report.format.start_time === undefined ? {} : { fileStart: report.format.start_time }),
    frameCount: stream.nb_frames ?? timing.frameCount,
    ...recordedAt(report.format.tags['creation_time']),
    videoStream: stream.index,
  }
}

/** Default names that muxers write where nobody gave one. */
const NO_NAME = /handler?$|^vide$|\b(?:core|iso) media\b|\bgpac\b/i

function streamInfo({ index, codec_type, codec_name, disposition, width, height, tags }: Stream): Probe['streams'][number] {
  const named = { index, type: codec_type, codec: codec_name, isDefault: disposition.default === 1 }
  if (codec_type !== 'video') return named
  const title = (tags['title'] ?? tags['handler_name'] ?? '').trim()
  return {
    ...named,
    width,
    height,
    ...(title === '' || NO_NAME.test(title) ? {} : { title }),
    ...(disposition.attached_pic === 1 ? { cover: true } : {}),
  }
}

/** When it was recorded; left out where the tag is the epoch of Unix or QuickTime, which a camera writes whose clock was never set. */
function recordedAt(tag = ''): Pick<Probe, 'recordedAt'> {
  const at = new Date(tag)
  return at.getUTCFullYear() > 1971 ? { recordedAt: at.toISOString() } : {}
}

function rotationOf(stream: Stream): Probe['rotation'] {
  // The display matrix counts counter-clockwise, the tag that older files carry clockwise.
  const matrix = stream.side_data_list.find((data) => data.rotation !== undefined)?.rotation
  const clockwise = matrix === undefined ? Number(stream.tags['rotate'] ?? 0) : -matrix
  const quarter = ((Math.round(clockwise / 90) % 4) + 4) % 4
  return quarter === 1 ? 90 : quarter === 2 ? 180 : quarter === 3 ? 270 : 0
}

function bitDepthOf(stream: Stream): number {
  const named = /(?:p|gray|x2rgb|gbrp|gbrap|p0)(9|10|12|14|16)(?:le|be)?$/.exec(stream.pix_fmt)?.[1]
  return named === undefined ? (stream.bits_per_raw_sample > 8 ? stream.bits_per_raw_sample : 8) : Number(named)
}

/** Seconds, from the stream, else from its packets if all were read, else from its tag (Matroska), else from the container. */
function durationOf(report: Report, stream: Stream, timing: PacketTiming, timeBase: Rational): number {
  const tag = /^(\d+):(\d+):(\d+(?:\.\d+)?)/.exec(stream.tags['DURATION'] ?? '')
  const tagged = tag === null ? undefined : Number(tag[1]) * 3600 + Number(tag[2]) * 60 + Number(tag[3])
  const packets = timing.span === null ? undefined : (timing.span * timeBase.num) / timeBase.den
  return Math.max(0, [stream.duration, packets, tagged, report.format.duration].find((s) => s !== undefined && s > 0) ?? 0)
}

function frameRateOf(stream: Stream, timing: PacketTiming, timeBase: Rational): Pick<Probe, 'frameRate' | 'variableFrameRate'> {
  const average = rational(stream.avg_frame_rate)
  const nominal = rational(stream.r_frame_rate)
  const measured = timing.medianDelta === null ? null : { num: timeBase.den, den: timing.medianDelta * timeBase.num }
  const apart = (a: Rational | null, b: Rational | null) => (a === null || b === null ? 0 : Math.abs((a.num * b.den) / (a.den * b.num) - 1))
  // If all packets were read, they decide; else an average far from the nominal rate means gaps further on. Interlaced
  // streams give their field rate as nominal, so twice the average means nothing.
  const gapsLater = !timing.complete && apart(nominal, average) > 0.02 && Math.abs(apart(nominal, average) - 1) > 0.02
  const variableFrameRate = timing.irregular || gapsLater
  const rate = variableFrameRate
    ? (average ?? measured)
    : nominal !== null && apart(nominal, measured) < 0.1
      ? nominal
      : (average ?? measured ?? nominal)
  return { frameRate: rate ?? { num: 25, den: 1 }, variableFrameRate }
}

function rational(text: string): Rational | null {
  const [num, den] = text.split('/').map(Number)
  return num !== undefined && den !== undefined && num > 0 && den > 0 ? { num, den } : null
}

/** HEIC and AVIF photos are MP4 without a video track: older ffmpeg finds no index, newer reads one frame. HEIC and AVIF sequences have other brands. */
function isPhoto(header: Buffer): boolean {
  return header.toString('latin1', 4, 8) === 'ftyp' && /^(?:hei[cxms]|mif1|avif)$/.test(header.toString('latin1', 8, 12))
}

async function readHeader(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file)
    if (size === 0)
      throw verdict(file, {
        code: 'empty-file',
        message: 'This file is empty (0 bytes).',
        next: 'Copy it again from where it came from; the copy was probably interrupted.',
      })
    const handle = await open(file)
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof TubeletError) throw error
    throw new TubeletError(problemOfAccess(file, error), { cause: error })
  }
}

function verdict(file: string, what: Pick<Problem, 'code' | 'message' | 'next' | 'values'>, details?: string): TubeletError {
  return new TubeletError({ ...what, file, stillWorks: 'All other files go on.', ...(details ? { details } : {}) })
}

/** The error for a file that ffprobe could not open. An MP4 or MOV, by its first box, without an index was cut off while recorded or copied. */
function unopened(file: string, header: Buffer, stderr: string): TubeletError {
  const firstBox = header.subarray(4, 8).toString('latin1')
  if (/moov atom not found/i.test(stderr) && ['ftyp', 'mdat', 'moov', 'wide', 'free', 'skip'].includes(firstBox)) {
    return verdict(
      file,
      {
        code: 'no-index',
        message: 'The recording was cut off: its index is missing, so its pictures cannot be found.',
        next: 'Copy it again, or repair it with the program or camera that recorded it.',
      },
      stderr,
    )
  }
  return notVideo(file, stderr)
}

function notVideo(file: string, details: string): TubeletError {
  return verdict(
    file,
    {
      code: 'not-a-video',
      message: '{{name}} is not a video, whatever its name says.',
      values: { name: path.basename(file) },
      next: 'Remove it from the list, or add the video that you meant.',
    },
    details,
  )
}

function withoutVideo(file: string, report: Report, stderr: string): TubeletError {
  if (!report.streams.some((s) => s.codec_type === 'audio')) return notVideo(file, stderr)
  return verdict(
    file,
    { code: 'audio-only', message: 'This file has sound but no video track.', next: 'Add a file that has pictures.' },
    stderr,
  )
}

function unsupportedCodec(file: string, stream: Stream, stderr: string): TubeletError {
  const codec = stream.codec_name !== 'unknown' ? stream.codec_name : stream.codec_tag_string || 'unknown'
  return verdict(
    file,
    {
      code: 'codec-unsupported',
      message: 'The video codec “{{codec}}” is not supported by the ffmpeg on this computer.',
      values: { codec },
      next: 'Install a newer ffmpeg, or convert the file to H.264.',
    },
    stderr,
  )
}

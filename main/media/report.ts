/**
 * What is in a file, before anything is decoded: its streams and its first packets, by ffprobe. If there is only ffmpeg (as in the packaged app,
 * which brings ffmpeg-static), its description of the input and of copied packets is parsed instead. That has
 * less: no frame counts, durations to a hundredth of a second, rates to two digits.
 */
import { z } from 'zod'
import type { Rational } from '../../app/media.ts'
import { inputFile, type MediaTools, runTool } from './tools.ts'

/** How many packets are read: some seconds of any real file, which takes a few hundredths of a second. */
const PACKETS_READ = 600
const TIMEOUT_MS = 30_000
/** Only Matroska's demuxer says so; other formats have frame counts in their headers, or state no length. */
const CUT_OFF = /ended prematurely/i
/** What a demuxer or a decoder says, after its name and address. */
const COMPLAINT = /^\[[^\]]* @ /m
/** Characters kept of a description: enough for many streams with all their tags. */
const DESCRIPTION = 200_000

const Stream = z.object({
  index: z.number(),
  codec_type: z.string().default('unknown'),
  codec_name: z.string().default('unknown'),
  codec_tag_string: z.string().default(''),
  width: z.number().default(0),
  height: z.number().default(0),
  pix_fmt: z.string().default('unknown'),
  bits_per_raw_sample: z.coerce.number().default(0),
  color_transfer: z.string().default(''),
  sample_aspect_ratio: z.string().default('1:1'),
  r_frame_rate: z.string().default('0/0'),
  avg_frame_rate: z.string().default('0/0'),
  time_base: z.string().default('1/1000'),
  start_pts: z.number().default(0),
  duration: z.coerce.number().optional(),
  nb_frames: z.coerce.number().optional(),
  disposition: z.object({ default: z.number().default(0), attached_pic: z.number().default(0) }).default({ default: 0, attached_pic: 0 }),
  tags: z.record(z.string(), z.string()).default({}),
  side_data_list: z.array(z.object({ rotation: z.number().optional() })).default([]),
})
export type Stream = z.infer<typeof Stream>

const Packet = z.object({
  stream_index: z.number(),
  pts: z.number().optional(),
  dts: z.number().optional(),
  duration: z.number().optional(),
  flags: z.string().default(''),
})
const Printed = z.object({
  streams: z.array(Stream).default([]),
  packets: z.array(Packet).default([]),
  format: z
    .object({
      format_name: z.string().default('unknown'),
      start_time: z.coerce.number().optional(),
      duration: z.coerce.number().optional(),
      tags: z.record(z.string(), z.string()).default({}),
    })
    .default({ format_name: 'unknown', tags: {} }),
})
export type Report = z.infer<typeof Printed> & {
  /** Whether `packets` are all packets of the file as it was made: false if it was cut off and its header promises more. */
  complete: boolean
}

/** Search this far if less finds no picture: in a transport stream it may begin long after the sound. */
const FURTHER = ['-analyzeduration', '60M', '-probesize', '64M']

/** The report, null if the file could not be opened, and the tool's messages. */
export async function readReport(
  tools: MediaTools,
  file: string,
  signal?: AbortSignal,
  numbered = false,
): Promise<{ report: Report | null; messages: string }> {
  const read = (input: readonly string[]) =>
    tools.ffprobe === null ? byFfmpeg(tools.ffmpeg, input, signal) : byFfprobe(tools.ffprobe, input, signal)
  const input = inputFile(file, numbered)
  const first = await read(input)
  // ffprobe opens the decoder of every stream, and gives up if one fails, for instance for damaged sound.
  const found =
    first.report === null && tools.ffprobe !== null
      ? { messages: first.messages, report: (await byFfmpeg(tools.ffmpeg, input, signal)).report }
      : first
  const unseen = found.report?.streams.some(({ codec_type, width }) => codec_type === 'video' && width === 0) === true
  return unseen ? read([...FURTHER, ...input]) : found
}

async function byFfprobe(
  ffprobe: string,
  input: readonly string[],
  signal?: AbortSignal,
): Promise<{ report: Report | null; messages: string }> {
  const args = [
    '-v',
    'error',
    '-hide_banner',
    '-of',
    'json',
    '-show_format',
    '-show_streams',
    '-show_packets',
    '-read_intervals',
    `%+#${PACKETS_READ}`,
    ...input,
  ]
  const { code, stdout, stderr } = await runTool(ffprobe, args, { signal, timeoutMs: TIMEOUT_MS })
  const printed = Printed.safeParse(parsed(stdout)).data
  if (printed === undefined || (code !== 0 && printed.streams.length === 0)) return { report: null, messages: stderr }
  const complete = printed.packets.length < PACKETS_READ && !CUT_OFF.test(stderr) && !(COMPLAINT.test(stderr) && endsEarly(printed))
  return { report: { ...printed, complete }, messages: stderr }
}

/** Whether the packets of a file end before the length that the file states of itself, by more than sound and rounding explain. */
function endsEarly({ streams, packets, format }: z.infer<typeof Printed>): boolean {
  const tagged = streams.map(({ tags }) => secondsOf(tags['DURATION']) ?? 0)
  const stated = format.duration ?? Math.max(0, ...tagged)
  const ends = packets.map(({ stream_index, pts, dts, duration = 0 }) => {
    const [num = 1, den = 1000] = (streams.find(({ index }) => index === stream_index)?.time_base ?? '').split('/').map(Number)
    return ((pts ?? dts ?? 0) + duration) * (num / den)
  })
  return stated - (ends.reduce((last, end) => Math.max(last, end), 0) - (format.start_time ?? 0)) > Math.max(1, 0.02 * stated)
}

function parsed(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString())
  } catch {
    return null
  }
}

async function byFfmpeg(
  ffmpeg: string,
  input: readonly string[],
  signal?: AbortSignal,
): Promise<{ report: Report | null; messages: string }> {
  // Packets are copied, not decoded. The hash itself is not used: its muxer prints packet times in the stream's own time base.
  const copy = [
    '-map',
    '0:v?',
    '-c',
    'copy',
    '-copyinkf',
    '-copyts',
    '-avoid_negative_ts',
    'disabled',
    '-frames:v',
    String(PACKETS_READ),
    '-f',
    'framehash',
    '-hash',
    'adler32',
    'pipe:1',
  ]
  const { stdout, stderr } = await runTool(ffmpeg, ['-hide_banner', '-nostdin', '-nostats', ...input, ...copy], {
    signal,
    timeoutMs: TIMEOUT_MS,
    keep: DESCRIPTION,
  })
  return { report: textReport(stderr, stdout.toString()), messages: stderr }
}

/**
 * ffmpeg's description of its input (libavformat's av_dump_format, the same text since FFmpeg 4) and the packets that framehash printed.
 * Null if there is no input in it.
 */
function textReport(description: string, packetLines: string): Report | null {
  const head = /^Input #0, (\S+), from /m.exec(description)
  if (head?.[1] === undefined) return null
  const said = description.slice(head.index).split(/^(?:Output #0|Stream mapping:)/m)[0] ?? ''
  const [, length, start] = /^ {2}Duration: ([\d:.]+|N\/A)(?:, start: (-?[\d.]+))?/m.exec(said) ?? []
  const duration = secondsOf(length)
  const streams = said
    .split(/^(?= {2}Stream #0:)/m)
    .slice(1)
    .flatMap((block) => streamOf(block))
  // Mapped streams come out renumbered, in order.
  const video = streams.filter(({ codec_type }) => codec_type === 'video')
  for (const [out, base] of [...packetLines.matchAll(/^#tb (\d+): (\d+\/\d+)/gm)].map((match) => [Number(match[1]), match[2]] as const)) {
    const stream = video[out]
    if (stream && base !== undefined) stream.time_base = base
  }
  const edited = head[1].includes('mov')
  const packets = [...packetLines.matchAll(/^(\d+),\s*(-?\d+),\s*(-?\d+),\s*(\d+),/gm)].map(([, out, decoded, shown, length]) => {
    // The least 64-bit number means no time: AVI with B-frames and raw streams have packets without one.
    const [dts, pts] = [decoded, shown].map((printed) => (Number.isSafeInteger(Number(printed)) ? Number(printed) : undefined))
    return {
      stream_index: video[Number(out)]?.index ?? -1,
      pts,
      dts,
      duration: Number(length),
      // What an edit list cuts away from the beginning lies before time 0.
      flags: edited && pts !== undefined && pts < 0 ? 'D' : '',
    }
  })
  // The container's own tags are indented less than those of its streams.
  const created = /^ {4}creation_time\s*: (\S+)/m.exec(said)?.[1]
  const format = {
    format_name: head[1],
    ...(start === undefined ? {} : { start_time: Number(start) }),
    ...(duration === undefined ? {} : { duration }),
    tags: created === undefined ? {} : { creation_time: created },
  }
  return {
    streams,
    packets,
    format,
    complete:
      packets.filter(({ stream_index }) => stream_index === video[0]?.index).length < PACKETS_READ &&
      !CUT_OFF.test(description) &&
      !(COMPLAINT.test(description) && endsEarly({ streams: video, packets, format })),
  }
}

function streamOf(block: string): Stream[] {
  const [line = ''] = block.split('\n')
  const found = /^ {2}Stream #0:(\d+)(?:\[\w+\])?(?:\(\w+\))?: (\w+): (\S+?)(?:,|\s|$)/.exec(line)
  if (found === null) return []
  const [, index, type = '', codec = ''] = found
  const size = /, (\d+)x(\d+)/.exec(line)
  const rotation = /displaymatrix: rotation of (-?[\d.]+) degrees/.exec(block)?.[1]
  const base = thousands(/, ([\d.]+k?) tbn/.exec(line)?.[1] ?? '1000')
  return [
    Stream.parse({
      index: Number(index),
      codec_type: type.toLowerCase(),
      ...(codec === 'none' ? {} : { codec_name: codec }),
      codec_tag_string: /\((\S+) \/ 0x/.exec(line)?.[1] ?? '',
      width: Number(size?.[1] ?? 0),
      height: Number(size?.[2] ?? 0),
      pix_fmt: /: Video: [^,]*(?:\([^)]*\)[^,]*)*, (\w+)/.exec(line)?.[1] ?? 'unknown',
      color_transfer: /\/(smpte2084|arib-std-b67)\b/.exec(line)?.[1] ?? '',
      sample_aspect_ratio: aspectOf(line),
      r_frame_rate: rateOf(/, ([\d.]+k?) tbr/.exec(line)?.[1]),
      avg_frame_rate: rateOf(/, ([\d.]+k?) fps/.exec(line)?.[1]),
      time_base: `1/${base}`,
      disposition: { default: Number(line.includes('(default)')), attached_pic: Number(line.includes('(attached pic)')) },
      tags: Object.fromEntries(
        [...block.matchAll(/^ {4,6}(DURATION|rotate|title|handler_name) *: (.+)$/gm)].map(
          ([, key = '', value = '']) => [key, value] as const,
        ),
      ),
      side_data_list: rotation === undefined ? [] : [{ rotation: Number(rotation) }],
    }),
  ]
}

/** The sample aspect ratio in lowest terms, as ffprobe prints it. */
function aspectOf(line: string): string {
  const [, num = 1, den = 1] = /SAR (\d+):(\d+)/.exec(line)?.map(Number) ?? []
  const common = (a: number, b: number): number => (b === 0 ? a : common(b, a % b))
  const by = common(num, den)
  return `${num / by}:${den / by}`
}

function thousands(printed: string): number {
  return printed.endsWith('k') ? Number(printed.slice(0, -1)) * 1000 : Number(printed)
}

/** A printed rate as a fraction: "29.97" stands for 30000/1001, other rates are exact. */
function rateOf(printed: string | undefined): string {
  if (printed === undefined) return '0/0'
  const rate = thousands(printed)
  const whole = Math.round(rate * 1.001)
  const { num, den }: Rational =
    !Number.isInteger(rate) && Math.abs(rate - whole / 1.001) < 0.006
      ? { num: whole * 1000, den: 1001 }
      : { num: Math.round(rate * 100), den: 100 }
  return num % den === 0 ? `${num / den}/1` : `${num}/${den}`
}

function secondsOf(clock: string | undefined): number | undefined {
  const [h, m, s] = clock?.split(':').map(Number) ?? []
  return h === undefined || m === undefined || s === undefined ? undefined : h * 3600 + m * 60 + s
}

/**
 * The one decode pass over a file, as ffmpeg arguments: which frames are sampled, at which sizes they come out, and on which pipe.
 *
 *     decode ─ clock ─ showinfo@all ─┬─ tiny picture of every frame ─────────────────── pipe 1: finds the cuts, exact to the frame
 *                                    └─ select ─ showinfo@picked ─┬─ grey picture ────── pipe 3: what the camera does
 *                                                                 ├─ preview JPEG ────── pipe 4
 *                                                                 ├─ select ─ showinfo@strip ─ strip JPEG ─ pipe 5
 *                                                                 ├─ an encoder's input, or the whole picture ─ pipe 6, 7, … one a want
 *                                                                 └─ select ─ showinfo@want… ─ a detector's or reader's picture
 *
 * The showinfo filters write the PTS of each frame that passes to pipe 2 (standard error), before it is renumbered or dropped. The fps
 * filter is not used: it repeats and drops frames to fit a grid, and its frames have times that are not in the file.
 */
import { STRIP_CELLS } from '../../app/filmstrip.ts'
import type { Probe } from '../../app/media.ts'
import type { PictureInput } from '../../app/pack/base.ts'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import type { SmolVlmManifest } from '../../app/pack/smolvlm.ts'
import { frameClock } from './clock.ts'
import { wholeSize } from './frames.ts'
import { greySize } from './measure.ts'
import { TINY } from './shots.ts'
import { packetsOf } from './packets.ts'
import { inputFile, keepFrames, type MediaTools, wholePicture } from './tools.ts'

const DEFAULT_RATE = 4
/** Longer side of a preview, pixels. */
export const PREVIEW_SIDE = 240
const STRIP_WIDTH = 160
const STRIP_HEIGHT = 640
/**
 * On the pipes, frames are identified by their order, and numbered instead of timed: encoders refuse the times of damaged files, and
 * times of variable frame rates that are closer together than the nominal rate.
 */
const COUNTED = 'settb=1/25,setpts=N'
/** Coded pixels above which a second decoder thread pays off. Filter threads never do: their pictures are small. */
const THREADED_ABOVE = 900_000
/** At least so many frames are sampled, even of a short source; more if an encoder wants more. */
const LEAST_FRAMES = 16
/** Seconds by which a frame may miss the time that its packet tells. */
const NEAR = 0.0006
/** The first pipe of the wants; each has one pipe, in their order. */
const FIRST_WANT = 6

/** What one pack wants of a pass. `key` is the pack's digest. */
export type Want =
  /** The input frames of each clip, cut to tubes. */
  | { key: string; kind: 'tubes'; input: MammutManifest['input'] }
  /** Frames of each clip, from pictures as large as the file has them. */
  | { key: string; kind: 'frames'; input: SmolVlmManifest['input'] }
  /** Single pictures, at most `rate` a second. */
  | { key: string; kind: 'pictures'; input: PictureInput; rate: number }

/** A want of a pack that encodes clips. */
export type EncoderWant = Extract<Want, { kind: 'tubes' | 'frames' }>

/**
 * @param seal The number that marks the messages of this pass, see `newSeal`.
 * @param standing Times of frames that are sampled too, in seconds of the file, see `standingTimes`.
 */
export function decodePlan(
  tools: MediaTools,
  file: string,
  probe: Probe,
  wants: readonly Want[],
  seal: number,
  standing: readonly number[] = [],
): string[] {
  const rate = samplingRate(probe.duration, Math.max(LEAST_FRAMES, ...wants.map((want) => (want.kind === 'tubes' ? want.input.frames : 0))))
  const sampled = (perSecond: number) => `${onGrid(perSecond)}${standing.map((time) => `+lt(abs(t-${time.toFixed(4)}),${NEAR})`).join('')}`
  const stripRate = probe.duration > 0 ? Math.min(rate, STRIP_CELLS / probe.duration) : rate
  const models = wants.flatMap((want) => (want.kind === 'tubes' ? [want.input] : []))
  const { small, scaled, preview } = pictures(tools, probe, models)
  const strip = stripSize(probe)
  const grey = greySize(probe)
  const [tubes, whole, single] = [
    wants.flatMap(({ kind }, i) => (kind === 'tubes' ? [i] : [])),
    wants.flatMap(({ kind }, i) => (kind === 'frames' ? [i] : [])),
    wants.flatMap((want, i) => (want.kind === 'pictures' ? [{ i, want }] : [])),
  ]
  const graph = [
    `[0:${probe.videoStream}]${frameClock(probe, seal)},showinfo@all_${seal}=checksum=0,split=2[every][candidates]`,
    `[every]scale=${TINY.width}:${TINY.height}:flags=area,format=rgb24,${COUNTED}[tiny]`,
    `[candidates]select='${sampled(rate)}',showinfo@picked_${seal}=checksum=0,split=${1 + whole.length + single.length}[whole]${[...whole, ...single.map(({ i }) => i)].map((i) => `[whole${i}]`).join('')}`,
    ...whole.map((i) => `[whole${i}]${wholeFilters(tools, probe)},${COUNTED}[want${i}]`),
    ...single.map(
      ({ i, want }) =>
        `[whole${i}]select='${sampled(want.rate)}',showinfo@want${i}_${seal}=checksum=0,${fitted(tools, probe, want.input)},${COUNTED}[want${i}]`,
    ),
    `[whole]${small},split=${2 + tubes.length}[a][b]${tubes.map((i) => `[small${i}]`).join('')}`,
    ...tubes.map((i, at) => `[small${i}]${scaled[at] ?? ''},${COUNTED}[want${i}]`),
    `[a]scale=${grey.width}:${grey.height}:flags=area,format=gray,${COUNTED}[grey]`,
    `[b]${preview},split=2[c][d]`,
    `[c]${COUNTED}[preview]`,
    `[d]select='${sampled(stripRate)}',showinfo@strip_${seal}=checksum=0,scale=${strip.width}:${strip.height}:flags=area,setsar=1,${COUNTED}[strip]`,
  ]
  // Best codes for each picture would make it a twentieth smaller, and take as long as the rest of encoding it.
  const jpeg = ['-c:v', 'mjpeg', '-threads', '1', '-huffman', 'default', '-q:v', '4', '-f', 'mpjpeg']
  // Otherwise ffmpeg puts frames on a clock of the file's rate, where two may share a tick.
  const output = (label: string, ...format: string[]) => ['-map', `[${label}]`, ...keepFrames(tools), '-enc_time_base', '1:25', ...format]
  return [
    ...[
      '-hide_banner',
      '-nostdin',
      '-nostats',
      '-v',
      'level+info',
      '-threads',
      probe.codedWidth * probe.codedHeight > THREADED_ABOVE ? '2' : '1',
      '-copyts',
      '-filter_complex_threads',
      '1',
    ],
    ...framesInput(tools, file, probe),
    ...['-filter_complex', graph.join(';')],
    ...output('tiny', '-f', 'rawvideo', 'pipe:1'),
    ...output('grey', '-f', 'rawvideo', 'pipe:3'),
    ...output('preview', ...jpeg, 'pipe:4'),
    ...output('strip', ...jpeg, 'pipe:5'),
    ...wants.flatMap((_, i) => output(`want${i}`, '-f', 'rawvideo', `pipe:${FIRST_WANT + i}`)),
  ]
}

/**
 * A file as an input whose frames are counted and timed. Where the size or the pixel format changes midway (video calls, joined
 * recordings), ffmpeg would rebuild its filters, which would then count from 0 again, so that is switched off: scalers accept any size. It stays
 * on for rotated pictures, since the filter that turns them does not.
 */
export function framesInput(
  tools: MediaTools,
  file: string,
  { rotation, numbered = false }: Pick<Probe, 'rotation' | 'numbered'>,
): string[] {
  return [...(rotation === 0 ? ['-reinit_filter', '0'] : []), ...wholePicture(tools), ...inputFile(file, numbered)]
}

/** Filters from a decoded frame to `small`, scaled once for all, and from that to each encoder's input and to the preview. */
function pictures(tools: MediaTools, probe: Probe, models: readonly PictureInput[]): { small: string; scaled: string[]; preview: string } {
  const preview = previewSize(probe)
  const covers = models.map((input) => (input.fit === 'crop' ? covering(probe, input) : input))
  const [width, height] = [
    Math.max(preview.width, ...covers.map((cover) => cover.width)),
    Math.max(preview.height, ...covers.map((cover) => cover.height)),
  ]
  return {
    small: `scale=${width}:${height}:flags=bicubic${toneMapped(tools, probe)}`,
    // Cropped as RGB: subsampled chroma can only be cropped at even positions.
    scaled: models.map(
      (input, i) => `scale=${covers[i]?.width ?? 0}:${covers[i]?.height ?? 0}:flags=area,format=rgb24,crop=${input.width}:${input.height}`,
    ),
    preview: `scale=${preview.width}:${preview.height}:flags=bicubic:out_range=full,setsar=1,format=yuvj420p`,
  }
}

/** Filters from a decoded frame to the picture of a pack that keeps the aspect ratio; area averaging where it shrinks. */
function fitted(tools: MediaTools, probe: Probe, input: PictureInput): string {
  const { width, height } = fittedSize(probe, input)
  return `scale=${width}:${height}:flags=${width < probe.width ? 'area' : 'bilinear'}${toneMapped(tools, probe)},format=rgb24`
}

/** Filters from a decoded frame to the picture for `squared`. */
function wholeFilters(tools: MediaTools, probe: Probe): string {
  const { width, height } = wholeSize(probe)
  return `scale=${width}:${height}:flags=${width < probe.width ? 'area' : 'bicubic'}${toneMapped(tools, probe)},format=rgb24`
}

/** The largest size with the frame's aspect ratio that fits into an input, pixels. */
export function fittedSize({ width, height }: Pick<Probe, 'width' | 'height'>, input: PictureInput): { width: number; height: number } {
  if (input.fit !== 'letterbox' && input.fit !== 'inside') return { width: input.width, height: input.height }
  const scale = Math.min(input.width / width, input.height / height, input.fit === 'inside' ? 1 : Infinity)
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

export function toneMapped(tools: MediaTools, { hdr }: Probe): string {
  return hdr && tools.toneMapping ? `,${TONE_MAPPING}` : ''
}

/** The filters that make the same pictures as a decode pass, for frames that are decoded one by one. */
export function pictureFilters(tools: MediaTools, probe: Probe, { kind, input }: EncoderWant): { model: string; preview: string } {
  const { small, scaled, preview } = pictures(tools, probe, kind === 'tubes' ? [input] : [])
  return {
    model: kind === 'tubes' ? `${small},${scaled[0] ?? ''},${COUNTED}` : `${wholeFilters(tools, probe)},${COUNTED}`,
    preview: `${small},${preview},${COUNTED}`,
  }
}

/**
 * Frames a second: 4, which shows what happens and costs little beside decoding. A source too short to give the model its frames at that
 * rate is sampled at twice the rate that it needs, so that uneven frame times leave no gap. No frame is repeated: `select`
 * only passes frames that exist.
 */
function samplingRate(duration: number, frames: number): number {
  return duration > 0 ? Math.max(DEFAULT_RATE, duration * DEFAULT_RATE < frames ? (2 * frames) / duration : 0) : DEFAULT_RATE
}

/**
 * A `select` expression that passes the first frame in each cell of a time grid, counted from the first frame of the source. A grid does
 * not drift, as "so long after the last one" would.
 */
function onGrid(rate: number): string {
  const cell = (time: string) => `floor((${time}-start_t)*${rate}+0.001)`
  return `isnan(prev_selected_t)+gt(${cell('t')},${cell('prev_selected_t')})`
}

/** So many frames are sampled for standing at most, the longest ones. */
const MOST_STANDING = 1000

/**
 * Times of the frames that are shown for at least a cell of the sampling grid and are not the first in theirs: where a recording of a screen or
 * an animation changes quickly and then stands, the grid would take a picture on the way and never the one that stands. Only files of uneven
 * times have such frames; their packets are read for it.
 *
 * @returns Seconds of the file, ascending; none where its packets cannot be read: the pass tells why.
 */
export async function standingTimes(tools: MediaTools, file: string, probe: Probe, signal?: AbortSignal): Promise<number[]> {
  if (!probe.variableFrameRate || probe.numbered === true) return []
  const packets = await packetsOf(tools, file, probe, { signal }).catch(() => [])
  signal?.throwIfAborted()
  const times = packets.map(({ pts }) => (pts * probe.timeBase.num) / probe.timeBase.den).sort((a, b) => a - b)
  const [first = 0] = times
  const cell = (time: number) => Math.floor((time - first) * DEFAULT_RATE + 0.001)
  return times
    .map((time, i) => ({ time, stands: (times[i + 1] ?? first + probe.duration) - time, before: times[i - 1] ?? -Infinity }))
    .filter(({ time, stands, before }) => stands >= 1 / DEFAULT_RATE && cell(before) === cell(time))
    .sort((a, b) => b.stands - a.stands)
    .slice(0, MOST_STANDING)
    .map(({ time }) => time)
    .sort((a, b) => a - b)
}

/** HDR (PQ or HLG, BT.2020) to SDR. It works on floats, so only the small picture goes through it. */
const TONE_MAPPING = [
  'zscale=pin=bt2020:min=bt2020nc:t=linear:npl=100',
  'format=gbrpf32le',
  'zscale=p=bt709',
  'tonemap=hable:desat=0',
  'zscale=t=bt709:m=bt709:r=tv',
  'format=yuv444p',
].join(',')

/** A frame scaled until its shorter side, relative to the input's, just covers it. */
function covering({ width, height }: Probe, input: PictureInput): { width: number; height: number } {
  const scale = Math.max(input.width / width, input.height / height)
  return { width: Math.max(input.width, Math.floor(width * scale)), height: Math.max(input.height, Math.floor(height * scale)) }
}

/** The size of a filmstrip's cells. A very tall picture is made only as high as it is shown: the encoder refuses more than 65,000 lines. */
function stripSize({ width, height }: Probe): { width: number; height: number } {
  const scale = Math.min(STRIP_WIDTH / width, STRIP_HEIGHT / height)
  const even = (side: number) => Math.max(2, 2 * Math.round((side * scale) / 2))
  return { width: even(width), height: even(height) }
}

function previewSize({ width, height }: Probe): { width: number; height: number } {
  const scale = Math.min(1, PREVIEW_SIDE / Math.max(width, height))
  const even = (side: number) => Math.max(2, 2 * Math.round((side * scale) / 2))
  return { width: even(width), height: even(height) }
}

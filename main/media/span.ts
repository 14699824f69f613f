/** Samples one span of a file: the frames are chosen beforehand, so only they become pictures. */
import type { Span } from '../../app/annotation.ts'
import { TubeletError } from '../../app/errors.ts'
import { type FrameRef, type Probe, secondsOf } from '../../app/media.ts'
import { cutTubes } from '../../app/tubes.ts'
import type { ClipInput, SampledClip } from './clips.ts'
import { frameClock } from './clock.ts'
import { type EncoderWant, framesInput, pictureFilters } from './decode-plan.ts'
import { frameCount, squared, wholeSize } from './frames.ts'
import { keepFrames, type MediaTools, runTool } from './tools.ts'

/** Decoding begins this long before the span: not all containers seek exactly. */
export const LEAD_SECONDS = 3
/** Frames are identified by their times, seconds; no two are closer than this. */
export const SAME_TIME = 0.0004
const TIMEOUT_MS = 10 * 60_000

/** How many frames represent a span for a pack. */
export function framesWanted({ kind, input }: EncoderWant, { startFrame, endFrame }: Span, seconds: number): number {
  return kind === 'tubes' ? input.frames : Math.min(Math.max(1, endFrame - startFrame), frameCount(input, seconds))
}

/** The frames that represent a span: the one on the screen in the middle of each of `count` equal parts. Some repeat if the span has fewer frames. */
export function framesOf(pts: Float64Array, { startFrame, endFrame }: Span, count: number): FrameRef[] {
  const [from, to] = [pts[startFrame] ?? 0, pts[endFrame] ?? pts.at(-1) ?? 0]
  return Array.from({ length: count }, (_, i) => {
    const time = from + ((i + 0.5) * (to - from)) / count
    let ordinal = startFrame
    while (ordinal + 1 < endFrame && (pts[ordinal + 1] ?? Infinity) <= time) ordinal += 1
    return { ordinal, pts: pts[ordinal] ?? 0 }
  })
}

/**
 * The pictures of frames that are known by their PTS: as the model takes them, and the middle one as a JPEG.
 *
 * @throws TubeletError `no-frames` when the file does not have them (it was changed), `ffmpeg-missing`; the signal's reason when aborted.
 */
export async function sampleFrames(
  tools: MediaTools,
  file: string,
  probe: Probe,
  want: EncoderWant,
  frames: readonly FrameRef[],
  signal: AbortSignal,
): Promise<Pick<ClipInput, 'tubes'> & Pick<SampledClip, 'thumbnail'>> {
  const distinct = [...new Set(frames.map(({ pts }) => pts))]
  const filters = pictureFilters(tools, probe, want)
  const size = want.kind === 'tubes' ? want.input : wholeSize(probe)
  const bytes = size.width * size.height * 3
  const raw = await decode(
    tools,
    file,
    probe,
    distinct,
    filters.model,
    ['-f', 'rawvideo'],
    (out) => out.length === distinct.length * bytes,
    signal,
  )
  const pictures = frames.map(({ pts }) => {
    const rgb = raw.subarray(distinct.indexOf(pts) * bytes, (distinct.indexOf(pts) + 1) * bytes)
    return want.kind === 'tubes' ? rgb : squared({ rgb, width: size.width, height: size.height }, want.input.width)
  })
  const video = new Uint8Array(Buffer.concat(pictures))
  const middle = frames[frames.length >> 1]?.pts ?? 0
  const jpeg = await decode(
    tools,
    file,
    probe,
    [middle],
    filters.preview,
    ['-c:v', 'mjpeg', '-q:v', '4', '-f', 'mjpeg'],
    (out) => out.length > 0,
    signal,
  )
  const tubes = want.kind === 'tubes' ? cutTubes(video, want.input).map((tube) => new Uint8Array(tube)) : [video]
  return { tubes, thumbnail: new Uint8Array(jpeg) }
}

/** Longest side of the picture of a single frame, pixels. */
const PICTURE_SIDE = 960

/**
 * One frame, known by its PTS, as a JPEG of the picture as it is shown: upright, with square pixels.
 * @throws TubeletError `no-frames` when the file does not have it, `ffmpeg-missing`; the signal's reason when aborted.
 */
export async function frameJpeg(
  tools: MediaTools,
  file: string,
  probe: Probe,
  pts: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const share = Math.min(1, PICTURE_SIDE / Math.max(probe.width, probe.height))
  const [width, height] = [probe.width, probe.height].map((side) => Math.max(2, Math.round((side * share) / 2) * 2))
  const filters = `scale=${width}:${height},setsar=1,format=yuvj420p`
  const output = ['-c:v', 'mjpeg', '-q:v', '4', '-f', 'mjpeg']
  return new Uint8Array(await decode(tools, file, probe, [pts], filters, output, (out) => out.length > 0, signal))
}

async function decode(
  tools: MediaTools,
  file: string,
  probe: Probe,
  pts: readonly number[],
  filters: string,
  output: readonly string[],
  whole: (out: Uint8Array) => boolean,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const seconds = (ticks: number) => (ticks * probe.timeBase.num) / probe.timeBase.den
  const chosen = pts.map((ticks) => `lt(abs(t-(${seconds(ticks)})),${SAME_TIME})`).join('+')
  const lead = Math.max(0, secondsOf(Math.min(...pts), probe) - LEAD_SECONDS)
  // If seeking gives other frames, or none, the file is decoded from its beginning; so it is where the clock restarts, on which times depend.
  for (const seek of lead > 0 && probe.clockRestarts !== true && probe.numbered !== true ? [lead, null] : [null]) {
    const args = [
      ...[
        '-v',
        'error',
        '-nostdin',
        '-threads',
        '2',
        '-copyts',
        ...(seek === null ? [] : ['-ss', String(seek)]),
        ...framesInput(tools, file, probe),
      ],
      ...[
        '-filter_complex',
        `[0:${probe.videoStream}]${seek === null ? `${frameClock(probe)},` : ''}select='${chosen}',${filters}[out]`,
        '-map',
        '[out]',
        ...keepFrames(tools),
        '-frames:v',
        String(pts.length),
        ...output,
        'pipe:1',
      ],
    ]
    const { stdout } = await runTool(tools.ffmpeg, args, { signal, timeoutMs: TIMEOUT_MS })
    if (whole(stdout)) return stdout
  }
  throw new TubeletError({
    code: 'no-frames',
    message: 'The frames of this span cannot be read again.',
    file,
    stillWorks: 'Everything that was analysed before.',
    next: 'Retry the whole file: it may have been changed.',
  })
}

/**
 * ffmpeg filters, placed before all others, that give every frame a time and keep times ascending. Bisection of frame tables, half-open clip spans
 * and MP4 all depend on that.
 *
 * Where recordings were joined byte by byte, the clock of the file starts again: from there on all times are shifted, so that the later part
 * continues where the earlier one ended. In files whose clock never goes back, times stay as they are.
 */
import type { Probe } from '../../app/media.ts'

/** A smaller step back, in seconds, is no new clock: damaged files and some decoders emit a frame too late. Such a frame gets the time of the one before. */
const NEW_CLOCK = 1

/** @param seal A number that ffmpeg prints on standard error, alone on a line, where the clock starts again; needs `-v info` or more. */
export function frameClock(
  {
    frameRate,
    timeBase,
    startPts,
    untimedFrames = 0,
    numbered = false,
  }: Pick<Probe, 'frameRate' | 'timeBase' | 'startPts' | 'untimedFrames' | 'numbered'>,
  seal?: number,
): string {
  // Each picture lasts one second in the list that ffmpeg reads, and one tick in the video.
  if (numbered) return `settb=${timeBase.num}/${timeBase.den},setpts='round(T)'`
  const start = `round(${startPts}*${timeBase.num}/${timeBase.den}/TB)`
  // A frame without a time is assumed to follow at the nominal rate.
  const nominal = `max(1,round(${frameRate.den}/${frameRate.num}/TB))`
  const next = `PREV_OUTPTS+${nominal}`
  // ffmpeg numbers frames before the first time from 0 upwards, which runs into the times of later frames.
  const untimed = (rest: string) => (untimedFrames === 0 ? rest : `if(lt(N,${untimedFrames}),${start}+N*${nominal},${rest})`)
  return `setpts='${untimed(`if(isnan(PREV_OUTPTS),if(isnan(PTS),${start},PTS),if(isnan(PTS),${next},${carriedOn(next, seal)}))`)}'`
}

/** The same for sound: its clock starts again where that of the pictures does. */
export function soundClock(): string {
  return `asetpts='if(isnan(PREV_OUTPTS),PTS,${carriedOn('PREV_OUTPTS+NB_SAMPLES/SR/TB')})'`
}

/** The time of a frame that has one and is not the first. Register 0 holds how far the clock is shifted by now. */
function carriedOn(next: string, seal?: number): string {
  const shift = `PTS+st(0,${next}-PTS)`
  return `if(lt(PTS+ld(0),PREV_OUTPTS-${NEW_CLOCK}/TB),${seal === undefined ? shift : `${shift}+0*print(${seal})`},max(PTS+ld(0),PREV_OUTPTS))`
}

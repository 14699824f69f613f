/**
 * The times of frames, as ffmpeg filters that come before all others: every frame has one, and they never go back. Frame tables are searched
 * by bisection, clips are half-open spans of time, and MP4 holds nothing else.
 *
 * Where recordings were joined byte by byte, the clock of the file starts again: from there on all times are shifted, so that the later part
 * carries on where the one before ended. Times of files with a clock that only goes on are left as they are.
 */
import type { Probe } from '../../app/media.ts'

/** A step back by less, in seconds, is no new clock: damaged files and some decoders hand a frame out too late. It goes with the one before. */
const NEW_CLOCK = 1

/** @param seal Printed on standard error where the clock starts again: a number alone on a line, which only `-v info` lets through. */
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
  // A picture is one second of its list and one tick of its video.
  if (numbered) return `settb=${timeBase.num}/${timeBase.den},setpts='round(T)'`
  const start = `round(${startPts}*${timeBase.num}/${timeBase.den}/TB)`
  // A frame without a time is taken to follow at the nominal rate.
  const nominal = `max(1,round(${frameRate.den}/${frameRate.num}/TB))`
  const next = `PREV_OUTPTS+${nominal}`
  // Of frames before the first time ffmpeg counts upwards from 0, into those that have one.
  const untimed = (rest: string) => (untimedFrames === 0 ? rest : `if(lt(N,${untimedFrames}),${start}+N*${nominal},${rest})`)
  return `setpts='${untimed(`if(isnan(PREV_OUTPTS),if(isnan(PTS),${start},PTS),if(isnan(PTS),${next},${carriedOn(next, seal)}))`)}'`
}

/** Of sound: its clock starts again with that of the pictures beside it. */
export function soundClock(): string {
  return `asetpts='if(isnan(PREV_OUTPTS),PTS,${carriedOn('PREV_OUTPTS+NB_SAMPLES/SR/TB')})'`
}

/** The time of a frame that has one and is not the first. Register 0 holds how far the clock is shifted by now. */
function carriedOn(next: string, seal?: number): string {
  const shift = `PTS+st(0,${next}-PTS)`
  return `if(lt(PTS+ld(0),PREV_OUTPTS-${NEW_CLOCK}/TB),${seal === undefined ? shift : `${shift}+0*print(${seal})`},max(PTS+ld(0),PREV_OUTPTS))`
}

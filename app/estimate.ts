/** How long encoding a library with a pack takes, in seconds, from measurements of this machine. */

export interface Known {
  /** Files analysed on this machine with this pack: their total length and the total time taken, in seconds. */
  here: { video: number; wall: number } | null
  /** Seconds to encode and caption one clip with this pack. */
  secondsPerClip: number | null
  /** The same two for the pack in use; they show what reading video costs apart from any model. */
  other: { here: { video: number; wall: number } | null; secondsPerClip: number | null }
}

/**
 * Files that were analysed with the pack are the best measure. Otherwise the time is the number of clips times the cost of one, plus the
 * time to read the video: what the pack in use took on this machine, less what its model needed.
 * @param work Clips to encode, and the seconds of video in them.
 */
export function encodingTime(
  work: { clips: number; videoSeconds: number },
  { here, secondsPerClip, other }: Known,
): { seconds: number; from: 'here' | 'clip' } | null {
  if (work.clips === 0) return { seconds: 0, from: here ? 'here' : 'clip' }
  if (here && here.video > 0) return { seconds: (work.videoSeconds * here.wall) / here.video, from: 'here' }
  if (secondsPerClip === null) return null
  const reading =
    other.here && other.here.video > 0
      ? (work.videoSeconds * other.here.wall) / other.here.video - work.clips * (other.secondsPerClip ?? 0)
      : 0
  return { seconds: work.clips * secondsPerClip + Math.max(0, reading), from: 'clip' }
}

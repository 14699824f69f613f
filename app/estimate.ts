/** How long a library takes to encode with a pack, in seconds, from what this machine is known to need. */

export interface Known {
  /** Files analysed here with this pack: sums of their video and of the time they took, seconds. */
  here: { video: number; wall: number } | null
  /** Encoding and captioning one clip with this pack. */
  secondsPerClip: number | null
  /** The same two of the pack in use, for what reading video costs beside any model. */
  other: { here: { video: number; wall: number } | null; secondsPerClip: number | null }
}

/**
 * Files that were analysed with the pack are the best measure. Else its clips are counted at the cost of one, and reading the video is
 * added: what the pack in use took here, less what its model needed of that.
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

/** Frame times as the first packets of a stream show them, before anything is decoded. */

export interface PacketTiming {
  /** PTS of the first frame in display order, in time base ticks. */
  firstPts: number | null
  /** Ticks between neighbouring frames, the median. */
  medianDelta: number | null
  /** Whether frames are unevenly spaced beyond what rounding to the time base explains. */
  irregular: boolean
  /** Whether the file was read to its end; then its frames are counted and their span in ticks is known. */
  complete: boolean
  frameCount: number | null
  span: number | null
  /** How many packets at the beginning have no time, before the first that has one. */
  untimed: number
  /** Whether the first picture is shown later than it is decoded, with no decoding times before 0 (as an edit list would give) to make up for it. */
  shownLate: boolean
}

interface TimedPacket {
  pts?: number | undefined
  dts?: number | undefined
  duration?: number | undefined
  flags: string
}

/** Packets come in decoding order: if reading stopped early or the file was cut off, frames shown between the last ones may be missing. */
const REORDER_DEPTH = 16

/** @param complete Whether `packets` are all of the stream. */
export function packetTiming(packets: readonly TimedPacket[], complete: boolean): PacketTiming {
  // Flag D: an edit list cuts this packet away; it is decoded and not shown.
  const shown = packets.filter((packet) => !packet.flags.includes('D'))
  const timed = shown.flatMap(({ pts, duration = 0 }) => (pts === undefined ? [] : [{ pts, duration }])).sort((a, b) => a.pts - b.pts)
  const reliable = timed.length > 2 * REORDER_DEPTH ? timed.slice(0, -REORDER_DEPTH) : timed
  const median = medianOf(deltasOf(reliable))
  const first = timed[0]
  const last = timed.at(-1)
  // VP8 and VP9 store pictures that are never shown as packets of their own, next to nothing before the frame that they serve.
  const visible = median === null ? timed : timed.filter(({ pts }, i) => (timed[i + 1]?.pts ?? Infinity) - pts > median * 0.1)
  const untimed = Math.max(
    0,
    packets.findIndex(({ pts, dts }) => pts !== undefined || dts !== undefined),
  )
  const decoded = packets[0]?.dts
  const deltas = deltasOf(visible.slice(0, reliable.length === timed.length ? undefined : -REORDER_DEPTH))
  const medianDelta = medianOf(deltas)
  const tolerance = medianDelta === null ? 0 : Math.max(1.5, medianDelta * 0.05)
  return {
    firstPts: first?.pts ?? null,
    medianDelta: medianDelta !== null && medianDelta > 0 ? medianDelta : null,
    irregular:
      medianDelta !== null &&
      (deltas.some((delta) => Math.abs(delta - medianDelta) > tolerance) ||
        // More than frames that are missing between the last packets explain.
        deltasOf(visible).some((delta) => delta > medianDelta * (REORDER_DEPTH + 1))),
    complete,
    // Packets among timed ones may lack a time too: those of frames that are decoded late.
    untimed: untimed === 0 ? 0 : packets.filter(({ pts, flags }) => pts === undefined && !flags.includes('D')).length,
    shownLate: decoded !== undefined && decoded >= 0 && first !== undefined && first.pts > decoded,
    frameCount: complete && timed.length === shown.length && timed.length > 0 ? visible.length : null,
    span:
      complete && untimed === 0 && first !== undefined && last !== undefined
        ? last.pts + (last.duration || (medianDelta ?? 0)) - first.pts
        : null,
  }
}

function deltasOf(packets: readonly { pts: number }[]): number[] {
  return packets.slice(1).map(({ pts }, i) => pts - (packets[i]?.pts ?? pts))
}

function medianOf(values: readonly number[]): number | null {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? null
}

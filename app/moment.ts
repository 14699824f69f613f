/** A moment as people type it. */

/**
 * `#120`, `#f120`, `f120`, `120f`, `frame 120`, `Bild 120`: a frame, counted from 0. `75`, `75.2`, `75 s`, `1:15.2`, `1:02:03`: a time from the start,
 * where a comma may stand for the dot. Null for anything else.
 */
export function parseMoment(text: string): { frame: number } | { seconds: number } | null {
  const [, before, after] = /^(?:(?:#\s*f?|f|frame|bild)\s*(\d+)|(\d+)\s*f)$/i.exec(text.trim()) ?? []
  if (before !== undefined || after !== undefined) return { frame: Number(before ?? after) }
  const [whole, hours = '0', minutes = '0', seconds = '0'] = /^(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d*)?)(?:\s*s)?$/.exec(text.trim()) ?? []
  return whole === undefined ? null : { seconds: (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds.replace(',', '.')) }
}

/** How facts are written in cells, on the clipboard and in files: the same everywhere. */

/** 75.25 → "1:15.3", hours where there are any. */
export function clockText(seconds: number): string {
  const tenths = Math.round(Math.max(0, seconds) * 10)
  const [h, m, s] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, (tenths % 600) / 10]
  return `${h > 0 ? `${h}:${String(m).padStart(2, '0')}` : m}:${s.toFixed(1).padStart(4, '0')}`
}

export function timeText(start: number, end: number): string {
  return `${clockText(start)}–${clockText(end)}`
}

/** Seconds with one decimal, a number to a spreadsheet. */
export function lengthText(seconds: number): string {
  return seconds.toFixed(1)
}

/** All notes of a clip in one cell, each with the part of the video that it is about. */
export function notesText(notes: readonly { text: string; time: string | null }[]): string {
  return notes.map(({ text, time }) => (time === null ? text : `${time} ${text}`)).join('\n')
}

/**
 * SubRip captions, numbered from 1, CRLF line endings.
 *
 * SRT has no escaping: an arrow `-->` in a caption, which players may take for a time, becomes `→`. It has no place for a review state.
 */
import { blocksOf, captionCues, timesOf, timestamp } from './cues.ts'
import type { Cue } from './cues.ts'
import type { AnnotationDocument, Format } from './document.ts'

export const srt: Format<AnnotationDocument, Cue[]> = {
  project: (document) => captionCues(document).map(({ start, end, text }) => ({ start, end, text: text.replace(/-{2,}>/g, '→') })),
  write: (cues) =>
    cues
      .map(({ start, end, text }, i) => [String(i + 1), `${timestamp(start, ',')} --> ${timestamp(end, ',')}`, ...text.split('\n'), '', ''].join('\r\n'))
      .join(''),
  read: (text) =>
    blocksOf(text).map((lines) => {
      const first = lines.findIndex((line) => timesOf(line) !== null)
      const times = timesOf(lines[first])
      if (!times || first > 1) throw new SyntaxError(`A cue without times: ${lines.join(' ')}`)
      return { ...times, text: lines.slice(first + 1).join('\n') }
    }),
}

/**
 * SubRip captions, numbered from 1, CRLF line endings.
 *
 * SRT has no escaping: an arrow `-->` in a caption, which players may take for a time, becomes `→`. It has no place for a review state.
 */
import { blocksOf, captionCues, timesOf, timestamp } from './cues.ts'
import type { Cue } from './cues.ts'
import type { Film, Format } from './document.ts'

export const srt: Format<Film, Cue> = {
  pieces: (film) => captionCues(film).map(({ start, end, text }) => ({ start, end, text: text.replace(/-{2,}>/g, '→') })),
  *write(cues) {
    let number = 0
    for (const { start, end, text } of cues) {
      number += 1
      yield [String(number), `${timestamp(start, ',')} --> ${timestamp(end, ',')}`, ...text.split('\n'), '', ''].join('\r\n')
    }
  },
  *read(chunks) {
    for (const lines of blocksOf(chunks)) {
      const first = lines.findIndex((line) => timesOf(line) !== null)
      const times = timesOf(lines[first])
      if (!times || first > 1) throw new SyntaxError(`A cue without times: ${lines.join(' ')}`)
      yield { ...times, text: lines.slice(first + 1).join('\n') }
    }
  },
}

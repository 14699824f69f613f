/**
 * SubRip captions, numbered from 1, CRLF line endings.
 *
 * SRT has no escaping. Anything that readers would not take for text is written with similar characters: an arrow `-->`, which may be a
 * time, as `→`; a tag such as `<i>` as `‹i›`; styles such as `{\an8}` and `{y:i}` with a wide brace; and section names by which files of
 * another format are recognised, such as `[Script Info]`, with a wide bracket. There is no place for a review state.
 */
import { blocksOf, captionCues, cuesIn, textFound, timesOf, timestamp } from './cues.ts'
import type { Cue } from './cues.ts'
import type { Film, Format } from './document.ts'
import { fault, type Found } from './found.ts'

export const srt: Format<Film, Cue> = {
  pieces: (film) => captionCues(film).map(({ start, end, text }) => ({ start, end, text: inert(text) })),
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

function inert(text: string): string {
  return text
    .replace(/-{2,}>/g, '→')
    .replace(/<(\s*[/!]?\s*[a-z][^<>\n]*)>/gi, '‹$1›')
    .replace(/<(?=\s*[/!]?\s*[a-z])/gi, '‹')
    .replace(/\{(?=\\|[cfopsy]:)/gi, '｛')
    .replace(/\[(?=script info\]|v4\+? styles\])/gi, '［')
}

/** The subtitles of any tool as captions of parts, without formatting. */
export function* readSrt(open: () => Iterable<string>): Generator<Found> {
  yield { type: 'video', key: '' }
  for (const cue of cuesIn(open())) {
    if ('strange' in cue) yield fault('This belongs to no subtitle: “{{text}}”', cue.line, { text: cue.strange.join(' ').slice(0, 80) })
    else yield* textFound(cue, cue.text.replace(/<\/?(?:[biu]|font[^>]*)>/gi, '').replace(/\{\\[^}]*\}/g, ''), null)
  }
}

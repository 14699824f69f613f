/** Text that people paste from anywhere, in every place of a file that holds text: all readers must see it as text and nothing else. */
import { describe, expect, it } from 'vitest'
import { WebVTTParser } from 'webvtt-parser'
import entities from 'webvtt-parser/html-entities.json' with { type: 'json' }
import { filmOf, nasty, nastyDocument } from '../../test/documents.ts'
import { toTsv, fromTsv } from '../table/tsv.ts'
import { coco } from './coco.ts'
import { boxes, spans } from './csv.ts'
import { cvat, cvatLabels } from './cvat.ts'
import type { Film, Format } from './document.ts'
import { frames } from './frames.ts'
import { jsonl } from './jsonl.ts'
import { srt } from './srt.ts'
import { vtt } from './vtt.ts'

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/
/** The line ends of Python's `splitlines`. */
// oxlint-disable-next-line no-control-regex
const LINE_END = /\r\n|[\n\r\v\f\u001c-\u001e\u0085\u2028\u2029]/

const formats: Record<string, Format<Film, unknown>> = { cvat, vtt, srt, boxes, spans, jsonl, frames } as Record<
  string,
  Format<Film, unknown>
>
const textOf = <I, P>(format: Format<I, P>, input: I): string => [...format.write(format.pieces(input))].join('')
const films = Array.from({ length: 30 }, (_, seed) => filmOf(nastyDocument(seed)))

describe('text that looks like something else', () => {
  it.each(Object.keys(formats))('reads back from %s as it was written', (name) => {
    const format = formats[name]
    if (format === undefined) throw new RangeError(name)
    for (const film of films) expect([...format.read([textOf(format, film)])]).toStrictEqual([...format.pieces(film)])
  })

  it('reads back from COCO and from a spreadsheet’s cells', () => {
    for (const film of films) expect([...coco.read([textOf(coco, [film])])]).toStrictEqual([...coco.pieces([film])])
    const cells = nasty.map((text) => [text.replaceAll('\r\n', '\n'), 'x'])
    expect(fromTsv(toTsv(cells))).toEqual(cells)
  })

  it('keeps every word of a caption in subtitles', () => {
    const words = (text: string) => text.replaceAll('(?) ', '').match(/[\p{L}\p{N}]+/gu) ?? []
    for (const film of films)
      for (const format of [vtt, srt]) {
        const written = [...format.pieces(film)].map(({ text }) => words(text).join(' '))
        const meant = film.clips.flatMap((clip) =>
          [...film.of(clip, ['caption', 'segment'])].map(({ body }) => ('text' in body ? words(body.text).join(' ') : '')),
        )
        expect(written.sort()).toEqual(meant.filter((text) => /\S/.test(text)).sort())
      }
  })

  it('is no cue, no time and no number of a cue to readers that go line by line, as pysubs2 does', () => {
    const times = /\d{1,4}:\d{1,2}(?::\d{1,2})?[.,]\d{1,3}/g
    for (const film of films)
      for (const [cues, text] of [
        [[...vtt.pieces(film)], textOf(vtt, film)],
        [[...srt.pieces(film)], textOf(srt, film)],
      ] as const) {
        const lines = text.split(/[\r\n\v\f\u0085\u2028\u2029]+/)
        expect(lines.filter((line) => line.includes('-->'))).toHaveLength(cues.length)
        expect(lines.filter((line) => (line.match(times) ?? []).length > 1)).toHaveLength(cues.length)
        // The last line of a cue precedes no other cue.
        expect(cues.flatMap((cue) => cue.text.split('\n').slice(1)).filter((line) => /^\s*\d+\s*$/.test(line))).toEqual([])
        expect(lines.join('')).not.toMatch(CONTROL)
      }
  })

  it('is no tag and no style in subtitles', () => {
    for (const film of films) {
      const { cues, errors } = new WebVTTParser(entities).parse(textOf(vtt, film), 'captions')
      expect(errors).toEqual([])
      expect(cues.flatMap(({ tree }) => tree.children).filter(({ type }) => type !== 'text')).toEqual([])
      for (const { text } of srt.pieces(film)) expect(text).not.toMatch(/< *\/? *[a-z]|\{\\/i)
    }
  })

  it('is on one line of JSON Lines whatever a reader ends a line at, and in one element of XML', () => {
    for (const film of films) {
      const lines = textOf(jsonl, film)
        .split(LINE_END)
        .filter((line) => line !== '')
      for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow()
      const xml = textOf(cvat, film)
      expect(xml).not.toMatch(CONTROL)
      expect(xml.match(/<track /g) ?? []).toHaveLength([...cvat.pieces(film)].filter(({ part }) => part === 'track').length)
      expect(() => JSON.parse(cvatLabels(film.categories)) as unknown).not.toThrow()
    }
  })
})

/**
 * What CLIP's tokenizer does to a text before it splits it (open_clip's SimpleTokenizer: ftfy.fix_text, HTML entities resolved, single
 * spaces, lower case), so that the same words give the same ids. One of ftfy's repairs is left out, that of text decoded with the wrong encoding:
 * what people type is not damaged like that.
 */
import { decodeHTML, decodeHTMLStrict } from 'entities'

const LIGATURES: Record<string, string> = {
  Ĳ: 'IJ',
  ĳ: 'ij',
  ŉ: 'ʼn',
  Ǳ: 'DZ',
  ǲ: 'Dz',
  ǳ: 'dz',
  Ǆ: 'DŽ',
  ǅ: 'Dž',
  ǆ: 'dž',
  Ǉ: 'LJ',
  ǈ: 'Lj',
  ǉ: 'lj',
  Ǌ: 'NJ',
  ǋ: 'Nj',
  ǌ: 'nj',
  ﬀ: 'ff',
  ﬁ: 'fi',
  ﬂ: 'fl',
  ﬃ: 'ffi',
  ﬄ: 'ffl',
  ﬅ: 'ſt',
  ﬆ: 'st',
}
const LIGATURE = new RegExp(`[${Object.keys(LIGATURES).join('')}]`, 'g')
const windows1252 = new TextDecoder('windows-1252')

export function cleanForClip(text: string): string {
  // Entities are kept if the line seems to contain markup.
  const fixed = text
    .split(/(?<=\n)/)
    .map(fixLine)
    .join('')
  return decodeHTML(decodeHTML(fixed)).trim().replace(/\s+/gu, ' ').toLowerCase()
}

/** Also decodes entities in upper case, such as &EACUTE;. */
function decodeEntity(entity: string): string {
  const decoded = decodeHTMLStrict(entity)
  if (decoded !== entity || entity !== entity.toUpperCase()) return decoded
  const lower = entity.toLowerCase()
  const found = decodeHTMLStrict(lower)
  return found === lower ? entity : found.toUpperCase()
}

/** Repeats the repairs until nothing changes, since one may uncover the next. */
function fixLine(line: string): string {
  for (let before = ''; before !== line; ) {
    before = line
    if (!line.includes('<')) line = line.replace(/&#?[0-9A-Za-z]{1,24};/g, decodeEntity)
    line = line
      .replace(/[\u0080-\u009F]/g, (control) => windows1252.decode(Uint8Array.of(control.charCodeAt(0))))
      .replace(LIGATURE, (ligature) => LIGATURES[ligature] ?? ligature)
      .replace(/[\uFF01-\uFFEF\u3000]/g, (wide) => wide.normalize('NFKC'))
      .replace(/[\u201C-\u201F]/g, '"')
      .replace(/[\u02BC\u2018-\u201B]/g, "'")
      .replace(/\r\n|[\r\u2028\u2029]/g, '\n')
      .toWellFormed()
      // oxlint-disable-next-line no-control-regex -- these are what it is about
      .replace(/\u001B\[[\d;]*[a-zA-Z]/g, '')
      // oxlint-disable-next-line no-control-regex -- these are what it is about
      .replace(/[\u0000-\u0008\u000B\u000E-\u001F\u007F\u206A-\u206F\uFEFF\uFFF9-\uFFFC]/g, '')
      .normalize('NFC')
  }
  return line
}

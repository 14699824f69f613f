/** Keeps spreadsheets from running a text as a formula, in files and on the clipboard. */

/** The parts of a formula after its leading signs: numbers, texts, names and references, with operators between. */
const OPERAND = String.raw`(?:\d[\d.,]*(?:e[+-]?\d+)?%?|"[^"]*"|[\p{L}_$\\][\p{L}\d_.$\\:]*)`
const EXPRESSION = new RegExp(String.raw`^[\s(+\-＋－]*${OPERAND}[\s)]*(?:[-+*/^&=<>][\s(+\-=<>]*${OPERAND}[\s)]*)*$`, 'iu')
/** A number or a single word after any sign is harmless, unless the word is a cell reference: nothing is run. */
const HARMLESS = /^[\s+\-＋－]*(?:\d[\d.,]*(?:e[+-]?\d+)?%?|(?!(?:[a-z]{1,3}\d{1,7}|r\d+c\d+)\s*$)[\p{L}_][\p{L}\d_]*)\s*$/iu
/** Calls of a function, of another program (DDE) or of another sheet. */
const CALLS = /[-+*/^&=<>(,;＋－]\s*[\p{L}_][\p{L}\d_.]*\s*\(|\|.*!|![$\p{L}]/u

/** Whether a spreadsheet would evaluate a text. Leading spaces, tabs and line breaks are skipped, as some spreadsheets do. */
export function isFormula(text: string): boolean {
  const start = text.trimStart()
  if (/^[=@＝＠]/.test(start)) return true
  return /^[+\-＋－]/.test(start) && (CALLS.test(start) || (EXPRESSION.test(start) && !HARMLESS.test(start)))
}

/**
 * Where a spreadsheet may begin a new cell within a text: after a line break or a tab, and after a semicolon, which separates cells in German and
 * many other settings. Quotes do not hold such a text together there, since they do not begin the cell.
 */
const SEPARATOR = /(\r\n|[;\t\r\n])/

/** A text in which a spreadsheet finds no formula, however it splits it: each part that begins one has an apostrophe in front. */
export function guarded(text: string): string {
  return MAY_BEGIN.test(text) ? fromTheEnd(text, (part, rest) => (begins(part, rest) ? [`'${part}`, part] : [part, part])) : text
}

/** The text that `guarded` was given. */
export function unguarded(text: string): string {
  if (!text.includes("'")) return text
  return fromTheEnd(text, (part, rest) => {
    const without = part.slice(1)
    const plain = part.startsWith("'") && begins(without, rest) ? without : part
    return [plain, plain]
  })
}

/** Whether a formula begins with a part, which ends there or with the rest of the text. */
function begins(part: string, rest: string): boolean {
  return needsGuard(part) || needsGuard(part + rest)
}

/** @param change Gives for a part, and for what follows it without guards, the new part and the part without guard. */
function fromTheEnd(text: string, change: (part: string, rest: string) => [written: string, plain: string]): string {
  let [result, rest] = ['', '']
  for (const part of text.split(SEPARATOR).reverse()) {
    const [written, plain] = SEPARATOR.test(part) ? [part, part] : change(part, rest)
    result = written + result
    rest = plain + rest
  }
  return result
}

const MAY_BEGIN = /(?:^|[;\t\r\n])['\s]*[=+\-@＝＋－＠]/

/** Apostrophes before a formula count as part of it, so that a text that already has one is read back unchanged. */
function needsGuard(text: string): boolean {
  return MAY_NEED_GUARD.test(text) && isFormula(text.replace(/^'+/, ''))
}
const MAY_NEED_GUARD = /^['\s]*[=+\-@＝＋－＠]/

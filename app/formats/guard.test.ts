/** Texts of strangers in a spreadsheet: what is written, and what each way of splitting it into cells would run. */
import { expect, test } from 'vitest'
import { fromTsv, toTsv } from '../table/tsv.ts'
import { csvLine, table } from './csv.ts'
import { guarded, isFormula, unguarded } from './guard.ts'

const FORMULAS = ['=1+1', '@SUM(A1)', '+A1*2', "-2+3+cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")', '＝1', ' =1', '\t=1']
const PARTS = ['a', '"', "'", "''", 'x y', '5 °C', ...FORMULAS]
const SEPARATORS = [';', '\n', '\r\n', '\t', '; ', ',', '";', ' ']

/** Numbers from 0 to 1, the same at every run (Park and Miller). */
function random(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

function* texts(): Generator<string> {
  const next = random(17)
  const of = (all: readonly string[]) => all[Math.floor(next() * all.length)] ?? ''
  for (const text of FORMULAS) yield text
  for (let nth = 0; nth < 2_000; nth++) yield of(PARTS) + of(SEPARATORS) + of(PARTS) + of(SEPARATORS) + of(PARTS)
}

/** Cells of a line for a spreadsheet whose list separator is `separator`: quotes hold a cell together only where they begin it. */
function cells(line: string, separator: string): string[] {
  const cell = new RegExp(String.raw`"((?:[^"]|"")*)"(?=${separator}|\r?\n|\r|$)|([^${separator}\r\n]*)`, 'y')
  const found: string[] = []
  for (let at = 0; at < line.length; at += 1) {
    cell.lastIndex = at
    const [whole = '', quoted, plain = ''] = cell.exec(line) ?? []
    found.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    at += whole.length
  }
  return found
}

test('no way of splitting a line of CSV makes a formula of a part of a text', () => {
  for (const text of texts())
    for (const line of [csvLine(['name', text, 1]), csvLine([text, 'x'])])
      for (const separator of [',', ';', '\\t'])
        for (const cell of cells(line, separator)) expect([text, separator, cell, isFormula(cell)]).toEqual([text, separator, cell, false])
})

test('a copied cell is no formula, and pasted back it is what it was', () => {
  for (const text of texts()) {
    const copied = toTsv([[text, 'x']])
    for (const cell of cells(copied, '\\t')) expect([text, cell, isFormula(cell)]).toEqual([text, cell, false])
    expect(fromTsv(copied)[0]?.[0]).toBe(text.replaceAll('\r\n', '\n'))
  }
})

test('every text is read back as it was, and one that is no formula is not changed', () => {
  const one = table({ text: 'text' })
  for (const text of texts()) {
    expect(unguarded(guarded(text))).toBe(text)
    expect([...one.read(one.write([{ text }]))]).toEqual([{ text }])
  }
  for (const text of ['a; b', 'cold: -5 °C; warm: +20 °C', 'one\n- two', "it's; 'quoted'", 'a;\nb', '3;-2'])
    expect([text, guarded(text)]).toEqual([text, text])
})

test('a long text in quotes is read wherever a piece of the file ends', () => {
  const one = table({ text: 'text' })
  const text = 'as long, and '.repeat(2_000)
  const written = [...one.write([{ text }])].join('')
  for (const at of [20, 40, 9_999, 20_000]) expect([...one.read([written.slice(0, at), written.slice(at)])]).toEqual([{ text }])
})

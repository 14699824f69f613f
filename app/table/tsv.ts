/**
 * Cells as spreadsheets put them on the clipboard: line breaks between rows, tabs between cells. A cell that contains either, or begins
 * with a quote, is quoted with its own quotes doubled (as Excel, LibreOffice and Google Sheets write and read it). A text that a spreadsheet would run
 * has an apostrophe in front, as in CSV files, which pasting it back removes.
 */
import { guarded, unguarded } from '../formats/guard.ts'

export function toTsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => row.map(quoted).join('\t')).join('\r\n')
}

function quoted(cell: string): string {
  const text = guarded(cell)
  return /[\t\r\n]/.test(text) || text.startsWith('"') ? `"${text.replaceAll('"', '""')}"` : text
}

/**
 * Rows of equal width: short ones are filled with empty cells. A quote that does not open a whole cell is an ordinary character, so that
 * text copied from anywhere is read correctly. The line break that spreadsheets add at the end does not make a row.
 */
export function fromTsv(text: string): string[][] {
  const rows: string[][] = [[]]
  const cell = /"((?:[^"]|"")*)"(?=\t|\r?\n|\r|$)|([^\t\r\n]*)/y
  let at = 0
  for (;;) {
    cell.lastIndex = at
    const [whole = '', inQuotes, plain = ''] = cell.exec(text) ?? []
    rows.at(-1)?.push(unguarded(inQuotes === undefined ? plain : inQuotes.replaceAll('""', '"').replaceAll('\r\n', '\n')))
    at += whole.length
    if (at >= text.length) break
    const tab = text[at] === '\t'
    at += text.startsWith('\r\n', at) ? 2 : 1
    if (tab) continue
    if (at >= text.length) break
    rows.push([])
  }
  const width = Math.max(...rows.map((row) => row.length))
  return rows.map((row) => [...row, ...Array<string>(width - row.length).fill('')])
}

/** The shape of a paste: the copied cells, repeated as often as they fit where more than one cell is selected (as in spreadsheets). */
export function repeated(cells: readonly (readonly string[])[], rows: number, columns: number): string[][] {
  const [height, width] = [cells.length, cells[0]?.length ?? 0]
  const times = (chosen: number, copied: number) => (chosen > copied && chosen % copied === 0 ? chosen : copied)
  return Array.from({ length: times(rows, height) }, (_, row) =>
    Array.from({ length: times(columns, width) }, (_, column) => cells[row % height]?.[column % width] ?? ''),
  )
}

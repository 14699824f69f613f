/**
 * The two tables of CSV as Parquet: the same columns in the same order, with types. One group of rows is in memory at a time, in writing and in
 * reading.
 *
 * Whole numbers that may be large are INT64, others INT32; what is 0 or 1 in CSV is a BOOLEAN; an empty cell is null. Texts stay as they are: a text
 * that a spreadsheet would run needs no apostrophe here.
 */
import { parquetHeader } from 'hyparquet/src/column.js'
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  type SchemaElement,
} from 'hyparquet/src/index.js'
import { ParquetWriter, type Writer } from 'hyparquet-writer/src/index.js'
import { phrase } from '../phrase.ts'
import { boxes, type Columns, foundInBoxes, foundInSpans, type LooseRow, type Row, spans, tableOf } from './csv.ts'
import type { Film } from './document.ts'
import { type Found, numberIn } from './found.ts'

/** Rows of a group. */
const GROUP = 10_000
const SCHEMA = 'tubelet-tables/1'

type Type = 'STRING' | 'INT32' | 'INT64' | 'DOUBLE' | 'BOOLEAN'
/** The types of columns of numbers that are no DOUBLE. */
const TYPES: Readonly<Record<string, Type>> = {
  ...{
    frame: 'INT32',
    start_frame: 'INT32',
    end_frame: 'INT32',
    width: 'INT32',
    height: 'INT32',
    timebase_num: 'INT32',
    timebase_den: 'INT32',
  },
  ...{ pts: 'INT64', track_id: 'INT64', clip_id: 'INT64', annotation_id: 'INT64' },
  ...{ observed: 'BOOLEAN', occluded: 'BOOLEAN', unsure: 'BOOLEAN' },
}

export interface ParquetTable<C extends Columns> {
  pieces: (film: Film) => Iterable<Row<C>>
  write: (rows: Iterable<Row<C>>, to: Writer) => void
  /** @throws Where the file is no such table. */
  read: (file: AsyncBuffer) => AsyncGenerator<Row<C>>
}

function parquetTable<C extends Columns>({ columns, pieces }: { columns: C; pieces: (film: Film) => Iterable<Row<C>> }): ParquetTable<C> {
  const names = Object.keys(columns)
  const types = names.map((name): Type => (columns[name] === 'text' ? 'STRING' : (TYPES[name] ?? 'DOUBLE')))
  const schema: SchemaElement[] = [
    { name: 'root', num_children: names.length },
    ...names.map((name, at): SchemaElement => {
      const type = types[at] ?? 'STRING'
      return type === 'STRING'
        ? { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' }
        : { name, type, repetition_type: 'OPTIONAL' }
    }),
  ]
  return {
    pieces,
    write(rows, to) {
      const writer = new ParquetWriter({ writer: to, schema, createdBy: 'Tubelet', kvMetadata: [{ key: 'schema', value: SCHEMA }] })
      let group: unknown[][] = names.map(() => [])
      const flush = () => {
        // There is nothing to wait for: our writers write at once.
        void writer.write({ columnData: names.map((name, at) => ({ name, data: group[at] ?? [] })), rowGroupSize: GROUP })
        group = names.map(() => [])
      }
      for (const row of rows) {
        for (const [at, name] of names.entries()) group[at]?.push(stored(row[name] ?? null, types[at] ?? 'STRING'))
        if (group[0]?.length === GROUP) flush()
      }
      if (group[0]?.length !== 0) flush()
      void writer.finish()
    },
    async *read(file) {
      for await (const { rows, found } of groupsOf(file)) {
        if (found.join() !== names.join()) throw new SyntaxError(`The columns must be ${names.join(', ')}.`)
        for (const row of rows) yield Object.fromEntries(names.map((name) => [name, cellOf(row[name])])) as Row<C>
      }
    },
  }
}

export const parquetBoxes = parquetTable(boxes)
export const parquetSpans = parquetTable(spans)

function stored(value: string | number | null, type: Type): unknown {
  if (value === null || type === 'STRING') return value
  return type === 'INT64' ? BigInt(value) : type === 'BOOLEAN' ? value === 1 : value
}

/** Numbers and texts as in CSV; null for what is neither. */
function cellOf(value: unknown): string | number | null {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'boolean') return Number(value)
  return typeof value === 'string' || typeof value === 'number' ? value : null
}

/** At most so many rows of a group of another tool are read at once. */
const AT_ONCE = 50_000

/** More than writers put into one page, and into one group of rows: bytes when unpacked, and values. */
const MOST_OF_PAGE = { bytes: 2 ** 28, values: 2 ** 24 }
const MOST_OF_GROUP = 2 ** 30
/** Bytes in which the header of a page ends. */
const HEADER = 2 ** 16

/**
 * What a page claims is believed by its reader before it looks: a few bytes can claim gigabytes.
 * @throws SyntaxError where more is claimed than such a file can hold.
 */
async function mustBeBounded(file: AsyncBuffer, { row_groups: groups }: FileMetaData): Promise<void> {
  const inFile = (claim: number) => Number.isSafeInteger(claim) && claim >= 0 && claim <= file.byteLength
  const refuse = () => new SyntaxError(phrase('It claims to hold more than such a file can.'))
  for (const { columns, num_rows } of groups) {
    let bytes = 0
    for (const { meta_data: chunk } of columns) {
      if (chunk === undefined) continue
      let from = Number(chunk.dictionary_page_offset || chunk.data_page_offset)
      const end = from + Number(chunk.total_compressed_size)
      let held = 0
      if (!inFile(from) || !inFile(end)) throw refuse()
      while (from < end) {
        const reader = { view: new DataView(await file.slice(from, Math.min(from + HEADER, end))), offset: 0 }
        const page = parquetHeader(reader)
        const values = [page.data_page_header, page.data_page_header_v2, page.dictionary_page_header].map((one) => one?.num_values ?? 0)
        bytes += page.uncompressed_page_size
        if (page.type !== 'DICTIONARY_PAGE') held += Math.max(...values)
        const isBounded =
          page.uncompressed_page_size >= 0 &&
          page.uncompressed_page_size <= MOST_OF_PAGE.bytes &&
          values.every((count) => count >= 0 && count <= MOST_OF_PAGE.values) &&
          bytes <= MOST_OF_GROUP
        if (!isBounded || !inFile(page.compressed_page_size)) throw refuse()
        from += reader.offset + page.compressed_page_size
      }
      if (held < num_rows) throw new SyntaxError(phrase('It has fewer rows than it says.'))
    }
  }
}

/** A byte order mark at the beginning of a text is a part of it, which hyparquet 1.31.5 drops. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const PARSERS = { stringFromBytes: (bytes: Uint8Array | undefined) => bytes && decoder.decode(bytes) }

async function* groupsOf(
  file: AsyncBuffer,
  compressors?: Compressors,
): AsyncGenerator<{ rows: Record<string, unknown>[]; found: string[]; from: number }> {
  const metadata = await parquetMetadataAsync(file)
  const found = metadata.schema.slice(1).map(({ name }) => name)
  await mustBeBounded(file, metadata)
  let from = 0
  if (metadata.row_groups.length === 0) yield { rows: [], found, from }
  for (const { num_rows } of metadata.row_groups) {
    const end = from + Number(num_rows)
    for (; from < end; from = Math.min(end, from + AT_ONCE)) {
      const rows = await parquetReadObjects({
        file,
        metadata,
        rowStart: from,
        rowEnd: Math.min(end, from + AT_ONCE),
        parsers: PARSERS,
        // It could name other pages than those that were looked at.
        useOffsetIndex: false,
        ...(compressors && { compressors }),
      })
      yield { rows, found, from }
    }
  }
}

// ── reading for an import

/**
 * The rows of either table, a group at a time; also without the columns that only Tubelet writes. Their numbers count from 1.
 * @param compressors Of those that hyparquet has not. @throws SyntaxError for another table.
 */
export async function* readParquet(file: AsyncBuffer, compressors: Compressors): AsyncGenerator<Iterable<Found>> {
  for await (const { rows, found, from } of groupsOf(file, compressors)) {
    const table = tableOf(found.join())
    if (table === null) throw new SyntaxError(phrase('The table has not the columns of boxes or of spans.'))
    const loose = rows.map((row, at): LooseRow => {
      const cell = (name: string) => cellOf(row[name])
      return {
        line: from + at + 1,
        text: (name) => cell(name)?.toString(),
        number: (name) => numberIn(cell(name)?.toString()),
      }
    })
    yield table === 'boxes' ? foundInBoxes(loose) : foundInSpans(loose)
  }
}

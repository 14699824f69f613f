import type { AsyncBuffer } from 'hyparquet/src/index.js'
import { parquetMetadata } from 'hyparquet/src/index.js'
import { ByteWriter } from 'hyparquet-writer/src/index.js'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js'
import { describe, expect, it } from 'vitest'
import { filmOf, randomDocument, tricky } from '../../test/documents.ts'
import { boxes, spans } from './csv.ts'
import { parquetBoxes, parquetSpans, readParquet } from './parquet.ts'

function fileOf(write: (to: ByteWriter) => void): AsyncBuffer {
  const to = new ByteWriter()
  write(to)
  const buffer = to.getBuffer()
  return { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) }
}

async function all<T>(things: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const one of things) list.push(one)
  return list
}

it('the tables read back with every text, and with the numbers of CSV', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const film = filmOf(seed === 1 ? tricky : seed === 2 ? { ...tricky, clips: [] } : randomDocument(seed))
    const [meantBoxes, meantSpans] = [[...boxes.pieces(film)], [...spans.pieces(film)]]
    expect(await all(parquetBoxes.read(fileOf((to) => parquetBoxes.write(meantBoxes, to))))).toStrictEqual(meantBoxes)
    expect(await all(parquetSpans.read(fileOf((to) => parquetSpans.write(meantSpans, to))))).toStrictEqual(meantSpans)
  }
})

it('either table is read for an import, and no other', async () => {
  const film = filmOf(tricky)
  const boxFile = fileOf((to) => parquetBoxes.write(boxes.pieces(film), to))
  const found = (await all(readParquet(boxFile, {}))).flatMap((group) => [...group])
  expect(found[0]).toMatchObject({ type: 'video', fingerprint: 'xxh:0123', width: 320, height: 240, firstFrame: 0 })
  expect(found.filter(({ type }) => type === 'box').length).toBe([...boxes.pieces(film)].length)
  expect(found[1]).toMatchObject({
    type: 'box',
    label: '狗 "dog" & <cat>',
    frame: 0,
    box: { x1: 0, y1: 10, x2: 40, y2: 60 },
    score: 0.75,
    observed: true,
  })
  const spanFile = fileOf((to) => parquetSpans.write(spans.pieces(film), to))
  const texts = (await all(readParquet(spanFile, {}))).flatMap((group) => [...group])
  expect(texts).toContainEqual(expect.objectContaining({ type: 'text', kind: 'answer', question: '+What, "now"?' }))
  const cut: AsyncBuffer = { byteLength: 40, slice: (start, end) => boxFile.slice(start, end) }
  await expect(all(readParquet(cut, {}))).rejects.toThrow()
})

describe('a file that claims more than it holds', () => {
  const film = filmOf(tricky)
  const sound = new ByteWriter()
  parquetSpans.write(spans.pieces(film), sound)
  const soundBytes = new Uint8Array(sound.getBuffer())
  const metadata = parquetMetadata(sound.getBuffer())

  /** The table with one page, which says this of itself, and with this said of its group of rows. */
  function claiming(page: object, rows = 1, bytes = 100): AsyncBuffer {
    const [group = expect.fail()] = metadata.row_groups
    const to = new ByteWriter()
    const head = new ByteWriter()
    serializeTCompactProtocol(head, { field_1: 0, field_2: 100, field_3: 8, ...page })
    to.appendBytes(new TextEncoder().encode('PAR1'))
    to.appendBytes(new Uint8Array(head.getBuffer()))
    to.appendBytes(new Uint8Array(8))
    const columns = group.columns.map((column) => ({
      ...column,
      meta_data: {
        ...(column.meta_data ?? expect.fail()),
        dictionary_page_offset: 0n,
        data_page_offset: 4n,
        total_compressed_size: BigInt(bytes === 100 ? head.offset + 8 : bytes),
      },
    }))
    writeMetadata(to, { ...metadata, num_rows: BigInt(rows), row_groups: [{ ...group, columns, num_rows: BigInt(rows) }] })
    to.appendBytes(new TextEncoder().encode('PAR1'))
    const buffer = to.getBuffer()
    return { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) }
  }
  const values = (count: number) => ({ field_5: { field_1: count, field_2: 0, field_3: 3, field_4: 3 } })
  const refused = (file: AsyncBuffer) => all(readParquet(file, {})).then(() => 'read', String)

  it('is refused before anything is unpacked or counted out', async () => {
    const tooMuch = 'SyntaxError: It claims to hold more than such a file can.'
    const most = 2 ** 31 - 1
    expect(await refused(claiming({ field_2: most, ...values(1) }))).toBe(tooMuch)
    expect(await refused(claiming({ field_2: -1, ...values(1) }))).toBe(tooMuch)
    expect(await refused(claiming({ field_3: most, ...values(1) }))).toBe(tooMuch)
    expect(await refused(claiming(values(most)))).toBe(tooMuch)
    expect(await refused(claiming({ field_1: 2, field_7: { field_1: most, field_2: 0 } }))).toBe(tooMuch)
    expect(
      await refused(claiming({ field_1: 3, field_8: { field_1: most, field_2: 0, field_3: 1, field_4: 5, field_5: 0, field_6: 0 } })),
    ).toBe(tooMuch)
    expect(await refused(claiming(values(1), 1, 2 ** 40))).toBe(tooMuch)
  })

  it('of more rows than there are ends where they end', async () => {
    const columns = metadata.row_groups.flatMap((group) => group.columns)
    const to = new ByteWriter()
    const [group = expect.fail()] = metadata.row_groups
    // The pages lie where they lay.
    to.appendBytes(
      soundBytes.subarray(
        0,
        Number(columns.at(-1)?.meta_data?.data_page_offset ?? 0) + Number(columns.at(-1)?.meta_data?.total_compressed_size ?? 0),
      ),
    )
    const rows = 10n ** 15n
    writeMetadata(to, { ...metadata, num_rows: rows, row_groups: [{ ...group, num_rows: rows }] })
    to.appendBytes(new TextEncoder().encode('PAR1'))
    const buffer = to.getBuffer()
    expect(await refused({ byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) })).toContain(
      'fewer rows than it says',
    )
  })
})

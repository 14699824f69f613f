import type { AsyncBuffer } from 'hyparquet/src/index.js'
import { ByteWriter } from 'hyparquet-writer/src/index.js'
import { expect, it } from 'vitest'
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

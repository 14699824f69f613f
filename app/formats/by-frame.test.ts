import { expect, it } from 'vitest'
import { filmOf, randomDocument, tricky } from '../../test/documents.ts'
import { boxesByFrame } from './by-frame.ts'
import { trackedObjects } from './document.ts'

it('boxes frame by frame are those of the tracks, whatever fits into memory at a time', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const film = filmOf(seed === 1 ? tricky : randomDocument(seed))
    const all = [...trackedObjects(film)].flatMap(({ id, boxes }) => [...boxes].map((box) => ({ id, ...box })))
    const expected = all.toSorted((a, b) => a.frame - b.frame)
    for (const most of [1, 3, 1e6]) {
      const found = [...boxesByFrame(film, undefined, most)]
      expect(found.flatMap((one) => one.boxes.map(({ object, ...box }) => ({ id: object.id, ...box })))).toEqual(expected)
      expect(found.map(({ frame }) => frame)).toEqual([...new Set(expected.map(({ frame }) => frame))])
    }
    const even = [...boxesByFrame(film, (frame) => frame % 2 === 0, 2)]
    expect(even.flatMap((one) => one.boxes).length).toBe(expected.filter(({ frame }) => frame % 2 === 0).length)
  }
})

/** Which pictures of a folder are one video, and the video's name. */
import { expect, test } from 'vitest'
import { gapsOf, gapsText, namesOf, numberedAmong, partsOf, patternOf, picturesOf, rateOf, titleOfPattern } from './numbered.ts'

const names = (count: number, nameOf: (n: number) => string, from = 1) => Array.from({ length: count }, (_, i) => nameOf(i + from))
const padded = (n: number) => `img_${String(n).padStart(4, '0')}.jpg`

test('numbers filled with zeros, with gaps, in any order, beside other files', () => {
  const there = names(20, padded).filter((name) => !/_(0005|0006|0011)/.test(name))
  const [found, ...more] = numberedAmong(['notes.txt', 'film.mp4', ...there.toReversed(), 'cover1.png', 'cover2.png'])
  expect(more).toEqual([])
  expect(found).toEqual({
    pattern: 'img_%04d.jpg',
    runs: [
      [1, 4, 1],
      [7, 10, 1],
      [12, 20, 1],
    ],
    count: 17,
    first: 'img_0001.jpg',
    last: 'img_0020.jpg',
    missing: 3,
  })
  expect(namesOf('img_%04d.jpg', found?.runs ?? [])).toEqual(there)
  expect(picturesOf('img_%04d.jpg', there)).toEqual(found)
})

test('numbers as they are, those that outgrew their zeros, and every tenth one', () => {
  expect(numberedAmong(names(12, (n) => `${n}.png`))).toMatchObject([{ pattern: '%d.png', first: '1.png', last: '12.png', missing: 0 }])
  expect(numberedAmong(names(4, (n) => `a${String(n).padStart(2, '0')}.png`, 98))).toMatchObject([{ pattern: 'a%d.png', count: 4 }])
  const grown = ['f01.png', ...names(4, (n) => `f${n}.png`, 98)]
  expect(numberedAmong(grown)).toMatchObject([{ pattern: 'f%02d.png', count: 5, first: 'f01.png', last: 'f101.png' }])
  expect(numberedAmong(['t_0000.tif', 't_0010.tif', 't_0020.tif', 't_0040.tif'])).toMatchObject([
    {
      runs: [
        [0, 20, 10],
        [40, 40, 10],
      ],
      missing: 1,
    },
  ])
})

test('several in one folder are told apart: by what stands around the number, by its width, by their kind', () => {
  const all = [
    ...names(3, padded),
    ...names(3, (n) => `img_0${n}.jpg`),
    ...names(3, (n) => `left ${n} of 9.PNG`),
    ...names(3, (n) => `img_000${n}.png`),
  ]
  expect(numberedAmong(all).map(({ pattern, count }) => [pattern, count])).toEqual([
    ['img_%04d.jpg', 3],
    ['img_%02d.jpg', 3],
    ['img_%04d.png', 3],
  ])
})

test('a pattern is one of pictures alone', () => {
  expect(patternOf('/a %d/100%_%05d.left.png')).toEqual({ before: '100%_', digits: 5, after: '.left.png', only: null })
  expect(patternOf('/a/f_%d.png[3-12]')).toEqual({ before: 'f_', digits: 0, after: '.png', only: [3, 12] })
  expect(['%d.mp4', 'img_0001.jpg', '/%04d.png/film.mp4'].map(patternOf)).toEqual([null, null, null])
  expect([titleOfPattern('img_%04d.jpg'), titleOfPattern('%d.png'), titleOfPattern('a.mp4')]).toEqual(['img_####.jpg', '#.png', 'a.mp4'])
})

test('gaps are told by their numbers, and each part between them can be a video of its own', () => {
  const there = names(20, padded).filter((name) => !/_(0005|0006|0011)/.test(name))
  const [found] = numberedAmong(there)
  if (found === undefined) throw new Error('nothing was found')
  expect(gapsOf(found.runs)).toEqual([
    [5, 6],
    [11, 11],
  ])
  expect(gapsText(gapsOf(found.runs))).toBe('5–6, 11')
  expect(gapsText(gapsOf(found.runs), 1)).toBe('5–6, …')
  const parts = partsOf(found)
  expect(parts.map(({ pattern, count, first, last, missing }) => [pattern, count, first, last, missing])).toEqual([
    ['img_%04d.jpg[1-4]', 4, 'img_0001.jpg', 'img_0004.jpg', 0],
    ['img_%04d.jpg[7-10]', 4, 'img_0007.jpg', 'img_0010.jpg', 0],
    ['img_%04d.jpg[12-20]', 9, 'img_0012.jpg', 'img_0020.jpg', 0],
  ])
  expect(parts.flatMap(({ pattern, runs }) => namesOf(pattern, runs))).toEqual(there)
  for (const part of parts) expect(picturesOf(part.pattern, there)).toEqual(part)
  expect(titleOfPattern('img_%04d.jpg[7-10]')).toBe('img_####.jpg [7-10]')
  // Irregular distances: nothing counts as missing.
  const [every] = numberedAmong(['t_00.tif', 't_10.tif', 't_15.tif', 't_20.tif', 't_30.tif', 't_40.tif'])
  expect(every && [every.missing, gapsOf(every.runs), partsOf(every).length]).toEqual([0, [], 1])
})

test('rates are the fractions that they stand for', () => {
  expect([25, 29.97, 23.976, 59.94, 12.5, 0.5, 1 / 60].map(rateOf)).toEqual([
    { num: 25, den: 1 },
    { num: 30000, den: 1001 },
    { num: 24000, den: 1001 },
    { num: 60000, den: 1001 },
    { num: 25, den: 2 },
    { num: 1, den: 2 },
    { num: 1, den: 60 },
  ])
})

import { expect, it } from 'vitest'
import { parseMoment } from './moment.ts'

it('a moment is a frame or a time, as people type them', () => {
  expect(['#120', ' # 7 ', '33f', '0 F'].map(parseMoment)).toEqual([{ frame: 120 }, { frame: 7 }, { frame: 33 }, { frame: 0 }])
  for (const text of ['#f3', '# F3', 'f3', 'frame 3', 'Bild 3', 'bild3']) expect(parseMoment(text), text).toEqual({ frame: 3 })
  expect(['75', '75.25', '1:15,5', '1:02:03', '90:00', '12s', '12.5 s'].map(parseMoment)).toEqual(
    [75, 75.25, 75.5, 3723, 5400, 12, 12.5].map((seconds) => ({ seconds })),
  )
  expect(['', 'x', '1:2:3:4', '-3', '#', '1..2', '#1.5'].map(parseMoment)).toEqual(Array.from({ length: 7 }, () => null))
})

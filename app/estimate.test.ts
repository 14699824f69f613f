import { expect, test } from 'vitest'
import { encodingTime } from './estimate.ts'

const work = { clips: 100, videoSeconds: 600 }
const nothing = { here: null, secondsPerClip: null }

test('files that were analysed with the pack tell best', () => {
  expect(encodingTime(work, { here: { video: 60, wall: 30 }, secondsPerClip: 9, other: nothing })).toEqual({ seconds: 300, from: 'here' })
})
test('one measured clip tells too, with the reading of the video that another pack has shown', () => {
  expect(encodingTime(work, { here: null, secondsPerClip: 2, other: nothing })).toEqual({ seconds: 200, from: 'clip' })
  expect(encodingTime(work, { here: null, secondsPerClip: 2, other: { here: { video: 60, wall: 6 }, secondsPerClip: 0.1 } })).toEqual({
    seconds: 250,
    from: 'clip',
  })
})
test('a slow pack in use is not taken for slow reading', () => {
  expect(encodingTime(work, { here: null, secondsPerClip: 0.1, other: { here: { video: 60, wall: 30 }, secondsPerClip: 5 } })).toEqual({
    seconds: 10,
    from: 'clip',
  })
})
test('nothing is claimed where nothing was measured, and nothing takes no time', () => {
  expect(encodingTime(work, { here: null, secondsPerClip: null, other: nothing })).toBeNull()
  expect(encodingTime({ clips: 0, videoSeconds: 0 }, { here: null, secondsPerClip: null, other: nothing })?.seconds).toBe(0)
})

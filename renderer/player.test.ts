import { expect, test } from 'vitest'
import { step, usePlayer } from './player.ts'

test('two quick steps go two frames on, also when the browser tells late of the frame from before', () => {
  const table = { timeBase: { num: 1, den: 10 }, startPts: 0, pts: [0, 1, 2, 3] }
  const video = { seeking: false, currentTime: 0, duration: 0.4, pause: () => undefined }
  usePlayer.getState().attach(video as unknown as HTMLVideoElement)
  const before = performance.now() - 5
  step(table, 1)
  expect(video.currentTime).toBeCloseTo(0.15)
  // The seek is over, and no frame of it was told of yet.
  usePlayer.getState().setShown(0, before)
  step(table, 1)
  expect(video.currentTime).toBeCloseTo(0.25)
  usePlayer.getState().setShown(0.2, performance.now() + 5)
  expect(usePlayer.getState().going).toBeNull()
  step(table, -1)
  expect(video.currentTime).toBeCloseTo(0.15)
})

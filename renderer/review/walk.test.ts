import { expect, it } from 'vitest'
import { keepThoseOf, useWalk } from './walk.ts'

it('clips of a video that was removed are no longer gone through', () => {
  const clips = [
    { id: 1, sourceId: 7 },
    { id: 2, sourceId: 8 },
  ]
  useWalk.setState({ clips, name: 'found' })
  keepThoseOf(new Set([7, 8]))
  expect(useWalk.getState().clips).toBe(clips)
  keepThoseOf(new Set([8]))
  expect(useWalk.getState().clips).toEqual([{ id: 2, sourceId: 8 }])
  keepThoseOf(new Set([9]))
  expect(useWalk.getState().clips).toBeNull()
})

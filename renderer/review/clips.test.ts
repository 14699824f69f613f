import { expect, test, vi } from 'vitest'

vi.stubGlobal('window', {})
vi.stubGlobal('localStorage', { getItem: () => null })
const { queryClient } = await import('../cache.ts')
const { useUi } = await import('../store.ts')
const { neighbourClip } = await import('./clips.ts')

test('going from clip to clip passes videos without any by, also from such a video, and stops at the ends', async () => {
  const videos: Record<number, number[]> = { 1: [], 2: [20, 21], 3: [], 4: [40, 41], 5: [] }
  queryClient.setQueryData(['sources'], {
    sources: Object.entries(videos).map(([id, clips]) => ({ id: Number(id), clipCount: clips.length })),
  })
  for (const [id, clips] of Object.entries(videos))
    queryClient.setQueryData(
      ['clips', Number(id)],
      clips.map((clip) => ({ id: clip, sourceId: Number(id) })),
    )
  const from = async (sourceId: number | null, clipId: number | null, by: 1 | -1) => {
    useUi.setState({ sourceId, clipId })
    await neighbourClip(by)
    return useUi.getState().clipId
  }
  expect([await from(3, null, -1), await from(3, null, 1), await from(5, null, -1), await from(1, null, 1)]).toEqual([21, 40, 41, 20])
  expect([await from(2, 21, 1), await from(4, 40, -1), await from(4, null, 1), await from(null, null, 1)]).toEqual([40, 21, 40, 20])
  expect([await from(4, 41, 1), await from(2, 20, -1), await from(1, null, -1)]).toEqual([41, 20, null])
})

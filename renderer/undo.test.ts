import { toast } from 'sonner'
import { expect, test, vi } from 'vitest'

vi.stubGlobal('window', {})
vi.stubGlobal('localStorage', { getItem: () => null })
// As in a browser: sonner shows and dismisses on the next frame.
vi.stubGlobal('requestAnimationFrame', (run: () => void) => setTimeout(run, 0))
const { inOrder, offerUndo } = await import('./undo.ts')

const offers = () => toast.getToasts().flatMap((one) => ('title' in one && one.action ? [one.title] : []))
const nothing = () => Promise.resolve()

test('one notice offers undo: of what was done last, until anything else is asked for', async () => {
  await inOrder(nothing)
  offerUndo('accepted', { id: 'table' })
  expect(offers()).toEqual(['accepted'])
  const quiet = inOrder(nothing)
  expect(offers(), 'gone before the next is done').toEqual([])
  await quiet
  await inOrder(nothing)
  offerUndo('rejected', { id: 'review' })
  await inOrder(nothing)
  offerUndo('renamed', { id: 'labels' })
  expect(offers()).toEqual(['renamed'])
  const failing = inOrder(() => Promise.reject(new Error('refused')))
  await expect(failing).rejects.toThrow('refused')
  await inOrder(nothing)
  offerUndo('after a refusal', {})
  expect(offers()).toEqual(['after a refusal'])
})

test('what is done while more waits is told without an offer: undo would take back what comes after', async () => {
  const [first, second] = [inOrder(nothing), inOrder(nothing)]
  await first
  offerUndo('the first', {})
  expect(offers()).toEqual([])
  await second
  offerUndo('the second', {})
  expect(offers()).toEqual(['the second'])
})

import { onlineManager, QueryObserver } from '@tanstack/react-query'
import { afterEach, expect, test, vi } from 'vitest'

vi.stubGlobal('window', {})
vi.stubGlobal('localStorage', { getItem: () => null })
const { queryClient, renew } = await import('./cache.ts')
afterEach(() => queryClient.clear())

/** A query whose answers are given by hand, each as the backend had it when it was asked. */
function asked() {
  const answers: ((said: string) => void)[] = []
  const options = { queryKey: ['labels', 'scores', 'dog'], queryFn: () => new Promise<string>((resolve) => answers.push(resolve)) }
  return { answers, observer: new QueryObserver(queryClient, options) }
}

test('a change that comes while the first answer is under way is shown: that answer may have been made before it', async () => {
  const { answers, observer } = asked()
  const stop = observer.subscribe(() => undefined)
  const done = renew({ queryKey: ['labels'] })
  answers[0]?.('before')
  await vi.waitFor(() => expect(answers).toHaveLength(2))
  answers[1]?.('after')
  await done
  expect(queryClient.getQueryData(['labels', 'scores', 'dog'])).toBe('after')
  stop()
})

test('a change that comes while nothing shows the query is not forgotten over an answer under way', async () => {
  const { answers, observer } = asked()
  const stop = observer.subscribe(() => undefined)
  answers[0]?.('first')
  await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe('first'))
  void observer.refetch()
  stop()
  const done = renew({ queryKey: ['labels'] })
  answers[1]?.('before')
  await done
  expect(queryClient.getQueryState(['labels', 'scores', 'dog'])?.isInvalidated).toBe(true)
})

test('without a network the backend is asked all the same', () => {
  onlineManager.setOnline(false)
  const { answers, observer } = asked()
  const stop = observer.subscribe(() => undefined)
  expect(answers).toHaveLength(1)
  stop()
  onlineManager.setOnline(true)
})

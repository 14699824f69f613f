/** Reading and changing the vocabulary, and the colours in which the whole window draws labels. */
import { useQuery } from '@tanstack/react-query'
import { colourIn, type Label, tidy, tooMuch } from '../../app/vocabulary.ts'
import type { RouteOutput } from '../../app/contract.ts'
import { call } from '../api.ts'
import { shown } from '../i18n.ts'
import { labelsQuery, queryClient, useLabels, useQueue } from '../cache.ts'
import { tell, toast } from '../toast.ts'
import { inOrder, offerUndo } from '../undo.ts'

const NONE: readonly Label[] = []
/** While clips arrive, counts are refetched after this pause. */
const WHILE_RUNNING_MS = 4_000

export function useVocabulary(): readonly Label[] {
  return useLabels().data?.labels ?? NONE
}

/** The colour of a label by its name, also for one that only a track has. */
export function useColours(): (label: string) => string {
  const vocabulary = useVocabulary()
  return (label) => colourIn(vocabulary, label)
}

function useWhileRunning(): number | false {
  return (useQueue().data?.running ?? 0) > 0 ? WHILE_RUNNING_MS : false
}

// The key begins with that of the labels, so that invalidating those also invalidates these.
export const useScores = (name: string) =>
  useQuery({
    queryKey: ['labels', 'scores', name],
    queryFn: () => call('labelScores', { query: { name } }),
    refetchInterval: useWhileRunning(),
  })
export const useLabelClips = (name: string) =>
  useQuery({
    queryKey: ['labels', 'clips', name],
    queryFn: () => call('labelClips', { query: { name } }),
    refetchInterval: useWhileRunning(),
  })
export const useSuggestions = () => useQuery({ queryKey: ['labels', 'suggestions'], queryFn: () => call('labelSuggestions') })
export const useCandidates = (clipId: number | null, pack?: string) =>
  useQuery({
    queryKey: ['labels', 'candidates', clipId, pack ?? ''],
    queryFn: () => call('candidates', { params: { clipId: clipId ?? 0 }, query: pack === undefined ? {} : { pack } }),
    enabled: clipId !== null,
    placeholderData: (earlier) => earlier,
  })

/**
 * Run a change of the vocabulary; `said` reports what was done and offers to undo it.
 * @returns Whether it was done.
 */
async function change(work: () => Promise<RouteOutput<'getLabels'>>, said: string | null): Promise<boolean> {
  try {
    queryClient.setQueryData(labelsQuery.queryKey, await inOrder(work))
    void queryClient.invalidateQueries({ queryKey: ['history'] })
    if (said !== null) offerUndo(said, { id: 'labels' })
    return true
  } catch (error) {
    tell(error)
    // Where somebody changed them meanwhile, that is seen.
    void queryClient.invalidateQueries(labelsQuery)
    return false
  }
}

/** @returns False when it was refused; the reason is shown. The typed text is then still needed. */
export async function saveVocabulary(labels: readonly Label[], said: string | null = null): Promise<boolean> {
  const refusal = tooMuch(labels)
  const before = queryClient.getQueryData(labelsQuery.queryKey)
  // The labels as this window shows them now: what another one has changed since is not overwritten.
  const basedOn = before?.labels
  if (refusal === null) {
    // Shown at once: the next change, which may come before the answer, is one of these labels.
    if (before) queryClient.setQueryData(labelsQuery.queryKey, { ...before, labels: tidy(labels) })
    return change(() => call('setLabels', { body: { labels: [...labels], ...(basedOn && { basedOn: [...basedOn] }) } }), said)
  }
  toast.error(shown(refusal), { id: 'labels', duration: 12_000 })
  return false
}
export const renameLabel = (from: string, to: string, said: string) => change(() => call('renameLabel', { body: { from, to } }), said)
export const removeLabel = (name: string, decided: 'keep' | 'reject', said: string) =>
  change(() => call('removeLabel', { body: { name, decided } }), said)

/** The vocabulary as the window changes it, and the colours that all of the window draws labels in. */
import { call } from '../api.ts'
import { queryClient, tell, useLabels } from '../queries.ts'
import { colourIn, type Label } from '../../app/vocabulary.ts'

const NONE: readonly Label[] = []

export function useVocabulary(): readonly Label[] {
  return useLabels().data?.labels ?? NONE
}

/** The colour of a label by its name, also of one that only a track has. */
export function useColours(): (label: string) => string {
  const vocabulary = useVocabulary()
  return (label) => colourIn(vocabulary, label)
}

export async function saveVocabulary(labels: readonly Label[]): Promise<void> {
  try {
    queryClient.setQueryData(['labels'], await call('setLabels', { body: { labels: [...labels] } }))
    void queryClient.invalidateQueries({ queryKey: ['history'] })
  } catch (error) {
    tell(error)
  }
}

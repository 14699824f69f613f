/** The vocabulary, and what is found for it. */
import type { labelRoutes } from '../../app/contract/labels.ts'
import { TubeletError } from '../../app/errors.ts'
import { thingsIn } from '../../app/things.ts'
import { labelNamed, renamed } from '../../app/vocabulary.ts'
import type { Handlers, Services } from './handler.ts'

export function labelHandlers({ pipeline, jobs }: Services): Handlers<keyof typeof labelRoutes> {
  const { library } = pipeline
  const { detections } = library
  const digest = async () => (await pipeline.engine()).info.digest
  const answer = async () => ({ labels: detections.vocabulary(), stale: await Promise.race([digest().then((pack) => detections.stale(pack).length), Promise.resolve(null)]) })
  const known = (name: string) => {
    const label = labelNamed(detections.vocabulary(), name)
    if (label) return label
    throw new TubeletError({ code: 'not-found', message: '“{{label}}” is not in the vocabulary any more.', values: { label: name }, next: 'Reload the labels.' })
  }
  return {
    getLabels: answer,
    setLabels: async ({ body }) => {
      await jobs.setVocabulary(body.labels)
      return answer()
    },
    renameLabel: async ({ body: { from, to } }) => {
      const label = known(from)
      const target = labelNamed(detections.vocabulary(), to) ?? { name: to }
      const edits = detections.decided(label.name).map(({ id, body }) => ({ action: 'edit' as const, annotationId: id, body: { ...body, label: target === label ? to : target.name } }))
      await jobs.setVocabulary(renamed(detections.vocabulary(), from, to), edits)
      return answer()
    },
    removeLabel: async ({ body: { name, decided } }) => {
      const label = known(name)
      const edits = decided === 'keep' ? [] : detections.decided(label.name).map(({ id }) => ({ action: 'reject' as const, annotationId: id }))
      await jobs.setVocabulary(detections.vocabulary().filter((other) => other.name !== label.name), edits)
      return answer()
    },
    labelScores: async ({ query: { name } }) => ({ ...detections.scores(await digest(), known(name).name), decided: detections.decided(known(name).name).length }),
    labelClips: async ({ query: { name, limit } }) => ({ clips: detections.clips(await digest(), known(name).name, limit) }),
    labelSuggestions: () => {
      const things = thingsIn(library.captions())
      const vocabulary = detections.vocabulary()
      const taken = new Set(vocabulary.flatMap(({ name, synonyms }) => [name, ...synonyms]).map((word) => word.toLowerCase()))
      return { words: things.filter(({ word }) => !taken.has(word)).slice(0, 24) }
    },
    candidates: async ({ params: { clipId }, query: { pack } }) => {
      library.clip(clipId)
      return { candidates: detections.candidates(clipId, pack ?? (await digest())), packs: detections.packs(clipId) }
    },
  }
}

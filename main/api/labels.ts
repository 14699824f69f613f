/** The calls of the vocabulary and of its detections. */
import { isDeepStrictEqual } from 'node:util'
import type { labelRoutes } from '../../app/contract/labels.ts'
import { TubeletError } from '../../app/errors.ts'
import { thingsIn } from '../../app/things.ts'
import { namesOf } from '../../app/naming.ts'
import { type Label, labelNamed, phrasesOf, renamed, tidy } from '../../app/vocabulary.ts'
import type { Handlers, Services } from './handler.ts'

export function labelHandlers({ pipeline, jobs }: Services): Handlers<keyof typeof labelRoutes> {
  const { library } = pipeline
  const { detections } = library
  const seer = async () => (await pipeline.packs.boxes())?.info ?? null
  const digest = async () => (await seer())?.digest ?? ''
  /** The names that the pack gives to what a label means. */
  const namesFor = async (label: Label) => {
    const info = await seer()
    return info?.manifest.family === 'detector' ? namesOf(phrasesOf(label), info.manifest.classes) : [label.name]
  }
  const answer = async () => ({
    labels: detections.vocabulary(),
    stale: await Promise.race([digest().then((pack) => detections.stale(pack).length), Promise.resolve(null)]),
  })
  const known = (name: string) => {
    const label = labelNamed(detections.vocabulary(), name)
    if (label) return label
    throw new TubeletError({
      code: 'not-found',
      message: 'There is no label “{{label}}”.',
      values: { label: name },
      next: 'Reload the labels.',
    })
  }
  return {
    getLabels: answer,
    setLabels: async ({ body: { labels, basedOn } }) => {
      const now = detections.vocabulary()
      if (basedOn !== undefined && ![basedOn, labels].some((one) => isDeepStrictEqual(tidy(one), now)))
        throw new TubeletError({
          code: 'conflict',
          message: 'The labels were changed in another place meanwhile.',
          field: 'body.basedOn',
          stillWorks: 'Nothing was changed.',
          next: 'Look at the labels that are there now, and change those.',
        })
      await jobs.setVocabulary(labels)
      return answer()
    },
    renameLabel: async ({ body: { from, to } }) => {
      const label = known(from)
      const target = labelNamed(detections.vocabulary(), to) ?? { name: to }
      // Written in another way only, it is the same label: its tracks follow the vocabulary by themselves.
      const edits =
        target.name === label.name
          ? []
          : detections.decided(label.name).flatMap((annotationId) => {
              const { body } = library.annotation(annotationId)
              return body.kind === 'track' ? [{ action: 'edit' as const, annotationId, body: { ...body, label: target.name } }] : []
            })
      await jobs.setVocabulary(renamed(detections.vocabulary(), from, to), edits)
      return answer()
    },
    removeLabel: async ({ body: { name, decided } }) => {
      const label = known(name)
      const edits =
        decided === 'keep' ? [] : detections.decided(label.name).map((annotationId) => ({ action: 'reject' as const, annotationId }))
      await jobs.setVocabulary(
        detections.vocabulary().filter((other) => other.name !== label.name),
        edits,
      )
      return answer()
    },
    labelScores: async ({ query: { name } }) => ({
      ...detections.scores(await digest(), await namesFor(known(name))),
      decided: detections.decided(known(name).name).length,
    }),
    labelClips: async ({ query: { name, limit } }) => ({ clips: detections.clips(await digest(), await namesFor(known(name)), limit) }),
    labelSuggestions: () => {
      const seen = library.overview.trackLabels()
      const told = thingsIn(library.captions()).map((thing) => ({ ...thing, unsure: false }))
      const sure = seen.filter(({ unsure }) => !unsure)
      const perhaps = seen.filter(({ word, unsure }) => unsure && !told.some((one) => one.word === word))
      const things = [...sure, ...told.filter(({ word }) => !sure.some((one) => one.word === word)), ...perhaps]
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

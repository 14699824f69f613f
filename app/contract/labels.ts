/** The vocabulary: what is looked for in every clip, and what a threshold leaves of it. */
import { z } from 'zod'
import { TrackBody } from '../annotation.ts'
import { Label, LabelName, Vocabulary } from '../vocabulary.ts'
import { Id, route, whole } from './route.ts'

/** A name that tracks may have: those of other tools' files may be longer than a label that a person types. */
const NameOfTracks = z.string().trim().min(1)

const Labels = z.object({
  labels: z.array(Label),
  /** Clips in which the current vocabulary was not looked for yet; null while the engine starts. */
  stale: z.number().int().nullable(),
})

/** The scores of one label over the library. Entry n of a list counts those with a score in [n/1000, (n+1)/1000). */
const LabelScores = z.object({
  tracks: z.array(z.number().int()),
  boxes: z.array(z.number().int()),
  /** Clips by the score of their best track. */
  clips: z.array(z.number().int()),
  /** Tracks that a person accepted, drew or changed: no threshold hides them. */
  decided: z.number().int(),
})

/** A track that counts if its score reaches the threshold of its label. */
const Candidate = z.object({ score: z.number(), body: TrackBody })

/**
 * A pack that encoded a clip. `current`: it has looked for the present vocabulary. `caption`: its caption of the clip, with its confidence.
 */
const LookedBy = z.object({
  digest: z.string(),
  name: z.string(),
  current: z.boolean(),
  caption: z.object({ text: z.string(), confidence: z.number().nullable(), unsure: z.boolean() }).nullable(),
})
export type LookedBy = z.infer<typeof LookedBy>

export const labelRoutes = {
  getLabels: route({
    method: 'get',
    path: '/api/labels',
    summary: 'The vocabulary, in the order in which labels win over equals',
    output: Labels,
  }),
  setLabels: route({
    method: 'put',
    path: '/api/labels',
    summary:
      'Set the vocabulary, one step of undo. Thresholds hold at once; new words are looked for in stored encodings, no video is read. Names that differ only in case are one label, written as the first of them',
    /** `basedOn`: the vocabulary that was changed. Where another one is stored by now, nothing is changed, so that no label of somebody else is lost. */
    body: z.object({ labels: Vocabulary, basedOn: Vocabulary.optional() }),
    output: Labels,
    errors: ['conflict'],
  }),
  renameLabel: route({
    method: 'post',
    path: '/api/labels/rename',
    summary: 'Call a label something else, or merge it into another: with its boxes, one step of undo',
    body: z.object({ from: NameOfTracks, to: LabelName }),
    output: Labels,
    errors: ['not-found'],
  }),
  removeLabel: route({
    method: 'post',
    path: '/api/labels/remove',
    summary:
      'Take a label out of the vocabulary, one step of undo; `decided` says what becomes of the boxes that a person accepted or drew',
    body: z.object({ name: NameOfTracks, decided: z.enum(['keep', 'reject']) }),
    output: Labels,
    errors: ['not-found'],
  }),
  labelScores: route({
    method: 'get',
    path: '/api/labels/scores',
    summary: 'How many tracks, boxes and clips of a label there are at which score',
    query: z.object({ name: NameOfTracks }),
    output: LabelScores,
    errors: ['engine-unavailable'],
  }),
  labelSuggestions: route({
    method: 'get',
    path: '/api/labels/suggestions',
    summary:
      'Things that boxes or captions are of and the vocabulary does not have, commonest first; `unsure`: no clip has one that is sure, and those come last',
    output: z.object({ words: z.array(z.object({ word: z.string(), clips: z.number().int(), unsure: z.boolean() })) }),
  }),
  labelClips: route({
    method: 'get',
    path: '/api/labels/clips',
    summary: 'Clips in which a label was seen, by the score of their best track, surest first',
    query: z.object({ name: NameOfTracks, limit: whole(z.number().int().min(1).max(1_000_000)).default(1_000_000) }),
    output: z.object({ clips: z.array(z.object({ clipId: z.number().int(), score: z.number() })) }),
    errors: ['engine-unavailable'],
  }),
  candidates: route({
    method: 'get',
    path: '/api/clips/{clipId}/candidates',
    summary: 'Every track that a pack could see in a clip, also those below their threshold; of the pack in use when none is named',
    params: z.object({ clipId: Id }),
    query: z.object({ pack: z.string().optional() }),
    output: z.object({ candidates: z.array(Candidate), packs: z.array(LookedBy) }),
    errors: ['not-found', 'engine-unavailable'],
  }),
} as const

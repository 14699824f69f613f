/** Why a clip was found, in words for people, from the annotations that have the searched words. */
import type { Annotation } from '../../app/annotation.ts'
import type { Clip } from '../../app/contract.ts'
import type { Why } from '../../app/contract/find.ts'
import type { Fact } from '../../app/facts/facts.ts'
import { findableFacts } from '../../app/facts/told.ts'
import { type Probe, secondsOf } from '../../app/media.ts'
import { standingOfAnnotation } from '../../app/review.ts'
import type { Language } from '../../app/words.ts'

/** Annotations of one clip as reasons: one track of each label, and each text once, since repeated words are no further reason. */
export function reasonsOf(annotations: readonly Annotation[], clip: Clip, probe: Probe | null, most: number): Why[] {
  const reasons = annotations.map((annotation) => reasonOf(annotation, clip, probe))
  const surest = (reason: Why) => {
    const same = reasons.filter((other) => other.kind === reason.kind && other.text === reason.text)
    return same.find(({ standing }) => standing !== 'unsure') ?? same[0]
  }
  return reasons.filter((reason) => surest(reason) === reason).slice(0, most)
}

/** Facts as reasons. @param told Their words, see `findableFacts`. */
export function factReasons(told: readonly string[], facts: readonly Fact[], language: Language): Why[] {
  return findableFacts(facts).flatMap(({ words, text, fact }): Why[] => {
    if (!told.includes(words)) return []
    const [shown] = fact.evidence.frames
    const when = fact.kind === 'thing' && shown ? { start: fact.from, end: fact.to, ordinal: shown.ordinal } : null
    return [
      { kind: 'fact', text: text[language], state: null, standing: null, score: fact.reliability, guess: false, when, annotationId: null },
    ]
  })
}

function reasonOf(annotation: Annotation, clip: Clip, probe: Probe | null): Why {
  const { id, body, state, evidence, origin } = annotation
  const own = state === 'edited'
  const common = {
    kind: body.kind === 'track' ? ('box' as const) : body.kind,
    state,
    ...(origin && { file: origin.file }),
    standing: standingOfAnnotation(annotation),
    guess: state === 'machine' && evidence?.unfamiliar === true,
    annotationId: id,
  }
  if (body.kind === 'track') {
    const { boxes, label } = body
    const [first, last] = [boxes[0], boxes.at(-1)]
    const scores = boxes.flatMap(({ score }) => score ?? [])
    const when =
      first && last && probe ? { start: secondsOf(first.pts, probe), end: secondsOf(last.pts, probe), ordinal: first.ordinal } : null
    return { ...common, text: label, score: own || scores.length === 0 ? null : (evidence?.confidence ?? Math.max(...scores)), when }
  }
  const when =
    'span' in body && body.span
      ? { start: timeIn(clip, body.span.startFrame), end: timeIn(clip, body.span.endFrame), ordinal: body.span.startFrame }
      : null
  return {
    ...common,
    text: body.text,
    ...(body.kind === 'answer' ? { question: body.question } : {}),
    score: own ? null : (evidence?.confidence ?? null),
    when,
  }
}

/** Seconds of a frame if the clip's frames were evenly spaced: exact at its ends, good enough for display between. Seeking uses the ordinal. */
function timeIn({ start, end, startFrame, endFrame }: Clip, ordinal: number): number {
  return start + ((end - start) * (ordinal - startFrame)) / (endFrame - startFrame)
}

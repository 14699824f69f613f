import { Eye } from 'lucide-react'
import type { CSSProperties } from 'react'
import { type Annotation, type Evidence, fromFacts } from '../../app/annotation.ts'
import { secondOpinion } from '../../app/gaze.ts'
import { number, percent } from '../format.ts'
import { t } from '../i18n.ts'
import { goToFrame, timeOf } from '../player.ts'
import { useFrames, usePackOf } from '../cache.ts'
import { useUi } from '../store.ts'
import { useGaze } from './queries.ts'
import { useFind } from './store.ts'

/** How many of the heaviest frames are listed. */
const OFFERED = 4

/**
 * The evidence for a caption or an answer: the frames the model looked at, how sure each of its passes is, and where it looked for each
 * word.
 */
export function EvidenceOf({ annotation }: { annotation: Annotation }) {
  const { evidence, body } = annotation
  const sourceId = useUi((ui) => ui.sourceId)
  const { data: frames } = useFrames(sourceId)
  const showing = useFind((find) => find.heat && find.annotationId === annotation.id)
  if (evidence === null || !('text' in body)) return null
  const look = (ordinal: number | undefined) => () => {
    useFind.getState().lookAt(annotation.id)
    if (sourceId !== null && ordinal !== undefined) goToFrame(sourceId, ordinal)
  }
  const heaviest = evidence.frames.slice(0, OFFERED)
  if (fromFacts(annotation)) {
    if (!frames || frames.pts.length === 0 || heaviest.length === 0) return null
    return (
      <p className="looked num">
        {t('seen at')}{' '}
        {heaviest.map(({ ordinal }) => (
          <button
            key={ordinal}
            className="quiet small"
            title={t('Go there')}
            onClick={() => sourceId !== null && goToFrame(sourceId, ordinal)}
          >
            {number(timeOf(frames, ordinal), 2)} s
          </button>
        ))}
      </p>
    )
  }
  return (
    <>
      {frames && frames.pts.length > 0 && heaviest.length > 0 && (
        <p className="looked num">
          <button
            className="icon"
            aria-label={t('Show where it looked')}
            aria-pressed={showing}
            title={t('Show where it looked (H)')}
            onClick={() => (showing ? useFind.getState().toggleHeat() : look(heaviest[0]?.ordinal)())}
          >
            <Eye size={14} />
          </button>
          {heaviest.map(({ ordinal, weight }) => (
            <button
              key={ordinal}
              className="quiet small"
              title={t('{{share}} of its attention', { share: percent(weight) })}
              onClick={look(ordinal)}
            >
              {number(timeOf(frames, ordinal), 2)} s
            </button>
          ))}
        </p>
      )}
      <Why annotation={annotation} evidence={evidence} />
    </>
  )
}

/**
 * How sure the pass that wrote a text is, and what that figure means.
 * @param line The pack's operating point.
 */
function surety({ confidence: sure, unsure, unfamiliar }: Evidence, line: number): string {
  const confidence = percent(sure)
  if (unsure && unfamiliar === true)
    return t(
      'The pass that wrote this is {{confidence}} sure; but the model was taught no clip like this one, and of such a clip nothing counts as sure.',
      { confidence },
    )
  if (unsure && line >= 1)
    return t(
      'The pass that wrote this is {{confidence}} sure. Nothing of this kind that this pack writes counts as sure: it was right too seldom on video that it had not seen.',
      { confidence },
    )
  if (unsure && sure >= line)
    return t(
      'The pass that wrote this is {{confidence}} sure; but the question has words that the model never learnt, and then nothing counts as sure.',
      { confidence },
    )
  if (unsure)
    return t(
      'The pass that wrote this is {{confidence}} sure, below the {{line}} from which this pack was right often enough on video that it had not seen: “not sure”.',
      { confidence, line: percent(line) },
    )
  return t(
    'The pass that wrote this is {{confidence}} sure, above the {{line}} from which this pack was right often enough on video that it had not seen.',
    { confidence, line: percent(line) },
  )
}

function unmeasured({ confidence }: Evidence): string {
  return t(
    'The pass that wrote this is {{confidence}} sure. Nothing was measured of this pack, so how often such a text is right is not known.',
    { confidence: percent(confidence) },
  )
}

function Why({ annotation, evidence }: { annotation: Annotation; evidence: Evidence }) {
  const { agreement } = evidence
  const pack = usePackOf(annotation.body.kind === 'answer' ? 'answer' : 'caption')
  // This pack's calibration does not apply to a text that another pack, or no pack, wrote.
  if (pack === null || pack === undefined || pack.digest !== annotation.provenance?.packDigest) return null
  if (pack.manifest.family === 'smolvlm')
    return (
      <details className="why small">
        <summary>{t('Why?')}</summary>
        <p>{unmeasured(evidence)}</p>
        <Words annotation={annotation} />
      </details>
    )
  if (agreement === null || pack.manifest.family !== 'mammut') return null
  const { calibration } = pack.manifest
  const line = (annotation.body.kind === 'answer' ? calibration.answer : calibration.caption)?.notSureBelow ?? 1
  const opinion = secondOpinion(agreement, calibration.search)
  const own = annotation.state === 'machine' || annotation.state === 'accepted'
  return (
    <details className="why small">
      <summary>
        {t('Why?')} {opinion && <span className="muted">{opinion.agrees ? t('both passes agree') : t('the two passes disagree')}</span>}
      </summary>
      <p>{calibration.measured ? surety(evidence, line) : unmeasured(evidence)}</p>
      <p>
        {opinion === null
          ? t(
              'Its second pass, which compares the words with the clip as search does, finds them {{agreement}} alike (cosine); nothing tells yet what that is worth with this pack.',
              { agreement: number(agreement, 2) },
            )
          : opinion.agrees
            ? t('Its second pass, which compares the words with the clip as search does, finds a match too ({{probability}}).', {
                probability: percent(opinion.probability),
              })
            : t(
                'Its second pass, which compares the words with the clip as search does, finds no match ({{probability}}). Look for yourself.',
                { probability: percent(opinion.probability) },
              )}
      </p>
      {!own && <p className="muted">{t('Both are about what the model wrote. Below is where it looks for your words.')}</p>}
      <Words annotation={annotation} />
    </details>
  )
}

/**
 * Each word with its probability given the words before it; for the word under the pointer or the focus the heat is drawn on the picture.
 */
function Words({ annotation }: { annotation: Annotation }) {
  const { data: gaze, error } = useGaze(annotation, true)
  const { pointAt, word, annotationId } = useFind()
  if (error) return <p className="muted">{t('Where it looked can be shown when the engine is ready.')}</p>
  if (!gaze) return null
  const point = (at: number | null) => () => pointAt(annotation.id, at)
  return (
    <p className="words" onPointerLeave={point(null)} aria-label={t('Word by word')} role="group">
      {gaze.words.map(({ text, probability }, at) => (
        <button
          key={at}
          className="quiet"
          style={{ '--share': `${probability * 100}%` } as CSSProperties}
          data-pointed={annotationId === annotation.id && word === at}
          title={t('{{share}} likely after the words before', { share: percent(probability) })}
          onPointerEnter={point(at)}
          onFocus={point(at)}
          onBlur={point(null)}
          onClick={() => useFind.getState().lookAt(annotation.id)}
        >
          {text}
        </button>
      ))}
    </p>
  )
}

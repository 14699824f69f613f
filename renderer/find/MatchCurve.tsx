import { type CSSProperties, type MouseEvent, useDeferredValue } from 'react'
import type { Curve } from '../../app/contract/find.ts'
import { clock, clockSpan, number, percent } from '../format.ts'
import { t } from '../i18n.ts'
import { type FrameTable, goToFrame, ordinalAt } from '../player.ts'
import { useUi } from '../store.ts'
import { useCurve } from './queries.ts'
import { useFind } from './store.ts'

/** How well each moment of the video matches the query, for the `length` seconds from `start` on. A click seeks to that time. */
export function MatchCurve({
  sourceId,
  start,
  length,
  frames,
}: {
  sourceId: number
  start: number
  length: number
  frames: FrameTable | undefined
}) {
  const query = useFind((find) => find.query)
  const clipId = useUi((ui) => ui.clipId)
  const data = useDeferredValue(useCurve(sourceId, query).data)
  if (query === null || !data) return null
  const { clips, moments, line, measure } = data
  const scores = [...clips.map(({ score }) => score ?? 0), ...moments.map(({ score }) => score), line]
  // Probabilities are drawn from 0 to 1; cosines over the range that occurs here, or all would look alike.
  const [least, most] = [Math.min(...scores), Math.max(...scores)]
  const [bottom, top] = measure === 'probability' ? [0, 1] : [least - (most - least) / 4, most]
  const height = (score: number) => `${(100 * (score - bottom)) / (top - bottom || 1)}%`
  const left = (seconds: number) => `${(100 * (seconds - start)) / length}%`
  const say = (score: number) => (measure === 'probability' ? percent(score) : number(score, 2))
  const go = (clip: Curve['clips'][number]) => (event: MouseEvent<HTMLButtonElement>) => {
    const { left: edge, width } = event.currentTarget.getBoundingClientRect()
    // A key press has no position: it goes to the clip's best moment.
    const share = event.detail === 0 ? null : (event.clientX - edge) / width
    const best = moments.filter((moment) => moment.clipId === clip.clipId).sort((a, b) => b.score - a.score)[0]?.time ?? clip.start
    const seconds = share === null ? best : clip.start + share * (clip.end - clip.start)
    useUi.getState().selectClip(clip.clipId, sourceId)
    if (frames && frames.pts.length > 0) goToFrame(sourceId, ordinalAt(frames, seconds))
  }
  return (
    <div className="curve" role="group" aria-label={t('Match over time')}>
      {clips.map((clip) =>
        clip.score === null ? null : (
          <button
            key={clip.clipId}
            data-over={clip.score >= line}
            aria-current={clip.clipId === clipId}
            style={
              {
                left: left(clip.start),
                width: `${(100 * (clip.end - clip.start)) / length}%`,
                '--height': height(clip.score),
              } as CSSProperties
            }
            onClick={go(clip)}
            title={`${clockSpan(clip)} · ${say(clip.score)}`}
            aria-label={t(
              clip.score >= line ? '{{from}} to {{to}}: {{score}}, above the line' : '{{from}} to {{to}}: {{score}}, below the line',
              { from: clock(clip.start, 1), to: clock(clip.end, 1), score: say(clip.score) },
            )}
          />
        ),
      )}
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden>
        {clips.map(({ clipId: id }) => {
          const points = moments
            .filter((moment) => moment.clipId === id)
            .map(({ time, score }) => `${(100 * (time - start)) / length},${100 - (100 * (score - bottom)) / (top - bottom || 1)}`)
          return points.length > 1 && <polyline key={id} points={points.join(' ')} />
        })}
      </svg>
      <div className="match-line" style={{ bottom: height(line) }} aria-hidden>
        <span>{say(line)}</span>
      </div>
    </div>
  )
}

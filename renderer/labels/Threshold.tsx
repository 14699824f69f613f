/** The histogram of a label's scores over the whole library, with its threshold as a line that can be dragged. */
import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react'
import type { Label } from '../../app/vocabulary.ts'
import { t } from '../i18n.ts'
import { scoreShown, scoreText, useDraft } from './draft.ts'
import { useScores } from './vocabulary.ts'

type Measure = 'tracks' | 'boxes' | 'clips'
const MEASURES: readonly Measure[] = ['tracks', 'boxes', 'clips']
/** The axis shows the square root of scores, because most are small and must be told apart there. */
const placeOf = (score: number) => Math.sqrt(score)
const scoreAt = (place: number) => place * place
const BARS = 50
const [WIDTH, HEIGHT] = [640, 132]
const TICKS = [0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1]

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
/** How many lie at or above a threshold, from counts by thousandths of the score. */
const atOrAbove = (counts: readonly number[], threshold: number) => sum(counts.slice(Math.round(threshold * 1000)))
/** Counts by thousandths as bars of equal width on the axis. */
function barsOf(counts: readonly number[]): number[] {
  const bars = new Array<number>(BARS).fill(0)
  counts.forEach((count, at) => {
    const bar = Math.min(BARS - 1, Math.floor(placeOf((at + 0.5) / counts.length) * BARS))
    bars[bar] = (bars[bar] ?? 0) + count
  })
  return bars
}

export function Threshold({ label }: { label: Label }) {
  const { data: scores } = useScores(label.name)
  const threshold = useDraft(({ thresholds }) => thresholds[label.name]) ?? label.threshold
  const move = useDraft((draft) => draft.move)
  const [measure, setMeasure] = useState<Measure>('tracks')
  const plot = useRef<SVGSVGElement>(null)
  const to = (value: number) => move(label.name, Math.min(1, Math.max(0, value)))
  const point = ({ clientX }: PointerEvent) => {
    const { left, width } = plot.current?.getBoundingClientRect() ?? { left: 0, width: 1 }
    to(scoreAt(Math.min(1, Math.max(0, (clientX - left) / width))))
  }
  const key = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01, PageDown: -0.1, PageUp: 0.1 }[event.key]
    const end = { Home: 0, End: 1 }[event.key]
    if (by === undefined && end === undefined) return
    event.preventDefault()
    event.stopPropagation()
    // At least a thousandth, even if a step on the axis is smaller.
    const next = scoreAt(Math.max(0, placeOf(threshold) + (by ?? 0)))
    to(end ?? (Math.abs(next - threshold) < 0.001 ? threshold + Math.sign(by ?? 0) * 0.001 : next))
  }
  if (scores === undefined) return <p className="muted threshold-empty">{t('Counting…')}</p>
  const counts = scores[measure]
  const bars = barsOf(counts)
  // The root makes few sure tracks visible beside many unsure ones.
  const highest = Math.sqrt(Math.max(1, ...bars))
  const height = (count: number) => (Math.sqrt(count) / highest) * (HEIGHT - 12)
  const names = { tracks: t('Tracks'), boxes: t('Boxes'), clips: t('Clips') }
  const remain = t('{{tracks}} tracks, {{boxes}} boxes, {{clips}} clips', {
    tracks: atOrAbove(scores.tracks, threshold),
    boxes: atOrAbove(scores.boxes, threshold),
    clips: atOrAbove(scores.clips, threshold),
  })
  return (
    <div className="threshold">
      <div className="row">
        <div className="segmented" role="group" aria-label={t('Count')}>
          {MEASURES.map((one) => (
            <button key={one} aria-pressed={one === measure} onClick={() => setMeasure(one)}>
              {names[one]}
            </button>
          ))}
        </div>
        <span className="grow" />
        <label className="row small muted">
          {t('Threshold')}
          <Typed threshold={threshold} onChange={to} />
        </label>
      </div>
      <div
        className="histogram"
        style={{ ['--at' as string]: `${placeOf(threshold) * 100}%`, ['--colour' as string]: label.colour }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          point(event)
        }}
        onPointerMove={(event) => event.buttons === 1 && point(event)}
      >
        <svg ref={plot} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden>
          {bars.map((count, at) => {
            const tall = Math.max(2, height(count))
            return (
              count > 0 && (
                <rect
                  key={at}
                  x={(at * WIDTH) / BARS + 0.5}
                  width={WIDTH / BARS - 1}
                  y={HEIGHT - tall}
                  height={tall}
                  data-in={(at + 0.5) / BARS >= placeOf(threshold)}
                />
              )
            )
          })}
        </svg>
        {sum(counts) === 0 && <p className="muted">{t('Nothing of this kind was seen in any clip yet.')}</p>}
        <div
          className="line"
          role="slider"
          tabIndex={0}
          aria-label={t('Threshold of {{label}}', { label: label.name })}
          aria-valuemin={0}
          aria-valuemax={1}
          aria-valuenow={threshold}
          aria-valuetext={t('{{threshold}}: {{remain}} remain', { threshold: scoreShown(threshold), remain })}
          onKeyDown={key}
        />
      </div>
      <div className="axis num muted" aria-hidden>
        {TICKS.map((tick) => (
          <span key={tick} style={{ left: `${placeOf(tick) * 100}%` }}>
            {tick}
          </span>
        ))}
      </div>
      <dl className="remain" aria-label={t('What remains')}>
        {MEASURES.map((one) => (
          <div key={one}>
            <dt>{names[one]}</dt>
            <dd>
              <strong className="num">{atOrAbove(scores[one], threshold)}</strong>{' '}
              <span className="muted num">{t('of {{total}}', { total: sum(scores[one]) })}</span>
              <Change now={atOrAbove(scores[one], threshold)} saved={atOrAbove(scores[one], label.threshold)} />
            </dd>
          </div>
        ))}
      </dl>
      {scores.decided > 0 && (
        <p className="muted small">
          {t('{{count}} tracks that you accepted, drew or changed stay whatever the threshold.', { count: scores.decided })}
        </p>
      )}
    </div>
  )
}

/**
 * The threshold as a number field: typed text is applied on Enter or when the field loses focus, its arrows apply at once, Escape restores
 * the old value.
 */
function Typed({ threshold, onChange }: { threshold: number; onChange: (threshold: number) => void }) {
  const [typed, setTyped] = useState<string | null>(null)
  const take = (value: number) => {
    if (Number.isFinite(value)) onChange(value)
    setTyped(null)
  }
  return (
    <input
      className="num"
      type="number"
      min={0}
      max={1}
      step={0.001}
      value={typed ?? scoreText(threshold)}
      // Only typing and pasting send an InputEvent; the arrows do not.
      onChange={({ target, nativeEvent }) => (nativeEvent instanceof InputEvent ? setTyped(target.value) : take(target.valueAsNumber))}
      onBlur={({ target }) => typed !== null && take(target.valueAsNumber)}
      onKeyDown={({ key, currentTarget }) => {
        if (key === 'Enter' && typed !== null) take(currentTarget.valueAsNumber)
        if (key === 'Escape') setTyped(null)
      }}
    />
  )
}

function Change({ now, saved }: { now: number; saved: number }) {
  if (now === saved) return null
  return (
    <span className="num change" data-more={now > saved}>
      {' '}
      {now > saved ? '+' : '−'}
      {Math.abs(now - saved)}
    </span>
  )
}

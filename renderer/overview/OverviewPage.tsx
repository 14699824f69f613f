import { type ReactNode, useMemo, useRef, useState } from 'react'
import { binsOf, byDate, type ClipFact, endToEnd, type Facts, histogram, tracksOf } from '../../app/overview.ts'
import type { Source } from '../../app/contract.ts'
import { coloursApart, PALETTE } from '../../app/vocabulary.ts'
import { urlOf } from '../api.ts'
import { clock, number, unfinishedText } from '../format.ts'
import { t } from '../i18n.ts'
import { useVocabulary } from '../labels/vocabulary.ts'
import { useSources } from '../cache.ts'
import { Card, DataTable } from './Card.tsx'
import { Bars, Blocks, Ticks, WIDTH } from './charts.tsx'
import { MapCard } from './MapCard.tsx'
import { contentOf } from './picture.ts'
import { PickedBar } from './PickedBar.tsx'
import { useFacts } from './queries.ts'
import { usePicked } from './store.ts'
import './overview.css'

/**
 * The whole library at a glance: its videos over time, what was found in them, which clips are similar, how sure the model is, how much is
 * reviewed.
 */
export function OverviewPage() {
  const { data: facts } = useFacts()
  const { data: sources } = useSources()
  if (!facts || !sources)
    return (
      <main id="page" tabIndex={-1} className="page pad">
        <p className="placeholder muted">{t('Counting…')}</p>
      </main>
    )
  return (
    <main id="page" tabIndex={-1} className="page overview">
      <Totals facts={facts} sources={sources.sources} />
      {facts.clips.length === 0 ? (
        <p className="placeholder muted">{t('The first clips are on their way. This page draws itself as they come.')}</p>
      ) : (
        <>
          <TimeCard facts={facts} sources={sources.sources} />
          <div className="overview-columns">
            <MapCard facts={facts} sources={sources.sources} />
            <div className="histograms">
              <Histogram
                title={t('How sure captions are')}
                what="captions"
                values={facts.clips.flatMap(({ id, confidence }) => (confidence === null ? [] : [{ clipId: id, value: confidence }]))}
              />
              <Histogram
                title={t('How sure answers are')}
                what="answers"
                values={facts.answers.flatMap(({ clipId, confidence }) => (confidence === null ? [] : [{ clipId, value: confidence }]))}
              />
              <Histogram
                title={t('How sure tracks are')}
                what="tracks"
                values={facts.tracks.map(({ clipId, confidence }) => ({ clipId, value: confidence }))}
              />
            </div>
          </div>
        </>
      )}
      <PickedBar clips={facts.clips} />
    </main>
  )
}

/** A number of statements, with those beside it that are not sure. */
function Sure({ sure, unsure }: { sure: number; unsure: number }) {
  return (
    <>
      {number(sure)}
      {unsure > 0 && <span className="muted small"> {t('+ {{count, number}} not sure', { count: unsure })}</span>}
    </>
  )
}

function Totals({ facts, sources }: { facts: Facts; sources: readonly Source[] }) {
  const seconds = sources.reduce((sum, { probe }) => sum + (probe?.duration ?? 0), 0)
  const reviewed = (wanted: ClipFact['review']) => facts.clips.filter(({ review }) => review === wanted).length
  const [done, begun] = [reviewed('done'), reviewed('partly')]
  const total = (of: (clip: ClipFact) => Record<string, number>) =>
    facts.clips.reduce((sum, clip) => sum + Object.values(of(clip)).reduce((a, b) => a + b, 0), 0)
  const tracks = { sure: total(({ labels }) => labels), unsure: total(({ perhaps }) => perhaps) }
  const doubted = facts.answers.filter(({ unsure }) => unsure).length
  const answers = { sure: facts.answers.length - doubted, unsure: doubted }
  const state = (wanted: ClipFact['state']) => facts.clips.filter((clip) => clip.state === wanted).length
  const parts = [
    { key: 'accepted', name: t('accepted'), count: state('accepted') },
    { key: 'edited', name: t('edited'), count: state('edited') },
    { key: 'rejected', name: t('rejected'), count: state('rejected') },
    { key: 'machine', name: t('not looked at'), count: state('machine') },
  ]
  const { pick } = usePicked.getState()
  return (
    <header className="totals">
      <dl>
        <Total name={t('Videos')} value={sources.length} />
        <Total name={t('Clips')} value={facts.clips.length} />
        <Total name={t('Length')} value={clock(seconds)} />
        <Total name={t('Tracks')} value={<Sure {...tracks} />} />
        <Total name={t('Answers')} value={<Sure {...answers} />} />
      </dl>
      <section className="progress-of-review" aria-label={t('Review')}>
        <p className="small">
          <strong className="num">
            {t('{{done, number}} of {{count, number}} clips reviewed', { done, count: facts.clips.length - reviewed('nothing') })}
            {unfinishedText(sources)}
          </strong>{' '}
          <span className="muted">{begun === 0 ? t('captions:') : t('{{count, number}} begun; captions:', { count: begun })}</span>
        </p>
        <div className="stack" role="group" aria-label={t('Captions by what was decided')}>
          {parts
            .filter(({ count }) => count > 0)
            .map(({ key, name, count }) => (
              <button
                key={key}
                data-part={key}
                style={{ flexGrow: count }}
                title={`${count} ${name}`}
                aria-label={`${count} ${name}`}
                onClick={() =>
                  pick(
                    facts.clips.filter((clip) => clip.state === key).map(({ id }) => id),
                    t('captions {{state}}', { state: name }),
                  )
                }
              />
            ))}
        </div>
        <p className="legend small">
          {parts
            .filter(({ count }) => count > 0)
            .map(({ key, name, count }) => (
              <span key={key}>
                <i data-part={key} aria-hidden />
                <span className="num">{count}</span> {name}
              </span>
            ))}
        </p>
      </section>
    </header>
  )
}

function Total({ name, value }: { name: string; value: ReactNode }) {
  return (
    <div>
      <dt className="muted small">{name}</dt>
      <dd className="num">{value}</dd>
    </div>
  )
}

/** As many bins as the number of clips justifies, within these limits. */
const [FEWEST_BINS, MOST_BINS] = [20, 80]
const LANES = { blocks: 28, clips: 48, labels: 84, gap: 20 }

function TimeCard({ facts, sources }: { facts: Facts; sources: readonly Source[] }) {
  const chart = useRef<SVGSVGElement>(null)
  const [dated, setDated] = useState(false)
  const [zoom, setZoom] = useState<readonly [number, number] | null>(null)
  const vocabulary = useVocabulary()
  const { pick } = usePicked.getState()
  const timed = useMemo(
    () => sources.map(({ id, probe }) => ({ id, probe: probe && { duration: probe.duration, recordedAt: probe.recordedAt } })),
    [sources],
  )
  const calendar = useMemo(() => byDate(timed), [timed])
  const axis = useMemo(() => (dated && calendar ? calendar : endToEnd(timed)), [dated, calendar, timed])
  const [from, to] = zoom ?? [0, Math.max(axis.length, 0.001)]
  const bins = useMemo(
    () => binsOf(facts.clips, axis, Math.min(MOST_BINS, Math.max(FEWEST_BINS, Math.round(facts.clips.length / 2))), [from, to]),
    [facts, axis, from, to],
  )
  const names = useMemo(
    () =>
      [
        ...new Set([
          ...vocabulary.map(({ name }) => name),
          ...facts.clips.flatMap(({ labels }) => Object.keys(labels)),
          ...facts.clips.flatMap((clip) => tracksOf(clip).map(([name]) => name)),
        ]),
      ].filter((name) => bins.some(({ labels }) => labels.has(name))),
    [vocabulary, facts, bins],
  )
  const apart = useMemo(() => coloursApart(vocabulary, names), [vocabulary, names])
  const colours = (name: string) => apart.get(name) ?? PALETTE[0]
  const nameOf = (sourceId: number) => sources.find(({ id }) => id === sourceId)?.title ?? ''
  const mostClips = Math.max(1, ...bins.map(({ clipIds }) => clipIds.length))
  const mostTracks = Math.max(1, ...bins.map(({ labels }) => [...labels.values()].reduce((sum, count) => sum + count, 0)))
  const where = (at: number) => `${clock(bins[at]?.from ?? 0)}–${clock(bins[at]?.to ?? 0)}`
  const choose = (at: number) => pick(bins[at]?.clipIds ?? [], where(at))
  const resize = (factor: number) => {
    const half = ((to - from) * factor) / 2
    const middle = (from + to) / 2
    const next = [Math.max(0, middle - half), Math.min(axis.length, middle + half)] as const
    setZoom(next[1] - next[0] >= axis.length ? null : next)
  }
  const move = (share: number) => {
    const by = Math.min(Math.max((to - from) * share, -from), axis.length - to)
    if (zoom) setZoom([from + by, to + by])
  }
  const hasLabels = names.length > 0
  const clipsTop = LANES.blocks + LANES.gap
  const labelsTop = clipsTop + LANES.clips + LANES.gap
  const height = labelsTop + (hasLabels ? LANES.labels + LANES.gap : 0)
  const counts = t('{{videos}} videos, {{clips}} clips', {
    videos: axis.sources.length,
    clips: bins.reduce((sum, { clipIds }) => sum + clipIds.length, 0),
  })
  const thumbs = axis.sources.filter(
    ({ from: begins, length }) => begins < to && begins + length > from && (length / (to - from)) * WIDTH > 26,
  )
  return (
    <Card
      title={t('In time')}
      counts={counts}
      name="timeline"
      chart={() => chart.current && contentOf(chart.current)}
      actions={
        <span className="row small">
          {calendar && calendar.sources.length > 1 && (
            <span className="segmented" role="group" aria-label={t('Order')}>
              <button
                aria-pressed={!dated}
                onClick={() => {
                  setDated(false)
                  setZoom(null)
                }}
              >
                {t('End to end')}
              </button>
              <button
                aria-pressed={dated}
                onClick={() => {
                  setDated(true)
                  setZoom(null)
                }}
              >
                {t('By date')}
              </button>
            </span>
          )}
          <span className="segmented" role="group" aria-label={t('Zoom')}>
            <button aria-label={t('Earlier')} disabled={!zoom} onClick={() => move(-0.5)}>
              ‹
            </button>
            <button aria-label={t('Zoom out')} disabled={!zoom} onClick={() => resize(2)}>
              −
            </button>
            <button aria-label={t('Zoom in')} onClick={() => resize(0.5)}>
              +
            </button>
            <button aria-label={t('Later')} disabled={!zoom} onClick={() => move(0.5)}>
              ›
            </button>
          </span>
        </span>
      }
    >
      <div className="thumbs-of-axis" aria-hidden>
        {thumbs.map(({ sourceId, from: begins, length }) => {
          const left = Math.max(0, (begins - from) / (to - from))
          const right = Math.min(1, (begins + length - from) / (to - from))
          return (
            <img
              key={sourceId}
              src={urlOf('thumbnail', { params: { sourceId } })}
              alt=""
              loading="lazy"
              style={{ left: `${left * 100}%`, width: `calc(${(right - left) * 100}% - 1px)` }}
            />
          )
        })}
      </div>
      <svg ref={chart} className="chart" viewBox={`0 0 ${WIDTH} ${height}`} role="group" aria-label={t('Videos, clips and labels in time')}>
        <Blocks
          axis={axis}
          range={[from, to]}
          y={0}
          height={LANES.blocks}
          name={nameOf}
          onChoose={(sourceId) =>
            pick(
              facts.clips.filter((clip) => clip.sourceId === sourceId).map(({ id }) => id),
              nameOf(sourceId),
            )
          }
        />
        <text x={0} y={clipsTop - 5} fontSize={10} fill="var(--muted)">
          {t('Clips')}
        </text>
        <g transform={`translate(0 ${clipsTop})`}>
          <Bars
            bins={bins.map(({ clipIds }) => [{ key: 'clips', count: clipIds.length }])}
            colours={() => 'var(--accent)'}
            height={LANES.clips}
            max={mostClips}
            onChoose={choose}
            describe={(at) => t('{{where}}: {{count}} clips', { where: where(at), count: bins[at]?.clipIds.length ?? 0 })}
          />
        </g>
        {hasLabels && (
          <>
            <text x={0} y={labelsTop - 5} fontSize={10} fill="var(--muted)">
              {t('Tracks by label')}
            </text>
            <g transform={`translate(0 ${labelsTop})`}>
              <Bars
                bins={bins.map(({ labels }) =>
                  names.flatMap((name) => (labels.has(name) ? [{ key: name, count: labels.get(name) ?? 0 }] : [])),
                )}
                colours={colours}
                height={LANES.labels}
                max={mostTracks}
                onChoose={choose}
                describe={(at) => `${where(at)}: ${[...(bins[at]?.labels ?? [])].map(([name, count]) => `${name} ${count}`).join(', ')}`}
              />
            </g>
          </>
        )}
        <Ticks axis={axis} range={[from, to]} y={height - 6} />
      </svg>
      {hasLabels && (
        <p className="legend small">
          {names.map((name) => (
            <span key={name}>
              <i style={{ background: colours(name) }} aria-hidden />
              {name}
            </span>
          ))}
        </p>
      )}
      <DataTable
        head={[t('Time'), t('Clips'), ...names]}
        rows={() =>
          bins.flatMap((bin, at) =>
            bin.clipIds.length === 0 ? [] : [[where(at), bin.clipIds.length, ...names.map((name) => bin.labels.get(name) ?? 0)]],
          )
        }
      />
    </Card>
  )
}

const PARTS = 20
const HEIGHT = 90

function Histogram({ title, what, values }: { title: string; what: string; values: readonly { clipId: number; value: number }[] }) {
  const chart = useRef<SVGSVGElement>(null)
  const bins = useMemo(() => histogram(values, PARTS), [values])
  const { pick } = usePicked.getState()
  const span = (at: number) => `${Math.round((at / PARTS) * 100)}–${Math.round(((at + 1) / PARTS) * 100)} %`
  const describe = (at: number) => `${span(at)}: ${bins[at]?.length ?? 0}`
  if (values.length === 0)
    return (
      <section className="chart-card" aria-label={title}>
        <header>
          <h2>{title}</h2>
        </header>
        <p className="muted small">{t('Nothing to count yet.')}</p>
      </section>
    )
  return (
    <Card title={title} counts={String(values.length)} name={`confidence-${what}`} chart={() => chart.current && contentOf(chart.current)}>
      <svg ref={chart} className="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT * 2.6 + 34}`} role="group" aria-label={title}>
        <Bars
          bins={bins.map((ids) => [{ key: 'all', count: ids.length }])}
          colours={() => 'var(--accent)'}
          height={HEIGHT * 2.6}
          max={Math.max(...bins.map((ids) => ids.length))}
          onChoose={(at) => pick(bins[at] ?? [], `${title}: ${span(at)}`)}
          describe={describe}
        />
        <line x1={0} x2={WIDTH} y1={HEIGHT * 2.6} y2={HEIGHT * 2.6} stroke="var(--strong-line)" />
        {[0, 25, 50, 75, 100].map((tick) => (
          <text
            key={tick}
            x={tick * 10}
            y={HEIGHT * 2.6 + 30}
            fontSize={26}
            fill="var(--muted)"
            textAnchor={tick === 0 ? 'start' : tick === 100 ? 'end' : 'middle'}
          >
            {tick} %
          </text>
        ))}
      </svg>
      <DataTable
        head={[t('Confidence'), t('Count')]}
        rows={() => bins.flatMap((ids, at) => (ids.length === 0 ? [] : [[span(at), ids.length]]))}
      />
    </Card>
  )
}

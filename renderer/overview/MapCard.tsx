import { useMemo, useState } from 'react'
import type { Source } from '../../app/contract.ts'
import { commonest, type Facts } from '../../app/overview.ts'
import { PALETTE } from '../../app/vocabulary.ts'
import { percent } from '../format.ts'
import { t } from '../i18n.ts'
import { useColours } from '../labels/vocabulary.ts'
import { Card } from './Card.tsx'
import { type Dot, kinder, SIDE } from './likeness.ts'
import { MapTable } from './MapTable.tsx'
import { Plane } from './Plane.tsx'
import { useMap } from './queries.ts'
import { usePicked } from './store.ts'

const REST = 'var(--strong-line)'
/** Kinds that get a colour of their own. */
const KINDS = 10

/** A map of clips with similar ones close together, to see what a library holds and to pick a part of it. */
export function MapCard({ facts, sources }: { facts: Facts; sources: readonly Source[] }) {
  const { data: map } = useMap()
  const [by, setBy] = useState('label')
  const labelColour = useColours()
  const questions = useMemo(
    () =>
      commonest(
        facts.answers.map(({ question }) => question),
        20,
      ),
    [facts],
  )
  const { dots, kinds } = useMemo(() => {
    const kindOf = kinder(by, facts, sources)
    const clips = new Map(facts.clips.map((clip) => [clip.id, clip]))
    const all = (map?.clipIds ?? []).flatMap((id, at): Dot[] => {
      const clip = clips.get(id)
      return clip ? [{ id, x: (map?.x[at] ?? 0) * SIDE, y: (map?.y[at] ?? 0) * SIDE, kind: kindOf(clip) }] : []
    })
    return {
      dots: all,
      kinds: commonest(
        all.map(({ kind }) => kind).filter((kind) => kind !== ''),
        KINDS,
      ),
    }
  }, [map, facts, sources, by])
  const colour = (kind: string) =>
    by === 'label' ? (kind === '' ? REST : labelColour(kind)) : kinds.includes(kind) ? (PALETTE[kinds.indexOf(kind)] ?? REST) : REST
  const { pick } = usePicked.getState()
  const counts = t('{{clips}} clips', { clips: dots.length })
  return (
    <Card
      title={t('By likeness')}
      counts={counts}
      name="map"
      chart={() => pictureOf(dots, kinds, colour)}
      actions={
        <label className="row small">
          <span className="muted">{t('Colour')}</span>
          <select value={by} onChange={({ target }) => setBy(target.value)}>
            <option value="label">{t('by label')}</option>
            <option value="source">{t('by video')}</option>
            <option value="state">{t('by review')}</option>
            {questions.map((question) => (
              <option key={question} value={`answer ${question}`}>
                {question}
              </option>
            ))}
          </select>
        </label>
      }
    >
      {dots.length === 0 ? (
        <p className="map-empty muted">
          {map?.building === null || map === undefined
            ? t('No clip is encoded yet.')
            : t('Placing clips by what they show… {{share}}', { share: percent(map.building) })}
        </p>
      ) : (
        <Plane dots={dots} colour={colour} facts={facts} building={map?.building ?? null} />
      )}
      <p className="legend small">
        {kinds.map((kind) => (
          <button
            key={kind}
            className="quiet small"
            onClick={() =>
              pick(
                dots.filter((dot) => dot.kind === kind).map(({ id }) => id),
                kind,
              )
            }
          >
            <i style={{ background: colour(kind) }} aria-hidden />
            {kind}
          </button>
        ))}
      </p>
      {dots.length > 0 && <MapTable dots={dots} facts={facts} sources={sources} />}
    </Card>
  )
}

/** The map as a picture to save: its dots, and a legend below. */
function pictureOf(dots: readonly Dot[], kinds: readonly string[], colour: (kind: string) => string) {
  const circles = dots.map(
    ({ x, y, kind }) => `<circle cx="${(x * 0.96 + 20).toFixed(1)}" cy="${(y * 0.96 + 20).toFixed(1)}" r="4" fill="${colour(kind)}"/>`,
  )
  const legend = kinds.map((kind, at) => {
    const name = kind.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
    const count = dots.filter((dot) => dot.kind === kind).length
    return `<g transform="translate(0 ${SIDE + 20 + at * 18})"><circle cx="6" cy="0" r="5" fill="${colour(kind)}"/><text x="18" y="4" font-size="12" fill="#16191d">${name} (${count})</text></g>`
  })
  return { content: [...circles, ...legend].join(''), width: SIDE, height: SIDE + 20 + kinds.length * 18 }
}

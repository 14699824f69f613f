import { useQuery } from '@tanstack/react-query'
import type { Conflict, Verdict } from '../../app/contract/sharing.ts'
import { call, urlOf } from '../api.ts'
import { saidOfDecision } from '../decision.ts'
import { clockSpan } from '../format.ts'
import { phrase, t } from '../i18n.ts'

const KIND: Record<Conflict['kind'], string> = {
  caption: phrase('Caption'),
  answer: phrase('Answer'),
  track: phrase('Track'),
  note: phrase('Note'),
  segment: phrase('Caption of a part'),
  text: phrase('Text on screen'),
}

/** What both decided differently, side by side, to be decided one by one or all at once. */
export function Differences({
  conflicts,
  differing,
  by,
  verdicts,
  onDecide,
  onDecideAll,
}: {
  conflicts: readonly Conflict[]
  differing: number
  /** Who handed it over. */
  by: string | null
  verdicts: ReadonlyMap<number, Verdict>
  onDecide: (id: number, verdict: Verdict) => void
  onDecideAll: (verdict: Verdict) => void
}) {
  return (
    <section aria-label={t('What differs')}>
      <h3 className="row">
        {t('What differs')} <span className="muted num">{differing}</span>
        <span className="grow" />
        <span className="row" role="group" aria-label={t('All differences')}>
          <button onClick={() => onDecideAll('mine')}>{t('All mine')}</button>
          <button onClick={() => onDecideAll('theirs')}>{t('All theirs')}</button>
          {conflicts.some(({ canBoth }) => canBoth) && (
            <button title={t('Where both can stand; else mine')} onClick={() => onDecideAll('both')}>
              {t('Both where possible')}
            </button>
          )}
        </span>
      </h3>
      <ul className="plain differences">
        {conflicts.map((one) => (
          <Difference
            key={one.id}
            conflict={one}
            by={by}
            verdict={verdicts.get(one.id) ?? null}
            onDecide={(verdict) => onDecide(one.id, verdict)}
          />
        ))}
      </ul>
      {differing > conflicts.length && (
        <p className="muted small">
          {t('… and {{more}} more, which are decided together with these only', { more: differing - conflicts.length })}
        </p>
      )}
    </section>
  )
}

function Difference({
  conflict: { id, clipId, kind, mine, theirs, canBoth },
  by,
  verdict,
  onDecide,
}: {
  conflict: Conflict
  by: string | null
  verdict: Verdict | null
  onDecide: (verdict: Verdict) => void
}) {
  const { data } = useQuery({ queryKey: ['clip', clipId], queryFn: () => call('getClip', { params: { clipId } }) })
  const body = mine.body ?? theirs.body
  return (
    <li className="difference">
      <img src={urlOf('clipThumbnail', { params: { clipId } })} alt="" loading="lazy" decoding="async" />
      <fieldset>
        <legend>
          <strong>{t(KIND[kind])}</strong>
          {data && (
            <span className="muted">
              {' '}
              · {data.clip.sourceName} <span className="num">{clockSpan(data.clip)}</span>
            </span>
          )}
          {body?.kind === 'answer' && <span> · {body.question}</span>}
        </legend>
        <div className="difference-sides">
          <SideOf name={`side-${id}`} title={t('Mine')} side={mine} chosen={verdict === 'mine'} onChoose={() => onDecide('mine')} />
          <SideOf
            name={`side-${id}`}
            title={by === null ? t('Theirs') : t('Theirs, from {{name}}', { name: by })}
            side={theirs}
            chosen={verdict === 'theirs'}
            onChoose={() => onDecide('theirs')}
          />
        </div>
        {canBoth && (
          <label className="row">
            <input type="radio" name={`side-${id}`} checked={verdict === 'both'} onChange={() => onDecide('both')} />
            {t('Both, side by side')}
          </label>
        )}
      </fieldset>
    </li>
  )
}

function SideOf({
  name,
  title,
  side: { state, body, by, at },
  chosen,
  onChoose,
}: {
  name: string
  title: string
  side: Conflict['mine']
  chosen: boolean
  onChoose: () => void
}) {
  return (
    <label className="difference-side" data-chosen={chosen}>
      <span className="row">
        <input type="radio" name={name} checked={chosen} onChange={onChoose} />
        <strong>{title}</strong>
      </span>
      <span className={state === 'rejected' ? 'said rejected' : 'said'}>
        {body === null
          ? t('set back to what the model said')
          : body.kind === 'track'
            ? t('{{label}}, {{count}} boxes, frames {{from}} to {{to}}', {
                label: body.label,
                count: body.boxes.length,
                from: body.boxes[0]?.ordinal ?? 0,
                to: body.boxes.at(-1)?.ordinal ?? 0,
              })
            : body.text}
      </span>
      {state !== 'machine' && <span className="muted small">{saidOfDecision(state, by ?? t('somebody'), at ?? '')}</span>}
    </label>
  )
}

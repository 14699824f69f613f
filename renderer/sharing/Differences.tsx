import { useState } from 'react'
import type { AnnotationBody, Box } from '../../app/annotation.ts'
import type { Conflict, Verdict } from '../../app/contract/sharing.ts'
import { type Probe, secondsOf } from '../../app/media.ts'
import { urlOf } from '../api.ts'
import { useClip, useSources } from '../cache.ts'
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

/** Letters of a text that is shown whole; a longer one is folded, so that other differences are seen too. */
const WHOLE = 240

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
  const { data } = useClip(clipId)
  const probe = useSources().data?.sources.find((source) => source.id === data?.clip.sourceId)?.probe ?? null
  const [open, setOpen] = useState(false)
  const body = mine.body ?? theirs.body
  const [own, other] = [boxOf(mine.body), boxOf(theirs.body)]
  const sides = [saidBy(mine.body, probe), saidBy(theirs.body, probe)] as const
  const isLong = sides.some((text) => text.length > WHOLE)
  return (
    <li className="difference">
      <div className="difference-picture">
        <img src={urlOf('clipThumbnail', { params: { clipId } })} alt="" loading="lazy" decoding="async" />
        {probe && (
          <svg viewBox={`0 0 ${probe.width} ${probe.height}`} preserveAspectRatio="none" aria-hidden>
            {own && <Outline side="mine" box={own} />}
            {other && <Outline side="theirs" box={other} />}
          </svg>
        )}
      </div>
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
          <SideOf
            name={`side-${id}`}
            title={t('Mine')}
            side={mine}
            text={sides[0]}
            folded={isLong && !open}
            line={own && probe && 'mine'}
            chosen={verdict === 'mine'}
            onChoose={() => onDecide('mine')}
          />
          <SideOf
            name={`side-${id}`}
            title={by === null ? t('Theirs') : t('Theirs, from {{name}}', { name: by })}
            side={theirs}
            text={sides[1]}
            folded={isLong && !open}
            line={other && probe && 'theirs'}
            chosen={verdict === 'theirs'}
            onChoose={() => onDecide('theirs')}
          />
        </div>
        {isLong && (
          <button className="quiet small" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? t('Show less') : t('Show more')}
          </button>
        )}
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

/** Where something was first seen, in pixels of the picture; null where it has no place. */
function boxOf(body: AnnotationBody | null): Box | null {
  return body?.kind === 'track' ? (body.boxes[0]?.box ?? null) : body?.kind === 'text' ? body.box : null
}

/** Two lines, so that they are seen on any picture. */
function Outline({ side, box: { x1, y1, x2, y2 } }: { side: 'mine' | 'theirs'; box: Box }) {
  const shape = { x: x1, y: y1, width: x2 - x1, height: y2 - y1 }
  return (
    <g className="difference-outline" data-side={side}>
      <rect {...shape} />
      <rect {...shape} />
    </g>
  )
}

/** What one side says, in words. */
function saidBy(body: AnnotationBody | null, probe: Probe | null): string {
  if (body === null) return t('set back to what the model said')
  if (body.kind !== 'track') {
    const span = 'span' in body ? body.span : undefined
    // Two may say the same of different parts.
    return span === undefined
      ? body.text
      : t('Frames {{from}} to {{to}}: {{text}}', { from: span.startFrame, to: span.endFrame - 1, text: body.text })
  }
  const [first, last] = [body.boxes[0], body.boxes.at(-1)]
  const said = t('{{label}}, {{count}} boxes, frames {{from}} to {{to}}', {
    label: body.label,
    count: body.boxes.length,
    from: first?.ordinal ?? 0,
    to: last?.ordinal ?? 0,
  })
  if (probe === null || first === undefined || last === undefined) return said
  return `${said} (${clockSpan({ start: secondsOf(first.pts, probe), end: secondsOf(last.pts, probe) })})`
}

function SideOf({
  name,
  title,
  side: { state, by, at },
  text,
  folded,
  line,
  chosen,
  onChoose,
}: {
  name: string
  title: string
  side: Conflict['mine']
  text: string
  /** Show the first lines only. */
  folded: boolean
  /** Whose outline on the picture is meant; null where there is none. */
  line: 'mine' | 'theirs' | null
  chosen: boolean
  onChoose: () => void
}) {
  return (
    <label className="difference-side" data-chosen={chosen}>
      <span className="row">
        <input type="radio" name={name} checked={chosen} onChange={onChoose} />
        <strong>{title}</strong>
        {line && (
          <svg className="difference-line" viewBox="0 0 24 8" aria-hidden>
            <g className="difference-outline" data-side={line}>
              <path d="M0 4H24" />
              <path d="M0 4H24" />
            </g>
          </svg>
        )}
      </span>
      <span className={state === 'rejected' ? 'said rejected' : 'said'} data-folded={folded}>
        {text}
      </span>
      {state !== 'machine' && <span className="muted small">{saidOfDecision(state, by ?? t('somebody'), at ?? '')}</span>}
    </label>
  )
}

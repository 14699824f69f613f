import { useQuery } from '@tanstack/react-query'
import type { ImportPart } from '../../app/contract/imports.ts'
import { problemOf } from '../../app/errors.ts'
import { secondsOf } from '../../app/media.ts'
import { call, urlOf } from '../api.ts'
import { clock } from '../format.ts'
import { shown, t } from '../i18n.ts'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { useFrames, useSources } from '../cache.ts'
import { useColours } from '../labels/vocabulary.ts'

/** A longer label would run over the picture; the card beside it has the whole. */
const LETTERS = 24

/** The first frame that a part says something about, with its boxes drawn: what is wrong by a frame or a pixel shows here, before it is imported. */
export function LookAt({
  importId,
  part,
  choice,
}: {
  importId: string
  part: ImportPart
  choice: { sourceId: number; firstFrame: 0 | 1; firstPixel: 0 | 1 }
}) {
  const { sourceId } = choice
  const source = useSources().data?.sources.find(({ id }) => id === sourceId)
  const { data: frames } = useFrames(sourceId)
  const colourOf = useColours()
  const { data, error } = useQuery({
    queryKey: ['import', importId, part.id, choice],
    queryFn: () => call('lookImport', { params: { importId }, body: { part: part.id, ...choice } }),
    retry: false,
  })
  if (error) return <ProblemCard problem={problemOf(error)} warning />
  if (!data || !source?.probe || !frames) return <div className="import-look" aria-busy />
  const { probe } = source
  const timeOf = (ordinal: number) => clock(secondsOf(frames.pts[ordinal] ?? frames.startPts, frames), 2)
  // Lines and letters keep their size whatever the picture's.
  const unit = probe.width / 420
  return (
    <figure className="import-look">
      {data.ordinal === null ? (
        <p className="import-doubt">{t('The video has none of the frames that the file is about.')}</p>
      ) : (
        <div className="import-picture" style={{ aspectRatio: `${probe.width} / ${probe.height}` }}>
          <img
            src={urlOf('framePicture', { params: { sourceId, ordinal: data.ordinal } })}
            alt={t('Frame {{frame}} of {{name}}', { frame: data.ordinal, name: source.title })}
          />
          <svg viewBox={`0 0 ${probe.width} ${probe.height}`} aria-hidden>
            {data.boxes.map(({ box: { x1, y1, x2, y2 }, label }, at) => (
              <g key={at} stroke={colourOf(label)} fill={colourOf(label)}>
                <rect x={x1} y={y1} width={x2 - x1} height={y2 - y1} fill="none" strokeWidth={2 * unit} />
                <text
                  x={x1}
                  y={Math.max(y1 - 3 * unit, 12 * unit)}
                  fontSize={13 * unit}
                  stroke="#000"
                  strokeWidth={3 * unit}
                  paintOrder="stroke"
                >
                  {label.length > LETTERS ? `${label.slice(0, LETTERS)}…` : label}
                </text>
              </g>
            ))}
          </svg>
        </div>
      )}
      <figcaption>
        {data.ordinal !== null && (
          <p className="num">
            {t('Frame {{frame}} (from 0) of {{name}}, at {{time}}', {
              frame: data.ordinal,
              name: source.title,
              time: timeOf(data.ordinal),
            })}
            {data.boxes.length > 0 && ` · ${t('{{count, number}} boxes', { count: data.boxes.length })}`}
          </p>
        )}
        {data.doubts.map((doubt) => (
          <p key={doubt.text} className="import-doubt small">
            {shown(doubt)}
          </p>
        ))}
        {data.beyond > 0 && (
          <p className="import-doubt small">{t('{{count, number}} boxes lie after the end of this video', { count: data.beyond })}</p>
        )}
        {data.texts.length > 0 && (
          <ul className="plain small">
            {data.texts.map(({ text, span }) => (
              <li key={`${span.startFrame} ${text}`}>
                <span className="num muted">
                  {timeOf(span.startFrame)}–{timeOf(Math.min(span.endFrame, frames.pts.length - 1))}
                </span>{' '}
                {text}
              </li>
            ))}
          </ul>
        )}
      </figcaption>
    </figure>
  )
}

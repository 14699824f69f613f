import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { CallArgs } from '../../app/contract.ts'
import type { AnnotationFormat } from '../../app/contract/export.ts'
import { DETAILS, type Detail, HOLDS, KINDS, staysBehind } from '../../app/formats/holds.ts'
import { call } from '../api.ts'
import { number } from '../format.ts'
import { phrase, shown, t } from '../i18n.ts'

const COLUMNS = {
  track: phrase('Tracks'),
  caption: phrase('Captions'),
  segment: phrase('Captions of parts'),
  answer: phrase('Answers'),
  note: phrase('Notes'),
  text: phrase('Text on screen'),
} as const

/** What the chosen formats can hold of what is chosen, and what stays behind; shown before anything is written. */
export function Held({ formats, request }: { formats: readonly AnnotationFormat[]; request: CallArgs<'export'>['body'] }) {
  const { sourceIds, clipIds, search, table, rows, view, labels, states, by } = request
  const body = { sourceIds, clipIds, search, table, rows, view, labels, states, by }
  const { data: counts } = useQuery({
    queryKey: ['export-counts', body],
    queryFn: () => call('exportCounts', { body }),
    placeholderData: keepPreviousData,
    // A scope without clips is told when it is exported.
    retry: false,
  })
  const left = counts === undefined ? [] : staysBehind(formats, counts)
  return (
    <fieldset className="held">
      <legend>{t('What the files hold')}</legend>
      <table>
        <thead>
          <tr>
            <td />
            {KINDS.map((kind) => (
              <th key={kind} scope="col">
                {t(COLUMNS[kind])}
                {counts && <span className="num muted">{number(counts[kind])}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {formats.map((format) => (
            <tr key={format}>
              <th scope="row">{HOLDS[format].name}</th>
              {KINDS.map((kind) => (
                <td key={kind}>
                  {HOLDS[format].kinds.includes(kind) ? (
                    <span role="img" aria-label={t('holds them')}>
                      ✓
                    </span>
                  ) : (
                    <span role="img" className="muted" aria-label={t('cannot hold them')}>
                      –
                    </span>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <ul className="plain small">
        {left.map((one) => (
          <li key={one.text}>{shown(one)}</li>
        ))}
        {formats.map((format) => {
          const lost = lostBy(format)
          return (
            lost && (
              <li key={format} className="muted">
                {lost}
              </li>
            )
          )
        })}
      </ul>
    </fieldset>
  )
}

/** What a format does not say of the things that it holds; null where that is nothing. */
function lostBy(format: AnnotationFormat): string | null {
  const { name, kinds, keeps, but } = HOLDS[format]
  const lost = (Object.keys(DETAILS) as Detail[]).filter(
    (detail) => !keeps.includes(detail) && (kinds.includes('track') || detail === 'decided' || detail === 'maker'),
  )
  const without = lost.length === 0 ? '' : t('without {{details}}.', { details: lost.map((detail) => t(DETAILS[detail])).join(', ') })
  const more = [without, but === undefined ? '' : t(but)].filter((part) => part !== '')
  return more.length === 0 ? null : `${name}: ${more.join(' ')}`
}

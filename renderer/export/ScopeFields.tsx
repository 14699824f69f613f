import { useQuery } from '@tanstack/react-query'
import { analysedToItsEnd } from '../../app/analysed.ts'
import type { CallArgs } from '../../app/contract.ts'
import { call } from '../api.ts'
import { number } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { useLabels, useSources } from '../cache.ts'
import { useUi } from '../store.ts'
import { useColumns } from '../table/rows.ts'
import { type Clips, REVIEWED, stillOffered, useChoice, type useOffered, takesFrames } from './scope.ts'
import './export.css'

const REVIEW_NAMES: Record<keyof typeof REVIEWED, string> = {
  any: phrase('All but what was rejected'),
  decided: phrase('Accepted or edited'),
  open: phrase('Not reviewed'),
  rejected: phrase('Rejected'),
}

/** Which clips to export, and which of their annotations. */
export function ScopeFields({ offered, request }: { offered: ReturnType<typeof useOffered>; request: CallArgs<'export'>['body'] }) {
  const choice = useChoice()
  const { chosenLabels, by, reviewed, perVideo, lookedFor, formats, change } = choice
  const clips = stillOffered(choice.clips, offered)
  const sourceId = useUi((ui) => ui.sourceId)
  const { data: sources } = useSources()
  const { data: labels } = useLabels()
  const { data: table } = useColumns()
  const finished = sources?.sources.filter(({ state }) => analysedToItsEnd(state)) ?? []
  const current = finished.find(({ id }) => id === sourceId)
  const toggle = (name: string) =>
    change({ chosenLabels: chosenLabels.includes(name) ? chosenLabels.filter((other) => other !== name) : [...chosenLabels, name] })
  const radio = (value: Clips, name: string, available = true) => (
    <label className="row" key={value}>
      <input type="radio" name="scope" checked={clips === value} disabled={!available} onChange={() => change({ clips: value })} />
      {name}
    </label>
  )
  return (
    <>
      <fieldset>
        <legend>{t('Videos and clips')}</legend>
        <div className="export-clips">
          {radio('all', t('All ({{count, number}})', { count: finished.length }))}
          {radio('video', current ? t('Only {{name}}', { name: current.name }) : t('Only the chosen one'), current !== undefined)}
          {offered.clip && radio('clip', t('The chosen clip'))}
          {offered.picked && radio('picked', t('The clips picked on the map'))}
          {offered.found && radio('found', t('What the search found'))}
          {offered.marked > 0 && radio('marked', t('The rows marked in the table ({{rows, number}})', { rows: offered.marked }))}
          {offered.table && radio('table', t('The rows of the table'))}
          {table?.views.map(({ name }) => radio(`view ${name}`, t('View “{{name}}”', { name })))}
        </div>
      </fieldset>
      <fieldset className="export-part">
        <legend>{t('What of it')}</legend>
        <label>
          {t('By whom')}
          <select value={by} onChange={({ target }) => change({ by: target.value as typeof by })}>
            <option value="both">{t('Machine and people')}</option>
            <option value="machine">{t('Machine only')}</option>
            <option value="people">{t('People only')}</option>
          </select>
        </label>
        <label>
          {t('State of review')}
          <select value={reviewed} onChange={({ target }) => change({ reviewed: target.value as typeof reviewed })}>
            {Object.entries(REVIEW_NAMES).map(([value, name]) => (
              <option key={value} value={value}>
                {t(name)}
              </option>
            ))}
          </select>
        </label>
        <details className="export-labels">
          <summary>{t('Boxes of: {{labels}}', { labels: chosenLabels.length === 0 ? t('All labels') : chosenLabels.join(', ') })}</summary>
          <div role="group" aria-label={t('Boxes of these labels alone')}>
            {[...new Set([...(labels?.labels.map(({ name }) => name) ?? []), ...chosenLabels])].map((name) => (
              <label className="row" key={name}>
                <input type="checkbox" checked={chosenLabels.includes(name)} onChange={() => toggle(name)} />
                {name}
              </label>
            ))}
          </div>
        </details>
      </fieldset>
      {takesFrames(formats) && <FrameFields />}
      {formats.includes('clips') && (
        <fieldset className="export-part export-wide">
          <legend>{t('Clips')}</legend>
          <label>
            {t('How they are cut')}
            <select value={choice.cut} onChange={({ target }) => change({ cut: target.value as typeof choice.cut })}>
              <option value="copy">{t('Without loss, from the key frame before')}</option>
              <option value="exact">{t('Exact to the frame, encoded again')}</option>
            </select>
          </label>
          {choice.cut === 'copy' && <Early request={request} />}
        </fieldset>
      )}
      {formats.includes('coco') && (
        <fieldset className="export-part export-wide">
          <legend>COCO</legend>
          <label title={t('An evaluator counts other boxes of these labels as false, also in frames without any.')}>
            {t('Looked for everywhere')}
            <select value={lookedFor} onChange={({ target }) => change({ lookedFor: target.value as typeof lookedFor })}>
              <option value="pack">{t('What the pack of boxes looked for')}</option>
              <option value="all">{t('All labels of the vocabulary')}</option>
              <option value="none">{t('No label')}</option>
            </select>
          </label>
          <label className="row export-check">
            <input type="checkbox" checked={perVideo} onChange={() => change({ perVideo: !perVideo })} />
            {t('One file a video, as DIVE needs it')}
          </label>
        </fieldset>
      )}
    </>
  )
}

/** How far clips that are copied begin before their first frame, told before they are made. */
function Early({ request }: { request: CallArgs<'export'>['body'] }) {
  const { sourceIds, clipIds, search, table, rows, view } = request
  const body = { sourceIds, clipIds, search, table, rows, view }
  const { data } = useQuery({
    queryKey: ['cuts-ahead', body],
    queryFn: () => call('cutsAhead', { body }),
    staleTime: 60_000,
    retry: false,
  })
  if (data === undefined || data.looked === 0) return null
  const { clips, looked, early, most, uncut } = data
  const of = looked < clips ? t('Of {{looked, number}} of {{clips, number}} clips:', { looked, clips }) : ''
  const begin =
    early > 0
      ? t('{{early, number}} of {{looked, number}} begin before their first frame, by at most {{seconds}} s.', {
          early,
          looked,
          seconds: number(Math.ceil(most * 10) / 10),
        })
      : t('All begin at their first frame.')
  const refused = uncut > 0 ? t('{{count, number}} cannot be copied.', { count: uncut }) : ''
  return (
    <p className="small muted export-early" role="status">
      {[of, uncut === looked ? '' : begin, refused].filter((part) => part !== '').join(' ')}
    </p>
  )
}

/** Of which frames pictures and crops are made, and a data set for YOLO. */
function FrameFields() {
  const { frames, every, numbers, change } = useChoice()
  return (
    <fieldset className="export-part export-wide">
      <legend>{t('Pictures, crops, YOLO')}</legend>
      <label>
        {t('Of which frames')}
        <select value={frames} onChange={({ target }) => change({ frames: target.value as typeof frames })}>
          <option value="annotated">{t('Those on which a box was seen or drawn')}</option>
          <option value="every">{t('Every n-th frame')}</option>
          <option value="numbers">{t('Frames by number')}</option>
        </select>
      </label>
      {frames === 'every' && (
        <label>
          {t('Every how many frames')}
          <input type="number" min={1} value={every} onChange={({ target }) => change({ every: target.value })} />
        </label>
      )}
      {frames === 'numbers' && (
        <label>
          {t('Numbers, for example 0, 17, 40-50')}
          <input value={numbers} onChange={({ target }) => change({ numbers: target.value })} />
        </label>
      )}
    </fieldset>
  )
}

import type { PackOverview, PackWork } from '../../app/contract/packs.ts'
import { call } from '../api.ts'
import { bytes, percent } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { act } from './queries.ts'
import { usePacksUi } from './store.ts'

const STAGES: Record<PackWork['stage'], string> = {
  downloading: phrase('Downloading'),
  checking: phrase('Checking the file'),
  converting: phrase('Converting the weights'),
  copying: phrase('Copying'),
  testing: phrase('Testing what it says'),
  switching: phrase('Starting the engine with it'),
}

/** Downloads, imports and switches under way or failed, and downloads that were stopped. */
export function Works({ overview: { works, stopped } }: { overview: PackOverview }) {
  const precision = usePacksUi((ui) => ui.precision)
  if (works.length + stopped.length === 0) return null
  return (
    <section aria-label={t('Under way')}>
      <ul className="works">
        {works.map((work) => (
          <li key={work.id}>{work.problem ? <Failed work={work} problem={work.problem} /> : <Running work={work} />}</li>
        ))}
        {stopped.map(({ url, name, bytes: here, totalBytes }) => (
          <li key={url} className="panel row">
            <div className="grow">
              <strong>{name}</strong>
              <p className="muted small mono">{url}</p>
              <p className="muted small">
                {totalBytes === null
                  ? t('Stopped; {{here}} are here.', { here: bytes(here) })
                  : t('Stopped; {{here}} of {{total}} are here.', { here: bytes(here), total: bytes(totalBytes) })}
              </p>
            </div>
            <button onClick={() => void act(call('downloadPack', { body: { url, precision } }))}>{t('Go on')}</button>
            <button className="quiet" onClick={() => void act(call('discardDownload', { body: { url } }))}>
              {t('Discard')}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Running({ work: { id, kind, title, stage, bytes: done, totalBytes } }: { work: PackWork }) {
  const share = done !== null && totalBytes !== null && totalBytes > 0 ? done / totalBytes : null
  return (
    <div className="panel row" role="status">
      <div className="grow">
        <strong>{title}</strong>
        <p className="muted small num">
          {t(STAGES[stage])}
          {share !== null && done !== null && totalBytes !== null
            ? ` · ${percent(share)} · ${t('{{done}} of {{total}}', { done: bytes(done), total: bytes(totalBytes) })}`
            : ''}
        </p>
        <progress aria-label={title} {...(share === null ? {} : { value: share })} max={1} />
      </div>
      {kind !== 'switch' && <button onClick={() => void act(call('cancelPackWork', { params: { workId: id } }))}>{t('Stop')}</button>}
    </div>
  )
}

function Failed({ work: { id, kind, title }, problem }: { work: PackWork; problem: NonNullable<PackWork['problem']> }) {
  return (
    <>
      {kind === 'switch' && (
        <p className="muted small">{t('“{{title}}” was not taken into use; the pack from before goes on.', { title })}</p>
      )}
      <ProblemCard problem={problem}>
        <button onClick={() => void act(call('cancelPackWork', { params: { workId: id } }))}>{t('Put away')}</button>
      </ProblemCard>
    </>
  )
}

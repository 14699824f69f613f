import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { fromFacts } from '../../app/annotation.ts'
import type { ClipEvent, Step } from '../../app/contract/state.ts'
import { DEEDS } from '../../app/deeds.ts'
import { call } from '../api.ts'
import { madeFrom } from '../caption.ts'
import { percent, when } from '../format.ts'
import { phrase, shown, t } from '../i18n.ts'
import { Dialog } from '../parts/Dialog.tsx'
import { historyQuery, queryClient, useClip } from '../cache.ts'
import { tell } from '../toast.ts'
import { inOrder } from '../undo.ts'
import { useUi } from '../store.ts'
import './history.css'

/** How many steps are fetched at once. */
const PAGE = 200
const SAID: Record<ClipEvent['kind'], string> = {
  caption: phrase('Caption'),
  answer: phrase('Answer'),
  track: phrase('Track'),
  note: phrase('Note'),
  segment: phrase('Caption of a part'),
  text: phrase('Text on screen'),
}

/** What people decided, step by step, and who changed what in the chosen clip. */
export function HistoryDialog() {
  const clipId = useUi((ui) => ui.clipId)
  const [view, setView] = useState<'steps' | 'clip'>(clipId === null ? 'steps' : 'clip')
  return (
    <Dialog title={t('History')} wide>
      <div className="row" role="group" aria-label={t('History of')}>
        <button aria-pressed={view === 'clip'} disabled={clipId === null} onClick={() => setView('clip')}>
          {t('This clip')}
        </button>
        <button aria-pressed={view === 'steps'} onClick={() => setView('steps')}>
          {t('All edits')}
        </button>
      </div>
      {view === 'clip' && clipId !== null ? <ClipHistory clipId={clipId} /> : <Steps />}
    </Dialog>
  )
}

function Steps() {
  const [limit, setLimit] = useState(PAGE)
  const { data } = useQuery({
    queryKey: ['history', 'steps', limit],
    queryFn: () => call('steps', { query: { limit } }),
    placeholderData: (earlier) => earlier,
  })
  const jump = async (step: number) => {
    try {
      queryClient.setQueryData(historyQuery.queryKey, await inOrder(() => call('jump', { body: { step } })))
      await queryClient.invalidateQueries({ queryKey: ['history'] })
    } catch (error) {
      tell(error)
    }
  }
  if (data === undefined) return null
  const { steps, total } = data
  const now = steps.find(({ undone }) => !undone)?.id ?? 0
  return (
    <>
      <p className="muted">
        {t('Choose a step to go back to it, or forward again. A new edit ends what could be done again. Everything survives a restart.')}
      </p>
      <ol className="plain steps" aria-label={t('Steps, newest first')}>
        {steps.map((step) => (
          <StepRow key={step.id} step={step} current={step.id === now} onJump={() => void jump(step.id)} />
        ))}
        {total <= limit && (
          <li>
            <button className="quiet" aria-current={now === 0 ? 'step' : undefined} onClick={() => void jump(0)}>
              {t('Before all edits')}
            </button>
          </li>
        )}
      </ol>
      {total > limit && (
        <button onClick={() => setLimit(Math.min(1000, limit + PAGE))} disabled={limit >= 1000}>
          {t('Show earlier steps')}
        </button>
      )}
    </>
  )
}

function StepRow({ step: { description, undone, at }, current, onJump }: { step: Step; current: boolean; onJump: () => void }) {
  return (
    <li data-undone={undone}>
      <button className="quiet" aria-current={current ? 'step' : undefined} onClick={onJump}>
        <span>{shown(description)}</span>
        <span className="muted num">{undone ? t('undone') : when(at)}</span>
      </button>
    </li>
  )
}

function ClipHistory({ clipId }: { clipId: number }) {
  const { data: detail } = useClip(clipId)
  const { data } = useQuery({
    queryKey: ['history', 'clip', clipId, detail?.annotations.map(({ updatedAt }) => updatedAt).join()],
    queryFn: () => call('clipHistory', { params: { clipId } }),
    placeholderData: (earlier) => earlier,
  })
  if (data === undefined || detail === undefined) return null
  return (
    <>
      <p className="muted">
        {t('Clip {{clip}} of {{source}}: who said what, and when.', { clip: detail.clip.index + 1, source: detail.clip.sourceName })}
      </p>
      <ol className="plain events" aria-label={t('Newest first')}>
        {data.events.map((event, at) => (
          <EventRow key={`${event.at} ${event.annotationId} ${at}`} event={event} />
        ))}
      </ol>
      {data.events.length === 0 && <p className="placeholder muted">{t('Nothing was said about this clip yet.')}</p>}
    </>
  )
}

function EventRow({ event: { at, action, kind, body, provenance, confidence, by, undone } }: { event: ClipEvent }) {
  const who = action === 'said' ? t('Model') : (by ?? t('Person'))
  const text =
    body === null ? '' : body.kind === 'track' ? body.label : body.kind === 'answer' ? `${body.question} ${body.text}` : body.text
  return (
    <li data-undone={undone} data-who={action === 'said' ? 'model' : 'person'}>
      <p>
        <strong>{who}</strong> · {action === 'said' ? t(SAID[kind]) : t(DEEDS[kind][action])}
        {undone && <span className="muted"> · {t('undone')}</span>}
        <span className="muted num"> · {when(at)}</span>
      </p>
      {text !== '' && <p className="said">{text}</p>}
      {provenance && (
        <p className="muted small">
          {(fromFacts({ provenance })
            ? [madeFrom(provenance)]
            : [
                `${provenance.packId} ${provenance.packVersion}`,
                provenance.provider,
                ...(confidence === null ? [] : [t('{{confidence}} sure', { confidence: percent(confidence) })]),
                ...(provenance.prompt === '' ? [] : [t('asked “{{prompt}}”', { prompt: provenance.prompt })]),
              ]
          ).join(' · ')}
        </p>
      )}
    </li>
  )
}

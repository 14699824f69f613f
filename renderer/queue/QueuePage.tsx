import { ArrowUpToLine, GripVertical, Pause, Play, RotateCcw, Trash2, X } from 'lucide-react'
import { type DragEvent, type KeyboardEvent, memo, useState } from 'react'
import type { Job, Queue } from '../../app/contract.ts'
import { JOB_KINDS } from '../../app/job-kinds.ts'
import { call } from '../api.ts'
import { about, number, percent } from '../format.ts'
import { phrase, shown, t, told } from '../i18n.ts'
import { queryClient, queueQuery, useQueue } from '../cache.ts'
import { tell } from '../toast.ts'
import { offerUndo } from '../undo.ts'
import { jobName } from './job-name.ts'
import { ask, newest, withMove } from '../queue-order.ts'
import { ReviewProgress } from './ReviewProgress.tsx'
import { Workers } from './Workers.tsx'
import './queue.css'

const ENDED = { done: phrase('Done'), failed: phrase('Failed'), cancelled: phrase('Cancelled') }

/** What the machine has to do, in order, and what remains for people to review. */
export function QueuePage() {
  const { data: queue } = useQueue()
  return (
    <main className="page queue">
      <h2 className="visually-hidden">{t('Queue')}</h2>
      <section aria-labelledby="queue-machine">
        <Head queue={queue} />
        <Workers />
        {queue && <Jobs queue={queue} />}
      </section>
      <ReviewProgress />
    </main>
  )
}

function Head({ queue }: { queue: Queue | undefined }) {
  const open = (queue?.waiting ?? 0) + (queue?.running ?? 0)
  const failed = queue?.failed ?? 0
  const cancelled = queue?.jobs.some(({ state }) => state === 'cancelled')
  const act = (name: 'pauseQueue' | 'resumeQueue' | 'cancelAll') => () => void call(name).catch(tell)
  return (
    <header className="queue-head">
      <div className="grow">
        <h3 id="queue-machine">{t('For this computer')}</h3>
        <p className="muted" role="status">
          {open === 0
            ? failed > 0
              ? t('Nothing runs or waits; {{count, number}} failed', { count: failed })
              : cancelled
                ? t('Nothing runs or waits.')
                : t('Everything is done.')
            : [
                ...(queue?.paused ? [t('Paused')] : []),
                t('{{count, number}} jobs left', { count: open }),
                // An estimate appears once this computer has done enough for its speed to be known.
                ...(queue?.etaSeconds == null || queue.paused ? [] : [about(queue.etaSeconds)]),
              ].join(' · ')}
        </p>
      </div>
      {queue?.paused ? (
        <button className="primary" onClick={act('resumeQueue')}>
          <Play size={14} aria-hidden />
          {t('Resume')}
        </button>
      ) : (
        <button disabled={open === 0} onClick={act('pauseQueue')}>
          <Pause size={14} aria-hidden />
          {t('Pause')}
        </button>
      )}
      <button disabled={open === 0} onClick={act('cancelAll')}>
        <X size={14} aria-hidden />
        {t('Cancel all')}
      </button>
    </header>
  )
}

function Jobs({ queue: { jobs, waiting, running, finished, failed } }: { queue: Queue }) {
  const [dragged, setDragged] = useState<number | null>(null)
  const [moved, setMoved] = useState('')
  const of = (...states: Job['state'][]) => jobs.filter(({ state }) => states.includes(state))
  const queued = of('queued')
  const move = (job: Job, to: number) => {
    const others = queued.filter(({ id }) => id !== job.id)
    const at = Math.max(0, Math.min(others.length, to))
    moveJob(job, others[at]?.id ?? null)
    setMoved(t('{{name}} is now number {{place}} of {{total}}', { name: jobName(job), place: at + 1, total: queued.length }))
  }
  if (jobs.length === 0)
    return <p className="placeholder muted">{t('Nothing was asked of this computer yet. Add videos, and their analysis shows here.')}</p>
  return (
    <>
      <p className="visually-hidden" role="status">
        {moved}
      </p>
      <Group name={t('Running')} count={running}>
        {of('running').map((job) => (
          <JobRow key={job.id} job={job} />
        ))}
      </Group>
      <Group name={t('Waiting')} count={waiting} more={waiting - queued.length}>
        {queued.map((job, at) => (
          <JobRow
            key={job.id}
            job={job}
            place={at}
            dragged={dragged === job.id}
            onMove={move}
            drag={{
              onDragStart: (event) => {
                event.dataTransfer.effectAllowed = 'move'
                event.dataTransfer.setData('text/plain', jobName(job))
                setDragged(job.id)
              },
              onDragOver: (event) => {
                if (dragged === null) return
                event.preventDefault()
                event.stopPropagation()
              },
              onDrop: (event) => {
                // Dropped files are handled by the window.
                if (dragged === null) return
                event.preventDefault()
                event.stopPropagation()
                const from = queued.find(({ id }) => id === dragged)
                if (from && from.id !== job.id) move(from, at)
              },
              onDragEnd: () => setDragged(null),
            }}
          />
        ))}
      </Group>
      <Group
        name={t('Failed')}
        count={failed}
        actions={
          <>
            <button onClick={() => void call('retryFailed').catch(tell)}>
              <RotateCcw size={14} aria-hidden />
              {t('Retry all failed')}
            </button>
            <button onClick={() => void remove(call('removeFailed'))}>
              <Trash2 size={14} aria-hidden />
              {t('Remove all failed')}
            </button>
          </>
        }
      >
        {of('failed').map((job) => (
          <JobRow key={job.id} job={job} />
        ))}
      </Group>
      <Group name={t('Finished')} count={finished - failed}>
        {of('done', 'cancelled').map((job) => (
          <JobRow key={job.id} job={job} />
        ))}
      </Group>
    </>
  )
}

/** The order changes on the screen at once, and late messages with the older order do not revert it. */
function moveJob(job: Job, before: number | null): void {
  const move = { jobId: job.id, before }
  const stored = ask(move, () => call('moveJob', { params: { jobId: job.id }, body: { before } }))
  queryClient.setQueryData(queueQuery.queryKey, (queue) => queue && withMove(queue, move))
  stored
    .then((told) => queryClient.setQueryData(queueQuery.queryKey, (shown) => newest(shown, told)))
    .catch((error: unknown) => {
      tell(error)
      return queryClient.invalidateQueries({ queryKey: ['queue'] })
    })
}

/** Remove entries from the list; if a video was removed with them, say where it went. */
async function remove(removing: Promise<{ binned: number }>): Promise<void> {
  try {
    const { binned } = await removing
    void queryClient.invalidateQueries({ queryKey: ['history'] })
    offerUndo(
      binned > 0
        ? t('{{count, number}} videos of which nothing could be read lie in the bin for 30 days (Settings)', { count: binned })
        : t('Removed from the queue'),
      { id: 'removed' },
    )
  } catch (error) {
    tell(error)
  }
}

interface GroupProps {
  name: string
  count: number
  /** How many more there are than listed. */
  more?: number
  /** Actions on all of them. */
  actions?: React.ReactNode
  children: React.ReactNode
}

function Group({ name, count, more = 0, actions, children }: GroupProps) {
  if (count === 0) return null
  return (
    <section className="jobs">
      <header className="row">
        <h4 className="grow">
          {name} <span className="muted num">{number(count)}</span>
        </h4>
        {actions}
      </header>
      <ul className="plain" aria-label={name}>
        {children}
      </ul>
      {more > 0 && <p className="muted small">{t('and {{count, number}} more', { count: more })}</p>}
    </section>
  )
}

interface DragHandlers {
  onDragStart: (event: DragEvent) => void
  onDragOver: (event: DragEvent) => void
  onDrop: (event: DragEvent) => void
  onDragEnd: () => void
}
interface RowProps {
  job: Job
  /** Position among the waiting jobs. */
  place?: number
  dragged?: boolean
  onMove?: (job: Job, to: number) => void
  drag?: DragHandlers
}

const JobRow = memo(function JobRow({ job, place, dragged = false, onMove, drag }: RowProps) {
  const name = jobName(job)
  const { id, state, stage, progress, problem } = job
  const onJob = (call_: 'cancelJob' | 'retryJob') => () => void call(call_, { params: { jobId: id } }).catch(tell)
  const keys = (event: KeyboardEvent) => {
    if (place === undefined || onMove === undefined) return
    const to = { ArrowUp: place - 1, ArrowDown: place + 1, Home: 0, End: Number.MAX_SAFE_INTEGER }[event.key]
    if (to === undefined) return
    event.preventDefault()
    onMove(job, to)
  }
  const facts = [
    ...(problem
      ? [told(problem).message, told(problem).next]
      : stage
        ? [shown(stage)]
        : state === 'done' || state === 'cancelled'
          ? [t(ENDED[state])]
          : []),
    ...(job.rate === null
      ? []
      : [
          JOB_KINDS[job.kind].whole
            ? t('{{rate}} × real time', { rate: number(job.rate, 1) })
            : t('{{rate}} clips a second', { rate: number(job.rate, 1) }),
        ]),
  ].filter(Boolean)
  return (
    <li data-state={state} data-job={id} data-dragged={dragged} draggable={drag !== undefined} {...drag}>
      {place !== undefined && (
        <button
          className="icon grip"
          aria-label={t('Move {{name}}', { name })}
          aria-description={t('Arrow keys move it up and down')}
          title={t('Drag, or use the arrow keys')}
          onKeyDown={keys}
        >
          <GripVertical size={15} aria-hidden />
        </button>
      )}
      <span className="job-text">
        <strong>{name}</strong>
        {facts.length > 0 && <span className={state === 'failed' ? 'failure' : 'muted'}>{facts.join(' · ')}</span>}
      </span>
      {state === 'running' && (
        <>
          <progress value={progress} aria-label={t('Progress of {{name}}', { name })} />
          <span className="num percent">{percent(progress)}</span>
        </>
      )}
      {place !== undefined && place > 0 && (
        <button className="icon" aria-label={t('Do {{name}} first', { name })} title={t('Do this first')} onClick={() => onMove?.(job, 0)}>
          <ArrowUpToLine size={15} aria-hidden />
        </button>
      )}
      {(state === 'running' || state === 'queued') && (
        <button className="icon" aria-label={t('Cancel {{name}}', { name })} title={t('Cancel')} onClick={onJob('cancelJob')}>
          <X size={15} aria-hidden />
        </button>
      )}
      {(state === 'failed' || state === 'cancelled') && (
        <button aria-label={t('Retry {{name}}', { name })} onClick={onJob('retryJob')}>
          <RotateCcw size={14} aria-hidden />
          {t('Retry')}
        </button>
      )}
      {(state === 'failed' || state === 'cancelled') && (
        <button
          className="icon"
          aria-label={t('Remove {{name}} from the queue', { name })}
          title={t('Remove from the queue')}
          onClick={() => void remove(call('removeJob', { params: { jobId: id } }))}
        >
          <Trash2 size={15} aria-hidden />
        </button>
      )}
    </li>
  )
})

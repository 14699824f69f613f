import { useQuery } from '@tanstack/react-query'
import type { RouteOutput } from '../../app/contract.ts'
import type { Worker } from '../../app/contract/workers.ts'
import { call } from '../api.ts'
import { queryClient } from '../cache.ts'
import { number, percent } from '../format.ts'
import { shown, t, told } from '../i18n.ts'
import { tell } from '../toast.ts'

/** The machines that analyse videos for this library, where it hands out work; what each does, and how fast. */
export function Workers() {
  const { data } = useQuery({ queryKey: ['workers'], queryFn: () => call('listWorkers') })
  if (data?.queue == null) return null
  const { queue, workers } = data
  const present = workers.filter((one) => one.present)
  return (
    <section className="jobs workers" aria-labelledby="queue-workers">
      <header className="row">
        <h4 className="grow" id="queue-workers">
          {t('Workers')} <span className="muted num">{number(present.length)}</span>
        </h4>
        <span className="muted small">{queue.address}</span>
      </header>
      {queue.problem && (
        <p className="failure small" role="alert">
          {told(queue.problem).message} {told(queue.problem).next}
        </p>
      )}
      {present.length === 0 && (
        <p className="muted small">
          {t('No worker is there, so videos wait. Start one on any machine with “tubelet worker”; docs/workers.md tells how.')}
        </p>
      )}
      <ul className="plain" aria-label={t('Workers')}>
        {workers.map((worker) => (
          <WorkerRow key={worker.name} worker={worker} />
        ))}
      </ul>
    </section>
  )
}

function WorkerRow({ worker }: { worker: Worker }) {
  const { name, state, present, doing, videos, seconds, busy, lost } = worker
  const facts = [
    stateOf(worker),
    ...(videos === 0 ? [] : [t('{{count, number}} videos', { count: videos })]),
    ...(busy === 0 ? [] : [t('{{rate}} × real time', { rate: number(seconds / busy, 1) })]),
    ...(lost === 0 ? [] : [t('{{count, number}} not brought back', { count: lost })]),
  ]
  return (
    <li data-worker={name} data-state={state}>
      <span className="job-text">
        <strong>{name}</strong>
        <span className={state === 'banned' || !present ? 'failure' : 'muted'}>{facts.join(' · ')}</span>
        {doing.map(({ jobId, title, stage, progress }) => (
          <span key={jobId} className="muted">
            {title} · {shown(stage)} · {percent(progress)}
          </span>
        ))}
      </span>
      {state === 'working' ? (
        present && (
          <button title={t('It finishes what it does, and leaves')} onClick={() => void set(name, 'draining')}>
            {t('Drain')}
          </button>
        )
      ) : (
        <button onClick={() => void set(name, 'working')}>{t('Let it work')}</button>
      )}
      {state !== 'banned' && (
        <button title={t('What it does is given to others, and nothing is taken from it')} onClick={() => void set(name, 'banned')}>
          {t('Ban')}
        </button>
      )}
    </li>
  )
}

function stateOf({ state, present, doing }: Worker): string {
  if (state === 'banned') return t('Banned')
  if (!present) return t('Away')
  if (state === 'draining') return t('Leaves once it is done')
  return doing.length === 0 ? t('Waits for work') : t('Works')
}

async function set(worker: string, state: Worker['state']): Promise<void> {
  try {
    const now: RouteOutput<'setWorker'> = await call('setWorker', { params: { worker }, body: { state } })
    queryClient.setQueryData(['workers'], now)
  } catch (error) {
    tell(error)
  }
}

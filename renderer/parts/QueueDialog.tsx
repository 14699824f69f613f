import { call } from '../api.ts'
import { about, percent } from '../format.ts'
import { shown, told } from '../i18n.ts'
import { tell, useQueue } from '../queries.ts'
import { Dialog } from './Dialog.tsx'

export function QueueDialog() {
  const { data: queue } = useQueue()
  const open = (queue?.waiting ?? 0) + (queue?.running ?? 0)
  const cancelAll = () => call('cancelAll').catch(tell)
  return (
    <Dialog title="Queue" wide>
      <div className="row">
        <span className="muted">{open === 0 ? 'Everything is done.' : `${open} left${queue?.etaSeconds != null ? `, ${about(queue.etaSeconds)}` : ''}`}</span>
        <span className="grow" />
        <button disabled={open === 0} onClick={() => void cancelAll()}>Cancel all</button>
      </div>
      <ul className="plain jobs" aria-label="Jobs">
        {queue?.jobs.map((job) => (
          <li key={job.id} data-state={job.state}>
            <span className="text">
              <strong>{job.title}</strong>
              <span className="muted">{job.problem ? told(job.problem).message : job.stage ? shown(job.stage) : job.state}</span>
            </span>
            {job.state === 'running' && <><progress value={job.progress} aria-label={`Progress of ${job.title}`} /><span className="num">{percent(job.progress)}</span></>}
            {(job.state === 'running' || job.state === 'queued') && <button aria-label={`Cancel ${job.title}`} onClick={() => void call('cancelJob', { params: { jobId: job.id } }).catch(tell)}>Cancel</button>}
          </li>
        ))}
      </ul>
    </Dialog>
  )
}

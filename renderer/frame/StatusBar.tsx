import { Cpu, History, ListChecks, Redo2, ShieldCheck, TriangleAlert, Undo2 } from 'lucide-react'
import { about, percent } from '../format.ts'
import { shown, t, told } from '../i18n.ts'
import { jobName } from '../queue/job-name.ts'
import { useHistory, useQueue, useStatus } from '../cache.ts'
import { undo } from '../undo.ts'
import { useUi } from '../store.ts'

export function StatusBar() {
  const { data: status } = useStatus()
  const { data: queue } = useQueue()
  const { data: history } = useHistory()
  const open = useUi((ui) => ui.open)
  const goTo = useUi((ui) => ui.goTo)
  const amber = status?.engine.fallback === true || status?.ffmpegProblem != null
  const active = queue?.jobs.filter(({ state }) => state === 'running' || state === 'queued') ?? []
  const running = active.find(({ state }) => state === 'running')
  const waiting = (queue?.waiting ?? 0) + (queue?.running ?? 0)
  return (
    <footer className="statusbar">
      <button className="quiet" data-amber={amber} title={t('Show diagnostics')} onClick={() => goTo('settings')}>
        {amber ? <TriangleAlert size={13} aria-hidden /> : <Cpu size={13} aria-hidden />}
        {status?.ffmpegProblem ? told(status.ffmpegProblem).message : status ? shown(status.engine.sentence) : t('Starting…')}
      </button>
      <span className="muted secure">
        <ShieldCheck size={13} aria-hidden />
        {status?.network ? t('Network: on, for packs only') : t('Nothing leaves this computer')}
      </span>
      <span className="grow" />
      <button className="quiet" onClick={() => goTo('queue')} title={t('Show the queue')}>
        <ListChecks size={13} aria-hidden />
        <span role="status" className="num">
          {waiting === 0 ? (
            !queue?.finished ? (
              t('Nothing to do')
            ) : queue.failed > 0 ? (
              t('Nothing runs or waits; {{count, number}} failed', { count: queue.failed })
            ) : queue.jobs.some(({ state }) => state === 'cancelled') ? (
              t('Nothing runs or waits.')
            ) : (
              t('All done')
            )
          ) : (
            <>
              {queue?.paused ? t('Paused') : running ? <span className="name">{jobName(running)}</span> : t('Starting')}
              {running && !queue?.paused && ` · ${percent(running.progress)}`}
              {` · ${t('{{count, number}} jobs left', { count: waiting })}`}
              {queue?.etaSeconds != null && !queue.paused && ` · ${about(queue.etaSeconds)}`}
            </>
          )}
        </span>
        {running && <progress value={running.progress} aria-hidden />}
      </button>
      <button className="icon" aria-label={t('History')} title={t('History of what was decided')} onClick={() => open('history')}>
        <History size={14} aria-hidden />
      </button>
      <button
        className="icon"
        aria-label={t('Undo')}
        title={history?.undo ? t('Undo: {{what}}', { what: shown(history.undo) }) : t('Nothing to undo')}
        disabled={!history?.undo && !history?.elsewhere}
        onClick={() => void undo('undo')}
      >
        <Undo2 size={14} />
      </button>
      <button
        className="icon"
        aria-label={t('Redo')}
        title={history?.redo ? t('Redo: {{what}}', { what: shown(history.redo) }) : t('Nothing to redo')}
        disabled={!history?.redo}
        onClick={() => void undo('redo')}
      >
        <Redo2 size={14} />
      </button>
    </footer>
  )
}

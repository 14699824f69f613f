import { Cpu, ListChecks, Redo2, ShieldCheck, TriangleAlert, Undo2 } from 'lucide-react'
import { about, percent, plural } from '../format.ts'
import { undo, useHistory, useQueue, useStatus } from '../queries.ts'
import { useUi } from '../store.ts'

export function StatusBar() {
  const { data: status } = useStatus()
  const { data: queue } = useQueue()
  const { data: history } = useHistory()
  const open = useUi((ui) => ui.open)
  const amber = status?.engine.fallback === true || status?.ffmpegProblem != null
  const active = queue?.jobs.filter(({ state }) => state === 'running' || state === 'queued') ?? []
  const running = active.find(({ state }) => state === 'running')
  const waiting = (queue?.waiting ?? 0) + (queue?.running ?? 0)
  return (
    <footer className="statusbar">
      <button className="quiet" data-amber={amber} onClick={() => open('engine')}>
        {amber ? <TriangleAlert size={13} aria-hidden /> : <Cpu size={13} aria-hidden />}
        {status?.ffmpegProblem?.message ?? status?.engine.sentence ?? 'Starting…'}
      </button>
      <span className="muted secure"><ShieldCheck size={13} aria-hidden />Nothing leaves this computer</span>
      <span className="grow" />
      <button className="quiet" onClick={() => open('queue')} title="Show the queue">
        <ListChecks size={13} aria-hidden />
        <span role="status" className="num">
          {waiting === 0
            ? queue && queue.finished > 0 ? 'All done' : 'Nothing to do'
            : `${running ? `${running.title} · ${percent(running.progress)}` : 'Starting'} · ${plural(waiting, 'job')} left${queue?.etaSeconds != null ? ` · ${about(queue.etaSeconds)}` : ''}`}
        </span>
        {running && <progress value={running.progress} aria-hidden />}
      </button>
      <button className="icon" aria-label="Undo" title={history?.undo ? `Undo: ${history.undo}` : 'Nothing to undo'} disabled={!history?.undo} onClick={() => void undo('undo')}><Undo2 size={14} /></button>
      <button className="icon" aria-label="Redo" title={history?.redo ? `Redo: ${history.redo}` : 'Nothing to redo'} disabled={!history?.redo} onClick={() => void undo('redo')}><Redo2 size={14} /></button>
    </footer>
  )
}

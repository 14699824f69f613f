import { shown } from '../i18n.ts'
import { useStatus } from '../queries.ts'
import { Dialog } from './Dialog.tsx'
import { ProblemCard } from './ProblemCard.tsx'

/** Where it runs, with what, and how good that is: the pack's own measured scores and nothing else. */
export function EngineDialog() {
  const { data: status } = useStatus()
  const pack = status?.pack
  return (
    <Dialog title="Engine and model" wide>
      <p>{status && shown(status.engine.sentence)}</p>
      {status?.engine.problem && <ProblemCard problem={status.engine.problem} />}
      {status?.ffmpegProblem && <ProblemCard problem={status.ffmpegProblem} />}
      {pack && (
        <>
          <h3>{pack.name} {pack.version}</h3>
          <p>{pack.description}</p>
          {pack.scores.length === 0 ? <p className="muted">This pack has not been measured yet, so nothing is promised for it.</p> : <table>
            <caption className="muted">Measured, not promised</caption>
            <thead><tr><th>Task</th><th>Measure</th><th>Score</th><th>On</th></tr></thead>
            <tbody>
              {pack.scores.map(({ task, metric, value, n, on, date }) => (
                <tr key={`${task} ${metric} ${on}`}><td>{task}</td><td>{metric}</td><td className="num">{value.toFixed(3)}</td><td className="muted">{n} × {on}, {date}</td></tr>
              ))}
            </tbody>
          </table>}
          <p className="muted small">Licence {pack.licence}. Learnt from {pack.data.map(({ name, licence }) => `${name} (${licence})`).join(', ')}.</p>
        </>
      )}
      <dl className="facts">
        <dt>ffmpeg</dt><dd>{status?.ffmpeg ? `${status.ffmpeg.version} · ${status.ffmpeg.path}` : 'not found'}</dd>
        <dt>Library</dt><dd className="mono">{status?.projectPath}</dd>
        <dt>Tubelet</dt><dd>{status?.version}</dd>
      </dl>
    </Dialog>
  )
}

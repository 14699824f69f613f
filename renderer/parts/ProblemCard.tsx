import { CircleAlert, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { inEnglish, type Problem } from '../../app/errors.ts'
import { english } from '../../app/phrase.ts'
import { t, told } from '../i18n.ts'
import { queryClient, statusQuery } from '../cache.ts'
import { toast } from '../toast.ts'

/**
 * What happened, to which file, what still works, one next step; the rest is folded. A warning stays above the thing it is about, so it is
 * short.
 */
export function ProblemCard({ problem, warning = false, children }: { problem: Problem; warning?: boolean; children?: ReactNode }) {
  const { file, details, code } = problem
  const { message, next, stillWorks } = told(problem)
  // A person who looks for a file wants to know where it was.
  const placed = !warning || code === 'file-missing' || code === 'file-replaced'
  const Icon = warning ? TriangleAlert : CircleAlert
  const status = queryClient.getQueryData(statusQuery.queryKey)
  // A report may be sent to strangers: file names suffice, and folders reveal who the person is.
  const report = [
    `Tubelet ${status?.version ?? ''}: ${inEnglish(problem).message}`,
    `code: ${code}`,
    `engine: ${status ? english(status.engine.sentence) : 'unknown'}`,
    details ?? '',
  ].join('\n')
  const shareable = file === undefined ? report : report.replaceAll(file, file.replace(/^.*[\\/]/, ''))
  return (
    <section className={warning ? 'problem warning' : 'problem'} role="alert">
      <Icon size={18} aria-hidden />
      <div>
        <h3>{message}</h3>
        {file !== undefined && placed && <p className="mono">{file}</p>}
        {next !== undefined && <p>{next}</p>}
        {stillWorks !== undefined && <p className="muted">{stillWorks}</p>}
        <div className="row">
          {children}
          <button className="quiet" onClick={() => void navigator.clipboard.writeText(shareable).then(() => toast(t('Report copied')))}>
            {t('Copy report')}
          </button>
        </div>
        {(details !== undefined || (!placed && file !== undefined)) && (
          <details>
            <summary>{t('Details')}</summary>
            {!placed && <p className="mono">{file}</p>}
            {details !== undefined && <pre>{details}</pre>}
          </details>
        )}
      </div>
    </section>
  )
}

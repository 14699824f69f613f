import { Component, type ErrorInfo, type ReactNode } from 'react'
import { problemOf, type Problem } from '../../app/errors.ts'
import { phrase, t } from '../i18n.ts'
import { ProblemCard } from '../parts/ProblemCard.tsx'

/** Shows a fault in the window instead of a blank page; the library is not affected. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { problem: Problem | null }> {
  override state: { problem: Problem | null } = { problem: null }

  static getDerivedStateFromError(error: unknown): { problem: Problem } {
    return { problem: problemOf(error) }
  }

  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    console.error(error, info.componentStack)
  }

  override render(): ReactNode {
    const { problem } = this.state
    if (problem === null) return this.props.children
    return (
      <div className="crash">
        <ProblemCard
          problem={{ ...problem, message: phrase('The window ran into a fault.'), next: phrase('Reload the window; nothing is lost.') }}
        />
        <button className="primary" onClick={() => location.reload()}>
          {t('Reload')}
        </button>
      </div>
    )
  }
}

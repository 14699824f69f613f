import { Download } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { t } from '../i18n.ts'
import { framed, save } from './picture.ts'

/** A chart with its title, its export as a file, and its numbers as a table. */
export function Card({
  title,
  counts,
  name,
  actions,
  chart,
  children,
}: {
  title: string
  counts: string
  name: string
  actions?: ReactNode
  chart: () => { content: string; width: number; height: number } | null
  children: ReactNode
}) {
  const keep = (as: 'svg' | 'png') => () => {
    const drawn = chart()
    if (drawn) void save(name, framed({ title, counts, ...drawn }), as)
  }
  return (
    <section className="chart-card" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <span className="muted small num">{counts}</span>
        <span className="grow" />
        {actions}
        <span className="row tight save-as" role="group" aria-label={t('Save {{title}} as a picture', { title })}>
          <Download size={13} aria-hidden />
          <button className="quiet small" onClick={keep('png')}>
            PNG
          </button>
          <button className="quiet small" onClick={keep('svg')}>
            SVG
          </button>
        </span>
      </header>
      {children}
    </section>
  )
}

/** The same numbers for people who read or hear them. */
export function DataTable({ head, rows }: { head: readonly string[]; rows: () => readonly (readonly ReactNode[])[] }): ReactNode {
  // The rows are only computed once the table is open.
  const [open, setOpen] = useState(false)
  return (
    <details className="data" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className="small muted">{t('As a table')}</summary>
      <div className="data-scroll" tabIndex={0} role="region" aria-label={t('As a table')}>
        <table>
          <thead>
            <tr>
              {head.map((cell) => (
                <th key={cell} scope="col">
                  {cell}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {open &&
              rows().map((row, at) => (
                <tr key={at}>
                  {row.map((cell, column) =>
                    column === 0 ? (
                      <th key={column} scope="row">
                        {cell}
                      </th>
                    ) : (
                      <td key={column} className="num">
                        {cell}
                      </td>
                    ),
                  )}
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}

import { Bookmark, ChevronDown, Columns3, Trash2 } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import type { TableSpec, View } from '../../app/contract/table.ts'
import { START, withColumn } from '../../app/table/spec.ts'
import { call } from '../api.ts'
import { t } from '../i18n.ts'
import { queryClient } from '../cache.ts'
import { tell, toast } from '../toast.ts'
import { Popover } from './Popover.tsx'
import { useTable } from './state.ts'
import type { Heading } from './titles.ts'

const stored = () => queryClient.invalidateQueries({ queryKey: ['table'] })

/** Saved views: appearances of the table, stored in the library under a name. */
export function Views({ spec, views }: { spec: TableSpec; views: readonly View[] }) {
  const [at, setAt] = useState<DOMRect | null>(null)
  const change = useTable((table) => table.change)
  const text = JSON.stringify(spec)
  const now = views.find((view) => JSON.stringify(view.spec) === text)
  const save = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const field = event.currentTarget.elements.namedItem('name')
    const name = field instanceof HTMLInputElement ? field.value.trim() : ''
    if (name === '') return
    setAt(null)
    try {
      await call('saveView', { body: { name, spec } })
      await stored()
      toast(t('View “{{name}}” saved', { name }), { id: 'table' })
    } catch (error) {
      tell(error)
    }
  }
  const use = (view: TableSpec) => () => {
    setAt(null)
    change(view)
  }
  return (
    <>
      <button aria-haspopup="dialog" onClick={(event) => setAt(event.currentTarget.getBoundingClientRect())}>
        <Bookmark size={15} aria-hidden />
        <span className="view-name">{now?.name ?? t('Views')}</span>
        <ChevronDown size={13} aria-hidden />
      </button>
      {at && (
        <Popover at={at} label={t('Views')} onClose={() => setAt(null)}>
          <div className="menu">
            <button
              onClick={use({
                ...START,
                columns: [
                  ...START.columns,
                  ...spec.columns.filter(({ key }) => key.startsWith('q')).map((column) => ({ ...column, hidden: false, pinned: false })),
                ],
              })}
            >
              {t('Everything, as it came')}
            </button>
            {views.map((view) => (
              <span key={view.id} className="row menu-pair">
                <button className="grow" aria-pressed={view === now} onClick={use(view.spec)}>
                  {view.name}
                </button>
                <button
                  className="icon"
                  aria-label={t('Forget view {{name}}', { name: view.name })}
                  onClick={() =>
                    void call('removeView', { params: { viewId: view.id } })
                      .then(stored)
                      .catch(tell)
                  }
                >
                  <Trash2 size={14} />
                </button>
              </span>
            ))}
          </div>
          <form className="row view-form" onSubmit={(event) => void save(event)}>
            <input
              name="name"
              aria-label={t('Name of the view')}
              placeholder={t('Save this view as…')}
              maxLength={80}
              defaultValue={now?.name ?? ''}
            />
            <button className="primary">{t('Save')}</button>
          </form>
        </Popover>
      )}
    </>
  )
}

/** Which columns are shown. */
export function ColumnsMenu({ spec, headings }: { spec: TableSpec; headings: readonly Heading[] }) {
  const [at, setAt] = useState<DOMRect | null>(null)
  const change = useTable((table) => table.change)
  const hidden = spec.columns.filter((column) => column.hidden).length
  return (
    <>
      <button
        aria-haspopup="dialog"
        title={t('Show and hide columns')}
        onClick={(event) => setAt(event.currentTarget.getBoundingClientRect())}
      >
        <Columns3 size={15} aria-hidden />
        <span className="wide-only">{t('Columns')}</span>
        {hidden > 0 && <span className="chip num">{t('{{count}} hidden', { count: hidden })}</span>}
      </button>
      {at && (
        <Popover at={at} label={t('Columns')} onClose={() => setAt(null)}>
          <ul className="checks tall">
            {headings.map(({ key, title }) => {
              const column = spec.columns.find((one) => one.key === key)
              return (
                <li key={key}>
                  <label>
                    <input
                      type="checkbox"
                      checked={column?.hidden === false}
                      disabled={column?.hidden === false && hidden === spec.columns.length - 1}
                      onChange={(event) => change(withColumn(spec, key, { hidden: !event.target.checked }))}
                    />
                    <span>{title}</span>
                  </label>
                </li>
              )
            })}
          </ul>
        </Popover>
      )}
    </>
  )
}

import { useEffect, useRef } from 'react'
import { t } from '../i18n.ts'
import { useTable, type Writing } from './state.ts'
import { useActions } from './actions.ts'

/** Edits a cell: Enter saves and goes down, Tab saves and goes on, Escape restores. Alt+Enter starts a new line. */
export function CellEditor({ writing, label }: { writing: Writing; label: string }) {
  const ref = useRef<HTMLTextAreaElement>(null)
  const { commit, commitAtLast } = useActions()
  const write = useTable((table) => table.write)
  const edit = (text: string) => write({ ...writing, text })
  useEffect(() => {
    const field = ref.current
    field?.focus()
    field?.setSelectionRange(field.value.length, field.value.length)
  }, [])
  // A reload leaves the field without a blur.
  useEffect(() => {
    addEventListener('pagehide', commitAtLast)
    return () => removeEventListener('pagehide', commitAtLast)
  }, [commitAtLast])
  return (
    <textarea
      ref={ref}
      className="cell-editor"
      aria-label={t('Change {{column}}', { column: label })}
      value={writing.text}
      rows={1}
      maxLength={10_000}
      onChange={(event) => edit(event.target.value)}
      onBlur={() => commit(null, false)}
      onPaste={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        event.stopPropagation()
        if (event.key === 'Escape') {
          const grid = event.currentTarget.closest<HTMLElement>('[role=grid]')
          write(null)
          grid?.focus()
        } else if (event.key === 'Tab') commit('across', event.shiftKey)
        else if (event.key === 'Enter' && event.altKey) {
          const field = event.currentTarget
          field.setRangeText('\n', field.selectionStart, field.selectionEnd, 'end')
          edit(field.value)
        } else if (event.key === 'Enter') commit('down', event.shiftKey)
        else return
        event.preventDefault()
      }}
    />
  )
}

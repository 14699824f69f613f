import { useEffect, useRef } from 'react'
import { t } from '../i18n.ts'
import { useTable } from './state.ts'
import { useActions } from './actions.ts'

/** Edits a cell: Enter saves and goes down, Tab saves and goes on, Escape restores. Alt+Enter starts a new line. */
export function CellEditor({ text, label }: { text: string; label: string }) {
  const ref = useRef<HTMLTextAreaElement>(null)
  const { commit } = useActions()
  const edit = useTable((table) => table.edit)
  useEffect(() => {
    const field = ref.current
    field?.focus()
    field?.setSelectionRange(field.value.length, field.value.length)
  }, [])
  return (
    <textarea
      ref={ref}
      className="cell-editor"
      aria-label={t('Change {{column}}', { column: label })}
      value={text}
      rows={1}
      maxLength={10_000}
      onChange={(event) => edit(event.target.value)}
      onBlur={() => commit(null, false)}
      onPaste={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        event.stopPropagation()
        if (event.key === 'Escape') {
          const grid = event.currentTarget.closest<HTMLElement>('[role=grid]')
          edit(null)
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

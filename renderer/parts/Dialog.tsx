import { X } from 'lucide-react'
import { type ReactNode, useEffect, useRef } from 'react'
import { t } from '../i18n.ts'
import { useUi } from '../store.ts'

/** A modal dialog: the browser's own, which keeps focus inside and closes on Escape. */
export function Dialog({ title, wide = false, children }: { title: string; wide?: boolean; children: ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null)
  const open = useUi((ui) => ui.open)
  useEffect(() => {
    const { current } = ref
    current?.showModal()
    // The focus begins in the body; only a dialog without controls leaves it on the close button.
    current?.querySelector<HTMLElement>('.dialog-body :is(input, button, a)')?.focus()
    return () => current?.close()
  }, [])
  return (
    <dialog
      ref={ref}
      className={wide ? 'dialog wide' : 'dialog'}
      aria-label={title}
      onClose={() => open(null)}
      onClick={(event) => event.target === ref.current && open(null)}
    >
      <header>
        <h2>{title}</h2>
        <button className="icon" aria-label={t('Close')} onClick={() => open(null)}>
          <X size={16} />
        </button>
      </header>
      <div className="dialog-body">{children}</div>
    </dialog>
  )
}

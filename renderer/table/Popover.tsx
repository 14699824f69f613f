import { type ReactNode, useEffect, useRef } from 'react'

/**
 * A panel beside the element that opened it: the browser's own popover, which closes on Escape and on a click elsewhere, and returns the
 * focus.
 */
export function Popover({ at, label, onClose, children }: { at: DOMRect; label: string; onClose: () => void; children: ReactNode }) {
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const panel = ref.current
    const before = document.activeElement
    if (panel === null) return
    panel.showPopover()
    const { width, height } = panel.getBoundingClientRect()
    panel.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`
    panel.style.top = `${at.bottom + 4 + height > innerHeight - 8 ? Math.max(8, at.top - height - 4) : at.bottom + 4}px`
    ;(panel.querySelector<HTMLElement>('[autofocus]') ?? panel.querySelector<HTMLElement>('input, button'))?.focus()
    return () => {
      if (before instanceof HTMLElement && (document.activeElement === document.body || panel.contains(document.activeElement)))
        before.focus()
    }
  }, [at])
  return (
    <div
      ref={ref}
      className="popover"
      popover="auto"
      role="dialog"
      aria-label={label}
      onToggle={(event) => event.newState === 'closed' && onClose()}
      // Keys typed here must not trigger actions of the table or the window.
      onKeyDown={(event) => event.stopPropagation()}
      onPaste={(event) => event.stopPropagation()}
    >
      {children}
    </div>
  )
}

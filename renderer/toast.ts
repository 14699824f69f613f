/**
 * Notices, one at a time in each place (`id`): a new one replaces the one before. Each gets an id of its own in sonner, since a notice that
 * reuses the id of one that is fading out disappears with it, unseen.
 */
import { type ExternalToast, toast as sonner } from 'sonner'
import { problemOf } from '../app/errors.ts'
import { told } from './i18n.ts'

export type Notice = Omit<ExternalToast, 'id'> & { id?: string }
const last = new Map<string, string | number>()

function placed(show: (text: string, options: ExternalToast) => string | number) {
  return (text: string, { id, ...options }: Notice = {}): string | number => {
    const shown = show(text, options)
    if (id === undefined) return shown
    const before = last.get(id)
    if (before !== undefined) sonner.dismiss(before)
    last.set(id, shown)
    return shown
  }
}

export const toast = Object.assign(placed(sonner), {
  success: placed(sonner.success),
  info: placed(sonner.info),
  warning: placed(sonner.warning),
  error: placed(sonner.error),
})

/** Close the notice of this id, which is about what is not on the screen any more. */
export function close(id: string): void {
  const shown = last.get(id)
  if (shown !== undefined) sonner.dismiss(shown)
}

/** Show why an action failed where people look; the reason stays until it is closed. */
export function tell(error: unknown): void {
  const problem = problemOf(error)
  const { message, next } = told(problem)
  toast.error(message, { description: [problem.file, next].filter(Boolean).join(' · '), duration: 12_000 })
}

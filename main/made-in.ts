/** Which window a call comes from, wherever it leads: a step of undo knows who made it. */
import { AsyncLocalStorage } from 'node:async_hooks'

const window = new AsyncLocalStorage<string | null>()
/** Windows that are open now, with how many times each listens. */
const open = new Map<string, number>()

/** Run what the window of that name asked for; null is another program. */
export function madeIn<T>(name: string | null, work: () => T): T {
  return window.run(name, work)
}

/** The window that asks; null where it is another program, or nobody. */
export function windowOf(): string | null {
  return window.getStore() ?? null
}

/** The window that asks is open until the returned function is called. */
export function windowOpened(): () => void {
  const name = windowOf()
  if (name === null) return () => undefined
  open.set(name, (open.get(name) ?? 0) + 1)
  return () => {
    const left = (open.get(name) ?? 1) - 1
    if (left > 0) open.set(name, left)
    else open.delete(name)
  }
}

/** Whether there is such a window now. */
export function isOpen(name: unknown): boolean {
  return typeof name === 'string' && open.has(name)
}

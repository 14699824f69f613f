/** Tracks which window a call comes from, through all its asynchronous work, so that a step of undo knows who made it. */
import { AsyncLocalStorage } from 'node:async_hooks'

const window = new AsyncLocalStorage<string | null>()
/** Open windows, with the number of event streams that each has. */
const open = new Map<string, number>()

/** Run what a window asked for. @param name The window's; null for another program. */
export function madeIn<T>(name: string | null, work: () => T): T {
  return window.run(name, work)
}

/** The window that made the current call; null for another program or none. */
export function windowOf(): string | null {
  return window.getStore() ?? null
}

/** Counts the calling window as open until the returned function is called. */
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

/** Whether a window of this name is open. */
export function isOpen(name: unknown): boolean {
  return typeof name === 'string' && open.has(name)
}

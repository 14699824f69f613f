/** Tracks which window or token a call comes from, through all its asynchronous work, so that a step of undo knows who made it. */
import { AsyncLocalStorage } from 'node:async_hooks'

const caller = new AsyncLocalStorage<{ window: string | null; byToken: boolean }>()
/** Open windows, with the number of event streams that each has. */
const open = new Map<string, number>()

/** Run what was asked for. @param name The window's; null for another program. @param byToken Whether that program has a token, and not the key. */
export function madeIn<T>(name: string | null, work: () => T, byToken = false): T {
  return caller.run({ window: name, byToken }, work)
}

/** Whether the current call came with a token: it must not reach beyond the library. */
export function isByToken(): boolean {
  return caller.getStore()?.byToken ?? false
}

/** The window that made the current call; null for another program or none. */
export function windowOf(): string | null {
  return caller.getStore()?.window ?? null
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

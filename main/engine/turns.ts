/** Work on one engine, side by side or alone: if the engine dies under work that is alone, that work is why. */

export class Turns {
  /** How much work runs side by side. */
  #beside = 0
  #quiet = Promise.withResolvers<undefined>()
  /** Resolves when the work that is alone has ended. */
  #alone: Promise<unknown> | null = null

  /** Run work beside other work. @throws What `work` throws; the signal's reason if it is aborted first. */
  async beside<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    while (this.#alone !== null) await unlessAborted(this.#alone, signal)
    this.#beside += 1
    try {
      return await work()
    } finally {
      this.#beside -= 1
      if (this.#beside === 0) {
        this.#quiet.resolve(undefined)
        this.#quiet = Promise.withResolvers()
      }
    }
  }

  /** Run work once nothing else runs; other work waits until it has ended. @throws As `beside` does. */
  async alone<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    while (this.#alone !== null) await unlessAborted(this.#alone, signal)
    const done = Promise.withResolvers<undefined>()
    this.#alone = done.promise
    try {
      if (this.#beside > 0) await unlessAborted(this.#quiet.promise, signal)
      return await work()
    } finally {
      this.#alone = null
      done.resolve(undefined)
    }
  }
}

/** @throws The signal's reason when that is aborted first. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  const { promise: outcome, resolve, reject } = Promise.withResolvers<T>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  return outcome
}

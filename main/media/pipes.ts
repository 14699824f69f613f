/** Reading the pipes of a tool without new memory for every piece. */
import { Socket, type SocketConstructorOpts } from 'node:net'
import type { Readable } from 'node:stream'

/** What the system holds of a pipe at most comes in a few pieces of this size. */
const PIECE = 2 ** 16

/**
 * Reads a pipe of a child process to its end. Node would allocate memory for each piece, tens of thousands for a minute of video, and searches its whole heap again and again
 * to free it; so the pipe's handle goes to a socket of ours that reads into one and the same memory (`onread`, which `spawn` cannot be asked for).
 *
 * @param take Gets each piece, whose memory the next one overwrites.
 * @returns What pauses, resumes and destroys the reading, and a promise that resolves when the pipe is closed: the child counts as closed before.
 */
export function readPipe(
  pipe: Readable,
  take: (piece: Uint8Array) => void,
): { reading: Pick<Readable, 'pause' | 'resume' | 'destroy'>; closed: Promise<undefined> } {
  const { promise: closed, resolve } = Promise.withResolvers<undefined>()
  const holder = pipe as Readable & { _handle?: object | null }
  const { _handle: handle } = holder
  let reading = pipe
  if (handle !== undefined && handle !== null) {
    // Without a handle, the child's own stream ends at once.
    holder._handle = null
    pipe.destroy()
    const memory = new Uint8Array(PIECE)
    const callback = (bytes: number) => {
      take(memory.subarray(0, bytes))
      return true
    }
    // The types leave out `handle`.
    reading = new Socket({ handle, onread: { buffer: memory, callback } } as SocketConstructorOpts)
  } else pipe.on('data', take)
  // What is missing then, the exit of the child tells.
  reading.on('error', () => undefined)
  reading.once('close', () => resolve(undefined))
  reading.resume()
  return { reading, closed }
}

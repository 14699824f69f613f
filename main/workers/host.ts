/** The host of a library, as a worker reaches it: REST with a token, asked again over lost connections. */
import { createReadStream, createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout } from 'node:timers/promises'
import { contract, type CallArgs, type RouteName, type RouteOutput } from '../../app/contract.ts'
import type { RouteSpec } from '../../app/contract/route.ts'
import { Problem, TubeletError } from '../../app/errors.ts'

/** Pauses between tries while the host cannot be reached: it may be being started anew. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [200, 5_000]
/** A video is read in parts of so many bytes: what is cut off is asked for again from there. */
const PART = 32 * 2 ** 20

type JsonRoute = { [N in RouteName]: RouteOutput<N> extends undefined ? never : N }[RouteName]

export class Host {
  readonly url: string
  readonly #headers: Record<string, string>

  constructor(url: string, token: string) {
    if (!URL.canParse(url) || !['http:', 'https:'].includes(new URL(url).protocol))
      throw new TubeletError({
        code: 'bad-request',
        message: '“{{url}}” is no address of a library.',
        values: { url },
        next: 'Write the address that “tubelet serve” prints for workers, such as http://10.0.0.5:7700.',
      })
    this.url = url.replace(/\/+$/, '')
    this.#headers = { authorization: `Bearer ${token}` }
  }

  /**
   * Call a route; while the host cannot be reached, it is tried again until `signal` aborts.
   * @throws TubeletError The problem that the host names; `internal` where something else answers. The signal's reason.
   */
  async call<N extends JsonRoute>(name: N, args: CallArgs<N>, signal: AbortSignal): Promise<RouteOutput<N>> {
    const spec: RouteSpec = contract[name]
    const { body, ...rest } = args as { body?: unknown; params?: Record<string, string> }
    const answer = await this.#asked(name, rest.params ?? {}, signal, () => ({
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    }))
    const read = spec.output?.safeParse(await answer.json())
    if (read?.success !== true) throw strange(this.url)
    return read.data as RouteOutput<N>
  }

  /** Send a file. @throws as `call`. */
  async send(name: 'deliverWork', params: { claim: string }, file: string, signal: AbortSignal): Promise<void> {
    const { size } = await stat(file)
    await this.#asked(name, params, signal, () => ({
      body: Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>,
      duplex: 'half',
      headers: { 'content-length': String(size), 'content-type': 'application/octet-stream' },
    }))
  }

  /** Fetch bytes into a new file, part by part. @param bytes How many there are. @throws as `call`; `file-unreadable` where there are others. */
  async fetch(
    name: 'workMedia' | 'workPackFile',
    params: Record<string, string>,
    bytes: number,
    file: string,
    signal: AbortSignal,
  ): Promise<void> {
    await rm(file, { force: true })
    let at = 0
    do {
      const answer = await this.#asked(name, params, signal, () => ({ headers: { range: `bytes=${at}-${at + PART - 1}` } }))
      if (answer.status === 200 && at > 0) throw strange(this.url)
      try {
        await pipeline(answer.body ?? [], createWriteStream(file, { flags: 'a' }), { signal })
      } catch {
        // Cut off: what came counts.
        signal.throwIfAborted()
        await setTimeout(FIRST_PAUSE_MS, undefined, { signal })
      }
      const before = at
      at = (await stat(file)).size
      if (at > bytes || (at === before && at < bytes && answer.status === 200)) throw strange(this.url)
    } while (at < bytes)
  }

  async #asked(
    name: RouteName,
    params: Record<string, string>,
    signal: AbortSignal,
    make: () => Omit<RequestInit, 'headers'> & { headers?: Record<string, string>; duplex?: 'half' },
  ): Promise<Response> {
    const spec: RouteSpec = contract[name]
    const url = `${this.url}${spec.path.replaceAll(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(params[key] ?? ''))}`
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, 2 * pause)) {
      const { headers, ...more } = make()
      const all = new Headers({ ...headers, ...this.#headers })
      try {
        const answer = await fetch(url, { method: spec.method.toUpperCase(), ...more, headers: all, signal })
        if (answer.ok) return answer
        const error = await refusal(answer, this.url)
        if (error !== null) throw error
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof TubeletError) throw error
      }
      await setTimeout(pause, undefined, { signal })
    }
  }
}

/** Why the host refuses; null where a proxy before it says that it cannot be reached. */
async function refusal(answer: Response, url: string): Promise<TubeletError | null> {
  const text = await answer.text()
  try {
    const { phrase } = JSON.parse(text) as { phrase?: unknown }
    return new TubeletError(Problem.parse(phrase))
  } catch {
    if ([502, 503, 504].includes(answer.status)) return null
    if (answer.status === 403) return new TubeletError({ code: 'forbidden', message: text.trim() || 'The host answers no workers.' })
    return strange(url)
  }
}

function strange(url: string): TubeletError {
  return new TubeletError({
    code: 'internal',
    message: 'What answers at {{url}} is not a library of this version of Tubelet.',
    values: { url },
    next: 'Check the address, and whether a proxy lies between.',
  })
}

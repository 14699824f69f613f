/** The contract's calls, typed by it: the window's only way to the backend. */
import { type CallArgs, contract, type RouteEvent, type RouteName, type RouteOutput } from '../app/contract.ts'
import { WINDOW } from '../app/contract/route.ts'
import { type Problem, TubeletError } from '../app/errors.ts'

/** This page's window id. A second window and a reloaded page get other ids. */
const OWN = { [WINDOW]: crypto.randomUUID() }

interface AnyArgs {
  params?: Record<string, unknown>
  query?: Record<string, unknown>
  body?: unknown
}
/** Routes without input are called without arguments. */
type Args<N extends RouteName> = keyof CallArgs<N> extends never ? [] : [CallArgs<N>]

/** The address of a route, for `<img>` and `<video>` too. */
export function urlOf<N extends RouteName>(name: N, ...[args]: Args<N>): string {
  const { params = {}, query = {} } = (args ?? {}) as AnyArgs
  const path = contract[name].path.replaceAll(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(String(params[key])))
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value as string | number)]])),
  )
  return search.size > 0 ? `${path}?${search}` : path
}

async function send<N extends RouteName>(
  name: N,
  args: Args<N>,
  options: Pick<RequestInit, 'signal' | 'keepalive' | 'body'> = {},
): Promise<Response> {
  const { body } = (args[0] ?? {}) as AnyArgs
  const init: RequestInit = { method: contract[name].method.toUpperCase(), headers: OWN, ...options }
  if (body !== undefined) Object.assign(init, { body: JSON.stringify(body), headers: { ...OWN, 'content-type': 'application/json' } })
  const response = await fetch(urlOf(name, ...args), init).catch((cause: unknown) => {
    if (options.signal?.aborted) throw cause
    throw new TubeletError(
      {
        code: 'engine-unavailable',
        message: 'Tubelet does not answer.',
        stillWorks: 'Everything shown as done is saved.',
        next: 'Start Tubelet again.',
      },
      { cause },
    )
  })
  if (response.ok) return response
  // A phrase can be translated; a server in front of the backend sends only a sentence.
  const { phrase, problem } = (await response.json().catch(() => ({}))) as { phrase?: Problem; problem?: Problem }
  throw new TubeletError(
    phrase ??
      problem ?? { code: 'internal', message: 'The call failed ({{status}}).', values: { status: response.status }, next: 'Try again.' },
  )
}

/** @throws TubeletError with the backend's problem. */
export async function call<N extends RouteName>(name: N, ...args: Args<N>): Promise<RouteOutput<N>> {
  return (await (await send(name, args)).json()) as RouteOutput<N>
}

/**
 * A call whose body is bytes; a file's bytes are read while they are sent.
 * @throws TubeletError with the backend's problem.
 */
export async function sendBytes<N extends RouteName>(name: N, args: CallArgs<N>, bytes: Blob): Promise<RouteOutput<N>> {
  return (await (await send(name, [args] as unknown as Args<N>, { body: bytes })).json()) as RouteOutput<N>
}

/** A call of at most 64 KiB that is made even while the window closes; its answer is ignored. */
export function callAtLast<N extends RouteName>(name: N, ...args: Args<N>): void {
  void send(name, args, { keepalive: true }).catch(() => undefined)
}

/** Events of a streaming route, until it ends or `signal` aborts. @param opened Called when the backend has begun to send. */
export async function* stream<N extends RouteName>(
  name: N,
  { signal, opened }: { signal: AbortSignal; opened?: () => void },
  ...args: Args<N>
): AsyncGenerator<RouteEvent<N>> {
  const { body } = await send(name, args, { signal })
  opened?.()
  if (body === null) return
  const parse = eventParser()
  for await (const chunk of body.pipeThrough(new TextDecoderStream()))
    for (const data of parse(chunk)) yield JSON.parse(data) as RouteEvent<N>
}

/**
 * Parses server-sent events as chunks arrive (WHATWG HTML, 9.2.6): returns the data of each event that a chunk completes. Comments are
 * dropped.
 */
export function eventParser(): (chunk: string) => string[] {
  let rest = ''
  return (chunk) => {
    const blocks = (rest + chunk).replaceAll('\r\n', '\n').split('\n\n')
    rest = blocks.pop() ?? ''
    return blocks.flatMap((block) => {
      const data = block
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).replace(/^ /, ''))
      return data.length > 0 ? [data.join('\n')] : []
    })
  }
}

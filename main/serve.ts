/** The web host: serves the handler on the loopback address to programs that have the key of this start or a token, and to browsers that were let in. */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { ServerType } from '@hono/node-server'
import { z } from 'zod'
import { hasCode, TubeletError } from '../app/errors.ts'
import type { Scope } from '../app/contract/access.ts'
import type { Handle } from './backend.ts'
import { Codes, same } from './invitation.ts'

const HOST = '127.0.0.1'
const COOKIE = 'tubelet'

export interface Served {
  url: string
  /** What programs send as `Authorization: Bearer`. */
  key: string
  close: () => Promise<void>
}

interface Guard {
  key: string
  scopeOf: (token: string) => Scope | null
  /** What a browser's cookie holds, so that the key itself is in no browser. */
  pass: string
  codes: Codes
  /**
   * The host name under which a browser opens this library; browsers resolve every name under `localhost` to this machine (RFC 6761, 6.3). A cookie
   * belongs to a name and not to a port, so with its own name the key is not sent to other programs that listen on this machine.
   */
  site: string
}

/** The name and port of earlier starts, which are used again because a browser stores theme, language and shortcuts under them. */
const Address = z.object({ site: z.string().regex(/^[0-9a-f]{20}\.localhost$/), port: z.int().min(1).max(65535) })

interface ServeOptions {
  handle: Handle
  /** What a token allows; null for one that is not, or no longer, good. */
  scopeOf?: (token: string) => Scope | null
  /** The port to use. If it is not given: that of the last start if it is free, else any. */
  port?: number
  /** The file that stores the address of the last start. */
  memory?: string
  /** The key, where a program that starts Tubelet has chosen it; else a new one. */
  key?: string
}

/**
 * Any local program can connect to a port, and any web page can send requests to it: only requests with the key or the cookie, to our own name, are
 * answered.
 *
 * @throws TubeletError `conflict` or `forbidden` if the given port, or any port at all, cannot be opened.
 */
export async function serve({
  handle,
  scopeOf = () => null,
  port,
  memory,
  key = randomBytes(24).toString('base64url'),
}: ServeOptions): Promise<Served> {
  const last = memory === undefined ? null : lastAddress(memory)
  const guard: Guard = {
    key,
    scopeOf,
    pass: randomBytes(24).toString('base64url'),
    codes: new Codes(key),
    site: last?.site ?? `${randomBytes(10).toString('hex')}.localhost`,
  }
  const server: ServerType = createAdaptorServer({ fetch: (request: Request) => guarded(request, guard, handle), hostname: HOST })
  const listen = (at: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(at, HOST, () => {
        server.off('error', reject)
        resolve()
      })
    })
  try {
    if (port !== undefined || last === null) await listen(port ?? 0)
    else await listen(last.port).catch(() => listen(0))
  } catch (error) {
    throw noPort(error, port)
  }
  const { port: bound } = server.address() as AddressInfo
  if (memory !== undefined && last === null) keepAddress(memory, { site: guard.site, port: bound })
  return {
    url: `http://${HOST}:${bound}`,
    key,
    close: () => closed(server),
  }
}

/**
 * Serves what workers on other machines ask for on an address that they reach, and nothing else: every request needs a token of scope `work`.
 * @param address HOST:PORT. @throws TubeletError `bad-request` for what is no address; `conflict` or `forbidden` if it cannot be opened.
 */
export async function serveWorkers({
  handle,
  scopeOf,
  address,
}: Required<Pick<ServeOptions, 'handle' | 'scopeOf'>> & { address: string }): Promise<Pick<Served, 'url' | 'close'>> {
  const [, host = '', port = ''] = /^(?:\[?([^\]]+?)\]?:)?(\d{1,5})$/.exec(address) ?? []
  if (port === '' || Number(port) > 65_535)
    throw new TubeletError({
      code: 'bad-request',
      message: '“{{address}}” is no address to listen on.',
      values: { address },
      next: 'Write HOST:PORT with an address of this machine, such as 10.0.0.5:7700, or 0.0.0.0:7700 for all of them.',
    })
  const answer = (request: Request): Promise<Response> | Response => {
    const bearer = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1]
    if (bearer === undefined || scopeOf(bearer) !== 'work' || request.headers.has('origin'))
      return forbidden('Only workers are answered here. Make a token with “tubelet token make NAME --scope work”.')
    return handle(request, 'work')
  }
  const name = host === '' ? HOST : host
  const server: ServerType = createAdaptorServer({ fetch: answer, hostname: name })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(noPort(error, Number(port), name)))
    server.listen(Number(port), name, () => resolve())
  })
  const { port: bound } = server.address() as AddressInfo
  return { url: `http://${name.includes(':') ? `[${name}]` : name}:${bound}`, close: () => closed(server) }
}

function closed(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    // Event streams would otherwise stay open.
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
}

function noPort(error: unknown, port: number | undefined, address = HOST): unknown {
  const next = 'Give another one with --port, or leave it out to take any that is free.'
  if (hasCode(error, 'EADDRINUSE'))
    return new TubeletError({ code: 'conflict', message: 'Port {{port}} is taken by another program.', values: { port: port ?? 0 }, next })
  if (hasCode(error, 'EACCES') && port !== undefined)
    return new TubeletError({ code: 'forbidden', message: 'The system does not let you open port {{port}}.', values: { port }, next })
  return new TubeletError(
    {
      code: 'forbidden',
      message: 'No browser can reach Tubelet: the system lets it open no port at {{address}}.',
      values: { address },
      next: 'Check the network settings of this machine, or of the container that it runs in.',
      details: String(error),
    },
    { cause: error },
  )
}

function lastAddress(file: string): z.infer<typeof Address> | null {
  try {
    return Address.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}

function keepAddress(file: string, address: z.infer<typeof Address>): void {
  try {
    writeFileSync(file, JSON.stringify(address), { mode: 0o600 })
  } catch {
    // If the file cannot be written, the next start has another address, and nothing else is lost.
  }
}

async function guarded(request: Request, guard: Guard, handle: Handle): Promise<Response> {
  const { key, pass, site, scopeOf } = guard
  const url = new URL(request.url)
  const host = request.headers.get('host') ?? url.host
  const [, name = '', port = ''] = /^(.+?)(:\d+)?$/.exec(host) ?? []
  // Against DNS rebinding: another site's name may resolve to this machine.
  if (![HOST, 'localhost', '[::1]', site].includes(name)) return forbidden('Only this machine is answered.')
  const origin = request.headers.get('origin')
  if (origin !== null && origin !== `http://${host}`) return forbidden('Requests from other sites are not answered.')
  if (url.pathname === '/' && (url.searchParams.has('code') || url.searchParams.has('token')))
    return letIn(request, url.searchParams, guard, name === site ? null : `http://${site}${port}/${url.search}`)
  const bearer = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1]
  const cookie = name === site ? new RegExp(`(?:^|; )${COOKIE}=([^;]+)`).exec(request.headers.get('cookie') ?? '')?.[1] : undefined
  // Requests of other pages for pictures or scripts have no Origin header; this header says where they come from (Fetch Metadata).
  const from = request.headers.get('sec-fetch-site') ?? 'none'
  if (!['none', 'same-origin'].includes(from)) return forbidden('Requests from other sites are not answered.')
  if (bearer === undefined ? same(cookie ?? '', pass) : same(bearer, key)) return handle(request)
  const scope = bearer === undefined ? null : scopeOf(bearer)
  if (bearer !== undefined && scope === null)
    return forbidden('This key or token is not, or no longer, good. Make a token with “tubelet token make NAME”.')
  if (scope === null) return forbidden(`Open the address that Tubelet printed when it started, or send a token. ${ANOTHER}`)
  return whileGood(await handle(request, scope), () => bearer !== undefined && scopeOf(bearer) !== null)
}

/** Milliseconds between two looks at whether the token of an open stream of events is still good. */
const LOOK_MS = 2_000

/** The answer; a stream of events ends when its token does, or is taken back. */
function whileGood(answer: Response, isGood: () => boolean): Response {
  if (answer.body === null || answer.headers.get('content-type')?.startsWith('text/event-stream') !== true) return answer
  const ended = new AbortController()
  const looks = setInterval(() => {
    if (!isGood()) ended.abort()
  }, LOOK_MS)
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  void answer.body
    .pipeTo(writable, { signal: ended.signal })
    .catch(() => undefined)
    .finally(() => clearInterval(looks))
  return new Response(readable, { status: answer.status, headers: answer.headers })
}

const ANOTHER = 'For another one, type “npx tubelet address” where Tubelet is installed.'

/**
 * Lets a browser in by an address with a code, which works once, or with the key, as programs are given it.
 *
 * @param elsewhere The same address under the library's own name; null if the request is to that name.
 */
function letIn(request: Request, query: URLSearchParams, { key, pass, codes }: Guard, elsewhere: string | null): Response {
  // A browser that only loads pages ahead must not use up the code.
  if (request.method !== 'GET' || /prefetch|prerender/.test(request.headers.get('sec-purpose') ?? request.headers.get('purpose') ?? ''))
    return new Response(null, { status: 503, headers: { 'cache-control': 'no-store' } })
  const [code, token] = [query.get('code'), query.get('token')]
  const isGood = code === null ? same(token ?? '', key) : elsewhere === null ? codes.use(code) : codes.isGood(code)
  if (!isGood) return forbidden(`This address was used already, is older than five minutes, or is from an earlier start. ${ANOTHER}`)
  return elsewhere === null
    ? entrance(pass)
    : new Response(null, { status: 303, headers: { location: elsewhere, 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' } })
}

/**
 * Gives the cookie to the browser and sends it on to the window, by a page and not by a redirect: a request that began at a file or in another
 * program stays "cross-site" through all its redirects, and such requests carry no strict cookie.
 */
function entrance(pass: string): Response {
  return new Response('<!doctype html><meta http-equiv="refresh" content="0;url=/"><title>Tubelet</title>', {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'set-cookie': `${COOKIE}=${pass}; HttpOnly; SameSite=Strict; Path=/`,
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    },
  })
}

function forbidden(why: string): Response {
  return new Response(`${why}\n`, {
    status: 403,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
  })
}

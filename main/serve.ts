/** The web host: the handler on this machine's loopback address, for whoever holds this launch's token. */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { ServerType } from '@hono/node-server'

const HOST = '127.0.0.1'
const COOKIE = 'tubelet'

export interface Served {
  url: string
  token: string
  close: () => Promise<void>
}

/** Any local program can reach a port, and any web page can send to it: only requests that carry the token, to us by name, are answered. */
export async function serve({ handle, port = 0 }: { handle: (request: Request) => Promise<Response>; port?: number }): Promise<Served> {
  const token = randomBytes(24).toString('base64url')
  const server: ServerType = createAdaptorServer({ fetch: (request: Request) => guarded(request, token, handle), hostname: HOST })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, resolve)
  })
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${HOST}:${bound}`,
    token,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        // Event streams stay open by design.
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}

async function guarded(request: Request, token: string, handle: (request: Request) => Promise<Response>): Promise<Response> {
  const url = new URL(request.url)
  const forbidden = (why: string) => new Response(`${why}\n`, { status: 403, headers: { 'content-type': 'text/plain; charset=utf-8' } })
  // DNS rebinding: another site's name that resolves to this machine.
  const host = request.headers.get('host') ?? url.host
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host)) return forbidden('Only this machine is answered.')
  const origin = request.headers.get('origin')
  if (origin !== null && origin !== `http://${host}`) return forbidden('Requests from other sites are not answered.')
  const given = url.searchParams.get('token')
  if (url.pathname === '/' && given !== null) {
    if (!same(given, token)) return forbidden('This address is from an earlier start. Use the one that was printed last.')
    const cookie = `${COOKIE}-${url.port}=${token}; HttpOnly; SameSite=Strict; Path=/`
    return new Response(null, { status: 303, headers: { location: '/', 'set-cookie': cookie, 'referrer-policy': 'no-referrer' } })
  }
  const bearer = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1]
  const cookie = new RegExp(`(?:^|; )${COOKIE}-${url.port}=([^;]+)`).exec(request.headers.get('cookie') ?? '')?.[1]
  if (!same(bearer ?? cookie ?? '', token)) return forbidden('Open the address that Tubelet printed when it started: it carries the key.')
  return handle(request)
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { fileResponse, windowFile } from './files.ts'
import { invitation, keyFrom, LIFE_MS, newCode, servedAt, tellPrograms } from './invitation.ts'
import { serve, type Served } from './serve.ts'
import { scopeOf, tokenCommand } from './tokens.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-serve-'))
const file = path.join(folder, 'ten.mp4')
writeFileSync(file, '0123456789')
writeFileSync(path.join(folder, 'index.html'), '<p>the window</p>')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('byte ranges (RFC 9110, section 14)', () => {
  const ask = async (range?: string, headers: Record<string, string> = {}) => {
    const response = await fileResponse(new Request('http://x/', { headers: { ...(range ? { range } : {}), ...headers } }), file)
    if (!response) throw new Error('no file')
    return {
      status: response.status,
      range: response.headers.get('content-range'),
      text: await response.text(),
      etag: response.headers.get('etag') ?? '',
    }
  }
  test.each([
    [undefined, 200, null, '0123456789'],
    ['bytes=0-0', 206, 'bytes 0-0/10', '0'],
    ['bytes=3-', 206, 'bytes 3-9/10', '3456789'],
    ['bytes=-3', 206, 'bytes 7-9/10', '789'],
    ['bytes=-99', 206, 'bytes 0-9/10', '0123456789'],
    ['bytes=8-99', 206, 'bytes 8-9/10', '89'],
    ['bytes=10-', 416, 'bytes */10', ''],
    ['bytes=-0', 416, 'bytes */10', ''],
    ['bytes=5-2', 200, null, '0123456789'],
    ['bytes=0-1,4-5', 200, null, '0123456789'],
    ['lines=1-2', 200, null, '0123456789'],
  ])('%s', async (range, status, contentRange, text) => {
    expect(await ask(range)).toMatchObject({ status, range: contentRange, text })
  })
  test('a range of an older file is answered whole', async () => {
    const { etag } = await ask()
    expect((await ask('bytes=1-2', { 'if-range': etag })).status).toBe(206)
    expect((await ask('bytes=1-2', { 'if-range': '"old"' })).status).toBe(200)
    expect((await ask(undefined, { 'if-none-match': etag })).status).toBe(304)
  })
})

test('a file of the user runs nothing when it is opened as a page', async () => {
  const page = path.join(folder, 'page.html')
  writeFileSync(page, '<script>alert(1)</script>')
  const response = await fileResponse(new Request('http://x/'), page)
  expect(response?.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
  expect(response?.headers.get('x-content-type-options')).toBe('nosniff')
})

test('the window has a strict policy, and no path leads out of its folder', async () => {
  const page = await windowFile(new Request('http://x/'), folder, '/')
  expect(await page.text()).toContain('the window')
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
  for (const path of ['/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd.txt', '/..%2f..%2fetc%2fhosts.txt', '/missing.js']) {
    const response = await windowFile(new Request('http://x/'), folder, path)
    expect(await response.text()).not.toContain('root:')
  }
})

test('the address stays over a restart, and a taken port is no trouble', async () => {
  const handle = () => Promise.resolve(new Response('inside'))
  const memory = path.join(folder, 'address.json')
  const siteOf = async (served: Served) => (await fetch(invitation(served), { redirect: 'manual' })).headers.get('location')?.split('?')[0]
  const first = await serve({ handle, memory })
  const [before, site] = [first.url, await siteOf(first)]
  const beside = await serve({ handle, memory })
  expect(beside.url).not.toBe(before)
  await beside.close()
  await first.close()
  const again = await serve({ handle, memory })
  expect([again.url, await siteOf(again)]).toEqual([before, site])
  expect(again.key).not.toBe(first.key)
  await expect(serve({ handle, port: Number(new URL(before).port) })).rejects.toThrow('is taken by another program')
  await again.close()
  writeFileSync(memory, '{"site":"evil.example","port":1}')
  const mended = await serve({ handle, memory })
  expect(await siteOf(mended)).toMatch(/^http:\/\/[0-9a-f]{20}\.localhost:/)
  await mended.close()
})

describe('the guard', () => {
  let served: Served
  beforeAll(async () => {
    served = await serve({ handle: () => Promise.resolve(new Response('inside')) })
  })
  afterAll(() => served.close())
  /** By plain HTTP, since fetch may not set Host. */
  const answer = (pathname: string, headers: Record<string, string>) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { hostname, port } = new URL(served.url)
      request({ hostname, port, path: pathname, headers }, (response) => resolve(response.resume()))
        .on('error', reject)
        .end()
    })
  const status = async (pathname: string, headers: Record<string, string>) => (await answer(pathname, headers)).statusCode
  const bearer = () => ({ authorization: `Bearer ${served.key}` })
  /** The library's own name, with the port, and the address there, which the printed one leads to. */
  const led = async (address: string) => {
    const { headers } = await fetch(address, { redirect: 'manual' })
    expect(headers.get('set-cookie')).toBeNull()
    const { host, pathname, search } = new URL(headers.get('location') ?? '')
    return { host, entrance: pathname + search }
  }
  const cookieOf = ({ headers }: IncomingMessage) => headers['set-cookie']?.[0]?.split(';')[0]

  test('nobody without the key', async () => {
    expect(await status('/api/status', {})).toBe(403)
    expect(await status('/api/status', { authorization: 'Bearer guess' })).toBe(403)
    expect(await status('/?token=guess', {})).toBe(403)
    expect(await status('/?code=guess', {})).toBe(403)
    expect(await status('/api/status', bearer())).toBe(200)
  })
  test('a token is as good as its scope, until it ends or is taken back; it opens no window', async () => {
    const project = path.join(folder, 'library')
    mkdirSync(project)
    writeFileSync(path.join(project, 'library.sqlite'), '')
    const lines: string[] = []
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => lines.push(line))
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const run = (...args: string[]) => tokenCommand(project).parseAsync(args, { from: 'user' })
    await run('make', 'pandas', '--days', '2')
    await run('make', 'labels', '--scope', 'edit')
    await expect(run('make', 'labels')).rejects.toThrow('There is a token called')
    const [reads = '', edits = ''] = lines
    const here = await serve({
      handle: ({ url }, scope) =>
        Promise.resolve(
          url.endsWith('/api/events')
            ? new Response(new ReadableStream({ start: (to) => to.enqueue(new TextEncoder().encode('hello')) }), {
                headers: { 'content-type': 'text/event-stream' },
              })
            : new Response(scope ?? 'key'),
        ),
      scopeOf: (token) => scopeOf(project, token),
    })
    const as = async (token: string, at = '/api/status') =>
      (await fetch(here.url + at, { headers: { authorization: `Bearer ${token}` } })).text()
    expect([await as(here.key), await as(reads), await as(edits)]).toEqual(['key', 'read', 'edit'])
    expect(await (await fetch(`${here.url}/?token=${edits}`, { redirect: 'manual' })).text()).toContain('earlier start')
    expect(scopeOf(project, reads, Date.now() + 2.1 * 86_400_000)).toBeNull()
    const events = await fetch(`${here.url}/api/events`, { headers: { authorization: `Bearer ${edits}` } })
    await run('revoke', 'labels')
    expect(await as(edits)).toContain('no longer, good')
    // What listens hears no more.
    await expect(events.text().catch(() => 'cut off')).resolves.toMatch(/^(hello|cut off)$/)
    // The file is of no use to whoever reads it.
    expect(readFileSync(path.join(project, 'tokens.json'), 'utf8')).not.toContain(reads)
    writeFileSync(path.join(project, 'tokens.json'), 'damaged')
    expect((await fetch(here.url, { headers: { authorization: `Bearer ${reads}` } })).status).toBe(403)
    expect(await as(here.key)).toBe('key')
    log.mockRestore()
    vi.restoreAllMocks()
    await here.close()
  })
  test('an address opens the window once, under a name that this library alone has, where a cookie opens the rest', async () => {
    const address = invitation(served)
    const { host, entrance } = await led(address)
    expect(host).toMatch(/^[0-9a-f]{20}\.localhost:\d+$/)
    const first = await answer(entrance, { host })
    expect(first.headers['set-cookie']?.[0]).toMatch(/HttpOnly; SameSite=Strict; Path=\/$/)
    const cookie = cookieOf(first) ?? ''
    expect(await status('/', { host, cookie })).toBe(200)
    // Whoever reads the address later, in a list of processes or a history, gets nowhere with it.
    expect(await status(entrance, { host })).toBe(403)
    expect((await fetch(address, { redirect: 'manual' })).status).toBe(403)
    expect(await status('/api/status', { authorization: `Bearer ${new URL(address).searchParams.get('code') ?? ''}` })).toBe(403)
    // The cookie is not accepted under `localhost`, the name that all programs on this machine share, so browsers never need to send it there.
    expect(await status('/', { cookie })).toBe(403)
    expect(await status('/', { host: host.replace(/^./, 'x'), cookie })).toBe(403)
    // Neither holds the other.
    expect(cookie).not.toContain(served.key)
    expect(await status('/', { authorization: `Bearer ${cookie.split('=')[1] ?? ''}` })).toBe(403)
  })
  test('an old code, one of another start and one that only a browser loads ahead let nobody in', async () => {
    const { host } = await led(invitation(served))
    expect(await status(`/?code=${newCode(served.key, Date.now() - LIFE_MS - 1)}`, { host })).toBe(403)
    expect(await status(`/?code=${newCode(served.key, Date.now() + 60_000)}`, { host })).toBe(403)
    expect(await status(`/?code=${newCode('of another start')}`, { host })).toBe(403)
    const entrance = `/?code=${newCode(served.key)}`
    const ahead = await answer(entrance, { host, 'sec-purpose': 'prefetch;prerender' })
    expect([ahead.statusCode, cookieOf(ahead)]).toEqual([503, undefined])
    expect(cookieOf(await answer(entrance, { host }))).toBeDefined()
  })
  test('of fifty browsers with one address, one is let in', async () => {
    const { host, entrance } = await led(invitation(served))
    const answers = await Promise.all(Array.from({ length: 50 }, () => status(entrance, { host })))
    expect(answers.filter((code) => code === 200)).toHaveLength(1)
    expect(answers.filter((code) => code === 403)).toHaveLength(49)
  })
  test('what a page of another program asks for, though the browser sends the cookie along', async () => {
    const { host, entrance } = await led(invitation(served))
    const cookie = cookieOf(await answer(entrance, { host })) ?? ''
    for (const route of ['/api/media/1', '/api/sources/1/thumbnail', '/api/status', '/'])
      for (const [from, code] of [
        ['cross-site', 403],
        ['same-site', 403],
        ['same-origin', 200],
        ['none', 200],
      ] as const)
        expect(await status(route, { host, cookie, 'sec-fetch-site': from })).toBe(code)
  })
  test('no other name for this machine, no other site', async () => {
    expect(await status('/', { ...bearer(), host: 'evil.example' })).toBe(403)
    expect(await status('/', { ...bearer(), host: '127.0.0.1.evil.example' })).toBe(403)
    expect(await status('/', { ...bearer(), origin: 'https://evil.example' })).toBe(403)
    expect(await status('/', { ...bearer(), origin: served.url, host: new URL(served.url).host })).toBe(200)
  })
})

test('programs of this user read the key from a file that nobody else may read; what is planted in its place is not written to', async () => {
  const library = mkdtempSync(path.join(folder, 'library-'))
  const mine = path.join(library, 'mine')
  writeFileSync(mine, 'mine', { mode: 0o644 })
  symlinkSync(mine, path.join(library, 'serving.json'))
  const served = await serve({ handle: () => Promise.resolve(new Response('inside')) })
  const forget = tellPrograms(library, served)
  const found = servedAt(library)
  expect((await fetch(`${found.url}/api/status`, { headers: { authorization: `Bearer ${found.key}` } })).status).toBe(200)
  if (process.platform !== 'win32') expect(statSync(path.join(library, 'serving.json')).mode & 0o777).toBe(0o600)
  expect(readFileSync(mine, 'utf8')).toBe('mine')
  forget()
  expect(() => servedAt(library)).toThrow('No Tubelet serves this library')
  await served.close()
})

test('a key that a program chooses cannot be one that is guessed', () => {
  expect(keyFrom(undefined)).toBeUndefined()
  expect(keyFrom('a'.repeat(32))).toBe('a'.repeat(32))
  for (const weak of ['secret', 'a'.repeat(31), `${'a'.repeat(40)};`]) expect(() => keyFrom(weak)).toThrow('at least 32')
})

import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { inEnglish, problemOf } from '../../app/errors.ts'
import { checkedAddress, download, partOf } from './download.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-download-'))
const content = randomBytes(300_000)
const sha256 = createHash('sha256').update(content).digest('hex')

/** What the server does with the next requests, in turn; after that it behaves. */
let script: ((request: IncomingMessage, response: ServerResponse) => void)[] = []
let asked: { range: string | undefined; ifRange: string | undefined }[] = []
let etag = '"one"'

const whole = (request: IncomingMessage, response: ServerResponse) => {
  const from = request.headers['if-range'] === etag ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0
  const headers = { 'content-length': content.length - from, etag }
  response.writeHead(
    from > 0 ? 206 : 200,
    from > 0 ? { ...headers, 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` } : headers,
  )
  response.end(content.subarray(from))
}
/** Sends some bytes of the file and cuts the connection once they are on the client's disk, since bytes on their way would be lost. */
const cut =
  (bytes: number, vouched = true) =>
  (request: IncomingMessage, response: ServerResponse) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': content.length - from,
      ...(vouched ? { etag } : {}),
      ...(from > 0 ? { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` } : {}),
    })
    response.write(content.subarray(from, from + bytes))
    const arrived = () =>
      existsSync(`${file}.part`) && statSync(`${file}.part`).size === from + bytes ? response.destroy() : setImmediate(arrived)
    arrived()
  }
const answer = (status: number) => (_request: IncomingMessage, response: ServerResponse) => void response.writeHead(status).end('no')

const server = createServer((request, response) => {
  asked.push({ range: request.headers.range, ifRange: request.headers['if-range'] as string | undefined })
  ;(script.shift() ?? whole)(request, response)
})
let address: string
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.safetensors`
})
afterAll(() => {
  server.close()
  server.closeAllConnections()
  rmSync(folder, { recursive: true, force: true })
})
let file: string
let count = 0
beforeEach(() => {
  script = []
  asked = []
  etag = '"one"'
  file = path.join(folder, String((count += 1)), 'model.safetensors')
})
const run = (options: { sha256?: string; signal?: AbortSignal; report?: (bytes: number, total: number | null) => void } = {}) =>
  download(
    { url: address, file, sha256: options.sha256 },
    options.report ?? (() => undefined),
    options.signal ?? new AbortController().signal,
  )
/** The problem as a person reads it. */
const why = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => {
      const problem = problemOf(error)
      return { ...problem, ...inEnglish(problem) }
    },
  )

describe('a download', () => {
  test('brings the file once, tells how far it is, and gives its checksum', async () => {
    const seen: [number, number | null][] = []
    expect(await run({ report: (bytes, total) => seen.push([bytes, total]) })).toBe(sha256)
    expect(readFileSync(file).equals(content)).toBe(true)
    expect(seen.at(-1)).toEqual([content.length, content.length])
    expect(existsSync(`${file}.part`)).toBe(false)
    expect(await run()).toBe(sha256)
    expect(asked).toHaveLength(1)
  })

  test('goes on where a lost connection stopped, by itself', async () => {
    script = [cut(100_000), cut(50_000)]
    expect(await run({ sha256 })).toBe(sha256)
    expect(asked).toHaveLength(3)
    expect(asked[1]?.ifRange).toBe('"one"')
    expect(asked.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-', 'bytes=150000-'])
  })

  test('goes on after it was stopped, and after the app was closed', async () => {
    const stop = new AbortController()
    script = [cut(100_000)]
    const stopped = run({ signal: stop.signal, report: (bytes) => bytes > 0 && stop.abort(new Error('stopped')) })
    await expect(stopped).rejects.toThrow('stopped')
    const part = await partOf(file)
    expect(part).toMatchObject({ url: address, total: content.length })
    expect(part?.bytes).toBeGreaterThan(0)
    expect(await run({ sha256 })).toBe(sha256)
    expect(asked.at(-1)?.range).toBe(`bytes=${part?.bytes ?? 0}-`)
  })

  test('starts anew where the file on the server is another one by now', async () => {
    script = [cut(100_000), answer(503)]
    await why(run())
    etag = '"two"'
    expect(await run({ sha256 })).toBe(sha256)
    expect(asked.at(-1)?.ifRange).toBe('"one"')
  })

  test('starts anew at a server that knows no ranges', async () => {
    script = [
      cut(100_000),
      (request, response) =>
        void response.writeHead(200, { 'content-length': content.length }).end(request.method === 'GET' ? content : ''),
    ]
    expect(await run({ sha256 })).toBe(sha256)
    expect(statSync(file).size).toBe(content.length)
  })

  test('trusts no part that the server cannot vouch for', async () => {
    script = [
      (_request, response) =>
        void response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 9), () => response.destroy()),
    ]
    expect(await run({ sha256 })).toBe(sha256)
    expect(asked[1]?.range).toBeUndefined()
  })

  test('of unknown length goes on too, and starts anew where there is less of it by now than is here', async () => {
    const chunked = (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { etag }).write(content.subarray(0, 100_000))
      const arrived = () =>
        existsSync(`${file}.part`) && statSync(`${file}.part`).size === 100_000 ? response.destroy() : setImmediate(arrived)
      arrived()
    }
    script = [chunked]
    expect(await run({ sha256 })).toBe(sha256)
    expect(asked.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-'])

    rmSync(file)
    asked = []
    script = [chunked, answer(416)]
    expect(await run({ sha256 })).toBe(sha256)
    expect(asked.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-', undefined])
  })

  test('that the server ends too early each time is given up, and goes on when it is asked for again', async () => {
    const short = (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(206, { 'content-range': 'bytes 100000-299999/300000', 'content-length': 200_000, etag }).flushHeaders()
      setImmediate(() => response.destroy())
    }
    script = [cut(100_000), short, short, short, short]
    expect(await why(run())).toMatchObject({
      code: 'download-failed',
      message: 'The connection was lost.',
      next: 'Try again: it goes on where it stopped.',
    })
    expect(await partOf(file)).toMatchObject({ bytes: 100_000, total: 300_000 })
    expect(await run({ sha256 })).toBe(sha256)
    expect(asked.at(-1)?.range).toBe('bytes=100000-')
  }, 20_000)

  test('is not given up while each try brings some of it', async () => {
    script = Array.from({ length: 6 }, () => cut(20_000))
    expect(await run({ sha256 })).toBe(sha256)
    expect(asked.map(({ range }) => range)).toEqual([undefined, ...[1, 2, 3, 4, 5, 6].map((times) => `bytes=${times * 20_000}-`)])
  }, 30_000)

  test('takes no other part than it asked for, and no part that ends early for the rest', async () => {
    const part = (from: number, to: number) => (_request: IncomingMessage, response: ServerResponse) => {
      // Chunked, so without a content length.
      response.writeHead(206, { etag, 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` })
      response.end(content.subarray(from, to))
    }
    script = [cut(50_000), part(40_000, content.length), part(50_000, 90_000)]
    expect(await run({ sha256 })).toBe(sha256)
    expect(asked.map(({ range }) => range)).toEqual([undefined, 'bytes=50000-', 'bytes=50000-', 'bytes=90000-'])
  }, 30_000)

  test('does not promise to go on where the server cannot vouch for what is here', async () => {
    script = Array.from({ length: 8 }, () => cut(20_000, false))
    expect(await why(run())).toMatchObject({ message: 'The connection was lost.', next: 'Try again.' })
    expect((await partOf(file))?.bytes).toBe(0)
  }, 20_000)

  test('follows the server to another place, unless somebody on the way could change what comes from there', async () => {
    const to = (place: string) => (_request: IncomingMessage, response: ServerResponse) =>
      void response.writeHead(302, { location: place }).end()
    script = [to('/elsewhere')]
    expect(await run({ sha256 })).toBe(sha256)
    rmSync(file)
    // This machine by a name that is not known to be it.
    script = [to(address.replace('127.0.0.1', '0.0.0.0'))]
    expect((await why(run())).code).toBe('bad-request')
    expect([file, `${file}.part`].filter((name) => existsSync(name))).toEqual([])
  })

  test('with the wrong checksum is thrown away, and says so', async () => {
    expect(await why(run({ sha256: '0'.repeat(64) }))).toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('checksum differs') as string,
      details: expect.stringContaining(sha256) as string,
    })
    expect([file, `${file}.part`, `${file}.json`].filter((name) => existsSync(name))).toEqual([])
  })

  test('that goes on remembers which checksum was expected', async () => {
    script = [cut(100_000), answer(503)]
    expect((await why(run({ sha256: '0'.repeat(64) }))).message).toContain('503')
    expect((await why(run())).message).toContain('checksum differs')
  })

  test('says what the server said', async () => {
    script = [answer(404), answer(403), answer(500)]
    expect((await why(run())).message).toContain('no such file')
    expect((await why(run())).next).toContain('in your browser')
    expect((await why(run())).message).toContain('500')
  })

  test('goes only to places that nobody on the way can change', () => {
    for (const bad of ['http://example.org/a', 'ftp://example.org/a', 'file:///etc/passwd', 'example.org/a', ''])
      expect(
        problemOf(
          (() => {
            try {
              return checkedAddress(bad)
            } catch (error) {
              return error
            }
          })(),
        ).code,
        bad,
      ).toBe('bad-request')
    expect(checkedAddress('https://example.org/a').hostname).toBe('example.org')
  })
})

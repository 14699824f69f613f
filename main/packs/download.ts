/**
 * Downloads one large file so that a lost connection, a closed app or a full disk loses nothing that has come: the download continues where it
 * stopped (RFC 9110, 14: Range and If-Range), and starts again only if the file on the server has changed.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { hasCode, type Problem, TubeletError } from '../../app/errors.ts'
import type { Values } from '../../app/phrase.ts'
import { makeFolder } from '../folders.ts'

const ATTEMPTS = 4
const FIRST_PAUSE_MS = 500
/** A server that sends nothing for this long, milliseconds, is considered gone. */
const STALL_MS = 60_000

/** What is known of the file on the server, to tell whether it has changed; and its expected SHA-256, if one was given. */
const Meta = z.object({
  url: z.string(),
  validator: z.string().nullable(),
  total: z.number().int().positive().nullable(),
  expected: z.string().optional(),
})
type Meta = z.infer<typeof Meta>

export interface Download {
  url: string
  /** The path of the finished file, which may already be there. Beside it: `.part`, the unfinished download, and `.json`, its `Meta`. */
  file: string
  /** The expected SHA-256 in hex, if it is known. */
  sha256?: string | undefined
}

/** Only https and this machine are allowed. @throws TubeletError `bad-request` */
export function checkedAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null
  const here = url !== null && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (url?.protocol === 'https:' || (here && url.protocol === 'http:')) return url
  throw new TubeletError({
    code: 'bad-request',
    message: 'This is not an address that a file can be fetched from safely.',
    field: 'body.url',
    next: 'Give one that begins with https://',
  })
}

/**
 * @param report Gets the bytes that have come, and the total, null if the server does not give it.
 * @returns The SHA-256 of the file.
 * @throws TubeletError `download-failed` or `disk-full`, after either of which the part is kept for the next try; the signal's reason when aborted.
 */
export async function download(
  { url, file, sha256 }: Download,
  report: (bytes: number, total: number | null) => void,
  signal: AbortSignal,
): Promise<string> {
  await makeFolder(path.dirname(file))
  if ((await sizeOf(file)) > 0) return hashOf(file, signal)
  for (let attempt = 1; ; attempt += 1) {
    const before = await sizeOf(`${file}.part`)
    try {
      await fetchRest({ url, file, sha256 }, report, signal)
      break
    } catch (error) {
      signal.throwIfAborted()
      // A server's refusal is final. A broken connection is tried again; tries that brought new bytes do not count.
      if (error instanceof TubeletError) throw error
      if ((await sizeOf(`${file}.part`)) > before) attempt = 1
      if (attempt >= ATTEMPTS) {
        const goesOn = (await partOf(file))?.bytes ?? 0
        throw failed(url, 'The connection was lost.', goesOn > 0 ? 'Try again: it goes on where it stopped.' : 'Try again.', {
          cause: error,
        })
      }
      await wait(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
  const found = await hashOf(`${file}.part`, signal)
  const expected = (await metaOf(file, url))?.expected
  if (expected !== undefined && found !== expected) {
    await forgetDownload(file)
    throw failed(
      url,
      'The file that came is not the one that was expected: its checksum differs.',
      'Fetch it again from its source; if it happens again, somebody changed the file there.',
      { cause: `expected SHA-256 ${expected}, found ${found}` },
    )
  }
  await rename(`${file}.part`, file)
  return found
}

/** Delete a download and its part. */
export async function forgetDownload(file: string): Promise<void> {
  for (const name of [file, `${file}.part`, `${file}.json`]) await rm(name, { force: true })
}

/** Requests the rest of the file once. */
async function fetchRest(
  { url, file, sha256 }: Download,
  report: (bytes: number, total: number | null) => void,
  signal: AbortSignal,
): Promise<void> {
  const part = `${file}.part`
  const known = await metaOf(file, url)
  let at = known?.validator ? await sizeOf(part) : 0
  if (known?.total != null && at === known.total) return
  const stall = new AbortController()
  const watch = setTimeout(() => stall.abort(new Error('the server sent nothing for a minute')), STALL_MS)
  try {
    const headers: Record<string, string> = {
      'accept-encoding': 'identity',
      ...(at > 0 && known?.validator ? { range: `bytes=${at}-`, 'if-range': known.validator } : {}),
    }
    const response = await fetch(url, { headers, redirect: 'follow', signal: AbortSignal.any([signal, stall.signal]) })
    checkedAddress(response.url)
    if (response.status === 416 && at > 0) {
      // The server's file is shorter than the part here, which is therefore useless.
      await forgetDownload(file)
      throw new Error('the server has less than is here')
    }
    if (!response.ok || response.body === null) throw refused(url, response.status)
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '')
    const goesOn = response.status === 206 && Number(range?.[1]) === at
    if (!goesOn && response.status === 206) throw new Error('the server sent another part than was asked for')
    if (!goesOn) at = 0
    const length = Number(response.headers.get('content-length') ?? NaN)
    const total = goesOn && range?.[2] !== '*' ? Number(range?.[2]) : Number.isSafeInteger(length) ? at + length : null
    const strong = response.headers.get('etag')
    const validator = strong !== null && !strong.startsWith('W/') ? strong : response.headers.get('last-modified')
    await writeFile(`${file}.json`, JSON.stringify({ url, validator, total, expected: sha256 ?? known?.expected } satisfies Meta))
    if (total !== null) await needRoom(path.dirname(file), total - at, file)

    const target = await open(part, goesOn ? 'r+' : 'w')
    try {
      report(at, total)
      for await (const chunk of response.body) {
        watch.refresh()
        await target.write(chunk, 0, chunk.length, at)
        at += chunk.length
        report(at, total)
      }
    } catch (error) {
      if (hasCode(error, 'ENOSPC')) throw diskFull(file, null)
      throw error
    } finally {
      await target.close()
    }
    if (total !== null && at !== total) throw new Error(`${at} of ${total} bytes came`)
  } finally {
    clearTimeout(watch)
  }
}

/** @throws TubeletError `disk-full` if there is no room for `bytes` and AIR. */
export async function needRoom(folder: string, bytes: number, file: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < bytes + AIR) throw diskFull(file, { bytes, free: bavail * bsize })
}
/** Bytes left free on a disk, so that the library can grow. */
const AIR = 64e6

function diskFull(file: string, need: { bytes: number; free: number } | null): TubeletError {
  const gb = (bytes: number) => Number((bytes / 1e9).toFixed(1))
  return new TubeletError({
    code: 'disk-full',
    message: need ? 'There is not enough room on the disk: {{needed}} GB are needed, {{free}} GB are free.' : 'The disk is full.',
    file,
    stillWorks: 'The packs that you have; what has come of this file is kept.',
    next: 'Make room, then try again.',
    ...(need ? { values: { needed: gb(need.bytes), free: gb(need.free) } } : {}),
  })
}

/** How much of a download is here and need not be fetched again; null if nothing is known of it. */
export async function partOf(file: string): Promise<{ url: string; bytes: number; total: number | null } | null> {
  const meta = await metaOf(file, null)
  // Without a validator from the server a part cannot be used again.
  return (
    meta && {
      url: meta.url,
      bytes: Math.max(await sizeOf(file), meta.validator === null ? 0 : await sizeOf(`${file}.part`)),
      total: meta.total,
    }
  )
}

async function metaOf(file: string, url: string | null): Promise<Meta | null> {
  try {
    const meta = Meta.parse(JSON.parse(await readFile(`${file}.json`, 'utf8')))
    return url === null || meta.url === url ? meta : null
  } catch {
    return null
  }
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => null))?.size ?? 0
}

async function hashOf(file: string, signal: AbortSignal): Promise<string> {
  const digest = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), digest, { signal })
  return digest.digest('hex')
}

const CLOSED = 'The server asks for an account, or for a licence to be accepted first.'
const ABSENT = 'There is no such file at this address.'

/** Whether the server refused to give the file. Some servers answer "forbidden" for a file that does not exist. */
export function isDenied(error: unknown): boolean {
  return error instanceof TubeletError && [CLOSED, ABSENT].includes(error.problem.message)
}

function refused(url: string, status: number): TubeletError {
  if (status === 401 || status === 403)
    return failed(url, CLOSED, "Open the model's page in your browser, do there what it asks, download the file there, and choose it here.")
  if (status === 404 || status === 410)
    return failed(url, ABSENT, "Open the model's page in your browser and copy the address of its .safetensors file.")
  return failed(url, 'The server cannot send the file now (it answered {{status}}).', 'Try again later: it goes on where it stopped.', {
    values: { status },
  })
}

function failed(
  url: string,
  message: string,
  next: string,
  { values = {}, cause }: { values?: Values; cause?: unknown } = {},
): TubeletError {
  const details =
    cause instanceof Error
      ? `${cause.message}${cause.cause instanceof Error ? `: ${cause.cause.message}` : ''}`
      : typeof cause === 'string'
        ? cause
        : undefined
  const problem: Problem = {
    code: 'download-failed',
    message,
    file: url,
    stillWorks: 'The packs that you have, and everything else: nothing but this download uses the network.',
    next,
    values,
    ...(details === undefined ? {} : { details }),
  }
  return new TubeletError(problem, { cause })
}

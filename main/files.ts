/** Files as responses: byte ranges for video (RFC 9110 section 14), and the window's own files. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

const VIDEO_TYPES: Readonly<Record<string, string>> = {
  '.mp4': 'video/mp4',
  '.m4v': 'video/mp4',
  '.mov': 'video/quicktime',
  '.webm': 'video/webm',
  '.mkv': 'video/x-matroska',
  '.ogv': 'video/ogg',
}

/** The type of a video by its name; never one that a browser shows as a page. */
export function videoType(file: string): string {
  return VIDEO_TYPES[path.extname(file).toLowerCase()] ?? 'application/octet-stream'
}

function contentType(file: string): string {
  return TYPES[path.extname(file).toLowerCase()] ?? 'application/octet-stream'
}

/**
 * A file, or the part of it that the request's Range header asks for, streamed from the disk. Null when there is no such file.
 * A range that cannot be met is 416; a header that cannot be read is ignored, as are multiple ranges (RFC 9110: a server may).
 */
export async function fileResponse(
  request: Request,
  file: string,
  type = contentType(file),
  headers: Record<string, string> = {},
): Promise<Response | null> {
  const info = await stat(file).catch(() => null)
  if (info === null || !info.isFile()) return null
  const etag = `"${info.size.toString(16)}-${Math.trunc(info.mtimeMs).toString(16)}"`
  const common = {
    'content-type': type,
    'accept-ranges': 'bytes',
    etag,
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    // The user's files are data: opened as a page, none of them may run anything.
    'content-security-policy': "default-src 'none'; sandbox",
    ...headers,
  }
  if (request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers: common })
  const ifRange = request.headers.get('if-range')
  const range = ifRange !== null && ifRange !== etag ? 'all' : parseRange(request.headers.get('range'), info.size)
  if (range === 'unsatisfiable') return new Response(null, { status: 416, headers: { ...common, 'content-range': `bytes */${info.size}` } })
  const { start, end } = range === 'all' ? { start: 0, end: info.size - 1 } : range
  const length = end - start + 1
  const body =
    request.method === 'HEAD' || length === 0
      ? null
      : (Readable.toWeb(createReadStream(file, { start, end })) as ReadableStream<Uint8Array>)
  return new Response(body, {
    status: range === 'all' ? 200 : 206,
    headers: {
      ...common,
      'content-length': String(length),
      ...(range === 'all' ? {} : { 'content-range': `bytes ${start}-${end}/${info.size}` }),
    },
  })
}

/** Inclusive byte positions. */
function parseRange(header: string | null, size: number): { start: number; end: number } | 'all' | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  const [, from = '', to = ''] = match ?? []
  if (from === '' && to === '') return 'all'
  if (from === '') {
    const suffix = Number(to)
    return suffix === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - suffix), end: size - 1 }
  }
  const start = Number(from)
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== '' && Number(to) < start) return 'all'
  return start >= size ? 'unsatisfiable' : { start, end }
}

/** The window's content security policy: its own code, pictures and video only, and no connections elsewhere. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** One of the window's files; for any other path, the window's page. */
export async function windowFile(request: Request, folder: string, pathname: string): Promise<Response> {
  const headers = { 'content-security-policy': POLICY, 'referrer-policy': 'no-referrer' }
  const file = path.resolve(folder, `.${decoded(pathname)}`)
  const inside = file.startsWith(folder + path.sep)
  const found =
    (inside ? await fileResponse(request, file, undefined, headers) : null) ??
    (path.extname(pathname) === '' ? await fileResponse(request, path.join(folder, 'index.html'), undefined, headers) : null)
  return found ?? new Response('Not found', { status: 404, headers })
}

function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname)
  } catch {
    return '/'
  }
}

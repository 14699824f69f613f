/**
 * How a browser gets into the window: an address with a code that works once and for a short time. It may be read by others on the machine (the
 * arguments of a browser are public), so it must be worth nothing once the window is open.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { TubeletError } from '../app/errors.ts'
import { isAlive } from './alive.ts'

/** Milliseconds in which a code can be used. */
export const LIFE_MS = 5 * 60_000

/** Where the programs of this user find the running Tubelet of a library, and its key. */
const Serving = z.object({ url: z.string(), key: z.string(), pid: z.int() })

/**
 * A new code, made by whoever knows the key: a random name, its end in milliseconds since 1970, and their HMAC.
 */
export function newCode(key: string, now = Date.now()): string {
  const claim = `${randomBytes(12).toString('base64url')}.${(now + LIFE_MS).toString(36)}`
  return `${claim}.${sealOf(claim, key)}`
}

/** The key that a program chose which starts Tubelet, if it did. @throws TubeletError `bad-request` if it could be guessed. */
export function keyFrom(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  if (/^[\w-]{32,}$/.test(text)) return text
  throw new TubeletError({
    code: 'bad-request',
    message: 'The key in TUBELET_KEY must be at least 32 letters and digits.',
    next: 'Make one with “openssl rand -hex 32”.',
  })
}

/** Codes that were used, so that each lets one browser in. */
export class Codes {
  readonly #key: string
  readonly #used = new Map<string, number>()

  constructor(key: string) {
    this.#key = key
  }

  /** Whether a code would be taken now. */
  isGood(code: string, now = Date.now()): boolean {
    const [name = '', end = '', seal = ''] = code.split('.')
    const until = Number.parseInt(end, 36)
    return same(seal, sealOf(`${name}.${end}`, this.#key)) && until > now && until <= now + LIFE_MS && !this.#used.has(name)
  }

  /** Take a code. @returns Whether it was good; it is not any more. */
  use(code: string, now = Date.now()): boolean {
    if (!this.isGood(code, now)) return false
    for (const [name, until] of this.#used) if (until <= now) this.#used.delete(name)
    const [name = '', end = ''] = code.split('.')
    this.#used.set(name, Number.parseInt(end, 36))
    return true
  }
}

function sealOf(claim: string, key: string): string {
  return createHmac('sha256', key).update(`window ${claim}`).digest('base64url')
}

/** Compares in a time that tells nothing about the texts but their lengths. */
export function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** The address at which a window opens once. */
export function invitation({ url, key }: { url: string; key: string }): string {
  return `${url}/?code=${newCode(key)}`
}

function servingFile(projectDir: string): string {
  return path.join(projectDir, 'serving.json')
}

/** Write the address and the key for this user's own programs. @returns A function that removes them. */
export function tellPrograms(projectDir: string, { url, key }: { url: string; key: string }): () => void {
  const file = servingFile(projectDir)
  const forget = () => rmSync(file, { force: true })
  try {
    // Never into a file that is there: others may be allowed to read it, or it may be a link.
    forget()
    writeFileSync(file, JSON.stringify({ url, key, pid: process.pid }), { mode: 0o600, flag: 'wx' })
  } catch {
    // Where the disk is full or read-only, programs have to be given the key by TUBELET_KEY.
  }
  return forget
}

/** @throws TubeletError `not-found` if no Tubelet serves this library. */
export function servedAt(projectDir: string): z.infer<typeof Serving> {
  const serving = readServing(servingFile(projectDir))
  if (serving !== null && isAlive(serving.pid)) return serving
  throw new TubeletError({
    code: 'not-found',
    message: 'No Tubelet serves this library to a browser.',
    file: projectDir,
    next: 'Start one with “npm start” or “tubelet serve”, or name its library with --project.',
  })
}

function readServing(file: string): z.infer<typeof Serving> | null {
  try {
    return Serving.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}

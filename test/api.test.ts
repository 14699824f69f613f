/** Every operation of the REST API is asked what nobody would ask, by schemathesis: none ends in an error of the server. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clip } from './clips.ts'

const root = path.resolve(import.meta.dirname, '..')
const program = path.join(root, '.venv', 'bin', 'schemathesis')
const KEY = 'k'.repeat(40)
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-api-'))
const at = (...parts: string[]) => path.join(folder, ...parts)
let server: ChildProcess
let url = ''

describe.skipIf(!existsSync(program))('the REST API', { meta: { needs: 'the Python of models/requirements.txt in .venv' } }, () => {
  beforeAll(async () => {
    for (const name of ['home', 'here']) mkdirSync(at(name))
    server = spawn(
      process.execPath,
      [path.join(root, 'main', 'cli.ts'), 'serve', '--project', at('library'), '--packs', at('packs'), clip('f06_tiny_64x48.mp4')],
      {
        cwd: at('here'),
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, HOME: at('home'), XDG_DATA_HOME: at('home'), XDG_CACHE_HOME: at('home'), TUBELET_KEY: KEY },
      },
    )
    const { stdout } = server
    if (stdout === null) throw new Error('its output is not read')
    let output = ''
    for await (const text of stdout.setEncoding('utf8') as AsyncIterable<string>) {
      output += text
      url = /http:\/\/127\.0\.0\.1:\d+(?=\/)/.exec(output)?.[0] ?? ''
      if (url !== '') break
    }
  }, 90_000)
  afterAll(async () => {
    server.kill('SIGKILL')
    await once(server, 'exit')
    rmSync(folder, { recursive: true, force: true })
  })

  test('no operation answers with an error of the server, nor leaves a file where it was started', { timeout: 570_000 }, async () => {
    const run = [
      ...['run', `${url}/api/openapi.json`, '-H', `Authorization: Bearer ${KEY}`],
      // The stream of events never ends.
      ...['--exclude-path', '/api/events', '--phases', 'coverage,fuzzing', '--max-examples', '5', '--seed', '17'],
      ...['--checks', 'not_a_server_error', '--continue-on-failure', '--request-timeout', '60', '--no-color'],
    ]
    const env = { ...process.env, HOME: at('home') }
    const said = await promisify(execFile)(program, run, { cwd: folder, env, maxBuffer: 64 * 2 ** 20 }).then(
      ({ stdout }) => stdout,
      (error: unknown) => (error instanceof Error && 'stdout' in error && typeof error.stdout === 'string' ? error.stdout : String(error)),
    )
    const wrong = [...said.matchAll(/^\[(5\d\d)\] [^`]*`([^`]*)[^]*?curl (-X \w+ .*)$/gm)].map(([, status, answer, curl]) => ({
      status,
      answer,
      curl,
    }))
    // 507 is what the API documents for a file that there is no room for.
    expect(wrong.filter(({ status }) => status !== '507')).toEqual([])
    expect(Number(/^\s*(\d+) generated/m.exec(said)?.[1] ?? said)).toBeGreaterThan(1_000)
    expect(readdirSync(at('here'))).toEqual([])
    const status = await fetch(`${url}/api/status`, { headers: { authorization: `Bearer ${KEY}` } })
    expect(status.status).toBe(200)
  })
})

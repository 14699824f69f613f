/**
 * `node test/smoke.mjs APP`: starts a packed desktop app with the sample clip and waits until its library says that it was analysed. By the library's
 * file and not by the window, because a packed app lets no tool look inside (fuses).
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

const [app] = process.argv.slice(2)
if (app === undefined || !existsSync(app)) {
  console.error('usage: node test/smoke.mjs APP, the program of an unpacked installer')
  process.exit(1)
}
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-smoke-'))
const library = path.join(folder, 'library', 'library.sqlite')
const sample = path.resolve('models', 'packs', 'sample.mp4')
// Hosted machines have no sandbox that Chromium may use.
const child = spawn(path.resolve(app), [...(process.env.CI ? ['--no-sandbox'] : []), `--user-data-dir=${folder}`, sample], {
  stdio: 'inherit',
})
let ended = null
child.on('exit', (code) => (ended = code ?? 'a signal'))

function stateOf() {
  if (!existsSync(library)) return null
  try {
    const db = new DatabaseSync(library, { readOnly: true })
    try {
      return db.prepare('SELECT state FROM sources').get()?.state ?? null
    } finally {
      db.close()
    }
  } catch {
    // The library is being made.
    return null
  }
}

let state = null
for (let tries = 0; tries < 600 && ended === null && state !== 'done' && state !== 'failed'; tries++) {
  await sleep(500)
  state = stateOf()
}
if (ended === null) {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill()
  await gone
}
rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
console.log(
  state === 'done'
    ? 'The packed app analysed the sample.'
    : `The packed app did not analyse the sample: ${state ?? `it ended with ${ended}`}.`,
)
process.exit(state === 'done' ? 0 : 1)

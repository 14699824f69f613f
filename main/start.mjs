/** `npm start [-- FOLDER…]`: set up what is missing, then open the app; in a browser on this machine where Electron cannot run. */
import { spawn } from 'node:child_process'
import path from 'node:path'
import {
  compileCache,
  electronRuntime,
  ensureDesktopBuild,
  ensureFfmpeg,
  ensureModules,
  ensureRenderer,
  lean,
  node24,
  root,
} from './setup.mjs'

ensureModules()
ensureFfmpeg()
ensureRenderer()

// Paths are given relative to where npm was called, not to the project.
const from = process.env.INIT_CWD ?? process.cwd()
const args = process.argv.slice(2).map((arg) => (arg.startsWith('-') ? arg : path.resolve(from, arg)))
const electron = process.argv.includes('--web') ? { reason: 'asked for with --web' } : electronRuntime()
let command
if (electron.program) {
  ensureDesktopBuild()
  command = [electron.program, [root, ...args]]
} else {
  console.log(`Opening in the browser, because ${electron.reason}.`)
  command = [node24(), [...lean, path.join(root, 'main', 'cli.ts'), 'serve', '--open', ...args.filter((arg) => arg !== '--web')]]
}

const child = spawn(command[0], command[1], { cwd: root, stdio: 'inherit', env: { ...process.env, ...compileCache } })
// Ctrl-C reaches the whole process group; the child ends in its own order and we with it.
process.on('SIGINT', () => undefined)
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  console.error(`Tubelet could not be started: ${error.message}`)
  process.exit(1)
})
child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)))

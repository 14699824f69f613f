/**
 * What users install, as far as it can be tried without Electron's runtime: what goes into an installer, and the command line from a package in an
 * empty folder. The shell itself is tried on hosted machines (.github/workflows/desktop.yml).
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noticesOf, objections, packagesInside } from '../main/notices.mjs'

const root = path.resolve(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-packed-'))
/** The project as `npm run build` leaves it, without touching the one that other tests use. */
const staged = path.join(folder, 'staged')
const installed = path.join(folder, 'empty', 'node_modules', 'tubelet')
const run = (program: string, args: readonly string[], cwd: string) =>
  execFileSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'pipe'] })
const config = readFileSync(path.join(root, 'electron-builder.yml'), 'utf8')
const megabytes = (file: string): number => {
  const info = statSync(file)
  if (!info.isDirectory()) return info.size / 1e6
  return readdirSync(file).reduce((sum, name) => sum + megabytes(path.join(file, name)), 0)
}

beforeAll(() => {
  mkdirSync(staged)
  const { files } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { files: string[] }
  for (const name of ['package.json', 'LICENSE', ...files])
    if (!name.startsWith('dist/')) cpSync(path.join(root, name), path.join(staged, name), { recursive: true })
  run(
    process.execPath,
    [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', path.join(staged, 'dist')],
    root,
  )
  const packed = run('npm', ['pack', '--ignore-scripts', '--json'], staged)
  const [{ filename } = { filename: '' }] = Object.values(JSON.parse(packed) as Record<string, { filename: string }>)
  mkdirSync(installed, { recursive: true })
  run('tar', ['-xzf', path.join(staged, filename), '--strip-components=1', '-C', installed], staged)
  // As npm would install them: those that are needed to run, and no others.
  for (const { place, name } of packagesInside()) {
    const target = path.join(folder, 'empty', 'node_modules', name)
    const source = path.join(root, place)
    if (place !== `node_modules/${name}` || !existsSync(source)) continue
    mkdirSync(path.dirname(target), { recursive: true })
    symlinkSync(source, target)
  }
}, 240_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the command line works from a package in an empty folder, without the tools of developers', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' })
  expect(files).toContain(path.join('dist', 'main', 'cli.js'))
  expect(files.filter((name) => /\.test\.|\.testing\.|\.spec\.|(?<!\.d)\.ts$|\.py$/.test(name))).toEqual([])
  const sample = path.join(installed, 'models', 'packs', 'sample.mp4')
  const tubelet = path.join(installed, 'main', 'tubelet.mjs')
  const said = run(
    process.execPath,
    [tubelet, 'analyze', sample, '--json', '--project', path.join(folder, 'library'), '--packs', path.join(folder, 'packs')],
    folder,
  )
  const { sources } = JSON.parse(said) as { sources: { state: string; clips: unknown[] }[] }
  expect(sources.map(({ state }) => state)).toEqual(['done'])
  expect(sources[0]?.clips.length).toBeGreaterThan(0)
}, 240_000)

test('an installer holds what it needs for each system, and no more than its budget', () => {
  const runtime = path.join(root, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6')
  const binaries = {
    'linux/x64': 'libonnxruntime.so.1',
    'linux/arm64': 'libonnxruntime.so.1',
    'darwin/arm64': 'libonnxruntime.1.dylib',
    'win32/x64': 'onnxruntime.dll',
  }
  const window = path.join(root, 'dist', 'renderer')
  const app = [path.join(staged, 'dist'), path.join(root, 'models', 'packs'), ...(existsSync(window) ? [window] : [])]
    .map(megabytes)
    .reduce((sum, size) => sum + size)
  const others = packagesInside()
    .filter(({ name, builtIn }) => !builtIn && name !== 'onnxruntime-node' && !config.includes(`!node_modules/${name}/**`))
    .reduce((sum, { place }) => sum + (existsSync(path.join(root, place)) ? megabytes(path.join(root, place)) : 0), 0)
  for (const [place, library] of Object.entries(binaries)) {
    expect(existsSync(path.join(runtime, place, library)), place).toBe(true)
    expect(existsSync(path.join(runtime, place, 'onnxruntime_binding.node')), place).toBe(true)
    // Without Electron (about 250 MB unpacked) and ffmpeg (about 80 MB).
    expect(app + others + megabytes(path.join(runtime, place)), place).toBeLessThan(170)
  }
})

test('the parts of Electron that other programs could misuse are off, and nothing looks for updates', () => {
  const value = (name: string) => new RegExp(`^ +${name}: (\\S+)`, 'm').exec(config)?.[1]
  for (const off of [
    'runAsNode',
    'enableNodeOptionsEnvironmentVariable',
    'enableNodeCliInspectArguments',
    'grantFileProtocolExtraPrivileges',
  ])
    expect([off, value(off)]).toEqual([off, 'false'])
  for (const on of ['enableEmbeddedAsarIntegrityValidation', 'onlyLoadAppFromAsar']) expect([on, value(on)]).toEqual([on, 'true'])
  expect(config).toMatch(/^asar: true$/m)
  expect(config).toMatch(/^publish: null$/m)
  expect(packagesInside().map(({ name }) => name)).not.toContain('electron-updater')
  for (const target of ['AppImage', 'deb', 'dmg', 'nsis']) expect(config).toContain(target)
})

test('every package that is passed on has a licence that allows it, and its notice', () => {
  const packages = packagesInside()
  expect(objections(packages)).toEqual([])
  expect(
    objections([
      { place: '', name: 'other', version: '1', licence: 'GPL-2.0-only', builtIn: false },
      { place: '', name: 'none', version: '1', licence: undefined, builtIn: false },
    ]),
  ).toHaveLength(2)
  const notices = noticesOf(packages)
  for (const { name, version } of packages) expect(notices).toContain(`${name} ${version}`)
  expect(notices).toMatch(/ffmpeg-static.*GNU General Public\s+License 3\.0/s)
})

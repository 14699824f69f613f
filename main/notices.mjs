/**
 * Writes dist/NOTICES.txt: every package that an installer holds, with its version, its licence and the licence's text, from what the packages say of
 * themselves. `node main/notices.mjs`, part of `npm run build`. Ends with an error where a licence is unknown or not among those that were looked at.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')

/** Licences under which Tubelet may pass on a package beside its own Apache-2.0, with the notice that they ask for. */
const PERMITTED = new Set([
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
  '(MIT OR CC0-1.0)',
  '(MIT OR Apache-2.0)',
])
/** Programs that lie beside the app and are run by it, not parts of it: their licence is theirs alone. */
const BESIDE = new Set(['ffmpeg-static'])
/** Packages that say their licence in words of their own. */
const SAID = { 'parse-cache-control': 'BSD-3-Clause' }

/** Paths in node_modules of the packages that are needed to run, with those that they need. Those in the window's own files are built in. */
export function packagesInside() {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'))
  const built = [
    'react',
    'react-dom',
    'scheduler',
    'zustand',
    'i18next',
    'lucide-react',
    'sonner',
    'react-resizable-panels',
    '@tanstack/react-query',
    '@tanstack/query-core',
    '@tanstack/react-virtual',
    '@tanstack/virtual-core',
  ]
  return Object.entries(packages).flatMap(([place, one]) => {
    const name = place.replace(/^.*node_modules\//, '')
    const isNeeded = place !== '' && (one.dev !== true || built.includes(name)) && one.devOptional !== true && !/^node-.*-x64$/.test(name)
    // What ffmpeg-static needs only serves to fetch its program.
    return isNeeded && (one.optional !== true || BESIDE.has(name))
      ? [{ place, name, version: one.version, licence: one.license ?? SAID[name], builtIn: one.dev === true }]
      : []
  })
}

/** What may not be passed on as it is: one line each. */
export function objections(packages) {
  return packages.flatMap(({ name, licence }) =>
    BESIDE.has(name) || PERMITTED.has(licence) ? [] : [`${name}: ${licence ?? 'no licence'}`],
  )
}

function textOf(place) {
  const folder = path.join(root, place)
  if (!existsSync(folder)) return ''
  const names = readdirSync(folder).filter(
    (name) => /^(?:licen[cs]e|copying|notice|thirdpartynotices)/i.test(name) && /(?:\.(?:md|txt))?$/i.test(name),
  )
  return names.map((name) => readFileSync(path.join(folder, name), 'utf8').trim()).join('\n\n')
}

export function noticesOf(packages) {
  const head = `Tubelet is under the Apache License 2.0 (LICENSE). An installer of it also holds what follows.

FFmpeg is a program of its own, run by Tubelet and not linked into it. The build of the package ffmpeg-static is under the GNU General Public
License 3.0 or later: whoever passes it on must offer its source code, which its README names, with it. A build under the LGPL, or the ffmpeg of
the system, takes its place by FFMPEG_PATH. Electron brings its own LICENSES.chromium.html.
`
  const each = packages.map(
    ({ name, version, licence, place }) => `${'-'.repeat(80)}\n${name} ${version}\n${licence}\n\n${textOf(place)}\n`,
  )
  return [head, ...each].join('\n')
}

if (import.meta.filename === process.argv[1]) {
  const packages = packagesInside()
  const wrong = objections(packages)
  if (wrong.length > 0) {
    console.error(`These packages cannot be passed on before somebody has looked at their licence:\n${wrong.join('\n')}`)
    process.exit(1)
  }
  mkdirSync(path.join(root, 'dist'), { recursive: true })
  writeFileSync(path.join(root, 'dist', 'NOTICES.txt'), noticesOf(packages))
}

/**
 * `npm test`: everything, from a fresh clone. Each stage runs even when an earlier one failed; the last line counts all of it.
 * Static checks count as one test each. Two lanes run side by side, one core each; the output of what runs beside the end-to-end tests is printed when it
 * has ended. The unit tests are three stages, so that both lanes end at about the same time. Skipped and failed tests are listed at the end, by name and
 * reason; results.mjs defines which skips are accepted.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { CHROMIUM, ensureDebian, ensureModules, ensurePython, ensureRenderer, FFMPEG, node24, REDIS, root } from '../main/setup.mjs'

ensureModules()
// It needs a package, which a fresh clone has from here on.
const { lastLines, ofPlaywright, ofPytest, ofVitest, shortened } = await import('./results.mjs')
for (const name of ensureDebian([FFMPEG, CHROMIUM, REDIS]))
  console.warn(
    `\n!!! ${name} is not installed: tests that need it will ${name === REDIS.name ? 'be skipped' : 'fail'}. Install it with your package manager.\n`,
  )
const node = node24()
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-test-'))
const env = {
  ...process.env,
  PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}`,
  CI: process.env.CI ?? '1',
  FORCE_COLOR: '0',
  // Tests start hundreds of processes of the same sources: each is compiled once.
  NODE_COMPILE_CACHE: path.join(folder, 'compiled'),
}
const total = { passed: 0, failed: 0, skipped: 0 }
const summary = []
const told = []
const running = new Set()
// Nothing goes on when the set-up of something else ends this process.
process.once('exit', () => running.forEach((child) => child.kill()))

/** @param aside Whether it runs beside others, on one core: its output waits until it has ended. */
async function stage(name, command, args, count, aside = false) {
  if (!aside) console.log(`\n── ${name}`)
  const began = Date.now()
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', aside ? 'pipe' : 'inherit', aside ? 'pipe' : 'inherit'],
    env: aside ? { ...env, OMP_NUM_THREADS: '1' } : env,
  })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text))
  const [status] = await once(child, 'close').catch((error) => [console.error(error.message)])
  running.delete(child)
  if (aside) console.log(`\n── ${name}\n${output}`)
  let counts
  try {
    counts = count ? count() : { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 }
  } catch (problem) {
    console.error(`${name} left no readable result: ${problem.message}`)
    counts = { passed: 0, failed: 1, skipped: 0 }
  }
  // A runner that failed outside of any test (a crash, a suite that did not load) counts as failed.
  if (status !== 0 && counts.failed === 0) counts.failed = 1
  if (counts.failed > 0 && !counts.failures?.length) counts.failures = [{ name: `exit status ${status}`, reason: shortened(output) }]
  told.push({ stage: name, ...counts })
  for (const key of Object.keys(total)) total[key] += counts[key]
  summary.push(
    `${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped (${((Date.now() - began) / 1000).toFixed(0)} s)`,
  )
}

const bin = (packageName, file) => path.join(root, 'node_modules', packageName, file)
const result = (file) => path.join(folder, file)
const text = (file) => readFileSync(result(file), 'utf8')

const tool = (packageName, file, ...args) => [node, [bin(packageName, file), ...args]]
const units = (part, of) => {
  const report = `vitest-${part}.json`
  const args = [
    'run',
    `--shard=${part}/${of}`,
    '--maxWorkers=1',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${result(report)}`,
  ]
  return [`unit tests ${part} of ${of}`, tool('vitest', 'vitest.mjs', ...args), () => ofVitest(JSON.parse(text(report)))]
}
/** The longest first, so that two lanes end at about the same time. Each is a name, what runs, and how its report is counted. */
const stagesOf = (python) => [
  ['python tests', [python, ['-m', 'pytest', '-q', '-rs', '--junitxml', result('pytest.xml')]], () => ofPytest(text('pytest.xml'))],
  units(1, 3),
  units(2, 3),
  units(3, 3),
  ['lint', tool('oxlint', 'bin/oxlint', '--deny-warnings', '--report-unused-disable-directives', '.')],
  ['python types', [python, ['-m', 'mypy', 'models']]],
  ['types', tool('typescript', 'bin/tsc', '--noEmit')],
  ['layers', tool('dependency-cruiser', 'bin/dependency-cruiser.mjs', 'app', 'main', 'renderer', '--config', '.dependency-cruiser.cjs')],
  ['dead code', tool('knip', 'bin/knip.js')],
  ['format', tool('@biomejs/biome', 'bin/biome', 'format', '.')],
  ['python lint', [python, ['-m', 'ruff', 'check', 'models']]],
  ['python format', [python, ['-m', 'ruff', 'format', '--check', 'models']]],
]

/** Run what is left, one after the other. */
async function lane() {
  for (let next = stages.shift(); next !== undefined; next = stages.shift()) {
    const [name, [command, args], count] = next
    await stage(name, command, args, count, true)
  }
}

/** The longest stage prints its output while it runs. */
async function endToEnd() {
  env.PLAYWRIGHT_JSON_OUTPUT_NAME = result('playwright.json')
  await stage('end to end', ...tool('@playwright/test', 'cli.js', 'test', '--reporter=list,json'), () =>
    ofPlaywright(JSON.parse(text('playwright.json'))),
  )
}

ensureRenderer()
// The browser's tests need no Python: they run while its packages are installed, which holds this process but not them.
const browser = endToEnd()
const stages = stagesOf(ensurePython())
await Promise.all([browser.then(lane), lane()])

rmSync(folder, { recursive: true, force: true })
const lines = lastLines(told)
if (lines.length > 0) console.log(`\n${lines.join('\n')}`)
console.log(`\n${summary.join('\n')}\n\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exit(total.failed === 0 ? 0 : 1)

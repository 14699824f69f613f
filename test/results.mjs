/**
 * What the test runners report, in one form: how many tests passed and failed, which were skipped and why, and which failed with what error.
 * A skip is accepted only for a reason that is listed here; any other one (a clip that is not there, a test without a reason, one that never
 * ran) counts as a failure.
 *
 * @typedef {{ name: string, reason: string }} Told
 * @typedef {{ passed: number, failed: number, skips: Told[], failures: Told[], unsteady?: Told[] }} Counts `unsteady`: passed at the second try.
 */
import { decodeXML } from 'entities'
import { stripVTControlCharacters } from 'node:util'

/** What a machine may lack. Everything else that tests need is in the repository or installed by `npm test`. */
const MAY_BE_MISSING = [
  /^no Electron: /,
  /^no GPU$/,
  /^no training pictures$/,
  /^needs redis-server$/,
  /^needs Linux$/,
  /^needs a Unix system$/,
  /^needs a user other than root$/,
  /^needs root, to mount a small disk$/,
]
const NO_REASON = 'no reason given'

/** Skips as failures, but for those with an accepted reason. @param {Counts} counts */
function judged({ passed, failed, skips, failures, unsteady = [] }) {
  const accepted = skips.filter(({ reason }) => MAY_BE_MISSING.some((pattern) => pattern.test(reason)))
  const refused = skips.filter((skip) => !accepted.includes(skip))
  return { passed, failed: failed + refused.length, skipped: accepted.length, accepted, refused, failures, unsteady }
}

/** The first lines of an error as a runner printed it, without colours. */
export const shortened = (output = '') =>
  stripVTControlCharacters(output)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, 12)
    .join('\n')

/** Vitest's JSON report. A test that passed at the second try is listed. A test says what it needs with `{ meta: { needs: 'Linux' } }`. @returns {ReturnType<typeof judged>} */
export function ofVitest(report) {
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  const skips = tests
    .filter(({ status }) => status !== 'passed' && status !== 'failed')
    .map(({ fullName, meta }) => ({ name: fullName.trim(), reason: meta?.needs ? `needs ${meta.needs}` : NO_REASON }))
  const failures = report.testResults.flatMap(({ name, message, status, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed')
    // A file that did not load has no tests, only a message.
    if (failed.length === 0) return status === 'failed' ? [{ name, reason: shortened(message) }] : []
    return failed.map(({ fullName, failureMessages }) => ({ name: fullName.trim(), reason: shortened(failureMessages?.[0]) }))
  })
  // Of a test that passed, these are the errors of the try before.
  const unsteady = tests
    .filter(({ status, failureMessages }) => status === 'passed' && failureMessages?.length > 0)
    .map(({ fullName, failureMessages }) => ({ name: fullName.trim(), reason: shortened(failureMessages[0]) }))
  return judged({ passed: report.numPassedTests, failed: report.numFailedTests, skips, failures, unsteady })
}

/**
 * Playwright's JSON report. A test that did not run because an earlier test of its file failed has no reason. A test that failed first and passed at the
 * second try counts as passed, and is listed.
 *
 * @returns {ReturnType<typeof judged>}
 */
export function ofPlaywright(report) {
  const skips = []
  const failures = []
  const unsteady = []
  const visit = (suite, titles) => {
    for (const { title, tests } of suite.specs ?? [])
      for (const { status, annotations, results = [] } of tests) {
        const name = [...titles, title].join(' › ')
        if (status === 'skipped') skips.push({ name, reason: annotations.find(({ type }) => type === 'skip')?.description ?? NO_REASON })
        const told = { name, reason: shortened(results.flatMap(({ errors = [] }) => errors)[0]?.message) }
        if (status === 'unexpected') failures.push(told)
        if (status === 'flaky') unsteady.push(told)
      }
    for (const inner of suite.suites ?? []) visit(inner, [...titles, inner.title])
  }
  visit(report, [])
  const { expected, unexpected, flaky } = report.stats
  return judged({ passed: expected + flaky, failed: unexpected, skips, failures, unsteady })
}

/** pytest's JUnit XML. @returns {ReturnType<typeof judged>} */
export function ofPytest(xml) {
  const [, suite = ''] = /<testsuite ([^>]*)>/.exec(xml) ?? []
  const number = (key) => Number(new RegExp(`\\b${key}="(\\d+)"`).exec(suite)?.[1] ?? 0)
  const skips = [...xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*><skipped [^>]*?message="([^"]*)"/g)].map(
    ([, file, test, reason]) => ({ name: `${file} ${test}`, reason: reason || NO_REASON }),
  )
  const failures = [...xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*><(?:failure|error) message="([^"]*)"/g)].map(
    ([, file, test, message]) => ({ name: `${file} ${test}`, reason: shortened(decodeXML(message)) }),
  )
  const failed = number('failures') + number('errors')
  return judged({ passed: number('tests') - failed - number('skipped'), failed, skips, failures })
}

/** Skips and failures as readable text. @param {{ stage: string, accepted: Told[], refused: Told[], failures: Told[], unsteady: Told[] }[]} stages */
export function lastLines(stages) {
  const lines = (kind, heading, line) => {
    const all = stages.flatMap((stage) => (stage[kind] ?? []).map(({ name, reason }) => line(`${stage.stage}: ${name}`, reason)))
    return all.length > 0 ? [heading, ...all] : []
  }
  const short = (name, reason) => `  ${name} (${reason})`
  const long = (name, reason) => `  ${name}\n${reason.replaceAll(/^/gm, '      ')}`
  return [
    ...lines('accepted', 'Skipped for what this machine lacks:', short),
    ...lines('refused', 'Skipped without an accepted reason, which counts as failed (test/results.mjs lists the accepted ones):', short),
    ...lines('unsteady', 'Passed only at the second try:', long),
    ...lines('failures', 'Failed:', long),
  ]
}

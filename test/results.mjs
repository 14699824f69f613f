/**
 * What the test runners report, in one form: how many tests passed and failed, and which were skipped and why. A skip is accepted only for a
 * reason that is listed here; any other one (a clip that is not there, a test without a reason, one that never ran) counts as a failure.
 *
 * @typedef {{ name: string, reason: string }} Skip
 * @typedef {{ passed: number, failed: number, skips: Skip[] }} Counts
 */

/** What a machine may lack. Everything else that tests need is in the repository or installed by `npm test`. */
const MAY_BE_MISSING = [
  /^no Electron: /,
  /^no GPU$/,
  /^no training pictures$/,
  /^needs Linux$/,
  /^needs a Unix system$/,
  /^needs a user other than root$/,
  /^needs root, to mount a small disk$/,
]
const NO_REASON = 'no reason given'

/** Skips as failures, but for those with an accepted reason. @param {Counts} counts */
function judged({ passed, failed, skips }) {
  const accepted = skips.filter(({ reason }) => MAY_BE_MISSING.some((pattern) => pattern.test(reason)))
  const refused = skips.filter((skip) => !accepted.includes(skip))
  return { passed, failed: failed + refused.length, skipped: accepted.length, accepted, refused }
}

/** Vitest's JSON report. A test says what it needs with `{ meta: { needs: 'Linux' } }`. @returns {ReturnType<typeof judged>} */
export function ofVitest(report) {
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  const skips = tests
    .filter(({ status }) => status !== 'passed' && status !== 'failed')
    .map(({ fullName, meta }) => ({ name: fullName.trim(), reason: meta?.needs ? `needs ${meta.needs}` : NO_REASON }))
  return judged({ passed: report.numPassedTests, failed: report.numFailedTests, skips })
}

/** Playwright's JSON report. What did not run because an earlier test of its file failed has no reason. @returns {ReturnType<typeof judged>} */
export function ofPlaywright(report) {
  const skips = []
  const visit = (suite, titles) => {
    for (const { title, tests } of suite.specs ?? [])
      for (const { status, annotations } of tests)
        if (status === 'skipped') {
          const reason = annotations.find(({ type }) => type === 'skip')?.description ?? NO_REASON
          skips.push({ name: [...titles, title].join(' › '), reason })
        }
    for (const inner of suite.suites ?? []) visit(inner, [...titles, inner.title])
  }
  visit(report, [])
  const { expected, unexpected, flaky } = report.stats
  return judged({ passed: expected, failed: unexpected + flaky, skips })
}

/** pytest's JUnit XML. @returns {ReturnType<typeof judged>} */
export function ofPytest(xml) {
  const [, suite = ''] = /<testsuite ([^>]*)>/.exec(xml) ?? []
  const number = (key) => Number(new RegExp(`\\b${key}="(\\d+)"`).exec(suite)?.[1] ?? 0)
  const skips = [...xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*><skipped [^>]*?message="([^"]*)"/g)].map(
    ([, file, test, reason]) => ({ name: `${file} ${test}`, reason: reason || NO_REASON }),
  )
  const failed = number('failures') + number('errors')
  return judged({ passed: number('tests') - failed - number('skipped'), failed, skips })
}

/** The skips for people, one a line. @param {{ stage: string, accepted: Skip[], refused: Skip[] }[]} stages */
export function skipLines(stages) {
  const lines = (kind, heading) => {
    const all = stages.flatMap((stage) => stage[kind].map(({ name, reason }) => `  ${stage.stage}: ${name} (${reason})`))
    return all.length > 0 ? [heading, ...all] : []
  }
  return [
    ...lines('accepted', 'Skipped for what this machine lacks:'),
    ...lines('refused', 'Skipped without an accepted reason, which counts as failed (test/results.mjs lists the accepted ones):'),
  ]
}

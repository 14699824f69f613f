/** How `npm test` counts, from reports in the form of the three runners (reduced to the fields that are read). */
import { expect, test } from 'vitest'
import { lastLines, ofPlaywright, ofPytest, ofVitest } from './results.mjs'

const vitest = (...tests: object[]) => ({ numPassedTests: 5, numFailedTests: 1, testResults: [{ assertionResults: tests }] })
const skipped = (name: string, needs?: string) => ({ fullName: name, status: 'skipped', meta: needs === undefined ? {} : { needs } })

test('a skip for what a machine may lack is counted as skipped, with its name and reason', () => {
  expect(ofVitest(vitest({ fullName: 'adds', status: 'passed', meta: {} }, skipped('export refuses /proc', 'Linux')))).toEqual({
    passed: 5,
    failed: 1,
    skipped: 1,
    accepted: [{ name: 'export refuses /proc', reason: 'needs Linux' }],
    refused: [],
    failures: [],
    unsteady: [],
  })
})

test('a skip for a missing clip, one without a reason and one that is still to be written fail the run', () => {
  const todo = { fullName: 'reads AVIF', status: 'todo', meta: {} }
  const counts = ofVitest(vitest(skipped('probes d01', 'the clip d01_people.mp4'), skipped('says why'), todo))
  expect(counts).toMatchObject({ passed: 5, failed: 1 + 3, skipped: 0, accepted: [] })
  expect(counts.refused).toEqual([
    { name: 'probes d01', reason: 'needs the clip d01_people.mp4' },
    { name: 'says why', reason: 'no reason given' },
    { name: 'reads AVIF', reason: 'no reason given' },
  ])
})

test('a unit test that passed at the second try counts as passed, and is listed with the error of the first', () => {
  const second = { fullName: 'pauses', status: 'passed', failureMessages: ['late'], meta: {} }
  const { passed, failed, unsteady } = ofVitest(vitest({ fullName: 'adds', status: 'passed', failureMessages: [], meta: {} }, second))
  expect([passed, failed, unsteady]).toEqual([5, 1, [{ name: 'pauses', reason: 'late' }]])
})

test('Playwright: a skip is found in nested suites, and a test that never ran after a failure is no skip', () => {
  const spec = (title: string, status: string, description?: string, error?: string) => ({
    title,
    tests: [
      {
        status,
        annotations: description === undefined ? [] : [{ type: 'skip', description }],
        results: error === undefined ? [] : [{ errors: [{ message: error }] }],
      },
    ],
  })
  const report = {
    stats: { expected: 3, unexpected: 1, flaky: 1, skipped: 3 },
    suites: [
      {
        title: 'electron.spec.ts',
        specs: [spec('the window opens', 'skipped', 'no Electron: its runtime is not installed')],
        suites: [{ title: 'menus', specs: [spec('opens a folder', 'skipped', 'there are no clips at ../shared/clips')] }],
      },
      { title: 'review.spec.ts', specs: [spec('plays', 'expected'), spec('seeks', 'flaky', undefined, 'late'), spec('stops', 'skipped')] },
      { title: 'table.spec.ts', specs: [spec('sorts', 'unexpected', undefined, '\u001b[31mError\u001b[39m: not sorted\n\n  at x')] },
    ],
  }
  expect(ofPlaywright(report)).toEqual({
    passed: 3 + 1,
    failed: 1 + 2,
    skipped: 1,
    accepted: [{ name: 'electron.spec.ts › the window opens', reason: 'no Electron: its runtime is not installed' }],
    refused: [
      { name: 'electron.spec.ts › menus › opens a folder', reason: 'there are no clips at ../shared/clips' },
      { name: 'review.spec.ts › stops', reason: 'no reason given' },
    ],
    failures: [{ name: 'table.spec.ts › sorts', reason: 'Error: not sorted\n  at x' }],
    unsteady: [{ name: 'review.spec.ts › seeks', reason: 'late' }],
  })
})

test('pytest: skips are told from passed tests, failures and errors', () => {
  const xml = `<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="2" tests="9" time="0.2" hostname="x">
    <testcase classname="models.data.test_world" name="test_a_gpu_draws_the_same_pictures" time="0.000"><skipped type="pytest.skip" message="no GPU">/x/test_world.py:205: no GPU</skipped></testcase>
    <testcase classname="models.test_cut" name="test_cuts" time="0.1"><failure message="assert 1 &lt; 0&#10;  in f">x</failure></testcase>
    <testcase classname="models.test_train" name="test_learns[a &gt; b]" time="0.1" /><testcase classname="models.test_train" name="test_real" time="0.0"><skipped type="pytest.skip" message="no clips">/x/t.py:1: no clips</skipped></testcase>
  </testsuite></testsuites>`
  expect(ofPytest(xml)).toEqual({
    passed: 9 - 2 - 2,
    failed: 2 + 1,
    skipped: 1,
    accepted: [{ name: 'models.data.test_world test_a_gpu_draws_the_same_pictures', reason: 'no GPU' }],
    refused: [{ name: 'models.test_train test_real', reason: 'no clips' }],
    failures: [{ name: 'models.test_cut test_cuts', reason: 'assert 1 < 0\n  in f' }],
    unsteady: [],
  })
})

test('Vitest: a failed test is told with its error, a file that did not load with its message', () => {
  const report = {
    numPassedTests: 0,
    numFailedTests: 1,
    testResults: [
      { assertionResults: [{ fullName: ' adds', status: 'failed', failureMessages: ['Error: 1 is not 2'], meta: {} }] },
      { name: 'x.test.ts', status: 'failed', message: 'no such module', assertionResults: [] },
    ],
  }
  expect(ofVitest(report).failures).toEqual([
    { name: 'adds', reason: 'Error: 1 is not 2' },
    { name: 'x.test.ts', reason: 'no such module' },
  ])
})

test('what was skipped, refused, unsteady and failed is listed apart, and nothing is said where there is nothing', () => {
  const none = { accepted: [], refused: [], failures: [], unsteady: [] }
  const told = (name: string, reason: string) => [{ name, reason }]
  expect(lastLines([{ stage: 'unit', ...none }])).toEqual([])
  expect(
    lastLines([
      { stage: 'python', ...none, accepted: told('a', 'no GPU'), refused: told('b', 'no clips'), failures: told('c', 'Error\n at x') },
      { stage: 'end to end', ...none, unsteady: told('d', 'late') },
    ]),
  ).toEqual([
    'Skipped for what this machine lacks:',
    '  python: a (no GPU)',
    expect.stringContaining('counts as failed'),
    '  python: b (no clips)',
    'Passed only at the second try:',
    '  end to end: d\n      late',
    'Failed:',
    '  python: c\n      Error\n       at x',
  ])
})

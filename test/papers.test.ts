/** The documents name only files that exist: a path in docs/architecture.md that points nowhere is worse than none. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '..')
const papers = [
  'README.md',
  'CONTRIBUTING.md',
  'models/README.md',
  'test/clips/README.md',
  ...readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }

/** Repository paths in a text: code in backticks, and paths in diagrams, that begin with one of its folders; none with a placeholder. */
const pathsIn = (text: string) =>
  [...text.matchAll(/(?<![\w/.-])(?:app|main|renderer|models|test|docs)\/[\w./-]*\w/g)]
    .map(([found]) => found)
    .filter((found) => !/[A-Z]{3,}\b(?!.*\.md)/.test(found))

test.each(papers)('%s names no file that is not there', (name) => {
  const text = readFileSync(path.join(root, name), 'utf8')
  const linked = [...text.matchAll(/\]\((?!\w+:)([^)#]+)/g)].map(([, to]) => path.join(path.dirname(name), String(to)))
  expect([...pathsIn(text), ...linked].filter((found) => !existsSync(path.join(root, found)))).toEqual([])
})

test.each(papers)('%s shows no npm script that is not there', (name) => {
  const text = readFileSync(path.join(root, name), 'utf8')
  expect([...text.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => String(script)).filter((script) => !(script in scripts))).toEqual([])
})

test('the twenty questions of a newcomer have an answer with a file each', () => {
  const [, table = ''] = readFileSync(path.join(root, 'docs/architecture.md'), 'utf8').split('## Where to change what')
  const rows = table.split('\n').filter((line) => /^\| .*\? \|/.test(line))
  expect(rows).toHaveLength(20)
  expect(rows.filter((row) => pathsIn(row).length === 0)).toEqual([])
})

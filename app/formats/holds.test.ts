import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { AnnotationFormat } from '../contract/export.ts'
import { english } from '../phrase.ts'
import { type Counts, DETAILS, type Detail, HOLDS, KINDS, staysBehind } from './holds.ts'

const DETAIL_NAMES = Object.keys(DETAILS) as Detail[]

it('docs/exports.md has the same table', () => {
  const rows = AnnotationFormat.options.map((format) => {
    const { name, kinds, keeps, but = '' } = HOLDS[format]
    const marks = [...KINDS.map((kind) => kinds.includes(kind)), ...DETAIL_NAMES.map((detail) => keeps.includes(detail))]
    return `| ${name} (\`${format}\`) | ${marks.map((mark) => (mark ? 'yes' : '')).join(' | ')} | ${but} |`
  })
  const docs = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'exports.md'), 'utf8')
  expect(rows.map((row) => row.replaceAll('|  |', '| |').replaceAll('|  |', '| |')).filter((row) => !docs.includes(row))).toEqual([])
})

it('each kind that some format cannot hold is told with its number', () => {
  const counts: Counts = { track: 3, caption: 12, segment: 0, answer: 0, note: 1, text: 0 }
  expect(staysBehind(['coco', 'cvat', 'jsonl'], counts).map(english)).toEqual([
    'Captions stay behind (12): COCO, CVAT video 1.1 cannot hold them.',
    'Notes stay behind (1): COCO, CVAT video 1.1 cannot hold them.',
  ])
  expect(staysBehind(['jsonl', 'csv'], counts)).toEqual([])
})

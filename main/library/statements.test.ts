import { expect, it } from 'vitest'
import { KeptStatements } from './statements.ts'

function numbers(): KeptStatements {
  const db = new KeptStatements(':memory:')
  db.exec('CREATE TABLE numbers (n INTEGER) STRICT')
  for (let n = 1; n <= 3; n++) db.prepare('INSERT INTO numbers VALUES (?)').run(n)
  return db
}

it('prepares a text once, and gives each use its own values and rows', () => {
  const db = numbers()
  const above = () => db.prepare('SELECT n FROM numbers WHERE n > ? ORDER BY n')
  expect(above()).toBe(above())
  const [more, least] = [above(), above()]
  expect([more.all(1), least.get(0)]).toEqual([[{ n: 2 }, { n: 3 }], { n: 1 }])
})

it('goes on row by row though the same text is used meanwhile', () => {
  const db = numbers()
  const all = () => db.prepare('SELECT n FROM numbers ORDER BY n')
  const seen = [...all().iterate()].map((row) => [row['n'], [...all().iterate()].length, all().all().length])
  const met: unknown[] = []
  for (const { n } of all().iterate()) {
    met.push(n)
    for (const row of all().iterate()) if (row['n'] === 2) break
  }
  expect(seen).toEqual([
    [1, 3, 3],
    [2, 3, 3],
    [3, 3, 3],
  ])
  expect(met).toEqual([1, 2, 3])
})

it('knows of a table that was changed, and forgets texts that are no longer used', () => {
  const db = numbers()
  const all = () => db.prepare('SELECT * FROM numbers WHERE n = 1').all()
  expect(all()).toEqual([{ n: 1 }])
  db.exec('ALTER TABLE numbers ADD COLUMN word TEXT')
  expect(all()).toEqual([{ n: 1, word: null }])
  const first = db.prepare('SELECT 0')
  for (let i = 1; i <= 400; i++) db.prepare(`SELECT ${i}`)
  expect(db.prepare('SELECT 0')).not.toBe(first)
})

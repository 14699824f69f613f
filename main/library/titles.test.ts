/** What videos are called while they come, go and move. */
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { titlesOf } from '../../app/formats/titles.ts'
import { Titles } from './titles.ts'

test('titles are the same whether read at once or kept up with changes, and only videos of one name are looked at again', () => {
  const db = new DatabaseSync(':memory:')
  db.exec('CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT, path TEXT)')
  const titles = new Titles(db)
  const put = (id: number, path: string, number = '') => {
    const name = `${path.split('/').at(-1) ?? ''}${number}`
    db.prepare('INSERT OR REPLACE INTO sources (id, name, path) VALUES (?, ?, ?)').run(id, name, path)
    titles.forget([id])
  }
  const all = () => db.prepare('SELECT id, name, path FROM sources ORDER BY id').all() as { id: number; name: string; path: string }[]
  const expectAll = () => {
    const rows = all()
    const whole = titlesOf(rows)
    expect(rows.map(({ id }) => titles.of(id))).toEqual(rows.map(({ id }) => whole.get(id)))
  }
  for (let id = 1; id <= 40; id++) put(id, `/v/${id % 3}/${id % 7}/cam${id % 5}.mp4`, id % 4 === 0 ? ' #2' : '')
  expectAll()
  put(3, '/v/other/cam9.mp4')
  put(41, '/w/cam1.mp4')
  expectAll()
  db.exec('DELETE FROM sources WHERE id IN (5, 6, 41)')
  titles.forget([5, 6, 41])
  expectAll()
  expect(titles.of(41)).toBe('')
  // Without being told which.
  db.exec(`UPDATE sources SET name = 'cam0.mp4', path = '/x/' || id || '/cam0.mp4' WHERE id > 30`)
  titles.forget()
  expectAll()
  expect(new Set(all().map(({ id }) => titles.of(id))).size).toBe(all().length)
})

test('a name that turns the direction of writing, or adds a line, is shown without that; two that then are the same are told apart', () => {
  const films = ['clip\u202e4pm.exe.mp4', 'clip4pm.exe.mp4', 'line\u0085one\ntwo.mp4', 'שלום.mp4'].map((name, id) => ({
    id,
    name,
    path: `/v/\u2066dir${id}/${name}`,
  }))
  const titles = titlesOf(films)
  expect(films.map(({ id }) => titles.get(id))).toEqual(['dir0/clip4pm.exe.mp4', 'dir1/clip4pm.exe.mp4', 'lineone two.mp4', 'שלום.mp4'])
})

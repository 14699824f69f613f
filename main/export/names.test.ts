/** Under which names videos are exported. */
import { expect, test } from 'vitest'
import type { Source } from '../../app/contract.ts'
import { folderNames } from './names.ts'

const sourceOf = (id: number, name: string, title: string): Source =>
  ({ id, name, title, path: `/video/${title}`, fingerprint: String(id) }) as Source
const nothing = { files: {}, videos: {}, parts: {} }

test('videos of one name have folders that tell them apart as their titles do', () => {
  const titles = ['x/a.mp4', 'y/a.mp4 (2)', 'y/a.mp4 (3)', 'b.mp4', 'b.mkv', 'c.mp4']
  const sources = titles.map((title, id) => sourceOf(id, title.replace(/^.*\//, '').replace(/ .*/, ''), title))
  const folders = folderNames(sources, nothing, [])
  expect(sources.map(({ id }) => folders.get(id))).toEqual(['x_a', 'y_a (2)', 'y_a (3)', 'b.mp4', 'b.mkv', 'c'])
  // A folder of an earlier version goes on, also with its number.
  const before = folderNames(sources, { ...nothing, videos: { a: ['0'], 'a (2)': ['2'], 'c (2)': ['elsewhere'], reel: ['1'] } }, ['reel'])
  expect(sources.map(({ id }) => before.get(id))).toEqual(['a', 'y_a (2)', 'a (2)', 'b.mp4', 'b.mkv', 'c'])
})

test('each picture of a file has a folder that is called after both, whatever else the name has in it', () => {
  const names = ['two.mp4', 'two.mp4 #2', 'a #1.film.mkv #2', 'take #3.mov', 'img_####.png', 'img_####.png [7-9]']
  const sources = names.map((name, id) => sourceOf(id, name, name))
  const folders = folderNames(sources, nothing, [])
  expect([...folders.values()]).toEqual(['two', 'two #2', 'a #1.film #2', 'take #3', 'img_####', 'img_#### [7-9]'])
})

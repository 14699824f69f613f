/** Under which names videos are exported. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import type { Source } from '../../app/contract.ts'
import { libraryOf, tricky } from '../../test/documents.ts'
import { exportProject } from './export.ts'
import { folderNames, removeFormer } from './names.ts'

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

test('the files of a video that was renamed take the place of the earlier ones, but for files that somebody changed', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-names-'))
  const directory = path.join(folder, 'out')
  const library = libraryOf(path.join(folder, 'library'), [tricky])
  const db = new DatabaseSync(path.join(library.projectDir, 'library.sqlite'))
  const written = async (name: string) => {
    db.prepare(`UPDATE sources SET name = ?1, path = '/films/' || ?1`).run(name)
    const { files } = await exportProject(library, { formats: ['vtt', 'coco', 'mot'], directory, perVideo: true })
    await removeFormer(
      directory,
      files.map(({ path: file }) => file),
    )
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((file) => file !== 'tubelet-export.json' && statSync(path.join(directory, file)).isFile())
      .sort()
  }
  try {
    const first = await written('old.mp4')
    expect(first).toContain('old/captions.vtt')
    expect(await written('new.mp4')).toEqual(first.map((name) => name.replace('old', 'new')))
    expect(readdirSync(directory)).not.toContain('old')
    writeFileSync(path.join(directory, 'new/captions.vtt'), 'mine')
    expect(await written('newest.mp4')).toEqual(['new/captions.vtt', ...first.map((name) => name.replace('old', 'newest'))].sort())
    expect(readFileSync(path.join(directory, 'new/captions.vtt'), 'utf8')).toBe('mine')
  } finally {
    db.close()
    await library.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

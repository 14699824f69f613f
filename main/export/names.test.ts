/** Under which names videos are exported. */
import { expect, test } from 'vitest'
import type { Source } from '../../app/contract.ts'
import { folderNames } from './names.ts'

test('each picture of a file has a folder that is called after both, whatever else the name has in it', () => {
  const names = ['two.mp4', 'two.mp4 #2', 'a #1.film.mkv #2', 'take #3.mov', 'img_####.png', 'img_####.png [7-9]']
  const sources = names.map((name, id) => ({ id, name, fingerprint: String(id) }) as Source)
  const folders = folderNames(sources, { files: {}, videos: {}, parts: {} }, [])
  expect([...folders.values()]).toEqual(['two', 'two #2', 'a #1.film #2', 'take #3', 'img_####', 'img_#### [7-9]'])
})

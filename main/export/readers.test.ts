import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { SidecarFormat } from '../../app/contract/export.ts'
import { libraryOf, tricky } from '../../test/documents.ts'
import { exportProject } from './export.ts'
import { fastXmlParser, readAlsoBy, saxReader, webvttParser } from './readers.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-read-back-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('an export says which library read a file back, and which only Tubelet read', async () => {
  const library = libraryOf(path.join(folder, 'library'), [tricky])
  const { files } = await exportProject(library, { formats: SidecarFormat.options, directory: path.join(folder, 'out') })
  await library.close()
  const by = new Map(files.map(({ path: file, reader }) => [path.basename(file), reader]))
  expect([by.get('captions.vtt'), by.get('cvat.xml'), by.get('annotations.eaf'), by.get('boxes.csv')]).toEqual([
    expect.stringMatching(/^webvtt-parser \d/),
    expect.stringMatching(/^sax \d/),
    expect.stringMatching(/^fast-xml-parser \d/),
    null,
  ])
})

it('a file in which a library finds something else, or that it refuses, is not taken for read', () => {
  const file = path.join(folder, 'x')
  writeFileSync(file, 'WEBVTT\n\n00:01.000 --> 00:02.000\na\n\n00:03.000 --> 00:02.000\nb\n')
  expect(() => readAlsoBy(webvttParser, file, 2)).toThrow('line')
  writeFileSync(file, '<a><box/><box/></a>')
  expect(() => readAlsoBy(saxReader('box'), file, 3)).toThrow('finds 2 things, not 3')
  expect(readAlsoBy(fastXmlParser('box'), file, 2)).toMatch(/^fast-xml-parser \d/)
  writeFileSync(file, '<a><box></a>')
  expect(() => readAlsoBy(fastXmlParser('box'), file, 2)).toThrow('not 2')
  expect(() => readAlsoBy(saxReader('box'), file, 1)).toThrow(SyntaxError)
})

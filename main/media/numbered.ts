/**
 * Numbered pictures as one video: which files match the pattern now, and the list of them that ffmpeg reads. Each picture lasts one second in the
 * list, so that a frame's time gives its place even where others cannot be decoded; a person sets how many are shown per second.
 */
import { readdir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { TubeletError } from '../../app/errors.ts'
import { namesOf, type NumberedVideo, picturesOf } from '../../app/numbered.ts'
import { makeFolder } from '../folders.ts'
import { writeWhole } from '../part.ts'
import { problemOfAccess } from './access.ts'
import { IN_FOLDER } from './fence.ts'

/** At most so many files are opened at the same time. */
const AT_ONCE = 64

export interface NumberedFile {
  file: string
  bytes: number
  mtimeMs: number
  ctimeMs: number
}

/** The pictures of a pattern, in their order, and their runs. @throws TubeletError `file-missing` where there are none, `file-unreadable` */
export async function filesOf(pattern: string): Promise<{ files: NumberedFile[]; runs: NumberedVideo['runs'] }> {
  const folder = path.dirname(pattern)
  try {
    const found = picturesOf(pattern, await readdir(folder))
    if (found === null) throw Object.assign(new Error(`no picture is called like ${path.basename(pattern)}`), { code: 'ENOENT' })
    const names = namesOf(pattern, found.runs)
    const files: NumberedFile[] = []
    for (let at = 0; at < names.length; at += AT_ONCE)
      files.push(
        ...(await Promise.all(
          names.slice(at, at + AT_ONCE).map(async (name) => {
            const file = path.join(folder, name)
            const { size, mtimeMs, ctimeMs } = await stat(file)
            return { file, bytes: size, mtimeMs, ctimeMs }
          }),
        )),
      )
    return { files, runs: found.runs }
  } catch (error) {
    throw new TubeletError(problemOfAccess(pattern, error), { cause: error })
  }
}

/**
 * Write the list that ffmpeg reads instead of the pictures' pattern. Pictures may be links: the folders where they really are stand first, because
 * ffmpeg may read no other.
 *
 * @param list Its file.
 */
export async function writeList(list: string, pattern: string, { runs }: NumberedVideo): Promise<void> {
  const folder = path.dirname(pattern)
  // ffmpeg's concat demuxer gives nothing a special meaning within single quotes, except the quotes themselves.
  const quoted = (file: string) => `'${file.replaceAll("'", "'\\''")}'`
  const names = namesOf(pattern, runs)
  const lines = names.map((name) => {
    const file = path.join(folder, name)
    // The JPEG demuxer would take a percent sign for a pattern.
    const plain = file.includes('%') && /\.jpe?g$/i.test(file) ? 'option pattern_type none\n' : ''
    return `file ${quoted(`file:${file}`)}\n${plain}duration 1\n`
  })
  const folders = [folder, ...(await foldersOfLinks(folder, new Set(names)))].map((one) => `${IN_FOLDER}${JSON.stringify(one)}\n`)
  await makeFolder(path.dirname(list))
  await writeWhole(list, `ffconcat version 1.0\n${folders.join('')}${lines.join('')}`)
}

/** The folders of the files to which pictures of a folder are links. */
async function foldersOfLinks(folder: string, names: ReadonlySet<string>): Promise<Set<string>> {
  const folders = new Set<string>()
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  for (const { name } of entries.filter((entry) => entry.isSymbolicLink() && names.has(entry.name)))
    folders.add(path.dirname(await realpath(path.join(folder, name)).catch(() => path.join(folder, name))))
  return folders
}

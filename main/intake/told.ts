/** What became of everything that was brought, as lines of text: each thing once, by its path. */
import path from 'node:path'
import { inEnglish, type Problem } from '../../app/errors.ts'
import { english } from '../../app/phrase.ts'
import { exchanged, saidOfExchanged } from '../../app/renames.ts'
import { type Gap, gapsOf, gapsText } from '../../app/numbered.ts'
import type { Brought } from './intake.ts'

/** `path`: what was found. `became`: what Tubelet made of it. */
interface Became {
  path: string
  became: 'added' | 'known' | 'duplicate' | 'moved' | 'restored' | 'rejected' | 'pack' | 'numbered' | 'sidecar' | 'text' | 'nothing'
  /** The path of the video that it is the same as. */
  of?: string
  /** For numbered pictures: first and last number of each gap that the video skips. */
  gaps?: Gap[]
  /** Whether an analysed video had this path before and its file is gone. */
  replaces?: true
  problem?: Problem
}

/** @param pathOf Gives the path of a video of the library. */
export function becameOf(brought: Brought, pathOf: (sourceId: number) => string): Became[] {
  const { added, duplicates, moved, restored, rejected, packs, numbered, sidecars, texts, nothing } = brought
  const all: Became[] = [
    ...added.map(({ path: file, numbered: pictures }): Became => {
      const gaps = gapsOf(pictures?.runs ?? [])
      return { path: file, became: 'added', ...(gaps.length > 0 && { gaps }) }
    }),
    ...duplicates.map(({ path: file, sourceId }): Became => {
      const of = pathOf(sourceId)
      return of === file ? { path: file, became: 'known' } : { path: file, became: 'duplicate', of }
    }),
    ...moved.map(({ path: file, from }): Became => ({ path: file, became: 'moved', of: from })),
    ...restored.map(({ path: file }): Became => ({ path: file, became: 'restored' })),
    ...rejected.map(({ path: file, problem }): Became => ({ path: file, became: 'rejected', problem })),
    ...packs.map(({ path: file, problem }): Became => ({ path: file, became: 'pack', ...(problem && { problem }) })),
    ...numbered.map(({ path: file, gaps }): Became => ({ path: file, became: 'numbered', ...(gaps.length > 0 && { gaps }) })),
    ...sidecars.map((file): Became => ({ path: file, became: 'sidecar' })),
    ...texts.map((file): Became => ({ path: file, became: 'text' })),
    ...nothing.map(({ path: file }): Became => ({ path: file, became: 'nothing' })),
  ]
  // Several pictures of one file are separate videos of one path: the file is listed once.
  const replaced = new Set(brought.replaced.map(({ path: file }) => file))
  return [...Map.groupBy(all, (one) => one.path).values()].flatMap(([first]) =>
    first === undefined ? [] : [{ ...first, ...(replaced.has(first.path) && { replaces: true as const }) }],
  )
}

/** Lines about everything except new videos, which are reported as they are analysed. `wrong`: something was not taken. */
export function linesOf(brought: Brought, pathOf: (sourceId: number) => string): { text: string; wrong: boolean }[] {
  const { added, duplicates, moved, restored, rejected, packs, numbered, sidecars, texts, nothing } = brought
  const together = exchanged(moved)
  const refused = [...rejected, ...packs.flatMap(({ path: file, problem }) => (problem === null ? [] : [{ path: file, problem }]))]
  return [
    ...refused.map(({ path: file, problem }) => wrong(`${file}: ${inEnglish(problem).message} ${inEnglish(problem).next}`.trim())),
    ...[...new Set(brought.replaced.map(({ path: file }) => file))].map((file) =>
      wrong(
        `${file}: Another video lies here than before. What was said of the earlier one stays with it in the library; add its file from its new place, if there is a copy.`,
      ),
    ),
    ...duplicates.map(({ path: file, sourceId }) =>
      right(pathOf(sourceId) === file ? `known: ${file}` : `the same video as ${pathOf(sourceId)}: ${file}`),
    ),
    ...(together.length > 0 ? [right(english(saidOfExchanged(together)))] : []),
    ...moved.filter((one) => !together.includes(one)).map(({ path: file, from }) => right(`known from ${from}: ${file}`)),
    ...restored.map(({ path: file }) => right(`back from the bin: ${file}`)),
    ...added.flatMap(({ path: file, numbered: pictures }) => {
      const gaps = gapsOf(pictures?.runs ?? [])
      if (gaps.length === 0) return []
      return [
        right(`${file}: one video over gaps, for these numbers are missing: ${gapsText(gaps)}. For a video of each part: --gaps split.`),
      ]
    }),
    ...numbered.map(({ path: file, count, first, last, missing, gaps }) =>
      wrong(
        `${file}: ${count} numbered pictures (${first} to ${last}${missing > 0 ? `; ${missing} missing: ${gapsText(gaps)}` : ''}). To analyse them as one video, say how many are shown a second, for example --fps 25${missing > 0 ? '; for a video of each part between the gaps, --gaps split too' : ''}.`,
      ),
    ),
    ...summed('sidecar file', 'sidecar files', sidecars),
    ...summed('text that is called like a video', 'texts that are called like videos', texts),
    ...nothing.map(({ path: folder, files }) =>
      wrong(
        files === 0
          ? `${folder}: This folder is empty. Name files, or a folder with videos in it or below it.`
          : `${folder}: No video was found there, nor below it: ${files === 1 ? 'the one file there is no video' : `${files} files are no videos`}. Name files, or a folder with videos.`,
      ),
    ),
  ]
}

/** One line for any number of files with which nothing is wrong. */
function summed(one: string, many: string, files: readonly string[]): { text: string; wrong: boolean }[] {
  if (files.length === 0) return []
  const named = files.slice(0, 5).map((file) => path.basename(file))
  const more = files.length > named.length ? ', …' : ''
  return [right(`not videos: ${files.length} ${files.length === 1 ? one : many} (${named.join(', ')}${more})`)]
}

const right = (text: string) => ({ text, wrong: false })
const wrong = (text: string) => ({ text, wrong: true })

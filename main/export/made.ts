/** What an export makes of the videos themselves: pictures, videos and pages. Each is one file or one folder. */
import type { DatabaseSync } from 'node:sqlite'
import type { PictureFormat } from '../../app/contract/export.ts'
import type { Film } from '../../app/formats/document.ts'
import type { Scope } from '../../app/formats/scope.ts'
import type { Problem } from '../../app/errors.ts'
import type { Phrase } from '../../app/phrase.ts'
import { CONTENTS, type TextContent, writeText } from './files.ts'
import type { Written } from './folder.ts'
import { crops, type MakeOptions, pictures, type Reel } from './pictures.ts'
import { type About, report, sheet } from './report.ts'
import { clips, type CutChoice, reel } from './videos.ts'
import { framesLookedAt } from './films.ts'
import { yolo } from './yolo.ts'

type MadeContent = Exclude<PictureFormat, 'sheet' | 'report'> | 'yolo' | 'sheet.html' | 'report.html'
export type Content = TextContent | MadeContent

/**
 * `count`: how many files are in a folder. `notes`: what a person must know of it. `failed`: why nothing of what was asked is in it; it is not kept
 * then.
 */
export type MadeFile = Written & { count?: number; notes?: Phrase[]; failed?: Problem | null }

/** What all of it needs besides the annotations. */
export interface Making {
  tools: MakeOptions['tools']
  /** By id of the source. */
  videos: ReadonlyMap<number, Omit<Reel, 'film'>>
  frames: MakeOptions['frames']
  cut: CutChoice
  /** The chosen clips in the order in which they are shown; null for the order of the videos. */
  order: readonly number[] | null
  about: About
}

export function isMade(content: Content): content is MadeContent {
  return !(content in CONTENTS)
}

export async function make(
  content: MadeContent,
  db: DatabaseSync,
  films: readonly Film[],
  target: string,
  { videos, order, cut, about, scope, ...options }: Making & Omit<MakeOptions, 'tools' | 'frames'> & { scope: Scope },
): Promise<MadeFile> {
  const reels = films.map((film): Reel => {
    const video = videos.get(film.source.id)
    if (video === undefined) throw new RangeError(`no file of source ${film.source.id}`)
    return { film, ...video }
  })
  const page = ({ text, notes }: { text: string; notes: Phrase[] }): MadeFile => ({ ...writeText(target, text), notes })
  switch (content) {
    case 'pictures':
      return pictures(reels, target, options)
    case 'crops':
      return crops(reels, target, options)
    case 'yolo':
      return yolo(reels, target, options, framesLookedAt(db))
    case 'clips':
      return clips(reels, order, cut, target, options)
    case 'reel':
      return reel(reels, order, target, options)
    case 'sheet.html':
      return page(await sheet(reels, order, about, options))
    case 'report.html':
      return page(await report(db, reels, order, scope, about, options))
  }
}

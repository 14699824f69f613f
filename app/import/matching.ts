/** Which video of the library a video of an annotation file is, and why. */
import { decodedPicture } from '../formats/document.ts'
import type { VideoFound } from '../formats/found.ts'
import type { Probe } from '../media.ts'
import { type Phrase, phrase, said } from '../phrase.ts'
import { hasOwnRate, pictureOf } from './placing.ts'

/** A video of the library. */
export interface LibraryVideo {
  id: number
  name: string
  path: string
  fingerprint: string
  /** Null where it was not probed yet. */
  probe: Probe | null
  /** Decoded frames; 0 where it was not read yet. */
  frames: number
}

export interface Match {
  /** Null where none fits. */
  sourceId: number | null
  why: Phrase | null
  /** Whether nothing speaks against it. Otherwise a person decides. */
  sure: boolean
}

const WHY = {
  fingerprint: phrase('the same file by its content'),
  path: phrase('the same place'),
  name: phrase('the same name'),
  stem: phrase('the same name, without its ending'),
  folder: phrase('the annotation file is called like it, or lies in a folder that is'),
  size: phrase('as many frames of the same size'),
  only: phrase('the only video here'),
}

/**
 * @param file Path of the annotation file: subtitles are called like their video, and exports lie in folders that are.
 */
export function matched(found: VideoFound, file: string, videos: readonly LibraryVideo[]): Match {
  const sureOf = (why: keyof typeof WHY, among: readonly LibraryVideo[]): Match | null => {
    const fitting = among.length > 1 ? among.filter((video) => fits(found, video)) : among
    const [one] = fitting
    if (one === undefined || fitting.length > 1)
      return one === undefined || among.length < 2 ? null : { sourceId: null, why: null, sure: false }
    return { sourceId: one.id, why: said(WHY[why]), sure: (why === 'fingerprint' || fits(found, one)) && why !== 'size' && why !== 'only' }
  }
  const name = baseOf(found.name ?? found.path ?? '')
  const tail = plain(found.name ?? '')
  const fromFile = [stemOf(baseOf(file)), stemOf(stemOf(baseOf(file))), folderOf(file)].filter((one) => one !== '')
  const ways: [keyof typeof WHY, readonly LibraryVideo[]][] = [
    ['fingerprint', videos.filter((video) => found.fingerprint !== undefined && video.fingerprint === found.fingerprint)],
    ['path', videos.filter((video) => found.path !== undefined && video.path === found.path)],
    // With as much of its folder as the file has.
    ['name', tail.includes('/') ? videos.filter((video) => plain(video.path).endsWith(`/${tail}`)) : []],
    ['name', name === '' ? [] : videos.filter((video) => baseOf(video.name) === name)],
    [
      'stem',
      name === '' ? [] : videos.filter((video) => stemOf(baseOf(video.name)) === stemOf(name) || stemOf(baseOf(video.name)) === name),
    ],
    [
      'folder',
      name !== '' && found.key !== ''
        ? []
        : videos.filter(({ name: video }) => fromFile.includes(baseOf(video)) || fromFile.includes(stemOf(baseOf(video)))),
    ],
    [
      'size',
      found.frames === undefined || found.width === undefined
        ? []
        : videos.filter((video) => fits(found, video) && video.frames === found.frames),
    ],
    ['only', videos.length === 1 ? videos : []],
  ]
  for (const [why, among] of ways) {
    const match = among.length === 0 ? null : sureOf(why, among)
    if (match) return match
  }
  return { sourceId: null, why: null, sure: false }
}

/** Whether what the file says of size and length can be that of a video. */
function fits(found: VideoFound, { probe, frames }: LibraryVideo): boolean {
  if (probe === null) return true
  return pictureOf(found, probe) !== 'other' && (found.frames === undefined || frames === 0 || isAsLong(found, probe, frames))
}

/** Whether a video has as many frames as a file says; one that counts at a rate of its own says by that how long it is. */
function isAsLong({ frames = 0, rate }: VideoFound, { duration }: Probe, own: number): boolean {
  return frames === own || (rate !== undefined && Math.abs(frames / rate - duration) <= Math.max(2 / rate, duration / 100))
}

/** What speaks against taking a video of the file for this one, or should be known. */
export function doubtsOf(found: VideoFound, { probe, frames }: LibraryVideo): Phrase[] {
  if (probe === null) return [said('This video was not read yet.')]
  const { width = 0, height = 0 } = found
  const doubts: Phrase[] = []
  const picture = pictureOf(found, probe)
  const decoded = decodedPicture(probe)
  const sizes = { width, height, ownWidth: decoded.width, ownHeight: decoded.height }
  if (picture === 'other')
    doubts.push(
      said(
        'The file is about a picture of {{width}} × {{height}}, this video has {{ownWidth}} × {{ownHeight}}: the boxes are stretched.',
        sizes,
      ),
    )
  else if (picture === 'scaled')
    doubts.push(
      said(
        'The file is about a picture of {{width}} × {{height}}, this video has {{ownWidth}} × {{ownHeight}}: the boxes are scaled.',
        sizes,
      ),
    )
  else if (picture === 'unturned') doubts.push(said('The file counts in the picture before it is turned upright: the boxes are turned.'))
  const { rate } = found
  const ownRate = probe.duration > 0 ? frames / probe.duration : 0
  if (rate !== undefined && hasOwnRate(found, { rate: ownRate, frames }))
    doubts.push(
      said('The file counts {{rate}} frames a second, this video has {{own}}: its numbers are taken for times.', {
        rate: Math.round(rate * 100) / 100,
        own: Math.round(ownRate * 100) / 100,
      }),
    )
  if (found.frames !== undefined && frames > 0 && !isAsLong(found, probe, frames))
    doubts.push(said('The file is about {{frames}} frames, this video has {{own}}.', { frames: found.frames, own: frames }))
  return doubts
}

/** Names are compared without regard to case and to how an accent is composed. */
function plain(text: string): string {
  return text.replaceAll('\\', '/').normalize('NFC').toLowerCase()
}

function baseOf(path: string): string {
  return plain(path).split('/').at(-1) ?? ''
}

function stemOf(name: string): string {
  return name.replace(/\.[^.]{1,5}$/, '')
}

/** Folders that say what lies in them and not of which video it is: `MOT17-02/gt/gt.txt`, `film/Subs/en.srt`. */
const KINDS = new Set(['gt', 'det', 'annotations', 'labels', 'subs', 'subtitles'])

/** The last folder of a file that may be called like a video. */
function folderOf(file: string): string {
  const folders = plain(file).split('/').slice(0, -1)
  return folders.findLast((folder) => !KINDS.has(folder)) ?? ''
}

/** Pictures of frames, and of boxes cut out of them, as folders of files with a table of what each shows. */
import type { Box } from '../../app/annotation.ts'
import type { Film, TrackedBox } from '../../app/formats/document.ts'
import { decodedPicture, trackedObjects } from '../../app/formats/document.ts'
import { csvLine } from '../../app/formats/csv.ts'
import type { FrameChoice } from '../../app/contract/export.ts'
import { secondsOf } from '../../app/media.ts'
import { type Phrase, said } from '../../app/phrase.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import type { Standing } from '../../app/review.ts'
import { unreadable } from '../media/cuts.ts'
import { eachStill, type Still, type StillOptions } from '../media/stills.ts'
import type { MediaTools } from '../media/tools.ts'
import { Folder, type Written } from './folder.ts'
import { safeName } from './names.ts'
import { png } from './png.ts'

/**
 * A film with what ffmpeg reads for it, and the name that its pictures begin with: no other video of the library has it. `absent`: why its content is not
 * at its path; what lies there instead is never read.
 */
export interface Reel {
  film: Film
  file: string
  stem: string
  absent: Problem | null
}

export interface MakeOptions {
  tools: MediaTools
  frames: FrameChoice
  signal: AbortSignal
  /** 0..1 */
  onShare: (share: number) => void
}

export interface Made extends Written {
  /** How many files are in the folder. */
  count: number
  notes: Phrase[]
  /** Why nothing of what was asked is in it. */
  failed: Problem | null
}

/** What can be wrong with one video while the others go on. */
export const OF_ONE_VIDEO: ReadonlySet<string> = new Set([
  'file-missing',
  'file-replaced',
  'file-unreadable',
  'ffmpeg-failed',
  'decode-timeout',
  'no-frames',
  'tool-killed',
])

interface Cut extends TrackedBox {
  label: string
  trackId: number
  review: Standing
}

/** Whole frames as JPEGs: upright, with square pixels. */
export async function pictures(reels: readonly Reel[], directory: string, options: MakeOptions): Promise<Made> {
  const folder = new Folder(directory)
  const rows = [csvLine(['file', ...FRAME_COLUMNS])]
  const { notes, failed } = await eachPicture(reels, options, 'jpeg', framesOf, (reel, still) => {
    const name = `${reel.stem}/${pictureName(reel, still.ordinal)}.jpg`
    folder.write(name, still.data)
    rows.push(csvLine([name, ...frameCells(reel, still)]))
  })
  folder.write('pictures.csv', rows.join(''))
  return { ...folder.end(), count: folder.count, notes, failed }
}

/** Boxes cut out of frames as PNGs, in a folder for each label. */
export async function crops(reels: readonly Reel[], directory: string, options: MakeOptions): Promise<Made> {
  const folder = new Folder(directory)
  const rows = [csvLine(['file', 'label', 'track_id', 'score', 'observed', 'occluded', 'review', ...FRAME_COLUMNS, 'x1', 'y1', 'x2', 'y2'])]
  const labels = folderOfLabels(reels[0]?.film.categories.map(({ name }) => name) ?? [])
  let cuts: ReadonlyMap<number, Cut[]> = new Map()
  const chosen = (film: Film, frames: FrameChoice) => {
    cuts = cutsOf(film, frames)
    return { ordinals: [...cuts.keys()], absent: framesOf(film, frames).absent }
  }
  const { notes, failed } = await eachPicture(reels, options, 'rgb', chosen, (reel, still) => {
    for (const cut of cuts.get(still.ordinal) ?? []) {
      const place = placeOn(cut, reel.film, still)
      const name = `${labels.get(cut.label) ?? 'unnamed'}/${pictureName(reel, still.ordinal)}_track${cut.trackId}.png`
      folder.write(name, png(cutOut(still, place), place.x2 - place.x1, place.y2 - place.y1))
      const { label, trackId, score, observed, occluded, review } = cut
      const { x1, y1, x2, y2 } = place
      rows.push(
        csvLine([name, label, trackId, score, Number(observed), Number(occluded), review, ...frameCells(reel, still), x1, y1, x2, y2]),
      )
    }
  })
  folder.write('crops.csv', rows.join(''))
  return { ...folder.end(), count: folder.count, notes, failed }
}

const FRAME_COLUMNS = ['video_fingerprint', 'video_path', 'frame', 'pts', 'time_s', 'width', 'height']

function frameCells({ film: { source, pts } }: Reel, { ordinal, width, height }: Still): (string | number)[] {
  const ticks = pts[ordinal] ?? 0
  return [source.fingerprint, source.path, ordinal, ticks, secondsOf(ticks, source.probe), width, height]
}

/** Which frames of a film; `absent`: those that a person named and it does not have. */
type Chosen = (film: Film, frames: FrameChoice) => { ordinals: number[]; absent: number[] }

/** `absent`: those that a person named and the film does not have. */
export function framesOf(film: Film, frames: FrameChoice): { ordinals: number[]; absent: number[] } {
  if (frames === 'annotated') return { ordinals: [...cutsOf(film, frames).keys()], absent: [] }
  const { length } = film.pts
  if ('numbers' in frames) {
    const numbers = [...new Set(frames.numbers)].sort((a, b) => a - b)
    return { ordinals: numbers.filter((one) => one < length), absent: numbers.filter((one) => one >= length) }
  }
  const ordinals: number[] = []
  // Clips that a person marked lie over others.
  for (const { startFrame, endFrame } of film.clips)
    for (let one = Math.ceil(startFrame / frames.every) * frames.every; one < Math.min(endFrame, length); one += frames.every)
      ordinals.push(one)
  return { ordinals: [...new Set(ordinals)].sort((a, b) => a - b), absent: [] }
}

/** The boxes on the chosen frames. Where all annotated frames are chosen, these are those on which a box was seen or drawn, not interpolated. */
function cutsOf(film: Film, frames: FrameChoice): Map<number, Cut[]> {
  const wanted = frames === 'annotated' ? null : new Set(framesOf(film, frames).ordinals)
  const cuts = new Map<number, Cut[]>()
  for (const { id, category, review, boxes } of trackedObjects(film))
    for (const box of boxes) {
      if (wanted === null ? !box.observed : !wanted.has(box.frame)) continue
      const there = cuts.get(box.frame)
      const cut = { ...box, label: category.name, trackId: id, review }
      if (there) there.push(cut)
      else cuts.set(box.frame, [cut])
    }
  return new Map([...cuts].sort(([a], [b]) => a - b))
}

/** Gives every picture of the chosen frames; what cannot be read is told in the notes and left out. `failed`: why there is not one. */
export async function eachPicture(
  reels: readonly Reel[],
  options: MakeOptions,
  as: StillOptions['as'],
  chosen: Chosen,
  take: (reel: Reel, still: Still) => void,
): Promise<Pick<Made, 'notes' | 'failed'>> {
  const notes: Phrase[] = []
  const without: string[] = []
  let failed: Problem | null = null
  let taken = 0
  for (const [at, reel] of reels.entries()) {
    const { film } = reel
    const name = film.title
    const { ordinals, absent } = chosen(film, options.frames)
    if (absent.length > 0)
      notes.push(said('{{name}} has {{frames}} frames and not these: {{list}}.', { name, frames: film.pts.length, list: listed(absent) }))
    if (ordinals.length === 0) without.push(name)
    const onShare = (share: number) => options.onShare((at + share) / reels.length)
    const missed = await picturesOf(reel, ordinals, { ...options, as, onShare }, (still) => {
      take(reel, still)
      taken += 1
    })
    if (missed === null) continue
    notes.push(missed.note)
    failed ??= missed.problem
  }
  if (without.length > 0)
    notes.push(said('None of these frames is in {{names}}, or none has a box.', { names: without.slice(0, LISTED).join(', ') }))
  return { notes, failed: taken === 0 ? (failed ?? noneThere()) : null }
}

function noneThere(): Problem {
  return {
    code: 'not-found',
    message: 'None of the chosen frames is there, or none has a box.',
    next: 'Choose other frames, or videos that have them.',
  }
}

/** Gives the pictures of frames of one film. @returns What could not be read, in words, and why; null where all could. */
export async function picturesOf(
  { film, file, absent }: Reel,
  ordinals: readonly number[],
  { tools, signal, onShare, ...still }: Omit<MakeOptions, 'frames'> & Pick<StillOptions, 'as' | 'side' | 'quality'>,
  take: (still: Still) => void,
): Promise<{ note: Phrase; problem: Problem } | null> {
  if (ordinals.length === 0) return null
  const name = film.title
  const { probe } = film.source
  let done = 0
  try {
    if (absent !== null) throw new TubeletError(absent)
    const missing = await eachStill(tools, { file, probe, pts: film.pts }, ordinals, { ...still, signal }, (one) => {
      take(one)
      done += 1
      onShare(done / ordinals.length)
    })
    if (missing.length === 0) return null
    const note = said('Frames of {{name}} that could not be read and have no picture: {{list}}.', { name, list: listed(missing) })
    return { note, problem: unreadable(file).problem }
  } catch (error) {
    if (!(error instanceof TubeletError) || !OF_ONE_VIDEO.has(error.problem.code)) throw error
    const { problem } = error
    return { note: said('{{name}} has no pictures here. {{why}}', { ...problem.values, name, why: { text: problem.message } }), problem }
  }
}

/** The boxes on these frames, in pixels of the display-oriented frame. */
export function boxesOn(film: Film, ordinals: ReadonlySet<number>): Map<number, { box: Box; label: string; standing: Standing }[]> {
  const { probe } = film.source
  const decoded = decodedPicture(probe)
  const [across, down] = [probe.width / decoded.width, probe.height / decoded.height]
  const cuts = ordinals.size === 0 ? new Map<number, Cut[]>() : cutsOf(film, { numbers: [...ordinals] })
  return new Map(
    [...cuts].map(([ordinal, those]) => [
      ordinal,
      those.map(({ x1, y1, x2, y2, label, review }) => ({
        box: { x1: x1 * across, y1: y1 * down, x2: x2 * across, y2: y2 * down },
        label,
        standing: review,
      })),
    ]),
  )
}

const LISTED = 12

function listed(ordinals: readonly number[]): string {
  return [...ordinals.slice(0, LISTED), ...(ordinals.length > LISTED ? ['…'] : [])].join(', ')
}

/** Says video, frame and time: `street_frame000123_00h00m04.920s`. */
function pictureName({ film: { pts, source }, stem }: Reel, ordinal: number): string {
  const time = timeName(secondsOf(pts[ordinal] ?? 0, source.probe))
  return `${stem}_frame${String(ordinal).padStart(6, '0')}_${time}`
}

/** A time as names of files can hold it. */
export function timeName(seconds: number): string {
  const millis = Math.round(Math.max(0, seconds) * 1000)
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  const rest = String(millis % 1000).padStart(3, '0')
  return `${two(millis / 3_600_000)}h${two((millis / 60_000) % 60)}m${two((millis / 1000) % 60)}.${rest}s`
}

/** A name for the folder of each label; labels whose names would be the same get a number. */
function folderOfLabels(labels: readonly string[]): Map<string, string> {
  const taken = new Set(['crops.csv'])
  return new Map(
    labels.map((label) => {
      const plain = safeName(label)
      let name = plain
      for (let copy = 2; taken.has(name.toLowerCase()); copy++) name = `${plain} (${copy})`
      taken.add(name.toLowerCase())
      return [label, name]
    }),
  )
}

interface Place {
  x1: number
  y1: number
  x2: number
  y2: number
}

/** A box in whole pixels of the picture; at least one pixel. */
function placeOn({ x1, y1, x2, y2 }: Cut, { source }: Film, { width, height }: Still): Place {
  const decoded = decodedPicture(source.probe)
  const [across, down] = [width / decoded.width, height / decoded.height]
  const [left, top] = [Math.min(width - 1, Math.floor(x1 * across + 1e-6)), Math.min(height - 1, Math.floor(y1 * down + 1e-6))]
  return {
    x1: left,
    y1: top,
    x2: Math.min(width, Math.max(left + 1, Math.ceil(x2 * across - 1e-6))),
    y2: Math.min(height, Math.max(top + 1, Math.ceil(y2 * down - 1e-6))),
  }
}

function cutOut({ data, width }: Still, { x1, y1, x2, y2 }: Place): Uint8Array {
  const cut = new Uint8Array((x2 - x1) * (y2 - y1) * 3)
  for (let y = y1; y < y2; y++) cut.set(data.subarray((y * width + x1) * 3, (y * width + x2) * 3), (y - y1) * (x2 - x1) * 3)
  return cut
}

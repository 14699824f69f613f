/** A data set for YOLO: the pictures of the chosen frames and their labels, split by video. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { boxesByFrame } from '../../app/formats/by-frame.ts'
import { decodedPicture, type DocumentClip, type Film, lineText, namesByNumber, trackedObjects } from '../../app/formats/document.ts'
import { yoloData, yoloRow, yoloRows, yoloText, type YoloVideo } from '../../app/formats/yolo.ts'
import { said } from '../../app/phrase.ts'
import { unlike } from './files.ts'
import { Folder } from './folder.ts'
import { eachPicture, framesOf, type Made, type MakeOptions, type Reel } from './pictures.ts'

/** One of so many videos is for validation. */
const VALIDATED = 5

/** @param lookedAt The frames of a clip on which the pack of boxes looked. */
export async function yolo(
  reels: readonly Reel[],
  directory: string,
  options: MakeOptions,
  lookedAt: (clip: DocumentClip) => readonly number[],
): Promise<Made> {
  const folder = new Folder(directory)
  const chosen: typeof framesOf = (film, frames) =>
    frames === 'annotated' ? { ordinals: annotated(film, lookedAt), absent: [] } : framesOf(film, frames)
  const validated = forValidation(
    reels.filter(({ film, file, absent }) => absent === null && existsSync(file) && chosen(film, options.frames).ordinals.length > 0),
  )
  const splitOf = (reel: Reel) => (validated.has(reel) ? 'val' : 'train')
  const shown = new Map<Reel, number[]>()
  const { notes, failed } = await eachPicture(reels, options, 'jpeg', chosen, (reel, still) => {
    folder.write(`images/${splitOf(reel)}/${pictureName(reel, still.ordinal)}.jpg`, still.data)
    const there = shown.get(reel)
    if (there) there.push(still.ordinal)
    else shown.set(reel, [still.ordinal])
  })
  const write = (name: string, text: string, isSame: (read: string) => boolean) => {
    folder.write(name, text)
    const file = folder.place(name)
    if (!isSame(readFileSync(file, 'utf8'))) throw unlike('YOLO', file)
  }
  const videos: YoloVideo[] = []
  for (const [reel, ordinals] of shown) {
    const { film, stem } = reel
    const picture = decodedPicture(film.source.probe)
    const empty = new Set(ordinals)
    const labels = `labels/${splitOf(reel)}`
    const wanted = new Uint8Array(film.pts.length)
    for (const ordinal of ordinals) wanted[ordinal] = 1
    for (const { frame, boxes } of boxesByFrame(film, (one) => wanted[one] === 1)) {
      empty.delete(frame)
      const rows = boxes.map((box) => yoloRow(box, picture))
      write(`${labels}/${pictureName(reel, frame)}.txt`, yoloText(rows), (read) => JSON.stringify(yoloRows(read)) === JSON.stringify(rows))
    }
    for (const frame of empty) write(`${labels}/${pictureName(reel, frame)}.txt`, '', (read) => read === '')
    videos.push({ stem, name: lineText(film.title), fingerprint: lineText(film.source.fingerprint), frames: film.pts.length })
  }
  const has = (split: string) => [...shown.keys()].some((reel) => splitOf(reel) === split)
  const [train, val] = [has('train') ? 'train' : 'val', has('val') ? 'val' : 'train'].map((split) => `images/${split}`)
  const data = yoloData(namesByNumber(reels[0]?.film.categories ?? []), { train: train ?? '', val: val ?? '' }, videos)
  write('data.yaml', data, (read) => read === data)
  const [only] = shown.keys()
  if (shown.size === 1 && only)
    notes.push(
      said('All pictures for YOLO are of {{name}}, so that training and validation have the same ones: a score on them says little.', {
        name: only.film.title,
      }),
    )
  return { ...folder.end(), count: folder.count, notes, failed }
}

/** A frame of a video, in a form in which readers find its number. */
function pictureName({ stem }: Reel, ordinal: number): string {
  return `${stem}_frame_${String(ordinal).padStart(6, '0')}`
}

/**
 * Those on which a box was seen or drawn, and those on which the pack looked for all labels and surely none is: such a picture teaches what is
 * not an object.
 */
function annotated(film: Film, lookedAt: (clip: DocumentClip) => readonly number[]): number[] {
  const chosen = new Set<number>()
  const filled = new Set<number>()
  for (const { boxes } of trackedObjects(film))
    for (const { frame, observed } of boxes) {
      filled.add(frame)
      if (observed) chosen.add(frame)
    }
  const looked = new Set(film.lookedFor.map((name) => name.toLowerCase()))
  if (film.categories.length > 0 && film.categories.every(({ name }) => looked.has(name.toLowerCase())))
    for (const clip of film.clips)
      if (film.categories.every(({ name }) => film.isAbsent(clip, name)))
        for (const frame of lookedAt(clip)) if (!filled.has(frame) && frame < film.pts.length) chosen.add(frame)
  return [...chosen].sort((a, b) => a - b)
}

/** The same videos each time: about one of five, at least one where there are two. */
function forValidation(reels: readonly Reel[]): ReadonlySet<Reel> {
  const rank = ({ film }: Reel) => createHash('sha256').update(film.source.fingerprint).digest('hex')
  const count = reels.length < 2 ? 0 : Math.max(1, Math.round(reels.length / VALIDATED))
  return new Set(reels.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, count))
}

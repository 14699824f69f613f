/** Clips as videos of their own, and all of them one after the other. */
import { mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import { csvLine } from '../../app/formats/csv.ts'
import { clipTimes, type DocumentClip } from '../../app/formats/document.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { secondsOf } from '../../app/media.ts'
import { type Phrase, said } from '../../app/phrase.ts'
import { timeText } from '../../app/table/facts.ts'
import type { Span } from '../../app/annotation.ts'
import { copyCut, encodeCut, encodeReel } from '../media/cuts.ts'
import { Folder } from './folder.ts'
import { type Made, type MakeOptions, OF_ONE_VIDEO, type Reel, timeName } from './pictures.ts'
import { inOrder } from './report.ts'

export type CutChoice = 'copy' | 'exact'

/**
 * The table of either: where each part is from. A copy without loss begins at a key frame and may end with a frame that others need, so `real_` tells
 * what it really shows: the first frame, that after the last, and those between them that it has not.
 */
const COLUMNS = [
  ...['video_fingerprint', 'video_path', 'clip_id', 'start_frame', 'end_frame', 'start_s', 'end_s'],
  ...['real_start_frame', 'real_end_frame', 'real_start_s', 'real_end_s', 'real_missing_frames'],
]

function cells({ film }: Reel, clip: DocumentClip, real: Span, missing: readonly number[] = []): (string | number)[] {
  const { source } = film
  const [asked, shown] = [clipTimes(clip, film), clipTimes(clip, film, real)]
  return [
    ...[source.fingerprint, source.path, clip.id, clip.startFrame, clip.endFrame, asked.start, asked.end],
    ...[real.startFrame, real.endFrame, shown.start, shown.end, missing.join(' ')],
  ]
}

/** The clips as they are shown: one by one, each with its film. */
function clipsOf(reels: readonly Reel[], order: readonly number[] | null): { reel: Reel; clip: DocumentClip }[] {
  const all = inOrder(reels, null).flatMap(({ reel: one, clips: own }) => own.map((clip) => ({ reel: one, clip })))
  if (order === null) return all
  const rank = new Map(order.map((id, at) => [id, at]))
  return all.sort((a, b) => (rank.get(a.clip.id) ?? 0) - (rank.get(b.clip.id) ?? 0))
}

export async function clips(
  reels: readonly Reel[],
  order: readonly number[] | null,
  cut: CutChoice,
  directory: string,
  { tools, signal, onShare }: MakeOptions,
): Promise<Made> {
  const folder = new Folder(directory)
  const rows = [csvLine(['file', ...COLUMNS])]
  const notes: Phrase[] = []
  const without = new Map<string, Set<string>>()
  let failed: Problem | null = null
  const all = clipsOf(reels, order)
  let [early, most] = [0, 0]
  for (const [at, { reel: one, clip }] of all.entries()) {
    const { film, file, stem } = one
    const { title } = film
    const { probe } = film.source
    const { start, end } = clipTimes(clip, film)
    const name = `${stem}_${timeName(start)}-${timeName(end)}_clip${clip.id}`
    const video = { file, probe, pts: film.pts }
    try {
      if (one.absent !== null) throw new TubeletError(one.absent)
      if (cut === 'copy') {
        const copied = await copyCut(tools, video, clip, folder.place(name), { signal })
        const kept = path.basename(copied.file)
        folder.took(kept)
        rows.push(csvLine([kept, ...cells(one, clip, copied.real, copied.missing)]))
        const before = start - secondsOf(film.pts[copied.real.startFrame] ?? 0, probe)
        if (before > 0.001) early += 1
        most = Math.max(most, before)
        for (const stream of copied.without) without.set(title, (without.get(title) ?? new Set()).add(stream))
      } else {
        const kept = `${name}.mp4`
        const frames = await encodeCut(tools, video, clip, folder.place(kept), { signal })
        folder.took(kept)
        rows.push(csvLine([kept, ...cells(one, clip, clip)]))
        const lost = Math.min(clip.endFrame, film.pts.length) - clip.startFrame - frames
        if (lost > 0)
          notes.push(said('Frames of {{clip}} that could not be read and are not in it: {{frames}}.', { frames: lost, clip: kept }))
      }
    } catch (error) {
      const problem = ofOneVideo(error)
      failed ??= problem
      notes.push(whyNot(problem, title, start, end))
    }
    onShare((at + 1) / all.length)
  }
  if (early > 0)
    notes.push(
      said('Clips that begin earlier than chosen, at the key frame before: {{clips}}, by at most {{seconds}} s; clips.csv tells where.', {
        clips: early,
        seconds: most.toFixed(1),
      }),
    )
  for (const [name, streams] of without)
    notes.push(
      said('These streams of {{name}} are not in its clips, since their files cannot hold them: {{streams}}.', {
        name,
        streams: [...streams].join(', '),
      }),
    )
  if (folder.count > 0) failed = null
  folder.write('clips.csv', rows.join(''))
  return { ...folder.end(), count: folder.count, notes, failed }
}

/** @throws the error where it is not about this one part. */
function ofOneVideo(error: unknown): Problem {
  if (!(error instanceof TubeletError) || !OF_ONE_VIDEO.has(error.problem.code)) throw error
  return error.problem
}

function whyNot({ message, values }: Problem, name: string, start: number, end: number): Phrase {
  return said('{{name}}, {{time}} is left out. {{why}}', { ...values, name, time: timeText(start, end), why: { text: message } })
}

export async function reel(
  reels: readonly Reel[],
  order: readonly number[] | null,
  directory: string,
  { tools, signal, onShare }: MakeOptions,
): Promise<Made> {
  const folder = new Folder(directory)
  const rows = [csvLine(['part', ...COLUMNS])]
  const notes: Phrase[] = []
  const all = clipsOf(reels, order)
  const parts = all.map(({ reel: { film, file, absent }, clip }) => {
    const { start, end } = clipTimes(clip, film)
    const title = `${film.title} ${timeText(start, end)}`
    return { video: { file, probe: film.source.probe, pts: film.pts }, absent, span: clip, title }
  })
  let failed: Problem | null = null
  // Beside the folder that becomes the export's, on the same disk; it has the name of what a killed process leaves.
  const between = mkdtempSync(path.join(directory, 'parts-'))
  let part = 0
  try {
    await encodeReel(
      tools,
      parts,
      between,
      folder.place('reel.mp4'),
      (at, problem) => {
        const shown = all[at]
        if (shown === undefined) return
        const { start, end } = clipTimes(shown.clip, shown.reel.film)
        if (problem !== null) {
          failed ??= problem.problem
          notes.push(whyNot(problem.problem, shown.reel.film.title, start, end))
        } else rows.push(csvLine([(part += 1), ...cells(shown.reel, shown.clip, shown.clip)]))
        onShare((at + 1) / (all.length + 1))
      },
      signal,
    )
    folder.took('reel.mp4')
    failed = null
  } catch (error) {
    if (!(error instanceof TubeletError) || error.problem.code !== 'no-frames') throw error
    failed ??= error.problem
    notes.push(said('There is no reel: no clip could be read.'))
  } finally {
    rmSync(between, { recursive: true, force: true })
  }
  folder.write('reel.csv', rows.join(''))
  return { ...folder.end(), count: folder.count, notes, failed }
}

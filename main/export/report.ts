/** Gathers what a report tells, and writes it as one file. */
import type { DatabaseSync } from 'node:sqlite'
import type { Annotation, KeyBox } from '../../app/annotation.ts'
import { clipTimes, type DocumentClip, type Film } from '../../app/formats/document.ts'
import { toldFacts } from '../../app/facts/told.ts'
import type { ClipFact } from '../../app/contract/clip.ts'
import { secondsOf } from '../../app/media.ts'
import { sheetPage, type Tile } from '../../app/report/sheet.ts'
import { type Report, type ReportClip, type ReportPicture, reportPage, type ReportVideo, type Statement } from '../../app/report/report.ts'
import type { Scope } from '../../app/formats/scope.ts'
import { LibraryFacts } from '../library/facts.ts'
import { currentPacks } from '../library/packs.ts'
import { Seen } from '../library/seen.ts'
import { boxesOn, type Made, type MakeOptions, picturesOf, type Reel } from './pictures.ts'

/** What a report says of itself. */
export type About = Pick<Report, 'language' | 'library' | 'subject' | 'leftOut' | 'appVersion'>

/** At most so many clips, and bytes of pictures as base64: with the texts that is less than 25 MB. */
const MOST_CLIPS = 1_000
const MOST_BYTES = 20_000_000
/** How many pictures a clip has, and how large they are, by how many clips there are. */
const PICTURES = [
  { clips: 60, each: 3, side: 480 },
  { clips: 300, each: 1, side: 560 },
  { clips: MOST_CLIPS, each: 1, side: 320 },
] as const
const QUALITY = 5
const TILE_SIDE = 240

/** @param order The ids of the chosen clips in the order in which they are told; null for the order of the videos. */
export async function report(
  db: DatabaseSync,
  reels: readonly Reel[],
  order: readonly number[] | null,
  scope: Scope,
  about: About,
  options: MakeOptions,
): Promise<{ text: string; notes: Made['notes'] }> {
  const facts = new LibraryFacts({
    db,
    annotations: null,
    seen: new Seen(db),
    packs: { current: () => currentPacks(db) },
    atomic: (work) => work(),
    appVersion: about.appVersion,
  })
  const told = inOrder(reels, order)
  const all = told.reduce((sum, { clips }) => sum + clips.length, 0)
  const { each, side } = PICTURES.find(({ clips }) => all <= clips) ?? PICTURES[2]
  const videos: ReportVideo[] = []
  const notes: Made['notes'] = []
  let [left, bytes, withoutPictures] = [MOST_CLIPS, 0, 0]
  for (const [at, { reel, clips }] of told.entries()) {
    const { film } = reel
    const shown = clips.slice(0, left)
    left -= shown.length
    if (shown.length === 0) continue
    const { pts } = film
    const ordinals = new Map(shown.map((clip) => [clip.id, framesOf(film, clip, each)]))
    const wanted = bytes < MOST_BYTES ? [...new Set([...ordinals.values()].flat())] : []
    if (bytes >= MOST_BYTES) withoutPictures += shown.length
    const boxes = boxesOn(film, new Set(wanted))
    const jpegs = new Map<number, string>()
    const missed = await picturesOf(
      reel,
      wanted,
      { ...options, as: 'jpeg', side, quality: QUALITY, onShare: (share) => options.onShare((at + share) / told.length) },
      ({ ordinal, data }) => {
        const base64 = Buffer.from(data).toString('base64')
        bytes += base64.length
        jpegs.set(ordinal, base64)
      },
    )
    if (missed) notes.push(missed.note)
    const { probe } = film.source
    const pictureAt = (ordinal: number): ReportPicture => ({
      ordinal,
      time: secondsOf(pts[ordinal] ?? 0, probe),
      jpeg: jpegs.get(ordinal) ?? null,
      boxes: boxes.get(ordinal) ?? [],
    })
    videos.push({
      title: film.title,
      fingerprint: film.source.fingerprint,
      probe,
      partial: film.partial,
      clips: shown.map(
        (clip): ReportClip => ({
          id: clip.id,
          number: clip.index + 1,
          ...clipTimes(clip, film),
          pictures: wanted.length === 0 ? [] : (ordinals.get(clip.id) ?? []).map(pictureAt),
          statements: statementsOf(film, clip),
          facts: factsIn(facts, clip.id, scope),
        }),
      ),
    })
  }
  const page = reportPage({
    ...about,
    ...now(),
    videos,
    tooMany: all - videos.reduce((sum, { clips }) => sum + clips.length, 0),
    withoutPictures,
  })
  return { text: page.text, notes }
}

/** A picture of each clip: that on which most boxes are seen. */
export async function sheet(
  reels: readonly Reel[],
  order: readonly number[] | null,
  about: About,
  options: MakeOptions,
): Promise<{ text: string; notes: Made['notes'] }> {
  const told = inOrder(reels, order)
  const notes: Made['notes'] = []
  const tiles: Tile[] = []
  for (const [at, { reel, clips }] of told.entries()) {
    const { film } = reel
    const shown = clips.slice(0, MOST_CLIPS - tiles.length)
    const frames = new Map(shown.map((clip) => [clip.id, framesOf(film, clip, 1)[0] ?? clip.startFrame]))
    const jpegs = new Map<number, string>()
    const asked = { ...options, as: 'jpeg', side: TILE_SIDE, quality: QUALITY } as const
    const onShare = (share: number) => options.onShare((at + share) / told.length)
    const missed = await picturesOf(reel, [...new Set(frames.values())], { ...asked, onShare }, ({ ordinal, data }) => {
      jpegs.set(ordinal, Buffer.from(data).toString('base64'))
    })
    if (missed) notes.push(missed.note)
    const { probe } = film.source
    for (const clip of shown) {
      const ordinal = frames.get(clip.id) ?? clip.startFrame
      const picture = { ordinal, time: secondsOf(film.pts[ordinal] ?? 0, probe), jpeg: jpegs.get(ordinal) ?? null }
      tiles.push({ title: film.title, ...clipTimes(clip, film), ...picture })
    }
  }
  const all = told.reduce((sum, { clips }) => sum + clips.length, 0)
  return { text: sheetPage({ ...about, ...now(), tiles, tooMany: all - tiles.length }).text, notes }
}

function now(): { at: number; timeZone: string } {
  return { at: Date.now(), timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone }
}

/** The clips of each film, films in the order of their first clip. */
export function inOrder(reels: readonly Reel[], order: readonly number[] | null): { reel: Reel; clips: readonly DocumentClip[] }[] {
  const rank = new Map(order?.map((id, at) => [id, at]))
  const rankOf = ({ id }: DocumentClip) => rank.get(id) ?? Infinity
  const films = reels.map((reel) => ({
    reel,
    clips: rank.size === 0 ? reel.film.clips : reel.film.clips.toSorted((a, b) => rankOf(a) - rankOf(b)),
  }))
  const first = ({ clips: [clip] }: (typeof films)[number]) => (clip ? rankOf(clip) : Infinity)
  return rank.size === 0 ? films : films.sort((a, b) => first(a) - first(b))
}

/** The frames that show a clip: of one, where most boxes are seen; of three, with one of its first and one of its last part. */
function framesOf(film: Film, { startFrame, endFrame, ...clip }: DocumentClip, each: 1 | 3): number[] {
  const middle = Math.min(endFrame - 1, startFrame + ((endFrame - startFrame) >> 1))
  const counts = new Map<number, number>()
  for (const { body } of film.of({ startFrame, endFrame, ...clip }, ['track']))
    if (body.kind === 'track')
      for (const { ordinal, outside } of body.boxes)
        if (outside !== true && ordinal >= startFrame && ordinal < endFrame) counts.set(ordinal, (counts.get(ordinal) ?? 0) + 1)
  const [best = middle] = [...counts]
    .sort(([a, m], [b, n]) => n - m || Math.abs(a - middle) - Math.abs(b - middle))
    .map(([ordinal]) => ordinal)
  if (each === 1) return [best]
  const at = (share: number) => Math.min(endFrame - 1, Math.round(startFrame + share * (endFrame - startFrame)))
  return [...new Set([at(0.1), best, at(0.9)])].sort((a, b) => a - b)
}

function statementsOf(film: Film, clip: DocumentClip): Statement[] {
  const statements: Statement[] = []
  for (const annotation of film.of(clip, ['caption', 'answer', 'note', 'segment', 'text', 'track'])) {
    const { body } = annotation
    const spanned =
      body.kind === 'track'
        ? { startFrame: body.boxes[0]?.ordinal ?? clip.startFrame, endFrame: (body.boxes.at(-1)?.ordinal ?? clip.startFrame) + 1 }
        : 'span' in body
          ? body.span
          : undefined
    statements.push({ annotation: thinned(annotation), span: spanned ? clipTimes(clip, film, spanned) : null })
  }
  return statements
}

/** With the first, the surest and the last box of a track alone. */
function thinned(annotation: Annotation): Annotation {
  const { body } = annotation
  if (body.kind !== 'track') return annotation
  const surest = body.boxes.reduce<KeyBox | null>((best, box) => ((box.score ?? 0) > (best?.score ?? -1) ? box : best), null)
  const few = { ...body, boxes: [...new Set([...body.boxes.slice(0, 1), ...(surest ? [surest] : []), ...body.boxes.slice(-1)])] }
  return { ...annotation, machine: annotation.machine && few, body: few }
}

/** The facts of a clip as far as the scope has them: facts rest on annotations, and have no state of review of their own. */
function factsIn(facts: LibraryFacts, clipId: number, { labels, states, by }: Scope): ClipFact[] {
  if (states !== undefined && !states.includes('machine')) return []
  const about = facts
    .of(clipId)
    .filter(
      (fact) => labels === undefined || !('label' in fact) || labels.some((label) => label.toLowerCase() === fact.label.toLowerCase()),
    )
  return toldFacts(about).filter(({ people }) => (by === 'machine' ? !people : by === 'people' ? people : true))
}

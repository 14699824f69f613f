/** What people do to the tracks of the current clip: from the picture, the timeline, the list or the keyboard. */
import { type Annotation, type Box, spanWithin, type TrackAnnotation, type TrackBody } from '../../app/annotation.ts'
import type { Clip } from '../../app/contract.ts'
import type { Edit } from '../../app/contract/state.ts'
import type { FrameRef } from '../../app/media.ts'
import { problemOf } from '../../app/errors.ts'
import { said } from '../../app/phrase.ts'
import {
  copyToNextKey,
  keyAt,
  keyInForce,
  lifetime,
  mergeTracks,
  moveKey,
  neighbourKey,
  retimeTrack,
  splitTrack,
  withFlag,
  withKeyBox,
  withoutKey,
} from '../../app/track-edits.ts'
import { call } from '../api.ts'
import { clock } from '../format.ts'
import { t, told } from '../i18n.ts'
import { type FrameTable, showFrame, ordinalAt, timeOf, usePlayer } from '../player.ts'
import { clipQuery, clipsOf, framesQuery, labelsQuery, queryClient, sourcesQuery } from '../cache.ts'
import { useUi } from '../store.ts'
import { toast } from '../toast.ts'
import { parts } from './drafts.ts'
import { annotationsOf, commit, decideAll } from './edits.ts'
import { markedSpan, useReview } from './store.ts'

interface Here {
  clipId: number
  frames: FrameTable
  ordinal: number
  pts: number
  ptsOf: (ordinal: number) => number
}

export function frameTable(): FrameTable | undefined {
  return queryClient.getQueryData(framesQuery(useUi.getState().sourceId).queryKey)
}

/** The clip that contains a frame: the chosen one if it does, else one of the analysis; the chosen one if none does. */
function clipWith(ordinal: number): number | null {
  const { clipId, sourceId } = useUi.getState()
  const clips = queryClient.getQueryData(clipsOf(sourceId).queryKey) ?? []
  const holds = ({ startFrame, endFrame }: Clip) => startFrame <= ordinal && ordinal < endFrame
  const chosen = clips.find(({ id }) => id === clipId)
  return (chosen && holds(chosen) ? chosen : clips.find((clip) => clip.kind !== 'marked' && holds(clip)))?.id ?? clipId
}

/** Choose another clip without leaving the frame that is shown. */
export function standIn(clipId: number, ordinal: number): void {
  const { clipId: chosen, sourceId, selectClip } = useUi.getState()
  if (chosen === clipId || sourceId === null) return
  usePlayer.setState({ goal: { sourceId, ordinal } })
  selectClip(clipId, sourceId)
  useReview.getState().setAlso([])
}

/** The chosen clip and the shown frame, which may lie in another clip; null without a frame. */
function here(): Here | null {
  const { clipId } = useUi.getState()
  const frames = frameTable()
  if (clipId === null || frames === undefined || frames.pts.length === 0) return null
  const ordinal = ordinalAt(frames, usePlayer.getState().time)
  const ptsOf = (of: number) => frames.pts[of] ?? frames.startPts
  return { clipId, frames, ordinal, pts: ptsOf(ordinal), ptsOf }
}

function tracksOf(clipId: number): TrackAnnotation[] {
  return annotationsOf(clipId).flatMap((one) => (one.body.kind === 'track' && one.state !== 'rejected' ? [{ ...one, body: one.body }] : []))
}

/** The chosen ones among some annotations, in order of choice: the window's chosen one comes first. */
function chosenOf<T extends { id: number }>(annotations: readonly T[]): T[] {
  return [useUi.getState().trackId, ...useReview.getState().also].flatMap((id) => annotations.find((one) => one.id === id) ?? [])
}

/** The chosen tracks of the clip without rejected ones, which are not drawn and so cannot be changed. */
function chosenTracks(): TrackAnnotation[] {
  const { clipId } = useUi.getState()
  return clipId === null ? [] : chosenOf(tracksOf(clipId))
}

/** The chosen tracks including rejected ones: the list still shows those as chosen, and they can be restored. */
export function tracksToDecide(): Annotation[] {
  const { clipId } = useUi.getState()
  return clipId === null ? [] : chosenOf(annotationsOf(clipId))
}

/** `more` adds to the chosen tracks, or removes the track if it was chosen already. */
export function chooseTrack(id: number, more = false): void {
  const { trackId, selectTrack } = useUi.getState()
  const { also, setAlso } = useReview.getState()
  if (!more || trackId === null) {
    selectTrack(id)
    setAlso([])
  } else if (id === trackId) {
    const [next = null, ...rest] = also
    selectTrack(next)
    setAlso(rest)
  } else setAlso(also.includes(id) ? also.filter((other) => other !== id) : [...also, id])
}

/** Choose the next or previous track of the clip that is on this frame; any track of the clip if none is. */
export function neighbourTrack(by: 1 | -1): void {
  const at = here()
  if (!at) return
  const all = tracksOf(at.clipId)
  const visible = all.filter(({ body }) => keyAt(body, at.ordinal, at.ptsOf) !== null)
  const tracks = visible.length > 0 ? visible : all
  const current = tracks.findIndex(({ id }) => id === useUi.getState().trackId)
  const next = tracks[current === -1 ? (by === 1 ? 0 : tracks.length - 1) : (current + by + tracks.length) % tracks.length]
  if (next) chooseTrack(next.id)
}

/** Also choose the next track after the chosen ones. */
export function alsoNextTrack(): void {
  const at = here()
  if (!at) return
  const chosen = chosenTracks().map(({ id }) => id)
  const tracks = tracksOf(at.clipId)
  const from = tracks.findIndex(({ id }) => id === chosen.at(-1)) + 1
  const next = [...tracks.slice(from), ...tracks.slice(0, from)].find(({ id }) => !chosen.includes(id))
  if (next) chooseTrack(next.id, true)
  else toast(t('Every track is chosen.'), { id: 'review' })
}

/** Focus the chosen box, so that arrow keys move it and, with Alt, resize it. */
export function holdBox(): void {
  const { trackId } = useUi.getState()
  const box = document.querySelector<SVGElement>(`.boxes [data-box="${String(trackId)}"]`)
  if (box) box.focus()
  else toast(trackId === null ? t('Choose a box first.') : notThere(), { id: 'review' })
}

/** Side of a box that is drawn by key, as a share of the picture's side. */
const IN_MIDDLE = 0.25

/** A box in the middle of the picture, for drawing by key: it is then named, moved and resized. */
export function drawInMiddle(): void {
  const at = here()
  const { sourceId } = useUi.getState()
  const probe = queryClient.getQueryData(sourcesQuery.queryKey)?.sources.find(({ id }) => id === sourceId)?.probe
  if (!at || !probe) {
    toast(t('Choose a clip first.'), { id: 'review' })
    return
  }
  const side = (length: number, edge: -1 | 1) => (length * (1 + edge * IN_MIDDLE)) / 2
  drawn(
    clipWith(at.ordinal) ?? at.clipId,
    { x1: side(probe.width, -1), y1: side(probe.height, -1), x2: side(probe.width, 1), y2: side(probe.height, 1) },
    at,
    at.frames,
  )
}

/** The labels that the person probably wants, likeliest first: the project's, then those of this clip. */
function likelyLabels(): string[] {
  const { clipId } = useUi.getState()
  const wanted = queryClient.getQueryData(labelsQuery.queryKey)?.labels.map(({ name }) => name) ?? []
  return [...new Set([...wanted, ...(clipId === null ? [] : tracksOf(clipId).map(({ body }) => body.label))])]
}

let lastLabel: string | null = null

/**
 * After a box was drawn: a new track from this frame to the end of its clip, until a person says otherwise. The clip that contains the box
 * is chosen.
 */
export function drawn(clipId: number, box: Box, { ordinal, pts }: FrameRef, frames: FrameTable): void {
  const clip = queryClient.getQueryData(clipsOf(useUi.getState().sourceId).queryKey)?.find(({ id }) => id === clipId)
  standIn(clipId, ordinal)
  const last = Math.min((clip?.endFrame ?? ordinal + 1) - 1, frames.pts.length - 1)
  const label = lastLabel ?? likelyLabels()[0] ?? t('object')
  const start: TrackBody = { kind: 'track', label, boxes: [{ ordinal, pts, box, score: null }] }
  const body = last > ordinal ? retimeTrack(start, 'last', last, (of) => frames.pts[of] ?? frames.startPts) : start
  useReview.getState().setDrawing(false)
  const stored = commit(clipId, [{ action: 'add', clipId, body }])
  chooseProvisional(clipId)
  void stored.then((ids) => ids !== null && askForLabel(ids[0]))
}

/** A new box has the label that was used last; the next keys can change it. */
function askForLabel(id: number | undefined): void {
  const field = document.querySelector<HTMLInputElement>(`[data-label-of="${String(id)}"]`)
  field?.scrollIntoView({ block: 'nearest' })
  field?.focus({ preventScroll: true })
  field?.select()
}

/** Choose the newest track, which has no id yet. */
function chooseProvisional(clipId: number): void {
  const newest = tracksOf(clipId).at(-1)
  if (newest) chooseTrack(newest.id)
}

/** Change every chosen track; tracks for which `change` returns null stay as they are, and if it does so for all, `refusal` is shown. */
function changeChosen(change: (track: TrackBody, at: Here) => TrackBody | null, refusal: string): void {
  const at = here()
  const tracks = chosenTracks()
  if (!at || tracks.length === 0) {
    toast(t('Choose a box first.'), { id: 'review' })
    return
  }
  const edits = tracks.flatMap(({ id, body }): Edit[] => {
    const next = change(body, at)
    return next === null || next === body ? [] : [{ action: 'edit', annotationId: id, body: next }]
  })
  if (edits.length > 0)
    void commit(at.clipId, edits, edits.length > 1 ? said('Changed {{count}} tracks', { count: edits.length }) : undefined)
  else toast(refusal, { id: 'review' })
}

export function relabel(label: string): void {
  const wanted = label.trim()
  if (wanted === '') return
  lastLabel = wanted
  changeChosen((track) => (track.label === wanted ? null : { ...track, label: wanted }), t('It has that label.'))
}

/** @param nth Counts from 1. */
export function relabelByNumber(nth: number): void {
  const label = likelyLabels()[nth - 1]
  if (label === undefined) toast(t('There is no label {{nth}}.', { nth }), { id: 'review' })
  else if (chosenTracks().length > 0) relabel(label)
  else {
    lastLabel = label
    toast(t('The next box is “{{label}}”.', { label }), { id: 'review' })
  }
}

const notThere = () => t('The chosen track is not on this frame.')

/** Adds a key box if this frame has none, or removes it. */
export function toggleKey(): void {
  changeChosen((track, { ordinal, ptsOf }) => {
    if (track.boxes.some((key) => key.ordinal === ordinal)) return track.boxes.length > 1 ? withoutKey(track, ordinal) : null
    const key = keyAt(track, ordinal, ptsOf)
    return key && withKeyBox(track, ordinal, key.pts, key.box)
  }, notThere())
}

export function toggleFlag(flag: 'occluded' | 'outside'): void {
  changeChosen(
    (track, { ordinal, ptsOf }) => withFlag(track, ordinal, ptsOf, flag, keyInForce(track, ordinal)?.[flag] !== true),
    notThere(),
  )
}

/** Make the chosen tracks begin or end on this frame. */
export function retimeHere(edge: 'first' | 'last'): void {
  changeChosen((track, { ordinal, ptsOf }) => retimeTrack(track, edge, ordinal, ptsOf), notThere())
}

/**
 * Follow the chosen box through the video from this frame on, past the end of its clip too, as one step of undo. The boxes of its track
 * after this frame are replaced. If the object is lost, that frame is shown and the person is told.
 */
export async function followForward(): Promise<void> {
  const at = here()
  const [track] = chosenTracks()
  const key = at && track ? keyAt(track.body, at.ordinal, at.ptsOf) : null
  if (!at || !track || !key) {
    toast(track ? notThere() : t('Choose a box first.'), { id: 'review' })
    return
  }
  const { label } = track.body
  toast(t('“{{label}}” is being followed…', { label }), { id: 'review', duration: Infinity })
  try {
    const { boxes, lost, end } = await call('followBox', {
      params: { clipId: at.clipId },
      body: { box: key.box, ordinal: at.ordinal, label },
    })
    const body = tracksOf(at.clipId).find(({ id }) => id === track.id)?.body
    const seen = boxes.filter(({ ordinal }) => ordinal >= at.ordinal)
    const last = seen.at(-1)
    if (!body || !last) return
    const seconds = clock(timeOf(at.frames, last.ordinal), 2)
    const gone = end === 'lost' && lost !== null
    const outcome = gone
      ? said('“{{label}}” was followed to {{seconds}} and lost there. Draw it where it is seen again, and follow it on.', {
          label,
          seconds,
        })
      : end === 'cut'
        ? said('“{{label}}” was followed to the cut at {{seconds}}.', { label, seconds })
        : said('“{{label}}” was followed to {{seconds}}.', { label, seconds })
    const followed: TrackBody = { ...body, boxes: [...body.boxes.filter(({ ordinal }) => ordinal < at.ordinal), ...seen] }
    await commit(at.clipId, [{ action: 'edit', annotationId: track.id, body: followed }], outcome)
    if (useUi.getState().clipId === at.clipId) showFrame(at.frames, gone ? lost.ordinal : last.ordinal)
  } catch (error) {
    toast.error(told(problemOf(error)).message, { id: 'review' })
  }
}

export function copyBoxOn(): void {
  changeChosen((track, { ordinal, ptsOf }) => copyToNextKey(track, ordinal, ptsOf), t('There is no later key frame to copy to.'))
}

/** Delete the key box on this frame, or the whole track if it has no other. */
export function deleteBox(): void {
  const at = here()
  const tracks = chosenTracks()
  if (!at || tracks.length === 0) return
  const edits = tracks.flatMap(({ id, body }): Edit[] => {
    const rest = withoutKey(body, at.ordinal)
    if (rest === null) return [{ action: 'reject', annotationId: id }]
    return rest === body ? [] : [{ action: 'edit', annotationId: id, body: rest }]
  })
  if (edits.length > 0) void commit(at.clipId, edits, said('Box deleted'), true)
  else toast(t('No key box of this track is on this frame. Delete the track, or go to a key frame.'), { id: 'review' })
}

export async function deleteTracks(): Promise<void> {
  const { clipId } = useUi.getState()
  const tracks = chosenTracks()
  if (clipId === null || tracks.length === 0) return
  if (
    !(await decideAll(
      clipId,
      tracks.map(({ id }) => id),
      'reject',
      said('Deleted {{count}} tracks', { count: tracks.length }),
    ))
  )
    return
  useUi.getState().selectTrack(null)
  useReview.getState().setAlso([])
}

export function splitChosen(): void {
  const at = here()
  const [track] = chosenTracks()
  const parts = at && track ? splitTrack(track.body, at.ordinal, at.ptsOf) : null
  if (!at || !track || !parts) {
    toast(t('Choose a track, and a frame inside its life, to split it there.'), { id: 'review' })
    return
  }
  // The second part begins here, be it in another clip than the chosen one.
  void commit(
    at.clipId,
    [
      { action: 'edit', annotationId: track.id, body: parts[0] },
      { action: 'add', clipId: clipWith(at.ordinal) ?? at.clipId, body: parts[1] },
    ],
    said('Track split'),
  )
}

/** Merge the chosen tracks into the first one. */
export function mergeChosen(): void {
  const { clipId } = useUi.getState()
  const [first, ...rest] = chosenTracks()
  if (clipId === null || !first || rest.length === 0) {
    toast(t('Choose two tracks to merge them: Shift and click adds one.'), { id: 'review' })
    return
  }
  const body = rest.reduce((merged, { body: next }) => mergeTracks(merged, next), first.body)
  void commit(
    clipId,
    [{ action: 'edit', annotationId: first.id, body }, ...rest.map(({ id }): Edit => ({ action: 'reject', annotationId: id }))],
    said('Tracks merged'),
    true,
  )
  useReview.getState().setAlso([])
}

/** Moves the first or last frame, or a key frame, after a drag on the timeline. */
export function retimed(track: TrackAnnotation, frames: FrameTable, edge: 'first' | 'last' | { key: number }, ordinal: number): TrackBody {
  const ptsOf = (of: number) => frames.pts[of] ?? frames.startPts
  const to = Math.min(Math.max(0, ordinal), frames.pts.length - 1)
  return typeof edge === 'string' ? retimeTrack(track.body, edge, to, ptsOf) : moveKey(track.body, edge.key, to, ptsOf)
}

export function goToKey(direction: 1 | -1): void {
  const at = here()
  const [track] = chosenTracks()
  if (!at || !track) return
  const key = neighbourKey(track.body, at.ordinal, direction)
  if (key) showFrame(at.frames, key.ordinal)
}

export function goToEndOfTrack(edge: 'first' | 'last'): void {
  const at = here()
  const [track] = chosenTracks()
  const clip = at && clipOf(at.clipId)
  if (!at || !clip) return
  const { first, last } = track ? lifetime(track.body) : { first: clip.startFrame, last: clip.endFrame - 1 }
  showFrame(at.frames, edge === 'first' ? first : last)
}

/** Begin a text about the marked span, or about this moment if nothing is marked; a caption of a part then lasts to the clip's end. */
export function sayHere(kind: 'note' | 'segment'): void {
  const at = here()
  if (!at) {
    toast(t('Choose a clip first.'), { id: 'review' })
    return
  }
  const marked = markedSpan(useReview.getState())
  const chosen = clipOf(at.clipId)
  // A text about a span that reaches into the chosen clip belongs to that clip; any other belongs to the clip that contains it.
  const clipId = (marked && chosen && spanWithin(marked, chosen) ? at.clipId : clipWith(marked?.startFrame ?? at.ordinal)) ?? at.clipId
  standIn(clipId, at.ordinal)
  const end = queryClient.getQueryData(clipsOf(useUi.getState().sourceId).queryKey)?.find(({ id }) => id === clipId)?.endFrame ?? 0
  parts.open(clipId, {
    kind,
    span: marked ?? { startFrame: at.ordinal, endFrame: kind === 'note' ? at.ordinal + 1 : Math.max(at.ordinal + 1, end) },
  })
}

/** Copy a caption's text to the marked span; the clip's own caption stays. */
export function sayOfMarked({ clipId, body }: Annotation): void {
  const span = markedSpan(useReview.getState())
  if (span && body.kind === 'caption')
    void commit(clipId, [{ action: 'add', clipId, body: { kind: 'segment', text: body.text, span } }], said('Saved'))
}

function clipOf(clipId: number): Clip | undefined {
  return queryClient.getQueryData(clipQuery(clipId).queryKey)?.clip
}

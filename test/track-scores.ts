/**
 * How good tracks are on the development clips: HOTA and id switches against tracks.json, boxes against boxes.json by the rules of the
 * score_boxes.py beside them.
 *
 * Then every object of tracks.json is followed forward, from the box of its first frame and from the first on which most of it is to be seen, with
 * and without the help of those tracks.
 *
 *     node test/track-scores.ts SPOTTED.json [CLIPS]
 *
 * SPOTTED.json: what the detector saw, `{clip: {size: [w, h], fps, camera, frames: [{ordinal, pts_time, grid,
 * spotted: [{name, score, box, colours}]}]}}`, boxes as shares of the picture, `camera` what the decode pass measures; of the frames those on the sampling `grid`
 * are used, as in the app.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Box, TrackBody } from '../app/annotation.ts'
import { boxArea, iou, pixelBox, type RelativeBox } from '../app/boxes.ts'
import type { CameraTrace } from '../app/facts/camera.ts'
import { detectorPace, groundShift, Tracker } from '../app/tracker.ts'
import { type Candidate, interpolate } from '../app/tracks.ts'
import { followBox } from '../main/media/follow.ts'
import { probe } from '../main/media/probe.ts'
import { findMediaTools, runTool } from '../main/media/tools.ts'
import { clipsFolder } from './clips.ts'
import { trackScores, type TrackFrame } from './hota.ts'

interface Spotted {
  size: [number, number]
  camera?: CameraTrace
  frames: { ordinal: number; pts_time: number; grid: boolean; spotted: { name: string; score: number; box: RelativeBox; colours?: number[] }[] }[]
}
type Xywh = [number, number, number, number]
interface TruthClip {
  size: [number, number]
  range: [number, number]
  tracks: { id: number; label: string; keys: { frame: number; xywh: Xywh }[]; gaps?: [number, number][] }[]
  ignore?: { label: string; xywh: Xywh; frames: [number, number] }[]
}
interface TruthBoxes {
  frames: { frame: number; boxes: { label: string; xywh: Xywh; ignore: boolean }[] }[]
}

/** Ticks a second: microseconds, since the file gives seconds. */
const TIME_BASE = { num: 1, den: 1_000_000 }
/** As the pack says: for a name that was asked for, and for one that nobody asked for. */
const { asked: ASKED, volunteered: VOLUNTEERED } = (JSON.parse(readFileSync(new URL('../models/packs/objects-80/pack.json', import.meta.url), 'utf8')) as { calibration: { asked: number; volunteered: number } }).calibration
const THRESHOLDS = [0.3, 0.4, ASKED, 0.55, VOLUNTEERED, 0.65, 0.7, 0.8, 0.9]

const boxOf = ([x, y, w, h]: Xywh): Box => ({ x1: x, y1: y, x2: x + w, y2: y + h })
const inside = (box: Box, other: Box) => boxArea({ x1: Math.max(box.x1, other.x1), y1: Math.max(box.y1, other.y1), x2: Math.min(box.x2, other.x2), y2: Math.min(box.y2, other.y2) }) / (boxArea(box) || 1)

/** The tracks of a clip, and when its frames are: linear between the frames of the file. */
function followed({ size: [width, height], frames, camera }: Spotted): { tracks: Candidate[]; ptsOf: (ordinal: number) => number } {
  const times = frames.map(({ ordinal, pts_time }) => ({ ordinal, pts: Math.round(pts_time * 1e6) })).sort((a, b) => a.ordinal - b.ordinal)
  const ptsOf = (ordinal: number) => {
    const at = Math.min(Math.max(1, times.findIndex((time) => time.ordinal >= ordinal)), times.length - 1)
    const [a, b] = [times[at - 1], times[at]]
    return a && b && b.ordinal > a.ordinal ? a.pts + ((b.pts - a.pts) * (ordinal - a.ordinal)) / (b.ordinal - a.ordinal) : 0
  }
  const tracker = new Tracker(detectorPace(TIME_BASE))
  let before = 0
  for (const { ordinal, pts_time, spotted } of frames.filter(({ grid }) => grid)) {
    const pts = ptsOf(ordinal)
    const shift = camera && groundShift(camera, before, pts_time, { width, height })
    before = pts_time
    tracker.push({ ordinal, pts, sightings: spotted.map(({ name, score, box, colours }) => ({ ordinal, pts, label: name, score, box: pixelBox(box, { width, height }), ...(colours ? { colours } : {}) })), ...(shift ? { shift } : {}) })
  }
  return { tracks: tracker.tracksIn({ startFrame: 0, endFrame: Number.MAX_SAFE_INTEGER }, ptsOf), ptsOf }
}

function truthBox(track: TruthClip['tracks'][number], frame: number): Box | null {
  if (track.gaps?.some(([first, last]) => frame >= first && frame <= last)) return null
  const boxes = track.keys.map((key) => ({ ordinal: key.frame, pts: key.frame, box: boxOf(key.xywh), score: null }))
  return interpolate({ boxes }, frame)
}

/** Every frame of a clip of tracks.json for one label. */
function compared(truth: TruthClip, label: string, { tracks, ptsOf }: ReturnType<typeof followed>, least: number): TrackFrame[] {
  const said = tracks.filter(({ score, body }) => body.label === label && score >= least)
  return Array.from({ length: truth.range[1] - truth.range[0] + 1 }, (_, i) => {
    const frame = truth.range[0] + i
    return {
      truth: truth.tracks.flatMap((track) => {
        const box = track.label === label ? truthBox(track, frame) : null
        return box ? [{ id: track.id, box }] : []
      }),
      said: said.flatMap(({ body }) => {
        const box = interpolate(body, ptsOf(frame))
        return box ? [{ id: body.object ?? 0, box }] : []
      }),
      ignored: (truth.ignore ?? []).filter((zone) => zone.label === label && frame >= zone.frames[0] && frame <= zone.frames[1]).map(({ xywh }) => boxOf(xywh)),
    }
  })
}

/** Follow one object from one of its key boxes: on how many of the frames until it is lost the box overlaps it by half or more, and where that is said. */
async function followedOn(file: string, track: TruthClip['tracks'][number], start: number, help: readonly TrackBody[]): Promise<string> {
  const facts = await probe(tools, file)
  const { stdout } = await runTool(tools.ffprobe ?? 'ffprobe', ['-v', 'quiet', '-select_streams', 'v:0', '-show_frames', '-show_entries', 'frame=best_effort_timestamp', '-of', 'csv=p=0', file])
  const pts = Float64Array.from([...stdout.toString().matchAll(/^-?\d+/gm)].map(Number))
  const box = truthBox(track, start)
  if (box === null) return ''
  const began = process.cpuUsage()
  const { boxes, lost, end } = await followBox(tools, { file, probe: facts, pts, from: start, box, help: help.map((body) => ({ ...body, boxes: body.boxes.map((key) => ({ ...key, pts: pts[key.ordinal] ?? 0 })) })) }, new AbortController().signal)
  const cpu = process.cpuUsage(began)
  const last = Math.min(track.keys.at(-1)?.frame ?? 0, (lost?.ordinal ?? Infinity) - 1, boxes.at(-1)?.ordinal ?? 0)
  const overlaps = Array.from({ length: Math.max(0, last - start) }, (_, i) => {
    const [there, said] = [truthBox(track, start + 1 + i), interpolate({ boxes }, pts[start + 1 + i] ?? 0)]
    return there && said ? iou(there, said) : 0
  })
  const good = overlaps.filter((value) => value >= 0.5).length / Math.max(1, overlaps.length)
  return `${share(good)} of ${String(overlaps.length).padStart(3)} frames${lost ? ` (lost at ${lost.ordinal})` : ` (${end})`}, ${boxes.length} keys, ${((cpu.user + cpu.system) / 1000 / Math.max(1, (boxes.at(-1)?.ordinal ?? start) - start)).toFixed(0)} ms of CPU a frame`
}

/** Right, missed and wrong boxes on the frames of boxes.json, of names for which `counts` holds. */
function boxScores(truth: Record<string, TruthBoxes>, all: ReadonlyMap<string, ReturnType<typeof followed>>, least: number, asked: ReadonlySet<string> | null, wrongs?: Map<string, number>) {
  let [right, there, wrong] = [0, 0, 0]
  for (const [clip, { frames }] of Object.entries(truth)) {
    const { tracks, ptsOf } = all.get(clip) ?? { tracks: [], ptsOf: () => 0 }
    for (const { frame, boxes } of frames) {
      const open = boxes.filter(({ label, ignore }) => !ignore && !label.startsWith('other:'))
      there += open.length
      const said = tracks
        .filter(({ score, body }) => score >= least && (asked === null || asked.has(body.label)))
        .flatMap(({ score, body }) => {
          const box = interpolate(body, ptsOf(frame))
          return box ? [{ score, label: body.label, box }] : []
        })
        .sort((a, b) => b.score - a.score)
      for (const { label, box } of said) {
        const best = open.filter((one) => one.label === label).sort((a, b) => iou(boxOf(b.xywh), box) - iou(boxOf(a.xywh), box))[0]
        if (best && iou(boxOf(best.xywh), box) >= 0.5) {
          right += 1
          open.splice(open.indexOf(best), 1)
        } else if (!boxes.some((one) => one.ignore && one.label === label && (inside(box, boxOf(one.xywh)) >= 0.5 || iou(boxOf(one.xywh), box) >= 0.5))) {
          wrong += 1
          wrongs?.set(`${clip.slice(0, 3)} ${label}`, (wrongs.get(`${clip.slice(0, 3)} ${label}`) ?? 0) + 1)
        }
      }
    }
  }
  return { recall: right / there, precision: right / Math.max(1, right + wrong), right, there, wrong }
}

const [file, folder = clipsFolder()] = process.argv.slice(2)
if (file === undefined || folder === null) throw new Error('Say which file holds what the detector saw.')
const tools = await findMediaTools()
const json = (name: string): unknown => JSON.parse(readFileSync(name, 'utf8'))
const seen = new Map(Object.entries(json(file) as Record<string, Spotted>).map(([clip, spotted]) => [clip, followed(spotted)]))
const truth = json(path.join(folder, 'tracks.json')) as Record<string, TruthClip>
const boxes = json(path.join(folder, 'boxes.json')) as Record<string, TruthBoxes>

const share = (value: number) => value.toFixed(2)
for (const least of [ASKED, VOLUNTEERED]) {
  for (const [clip, one] of Object.entries(truth)) {
    const tracks = seen.get(clip)
    if (!tracks) continue
    for (const label of new Set(one.tracks.map((track) => track.label))) {
      const { hota, detection, association, switches, recall, precision } = trackScores([compared(one, label, tracks, least)])
      console.log(`from ${share(least)} ${clip.padEnd(26)} ${label.padEnd(7)} HOTA ${share(hota)}  DetA ${share(detection)}  AssA ${share(association)}  id switches ${switches}  at IoU 0.5: recall ${share(recall)} precision ${share(precision)}`)
    }
  }
  for (const label of ['person', 'car']) {
    const all = Object.entries(truth).flatMap(([clip, one]) => (one.tracks.some((track) => track.label === label) && seen.has(clip) ? [compared(one, label, seen.get(clip) ?? { tracks: [], ptsOf: () => 0 }, least)] : []))
    console.log(`from ${share(least)} all clips: ${label} HOTA ${share(trackScores(all).hota)}`)
  }
}
const asked = new Set(Object.values(boxes).flatMap(({ frames }) => frames.flatMap((frame) => frame.boxes.map(({ label }) => label))))
const scored = new Set(Object.values(boxes).flatMap(({ frames }) => frames.flatMap((frame) => frame.boxes.filter(({ ignore }) => !ignore).map(({ label }) => label))))
for (const least of THRESHOLDS) {
  const wrongs = new Map<string, number>()
  const [names, few, any] = [boxScores(boxes, seen, least, asked), boxScores(boxes, seen, least, scored), boxScores(boxes, seen, least, null, wrongs)]
  console.log(
    `from ${share(least)}: the ${scored.size} scored names: recall ${share(few.recall)} precision ${share(few.precision)}; ${asked.size} names of the truth: precision ${share(names.precision)}; all names: precision ${share(any.precision)} (${any.right} right of ${any.there}, ${any.wrong} wrong)`,
  )
  if (process.env['WRONG']) console.log([...wrongs].sort((a, b) => b[1] - a[1]).map(([k, v]) => `${k}:${v}`).join(', '))
}

for (const [clip, { tracks }] of Object.entries(truth)) {
  const help = (seen.get(clip)?.tracks ?? []).filter(({ score }) => score >= ASKED).map(({ body }) => body)
  for (const track of tracks) {
    const area = ({ xywh: [, , w, h] }: { xywh: Xywh }) => w * h
    const usual = track.keys.map(area).sort((a, b) => a - b)[track.keys.length >> 1] ?? 0
    const [first, seenWell] = [track.keys[0]?.frame ?? 0, track.keys.find((key) => area(key) >= 0.6 * usual)?.frame ?? 0]
    for (const start of new Set([first, seenWell])) {
      const own = help.filter(({ label }) => label === track.label)
      console.log(`${clip.slice(0, 3)} ${track.label} ${track.id} from ${start} to ${track.keys.at(-1)?.frame ?? 0}: helped IoU >= 0.5 on ${await followedOn(path.join(folder, clip), track, start, own)}; alone ${await followedOn(path.join(folder, clip), track, start, [])}`)
    }
  }
}

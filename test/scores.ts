/**
 * `npm run scores [-- CLIPS] [--verbose] [--json FILE] [--project FOLDER] [--against CHECKOUT] [--write]`: how accurate the product is on a folder of clips
 * with ground truth beside them (test/truth.ts), and what it costs. Runs the real program with the packs that ship; prints one table, and with
 * `--verbose` the errors of each clip.
 *
 * `--project` keeps the library there, and reuses what an earlier run analysed (then the cost of the batch is left out).
 * `--against` runs the same batch with another checkout first, for the ratio of the two. `--write` puts the scores of boxes into the pack.json of objects-80.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Box, TrackBody } from '../app/annotation.ts'
import { iou } from '../app/boxes.ts'
import type { AskEvent, Clip } from '../app/contract.ts'
import { FollowedBox } from '../app/contract/review.ts'
import { inEnglish } from '../app/errors.ts'
import { interpolate, trackScore } from '../app/tracks.ts'
import { withNames } from '../app/vocabulary.ts'
import { openTubelet, type Tubelet } from '../main/open.ts'
import { clipsFolder } from './clips.ts'
import { analyseBatch } from './cost.ts'
import { type TrackFrame, trackScores } from './hota.ts'
import { textScores, WITHOUT } from './text-scores.ts'
import {
  countIn,
  isName,
  isRight,
  judgeBoxes,
  judgeCounts,
  namesIn,
  type Question,
  readTruth,
  type SaidBox,
  timeIn,
  type TrueClip,
  yesOrNo,
} from './truth.ts'

interface Row {
  part: string
  what: string
  value: string
  n: string
  goal: string
  /** Null where there is no goal, or nothing to judge. */
  pass: boolean | null
}

/** A clip of the folder with its data from the library. */
interface Video {
  truth: TrueClip
  clips: Clip[]
  /** PTS of every frame, in ticks. */
  pts: Float64Array
}

/** Looked for in every clip in addition to the names of boxes.json. */
const ASKED = ['person', 'car', 'dog', 'bicycle', 'cup', 'sports ball', 'truck', 'bottle']
/** Seconds of the file for the first result, and how long it may take. */
const LONG = { seconds: 60, goal: 2, written: new Date(2026, 0, 1) }
const root = path.resolve(import.meta.dirname, '..')

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    verbose: { type: 'boolean', default: false },
    json: { type: 'string' },
    project: { type: 'string' },
    against: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const folder = positionals[0] ?? clipsFolder()
if (folder === null) process.exit(1)
const work = mkdtempSync(path.join(os.tmpdir(), 'tubelet-scores-'))
const rows: Row[] = []
const details = new Map<string, string[]>()
/** The scores of a pack, as they are stored in its pack.json. */
const ON = 'frames of real clips, as the app shows them'
const kept: { task: 'boxes'; metric: string; value: number; n: number; on: string; date: string }[] = []

const share = (part: number, whole: number): string => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`)
const atLeast = (part: number, whole: number, goal: number): boolean | null => (whole === 0 ? null : part / whole >= goal)

const atMost = (part: number, whole: number, goal: number): boolean | null => (whole === 0 ? null : part / whole <= goal)

function row(part: string, what: string, value: string, n: string, goal = '', pass: boolean | null = null): void {
  rows.push({ part, what, value, n, goal, pass })
}

function keep(metric: string, value: number, n: number): void {
  if (n > 0) kept.push({ task: 'boxes', metric, value: Number(value.toFixed(4)), n, on: ON, date: new Date().toISOString().slice(0, 10) })
}

function tell(part: string, clip: string, line: string): void {
  details.set(part, [...(details.get(part) ?? []), `${clip.slice(0, 24).padEnd(24)} ${line}`])
}

try {
  await scores()
  print()
} finally {
  rmSync(work, { recursive: true, force: true })
}

async function scores(): Promise<void> {
  const truth = readTruth(folder ?? '')
  const files = truth.map(({ name }) => path.join(folder ?? '', name))
  const names = [...new Set(truth.flatMap(({ frames }) => frames.flatMap(({ boxes }) => boxes.map(({ label }) => label))))].filter(isName)
  const project = options.project ?? path.join(work, 'project')
  await batch(files, [...new Set([...names, ...ASKED])], project)

  const tubelet = openTubelet({ projectDir: project, packsDir: path.join(project, 'packs'), host: 'cli' })
  try {
    await tubelet.jobs.idle()
    const videos = videosOf(tubelet, truth)
    await look(tubelet, [])
    volunteered(tubelet, videos)
    await captions(tubelet, videos)
    await questions(tubelet, videos)
    await look(tubelet, [...new Set([...names, ...ASKED])])
    asked(tubelet, videos, names)
    present(tubelet, videos, [...new Set([...names, ...ASKED])])
    tracks(tubelet, videos)
    await followed(tubelet, videos)
    await text(tubelet, videos)
  } finally {
    await tubelet.close()
  }
  await firstResult(truth)
}

// ── cost

async function batch(files: readonly string[], labels: readonly string[], project: string): Promise<void> {
  const before =
    options.against === undefined
      ? null
      : await analyseBatch(path.resolve(options.against), files, { labels, project: path.join(work, 'before') })
  const { wall, cpu, memory, report } = await analyseBatch(root, files, { labels, project })
  const seconds = report.sources.reduce((sum, { duration }) => sum + (duration ?? 0), 0)
  if (options.project !== undefined && cpu < 10) return
  const n = `${files.length} files, ${seconds.toFixed(0)} s`
  row('cost', 'the batch: wall / processor time', `${wall.toFixed(0)} / ${cpu.toFixed(0)} s`, n)
  if (before)
    row(
      'cost',
      `against ${path.basename(options.against ?? '')}: wall / processor time`,
      `${(wall / before.wall).toFixed(2)} / ${(cpu / before.cpu).toFixed(2)} × of ${before.wall.toFixed(0)} / ${before.cpu.toFixed(0)} s`,
      n,
      '≤ 1.7 ×',
      wall / before.wall <= 1.7,
    )
  row('cost', 'most memory of all processes at once', `${(memory / 1e9).toFixed(2)} GB`, n, '≤ 1 GB', memory <= 1e9)
}

/** Measures the time from the drop of a long file to the first visible box, fact or text, with idle engines. */
async function firstResult(truth: readonly TrueClip[]): Promise<void> {
  const first = truth.find(({ frames }) => frames[0]?.frame === 0 && frames[0].boxes.some(({ ignore, label }) => !ignore && isName(label)))
  if (first === undefined) return
  const [once, long] = [path.join(work, 'once.mp4'), path.join(work, 'long.mp4')]
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-i',
    path.join(folder ?? '', first.name),
    '-vf',
    'scale=1920:1080',
    '-an',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
    once,
  ])
  execFileSync('ffmpeg', ['-v', 'error', '-stream_loop', '-1', '-i', once, '-t', String(LONG.seconds), '-c', 'copy', long])
  // A file that was just written could still be growing: the product would wait for it.
  utimesSync(long, LONG.written, LONG.written)
  const tubelet = openTubelet({ projectDir: path.join(work, 'first'), packsDir: path.join(work, 'packs'), host: 'cli' })
  try {
    await tubelet.engines.all()
    const began = performance.now()
    const seen = Promise.withResolvers<number>()
    tubelet.onEvent(() => {
      const { clips } = tubelet.library.clips({ limit: 1, offset: 0 })
      if (clips.some(({ id }) => tubelet.library.annotations(id).some(({ evidence }) => evidence?.unsure !== true)))
        seen.resolve(performance.now() - began)
    })
    await tubelet.intake.bring({ paths: [long] })
    const seconds = (await Promise.race([seen.promise, tubelet.jobs.idle().then(() => Infinity)])) / 1000
    row(
      'cost',
      `first result of a file of ${LONG.seconds} s, 1080p (${first.name} looped)`,
      `${seconds.toFixed(1)} s`,
      '1',
      `≤ ${LONG.goal} s`,
      seconds <= LONG.goal,
    )
  } finally {
    await tubelet.close()
  }
}

// ── what the library holds

function videosOf({ library }: Tubelet, truth: readonly TrueClip[]): Video[] {
  const sources = library.sources()
  return truth.flatMap((one) => {
    const source = sources.find(({ name }) => name === one.name)
    return source
      ? [
          {
            truth: one,
            pts: library.frames(source.id),
            clips: library.clips({ sourceId: source.id, limit: Number.MAX_SAFE_INTEGER, offset: 0 }).clips,
          },
        ]
      : []
  })
}

/** Makes these the labels that are looked for. */
async function look({ jobs }: Tubelet, names: readonly string[]): Promise<void> {
  await jobs.setVocabulary(withNames([], names))
  await jobs.idle()
}

function shownTracks({ library }: Tubelet, { clips }: Video): { clip: Clip; body: TrackBody }[] {
  return clips.flatMap((clip) =>
    library.annotations(clip.id).flatMap(({ body, state }) => (body.kind === 'track' && state !== 'rejected' ? [{ clip, body }] : [])),
  )
}

/** The boxes shown on one frame, given by its ordinal. */
function shownBoxes(
  tracks: readonly { clip: Clip; body: TrackBody }[],
  pts: Float64Array,
  frame: number,
): (SaidBox & { object: number })[] {
  return tracks.flatMap(({ clip, body }) => {
    const box = frame >= clip.startFrame && frame < clip.endFrame ? interpolate(body, pts[frame] ?? 0) : null
    return box ? [{ label: body.label, score: trackScore(body), box, object: body.object ?? 0 }] : []
  })
}

function listed(boxes: readonly { label: string }[]): string {
  return [...Map.groupBy(boxes, ({ label }) => label)]
    .map(([label, of]) => (of.length === 1 ? label : `${of.length} × ${label}`))
    .join(', ')
}

// ── boxes

function asked(tubelet: Tubelet, videos: readonly Video[], names: readonly string[]): void {
  let [right, missed, wrong] = [0, 0, 0]
  const counts: boolean[] = []
  for (const video of videos) {
    const tracks = shownTracks(tubelet, video).filter(({ body }) => names.includes(body.label))
    for (const { frame, boxes } of video.truth.frames) {
      const said = shownBoxes(tracks, video.pts, frame)
      const verdict = judgeBoxes(boxes, said)
      right += verdict.right.length
      missed += verdict.missed.length
      wrong += verdict.wrong.length
      if (verdict.missed.length + verdict.wrong.length > 0)
        tell(
          'boxes of asked names',
          video.truth.name,
          `frame ${frame}: right ${listed(verdict.right) || '–'}; missed ${listed(verdict.missed) || '–'}; wrong ${listed(verdict.wrong) || '–'}`,
        )
      for (const { label, there, said: count } of judgeCounts(boxes, said)) {
        counts.push(there === count)
        if (there !== count) tell('counts', video.truth.name, `frame ${frame}: ${there} × ${label}, shown ${count}`)
      }
    }
  }
  keep('recall of asked names', right / (right + missed), right + missed)
  keep('precision of asked names', right / (right + wrong), right + wrong)
  keep('exact counts of two or more', counts.filter(Boolean).length / counts.length, counts.length)
  row(
    'boxes',
    'asked names: recall',
    share(right, right + missed),
    `${right + missed} boxes`,
    '≥ 72 %',
    atLeast(right, right + missed, 0.72),
  )
  row(
    'boxes',
    'asked names: precision',
    share(right, right + wrong),
    `${right + wrong} boxes`,
    '≥ 85 %',
    atLeast(right, right + wrong, 0.85),
  )
  row(
    'counts',
    'exact where two or more are there',
    share(counts.filter(Boolean).length, counts.length),
    `${counts.length} frames`,
    '≥ 85 %',
    atLeast(counts.filter(Boolean).length, counts.length, 0.85),
  )
}

function volunteered(tubelet: Tubelet, videos: readonly Video[]): void {
  let [right, there, wrong] = [0, 0, 0]
  for (const video of videos) {
    const tracks = shownTracks(tubelet, video)
    for (const { frame, boxes } of video.truth.frames) {
      const verdict = judgeBoxes(boxes, shownBoxes(tracks, video.pts, frame))
      right += verdict.right.length
      there += verdict.right.length + verdict.missed.length
      wrong += verdict.wrong.length
      if (verdict.wrong.length > 0)
        tell('boxes of names that nobody asked for', video.truth.name, `frame ${frame}: wrong ${listed(verdict.wrong)}`)
    }
  }
  keep('precision of names that nobody asked for', right / (right + wrong), right + wrong)
  row(
    'boxes',
    'names that nobody asked for: precision',
    share(right, right + wrong),
    `${right + wrong} boxes`,
    '≥ 85 %',
    atLeast(right, right + wrong, 0.85),
  )
  row('boxes', 'names that nobody asked for: recall', share(right, there), `${there} boxes`)
}

/** Whether each of these names is found anywhere in each clip. Names present only in parts that may be ignored are left out. */
function present(tubelet: Tubelet, videos: readonly Video[], names: readonly string[]): void {
  const cases = { there: [] as boolean[], absent: [] as boolean[] }
  for (const video of videos.filter(({ truth }) => truth.frames.length > 0)) {
    const boxes = video.truth.frames.flatMap((frame) => frame.boxes)
    const shown = new Set(shownTracks(tubelet, video).map(({ body }) => body.label))
    for (const name of names) {
      const own = boxes.filter(({ label }) => label === name)
      if (own.length > 0 && own.every(({ ignore }) => ignore)) continue
      cases[own.length > 0 ? 'there' : 'absent'].push(shown.has(name))
      if (own.length > 0 !== shown.has(name))
        tell('present or absent', video.truth.name, own.length > 0 ? `${name} not found` : `${name} is not there`)
    }
  }
  const [found, wrong] = [cases.there.filter(Boolean).length, cases.absent.filter(Boolean).length]
  keep('asked names found in clips that have them', found / cases.there.length, cases.there.length)
  keep('asked names found in clips without them', wrong / cases.absent.length, cases.absent.length)
  row(
    'boxes',
    'asked names over clips: found of those present',
    share(found, cases.there.length),
    `${cases.there.length} cases`,
    '≥ 80 %',
    atLeast(found, cases.there.length, 0.8),
  )
  row(
    'boxes',
    'asked names over clips: false of those absent',
    share(wrong, cases.absent.length),
    `${cases.absent.length} cases`,
    '≤ 1 %',
    atMost(wrong, cases.absent.length, 0.01),
  )
}

// ── tracks

function tracks(tubelet: Tubelet, videos: readonly Video[]): void {
  const byLabel = new Map<string, TrackFrame[][]>()
  let [single, switched] = [0, 0]
  for (const video of videos.filter(({ truth }) => truth.tracks.length > 0)) {
    const shown = shownTracks(tubelet, video)
    for (const label of new Set(video.truth.tracks.map((track) => track.label))) {
      const frames = trackFrames(
        video,
        shown.filter(({ body }) => body.label === label),
        label,
      )
      byLabel.set(label, [...(byLabel.get(label) ?? []), frames])
      const { hota, detection, association, switches, recall, precision } = trackScores([frames])
      tell(
        'tracks',
        video.truth.name,
        `${label}: HOTA ${hota.toFixed(2)}, DetA ${detection.toFixed(2)}, AssA ${association.toFixed(2)}, ${switches} id switches; at IoU 0.5 recall ${recall.toFixed(2)}, precision ${precision.toFixed(2)}`,
      )
      const [only, ...others] = video.truth.tracks.filter((track) => track.label === label)
      if (only === undefined || others.length > 0 || only.gaps) continue
      single += 1
      if (switches > 0) switched += 1
    }
  }
  for (const [label, all] of byLabel) {
    const { hota, switches } = trackScores(all)
    const goal = label === 'person' || label === 'car'
    keep(`HOTA, ${label}`, hota, all.length)
    row(
      'tracks',
      `HOTA, ${label} (${switches} id switches)`,
      hota.toFixed(2),
      `${all.length} clips`,
      goal ? '≥ 0.60' : '',
      goal ? hota >= 0.6 : null,
    )
  }
  row(
    'tracks',
    'single objects in view with an id switch',
    String(switched),
    `${single} objects`,
    '0',
    single === 0 ? null : switched === 0,
  )
}

function trackFrames({ truth, pts }: Video, shown: readonly { clip: Clip; body: TrackBody }[], label: string): TrackFrame[] {
  const [first, last] = truth.range
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const frame = first + i
    return {
      truth: truth.tracks.flatMap((track) => {
        const box = track.label === label ? track.at(frame) : null
        return box ? [{ id: track.id, box }] : []
      }),
      said: shownBoxes(shown, pts, frame).map(({ object, box }) => ({ id: object, box })),
      ignored: truth.ignored
        .filter((zone) => zone.label === label && frame >= zone.frames[0] && frame <= zone.frames[1])
        .map(({ box }) => box),
    }
  })
}

/** A box drawn where each true object is first seen, followed forward as long as the product follows it. */
async function followed(tubelet: Tubelet, videos: readonly Video[]): Promise<void> {
  let [held, saidLost, objects] = [0, 0, 0]
  let [right, claimed, there] = [0, 0, 0]
  for (const video of videos) {
    for (const track of video.truth.tracks) {
      const box = track.at(track.range[0])
      if (box === null) continue
      const { boxes, end } = await follow(tubelet, video, track.range[0], box, track.label)
      // After the object has been gone for a while, following it is not expected.
      const frames = framesUntilGone(track).map((frame) => ({
        truth: track.at(frame),
        said: interpolate({ boxes }, video.pts[frame] ?? 0),
      }))
      const hits = frames.filter(({ truth, said }) => truth !== null && said !== null && iou(truth, said) >= 0.5).length
      const said = frames.filter((frame) => frame.said !== null).length
      objects += 1
      right += hits
      claimed += said
      there += frames.length
      const holds = hits >= 0.8 * frames.length
      if (holds) held += 1
      else if (end === 'lost') saidLost += 1
      tell(
        'followed forward',
        video.truth.name,
        `${track.label} ${track.id} from frame ${track.range[0]}: IoU 0.5 on ${hits} of ${frames.length} frames, ended after ${said} (${end})${holds || end === 'lost' ? '' : '   FAILED'}`,
      )
    }
  }
  row(
    'tracks',
    `followed forward: held for 80 % of the track (${held}), or said to be lost (${saidLost})`,
    share(held + saidLost, objects),
    `${objects} objects`,
    'all',
    atLeast(held + saidLost, objects, 1),
  )
  row(
    'tracks',
    'followed forward: frames at IoU 0.5, of those that are there / of those with a box',
    `${share(right, there)} / ${share(right, claimed)}`,
    `${there} frames`,
  )
}

function framesUntilGone({ range: [first, last], at }: TrueClip['tracks'][number]): number[] {
  const frames: number[] = []
  for (let frame = first; frame <= last && at(frame) !== null; frame += 1) frames.push(frame)
  return frames
}

/** Follows like a person who presses the key again where it stopped only because of its limit. */
async function follow(
  { handle }: Tubelet,
  { clips, pts }: Video,
  frame: number,
  start: Box,
  label: string,
): Promise<Pick<FollowedBox, 'boxes' | 'end'>> {
  const boxes: FollowedBox['boxes'] = [{ ordinal: frame, pts: pts[frame] ?? 0, box: start, score: null }]
  for (;;) {
    const { ordinal, box } = boxes.at(-1) ?? { ordinal: frame, box: start }
    const clip = clips.find(({ startFrame, endFrame }) => ordinal >= startFrame && ordinal < endFrame)
    const response = await handle(
      new Request(`http://tubelet/api/clips/${clip?.id ?? 0}/follow`, { method: 'POST', body: JSON.stringify({ box, ordinal, label }) }),
    )
    if (!response.ok) throw new Error(await response.text())
    const more = FollowedBox.parse(await response.json())
    boxes.push(...more.boxes.filter((key) => key.ordinal > ordinal))
    if (more.end !== 'limit' || boxes.at(-1)?.ordinal === ordinal) return { boxes, end: more.end }
  }
}

// ── what is said

/** Captions that are shown as captions, without guesses. */
async function captions(tubelet: Tubelet, videos: readonly Video[]): Promise<void> {
  const manifest = (await tubelet.engines.boxes())?.info.manifest
  const classes = manifest?.family === 'detector' ? manifest.classes : []
  let [all, without] = [0, 0]
  for (const { truth, clips } of videos) {
    if (truth.told === null) continue
    const there = new Set([...namesIn(truth.told, classes), ...truth.frames.flatMap(({ boxes }) => boxes.map(({ label }) => label))])
    for (const clip of clips) {
      for (const { body, evidence } of tubelet.library.annotations(clip.id)) {
        if (body.kind !== 'caption' || evidence?.unsure === true) continue
        const wrong = [...namesIn(body.text, classes)].filter((name) => !there.has(name))
        all += 1
        without += wrong.length === 0 ? 1 : 0
        tell(
          'captions',
          truth.name,
          `${clip.start.toFixed(1)}–${clip.end.toFixed(1)} s ${body.text}${wrong.length === 0 ? '' : `   FALSE: ${wrong.join(', ')}`}\n${' '.repeat(25)}truth: ${truth.told}`,
        )
      }
    }
  }
  row('captions', 'without a false noun', share(without, all), `${all} captions`, '≥ 95 %', atLeast(without, all, 0.95))
}

/** How well lines are read, and how often nothing is read where there is no text. */
async function text({ library }: Tubelet, videos: readonly Video[]): Promise<void> {
  const { drawn, real } = await textScores(folder ?? '')
  const all = drawn.get('all')
  if (all)
    row(
      'text',
      'character errors of lines drawn over pictures',
      share(all.wrong, all.letters),
      `${all.lines} lines`,
      '≤ 5 %',
      atMost(all.wrong, all.letters, 0.05),
    )
  if (real.lines > 0)
    row(
      'text',
      'character errors of lines in real video',
      share(real.wrong, real.letters),
      `${real.lines} lines`,
      '≤ 5 %',
      atMost(real.wrong, real.letters, 0.05),
    )
  let [silent, without] = [0, 0]
  for (const { truth, clips } of videos) {
    const readable = !WITHOUT.includes(truth.name.slice(0, 3))
    const lines = clips.flatMap(({ id }) => library.annotations(id).flatMap(({ body }) => (body.kind === 'text' ? [body.text] : [])))
    if (lines.length > 0)
      tell(
        'text on screen',
        truth.name,
        `${readable ? 'read' : 'INVENTED'}: ${lines
          .slice(0, 12)
          .map((line) => `“${line}”`)
          .join(' ')}${lines.length > 12 ? ` and ${lines.length - 12} more` : ''}`,
      )
    if (readable) continue
    without += 1
    silent += lines.length === 0 ? 1 : 0
  }
  row('text', 'silent on videos without text', share(silent, without), `${without} videos`, 'all', atLeast(silent, without, 1))
}

/** An answer that was given, or why none was. */
type Answer = { text: string; unsure: boolean } | { refused: string }

async function questions(tubelet: Tubelet, videos: readonly Video[]): Promise<void> {
  const verdicts: { kind: string; verdict: 'right' | 'wrong' | 'unsure' | 'none' }[] = []
  for (const { truth, clips } of videos) {
    for (const question of truth.questions) {
      const answer = await ofVideo(tubelet, clips, question)
      const verdict = 'refused' in answer ? 'none' : answer.unsure ? 'unsure' : isRight(question, answer.text) ? 'right' : 'wrong'
      verdicts.push({ kind: question.kind, verdict })
      tell(
        'answers',
        truth.name,
        `${verdict.padEnd(6)} ${question.kind}: ${question.question} → ${'refused' in answer ? `(${answer.refused})` : answer.text}${verdict === 'right' ? '' : `   TRUE: ${question.answer}`}`,
      )
    }
  }
  const count = (verdict: string) => verdicts.filter((one) => one.verdict === verdict).length
  const given = count('right') + count('wrong')
  row('answers', 'right of those given', share(count('right'), given), `${given} answers`, '≥ 90 %', atLeast(count('right'), given, 0.9))
  row(
    'answers',
    'questions answered so',
    share(given, verdicts.length),
    `${verdicts.length} questions`,
    '≥ 60 %',
    atLeast(given, verdicts.length, 0.6),
  )
  for (const [kind, of] of Map.groupBy(verdicts, (one) => one.kind)) {
    const [right, wrong] = ['right', 'wrong'].map((verdict) => of.filter((one) => one.verdict === verdict).length)
    row('answers', `of these, ${kind}: right / wrong`, `${right} / ${wrong}`, `${of.length} questions`)
  }
}

/**
 * The product answers per clip. For a video with several clips: a time named in the question picks the clip; else the largest count, yes if any says
 * yes, the earliest time, or the answer of the first clip that gives one.
 */
async function ofVideo(tubelet: Tubelet, clips: readonly Clip[], { question, kind }: Question): Promise<Answer> {
  const at = / at (?:second )?(\d+(?:\.\d+)?) ?s\b/.exec(question)?.[1]
  const some =
    at !== undefined
      ? clips.filter(({ start, end }) => Number(at) >= start && Number(at) < end)
      : /\bat the end\b/.test(question)
        ? clips.slice(-1)
        : clips
  const answers: Answer[] = []
  for (const { id } of some) answers.push(await ask(tubelet, id, question))
  const given = answers.flatMap((answer) => ('refused' in answer ? [] : [answer]))
  const [first] = given
  if (first === undefined) return answers[0] ?? { refused: 'no clip' }
  switch (kind) {
    case 'count_max':
      return given.reduce((most, one) => ((countIn(one.text) ?? 0) > (countIn(most.text) ?? 0) ? one : most))
    case 'presence':
    case 'camera':
      return given.find(({ text }) => yesOrNo(text) === 'yes') ?? first
    case 'time':
      return given.find(({ text }) => timeIn(text) !== null) ?? first
    default:
      return first
  }
}

/** Asks a question as the window does. */
async function ask({ handle }: Tubelet, clipId: number, question: string): Promise<Answer> {
  const response = await handle(
    new Request(`http://tubelet/api/clips/${clipId}/ask`, { method: 'POST', body: JSON.stringify({ question }) }),
  )
  const events = (await response.text())
    .split('\n')
    .flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6)) as AskEvent] : []))
  const last = events.at(-1)
  if (last?.type === 'done' && last.annotation.body.kind === 'answer')
    return { text: last.annotation.body.text, unsure: last.annotation.evidence?.unsure ?? false }
  return { refused: last?.type === 'error' ? inEnglish(last.problem).message : 'nothing came' }
}

// ── the table

function print(): void {
  if (options.verbose) for (const [part, lines] of details) console.log(`\n## ${part}\n${lines.join('\n')}`)
  const told = rows.map(
    ({ part, what, value, n, goal, pass }) =>
      `| ${part} | ${what} | ${value} | ${n} | ${goal} | ${pass === null ? '' : pass ? 'pass' : '**fail**'} |`,
  )
  console.log(`\n${['| part | what | measured | n | goal | |', '|---|---|---|---|---|---|', ...told].join('\n')}\n`)
  console.log(`${os.cpus().length} × ${os.cpus()[0]?.model ?? '?'}, load ${os.loadavg()[0]?.toFixed(1) ?? '?'}, Node ${process.version}`)
  const pack = path.join(root, 'models', 'packs', 'objects-80', 'pack.json')
  if (options.write) {
    const manifest = JSON.parse(readFileSync(pack, 'utf8')) as { scores: { on: string }[] }
    writeFileSync(
      pack,
      `${JSON.stringify({ ...manifest, scores: [...kept, ...manifest.scores.filter(({ on }) => on !== ON)] }, null, 2)}\n`,
    )
  }
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ rows, details: Object.fromEntries(details) }, null, 2)}\n`)
}

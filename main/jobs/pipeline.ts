/**
 * From a file to stored results: probe → sample → encode → caption · detect, clip by clip as the decoder reaches them. Each step stores what it
 * found of a clip in one transaction, so a crash loses at most the clip under way: a resumed run does it again and skips the clips before it.
 */
import type { AnnotationBody, Evidence } from '../../app/annotation.ts'
import type { Guess, Source } from '../../app/contract.ts'
import { type ErrorCode, type Problem, TubeletError } from '../../app/errors.ts'
import { type FrameRef, type Probe, secondsOf } from '../../app/media.ts'
import { candidatesOf } from '../../app/detections.ts'
import { areaSeen } from '../../app/gaze.ts'
import { phrasesOf } from '../../app/vocabulary.ts'
import { type Phrase, said } from '../../app/phrase.ts'
import {
  type Asked,
  type Encoding,
  type Generated,
  type MammutEngine,
  ofFamily,
  type TextEngine,
  type WordsEngine,
} from '../engine/engine.ts'
import type { MachineResult } from '../library/annotations.ts'
import { keyOf, lookedFor, type Seen } from '../library/detections.ts'
import { notAnswerable } from '../library/facts.ts'
import type { Library } from '../library/library.ts'
import { readingFile } from '../media/access.ts'
import { firstPicture } from '../media/playback.ts'
import { filesOf, writeList } from '../media/numbered.ts'
import { probe as probeFile, probeNumbered } from '../media/probe.ts'
import type { ClipInput } from '../media/clips.ts'
import type { EncoderWant, Want } from '../media/decode-plan.ts'
import { sample, type SampledClip } from '../media/sample.ts'
import { framesOf, framesWanted, sampleFrames } from '../media/span.ts'
import { type MediaTools, untilNotKilled } from '../media/tools.ts'
import type { RunningPacks } from '../packs/running.ts'
import { provenanceOf } from './asking.ts'
import { type Seer, Watch } from './watch.ts'

/** The share of the progress that is reading; the rest is storing the last clip. */
const UNTIL_STORED = 0.99
/** Once a beginning of the first clip has shown a thing or a text, only one of at least this length, seconds, is shown too. */
const AGAIN_FROM = 8

export interface Pipeline {
  library: Library
  /** Which pack does which task, running. */
  packs: Pick<RunningPacks, 'all' | 'words' | 'boxes' | 'text'>
  media: () => Promise<MediaTools>
  appVersion: string
}

export interface Progress {
  stage: Phrase
  /** 0..1 */
  progress: number
  /** Clips that are done. */
  clips: number
}

/** Report progress. Resolves when the work may continue, which is not while the queue is paused; rejects when it is cancelled. */
export type Report = (progress: Progress) => Promise<void>

/** Make a first thumbnail before the analysis has one. Never fails: the analysis reports what is wrong with a file. */
export async function showFirst({ library, media }: Pipeline, source: Source, signal: AbortSignal): Promise<void> {
  // ffmpeg would read every numbered picture before it shows one.
  if (source.hasThumbnail || source.numbered !== null) return
  try {
    const jpeg = await firstPicture(await media(), source.path, source.picture, signal)
    if (jpeg !== null && !library.source(source.id).hasThumbnail) library.saveThumbnail(source.id, jpeg)
  } catch {
    // Cancelled, removed, unreadable, or no room for pictures.
  }
}

/** Analyse one source end to end. Resolves with the damage report of a file of which only a part was readable, else null. */
export async function analyseSource(pipeline: Pipeline, source: Source, report: Report, signal: AbortSignal): Promise<Problem | null> {
  const analyse = () => analyseFile(pipeline, source, report, signal)
  // Of numbered pictures there is no one file.
  return source.numbered === null ? readingFile(source.path, analyse) : analyse()
}

async function analyseFile(pipeline: Pipeline, source: Source, report: Report, signal: AbortSignal): Promise<Problem | null> {
  const { library } = pipeline
  library.setSourceState(source.id, 'probing')
  const probe = await probed(pipeline, source, signal)
  library.setProbe(source.id, probe)
  library.setSourceState(source.id, 'analysing')
  await report({ stage: said('Starting the engine'), progress: 0, clips: 0 })
  const engines = await enginesOf(pipeline)
  // Clips stored by an earlier try are kept.
  const damaged = await untilNotKilled(() => readOnce(pipeline, engines, library.source(source.id), probe, report, signal), signal)
  await encodeMarked(pipeline, source.id, () => Promise.resolve(), signal)
  return damaged
}

/** @throws TubeletError of `probe` */
async function probed({ library, media }: Pipeline, source: Source, signal: AbortSignal): Promise<Probe> {
  const { id, path: file, numbered, picture, probe } = source
  // Earlier results are about the picture that was analysed then.
  if (numbered === null) return probeFile(await media(), file, signal, picture ?? probe?.videoStream ?? null)
  const { files, runs } = await filesOf(file)
  const now = { ...numbered, runs }
  library.setNumbered(id, now)
  const list = await mediaFile(library, { ...source, numbered: now })
  return probeNumbered(await media(), list, { pattern: file, count: files.length, frameRate: numbered.frameRate }, signal)
}

/** What ffmpeg reads for a source: its file, or the list of its numbered pictures, which is written again if it is missing. */
export async function mediaFile(
  library: Pick<Library, 'cachePath'>,
  { path: file, fingerprint, numbered }: Pick<Source, 'path' | 'fingerprint' | 'numbered'>,
): Promise<string> {
  if (numbered === null) return file
  const list = library.cachePath('numbered', `${fingerprint}.ffconcat`)
  await writeList(list, file, numbered)
  return list
}

/** @throws TubeletError of `sample` */
async function readOnce(
  pipeline: Pipeline,
  engines: Engines,
  source: Source,
  probe: Probe,
  report: Report,
  signal: AbortSignal,
): Promise<Problem | null> {
  const { library } = pipeline
  const media = await pipeline.media()
  const watch = new Watch({ library, appVersion: pipeline.appVersion, sourceId: source.id, probe, signal, ...engines })
  let damaged: Problem | null = null
  const clips: number[] = []
  let begun = false
  let seconds = 0
  for await (const event of sample(media, await mediaFile(library, source), probe, wantsOf(engines), { signal })) {
    switch (event.type) {
      case 'thumbnail':
        library.saveThumbnail(source.id, event.jpeg)
        break
      case 'picture':
        await watch.picture(event.key, event.frame, event.picture, event.changed)
        break
      case 'beginning':
        // Each makes all facts anew.
        if (!begun || event.clip.end >= AGAIN_FROM) begun = await begin(pipeline, watch, source, event.clip)
        break
      case 'clip':
        clips.push(await understand(pipeline, engines, watch, source, probe, event.clip, signal))
        await report({
          stage: said('Clip {{clip}}', { clip: clips.length }),
          progress: portion(event.clip.end, probe),
          clips: clips.length,
        })
        break
      case 'progress':
        seconds = Math.max(seconds, event.seconds)
        await report({
          stage: clips.length === 0 ? said('Reading frames') : said('Clip {{clip}}', { clip: clips.length }),
          progress: portion(seconds, probe) * UNTIL_STORED,
          clips: clips.length,
        })
        break
      case 'done':
        library.pruneClips(source.id, clips)
        library.setProbe(source.id, event.probe)
        library.setFrames(source.id, event.pts)
        library.saveFilmstrip(source.id, event.filmstrip)
        watch.finish(event.pts, event.probe)
        // A pack that is new to the library has now seen the frames of marked clips too.
        for (const { id } of library.markedClips(source.id)) library.seen.copyTo(id)
        // Unread seconds are only known at the end.
        if (event.probe.unread) library.facts.refresh([...clips, ...library.markedClips(source.id).map(({ id }) => id)])
        damaged = event.damaged
        break
    }
  }
  return damaged
}

/** The engines in use, by what they need of a file. */
interface Engines {
  /** Those that encode clips, each once. */
  encoders: WordsEngine[]
  detector: Seer | null
  reader: TextEngine | null
}

async function enginesOf({ packs }: Pipeline): Promise<Engines> {
  const [caption, answer, search] = await Promise.all([packs.words('caption'), packs.words('answer'), packs.words('search')])
  // Without boxes or text the rest goes on: the status says why they are missing, and clips that they have not seen are queued later.
  const [boxes, reader] = await Promise.all([packs.boxes().catch(() => null), packs.text().catch(() => null)])
  const seeing = boxes !== null && ofFamily(boxes, 'mammut') ? [boxes] : []
  return {
    encoders: [...new Set([caption, answer, search, ...seeing])],
    detector: boxes !== null && (ofFamily(boxes, 'detector') || ofFamily(boxes, 'owl')) ? boxes : null,
    reader,
  }
}

/** What an encoding pack wants of a pass. */
export function wantOf({ info: { digest: key, manifest } }: WordsEngine): EncoderWant {
  return manifest.family === 'mammut' ? { key, kind: 'tubes', input: manifest.input } : { key, kind: 'frames', input: manifest.input }
}

function wantsOf({ encoders, detector, reader }: Engines): Want[] {
  const single = [detector, reader].filter((engine) => engine !== null)
  return [
    ...encoders.map(wantOf),
    ...single.map(
      ({ info: { digest, manifest } }): Want => ({ key: digest, kind: 'pictures', input: manifest.input, rate: manifest.input.rate }),
    ),
  ]
}

/** Encode the marked clips of a source that the packs in use have not encoded; each is sampled by itself. */
export async function encodeMarked(pipeline: Pipeline, sourceId: number, report: Report, signal: AbortSignal): Promise<void> {
  const { library } = pipeline
  const engines = await enginesOf(pipeline)
  const source = library.source(sourceId)
  const pts = library.frames(sourceId)
  const marked = library
    .markedClips(sourceId)
    .filter(({ id }) => engines.encoders.some(({ info }) => !library.hasEncoding(id, info.digest)))
  for (const [at, clip] of marked.entries()) {
    signal.throwIfAborted()
    if (source.probe === null) return
    const { startFrame, endFrame, index, kind, start, end } = clip
    const inputs: ClipInput[] = []
    let thumbnail: SampledClip['thumbnail'] | null = null
    for (const engine of engines.encoders) {
      const want = wantOf(engine)
      const frames = framesOf(pts, clip, framesWanted(want, clip, end - start))
      const pictures = await sampleFrames(await pipeline.media(), await mediaFile(library, source), source.probe, want, frames, signal)
      inputs.push({ key: want.key, frames, tubes: pictures.tubes })
      thumbnail ??= pictures.thumbnail
    }
    // It may have been removed meanwhile.
    if (thumbnail === null || !library.markedClips(sourceId).some((one) => one.id === clip.id)) continue
    const sampled = {
      index,
      kind,
      start,
      end,
      startFrame,
      endFrame,
      startPts: pts[startFrame] ?? 0,
      endPts: pts[endFrame] ?? pts.at(-1) ?? 0,
      cut: true,
      measured: { camera: { steps: [], stays: [] }, light: [] },
      frames: inputs[0]?.frames ?? [],
      inputs,
      thumbnail,
    }
    await understand(pipeline, engines, null, source, source.probe, sampled, signal)
    await report({
      stage: said('{{done}} of {{total}} clips', { done: at + 1, total: marked.length }),
      progress: (at + 1) / marked.length,
      clips: at + 1,
    })
  }
}

function portion(seconds: number, probe: Probe): number {
  return probe.duration > 0 ? Math.min(1, seconds / probe.duration) : 0
}

/**
 * Encode a clip once for each pack, and store captions and answers from the encodings and from what was seen in the clip.
 * @param watch What was seen; null for a marked clip, whose frames were seen before. @returns The clip's id.
 */
async function understand(
  pipeline: Pipeline,
  engines: Engines,
  watch: Watch | null,
  source: Source,
  probe: Probe,
  clip: SampledClip,
  signal: AbortSignal,
): Promise<number> {
  const { library } = pipeline
  const { inputs, thumbnail } = clip
  const clipId = library.saveClip(source.id, clip)
  library.saveClipThumbnail(clipId, thumbnail)
  // What was seen is stored first: it is the most reliable.
  if (watch) await watch.clip(clipId, clip)
  else library.seen.copyTo(clipId)
  for (const engine of engines.encoders) {
    const input = inputs.find(({ key }) => key === engine.info.digest)
    if (input === undefined || library.hasEncoding(clipId, engine.info.digest)) continue
    await encodeClip(pipeline, engine, clipId, input, probe, signal)
  }
  library.facts.refresh([clipId])
  await answerColumns(pipeline, clipId, signal)
  return clipId
}

/**
 * Show what has been seen of the first clip so far, for a person who has just dropped the file. The complete clip replaces all of it.
 * @returns Whether a thing or a text is shown.
 */
async function begin({ library }: Pipeline, watch: Watch, source: Source, clip: SampledClip): Promise<boolean> {
  const clipId = library.saveBeginning(source.id, clip)
  if (clipId === null) return false
  library.saveClipThumbnail(clipId, clip.thumbnail)
  await watch.beginning(clipId, clip)
  library.facts.refresh([clipId])
  library.emit({ type: 'clips', sourceId: source.id, clipIds: [clipId] })
  return library.annotations(clipId).some(({ body: { kind } }) => kind === 'track' || kind === 'text')
}

/** @returns False if the clip was removed meanwhile. */
async function encodeClip(
  pipeline: Pipeline,
  engine: WordsEngine,
  clipId: number,
  { tubes, frames }: ClipInput,
  probe: Probe,
  signal: AbortSignal,
): Promise<boolean> {
  const { library } = pipeline
  const { digest } = engine.info
  const provenance = provenanceOf(pipeline.appVersion, engine)
  const chosen = library.packs.current()
  const times = timesOf(library, clipId, frames)
  const { encoding, caption, seen } = await engine.step(async () => {
    const encoding = await engine.encode({ tubes }, signal)
    // A guess is not shown, so its caption is only generated when somebody asks for it.
    const caption =
      chosen.caption?.digest === digest && !(await engine.unfamiliar(encoding, signal))
        ? await engine.caption({ ...encoding, times }, signal)
        : null
    const seen =
      chosen.boxes?.digest === digest && ofFamily(engine, 'mammut')
        ? await look(pipeline, engine, clipId, encoding, frames, probe, signal)
        : null
    return { encoding, caption, seen }
  }, signal)
  return library.saveClipResult(clipId, engine.info, encoding, frames, {
    caption: caption && {
      body: { kind: 'caption', text: caption.text },
      evidence: evidenceOf(caption, frames),
      provenance: provenance(caption.prompt),
    },
    seen,
  })
}

/** Reasons for an empty cell that are no failure. */
const EMPTY_CELL: ReadonlySet<ErrorCode> = new Set(['not-found', 'clip-not-encoded', 'not-answerable'])

/** Answer, for this clip, the questions of columns that fill automatically and have no answer yet. */
async function answerColumns(pipeline: Pipeline, clipId: number, signal: AbortSignal): Promise<void> {
  const { library } = pipeline
  for (const { kind, text, automatic } of library.table.columns()) {
    if (!automatic || kind === 'count' || library.table.annotationsIn([clipId], 'answer', text).size > 0) continue
    await fillCell(pipeline, clipId, text, signal)
  }
}

/**
 * Answers a question of a column for one clip. A cell that cannot be filled says why, and stops neither the column nor the video.
 * @returns Whether nothing can answer it.
 */
export async function fillCell(pipeline: Pipeline, clipId: number, question: string, signal: AbortSignal): Promise<boolean> {
  const { table } = pipeline.library
  try {
    await answerClip(pipeline, clipId, question, signal)
    table.setUnanswered(clipId, question, null)
    return false
  } catch (error) {
    if (!(error instanceof TubeletError) || !EMPTY_CELL.has(error.problem.code)) throw error
    if (error.problem.code !== 'not-answerable') return false
    table.setUnanswered(clipId, question, error.problem)
    return true
  }
}

/** Look for the vocabulary in a clip: the detector only runs for labels that it has not looked for in this encoding. */
async function look(
  pipeline: Pipeline,
  engine: MammutEngine,
  clipId: number,
  encoding: Pick<Encoding, 'tokens'>,
  frames: readonly FrameRef[],
  probe: Probe,
  signal: AbortSignal,
): Promise<Seen> {
  const { detections } = pipeline.library
  const vocabulary = detections.vocabulary()
  const stored = detections.stored(clipId, engine.info.digest, vocabulary)
  const missing = vocabulary.filter((label) => !stored.has(keyOf(label)))
  const found = await engine.detect(encoding, missing.map(phrasesOf), signal)
  const fresh = new Map(missing.map((label, at) => [keyOf(label), found[at] ?? []]))
  const provenance = provenanceOf(pipeline.appVersion, engine)
  const candidates = candidatesOf(
    new Map(vocabulary.map((label) => [label.name, fresh.get(keyOf(label)) ?? stored.get(keyOf(label)) ?? []])),
    frames,
    probe,
    areaSeen(probe, engine.info.manifest.input),
  )
  return {
    lookedFor: lookedFor(vocabulary),
    fresh,
    candidates: candidates.map((one) => ({ ...one, provenance: provenance(one.body.label) })),
  }
}

/** Look for the vocabulary in a clip's stored encoding, without decoding or encoding it again. */
export async function lookAgain(pipeline: Pipeline, engine: MammutEngine, clipId: number, signal: AbortSignal): Promise<void> {
  const { library } = pipeline
  const { digest } = engine.info
  const encoding = library.encoding(clipId, digest)
  const probe = library.source(library.clip(clipId).sourceId).probe
  if (encoding === null || probe === null) return
  library.saveSeen(
    clipId,
    engine.info,
    await engine.step(() => look(pipeline, engine, clipId, encoding, library.clipFrames(clipId, digest), probe, signal), signal),
  )
}

/**
 * Answer a question about a clip by facts if they can, else over its stored encoding by a pack to which the clip is familiar. Returns the
 * stored annotation.
 * @throws TubeletError `not-answerable` if neither can; its text says what could.
 */
export async function answerClip(
  pipeline: Pipeline,
  clipId: number,
  question: string,
  signal: AbortSignal,
  onToken?: (text: string) => void,
) {
  const { library } = pipeline
  const known = library.facts.answer(clipId, question)
  if (known !== null && 'body' in known) {
    onToken?.(known.body.text)
    return stored(library, clipId, known)
  }
  const engine = await pipeline.packs.words('answer')
  const encoding = askedOf(library, clipId, engine)
  if (await engine.unfamiliar(encoding, signal)) throw new TubeletError(notAnswerable(known, engine.info.manifest.name))
  // A streamed answer is not retried: its reader has already seen tokens, and gets the error instead.
  const answer = onToken
    ? await engine.answer(encoding, question, { signal, onToken })
    : await engine.step(() => engine.answer(encoding, question, { signal }), signal)
  const body: AnnotationBody = { kind: 'answer', question, text: answer.text }
  return stored(library, clipId, {
    body,
    evidence: evidenceOf(answer, library.clipFrames(clipId, engine.info.digest)),
    provenance: provenanceOf(pipeline.appVersion, engine)(answer.prompt),
  })
}

function stored(library: Library, clipId: number, result: MachineResult) {
  const [annotation] = library.saveMachine(clipId, 'answer', [result])
  const { boxes } = library.packs.current()
  // Boxes, facts and the caption then say what the answer says.
  if (boxes?.names !== undefined && library.detections.showAsked(clipId, { digest: boxes.digest, names: boxes.names })) {
    library.facts.refresh([clipId])
    library.emit({ type: 'annotations', clipIds: [clipId] })
  }
  if (annotation === undefined) throw new Error('an answer was not stored')
  return annotation
}

/** A caption of a clip that is not familiar to the pack, or an answer about it. It is shown as a guess and not stored. */
export async function guess(pipeline: Pipeline, clipId: number, question: string | null, signal: AbortSignal): Promise<Guess> {
  const engine = await pipeline.packs.words(question === null ? 'caption' : 'answer')
  const encoding = askedOf(pipeline.library, clipId, engine)
  const { text, confidence } =
    question === null ? await engine.caption(encoding, signal) : await engine.answer(encoding, question, { signal })
  return { text, confidence, pack: engine.info.manifest.name }
}

/** What an engine needs of a clip to be asked about it. @throws TubeletError `clip-not-encoded` */
export function askedOf(library: Library, clipId: number, { info }: WordsEngine): Encoding & Asked {
  const encoding = library.encoding(clipId, info.digest)
  if (encoding !== null) return { ...encoding, times: timesOf(library, clipId, library.clipFrames(clipId, info.digest)) }
  throw new TubeletError({
    code: 'clip-not-encoded',
    message: 'This clip has not been analysed yet, so there is nothing to ask.',
    stillWorks: 'Clips that are done can be asked now.',
    next: 'Wait until its analysis is done, retry the file, or have its clips encoded on the Packs page.',
  })
}

/** When the input frames of a clip are shown. */
function timesOf(library: Library, clipId: number, frames: readonly FrameRef[]): Asked['times'] {
  const { start, end, sourceId } = library.clip(clipId)
  const { probe } = library.source(sourceId)
  return probe === null ? undefined : { frames: frames.map(({ pts }) => Math.max(0, secondsOf(pts, probe) - start)), seconds: end - start }
}

/** The attention to the model's input frames as evidence: distinct frames of the file, those with most attention first. */
function evidenceOf(generated: Generated, frames: readonly FrameRef[]): Evidence {
  const weights = new Map<number, { ordinal: number; pts: number; weight: number }>()
  generated.frameWeights.forEach((weight, index) => {
    const frame = frames[index]
    if (frame === undefined) return
    const entry = weights.get(frame.ordinal) ?? { ...frame, weight: 0 }
    entry.weight += weight
    weights.set(frame.ordinal, entry)
  })
  const { confidence, unsure, unfamiliar, agreement } = generated
  return {
    confidence,
    unsure,
    unfamiliar,
    agreement,
    frames: [...weights.values()].filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight || a.ordinal - b.ordinal),
  }
}

/**
 * Search over a real library: which pack's pictures count, in which order, and why each clip is found. Only the engine is replaced, to give the
 * vectors that a case needs.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AnnotationBody, Evidence } from '../../app/annotation.ts'
import { reasonParts } from '../../app/find.ts'
import type { Probe } from '../../app/media.ts'
import { MammutManifest } from '../../app/pack/mammut.ts'
import { english, said } from '../../app/phrase.ts'
import { newLabel } from '../../app/vocabulary.ts'
import type { Pipeline } from '../jobs/pipeline.ts'
import { Library } from '../library/library.ts'
import { Search } from './search.ts'
import { DIGEST, provenance } from '../library/shower.testing.ts'

const probe: Probe = {
  container: 'mp4',
  duration: 20,
  codec: 'h264',
  width: 640,
  height: 360,
  frameRate: { num: 25, den: 1 },
  variableFrameRate: false,
  timeBase: { num: 1, den: 1000 },
  startPts: 0,
  frameCount: 500,
  videoStream: 0,
  streams: [],
} as unknown as Probe
const mini = MammutManifest.parse({
  family: 'mammut',
  ...(JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../models/packs/tubelet-mini/pack.json'), 'utf8')) as object),
})
const box = { x1: 0, y1: 0, x2: 10, y2: 10 }
const sure = (confidence: number): Evidence => ({ confidence, unsure: false, unfamiliar: false, agreement: 0, frames: [] })

let folder: string
let library: Library
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-search-'))
  library = Library.open(folder)
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

type Familiar = typeof mini.calibration.familiar
/** @param familiar The familiarity in the pack's calibration. @param text The embedding of all its texts. @param classes All that finds boxes knows; null: no pack does. */
function searchWith(familiar: Familiar | 'no engine', text: readonly number[] = [1, 0], classes: readonly string[] | null = null): Search {
  const manifest = {
    ...mini,
    calibration: {
      ...mini.calibration,
      search: { scale: 10, bias: 0, threshold: 0.5 },
      familiar: familiar === 'no engine' ? undefined : familiar,
    },
  }
  const engine = {
    info: { digest: DIGEST, manifest },
    embedText: (texts: readonly string[]) => Promise.resolve(texts.map(() => Float32Array.from(text))),
  }
  const packs = {
    words: () => (familiar === 'no engine' ? Promise.reject(new Error('it does not start')) : Promise.resolve(engine)),
    boxes: () => Promise.resolve(classes && { info: { manifest: { family: 'detector', classes } } }),
  } as unknown as Pipeline['packs']
  return new Search({ library, packs })
}
let files = 0
/** A clip with annotations and, if it is encoded, its embedding; `taught`: it is familiar to the pack, which captioned it. */
function clipOf(bodies: readonly AnnotationBody[], embedding: readonly number[] | null = null, taught = false): number {
  const { source } = library.addSource({
    path: `/v/${(files += 1)}/a.mp4`,
    name: `clip-${files}.mp4`,
    bytes: 1,
    mtimeMs: 0,
    fingerprint: String(files),
  })
  library.setProbe(source.id, probe)
  const clipId = library.saveClip(source.id, { index: 0, kind: 'window', start: 0, end: 8, startFrame: 0, endFrame: 200, frames: [] })
  if (embedding) {
    const caption = taught ? { body: { kind: 'caption' as const, text: 'something' }, evidence: sure(0.5), provenance } : null
    library.saveClipResult(
      clipId,
      { digest: DIGEST, manifest: mini },
      { embedding: Float32Array.from(embedding), memory: new Uint16Array(1), tokens: null },
      [],
      { caption, seen: null },
    )
  }
  for (const body of bodies) library.saveMachine(clipId, body.kind, [{ body, evidence: sure(0.9), provenance }])
  return clipId
}
const of = (query: string, guesses = false) => ({ by: 'words' as const, words: query, guesses })
const idsOf = async (search: Search, words: string, guesses = false) =>
  (await search.find(of(words, guesses), {}, 20)).hits.map(({ clip }) => clip.id)

test('without an engine words are found all the same', async () => {
  const clip = clipOf([{ kind: 'note', text: 'a red car' }], [1, 0])
  expect(await idsOf(searchWith('no engine'), 'car')).toEqual([clip])
})

test('a pack that was taught nothing like a clip says nothing of it, unless guesses are asked for', async () => {
  const said = clipOf([{ kind: 'note', text: 'a red car' }], [0, 1])
  const alike = clipOf([], [1, 0])
  const search = searchWith({ threshold: 0.9, taught: null })
  const found = await search.find(of('a red car'), {}, 20)
  expect(found.hits.map(({ clip }) => clip.id)).toEqual([said])
  expect(found).toMatchObject({ line: null, couldGuess: true, matches: 1 })
  const guessed = await search.find(of('a red car', true), {}, 20)
  expect(guessed.hits.map(({ clip }) => clip.id)).toEqual([said, alike])
  expect(guessed.hits[1]?.why).toMatchObject([{ kind: 'picture', guess: true }])
  expect(await search.matching(of('a red car', true), {})).toEqual([said, alike])
  expect(await search.curve(library.clip(alike).sourceId, of('a red car'))).toMatchObject({ clips: [], moments: [] })
})

test('of what a pack was taught it counts what is like it', async () => {
  const strange = clipOf([], [1, 0])
  const taught = clipOf([], [1, 0.01], true)
  const search = searchWith({ threshold: 0.9, taught: { file: 'taught.bin', sha256: 'a'.repeat(64) } })
  const found = await search.find(of('a red car'), {}, 20)
  expect(found.hits.map(({ clip, why }) => [clip.id, why.map(({ kind, guess }) => [kind, guess])])).toEqual([
    [taught, [['picture', false]]],
  ])
  expect(found).toMatchObject({ couldGuess: true, searched: 1, total: 2 })
  expect(found.hits.map(({ clip }) => clip.id)).not.toContain(strange)
})

test('pictures of a pack that says nothing of that count, below all that words find', async () => {
  const named = clipOf([], [-1, 0])
  const alike = clipOf([], [1, 0])
  const both = clipOf([{ kind: 'track', label: 'car', boxes: [{ ordinal: 0, pts: 0, box, score: 0.4 }] }], [0.8, 0.6])
  const search = searchWith(undefined)
  const found = await search.find(of('car'), {}, 20)
  expect(found.hits.map(({ clip }) => clip.id)).toEqual([both, alike])
  expect(found.hits[0]?.why.map(({ kind }) => kind)).toEqual(['box', 'picture'])
  expect(found).toMatchObject({ matches: 2, line: 0.5, couldGuess: false })
  expect(await idsOf(search, 'clip')).toEqual([named, alike, both].sort((a, b) => a - b))
})

test('nonsense finds nothing, whatever pack compares pictures, and what could be found is told', async () => {
  clipOf([{ kind: 'track', label: 'person', boxes: [{ ordinal: 0, pts: 0, box, score: 0.9 }] }], [1, 0])
  const search = searchWith({ threshold: 0.9, taught: null })
  for (const words of ['🦄', '!!!', '???', '1234567', 'xqzzv blorp', 'fnord wubble', 'zxqv blorp', '123']) {
    for (const guesses of [false, true]) {
      const { hits, nearest, matches } = await search.find(of(words, guesses), {}, 20)
      expect({ words, hits, nearest, matches }).toEqual({ words, hits: [], nearest: [], matches: 0 })
    }
  }
  // Symbols and digits mean nothing to any pack.
  for (const words of ['🦄', '!!!', '123']) expect(await idsOf(searchWith(undefined), words)).toEqual([])
  const { unknown, findable } = await search.find(of('helmet'), {}, 20)
  expect(unknown).toEqual([{ word: 'helmet', seen: false, nearest: ['person'] }])
  expect(findable).toEqual(['person'])
})

test('a label that the pack cannot see is not offered as one that can be found', async () => {
  clipOf([{ kind: 'caption', text: 'a field' }])
  library.detections.setVocabulary([newLabel('helmet', []), newLabel('puppy', [])])
  const search = searchWith('no engine', [], ['person', 'dog'])
  expect((await search.find(of('zebra'), {}, 20)).findable).toEqual(['puppy', 'person', 'dog'])
})

test('a text that was imported is called so, not the own one', async () => {
  const clip = clipOf([{ kind: 'note', text: 'nothing' }])
  const origin = { file: 'captions.srt', format: 'SRT', at: '2026-01-01T00:00:00Z' }
  const span = library.clip(clip)
  const one = { sourceId: span.sourceId, span, body: { kind: 'caption' as const, text: 'a zebra' }, state: null, origin }
  async function* batches() {
    yield await Promise.resolve([one])
  }
  await library.imports.add(
    batches(),
    () => [],
    said('Imported: {{file}}', { file: 'captions.srt' }),
    () => undefined,
  )
  const { hits } = await searchWith('no engine').find(of('zebra'), {}, 20)
  expect(hits[0]?.why.flatMap((why) => reasonParts(why, true, String).map(english))).toEqual([
    'caption imported from captions.srt: “a zebra”',
  ])
})

test('each reason says what, whose, how sure and when', async () => {
  const clip = clipOf([
    {
      kind: 'track',
      label: 'dog',
      boxes: [
        { ordinal: 45, pts: 1800, box, score: 0.7 },
        { ordinal: 82, pts: 3300, box, score: 0.83 },
      ],
    },
    { kind: 'text', text: 'DOG FOOD', span: { startFrame: 50, endFrame: 100 }, box },
    { kind: 'answer', question: 'What is it?', text: 'a dog' },
  ])
  library.addAnnotation(clip, { kind: 'caption', text: 'my dog' })
  const { hits } = await searchWith('no engine').find(of('dog'), {}, 20)
  expect(
    hits[0]?.why.map((why) =>
      reasonParts(why, true, (value, digits) => value.toFixed(digits))
        .map(english)
        .join(', '),
    ),
  ).toEqual([
    'your caption: “my dog”',
    'text on screen: “DOG FOOD”, 0.90, 2.0–4.0 s',
    'answer: What is it? “a dog”, 0.90',
    'box: dog, 0.90, seen 1.8–3.3 s',
  ])
  expect(hits[0]?.why[3]?.when?.ordinal).toBe(45)
})

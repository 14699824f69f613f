/** Facts follow what people decide, in one analysis and through the next. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { inScope } from '../../app/formats/scope.ts'
import type { Provenance, TrackBody } from '../../app/annotation.ts'
import type { Probe } from '../../app/media.ts'
import { withNames } from '../../app/vocabulary.ts'
import { FACTS } from './facts.ts'
import { Library } from './library.ts'
import { detector } from './shower.testing.ts'
import { Search } from '../search/search.ts'

const DIGEST = 'e'.repeat(64)
const none = () => Promise.resolve(null)
const NO_PACKS = { all: () => Promise.resolve([]), words: () => Promise.reject(new Error('no engine runs')), boxes: none, text: none }
const EYES = detector(DIGEST, ['car', 'dog', 'person'])
const provenance: Provenance = {
  packId: 'eyes',
  packVersion: '1',
  packDigest: DIGEST,
  provider: 'cpu',
  prompt: '',
  appVersion: '0',
  at: '2026-01-01T00:00:00.000Z',
}
const FRAMES = Array.from({ length: 33 }, (_, i) => i * 6)
const probe: Probe = {
  container: 'mp4',
  codec: 'h264',
  pixelFormat: 'yuv420p',
  bitDepth: 8,
  hdr: false,
  width: 640,
  height: 360,
  codedWidth: 640,
  codedHeight: 360,
  rotation: 0,
  sampleAspectRatio: { num: 1, den: 1 },
  duration: 8,
  frameRate: { num: 25, den: 1 },
  variableFrameRate: false,
  timeBase: { num: 1, den: 25 },
  startPts: 0,
  frameCount: 200,
  videoStream: 0,
  streams: [],
}
/** A thing that stands at x for the whole clip. */
const track = (label: string, x: number): TrackBody => ({
  kind: 'track',
  label,
  boxes: FRAMES.map((ordinal) => ({ ordinal, pts: ordinal, box: { x1: x, y1: 100, x2: x + 80, y2: 180 }, score: 0.9 })),
})

let folder: string
let library: Library
let clipId: number
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-facts-'))
  library = Library.open(folder)
  library.packs.use('boxes', { id: 'eyes', digest: DIGEST, names: ['car', 'dog', 'person'] })
  const { source } = library.addSource({ path: '/v/v.mp4', name: 'v.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'f' })
  library.setProbe(source.id, probe)
  clipId = library.saveClip(source.id, { index: 0, kind: 'shot', start: 0, end: 8, startFrame: 0, endFrame: 200, frames: [] })
  library.seen.saveMeasured(clipId, { cut: true, camera: { steps: [], stays: [] }, light: [] })
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Stores the result of a detector's run; another run finds the same things, a little shifted. */
function run(shift: number, ...bodies: TrackBody[]): void {
  library.seen.saveFrames(
    clipId,
    DIGEST,
    FRAMES.map((ordinal) => ({ ordinal, pts: ordinal, seen: [] })),
  )
  const candidates = bodies.map((body) => ({
    score: 0.98,
    provenance,
    body: { ...body, boxes: body.boxes.map((key) => ({ ...key, box: { ...key.box, x1: key.box.x1 + shift } })) },
  }))
  library.detections.saveTracks(clipId, EYES, candidates)
  library.facts.refresh([clipId])
}
const caption = () => library.annotations(clipId).find(({ body }) => body.kind === 'caption')?.body
const said = () => ((one) => (one?.kind === 'caption' ? one.text : null))(caption())
const answer = (question: string) => {
  const given = library.facts.answer(clipId, question)
  return given === null || !('body' in given) ? given : given.body.text
}
const boxes = () => library.annotations(clipId).filter(({ body }) => body.kind === 'track')

test('what a person accepted is counted once, and what was rejected not at all, also when the detector has run again', () => {
  run(0, track('car', 100), track('car', 400), track('dog', 250))
  expect(said()).toMatch(/^Two cars and a dog/)
  for (const { id, body } of boxes()) library.review(id, body.kind === 'track' && body.label === 'dog' ? 'reject' : 'accept')
  expect(said()).toMatch(/^Two cars(?! and)/)
  run(1, track('car', 100), track('car', 400), track('dog', 250))
  expect(said()).toMatch(/^Two cars(?! and)/)
  expect(answer('How many cars are there?')).toMatch(/^Two cars at most/)
  expect(answer('Is there a dog?')).toMatch(/^No dogs/)
})

test('facts are found by their words, those of one thing together, in both languages, as long as they hold', async () => {
  run(0, track('car', 20), track('dog', 540))
  const found = async (words: string) => {
    const sought = { words, guesses: false, classes: [], picture: null }
    const { ranked, unknown } = await library.find.ask('words', { filters: {}, sought, limit: 9 })
    return ranked.length === 0 ? unknown : ranked.map(({ told }) => told.length)
  }
  expect(await found('car left')).toEqual([1])
  expect(await found('auto links')).toEqual([1])
  expect(await found('dog right')).toEqual([1])
  expect(await found('car right')).toEqual([])
  expect(await found('car dog')).toEqual([0])
  const { hits } = await new Search({ library, packs: NO_PACKS }).find({ by: 'words', words: 'car left', guesses: false }, {}, 9)
  expect(hits[0]?.why.find(({ kind }) => kind === 'fact')).toMatchObject({ text: 'The car, on the left', state: null })
  const car = boxes().find(({ body }) => body.kind === 'track' && body.label === 'car')
  library.review(car?.id ?? 0, 'reject')
  expect(await found('car left')).not.toEqual([1])
  await library.history.undo()
  expect(await found('car left')).toEqual([1])
})

test('the facts of a clip that is removed and brought back are found again', async () => {
  run(0, track('car', 20))
  const matches = async () =>
    (await library.find.ask('words', { filters: {}, sought: { words: 'car left', guesses: false, classes: [], picture: null }, limit: 9 }))
      .matches
  library.removeClip(clipId)
  expect(await matches()).toBe(0)
  await library.history.undo()
  expect(await matches()).toBe(1)
})

test('a library of an earlier version has its facts found too, once it is opened', async () => {
  run(0, track('car', 20))
  await library.close()
  const db = new DatabaseSync(path.join(folder, 'library.sqlite'))
  db.exec('DELETE FROM told')
  db.close()
  library = Library.open(folder)
  const told = () =>
    library.find.ask('words', { filters: {}, sought: { words: 'car left', guesses: false, classes: [], picture: null }, limit: 9 })
  await expect.poll(async () => (await told()).matches, { timeout: 20_000 }).toBe(1)
})

test('a threshold that hides every box leaves no caption and no certain number behind', () => {
  run(0, track('car', 100))
  expect(said()).toMatch(/^A car/)
  library.changeVocabulary(withNames([], ['car']).map((label) => ({ ...label, threshold: 1 })))
  library.showVocabulary(EYES)
  expect(boxes()).toEqual([])
  expect(said() ?? '').not.toMatch(/car/)
  expect(answer('How many cars are there?')).toMatch(/^No cars/)
  library.changeVocabulary(withNames([], ['car']).map((label) => ({ ...label, threshold: 0.5 })))
  library.showVocabulary(EYES)
  expect(said()).toMatch(/^A car/)
  expect(library.annotations(clipId).find(({ body }) => body.kind === 'caption')?.provenance?.packId).toBe(FACTS)
})

test('who asks for a name learns from its weak boxes that one is there, not how many', () => {
  library.changeVocabulary(withNames([], ['person']))
  run(0)
  const two = (score: number) => {
    library.detections.saveTracks(clipId, EYES, [
      { score: 0.95, provenance, body: track('person', 100) },
      { score, provenance, body: track('person', 400) },
    ])
    library.facts.refresh([clipId])
    return said()
  }
  expect(two(0.95)).toMatch(/^Two people/)
  expect(two(0.65)).toMatch(/^At least one person/)
  expect(boxes()).toHaveLength(2)
  // A column that counts them says what the answer says.
  expect(boxes().map(({ evidence }) => evidence?.countable)).toEqual([undefined, false])
})

test('what a person drew counts under its name in every clip that it reaches into, and no longer where it does not', async () => {
  run(0)
  const { sourceId } = library.clip(clipId)
  const second = library.saveClip(sourceId, { index: 1, kind: 'shot', start: 8, end: 16, startFrame: 200, endFrame: 400, frames: [] })
  library.seen.saveMeasured(second, { cut: true, camera: { steps: [], stays: [] }, light: [] })
  library.seen.saveFrames(
    second,
    DIGEST,
    FRAMES.map((at) => ({ ordinal: 200 + at, pts: 200 + at, seen: [] })),
  )
  const third = library.saveClip(sourceId, { index: 2, kind: 'shot', start: 16, end: 24, startFrame: 400, endFrame: 600, frames: [] })
  library.seen.saveMeasured(third, { cut: true, camera: { steps: [], stays: [] }, light: [] })
  const asked = (id: number) => {
    const given = library.facts.answer(id, 'When does the unicorn leave?')
    return given !== null && 'body' in given ? given.body.text : null
  }
  const names = (id: number) => library.facts.of(id).flatMap((fact) => (fact.kind === 'name' ? [[fact.label, fact.there]] : []))
  const captionIn = (id: number) => library.annotations(id).flatMap(({ body }) => (body.kind === 'caption' ? [body.text] : []))
  expect(asked(second)).toBeNull()

  const box = { x1: 100, y1: 100, x2: 180, y2: 180 }
  const keys = (...ordinals: number[]) => ordinals.map((ordinal) => ({ ordinal, pts: ordinal, box, score: null }))
  const drawn = library.addAnnotation(clipId, { kind: 'track', label: 'unicorn', boxes: keys(150, 300) })
  expect(names(clipId)).toEqual([['unicorn', [{ from: 6, to: 199 / 25 }]]])
  expect(names(second)).toEqual([['unicorn', [{ from: 8, to: 12 }]]])
  expect(names(third)).toEqual([])
  expect(captionIn(second)).toEqual([expect.stringMatching(/^A unicorn/)])
  expect(asked(second)).toMatch(/^At 12\.?\d? s/)
  expect(library.facts.answer(second, 'how many unicorns are there?')).toMatchObject({ evidence: { unsure: false } })
  const find = async (words: string, labels: string[] = []) =>
    (
      await library.find.ask('words', {
        filters: labels.length > 0 ? { labels } : {},
        sought: { words, guesses: false, classes: [], picture: null },
        limit: 9,
      })
    ).ranked.map(({ clipId: id }) => id)
  expect((await find('unicorn')).sort()).toEqual([clipId, second])
  expect((await find('unicorn', ['Unicorn'])).sort()).toEqual([clipId, second])

  library.review(drawn.id, 'edit', { kind: 'track', label: 'unicorn', boxes: keys(150, 190) })
  expect([names(second), captionIn(second).join()]).toEqual([[], expect.not.stringMatching(/unicorn/)])
  expect(await find('unicorn')).toEqual([clipId])
  await library.history.undo()
  expect(captionIn(second)).toEqual([expect.stringMatching(/^A unicorn/)])

  // Without a detector the person's track still counts, and nothing is stated that needs a detector.
  library.packs.use('boxes', null)
  expect(names(second)).toEqual([['unicorn', [{ from: 8, to: 12 }]]])
  expect('body' in (library.facts.answer(second, 'is there a dog?') ?? {})).toBe(false)
  library.review(drawn.id, 'reject')
  expect(library.facts.of(second).filter(({ kind }) => kind === 'name')).toEqual([])
})

test('a box drawn on the last frames of a clip is counted and shown there, tells no motion, and one outside the picture is nothing', () => {
  run(0)
  const box = { x1: 100, y1: 100, x2: 180, y2: 180 }
  const keys = (outside: boolean, ...ordinals: number[]) =>
    ordinals.map((ordinal) => ({ ordinal, pts: ordinal, box, score: null, ...(outside ? { outside } : {}) }))
  library.addAnnotation(clipId, { kind: 'track', label: 'dog', boxes: keys(false, 197, 199) })
  library.addAnnotation(clipId, { kind: 'track', label: 'car', boxes: keys(true, 50, 60) })
  expect(said()).toBe('A dog')
  const evidence = library.annotations(clipId).find(({ body }) => body.kind === 'caption')?.evidence
  expect(evidence?.frames.map(({ ordinal }) => ordinal)).toEqual([197])
  expect(library.facts.answer(clipId, 'How many dogs are there?')).toMatchObject({
    body: { text: 'One dog at most at once, first at 7.9 s.' },
    evidence: { unsure: false, frames: [{ ordinal: 197, pts: 197 }] },
  })
  expect(library.facts.answer(clipId, 'What colour is the dog?')).toEqual({ text: 'The colour in a drawn box was not measured.' })
  expect(answer('Is there a car?')).toMatch(/^No cars/)
})

test('what rests on what people drew or decided says so, in files too, and no longer when they take it back', async () => {
  run(0, track('dog', 40))
  const [found] = boxes()
  const question = 'Is there a unicorn?'
  const one = () => library.annotations(clipId).find(({ body }) => body.kind === 'caption')
  const source = () => one()?.provenance?.people ?? false
  const rests = (text: string) => {
    const given = library.facts.answer(clipId, text)
    return given !== null && 'body' in given && given.provenance.people === true
  }
  const inFiles = (by: 'machine' | 'people') => {
    const annotation = one()
    return annotation !== undefined && inScope({ by }, annotation, false)
  }
  expect([source(), rests('Is there a dog?'), inFiles('machine'), inFiles('people')]).toEqual([false, false, true, false])
  const box = { x1: 100, y1: 100, x2: 180, y2: 180 }
  const keys = [0, 190].map((ordinal) => ({ ordinal, pts: ordinal, box, score: null }))
  library.addAnnotation(clipId, { kind: 'track', label: 'unicorn', boxes: keys })
  expect(said()).toContain('unicorn')
  expect([source(), rests(question), rests('Is there a dog?'), inFiles('machine'), inFiles('people')]).toEqual([
    true,
    true,
    false,
    false,
    true,
  ])
  library.review(one()?.id ?? 0, 'accept')
  expect([inFiles('machine'), inFiles('people')]).toEqual([false, true])
  await library.history.undo()
  await library.history.undo()
  expect([source(), inFiles('machine')]).toEqual([false, true])
  library.review(found?.id ?? 0, 'reject')
  expect([source(), rests('Is there a dog?')]).toEqual([one() !== undefined, true])
})

test('what a question asks for stands in one way: the answer, the box, the fact and the caption, through thresholds and the next run', () => {
  const weak = (shift: number) => {
    library.seen.saveFrames(
      clipId,
      DIGEST,
      FRAMES.map((ordinal) => ({ ordinal, pts: ordinal, seen: [] })),
    )
    const body = track('person', 100 + shift)
    library.detections.saveTracks(clipId, EYES, [{ score: 0.6, provenance, body: { ...body, boxes: body.boxes } }])
    library.facts.refresh([clipId])
  }
  const ask = (question: string) => {
    library.askHere(clipId, question)
    const given = library.facts.answer(clipId, question)
    if (given === null || !('body' in given)) throw new Error('no answer')
    library.saveMachine(clipId, 'answer', [given])
    if (library.detections.showAsked(clipId, { digest: DIGEST, names: EYES.manifest.family === 'detector' ? EYES.manifest.classes : [] }))
      library.facts.refresh([clipId])
  }
  const everywhere = () => [
    said(),
    ...boxes().map(({ body, evidence }) => (body.kind === 'track' ? `${body.label}${evidence?.unsure ? '?' : ''}` : '')),
    ...library.facts
      .of(clipId)
      .flatMap((fact) => (fact.kind === 'name' ? [`${fact.most} ${fact.reliability >= 0.7 ? 'sure' : 'perhaps'}`] : [])),
    ...library
      .annotations(clipId)
      .flatMap(({ body, evidence }) => (body.kind === 'answer' ? [`${body.text} ${evidence?.unsure ? '?' : ''}`] : [])),
  ]
  weak(0)
  expect(everywhere()).toEqual([null])
  ask('Is there a dog?')
  expect(everywhere()).toEqual([null, 'No dogs were seen. '])
  ask('How many people are there?')
  const shown = ['A person', 'person', '1 sure', 'No dogs were seen. ', 'One person at most at once, from the beginning. ']
  expect(everywhere()).toEqual(shown)
  library.showVocabulary(EYES)
  expect(everywhere()).toEqual(shown)
  expect(library.detections.apply(EYES)).toEqual([])
  weak(1)
  expect(everywhere()).toEqual(shown)
})

test('of seconds that could not be read captions, answers and boxes say nothing, in every clip that they lie in', () => {
  run(0, track('dog', 100))
  expect(said()).toBe('A dog')
  const { sourceId } = library.clip(clipId)
  library.setProbe(sourceId, {
    ...probe,
    unread: [
      { from: 2, to: 5.5 },
      { from: 30, to: 31 },
    ],
  })
  library.facts.refresh([clipId])
  expect(said()).toBe('A dog; seconds 2–5.5 are unreadable')
  expect(answer('Is there a dog?')).toMatch(/^Yes, a dog\b.* Seconds 2–5\.5 are unreadable\.$/)
  const cat = library.facts.answer(clipId, 'Is there a car?')
  expect(cat !== null && 'body' in cat && cat.evidence?.unsure).toBe(true)
  // An answer from before the unread seconds were known is not given any more.
  const before = library.facts.answer(clipId, 'How many dogs are there?')
  if (before !== null && 'body' in before) library.saveMachine(clipId, 'answer', [before])
  const answers = () => library.annotations(clipId).filter(({ body }) => body.kind === 'answer')
  expect(answers()).toHaveLength(1)
  library.setProbe(sourceId, { ...probe, unread: [{ from: 0, to: 8 }] })
  library.facts.refresh([clipId])
  expect(said()).toBe('Seconds 0–8 are unreadable')
  expect(answers()).toEqual([])
  expect(library.facts.answer(clipId, 'Is there a dog?')).toEqual({ text: 'Seconds 0–8 are unreadable.' })
})

/** Answers a question as filling its column does. */
function fill(question: string): void {
  const given = library.facts.answer(clipId, question)
  if (given === null || !('body' in given)) throw new Error('no answer')
  library.saveMachine(clipId, 'answer', [given])
  library.detections.showAsked(clipId, { digest: DIGEST, names: ['car', 'dog', 'person'] })
  library.facts.refresh([clipId])
}

test('an answer that rested on a box says why it is gone, and is back with the box, by whatever edit', async () => {
  run(0, track('car', 100))
  const questions = ['Where is the car?', 'When does the car appear?'] as const
  library.table.addColumn('question', questions[0], true)
  library.askHere(clipId, questions[1])
  for (const question of questions) fill(question)
  const given = () =>
    library
      .annotations(clipId)
      .flatMap(({ body }) => (body.kind === 'answer' ? [`${body.question} ${body.text}`] : []))
      .sort()
  const why = () => questions.map((question) => library.table.whyUnanswered(clipId, question)?.code ?? null)
  const before = given()
  expect([before.length, why()]).toEqual([2, [null, null]])
  const [car] = boxes()
  library.review(car?.id ?? 0, 'reject')
  expect([given(), why()]).toEqual([[], ['not-answerable', 'not-answerable']])
  await library.history.undo()
  expect([given(), why()]).toEqual([before, [null, null]])
  await library.history.redo()
  expect(given()).toEqual([])
  library.review(car?.id ?? 0, 'reset')
  expect([given(), why()]).toEqual([before, [null, null]])
})

test('a guess that a column asked for is sure as long as the column stands, or somebody asked the same of the clip itself', async () => {
  library.seen.saveFrames(
    clipId,
    DIGEST,
    FRAMES.map((ordinal) => ({ ordinal, pts: ordinal, seen: [] })),
  )
  library.detections.saveTracks(clipId, EYES, [{ score: 0.6, provenance, body: track('person', 100) }])
  library.facts.refresh([clipId])
  const question = 'Is there a person?'
  const stated = () => [said(), boxes().map(({ evidence }) => evidence?.unsure)]
  const before = stated()
  const column = library.table.addColumn('yesno', question, true)
  fill(question)
  const asked = stated()
  expect(asked).toEqual([expect.stringContaining('person'), [false]])
  expect(before).not.toEqual(asked)
  library.table.removeColumn(column.id)
  expect(stated()).toEqual(before)
  await library.history.undo()
  expect(stated()).toEqual(asked)
  await library.history.undo()
  expect(stated()).toEqual(before)
  await library.history.redo()
  library.askHere(clipId, question)
  library.table.removeColumn(column.id)
  expect(stated()).toEqual(asked)
})

/** Anna's and Ben's work on the same videos becomes one: what only one did is taken, what both did differently is decided, in any order. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AnnotationBody, TrackBody } from '../../app/annotation.ts'
import type { Probe } from '../../app/media.ts'
import { said } from '../../app/phrase.ts'
import { random } from '../../app/random.ts'
import { newLabel } from '../../app/vocabulary.ts'
import { Library } from './library.ts'
import type { Conflict, Verdict } from './merge.ts'
import { provenance } from './shower.testing.ts'
import { PERSON } from './signed.ts'

let folder: string
const open: Library[] = []
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-merge-'))
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((library) => library.close()))
  rmSync(folder, { recursive: true, force: true })
})

const PROBE: Probe = {
  timeBase: { num: 1, den: 25 },
  startPts: 0,
  frameRate: { num: 25, den: 1 },
  width: 640,
  height: 480,
  container: 'mp4',
  codec: 'h264',
  duration: 20,
  streams: [],
  pixelFormat: 'yuv420p',
  bitDepth: 8,
  hdr: null,
  codedWidth: 640,
  codedHeight: 480,
  rotation: 0,
  sampleAspectRatio: { num: 1, den: 1 },
  variableFrameRate: false,
  frameCount: 500,
  videoStream: 0,
} as unknown as Probe

const evidence = { confidence: 0.8, unsure: false, agreement: null, frames: [] }
const caption = (text: string): AnnotationBody => ({ kind: 'caption', text })
const note = (text: string): AnnotationBody => ({ kind: 'note', text })
const track = (label: string, x: number, frame = 0): TrackBody => ({
  kind: 'track',
  label,
  boxes: [0, 10].map((at) => ({ ordinal: frame + at, pts: frame + at, box: { x1: x, y1: 10, x2: x + 50, y2: 60 }, score: 0.9 })),
})

function named(name: string): Library {
  mkdirSync(path.join(folder, name), { recursive: true })
  const library = Library.open(path.join(folder, name))
  open.push(library)
  library.setSetting(PERSON, name)
  return library
}

/** A video of four clips, with a caption and two tracks of a machine in each. */
function addVideo(library: Library, name: string): number[] {
  const { source } = library.addSource({ path: `/v/${name}`, name, bytes: 1, mtimeMs: 0, fingerprint: `print of ${name}` })
  library.setProbe(source.id, PROBE)
  library.setFrames(
    source.id,
    Float64Array.from({ length: 500 }, (_, at) => at),
  )
  return [0, 1, 2, 3].map((index) => {
    const startFrame = index * 125
    const plan = {
      index,
      kind: 'shot' as const,
      start: startFrame / 25,
      end: startFrame / 25 + 5,
      startFrame,
      endFrame: startFrame + 125,
      frames: [],
    }
    const id = library.saveClip(source.id, plan)
    library.saveMachine(id, 'caption', [{ body: caption(`machine ${index}`), evidence, provenance }])
    library.saveMachine(
      id,
      'track',
      [50, 400].map((x) => ({ body: track('dog', x, startFrame), evidence, provenance })),
    )
    return id
  })
}

/** A copy of a library, as a file that is handed over has it. */
async function handedOver(from: Library, to: string): Promise<string> {
  const dir = path.join(folder, `${to} ${Math.random()}`)
  mkdirSync(dir)
  from.setSetting('shared', new Date().toISOString())
  const db = new DatabaseSync(path.join(from.projectDir, 'library.sqlite'), { readOnly: true })
  await backup(db, path.join(dir, 'library.sqlite'))
  db.close()
  // What is decided in the same millisecond would count as known.
  await new Promise((resolve) => setTimeout(resolve, 2))
  return dir
}

async function copyFor(from: Library, name: string): Promise<Library> {
  const dir = await handedOver(from, name)
  const library = Library.open(dir)
  open.push(library)
  library.setSetting(PERSON, name)
  return library
}

async function merge(into: Library, from: Library, decide: (one: Conflict) => Verdict = () => 'theirs') {
  const theirs = new DatabaseSync(path.join(await handedOver(from, 'file'), 'library.sqlite'), { readOnly: true })
  try {
    const plan = await into.merge.plan(theirs)
    const verdicts = new Map(plan.conflicts.map((one) => [one.id, decide(one)]))
    const { step } = await into.merge.take(
      theirs,
      said('Work taken in'),
      (id) => verdicts.get(id),
      () => ({ path: '/elsewhere', stamp: null }),
    )
    return { plan, step }
  } finally {
    theirs.close()
  }
}

/** All that a library says of its videos, in an order of its own. @param rejected Whether what was rejected counts. */
function contentOf(library: Library): string[] {
  const clips = library.clips({ limit: 1e6, offset: 0 }).clips
  return clips
    .flatMap((clip) =>
      library.annotations(clip.id).map(({ body, state, machine }) => {
        const decided = state === 'accepted' || state === 'edited' ? 'stands' : state
        const own = body.kind === 'track' ? { ...body, label: body.label.toLowerCase() } : body
        return JSON.stringify([
          library.source(clip.sourceId).fingerprint,
          clip.startFrame,
          decided,
          state === 'rejected' && machine === null ? null : own,
        ])
      }),
    )
    .filter((line) => !line.includes('"rejected",null'))
    .sort()
}

const captionOf = (library: Library, clipId: number) => library.annotations(clipId).find(({ body }) => body.kind === 'caption')

test('what only one did is taken, with its name; the same file again changes nothing; undo takes all of it back, and it can be taken again', async () => {
  const anna = named('Anna')
  const [first = 0, second = 0, third = 0] = addVideo(anna, 'a.mp4')
  anna.review(captionOf(anna, first)?.id ?? 0, 'accept')
  const ben = await copyFor(anna, 'Ben')
  const [, hers] = anna.annotations(second).filter(({ body }) => body.kind === 'track')
  anna.review(hers?.id ?? 0, 'reject')
  // Ben goes on with what Anna accepted: that is newer, and no conflict.
  ben.review(captionOf(ben, first)?.id ?? 0, 'edit', caption('two dogs on the beach'))
  ben.review(captionOf(ben, second)?.id ?? 0, 'reject')
  ben.addAnnotation(third, note('blurred'))
  ben.changeVocabulary([newLabel('whistle', [])])
  const column = ben.table.addColumn('question', 'Is it raining?', false)
  expect(column).toBeDefined()
  addVideo(ben, 'b.mp4')
  const before = contentOf(anna)

  const { plan, step } = await merge(anna, ben)
  expect(plan).toMatchObject({ conflicts: [], labels: ['whistle'], columns: ['Is it raining?'], videos: [{ name: 'b.mp4' }] })
  expect(plan.taken).toMatchObject({ caption: 2, note: 1, track: 0 })
  expect(step).toBeGreaterThan(0)
  expect(captionOf(anna, first)).toMatchObject({ body: { text: 'two dogs on the beach' }, by: 'Ben' })
  expect(captionOf(anna, second)).toMatchObject({ state: 'rejected', by: 'Ben' })
  expect(anna.annotation(hers?.id ?? 0)).toMatchObject({ state: 'rejected', by: 'Anna' })
  expect(anna.annotations(third).find(({ body }) => body.kind === 'note')).toMatchObject({ body: { text: 'blurred' }, by: 'Ben' })
  expect(anna.sources().map(({ name, clipCount }) => [name, clipCount])).toEqual([
    ['a.mp4', 4],
    ['b.mp4', 4],
  ])
  expect(anna.detections.vocabulary().map(({ name }) => name)).toEqual(['whistle'])

  const after = contentOf(anna)
  const again = await merge(anna, ben)
  expect(again).toMatchObject({ step: 0, plan: { conflicts: [], videos: [], labels: [], columns: [] } })
  expect(Object.values(again.plan.taken)).toEqual([0, 0, 0, 0, 0, 0])
  expect(contentOf(anna)).toEqual(after)

  await anna.history.undo()
  expect(contentOf(anna)).toEqual(before)
  expect(anna.detections.vocabulary()).toEqual([])
  expect((await merge(anna, ben)).step).toBeGreaterThan(0)
  expect(contentOf(anna)).toEqual(after)
  expect(anna.bin.list()).toEqual([])
})

test('what both did differently is asked once, whoever takes in whose work then', async () => {
  const anna = named('Anna')
  const [first = 0, second = 0] = addVideo(anna, 'a.mp4')
  const shared = anna.addAnnotation(second, track('cat', 200, 125))
  const ben = await copyFor(anna, 'Ben')
  anna.review(captionOf(anna, first)?.id ?? 0, 'edit', caption('a dog'))
  ben.review(captionOf(ben, first)?.id ?? 0, 'edit', caption('a wolf'))
  anna.review(shared.id, 'edit', track('cat', 210, 125))
  ben.review(shared.id, 'edit', track('lynx', 190, 125))
  // Both did the same.
  for (const library of [anna, ben]) library.review(captionOf(library, second)?.id ?? 0, 'accept')

  const { plan } = await merge(anna, ben, ({ kind }) => (kind === 'caption' ? 'mine' : 'both'))
  expect(plan.conflicts).toHaveLength(2)
  expect(plan.conflicts).toContainEqual({
    id: expect.any(Number) as number,
    clipId: first,
    kind: 'caption',
    mine: { state: 'edited', body: caption('a dog'), by: 'Anna', at: expect.any(String) as string },
    theirs: { state: 'edited', body: caption('a wolf'), by: 'Ben', at: expect.any(String) as string },
    canBoth: false,
  })
  expect(plan.alike).toBe(1)
  expect(captionOf(anna, first)).toMatchObject({ body: { text: 'a dog' }, by: 'Anna' })
  const labels = anna.annotations(second).flatMap(({ body, state }) => (body.kind === 'track' && state !== 'machine' ? [body.label] : []))
  expect(labels.sort()).toEqual(['cat', 'lynx'])

  expect(await merge(anna, ben)).toMatchObject({ step: 0, plan: { conflicts: [] } })
  expect(await merge(ben, anna)).toMatchObject({ plan: { conflicts: [] } })
  expect(contentOf(ben)).toEqual(contentOf(anna))
})

test('what one holds for right and the other for wrong cannot stand twice', async () => {
  const anna = named('Anna')
  const [first = 0] = addVideo(anna, 'a.mp4')
  const ben = await copyFor(anna, 'Ben')
  const dog = (library: Library) => library.annotations(first).find(({ body }) => body.kind === 'track')?.id ?? 0
  anna.review(dog(anna), 'accept')
  ben.review(dog(ben), 'reject')
  const before = contentOf(anna)
  const { plan } = await merge(anna, ben, () => 'both')
  expect(plan.conflicts).toMatchObject([{ kind: 'track', canBoth: false }])
  expect(contentOf(anna)).toEqual(before)
})

test('without a decision about everything that differs, nothing is taken', async () => {
  const anna = named('Anna')
  const [first = 0, second = 0] = addVideo(anna, 'a.mp4')
  const ben = await copyFor(anna, 'Ben')
  anna.review(captionOf(anna, second)?.id ?? 0, 'edit', caption('a dog'))
  ben.review(captionOf(ben, second)?.id ?? 0, 'edit', caption('a wolf'))
  ben.review(captionOf(ben, first)?.id ?? 0, 'accept')
  addVideo(ben, 'b.mp4')
  const before = contentOf(anna)
  const theirs = new DatabaseSync(path.join(await handedOver(ben, 'file'), 'library.sqlite'), { readOnly: true })
  const take = anna.merge.take(
    theirs,
    said('Work taken in'),
    () => undefined,
    () => ({ path: '/elsewhere', stamp: null }),
  )
  await expect(take).rejects.toMatchObject({ problem: { code: 'conflict' } })
  theirs.close()
  expect(contentOf(anna)).toEqual(before)
  expect(anna.bin.list()).toEqual([])
  expect(anna.history.list(10).steps).toHaveLength(1)
})

test('objects that have one number in both keep apart', async () => {
  const anna = named('Anna')
  const [first = 0, second = 0] = addVideo(anna, 'a.mp4')
  const ben = await copyFor(anna, 'Ben')
  anna.addAnnotation(first, { ...track('cat', 200), object: 1 })
  ben.addAnnotation(first, { ...track('bird', 300), object: 1 })
  ben.addAnnotation(second, { ...track('bird', 300, 125), object: 1 })
  await merge(anna, ben)
  const objects = [first, second].flatMap((id) =>
    anna.annotations(id).flatMap(({ body }) => (body.kind === 'track' && body.object !== undefined ? [[body.label, body.object]] : [])),
  )
  expect(objects).toEqual([
    ['cat', 1],
    ['bird', 2],
    ['bird', 2],
  ])
  expect(await merge(anna, ben)).toMatchObject({ step: 0 })
})

test('a video in the bin stays there', async () => {
  const anna = named('Anna')
  addVideo(anna, 'a.mp4')
  const ben = await copyFor(anna, 'Ben')
  anna.removeSource(anna.sources()[0]?.id ?? 0)
  const { plan, step } = await merge(anna, ben)
  expect(plan).toMatchObject({ binned: ['a.mp4'], videos: [] })
  expect(step).toBe(0)
})

/** Something that a person does, by chance. */
function work(library: Library, clipIds: readonly number[], next: () => number, who: string): void {
  const pick = <T>(all: readonly T[]): T | undefined => all[Math.floor(next() * all.length)]
  for (let nth = 0; nth < 14; nth++) {
    const clipId = pick(clipIds) ?? 0
    const one = pick(library.annotations(clipId))
    const what = next()
    // Few words, so that two people sometimes write the same.
    const word = pick(['a dog', 'a wolf', 'nothing', `what ${who} saw`]) ?? ''
    const { startFrame } = library.clip(clipId)
    if (what < 0.1) library.addAnnotation(clipId, note(`${who} ${nth} ${word}`))
    else if (what < 0.2) library.addAnnotation(clipId, track(who, 100 + Math.floor(next() * 400), startFrame + 20 + nth))
    else if (one === undefined) continue
    else if (what < 0.5) library.review(one.id, 'accept')
    else if (what < 0.65) library.review(one.id, 'reject')
    else if (what < 0.7 && one.machine !== null) library.review(one.id, 'reset')
    else if (one.body.kind === 'track') library.review(one.id, 'edit', { ...one.body, label: pick(['dog', 'cat', 'fox']) ?? 'dog' })
    else library.review(one.id, 'edit', { ...one.body, text: word })
  }
}

/** The same choice for everybody, whoever is "mine": by what is said. */
function byContent({ mine, theirs }: Conflict): Verdict {
  const [own, other] = [mine, theirs].map(({ state, body }) => JSON.stringify([state === 'rejected', state === 'machine', body]))
  return (own ?? '') >= (other ?? '') ? 'mine' : 'theirs'
}

test.each([1, 2, 3, 4])('three people come to the same, in whatever order they take in each other’s work (made up by %i)', async (seed) => {
  const next = random(seed)
  const anna = named('Anna')
  const clips = addVideo(anna, 'a.mp4')
  work(anna, clips, next, 'Anna')
  const [ben, cleo] = [await copyFor(anna, 'Ben'), await copyFor(anna, 'Cleo')]
  for (const [library, who] of [
    [anna, 'Anna'],
    [ben, 'Ben'],
    [cleo, 'Cleo'],
  ] as const)
    work(library, clips, next, who)
  const orders: (readonly [Library, Library, Library])[] = [
    [anna, ben, cleo],
    [anna, cleo, ben],
    [ben, anna, cleo],
    [cleo, ben, anna],
  ]
  const ends: string[][] = []
  let conflicts = 0
  for (const [a, b, c] of orders) {
    const end = await copyFor(a, 'end')
    await merge(end, b, byContent)
    const { plan } = await merge(end, c, byContent)
    conflicts += plan.conflicts.length
    ends.push(contentOf(end))
    // Nothing is left to ask or to take.
    for (const other of [a, b, c]) expect(await merge(end, other, byContent)).toMatchObject({ step: 0, plan: { conflicts: [] } })
  }
  // Two may join theirs first.
  const pair = await copyFor(ben, 'pair')
  await merge(pair, cleo, byContent)
  const end = await copyFor(anna, 'end')
  await merge(end, pair, byContent)
  ends.push(contentOf(end))
  for (const one of ends) expect(one).toEqual(ends[0])
  expect(conflicts).toBeGreaterThan(0)
})

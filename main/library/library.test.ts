import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AnnotationBody, TrackBody } from '../../app/annotation.ts'
import { TubeletError } from '../../app/errors.ts'
import { english, type Phrase } from '../../app/phrase.ts'
import type { MachineResult } from './annotations.ts'
import { type ClipPlan, Library } from './library.ts'
import { openDatabase } from './schema.ts'
import { DIGEST, mammut, provenance } from './shower.testing.ts'

const said = (body: AnnotationBody): MachineResult => ({ body, evidence: null, provenance })
const caption = (text: string) => said({ kind: 'caption', text })
const track = (label: string, x: number): TrackBody => ({
  kind: 'track',
  label,
  boxes: [0, 10].map((ordinal) => ({ ordinal, pts: ordinal, box: { x1: x, y1: 0, x2: x + 20, y2: 20 }, score: 0.9 })),
})
const plan = (index: number): ClipPlan => ({
  index,
  kind: 'window',
  start: index * 8,
  end: index * 8 + 8,
  startFrame: index * 200,
  endFrame: index * 200 + 200,
  frames: [{ ordinal: index * 200, pts: index * 200 }],
})

let folder: string
let library: Library
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-library-'))
  library = Library.open(folder)
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

const reopen = async () => {
  await library.close()
  library = Library.open(folder)
}
function addClip(index = 0, text = 'a dog'): number {
  const { source } = library.addSource({ path: `/v/${folder}.mp4`, name: 'v.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'f' })
  const clipId = library.saveClip(source.id, plan(index))
  library.saveClipResult(clipId, mammut(DIGEST), encoding(index), plan(index).frames, { caption: caption(text), seen: null })
  return clipId
}
const encoding = (seed: number) => ({ embedding: unit(seed), memory: new Uint16Array([1, 2, seed]), tokens: new Uint16Array([3]) })
function unit(seed: number): Float32Array {
  const raw = Float32Array.from({ length: 8 }, (_, at) => Math.sin(seed * 12.9898 + at * 78.233))
  const length = Math.hypot(...raw)
  return raw.map((value) => value / length)
}
const captionOf = (clipId: number) => library.annotations(clipId).find(({ body }) => body.kind === 'caption')

test('the same content is one source, whatever its name', () => {
  const file = { name: 'a.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'same' }
  const first = library.addSource({ ...file, path: '/gone/a.mp4' })
  const second = library.addSource({ ...file, path: '/moved/b.mp4', name: 'b.mp4' })
  expect(second.isNew).toBe(false)
  expect(second.source.id).toBe(first.source.id)
  expect(second.source.path).toBe('/moved/b.mp4')
})

test('what was stored comes back as it was', async () => {
  const clipId = addClip(3)
  const pts = Float64Array.from([-5, 0, 33, 1e12, 1e12 + 1])
  library.setFrames(library.clip(clipId).sourceId, pts)
  await reopen()
  expect(library.frames(library.clip(clipId).sourceId)).toEqual(pts)
  expect(library.encoding(clipId, DIGEST)).toEqual(encoding(3))
  expect(library.encoding(clipId, 'another pack')).toBeNull()
  expect(library.clip(clipId)).toMatchObject({ index: 3, encoded: true, caption: 'a dog', captionState: 'machine' })
})

test('a new run goes beneath a decision, not over it', () => {
  const clipId = addClip()
  const id = captionOf(clipId)?.id ?? 0
  library.review(id, 'edit', { kind: 'caption', text: 'two dogs' })
  library.saveMachine(clipId, 'caption', [caption('a cat')])
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'two dogs' }, machine: { text: 'a cat' }, state: 'edited' })
  library.review(id, 'reset')
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'a cat' }, state: 'machine' })
  library.review(id, 'accept')
  library.saveMachine(clipId, 'caption', [caption('a bird')])
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'a cat' }, state: 'accepted' })
})

test('a text of a person stays the person’s own when it is accepted, also after it was rejected', () => {
  const clipId = addClip()
  const id = captionOf(clipId)?.id ?? 0
  library.review(id, 'edit', { kind: 'caption', text: 'two dogs' })
  library.review(id, 'accept')
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'two dogs' }, state: 'edited' })
  library.review(id, 'reject')
  library.review(id, 'accept')
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'two dogs' }, state: 'edited' })
  library.review(id, 'reset')
  library.review(id, 'reject')
  library.review(id, 'accept')
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'a dog' }, state: 'accepted' })
})

test('a rejected or moved track does not come back, others are replaced', () => {
  const clipId = addClip()
  const [left, right] = library.saveMachine(clipId, 'track', [said(track('car', 0)), said(track('car', 100))])
  library.review(left?.id ?? 0, 'reject')
  library.review(right?.id ?? 0, 'edit', track('truck', 300))
  library.saveMachine(clipId, 'track', [said(track('car', 2)), said(track('car', 101)), said(track('car', 200))])
  const tracks = library
    .annotations(clipId)
    .flatMap(({ body, state }) => (body.kind === 'track' ? [`${state} ${body.label} ${body.boxes[0]?.box.x1 ?? ''}`] : []))
  expect(tracks.toSorted()).toEqual(['edited truck 300', 'machine car 200', 'rejected car 0'])
})

test('undo and redo survive a restart, and a new edit ends what could be redone', async () => {
  const clipId = addClip()
  const id = captionOf(clipId)?.id ?? 0
  library.review(id, 'edit', { kind: 'caption', text: 'one' })
  library.review(id, 'edit', { kind: 'caption', text: 'two' })
  const added = library.addAnnotation(clipId, { kind: 'note', text: 'look here' })
  await reopen()
  expect(library.history.next().undo).toSatisfy((step: Phrase) => english(step) === 'Note added · clip 1 in v.mp4')
  await library.history.undo()
  expect(library.annotations(clipId).some(({ body }) => body.kind === 'note')).toBe(false)
  await library.history.undo()
  expect(captionOf(clipId)?.body).toMatchObject({ text: 'one' })
  await reopen()
  await library.history.undo()
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'a dog' }, state: 'machine' })
  expect((await library.history.undo()).undo).toBeNull()
  for (let times = 0; times < 3; times += 1) await library.history.redo()
  expect(captionOf(clipId)?.body).toMatchObject({ text: 'two' })
  expect(library.annotation(added.id).body).toEqual({ kind: 'note', text: 'look here' })
  await library.history.undo()
  library.review(id, 'reject')
  expect(library.history.next().redo).toBeNull()
})

test('edits that make no sense are refused', () => {
  const clipId = addClip()
  const id = captionOf(clipId)?.id ?? 0
  expect(() => library.review(id, 'edit', { kind: 'note', text: 'x' })).toThrow(TubeletError)
  const twice = { ...track('car', 0), boxes: [...track('car', 0).boxes, ...track('car', 0).boxes] }
  expect(() => library.addAnnotation(clipId, twice)).toThrow(/ascend/)
  expect(() => library.addAnnotation(clipId, track('car', -5))).toThrow(/inside/)
  expect(() => library.review(9999, 'accept')).toThrow(/no such annotation/)
})

test('many edits are one step: made, undone and redone together, or not at all', async () => {
  const [first, second, third] = [addClip(0), addClip(1), addClip(2)]
  const stateOf = (clipId: number) => captionOf(clipId)?.state
  const idOf = (clipId: number) => captionOf(clipId)?.id ?? 0
  const { annotationIds } = library.edit([
    { action: 'accept', annotationId: idOf(first) },
    { action: 'accept', annotationId: idOf(second) },
  ])
  expect(annotationIds).toEqual([idOf(first), idOf(second)])
  expect(library.history.next().undo).toSatisfy((step: Phrase) => english(step) === 'Caption accepted × 2')
  library.review(idOf(third), 'reject')
  library.edit(
    [
      { action: 'edit', annotationId: idOf(first), body: { kind: 'caption', text: 'mine' } },
      { action: 'add', clipId: first, body: { kind: 'note', text: 'n' } },
    ],
    { text: 'tidy up' },
  )
  expect(() =>
    library.edit([
      { action: 'reject', annotationId: idOf(second) },
      { action: 'reject', annotationId: 999_999 },
    ]),
  ).toThrow(/no such annotation/)
  expect([first, second, third].map(stateOf)).toEqual(['edited', 'accepted', 'rejected'])

  const { steps, total } = library.history.list(10)
  expect(total).toBe(3)
  expect(steps.map(({ description, edits, undone }) => [english(description), edits, undone])).toEqual([
    ['tidy up', 2, false],
    ['Caption rejected · clip 3 in v.mp4', 1, false],
    ['Caption accepted × 2', 2, false],
  ])
  await library.history.undo()
  expect([stateOf(first), library.annotations(first).length]).toEqual(['accepted', 1])
  await library.history.jump(0)
  expect([first, second, third].map(stateOf)).toEqual(['machine', 'machine', 'machine'])
  await library.history.jump(steps[1]?.id ?? 0)
  expect([first, second, third].map(stateOf)).toEqual(['accepted', 'accepted', 'rejected'])
  expect(library.history.list(10).steps.map(({ undone }) => undone)).toEqual([true, false, false])
  await expect(library.history.jump(12345)).rejects.toThrow(/history/)
})

test('a clip tells who said what and when, earlier runs included', async () => {
  const clipId = addClip(0)
  library.saveMachine(clipId, 'caption', [caption('a dog runs')])
  library.saveMachine(clipId, 'caption', [caption('a dog runs')])
  library.review(captionOf(clipId)?.id ?? 0, 'edit', { kind: 'caption', text: 'a cat' })
  await library.history.undo()
  const events = library.clipHistory(clipId)
  expect(events.map(({ action, body, undone }) => [action, body && 'text' in body ? body.text : null, undone])).toContainEqual([
    'edit',
    'a cat',
    true,
  ])
  expect(
    events
      .filter(({ action }) => action === 'said')
      .map(({ body }) => body && 'text' in body && body.text)
      .sort(),
  ).toEqual(['a dog', 'a dog runs'])
})

test('the queue has an order of its own, and ends and begins again where it was', () => {
  const { source } = library.addSource({ path: '/v/a.mp4', name: 'a.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'a' })
  const file = (title: string) => library.jobs.create({ kind: 'analyse', title, sourceId: source.id }).id
  const ask = (title: string) => library.jobs.create({ kind: 'ask', title, columnId: 1 })
  const order = () =>
    library.jobs
      .list(100)
      .map(({ title }) => title)
      .join('')
  const [a, b, c] = [file('a'), file('b'), file('c')]
  ask('?')
  ask('!')
  expect(order()).toBe('?!abc')
  library.jobs.move(c, a)
  expect(order()).toBe('?!cab')
  library.jobs.move(c, null)
  expect(order()).toBe('?!abc')
  // More often than a floating-point number fits between two ranks.
  for (let turn = 0; turn < 120; turn += 1) library.jobs.move(turn % 2 === 0 ? c : b, turn % 2 === 0 ? b : c)
  expect(order()).toBe('?!abc')
  library.jobs.begin(b)
  library.jobs.recover()
  expect(order()).toBe('b?!ac')
  library.jobs.end(b, 'failed', { code: 'internal', message: 'x' })
  expect(order()).toBe('?!acb')
  expect(library.jobs.counts()).toMatchObject({ waiting: 4, finished: 1, failed: 1 })
  library.jobs.again(b)
  expect(order()).toBe('?!acb')
})

test('undo of what a person added leaves what a run said beneath it, and redo puts it back on top', async () => {
  const { source } = library.addSource({ path: '/v/a.mp4', name: 'a.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'a' })
  const clipId = library.saveClip(source.id, plan(0))
  library.addAnnotation(clipId, { kind: 'caption', text: 'mine' })
  library.saveMachine(clipId, 'caption', [caption('a dog')])
  await library.history.undo()
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'a dog' }, state: 'machine' })
  await library.history.redo()
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'mine' }, machine: { text: 'a dog' }, state: 'edited' })
})

test('redo of an addition takes over what a run said since it was undone', async () => {
  const { source } = library.addSource({ path: '/v/a.mp4', name: 'a.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'a' })
  const clipId = library.saveClip(source.id, plan(0))
  library.addAnnotation(clipId, { kind: 'caption', text: 'mine' })
  await library.history.undo()
  library.saveMachine(clipId, 'caption', [caption('a dog')])
  await library.history.redo()
  expect(library.annotations(clipId)).toMatchObject([{ body: { text: 'mine' }, machine: { text: 'a dog' }, state: 'edited' }])
  await library.history.undo()
  expect(library.annotations(clipId)).toMatchObject([{ body: { text: 'a dog' }, state: 'machine' }])
})

test('a track whose decision was undone and that a run then dropped can still be stepped over', async () => {
  const clipId = addClip()
  const [found] = library.saveMachine(clipId, 'track', [said(track('car', 0))])
  library.review(found?.id ?? 0, 'accept')
  await library.history.undo()
  library.saveMachine(clipId, 'track', [])
  const tracks = () => library.annotations(clipId).filter(({ body }) => body.kind === 'track')
  await library.history.redo()
  expect(tracks()).toMatchObject([{ state: 'accepted', machine: null, body: { label: 'car' } }])
  await library.history.undo()
  expect(tracks()).toEqual([])
})

test('an edit of an answer keeps its question', () => {
  const clipId = addClip()
  const ask = (question: string) => library.saveMachine(clipId, 'answer', [said({ kind: 'answer', question, text: 'red' })])[0]?.id ?? 0
  const id = ask('What colour?')
  ask('How many?')
  for (const question of ['How many?', 'Where?'])
    expect(() => library.review(id, 'edit', { kind: 'answer', question, text: 'two' })).toThrow(/question/)
  expect(library.review(id, 'edit', { kind: 'answer', question: 'What colour?', text: 'blue' }).body).toMatchObject({ text: 'blue' })
})

test('an answer is one cell however the question was typed', () => {
  const clipId = addClip()
  library.saveMachine(clipId, 'answer', [said({ kind: 'answer', question: 'What colour is it?', text: 'red' })])
  library.saveMachine(clipId, 'answer', [said({ kind: 'answer', question: ' what  colour is it', text: 'blue' })])
  expect(
    library
      .annotations(clipId)
      .filter(({ body }) => body.kind === 'answer')
      .map(({ body }) => body),
  ).toEqual([{ kind: 'answer', question: ' what  colour is it', text: 'blue' }])
})

test('clips that a run no longer finds go, unless a person decided something there', () => {
  const [first, second, third] = [addClip(0), addClip(1), addClip(2)]
  library.review(captionOf(second)?.id ?? 0, 'accept')
  library.pruneClips(library.clip(first).sourceId, [first])
  expect(library.clips({ limit: 10, offset: 0 }).clips.map(({ id }) => id)).toEqual([first, second])
  expect(() => library.clip(third)).toThrow(/no such clip/)
  expect(addClip(0)).toBe(first)
})

test('a library of a newer version is refused, unharmed', async () => {
  await library.close()
  const db = new DatabaseSync(path.join(folder, 'library.sqlite'))
  db.exec('PRAGMA user_version = 99')
  db.close()
  expect(() => Library.open(folder)).toThrow(/newer version/)
  rmSync(path.join(folder, 'library.sqlite'))
  library = Library.open(folder)
})

test('a beginning grows into its clip with what was decided about it, and is shown of no source that has clips', () => {
  const { source } = library.addSource({ path: '/b', name: 'b', bytes: 1, mtimeMs: 0, fingerprint: 'beginning' })
  const plan = (kind: 'beginning' | 'window' | 'marked', startFrame: number, endFrame: number) => ({
    index: 0,
    kind,
    start: startFrame / 25,
    end: endFrame / 25,
    startFrame,
    endFrame,
    frames: [],
  })
  const first = library.saveBeginning(source.id, plan('beginning', 0, 25)) ?? 0
  const note = library.addAnnotation(first, { kind: 'note', text: 'mine', span: { startFrame: 3, endFrame: 9 } })
  expect(library.saveBeginning(source.id, plan('beginning', 0, 50))).toBe(first)
  const marked = library.markClip(source.id, plan('marked', 0, 30))
  expect(marked.id).not.toBe(first)
  expect(library.saveClip(source.id, plan('window', 0, 200))).toBe(first)
  expect(library.clip(first)).toMatchObject({ kind: 'window', endFrame: 200, end: 8 })
  expect(library.annotations(first).map(({ id }) => id)).toEqual([note.id])
  expect(library.saveClip(source.id, plan('window', 200, 400))).not.toBe(first)
  expect(library.saveBeginning(source.id, plan('beginning', 0, 25))).toBeNull()
  expect(library.clip(marked.id)).toMatchObject({ kind: 'marked', endFrame: 30 })
})

test('kill -9 loses nothing that was shown as done', async () => {
  const script = path.join(folder, 'writer.ts')
  writeFileSync(
    script,
    `import { Library } from ${JSON.stringify(path.join(import.meta.dirname, 'library.ts'))}
     import { mammut } from ${JSON.stringify(path.join(import.meta.dirname, 'shower.testing.ts'))}
     const library = Library.open(${JSON.stringify(folder)})
     const { source } = library.addSource({ path: '/v', name: 'v', bytes: 1, mtimeMs: 0, fingerprint: 'x' })
     for (let index = 0; ; index += 1) {
       const id = library.saveClip(source.id, { index, kind: 'window', start: index, end: index + 1, startFrame: index, endFrame: index + 1, frames: [] })
       library.saveClipResult(id, mammut('${DIGEST}'), { embedding: new Float32Array(8).fill(1), memory: new Uint16Array(9000), tokens: null }, [], { caption: { body: { kind: 'caption', text: String(index) }, evidence: null, provenance: ${JSON.stringify(provenance)} }, seen: null })
       process.send?.(id)
     }`,
  )
  await library.close()
  const writer = fork(script, { execArgv: [] })
  const shown: number[] = []
  writer.on('message', (id) => {
    shown.push(Number(id))
    if (shown.length === 25) writer.kill('SIGKILL')
  })
  // Killed, and not by a fault of its own.
  expect(await once(writer, 'exit')).toEqual([null, 'SIGKILL'])
  expect(shown.length).toBeGreaterThanOrEqual(25)
  library = Library.open(folder)
  for (const id of shown) expect(library.clip(id)).toMatchObject({ encoded: true, caption: String(id - 1) })
  // A clip that was being stored is there completely or not at all.
  for (const clip of library.clips({ limit: 1000, offset: 0 }).clips) expect(clip.caption !== null).toBe(clip.encoded)
})

test('tracks, notes and captions of parts belong to the video and are seen in every clip that they reach into; a caption stays in its clip', async () => {
  const [before, clipId, after] = [addClip(0), addClip(1), addClip(2)]
  const note = (startFrame: number, endFrame: number) =>
    library.addAnnotation(clipId, { kind: 'note', text: 'x', span: { startFrame, endFrame } })
  const seen = (clip: number) => library.annotationsSeenWith(clip).flatMap(({ id, body }) => (body.kind === 'caption' ? [] : [id]))
  const [inside, across] = [note(200, 400), note(390, 401)]
  expect([before, clipId, after].map(seen)).toEqual([[], [inside.id, across.id], [across.id]])
  const told = library.addAnnotation(clipId, { kind: 'segment', text: 'y', span: { startFrame: 210, endFrame: 220 } })
  library.review(told.id, 'edit', { kind: 'segment', text: 'y', span: { startFrame: 199, endFrame: 600 } })
  const box = (ordinal: number) => ({ ordinal, pts: ordinal, box: { x1: 0, y1: 0, x2: 9, y2: 9 }, score: null })
  const dog = library.addAnnotation(clipId, { kind: 'track', label: 'dog', boxes: [box(210), box(599)] })
  expect(seen(before)).toEqual([told.id])
  expect(seen(after)).toEqual([across.id, told.id, dog.id])
  expect(library.annotationsSeenWith(after).filter(({ body }) => body.kind === 'track')).toEqual([dog])
  // Every list says the same of it.
  const both = [[], ['dog'], ['dog']]
  expect(library.clips({ limit: 9, offset: 0 }).clips.map(({ labels }) => labels)).toEqual(both)
  expect(library.find.clips([before, clipId, after]).map(({ labels }) => labels)).toEqual(both)
  expect([before, clipId, after].map((id) => library.clip(id).labels)).toEqual(both)
  expect(library.overview.facts().clips.map(({ labels }) => Object.keys(labels))).toEqual(both)
  expect(library.overview.trackLabels()).toEqual([{ word: 'dog', clips: 2, unsure: false }])
  expect((await library.find.ask('facets', null)).labels).toEqual([{ label: 'dog', clips: 2, unsure: false }])
  expect(await library.find.ask('matching', { filters: { labels: ['dog'] }, sought: null })).toEqual([clipId, after])
  // None beyond the video.
  expect(() => note(500, 601)).toThrow('The frames 500 to 600 are not all in this video, which has 600 frames.')
  expect(() => library.addAnnotation(clipId, { kind: 'track', label: 'dog', boxes: [box(210), box(600)] })).toThrow(
    'A track must end with the video.',
  )
  // A longer name than a label may have could not be looked for.
  const long = { kind: 'track' as const, label: 'd'.repeat(61), boxes: [box(210)] }
  expect(() => library.addAnnotation(clipId, long)).toThrow('A name has at most 60 characters.')
  expect(() => library.review(dog.id, 'edit', long)).toThrow('A name has at most 60 characters.')
  expect(() =>
    library.edit([
      {
        action: 'edit',
        annotationId: captionOf(clipId)?.id ?? 0,
        body: { kind: 'caption', text: 'z', span: { startFrame: 0, endFrame: 5 } },
      },
    ]),
  ).toThrow('The caption of a clip is of the whole clip.')
})

test('what is added to a clip reaches into it, and what a person moves out of it lies in the clip that shows it, there and back', async () => {
  const [first, second] = [addClip(0), addClip(1)]
  const box = (ordinal: number) => ({ ordinal, pts: ordinal, box: { x1: 0, y1: 0, x2: 9, y2: 9 }, score: null })
  const dog = (...ordinals: number[]): TrackBody => ({ kind: 'track', label: 'dog', boxes: ordinals.map(box) })
  const told = (startFrame: number, endFrame: number) => ({ kind: 'segment' as const, text: 'y', span: { startFrame, endFrame } })
  const refused = (add: () => void) => {
    try {
      add()
    } catch (error) {
      return error instanceof TubeletError ? error.problem : error
    }
    return null
  }
  expect(refused(() => library.edit([{ action: 'add', clipId: second, body: dog(0) }]))).toMatchObject({
    field: '0.body.boxes.0.ordinal',
    values: { frame: 0, first: 200, last: 399 },
  })
  expect(refused(() => library.addAnnotation(first, dog(210, 220)))).toMatchObject({ field: 'boxes.0.ordinal' })
  expect(refused(() => library.addAnnotation(second, told(10, 20)))).toMatchObject({ field: 'span' })
  expect(refused(() => library.addAnnotation(second, { ...told(10, 20), kind: 'note' }))).toMatchObject({ field: 'span' })

  const where = (id: number) => [first, second].filter((clip) => library.annotations(clip).some((one) => one.id === id))
  const events: number[][] = []
  library.onChange((event) => event.type === 'annotations' && events.push(event.clipIds.toSorted()))
  for (const [mine, edit] of [
    [library.addAnnotation(second, dog(190, 210)), dog(190, 199)],
    [library.addAnnotation(second, told(190, 210)), told(190, 200)],
  ] as const) {
    expect(where(mine.id)).toEqual([second])
    events.length = 0
    expect(library.review(mine.id, 'edit', edit).clipId).toBe(first)
    expect(events).toEqual([[first, second]])
    expect(where(mine.id)).toEqual([first])
    await library.history.undo()
    expect(where(mine.id)).toEqual([second])
    await library.history.redo()
    expect(where(mine.id)).toEqual([first])
  }
  // What the analysis found in a clip stays there.
  const [found] = library.saveMachine(first, 'track', [said(track('car', 0))])
  const away = { ...track('car', 0), boxes: [box(210)] }
  expect(refused(() => library.review(found?.id ?? 0, 'edit', away))).toMatchObject({ field: 'body.boxes.0.ordinal' })
})

test('a marked clip comes and goes as steps of undo, with everything said about it and its encoding, also after a restart', async () => {
  addClip(0)
  const mark = (startFrame: number) =>
    library.markClip(1, {
      index: 9,
      kind: 'marked',
      start: 0,
      end: 1,
      startFrame,
      endFrame: startFrame + 25,
      frames: [{ ordinal: 3, pts: 3 }],
    })
  const { id } = mark(3)
  library.saveClipResult(id, mammut(DIGEST), encoding(5), [{ ordinal: 3, pts: 3 }], { caption: caption('a cat'), seen: null })
  library.review(captionOf(id)?.id ?? 0, 'edit', { kind: 'caption', text: 'my cat' })
  library.addAnnotation(id, { kind: 'note', text: 'keep', span: { startFrame: 4, endFrame: 9 } })
  library.seen.saveMeasured(id, { cut: true, camera: { steps: [], stays: [] }, light: [{ time: 0.1, mean: 7, spread: 2, change: null }] })
  const there = () => ({
    clip: library.clip(id),
    annotations: library.annotations(id),
    encoding: library.encoding(id, DIGEST),
    measured: library.seen.measured(id),
  })
  const before = there()
  const heard: string[] = []
  library.onChange(({ type }) => heard.push(type))
  library.removeClip(id)
  expect(heard).toEqual(expect.arrayContaining(['clips', 'history']))
  expect(() => library.clip(id)).toThrow(TubeletError)
  await reopen()
  expect(english(library.history.next().undo ?? { text: '' })).toBe('Clip removed · clip 10 in v.mp4')
  await library.history.undo()
  expect(there()).toEqual(before)
  await reopen()
  await library.history.redo()
  expect(library.markedClips(1)).toEqual([])
  // Undo everything, then redo everything.
  for (let step = 0; step < 4; step += 1) await library.history.undo()
  expect(library.history.next().undo).toBeNull()
  expect(library.markedClips(1)).toEqual([])
  // An analysis continues meanwhile: its clips must not take the id of the one that may come back.
  const other = addClip(1)
  expect(other).not.toBe(id)
  for (let step = 0; step < 3; step += 1) await library.history.redo()
  expect(there().annotations.map(({ body, state }) => ({ body, state }))).toEqual(
    before.annotations.map(({ body, state }) => ({ body, state })),
  )
  expect(there().encoding).toEqual(before.encoding)
  // After a new step nothing can be redone: undone to before it was marked, the clip is gone for good.
  await library.history.jump(0)
  mark(60)
  expect(library.history.next().redo).toBeNull()
  await library.history.undo()
  expect(library.markedClips(1)).toEqual([])
})

test('what a person made in a marked clip is of the video: it outlives the clip in the clips that it begins in, until undo', async () => {
  const [first, second] = [addClip(0), addClip(1)]
  const { id } = library.markClip(1, { index: 2, kind: 'marked', start: 0, end: 1, startFrame: 150, endFrame: 250, frames: [] })
  library.addAnnotation(id, { kind: 'note', text: 'here', span: { startFrame: 160, endFrame: 161 } })
  library.addAnnotation(id, { kind: 'segment', text: 'a part', span: { startFrame: 210, endFrame: 220 } })
  const box = { x1: 0, y1: 0, x2: 20, y2: 20 }
  library.addAnnotation(id, { kind: 'track', label: 'dog', boxes: [{ ordinal: 170, pts: 170, box, score: null }] })
  library.addAnnotation(id, { kind: 'caption', text: 'of the marked clip' })
  const in_ = (clip: number) => library.annotations(clip).map(({ body }) => body.kind)
  const before = [id, first, second].map((clip) => library.annotations(clip))
  library.removeClip(id)
  const after = [in_(first), in_(second)]
  expect(after).toEqual([expect.arrayContaining(['note', 'track']), expect.arrayContaining(['segment'])])
  expect(after.flat().filter((kind) => kind === 'caption')).toHaveLength(2)
  await reopen()
  await library.history.undo()
  expect([id, first, second].map((clip) => library.annotations(clip))).toEqual(before)
  await library.history.redo()
  expect([in_(first), in_(second)]).toEqual(after)
})

test('a clip of the same span that an analysis made meanwhile gives way when undo brings it back', async () => {
  addClip(0)
  const span = { start: 0, end: 1, startFrame: 3, endFrame: 28, frames: [] }
  const { id } = library.markClip(1, { index: 1, kind: 'marked', ...span })
  library.removeClip(id)
  library.saveClip(1, { index: 1, kind: 'shot', ...span })
  await library.history.undo()
  expect(library.clip(id).kind).toBe('marked')
  await library.history.redo()
  const shot = library.saveClip(1, { index: 1, kind: 'shot', ...span })
  library.saveClipResult(shot, mammut(DIGEST), encoding(1), [], { caption: caption('a fish'), seen: null })
  library.review(captionOf(shot)?.id ?? 0, 'accept')
  // The decision is a step after the removal, so it is undone first.
  await library.history.undo()
  await library.history.undo()
  expect(library.markedClips(1).map((clip) => clip.id)).toEqual([id])
  expect(library.clips({ sourceId: 1, limit: 10, offset: 0 }).total).toBe(2)
})

test('no video and no clip gets the id of one that is gone, after a restart neither; whoever lists clips hears that some went', async () => {
  const clipId = addClip(0)
  const events: unknown[] = []
  library.onChange((event) => events.push(event))
  library.removeSource(1)
  expect(events).toContainEqual({ type: 'clips', sourceId: 1, clipIds: [] })
  await reopen()
  const { source } = library.addSource({ path: '/v/other.mp4', name: 'other.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'other' })
  expect(source.id).toBe(2)
  expect(library.saveClip(2, plan(0))).toBeGreaterThan(clipId)
})

test('a library of before ids were given once only takes none that it can still know of', async () => {
  await library.close()
  rmSync(path.join(folder, 'library.sqlite'))
  const old = openDatabase(folder, 11)
  old.exec(`INSERT INTO sources (id, path, name, bytes, mtime_ms, fingerprint, added_at, state) VALUES (1, '/v/v.mp4', 'v.mp4', 1, 0, 'f', '2026-01-01', 'done');
    INSERT INTO clips (id, source_id, idx, kind, start, "end", start_frame, end_frame, frames) VALUES (3, 1, 0, 'window', 0, 8, 0, 200, '[]');
    INSERT INTO removed (clip_id, source_id, rows) VALUES (4, 1, x'00');
    INSERT INTO picks (clip_ids) VALUES ('[3, 9]')`)
  old.close()
  library = Library.open(folder)
  library.removeSource(1)
  expect(addClip(0)).toBeGreaterThan(9)
  expect(library.sources().map(({ id }) => id)).toEqual([2])
})

test('with a video go its removed clips and all edits on them', () => {
  addClip(0)
  const { id } = library.markClip(1, { index: 1, kind: 'marked', start: 0, end: 1, startFrame: 3, endFrame: 28, frames: [] })
  library.addAnnotation(id, { kind: 'note', text: 'x' })
  library.removeClip(id)
  library.removeSource(1)
  expect(library.history.list(10).steps.map(({ description }) => english(description))).toEqual(['Video removed · v.mp4'])
  library.bin.empty()
  expect(library.history.list(10)).toEqual({ steps: [], total: 0 })
  expect(library.bin.list()).toEqual([])
})

test('a removed video comes back by undo as it was, with its history, after a restart too', async () => {
  const clipId = addClip(0)
  const marked = library.markClip(1, { index: 1, kind: 'marked', start: 0, end: 1, startFrame: 3, endFrame: 28, frames: [] })
  library.addAnnotation(marked.id, { kind: 'note', text: 'x' })
  library.removeClip(marked.id)
  library.saveMachine(clipId, 'track', [said(track('dog', 10))])
  library.review(captionOf(clipId)?.id ?? 0, 'edit', { kind: 'caption', text: 'two dogs' })
  library.addAnnotation(clipId, { kind: 'note', text: 'to be taken back' })
  await library.history.undo()
  library.setFrames(1, new Float64Array([0, 1, 3]))
  library.setSourceState(1, 'done')
  const all = () => ({
    sources: library.sources(),
    clips: library.clips({ limit: 10, offset: 0 }),
    annotations: library.annotations(clipId),
    encoding: library.encoding(clipId, DIGEST),
    frames: library.frames(1),
    steps: library.history.list(10).steps.filter(({ undone }) => !undone),
  })
  const before = all()
  library.removeSource(1)
  expect(library.clips({ limit: 10, offset: 0 }).total).toBe(0)
  expect(library.bin.list()).toMatchObject([{ sourceId: 1, name: 'v.mp4', clips: 1, reviewed: 1 }])
  await reopen()
  await library.history.undo()
  expect(all()).toEqual(before)
  expect(library.bin.list()).toEqual([])
  // Earlier steps are undone next, including the removal of the clip.
  await library.history.undo()
  expect(captionOf(clipId)?.state).toBe('machine')
  await library.history.undo()
  expect(library.markedClips(1).map(({ id }) => id)).toEqual([marked.id])
  for (let step = 0; step < 3; step += 1) await library.history.redo()
  expect(library.sources()).toEqual([])
  // After a restore from the bin, there is no removal to undo any more.
  library.restoreSource(1)
  expect(captionOf(clipId)?.body).toEqual({ kind: 'caption', text: 'two dogs' })
  expect(all().steps).toEqual(before.steps)
})

test('what lies in the bin for thirty days goes for good', async () => {
  addClip(0)
  library.removeSource(1)
  await reopen()
  expect(library.bin.list()).toHaveLength(1)
  await library.close()
  const db = new DatabaseSync(path.join(folder, 'library.sqlite'))
  db.prepare('UPDATE bin SET removed_at = ?').run(new Date(Date.now() - 31 * 86_400_000).toISOString())
  db.close()
  library = Library.open(folder)
  expect(library.bin.list()).toEqual([])
  expect(() => library.restoreSource(1)).toThrow(/not in the bin/)
})

test('of what a clip may have many, each is another one: none takes the place of one before, nor of one that was deleted', async () => {
  const clipId = addClip()
  const span = (startFrame: number) => ({ startFrame, endFrame: startFrame + 40 })
  const bodies: AnnotationBody[] = [
    { kind: 'segment', text: 'the ball rolls', span: span(0) },
    { kind: 'segment', text: 'the ball rests', span: span(50) },
    { kind: 'segment', text: 'the ball rests', span: span(50) },
    { kind: 'note', text: 'look' },
    { kind: 'note', text: 'look again' },
    { kind: 'text', text: 'EXIT', span: span(0), box: { x1: 0, y1: 0, x2: 9, y2: 9 } },
    { kind: 'text', text: 'EXIT 2', span: span(0), box: { x1: 0, y1: 0, x2: 9, y2: 9 } },
    track('dog', 0),
    track('dog', 0),
  ]
  const added = bodies.map((body) => library.addAnnotation(clipId, body))
  expect(new Set(added.map(({ id }) => id)).size).toBe(bodies.length)
  for (const { id } of added) library.review(id, 'reject')
  const again = bodies.map((body) => library.addAnnotation(clipId, body))
  expect(
    library
      .annotations(clipId)
      .filter(({ state }) => state === 'rejected')
      .map(({ id }) => id)
      .sort(),
  ).toEqual(added.map(({ id }) => id).sort())
  await library.history.undo()
  await library.history.redo()
  await reopen()
  expect(again.map(({ id }) => library.annotation(id))).toMatchObject(bodies.map((body) => ({ body, state: 'edited' })))
})

test('a person’s caption and answer are edited, never replaced by an addition', () => {
  const clipId = addClip()
  const mine = library.addAnnotation(clipId, { kind: 'caption', text: 'mine' })
  expect(() => library.addAnnotation(clipId, { kind: 'caption', text: 'another' })).toThrow(/said already/)
  expect(library.annotation(mine.id)).toMatchObject({ state: 'edited', body: { text: 'mine' } })
  const question = 'What moves?'
  library.addAnnotation(clipId, { kind: 'answer', question, text: 'a ball' })
  expect(() => library.edit([{ action: 'add', clipId, body: { kind: 'answer', question: 'what moves', text: 'nothing' } }])).toThrow(
    /answered this question/,
  )
})

test('an edit is refused where a person has made something else meanwhile of what it is based on', () => {
  const clipId = addClip()
  const [person, box] = [
    library.addAnnotation(clipId, { kind: 'note', text: 'first', span: { startFrame: 0, endFrame: 9 } }),
    library.addAnnotation(clipId, track('cat', 10)),
  ]
  for (const [{ id, body }, next, last] of [
    [person, { ...person.body, text: 'second' } as AnnotationBody, { ...person.body, text: 'third' } as AnnotationBody],
    [box, track('dog', 10), track('cat', 30)],
  ] as const) {
    const step = { annotationId: id, basedOn: body }
    library.edit([{ action: 'edit', ...step, body: next }])
    expect(() => library.edit([{ action: 'edit', ...step, body: last }])).toThrow(/changed in another place/)
    for (const action of ['reject', 'accept', 'reset'] as const)
      expect(() => library.edit([{ action, ...step }])).toThrow(/changed in another place/)
    expect(() => library.review(id, 'edit', last, body)).toThrow(/changed in another place/)
    expect(library.annotation(id)).toMatchObject({ body: next, state: 'edited' })
    // The same text is no conflict, and an edit based on the current text may replace it.
    library.edit([{ action: 'edit', ...step, body: next }])
    expect(library.review(id, 'edit', last, next).body).toEqual(last)
  }
  // A newer run's result stays in the machine layer: nothing is lost.
  const mine = captionOf(clipId)
  library.saveMachine(clipId, 'caption', [caption('a newer word')])
  expect(library.review(mine?.id ?? 0, 'edit', { kind: 'caption', text: 'mine' }, mine?.body)).toMatchObject({ body: { text: 'mine' } })
})

test('a caption of a part never takes the place of the clip’s own, however it is said, whoever said that', async () => {
  const clipId = addClip()
  const { startFrame, endFrame } = library.clip(clipId)
  const own = captionOf(clipId)
  const part = { startFrame, endFrame: startFrame + 9 }
  const added = library.addAnnotation(clipId, { kind: 'caption', text: 'a part', span: part })
  expect(added.body).toEqual({ kind: 'segment', text: 'a part', span: part })
  library.edit([{ action: 'add', clipId, body: { kind: 'caption', text: 'the same part', span: part } }])
  expect(captionOf(clipId)).toEqual(own)
  const captionId = own?.id ?? 0
  expect(() => library.review(captionId, 'edit', { kind: 'caption', text: 'a part', span: part })).toThrow(/of the whole clip/)
  expect(captionOf(clipId)).toEqual(own)
  expect(library.clip(clipId)).toMatchObject({ caption: own && 'text' in own.body ? own.body.text : null, captionState: 'machine' })
  // Of all frames it is the clip's own.
  library.addAnnotation(clipId, { kind: 'caption', text: 'all of it', span: { startFrame, endFrame } })
  expect(captionOf(clipId)).toMatchObject({ id: captionId, state: 'edited', body: { kind: 'caption', text: 'all of it' } })
  expect(() => library.addAnnotation(clipId, { kind: 'caption', text: 'another' })).toThrow(/said already/)
  library.addAnnotation(clipId, { kind: 'caption', text: 'a third part', span: part })
  expect(library.annotations(clipId).filter(({ body }) => body.kind === 'segment')).toHaveLength(3)
  await library.history.undo()
  expect(library.annotations(clipId).filter(({ body }) => body.kind === 'segment')).toHaveLength(2)
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'all of it' } })
})

test('decisions about many at once that turn round what a person decided are refused with their number', () => {
  const ids = [addClip(0), addClip(1), addClip(2)].map((clip) => captionOf(clip)?.id ?? 0) as [number, number, number]
  library.review(ids[0], 'reject')
  library.review(ids[1], 'accept')
  const all = (action: 'accept' | 'reject' | 'reset') => () => library.checkDecisions(ids.map((annotationId) => ({ action, annotationId })))
  for (const [action, against] of [
    ['accept', 1],
    ['reject', 1],
    ['reset', 2],
  ] as const) {
    let problem: unknown
    try {
      all(action)()
    } catch (error) {
      problem = error instanceof TubeletError && error.problem
    }
    expect(problem).toMatchObject({ code: 'conflict', values: { against, of: 3 } })
  }
  // A single decision may be reversed.
  library.checkDecisions([{ action: 'accept', annotationId: ids[0] }])
  library.checkDecisions([
    { action: 'reject', annotationId: ids[0] },
    { action: 'reject', annotationId: ids[2] },
  ])
})

import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Line } from '../../app/text-lines.ts'
import type { Spotted } from '../engine/engine.ts'
import { Library } from './library.ts'
import type { MeasuredClip, SeenFrame } from './seen.ts'

const [EYES, READER] = ['e'.repeat(64), 'f'.repeat(64)]

let folder: string
let library: Library
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-seen-'))
  library = Library.open(folder)
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

function addClip(startFrame: number, endFrame: number, file = 'v.mp4'): number {
  const { source } = library.addSource({ path: `/v/${file}`, name: file, bytes: 1, mtimeMs: 0, fingerprint: file })
  return library.saveClip(source.id, {
    index: 0,
    kind: 'window',
    start: startFrame / 25,
    end: endFrame / 25,
    startFrame,
    endFrame,
    frames: [],
  })
}
const spotted = (name: string): Spotted => ({ name, score: 0.75, box: { cx: 0.5, cy: 0.5, w: 0.25, h: 0.125 }, colours: [1, 0, 0] })
const line = (text: string): Line => ({ text, confidence: 0.9, box: { cx: 0.5, cy: 0.5, w: 0.25, h: 0.125 } })
const frames = <T>(from: number, ...seen: (T[] | null)[]): SeenFrame<T>[] =>
  seen.map((some, at) => ({ ordinal: from + at * 10, pts: 1000 + from + at * 10, seen: some }))
/** Measurements at 25 frames a second: a camera step per frame, and a second without movement. */
const measured = (from: number, count: number): Omit<MeasuredClip, 'cut'> => {
  const times = Array.from({ length: count }, (_, at) => (from + at * 10) / 25)
  return {
    camera: {
      steps: times.slice(1).map((to, at) => ({ from: times[at] ?? 0, to, dx: 0.01, dy: 0, zoom: 0, trust: 1 })),
      stays: [{ from: times[0] ?? 0, to: times.at(-1) ?? 0, rests: 0.9 }],
    },
    light: times.map((time, at) => ({ time, mean: 100, spread: 20, change: at === 0 ? null : 1 })),
  }
}

test('what packs saw of a clip and what was measured come back as they were, each under its own name, after a restart', async () => {
  const clipId = addClip(0, 100)
  const [things, lines] = [frames(0, [spotted('car'), spotted('dog')], null, []), frames(0, [line('Straße 7')], null)]
  library.seen.saveFrames(clipId, EYES, things)
  library.seen.saveFrames(clipId, READER, lines)
  library.seen.saveMeasured(clipId, { cut: false, ...measured(0, 3) })
  await library.close()
  library = Library.open(folder)
  expect(library.seen.spotted(clipId, EYES)).toEqual(things)
  expect(library.seen.lines(clipId, READER)).toEqual(lines)
  expect(library.seen.measured(clipId)).toEqual({ cut: false, ...measured(0, 3) })
  expect(library.seen.spotted(clipId, 'another pack')).toBeNull()
  expect(library.seen.measured(clipId + 1)).toBeNull()
  // Another run replaces it; removing a clip removes it, and nothing is stored for a clip that was removed meanwhile.
  library.seen.saveFrames(clipId, EYES, [])
  expect(library.seen.spotted(clipId, EYES)).toEqual([])
  library.removeSource(1)
  library.seen.saveFrames(clipId, EYES, things)
  expect(library.seen.spotted(clipId, EYES)).toBeNull()
})

test('a run that goes on knows every frame that a pack was shown of the source, and of no other', () => {
  const [first, second, other] = [addClip(0, 20), addClip(20, 40), addClip(0, 20, 'other.mp4')]
  library.seen.saveFrames(first, EYES, frames(0, [spotted('car')], null))
  library.seen.saveFrames(second, EYES, frames<Spotted>(20, []))
  library.seen.saveFrames(other, EYES, frames(0, [spotted('dog')]))
  library.seen.saveFrames(first, READER, frames(0, [line('a')]))
  library.seen.saveMeasured(first, { cut: true, ...measured(0, 2) })
  expect(library.seen.ofSource(1, EYES)).toEqual(
    new Map([
      [0, [spotted('car')]],
      [10, null],
      [20, []],
    ]),
  )
  expect(library.seen.ofSource(2, READER)).toEqual(new Map())
})

test('a marked clip is given what was seen in those of its own frames, of every pack, and begins like a shot', () => {
  const [first, second] = [addClip(0, 30), addClip(30, 60)]
  library.seen.saveFrames(first, EYES, frames(0, [spotted('car')], null, [spotted('dog')]))
  library.seen.saveFrames(second, EYES, frames<Spotted>(30, [], [spotted('cat')]))
  library.seen.saveFrames(second, READER, frames(30, [line('late')]))
  library.seen.saveMeasured(first, { cut: true, ...measured(0, 3) })
  library.seen.saveMeasured(second, { cut: false, ...measured(30, 3) })
  const { id } = library.markClip(1, { index: 9, kind: 'marked', start: 0.6, end: 1.6, startFrame: 15, endFrame: 40, frames: [] })
  library.seen.copyTo(id)
  const numbers = (some: readonly { ordinal: number }[] | null) => some?.map(({ ordinal }) => ordinal)
  expect(library.seen.spotted(id, EYES)).toEqual([...frames(20, [spotted('dog')]), ...frames<Spotted>(30, [])])
  expect(numbers(library.seen.lines(id, READER))).toEqual([30])
  expect(library.seen.measured(id)?.cut).toBe(true)
  expect(library.seen.measured(id)?.light.map(({ time }) => time)).toEqual([0.8, 1.2])
  // No step and no rest that begins before the marked span: that would state of the clip what happened before it.
  expect(library.seen.measured(id)?.camera).toMatchObject({ steps: [{ from: 1.2, to: 1.6 }], stays: [] })
  // The overlapped clips keep theirs, and a continued run takes nothing twice.
  expect(numbers(library.seen.spotted(first, EYES))).toEqual([0, 10, 20])
  expect([...library.seen.ofSource(1, EYES).keys()].sort((a, b) => a - b)).toEqual([0, 10, 20, 30, 40])
})

test('a mark that begins where nothing changed knows what stood there', () => {
  const clip = addClip(0, 100)
  library.seen.saveFrames(clip, EYES, frames(0, [spotted('car')], null, null, null))
  const { id } = library.markClip(1, { index: 9, kind: 'marked', start: 0.6, end: 1.6, startFrame: 15, endFrame: 40, frames: [] })
  library.seen.copyTo(id)
  const [begin] = library.seen.spotted(id, EYES) ?? []
  expect(begin).toEqual({ ordinal: 20, pts: 1020, seen: [spotted('car')] })
})

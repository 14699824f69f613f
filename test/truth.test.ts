/** The parts of the scores, on cases worked out by hand. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { countIn, isRight, judgeBoxes, judgeCounts, namesIn, type Question, readTruth, timeIn, type TrueBox } from './truth.ts'

const CLASSES = ['person', 'car', 'bird', 'cat', 'dog', 'bottle', 'cup', 'orange', 'dining table', 'cow', 'horse']
const box = (x: number, y: number, side = 10) => ({ x1: x, y1: y, x2: x + side, y2: y + side })
const there = (label: string, at: ReturnType<typeof box>, ignore = false): TrueBox => ({ label, box: at, ignore })

test('a box is right once, wrong where its thing is taken or absent, and dropped where it may be ignored', () => {
  const truth = [there('dog', box(0, 0)), there('dog', box(50, 50), true), there('other:kettle', box(80, 0)), there('cat', box(20, 20))]
  const { right, missed, wrong } = judgeBoxes(truth, [
    { label: 'dog', score: 0.6, box: box(1, 0) },
    { label: 'dog', score: 0.9, box: box(0, 0) },
    { label: 'dog', score: 0.5, box: box(55, 50) },
    { label: 'cat', score: 0.5, box: box(0, 0) },
  ])
  expect(right).toEqual([{ label: 'dog', score: 0.9, box: box(0, 0) }])
  expect(missed.map(({ label }) => label)).toEqual(['cat'])
  expect(wrong.map(({ label, score }) => `${label} ${score}`)).toEqual(['dog 0.6', 'cat 0.5'])
})

test('counts are of names of which there are two, without what may be ignored', () => {
  const truth = [there('car', box(0, 0)), there('car', box(30, 0)), there('car', box(60, 0, 40), true), there('dog', box(0, 50))]
  const said = [box(0, 0), box(31, 0), box(62, 5)].map((at) => ({ label: 'car', score: 0.5, box: at }))
  expect(judgeCounts(truth, said)).toEqual([{ label: 'car', there: 2, said: 2 }])
})

test('answers are judged by what their kind asks for', () => {
  const question = (kind: Question['kind'], answer: string | number, accept: string[] = [], tolerance = 0): Question => ({
    question: '',
    kind,
    answer,
    accept,
    tolerance,
  })
  expect(isRight(question('count_max', '2', ['two', '2']), 'Two cars')).toBe(true)
  expect(isRight(question('count_max', '2', ['two', '2']), 'One car at 2.0 s')).toBe(false)
  expect(isRight(question('presence', 'no'), 'No dog was seen.')).toBe(true)
  expect(isRight(question('presence', 'no'), 'Nobody knows')).toBe(false)
  expect(isRight(question('colour', 'silver', ['grey']), 'gray')).toBe(true)
  expect(isRight(question('colour', 'silver', ['grey']), 'blue and grey')).toBe(false)
  expect(isRight(question('direction', 'down', ['downwards', 'to the bottom']), 'It moves down.')).toBe(true)
  expect(isRight(question('direction', 'left'), 'to the right, then to the left')).toBe(false)
  expect(isRight(question('time', 4.4, [], 0.5), 'At 4.1 s')).toBe(true)
  expect(isRight(question('time', 64.5, [], 0.5), '1:04.2')).toBe(true)
  expect(isRight(question('time', 2, [], 0.5), 'Two dogs')).toBe(false)
  expect(isRight(question('text', 'SAM'), '“Sam” and “99”')).toBe(true)
  expect([countIn('none'), countIn('a dog'), countIn('many')]).toEqual([0, 1, null])
  expect(timeIn('from 1.5 seconds on')).toBe(1.5)
})

test('a text names what it says is there', () => {
  const names = (text: string) => [...namesIn(text, CLASSES)].sort()
  expect(names('Two people and an orange cup; 0 dogs, no cats; text “STOP CAR”')).toEqual(['cup', 'person'])
  expect(names('an orange on a table')).toEqual(['dining table', 'orange'])
  expect(names('a squirrel-like creature')).toEqual([])
})

test('truth is read from the files beside the clips that are there', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-truth-'))
  const write = (name: string, value: unknown) => writeFileSync(path.join(folder, name), JSON.stringify(value))
  write('a.mp4', '')
  write('b.mp4', '')
  write('tracks.json', {
    'a.mp4': {
      range: [0, 10],
      tracks: [
        {
          id: 1,
          label: 'dog',
          gaps: [[4, 6]],
          keys: [
            { frame: 0, xywh: [0, 0, 10, 10] },
            { frame: 10, xywh: [10, 0, 10, 10] },
          ],
        },
      ],
    },
    'gone.mp4': { range: [0, 1], tracks: [] },
  })
  write('ground_truth.json', { 'a.mp4': { description: 'A dog', counts: '1 dog' }, 'b.mp4': { repo: 'x' } })
  try {
    const [clip, ...others] = readTruth(folder)
    expect(others).toEqual([])
    expect(clip).toMatchObject({ name: 'a.mp4', told: 'A dog. 1 dog', range: [0, 10], questions: [], frames: [] })
    expect([2, 5].map((frame) => clip?.tracks[0]?.at(frame))).toEqual([{ x1: 2, y1: 0, x2: 12, y2: 10 }, null])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

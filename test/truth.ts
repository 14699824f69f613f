/**
 * The ground truth of a folder of clips, from the files beside them, and how results are compared with it: boxes by the rules of
 * score_boxes.py, answers by lists of accepted ones.
 *
 * boxes.json has boxes on some frames of a clip, tracks.json key boxes of objects, questions.json questions with their answers,
 * ground_truth.json sentences. Frames are 0-based ordinals, boxes [x, y, width, height] in pixels of the display-oriented frame.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Box } from '../app/annotation.ts'
import { boxArea, iou } from '../app/boxes.ts'
import { interpolate } from '../app/tracks.ts'
import { classesOf, colourOfWord, numberName } from '../app/words.ts'

type Xywh = [number, number, number, number]

export interface TrueBox {
  label: string
  box: Box
  /** Objects that count neither as missed nor as false: too small, too much covered, one of a crowd. */
  ignore: boolean
}

interface TrueTrack {
  id: number
  label: string
  /** Where it is on a frame; null where it is not there. */
  at: (frame: number) => Box | null
  /** First and last frame. */
  range: [number, number]
  /** It leaves the picture and comes back. */
  gaps: boolean
}

type QuestionKind = 'count_max' | 'presence' | 'colour' | 'direction' | 'time' | 'camera' | 'text'

export interface Question {
  question: string
  answer: string | number
  kind: QuestionKind
  accept: string[]
  /** For a time: in seconds. */
  tolerance: number
}

export interface TrueClip {
  name: string
  frames: { frame: number; boxes: TrueBox[] }[]
  tracks: TrueTrack[]
  /** Frames that the tracks cover, both ends included, and regions in which nothing counts as false. */
  range: [number, number]
  ignored: { label: string; box: Box; frames: [number, number] }[]
  questions: Question[]
  /** Its description in words; null where there is none. */
  told: string | null
}

interface Files {
  boxes: Record<string, { frames: { frame: number; boxes: { label: string; xywh: Xywh; ignore: boolean }[] }[] }>
  tracks: Record<
    string,
    {
      range: [number, number]
      tracks: { id: number; label: string; keys: { frame: number; xywh: Xywh }[]; gaps?: [number, number][] }[]
      ignore?: { label: string; xywh: Xywh; frames: [number, number] }[]
    }
  >
  questions: Record<string, { q: string; a: string | number; kind: QuestionKind; accept?: string[]; tolerance_s?: number }[]>
  ground_truth: Record<string, { description?: string; objects?: string; motion?: string; counts?: string }>
}

const boxOf = ([x, y, w, h]: Xywh): Box => ({ x1: x, y1: y, x2: x + w, y2: y + h })

/** Every clip of a folder with any ground truth. */
export function readTruth(folder: string): TrueClip[] {
  const read = <K extends keyof Files>(name: K): Files[K] =>
    existsSync(path.join(folder, `${name}.json`)) ? (JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')) as Files[K]) : {}
  const [boxes, tracks, questions, words] = [read('boxes'), read('tracks'), read('questions'), read('ground_truth')]
  // For some clips ground_truth.json has only the origin.
  const described = Object.keys(words).filter((name) => words[name]?.description !== undefined)
  const names = new Set([...Object.keys(boxes), ...Object.keys(tracks), ...Object.keys(questions), ...described])
  return [...names]
    .filter((name) => existsSync(path.join(folder, name)))
    .sort()
    .map((name) => {
      const { description, objects, motion, counts } = words[name] ?? {}
      return {
        name,
        frames: (boxes[name]?.frames ?? []).map(({ frame, boxes: on }) => ({
          frame,
          boxes: on.map(({ label, xywh, ignore }) => ({ label, ignore, box: boxOf(xywh) })),
        })),
        tracks: (tracks[name]?.tracks ?? []).map(({ id, label, keys, gaps = [] }): TrueTrack => {
          const body = { boxes: keys.map(({ frame, xywh }) => ({ ordinal: frame, pts: frame, box: boxOf(xywh), score: null })) }
          return {
            id,
            label,
            gaps: gaps.length > 0,
            range: [keys[0]?.frame ?? 0, keys.at(-1)?.frame ?? 0],
            at: (frame) => (gaps.some(([first, last]) => frame >= first && frame <= last) ? null : interpolate(body, frame)),
          }
        }),
        range: tracks[name]?.range ?? [0, -1],
        ignored: (tracks[name]?.ignore ?? []).map(({ label, xywh, frames }) => ({ label, frames, box: boxOf(xywh) })),
        questions: (questions[name] ?? []).map(({ q, a, kind, accept = [], tolerance_s = 0 }) => ({
          question: q,
          answer: a,
          kind,
          accept,
          tolerance: tolerance_s,
        })),
        told: description === undefined ? null : [description, objects, motion, counts].filter((text) => text !== undefined).join('. '),
      }
    })
}

/** Names that the detector knows; `other:` marks those that it does not know, which do not count. */
export const isName = (label: string) => !label.startsWith('other:')

// ── boxes

export interface SaidBox {
  label: string
  score: number
  box: Box
}

export interface BoxVerdict {
  right: SaidBox[]
  missed: TrueBox[]
  wrong: SaidBox[]
}

/**
 * One frame, by the rules of score_boxes.py: best score first, a box is right if it has an IoU of 0.5 with a true one of its name that is not matched
 * yet. Any other is dropped if an ignored box of its name covers half of it or has that IoU with it; else it is wrong.
 */
export function judgeBoxes(truth: readonly TrueBox[], said: readonly SaidBox[]): BoxVerdict {
  const open = truth.filter(({ label, ignore }) => !ignore && isName(label))
  const [right, wrong]: [SaidBox[], SaidBox[]] = [[], []]
  for (const one of said.toSorted((a, b) => b.score - a.score)) {
    const best = open.filter(({ label }) => label === one.label).sort((a, b) => iou(b.box, one.box) - iou(a.box, one.box))[0]
    if (best && iou(best.box, one.box) >= 0.5) {
      right.push(one)
      open.splice(open.indexOf(best), 1)
    } else if (!isIgnored(truth, one)) wrong.push(one)
  }
  return { right, missed: open, wrong }
}

function isIgnored(truth: readonly TrueBox[], { label, box }: SaidBox): boolean {
  return truth.some((zone) => zone.ignore && zone.label === label && (shareInside(box, zone.box) >= 0.5 || iou(box, zone.box) >= 0.5))
}

function shareInside(box: Box, other: Box): number {
  return (
    boxArea({
      x1: Math.max(box.x1, other.x1),
      y1: Math.max(box.y1, other.y1),
      x2: Math.min(box.x2, other.x2),
      y2: Math.min(box.y2, other.y2),
    }) / (boxArea(box) || 1)
  )
}

/** For each name with two or more boxes on a frame: the true and the predicted count, without those that may be ignored. */
export function judgeCounts(truth: readonly TrueBox[], said: readonly SaidBox[]): { label: string; there: number; said: number }[] {
  const counted = truth.filter(({ label, ignore }) => !ignore && isName(label))
  return [...Map.groupBy(counted, ({ label }) => label)].flatMap(([label, of]) => {
    if (of.length < 2) return []
    const own = said.filter((one) => one.label === label && (of.some(({ box }) => iou(box, one.box) >= 0.5) || !isIgnored(truth, one)))
    return [{ label, there: of.length, said: own.length }]
  })
}

// ── answers

/** Whether an answer is right: by the first number, yes or no, colour, direction or time in it, depending on its kind; else by an accepted phrase. */
export function isRight({ kind, answer, accept, tolerance }: Question, said: string): boolean {
  const accepted = [...accept, String(answer)]
  switch (kind) {
    case 'count_max': {
      const count = countIn(said)
      return count !== null && accepted.some((one) => countIn(one) === count)
    }
    case 'presence':
    case 'camera':
      return yesOrNo(said) === yesOrNo(String(answer))
    case 'colour': {
      const [colour] = wordsOf(said).flatMap((word) => colourOfWord(word) ?? [])
      return colour !== undefined && accepted.flatMap(wordsOf).some((word) => colourOfWord(word) === colour)
    }
    case 'direction': {
      const [way] = waysIn(said)
      return way !== undefined && waysIn(accepted.join(' ')).includes(way)
    }
    case 'time': {
      const time = timeIn(said)
      return time !== null && Math.abs(time - Number(answer)) <= tolerance
    }
    case 'text':
      return accepted.some((one) => said.toLowerCase().includes(one.toLowerCase()))
  }
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}-]+/gu) ?? []

/** The first number, in digits or in words up to twelve. */
export function countIn(text: string): number | null {
  for (const word of wordsOf(text)) {
    if (/^\d+$/.test(word)) return Number(word)
    if (word === 'none' || word === 'nothing') return 0
    const named = Array.from({ length: 13 }, (_, count) => numberName(count, 'en')).indexOf(word === 'a' || word === 'an' ? 'one' : word)
    if (named !== -1) return named
  }
  return null
}

export function yesOrNo(text: string): 'yes' | 'no' | null {
  const [first] = wordsOf(text)
  return first === 'yes' || first === 'no' ? first : null
}

const WAYS: Readonly<Record<string, string>> = {
  left: 'left',
  right: 'right',
  up: 'up',
  upward: 'up',
  upwards: 'up',
  top: 'up',
  down: 'down',
  downward: 'down',
  downwards: 'down',
  bottom: 'down',
}
const waysIn = (text: string): string[] => wordsOf(text).flatMap((word) => WAYS[word] ?? [])

/** The first time, in seconds: "4.4 s", "at 4.4 seconds", "1:04.5". */
export function timeIn(text: string): number | null {
  const clock = /\b(\d+):(\d\d(?:\.\d+)?)\b/.exec(text)
  if (clock) return Number(clock[1]) * 60 + Number(clock[2])
  const seconds = /(\d+(?:\.\d+)?)\s*s(?:ec\w*)?\b/.exec(text)
  return seconds ? Number(seconds[1]) : null
}

// ── nouns

/** The names of a detector's list that a text mentions, except in quotes and except those that it says are absent. */
export function namesIn(text: string, classes: readonly string[]): Set<string> {
  const found = new Set<string>()
  for (const phrase of text
    .replaceAll(/[“"][^”"]*[”"]/g, ' ')
    .replaceAll(/\b(0|no|without)\s+[\p{L}]+/giu, ' ')
    .split(/[.,;:()/]/)) {
    const words = phrase.match(/[\p{L}\p{N}'’-]+/gu) ?? []
    for (let at = 0; at < words.length; at += 1) {
      const length = [3, 2, 1].find((n) => at + n <= words.length && meaningOf(words.slice(at, at + n).join(' '), classes).length > 0) ?? 0
      // "an orange cup" has no orange in it.
      if (length === 0 || (length === 1 && colourOfWord(words[at] ?? '') !== null && meaningOf(words[at + 1] ?? '', classes).length > 0))
        continue
      for (const name of meaningOf(words.slice(at, at + length).join(' '), classes)) found.add(name)
      at += length - 1
    }
  }
  return found
}

/** Words for several names ("creature") mention none of them. */
function meaningOf(word: string, classes: readonly string[]): string[] {
  const meaning = classesOf(word, classes, 'en')
  return meaning === null || (meaning.narrower && meaning.classes.length > 1) ? [] : meaning.classes
}

/**
 * Numbered pictures, such as img_0001.jpg, img_0002.jpg …: one video, stored as pictures. Its path is their folder with a pattern as ffmpeg
 * and others write it: `img_%04d.jpg` for numbers padded with zeros to four digits, `img_%d.jpg` for plain numbers. If numbers are missing,
 * each part can be a video: `img_%04d.jpg[1-250]` is the one of numbers 1 to 250.
 */
import { z } from 'zod'
import { Rational } from './media.ts'

/** Still pictures that ffmpeg reads one by one. */
const PICTURES = /\.(?:jpe?g|png|bmp|tiff?|webp|tga|dpx|exr|p[bgpn]m|jp2|j2k)$/i
/** Fewer are pictures that merely happen to be numbered. */
const LEAST = 3
/** A number with more digits is not exact in JavaScript. */
const MOST_DIGITS = 15

/** First and last number, and the distance between numbers: 1, 2, 3 and 5 are [1, 3, 1], [5, 5, 1]. */
const Run = z.tuple([z.number().int().min(0), z.number().int().min(0), z.number().int().min(1)])
type Run = z.infer<typeof Run>

/** What is stored about numbered pictures beside their path. */
export const NumberedVideo = z.object({
  /** Pictures per second, as given by a person: the pictures do not say. */
  frameRate: Rational,
  /** The numbers that exist, ascending: the nth is frame n. */
  runs: z.array(Run),
})
export type NumberedVideo = z.infer<typeof NumberedVideo>

/** Numbered pictures of one folder. */
export interface Numbered {
  /** The name with the pattern in it. */
  pattern: string
  runs: Run[]
  count: number
  /** Names of the first and the last one. */
  first: string
  last: string
  /** How many numbers are missing between the first and the last, at the usual distance. */
  missing: number
}

interface Pattern {
  before: string
  /** Least number of digits; 0 where numbers are not filled with zeros. */
  digits: number
  after: string
  /** The range of numbers that is meant, both ends included; null for all. */
  only: readonly [number, number] | null
}

export function isPicture(name: string): boolean {
  return PICTURES.test(name)
}

/**
 * Null where it is no pattern of pictures.
 * @param name With or without folders before it.
 */
export function patternOf(name: string): Pattern | null {
  const file = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1)
  const [, before, digits, after, from, to] = /^(.*)%(?:0(\d{1,2}))?d(.*?)(?:\[(\d{1,15})-(\d{1,15})\])?$/.exec(file) ?? []
  if (before === undefined || after === undefined || !isPicture(after)) return null
  return { before, digits: Number(digits ?? 0), after, only: from === undefined ? null : [Number(from), Number(to)] }
}

/** The pattern as people write it: `img_####.jpg`, or `img_####.jpg [1-250]`. */
export function titleOfPattern(name: string): string {
  const pattern = patternOf(name)
  if (pattern === null) return name
  const { before, digits, after, only } = pattern
  return `${before}${'#'.repeat(Math.max(1, digits))}${after}${only === null ? '' : ` [${only.join('-')}]`}`
}

/** A run of missing numbers. */
export type Gap = [first: number, last: number]

/** The numbers missing between runs of numbered pictures, at the usual distance. */
export function gapsOf(runs: readonly Run[]): Gap[] {
  return runs.flatMap(([next, , step], at): Gap[] => {
    const [, last] = runs[at - 1] ?? [0, next]
    return missingBetween(last, next, step) > 0 ? [[last + step, Math.max(last + step, next - step)]] : []
  })
}

/**
 * Gaps as people write them: `11, 15–20`.
 * @param most The most gaps listed; a sign marks that more were left out.
 */
export function gapsText(gaps: readonly Gap[], most = 8): string {
  const named = gaps.slice(0, most).map(([first, last]) => (first === last ? String(first) : `${first}–${last}`))
  return [...named, ...(gaps.length > most ? ['…'] : [])].join(', ')
}

/** The parts between gaps, each as numbered pictures of its own; if nothing is missing, the given ones. */
export function partsOf(whole: Numbered): Numbered[] {
  const pattern = patternOf(whole.pattern)
  if (pattern === null || whole.missing === 0) return [whole]
  const parts: Run[][] = []
  for (const run of whole.runs) {
    const part = parts.at(-1)
    const before = part?.at(-1)
    if (part && before && missingBetween(before[1], run[0], run[2]) === 0) part.push(run)
    else parts.push([run])
  }
  return parts.map((runs) => numbered({ ...pattern, only: [runs[0]?.[0] ?? 0, runs.at(-1)?.[1] ?? 0] }, numbersOf(runs)))
}

function missingBetween(last: number, next: number, step: number): number {
  return Math.max(0, Math.round((next - last) / step) - 1)
}

function numbersOf(runs: readonly Run[]): number[] {
  return runs.flatMap(([first, last, step]) => Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step))
}

/** The sets of numbered pictures among the names of a folder. Other names, and sets too small, are left out. */
export function numberedAmong(names: readonly string[]): Numbered[] {
  const groups = new Map<string, { before: string; after: string; digits: string[] }>()
  for (const name of names) {
    const [, before, digits, after] = isPicture(name) ? (/^(.*?)(\d+)(\D*\.\w+)$/.exec(name) ?? []) : []
    if (before === undefined || digits === undefined || after === undefined || digits.length > MOST_DIGITS || /[\r\n]/.test(name)) continue
    const key = JSON.stringify([before, after])
    const group = groups.get(key) ?? { before, after, digits: [] }
    group.digits.push(digits)
    groups.set(key, group)
  }
  return [...groups.values()].flatMap(({ before, after, digits }) =>
    byWidth(digits).flatMap(([width, numbers]) =>
      numbers.length < LEAST ? [] : [numbered({ before, digits: width, after, only: null }, numbers)],
    ),
  )
}

/** The pictures of a pattern among the names of a folder, ascending by number; null where there are none. */
export function picturesOf(pattern: string, names: readonly string[]): Numbered | null {
  const wanted = patternOf(pattern)
  if (wanted === null) return null
  const digits = names.flatMap((name) => {
    const [, found] =
      (name.startsWith(wanted.before) &&
        name.endsWith(wanted.after) &&
        /^(\d+)$/.exec(name.slice(wanted.before.length, name.length - wanted.after.length))) ||
      []
    return found === undefined || found.length > MOST_DIGITS ? [] : [found]
  })
  const [from, to] = wanted.only ?? [0, Infinity]
  const numbers = (byWidth(digits).find(([width]) => width === wanted.digits)?.[1] ?? []).filter((one) => from <= one && one <= to)
  return numbers.length === 0 ? null : numbered(wanted, numbers)
}

/** Their names, in order. */
export function namesOf(pattern: string, runs: readonly Run[]): string[] {
  const parts = patternOf(pattern)
  return parts === null ? [] : numbersOf(runs).map((number) => nameOf(parts, number))
}

/** The exact fraction for a rate as people say it: 29.97 is 30000/1001. */
export function rateOf(perSecond: number): Rational {
  const whole = Math.round(perSecond * 1.001)
  if (!Number.isInteger(perSecond) && Math.abs(perSecond - whole / 1.001) < 0.006) return { num: whole * 1000, den: 1001 }
  const [num, den] = perSecond >= 1 ? [Math.round(perSecond * 1000), 1000] : [1_000_000, Math.round(1_000_000 / perSecond)]
  const common = divisor(num, den)
  return { num: num / common, den: den / common }
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b)
}

/** Groups numbers by the width to which they are padded with zeros; 0 for those that are not padded. */
function byWidth(all: readonly string[]): [width: number, numbers: number[]][] {
  const filled = [...new Set(all.filter((one) => one.length > 1 && one.startsWith('0')).map(({ length }) => length))].sort((a, b) => a - b)
  // Numbers too long for their padding continue the widest padded ones; shorter ones were never padded.
  const widthOf = (one: string) =>
    filled.findLast((width) => (one.startsWith('0') && one.length > 1 ? one.length === width : one.length >= width)) ?? 0
  return [...Map.groupBy(all, widthOf)].map(([width, some]) => [width, [...new Set(some.map(Number))].sort((a, b) => a - b)])
}

function numbered(pattern: Pattern, numbers: readonly number[]): Numbered {
  const steps = numbers.slice(1).map((number, i) => number - (numbers[i] ?? 0))
  const usual = [...steps].sort((a, b) => a - b)[steps.length >> 1] ?? 1
  const runs: Run[] = []
  for (const number of numbers) {
    const run = runs.at(-1)
    if (run !== undefined && number === run[1] + usual) run[1] = number
    else runs.push([number, number, usual])
  }
  const [first = 0, last = 0] = [numbers[0], numbers.at(-1)]
  return {
    pattern: `${pattern.before}%${pattern.digits === 0 ? '' : `0${pattern.digits}`}d${pattern.after}${pattern.only ? `[${pattern.only.join('-')}]` : ''}`,
    runs,
    count: numbers.length,
    first: nameOf(pattern, first),
    last: nameOf(pattern, last),
    missing: Math.max(0, Math.round((last - first) / usual) + 1 - numbers.length),
  }
}

function nameOf({ before, digits, after }: Omit<Pattern, 'only'>, number: number): string {
  return `${before}${String(number).padStart(digits, '0')}${after}`
}

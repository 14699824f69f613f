/**
 * The table's columns in memory and queries on them: which rows a filter finds, in what order, in which groups. A column consists of arrays
 * over all rows, with each distinct text kept once, so that a hundred thousand rows are filtered by looking at each text once and sorted by
 * numbers. Pure: the caller fills the arrays.
 */
import { reviewOf } from '../review.ts'
import { CELL_STATES, type CellState, type ColumnKey, type Filter, type Group, type TableQuery } from '../contract/table.ts'

export class Cells {
  /** Distinct texts; a row's `codes` points into them. */
  readonly words: string[] = []
  /** By row: index of its text in `words`, -1 where there is none. A rejected cell has none: its value is not known. */
  codes = new Int32Array(0)
  /** By row: the number by which numeric columns are sorted and compared; NaN where there is none. */
  numbers = new Float64Array(0)
  /** By row: calibrated probability; NaN where there is none. */
  confidences = new Float32Array(0)
  /** By row: index in CELL_STATES. */
  states = new Uint8Array(0)
  readonly #places = new Map<string, number>()
  /** Indices of words in sorted order, as of the last sort. */
  #sorted: number[] = []
  #ranks = new Int32Array(0)

  /** Room for `rows` rows; new ones are empty. */
  resize(rows: number): void {
    if (rows <= this.codes.length) return
    const from = this.codes.length
    const [codes, numbers, confidences, states] = [
      new Int32Array(rows).fill(-1, from),
      new Float64Array(rows).fill(NaN, from),
      new Float32Array(rows).fill(NaN, from),
      new Uint8Array(rows),
    ]
    codes.set(this.codes)
    numbers.set(this.numbers)
    confidences.set(this.confidences)
    states.set(this.states)
    Object.assign(this, { codes, numbers, confidences, states })
  }

  set(row: number, text: string | null, state: CellState, confidence: number | null, number: number | null = null): void {
    const known = state !== 'rejected' && text !== null && text !== ''
    this.codes[row] = known ? this.#codeOf(text) : -1
    this.numbers[row] = known && number !== null ? number : NaN
    this.confidences[row] = confidence ?? NaN
    this.states[row] = CELL_STATES.indexOf(state)
  }

  /** Empty the rows from `from` to before `to`. */
  clear(from: number, to = from + 1): void {
    this.codes.fill(-1, from, to)
    this.numbers.fill(NaN, from, to)
    this.confidences.fill(NaN, from, to)
    this.states.fill(CELL_STATES.indexOf('empty'), from, to)
  }

  textAt(row: number): string | null {
    return this.words[this.codes[row] ?? -1] ?? null
  }

  stateAt(row: number): CellState {
    return CELL_STATES[this.states[row] ?? 0] ?? 'empty'
  }

  #codeOf(text: string): number {
    const known = this.#places.get(text)
    if (known !== undefined) return known
    this.#places.set(text, this.words.length)
    return this.words.push(text) - 1
  }

  /** Whether `ranks` has nothing to sort. */
  get ranked(): boolean {
    return this.#sorted.length === this.words.length
  }

  /** By word: its rank in the order in which people sort: ignoring case, "clip 2" before "clip 10". */
  ranks(): Int32Array {
    if (this.ranked) return this.#ranks
    // Sorting what is already in order costs almost nothing: one more word does not mean sorting a hundred thousand again.
    const fresh = Array.from({ length: this.words.length - this.#sorted.length }, (_, at) => this.#sorted.length + at)
    const compare = (a: number, b: number) => compareTexts(this.words[a] ?? '', this.words[b] ?? '')
    this.#sorted = [...this.#sorted, ...fresh.sort(compare)].sort(compare)
    this.#ranks = new Int32Array(this.words.length)
    for (const [rank, code] of this.#sorted.entries()) this.#ranks[code] = rank
    return this.#ranks
  }
}

/** Created once: a comparison that creates its own is a hundred times slower. */
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })
const YES_NO = ['yes', 'no', 'unsure']

function compareTexts(a: string, b: string): number {
  const [yesA, yesB] = [YES_NO.indexOf(a), YES_NO.indexOf(b)]
  return yesA !== -1 && yesB !== -1 ? yesA - yesB : collator.compare(a, b) || (a < b ? -1 : 1)
}

export type CellsOf = (key: ColumnKey) => Cells
export interface Arranged {
  /** Rows that pass all filters, in display order. */
  order: Int32Array
  groups: Group[] | null
}

/** More groups than people look through; the rest form one group. */
const MOST_GROUPS = 1_000

/** @param natural All rows, in their order without sorting. */
export function arrange(natural: Int32Array, query: Pick<TableQuery, 'sort' | 'filters' | 'group'>, cellsOf: CellsOf): Arranged {
  let order = natural
  for (const filter of query.filters) order = order.filter(finder(filter, cellsOf(filter.key)))
  // The last key first, with stable sorts: in the end the first key decides.
  for (const { key, by, down } of query.sort.toReversed()) order = sorted(order, keysOf(cellsOf(key), by, down))
  return query.group === null ? { order, groups: null } : grouped(order, cellsOf(query.group))
}

function finder(filter: Filter, cells: Cells): (row: number) => boolean {
  const { codes, numbers, confidences, states } = cells
  /** Each distinct text is looked at once. */
  const texts = (found: (word: string) => boolean) => {
    const hits = Uint8Array.from(cells.words, (word) => Number(found(word.toLowerCase())))
    return (row: number) => hits[codes[row] ?? -1] === 1
  }
  switch (filter.op) {
    case 'contains': {
      const wanted = filter.text.toLowerCase()
      return texts((word) => word.includes(wanted))
    }
    case 'is': {
      const wanted = new Set(filter.texts.map((text) => text.toLowerCase()))
      return texts((word) => wanted.has(word))
    }
    case 'empty':
      return (row) => codes[row] === -1
    case 'filled':
      return (row) => codes[row] !== -1
    case 'state': {
      const wanted = new Set(filter.states.map((state) => CELL_STATES.indexOf(state)))
      return (row) => wanted.has(states[row] ?? 0)
    }
    // NaN is neither at least nor at most a value.
    case 'atLeast':
      return (row) => (numbers[row] ?? NaN) >= filter.value
    case 'atMost':
      return (row) => (numbers[row] ?? NaN) <= filter.value
    case 'surerThan':
      return (row) => (confidences[row] ?? NaN) >= filter.value
    case 'lessSureThan':
      return (row) => (confidences[row] ?? NaN) < filter.value
  }
}

/** By row: the key to sort by, ascending. Cells without a value come last in both directions. */
function keysOf(cells: Cells, by: 'value' | 'confidence', down: boolean): Float64Array {
  const { codes, numbers, confidences } = cells
  const sign = down ? -1 : 1
  const numeric = by === 'confidence' || codes.every((code, row) => code === -1 || !Number.isNaN(numbers[row]))
  const ranks = numeric ? null : cells.ranks()
  return Float64Array.from(codes, (code, row) => {
    const number = (by === 'confidence' ? confidences : numbers)[row] ?? NaN
    const key = Number.isNaN(number) ? (ranks?.[code] ?? NaN) : number
    return Number.isNaN(key) ? Infinity : sign * key
  })
}

/**
 * `order` sorted by ascending keys; stable. Sorting the keys as numbers and counting places takes a fraction of the time of comparing rows.
 */
function sorted(order: Int32Array, keys: Float64Array): Int32Array {
  const own = Float64Array.from(order, (row) => keys[row] ?? Infinity)
  const ascending = own.toSorted()
  const distinct = ascending.filter((key, at) => at === 0 || key !== ascending[at - 1])
  const places = Int32Array.from(own, (key) => placeOf(distinct, key))
  const starts = new Int32Array(distinct.length + 1)
  for (const place of places) starts[place + 1] = (starts[place + 1] ?? 0) + 1
  for (let place = 1; place < starts.length; place += 1) starts[place] = (starts[place] ?? 0) + (starts[place - 1] ?? 0)
  const arranged = new Int32Array(order.length)
  for (const [at, row] of order.entries()) {
    const place = places[at] ?? 0
    const start = starts[place] ?? 0
    arranged[start] = row
    starts[place] = start + 1
  }
  return arranged
}

/** Index of a key in an ascending list that contains it. */
function placeOf(ascending: Float64Array, key: number): number {
  let [from, to] = [0, ascending.length - 1]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((ascending[middle] ?? 0) < key) from = middle + 1
    else to = middle
  }
  return from
}

/** Largest group first, rows without a value last; within a group the order stays. */
function grouped(order: Int32Array, cells: Cells): Arranged {
  const { codes } = cells
  const counts = new Int32Array(cells.words.length + 1)
  for (const row of order) counts[(codes[row] ?? -1) + 1] = (counts[(codes[row] ?? -1) + 1] ?? 0) + 1
  const ranks = cells.ranks()
  const present = Array.from(cells.words.keys())
    .filter((code) => (counts[code + 1] ?? 0) > 0)
    .sort((a, b) => (counts[b + 1] ?? 0) - (counts[a + 1] ?? 0) || (ranks[a] ?? 0) - (ranks[b] ?? 0))
  // By code + 1: the group of its rows.
  const places = new Int32Array(cells.words.length + 1)
  const groups: Group[] = present
    .slice(0, MOST_GROUPS)
    .map((code) => ({ text: cells.words[code] ?? '', others: false, start: 0, count: counts[code + 1] ?? 0, unsure: 0 }))
  for (const [place, code] of present.entries()) places[code + 1] = Math.min(place, MOST_GROUPS)
  if (present.length > MOST_GROUPS)
    groups.push({
      text: null,
      others: true,
      start: 0,
      count: present.slice(MOST_GROUPS).reduce((sum, code) => sum + (counts[code + 1] ?? 0), 0),
      unsure: 0,
    })
  const without = counts[0] ?? 0
  places[0] = groups.length
  if (without > 0) groups.push({ text: null, others: false, start: 0, count: without, unsure: 0 })
  let start = 0
  for (const group of groups) {
    group.start = start
    start += group.count
  }
  const next = groups.map((group) => group.start)
  const arranged = new Int32Array(order.length)
  for (const row of order) {
    const place = places[(codes[row] ?? -1) + 1] ?? 0
    const at = next[place] ?? 0
    arranged[at] = row
    next[place] = at + 1
    const group = groups[place]
    if (group && cells.stateAt(row) === 'unsure') group.unsure += 1
  }
  return { order: arranged, groups }
}

/** The count of each text, commonest first. */
export function valuesOf(cells: Cells, rows: Int32Array, limit: number): { values: { text: string; count: number }[]; distinct: number } {
  const { groups } = grouped(rows, cells)
  const named = (groups ?? []).flatMap(({ text, count }) => (text === null ? [] : [{ text, count }]))
  const distinct = new Set(Array.from(rows, (row) => cells.codes[row] ?? -1).filter((code) => code !== -1)).size
  return { values: named.slice(0, limit), distinct }
}

/** States of cells that are no guess. */
const TOLD: ReadonlySet<CellState> = new Set(['sure', 'accepted', 'edited'])

/**
 * A column of clips as a column of videos: the commonest value of a video's clips, the largest where the values are numbers, and "yes" where a yes-or-no
 * question has one: a car in one shot is a car in the video. Guesses in words have no say where somebody decided or a clip is sure. `spans` are the rows of each
 * video's clips: [from, to) pairs in `rows`.
 */
export function summarised(
  clips: Cells,
  rows: Int32Array,
  spans: readonly (readonly [from: number, to: number])[],
  yesNo: boolean,
): { cells: Cells; shares: Int32Array } {
  const cells = new Cells()
  cells.resize(spans.length)
  // By video: how many clips have this value, and how many have any.
  const shares = new Int32Array(spans.length * 2)
  // Where no clip has it, it is no word: -1 is none of a cell yet.
  const yes = yesNo && clips.words.includes('yes') ? clips.words.indexOf('yes') : NaN
  for (const [video, [from, to]] of spans.entries()) {
    const counts = new Map<number, number>()
    let most = -1
    let largest = NaN
    const own = rows.subarray(from, to)
    const told = own.filter((row) => TOLD.has(clips.stateAt(row)) && clips.codes[row] !== -1)
    // Of numbers the largest is wanted, and one that may be larger says so by its own state.
    const telling = told.length > 0 && told.every((row) => Number.isNaN(clips.numbers[row] ?? NaN)) ? told : own
    for (const row of telling) {
      const code = clips.codes[row] ?? -1
      if (code === -1) continue
      const count = (counts.get(code) ?? 0) + 1
      counts.set(code, count)
      const number = clips.numbers[row] ?? NaN
      if (!Number.isNaN(number)) {
        if (Number.isNaN(largest) || number > largest) [largest, most] = [number, code]
      } else if (code === yes || (most !== yes && count > (counts.get(most) ?? 0))) most = code
    }
    const has = (row: number) => clips.codes[row] === most
    // It is as sure as the clips that have the value shown (one sure "yes" is enough); if none has a value, as all of them are.
    const state = together(new Set(Array.from(most === -1 ? own : (yesNo ? telling : own).filter(has), (row) => clips.stateAt(row))))
    // Where one clip may have it, the video does not lack it for sure.
    const open = yesNo && most !== yes && own.some((row) => clips.codes[row] === yes && clips.stateAt(row) === 'unsure')
    cells.set(video, clips.words[most] ?? null, open ? 'unsure' : state, null, Number.isNaN(largest) ? null : largest)
    shares[video * 2] = most === -1 ? 0 : own.filter(has).length
    shares[video * 2 + 1] = own.filter((row) => clips.codes[row] !== -1).length
  }
  return { cells, shares }
}

/** The common state of several cells: their own if they agree; unsure if some are unsure and the others sure; else mixed. */
function together(states: ReadonlySet<CellState>): CellState {
  const told = [...states].filter((state) => state !== 'empty')
  const [only, other] = told
  if (other === undefined) return only ?? 'empty'
  return told.includes('unsure') && told.every((state) => state === 'sure' || state === 'unsure') ? 'unsure' : 'mixed'
}

/** A video is reviewed when it was analysed to its end and all of its clips with something to review are, and begun when one is. */
export function reviewed(
  clips: Cells,
  order: Int32Array,
  spans: readonly (readonly [from: number, to: number])[],
  unfinished: (video: number) => boolean,
): { cells: Cells; shares: Int32Array } {
  const cells = new Cells()
  cells.resize(spans.length)
  const shares = new Int32Array(spans.length * 2)
  for (const [video, [from, to]] of spans.entries()) {
    const texts = Array.from(order.subarray(from, to), (row) => clips.textAt(row) ?? 'open').filter((text) => text !== 'nothing')
    const done = texts.filter((text) => text === 'done').length
    const begun = texts.filter((text) => text !== 'open').length
    const more = done < texts.length || unfinished(video)
    const review = more ? reviewOf(begun, texts.length + 1) : done > 0 ? 'done' : 'nothing'
    if (to > from) cells.set(video, review, 'sure', null, done / Math.max(1, texts.length))
    shares.set([done, texts.length], video * 2)
  }
  return { cells, shares }
}

/** Search as the window shows it: filters by calendar day, and results that stay in place while the list is refreshed. */
import type { Clip } from './contract/clip.ts'
import type { Filters, FindHit, Why } from './contract/find.ts'
import { type Phrase, phrase, said } from './phrase.ts'
import { labelText } from './review.ts'

/** How many kinds of filter are set. A range counts once. */
export function filterCount(filters: Filters): number {
  const { labels, says, answer, state, sourceIds, addedFrom, addedBefore, recordedFrom, recordedBefore, minSeconds, maxSeconds } = filters
  return [
    labels?.length ? labels : undefined,
    says,
    answer,
    state,
    sourceIds?.length ? sourceIds : undefined,
    addedFrom ?? addedBefore,
    recordedFrom ?? recordedBefore,
    minSeconds ?? maxSeconds,
  ].filter((set) => set !== undefined).length
}

/** The instants that bound days of the person's calendar, "2026-03-01"; the day `to` is included. */
export function instantsOf({ from, to }: { from: string; to: string }): { from?: string; before?: string } {
  const midnight = (day: string, later: number) => {
    const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
    return new Date(year, month - 1, date + later).toISOString()
  }
  return { ...(from === '' ? {} : { from: midnight(from, 0) }), ...(to === '' ? {} : { before: midnight(to, 1) }) }
}

/** The inverse of `instantsOf`. */
export function daysOf({ from, before }: { from?: string | undefined; before?: string | undefined }): { from: string; to: string } {
  const day = (instant: string | undefined, earlier: number) => {
    if (instant === undefined) return ''
    const at = new Date(instant)
    at.setDate(at.getDate() - earlier)
    const two = (value: number) => String(value).padStart(2, '0')
    return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  }
  return { from: day(from, 0), to: day(before, 1) }
}

/**
 * New results in the order in which a person already reads them. Listed results stay where they are, even if they no longer match (`others`
 * are such clips in their present state); new ones come below. A clip in neither list is dropped.
 *
 * @returns `late`: how many of the new ones belong further up.
 */
export function keepOrder(
  listed: readonly FindHit[],
  fresh: readonly FindHit[],
  others: ReadonlyMap<number, Clip>,
): { hits: FindHit[]; late: number } {
  const byId = new Map(fresh.map((hit) => [hit.clip.id, hit]))
  const found = new Set(fresh.flatMap(clipIdsOf))
  const stay = listed.flatMap((hit): FindHit[] => {
    const again = byId.get(hit.clip.id)
    if (again) return [again]
    const now = found.has(hit.clip.id) ? undefined : others.get(hit.clip.id)
    return now ? [{ ...hit, clip: now, alike: hit.alike.flatMap(({ id }) => (found.has(id) ? [] : (others.get(id) ?? []))) }] : []
  })
  const staying = new Set(stay.map(({ clip }) => clip.id))
  const come = fresh.filter(({ clip }) => !staying.has(clip.id))
  const last = fresh.findLastIndex(({ clip }) => staying.has(clip.id))
  return { hits: [...stay, ...come], late: come.filter((hit) => fresh.indexOf(hit) < last).length }
}

/** The ids of a result's clip and of the clips with the same picture beneath it. */
export function clipIdsOf({ clip, alike }: FindHit): number[] {
  return [clip.id, ...alike.map(({ id }) => id)]
}

const REASONS: Record<Why['kind'], { own: string; accepted: string; machine: string }> = {
  caption: { own: phrase('your caption'), accepted: phrase('caption that you accepted'), machine: phrase('caption') },
  answer: { own: phrase('your answer'), accepted: phrase('answer that you accepted'), machine: phrase('answer') },
  note: { own: phrase('your note'), accepted: phrase('your note'), machine: phrase('note') },
  segment: { own: phrase('your segment'), accepted: phrase('your segment'), machine: phrase('segment') },
  box: { own: phrase('your box'), accepted: phrase('box that you accepted'), machine: phrase('box') },
  fact: { own: phrase('fact'), accepted: phrase('fact'), machine: phrase('fact') },
  text: {
    own: phrase('text on screen, corrected by you'),
    accepted: phrase('text on screen, accepted by you'),
    machine: phrase('text on screen'),
  },
  name: { own: phrase('name of the file'), accepted: phrase('name of the file'), machine: phrase('name of the file') },
  picture: { own: phrase('the picture'), accepted: phrase('the picture'), machine: phrase('the picture') },
}

/**
 * Why a clip is found, as parts of a line: the kind of reason, how sure it is, and when.
 *
 * @param quote Whether to include the words; false where they are shown beside the line.
 */
export function reasonParts(
  { kind, text, question, state, file, standing, score, guess, when }: Why,
  quote: boolean,
  number: (value: number, digits: 1 | 2) => string,
): Phrase[] {
  const isImported = file !== undefined
  const what = said(REASONS[kind][isImported ? 'machine' : state === 'edited' ? 'own' : state === 'accepted' ? 'accepted' : 'machine'])
  const shown = kind === 'box' ? labelText(text, standing === 'unsure') : text
  const told = isImported
    ? kind === 'box'
      ? said('{{what}} imported from {{file}}: {{text}}', { what, file, text: shown })
      : question === undefined
        ? said('{{what}} imported from {{file}}: “{{text}}”', { what, file, text })
        : said('{{what}} imported from {{file}}: {{question}} “{{text}}”', { what, file, question, text })
    : kind === 'box'
      ? said('{{what}}: {{text}}', { what, text: shown })
      : question === undefined
        ? said('{{what}}: “{{text}}”', { what, text })
        : said('{{what}}: {{question}} “{{text}}”', { what, question, text })
  const alone = isImported ? said('{{what}} imported from {{file}}', { what, file }) : what
  const span = when && { from: number(when.start, 1), to: number(when.end, 1) }
  return [
    quote && text !== '' && kind !== 'name' ? told : alone,
    ...(score === null ? [] : [said('{{score}}', { score: number(score, 2) })]),
    ...(span === null ? [] : [kind === 'box' ? said('seen {{from}}–{{to}} s', span) : said('{{from}}–{{to}} s', span)]),
    ...(guess ? [said('a guess')] : standing === 'unsure' ? [said('not sure')] : []),
  ]
}

/** The frame to go to in a clip that was found: that of its place, else of the first reason with a time. */
export function momentOf({ place, why }: FindHit): number | null {
  return place?.ordinal ?? why.find(({ when }) => when !== null)?.when?.ordinal ?? null
}

/** Numbers and times formatted for people, in the language of the window. */
import { analysedToItsEnd } from '../app/analysed.ts'
import type { Source } from '../app/contract.ts'
import { type Language, t, useLanguage } from './i18n.ts'

/** 75.25 → "1:15.25"; hours where there are any. */
export function clock(seconds: number, decimals = 0): string {
  const units = 10 ** decimals
  const total = Math.round(Math.max(0, seconds) * units)
  const whole = Math.floor(total / units)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  const fraction = decimals > 0 ? `.${String(total % units).padStart(decimals, '0')}` : ''
  return `${h > 0 ? `${h}:${two(m)}` : m}:${two(s)}${fraction}`
}

/** "0:12.0–0:13.5", in seconds; with hundredths where tenths would make both ends the same. */
export function clockSpan({ start, end }: { start: number; end: number }): string {
  const decimals = end > start && clock(start, 1) === clock(end, 1) ? 2 : 1
  return `${clock(start, decimals)}–${clock(end, decimals)}`
}

/** Created once for each language: the first use of a locale takes a fifth of a second. */
function formats(language: Language) {
  const number = (digits: number) => new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return {
    numbers: [number(0), number(1), number(2), number(3)],
    days: [
      new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' }),
      new Intl.DateTimeFormat(language, { dateStyle: 'medium' }),
    ],
    date: new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }),
    percent: new Intl.NumberFormat(language, { style: 'percent' }),
  }
}
const made = new Map<Language, ReturnType<typeof formats>>()
function format(): ReturnType<typeof formats> {
  const { language } = useLanguage.getState()
  const ready = made.get(language) ?? formats(language)
  made.set(language, ready)
  return ready
}
format()

/** With `digits` decimals, at most three. */
export function number(value: number, digits: 0 | 1 | 2 | 3 = 0): string {
  return format().numbers[digits]?.format(value) ?? String(value)
}

/** 0.253 → "25%". */
export function percent(share: number): string {
  return format().percent.format(share)
}

/** The day of an ISO 8601 time, on this machine’s clock; with the year where it is not this one. */
export function day(iso: string): string {
  if (iso === '') return ''
  const at = new Date(iso)
  return format().days[at.getFullYear() === new Date().getFullYear() ? 0 : 1]?.format(at) ?? ''
}

/** An ISO 8601 time, on this machine’s clock. */
export function when(iso: string): string {
  return iso === '' ? '' : format().date.format(new Date(iso))
}

/** "about 5 s", "about 3 min": an estimate needs no more digits. */
export function about(seconds: number): string {
  if (seconds < 1) return t('a moment')
  if (seconds < 90) return t('about {{seconds}} s', { seconds: Math.round(seconds) })
  if (seconds < 5400) return t('about {{minutes}} min', { minutes: Math.round(seconds / 60) })
  return t('about {{hours}} h', { hours: number(seconds / 3600, 1) })
}

export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3))
  return `${number(count / 1000 ** power, power === 0 || count / 1000 ** power >= 100 ? 0 : 1)} ${units[power] ?? ''}`
}

/** How many videos were not analysed to their end, behind a number of clips; empty for none. */
export function unfinishedText(sources: readonly Source[]): string {
  const count = sources.filter(({ state, clipCount }) => !analysedToItsEnd(state) && (state !== 'failed' || clipCount > 0)).length
  return count === 0 ? '' : ` · ${t('{{count, number}} videos not analysed to the end', { count })}`
}

/** Charts of a report as SVG: every number stands beside its bar as text, and each chart says the same in words to those who cannot see it. */
import type { Standing } from '../review.ts'
import { type Html, html } from './html.ts'

/** Pixels of the drawing, which is scaled to the page. */
const WIDTH = 520
const LINE = 24
/** A second line of a name needs so much more. */
const SECOND = 14
const NAMES = 210
const NUMBERS = 70

export interface Bar {
  name: string
  sure: number
  unsure: number
}

/** Horizontal bars; what is not sure is striped. @param say A count in words. */
export function bars(all: readonly Bar[], say: (count: number) => string): Html {
  const most = Math.max(1, ...all.map(({ sure, unsure }) => sure + unsure))
  const scale = (WIDTH - NAMES - NUMBERS) / most
  const words = all.map(({ name, sure, unsure }) => `${name}: ${say(sure + unsure)}`).join('; ')
  let height = 0
  const placed = all.map((bar) => {
    const [lines, y] = [linesOf(bar.name), height]
    height += LINE + (lines.length - 1) * SECOND
    return { ...bar, lines, y, middle: y + (height - y) / 2 }
  })
  return html`<svg role="img" aria-label="${words}" viewBox="0 0 ${WIDTH} ${height}" class="bars"><defs><pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="3" height="6" class="unsure"/></pattern></defs>${placed.map(
    ({ name, lines, sure, unsure, y, middle }) =>
      html`<text text-anchor="end">${lines.map((line, at) => html`<tspan x="${NAMES - 8}" y="${y + 16 + at * SECOND}">${line}</tspan>`)}<title>${name}</title></text><rect class="sure" x="${NAMES}" y="${middle - LINE / 2 + 4}" width="${rounded(sure * scale)}" height="${LINE - 8}"/><rect class="striped" x="${rounded(NAMES + sure * scale)}" y="${middle - LINE / 2 + 4}" width="${rounded(unsure * scale)}" height="${LINE - 8}"/><text x="${rounded(NAMES + (sure + unsure) * scale + 6)}" y="${middle + 4}">${sure + unsure}</text>`,
  )}</svg>`
}

/** One bar in parts, with a legend. */
export function stack(parts: readonly { name: string; count: number; kind: Standing }[], say: (count: number) => string): Html {
  const there = parts.filter(({ count }) => count > 0)
  const total = Math.max(
    1,
    there.reduce((sum, { count }) => sum + count, 0),
  )
  let x = 0
  const placed = there.map((part) => {
    const width = (part.count / total) * WIDTH
    const at = x
    x += width
    return { ...part, at, width }
  })
  const words = there.map(({ name, count }) => `${name}: ${say(count)}`).join('; ')
  return html`<svg role="img" aria-label="${words}" viewBox="0 0 ${WIDTH} 22" class="stack">${placed.map(({ kind, at, width }) => html`<rect class="${kind}" x="${rounded(at)}" y="2" width="${rounded(width)}" height="18"/>`)}</svg><ul class="key">${there.map(({ name, count, kind }) => html`<li><span class="swatch ${kind}"></span>${name} ${say(count)}</li>`)}</ul>`
}

/** Where spans lie in a video. @param clock Writes a time. */
export function spans(
  label: string,
  duration: number,
  all: readonly { start: number; end: number }[],
  clock: (seconds: number) => string,
): Html {
  const scale = 1000 / Math.max(1e-6, duration, ...all.map(({ end }) => end))
  const words = all
    .slice(0, 40)
    .map(({ start, end }) => `${clock(start)}–${clock(end)}`)
    .join(', ')
  return html`<figure class="line"><svg role="img" aria-label="${label}: ${words}" viewBox="0 0 1000 14" preserveAspectRatio="none"><rect class="whole" x="0" y="4" width="1000" height="6"/>${all.map(({ start, end }) => html`<rect class="sure" x="${rounded(start * scale)}" y="1" width="${rounded(Math.max(1.5, (end - start) * scale - 0.8))}" height="12"/>`)}</svg><div class="ends" aria-hidden="true"><span>${clock(0)}</span><span>${clock(duration)}</span></div></figure>`
}

/** As many wide letters as there is room for. */
const MOST_LETTERS = 27

/** A name in one line or two, at a blank where there is one; what does not fit ends in "…". */
function linesOf(name: string): string[] {
  const letters = Array.from(name)
  if (letters.length <= MOST_LETTERS) return [name]
  const blank = letters.lastIndexOf(' ', MOST_LETTERS)
  const first = letters.slice(0, blank > 0 ? blank : MOST_LETTERS).join('')
  const rest = letters.slice(blank > 0 ? blank + 1 : MOST_LETTERS)
  return [first, rest.length <= MOST_LETTERS ? rest.join('') : `${rest.slice(0, MOST_LETTERS - 1).join('')}…`]
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}

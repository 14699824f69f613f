/**
 * A report about clips that a person without Tubelet can read: one HTML page with its pictures in it, which needs no script and loads nothing.
 * It tells what people decided from what a machine said, how sure that is, and where each statement comes from.
 */
import { type Annotation, type Box, fromFacts, type Provenance } from '../annotation.ts'
import type { ClipFact } from '../contract/clip.ts'
import { type Probe, secondsOf } from '../media.ts'
import { labelText, type Standing, standingOfAnnotation } from '../review.ts'
import { clockText, timeText } from '../table/facts.ts'
import type { Language } from '../words.ts'
import { bars, spans, stack } from './charts.ts'
import { type Content, type Html, html, jpegUrl, page } from './html.ts'
import { STYLE } from './style.ts'
import { WORDS, type Words } from './words.ts'

export interface ReportPicture {
  ordinal: number
  /** Seconds from the first frame. */
  time: number
  /** Null where the frame could not be read. */
  jpeg: string | null
  /** In pixels of the display-oriented frame. */
  boxes: { box: Box; label: string; standing: Standing }[]
}

export interface Statement {
  /** Of a track, the boxes may be thinned out: the first, the surest and the last are there. */
  annotation: Annotation
  /** Seconds, half-open: the part that it is about; null for the whole clip. */
  span: { start: number; end: number } | null
}

export interface ReportClip {
  id: number
  /** As the window counts: from 1. */
  number: number
  start: number
  end: number
  pictures: ReportPicture[]
  statements: Statement[]
  facts: ClipFact[]
}

export interface ReportVideo {
  title: string
  fingerprint: string
  probe: Probe
  partial: boolean
  clips: ReportClip[]
}

export interface Report {
  language: Language
  /** When it was made, milliseconds since 1970, and the IANA time zone in which times of day are told. */
  at: number
  timeZone: string
  appVersion: string
  library: string
  /** What was searched for, or the view; null for everything. */
  subject: string | null
  /** In the order in which they are told. */
  videos: ReportVideo[]
  /** Names of videos whose analysis is unfinished. */
  leftOut: string[]
  /** How many clips did not fit, and of how many there are no pictures because of that. */
  tooMany: number
  withoutPictures: number
}

/** No measurement is certain. */
const MOST_SURE = 0.99

export function reportPage(report: Report): Html {
  const { language, subject, videos } = report
  const words = WORDS[language]
  const title = subject === null ? `${words.report}: ${report.library}` : `${words.report}: “${subject}”`
  const told = new Told(report)
  return page({
    language,
    title,
    style: STYLE,
    body: html`<header>
<h1>${title}</h1>
<p>${words.madeAt(told.date(report.at), report.timeZone)} ${words.madeWith(report.appVersion)}.</p>
</header>
<main>
${summary(report, told)}
<section class="legend"><h2>${words.read}</h2><ul>${words.reads.map((line) => html`<li>${line}</li>`)}</ul></section>
${videos.map((video) => videoSection(video, told))}
${missing(report, told)}
${provenance(report, told)}
</main>`,
  })
}

function annotationsOf({ statements }: ReportClip): Annotation[] {
  return statements.map(({ annotation }) => annotation)
}

/** Each clip's annotations, with the tracks of people that reach into it from other clips (as main/library/reach.ts has it). */
function withReaching({ clips, probe }: ReportVideo): { annotations: Annotation[] }[] {
  const people = clips.flatMap((clip) =>
    annotationsOf(clip).flatMap((annotation) => {
      const { body, state, machine } = annotation
      if (body.kind !== 'track' || (state !== 'edited' && machine !== null)) return []
      const times = body.boxes.map(({ pts }) => secondsOf(pts, probe))
      return [{ annotation, of: clip.id, from: times[0] ?? 0, to: times.at(-1) ?? 0 }]
    }),
  )
  return clips.map((clip) => ({
    annotations: [
      ...annotationsOf(clip),
      ...people.flatMap(({ annotation, of, from, to }) => (of !== clip.id && from < clip.end && to >= clip.start ? [annotation] : [])),
    ],
  }))
}

/** Numbers, dates and words in the report's language. */
export class Told {
  readonly words: Words
  readonly language: Language
  readonly #number: Intl.NumberFormat
  readonly #percent: Intl.NumberFormat
  readonly #date: Intl.DateTimeFormat

  constructor({ language, timeZone }: Pick<Report, 'language' | 'timeZone'>) {
    this.language = language
    this.words = WORDS[language]
    this.#number = new Intl.NumberFormat(language, { maximumFractionDigits: 2 })
    this.#percent = new Intl.NumberFormat(language, { style: 'percent' })
    this.#date = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone })
  }

  number(value: number): string {
    return this.#number.format(value)
  }

  percent(share: number): string {
    return this.#percent.format(share)
  }

  date(at: number | string): string {
    const time = new Date(at)
    return Number.isNaN(time.getTime()) ? String(at) : this.#date.format(time)
  }

  clips(count: number): string {
    return count === 1 ? this.words.oneClip : this.words.clipsNumber(this.number(count))
  }
}

function facts(pairs: readonly (readonly [string, Content] | null)[]): Html {
  return html`<dl>${pairs.map((pair) => pair && html`<div><dt>${pair[0]}</dt><dd>${pair[1]}</dd></div>`)}</dl>`
}

function summary({ videos, library, subject }: Report, told: Told): Html {
  const { words } = told
  const clips = videos.flatMap((video) => video.clips)
  const annotations = clips.flatMap(annotationsOf)
  const decided = annotations.filter(({ state }) => state !== 'machine').length
  const standings = Map.groupBy(annotations, standingOfAnnotation)
  return html`<section>
<h2>${words.inShort}</h2>
${facts([
  subject === null ? null : [words.subject, subject],
  [words.library, library],
  [words.videos, told.number(videos.length)],
  [words.clips, told.number(clips.length)],
  [words.length, clockText(videos.reduce((sum, { probe }) => sum + probe.duration, 0))],
  [words.decided, words.of(told.number(decided), told.number(annotations.length))],
])}
<div class="charts">
${thingsChart(videos, told)}
${
  annotations.length === 0
    ? null
    : figure(
        words.review,
        stack(
          STANDINGS.map((standing) => ({ name: words.standings[standing], count: standings.get(standing)?.length ?? 0, kind: standing })),
          (count) => told.number(count),
        ),
      )
}
${answerCharts(annotations, told)}
</div>
</section>`
}

const STANDINGS = ['accepted', 'edited', 'sure', 'unsure', 'rejected'] as const satisfies readonly Standing[]
/** At most so many bars in a chart, and charts of answers. */
const MOST_BARS = 12
const MOST_CHARTS = 6

function figure(caption: string, chart: Html, note?: string): Html {
  return html`<figure class="chart"><figcaption>${caption}${note === undefined ? null : html` <small>${note}</small>`}</figcaption>${chart}</figure>`
}

/** In how many clips each name is, surely and perhaps. */
function thingsChart(videos: readonly ReportVideo[], told: Told): Html | null {
  const counts = new Map<string, { sure: number; unsure: number }>()
  for (const { annotations } of videos.flatMap(withReaching)) {
    const here = new Map<string, boolean>()
    for (const annotation of annotations)
      if (annotation.body.kind === 'track' && annotation.state !== 'rejected') {
        const { label } = annotation.body
        here.set(label, (here.get(label) ?? false) || standingOfAnnotation(annotation) !== 'unsure')
      }
    for (const [label, sure] of here) {
      const count = counts.get(label) ?? { sure: 0, unsure: 0 }
      counts.set(label, sure ? { ...count, sure: count.sure + 1 } : { ...count, unsure: count.unsure + 1 })
    }
  }
  const shown = [...counts]
    .map(([name, { sure, unsure }]) => ({ name: labelText(name, sure === 0), sure, unsure }))
    .sort((a, b) => b.sure - a.sure || b.unsure - a.unsure || a.name.localeCompare(b.name))
    .slice(0, MOST_BARS)
  if (shown.length === 0) return null
  return figure(
    told.words.things,
    bars(shown, (count) => told.clips(count)),
    shown.some(({ unsure }) => unsure > 0) ? told.words.thingsNote : undefined,
  )
}

function answerCharts(annotations: readonly Annotation[], told: Told): Html[] {
  const answers = annotations.flatMap((annotation) =>
    annotation.body.kind === 'answer' && annotation.state !== 'rejected' ? [{ annotation, ...annotation.body }] : [],
  )
  return [...Map.groupBy(answers, ({ question }) => question)].slice(0, MOST_CHARTS).map(([question, given]) => {
    const shown = [...Map.groupBy(given, ({ text }) => text)]
      .map(([name, those]) => {
        const unsure = those.filter(({ annotation }) => standingOfAnnotation(annotation) === 'unsure').length
        return { name, sure: those.length - unsure, unsure }
      })
      .sort((a, b) => b.sure + b.unsure - a.sure - a.unsure)
      .slice(0, MOST_BARS)
    return figure(
      told.words.answersTo(question),
      bars(shown, (count) => told.clips(count)),
      shown.some(({ unsure }) => unsure > 0) ? told.words.thingsNote : undefined,
    )
  })
}

function videoSection({ title, fingerprint, probe, partial, clips }: ReportVideo, told: Told): Html {
  const { words } = told
  const { unread = [], width, height, frameRate, variableFrameRate, recordedAt, duration } = probe
  const rate = told.number(frameRate.num / frameRate.den)
  return html`<section class="video">
<h2>${title}</h2>
${partial ? html`<p class="warn">${words.partial}</p>` : null}
${facts([
  [words.fingerprint, html`<code>${fingerprint}</code>`],
  [words.lasts, clockText(duration)],
  [words.size, `${width} × ${height}`],
  [words.rate, variableFrameRate ? `${rate} (${words.variable})` : rate],
  [words.codec, probe.codec],
  recordedAt === undefined ? null : [words.recorded, told.date(recordedAt)],
  unread.length === 0 ? null : [words.unread, unread.map(({ from, to }) => timeText(from, to)).join(', ')],
])}
${spans(words.where(title), duration, clips, clockText)}
${clips.map((clip) => clipArticle(clip, title, probe, told))}
</section>`
}

function clipArticle(clip: ReportClip, title: string, probe: Probe, told: Told): Html {
  const { words, language } = told
  const ofKind = (kind: Annotation['body']['kind']) => clip.statements.filter(({ annotation }) => annotation.body.kind === kind)
  const [caption] = ofKind('caption')
  const answers = ofKind('answer')
  const tracks = ofKind('track')
  const shown = clip.facts.filter(({ text }) => caption === undefined || text[language] !== textOf(caption.annotation))
  const block = (name: string, content: Html) => html`<section class="block"><h4>${name}</h4>${content}</section>`
  const texts = (kind: 'text' | 'note' | 'segment', name: string) => {
    const those = ofKind(kind)
    return those.length === 0 ? null : block(name, html`<ul>${those.map((one) => html`<li>${spoken(one, told)}</li>`)}</ul>`)
  }
  return html`<article>
<h3>${words.clip(told.number(clip.number))} <span class="time">${timeText(clip.start, clip.end)}</span></h3>
<div class="pictures">${clip.pictures.map((picture) => pictureFigure(picture, title, probe, told))}</div>
${clip.statements.length + shown.length === 0 ? html`<p class="muted">${words.nothing}</p>` : null}
${caption === undefined ? null : html`<div class="caption">${spoken(caption, told)}</div>`}
<div class="blocks">
${answers.length === 0 ? null : block(words.answers, html`<dl class="answers">${answers.map((one) => html`<div><dt>${one.annotation.body.kind === 'answer' ? one.annotation.body.question : ''}</dt><dd>${spoken(one, told)}</dd></div>`)}</dl>`)}
${texts('note', words.notes)}
${texts('segment', words.parts)}
${shown.length === 0 ? null : block(words.seen, html`<ul>${shown.map((fact) => factLine(fact, told))}</ul>`)}
${texts('text', words.texts)}
</div>
${tracks.length === 0 ? null : block(words.tracks, tracksTable(tracks, told))}
</article>`
}

function pictureFigure({ ordinal, time, jpeg, boxes }: ReportPicture, title: string, { width, height }: Probe, told: Told): Html {
  const { words } = told
  const names = boxes.map(({ label, standing }) => labelText(label, standing === 'unsure'))
  const alt = words.alt(ordinal, clockText(time), title) + (names.length === 0 ? words.altNone : words.altBoxes(names.join(', ')))
  const caption = html`<figcaption>${words.frame(ordinal, clockText(time))}</figcaption>`
  if (jpeg === null) return html`<figure class="picture"><p class="warn">${words.noPicture}</p>${caption}</figure>`
  const size = Math.max(width, height) / 24
  return html`<figure class="picture"><div style="--ratio:${width / height}"><img alt="${alt}" src="${jpegUrl(jpeg)}"><svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" aria-hidden="true">${boxes.map(
    ({ box: { x1, y1, x2, y2 }, standing }, at) => {
      const name = names[at] ?? ''
      const above = y1 > 1.3 * size
      return html`<rect class="${standing}" x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}"/><text style="font-size:${size}px" stroke-width="${size / 5}" x="${x1 + size / 6}" y="${above ? y1 - size / 4 : y1 + size}">${name}</text>`
    },
  )}</svg></div>${caption}</figure>`
}

function factLine({ text, reliability, people }: ClipFact, told: Told): Html {
  const { words, language } = told
  return html`<li>${text[language]} <span class="source">${people ? words.byPerson : told.percent(Math.min(MOST_SURE, reliability))}</span></li>`
}
function textOf({ body }: Pick<Annotation, 'body'>): string {
  return 'text' in body ? body.text : ''
}

/** A text with its time, its standing and its source. */
function spoken({ annotation, span }: Statement, told: Told): Html {
  const { machine, state } = annotation
  const before = machine === null ? '' : textOf({ body: machine })
  const other =
    state === 'edited' && before !== '' && before !== textOf(annotation)
      ? html`<br><small>${told.words.machineSaid}: <q>${before}</q></small>`
      : null
  const time = span === null ? null : html`<span class="time">${timeText(span.start, span.end)}</span> `
  return html`${time}<span class="said ${standingOfAnnotation(annotation)}" dir="auto">${textOf(annotation)}</span> ${standingText(annotation, told)}${other}`
}

function standingText(annotation: Annotation, told: Told): Html {
  const { words } = told
  const standing = standingOfAnnotation(annotation)
  const { evidence } = annotation
  const word = annotation.state === 'machine' && evidence?.unfamiliar === true ? words.guess : words.standings[standing]
  const sure =
    annotation.state === 'machine' && evidence !== null && evidence.unfamiliar !== true && !fromFacts(annotation)
      ? ` ${told.percent(Math.min(MOST_SURE, evidence.confidence))}`
      : ''
  return html`<span class="chip ${standing}">${word}${sure}</span> <span class="source">${sourceText(annotation, words)}</span>`
}

/** Who said it. */
function sourceText(annotation: Annotation, words: Words): string {
  const { provenance, origin, machine, state } = annotation
  if (origin !== undefined) return words.imported(origin.file, origin.format)
  if (provenance === null || machine === null || (state === 'edited' && textOf({ body: machine }) !== textOf(annotation)))
    return words.byPerson
  if (provenance.packId === 'facts') return provenance.people === true ? words.fromFactsAndPeople : words.fromFacts
  return `${provenance.packId} ${provenance.packVersion}`
}

function tracksTable(tracks: readonly Statement[], told: Told): Html {
  const { words } = told
  return html`<table><thead><tr><th scope="col">${words.label}</th><th scope="col">${words.time}</th><th scope="col">${words.standing}</th><th scope="col">${words.score}</th><th scope="col">${words.source}</th></tr></thead><tbody>${tracks.map(
    ({ annotation, span }) => {
      const { body } = annotation
      if (body.kind !== 'track') return null
      const standing = standingOfAnnotation(annotation)
      const scores = body.boxes.flatMap(({ score }) => score ?? [])
      return html`<tr><th scope="row">${labelText(body.label, standing === 'unsure')}</th><td>${span === null ? null : timeText(span.start, span.end)}</td><td><span class="chip ${standing}">${words.standings[standing]}</span></td><td>${scores.length === 0 ? '' : told.percent(Math.max(...scores))}</td><td>${sourceText(annotation, words)}</td></tr>`
    },
  )}</tbody></table>`
}

function missing({ leftOut, tooMany, withoutPictures }: Report, told: Told): Html | null {
  const { words } = told
  const lines = [
    ...leftOut.map((name) => words.leftOutVideo(name)),
    ...(tooMany > 0 ? [words.tooMany(told.number(tooMany))] : []),
    ...(withoutPictures > 0 ? [words.tooLarge(told.number(withoutPictures))] : []),
  ]
  return lines.length === 0
    ? null
    : html`<section><h2>${words.leftOut}</h2><ul>${lines.map((line) => html`<li>${line}</li>`)}</ul></section>`
}

/** Every pack that said something here, and when. */
function provenance({ videos, appVersion }: Report, told: Told): Html {
  const { words } = told
  const said = videos.flatMap((video) => video.clips.flatMap((clip) => annotationsOf(clip).flatMap((one) => one.provenance ?? [])))
  const keyOf = ({ packId, packVersion, packDigest, provider }: Provenance) => [packId, packVersion, packDigest, provider].join('\n')
  const packs = [...Map.groupBy(said, keyOf).values()]
  return html`<section>
<h2>${words.provenance}</h2>
${
  packs.length === 0
    ? html`<p>Tubelet ${appVersion}</p>`
    : html`<table><thead><tr><th scope="col">${words.pack}</th><th scope="col">${words.version}</th><th scope="col">${words.digest}</th><th scope="col">${words.ran}</th><th scope="col">${words.when}</th><th scope="col">${words.statements}</th></tr></thead><tbody>${packs.map(
        (those) => {
          const [one] = those
          if (one === undefined) return null
          const times = those.map(({ at }) => at).sort()
          const [first = '', last = ''] = [times[0], times.at(-1)]
          const [from, to] = [told.date(first), told.date(last)]
          return html`<tr><th scope="row">${one.packId === 'facts' ? words.fromFacts : one.packId}</th><td>${one.packVersion}</td><td><code>${one.packDigest}</code></td><td>${one.provider}</td><td>${from === to ? from : `${from} – ${to}`}</td><td>${told.number(those.length)}</td></tr>`
        },
      )}</tbody></table>`
}
</section>`
}

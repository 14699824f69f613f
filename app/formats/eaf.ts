/**
 * ELAN annotation format (EAF) 3.0: what is said about a video, on tiers, in whole milliseconds from the beginning of the file.
 *
 * Annotations of one tier may not overlap in ELAN: what overlaps goes to a further tier of the same name with a number. `captions` are
 * those of clips and of their parts, `notes`, `text on screen`, `answers: QUESTION`, and for each label when it is in the picture
 * (`label: NAME`); where it is, a tier cannot say. What a machine said and nobody looked at is on tiers of its own, and the ANNOTATOR of a tier
 * tells which it is. A text that nobody looked at and that is not sure begins with (?), as in subtitles. The schema wants the order header,
 * times, tiers, types.
 */
import sax from 'sax'
import type { AnnotationBody, ReviewState, Span } from '../annotation.ts'
import { leadOf } from '../media.ts'
import { phrase } from '../phrase.ts'
import { doubted, standingOfAnnotation } from '../review.ts'
import { captionCues, type Cue, textFound } from './cues.ts'
import { clipTimes, type DocumentClip, escapedPath, fileUrl, type Film, type Format, lineText, spoken, trackedObjects } from './document.ts'
import { fault, type Found, numberIn } from './found.ts'

type EafPiece =
  | { part: 'media'; date: string; url: string; name: string; mime: string }
  | { part: 'annotation'; tier: string; annotator: string; start: number; end: number; text: string }

const AUTHOR = 'Tubelet'
/** Who the annotations of a tier are of, and what that tells about each. */
const ANNOTATORS: Readonly<Record<string, ReviewState>> = { machine: 'machine', people: 'edited', rejected: 'rejected' }
/** As ELAN writes it; pympi-ling 1.71 refuses a file without it, though the schema does not ask for it. */
const SCHEMA =
  'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd"'
const [CAPTIONS, NOTES, SCREEN] = ['captions', 'notes', 'text on screen']
const [ANSWERS, LABEL] = ['answers: ', 'label: ']

const MIME: Readonly<Record<string, string>> = {
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  mov: 'video/quicktime',
  mpg: 'video/mpeg',
  mpeg: 'video/mpeg',
  webm: 'video/webm',
}

export const eaf: Format<Film, EafPiece> = {
  *pieces(film) {
    const { source, title } = film
    const tiers = new Map<string, { name: string; annotator: string; cues: Cue[] }>()
    const tierOf = (name: string, annotator: string) => {
      const key = `${annotator} ${name}`
      const known = tiers.get(key) ?? { name, annotator, cues: [] }
      tiers.set(key, known)
      return known.cues
    }
    for (const { start, end, text, origin } of captionCues(film)) tierOf(CAPTIONS, annotatorOf(origin)).push({ start, end, text })
    let date = '1970-01-01T00:00:00Z'
    for (const { annotation } of spoken(film, 'caption', 'segment')) if (annotation.updatedAt > date) date = annotation.updatedAt
    for (const { clip, annotation, body } of spoken(film, 'answer', 'note', 'text')) {
      if (annotation.updatedAt > date) date = annotation.updatedAt
      const text = xmlText(body.text)
      if (text === '') continue
      const name = body.kind === 'answer' ? `${ANSWERS}${lineText(body.question)}` : body.kind === 'note' ? NOTES : SCREEN
      const said = doubted(text, standingOfAnnotation(annotation) === 'unsure')
      tierOf(name.trim(), annotatorOf(annotation)).push({ ...timesOf(film, clip, spanOf(body)), text: said })
    }
    for (const { name, spans } of presences(film))
      for (const span of spans) tierOf(`${LABEL}${name}`, '').push({ ...timesOf(film, null, span), text: name })
    const extension = /\.([^.]+)$/.exec(source.path)?.[1]?.toLowerCase() ?? ''
    const name = title.slice(title.lastIndexOf('/') + 1)
    yield { part: 'media', date, url: fileUrl(source.path), name: escapedPath(name), mime: MIME[extension] ?? 'video/*' }
    const used = new Map<string, number>()
    for (const { name: tier, annotator, cues } of tiers.values())
      for (const apart of spread(cues)) {
        const nth = (used.get(tier) ?? 0) + 1
        used.set(tier, nth)
        for (const cue of apart) yield { part: 'annotation', tier: nth === 1 ? tier : `${tier} (${nth})`, annotator, ...cue }
      }
  },

  *write(pieces) {
    const annotations: Extract<EafPiece, { part: 'annotation' }>[] = []
    for (const piece of pieces) {
      if (piece.part === 'annotation') {
        annotations.push(piece)
        continue
      }
      const { date, url, name, mime } = piece
      yield `<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="${AUTHOR}" DATE="${escaped(date)}" FORMAT="3.0" VERSION="3.0" ${SCHEMA}>
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
<MEDIA_DESCRIPTOR MEDIA_URL="${escaped(url)}" MIME_TYPE="${escaped(mime)}" RELATIVE_MEDIA_URL="./${escaped(name)}"/>
</HEADER>
<TIME_ORDER>
`
    }
    for (const [at, { start, end }] of annotations.entries())
      yield `<TIME_SLOT TIME_SLOT_ID="ts${2 * at + 1}" TIME_VALUE="${start}"/>\n<TIME_SLOT TIME_SLOT_ID="ts${2 * at + 2}" TIME_VALUE="${end}"/>\n`
    yield '</TIME_ORDER>\n'
    let open: string | null = null
    for (const [at, { tier, annotator, text }] of annotations.entries()) {
      const by = annotator === '' ? '' : `ANNOTATOR="${escaped(annotator)}" `
      if (tier !== open)
        yield `${open === null ? '' : '</TIER>\n'}<TIER ${by}LINGUISTIC_TYPE_REF="default-lt" TIER_ID="${escaped(tier)}">\n`
      open = tier
      yield `<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a${at + 1}" TIME_SLOT_REF1="ts${2 * at + 1}" TIME_SLOT_REF2="ts${2 * at + 2}"><ANNOTATION_VALUE>${escaped(text)}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>\n`
    }
    yield `${open === null ? '' : '</TIER>\n'}<LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
`
  },

  *read(chunks) {
    const slots = new Map<string, number>()
    let date = ''
    for (const event of eventsOf(chunks)) {
      if (event.type === 'document') date = event.date
      else if (event.type === 'media')
        yield { part: 'media', date, url: event.url, name: event.relative.replace(/^\.\//, ''), mime: event.mime }
      else if (event.type === 'slot') slots.set(event.id, event.value ?? NaN)
      else {
        const [start, end] = [slots.get(event.from ?? ''), slots.get(event.to ?? '')]
        if (start === undefined || end === undefined) throw new SyntaxError(`Annotation ${event.id} has no times.`)
        yield { part: 'annotation', tier: event.tier, annotator: event.annotator, start, end, text: event.text }
      }
    }
  },
}

function annotatorOf({ state, by }: { state: ReviewState; by?: string | undefined }): string {
  if (state === 'machine' || state === 'rejected') return state
  const name = by === undefined ? '' : xmlText(lineText(by)).trim()
  return name === '' || name in ANNOTATORS ? 'people' : name
}

function spanOf(body: AnnotationBody): Span | undefined {
  return 'span' in body ? body.span : undefined
}

/** From the beginning of the file, at least a millisecond long. */
function timesOf(film: Film, clip: DocumentClip | null, span?: Span): { start: number; end: number } {
  const { probe } = film.source
  const whole = clip ?? { start: 0, end: probe.duration, startFrame: 0, endFrame: film.pts.length }
  const times = clipTimes({ id: 0, index: 0, kind: 'shot', ...whole }, film, span)
  const [start, end] = [times.start, times.end].map((seconds) => Math.max(0, Math.round((leadOf(probe) + seconds) * 1000)))
  return { start: start ?? 0, end: Math.max((start ?? 0) + 1, end ?? 0) }
}

/** When each label is in the picture: runs of frames on which some track of it has a box. */
function* presences(film: Film): Generator<{ name: string; spans: Span[] }> {
  const runs = new Map<string, Span[]>()
  for (const { category, boxes } of trackedObjects(film)) {
    const all = runs.get(category.name) ?? []
    runs.set(category.name, all)
    let run: Span = { startFrame: -1, endFrame: -1 }
    for (const { frame } of boxes) {
      if (run.endFrame === frame) run.endFrame += 1
      else all.push((run = { startFrame: frame, endFrame: frame + 1 }))
    }
  }
  for (const [name, all] of [...runs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const spans: Span[] = []
    for (const span of all.sort((a, b) => a.startFrame - b.startFrame)) {
      const last = spans.at(-1)
      if (last && span.startFrame <= last.endFrame) last.endFrame = Math.max(last.endFrame, span.endFrame)
      else spans.push(span)
    }
    yield { name, spans }
  }
}

/** The same cues by start, on as many tiers as are needed for none to overlap. */
function spread(cues: readonly Cue[]): Cue[][] {
  const tiers: Cue[][] = []
  for (const cue of cues.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const free = tiers.find((tier) => (tier.at(-1)?.end ?? 0) <= cue.start)
    if (free) free.push(cue)
    else tiers.push([cue])
  }
  return tiers
}

/** Line breaks are line feeds; characters that XML 1.0 cannot hold are left out. */
function xmlText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|[\v\f\u0085\u2028\u2029]/g, '\n')
    .replace(/(?![\n\t])\p{Cc}|[\uFFFE\uFFFF]/gu, '')
    .trim()
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url)
  } catch {
    return url
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll('\t', '&#9;')
}

// ── reading

type EafEvent =
  | { type: 'document'; author: string; date: string }
  | { type: 'media'; url: string; relative: string; mime: string; origin: number }
  | { type: 'slot'; id: string; value: number | null }
  /** `of`: the annotation whose times it has, where it has none of its own. */
  | {
      type: 'annotation'
      tier: string
      annotator: string
      id: string
      from: string | null
      to: string | null
      of: string | null
      text: string
      line: number
    }

/** Elements within elements: ELAN's have six. */
const DEEPEST = 64
/** A longer value is no annotation. */
const LONGEST = 1 << 20

/** @throws SyntaxError with the line, where it is no EAF or has a document type. */
function* eventsOf(chunks: Iterable<string>): Generator<EafEvent> {
  const parser = sax.parser(true, { position: true })
  const events: EafEvent[] = []
  const refuse = (message: string): never => {
    throw new SyntaxError(`Line ${parser.line + 1}: ${message}`)
  }
  let depth = 0
  let tier = ''
  let annotator = ''
  let text: string | null = null
  let open: Extract<EafEvent, { type: 'annotation' }> | null = null
  parser.ondoctype = () => refuse(phrase('A document type declaration is not allowed.'))
  parser.onerror = ({ message }) => refuse(message.split('\n', 1)[0] ?? '')
  parser.ontext = parser.oncdata = (more) => {
    if (text !== null && text.length < LONGEST) text += more
  }
  parser.onopentag = ({ name, attributes: a }) => {
    if (depth === 0 && name !== 'ANNOTATION_DOCUMENT') refuse(`The file begins with <${name}>, not with <ANNOTATION_DOCUMENT>.`)
    if ((depth += 1) > DEEPEST) refuse(phrase('Elements lie too deep in each other.'))
    if (name === 'ANNOTATION_DOCUMENT') events.push({ type: 'document', author: a['AUTHOR'] ?? '', date: a['DATE'] ?? '' })
    else if (name === 'MEDIA_DESCRIPTOR')
      events.push({
        type: 'media',
        url: a['MEDIA_URL'] ?? '',
        relative: a['RELATIVE_MEDIA_URL'] ?? '',
        mime: a['MIME_TYPE'] ?? '',
        origin: numberIn(a['TIME_ORIGIN']) ?? 0,
      })
    else if (name === 'TIME_SLOT') events.push({ type: 'slot', id: a['TIME_SLOT_ID'] ?? '', value: numberIn(a['TIME_VALUE']) })
    else if (name === 'TIER') [tier = '', annotator = ''] = [a['TIER_ID'], a['ANNOTATOR']]
    else if (name === 'ALIGNABLE_ANNOTATION' || name === 'REF_ANNOTATION')
      open = {
        type: 'annotation',
        tier,
        annotator,
        id: a['ANNOTATION_ID'] ?? '',
        from: a['TIME_SLOT_REF1'] ?? null,
        to: a['TIME_SLOT_REF2'] ?? null,
        of: a['ANNOTATION_REF'] ?? null,
        text: '',
        line: parser.line + 1,
      }
    else if (name === 'ANNOTATION_VALUE') text = ''
  }
  parser.onclosetag = (name) => {
    depth -= 1
    if (name === 'ANNOTATION_VALUE' && open) {
      open.text = text ?? ''
      text = null
    } else if (name === 'ALIGNABLE_ANNOTATION' || name === 'REF_ANNOTATION') {
      if (open) events.push(open)
      open = null
    }
  }
  for (const chunk of chunks) {
    parser.write(chunk)
    yield* events.splice(0)
  }
  parser.close()
  yield* events.splice(0)
}

/** Annotations in one file: more are none that a person made. */
const MOST = 2_000_000

/**
 * The annotations of all tiers of a file of any tool, as captions of parts; those of our own tiers as what they were. Of several tiers of another tool
 * each has its name before its texts: it says who speaks, or what is coded.
 * @throws SyntaxError
 */
export function* readEaf(open: () => Iterable<string>): Generator<Found> {
  const slots: { id: string; value: number | null }[] = []
  const annotations: Extract<EafEvent, { type: 'annotation' }>[] = []
  let isOurs = false
  let origin = 0
  let media: Extract<EafEvent, { type: 'media' }> | null = null
  for (const event of eventsOf(open())) {
    if (event.type === 'document') isOurs = event.author === AUTHOR
    else if (event.type === 'media') {
      if (media === null) origin = event.origin
      media ??= event
    } else if (event.type === 'slot') slots.push(event)
    else if (annotations.push(event) > MOST) throw new SyntaxError(phrase('The file has more annotations than can be meant.'))
  }
  const url = media?.url ?? ''
  const path = url.startsWith('file:')
    ? decoded(url)
        .replace(/^file:\/+(?=[A-Za-z]:)/, '')
        .replace(/^file:(?:\/\/)?(?=\/)/, '')
    : undefined
  const name = decoded(media?.relative || url)
    .split('/')
    .at(-1)
  yield { type: 'video', key: '', ...(name && { name }), ...(path !== undefined && { path }) }
  const times = timesBySlot(slots)
  const isNamed = !isOurs && new Set(annotations.flatMap(({ tier, text }) => (text.trim() === '' ? [] : [tier]))).size > 1
  const byId = new Map(annotations.map((one) => [one.id, one]))
  const passed = new Set<string>()
  for (const { tier, annotator, text, line, ...own } of annotations) {
    let timed: Pick<typeof own, 'from' | 'to' | 'of'> = own
    // An annotation of a dependent tier has the times of the one that it is about.
    for (let steps = 0; timed.from === null && timed.of !== null && steps < DEEPEST; steps++)
      timed = byId.get(timed.of) ?? { ...timed, of: null }
    const [start, end] = [times.get(timed.from ?? ''), times.get(timed.to ?? '')]
    if (start === undefined || end === undefined) {
      yield fault('This annotation has no times.', line)
      continue
    }
    const place = isOurs ? tier.replace(/ \(\d+\)$/, '') : CAPTIONS
    if (place === SCREEN || place.startsWith(LABEL)) {
      if (!passed.has(place))
        yield fault('The tier “{{tier}}” says when, but not where on the picture: it is left out.', line, { tier: place })
      passed.add(place)
      continue
    }
    // Any other name is that of a person.
    const state = !isOurs || annotator === '' ? null : (ANNOTATORS[annotator] ?? 'edited')
    const kind = place === NOTES ? 'note' : place.startsWith(ANSWERS.trim()) ? 'answer' : 'caption'
    for (const found of textFound(
      { line, start: start + origin, end: end + origin },
      isNamed && text.trim() !== '' ? `${tier}: ${text}` : text,
      state,
    ))
      yield found.type === 'text' ? { ...found, kind, ...(kind === 'answer' && { question: place.slice(ANSWERS.length) }) } : found
  }
}

/** Milliseconds by time slot; slots without a value lie evenly between those around them, as ELAN has it. */
function timesBySlot(slots: readonly { id: string; value: number | null }[]): Map<string, number> {
  const times = new Map<string, number>()
  let before = -1
  for (const [at, { id, value }] of slots.entries()) {
    if (value === null) continue
    const from = slots[before]?.value
    if (from !== undefined && from !== null)
      for (let between = before + 1; between < at; between++)
        times.set(slots[between]?.id ?? '', from + ((value - from) * (between - before)) / (at - before))
    times.set(id, value)
    before = at
  }
  return times
}

/** Answers about the picture as a whole: the camera, the light, the cuts, the length of the clip, and the text on it. */
import { dominantColour } from '../colours.ts'
import { colourName, type Language, numberName } from '../words.ts'
import { quoted } from './caption.ts'
import { type Fact, type FactEvidence, factsOf, lightOf, type TextFact } from './facts.ts'
import type { ClipMeasures, EdgeSample } from './input.ts'
import type { Question } from './question.ts'
import { type FactAnswer, NOTHING, TRUST } from './scene.ts'
import { cameraText, capital, placeText, secondsText, startText } from './wording.ts'

/** Mean grey levels: below `dark` the picture is dark, above `light` it is light; in between there is no answer. */
const LEVELS = { dark: 40, light: 110 }
/** How often answers about the light are right, and the answer that a picture never stands still. */
const MEASURED = 0.85
/** Seconds: a clip of this length was read on two pictures. */
const READ_TWICE = 4
/** The most lines that an answer reads out; and the fewest samples of light that show whether a picture changes. */
const LINES = 3
const SAMPLES = 3
/** A line also counts this many seconds before it was first read and after it was last read. */
const NEAR = 0.5

const yesNo = (yes: boolean, why: string, evidence: FactEvidence, confidence: number, language: Language): FactAnswer => ({
  text: `${language === 'en' ? (yes ? 'Yes' : 'No') : yes ? 'Ja' : 'Nein'}, ${why}.`,
  value: yes,
  evidence,
  confidence,
})

export function pictureAnswer(clip: ClipMeasures, read: Question, language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  switch (read.asked) {
    case 'camera':
    case 'camera-way':
      return cameraAnswer(clip, read, language)
    case 'text':
    case 'text-what':
      return textAnswer(clip, read, language)
    case 'dark':
    case 'day': {
      const level = clip.light.reduce((sum, { mean }) => sum + mean, 0) / Math.max(1, clip.light.length)
      if (clip.light.length === 0 || (level >= LEVELS.dark && level <= LEVELS.light)) return null
      const dark = level < LEVELS.dark
      const why = dark ? say('the picture is dark', 'das Bild ist dunkel') : say('the picture is light', 'das Bild ist hell')
      const evidence = { ...NOTHING, numbers: { level } }
      if (read.asked === 'dark') return yesNo(dark !== read.turned, why, evidence, MEASURED, language)
      // A lit room is light at night, and a cellar is dark by day.
      return {
        text: `${capital(why)}${say(', which is all that was measured.', '; mehr wurde nicht gemessen.')}`,
        value: null,
        evidence,
        confidence: TRUST.guess,
      }
    }
    case 'black': {
      if (clip.light.length === 0) return null
      const black = lightOf(clip).filter(({ kind }) => kind === 'black')
      const [first] = black
      const why = first
        ? `${say('black', 'schwarz')}: ${secondsText(first.from, language)} – ${secondsText(first.to, language)}`
        : say('the picture is never black', 'das Bild ist nie schwarz')
      return yesNo(black.length > 0, why, { ...NOTHING, numbers: { stretches: black.length } }, MEASURED, language)
    }
    case 'frozen': {
      const frozen = lightOf(clip).filter(({ kind }) => kind === 'frozen')
      if (clip.light.length < SAMPLES) return null
      const part = frozen[0]
        ? `${secondsText(frozen[0].from, language)} – ${secondsText(frozen[0].to, language)}`
        : say('the picture changes all the time', 'das Bild ändert sich immer')
      return yesNo(frozen.length > 0, part, { ...NOTHING, numbers: { stretches: frozen.length } }, MEASURED, language)
    }
    case 'length': {
      const seconds = clip.span.to - clip.span.from
      return { text: `${secondsText(seconds, language)}.`, value: seconds, evidence: NOTHING, confidence: 1 }
    }
    case 'cuts':
      return cutsAnswer(clip, language)
    default:
      return null
  }
}

function cameraAnswer(clip: ClipMeasures, { asked, turned, at }: Question, language: Language): FactAnswer | null {
  const camera = factsOf(clip).find((fact) => fact.kind === 'camera')
  const text = camera ? cameraText(camera.motion, language) : null
  if (!camera || text === null) return null
  const moves = camera.motion.moves === true
  // A camera that moves now and then may stand at that moment.
  const sure = at === null || !moves ? camera.reliability : TRUST.guess
  if (asked === 'camera') return yesNo(moves !== turned, text, camera.evidence, sure, language)
  return {
    text: `${capital(text)}.`,
    value: text,
    evidence: camera.evidence,
    confidence: moves && camera.motion.swings.length === 0 && !camera.motion.shakes ? TRUST.guess : sure,
  }
}

/** Cuts inside the clip (most clips have none, since they begin at one), and cuts of the whole video. */
function cutsAnswer({ cuts, span }: ClipMeasures, language: Language): FactAnswer | null {
  if (!cuts) return null
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const inside = cuts.filter((time) => time > span.from && time < span.to)
  const number = (count: number) =>
    count === 0
      ? say('no cut', 'kein Schnitt')
      : count === 1
        ? say('one cut', 'ein Schnitt')
        : `${numberName(count, language)} ${say('cuts', 'Schnitte')}`
  return {
    text: `${capital(number(cuts.length))} ${say('in the whole video', 'im ganzen Video')}, ${number(inside.length)} ${say('inside this clip', 'in diesem Clip')}.`,
    value: cuts.length,
    evidence: { ...NOTHING, numbers: { cuts: cuts.length } },
    confidence: MEASURED,
  }
}

/** Questions about the text on the picture: whether there is some, what it says, when, where, how long, how many lines and which colour. */
export function textAnswer(
  clip: ClipMeasures,
  { asked, at, nth, side, total, colour, quantity }: Question,
  language: Language,
): FactAnswer | null {
  if (!clip.lines || side !== null || total || nth !== null || quantity !== null) return null
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const moment = at === 'start' ? clip.span.from : at === 'end' ? clip.span.to : at
  const all = factsOf({ ...clip, things: null }).filter((fact): fact is Extract<Fact, { kind: 'text' }> => fact.kind === 'text')
  const lines = moment === null ? all : all.filter(({ line }) => moment >= line.from - NEAR && moment <= line.to + NEAR)
  const evidence = {
    frames: lines.flatMap((line) => line.evidence.frames),
    boxes: lines.flatMap((line) => line.evidence.boxes),
    numbers: { lines: lines.length },
  }
  if (lines.length === 0) {
    if (asked !== 'text' && asked !== 'text-what' && asked !== 'presence') return null
    return {
      text:
        moment === null
          ? say('No text was read.', 'Kein Text gelesen.')
          : say(`No text was read at ${secondsText(moment, language)}.`, `Kein Text bei ${secondsText(moment, language)} gelesen.`),
      value: asked === 'text-what' ? null : false,
      evidence,
      // A shorter clip was read on one picture, which may be the one on which its text fades in.
      confidence: clip.lines.length === 0 && clip.span.to - clip.span.from >= READ_TWICE ? TRUST.absent : TRUST.guess,
    }
  }
  const said = [...new Set(lines.map(({ line }) => line.text))]
  const [best, least] = [Math.max(...lines.map(({ reliability }) => reliability)), Math.min(...lines.map(({ reliability }) => reliability))]
  const told = said
    .slice(0, LINES)
    .map((line) => quoted(line, language))
    .join(', ')
  switch (asked) {
    case 'text':
    case 'presence':
      return yesNo(true, told, evidence, best, language)
    case 'text-what':
    case 'what':
      return { text: said.join(' / '), value: said.join('\n'), evidence, confidence: least }
    case 'colour':
      return lineColour(lines, colour, evidence, language)
    case 'appear':
    case 'leave': {
      const time = asked === 'appear' ? Math.min(...lines.map(({ line }) => line.from)) : Math.max(...lines.map(({ line }) => line.to))
      const edge = asked === 'appear' ? time <= clip.span.from + 1e-3 : time >= clip.span.to - 1e-3
      if (edge)
        return {
          text:
            asked === 'appear'
              ? startText(clip.span.from, language)
              : say('It is there to the end of the clip.', 'Bis zum Ende des Clips da.'),
          value: asked === 'appear' ? time : null,
          evidence,
          confidence: least,
        }
      return {
        text: say(`At ${secondsText(time, language)}.`, `Bei ${secondsText(time, language)}.`),
        value: time,
        evidence,
        confidence: least,
      }
    }
    case 'long': {
      const seconds = covered(lines.map(({ line }) => line))
      return {
        text: say(`About ${secondsText(seconds, language)}.`, `Etwa ${secondsText(seconds, language)}.`),
        value: seconds,
        evidence,
        confidence: least,
      }
    }
    case 'where': {
      const places = [
        ...new Set(
          lines.map(({ line: { box } }) =>
            placeText((box.x1 + box.x2) / 2 / clip.frame.width, (box.y1 + box.y2) / 2 / clip.frame.height, language),
          ),
        ),
      ]
      return places.length > LINES
        ? null
        : { text: `${capital(places.join(', '))}.`, value: places.join(', '), evidence, confidence: least }
    }
    case 'count': {
      const moments = [...new Set(lines.map(({ line }) => line.from))]
      const most = Math.max(1, ...moments.map((time) => lines.filter(({ line }) => line.from <= time && line.to > time).length))
      // What a person counts as one piece of text may be several lines.
      return {
        text: say(
          `${capital(numberName(most, 'en'))} ${most === 1 ? 'line' : 'lines'} at once.`,
          `${capital(numberName(most, 'de'))}${most === 1 ? 'e Zeile' : ' Zeilen'} zugleich.`,
        ),
        value: most,
        evidence,
        confidence: TRUST.guess,
      }
    }
    default:
      return null
  }
}

function lineColour(lines: readonly TextFact[], asked: Question['colour'], evidence: FactEvidence, language: Language): FactAnswer | null {
  const found = lines.map(({ line }) => dominantColour(line.colours ?? []))
  const [first] = found
  if (!first || found.some((one) => one?.colour !== first.colour)) return null
  const name = colourName(first.colour, language)
  const confidence = Math.min(...lines.map(({ reliability }) => reliability), 0.5 + first.share / 2)
  if (asked === null) return { text: `${capital(name)}.`, value: name, evidence, confidence }
  return yesNo(asked === first.colour, name, evidence, confidence, language)
}

/** From this share of the picture on what its edge shows is what is behind everything; below it, a border. */
const BEHIND = 0.5

/** The colour of a border, or of a plain background, by the edge of the picture. */
export function edgeAnswer(
  { edges, span }: ClipMeasures,
  { asked, edge: named, colour, at, side, nth, total, quantity }: Question,
  language: Language,
): FactAnswer | null {
  if (!edges || named === null || asked !== 'colour' || side !== null || total || nth !== null || quantity !== null) return null
  const moment = at === 'start' ? span.from : at === 'end' ? span.to : at
  const shown = moment === null ? edges : [edges.findLast(({ time }) => time <= moment) ?? edges[0]]
  const [first] = shown
  if (!first?.edge || shown.some((one) => one?.edge?.colour !== first.edge?.colour || isBehind(one) !== isBehind(first))) return null
  if (isBehind(first) !== (named.of === 'background')) return null
  const name = colourName(first.edge.colour, language)
  const evidence = { ...NOTHING, numbers: { share: first.edge.whole } }
  if (colour === null) return { text: `${capital(name)}.`, value: name, evidence, confidence: MEASURED }
  return yesNo(colour === first.edge.colour, name, evidence, MEASURED, language)
}

const isBehind = (sample: EdgeSample | undefined) => (sample?.edge?.whole ?? 0) >= BEHIND

/** Seconds in which at least one of the lines is there. */
function covered(lines: readonly { from: number; to: number }[]): number {
  let [sum, until] = [0, -Infinity]
  for (const { from, to } of lines.toSorted((a, b) => a.from - b.from)) {
    sum += Math.max(0, to - Math.max(from, until))
    until = Math.max(until, to)
  }
  return sum
}

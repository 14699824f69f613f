/** Answers about things that are there: their colour, motion, times, place, order and size. */
import { type Colour, dominantColour } from '../colours.ts'
import { colourName, type Language, nameOf, nounOf, SEEN_THROUGH, theNameOf } from '../words.ts'
import { boxAt, factsOf, firstSeen, thereOf, type ThingFact, trackReliability } from './facts.ts'
import type { Moment, ThingBox, ThingTrack } from './input.ts'
import type { Question } from './question.ts'
import {
  evidenceOf,
  type FactAnswer,
  fromStart,
  isPerson,
  isPlaced,
  isThere,
  momentAt,
  placeOf,
  type Scene,
  shareOf,
  sinceText,
  TRUST,
  wornColours,
} from './scene.ts'
import { capital, listText, motionText, placeText, secondsText, startText, wayText } from './wording.ts'

/**
 * In the picture, one thing is larger than another from this ratio of their areas on, and beside it from this distance on (shares of the
 * picture).
 */
const LARGER = 1.3
const BESIDE = 0.04
/** Seconds: a thing that comes within this of the first one comes at the same time. */
const TOGETHER = 0.3
/** Seconds: if a thing may have come at any time within a gap this long, its arrival was not seen. */
const VAGUE = 2

/** @param tracks Those that the question is about; at least one. */
export function ofThings(read: Question, tracks: readonly ThingTrack[], scene: Scene, language: Language): FactAnswer | null {
  const { asked, at } = read
  const moment = typeof at === 'number' ? { time: at } : at === null ? undefined : momentAt({ ...scene, tracks: [...tracks] }, at)
  const there = moment === undefined ? tracks : tracks.filter((track) => isThere(track, moment, scene))
  if (there.length === 0 && asked !== 'moves') return null
  switch (asked) {
    case 'colour':
      return read.garment === null ? colourAnswer(read, there, scene, language) : wornAnswer(read, there, scene, language)
    case 'direction':
    case 'moves':
      return motionAnswer(read, there, scene, language)
    case 'appear':
    case 'leave':
    case 'long':
      return at === null ? timeAnswer(read, tracks, scene, language) : null
    case 'where':
      return placeAnswer(read, tracks, scene, language)
    case 'order':
      return at === null ? orderAnswer(read, tracks, scene, language) : null
    case 'bigger':
    case 'beside':
      return comparison(read, there, scene, language)
    default:
      return null
  }
}

/** The colours that they have; or whether all of them have the colour that the question names. */
function colourOf(
  { colour, things: askedFor }: Question,
  found: readonly ({ colour: Colour; share: number } | null)[],
  hasNone: (colour: Colour) => boolean,
  tracks: readonly ThingTrack[],
  { things }: Scene,
  language: Language,
): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const named = found.filter((one) => one !== null)
  const same = named.find(({ colour: first }) => named.every((one) => one.colour === first))
  if (!same || named.length < found.length) {
    if (colour !== null || named.length < found.length || named.length === 0) return null
    // "White and red.": the share is of the one that has least of its colour.
    const share = Math.min(...named.map((one) => one.share))
    const several = askedFor.every(({ word, classes }) =>
      classes.some((label) => nounOf(label, language).many.toLowerCase() === word.toLowerCase()),
    )
    const text = listText([...new Set(named.map((one) => colourName(one.colour, language)))], language)
    return {
      text: `${capital(text)}.`,
      value: text,
      evidence: evidenceOf(tracks, null, { share }),
      // Of which one "the car" is said is unclear.
      confidence: several ? Math.min(...tracks.map((track) => trackReliability(track, things)), 0.5 + share / 2) : TRUST.guess,
    }
  }
  const evidence = evidenceOf(tracks, null, { share: same.share })
  const confidence = Math.min(...tracks.map((track) => trackReliability(track, things)), 0.5 + same.share / 2)
  const name = colourName(same.colour, language)
  if (colour === null) return { text: `${capital(name)}.`, value: name, evidence, confidence }
  if (same.colour === colour) return { text: say('Yes.', 'Ja.'), value: true, evidence, confidence }
  return hasNone(colour) ? { text: `${say('No', 'Nein')}, ${name}.`, value: false, evidence, confidence } : null
}

function colourAnswer(read: Question, tracks: readonly ThingTrack[], scene: Scene, language: Language): FactAnswer | null {
  // A person has no colour, and what they wear has several.
  if (tracks.some(isPerson)) return null
  const answer = colourOf(
    read,
    tracks.map((track) => dominantColour(track.colours ?? [])),
    (colour) => tracks.every((track) => shareOf(track, colour) < 0.1),
    tracks,
    scene,
    language,
  )
  // Most of such a box is what stands behind.
  return answer && tracks.some(({ label }) => SEEN_THROUGH.has(label))
    ? { ...answer, confidence: Math.min(answer.confidence, TRUST.guess) }
    : answer
}

/** What a person wears. With several people it is unclear who is meant, so there is no answer. */
function wornAnswer(read: Question, tracks: readonly ThingTrack[], scene: Scene, language: Language): FactAnswer | null {
  const { garment } = read
  const [track] = tracks
  if (!track || tracks.length > 1 || garment === null || !isPerson(track)) return null
  const shares = wornColours(track, garment.half)
  if (shares === null) return null
  return colourOf(read, [dominantColour(shares)], () => false, tracks, scene, language)
}

function thingFacts({ clip, things }: Scene, tracks: readonly ThingTrack[]): ThingFact[] {
  return factsOf({ ...clip, things: { ...things, tracks } }, 0).filter((fact) => fact.kind === 'thing')
}

function motionAnswer(read: Question, tracks: readonly ThingTrack[], scene: Scene, language: Language): FactAnswer | null {
  const { asked, turned } = read
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const facts = thingFacts(scene, tracks)
  const still = facts.every(({ ground }) => ground?.way === 'still')
  const movers = facts.filter(({ motion, ground }) => (ground ?? motion)?.way !== 'still' && (ground ?? motion) !== null)
  const [first] = movers
  // If the camera's motion is unknown, motion in the picture may be the camera's.
  const sure = (fact: ThingFact | undefined, clarity: number) =>
    fact?.ground ? Math.min(trackReliability(fact.track, scene.things), 0.5 + clarity / 2) : TRUST.guess
  if (asked === 'moves' && read.anything) {
    if (turned) return null
    if (first)
      return {
        text: `${say('Yes', 'Ja')}, ${theNameOf(first.label, language)} ${motionText((first.ground ?? first.motion)?.way ?? 'still', false, language)}.`,
        value: true,
        evidence: evidenceOf([first.track], null, {}),
        confidence: sure(first, 0.6),
      }
    const { light } = scene.clip
    const frozen = light.length > 2 && light.every(({ change }) => change === null || change < 0.25)
    // Something without a name may move.
    return frozen
      ? {
          text: say('No, the picture stands still.', 'Nein, das Bild steht still.'),
          value: false,
          evidence: evidenceOf([], null, {}),
          confidence: 0.9,
        }
      : null
  }
  if (facts.length === 0) return null
  if (asked === 'moves') {
    if (facts.length > 1 && movers.length > 0 && movers.length < facts.length) return null
    if (!first && !still) return null
    const moves = first !== undefined
    const yes = moves !== turned
    const many = facts.length > 1
    const label = (first ?? facts[0])?.label ?? ''
    const subject = many ? `${say('the', 'die')} ${nounOf(label, language).many}` : theNameOf(label, language)
    return {
      text: `${yes ? say('Yes', 'Ja') : say('No', 'Nein')}, ${subject} ${motionText((first?.ground ?? first?.motion)?.way ?? 'still', many, language)}.`,
      value: yes,
      evidence: evidenceOf(tracks, null, {}),
      confidence: sure(first ?? facts[0], 0.6),
    }
  }
  if (!first)
    return still
      ? {
          text: capital(`${theNameOf(facts[0]?.label ?? '', language)} ${motionText('still', false, language)}.`),
          value: null,
          evidence: evidenceOf(tracks, null, {}),
          confidence: TRUST.guess,
        }
      : null
  const ways = movers.map(({ motion, ground }) => ground ?? motion)
  const way = ways[0]?.way
  if (way === undefined || ways.some((one) => one?.way !== way)) return null
  const clarity = Math.min(...ways.map((one) => one?.clarity ?? 0))
  // Where the camera follows a thing, it may move one way over the ground and another way in the picture: both are true.
  const agrees = movers.every(({ motion, ground }) => ground === null || motion?.way === ground.way)
  // Of several things, one whose way is not known may have gone another way.
  const allKnown = facts.length === tracks.length && facts.every((fact) => movers.includes(fact) || fact.ground?.way === 'still')
  const value = way === 'back' || way === 'still' ? null : wayText(way, language)
  return {
    text: `${capital(value ?? motionText(way, false, language))}.`,
    value,
    evidence: evidenceOf(
      movers.map(({ track }) => track),
      null,
      { distance: ways[0]?.distance ?? 0, clarity },
    ),
    confidence: agrees && allKnown ? sure(first, clarity) : TRUST.guess,
  }
}

/**
 * When a thing came, and the two moments between which that was. It may have been seen before a stretch in which it was looked for and
 * missed: then it may have come at any time in between. Else its track begins when it came.
 */
function arrival(first: ThingBox, { boxes }: ThingTrack, { clip, things: { looked } }: Scene): { time: number; from: number; to: number } {
  if (isPlaced(first)) return { time: first.time, from: first.time, to: first.time }
  const before = looked.findLast(({ time }) => time < first.time - 1e-6)?.time ?? clip.span.from
  const keyed = (time: number) => boxes.some((box) => Math.abs(box.time - time) < 1e-6)
  const seen = looked.filter(({ time }) => time >= first.time - 1e-6 && keyed(time))
  const [once, again] = seen
  const missed = once && again ? looked.filter(({ time }) => time > once.time && time < again.time && !keyed(time)) : []
  const last = missed.at(-1)
  const middle = (to: number) => ({ time: (before + to) / 2, from: before, to })
  if (once && again && last && missed.length >= MISSED) return middle((last.time + again.time) / 2)
  const between = middle(once?.time ?? first.time)
  return looked.some(({ time }) => Math.abs(time - first.time) < 1e-6) ? between : { ...between, time: first.time }
}

/** A thing that was seen once and then missed on so many frames was perhaps not there yet. */
const MISSED = 2

function timeAnswer({ asked, things }: Question, tracks: readonly ThingTrack[], scene: Scene, language: Language): FactAnswer | null {
  const { clip, things: measured } = scene
  const { looked } = measured
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const there = thereOf(tracks)
  const [first, last] = [there[0], there.at(-1)]
  if (!first || !last) return null
  const score = tracks[0] ? trackReliability(tracks[0], measured) : 0
  if (asked === 'long') {
    const seconds = there.reduce((sum, { from, to }) => sum + to - from, 0)
    return {
      text:
        seconds < 0.05
          ? say(`Less than ${secondsText(0.1, language)}.`, `Weniger als ${secondsText(0.1, language)}.`)
          : say(`About ${secondsText(seconds, language)}.`, `Etwa ${secondsText(seconds, language)}.`),
      value: seconds,
      evidence: evidenceOf(tracks, null, { seconds }),
      confidence: Math.min(score, tracks.length === 1 ? 1 : TRUST.guess),
    }
  }
  // It came or went between two frames that were looked at.
  if (asked === 'appear') {
    const by = tracks.filter((track) => firstSeen(track)?.time === first.from)
    const [track] = by
    const box = track && firstSeen(track)
    if (!track || !box) return null
    const start = fromStart(first.from, by, scene)
    const came = arrival(box, track, scene)
    const time = start ? clip.span.from : came.time
    const evidence = evidenceOf(by, box, { time })
    if (start) return { text: startText(clip.span.from, language), value: time, evidence, confidence: score }
    const span = `${secondsText(came.from, language)} ${say('and', 'und')} ${secondsText(came.to, language)}`
    const vague = came.to - came.from > TOGETHER * 2
    return {
      text: vague
        ? say(`At about ${secondsText(time, language)}, between ${span}.`, `Bei etwa ${secondsText(time, language)}, zwischen ${span}.`)
        : say(`At ${secondsText(time, language)}.`, `Bei ${secondsText(time, language)}.`),
      value: time,
      evidence,
      confidence: came.to - came.from > VAGUE ? Math.min(score, TRUST.guess) : score,
    }
  }
  // "the car leaves" while another one is still there: which one?
  if (tracks.length > 1 && things.length > 0 && there.length > 1) return null
  const after = looked.find(({ time }) => time > last.to + 1e-6)
  const by = tracks.filter(({ boxes }) => boxes.at(-1)?.time === last.to)
  const evidence = evidenceOf(by, by[0]?.boxes.at(-1) ?? null, {})
  const placed = by.every(({ boxes }) => isPlaced(boxes.at(-1)))
  if (placed ? last.to >= clip.span.to - LAST * frameSeconds([...looked, ...tracks.flatMap(({ boxes }) => boxes)]) : !after)
    return { text: say('It is there to the end of the clip.', 'Bis zum Ende des Clips da.'), value: null, evidence, confidence: score }
  const seen = looked.findLast(({ time }) => time <= last.to + 1e-6)
  const time = placed || !after ? last.to : ((seen?.time ?? last.to) + after.time) / 2
  return {
    text: say(`At ${secondsText(time, language)}.`, `Bei ${secondsText(time, language)}.`),
    value: time,
    evidence,
    confidence: score,
  }
}

/** In frames: what a person placed this near to the clip's end stays to its end. */
const LAST = 1.5

/** Seconds of one frame, on the average. */
function frameSeconds(moments: readonly Moment[]): number {
  const [first, ...more] = moments.toSorted((a, b) => a.ordinal - b.ordinal)
  const last = more.at(-1)
  return first && last && last.ordinal > first.ordinal ? (last.time - first.time) / (last.ordinal - first.ordinal) : 0.04
}

function placeAnswer({ at }: Question, tracks: readonly ThingTrack[], { clip, things }: Scene, language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const [track] = tracks
  if (!track || tracks.length > 1) return null
  const confidence = trackReliability(track, things)
  const seen = track.boxes.filter(({ outside }) => outside !== true)
  const key = typeof at === 'number' ? null : at === 'start' ? seen[0] : at === 'end' ? seen.at(-1) : null
  const box = typeof at === 'number' ? boxAt(track, at) : (key?.box ?? null)
  if (at !== null && !box) return null
  const text = (of: { x: number; y: number }) => placeText(of.x, of.y, language)
  const middle = ({ x1, y1, x2, y2 }: { x1: number; y1: number; x2: number; y2: number }) => ({
    x: (x1 + x2) / 2 / clip.frame.width,
    y: (y1 + y2) / 2 / clip.frame.height,
  })
  const evidence = evidenceOf([track], null, {})
  if (box) return { text: `${capital(text(middle(box)))}.`, value: text(middle(box)), evidence, confidence }
  const [from, to] = [seen[0], seen.at(-1)]
  const [began, ended] = [from ? text(middle(from.box)) : '', to ? text(middle(to.box)) : '']
  const mean = text(placeOf(track, clip))
  if (began === ended || mean === began) return { text: `${capital(mean)}.`, value: mean, evidence, confidence }
  return { text: say(`First ${began}, at the end ${ended}.`, `Erst ${began}, am Ende ${ended}.`), value: mean, evidence, confidence }
}

/** What comes first or last: a name, or several that come together. */
function orderAnswer({ nth }: Question, tracks: readonly ThingTrack[], scene: Scene, language: Language): FactAnswer | null {
  const came = tracks
    .flatMap((track) => {
      const first = firstSeen(track)
      return first ? [{ track, first }] : []
    })
    .sort((a, b) => a.first.time - b.first.time)
  const chosen = nth === -1 ? came.at(-1) : came[0]
  if (!chosen) return null
  const { time } = chosen.first
  const together = came.filter(({ first }) => Math.abs(first.time - time) <= TOGETHER).map(({ track }) => track)
  const labels = [...Map.groupBy(together, ({ label }) => label)]
  const names = listText(
    labels.map(([label, of]) => nameOf(label, of.length, language)),
    language,
  )
  return {
    text: `${capital(names)}, ${sinceText(time, [chosen.track], scene, language).replace(/^(first|zuerst) /, '')}.`,
    value: labels.map(([label]) => nounOf(label, language).one).join(', '),
    evidence: evidenceOf(together, chosen.first, { time }),
    confidence: Math.min(...together.map((track) => trackReliability(track, scene.things))),
  }
}

/** Compares one thing with another, or finds the largest of several, in the picture. */
function comparison(
  { asked: kind, relation, things: asked, colour }: Question,
  tracks: readonly ThingTrack[],
  scene: Scene,
  language: Language,
): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const [one, other] = asked
  if (!one || !other || asked.length > 2 || (relation === null && kind !== 'bigger') || colour !== null) return null
  const of = ({ classes }: (typeof asked)[number]) => tracks.filter(({ label }) => classes.includes(label))
  const [[a, ...moreA], [b, ...moreB]] = [of(one), of(other)]
  // With several of a kind it is unclear which one is meant.
  if (!a || !b || moreA.length > 0 || moreB.length > 0 || a === b) return null
  const evidence = evidenceOf([a, b], null, {})
  const confidence = Math.min(trackReliability(a, scene.things), trackReliability(b, scene.things))
  const facts = thingFacts(scene, [a, b])
  const [first, second] = [facts.find(({ track }) => track === a), facts.find(({ track }) => track === b)]
  if (!first || !second) return null
  if (kind === 'bigger') {
    const ratio = first.area / Math.max(second.area, 1e-9)
    if (ratio < LARGER && ratio > 1 / LARGER)
      return {
        text: say('About the same size in the picture.', 'Im Bild etwa gleich groß.'),
        value: null,
        evidence,
        confidence: TRUST.guess,
      }
    const larger = ratio > 1 ? a : b
    const told = `${theNameOf(larger.label, language)} ${say('is larger in the picture', 'ist im Bild größer')}`
    if (relation === null) return { text: `${capital(told)}.`, value: nounOf(larger.label, language).one, evidence, confidence }
    const yes = (larger === a) === (relation === 'bigger')
    return { text: `${yes ? say('Yes', 'Ja') : say('No', 'Nein')}, ${told}.`, value: yes, evidence, confidence }
  }
  const distance =
    relation === 'left'
      ? second.x - first.x
      : relation === 'right'
        ? first.x - second.x
        : relation === 'above'
          ? second.y - first.y
          : first.y - second.y
  if (Math.abs(distance) < BESIDE) return null
  const yes = distance > 0
  return {
    text: `${yes ? say('Yes', 'Ja') : say('No', 'Nein')}.`,
    value: yes,
    evidence,
    confidence: first.to < second.from || second.to < first.from ? TRUST.guess : confidence,
  }
}

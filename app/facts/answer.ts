/** Answers to questions about one clip from what was measured of it: sure ones, unsure ones, and none rather than a wrong one. */
import { type Colour, COLOURS, dominantColour } from '../colours.ts'
import { classesOf, colourName, isThing, type Language, nameOf, nearestWords, nounOf, theNameOf } from '../words.ts'
import { quoted } from './caption.ts'
import { boxAt, certaintyOf, countsOf, coveredShare, type FactEvidence, factsOf, mostOf, thereOf, type ThingFact } from './facts.ts'
import type { ClipMeasures, Moment, Things, ThingTrack } from './input.ts'
import { type Asked, type AskedThing, languageOf, type Question, readQuestion } from './question.ts'
import { cameraText, capital, listText, motionText, placeText, secondsText, wayText } from './wording.ts'

/** `value`: the bare answer, for tables: a number (a count, seconds of the video), yes or no, or a word in the answer's language. */
export interface FactAnswer {
  text: string
  value: string | number | boolean | null
  evidence: FactEvidence
  /** How often such an answer is right, 0..1. Below `SURE` it is shown as not sure. */
  confidence: number
}

/** The detector does not know the word. `nearest`: classes that it knows. */
export interface CannotSee {
  cannot: string
  word: string
  nearest: string[]
}

export const SURE = 0.7

/** An absent class has no box above this in the whole clip. */
const ABSENT_BELOW = 0.35
/** Pixels: on a smaller picture nothing can be told to be absent. */
const LEAST_SIDE = 100
/** Seconds by which a time may miss a clip that is meant. */
const CLIP_EDGE = 0.25
/** Confidence of answers by how they were come by. */
const TRUST = { absent: 0.9, hedged: 0.45, guess: 0.5 }
/** Who asks how many there are has seen some. */
const NONE_AT_ALL = 0.6
/** A track has a colour that was asked for from this share on. */
const HAS_COLOUR = 0.3
/** Boxes of one name that cover each other this much may show one thing twice. */
const TWICE = 0.5
/** Words for whatever there is: no class, and no word to be refused. */
const ANYTHING = /^(items?|objects?|things?|stuff|elements?|way|kind|sort|text|writing|captions?|subtitles?|schrift|untertitel|(gegenst[aä]nde?|dinge?|objekte?|sachen?|art|weise))$/i
/** What needs no detector. */
const WITHOUT_THINGS: ReadonlySet<Asked> = new Set<Asked>(['camera', 'camera-way', 'text', 'text-what', 'dark', 'frozen', 'length'])

const NOTHING: FactEvidence = { frames: [], boxes: [], numbers: {} }

/**
 * Answer a question in free words about a clip.
 *
 * @param language Of the answer; that of the question unless given.
 * @returns Null where facts do not answer it, which is not the same as "no".
 */
export function answerFrom(clip: ClipMeasures, question: string, language: Language = languageOf(question)): FactAnswer | CannotSee | null {
  const known = clip.things?.known ?? []
  const read = readQuestion(question, known)
  if (!read) return null
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  // Of a time that is not in the clip nothing is known here.
  if (typeof read.at === 'number' && (read.at < clip.span.from - CLIP_EDGE || read.at > clip.span.to + CLIP_EDGE)) return null
  if (WITHOUT_THINGS.has(read.asked)) return read.left.length > 0 || read.things.length > 0 ? null : answerOfPicture(clip, read, language)
  if (!clip.things) return null
  if (read.things.length === 0) {
    if (read.asked === 'what' && read.left.length === 0) return whatIsThere(clip, null, language)
    return read.asked === 'what' ? null : refused(read, known, language)
  }
  const scene = sceneOf(clip, clip.things, read.things)
  if (read.left.length > 0) {
    // Where there is no person at all, none walks.
    return read.asked === 'presence' && scene.tracks.length === 0 ? presence(scene, read, language) : null
  }
  switch (read.asked) {
    case 'presence':
      return presence(scene, read, language)
    case 'count':
      return count(scene, read, language)
    case 'what':
      return whatIsThere(clip, read.things, language)
    default:
      break
  }
  if (scene.tracks.length === 0) return null
  const chosen = choose(scene, read)
  if (chosen.length === 0) return null
  const answer = ofThings(read, chosen, scene, language)
  if (answer === null) return null
  // "the man": a person that may be a woman.
  const hedge = read.things.some(({ wider }) => wider)
  return hedge ? { ...answer, confidence: Math.min(answer.confidence, chosen.length === 1 ? SURE : TRUST.hedged), text: chosen.length === 1 ? answer.text : `${answer.text} ${say('(not only of what was asked)', '(nicht nur von dem, was gefragt war)')}` } : answer
}

function refused({ left, asked }: Question, known: readonly string[], language: Language): CannotSee | null {
  const word = left.find((one) => isThing(one) && classesOf(one, known) === null) ?? (asked === 'presence' || asked === 'count' ? left.at(-1) : left[0])
  if (word === undefined || ANYTHING.test(word)) return null
  const nearest = nearestWords(word, known)
  const list = nearest.map((name) => nounOf(name, language).one).join(', ')
  const cannot = language === 'en' ? `This pack cannot see “${word}”` : `Dieses Paket kann „${word}“ nicht sehen`
  return { cannot: nearest.length === 0 ? `${cannot}.` : language === 'en' ? `${cannot}; nearest that it can: ${list}.` : `${cannot}; am nächsten kommt: ${list}.`, word, nearest }
}

/** The tracks that a question is about. */
interface Scene {
  clip: ClipMeasures
  things: Things
  asked: readonly AskedThing[]
  classes: string[]
  /** From the threshold for what is asked for, best first. */
  tracks: ThingTrack[]
  /** The best score of what might be one all the same: of boxes, and of tracks below the threshold. */
  doubt: number
}

function sceneOf(clip: ClipMeasures, things: Things, asked: readonly AskedThing[]): Scene {
  const classes = [...new Set(asked.flatMap((thing) => thing.classes))]
  const own = things.tracks.filter(({ label }) => classes.includes(label)).sort((a, b) => b.score - a.score)
  const doubt = Math.max(0, ...classes.map((name) => things.weak[name] ?? 0))
  return { clip, things, asked, classes, tracks: own.filter(({ score }) => score >= things.asked), doubt }
}

/** Those of the tracks that have the colour, the place and the turn that the question tells. */
function choose({ clip, tracks }: Scene, { colour, side, asked, nth }: Question): ThingTrack[] {
  const coloured = colour === null || asked === 'colour' ? tracks : tracks.filter((track) => shareOf(track, colour) >= HAS_COLOUR)
  if (nth !== null) return coloured.toSorted((a, b) => (a.boxes[0]?.time ?? 0) - (b.boxes[0]?.time ?? 0)).slice(nth - 1, nth)
  if (side === null || coloured.length < 2) return [...coloured]
  const place = (track: ThingTrack) => {
    const { x, y } = placeOf(track, clip)
    return side === 'left' ? -x : side === 'right' ? x : side === 'top' ? -y : y
  }
  return coloured.toSorted((a, b) => place(b) - place(a)).slice(0, 1)
}

function shareOf({ colours = [] }: ThingTrack, colour: Colour): number {
  return colours[COLOURS.indexOf(colour)] ?? 0
}

function placeOf({ boxes }: ThingTrack, { frame }: ClipMeasures): { x: number; y: number } {
  const seen = boxes.filter(({ outside }) => outside !== true)
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
  return { x: mean(seen.map(({ box }) => (box.x1 + box.x2) / 2)) / frame.width, y: mean(seen.map(({ box }) => (box.y1 + box.y2) / 2)) / frame.height }
}

function evidenceOf(tracks: readonly ThingTrack[], at: Moment | null, numbers: Record<string, number>): FactEvidence {
  const boxes = tracks.flatMap((track) => {
    const key = at ?? track.boxes.filter(({ outside }) => outside !== true).toSorted((a, b) => (b.score ?? 1) - (a.score ?? 1))[0]
    const box = key ? boxAt(track, key.time) : null
    return key && box ? [{ ordinal: key.ordinal, time: key.time, box }] : []
  })
  const frames = [...new Map(boxes.map(({ ordinal, time }) => [ordinal, { ordinal, time }])).values()]
  return { frames: at && frames.length === 0 ? [{ ordinal: at.ordinal, time: at.time }] : frames, boxes, numbers }
}

/** What the question called the things, for an answer: its own word where it has one meaning, else the class. */
function calledMany(scene: Scene, language: Language): string {
  return listText(scene.asked.map(({ classes, word, narrower }) => (classes.length === 1 && !narrower ? nounOf(classes[0] ?? word, language).many : word)), language)
}

function presence(scene: Scene, { colour, at }: Question, language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  if (at !== null) return presenceAt(scene, at, language)
  const found = colour === null ? scene.tracks : scene.tracks.filter((track) => shareOf(track, colour) >= HAS_COLOUR)
  // "cats and dogs": both must be there.
  const best = found[0]
  if (best) {
    if (scene.asked.length > 1 && !scene.asked.every(({ classes }) => found.some(({ label }) => classes.includes(label)))) return null
    const what = nameOf(best.label, 1, language, colour ?? undefined)
    const wider = scene.asked.find((thing) => thing.wider)
    const from = best.boxes[0]?.time ?? 0
    const evidence = evidenceOf([best], null, { score: best.score })
    if (wider) return { text: say(`There is ${what}; whether that is “${wider.word}” cannot be told.`, `Zu sehen ist ${what}; ob das „${wider.word}“ ist, ist nicht zu sagen.`), value: null, evidence, confidence: TRUST.hedged }
    const first = from > (scene.things.looked[0]?.time ?? 0) ? say(`, first seen at ${secondsText(from, language)}`, `, zuerst gesehen bei ${secondsText(from, language)}`) : ''
    return { text: `${say('Yes', 'Ja')}, ${what}${first}.`, value: true, evidence, confidence: certaintyOf(best, scene.things) }
  }
  if (colour !== null && scene.tracks.length > 0) return null
  return { text: say(`No ${calledMany(scene, language)} were seen.`, `Keine ${calledMany(scene, language)} gesehen.`), value: false, evidence: { ...NOTHING, numbers: { best: scene.doubt } }, confidence: absence(scene) }
}

/** Whether one is there at a moment. That none is seen just then is less sure than that none is ever seen. */
function presenceAt(scene: Scene, at: number | 'start' | 'end', language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  if (scene.asked.length > 1 || scene.asked.some(({ wider }) => wider)) return null
  const { looked } = scene.things
  const moment = at === 'start' ? looked[0] : at === 'end' ? looked.at(-1) : looked.toSorted((a, b) => Math.abs(a.time - at) - Math.abs(b.time - at))[0]
  if (moment === undefined) return null
  const when = secondsText(moment.time, language)
  const there = scene.tracks.filter((track) => boxAt(track, moment.time) !== null)
  const [best] = there
  if (best) return { text: say(`Yes, ${nameOf(best.label, 1, language)} at ${when}.`, `Ja, ${nameOf(best.label, 1, language)} bei ${when}.`), value: true, evidence: evidenceOf([best], moment, { score: best.score }), confidence: certaintyOf(best, scene.things) }
  const confidence = scene.tracks.length === 0 ? absence(scene) : TRUST.guess
  return { text: say(`No ${calledMany(scene, language)} were seen at ${when}.`, `Keine ${calledMany(scene, language)} bei ${when} gesehen.`), value: false, evidence: { ...NOTHING, numbers: { best: scene.doubt } }, confidence }
}

/** How sure it is that there is none: less where weak boxes were seen, and where the word means more than the classes that are known. */
function absence({ doubt, asked, things, clip: { frame } }: Scene): number {
  if (things.looked.length === 0) return 0
  return Math.min(frame.width, frame.height) < LEAST_SIDE || doubt >= ABSENT_BELOW || asked.some(({ narrower }) => narrower) ? TRUST.guess : TRUST.absent
}

function count(scene: Scene, read: Question, language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const { things, asked } = scene
  const { colour, at, total, side } = read
  if (side !== null || read.nth !== null || asked.some(({ wider }) => wider)) return null
  const tracks = colour === null ? scene.tracks : scene.tracks.filter((track) => shareOf(track, colour) >= HAS_COLOUR)
  if (tracks.length === 0) {
    if (scene.tracks.length > 0) return null
    return { text: say(`No ${calledMany(scene, language)} were seen.`, `Keine ${calledMany(scene, language)} gesehen.`), value: 0, evidence: { ...NOTHING, numbers: { best: scene.doubt } }, confidence: Math.min(NONE_AT_ALL, absence(scene)) }
  }
  /** "two dogs and one cat" */
  const name = (present: readonly ThingTrack[], number: number) => {
    const labels = [...Map.groupBy(present, ({ label }) => label)].map(([label, of]) => [label, of.length] as const)
    const told = labels.length > 1 ? labels : [[present[0]?.label ?? tracks[0]?.label ?? '', number] as const]
    return listText(told.map(([label, of]) => nameOf(label, of, language, colour ?? undefined).replace(/^an? /, 'one ')), language)
  }
  // What the word means and the detector does not know was not counted.
  const most = asked.some(({ narrower }) => narrower) ? TRUST.guess : 1
  // One that may be none makes the number a guess.
  const sure = (present: readonly ThingTrack[], moment?: Moment) => {
    const boxes = moment ? present.map((track) => ({ label: track.label, box: boxAt(track, moment.time) })) : []
    const twice = boxes.some((a, i) => boxes.slice(i + 1).some((b) => a.label === b.label && a.box && b.box && coveredShare(a.box, b.box) >= TWICE))
    return present.length === 0 || twice ? TRUST.guess : Math.min(most, ...present.map((track) => certaintyOf(track, things)))
  }
  if (total) return { text: say(`${capital(name(tracks, tracks.length))} in total.`, `Insgesamt ${name(tracks, tracks.length)}.`), value: tracks.length, evidence: evidenceOf(tracks, null, { distinct: tracks.length }), confidence: tracks.length === 1 ? sure(tracks) : Math.min(sure(tracks), TRUST.guess) }
  const counts = countsOf(tracks, things.looked)
  const moment = at === null ? null : at === 'start' ? counts[0] : at === 'end' ? counts.at(-1) : counts.toSorted((a, b) => Math.abs(a.time - at) - Math.abs(b.time - at))[0]
  if (moment) {
    const present = tracks.filter((track) => boxAt(track, moment.time) !== null)
    return { text: say(`${capital(name(present, moment.count))} at ${secondsText(moment.time, language)}.`, `${capital(name(present, moment.count))} bei ${secondsText(moment.time, language)}.`), value: moment.count, evidence: evidenceOf(present, moment, { count: moment.count }), confidence: sure(present, moment) }
  }
  const best = mostOf(counts)
  const number = Math.max(1, best.most)
  const present = tracks.filter((track) => boxAt(track, best.at.time) !== null)
  return { text: say(`${capital(name(present, number))} at most at once, first at ${secondsText(best.at.time, language)}.`, `Höchstens ${name(present, number)} gleichzeitig, zuerst bei ${secondsText(best.at.time, language)}.`), value: number, evidence: evidenceOf(present, best.at, { most: number }), confidence: sure(present, best.at) }
}

/** The animals, the vehicles, or all that is there. */
function whatIsThere(clip: ClipMeasures, asked: readonly AskedThing[] | null, language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  // Which dog it is, nobody knows.
  if (asked?.some(({ narrower, wider }) => wider || !narrower) === true || !clip.things) return null
  const classes = asked?.flatMap((thing) => thing.classes) ?? clip.things.known
  const names = factsOf(clip).flatMap((fact) => (fact.kind === 'name' && classes.includes(fact.label) ? [fact] : []))
  const confidence = Math.min(1, ...names.map(({ reliability }) => reliability))
  if (names.length === 0) return asked === null ? null : { text: say('None that this pack knows.', 'Nichts, das dieses Paket kennt.'), value: null, evidence: NOTHING, confidence: TRUST.guess }
  return {
    text: `${capital(listText(names.map(({ label, most }) => nameOf(label, most, language)), language))}.`,
    value: names.map(({ label }) => nounOf(label, language).one).join(', '),
    evidence: { frames: names.flatMap(({ evidence }) => evidence.frames), boxes: names.flatMap(({ evidence }) => evidence.boxes), numbers: {} },
    confidence,
  }
}

/** Questions about things that are there: colour, motion, time and place. */
function ofThings(read: Question, tracks: readonly ThingTrack[], scene: Scene, language: Language): FactAnswer | null {
  switch (read.asked) {
    case 'colour':
      return colourAnswer(read, tracks, scene, language)
    case 'direction':
    case 'moves':
      return motionAnswer(read, tracks, scene, language)
    case 'appear':
    case 'leave':
    case 'long':
      return timeAnswer(read, tracks, scene, language)
    case 'where':
      return placeAnswer(read, tracks, scene, language)
    default:
      return null
  }
}

function colourAnswer({ colour, at }: Question, all: readonly ThingTrack[], { things }: Scene, language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const tracks = typeof at === 'number' ? all.filter((track) => boxAt(track, at) !== null) : all
  const first = tracks[0]
  // A person has no colour, and what they wear has several.
  if (!first || at === 'start' || at === 'end' || tracks.some(({ label }) => label === 'person')) return null
  const found = tracks.map((track) => dominantColour(track.colours ?? []))
  const same = found.every((one) => one !== null && one.colour === found[0]?.colour) ? (found[0] ?? null) : null
  const evidence = evidenceOf(tracks, null, same ? { share: same.share } : {})
  const sure = (share: number) => Math.min(certaintyOf(first, things), 0.5 + share / 2)
  if (colour !== null) {
    if (same?.colour === colour) return { text: say('Yes.', 'Ja.'), value: true, evidence, confidence: sure(same.share) }
    return same && tracks.every((track) => shareOf(track, colour) < 0.1) ? { text: say(`No, ${colourName(same.colour, 'en')}.`, `Nein, ${colourName(same.colour, 'de')}.`), value: false, evidence, confidence: sure(same.share) } : null
  }
  if (!same) return null
  const name = colourName(same.colour, language)
  return { text: `${capital(name)}.`, value: name, evidence, confidence: sure(same.share) }
}

function thingFacts({ clip, things }: Scene, tracks: readonly ThingTrack[]): ThingFact[] {
  return factsOf({ ...clip, things: { ...things, tracks } }, 0).filter((fact) => fact.kind === 'thing')
}

function motionAnswer({ asked, turned }: Question, tracks: readonly ThingTrack[], scene: Scene, language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const facts = thingFacts(scene, tracks)
  const still = facts.every(({ ground }) => ground?.way === 'still')
  const movers = facts.filter(({ motion, ground }) => (ground ?? motion)?.way !== 'still' && (ground ?? motion) !== null)
  const [first] = movers
  // Where the camera's motion is not known, motion in the picture may be its.
  const sure = (fact: ThingFact | undefined, clarity: number) => (fact?.ground ? Math.min(fact.reliability, 0.5 + clarity / 2) : TRUST.guess)
  if (asked === 'moves') {
    if (facts.length > 1 && movers.length > 0 && movers.length < facts.length) return null
    if (!first && !still) return null
    const moves = first !== undefined
    const yes = moves !== turned
    const many = facts.length > 1
    const label = (first ?? facts[0])?.label ?? ''
    const subject = many ? `${say('the', 'die')} ${nounOf(label, language).many}` : theNameOf(label, language)
    return { text: `${yes ? say('Yes', 'Ja') : say('No', 'Nein')}, ${subject} ${motionText((first?.ground ?? first?.motion)?.way ?? 'still', many, language)}.`, value: yes, evidence: evidenceOf(tracks, null, {}), confidence: sure(first ?? facts[0], 0.6) }
  }
  if (!first) return still ? { text: capital(`${theNameOf(facts[0]?.label ?? '', language)} ${motionText('still', false, language)}.`), value: null, evidence: evidenceOf(tracks, null, {}), confidence: TRUST.guess } : null
  const ways = movers.map(({ motion, ground }) => ground ?? motion)
  const way = ways[0]?.way
  if (way === undefined || ways.some((one) => one?.way !== way)) return null
  const clarity = Math.min(...ways.map((one) => one?.clarity ?? 0))
  // Over the ground and in the picture it goes two ways where the camera follows: both are true.
  const agrees = movers.every(({ motion, ground }) => ground === null || motion?.way === ground.way)
  const value = way === 'back' || way === 'still' ? null : wayText(way, language)
  return { text: `${capital(value ?? motionText(way, false, language))}.`, value, evidence: evidenceOf(movers.map(({ track }) => track), null, { distance: ways[0]?.distance ?? 0, clarity }), confidence: agrees ? sure(first, clarity) : TRUST.guess }
}

function timeAnswer({ asked, things }: Question, tracks: readonly ThingTrack[], { clip, things: measured }: Scene, language: Language): FactAnswer | null {
  const { looked } = measured
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const there = thereOf(tracks)
  const [first, last] = [there[0], there.at(-1)]
  if (!first || !last) return null
  const score = tracks[0] ? certaintyOf(tracks[0], measured) : 0
  if (asked === 'long') {
    const seconds = there.reduce((sum, { from, to }) => sum + to - from, 0)
    return { text: say(`About ${secondsText(seconds, language)}.`, `Etwa ${secondsText(seconds, language)}.`), value: seconds, evidence: evidenceOf(tracks, null, { seconds }), confidence: Math.min(score, tracks.length === 1 ? 1 : TRUST.guess) }
  }
  // It came or went between two frames that were looked at.
  if (asked === 'appear') {
    const before = looked.findLast(({ time }) => time < first.from - 1e-6)
    const time = before ? (before.time + first.from) / 2 : clip.span.from
    const by = tracks.filter(({ boxes }) => boxes[0]?.time === first.from)
    const evidence = evidenceOf(by, by[0]?.boxes[0] ?? null, { time })
    return { text: before ? say(`At ${secondsText(time, language)}.`, `Bei ${secondsText(time, language)}.`) : say('It is there from the start.', 'Von Anfang an.'), value: time, evidence, confidence: score }
  }
  // "the car leaves" while another one is still there: which one?
  if (tracks.length > 1 && things.length > 0 && there.length > 1) return null
  const after = looked.find(({ time }) => time > last.to + 1e-6)
  const by = tracks.filter(({ boxes }) => boxes.at(-1)?.time === last.to)
  const evidence = evidenceOf(by, by[0]?.boxes.at(-1) ?? null, {})
  if (!after) return { text: say('It is there to the end.', 'Bis zum Ende da.'), value: null, evidence, confidence: score }
  const time = (after.time + last.to) / 2
  return { text: say(`At ${secondsText(time, language)}.`, `Bei ${secondsText(time, language)}.`), value: time, evidence, confidence: score }
}

function placeAnswer({ at }: Question, tracks: readonly ThingTrack[], { clip, things }: Scene, language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const [track] = tracks
  if (!track || tracks.length > 1) return null
  const confidence = certaintyOf(track, things)
  const seen = track.boxes.filter(({ outside }) => outside !== true)
  const key = typeof at === 'number' ? null : at === 'start' ? seen[0] : at === 'end' ? seen.at(-1) : null
  const box = typeof at === 'number' ? boxAt(track, at) : (key?.box ?? null)
  if (at !== null && !box) return null
  const text = (of: { x: number; y: number }) => placeText(of.x, of.y, language)
  const middle = ({ x1, y1, x2, y2 }: { x1: number; y1: number; x2: number; y2: number }) => ({ x: (x1 + x2) / 2 / clip.frame.width, y: (y1 + y2) / 2 / clip.frame.height })
  const evidence = evidenceOf([track], null, {})
  if (box) return { text: `${capital(text(middle(box)))}.`, value: text(middle(box)), evidence, confidence }
  const [from, to] = [seen[0], seen.at(-1)]
  const [began, ended] = [from ? text(middle(from.box)) : '', to ? text(middle(to.box)) : '']
  const mean = text(placeOf(track, clip))
  if (began === ended || mean === began) return { text: `${capital(mean)}.`, value: mean, evidence, confidence }
  return { text: say(`First ${began}, at the end ${ended}.`, `Erst ${began}, am Ende ${ended}.`), value: mean, evidence, confidence }
}

/** Questions about the camera, the light, the text and the length of the clip. */
function answerOfPicture(clip: ClipMeasures, { asked, turned }: Question, language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const yesNo = (yes: boolean, why: string, evidence: FactEvidence, confidence: number): FactAnswer => ({ text: `${yes ? say('Yes', 'Ja') : say('No', 'Nein')}, ${why}.`, value: yes, evidence, confidence })
  const facts = factsOf({ ...clip, things: null })
  const camera = facts.find((fact) => fact.kind === 'camera')
  switch (asked) {
    case 'camera':
    case 'camera-way': {
      const text = camera ? cameraText(camera.motion, language) : null
      if (!camera || text === null) return null
      const moves = camera.motion.moves === true
      if (asked === 'camera') return yesNo(moves !== turned, text, camera.evidence, camera.reliability)
      return { text: `${capital(text)}.`, value: text, evidence: camera.evidence, confidence: moves && camera.motion.swings.length === 0 && !camera.motion.shakes ? TRUST.guess : camera.reliability }
    }
    case 'text':
    case 'text-what': {
      if (!clip.lines) return null
      const lines = facts.flatMap((fact) => (fact.kind === 'text' ? [fact] : []))
      const evidence = { frames: lines.flatMap((line) => line.evidence.frames), boxes: lines.flatMap((line) => line.evidence.boxes), numbers: { lines: lines.length } }
      const said = [...new Set(lines.map(({ line }) => line.text))]
      if (lines.length === 0) return { text: say('No text was read.', 'Kein Text gelesen.'), value: asked === 'text' ? false : null, evidence, confidence: clip.lines.length === 0 ? TRUST.absent : TRUST.guess }
      const confidence = Math.min(...lines.map(({ reliability }) => reliability))
      if (asked === 'text') return yesNo(true, said.slice(0, 3).map((line) => quoted(line, language)).join(', '), evidence, Math.max(...lines.map(({ reliability }) => reliability)))
      return { text: said.join(' / '), value: said.join('\n'), evidence, confidence }
    }
    case 'dark': {
      const level = clip.light.reduce((sum, { mean }) => sum + mean, 0) / Math.max(1, clip.light.length)
      // Between dark and light nobody is right.
      if (clip.light.length === 0 || (level >= 40 && level <= 110)) return null
      const dark = level < 40
      return yesNo(dark !== turned, dark ? say('the picture is dark', 'das Bild ist dunkel') : say('the picture is light', 'das Bild ist hell'), { ...NOTHING, numbers: { level } }, 0.85)
    }
    case 'frozen': {
      const frozen = facts.filter((fact) => fact.kind === 'light' && fact.light === 'frozen')
      if (clip.light.length < 3) return null
      const part = frozen[0]?.kind === 'light' ? `${secondsText(frozen[0].from, language)} – ${secondsText(frozen[0].to, language)}` : say('the picture changes all the time', 'das Bild ändert sich immer')
      return yesNo(frozen.length > 0, part, { ...NOTHING, numbers: { stretches: frozen.length } }, 0.85)
    }
    case 'length': {
      const seconds = clip.span.to - clip.span.from
      return { text: `${secondsText(seconds, language)}.`, value: seconds, evidence: NOTHING, confidence: 1 }
    }
    default:
      return null
  }
}

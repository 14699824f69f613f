/** Answers questions about one clip from what was measured in it: sure answers, unsure ones, and none rather than a wrong one. */
import { dominantColour } from '../colours.ts'
import { classesOf, isPartOfPerson, isThing, type Language, nameOf, nearestWords, nounOf, PERSON, SEEN_THROUGH } from '../words.ts'
import { withAsked } from './asked.ts'
import { edgeAnswer, pictureAnswer, textAnswer } from './answer-picture.ts'
import { ofThings } from './answer-things.ts'
import { countText } from './caption.ts'
import { boxAt, countReliability, factsOf, mayBeMore, mostAtOnce, thereOf, trackReliability, twice } from './facts.ts'
import type { ClipMeasures, Moment, ThingTrack } from './input.ts'
import { motionOf } from './motion.ts'
import { type Asked, languageOf, type Question, readQuestion } from './question.ts'
import { SURE } from './reliability.ts'
import {
  absenceIn,
  calledMany,
  choose,
  evidenceOf,
  type FactAnswer,
  fromStart,
  isPlaced,
  isThere,
  momentAt,
  noneCounted,
  NOTHING,
  ofColour,
  placeOf,
  type Scene,
  sceneOf,
  sinceText,
  TRUST,
  wornColours,
} from './scene.ts'
import { readable, unreadShare, unreadText } from './unread.ts'
import { capital, listText, placeText, secondsText } from './wording.ts'

export { type FactAnswer, SURE }

/** Why there is no answer: the detector does not know the word (`nearest`: classes that it knows), or what was asked was not measured. */
export interface CannotSee {
  cannot: string
  word: string
  nearest: string[]
}

/** Seconds by which a time may lie outside a clip and still be meant for it. */
const CLIP_EDGE = 0.25
/** A clip of which this share could not be read gets no answers. */
const NEARLY_ALL = 0.9
/** If no box of a person scores above this, parts of a person (a hand, a face) are absent. */
const NOBODY = 0.3
/** Left of the first share of the picture's width is "left", right of the second "right"; the same for its height. */
const ASIDE = { before: 0.42, behind: 0.58 }
/** Questions that need no detector. */
const OF_PICTURE: ReadonlySet<Asked> = new Set<Asked>([
  'camera',
  'camera-way',
  'text',
  'text-what',
  'dark',
  'black',
  'day',
  'frozen',
  'length',
  'cuts',
])
/** Words for anything at all ("thing", "object"): they name no class and are not refused. */
const ANYTHING = /^(stuff|elements?|way|kind|sort|art|weise|text|wear|tragen)$/i

/**
 * Answer a question in free words about a clip.
 *
 * @param language Of the answer; default: that of the question.
 * @returns Null where facts do not answer it, which is not the same as "no".
 */
export function answerFrom(
  measured: ClipMeasures,
  question: string,
  language: Language = languageOf(question),
): FactAnswer | CannotSee | null {
  const clip = withAsked(readable(measured), [question])
  const answer = answerOfReadable(clip, question, language)
  const { unread = [] } = clip
  if (unread.length === 0 || answer === null || 'cannot' in answer) return answer
  const lost = unreadText(unread, language)
  if (unreadShare(clip) >= NEARLY_ALL) return { cannot: `${capital(lost)}.`, word: '', nearest: [] }
  // In a clip that is partly unread, what was seen was there all the same; that something was absent, how many there were, when and how
  // they moved may be otherwise.
  const holds = answer.value === true || /^(Yes|Ja)\b/.test(answer.text)
  return {
    ...answer,
    text: `${answer.text} ${capital(lost)}.`,
    confidence: holds ? answer.confidence : Math.min(answer.confidence, TRUST.hedged),
  }
}

function answerOfReadable(clip: ClipMeasures, question: string, language: Language): FactAnswer | CannotSee | null {
  const known = namesIn(clip)
  const read = readQuestion(question, known)
  if (!read) return null
  // Nothing is known here about a time outside the clip.
  if (typeof read.at === 'number' && (read.at < clip.span.from - CLIP_EDGE || read.at > clip.span.to + CLIP_EDGE)) return null
  if (OF_PICTURE.has(read.asked))
    return read.left.length > 0 || read.things.length > 0 || (read.colour !== null && read.asked !== 'black')
      ? null
      : pictureAnswer(clip, read, language)
  if (read.text && read.things.length === 0) return read.left.length > 0 ? null : textAnswer(clip, read, language)
  const ofEdge = read.edge !== null && read.things.length === 0 && read.left.length === 0 ? edgeAnswer(clip, read, language) : null
  if (ofEdge !== null) return ofEdge
  if (!clip.things) return null
  if (read.things.length === 0) {
    // What else is asked about the edge, or of a clip where it has no one colour, is not known: the word is told.
    const left = read.edge === null ? read.left : [...read.left, read.edge.word]
    return withoutName(clip, { ...read, left }, known, language)
  }
  const scene = sceneOf(clip, clip.things, read.things)
  if (read.left.length > 0) {
    // If there is no person at all, none walks.
    return read.asked === 'presence' && scene.tracks.length === 0 && read.quantity === null ? presence(scene, read, language) : null
  }
  return ofNamed(read, scene, language)
}

/** What the detector knows, and what people called things here: those are there, whatever the detector can see. */
function namesIn({ things }: ClipMeasures): string[] {
  const drawn = (things?.tracks ?? []).filter(({ candidate }) => candidate === undefined).map(({ label }) => label)
  return [...new Set([...(things?.known ?? []), ...drawn])]
}

/** A question that names no thing that the detector knows. */
function withoutName(clip: ClipMeasures, read: Question, known: readonly string[], language: Language): FactAnswer | CannotSee | null {
  const { asked, left, colour } = read
  if (left.length > 0) {
    // "Is there a hand?": there is none if there is nobody. But a person may be seen without a face.
    if (
      asked === 'presence' &&
      colour === null &&
      read.at === null &&
      clip.things &&
      known.includes(PERSON) &&
      left.every(isPartOfPerson)
    ) {
      const word = left.at(-1) ?? ''
      const scene = sceneOf(clip, clip.things, [{ classes: [PERSON], wider: false, narrower: false, word }])
      if (scene.tracks.length === 0 && scene.doubt < NOBODY)
        return {
          text: language === 'en' ? `No: nobody was seen, so no ${word}.` : `Nein: niemand gesehen, also auch „${word}“ nicht.`,
          value: false,
          evidence: { ...NOTHING, numbers: { best: scene.doubt } },
          confidence: absenceIn(scene),
        }
    }
    return asked === 'what' || asked === 'order' || asked === 'who' ? null : refused(read, known, language)
  }
  if (colour !== null || !clip.things) return null
  switch (asked) {
    case 'what':
      return read.relation === null && read.at === null && read.side === null ? whatIsThere(clip, null, language) : null
    case 'who':
      return read.at === null && read.side === null
        ? who(
            sceneOf(clip, clip.things, [
              { classes: [PERSON], wider: false, narrower: false, word: language === 'en' ? 'people' : 'Personen' },
            ]),
            language,
          )
        : null
    case 'order':
    case 'moves':
      return read.anything || asked === 'order'
        ? ofThings(
            read,
            clip.things.tracks.filter(({ score }) => score >= (clip.things?.volunteered ?? 1)),
            sceneOf(clip, clip.things, []),
            language,
          )
        : null
    default:
      return null
  }
}

/** A question about things that the detector knows, with every word understood. */
function ofNamed(read: Question, scene: Scene, language: Language): FactAnswer | CannotSee | null {
  return toldOfNamed(read, scene, language) ?? unmeasured(read, scene, language)
}

/** What boxes that a person drew do not tell, and the question asks. */
function unmeasured(read: Question, scene: Scene, language: Language): CannotSee | null {
  const { asked, colour, garment } = read
  const drawn = choose(scene, { ...read, colour: null }).filter(({ boxes }) => boxes.some(isPlaced))
  const cannot = (en: string, de: string) => ({ cannot: language === 'en' ? en : de, word: '', nearest: [] })
  if ((asked === 'colour' || colour !== null || garment !== null) && drawn.some(({ colours }) => colours === undefined))
    return cannot('The colour in a drawn box was not measured.', 'Die Farbe in einem gezeichneten Rahmen wurde nicht gemessen.')
  if ((asked === 'moves' || asked === 'direction') && drawn.some((track) => motionOf(track, scene.clip.frame, null) === null))
    return cannot('Too few boxes were drawn to tell a motion.', 'Zu wenige Rahmen sind gezeichnet, um eine Bewegung zu erkennen.')
  return null
}

function toldOfNamed(read: Question, scene: Scene, language: Language): FactAnswer | null {
  const { asked } = read
  if (read.garment !== null && asked !== 'colour' && asked !== 'presence') return null
  switch (asked) {
    case 'presence':
      return read.quantity === null ? presence(scene, read, language) : quantity(scene, read, language)
    case 'count':
      return count(scene, read, language)
    case 'what':
      return read.colour === null && read.at === null && read.side === null ? whatIsThere(scene.clip, read.things, language) : null
    case 'who':
      return null
    default:
      break
  }
  if (scene.tracks.length === 0) return null
  const chosen = choose(scene, read)
  if (chosen.length === 0) return null
  const answer = ofThings(read, chosen, scene, language)
  if (answer === null) return null
  // "the man": a person, who may also be a woman.
  const hedge = read.things.some(({ wider }) => wider)
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  return hedge
    ? {
        ...answer,
        confidence: Math.min(answer.confidence, chosen.length === 1 ? SURE : TRUST.hedged),
        text:
          chosen.length === 1
            ? answer.text
            : `${answer.text} ${say('(not only of what was asked)', '(nicht nur von dem, was gefragt war)')}`,
      }
    : answer
}

function refused({ left, asked }: Question, known: readonly string[], language: Language): CannotSee | null {
  const word =
    left.find((one) => isThing(one) && classesOf(one, known) === null) ??
    (asked === 'presence' || asked === 'count' ? left.at(-1) : left[0])
  if (word === undefined || ANYTHING.test(word)) return null
  const nearest = nearestWords(word, known)
  const list = nearest.map((name) => nounOf(name, language).one).join(', ')
  const cannot = language === 'en' ? `This pack cannot see “${word}”` : `Dieses Paket kann „${word}“ nicht sehen`
  return {
    cannot:
      nearest.length === 0
        ? `${cannot}.`
        : language === 'en'
          ? `${cannot}; nearest that it can: ${list}.`
          : `${cannot}; am nächsten kommt: ${list}.`,
    word,
    nearest,
  }
}

function presence(scene: Scene, read: Question, language: Language): FactAnswer | null {
  const { colour, at, side, garment } = read
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  if (garment !== null) return wearing(scene, read, language)
  if (at !== null) return side === null && colour === null ? presenceAt(scene, at, language) : null
  if (side !== null) return aside(scene, read, side, language)
  const found = colour === null ? scene.tracks : ofColour(scene.tracks, colour, false)
  const plainly = ({ label, colours = [] }: ThingTrack) =>
    colour === null || (dominantColour(colours)?.colour === colour && !SEEN_THROUGH.has(label))
  // "cats and dogs": both must be there.
  const best = found.find(plainly) ?? found[0]
  if (best) {
    if (scene.asked.length > 1 && !scene.asked.every(({ classes }) => found.some(({ label }) => classes.includes(label)))) return null
    const what = nameOf(best.label, 1, language, colour ?? undefined)
    const wider = scene.asked.find((thing) => thing.wider)
    const same = found.filter(({ label }) => label === best.label)
    const from = thereOf(same)[0]?.from
    const evidence = evidenceOf([best], null, { score: best.score })
    if (wider)
      return {
        text: say(
          `There is ${what}; whether that is “${wider.word}” cannot be told.`,
          `Zu sehen ist ${what}; ob das „${wider.word}“ ist, ist nicht zu sagen.`,
        ),
        value: null,
        evidence,
        confidence: TRUST.hedged,
      }
    const first =
      from !== undefined && !fromStart(from, same, scene)
        ? say(`, first seen at ${secondsText(from, language)}`, `, zuerst gesehen bei ${secondsText(from, language)}`)
        : ''
    // It has the colour among others, of which none stands out.
    const confidence = Math.min(trackReliability(best, scene.things), plainly(best) ? 1 : TRUST.guess)
    return { text: `${say('Yes', 'Ja')}, ${what}${first}.`, value: true, evidence, confidence }
  }
  if (colour !== null && scene.tracks.length > 0) return null
  return none(scene, language)
}

function none(scene: Scene, language: Language): FactAnswer {
  const many = calledMany(scene, language)
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  // Of a word that is no name of a class neither the plural nor the gender is known.
  const isName = scene.asked.every(({ classes, narrower }) => classes.length === 1 && !narrower)
  return {
    text: isName
      ? say(`No ${many} were seen.`, `Keine ${many} gesehen.`)
      : say(`No: nothing like “${many}” was seen.`, `Nein: nichts wie „${many}“ gesehen.`),
    value: false,
    evidence: { ...NOTHING, numbers: { best: scene.doubt } },
    confidence: absenceIn(scene),
  }
}

/** "Is somebody wearing a red jacket?" Yes if one person is; no only if there is nobody. */
function wearing(scene: Scene, { colour, garment, at, side, things }: Question, language: Language): FactAnswer | null {
  if (scene.tracks.length === 0) return none(scene, language)
  if (colour === null || garment === null || at !== null || side !== null || things.some(({ wider }) => wider)) return null
  for (const track of scene.tracks) {
    const worn = dominantColour(wornColours(track, garment.half) ?? [])
    // It cannot be seen whether the red is a jacket or a shirt.
    if (worn?.colour === colour)
      return {
        text: language === 'en' ? `Yes, a person in something ${colour}.` : `Ja, eine Person in dieser Farbe.`,
        value: true,
        evidence: evidenceOf([track], null, { share: worn.share }),
        confidence: TRUST.guess,
      }
  }
  return null
}

/** Whether one of them is on a given side of the picture. */
function aside(scene: Scene, { colour }: Question, side: NonNullable<Question['side']>, language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const tracks = colour === null ? scene.tracks : ofColour(scene.tracks, colour, false)
  if (scene.asked.some(({ wider }) => wider) || scene.asked.length > 1) return null
  if (tracks.length === 0) return scene.tracks.length > 0 ? null : none(scene, language)
  const along = (track: ThingTrack) => {
    const { x, y } = placeOf(track, scene.clip)
    return side === 'left' ? x : side === 'right' ? 1 - x : side === 'top' ? y : 1 - y
  }
  const there = tracks.find((track) => along(track) <= ASIDE.before)
  const far = tracks.every((track) => along(track) >= ASIDE.behind)
  const [best] = there ? [there] : tracks
  if (!best || (!there && !far)) return null
  const place = placeOf(best, scene.clip)
  return {
    text: `${there ? say('Yes', 'Ja') : say('No', 'Nein')}, ${nameOf(best.label, 1, language)} ${placeText(place.x, place.y, language)}.`,
    value: there !== undefined,
    evidence: evidenceOf([best], null, place),
    confidence: trackReliability(best, scene.things),
  }
}

/** Whether one of them is there at a moment. "None at that moment" is less sure than "none in the whole clip". */
function presenceAt(scene: Scene, at: number | 'start' | 'end', language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  if (scene.asked.length > 1 || scene.asked.some(({ wider }) => wider)) return null
  const moment = momentAt(scene, at)
  if (moment === undefined) return null
  const when = secondsText(moment.time, language)
  const there = scene.tracks.filter((track) => isThere(track, moment, scene))
  const [best] = there
  if (best)
    return {
      text: say(`Yes, ${nameOf(best.label, 1, language)} at ${when}.`, `Ja, ${nameOf(best.label, 1, language)} bei ${when}.`),
      value: true,
      evidence: evidenceOf([best], moment, { score: best.score }),
      confidence: trackReliability(best, scene.things),
    }
  const confidence = scene.tracks.length === 0 ? absenceIn(scene) : TRUST.guess
  return {
    text: say(`No ${calledMany(scene, language)} were seen at ${when}.`, `Keine ${calledMany(scene, language)} bei ${when} gesehen.`),
    value: false,
    evidence: { ...NOTHING, numbers: { best: scene.doubt } },
    confidence,
  }
}

/**
 * "Are there two dogs?", "is there more than one car?": answered by the most at once. A number that was reached is sure; one that was not
 * reached is less so.
 */
function quantity(scene: Scene, read: Question, language: Language): FactAnswer | null {
  if (read.quantity === null || read.garment !== null) return null
  const counted = count(scene, { ...read, quantity: null }, language)
  if (counted === null || typeof counted.value !== 'number') return null
  const { least, most } = read.quantity
  const yes = counted.value >= least && counted.value <= most
  const text = counted.text.charAt(0).toLowerCase() + counted.text.slice(1)
  return { ...counted, text: `${yes ? (language === 'en' ? 'Yes' : 'Ja') : language === 'en' ? 'No' : 'Nein'}, ${text}`, value: yes }
}

function count(scene: Scene, read: Question, language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  const { things, asked } = scene
  const { colour, at, total, side } = read
  if (side !== null || read.nth !== null || asked.some(({ wider }) => wider)) return null
  const tracks = colour === null ? scene.tracks : ofColour(scene.tracks, colour, false)
  if (tracks.length === 0) {
    if (scene.tracks.length > 0) return null
    return {
      // Not the sentence that answers "is there one?": that is surer than a number.
      text: say(`No ${calledMany(scene, language)} were counted.`, `Keine ${calledMany(scene, language)} gezählt.`),
      value: 0,
      evidence: { ...NOTHING, numbers: { best: scene.doubt } },
      confidence: noneCounted(absenceIn(scene)),
    }
  }
  /** "two dogs and one cat" */
  const name = (present: readonly ThingTrack[], number: number) => {
    const labels = [...Map.groupBy(present, ({ label }) => label)].map(([label, of]) => [label, of.length] as const)
    const told = labels.length > 1 ? labels : [[present[0]?.label ?? tracks[0]?.label ?? '', number] as const]
    return listText(
      told.map(([label, of]) => nameOf(label, of, language, colour ?? undefined).replace(/^an? /, 'one ')),
      language,
    )
  }
  // Things that the word means and the detector does not know were not counted.
  const most = asked.some(({ narrower }) => narrower) || mayBeMore(tracks, things) ? TRUST.guess : 1
  // One doubtful track makes the number a guess.
  const sure = (present: readonly ThingTrack[], moment?: Moment) => {
    const doubled = moment !== undefined && present.some((a, i) => present.slice(i + 1).some((b) => twice(a, b, moment)))
    // Two hands may be one person's.
    const inPart = present.length > 1 && present.some(({ part }) => part === true)
    return present.length === 0 || doubled || inPart
      ? TRUST.guess
      : // That the one thing which somebody asked for is there is as sure as its box; several are no surer than the detector was of each.
        Math.min(most, ...present.map((track) => (present.length === 1 ? trackReliability : countReliability)(track, things)))
  }
  if (total)
    return {
      text: say(`${capital(name(tracks, tracks.length))} in total.`, `Insgesamt ${name(tracks, tracks.length)}.`),
      value: tracks.length,
      evidence: evidenceOf(tracks, null, { distinct: tracks.length }),
      confidence: tracks.length === 1 ? sure(tracks) : Math.min(sure(tracks), TRUST.guess),
    }
  const moment = at === null ? undefined : momentAt(scene, at)
  if (moment) {
    const present = tracks.filter((track) => isThere(track, moment, scene))
    return {
      text: say(
        `${capital(name(present, present.length))} at ${secondsText(moment.time, language)}.`,
        `${capital(name(present, present.length))} bei ${secondsText(moment.time, language)}.`,
      ),
      value: present.length,
      evidence: evidenceOf(present, moment, { count: present.length }),
      confidence: sure(present, moment),
    }
  }
  const best = mostAtOnce(tracks, things.looked)
  if (best === null) return null
  const { most: number, at: reached, from, held } = best
  const present = tracks.filter((track) => boxAt(track, reached.time) !== null)
  const since = sinceText(from, tracks, scene, language)
  return {
    text: say(`${capital(name(present, number))} at most at once, ${since}.`, `Höchstens ${name(present, number)} gleichzeitig, ${since}.`),
    value: number,
    evidence: evidenceOf(present, reached, { most: number }),
    confidence: held ? sure(present, reached) : TRUST.guess,
  }
}

/** The animals, the vehicles, or all that is there. */
function whatIsThere(clip: ClipMeasures, asked: Question['things'] | null, language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  // Nothing here knows which dog it is.
  if (asked?.some(({ narrower, wider }) => wider || !narrower) === true || !clip.things) return null
  const classes = asked?.flatMap((thing) => thing.classes) ?? clip.things.known
  const all = factsOf(clip).flatMap((fact) => (fact.kind === 'name' && classes.includes(fact.label) ? [fact] : []))
  // Names that may be wrong are given only if there is no sure one.
  const sure = all.filter(({ reliability }) => reliability >= SURE)
  const names = sure.length > 0 ? sure : all
  const confidence = Math.min(1, ...names.map(({ reliability }) => reliability))
  if (names.length === 0)
    return asked === null
      ? null
      : {
          text: say('None that this pack knows.', 'Nichts, das dieses Paket kennt.'),
          value: null,
          evidence: NOTHING,
          confidence: TRUST.guess,
        }
  return {
    text: `${capital(
      listText(
        names.map((name) => countText(name, language)),
        language,
      ),
    )}.`,
    value: names.map(({ label }) => nounOf(label, language).one).join(', '),
    evidence: {
      frames: names.flatMap(({ evidence }) => evidence.frames),
      boxes: names.flatMap(({ evidence }) => evidence.boxes),
      numbers: {},
    },
    confidence,
  }
}

/** Who is there: answered by how many people there are, since nothing here knows who they are. */
function who(scene: Scene, language: Language): FactAnswer | null {
  const say = (en: string, de: string) => (language === 'en' ? en : de)
  if (scene.tracks.length === 0) return { ...none(scene, language), text: say('Nobody was seen.', 'Niemand gesehen.'), value: null }
  const reached = mostAtOnce(scene.tracks, scene.things.looked)
  if (reached === null) return null
  const { most, at } = reached
  const present = scene.tracks.filter((track) => boxAt(track, at.time) !== null)
  const name = nameOf(PERSON, most, language)
  return {
    text: `${capital(name)}${say('; who that is cannot be told.', '; wer das ist, ist nicht zu sagen.')}`,
    value: null,
    evidence: evidenceOf(present, at, { most }),
    confidence: Math.min(...(present.length > 0 ? present : scene.tracks).map((track) => trackReliability(track, scene.things))),
  }
}

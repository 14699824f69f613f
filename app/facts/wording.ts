/** How facts are put into words: ways, places, times and lists, in English and German. */
import type { Language } from '../words.ts'
import type { CameraMotion, Swing } from './camera.ts'
import type { LightKind } from './light.ts'
import type { Way } from './motion.ts'

/** 4.4 → "4.4 s", in German "4,4 s". */
export function secondsText(seconds: number, language: Language): string {
  const text = seconds.toFixed(1)
  return `${language === 'de' ? text.replace('.', ',') : text} s`
}

/** Of what is seen or read in a clip from its first moment on. @param from Where the clip begins, in seconds of the video. */
export function startText(from: number, language: Language): string {
  const clip = from > 0.01
  return language === 'en' ? `It is there from the start${clip ? ' of the clip' : ''}.` : `Von Anfang ${clip ? 'des Clips ' : ''}an.`
}

/** "a, b and c". */
export function listText(parts: readonly string[], language: Language): string {
  const last = parts.at(-1) ?? ''
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(', ')} ${language === 'en' ? 'and' : 'und'} ${last}`
}

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const WAYS: Record<Language, Record<Exclude<Way, 'still' | 'back'>, string>> = {
  en: { left: 'to the left', right: 'to the right', up: 'up', down: 'down', nearer: 'nearer', farther: 'away' },
  de: { left: 'nach links', right: 'nach rechts', up: 'nach oben', down: 'nach unten', nearer: 'näher', farther: 'weg' },
}

/** The short answer to "which way": "to the left", "nach links". */
export function wayText(way: Exclude<Way, 'still' | 'back'>, language: Language): string {
  return WAYS[language][way]
}

/** What a thing does, as the verb after its name: "moves to the left", "bewegen sich nach links". */
export function motionText(way: Way, many: boolean, language: Language): string {
  if (language === 'en') {
    if (way === 'still') return many ? 'stay in place' : 'stays in place'
    if (way === 'back') return many ? 'turn back' : 'turns back'
    if (way === 'nearer') return many ? 'come nearer' : 'comes nearer'
    return `${many ? 'move' : 'moves'} ${WAYS.en[way]}`
  }
  if (way === 'still') return many ? 'bleiben am Platz' : 'bleibt am Platz'
  if (way === 'back') return many ? 'kehren um' : 'kehrt um'
  if (way === 'nearer') return many ? 'kommen näher' : 'kommt näher'
  if (way === 'farther') return many ? 'entfernen sich' : 'entfernt sich'
  return `${many ? 'bewegen' : 'bewegt'} sich ${WAYS.de[way]}`
}

const SWINGS: Record<Language, Record<Swing['way'], string>> = {
  // A zoom and a step forward look the same.
  en: {
    left: 'pans to the left',
    right: 'pans to the right',
    up: 'tilts up',
    down: 'tilts down',
    nearer: 'zooms in or moves closer',
    farther: 'zooms out or moves away',
  },
  de: {
    left: 'schwenkt nach links',
    right: 'schwenkt nach rechts',
    up: 'schwenkt nach oben',
    down: 'schwenkt nach unten',
    nearer: 'zoomt heran oder kommt näher',
    farther: 'zoomt weg oder entfernt sich',
  },
}

/** The most swings that are mentioned. */
const TOLD = 2

/** "the camera is still", "the camera pans to the right, then tilts up"; null if unknown. */
export function cameraText({ moves, swings, shakes }: CameraMotion, language: Language): string | null {
  const camera = language === 'en' ? 'the camera' : 'die Kamera'
  if (moves === null) return null
  if (!moves) return language === 'en' ? `${camera} is still` : `${camera} steht still`
  if (shakes) return language === 'en' ? `${camera} shakes` : `${camera} wackelt`
  const told = swings.slice(0, TOLD).sort((a, b) => a.from - b.from)
  if (told.length === 0) return language === 'en' ? `${camera} moves` : `${camera} bewegt sich`
  const [first, ...more] = told.map(({ way }) => SWINGS[language][way])
  // "… schwenkt nach links, dann zoomt sie heran": after "dann" the verb comes before "sie".
  const then = more.map((swing) => (language === 'en' ? `, then ${swing}` : `, dann ${swing.replace(' ', ' sie ')}`))
  return `${camera} ${first}${then.join('')}`
}

const LIGHTS: Record<Language, Record<LightKind, string>> = {
  en: {
    black: 'the picture is black',
    dark: 'the picture is dark',
    bright: 'the picture is bright',
    frozen: 'the picture stands still',
    drawn: 'it looks like a drawing or a slide',
  },
  de: {
    black: 'das Bild ist schwarz',
    dark: 'das Bild ist dunkel',
    bright: 'das Bild ist hell',
    frozen: 'das Bild steht still',
    drawn: 'es sieht nach einer Zeichnung oder einer Folie aus',
  },
}

export function lightText(light: LightKind, language: Language): string {
  return LIGHTS[language][light]
}

/** Where the middle of a thing is, x and y as shares of the picture: "in the upper left", "links oben". */
export function placeText(x: number, y: number, language: Language): string {
  const column = x < 0.36 ? 0 : x <= 0.64 ? 1 : 2
  const row = y < 0.36 ? 0 : y <= 0.64 ? 1 : 2
  if (language === 'en') {
    if (row === 1) return ['on the left', 'in the middle', 'on the right'][column] ?? ''
    return column === 1
      ? row === 0
        ? 'at the top'
        : 'at the bottom'
      : `in the ${row === 0 ? 'upper' : 'lower'} ${column === 0 ? 'left' : 'right'}`
  }
  if (row === 1) return ['links', 'in der Mitte', 'rechts'][column] ?? ''
  const height = row === 0 ? 'oben' : 'unten'
  return column === 1 ? height : `${column === 0 ? 'links' : 'rechts'} ${height}`
}

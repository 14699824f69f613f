/**
 * `node test/text-scores.ts [--lines] [--write]`: how well the pack screen-text reads. On lines drawn over frames of real clips (English, German, other
 * Latin letters, digits; from 3 to 8 % of the picture's height; light, dark, yellow, boxed), on the real clips with text, and what it
 * invents on those without. `--lines` shows what was misread,
 * `--write` puts the scores into its pack.json. Needs the clips, ffmpeg with drawtext, and the fonts below.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { joinLines } from '../app/text-lines.ts'
import { editDistance } from '../app/words.ts'
import { Graphs } from '../main/engine/graphs.ts'
import { openFolder } from '../main/engine/pack.ts'
import type { Picture } from '../main/engine/protocol.ts'
import { TextReader } from '../main/engine/text.ts'
import { openText } from '../main/engine/text-pack.ts'
import { clipsFolder } from './clips.ts'

const FOLDER = path.resolve(import.meta.dirname, '..', 'models', 'packs', 'screen-text')
const FONTS = [
  'dejavu/DejaVuSans.ttf',
  'dejavu/DejaVuSans-Bold.ttf',
  'dejavu/DejaVuSerif.ttf',
  'liberation/LiberationSans-Regular.ttf',
  'liberation/LiberationSansNarrow-Bold.ttf',
  'liberation/LiberationMono-Regular.ttf',
]
const TEXTS = {
  English: [
    'Exit 23',
    'The quick brown fox jumps over it',
    'Platform 4 - trains to London',
    'Recorded live at the town hall',
    'Do not open while running',
    'BREAKING NEWS',
    'Camera 07 North Gate',
    'Please keep the door closed',
    'Ambulance entrance only',
    'Chapter three: the long way home',
  ],
  German: [
    'Größe der Straßenbahn',
    'Tür öffnet nach außen',
    'Übergabe der Schlüssel',
    'Äpfel und Öl aus Köln',
    'Grüße aus München',
    'Heute wärmer, später Schauer',
    'Ausfahrt freihalten!',
    'Bürgermeister Jörg Müßig',
    'ÜBERHOLVERBOT',
    'Höchstgeschwindigkeit 30 km/h',
  ],
  other: [
    'señor Muñoz',
    'café français',
    'smørrebrød på dansk',
    'façade élégante',
    'coração português',
    'Å på øya',
    'déjà vu à Genève',
    'mañana por la tarde',
  ],
  digits: [
    '12:34',
    '2026-11-29 14:05:59',
    '3,50 €',
    '20 °C',
    '100 %',
    '$1,299.00',
    '+49 30 1234567',
    'x = 0.75',
    '00:01:48',
    '£25',
    'A4 / B-17',
    '1/250 f/2.8 ISO 400',
  ],
}
type Kind = keyof typeof TEXTS
const KINDS = Object.keys(TEXTS) as Kind[]
const SIZES = [2, 3, 4, 6, 8]
const LOOKS = [
  'fontcolor=white:borderw=2:bordercolor=black',
  'fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=6',
  'fontcolor=yellow:shadowx=2:shadowy=2',
  'fontcolor=black:box=1:boxcolor=white@0.8:boxborderw=6',
  'fontcolor=white:shadowx=1:shadowy=1',
]
/** Clips without any text that one could read. */
export const WITHOUT = ['d01', 'd03', 'd04', 'd05', 'd06', 'd07', 'd08', 'd09', 'd10', 'd11', 'd12', 'd13', 'd14', 'd18']
const SIZE = { width: 1280, height: 720 }

interface Drawn {
  text: string
  kind: Kind
  size: number
  /** Middle of the line, as a share of the height. */
  cy: number
}

/** The same sequence of random numbers each time. */
function sequence(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Frames of a clip from a given second on, at a given rate, decoded as in the app, with an extra filter. */
function frames(
  clip: string,
  {
    from = 0,
    rate = 1,
    most = 99,
    size = fitted(clip),
    more = '',
  }: { from?: number; rate?: number; most?: number; size?: { width: number; height: number }; more?: string },
): Picture[] {
  const { width, height } = size
  const filter = `fps=${rate},scale=${width}:${height}:flags=bicubic${more}`
  const bytes = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-ss', `${from}`, '-i', clip, '-vf', filter, '-frames:v', `${most}`, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    { maxBuffer: 1 << 30 },
  )
  return Array.from({ length: bytes.length / (width * height * 3) }, (_, i) => ({
    rgb: new Uint8Array(bytes.subarray(i * width * height * 3, (i + 1) * width * height * 3)),
    width,
    height,
  }))
}

function fitted(clip: string): { width: number; height: number } {
  const shown = execFileSync(
    'ffprobe',
    ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'stream=width,height:stream_side_data=rotation', '-of', 'json', clip],
    { encoding: 'utf8' },
  )
  const { streams } = JSON.parse(shown) as { streams: { width: number; height: number; side_data_list?: { rotation?: number }[] }[] }
  const { width = 1, height = 1, side_data_list = [] } = streams[0] ?? {}
  const turned = side_data_list.some(({ rotation = 0 }) => Math.abs(rotation) === 90)
  const [w, h] = turned ? [height, width] : [width, height]
  const scale = Math.min(1, 1280 / Math.max(w, h))
  return { width: Math.round(w * scale), height: Math.round(h * scale) }
}

function drawnPictures(clips: readonly string[], folder: string): { picture: Picture; truth: Drawn[] }[] {
  const any = sequence(7)
  const pick = <T>(list: readonly T[]): T => list[any(list.length)] as T
  return clips.flatMap((clip, n) =>
    [0, 1].map((round) => {
      const truth: Drawn[] = []
      const filters = [0.12, 0.34, 0.62, 0.86].map((cy, i) => {
        const [kind, size] = [KINDS[(n + i + round) % KINDS.length] as Kind, SIZES[(n * 2 + i * 3 + round * 4) % SIZES.length] as number]
        const text = pick(TEXTS[kind].filter(({ length }) => length * size < 150))
        truth.push({ text, kind, size, cy })
        const file = path.join(folder, `${n}-${round}-${i}.txt`)
        writeFileSync(file, text)
        return `drawtext=fontfile=/usr/share/fonts/truetype/${pick(FONTS)}:textfile=${file}:expansion=none:fontsize=${Math.round(((size / 100) * SIZE.height) / 0.72)}:${pick(LOOKS)}:x=${20 + any(160)}:y=${Math.round(cy * SIZE.height)}-th/2`
      })
      const picture = frames(clip, { from: 0.4 * round, most: 1, size: SIZE, more: `,${filters.join(',')}` })[0]
      if (!picture) throw new Error(`${clip}: no frame`)
      return { picture, truth }
    }),
  )
}

/** The text on the pictures of the real clips with text, one picture a second. */
const SHOWN: Record<string, (second: number) => string[]> = {
  d15: () => ['WE TOOK A ROAD TRIP FROM SF TO LA', 'TO SHOOT SOME HDR TEST FOOTAGE'],
  d16: (second) => [
    `00:${padded(second, 2)}`,
    padded(Math.floor(second / 2), 3),
    padded(second, 3),
    padded(2 * second, 3),
    'x0.5',
    'x1',
    'x2',
  ],
  d17: () => ['3:35.000', 'bbb_1920x1080@60 16:9 VP8 20Mbps Vorbis 48kHz 5.1ch 384kbps'],
}

function padded(number: number, digits: number): string {
  return `${number}`.padStart(digits, '0')
}

/** Character errors of the true lines: each is compared with the most similar line that was read; a line that was not read is all wrong. */
class Errors {
  letters = 0
  wrong = 0
  lines = 0
  missed = 0

  with(text: string, got: string): this {
    this.letters += text.length
    this.wrong += Math.min(editDistance(text, got), text.length)
    this.lines += 1
    this.missed += got === '' ? 1 : 0
    return this
  }

  get rate(): number {
    return this.wrong / this.letters
  }
}

export interface TextScores {
  /** Of lines drawn over pictures: all, by kind and by height. */
  drawn: Map<string, Errors>
  /** How many lines were read beside the drawn ones. */
  beside: number
  /** For the text in real clips. */
  real: Errors
  /** Clips without text, and those of them in which none was read. */
  without: number
  silent: number
  /** CPU time of a picture, milliseconds. */
  ms: number
}

/** @param clips The folder of the real clips. @param show Told of what was misread, and of each clip as a row of a table. */
export async function textScores(
  clips: string,
  show: { misread?: (line: string) => void; clip?: (row: string) => void } = {},
): Promise<TextScores> {
  const all = readdirSync(clips).filter((name) => /^d\d\d_/.test(name))
  const named = (ids: readonly string[]) => all.filter((name) => ids.includes(name.slice(0, 3))).map((name) => path.join(clips, name))
  const { folder: pack, manifest } = await openFolder(FOLDER)
  if (manifest.family !== 'text') throw new Error('not a text pack')
  const { graphs, symbols } = await openText(pack, manifest)
  const reader = new TextReader(manifest, symbols, new Graphs(graphs, { provider: 'cpu', threads: 1 }))

  const drawn = new Map<string, Errors>()
  let beside = 0
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-text-'))
  // Each is the first picture of a video of its own.
  let video = 0
  for (const { picture, truth } of drawnPictures(named(WITHOUT), folder)) {
    const [lines = []] = await reader.read([picture], video++)
    const left = new Set(lines)
    for (const { text, kind, size, cy } of truth) {
      const here = lines.filter(({ box }) => Math.abs(box.cy - cy) < 0.05).toSorted((a, b) => a.box.cx - b.box.cx)
      for (const line of here) left.delete(line)
      const got = here.map((line) => line.text).join(' ')
      if (got !== text)
        show.misread?.(`${size} % ${kind}: "${text}" -> "${got}" ${here.map((line) => line.confidence.toFixed(2)).join(' ')}`)
      for (const key of ['all', kind, `${size} % high`]) drawn.set(key, (drawn.get(key) ?? new Errors()).with(text, got))
    }
    beside += left.size
  }
  rmSync(folder, { recursive: true })

  const real = new Errors()
  let [without, silent, pictures, ms] = [0, 0, 0, 0]
  for (const clip of named([...WITHOUT, 'd02', ...Object.keys(SHOWN)])) {
    const [id, shots] = [path.basename(clip).slice(0, 3), frames(clip, { most: 16 })]
    const [started, before] = [process.cpuUsage(), reader.graphs.counts()['reader'] ?? 0]
    const read = await reader.read(shots, video++)
    const { user, system } = process.cpuUsage(started)
    const own = new Errors()
    for (const [second, lines] of read.entries()) {
      for (const text of SHOWN[id]?.(second) ?? []) {
        const got = lines.toSorted((a, b) => editDistance(a.text, text) - editDistance(b.text, text))[0]?.text ?? ''
        for (const errors of [own, real]) errors.with(text, got)
      }
    }
    const told = joinLines(
      read.map((lines, second) => ({ ordinal: second, pts: second, lines })),
      { startFrame: 0, endFrame: shots.length },
    )
    pictures += shots.length
    ms += (user + system) / 1000
    if (WITHOUT.includes(id)) without += 1
    if (WITHOUT.includes(id) && told.length === 0) silent += 1
    show.clip?.(
      `| ${id} | ${shots.length} | ${((user + system) / 1000 / shots.length).toFixed(0)} | ${(reader.graphs.counts()['reader'] ?? 0) - before} | ${own.lines > 0 ? percent(own.rate) : ''} | ${told.map(({ text, confidence }) => `${text} (${confidence.toFixed(2)})`).join('; ')} |`,
    )
  }
  return { drawn, beside, real, without, silent, ms: ms / pictures }
}

function keep({ drawn, real, without, silent }: TextScores): void {
  const file = path.join(FOLDER, 'pack.json')
  const date = new Date().toISOString().slice(0, 10)
  const score = (metric: string, value: number, n: number, on: string) => ({
    task: 'text',
    metric,
    value: Number(value.toFixed(4)),
    n,
    on,
    date,
  })
  const over = 'lines drawn over pictures of real clips'
  const scores = [
    ...[...drawn].map(([key, { rate, lines }]) =>
      score(key === 'all' ? 'character errors' : `character errors, ${key}`, rate, lines, over),
    ),
    score('character errors', real.rate, real.lines, 'real clips with text'),
    score('silent', silent / without, without, 'real clips without text'),
  ]
  writeFileSync(file, `${JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), scores }, null, 2)}\n`)
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

if (import.meta.main) {
  const clips = clipsFolder()
  if (clips === null) process.exit(1)
  const asked = new Set(process.argv.slice(2))
  const rows: string[] = []
  const scores = await textScores(clips, {
    ...(asked.has('--lines') ? { misread: (line) => console.log(line) } : {}),
    clip: (row) => rows.push(row),
  })
  const { drawn, beside, real, without, silent, ms } = scores
  console.log('| lines drawn over real pictures | character errors | missed | lines |\n|---|---|---|---|')
  for (const [key, { rate, missed, lines }] of drawn) console.log(`| ${key} | ${percent(rate)} | ${missed} | ${lines} |`)
  console.log(
    `\nInvented beside them: ${beside}\n\n| clip | pictures | CPU ms a picture | lines read | character errors | told of the clip |\n|---|---|---|---|---|---|\n${rows.join('\n')}`,
  )
  console.log(
    `\nCharacter errors on real clips with text: ${percent(real.rate)} of ${real.letters}. Silent: ${silent} of ${without} clips without text. ${ms.toFixed(0)} ms of one core a picture.`,
  )
  if (asked.has('--write')) keep(scores)
}

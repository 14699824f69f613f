/**
 * Label Studio: a list of tasks, one for each video, with boxes on its tracks: what the machine said as a prediction, what people drew, changed or
 * accepted as an annotation. The labelling configuration that the tasks need is a file of its own.
 *
 * Frames count from 1, sides are per cent of the picture, and between two keys a box moves by frame number: keys are as in CVAT. A key with
 * `enabled` false is visible and ends the object there; it is the last before a gap. A region carries the number of its track in `id`, as `t` and
 * digits, and `meta.text` says what people decided about it.
 */
import { z } from 'zod'
import { ReviewState } from '../annotation.ts'
import { secondsOf } from '../media.ts'
import { phrase } from '../phrase.ts'
import { type Category, decodedPicture, type Film, type Format, type TrackedObject, thousandths, trackedObjects } from './document.ts'
import { fault, type Found, scoreOf, type VideoFound } from './found.ts'
import { jsonParts } from './json-parts.ts'
import { withKeyframes } from './keyframes.ts'
import { linesOf } from './lines.ts'

const Key = z.object({
  frame: z.number(),
  enabled: z.boolean(),
  rotation: z.literal(0),
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
  time: z.number(),
})
const Region = z.object({
  id: z.string(),
  from_name: z.literal('box'),
  to_name: z.literal('video'),
  type: z.literal('videorectangle'),
  origin: z.enum(['manual', 'prediction']),
  score: z.number().optional(),
  value: z.object({ framesCount: z.number(), duration: z.number(), labels: z.array(z.string()), sequence: z.array(Key) }),
  meta: z.object({ text: z.array(z.string()) }),
})
const Task = z.object({
  data: z.object({ video: z.string(), fps: z.number(), name: z.string(), width: z.number(), height: z.number(), fingerprint: z.string() }),
})
type LabelStudioPiece =
  | { part: 'task'; value: z.infer<typeof Task> }
  | { part: 'region'; of: 'predictions' | 'annotations'; value: z.infer<typeof Region> }

const TASK = '{"data":'
const LISTS = {
  predictions: ',"predictions":[{"model_version":"tubelet","result":[',
  annotations: ',"annotations":[{"result":[',
} as const
const [REGION, END_OF_LIST, END_OF_TASK] = ['{"id"', ']}]', '}']

export const labelstudio: Format<Iterable<Film>, LabelStudioPiece> = {
  *pieces(films) {
    for (const film of [...films].sort((a, b) => a.source.id - b.source.id)) {
      const { source, title } = film
      const { frameRate } = source.probe
      yield {
        part: 'task',
        value: {
          data: {
            video: servedAs(source.path),
            fps: thousandths(frameRate.num / frameRate.den),
            name: title.toWellFormed(),
            ...decodedPicture(source.probe),
            fingerprint: source.fingerprint.toWellFormed(),
          },
        },
      }
      for (const list of ['predictions', 'annotations'] as const)
        for (const object of trackedObjects(film))
          if ((object.state === 'machine') === (list === 'predictions')) yield { part: 'region', of: list, value: regionOf(object, film) }
    }
  },

  /** A region on each line, so that they can be read back one by one. */
  *write(pieces) {
    let isFirstTask = true
    let list: keyof typeof LISTS | null = null
    let isFirst = true
    yield '[\n'
    for (const piece of pieces) {
      if (piece.part === 'task') {
        yield `${list ? `${END_OF_LIST}\n` : ''}${isFirstTask ? '' : `${END_OF_TASK},\n`}${TASK}${JSON.stringify(piece.value.data)}\n`
        isFirstTask = false
        list = null
        continue
      }
      if (list !== piece.of) {
        yield `${list ? `${END_OF_LIST}\n` : ''}${LISTS[piece.of]}\n`
        list = piece.of
        isFirst = true
      }
      yield `${isFirst ? '' : ','}${JSON.stringify(piece.value)}\n`
      isFirst = false
    }
    yield `${list ? `${END_OF_LIST}\n` : ''}${isFirstTask ? '' : `${END_OF_TASK}\n`}]\n`
  },

  *read(chunks) {
    let list: keyof typeof LISTS = 'predictions'
    let last = ''
    for (const line of linesOf(chunks)) {
      if (line === '') continue
      last = line
      if (line.startsWith(TASK)) yield { part: 'task', value: Task.parse(JSON.parse(`${line}}`)) }
      else if (line === LISTS.predictions) list = 'predictions'
      else if (line === LISTS.annotations) list = 'annotations'
      else if (line.replace(/^,/, '').startsWith(REGION))
        yield { part: 'region', of: list, value: Region.parse(JSON.parse(line.replace(/^,/, ''))) }
      else if (!['[', ']', END_OF_LIST, END_OF_TASK, `${END_OF_TASK},`].includes(line))
        throw new SyntaxError(`This line is out of its place: ${line.slice(0, 40)}`)
    }
    if (last !== ']') throw new SyntaxError('The list of tasks does not end: the file may be cut off.')
  },
}

function regionOf(object: TrackedObject, { source, pts }: Film): z.infer<typeof Region> {
  const { probe } = source
  const { width, height } = decodedPicture(probe)
  const sequence: z.infer<typeof Key>[] = []
  let best: number | null = null
  for (const { box, keyframe, isLast } of withKeyframes(object.boxes)) {
    if (box.score !== null) best = Math.max(best ?? 0, box.score)
    if (!keyframe && !isLast) continue
    const percent = (value: number, whole: number) => Math.round((value / whole) * 1e8) / 1e6
    sequence.push({
      frame: box.frame + 1,
      enabled: !isLast,
      rotation: 0,
      x: percent(box.x1, width),
      y: percent(box.y1, height),
      width: percent(box.x2 - box.x1, width),
      height: percent(box.y2 - box.y1, height),
      time: thousandths(secondsOf(box.pts, probe)),
    })
  }
  return {
    id: `t${object.id}`,
    from_name: 'box',
    to_name: 'video',
    type: 'videorectangle',
    origin: object.state === 'machine' ? 'prediction' : 'manual',
    ...(best !== null && { score: best }),
    value: { framesCount: pts.length, duration: thousandths(probe.duration), labels: [object.category.name], sequence },
    meta: { text: [`state: ${object.state}`, `review: ${object.review}`] },
  }
}

/** Where Label Studio serves a local file whose document root is the disk. */
function servedAs(path: string): string {
  const slashed = path.toWellFormed().replaceAll('\\', '/').replace(/^\/+/, '')
  return `/data/local-files/?d=${slashed.split('/').map(encodeURIComponent).join('/')}`
}

/** The labelling configuration, for the tasks of all videos. */
export function labelstudioConfig(categories: readonly Category[]): string {
  const labels = categories.map(({ name, colour }) => `    <Label value="${escaped(name)}" background="${colour}"/>\n`).join('')
  return `<View>
  <Header value="$name"/>
  <Video name="video" value="$video" framerate="$fps"/>
  <VideoRectangle name="box" toName="video"/>
  <Labels name="labels" toName="video" allowEmpty="true">
${labels}  </Labels>
</View>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

// ── reading files of any tool

type Json = Readonly<Record<string, unknown>>
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const numberOf = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : [])

/** Boxes of videos of a list of tasks, or of one task. The numbers of entries count regions, from 1. @throws SyntaxError */
export function* readLabelstudio(open: () => Iterable<string>): Generator<Found> {
  let entry = 0
  let tasks = 0
  for (const { value: task } of jsonParts(open(), () => true, 'array')) {
    tasks += 1
    if (!isJson(task) || !isJson(task['data']))
      throw new SyntaxError(phrase('A task has no “data”. Label Studio’s export “JSON” has it, “JSON-MIN” has not.'))
    const key = String(tasks)
    yield { ...videoOf(task['data'], key), ...countIn(task) }
    for (const list of ['predictions', 'annotations', 'completions'])
      for (const said of listOf(task[list])) {
        if (!isJson(said) || said['was_cancelled'] === true) continue
        for (const region of listOf(said['result'])) {
          entry += 1
          if (isJson(region)) yield* boxesOf(region, key, list === 'predictions', entry)
        }
      }
  }
  if (tasks === 0) throw new SyntaxError(phrase('The file has no tasks.'))
}

function videoOf(data: Json, key: string): VideoFound {
  const text = (name: string) => (typeof data[name] === 'string' && data[name] !== '' ? data[name] : undefined)
  // The address of the video is under a name that the configuration chooses.
  const address = text('video') ?? text('video_url') ?? Object.values(data).find((one) => typeof one === 'string' && /\.\w{2,5}$/.test(one))
  const file = typeof address === 'string' ? unescapedUrl(address.replace(/^.*[?&]d=/, '').replace(/[?#].*$/, '')) : undefined
  const isServed = typeof address === 'string' && address.includes('?d=')
  const [width, height] = [numberOf(data['width']), numberOf(data['height'])]
  return {
    type: 'video',
    key,
    name:
      text('name') ??
      file
        ?.split('/')
        .at(-1)
        ?.replace(/^[0-9a-f]{8}-/, ''),
    ...(isServed && { path: `/${file}` }),
    fingerprint: text('fingerprint'),
    ...(width !== null && height !== null && { width, height }),
    relative: true,
    firstFrame: 1,
    gaps: 'filled',
  }
}

/**
 * How many frames Label Studio counts in the video of a task, and at which rate: that of its configuration, 24 by default, whatever the video
 * has. Its regions say it.
 */
function countIn(task: Json): Pick<VideoFound, 'frames' | 'rate'> {
  for (const list of ['annotations', 'predictions', 'completions'])
    for (const said of listOf(task[list]))
      for (const region of isJson(said) ? listOf(said['result']) : []) {
        const value = isJson(region) && isJson(region['value']) ? region['value'] : {}
        const [frames, duration] = [numberOf(value['framesCount']), numberOf(value['duration'])]
        if (frames !== null && duration !== null && Number.isInteger(frames) && frames > 0 && duration > 0)
          return { frames, rate: frames / duration }
      }
  return {}
}

function unescapedUrl(url: string): string {
  try {
    return decodeURIComponent(url)
  } catch {
    return url
  }
}

function* boxesOf(region: Json, video: string, isPrediction: boolean, line: number): Generator<Found> {
  const value = isJson(region['value']) ? region['value'] : {}
  if (region['type'] !== 'videorectangle') {
    // Labels of a region and other settings of it come as results of their own.
    if (region['type'] !== 'labels' && !listOf(value['sequence']).length)
      yield fault('Of Label Studio’s regions boxes are imported, no “{{shape}}”.', line, { shape: String(region['type']) })
    return
  }
  const label = listOf(value['labels']).find((one) => typeof one === 'string')
  const said = isJson(region['meta']) ? listOf(region['meta']['text']).join('\n') : ''
  const state = ReviewState.safeParse(/^state: (\w+)$/m.exec(said)?.[1])
  const score = scoreOf(numberOf(region['score']))
  const last = numberOf(value['framesCount'])
  const sequence = listOf(value['sequence'])
    .filter(isJson)
    .toSorted((a, b) => (numberOf(a['frame']) ?? 0) - (numberOf(b['frame']) ?? 0))
  const track = String(region['id'])
  for (const [at, one] of sequence.entries()) {
    const [frame, x, y, width, height] = ['frame', 'x', 'y', 'width', 'height'].map((name) => numberOf(one[name]))
    if (frame == null || x == null || y == null || width == null || height == null) {
      yield fault('A box needs a frame and four numbers.', line)
      continue
    }
    if (numberOf(one['rotation'])) {
      yield fault('The box is turned by {{angle}} degrees: Tubelet has upright boxes alone.', line, { angle: Number(one['rotation']) })
      continue
    }
    const box = { x1: x / 100, y1: y / 100, x2: (x + width) / 100, y2: (y + height) / 100 }
    const shared = { type: 'box', video, track, label: label ?? 'unnamed', score, observed: true, occluded: false, line } as const
    const told = state.success ? state.data : isPrediction ? 'machine' : null
    yield { ...shared, frame, box, outside: false, state: told }
    // It is visible on the key that ends it, and gone after that.
    const next = numberOf(sequence[at + 1]?.['frame'])
    if (one['enabled'] === false && next !== frame + 1)
      yield { ...shared, frame: frame + 1, box, outside: true, observed: false, state: told }
    // An open end runs to the end of the video.
    else if (one['enabled'] !== false && next === null && last !== null && frame < last)
      yield { ...shared, frame: last, box, outside: false, observed: false, state: told }
  }
}

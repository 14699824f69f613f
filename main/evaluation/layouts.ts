/**
 * Public sets in the layouts in which they are published. Media and lists lie anywhere below the set's folder; nothing of a set is in Tubelet.
 *
 * | set | files |
 * |---|---|
 * | msvd-qa | test_qa.json, youtube_mapping.txt ("name vid1"); name.avi or vid1.avi |
 * | msrvtt-qa | test_qa.json; video1.mp4 |
 * | next-qa | test.csv or val.csv, with choices (a0 to a4) or without; 123.mp4 |
 * | coco-retrieval, flickr30k-retrieval | dataset_coco.json, dataset_flickr30k.json (Karpathy's splits; test); the pictures |
 * | coco-boxes | instances_val2017.json; 000000000001.jpg |
 * | lvis-boxes | lvis_v1_val.json; 000000000001.jpg |
 */
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import type { Box } from '../../app/annotation.ts'
import { TubeletError } from '../../app/errors.ts'
import { recordsOf } from '../../app/formats/csv.ts'
import { readPlainSync } from '../plain-file.ts'

export interface Question {
  file: string
  question: string
  answer: string
  /** Null for an answer in free words. */
  choices: string[] | null
}
export interface Described {
  file: string
  captions: string[]
}
export interface Boxed {
  file: string
  truth: { label: number; box: Box; crowd: boolean }[]
  judged: ReadonlySet<number> | null
  partly: ReadonlySet<number>
}
/** A name as it is looked for, and how often it was when the set was made: LVIS calls those that few pictures have rare. */
export interface Name {
  words: string
  frequency: 'rare' | 'common' | 'frequent' | null
}

export type PublicSet = { title: string } & (
  | { kind: 'questions'; items: Question[] }
  | { kind: 'captions'; items: Described[] }
  | { kind: 'boxes'; items: Boxed[]; names: Name[] }
)

export const SETS = ['msvd-qa', 'msrvtt-qa', 'next-qa', 'coco-retrieval', 'flickr30k-retrieval', 'coco-boxes', 'lvis-boxes'] as const
export type SetName = (typeof SETS)[number]

/** The largest list is LVIS's, of 192 MB. */
const LARGEST_LIST = 500_000_000

const word = z.union([z.string(), z.number()]).transform(String)
const Asked = z.array(z.object({ question: z.string(), answer: word, video_id: z.number() }))
const Karpathy = z.object({
  images: z.array(z.object({ filename: z.string(), split: z.string(), sentences: z.array(z.object({ raw: z.string() })) })),
})
const Side = z.tuple([z.number(), z.number(), z.number(), z.number()])
const Instances = z.object({
  images: z.array(
    z.object({
      id: z.number(),
      file_name: z.string().optional(),
      coco_url: z.string().optional(),
      neg_category_ids: z.array(z.number()).optional(),
      not_exhaustive_category_ids: z.array(z.number()).default([]),
    }),
  ),
  categories: z.array(z.object({ id: z.number(), name: z.string(), frequency: z.enum(['r', 'c', 'f']).optional() })),
  annotations: z.array(z.object({ image_id: z.number(), category_id: z.number(), bbox: Side, iscrowd: z.number().default(0) })),
})
const FREQUENCY = { r: 'rare', c: 'common', f: 'frequent' } as const

/** @throws TubeletError `file-missing` or `bad-request`, with what is missing or wrong, and in which file. */
export async function readSet(name: SetName, folder: string): Promise<PublicSet> {
  const files = await Files.in(folder)
  switch (name) {
    case 'msvd-qa': {
      const lines = files.text('youtube_mapping.txt').split('\n')
      const called = new Map(lines.map((line) => line.trim().split(/\s+/)).map(([video = '', id = '']) => [id, video]))
      return {
        title: 'MSVD-QA test',
        kind: 'questions',
        items: files.json(Asked, 'test_qa.json').map(({ video_id, ...one }) => {
          const id = `vid${video_id}`
          return { ...one, choices: null, file: files.find(`${id}.avi`, `${called.get(id) ?? id}.avi`, `${id}.mp4`) }
        }),
      }
    }
    case 'msrvtt-qa':
      return {
        title: 'MSRVTT-QA test',
        kind: 'questions',
        items: files
          .json(Asked, 'test_qa.json')
          .map(({ video_id, ...one }) => ({ ...one, choices: null, file: files.find(`video${video_id}.mp4`) })),
      }
    case 'next-qa': {
      const list = files.find('test.csv', 'val.csv')
      return { title: `NExT-QA ${path.parse(list).name}`, kind: 'questions', items: nextQuestions(files, list) }
    }
    case 'coco-retrieval':
    case 'flickr30k-retrieval': {
      const coco = name === 'coco-retrieval'
      const { images } = files.json(Karpathy, coco ? 'dataset_coco.json' : 'dataset_flickr30k.json')
      return {
        title: `${coco ? 'COCO' : 'Flickr30k'} retrieval, Karpathy's test split`,
        kind: 'captions',
        items: images
          .filter(({ split, sentences }) => split === 'test' && sentences.length > 0)
          .map(({ filename, sentences }) => ({ file: files.find(filename), captions: sentences.map(({ raw }) => raw) })),
      }
    }
    case 'coco-boxes':
      return boxesOf('COCO boxes, val2017', files, 'instances_val2017.json')
    case 'lvis-boxes':
      return boxesOf('LVIS v1 boxes, val', files, 'lvis_v1_val.json')
  }
}

function nextQuestions(files: Files, list: string): Question[] {
  const [head = [], ...rows] = [...recordsOf([files.text(path.basename(list))])].map((cells) => cells.map((cell) => cell ?? ''))
  const place = (column: string) => head.indexOf(column)
  const wrong = (why: string) =>
    new TubeletError({ code: 'bad-request', message: why, file: list, next: 'Take the list as NExT-QA publishes it.' })
  if (['video', 'question', 'answer'].some((column) => place(column) < 0))
    throw wrong('The list needs the columns video, question and answer.')
  return rows
    .filter((row) => row.length > 1)
    .map((row) => {
      const cell = (column: string) => row[place(column)] ?? ''
      const one = { file: files.find(`${cell('video')}.mp4`), question: cell('question') }
      if (place('a0') < 0) return { ...one, answer: cell('answer'), choices: null }
      const choices = [0, 1, 2, 3, 4].map((i) => cell(`a${i}`))
      const answer = choices[Number(cell('answer'))]
      if (answer === undefined) throw wrong('An answer of the list is none of its choices.')
      return { ...one, answer, choices }
    })
}

function boxesOf(title: string, files: Files, list: string): PublicSet {
  const { images, categories, annotations } = files.json(Instances, list)
  const place = new Map(categories.map(({ id }, i) => [id, i]))
  const places = (ids: readonly number[]) => new Set(ids.flatMap((id) => place.get(id) ?? []))
  const of = Map.groupBy(annotations, ({ image_id }) => image_id)
  return {
    title,
    kind: 'boxes',
    // "jean_(clothing)" is what LVIS calls a kind of a word.
    names: categories.map(({ name, frequency }) => ({
      words: name.replaceAll('_', ' ').replace(/ ?\(.*\)/, ''),
      frequency: frequency === undefined ? null : FREQUENCY[frequency],
    })),
    items: images.map(({ id, file_name, coco_url, neg_category_ids, not_exhaustive_category_ids }) => ({
      file: files.find(path.posix.basename(file_name ?? coco_url ?? '')),
      truth: (of.get(id) ?? []).flatMap(({ category_id, bbox: [x, y, w, h], iscrowd }) => {
        const label = place.get(category_id)
        return label === undefined ? [] : [{ label, box: { x1: x, y1: y, x2: x + w, y2: y + h }, crowd: iscrowd === 1 }]
      }),
      judged: neg_category_ids === undefined ? null : places([...neg_category_ids, ...not_exhaustive_category_ids]),
      partly: places(not_exhaustive_category_ids),
    })),
  }
}

/** The files below a folder by their names. */
class Files {
  readonly #folder: string
  readonly #places: ReadonlyMap<string, string>

  private constructor(folder: string, places: ReadonlyMap<string, string>) {
    this.#folder = folder
    this.#places = places
  }

  static async in(folder: string): Promise<Files> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
      throw new TubeletError(
        { code: 'file-missing', message: 'There is no folder at this place.', file: folder, next: 'Name the folder of the set.' },
        { cause: error },
      )
    })
    return new Files(
      folder,
      new Map(entries.filter((entry) => !entry.isDirectory()).map(({ name, parentPath }) => [name, path.join(parentPath, name)])),
    )
  }

  /** The first of the names that is there. */
  find(...names: string[]): string {
    for (const name of names) {
      const place = this.#places.get(name)
      if (place !== undefined) return place
    }
    throw new TubeletError({
      code: 'file-missing',
      message: 'A file of the set is missing: {{names}}.',
      values: { names: names.join(' / ') },
      file: this.#folder,
      next: 'Name the folder that has the set whole, its list and its media; docs/evaluation.md says which files each set has.',
    })
  }

  text(name: string): string {
    return readPlainSync(this.find(name), LARGEST_LIST).toString('utf8')
  }

  json<T>(form: z.ZodType<T>, name: string): T {
    let read: unknown
    try {
      read = JSON.parse(this.text(name))
    } catch (error) {
      if (error instanceof TubeletError) throw error
    }
    const parsed = form.safeParse(read)
    if (parsed.success) return parsed.data
    throw new TubeletError({
      code: 'bad-request',
      message: 'This list is not in the form in which the set is published.',
      file: this.find(name),
      next: 'Take it as it is published.',
      details: z.prettifyError(parsed.error).slice(0, 2_000),
    })
  }
}

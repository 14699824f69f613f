/** The index of words in a real library: what is found after writing, editing, rejecting, undoing and removing; and in which order. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AnnotationBody, Evidence } from '../../app/annotation.ts'
import type { Filters } from '../../app/contract/find.ts'
import { newLabel } from '../../app/vocabulary.ts'
import { Library } from './library.ts'
import { MIGRATIONS } from './schema.ts'
import { provenance } from './shower.testing.ts'

const sure = (confidence: number, unfamiliar = false): Evidence => ({
  confidence,
  unsure: unfamiliar,
  unfamiliar,
  agreement: 0,
  frames: [],
})
const box = { x1: 0, y1: 0, x2: 1, y2: 1 }
const seen = (label: string, score: number | null): AnnotationBody => ({
  kind: 'track',
  label,
  boxes: [{ ordinal: 0, pts: 0, box, score }],
})

let folder: string
let library: Library
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-words-'))
  library = Library.open(folder)
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

function addClip(file: string, index = 0): number {
  const { source } = library.addSource({ path: `/v/holiday/${file}`, name: file, bytes: 1, mtimeMs: 0, fingerprint: file })
  return library.saveClip(source.id, {
    index,
    kind: 'window',
    start: index * 10,
    end: index * 10 + 8,
    startFrame: index * 250,
    endFrame: index * 250 + 200,
    frames: [],
  })
}
let files = 0
/** A clip of a new video, with annotations by the machine. */
function clipOf(...bodies: (AnnotationBody | [AnnotationBody, Evidence])[]): number {
  const clipId = addClip(`${(files += 1)}x.mp4`)
  for (const one of bodies) {
    const [body, evidence] = Array.isArray(one) ? one : [one, null]
    library.saveMachine(clipId, body.kind, [{ body, evidence, provenance }])
  }
  return clipId
}
const caption = (text: string): AnnotationBody => ({ kind: 'caption', text })
const ask = (
  words: string,
  { filters = {}, guesses = false, classes = [] as string[] }: { filters?: Filters; guesses?: boolean; classes?: string[] } = {},
) => library.find.ask('words', { filters, sought: { words, guesses, classes, picture: null }, limit: 50 })
const found = async (words: string, options?: Parameters<typeof ask>[1]) => (await ask(words, options)).ranked.map(({ clipId }) => clipId)
const idOf = (clipId: number, kind: AnnotationBody['kind']) => library.annotations(clipId).find(({ body }) => body.kind === kind)?.id ?? 0

describe('what is written is found', () => {
  test('in captions, answers, notes, segments, text on screen, labels and names', async () => {
    const clip = clipOf(
      caption('a harbour at dawn'),
      { kind: 'answer', question: 'What colour is the crane?', text: 'yellow' },
      seen('ship', 0.8),
    )
    library.addAnnotation(clip, { kind: 'note', text: 'ask the captain' })
    library.addAnnotation(clip, { kind: 'segment', text: 'mooring', span: { startFrame: 10, endFrame: 50 } })
    library.saveMachine(clip, 'text', [
      { body: { kind: 'text', text: 'PILOT 7', span: { startFrame: 0, endFrame: 9 }, box }, evidence: sure(0.9), provenance },
    ])
    for (const words of ['harbour', 'yellow', 'ship', 'captain', 'mooring', 'pilot', 'pilot 7', 'holiday', 'HARBOUR yellow', `${files}x`])
      expect(await found(words), words).toEqual([clip])
    // The words of a question are not found; nor are those of the folder above the file's folder.
    expect(await found('crane')).toEqual([])
    expect(await found('v')).toEqual([])
  })

  test('in other forms, in English and German, with and without their letters', async () => {
    const english = clipOf(caption('two men were running past parked cars'))
    const german = clipOf(caption('Häuser an der Straße, dahinter eine Autobahnbrücke'))
    for (const words of ['run', 'runs', 'car', 'park', 'man running'])
      expect(await found(words), words).toEqual(words === 'man running' ? [] : [english])
    for (const words of ['Haus', 'haeuser', 'HÄUSER', 'Strasse', 'strassen', 'Brücke', 'bruecke', 'brucke', 'Autobahnbruecken'])
      expect(await found(words), words).toEqual([german])
    const spelt = clipOf(caption('eine Muehle'))
    expect(await found('Mühle')).toEqual([spelt])
    expect(await found('u\u0308 Mu\u0308hle'.slice(3))).toEqual([spelt])
  })

  test('by the beginning of the last word, where nothing else has it', async () => {
    const clip = clipOf(caption('a lighthouse on a cliff'))
    expect(await found('light')).toEqual([clip])
    expect(await found('cliff lighth')).toEqual([clip])
    expect(await found('lighth cliff')).toEqual([])
    const lamp = clipOf(caption('a light in the dark'))
    expect(await found('light')).toEqual([lamp])
  })

  test('by classes that a word means, in either language', async () => {
    const dog = clipOf(seen('dog', 0.83))
    const truck = clipOf(seen('truck', 0.6))
    expect(await found('Hund')).toEqual([dog])
    expect(await found('dogs')).toEqual([dog])
    expect(await found('Fahrzeuge')).toEqual([truck])
    expect(await found('vehicle')).toEqual([truck])
    expect(await found('helmet')).toEqual([])
    const light = clipOf(seen('traffic light', 0.6))
    expect(await found('traffic light')).toEqual([light])
    expect(await found('Ampel')).toEqual([light])
    const drawn = library.addAnnotation(dog, seen('Roter Bus', null))
    expect(await found('rot')).toEqual([dog])
    library.review(drawn.id, 'reject')
    expect(await found('rot')).toEqual([])
  })

  test('by what a label means, whatever people call it', async () => {
    const [cars, autos, poodle, wagon] = ['cars', 'Autos', 'poodle', 'Dienstwagen 3'].map((name) => clipOf(seen(name, 0.8))) as [
      number,
      number,
      number,
      number,
    ]
    library.changeVocabulary([{ ...newLabel('Dienstwagen 3', []), synonyms: ['car', 'Streife'] }], [])
    for (const words of ['vehicle', 'vehicles', 'Fahrzeug', 'car', 'automobile', 'Auto'])
      expect([words, (await found(words)).sort((a, b) => a - b)]).toEqual([words, [cars, autos, wagon]])
    expect(await found('Streife')).toEqual([wagon])
    for (const words of ['animal', 'Tier', 'dogs', 'Hund']) expect([words, await found(words)]).toEqual([words, [poodle]])
    for (const words of ['terrier', 'truck', 'person']) expect([words, await found(words)]).toEqual([words, []])
  })

  test('all words must be there, in any of it; quotes hold words together', async () => {
    const both = clipOf(caption('a red car'), seen('dog', 0.5))
    const one = clipOf(caption('a car that is red'))
    expect((await found('red car')).sort()).toEqual([both, one].sort())
    expect(await found('"red car"')).toEqual([both])
    expect(await found('red dog')).toEqual([both])
    const { ranked, nearest, unknown } = await ask('car zxqv')
    expect(ranked).toEqual([])
    expect(nearest.map(({ clipId }) => clipId).sort()).toEqual([both, one].sort())
    expect(unknown).toEqual(['zxqv'])
  })
})

test('what is written with a minus before it must not be there', async () => {
  const [alone, both] = [clipOf(seen('bottle', 0.9)), clipOf(seen('bottle', 0.8), seen('person', 0.9))]
  const cold = clipOf(caption('a bottle at -5 °C'))
  for (const words of ['bottle -person', 'bottle -Mensch', 'bottle -"person"'])
    expect((await found(words)).sort(), words).toEqual([alone, cold])
  expect(await found('-person bottle -cold')).toEqual(await found('bottle -person'))
  expect(await found('bottle -5')).toEqual([cold])
  expect(await found('-person')).toEqual([both])
})

test('nonsense finds nothing, and no words are syntax', async () => {
  clipOf(caption('a dog and a cat; C code, 5 euros'), seen('dog', 0.9))
  for (const words of [
    'zxqv blorp',
    '🦄',
    '123',
    '1234567',
    '!!!',
    '???',
    '"',
    '""',
    '*',
    '-',
    '()',
    'fnord wubble',
    'NOT',
    'NEAR(x)',
    'plain:',
    '^',
    '\u0000',
  ])
    expect(await found(words), words).toEqual([])
  for (const words of ['dog OR', 'dog*', '"dog', 'dog-', "dog's?", '(dog)', 'plain:dog', 'cat/dog', 'C++', 'NOT dog', 'dog AND cat', '5'])
    await expect(ask(words), words).resolves.toBeDefined()
  expect(await found('cat/dog')).toEqual([])
  expect(await found('dog/')).toHaveLength(1)
  expect(await found('C++')).toHaveLength(1)
})

describe('the index follows', () => {
  test('an edit, a rejection, undo, a newer run and removal', async () => {
    const clip = clipOf(caption('a white sword'))
    library.review(idOf(clip, 'caption'), 'edit', caption('a car park'))
    expect(await found('sword')).toEqual([])
    expect(await found('car park')).toEqual([clip])
    // A later result of the machine becomes the layer beneath the person's.
    library.saveMachine(clip, 'caption', [{ body: caption('a photo of milk'), evidence: null, provenance }])
    expect(await found('milk')).toEqual([])
    library.review(idOf(clip, 'caption'), 'reject')
    expect(await found('park')).toEqual([])
    await library.history.undo()
    expect(await found('park')).toEqual([clip])
    await library.history.undo()
    expect(await found('park')).toEqual([])
    expect(await found('milk')).toEqual([clip])
    await library.history.redo()
    expect(await found('park')).toEqual([clip])
    library.saveMachine(clip, 'caption', [{ body: caption('a photo of bread'), evidence: null, provenance }])
    library.review(idOf(clip, 'caption'), 'reset')
    expect(await found('bread')).toEqual([clip])
    library.removeSource(library.clip(clip).sourceId)
    for (const words of ['bread', 'park', 'holiday']) expect(await found(words)).toEqual([])
  })

  test('a caption whose row takes the number of another', async () => {
    const clip = clipOf()
    library.addAnnotation(clip, caption('my own words'))
    await library.history.undo()
    library.saveMachine(clip, 'caption', [{ body: caption('a machine said this'), evidence: null, provenance }])
    await library.history.redo()
    expect(await found('own')).toEqual([clip])
    expect(await found('machine')).toEqual([])
    await library.history.undo()
    expect(await found('own')).toEqual([])
    expect(await found('machine')).toEqual([clip])
  })

  test('a marked clip that goes and comes back', async () => {
    const clip = addClip('marked.mp4')
    const { sourceId } = library.clip(clip)
    const marked = library.markClip(sourceId, { index: 1, kind: 'marked', start: 1, end: 2, startFrame: 25, endFrame: 50, frames: [] })
    library.addAnnotation(marked.id, { kind: 'note', text: 'the knot' })
    library.removeClip(marked.id)
    expect(await found('knot')).toEqual([])
    await library.history.undo()
    expect(await found('knot')).toEqual([marked.id])
  })

  test('a file of another name, and one of a Windows path', async () => {
    const { source } = library.addSource({ path: '/gone/Überfahrt/a.mp4', name: 'a.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'f' })
    const clip = library.saveClip(source.id, { index: 0, kind: 'window', start: 0, end: 8, startFrame: 0, endFrame: 200, frames: [] })
    expect(await found('ueberfahrt')).toEqual([clip])
    library.addSource({ path: 'C:\\Videos\\Rundgang\\Brandung.mp4', name: 'Brandung.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'f' })
    for (const words of ['Rundgang', 'brandung']) expect(await found(words)).toEqual([clip])
    for (const words of ['ueberfahrt', 'Videos']) expect(await found(words)).toEqual([])
  })

  test('a library of before, with what was said in it', async () => {
    const clip = clipOf(caption('an old quarry'), seen('crane', 0.4))
    const rejected = clipOf(caption('an old quarry'))
    library.review(idOf(rejected, 'caption'), 'reject')
    await library.close()
    const file = path.join(folder, 'library.sqlite')
    const db = new DatabaseSync(file)
    for (const { type, name } of db
      .prepare(
        `SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view') AND (name LIKE 'find\\_%' ESCAPE '\\' OR name LIKE 'to\\_%' ESCAPE '\\' OR name = 'forget_names')`,
      )
      .all())
      db.exec(`DROP ${String(type)} ${String(name)}`)
    for (const table of ['findable', 'said', 'stems', 'named', 'said_words', 'named_words']) db.exec(`DROP TABLE ${table}`)
    db.exec(MIGRATIONS.find((migration) => migration.includes('TABLE findable')) ?? '')
    db.close()
    library = Library.open(folder)
    expect(await found('quarry')).toEqual([clip])
    expect(await found('crane')).toEqual([clip])
  })
})

describe('order and reasons', () => {
  test('a person first, then boxes and text by strength, then names', async () => {
    const named = addClip('dog.mp4')
    const weak = clipOf(seen('dog', 0.4))
    const strong = clipOf(seen('dog', 0.9))
    const read = clipOf([{ kind: 'text', text: 'DOG FOOD', span: { startFrame: 0, endFrame: 9 }, box }, sure(0.7)])
    const accepted = clipOf([caption('a dog'), sure(0.1)])
    library.review(idOf(accepted, 'caption'), 'accept')
    const drawn = clipOf()
    library.addAnnotation(drawn, seen('dog', null))
    expect(await found('dog')).toEqual([drawn, accepted, strong, read, weak, named])
    const { ranked, matches } = await ask('dog')
    expect(matches).toBe(6)
    expect(ranked.map(({ ids, named: byName }) => [ids.length, byName])).toEqual([
      [1, false],
      [1, false],
      [1, false],
      [1, false],
      [1, false],
      [0, true],
    ])
    expect(ranked[0]?.ids).toEqual([idOf(drawn, 'track')])
    // The file's name is no further reason if an annotation of the clip has the word.
    library.addAnnotation(named, seen('dog', null))
    expect((await ask('dog')).ranked.find(({ clipId }) => clipId === named)?.named).toBe(false)
  })

  test('a guess counts only where guesses are asked for, and last', async () => {
    const guessed = clipOf([caption('a white sword'), sure(0.9, true)])
    const named = addClip('sword.mp4')
    expect(await found('sword')).toEqual([named])
    expect(await found('sword', { guesses: true })).toEqual([named, guessed])
    library.review(idOf(guessed, 'caption'), 'accept')
    expect(await found('sword')).toEqual([guessed, named])
  })

  test('filters hold', async () => {
    const [one, other] = [clipOf(caption('a dog')), clipOf(caption('a dog'), seen('cat', 0.9))]
    expect(await found('dog', { filters: { sourceIds: [library.clip(one).sourceId] } })).toEqual([one])
    expect(await found('dog', { filters: { labels: ['cat'] } })).toEqual([other])
    expect(await ask('dog', { filters: { labels: ['cat'] } })).toMatchObject({ matches: 1, total: 1, searched: 1, unknown: [] })
  })
})

import { describe, expect, it } from 'vitest'
import { filmOf, randomDocument, tricky } from '../../test/documents.ts'
import { trackedObjects } from './document.ts'
import { motDetections, motLabels, motSequence, motTruth, readMot } from './mot.ts'
import { readViame, viame } from './viame.ts'

const documents = [tricky, { ...tricky, clips: [] }, ...Array.from({ length: 40 }, (_, seed) => randomDocument(seed + 1))]
const films = documents.map((document) => filmOf(document))

describe('MOT Challenge and VIAME CSV', () => {
  it.each(Object.entries({ motTruth, motDetections, viame }))('%s reads back what it wrote, wherever a chunk ends', (_, format) => {
    for (const film of films) {
      const read = (size: number) => {
        const text = [...format.write(format.pieces(film) as never)].join('')
        const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size))
        return [...format.read(chunks)]
      }
      const pieces = [...format.pieces(film)]
      expect(read(1 << 18)).toStrictEqual(pieces)
      expect(read(97)).toStrictEqual(pieces)
    }
  })

  it('hold every box of every track, with its name, its score and what is in front of it', () => {
    for (const film of films) {
      const meant = [...trackedObjects(film)].flatMap(({ id, category, boxes }) =>
        [...boxes].map(({ frame, x1, occluded, carried }) => ({ track: String(id), label: category.name, frame, x1, occluded, carried })),
      )
      const beside = (name: string) =>
        name === 'labels.txt' ? motLabels(film.categories) : name === '../seqinfo.ini' ? motSequence(film) : null
      const of = (read: typeof readMot, text: string) =>
        [...read(() => [text], beside)].flatMap((found) => (found.type === 'box' ? [found] : []))
      const truth = of(readMot, [...motTruth.write(motTruth.pieces(film))].join('') || '')
      expect(truth.map(({ track, label, frame, box, occluded }) => ({ track, label, frame: frame - 1, x1: box.x1, occluded }))).toEqual(
        meant.map(({ track, label, frame, x1, occluded }) => ({ track, label, frame, x1, occluded })),
      )
      if (meant.length === 0) continue
      const told = of(readViame, [...viame.write(viame.pieces(film))].join(''))
      expect(told.map(({ track, label, frame, box, occluded }) => ({ track, label, frame, x1: box.x1, occluded }))).toEqual(
        meant.map(({ track, label, frame, x1, occluded }) => ({ track, label, frame, x1, occluded })),
      )
    }
  })

  it('the seventh column of ground truth is 1 everywhere: a score there would delete boxes', () => {
    const rows = [...motTruth.write(motTruth.pieces(filmOf(tricky)))].map((row) => row.trim().split(','))
    expect(rows.length).toBeGreaterThan(0)
    expect(new Set(rows.map((row) => row[6]))).toEqual(new Set(['1']))
    expect(Math.min(...rows.map(([frame]) => Number(frame)))).toBe(1)
  })

  it('of several names that DIVE has for a box the likeliest counts', () => {
    const rows = ['0,x.png,0,1,2,3,4,0.6,-1,jar,0.3,bottle,0.6,cup,0.1,(atr) a 9', '0,x.png,1,1,2,3,4,1,-1,jar,0.3,(atr) bottle,0.6']
    expect([...readViame(() => [rows.join('\n')])]).toMatchObject([
      { type: 'video' },
      { label: 'bottle', score: 0.6 },
      { label: 'jar', score: 0.3 },
    ])
  })

  it('a row of another tool that has quotes and commas in a label is read; a quote out of its place is a fault', () => {
    const rows = ['0,x.png,0,1,2,3,4,0.5,-1,"a, ""b""",0.5', '1,x.png,0,1,2,3,4,0.5,-1,"open,0.5', '2,x.png,1,1,2,3,4,1,-1']
    const found = [...readViame(() => [`# 1: Detection\n# metadata,"exported_by: ""dive:python"""\n${rows.join('\n')}\n`])]
    expect(found).toMatchObject([
      { type: 'video', firstFrame: 0 },
      { type: 'box', label: 'a, "b"', score: 0.5, line: 3 },
      { type: 'fault', line: 4 },
      { type: 'box', label: 'unknown', line: 5 },
    ])
  })

  it('a label that DIVE would take for an attribute comes back as it was', () => {
    const [clip] = tricky.clips
    const track = clip?.annotations[3]
    if (!clip || track?.body.kind !== 'track') throw new RangeError('the tricky document lost its track')
    const film = filmOf({ ...tricky, clips: [{ ...clip, annotations: [{ ...track, body: { ...track.body, label: '(atr) x' } }] }] })
    const text = [...viame.write(viame.pieces(film))].join('')
    expect(text).toContain(',（atr) x,')
    expect([...readViame(() => [text])].flatMap((found) => (found.type === 'box' ? [found.label] : []))[0]).toBe('(atr) x')
  })
})

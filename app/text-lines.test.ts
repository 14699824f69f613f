import { describe, expect, it } from 'vitest'
import { joinLines, joinReadable, type Line } from './text-lines.ts'

const CLIP = { startFrame: 100, endFrame: 400 }

function line(
  text: string,
  { confidence = 0.98, cx = 0.5, cy = 0.9, w = 0.4, h = 0.06 }: Partial<Line['box'] & { confidence: number }> = {},
): Line {
  return { text, confidence, box: { cx, cy, w, h } }
}

/** One picture a second at 30 frames a second; null: it looks like the one before. */
function join(...pictures: (Line[] | null)[]) {
  return joinLines(
    pictures.map((lines, i) => ({ ordinal: 100 + 30 * i, pts: 1000 * i, lines })),
    CLIP,
  )
}

describe('lines over frames', () => {
  it('are told once, from the frame where they appear to the one where they are gone', () => {
    const caption = line('Heute wärmer')
    expect(join([], [caption], [caption], [caption], [], [])).toMatchObject([{ text: 'Heute wärmer', startFrame: 130, endFrame: 220 }])
  })

  it('stand in the whole clip when every picture shows them', () => {
    expect(join([line('LIVE')], [line('LIVE')])).toMatchObject([{ text: 'LIVE', ...CLIP }])
  })

  it('stand still while the picture does', () => {
    expect(join([], [line('Exit 23', { confidence: 0.9 })], null, null, [])).toMatchObject([
      { text: 'Exit 23', startFrame: 130, endFrame: 220 },
    ])
  })

  it('are bridged where a few pictures did not show them, and begin anew after that', () => {
    const sign = line('Ausfahrt freihalten')
    expect(join([sign], [], [], [sign], [sign])).toHaveLength(1)
    expect(join([sign], [sign], [], [], [], [], [sign], [sign])).toMatchObject([{ endFrame: 160 }, { startFrame: 280, endFrame: 400 }])
  })

  it('read as most pictures, and the surest, read them', () => {
    const told = join(
      [line('WE TOOK SFTO LA', { confidence: 0.95 })],
      [line('WE TOOK SF TO LA', { confidence: 0.97 })],
      [line('WE TOOK SF TO LA', { confidence: 0.96, cx: 0.51 })],
    )
    expect(told).toMatchObject([{ text: 'WE TOOK SF TO LA', box: { cx: 0.5 } }])
    expect(told[0]?.confidence).toBeCloseTo(0.965)
    expect(join([line('Grosse', { confidence: 0.88 })], [line('Größe', { confidence: 0.99 })])).toMatchObject([{ text: 'Größe' }])
  })

  it('are another line where another text follows at the same place', () => {
    const told = join([line('Good evening')], [line('Good evening')], [line('Here is the news')], [line('Here is the news')])
    expect(told).toMatchObject([
      { text: 'Good evening', startFrame: 100, endFrame: 160 },
      { text: 'Here is the news', startFrame: 160, endFrame: 400 },
    ])
  })

  it('keep what a clock showed, as one line', () => {
    expect(join([line('00:08')], [line('00:09')], [line('00:10')])).toMatchObject([{ text: '00:08 → 00:09 → 00:10', ...CLIP }])
    // None of a counter's readings stands for the others, however unsurely they were read.
    const unsure = { confidence: 0.9 }
    expect(join([line('47', unsure)], [line('52')], [line('57', unsure)], [line('62', unsure)])).toMatchObject([
      { text: '47 → 52 → 57 → 62' },
    ])
    expect(join([line('47')], [line('41', unsure)], [line('47')], [line('47')])).toMatchObject([{ text: '47' }])
    expect(join([line('2 : 0')], [line('2 : 0')], [line('3 : 0')], [line('3 : 0')])).toMatchObject([{ text: '2 : 0 → 3 : 0' }])
  })

  it('tell only the first and the last readings of a long count', () => {
    const [told] = join(...Array.from({ length: 30 }, (_, i) => [line(`lap ${10 + i}`)]))
    expect(told?.text.split(' → ')).toEqual([
      'lap 10',
      'lap 11',
      'lap 12',
      'lap 13',
      'lap 14',
      'lap 15',
      '…',
      'lap 34',
      'lap 35',
      'lap 36',
      'lap 37',
      'lap 38',
      'lap 39',
    ])
  })

  it('take one unsure digit for a mistake', () => {
    expect(join([line('Exit 23')], [line('Exit 28', { confidence: 0.88 })], [line('Exit 23')])).toMatchObject([{ text: 'Exit 23' }])
    expect(join([line('ISO 400')], [line('IS0 400', { confidence: 0.9 })], [line('ISO 400')])).toMatchObject([{ text: 'ISO 400' }])
  })

  it('keep two equal counters apart', () => {
    const both = (a: string, b: string) => [line(a, { cx: 0.2, w: 0.1 }), line(b, { cx: 0.8, w: 0.1 })]
    expect(join(both('000', '000'), both('001', '002'), both('002', '004')).map(({ text }) => text)).toEqual([
      '000 → 001 → 002',
      '000 → 002 → 004',
    ])
  })

  it('are followed when they move', () => {
    const credits = [0.9, 0.7, 0.5, 0.3].map((cy) => [line('Directed by', { cy }), line('Jörg Müßig', { cy: cy + 0.08 })])
    expect(join(...credits)).toMatchObject([
      { text: 'Directed by', ...CLIP },
      { text: 'Jörg Müßig', ...CLIP },
    ])
  })

  it('of a clip that is not whole do not count when they are short and were read once', () => {
    const frames = [{ ordinal: 100, pts: 0, lines: [line('SAM'), line('Platform 4', { cy: 0.2 })] }]
    expect(joinLines(frames, CLIP).map(({ text }) => text)).toEqual(['SAM', 'Platform 4'])
    expect(joinLines(frames, CLIP, false).map(({ text }) => text)).toEqual(['Platform 4'])
  })

  it('count when they were seen once only if they are sure and long, or there was no second picture', () => {
    expect(join([], [line('SAL', { confidence: 0.99 })], [])).toEqual([])
    expect(join([], [line('000:', { confidence: 0.9 })], [])).toEqual([])
    expect(join([], [line('Platform 4', { confidence: 0.99 })], [])).toMatchObject([{ startFrame: 130, endFrame: 160 }])
    expect(join([line('Tür', { confidence: 0.97 })])).toMatchObject([{ text: 'Tür', ...CLIP }])
    expect(join([line('Tür', { confidence: 0.9 })])).toEqual([])
  })
})

describe('lines of a clip that is read in part', () => {
  const frames = [[line('Heute wärmer')], null, null, [line('xj3 kqq')], null, [line('Heute wärmer')], null, null].map((lines, i) => ({
    ordinal: 100 + 30 * i,
    pts: 1000 * i,
    lines,
  }))
  it('never run over what could not be read, and nothing counts that was read there', () => {
    expect(joinReadable(frames, CLIP, [{ startFrame: 185, endFrame: 250 }])).toMatchObject([
      { text: 'Heute wärmer', startFrame: 100, endFrame: 185 },
      { text: 'Heute wärmer', startFrame: 250, endFrame: 400 },
    ])
  })
  it('are those of the whole clip where nothing was lost in it', () => {
    expect(joinReadable(frames, CLIP, [])).toEqual(joinLines(frames, CLIP))
    expect(joinReadable(frames, CLIP, [{ startFrame: 0, endFrame: 90 }])).toEqual(joinLines(frames, CLIP))
  })
})

/**
 * How often a name that nobody asked for is right, by the name and the score of its track.
 *
 * A logistic curve on the score with an offset for each name (ridge, so that names with few cases get small offsets; the tracks of one name in
 * one photograph count as one case together). It was fitted to 932 tracks that reached the threshold during slow moves across 1,000 photographs,
 * one for each class of ImageNet; most of these show something that the detector does not know. By cross-validation over the photographs 93 %
 * of the tracks that reach 0.7 are right, where 72 % of all are (models/RESULTS.md).
 */

import { PERSON } from '../words.ts'
import type { ThingTrack } from './input.ts'

/** What is less reliable than this is unsure wherever it is shown. */
export const SURE = 0.7

const CURVE = { at: -2.3, slope: 0.67 }
/** Names without a case are treated as the average. */
const OFFSETS: Readonly<Record<string, number>> = {
  ...{
    person: 2.6,
    boat: 2.5,
    'potted plant': 2.5,
    bowl: 2.3,
    car: 2.3,
    tv: 2.1,
    dog: 1.5,
    chair: 1.2,
    sink: 1.2,
    'sports ball': 1.2,
    bottle: 1.1,
    train: 1.1,
    cake: 1,
    bird: 0.9,
    'traffic light': 0.9,
    couch: 0.8,
  },
  ...{
    spoon: 0.7,
    'dining table': 0.6,
    fork: 0.5,
    bed: 0.4,
    cup: 0.4,
    mouse: 0.4,
    skis: 0.4,
    tie: 0.3,
    carrot: 0.2,
    laptop: 0.2,
    'parking meter': -0.1,
    broccoli: -0.2,
    sandwich: -0.2,
  },
  ...{
    bench: -0.3,
    toilet: -0.3,
    'cell phone': -0.4,
    'fire hydrant': -0.4,
    microwave: -0.4,
    umbrella: -0.4,
    'wine glass': -0.4,
    keyboard: -0.5,
    'hot dog': -0.7,
    'teddy bear': -0.7,
    refrigerator: -0.8,
    scissors: -0.8,
    'stop sign': -0.8,
    suitcase: -0.9,
    truck: -0.9,
  },
  ...{
    clock: -1,
    donut: -1,
    surfboard: -1.1,
    orange: -1.2,
    vase: -1.2,
    apple: -1.4,
    banana: -1.4,
    frisbee: -1.4,
    pizza: -1.4,
    oven: -1.6,
    bear: -2,
  },
  // Not as fitted (cat -0.5, horse -1.1, sheep -1.3, cow -1.3, elephant -0.1, zebra -1): ImageNet has 205 kinds of animals without a name here and 118 of dogs, but
  // five kinds of cats, two of sheep and of elephants, and one each of horses, cows and zebras. These are for animals as common as in pictures that people take (models/RESULTS.md).
  // Nor these (0.1, -0.4, -0.1, -0.1): most vehicles of ImageNet are of a kind that has no name here (tractors, forklifts, sledges, scooters).
  ...{ airplane: 0.8, bus: 0.8, bicycle: 0.8, motorcycle: 0.8 },
  ...{ cat: 1.7, elephant: 1.7, zebra: 1.7, giraffe: 1.7, horse: 1.2, sheep: 0.3, cow: 0.3 },
}

/** A box whose side is this near to the picture's edge, as a share of the picture, is cut by it. */
const EDGE = 0.01
/**
 * Ratio of height to width below which a person is seen only in part: `above` for boxes cut at the top or at a side and not at the bottom,
 * `below` for boxes cut at the bottom.
 */
const PART = { above: 2, below: 0.7 }

/**
 * Whether a track of a person shows only a part of one, such as a hand or an arm that reaches into the picture: most of its boxes are cut
 * by the edge at the top or at a side and not at the bottom, and are too low for a standing person; or they are cut at the bottom and far
 * wider than high, and do not fill the picture's height. Heads and shoulders before a camera, and people who walk in, are cut differently. If nobody asked for the name, such a
 * track is not a sure person.
 */
export function showsPart(
  { label, boxes }: Pick<ThingTrack, 'label' | 'boxes'>,
  { width, height }: { width: number; height: number },
): boolean {
  const seen = boxes.filter(({ outside }) => outside !== true)
  if (label !== PERSON || seen.length === 0) return false
  const shapes = seen.map(({ box }) => (box.y2 - box.y1) / Math.max(1, box.x2 - box.x1)).sort((a, b) => a - b)
  const shape = shapes[shapes.length >> 1] ?? 0
  const below = ({ box }: (typeof seen)[number]) => box.y2 >= (1 - EDGE) * height
  const above = ({ box }: (typeof seen)[number]) => box.y1 <= EDGE * height || box.x1 <= EDGE * width || box.x2 >= (1 - EDGE) * width
  const most = (cut: (one: (typeof seen)[number]) => boolean) => seen.filter(cut).length * 2 > seen.length
  return (
    (shape < PART.above && most((one) => above(one) && !below(one))) ||
    (shape < PART.below && most((one) => below(one) && one.box.y1 > EDGE * height))
  )
}

/**
 * How often a track is right, 0..1.
 * @param score Of the track, 0..1, on the scale of the app's thresholds.
 */
export function reliabilityOf(label: string, score: number): number {
  const sure = Math.min(score, 0.995)
  return 1 / (1 + Math.exp(-(CURVE.at + CURVE.slope * Math.log(sure / (1 - sure)) + (OFFSETS[label] ?? 0))))
}

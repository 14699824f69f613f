/**
 * How often a name that nobody asked for is right, by the name and the score of its track.
 *
 * A logistic curve on the score with an offset for each name (ridge, so that names with few cases get small offsets). It was fitted to 590
 * tracks that reached the threshold during slow moves across 1,000 photographs, one for each class of ImageNet; most of these show
 * something that the detector does not know. By cross-validation over the photographs 93 % of the tracks that reach 0.7 are right, where 75
 * % of all are (models/RESULTS.md).
 */

import { PERSON } from '../words.ts'
import type { ThingTrack } from './input.ts'

/** What is less reliable than this is unsure wherever it is shown. */
export const SURE = 0.7

const CURVE = { at: -2.44, slope: 1.19 }
/** Names without a case are treated as the average. */
const OFFSETS: Readonly<Record<string, number>> = {
  ...{
    person: 3,
    car: 2.5,
    dog: 2.1,
    'potted plant': 1.7,
    boat: 1.5,
    chair: 1.4,
    bowl: 1.3,
    bird: 1.1,
    'cell phone': 1,
    bottle: 0.9,
    train: 0.9,
    'wine glass': 0.9,
    bed: 0.9,
    tie: 0.6,
    couch: 0.6,
    'dining table': 0.5,
  },
  ...{
    broccoli: 0.4,
    mouse: 0.4,
    toilet: 0.4,
    cup: 0.3,
    refrigerator: 0.3,
    elephant: 0.3,
    airplane: 0.3,
    fork: 0.2,
    'sports ball': 0.1,
    bicycle: -0.1,
    keyboard: -0.1,
    cow: -0.1,
    truck: -0.1,
    pizza: -0.1,
    tv: -0.2,
    bus: -0.3,
  },
  ...{
    'stop sign': -0.4,
    banana: -0.4,
    skis: -0.4,
    'teddy bear': -0.4,
    sandwich: -0.5,
    orange: -0.5,
    umbrella: -0.6,
    apple: -0.6,
    suitcase: -0.7,
    bench: -0.8,
    scissors: -0.8,
    zebra: -0.8,
    laptop: -0.9,
    'parking meter': -0.9,
    'fire hydrant': -1,
  },
  ...{ clock: -1.1, cake: -1.2, motorcycle: -1.2, oven: -1.3, vase: -1.3, bear: -2.3 },
  // Not as fitted (-1.7, -1.6, -1.1): ImageNet has 195 kinds of animals without a name here and 118 of dogs, but five kinds of cats, one of horses and two of sheep. These are
  // for animals as common as in pictures that people take (models/RESULTS.md).
  ...{ cat: 0.9, horse: -0.2, sheep: -0.4 },
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

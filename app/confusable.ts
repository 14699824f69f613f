/**
 * Groups of names that detectors trained on COCO give to the same object: COCO's supercategories where their members look alike, and
 * confusions that were measured (a ball is called a frisbee, a cup a bottle, a roof a train).
 */
import { FIXTURES } from './words.ts'

/** A name may be in several groups. */
const GROUPS: readonly (readonly string[])[] = [
  ['car', 'truck', 'bus', 'train'],
  ['bicycle', 'motorcycle'],
  ['boat', 'airplane', 'train'],
  ['bird', 'cat', 'dog', 'horse', 'sheep', 'cow', 'elephant', 'bear', 'zebra', 'giraffe', 'teddy bear'],
  ['backpack', 'handbag', 'suitcase'],
  ['frisbee', 'sports ball', 'apple', 'orange', 'donut', 'cake', 'clock', 'bowl'],
  ['skis', 'snowboard', 'skateboard', 'surfboard', 'kite'],
  ['baseball bat', 'tennis racket', 'baseball glove'],
  ['bottle', 'wine glass', 'cup', 'bowl', 'vase'],
  ['fork', 'knife', 'spoon', 'scissors', 'toothbrush'],
  ['banana', 'apple', 'sandwich', 'orange', 'broccoli', 'carrot', 'hot dog', 'pizza', 'donut', 'cake'],
  ['potted plant', 'vase', 'broccoli'],
  ['chair', 'couch', 'bed', 'bench', 'dining table'],
  ['tv', 'laptop', 'microwave', 'oven', 'refrigerator', 'toaster'],
  ['mouse', 'remote', 'keyboard', 'cell phone', 'book', 'laptop'],
  ['toilet', 'sink'],
  ['traffic light', 'stop sign', 'parking meter', 'fire hydrant'],
]

const groupsOf = Map.groupBy(
  GROUPS.flatMap((names, group) => names.map((name) => ({ name, group }))),
  ({ name }) => name,
)

/** Whether two names are often given to the same object. */
export function confusable(a: string, b: string): boolean {
  return a === b || (groupsOf.get(a) ?? []).some(({ group }) => (groupsOf.get(b) ?? []).some((other) => other.group === group))
}

/** Things that are hardly ever seen without somebody who uses them: in COCO's pictures people are beside nearly all of them. */
export const GEAR: ReadonlySet<string> = new Set([
  'frisbee',
  'skis',
  'snowboard',
  'sports ball',
  'kite',
  'baseball bat',
  'baseball glove',
  'skateboard',
  'surfboard',
  'tennis racket',
  'tie',
])

/**
 * Things that stand where they are or are carried: one that goes its own way where nobody is, is something else. Seen from above a car looks like a phone.
 * Not what rolls, or lies on a belt: food, bottles, balls, suitcases.
 */
export const STANDS: ReadonlySet<string> = new Set([
  ...FIXTURES,
  ...['cell phone', 'remote', 'mouse', 'keyboard', 'laptop', 'book', 'scissors', 'hair drier', 'toothbrush', 'toaster'],
  ...['clock', 'umbrella', 'handbag', 'chair'],
])

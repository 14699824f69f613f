/** frames.csv, beside every export: which PTS and time each 0-based frame number of the other files stands for. */
import { secondsOf } from '../media.ts'
import { table } from './csv.ts'
import type { AnnotationDocument, Format } from './document.ts'

const columns = { frame: 'number', pts: 'number', time_s: 'number' } as const
const csv = table(columns)

export const frames: Format<AnnotationDocument, ReturnType<typeof csv.read>> = {
  project: ({ pts, source }) => pts.map((at, frame) => ({ frame, pts: at, time_s: secondsOf(at, source.probe) })),
  ...csv,
}

/** frames.csv, beside every export: which PTS and time each 0-based frame number of the other files stands for. */
import { secondsOf } from '../media.ts'
import { table } from './csv.ts'
import type { Row } from './csv.ts'
import type { Film, Format } from './document.ts'

const columns = { frame: 'number', pts: 'number', time_s: 'number' } as const

export const frames: Format<Film, Row<typeof columns>> = {
  *pieces({ pts, source }) {
    for (let frame = 0; frame < pts.length; frame++) {
      const at = pts[frame] ?? 0
      yield { frame, pts: at, time_s: secondsOf(at, source.probe) }
    }
  },
  ...table(columns),
}

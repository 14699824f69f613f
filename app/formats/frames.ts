/** frames.csv, beside every export: the PTS and time of each 0-based frame number in the other files, and the picture of numbered ones. */
import { secondsOf } from '../media.ts'
import { namesOf } from '../numbered.ts'
import { table } from './csv.ts'
import type { Row } from './csv.ts'
import type { Film, Format } from './document.ts'

const columns = { frame: 'number', pts: 'number', time_s: 'number', picture: 'text' } as const

export const frames: Format<Film, Row<typeof columns>> = {
  *pieces({ pts, source }) {
    const names = source.numbered ? namesOf(source.path, source.numbered.runs) : []
    for (let frame = 0; frame < pts.length; frame++) {
      const at = pts[frame] ?? 0
      // A picture that cannot be decoded is no frame, but the PTS counts all pictures.
      yield { frame, pts: at, time_s: secondsOf(at, source.probe), picture: names[at] ?? null }
    }
  },
  ...table(columns),
}

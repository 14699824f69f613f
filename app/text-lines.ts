/** Lines of text on single pictures. */
import type { RelativeBox } from './boxes.ts'

/** A line that was read on one picture. */
export interface Line {
  text: string
  /** 0..1 */
  confidence: number
  /** In shares of the picture. */
  box: RelativeBox
}

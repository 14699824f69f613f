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

export function joinLines(frames: readonly { ordinal: number; pts: number; lines: readonly Line[] | null }[], span: { startFrame: number; endFrame: number }): { text: string; confidence: number; box: RelativeBox; startFrame: number; endFrame: number }[] {
  return (frames[0]?.lines ?? []).map((line) => ({ ...line, ...span }))
}

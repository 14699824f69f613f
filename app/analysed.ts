import type { SourceState } from './contract.ts'

/** Whether a video was analysed to its end; of any other one there may be clips, but not all. */
export const analysedToItsEnd = (state: SourceState): boolean => state === 'done' || state === 'partial'

/**
 * What the queue knows about each kind of job: its place, how many run at a time, and beside which others. The work itself is in
 * main/jobs/perform.ts.
 */
import type { Job } from './contract/queue.ts'

export type JobKind = Job['kind']

interface Traits {
  /**
   * Where a new job waits. `last`: behind all. `before-files`: before every analysis, because it takes moments and a person waits for it,
   * and behind others of its kind. `first`: before all.
   */
  place: 'last' | 'before-files' | 'first'
  /** How many run at a time, if the machine has that many cores. */
  slots: number
  /**
   * When no other job starts beside it. `always`: it starts only when nothing runs, and then runs alone. The next two may start beside
   * others, but if one starts when nothing runs it has the machine to itself: `until-first-clip` for a person who waits for a first result,
   * or `to-the-end`. `never`: it never keeps others waiting.
   */
  alone: 'always' | 'until-first-clip' | 'to-the-end' | 'never'
  /** It has slots of its own: it does not wait for other jobs, nor they for it. */
  aside: boolean
  /** It reads a video from end to end: its progress is shown in seconds of video. */
  whole: boolean
  /** It may add results to videos that were analysed before. */
  adds: boolean
}

/**
 * Two files are analysed at a time: one alone leaves a core idle while ffmpeg starts, probes, and filters on one thread. Labels run alone,
 * so that no clip is stored with the old labels meanwhile; a column is filled beside the files, whose clips also fill it as they are
 * stored. Preview copies need only ffmpeg, and a person waits for them.
 */
export const JOB_KINDS: Readonly<Record<JobKind, Traits>> = {
  analyse: { place: 'last', slots: 2, alone: 'until-first-clip', aside: false, whole: true, adds: false },
  detect: { place: 'before-files', slots: 1, alone: 'always', aside: false, whole: false, adds: true },
  ask: { place: 'before-files', slots: 1, alone: 'never', aside: false, whole: false, adds: true },
  mark: { place: 'before-files', slots: 2, alone: 'to-the-end', aside: false, whole: false, adds: true },
  preview: { place: 'first', slots: 2, alone: 'never', aside: true, whole: true, adds: false },
}

/** The kinds for which a trait is true. */
export function kindsThat(are: (traits: Traits) => boolean): JobKind[] {
  return KINDS.filter((kind) => are(JOB_KINDS[kind]))
}

const KINDS: readonly JobKind[] = ['analyse', 'detect', 'ask', 'mark', 'preview']

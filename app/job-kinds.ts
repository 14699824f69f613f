/** What the queue has to know of each kind of job: where it is put, how many run at a time, and beside what. What it does is main/jobs/perform.ts. */
import type { Job } from './contract/queue.ts'

export type JobKind = Job['kind']

interface Traits {
  /**
   * Where a new one waits. `last`: behind all. `before-files`: before every analysis, for it takes moments and is waited for, behind others
   * like it. `first`: before all.
   */
  place: 'last' | 'before-files' | 'first'
  /** How many run at a time, on a machine with as many cores. */
  slots: number
  /**
   * When nothing is begun beside it. `always`: it begins where nothing runs. Those that happen to begin where nothing runs have the machine
   * to themselves, `until-first-clip` for whoever waits for a first result, or `to-the-end`. `never`: it is no hindrance.
   */
  alone: 'always' | 'until-first-clip' | 'to-the-end' | 'never'
  /** It neither waits for others nor do they wait for it: it has slots of its own. */
  aside: boolean
  /** It reads a video from end to end: how far it is, is told in seconds of video. */
  whole: boolean
  /** It may add something to videos that were analysed. */
  adds: boolean
}

/**
 * Two files are analysed at a time: one alone leaves a core idle while ffmpeg starts, probes, and filters on one thread. Labels run alone, so
 * that no clip is stored behind their back with the labels of before; a column is filled beside the files, and their clips fill it too as they
 * are stored. Preview copies are ffmpeg's alone and somebody waits for them.
 */
export const JOB_KINDS: Readonly<Record<JobKind, Traits>> = {
  analyse: { place: 'last', slots: 2, alone: 'until-first-clip', aside: false, whole: true, adds: false },
  detect: { place: 'before-files', slots: 1, alone: 'always', aside: false, whole: false, adds: true },
  ask: { place: 'before-files', slots: 1, alone: 'never', aside: false, whole: false, adds: true },
  mark: { place: 'before-files', slots: 2, alone: 'to-the-end', aside: false, whole: false, adds: true },
  preview: { place: 'first', slots: 2, alone: 'never', aside: true, whole: true, adds: false },
}

/** The kinds that a trait is true of. */
export function kindsThat(are: (traits: Traits) => boolean): JobKind[] {
  return KINDS.filter((kind) => are(JOB_KINDS[kind]))
}

const KINDS: readonly JobKind[] = ['analyse', 'detect', 'ask', 'mark', 'preview']

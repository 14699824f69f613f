/**
 * Writes the files of one export in a worker thread, each under a temporary name. It reads the library through its own connection in one
 * transaction, so no file holds a change made in the meantime.
 */
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { TubeletError } from '../../app/errors.ts'
import type { Film } from '../../app/formats/document.ts'
import type { Counts } from '../../app/formats/holds.ts'
import { serve } from '../channel.ts'
import { makeFolderSync } from '../folders.ts'
import { type Chosen, countsOf } from './counts.ts'
import { type Content, CONTENTS, digestOf, fileError, type Written } from './files.ts'
import { annotationsIn, filmOf, type FilmOptions, type FilmPlan, timesOf } from './films.ts'

interface FileTask {
  content: Content
  temporary: string
  films: FilmPlan[]
}
/** A file to be written. `ours`: SHA-256 of what earlier exports wrote there; a file with any other content belongs to somebody else. */
interface Place {
  target: string
  ours: readonly string[]
}
export interface ExportTask {
  projectDir: string
  directory: string
  options: FilmOptions
  chosen: Chosen
  mustBeOurs: Place[]
  files: FileTask[]
}
export interface ExportService {
  /** @param note 0..1: how much is done. */
  write: { input: ExportTask; output: { written: Written[]; counts: Counts }; note: number }
  count: { input: { projectDir: string; chosen: Chosen }; output: Counts }
}

const PROGRESS_MS = 100
/** The share of a file's progress that is writing; the rest is reading it back. */
const WRITING = 0.6

serve<ExportService>({
  write: (task, { note }) => {
    const db = opened(task.projectDir)
    try {
      db.exec('BEGIN')
      for (const place of task.mustBeOurs) check(place)
      return { written: writeAll(db, task, note), counts: countsOf(db, task.chosen) }
    } catch (error) {
      throw fileError(error, task.directory)
    } finally {
      db.close()
    }
  },
  count: ({ projectDir, chosen }) => {
    const db = opened(projectDir)
    try {
      return countsOf(db, chosen)
    } finally {
      db.close()
    }
  },
})

function opened(projectDir: string): DatabaseSync {
  return new DatabaseSync(path.join(projectDir, 'library.sqlite'), { readOnly: true, timeout: 5_000 })
}

function writeAll(db: DatabaseSync, { files, options }: ExportTask, report: (share: number) => void): Written[] {
  const times = timesOf(db)
  const counts = new Map<number, number>()
  const countOf = ({ sourceId }: FilmPlan) => {
    const count = counts.get(sourceId) ?? 1 + annotationsIn(db, sourceId)
    counts.set(sourceId, count)
    return count
  }
  const costs = files.map(({ films }) => films.reduce((sum, film) => sum + countOf(film), 0))
  const total = costs.reduce((sum, cost) => sum + cost, 0)
  let done = 0
  let told = 0
  const tell = (within: number) => {
    const now = performance.now()
    if (now - told < PROGRESS_MS) return
    told = now
    report(Math.min(1, (done + within) / Math.max(1, total)))
  }
  return files.map(({ content, temporary, films: plans }, at) => {
    const cost = costs[at] ?? 0
    let seen = 0
    const films = plans.map((plan): Film => filmOf(db, times, plan, options, () => tell(Math.min(cost, (seen += 1)) * WRITING)))
    makeFolderSync(path.dirname(temporary))
    const written = CONTENTS[content](films, temporary, (share) => tell(cost * (WRITING + (1 - WRITING) * share)))
    done += cost
    return written
  })
}

function check({ target, ours }: Place): void {
  const there = digestOf(target)
  if (there === null || ours.includes(there)) return
  throw new TubeletError({
    code: 'conflict',
    message: '{{name}} is already there, and Tubelet did not write it or it was changed since.',
    values: { name: path.basename(target) },
    file: target,
    stillWorks: 'Nothing was overwritten.',
    next: 'Move that file away, or export to another folder.',
  })
}

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
import { CONTENTS, digestOf, fileError } from './files.ts'
import { type Content, isMade, make, type MadeFile, type Making } from './made.ts'
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
  /** For contents that are made of the videos. */
  making: Making | null
  files: FileTask[]
}
export interface ExportService {
  /** @param note 0..1: how much is done. */
  write: { input: ExportTask; output: { written: MadeFile[]; counts: Counts }; note: number }
  /** Answers when nothing is being written any more. */
  rest: { input: null; output: null }
  count: { input: { projectDir: string; chosen: Chosen }; output: Counts }
}

const PROGRESS_MS = 100
/** Reading a video again takes so many times as long as writing its annotations. */
const READING = 20
/** The share of a file's progress that is writing; the rest is reading it back. */
const WRITING = 0.6

let writing: Promise<unknown> = Promise.resolve()

serve<ExportService>({
  write: (task, { note, signal }) => {
    const written = write(task, note, signal)
    writing = written.catch(() => undefined)
    return written
  },
  rest: async () => {
    await writing
    return null
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

async function write(
  task: ExportTask,
  note: (share: number) => void,
  signal: AbortSignal,
): Promise<{ written: MadeFile[]; counts: Counts }> {
  const db = opened(task.projectDir)
  try {
    db.exec('BEGIN')
    for (const place of task.mustBeOurs) check(place)
    return { written: await writeAll(db, task, note, signal), counts: countsOf(db, task.chosen) }
  } catch (error) {
    throw fileError(error, task.directory)
  } finally {
    db.close()
  }
}

function opened(projectDir: string): DatabaseSync {
  return new DatabaseSync(path.join(projectDir, 'library.sqlite'), { readOnly: true, timeout: 5_000 })
}

async function writeAll(
  db: DatabaseSync,
  { files, options, making }: ExportTask,
  report: (share: number) => void,
  signal: AbortSignal,
): Promise<MadeFile[]> {
  const times = timesOf(db)
  const counts = new Map<number, number>()
  const countOf = ({ sourceId }: FilmPlan) => {
    const count = counts.get(sourceId) ?? 1 + annotationsIn(db, sourceId)
    counts.set(sourceId, count)
    return count
  }
  const costs = files.map(({ content, films }) => films.reduce((sum, film) => sum + countOf(film), 0) * (isMade(content) ? READING : 1))
  const total = costs.reduce((sum, cost) => sum + cost, 0)
  let done = 0
  let told = 0
  const tell = (within: number) => {
    const now = performance.now()
    if (now - told < PROGRESS_MS) return
    told = now
    report(Math.min(1, (done + within) / Math.max(1, total)))
  }
  const written: MadeFile[] = []
  for (const [at, { content, temporary, films: plans }] of files.entries()) {
    const cost = costs[at] ?? 0
    let seen = 0
    const films = plans.map((plan): Film => filmOf(db, times, plan, options, () => tell(Math.min(cost, (seen += 1)) * WRITING)))
    makeFolderSync(path.dirname(temporary))
    const onShare = (share: number) => tell(cost * (WRITING + (1 - WRITING) * share))
    if (!isMade(content)) written.push(await CONTENTS[content](films, temporary, onShare))
    else if (making !== null) {
      const quiet = plans.map((plan): Film => filmOf(db, times, plan, options, () => undefined))
      written.push(
        await make(content, db, quiet, temporary, { ...making, scope: options.scope, signal, onShare: (share) => tell(cost * share) }),
      )
    }
    done += cost
  }
  return written
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

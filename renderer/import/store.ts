/** The annotation files that are being imported: read at once, shown in the dialog, and taken or put away there. */
import { hashKey } from '@tanstack/react-query'
import { create } from 'zustand'
import type { SourceState } from '../../app/contract.ts'
import type { Import } from '../../app/contract/imports.ts'
import { call, sendBytes } from '../api.ts'
import { queryClient, sourcesQuery } from '../cache.ts'
import { t } from '../i18n.ts'
import { tell, toast } from '../toast.ts'
import { useUi } from '../store.ts'

interface ImportState {
  /** The name of the import that is being read, and what was read. */
  reading: string | null
  read: Import | null
  /** Files dropped on a browser that wait until the one before them is done with. */
  waiting: readonly File[]
}
export const useImport = create<ImportState>(() => ({ reading: null, read: null, waiting: [] }))

/** States of a video whose frames may not be known yet. */
const UNREAD: ReadonlySet<SourceState> = new Set(['queued', 'probing', 'analysing'])

/** Read files that came together with videos once the frames of these are known: before, nothing can be placed on them. */
export async function importAfter(sourceIds: readonly number[], read: () => Promise<void>): Promise<void> {
  const known = await queryClient.query({ ...sourcesQuery, staleTime: 0 })
  const isRead = ({ sources }: typeof known) => sourceIds.every((id) => !sources.some((one) => one.id === id && UNREAD.has(one.state)))
  if (!isRead(known)) {
    toast.info(t('The annotation files are read as soon as the videos that came with them are analysed.'))
    await new Promise<void>((resolve) => {
      const stop = queryClient.getQueryCache().subscribe(({ query }) => {
        if (query.queryHash !== hashKey(sourcesQuery.queryKey)) return
        const now = queryClient.getQueryData(sourcesQuery.queryKey)
        if (!now || !isRead(now)) return
        stop()
        resolve()
      })
    })
  }
  await read()
}

/** Read files by their paths, and show what is in them. */
export async function importPaths(paths: readonly string[]): Promise<void> {
  const importId = crypto.randomUUID()
  await reading(importId, () => call('readImport', { body: { paths: [...paths], importId } }))
}

/** What lies beside the rows of MOT Challenge: the names of their classes, and facts of the video. */
const OF_MOT: ReadonlySet<string> = new Set(['labels.txt', 'seqinfo.ini'])

/** Files that are read, without those that belong to others of them. */
export function withoutBeside(files: readonly File[]): File[] {
  const hasRows = files.some(({ name }) => /\.txt$/i.test(name) && !OF_MOT.has(name))
  return files.filter(({ name }) => !(hasRows && OF_MOT.has(name)))
}

/** Read files whose paths the browser does not reveal, one after the other, each with those that belong to it. */
export async function importFiles(files: readonly File[]): Promise<void> {
  const [first, ...waiting] = withoutBeside(files)
  const beside = files.filter((file) => file !== first && !waiting.includes(file))
  useImport.setState({ waiting: waiting.length > 0 ? [...waiting, ...beside] : [] })
  if (first)
    await reading(first.name, async () => {
      const importId = crypto.randomUUID()
      if (/\.txt$/i.test(first.name))
        for (const file of beside) await sendBytes('bringBeside', { params: { importId }, query: { name: file.name } }, file)
      return sendBytes('bringImport', { query: { name: first.name, importId } }, first)
    })
}

async function reading(name: string, read: () => Promise<Import>): Promise<void> {
  useImport.setState({ reading: name, read: null })
  useUi.getState().open('import')
  try {
    const found = await read()
    // Closed meanwhile, or another one was begun.
    if (useImport.getState().reading === name && useUi.getState().panel === 'import') useImport.setState({ read: found, reading: null })
    else await call('leaveImport', { params: { importId: found.importId } })
  } catch (error) {
    useUi.getState().open(null)
    tell(error)
  }
}

/** The dialog was closed: put away what was read and not taken, and go on with the next file. */
export function putAway(taken: boolean): void {
  const { read, waiting } = useImport.getState()
  useImport.setState({ reading: null, read: null, waiting: [] })
  if (read && !taken) void call('leaveImport', { params: { importId: read.importId } }).catch(() => undefined)
  if (waiting.length > 0) void importFiles(waiting)
}

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
}
export const useImport = create<ImportState>(() => ({ reading: null, read: null }))

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

/** Read files whose paths the browser does not reveal, together, with those that belong to them. */
export async function importFiles(files: readonly File[]): Promise<void> {
  const read = withoutBeside(files)
  const last = read.at(-1)
  if (!last) return
  const importId = crypto.randomUUID()
  await reading(last.name, async () => {
    if (read.some(({ name }) => /\.txt$/i.test(name)))
      for (const file of files.filter((one) => !read.includes(one)))
        await sendBytes('bringBeside', { params: { importId }, query: { name: file.name } }, file)
    for (const file of read.slice(0, -1)) await sendBytes('bringAlso', { params: { importId }, query: { name: file.name } }, file)
    return sendBytes('bringImport', { query: { name: last.name, importId } }, last)
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

/** The dialog was closed: put away what was read and not taken. */
export function putAway(taken: boolean): void {
  const { read } = useImport.getState()
  useImport.setState({ reading: null, read: null })
  if (read && !taken) void call('leaveImport', { params: { importId: read.importId } }).catch(() => undefined)
}

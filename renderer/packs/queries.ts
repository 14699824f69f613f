/** The queries about packs, and what the window does with packs. */
import { QueryObserver, queryOptions, useQuery } from '@tanstack/react-query'
import { toast } from 'sonner'
import { BESIDE, MOST_BESIDE_BYTES } from '../../app/catalogue.ts'
import type { BroughtBeside } from '../../app/contract/intake.ts'
import type { InstalledPack, PackOverview, PackWork } from '../../app/contract/packs.ts'
import { problemOf, TubeletError } from '../../app/errors.ts'
import type { Task } from '../../app/pack/base.ts'
import { call, sendBytes } from '../api.ts'
import { t, told } from '../i18n.ts'
import { queryClient } from '../cache.ts'
import { tell } from '../toast.ts'
import { useUi } from '../store.ts'
import { usePacksUi } from './store.ts'

/** While clips are encoded, the number of missing ones falls without an event. */
const REFRESH_MS = 2_000

const overview = queryOptions({ queryKey: ['packs'], queryFn: () => call('listPacks'), staleTime: 0 })
export const usePacks = () =>
  useQuery({ ...overview, refetchInterval: ({ state }) => (state.data && state.data.missing.clips > 0 ? REFRESH_MS : false) })
export const usePlan = (packId: string, task: Task | null) =>
  useQuery({
    queryKey: ['packs', 'plan', packId, task],
    queryFn: () => call('planSwitch', { params: { packId }, query: task === null ? {} : { task } }),
    staleTime: 0,
  })

/** Change something about packs, then refetch them. */
export async function act(what: Promise<unknown>): Promise<void> {
  await what.catch(tell)
  await queryClient.invalidateQueries({ queryKey: ['packs'] })
}

/** Import a file or a folder. A refusal is shown on the page, and as a notice on any other page. */
export async function importFile(path: string): Promise<void> {
  const ui = usePacksUi.getState()
  ui.set({ choosing: false })
  const begin = () =>
    call('importPack', { body: { path, precision: ui.precision } }).catch((error: unknown) => {
      ui.set({ refused: [...usePacksUi.getState().refused, problemOf(error)] })
      throw error
    })
  await followed(path.split(/[\\/]/).at(-1) ?? path, begin)
}

/** The packs before an import, so that a new one can be recognised. */
export const packsNow = (): Promise<PackOverview> => queryClient.query(overview)

/** Follow the import of a file or folder that was dropped or chosen, like `importFile`. */
export async function followImport({ path, work, problem }: BroughtBeside['packs'][number], before: PackOverview): Promise<void> {
  if (problem) usePacksUi.getState().set({ refused: [...usePacksUi.getState().refused, problem] })
  const begun = work ? Promise.resolve(work) : Promise.reject(new TubeletError(problem ?? problemOf(null)))
  await followed(path.split(/[\\/]/).at(-1) ?? path, () => begun, before)
}

/**
 * Import a file whose path the browser does not reveal, by sending its bytes.
 * @param beside What lies in its folder; only what states something of a model is sent.
 */
export async function bringFile(file: File, beside: readonly File[]): Promise<void> {
  const { precision } = usePacksUi.getState()
  const before = beside.filter(({ name, size }) => BESIDE.includes(name) && size <= MOST_BESIDE_BYTES)
  const list = before.map(({ name, size }) => `${name}:${size}`).join(',')
  const query = { name: file.name, bytes: file.size, precision, ...(list === '' ? {} : { beside: list }) }
  // A refusal stays on the page as failed work.
  await followed(file.name, () => sendBytes('bringPack', { query }, new Blob([...before, file])))
}

const NOTICE = 'import-'
let imports = 0
// The page shows all of this in more detail.
useUi.subscribe(({ page }, before) => {
  if (page === 'packs' && before.page !== 'packs')
    for (const { id } of toast.getToasts()) if (String(id).startsWith(NOTICE)) toast.dismiss(id)
})

/** Announce the start and the end of an import on whatever page the person is. */
async function followed(name: string, begin: () => Promise<PackWork>, known?: PackOverview): Promise<void> {
  const onPage = () => useUi.getState().page === 'packs'
  const options = { id: `${NOTICE}${(imports += 1)}`, action: { label: t('Show'), onClick: () => useUi.getState().goTo('packs') } }
  const loading = (text: string) => !onPage() && toast.loading(text, options)
  try {
    loading(t('“{{name}}” is looked at', { name }))
    const before = known ?? (await packsNow())
    const { id } = await begin()
    loading(t('A pack is being made of “{{name}}”', { name }))
    const pack = await imported(id, before)
    toast.dismiss(options.id)
    if (pack === null) return
    usePacksUi.getState().set({ made: pack.id })
    const ready = t('The pack “{{name}}” is ready', { name: pack.manifest?.name ?? pack.id })
    if (onPage()) toast.success(ready)
    else toast.success(ready, { ...options, duration: 12_000 })
  } catch (error) {
    toast.dismiss(options.id)
    const { message, next } = told(problemOf(error))
    if (!onPage()) toast.error(`${name}: ${message}`, { ...options, description: next, duration: 12_000 })
  } finally {
    await queryClient.invalidateQueries({ queryKey: ['packs'] })
  }
}

/**
 * The new pack when the work is finished; null if it was stopped.
 * @throws The work's problem.
 */
function imported(id: number, before: PackOverview): Promise<InstalledPack | null> {
  const begun = Date.now()
  return new Promise((resolve, reject) => {
    const stop = new QueryObserver(queryClient, overview).subscribe(({ data, dataUpdatedAt }) => {
      const work = data?.works.find((one) => one.id === id)
      if (data === undefined || dataUpdatedAt < begun || work?.state === 'running') return
      stop()
      if (work?.problem) reject(new TubeletError(work.problem))
      else resolve(data.packs.find((pack) => before.packs.every((other) => other.id !== pack.id)) ?? null)
    })
  })
}

/** A browser does not reveal the path of a dropped pack folder, and its many files cannot be sent as one. */
export function chooseFolder(): void {
  useUi.getState().goTo('packs')
  usePacksUi.getState().set({ choosing: true })
  toast.info(t('A browser does not tell where a dropped pack folder lies: choose it here.'))
}

/** Packs as the window asks for them, and what it has done with them. */
import { useQuery } from '@tanstack/react-query'
import { problemOf } from '../../app/errors.ts'
import { call } from '../api.ts'
import { queryClient, tell } from '../queries.ts'
import { useUi } from '../store.ts'
import { usePacksUi } from './store.ts'

/** While clips are being encoded, how many are missing falls without an event of its own. */
const REFRESH_MS = 2_000

export const usePacks = () => useQuery({ queryKey: ['packs'], queryFn: () => call('listPacks'), staleTime: 0, refetchInterval: ({ state }) => (state.data && state.data.missing.clips > 0 ? REFRESH_MS : false) })
export const usePlan = (packId: string) => useQuery({ queryKey: ['packs', 'plan', packId], queryFn: () => call('planSwitch', { params: { packId } }), staleTime: 0 })

/** Do something with packs, then look again. */
export async function act(what: Promise<unknown>): Promise<void> {
  await what.catch(tell)
  await queryClient.invalidateQueries({ queryKey: ['packs'] })
}

/** Import a file or a pack folder; why it is refused is shown on the page. */
export async function importFile(path: string): Promise<void> {
  const ui = usePacksUi.getState()
  useUi.getState().goTo('packs')
  ui.set({ choosing: false, refused: null })
  await call('importPack', { body: { path, precision: ui.precision } }).catch((error: unknown) => ui.set({ refused: problemOf(error) }))
  await queryClient.invalidateQueries({ queryKey: ['packs'] })
}

/** Where a browser does not tell the path of what was dropped. */
export function chooseFile(): void {
  useUi.getState().goTo('packs')
  usePacksUi.getState().set({ choosing: true, refused: null })
}

/** Files that people take for packs, by their names: not videos in any case. */
export const isCheckpoint = (name: string): boolean => /\.(safetensors|pt|pth|bin|ckpt|onnx|gguf)$/i.test(name)

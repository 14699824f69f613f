/** What a token of a library lets a program do. The key, which the window has, lets it do everything. */
import { z } from 'zod'
import { contract, type RouteName } from '../contract.ts'
import { workRoutes } from './workers.ts'

/** read: look and search; edit: also add videos, ask, review, import and export; work: analyse videos for the library, and nothing else. */
export const Scope = z.enum(['read', 'edit', 'work'])
export type Scope = z.infer<typeof Scope>

/** They change nothing, though they are called with a body. */
const READS: ReadonlySet<RouteName> = new Set<RouteName>(['search', 'curve', 'openTable', 'copyCells', 'exportCounts', 'cutsAhead'])
/** They reach beyond the library, to the machine's folders, packs and network, or replace the library. No token allows them. */
const MANAGES: ReadonlySet<RouteName> = new Set<RouteName>([
  'browse',
  'lookBelow',
  'usePack',
  'leaveTask',
  'deletePack',
  'encodeMissing',
  'forgetOrphans',
  'importPack',
  'bringPack',
  'downloadPack',
  'discardDownload',
  'cancelPackWork',
  'setNetwork',
  'projects',
  'openProject',
  'listBackups',
  'makeBackup',
  'restoreBackup',
  'emptyBin',
  'openHandedOver',
  'setPerson',
  'watchFolder',
  'unwatchFolder',
  'setWorker',
])

/** Whether a token of a scope may call a route. */
export function mayCall(scope: Scope, name: RouteName): boolean {
  if (name in workRoutes) return scope === 'work'
  if (scope === 'work' || MANAGES.has(name)) return false
  return scope === 'edit' || contract[name].method === 'get' || READS.has(name)
}

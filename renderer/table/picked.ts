/** Clips that were picked or found elsewhere, as rows of the table. */
import type { CallArgs } from '../../app/contract.ts'
import { START } from '../../app/table/spec.ts'
import { alone } from '../../app/table/selection.ts'
import { call } from '../api.ts'
import { queryClient } from '../cache.ts'
import { tell } from '../toast.ts'
import { useUi } from '../store.ts'
import { columnsQuery } from './rows.ts'
import { useTable } from './state.ts'

export async function showInTable(which: CallArgs<'pickRows'>['body']): Promise<void> {
  try {
    const picked = await call('pickRows', { body: which })
    const { spec, change, select } = useTable.getState()
    // If the table was not shown yet, its appearance is the one stored in the library.
    const left = spec ?? (await queryClient.query(columnsQuery)).current ?? START
    change({ ...left, rows: 'clips', picked })
    select(alone({ line: 0, column: 0 }))
    useTable.setState({ scroll: { top: 0, left: 0 } })
    useUi.getState().goTo('table')
  } catch (error) {
    tell(error)
  }
}

/** What can be done to the selected cells, for the grid, its toolbar and the bar of the cell. */
import { createContext, useContext } from 'react'

export interface Actions {
  /** Save what is being written, and move to the next cell if requested. */
  commit: (then: 'across' | 'down' | null, back: boolean) => void
  /** Save it while the window closes. */
  commitAtLast: () => void
  accept: () => void
  reject: () => void
  reset: () => void
  copy: () => void
  /** Open or close the group whose heading is on this line. */
  toggle: (line: number) => void
  /** Show the focused row's clip in Review. */
  open: () => void
}

export const ActionsContext = createContext<Actions | null>(null)

export function useActions(): Actions {
  const actions = useContext(ActionsContext)
  if (actions === null) throw new Error('the actions of the table are used outside of it')
  return actions
}

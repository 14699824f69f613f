/** What can be done to the chosen cells. The grid, its toolbar and the bar of the cell all do it through these. */
import { createContext, useContext } from 'react'

export interface Actions {
  /** Keep what is being written, and go to the next cell if asked to. */
  commit: (then: 'across' | 'down' | null, back: boolean) => void
  accept: () => void
  reject: () => void
  reset: () => void
  copy: () => void
  /** Open or close the group whose heading is on this line. */
  toggle: (line: number) => void
  /** Show the clip of the focus in Review. */
  open: () => void
}

export const ActionsContext = createContext<Actions | null>(null)

export function useActions(): Actions {
  const actions = useContext(ActionsContext)
  if (actions === null) throw new Error('the actions of the table are used outside of it')
  return actions
}

import { type DragEvent, useDeferredValue, useEffect, useState } from 'react'
import { Toaster } from 'sonner'
import { desktop } from './desktop.ts'
import { useKeys } from './keys.ts'
import { AddDialog } from './parts/AddDialog.tsx'
import { ClipView } from './parts/ClipView.tsx'
import { EmptyState } from './parts/EmptyState.tsx'
import { EngineDialog } from './parts/EngineDialog.tsx'
import { ExportDialog } from './parts/ExportDialog.tsx'
import { Inspector } from './parts/Inspector.tsx'
import { LibraryList } from './parts/LibraryList.tsx'
import { QueueDialog } from './parts/QueueDialog.tsx'
import { SearchResults } from './parts/SearchResults.tsx'
import { ShortcutsDialog } from './parts/ShortcutsDialog.tsx'
import { StatusBar } from './parts/StatusBar.tsx'
import { TopBar } from './parts/TopBar.tsx'
import { addPaths, useSources } from './queries.ts'
import { useUi } from './store.ts'

/** The one window: search and actions on top, the library at the left, the clip, what is said about it, and the engine's state below. */
export function App() {
  const { data, isPending } = useSources()
  const search = useUi((ui) => ui.search)
  const panel = useUi((ui) => ui.panel)
  const theme = useUi((ui) => ui.theme)
  const [dragging, setDragging] = useState(false)
  useKeys()
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme
  }, [theme])

  const drag = {
    onDragOver: (event: DragEvent) => {
      event.preventDefault()
      setDragging(true)
    },
    onDragLeave: (event: DragEvent) => {
      if (event.relatedTarget === null) setDragging(false)
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault()
      setDragging(false)
      drop([...event.dataTransfer.files])
    },
  }
  // Deferred: the workspace is much to draw at once, and is drawn in slices this way.
  const empty = useDeferredValue(!isPending && data?.sources.length === 0)
  return (
    <div className="app" data-dragging={dragging} {...drag}>
      <TopBar />
      {empty ? (
        <EmptyState dragging={dragging} />
      ) : (
        <div className="workspace">
          <nav className="side" aria-label={search === '' ? 'Library' : 'Search results'}>
            {search === '' ? <LibraryList /> : <SearchResults query={search} />}
          </nav>
          <main className="stage">
            <ClipView />
          </main>
          <aside className="inspector" aria-label="What is said about the clip">
            <Inspector />
          </aside>
        </div>
      )}
      <StatusBar />
      {dragging && !empty && <div className="drop-veil" aria-hidden>Drop to add to the library</div>}
      {panel === 'add' && <AddDialog />}
      {panel === 'export' && <ExportDialog />}
      {panel === 'shortcuts' && <ShortcutsDialog />}
      {panel === 'queue' && <QueueDialog />}
      {panel === 'engine' && <EngineDialog />}
      <Toaster position="bottom-right" theme={theme} offset={44} closeButton />
    </div>
  )
}

/** Dropped files by their paths; a browser tells only names, so there the picker opens and says why. */
function drop(files: readonly File[]): void {
  if (files.length === 0) return
  if (desktop === null) {
    useUi.getState().setDropped(files.map(({ name }) => name))
    return
  }
  const paths = files.map(desktop.pathForFile).filter((path) => path !== '')
  if (paths.length > 0) void addPaths(paths)
}

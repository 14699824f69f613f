import { type DragEvent, useDeferredValue, useEffect, useState } from 'react'
import { Toaster } from 'sonner'
import { desktop } from '../desktop.ts'
import { drop } from '../drop.ts'
import { t } from '../i18n.ts'
import { useKeys } from '../keys.ts'
import { AddDialog } from '../parts/AddDialog.tsx'
import { NumberedDialog } from '../parts/NumberedDialog.tsx'
import { Confirm } from '../parts/Confirm.tsx'
import { EmptyState } from './EmptyState.tsx'
import { ExportDialog } from '../export/ExportDialog.tsx'
import { SharedDialog } from '../sharing/SharedDialog.tsx'
import { ImportDialog } from '../import/ImportDialog.tsx'
import { Palette } from './Palette.tsx'
import { ShortcutsDialog } from './ShortcutsDialog.tsx'
import { StatusBar } from './StatusBar.tsx'
import { TopBar } from './TopBar.tsx'
import { PAGES, Rail } from './pages.tsx'
import { HistoryDialog } from '../history/HistoryDialog.tsx'
import { useSources, useStatus } from '../cache.ts'
import { keepDrafts } from '../review/drafts.ts'
import { usePreferences } from '../settings/preferences.ts'
import { type Page, useUi } from '../store.ts'

/** Pages that only show contents of the library. */
const NEEDS_VIDEO: ReadonlySet<Page> = new Set(['review', 'table', 'overview'])

/** The one window: search and actions on top, the pages at the left, and the engine's state below. */
export function App() {
  const { data, isPending } = useSources()
  const page = useUi((ui) => ui.page)
  const panel = useUi((ui) => ui.panel)
  const theme = usePreferences((preferences) => preferences.theme)
  const [dragging, setDragging] = useState(false)
  const library = useStatus().data?.projectPath
  useKeys()
  useEffect(() => {
    if (library !== undefined) keepDrafts(library)
  }, [library])

  const taken = (event: DragEvent) => {
    // Drags that begin inside the window are not file drops.
    if (!event.dataTransfer.types.includes('Files')) return
    event.preventDefault()
    setDragging(true)
  }
  const drag = {
    // If another element comes under the pointer just before the drop, Chromium sends it no dragover event to accept it.
    onDragEnter: taken,
    onDragOver: taken,
    onDragLeave: (event: DragEvent) => {
      if (event.relatedTarget === null) setDragging(false)
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault()
      setDragging(false)
      void drop(event.dataTransfer)
    },
  }
  // Deferred: the workspace takes long to draw, and this lets React draw it in slices.
  const empty = useDeferredValue(!isPending && data?.sources.length === 0)
  const { Component } = PAGES[page]
  return (
    <div className="app" data-dragging={dragging} {...drag}>
      <TopBar />
      <div className="body">
        <Rail />
        {empty && NEEDS_VIDEO.has(page) ? <EmptyState dragging={dragging} /> : <Component />}
      </div>
      <StatusBar />
      {dragging && !empty && (
        <div className="drop-veil" aria-hidden>
          {desktop === null
            ? t('Checkpoints and annotation files can be dropped here. Videos are added by their folder, which is asked for next.')
            : t('Drop to add to the library')}
        </div>
      )}
      {panel === 'add' && <AddDialog />}
      {panel === 'numbered' && <NumberedDialog />}
      {panel === 'export' && <ExportDialog />}
      {panel === 'import' && <ImportDialog />}
      {panel === 'shared' && <SharedDialog />}
      {panel === 'shortcuts' && <ShortcutsDialog />}
      {panel === 'palette' && <Palette />}
      {panel === 'history' && <HistoryDialog />}
      <Confirm />
      {/* Over the picture, or above the bar at the foot of a page, but never over a tool. */}
      <Toaster
        position={page === 'review' ? 'top-center' : 'bottom-center'}
        theme={theme}
        offset={{ top: 116, bottom: 104 }}
        closeButton
        containerAriaLabel={t('Notifications')}
        toastOptions={{ closeButtonAriaLabel: t('Close') }}
      />
    </div>
  )
}

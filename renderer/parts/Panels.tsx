/**
 * Parts of a page with bars between them, which are dragged, moved by arrow keys, closed by Enter and reset by a double click; their sizes
 * are remembered.
 */
import { Fragment, type KeyboardEvent, type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { Group, Panel, type PanelImperativeHandle, Separator, useDefaultLayout } from 'react-resizable-panels'
import { t } from '../i18n.ts'
import './panels.css'

interface Part {
  id: string
  content: ReactNode
  /** The name of the part in the label of the bar at its inner edge. A part without a name takes the space that the others leave. */
  name?: string
  /** Sizes as CSS writes them: `260px`, `22vw`, `45%`. */
  size?: string
  least: string
  most?: string
}

/** Below this width pages stack their parts: see theme.css. */
const narrow = () => matchMedia('(width < 900px)')
function listen(changed: () => void): () => void {
  const media = narrow()
  media.addEventListener('change', changed)
  return () => media.removeEventListener('change', changed)
}

/** Panels on the screen that can be closed, by id. */
const shown = new Map<string, PanelImperativeHandle>()

/** Close a part, or open it again at its old width. Does nothing if it is not on the screen. */
export function togglePanel(id: string): void {
  const panel = shown.get(id)
  if (panel?.isCollapsed()) panel.expand()
  else panel?.collapse()
}

/** @param id The key under which the sizes are stored on this machine. */
export function Panels({
  id,
  className,
  vertical = false,
  parts,
}: {
  id: string
  className: string
  vertical?: boolean
  parts: readonly Part[]
}) {
  const stacked = useSyncExternalStore(listen, () => narrow().matches)
  const { defaultLayout, onLayoutChanged } = useDefaultLayout({ id: `tubelet-${id}`, panelIds: parts.map((part) => part.id) })
  if (stacked)
    return (
      <div className={className}>
        {parts.map((part) => (
          <Fragment key={part.id}>{part.content}</Fragment>
        ))}
      </div>
    )
  const rest = parts.findIndex(({ name }) => name === undefined)
  return (
    <Group
      id={`tubelet-${id}`}
      className={`panels ${className}`}
      orientation={vertical ? 'vertical' : 'horizontal'}
      {...(defaultLayout ? { defaultLayout } : {})}
      onLayoutChanged={onLayoutChanged}
    >
      {parts.map((part, at) => (
        <Fragment key={part.id}>
          {part.name !== undefined && at > rest && <Bar name={part.name} closes={part.id} />}
          <Pane {...part} />
          {part.name !== undefined && at < rest && <Bar name={part.name} />}
        </Fragment>
      ))}
    </Group>
  )
}

/** @param closes The id of the part after the bar, which Enter closes; react-resizable-panels itself handles a part before the bar. */
function Bar({ name, closes }: { name: string; closes?: string }) {
  const bar = t('Size of {{panel}}', { panel: name })
  const enter = ({ key }: KeyboardEvent) => key === 'Enter' && closes !== undefined && togglePanel(closes)
  return (
    <Separator
      className="panel-bar"
      onKeyDown={enter}
      aria-label={bar}
      title={t('{{bar}}: drag, or use the arrow keys; Enter closes and opens it, a double click resets it', { bar })}
    />
  )
}

function Pane({ id, content, name, size, least, most }: Part) {
  const handle = useRef<PanelImperativeHandle>(null)
  const [closed, setClosed] = useState(false)
  const closes = name !== undefined
  useEffect(() => {
    const { current } = handle
    if (!closes || current === null) return
    shown.set(id, current)
    return () => void shown.delete(id)
  }, [id, closes])
  return (
    <Panel
      id={id}
      panelRef={handle}
      minSize={least}
      groupResizeBehavior={closes ? 'preserve-pixel-size' : 'preserve-relative-size'}
      collapsible={closes}
      collapsedSize={0}
      onResize={({ inPixels }) => setClosed(closes && inPixels < 1)}
      {...(size === undefined ? {} : { defaultSize: size })}
      {...(most === undefined ? {} : { maxSize: most })}
    >
      {/* Tab also skips a closed part. */}
      <div className="panel-content" inert={closed}>
        {content}
      </div>
    </Panel>
  )
}

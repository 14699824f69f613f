import { Hand, Lasso, Maximize2 } from 'lucide-react'
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState, type WheelEvent } from 'react'
import { type Facts, inside, type Point, tracksOf } from '../../app/overview.ts'
import { urlOf } from '../api.ts'
import { captionText } from '../caption.ts'
import { clock, clockSpan, percent } from '../format.ts'
import { t } from '../i18n.ts'
import { endWalk } from '../review/walk.ts'
import { useUi } from '../store.ts'
import { alike, beside, type Dot, GROUP, SIDE } from './likeness.ts'
import { usePicked } from './store.ts'

const [LEAST_ZOOM, MOST_ZOOM] = [1, 40]
const WHOLE = { zoom: 1, x: SIDE / 2, y: SIDE / 2 }
/** What a drag does: draw around clips, or move the map. */
type Mode = 'lasso' | 'move'

/** The map itself: dots on a canvas, pointer and key input on them, and the clip under the pointer. */
export function Plane({
  dots,
  colour,
  facts,
  building,
}: {
  dots: readonly Dot[]
  colour: (kind: string) => string
  facts: Facts
  building: number | null
}) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ width: 600, height: 420 })
  const [view, setView] = useState(WHOLE)
  const [mode, setMode] = useState<Mode>('lasso')
  const [lasso, setLasso] = useState<readonly Point[]>([])
  const [near, setNear] = useState<number | null>(null)
  const picked = usePicked(({ clipIds }) => clipIds)
  const { pick } = usePicked.getState()
  const clips = useMemo(() => new Map(facts.clips.map((clip) => [clip.id, clip])), [facts])
  const drag = useRef<{ x: number; y: number } | null>(null)

  useEffect(() => {
    const { current } = box
    if (current === null) return
    const observer = new ResizeObserver(([entry]) => entry && setSize({ width: entry.contentRect.width, height: entry.contentRect.height }))
    observer.observe(current)
    return () => observer.disconnect()
  }, [])

  const scale = (Math.min(size.width, size.height) / (SIDE * 1.08)) * view.zoom
  // The card is wider than it is high, so the map is stretched to fill it.
  const stretch = size.width / Math.max(1, size.height)
  const toScreen = ({ x, y }: Point): Point => ({
    x: (x - view.x) * scale * stretch + size.width / 2,
    y: (y - view.y) * scale + size.height / 2,
  })
  const at = (event: { clientX: number; clientY: number }): Point => {
    const { left, top } = box.current?.getBoundingClientRect() ?? { left: 0, top: 0 }
    return { x: event.clientX - left, y: event.clientY - top }
  }
  const closest = (point: Point, reach: number) => {
    let best: { id: number; distance: number } | null = null
    for (const dot of dots) {
      const place = toScreen(dot)
      const distance = Math.hypot(place.x - point.x, place.y - point.y)
      if (distance < (best?.distance ?? reach)) best = { id: dot.id, distance }
    }
    return best?.id ?? null
  }

  useEffect(() => {
    const { current } = canvas
    if (current !== null) paint(current, { dots, toScreen, size, zoom: view.zoom, picked, near, colour })
  })

  const down = (event: PointerEvent) => {
    event.currentTarget.setPointerCapture(event.pointerId)
    if (mode === 'move' || event.button === 1) drag.current = at(event)
    else setLasso([at(event)])
  }
  const over = (event: PointerEvent) => {
    const point = at(event)
    if (drag.current) {
      const from = drag.current
      drag.current = point
      setView((now) => ({ ...now, x: now.x - (point.x - from.x) / (scale * stretch), y: now.y - (point.y - from.y) / scale }))
    } else if (lasso.length > 0) setLasso([...lasso, point])
    else setNear(closest(point, 12))
  }
  const up = () => {
    drag.current = null
    if (lasso.length > 4) {
      pick(
        dots.filter((dot) => inside(toScreen(dot), lasso)).map(({ id }) => id),
        t('drawn on the map'),
      )
    } else if (lasso.length > 0) {
      const [point] = lasso
      const id = point ? closest(point, 12) : null
      if (id === null) pick([], '')
      else pick([id], t('chosen on the map'))
    }
    setLasso([])
  }
  const zoomBy = (factor: number) => setView((now) => ({ ...now, zoom: Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, now.zoom * factor)) }))
  const wheel = (event: WheelEvent) => {
    if (event.ctrlKey || mode === 'move') zoomBy(Math.exp(-event.deltaY / 400))
  }
  const key = (event: KeyboardEvent) => {
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
    const here = dots.find(({ id }) => id === near) ?? dots[0]
    if (!here) return
    if (arrow) setNear(beside(here, dots, arrow[0] ?? 0, arrow[1] ?? 0))
    else if (event.key === ' ')
      pick(picked.has(here.id) ? [...picked].filter((id) => id !== here.id) : [...picked, here.id], t('chosen on the map'))
    else if (event.key.toLowerCase() === 'g') pick(alike(here, dots), t('alike on the map'))
    else if (event.key === '+' || event.key === '=') zoomBy(1.5)
    else if (event.key === '-') zoomBy(1 / 1.5)
    else if (event.key === 'Escape') pick([], '')
    else if (event.key === 'Enter') {
      const clip = clips.get(here.id)
      if (clip) {
        endWalk()
        useUi.getState().openClip(clip.id, clip.sourceId)
      }
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  const focused = near === null ? undefined : clips.get(near)
  const place = dots.find(({ id }) => id === near)
  const spot = place && toScreen(place)
  return (
    <>
      <div
        ref={box}
        className="plane"
        data-mode={mode}
        tabIndex={0}
        role="application"
        aria-label={t('Map of clips')}
        aria-describedby="map-keys"
        onPointerDown={down}
        onPointerMove={over}
        onPointerUp={up}
        onPointerLeave={() => setNear(null)}
        onWheel={wheel}
        onKeyDown={key}
      >
        <canvas ref={canvas} />
        {lasso.length > 1 && (
          <svg className="lasso" aria-hidden>
            <polygon points={lasso.map(({ x, y }) => `${x},${y}`).join(' ')} />
          </svg>
        )}
        {focused && spot && (
          <Tip clip={focused} left={Math.min(spot.x + 12, size.width - 226)} top={Math.min(Math.max(spot.y - 40, 4), size.height - 150)} />
        )}
        <Tools mode={mode} setMode={setMode} zoomBy={zoomBy} showAll={() => setView(WHOLE)} />
        {building !== null && (
          <p className="map-building small muted" role="status">
            {t('A newer map is being made… {{share}}', { share: percent(building) })}
          </p>
        )}
      </div>
      <p id="map-keys" className="small muted">
        {t(
          'Draw around clips to take them. With keys: arrows go from clip to clip, Space takes one, G the {{number}} most alike, Enter opens it, + and − zoom.',
          { number: GROUP },
        )}
      </p>
      <p className="unseen" role="status">
        {focused ? `${captionText(focused)}, ${clock(focused.start, 1)}` : ''}
      </p>
    </>
  )
}

interface Picture {
  dots: readonly Dot[]
  toScreen: (point: Point) => Point
  /** CSS pixels. */
  size: { width: number; height: number }
  zoom: number
  picked: ReadonlySet<number>
  /** The dot under the pointer or the keys. */
  near: number | null
  colour: (kind: string) => string
}

function paint(current: HTMLCanvasElement, { dots, toScreen, size, zoom, picked, near, colour }: Picture): void {
  const context = current.getContext('2d')
  if (!context) return
  const style = getComputedStyle(current)
  // A canvas cannot resolve the theme's variables; the computed style gives their values.
  const known = new Map<string, string>()
  const resolved = (value: string) => {
    const found = known.get(value)
    if (found !== undefined) return found
    current.style.outlineColor = value
    known.set(value, style.outlineColor)
    return style.outlineColor
  }
  const ratio = window.devicePixelRatio
  current.width = size.width * ratio
  current.height = size.height * ratio
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, size.width, size.height)
  const radius = Math.min(7, (dots.length > 3000 ? 2 : dots.length > 500 ? 3 : 4.5) * Math.sqrt(zoom))
  for (const dot of dots) {
    const { x, y } = toScreen(dot)
    if (x < -9 || y < -9 || x > size.width + 9 || y > size.height + 9) continue
    context.globalAlpha = picked.size === 0 || picked.has(dot.id) ? 0.9 : 0.22
    context.fillStyle = resolved(colour(dot.kind))
    context.beginPath()
    context.arc(x, y, radius, 0, Math.PI * 2)
    context.fill()
    if (dot.id !== near) continue
    context.globalAlpha = 1
    context.lineWidth = 2
    context.strokeStyle = style.color
    context.beginPath()
    context.arc(x, y, radius + 3, 0, Math.PI * 2)
    context.stroke()
  }
}

/** The clip under the pointer. */
function Tip({ clip, left, top }: { clip: Facts['clips'][number]; left: number; top: number }) {
  return (
    <div className="map-tip" style={{ left, top }} aria-hidden>
      <img src={urlOf('clipThumbnail', { params: { clipId: clip.id } })} alt="" />
      <p>{captionText(clip)}</p>
      <p className="muted num">
        {clockSpan(clip)}{' '}
        {tracksOf(clip)
          .map(([label, count]) => `${label} ${count}`)
          .join(', ')}
      </p>
    </div>
  )
}

function Tools({
  mode,
  setMode,
  zoomBy,
  showAll,
}: {
  mode: Mode
  setMode: (mode: Mode) => void
  zoomBy: (factor: number) => void
  showAll: () => void
}) {
  return (
    <div className="map-tools" onPointerDown={(event) => event.stopPropagation()}>
      <button
        className="icon"
        aria-label={t('Draw around clips')}
        title={t('Draw around clips')}
        aria-pressed={mode === 'lasso'}
        onClick={() => setMode('lasso')}
      >
        <Lasso size={15} />
      </button>
      <button
        className="icon"
        aria-label={t('Move the map')}
        title={t('Move the map')}
        aria-pressed={mode === 'move'}
        onClick={() => setMode('move')}
      >
        <Hand size={15} />
      </button>
      <button className="icon" aria-label={t('Zoom in')} onClick={() => zoomBy(1.5)}>
        +
      </button>
      <button className="icon" aria-label={t('Zoom out')} onClick={() => zoomBy(1 / 1.5)}>
        −
      </button>
      <button className="icon" aria-label={t('Whole map')} title={t('Whole map')} onClick={showAll}>
        <Maximize2 size={14} />
      </button>
    </div>
  )
}

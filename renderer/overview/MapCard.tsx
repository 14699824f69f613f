import { Hand, Lasso, Maximize2 } from 'lucide-react'
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState, type WheelEvent } from 'react'
import type { Source } from '../../app/contract.ts'
import { commonest, type Facts, inside, type Point } from '../../app/overview.ts'
import { PALETTE } from '../../app/vocabulary.ts'
import { urlOf } from '../api.ts'
import { captionText } from '../caption.ts'
import { clock, percent } from '../format.ts'
import { t } from '../i18n.ts'
import { useColours } from '../labels/vocabulary.ts'
import { endWalk } from '../review/walk.ts'
import { useUi } from '../store.ts'
import { Card, DataTable } from './Card.tsx'
import { useMap } from './queries.ts'
import { usePicked } from './store.ts'

/** Side of the square that the map is drawn in, in its own units. */
const SIDE = 1000
const [LEAST_ZOOM, MOST_ZOOM] = [1, 40]
const REST = 'var(--strong-line)'
/** How many alike clips the key G takes. */
const GROUP = 20
/** Kinds that get a colour of their own. */
const KINDS = 10

interface Dot extends Point {
  id: number
  kind: string
}

/** Clips in the plane, alike ones near each other, to see what a library holds and to take a part of it. */
export function MapCard({ facts, sources }: { facts: Facts; sources: readonly Source[] }) {
  const { data: map } = useMap()
  const [by, setBy] = useState('label')
  const labelColour = useColours()
  const questions = useMemo(
    () =>
      commonest(
        facts.answers.map(({ question }) => question),
        20,
      ),
    [facts],
  )
  const { dots, kinds } = useMemo(() => {
    const kindOf = kinder(by, facts, sources)
    const clips = new Map(facts.clips.map((clip) => [clip.id, clip]))
    const all = (map?.clipIds ?? []).flatMap((id, at): Dot[] => {
      const clip = clips.get(id)
      return clip ? [{ id, x: (map?.x[at] ?? 0) * SIDE, y: (map?.y[at] ?? 0) * SIDE, kind: kindOf(clip) }] : []
    })
    return {
      dots: all,
      kinds: commonest(
        all.map(({ kind }) => kind).filter((kind) => kind !== ''),
        KINDS,
      ),
    }
  }, [map, facts, sources, by])
  const colour = (kind: string) =>
    by === 'label' ? (kind === '' ? REST : labelColour(kind)) : kinds.includes(kind) ? (PALETTE[kinds.indexOf(kind)] ?? REST) : REST
  const { pick } = usePicked.getState()
  const counts = t('{{clips}} clips', { clips: dots.length })
  const content = () => ({
    content: `${dots.map(({ x, y, kind }) => `<circle cx="${(x * 0.96 + 20).toFixed(1)}" cy="${(y * 0.96 + 20).toFixed(1)}" r="4" fill="${colour(kind)}"/>`).join('')}${kinds.map((kind, at) => `<g transform="translate(0 ${SIDE + 20 + at * 18})"><circle cx="6" cy="0" r="5" fill="${colour(kind)}"/><text x="18" y="4" font-size="12" fill="#16191d">${kind.replaceAll('&', '&amp;').replaceAll('<', '&lt;')} (${dots.filter((dot) => dot.kind === kind).length})</text></g>`).join('')}`,
    width: SIDE,
    height: SIDE + 20 + kinds.length * 18,
  })
  return (
    <Card
      title={t('By likeness')}
      counts={counts}
      name="map"
      chart={content}
      actions={
        <label className="row small">
          <span className="muted">{t('Colour')}</span>
          <select value={by} onChange={({ target }) => setBy(target.value)}>
            <option value="label">{t('by label')}</option>
            <option value="source">{t('by video')}</option>
            <option value="state">{t('by review')}</option>
            {questions.map((question) => (
              <option key={question} value={`answer ${question}`}>
                {question}
              </option>
            ))}
          </select>
        </label>
      }
    >
      {dots.length === 0 ? (
        <p className="map-empty muted">
          {map?.building === null || map === undefined
            ? t('No clip is encoded yet.')
            : t('Placing clips by what they show… {{share}}', { share: percent(map.building) })}
        </p>
      ) : (
        <Plane dots={dots} colour={colour} facts={facts} building={map?.building ?? null} />
      )}
      <p className="legend small">
        {kinds.map((kind) => (
          <button
            key={kind}
            className="quiet small"
            onClick={() =>
              pick(
                dots.filter((dot) => dot.kind === kind).map(({ id }) => id),
                kind,
              )
            }
          >
            <i style={{ background: colour(kind) }} aria-hidden />
            {kind}
          </button>
        ))}
      </p>
      {dots.length > 0 && <MapTable dots={dots} facts={facts} sources={sources} />}
    </Card>
  )
}

/** So many rows, and so many likest clips of each: a page to read, not the library. */
const [ROWS, LIKEST] = [500, 3]

/** What the map shows, for those who read or hear it: each clip with those nearest to it. */
function MapTable({ dots, facts, sources }: { dots: readonly Dot[]; facts: Facts; sources: readonly Source[] }) {
  const rows = () => {
    const clips = new Map(facts.clips.map((clip) => [clip.id, clip]))
    const names = new Map(sources.map(({ id, name }) => [id, name]))
    const named = (id: number) => {
      const clip = clips.get(id)
      return clip ? `${names.get(clip.sourceId) ?? ''} ${clock(clip.start, 1)}–${clock(clip.end, 1)}` : ''
    }
    const open = (id: number) => {
      useUi.getState().selectClip(id, clips.get(id)?.sourceId ?? null)
      useUi.getState().goTo('review')
    }
    return dots.slice(0, ROWS).map((dot) => [
      <button key="clip" className="quiet small" onClick={() => open(dot.id)}>
        {named(dot.id)}
      </button>,
      captionText(clips.get(dot.id) ?? { caption: null, state: null, unsure: false }),
      dot.kind,
      alike(dot, dots, LIKEST + 1)
        .filter((id) => id !== dot.id)
        .slice(0, LIKEST)
        .map(named)
        .join(', '),
    ])
  }
  return (
    <>
      <DataTable head={[t('Clip'), t('Caption'), t('Kind'), t('Most alike')]} rows={rows} />
      {dots.length > ROWS && (
        <p className="small muted">{t('The table has the first {{count, number}} clips; the Table page has all.', { count: ROWS })}</p>
      )}
    </>
  )
}

function kinder(by: string, facts: Facts, sources: readonly Source[]): (clip: Facts['clips'][number]) => string {
  if (by === 'source') {
    const names = new Map(sources.map(({ id, name }) => [id, name]))
    return ({ sourceId }) => names.get(sourceId) ?? ''
  }
  if (by === 'state') return ({ state }) => (state !== null && state !== 'machine' ? t(state) : '')
  if (by === 'label') return ({ labels }) => Object.entries(labels).sort(([, a], [, b]) => b - a)[0]?.[0] ?? ''
  const answers = new Map(facts.answers.filter(({ question }) => `answer ${question}` === by).map(({ clipId, text }) => [clipId, text]))
  return ({ id }) => answers.get(id) ?? ''
}

function Plane({
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
  const [view, setView] = useState({ zoom: 1, x: SIDE / 2, y: SIDE / 2 })
  const [mode, setMode] = useState<'lasso' | 'move'>('lasso')
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
  // Wider than high: what lies at the sides is drawn as far apart as there is room for.
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
    const context = current?.getContext('2d')
    if (!current || !context) return
    const style = getComputedStyle(current)
    // A canvas knows no variables of the theme: the browser says what they are.
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
    const radius = Math.min(7, (dots.length > 3000 ? 2 : dots.length > 500 ? 3 : 4.5) * Math.sqrt(view.zoom))
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
          <div
            className="map-tip"
            style={{ left: Math.min(spot.x + 12, size.width - 226), top: Math.min(Math.max(spot.y - 40, 4), size.height - 150) }}
            aria-hidden
          >
            <img src={urlOf('clipThumbnail', { params: { clipId: focused.id } })} alt="" />
            <p>{captionText(focused)}</p>
            <p className="muted num">
              {clock(focused.start, 1)}–{clock(focused.end, 1)}{' '}
              {Object.entries(focused.labels)
                .map(([label, count]) => `${label} ${count}`)
                .join(', ')}
            </p>
          </div>
        )}
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
          <button
            className="icon"
            aria-label={t('Whole map')}
            title={t('Whole map')}
            onClick={() => setView({ zoom: 1, x: SIDE / 2, y: SIDE / 2 })}
          >
            <Maximize2 size={14} />
          </button>
        </div>
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

/** The nearest clip in a direction: far along it is better than aside. */
function beside(here: Dot, dots: readonly Dot[], dx: number, dy: number): number {
  let best = { id: here.id, cost: Infinity }
  for (const dot of dots) {
    const along = (dot.x - here.x) * dx + (dot.y - here.y) * dy
    if (along <= 0) continue
    const aside = Math.abs((dot.x - here.x) * dy) + Math.abs((dot.y - here.y) * dx)
    const cost = along + 2 * aside
    if (cost < best.cost) best = { id: dot.id, cost }
  }
  return best.id
}

/** The nearest, itself among them, nearest first. */
function alike(here: Dot, dots: readonly Dot[], most = GROUP): number[] {
  const near: { id: number; distance: number }[] = []
  for (const { id, x, y } of dots) {
    const distance = Math.hypot(x - here.x, y - here.y)
    if (near.length === most && distance >= (near.at(-1)?.distance ?? 0)) continue
    const at = near.findIndex((other) => other.distance > distance)
    near.splice(at === -1 ? near.length : at, 0, { id, distance })
    if (near.length > most) near.pop()
  }
  return near.map(({ id }) => id)
}

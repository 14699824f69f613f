/**
 * The overview's charts as plain SVG: colours are the theme's variables, so that an exported picture can replace them by the light ones.
 */
import type { Axis } from '../../app/overview.ts'
import { clock } from '../format.ts'

export const WIDTH = 1000

/** A stack of counts for each bin; a bin is a button. */
export function Bars({
  bins,
  colours,
  height,
  max,
  onChoose,
  describe,
}: {
  bins: readonly (readonly { key: string; count: number }[])[]
  colours: (key: string) => string
  height: number
  max: number
  onChoose: (bin: number) => void
  describe: (bin: number) => string
}) {
  const width = WIDTH / bins.length
  return bins.map((stack, at) => {
    let top = height
    const total = stack.reduce((sum, { count }) => sum + count, 0)
    if (total === 0) return null
    return (
      <g
        key={at}
        role="button"
        tabIndex={0}
        className="bar"
        aria-label={describe(at)}
        onClick={() => onChoose(at)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' && event.key !== ' ') return
          event.preventDefault()
          onChoose(at)
        }}
      >
        <title>{describe(at)}</title>
        <rect x={at * width} y={0} width={width} height={height} fill="transparent" />
        {stack.map(({ key, count }) => {
          const tall = (count / Math.max(1, max)) * height
          top -= tall
          return (
            <rect
              key={key}
              x={at * width + Math.min(1, width * 0.1)}
              y={top}
              width={Math.max(0.5, width - Math.min(2, width * 0.2))}
              height={Math.max(tall, 0.75)}
              fill={colours(key)}
            />
          )
        })}
      </g>
    )
  })
}

/** Videos on the axis, as blocks in lanes so that none covers another. */
export function Blocks({
  axis,
  range: [from, to],
  y,
  height,
  name,
  onChoose,
}: {
  axis: Axis
  range: readonly [number, number]
  y: number
  height: number
  name: (sourceId: number) => string
  onChoose: (sourceId: number) => void
}) {
  const scale = WIDTH / (to - from)
  return axis.sources.map(({ sourceId, from: begins, length }, at) => {
    if (begins + length < from || begins > to) return null
    const x = (begins - from) * scale
    const width = Math.max(2, length * scale - 1)
    const said = `${name(sourceId)}, ${clock(length)}`
    return (
      <g
        key={sourceId}
        role="button"
        tabIndex={0}
        className="bar"
        aria-label={said}
        onClick={() => onChoose(sourceId)}
        onKeyDown={({ key }) => key === 'Enter' && onChoose(sourceId)}
      >
        <title>{said}</title>
        <rect x={x} y={y} width={width} height={height} rx={3} fill={at % 2 === 0 ? 'var(--block)' : 'var(--other-block)'} />
        {width > 70 && (
          <text x={x + 6} y={y + height / 2 + 4} fontSize={11} fill="var(--text)" clipPath={`inset(0 0 0 0)`}>
            {shortened(name(sourceId), Math.floor(width / 7))}
          </text>
        )}
      </g>
    )
  })
}

function shortened(text: string, letters: number): string {
  return text.length <= letters ? text : `${text.slice(0, Math.max(1, letters - 1))}…`
}

/** Times along the axis: clock times if videos lie by date, else times from the beginning. */
export function Ticks({ axis, range: [from, to], y }: { axis: Axis; range: readonly [number, number]; y: number }) {
  const at = Array.from({ length: 6 }, (_, step) => from + ((to - from) * step) / 5)
  const text = (seconds: number) =>
    axis.origin === null
      ? clock(seconds)
      : new Date(axis.origin + seconds * 1000).toLocaleString(undefined, {
          dateStyle: 'short',
          ...(to - from < 14 * 86_400 ? { timeStyle: 'short' } : {}),
        })
  return at.map((seconds, step) => (
    <text
      key={step}
      x={(WIDTH * step) / 5}
      y={y}
      fontSize={11}
      fill="var(--muted)"
      textAnchor={step === 0 ? 'start' : step === 5 ? 'end' : 'middle'}
    >
      {text(seconds)}
    </text>
  ))
}

import { Maximize2, ZoomIn, ZoomOut } from 'lucide-react'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'react'
import { type Annotation, fromFacts, type Span, type TextAnnotation, type TrackAnnotation } from '../../app/annotation.ts'
import type { Clip, Source } from '../../app/contract.ts'
import type { Stretch } from '../../app/facts/unread.ts'
import { isUnread, timeOfCell } from '../../app/filmstrip.ts'
import { labelText, standingOfAnnotation } from '../../app/review.ts'
import { lifetime } from '../../app/track-edits.ts'
import { fitView, follow, panView, type View, zoomView } from '../../app/timeline.ts'
import { urlOf } from '../api.ts'
import { captionText } from '../caption.ts'
import { MatchCurve } from '../find/MatchCurve.tsx'
import { useCompared } from '../find/queries.ts'
import { clock, clockSpan } from '../format.ts'
import { t } from '../i18n.ts'
import { hint } from '../keys.ts'
import { useColours } from '../labels/vocabulary.ts'
import { type FrameTable, showFrame, ordinalAt, timeOf, usePlayer } from '../player.ts'
import { type Axis, AxisProvider, Bar, Lane, Overview, PlayLine, Point, Ruler, useAxis } from './Axis.tsx'
import { parts } from './drafts.ts'
import { commit } from './edits.ts'
import { useReview } from './store.ts'
import { chooseTrack, retimed } from './tracks.ts'
import { useUi } from '../store.ts'

interface Props {
  source: Source
  clips: readonly Clip[]
  clip: Clip | null
  annotations: readonly Annotation[]
  frames: FrameTable | undefined
}

/** The whole video above, an enlarged part of it below: clips, their annotations over time, tracks, where the model looked. */
export function Timeline({ source, clips, clip, annotations, frames }: Props) {
  const duration = Math.max(source.probe?.duration ?? 0, ...clips.map(({ end }) => end))
  if (duration === 0 || !frames || frames.pts.length === 0) return null
  return <Lanes source={source} clips={clips} clip={clip} annotations={annotations} frames={frames} duration={duration} />
}

const NOTHING: readonly Stretch[] = []

/** Mouse wheel distance that doubles the size. */
const WHEEL_DOUBLES = 300

function Lanes({ source, clips, clip, annotations, frames, duration }: Props & { frames: FrameTable; duration: number }) {
  const ref = useRef<HTMLElement>(null)
  const chosen = useReview((review) => review.view)
  const setView = useReview((review) => review.setView)
  const view = useMemo(() => chosen ?? { from: 0, to: duration }, [chosen, duration])
  const playing = usePlayer((player) => player.playing)
  const compared = useCompared(source.id)
  const unread = source.probe?.unread ?? NOTHING
  // Clips tile what could be read.
  const readable = clips.length > 0 ? Math.max(...clips.map((one) => one.end)) : duration
  const axis = useMemo((): Axis => {
    const length = view.to - view.from
    const timeAt = (clientX: number) => {
      const { left, width } = ref.current?.querySelector('.ruler .lane-body')?.getBoundingClientRect() ?? { left: 0, width: 1 }
      return Math.min(duration, Math.max(0, view.from + ((clientX - left) / width) * length))
    }
    return {
      view,
      duration,
      end: readable,
      unread,
      frames,
      at: (seconds) => (100 * (seconds - view.from)) / length,
      timeAt,
      frameAt: (clientX) => ordinalAt(frames, timeAt(clientX)),
    }
  }, [view, duration, readable, unread, frames])

  useEffect(() => {
    if (!playing) return
    return usePlayer.subscribe(({ time }) => {
      const { view: now } = useReview.getState()
      const next = now && follow(now, time, duration)
      if (next !== now) setView(next)
    })
  }, [playing, duration, setView])

  // A chosen clip is scrolled into view with some room around it.
  const { start, end } = clip ?? {}
  useEffect(() => {
    if (start === undefined || end === undefined) return
    const { view: now } = useReview.getState()
    const { from, to } = now ?? { from: 0, to: duration }
    const length = end - start
    if (start < from || end > to || length < (to - from) / 4)
      setView(length > duration / 2 ? null : fitView({ from: start - length / 2, to: end + length / 2 }, duration))
  }, [start, end, duration, setView])

  useLayoutEffect(() => {
    const section = ref.current
    if (section === null) return
    const wheel = (event: WheelEvent) => {
      const { left, width } = section.querySelector('.ruler .lane-body')?.getBoundingClientRect() ?? { left: 0, width: 1 }
      const now = useReview.getState().view ?? { from: 0, to: duration }
      const length = now.to - now.from
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault()
        setView(zoomView(now, now.from + ((event.clientX - left) / width) * length, 2 ** (-event.deltaY / WHEEL_DOUBLES), duration))
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault()
        setView(panView(now, ((event.deltaX || event.deltaY) / width) * length, duration))
      }
    }
    section.addEventListener('wheel', wheel, { passive: false })
    return () => section.removeEventListener('wheel', wheel)
  }, [duration, setView])

  const tracks = annotations.flatMap((one) => (one.body.kind === 'track' && one.state !== 'rejected' ? [{ ...one, body: one.body }] : []))
  return (
    <AxisProvider value={axis}>
      <section ref={ref} className="timeline" aria-label={t('Timeline')}>
        <Overview view={view}>
          <div className="strip" aria-hidden>
            {stripCells(source, duration).map(({ cell, isEmpty }) =>
              isEmpty ? (
                <i key={cell} />
              ) : (
                <img
                  key={cell}
                  src={urlOf('filmstrip', { params: { sourceId: source.id, cell } })}
                  alt=""
                  loading="lazy"
                  draggable={false}
                />
              ),
            )}
          </div>
        </Overview>
        <div className="lanes">
          <Ruler />
          <ClipLanes clips={clips} clip={clip} />
          <UnreadLane />
          {clip && <SaidLanes clip={clip} annotations={annotations} />}
          {compared && (
            <Lane name={t('Match')} className="match">
              <MatchCurve sourceId={source.id} start={view.from} length={view.to - view.from} frames={frames} />
            </Lane>
          )}
          {clip && <LookedLane annotations={annotations} />}
          {clip && <TextLanes annotations={annotations} />}
          {clip && tracks.map((track) => <TrackLane key={track.id} track={track} clipId={clip.id} />)}
          <div className="play-layer">
            <PlayLine />
          </div>
        </div>
        <Tools duration={duration} view={view} />
      </section>
    </AxisProvider>
  )
}

function Tools({ duration, view }: { duration: number; view: View }) {
  const setView = useReview((review) => review.setView)
  const zoom = (factor: number) => () =>
    setView(zoomView(view, Math.min(view.to, Math.max(view.from, usePlayer.getState().time)), factor, duration))
  return (
    <div className="tools" role="toolbar" aria-label={t('Timeline tools')}>
      <button className="icon" aria-label={t('Show less')} title={hint('Show less of the timeline', 'timeline-in')} onClick={zoom(2)}>
        <ZoomIn size={14} />
      </button>
      <button className="icon" aria-label={t('Show more')} title={hint('Show more of the timeline', 'timeline-out')} onClick={zoom(0.5)}>
        <ZoomOut size={14} />
      </button>
      <button
        className="icon"
        aria-label={t('Show the whole video')}
        title={hint('Show the whole video', 'timeline-fit')}
        onClick={() => setView(null)}
      >
        <Maximize2 size={13} />
      </button>
    </div>
  )
}

/** Clips as the analysis cut them, with their captions; clips that a person marked are in a lane of their own. */
function ClipLanes({ clips, clip }: { clips: readonly Clip[]; clip: Clip | null }) {
  const open = ({ start, end }: Clip, duration: number) => useReview.getState().setView(fitView({ from: start, to: end }, duration))
  const { duration, view } = useAxis()
  const lanes = [
    [t('Clips'), clips.filter(({ kind }) => kind !== 'marked')],
    [t('Marked'), clips.filter(({ kind }) => kind === 'marked')],
  ] as const
  return lanes.map(([name, all]) => {
    // Of the clips that fall on one pixel only one is drawn.
    let last = -1
    const shown = all.filter((one) => {
      const place = Math.floor((2000 * (one.start - view.from)) / (view.to - view.from))
      const fits = one.end >= view.from && one.start <= view.to && (place !== last || one.id === clip?.id)
      last = place
      return fits
    })
    return (
      all.length > 0 && (
        <Lane key={name} name={name} className="clips">
          {shown.map((one) => (
            <Bar
              key={one.id}
              span={one}
              selected={one.id === clip?.id}
              label={`${t('Clip {{number}}', { number: one.index + 1 })}, ${clockSpan(one)}${one.caption ? `: ${captionText({ caption: one.caption, state: one.captionState, unsure: one.captionUnsure })}` : ''}`}
              text={one.caption ? captionText({ caption: one.caption, state: one.captionState, unsure: one.captionUnsure }) : ''}
              onChoose={() => useUi.getState().selectClip(one.id, one.sourceId)}
              onOpen={() => open(one, duration)}
            />
          ))}
        </Lane>
      )
    )
  })
}

/** The parts of the file that could not be read: nothing is stated about them. */
function UnreadLane() {
  const axis = useAxis()
  const { unread } = axis
  if (unread.length === 0) return null
  return (
    <Lane name={t('Unreadable')} className="unread">
      {unread
        .filter(({ from, to }) => from < axis.view.to && to > axis.view.from)
        .map(({ from, to }) => {
          const said = t('{{from}}–{{to}} cannot be read', { from: clock(from, 1), to: clock(to, 1) })
          const [left, right] = [Math.max(0, axis.at(from)), Math.min(100, axis.at(to))]
          return (
            <i
              key={from}
              role="img"
              aria-label={said}
              title={said}
              style={{ left: `${left}%`, width: `${Math.max(0.3, right - left)}%` }}
            />
          )
        })}
    </Lane>
  )
}

type Said = Annotation & { body: { text: string; span: Span } }

/** If more lines of text than this occur at one time, the others are only listed at the right. */
const TEXT_ROWS = 4

/** Text on the picture, over the time it is there. */
function TextLanes({ annotations }: { annotations: readonly Annotation[] }) {
  const { frames } = useAxis()
  const chosen = useUi((ui) => ui.trackId)
  const texts = annotations.flatMap((one): TextAnnotation[] =>
    one.body.kind === 'text' && one.state !== 'rejected' ? [{ ...one, body: one.body }] : [],
  )
  return rowsOf(texts)
    .slice(0, TEXT_ROWS)
    .map((row, i) => (
      <Lane key={i} name={i === 0 ? t('Text') : ''} className="text-lane">
        {row.map(({ id, body }) => (
          <Bar
            key={id}
            span={body.span}
            selected={id === chosen}
            label={t('Text on screen: {{text}}', { text: body.text })}
            text={body.text}
            reachable
            onChoose={() => {
              chooseTrack(id)
              showFrame(frames, body.span.startFrame)
            }}
          />
        ))}
      </Lane>
    ))
}

/** The caption if it has a span of its own, captions of parts, and notes; overlapping ones are drawn in rows. */
function SaidLanes({ clip, annotations }: { clip: Clip; annotations: readonly Annotation[] }) {
  const draft = parts.useDraft(clip.id)
  const of = (kind: 'segment' | 'note') =>
    annotations.flatMap((one): Said[] =>
      (one.body.kind === kind || (kind === 'segment' && one.body.kind === 'caption')) && one.state !== 'rejected' && one.body.span
        ? [{ ...one, body: { ...one.body, span: one.body.span } }]
        : [],
    )
  const lanes = (['segment', 'note'] as const).map((kind) => {
    const said = of(kind)
    const drafted = draft?.kind === kind ? draft.span : null
    return { kind, name: kind === 'segment' ? t('Captions') : t('Notes'), rows: rowsOf(said), drafted }
  })
  return lanes.map(({ kind, name, rows, drafted }) =>
    (rows.length > 0 ? rows : drafted ? [[]] : []).map((row, i) => (
      <Lane key={`${kind} ${i}`} name={i === 0 ? name : ''} className={`${kind}-lane`}>
        {row.map(({ id, body }) => (
          <Bar
            key={id}
            span={body.span}
            label={`${body.text} (${name})`}
            text={body.text}
            within={body.kind === 'caption' ? clip : undefined}
            reachable
            onChoose={() => document.querySelector<HTMLElement>(`[data-annotation="${id}"]`)?.scrollIntoView({ block: 'nearest' })}
            onChange={(span) => void commit(clip.id, [{ action: 'edit', annotationId: id, body: { ...body, span } as Annotation['body'] }])}
          />
        ))}
        {i === 0 && drafted && (
          <Bar
            span={drafted}
            className="draft"
            reachable
            label={t('Being written')}
            onChoose={() => undefined}
            onChange={(span) => parts.change(clip.id, { span })}
          />
        )}
      </Lane>
    )),
  )
}

/** The fewest rows in which nothing overlaps, in time order. */
function rowsOf<T extends { body: { span: Span } }>(said: readonly T[]): T[][] {
  const rows: T[][] = []
  for (const one of said.toSorted((a, b) => a.body.span.startFrame - b.body.span.startFrame)) {
    const free = rows.find((row) => (row.at(-1)?.body.span.endFrame ?? 0) <= one.body.span.startFrame)
    if (free) free.push(one)
    else rows.push([one])
  }
  return rows
}

/** The frames that the model looked at for the caption and the answers; taller where it paid more attention. */
function LookedLane({ annotations }: { annotations: readonly Annotation[] }) {
  const axis = useAxis()
  const looked = annotations.flatMap(({ id, body, evidence, provenance }) =>
    evidence && !fromFacts({ provenance }) && (body.kind === 'caption' || body.kind === 'answer')
      ? [{ id, body, frames: evidence.frames }]
      : [],
  )
  if (looked.length === 0) return null
  return (
    <Lane name={t('Looked at')} className="looks">
      {looked.flatMap(({ id, body, frames }) => {
        const heaviest = frames[0]?.weight ?? 1
        return frames.map(({ ordinal, weight }) => (
          <i
            key={`${id} ${ordinal}`}
            data-kind={body.kind}
            style={{ left: `${axis.at(timeOf(axis.frames, ordinal))}%`, height: `${20 + (80 * weight) / heaviest}%` }}
            title={body.kind === 'answer' ? `${body.question} ${body.text}` : body.text}
            onClick={() => showFrame(axis.frames, ordinal)}
          />
        ))
      })}
    </Lane>
  )
}

/** A track's life with its key frames. */
function TrackLane({ track, clipId }: { track: TrackAnnotation; clipId: number }) {
  const { frames } = useAxis()
  const colourOf = useColours()
  const selected = useUi((ui) => ui.trackId === track.id)
  const also = useReview((review) => review.also.includes(track.id))
  const { id, body } = track
  const name = labelText(body.label, standingOfAnnotation(track) === 'unsure')
  const { first, last } = lifetime(body)
  const store = (next: typeof body) => void commit(clipId, [{ action: 'edit', annotationId: id, body: next }])
  return (
    <Lane name={name} className="life">
      <Bar
        span={{ startFrame: first, endFrame: last + 1 }}
        label={t('Track of {{label}}', { label: name })}
        selected={selected || also}
        colour={colourOf(body.label)}
        onChoose={(event) => chooseTrack(id, event.shiftKey)}
        onChange={(span) =>
          store(
            span.startFrame === first
              ? retimed(track, frames, 'last', span.endFrame - 1)
              : retimed(track, frames, 'first', span.startFrame),
          )
        }
      />
      {body.boxes.map((key, nth) => (
        <Point
          key={nth}
          ordinal={key.ordinal}
          reachable={selected}
          className={`${key.score === null ? 'by-person' : ''} ${key.outside ? 'outside' : ''}`}
          label={t('Key frame {{frame}} of {{label}}', { frame: key.ordinal, label: body.label })}
          onChoose={() => {
            chooseTrack(id)
            showFrame(frames, key.ordinal)
          }}
          onMove={(ordinal) => store(retimed(track, frames, { key: key.ordinal }, ordinal))}
        />
      ))}
    </Lane>
  )
}

/** Ratio of the filmstrip's width to its height, in a window of usual size. */
const STRIP_ASPECT = 18

/** As many of the stored cells, evenly spaced, as fit whole side by side; empty where nothing could be read. */
function stripCells({ filmstripCells, probe }: Source, duration: number): { cell: number; isEmpty: boolean }[] {
  const aspect = probe === null ? 1 : probe.width / probe.height
  const shown = Math.min(filmstripCells, Math.max(6, Math.round(STRIP_ASPECT / aspect)))
  return Array.from({ length: shown }, (_, i) => {
    const cell = Math.floor(((i + 0.5) * filmstripCells) / shown)
    return { cell, isEmpty: isUnread(probe?.unread ?? [], timeOfCell(cell, filmstripCells, duration)) }
  })
}

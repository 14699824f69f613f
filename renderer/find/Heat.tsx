import { useMemo } from 'react'
import type { Annotation } from '../../app/annotation.ts'
import type { Clip } from '../../app/contract.ts'
import type { Gaze } from '../../app/contract/find.ts'
import { brightest, type Glance, glanceAt, glancesOf } from '../../app/gaze.ts'
import type { Probe } from '../../app/media.ts'
import { number, percent } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { type FrameTable, ordinalAt, ptsAt, usePlayer } from '../player.ts'
import { useGaze, useSearch } from './queries.ts'
import { useFind } from './store.ts'

/** Names for the parts of a picture. */
const PLACE = {
  'upper left': phrase('at the upper left'),
  'upper centre': phrase('at the top'),
  'upper right': phrase('at the upper right'),
  'middle left': phrase('at the left'),
  'middle centre': phrase('in the middle'),
  'middle right': phrase('at the right'),
  'lower left': phrase('at the lower left'),
  'lower centre': phrase('at the bottom'),
  'lower right': phrase('at the lower right'),
}

/** The text whose heat is shown: the chosen one, else the caption. */
function lookedAt(annotations: readonly Annotation[], annotationId: number | null): Annotation | undefined {
  const worded = annotations.filter(({ body }) => body.kind === 'caption' || body.kind === 'answer')
  return worded.find(({ id }) => id === annotationId) ?? worded.find(({ body }) => body.kind === 'caption')
}

/** What a search by a box compared: the region in its own clip, and the most similar region in a clip that was found, on its frame. */
function Compared({ probe, clip, frames }: { probe: Probe; clip: Clip; frames: FrameTable }) {
  const query = useFind((find) => find.query)
  const { data } = useSearch()
  const ordinal = usePlayer(({ time }) => ordinalAt(frames, time))
  if (query?.by !== 'box' || !data) return null
  const place = query.clipId === clip.id ? data.region : [...data.hits, ...data.nearest].find((hit) => hit.clip.id === clip.id)?.place
  if (place?.ordinal !== ordinal) return null
  const { x1, y1, x2, y2 } = place.box
  return (
    <svg className="compared" viewBox={`0 0 ${probe.width} ${probe.height}`} role="img" aria-label={t('The region that was compared')}>
      <rect x={x1} y={y1} width={x2 - x1} height={y2 - y1} />
      <rect x={x1} y={y1} width={x2 - x1} height={y2 - y1} />
    </svg>
  )
}

/** Over the picture: what a search by a box compared, and where the model looked. */
export function Heat(props: { probe: Probe; clip: Clip; annotations: readonly Annotation[]; frames: FrameTable }) {
  return (
    <>
      <Compared {...props} />
      <Looked {...props} />
    </>
  )
}

/** Where the model looked, on the frame it was given that is nearest to the one shown. Follows during playback. */
function Looked({
  probe,
  clip,
  annotations,
  frames,
}: {
  probe: Probe
  clip: Clip
  annotations: readonly Annotation[]
  frames: FrameTable
}) {
  const { heat, annotationId, word } = useFind()
  const annotation = lookedAt(annotations, annotationId)
  const wanted = heat || (word !== null && annotation?.id === annotationId)
  const { data: gaze } = useGaze(annotation, wanted)
  const time = usePlayer((player) => player.time)
  const said = word === null ? null : (gaze?.words[word] ?? null)
  const glances = useMemo(() => (gaze ? glancesOf(gaze, said?.heat ?? gaze.heat) : []), [gaze, said])
  const inside = time >= clip.start - 0.001 && time < clip.end + 0.001
  const glance = inside ? glanceAt(glances, ptsAt(frames, time)) : null
  if (!wanted || !gaze || glance === null) return null
  const place = brightest(glance, gaze)
  const words = said?.text ?? gaze.text
  const description = place
    ? t('For “{{words}}” the model looked {{place}}, up to {{times}} times its even share; this frame got {{share}} of the attention.', {
        words,
        place: t(PLACE[place]),
        times: number(glance.strongest, 1),
        share: percent(glance.weight),
      })
    : t('For “{{words}}” the model looked at no part of this frame more than at others.', { words })
  return (
    <>
      <Glow glance={glance} gaze={gaze} probe={probe} description={description} />
      <figure className="heat-legend" aria-hidden>
        <figcaption>
          {t('Where it looked for')} <strong>{words}</strong>
        </figcaption>
        <span className="ramp">
          <span>{t('even')}</span>
          <i />
          <span className="num">{number(glance.strongest, 1)}×</span>
        </span>
        <span className="num">{t('{{share}} on this frame', { share: percent(glance.weight) })}</span>
      </figure>
      <p className="unseen" role="status">
        {description}
      </p>
    </>
  )
}

/**
 * Dark where the model did not look, so that light pictures do not outshine the glow; from there over violet and orange to yellow. Alpha
 * 0..255.
 */
const RAMP = [
  [8, 8, 24, 120],
  [95, 20, 110, 130],
  [200, 60, 60, 140],
  [250, 150, 20, 150],
  [255, 236, 110, 165],
] as const

function colourOf(value: number): [number, number, number, number] {
  const at = Math.min(value, 0.9999) * (RAMP.length - 1)
  const [from = RAMP[0], to = RAMP[4]] = [RAMP[Math.floor(at)], RAMP[Math.floor(at) + 1]]
  const mix = (channel: 0 | 1 | 2 | 3) => from[channel] + (to[channel] - from[channel]) * (at % 1)
  return [mix(0), mix(1), mix(2), mix(3)]
}

/** A picture with one pixel for each cell; the browser smooths it when it enlarges it. */
function pictureOf({ glow }: Glance, { rows, columns }: Gaze): string {
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width: columns, height: rows })
  const context = canvas.getContext('2d')
  if (!context) return ''
  const picture = context.createImageData(columns, rows)
  glow.forEach((value, cell) => picture.data.set(colourOf(value), cell * 4))
  context.putImageData(picture, 0, 0)
  return canvas.toDataURL()
}

/** Drawn in the display-oriented pixels of the frame, like boxes. */
function Glow({ glance, gaze, probe: { width, height }, description }: { glance: Glance; gaze: Gaze; probe: Probe; description: string }) {
  const picture = useMemo(() => pictureOf(glance, gaze), [glance, gaze])
  const { area } = gaze
  return (
    <svg className="heat" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={description} data-ordinal={glance.ordinal}>
      <image
        href={picture}
        x={area.x * width}
        y={area.y * height}
        width={area.width * width}
        height={area.height * height}
        preserveAspectRatio="none"
      />
    </svg>
  )
}

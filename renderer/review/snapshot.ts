/** The frame on the screen as a file, in the pixels of the video as played. */
import { interpolate } from '../../app/tracks.ts'
import { colourIn } from '../../app/vocabulary.ts'
import { download } from '../download.ts'
import { clock } from '../format.ts'
import { t } from '../i18n.ts'
import { ordinalAt, timeOf, usePlayer } from '../player.ts'
import { labelText, standingOfAnnotation } from '../../app/review.ts'
import { labelsQuery, queryClient, sourcesQuery } from '../cache.ts'
import { useUi } from '../store.ts'
import { toast } from '../toast.ts'
import { annotationsOf } from './edits.ts'
import { useReview } from './store.ts'
import { frameTable } from './tracks.ts'

/**
 * Save the frame as a PNG, named after the video and the frame; with the boxes of the chosen clip if they are shown and `boxes` is true.
 */
export function snapshot(boxes: boolean): void {
  const { video, time } = usePlayer.getState()
  const { sourceId, clipId } = useUi.getState()
  const frames = frameTable()
  const source = queryClient.getQueryData(sourcesQuery.queryKey)?.sources.find(({ id }) => id === sourceId)
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d')
  if (!video || video.videoWidth === 0 || !frames || !source?.probe || !context) return
  const ordinal = ordinalAt(frames, time)
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  context.drawImage(video, 0, 0)
  if (boxes && useReview.getState().showBoxes && clipId !== null) {
    const vocabulary = queryClient.getQueryData(labelsQuery.queryKey)?.labels ?? []
    const scale = canvas.width / source.probe.width
    const line = Math.max(2, canvas.width / 400)
    context.font = `600 ${line * 7}px system-ui, sans-serif`
    for (const annotation of annotationsOf(clipId)) {
      const { body, state } = annotation
      const box = body.kind === 'track' && state !== 'rejected' ? interpolate(body, frames.pts[ordinal] ?? 0) : null
      if (body.kind !== 'track' || box === null) continue
      context.strokeStyle = context.fillStyle = colourIn(vocabulary, body.label)
      context.lineWidth = line
      context.strokeRect(box.x1 * scale, box.y1 * scale, (box.x2 - box.x1) * scale, (box.y2 - box.y1) * scale)
      context.fillText(
        labelText(body.label, standingOfAnnotation(annotation) === 'unsure'),
        box.x1 * scale + line,
        box.y1 * scale > line * 9 ? box.y1 * scale - line * 2 : box.y1 * scale + line * 8,
      )
    }
  }
  canvas.toBlob((blob) => {
    if (blob === null) return
    download(`${source.name.replace(/\.[^.]*$/, '')} frame ${ordinal}.png`, blob)
    toast.success(t('Saved the frame at {{time}}', { time: clock(timeOf(frames, ordinal), 2) }), { id: 'snapshot' })
  }, 'image/png')
}

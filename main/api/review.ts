/** Looking at one clip: preview copies, and clips that a person marks. */
import { boxArea, clipBox } from '../../app/boxes.ts'
import type { RouteName } from '../../app/contract.ts'
import type { Preview } from '../../app/contract/review.ts'
import { TubeletError } from '../../app/errors.ts'
import { secondsOf } from '../../app/media.ts'
import { fileResponse } from '../files.ts'
import { mediaFile } from '../jobs/pipeline.ts'
import { previewFile, previewOf } from '../jobs/previews.ts'
import { followBox } from '../media/follow.ts'
import { type Handlers, notFound, type Services } from './handler.ts'

export function reviewHandlers({ pipeline: { library, media }, jobs }: Services) {
  const preview = (sourceId: number): Promise<Preview> => previewOf(library, library.source(sourceId), jobs.previewJob(sourceId))

  return {
    preview: ({ params: { sourceId } }) => {
      jobs.eventually(() => jobs.identity.check(sourceId))
      return preview(sourceId)
    },
    makePreview: async ({ params: { sourceId } }) => {
      if ((await preview(sourceId)).state !== 'ready') jobs.makePreview(sourceId)
      return preview(sourceId)
    },
    cancelPreview: async ({ params: { sourceId } }) => {
      const job = jobs.previewJob(sourceId)
      if (job) await jobs.cancel(job.id)
      return preview(sourceId)
    },
    previewMedia: async ({ params }, request) =>
      (await fileResponse(request, previewFile(library, library.source(params.sourceId)), 'video/mp4')) ?? notFound(),

    markClip: ({ params: { sourceId }, body: { span } }) => {
      const { probe } = library.source(sourceId)
      const pts = library.frames(sourceId)
      if (probe === null || span.endFrame > pts.length)
        throw new TubeletError({
          code: 'bad-request',
          message: 'This span is not inside the video.',
          field: 'body.span',
          next: 'Wait until the video was read to its end, or mark a shorter span.',
        })
      const clips = library.clips({ sourceId, limit: Number.MAX_SAFE_INTEGER, offset: 0 }).clips
      const there = clips.find(({ startFrame, endFrame }) => startFrame === span.startFrame && endFrame === span.endFrame)
      if (there) return there
      const at = (ordinal: number) => secondsOf(pts[ordinal] ?? 0, probe)
      // Where the last frame of the video ends is known from the clips of the analysis.
      const end = span.endFrame < pts.length ? at(span.endFrame) : Math.max(at(pts.length - 1), ...clips.map((clip) => clip.end))
      const index = Math.max(-1, ...clips.map((clip) => clip.index)) + 1
      const clip = library.markClip(sourceId, { index, kind: 'marked', start: at(span.startFrame), end, ...span, frames: [] })
      jobs.encodeMarked(sourceId)
      return clip
    },
    followBox: async ({ params: { clipId }, body: { box, ordinal, label } }, request) => {
      const { sourceId } = library.clip(clipId)
      const source = await jobs.identity.there(sourceId)
      const { probe } = source
      const pts = library.frames(sourceId)
      if (probe === null || ordinal >= pts.length || boxArea(clipBox(box, probe)) === 0)
        throw new TubeletError({
          code: 'bad-request',
          message: 'This box is not inside the video.',
          field: probe !== null && ordinal >= pts.length ? 'body.ordinal' : 'body.box',
          next: 'Wait until the video was read to its end, or draw the box on the picture.',
        })
      const help = library
        .clips({ sourceId, limit: Number.MAX_SAFE_INTEGER, offset: 0 })
        .clips.filter(({ endFrame }) => endFrame > ordinal)
        .flatMap(({ id }) => library.annotations(id))
        .flatMap(({ machine }) => (machine?.kind === 'track' && (label === undefined || machine.label === label) ? [machine] : []))
      return followBox(
        await media(),
        { file: await mediaFile(library, source), probe, pts, from: ordinal, box: clipBox(box, probe), help },
        request.signal,
      )
    },
    removeClip: ({ params: { clipId } }) => {
      const { kind } = library.clip(clipId)
      if (kind !== 'marked')
        throw new TubeletError({
          code: 'conflict',
          message: 'Only clips that a person marked can be removed: the others tile the video.',
          next: 'Reject its caption instead.',
        })
      library.removeClip(clipId)
      return {}
    },
  } satisfies Partial<Handlers<RouteName>>
}

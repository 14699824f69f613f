/** Checks of what a person adds to a clip or edits, before it is stored. */
import type { Annotation, AnnotationBody, Span } from '../../app/annotation.ts'
import { TubeletError } from '../../app/errors.ts'
import type { Probe } from '../../app/media.ts'

/** The clip and video of an annotation, as checks and descriptions need them. */
export interface Place {
  clip: number
  source: string
  /** Frames of the clip. */
  span: Span
  /** How many frames of the video have been decoded. */
  frames: () => number
  /** PTS of every decoded frame, by ordinal. */
  pts: () => Float64Array
  /** Null before the file has been probed. */
  frame: Probe | null
}

export function takenError(body: AnnotationBody, id: number, text: string): TubeletError {
  return new TubeletError({
    code: 'conflict',
    message:
      body.kind === 'answer'
        ? 'A person has answered this question of this clip already: “{{text}}”.'
        : 'A person has said already what this clip shows: “{{text}}”.',
    values: { text, id },
    stillWorks: 'Nothing was changed.',
    next:
      body.kind === 'answer'
        ? 'Edit that answer (annotation {{id}}).'
        : 'Edit that caption (annotation {{id}}), or add a caption of a part (kind segment): a clip may have many.',
  })
}

/** The error of an edit of an annotation that a person has changed since that edit was begun. */
export function changedError({ id, body }: Pick<Annotation, 'id' | 'body'>): TubeletError {
  return new TubeletError({
    code: 'conflict',
    message:
      body.kind === 'track'
        ? 'This track of “{{text}}” was changed in another place meanwhile.'
        : 'This was changed in another place meanwhile. It says now: “{{text}}”.',
    values: { text: body.kind === 'track' ? body.label : body.text, id },
    field: 'basedOn',
    stillWorks: 'Nothing was changed.',
    next: 'Look at what is there now (annotation {{id}}), and decide which of the two is to stay.',
  })
}

function emptyError(field: string): TubeletError {
  return new TubeletError({
    code: 'bad-request',
    message: 'This must not be empty.',
    field,
    stillWorks: 'Nothing was changed.',
  })
}

function badRequest(field: string, message: string): TubeletError {
  return new TubeletError({ code: 'bad-request', message, field, stillWorks: 'Nothing was changed.' })
}

/** @throws TubeletError `bad-request` unless a caption's span lies in the clip, other spans in the video, and boxes on the picture, on ascending frames. */
export function check(body: AnnotationBody, { frame, span: whole, frames, pts: timesOf }: Place, before?: AnnotationBody): void {
  if (body.kind !== 'track' && body.text.trim() === '') throw emptyError('text')
  if (body.kind === 'answer') {
    if (body.question.trim() === '') throw emptyError('question')
    return
  }
  if (body.kind !== 'track') {
    const { span } = body
    if (span === undefined || (span.startFrame >= whole.startFrame && span.endFrame <= whole.endFrame)) return
    if (body.kind !== 'caption') {
      if (span.endFrame <= frames()) return
      throw new TubeletError({
        code: 'bad-request',
        message: 'The frames {{from}} to {{to}} are not all in this video, which has {{count}} frames.',
        field: 'span',
        values: { from: span.startFrame, to: span.endFrame - 1, count: frames() },
        stillWorks: 'Nothing was changed.',
        next: 'Mark a span inside the video.',
      })
    }
    throw new TubeletError({
      code: 'bad-request',
      message: 'The frames {{from}} to {{to}} are not all in this clip, which has the frames {{first}} to {{last}}.',
      field: 'span',
      values: { from: span.startFrame, to: span.endFrame - 1, first: whole.startFrame, last: whole.endFrame - 1 },
      stillWorks: 'Nothing was changed.',
      next: 'Mark a span inside the clip, or choose the clip that it lies in.',
    })
  }
  if (body.label.trim() === '') throw emptyError('label')
  const end = body.boxes.at(-1)?.ordinal ?? 0
  if (end >= whole.endFrame && end >= frames())
    throw badRequest(`boxes.${body.boxes.length - 1}.ordinal`, 'A track must end with the video.')
  const pts = timesOf()
  const known = new Set(before?.kind === 'track' ? before.boxes.map((key) => `${key.ordinal} ${key.pts}`) : [])
  let last = -1
  for (const [at, { ordinal, pts: time, box }] of body.boxes.entries()) {
    const wanted = pts[ordinal]
    if (wanted !== undefined && wanted !== time && !known.has(`${ordinal} ${time}`)) {
      throw new TubeletError({
        code: 'bad-request',
        message: '{{time}} is not the time of frame {{frame}}, which is {{wanted}}.',
        values: { time, frame: ordinal, wanted },
        field: `boxes.${at}.pts`,
        stillWorks: 'Nothing was changed.',
        next: 'Take the times from the list of frames of the video.',
      })
    }
    if (ordinal <= last) throw badRequest(`boxes.${at}.ordinal`, 'The boxes of a track must ascend, one a frame.')
    last = ordinal
    const inside = box.x1 >= 0 && box.y1 >= 0 && (frame === null || (box.x2 <= frame.width && box.y2 <= frame.height))
    if (!inside || box.x2 <= box.x1 || box.y2 <= box.y1)
      throw badRequest(`boxes.${at}.box`, 'A box must have a size and lie inside the picture.')
  }
}

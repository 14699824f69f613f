/** Checks of what a person adds to a clip or edits, before it is stored. */
import { type Annotation, type AnnotationBody, type Span, spanWithin } from '../../app/annotation.ts'
import { TubeletError } from '../../app/errors.ts'
import type { Probe } from '../../app/media.ts'
import { MOST } from '../../app/vocabulary.ts'

/** The clip and video of an annotation, as checks and descriptions need them. */
export interface Place {
  clip: number
  /** The clip of the video that shows a frame; null where none does. */
  clipWith: (ordinal: number) => number | null
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

/**
 * The error of an edit of an annotation that a person has changed since that edit was begun.
 * @param count How many of the edited annotations were changed; the given one is the first of them.
 */
export function changedError({ id, body }: Pick<Annotation, 'id' | 'body'>, count = 1): TubeletError {
  return new TubeletError({
    code: 'conflict',
    message:
      count > 1
        ? '{{count}} of these were changed in another place meanwhile. The first says now: “{{text}}”.'
        : body.kind === 'track'
          ? 'This track of “{{text}}” was changed in another place meanwhile.'
          : 'This was changed in another place meanwhile. It says now: “{{text}}”.',
    values: { text: body.kind === 'track' ? body.label : body.text, id, count },
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

/** From the first frame that it is about to the one after the last; null of what is about the whole clip. */
function extentOf(body: AnnotationBody): Span | null {
  if (body.kind !== 'track') return 'span' in body ? (body.span ?? null) : null
  const [first, last] = [body.boxes[0], body.boxes.at(-1)]
  return first && last ? { startFrame: first.ordinal, endFrame: last.ordinal + 1 } : null
}

/**
 * The clip that an edit puts something into, because no frame of it is left in its own; null where it may stay.
 * @param movable Whether a person made it: what the analysis found in a clip is of that clip.
 * @throws TubeletError `bad-request` where it can be in no other clip.
 */
export function movedTo(body: AnnotationBody, { span, clipWith }: Place, movable: boolean): number | null {
  const extent = extentOf(body)
  if (extent === null || spanWithin(extent, span)) return null
  const other = movable ? clipWith(extent.startFrame) : null
  if (other === null) throw elsewhereError(body, extent, span)
  return other
}

/** @throws TubeletError `bad-request` for a name of a track that is longer than a label may be; one from another tool's file keeps its own. */
export function checkName(body: AnnotationBody, before?: AnnotationBody): void {
  if (body.kind !== 'track' || body.label.trim().length <= MOST.name) return
  if (before?.kind === 'track' && before.label === body.label) return
  throw new TubeletError({
    code: 'bad-request',
    message: 'A name has at most {{most}} characters. This one has {{length}}: “{{name}}”',
    field: 'label',
    values: { most: MOST.name, length: body.label.trim().length, name: body.label.trim() },
    stillWorks: 'Nothing was changed.',
  })
}

/** @throws TubeletError `bad-request` where no frame of what is added to a clip is in it. */
export function checkReach(body: AnnotationBody, { span }: Place): void {
  const extent = extentOf(body)
  if (extent !== null && !spanWithin(extent, span)) throw elsewhereError(body, extent, span)
}

function elsewhereError(body: AnnotationBody, { startFrame, endFrame }: Span, whole: Span): TubeletError {
  const isTrack = body.kind === 'track'
  // The box that comes nearest to the clip.
  const nearest = isTrack && startFrame < whole.startFrame ? body.boxes.length - 1 : 0
  return new TubeletError({
    code: 'bad-request',
    message: isTrack
      ? 'Frame {{frame}} is none of this clip, which has the frames {{first}} to {{last}}: a track must reach into its clip.'
      : 'None of the frames {{from}} to {{to}} is in this clip, which has the frames {{first}} to {{last}}.',
    field: isTrack ? `boxes.${nearest}.ordinal` : 'span',
    values: {
      ...(isTrack ? { frame: nearest === 0 ? startFrame : endFrame - 1 } : { from: startFrame, to: endFrame - 1 }),
      first: whole.startFrame,
      last: whole.endFrame - 1,
    },
    stillWorks: 'Nothing was changed.',
    next: 'Choose the clip that it lies in.',
  })
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

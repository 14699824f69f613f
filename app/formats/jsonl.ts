/**
 * JSON Lines: the complete reviewed state of a source, without loss and with what was rejected.
 *
 * The first line is the source, the second its frames; each clip follows with its annotations after it, one object a line.
 */
import { z } from 'zod'
import { Annotation } from '../annotation.ts'
import { AnnotationDocument, DocumentSource } from './document.ts'
import type { Format } from './document.ts'

const SCHEMA = 'tubelet-reviewed/1'
const schema = z.literal(SCHEMA)
const ClipFacts = AnnotationDocument.shape.clips.element.omit({ annotations: true })
const Line = z.discriminatedUnion('type', [
  // Files of before have no labels.
  z.object({ schema, type: z.literal('source'), appVersion: z.string(), source: DocumentSource, labels: AnnotationDocument.shape.labels.default([]) }),
  z.object({ schema, type: z.literal('frames'), pts: z.array(z.number()) }),
  z.object({ schema, type: z.literal('clip'), clip: ClipFacts }),
  z.object({ schema, type: z.literal('annotation'), annotation: Annotation }),
])
type Line = z.infer<typeof Line>

export const jsonl: Format<AnnotationDocument, AnnotationDocument> = {
  project: (document) => document,
  write({ source, pts, clips, labels, appVersion }) {
    const lines: Line[] = [
      { schema: SCHEMA, type: 'source', appVersion, source, labels },
      { schema: SCHEMA, type: 'frames', pts },
      ...clips.flatMap(({ annotations, ...clip }): Line[] => [
        { schema: SCHEMA, type: 'clip', clip },
        ...annotations.map((annotation): Line => ({ schema: SCHEMA, type: 'annotation', annotation })),
      ]),
    ]
    return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  },
  read(text) {
    const [head, frames, ...rest] = text.split('\n').filter(Boolean).map((line) => Line.parse(JSON.parse(line)))
    if (head?.type !== 'source' || frames?.type !== 'frames') throw new SyntaxError('The first two lines must be the source and its frames.')
    const document: AnnotationDocument = { source: head.source, pts: frames.pts, clips: [], labels: head.labels, appVersion: head.appVersion }
    for (const line of rest) {
      const clip = document.clips.at(-1)
      if (line.type === 'clip') document.clips.push({ ...line.clip, annotations: [] })
      else if (line.type === 'annotation' && clip) clip.annotations.push(line.annotation)
      else throw new SyntaxError(`A line of type ${line.type} out of its place.`)
    }
    return document
  },
}

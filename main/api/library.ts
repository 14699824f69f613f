/** The calls of the library: sources, clips, their annotations, and the queue. */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { RouteName, RouteOutput, Source } from '../../app/contract.ts'
import { inField, problemOf, TubeletError } from '../../app/errors.ts'
import { toldFacts } from '../../app/facts/told.ts'
import { type Probe, VIDEO_EXTENSIONS } from '../../app/media.ts'
import { problemOfAccess } from '../media/access.ts'
import { probe as probeFile } from '../media/probe.ts'
import type { MediaTools } from '../media/tools.ts'
import { fileResponse, videoType } from '../files.ts'
import { windowOpened } from '../made-in.ts'
import { lookBelow, wholePath } from '../intake/look.ts'
import type { Library } from '../library/library.ts'
import { answerClip, guess } from '../jobs/pipeline.ts'
import { coalesced, eventStream, type Handlers, notFound, type Services } from './handler.ts'

export function libraryHandlers({ pipeline, jobs, intake, status, places }: Services) {
  const { library } = pipeline
  const videoFolders = () => foldersOf(library)

  const picture = async (request: Request, ...parts: (string | number)[]) =>
    (await fileResponse(request, library.cachePath('sources', ...parts), 'image/jpeg')) ?? notFound()

  return {
    status: () => status(),

    addSources: ({ body }) => intake.bring({ ...body, paths: body.paths.map((one, nth) => wholePath(one, `body.paths.${nth}`)) }),
    listSources: () => ({ sources: jobs.sources() }),
    removeSource: async ({ params }) => {
      await jobs.removeSource(params.sourceId)
      return {}
    },
    retrySource: async ({ params }) => {
      await jobs.identity.there(params.sourceId)
      return jobs.retry(params.sourceId)
    },
    lookForFile: async ({ params: { sourceId } }) => {
      await jobs.identity.check(sourceId)
      return library.source(sourceId)
    },
    acceptFile: async ({ params: { sourceId }, query: { anyway } }) => {
      if (anyway === undefined) await mustBeAlike(library.source(sourceId), await pipeline.media())
      await jobs.identity.accept(sourceId)
      return jobs.retry(sourceId)
    },
    choosePicture: async ({ params, body: { stream } }) => {
      const { how, sourceId } = await jobs.identity.picture(params.sourceId, stream)
      return how === 'new' ? jobs.retry(sourceId) : jobs.source(sourceId)
    },
    thumbnail: ({ params }, request) => picture(request, params.sourceId, 'thumbnail.jpg'),
    filmstrip: ({ params }, request) => picture(request, params.sourceId, `strip-${params.cell}.jpg`),
    media: async ({ params }, request) => {
      const { path: file, probe } = await jobs.identity.there(params.sourceId)
      // Any file can be added by its path; only what was read as a video is given out.
      if (probe === null) throw new TubeletError({ code: 'not-found', message: 'This file was not read as a video.' })
      return (await fileResponse(request, file, videoType(file))) ?? notFound()
    },
    frames: ({ params }) => {
      const { probe } = library.source(params.sourceId)
      if (probe === null) throw new TubeletError({ code: 'not-found', message: 'This video was not read yet.' })
      return { timeBase: probe.timeBase, startPts: probe.startPts, pts: [...library.frames(params.sourceId)] }
    },

    listClips: ({ query: { sourceId, limit, offset } }) => {
      library.checkSources(sourceId === undefined ? [] : [sourceId])
      return library.clips({ ...(sourceId === undefined ? {} : { sourceId }), limit, offset })
    },
    getClip: ({ params: { clipId } }) => ({
      clip: library.clip(clipId),
      frames: library.clipFrames(clipId),
      annotations: library.annotationsSeenWith(clipId),
      facts: toldFacts(library.facts.of(clipId)),
    }),
    clipThumbnail: ({ params: { clipId } }, request) => picture(request, library.clip(clipId).sourceId, `clip-${clipId}.jpg`),
    askClip: ({ params: { clipId }, body: { question } }) => {
      library.clip(clipId)
      library.askHere(clipId, question)
      return eventStream((send, signal) =>
        answerClip(pipeline, clipId, question, signal, (text) => send({ type: 'token', text })).then(
          (annotation) => send({ type: 'done', annotation }),
          (error: unknown) => send({ type: 'error', problem: problemOf(error) }),
        ),
      )
    },
    guessClip: ({ params: { clipId }, body: { question } }, request) => {
      library.clip(clipId)
      return guess(pipeline, clipId, question, request.signal)
    },
    addAnnotation: ({ params, body }) => inField('body.body', () => library.addAnnotation(params.clipId, body.body)),
    reviewAnnotation: ({ params, body }) =>
      inField('body', () => library.review(params.annotationId, body.action, body.body, body.basedOn)),

    queue: () => jobs.queue(),
    events: () =>
      eventStream((send, signal) => {
        const { promise, resolve } = Promise.withResolvers<undefined>()
        const stop = library.onChange(coalesced(send))
        const closed = windowOpened()
        signal.addEventListener('abort', () => {
          stop()
          closed()
          resolve(undefined)
        })
        return promise
      }),

    browse: async ({ query }) => {
      const starts = places.starts()
      const folder = wholePath(query.path ?? starts[0] ?? library.projectDir)
      places.mustBeReadable(folder, videoFolders)
      const listed = await browse(folder)
      const { parent } = listed
      return { ...listed, parent: parent !== null && places.isOpen(parent, videoFolders) ? parent : null, starts }
    },
    lookBelow: ({ query }) => lookBelow(query.path, (place) => places.mustBeReadable(place, videoFolders)),
  } satisfies Partial<Handlers<RouteName>>
}

/** Lengths of one video, made anew, that differ by more than this share are told. */
const LENGTH = 0.05

/** What was decided about a video is no more to be given to quite another one than to be lost. @throws TubeletError `conflict` */
async function mustBeAlike({ path: file, probe: before, numbered }: Source, tools: MediaTools): Promise<void> {
  const now = numbered === null ? await probeFile(tools, file).catch(() => null) : null
  if (before === null || now === null) return
  const shape = (one: Probe) => one.width / one.height
  const isAlike = Math.abs(now.duration - before.duration) <= LENGTH * before.duration && Math.abs(shape(now) / shape(before) - 1) <= LENGTH
  if (isAlike) return
  const described = ({ width, height, duration }: Probe) => `${width}×${height}, ${duration.toFixed(1)} s`
  throw new TubeletError({
    code: 'conflict',
    message: 'What was analysed is {{before}}; what lies there now is {{now}}.',
    values: { before: described(before), now: described(now) },
    field: 'query.anyway',
    file,
    stillWorks: 'Nothing was changed.',
    next: 'If it is the same video all the same, say so again; else add it as a new video.',
  })
}

/** The folders with videos of the library, and the library's own. */
export function* foldersOf(library: Library): Generator<string> {
  yield library.projectDir
  yield* new Set(library.sources().flatMap(({ path: file, probe }) => (probe === null ? [] : [path.dirname(file)])))
}

async function browse(folder: string): Promise<Omit<RouteOutput<'browse'>, 'starts'>> {
  const here = path.resolve(folder)
  const listed = await readdir(here, { withFileTypes: true }).catch((error: unknown) => {
    const problem = problemOfAccess(here, error)
    throw new TubeletError(
      problem.code === 'file-missing'
        ? { code: 'not-found', message: 'There is no such folder.', file: here, next: 'Choose another folder.' }
        : problem,
      { cause: error },
    )
  })
  const visible = listed.filter(({ name }) => !name.startsWith('.'))
  const entries = await Promise.all(
    visible.map(async (entry) => {
      const target = path.join(here, entry.name)
      const info = await stat(target).catch(() => null)
      const kind = info?.isDirectory()
        ? ('folder' as const)
        : VIDEO_EXTENSIONS.has(path.extname(entry.name).slice(1).toLowerCase())
          ? ('video' as const)
          : ('file' as const)
      return { name: entry.name, path: target, kind, bytes: info?.isFile() ? info.size : null }
    }),
  )
  const natural = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })
  entries.sort((a, b) => Number(b.kind === 'folder') - Number(a.kind === 'folder') || natural.compare(a.name, b.name))
  const parent = path.dirname(here)
  return { path: here, parent: parent === here ? null : parent, entries }
}

/** What a handler is, and the answers that are not JSON: event streams, files, bytes. */
import type { AskEvent, BackendEvent, RouteArgs, RouteName, RouteOutput, Status } from '../../app/contract.ts'
import type { Project } from '../../app/contract/system.ts'
import { type Problem, spokenJson } from '../../app/errors.ts'
import { windowOf } from '../made-in.ts'
import type { Pipeline } from '../jobs/pipeline.ts'
import type { Imports } from '../import/imports.ts'
import type { Intake } from '../intake/intake.ts'
import type { Watching } from '../intake/watching.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { Backups } from '../library/backups.ts'
import type { Packs } from '../packs/packs.ts'
import type { Places } from '../places.ts'
import type { OpenOptions } from '../sharing/handover.ts'
import type { Merges } from '../sharing/merges.ts'
import type { Crew } from '../workers/crew.ts'

/** Tells which library is open, and opens another one. */
export interface ProjectSwitch {
  recent: () => Project[]
  open: (folder: string) => Promise<void>
  /** Make a library of a file that was handed over, then open that. @returns Names of videos that were not found. */
  openFile: (options: OpenOptions) => Promise<string[]>
  /** Put a backup in the place of a library, then open that. */
  restore: (folder: string, backup: string) => Promise<void>
}

/** What handlers work with. */
export interface Services {
  pipeline: Pipeline
  jobs: Jobs
  packs: Packs
  intake: Intake
  watching: Watching
  backups: Backups
  imports: Imports
  merges: Merges
  status: () => Promise<Status>
  projects: ProjectSwitch
  /** Where the window may look and write. */
  places: Places
  /** The workers on other machines, if the library has any. */
  crew: Crew | null
}

export type Handler<N extends RouteName> = (args: RouteArgs<N>, request: Request) => Promise<Answer<N>> | Answer<N>
/** A JSON value where the route has one, else the whole response. */
type Answer<N extends RouteName> = RouteOutput<N> extends undefined ? Response : RouteOutput<N>
/** The handlers of some routes; each area of the contract has a file of them in this folder. */
export type Handlers<N extends RouteName> = { [K in N]: Handler<K> }

const COALESCE_MS = 100
const HEARTBEAT_MS = 15_000

export function notFound(message = 'There is nothing at this address.'): Response {
  const problem: Problem = { code: 'not-found', message }
  return Response.json({ problem, phrase: problem }, { status: 404 })
}

/** Server-sent events until `run` resolves; `signal` aborts when the client leaves. */
export function eventStream(run: (send: (event: AskEvent | BackendEvent) => void, signal: AbortSignal) => Promise<unknown>): Response {
  const gone = new AbortController()
  const text = new TextEncoder()
  const written = windowOf() === null ? spokenJson : JSON.stringify
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const write = (chunk: string) => {
        if (!gone.signal.aborted) controller.enqueue(text.encode(chunk))
      }
      // A comment now and then shows both ends that the other is still there.
      const heartbeat = setInterval(() => write(':\n\n'), HEARTBEAT_MS)
      write(':\n\n')
      void run((event) => write(`data: ${written(event)}\n\n`), gone.signal).finally(() => {
        clearInterval(heartbeat)
        if (!gone.signal.aborted) controller.close()
      })
    },
    cancel: () => gone.abort(),
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' } })
}

/** Merges events of the same type that come within a tenth of a second. */
export function coalesced(send: (event: BackendEvent) => void): (event: BackendEvent) => void {
  const pending = new Map<string, BackendEvent>()
  let timer: NodeJS.Timeout | undefined
  return (event) => {
    const of =
      'sourceId' in event
        ? event.sourceId
        : 'exportId' in event
          ? event.exportId
          : 'importId' in event
            ? event.importId
            : 'sharingId' in event
              ? event.sharingId
              : ''
    const key = event.type === 'told' ? JSON.stringify(event) : `${event.type} ${of}`
    pending.set(key, merged(pending.get(key), event))
    timer ??= setTimeout(() => {
      timer = undefined
      const events = [...pending.values()]
      pending.clear()
      events.forEach(send)
    }, COALESCE_MS)
  }
}

function merged(earlier: BackendEvent | undefined, later: BackendEvent): BackendEvent {
  const union = (a: readonly number[], b: readonly number[]) => [...new Set([...a, ...b])]
  if (earlier?.type === 'sources' && later.type === 'sources') return { ...later, ids: union(earlier.ids, later.ids) }
  // Without ids it means any clip.
  if (earlier?.type === 'clips' && later.type === 'clips')
    return earlier.clipIds.length === 0
      ? earlier
      : later.clipIds.length === 0
        ? later
        : { ...later, clipIds: union(earlier.clipIds, later.clipIds) }
  if (earlier?.type === 'annotations' && later.type === 'annotations') return { ...later, clipIds: union(earlier.clipIds, later.clipIds) }
  return later
}

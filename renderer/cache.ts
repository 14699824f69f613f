/** What the library holds, as the window asks for it, and how it hears of changes. */
import { QueryClient, queryOptions, useQuery } from '@tanstack/react-query'
import { toast as sonner } from 'sonner'
import type { AnnotationBody } from '../app/annotation.ts'
import type { BackendEvent, Queue, Status } from '../app/contract.ts'
import { problemOf } from '../app/errors.ts'
import type { Task } from '../app/pack/base.ts'
import { call, stream } from './api.ts'
import { percent } from './format.ts'
import type { Phrase } from '../app/phrase.ts'
import { phrase, shown, t, told } from './i18n.ts'
import { newest } from './queue-order.ts'
import { batchDone } from './settings/notify.ts'
import { type Notice, toast } from './toast.ts'

export const queryClient = new QueryClient({ defaultOptions: { queries: { retry: 1, staleTime: Infinity, refetchOnWindowFocus: false } } })

/** As many as one call tells. */
const MOST_CLIPS = 1_000_000

export const useStatus = () => useQuery({ queryKey: ['status'], queryFn: () => call('status') })
/** The pack that does a task in this library; null where none does, undefined until that is known. */
export function usePackOf(task: Task): Status['packs'][Task] | undefined {
  const { data: status } = useStatus()
  return status?.packs[task] ?? (status === undefined || status.engine.state === 'starting' ? undefined : null)
}
export const useSources = () => useQuery({ queryKey: ['sources'], queryFn: () => call('listSources') })
/** All clips of a video, in time order: a library may hold more clips than a window should, a video does not. */
export const clipsOf = (sourceId: number | null) =>
  queryOptions({
    queryKey: ['clips', sourceId],
    queryFn: async () => (await call('listClips', { query: { sourceId: sourceId ?? 0, limit: MOST_CLIPS } })).clips,
    enabled: sourceId !== null,
  })
export const useClipsOf = (sourceId: number | null) => useQuery(clipsOf(sourceId))
/** In how many clips each label is. */
export function useLabelCounts(): (label: string) => number {
  const { data } = useQuery({ queryKey: ['clips', 'labels'], queryFn: () => call('facets') })
  return (label) => data?.labels.find((one) => one.label.toLowerCase() === label.toLowerCase())?.clips ?? 0
}
export const useQueue = () =>
  useQuery({ queryKey: ['queue'], queryFn: async () => newest(queryClient.getQueryData(['queue']), await call('queue')) })
export const useLabels = () => useQuery({ queryKey: ['labels'], queryFn: () => call('getLabels') })
export const useHistory = () => useQuery({ queryKey: ['history'], queryFn: () => call('history') })
export const useClip = (clipId: number | null) =>
  useQuery({ queryKey: ['clip', clipId], queryFn: () => call('getClip', { params: { clipId: clipId ?? 0 } }), enabled: clipId !== null })
export const useFrames = (sourceId: number | null) =>
  useQuery({
    queryKey: ['frames', sourceId],
    queryFn: () => call('frames', { params: { sourceId: sourceId ?? 0 } }),
    enabled: sourceId !== null,
  })

/** Show a failed action where people look; the reason stays readable until it is closed. */
export function tell(error: unknown): void {
  const problem = problemOf(error)
  const { message, next } = told(problem)
  toast.error(message, { description: [problem.file, next].filter(Boolean).join(' · '), duration: 12_000 })
}

let line: Promise<unknown> = Promise.resolve()
/** How many wait in it, with the one that is being done. */
let waiting = 0
/** The notice that offers to take back what was done last. */
let offer: string | number | null = null

/** What changes the library, in the order in which it was asked for: an undo that is pressed at once takes back the edit before it. */
export function inOrder<T>(work: () => Promise<T>): Promise<T> {
  // Undo takes back the newest step: from here on that is not what the notice speaks of.
  if (offer !== null) sonner.dismiss(offer)
  offer = null
  waiting += 1
  const done = line.then(work).finally(() => (waiting -= 1))
  line = done.catch(() => undefined)
  return done
}

/** Say what was done, as soon as it is done, with a way back as long as nothing else is asked for. */
export function offerUndo(text: string, notice: Notice, show: (text: string, notice: Notice) => string | number = toast): void {
  if (waiting > 0) show(text, notice)
  else offer = show(text, { ...notice, action: { label: t('Undo'), onClick: () => void undo('undo') } })
}

/** A step that is being taken back or done again. */
let stepping: Promise<void> | null = null

/** Run at once, or when the step that is being taken is seen: what a person does next starts from what it leaves. */
export async function afterStep(work: () => void): Promise<void> {
  while (stepping !== null) await stepping
  work()
}

export function undo(direction: 'undo' | 'redo'): Promise<void> {
  const step = takeStep(direction).finally(() => {
    if (stepping === step) stepping = null
  })
  stepping = step
  return step
}

async function takeStep(direction: 'undo' | 'redo'): Promise<void> {
  try {
    await inOrder(async () => {
      const { [direction]: what, elsewhere } = await call('history')
      if (!what) {
        if (direction === 'undo' && elsewhere) offerOthers(elsewhere)
        return
      }
      queryClient.setQueryData(['history'], await (direction === 'undo' ? call('undo', { query: {} }) : call('redo')))
      // What is edited next must not be edited as it was before.
      await queryClient.refetchQueries({ queryKey: ['clip'], type: 'active' })
      toast(direction === 'undo' ? t('Undone: {{what}}', { what: shown(what) }) : t('Redone: {{what}}', { what: shown(what) }))
    })
  } catch (error) {
    tell(error)
  }
}

/** What was done in another window is taken back only by who has read what it is. */
function offerOthers(what: Phrase): void {
  const takeBack = () => inOrder(() => call('undo', { query: { whose: 'all' } })).then(() => queryClient.invalidateQueries(), tell)
  toast.info(t('Nothing was done in this window that could be taken back. In another one was done last: {{what}}', { what: shown(what) }), {
    id: 'review',
    duration: 12_000,
    action: { label: t('Undo that'), onClick: () => void takeBack() },
  })
}

const REVIEWED = {
  accept: phrase('Accepted'),
  reject: phrase('Rejected'),
  edit: phrase('Saved'),
  reset: phrase('Back to what the model said'),
}

/** Decide about an annotation; one toast at a time says so and offers to take it back. */
export async function review({ id, action, body }: { id: number; action: keyof typeof REVIEWED; body?: AnnotationBody }): Promise<void> {
  try {
    await inOrder(() => call('reviewAnnotation', { params: { annotationId: id }, body: { action, ...(body ? { body } : {}) } }))
    void queryClient.invalidateQueries({ queryKey: ['history'] })
    offerUndo(t(REVIEWED[action]), { id: 'review' })
  } catch (error) {
    tell(error)
  }
}

/**
 * While a batch runs, lists are asked for again after this pause, and after a longer one where the answers take long: each is drawn
 * whole. The first change shows at once.
 */
const LIST_MS = 200
const LIST_SHARE = 4

/** A table that was sorted, filtered or grouped keeps its order until it is asked for another. */
function outdateTable(): void {
  void queryClient.invalidateQueries({ queryKey: ['arranged', 'asked'], refetchType: 'none' })
}

const UNDER_WAY = { edit: phrase('Changing… {{share}}'), undo: phrase('Undoing… {{share}}'), redo: phrase('Redoing… {{share}}') }

/** Thousands of annotations take a while to change: how far that is stands where it will be told. */
function tellProgress({ what, share }: Extract<BackendEvent, { type: 'progress' }>): void {
  if (share >= 1) sonner.dismiss('progress')
  else sonner.loading(t(UNDER_WAY[what], { share: percent(share) }), { id: 'progress', duration: Infinity })
}

/** Follow the backend's events until `signal` aborts, over lost connections; every change makes the queries that show it stale. */
export async function followEvents(signal: AbortSignal): Promise<void> {
  const stale = new Map<string, readonly unknown[]>()
  // Thousands may have changed at once; those that are shown are few.
  const staleClips = new Set<number>()
  let asking = false
  const ask = async () => {
    asking = true
    while (stale.size > 0 || staleClips.size > 0) {
      const began = performance.now()
      const keys = [...stale.values()]
      stale.clear()
      const clips = new Set(staleClips)
      staleClips.clear()
      void queryClient.invalidateQueries({ queryKey: ['clip'], predicate: ({ queryKey }) => clips.has(Number(queryKey[1])) })
      await Promise.all(keys.map((queryKey) => queryClient.invalidateQueries({ queryKey })))
      await new Promise((resolve) => setTimeout(resolve, Math.max(LIST_MS, LIST_SHARE * (performance.now() - began))))
    }
    asking = false
  }
  const invalidate = (...key: unknown[]) => {
    stale.set(JSON.stringify(key), key)
    if (!asking) void ask()
  }
  const changed = (clipIds: readonly number[]) => {
    for (const id of clipIds) staleClips.add(id)
    if (!asking) void ask()
  }
  const hear = (event: BackendEvent) => {
    switch (event.type) {
      case 'sources':
        invalidate('sources')
        for (const id of event.ids) invalidate('frames', id)
        break
      case 'clips':
        for (const key of ['clips', 'sources', 'search', 'rows', 'table']) invalidate(key)
        invalidate('arranged', 'natural')
        // Where clips went none is named: a row of the table or a place on the map that was kept would stand for nothing.
        if (event.clipIds.length === 0) {
          invalidate('overview')
          void queryClient.invalidateQueries({ queryKey: ['arranged', 'asked'], refetchType: 'all' })
        } else outdateTable()
        changed(event.clipIds)
        break
      case 'annotations':
        for (const key of ['clips', 'sources', 'search', 'rows', 'table']) invalidate(key)
        outdateTable()
        // What is said in one clip may reach into another one of its video; few clips are looked at.
        invalidate('clip')
        break
      case 'told':
        toast.info(shown(event.phrase), { duration: 12_000 })
        break
      case 'progress':
        tellProgress(event)
        break
      case 'export':
        queryClient.setQueryData(['exporting', event.exportId], event.share)
        break
      case 'queue':
        queryClient.setQueryData<Queue>(['queue'], (shown) => newest(shown, event.queue))
        invalidate('preview')
        break
      case 'labels':
        for (const key of ['labels', 'rows']) invalidate(key)
        break
      case 'batch-done':
        batchDone(event)
        break
      default:
        invalidate(event.type)
    }
  }
  while (!signal.aborted) {
    try {
      for await (const event of stream('events', signal)) hear(event)
    } catch {
      // The host restarts or sleeps: come back, and take everything as changed.
    }
    await new Promise((resolve) => setTimeout(resolve, 1000))
    void queryClient.invalidateQueries()
  }
}

/** How the window learns of changes, and which queries it then repeats. */
import { toast as sonner } from 'sonner'
import type { BackendEvent } from '../app/contract.ts'
import { stream } from './api.ts'
import { queryClient, queueQuery } from './cache.ts'
import { percent } from './format.ts'
import { phrase, shown, t } from './i18n.ts'
import { newest } from './queue-order.ts'
import { batchDone } from './settings/notify.ts'
import { toast } from './toast.ts'

/**
 * While a batch runs, lists are refetched after this pause, or after a longer one if the answers take long, since each list is drawn whole.
 * The first change shows at once.
 */
const LIST_MS = 200
const LIST_SHARE = 4

/** A table that was sorted, filtered or grouped keeps its order until the person asks for a new one. */
function outdateTable(): void {
  void queryClient.invalidateQueries({ queryKey: ['arranged', 'asked'], refetchType: 'none' })
}

const UNDER_WAY = { edit: phrase('Changing… {{share}}'), undo: phrase('Undoing… {{share}}'), redo: phrase('Redoing… {{share}}') }

/** Changing thousands of annotations takes a while: progress is shown where the result will be. */
function tellProgress({ what, share }: Extract<BackendEvent, { type: 'progress' }>): void {
  if (share >= 1) sonner.dismiss('progress')
  else sonner.loading(t(UNDER_WAY[what], { share: percent(share) }), { id: 'progress', duration: Infinity })
}

/** Follow the backend's events until `signal` aborts, over lost connections; every change makes the queries that show it stale. */
export async function followEvents(signal: AbortSignal): Promise<void> {
  const stale = new Map<string, readonly unknown[]>()
  // Thousands of clips may have changed at once, but few are shown.
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
        // An event without ids means that clips were removed: a row of the table or a place on the map that was kept would refer to
        // nothing.
        if (event.clipIds.length === 0) {
          invalidate('overview')
          void queryClient.invalidateQueries({ queryKey: ['arranged', 'asked'], refetchType: 'all' })
        } else outdateTable()
        changed(event.clipIds)
        break
      case 'annotations':
        for (const key of ['clips', 'sources', 'search', 'rows', 'table']) invalidate(key)
        outdateTable()
        // An annotation of one clip may reach into another clip of its video; few clips are shown.
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
      case 'import':
        queryClient.setQueryData(['importing', event.importId], event.share)
        break
      case 'queue':
        queryClient.setQueryData(queueQuery.queryKey, (shown) => newest(shown, event.queue))
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
      // The host restarts or sleeps: reconnect, and take everything as changed.
    }
    await new Promise((resolve) => setTimeout(resolve, 1000))
    void queryClient.invalidateQueries()
  }
}

/** How the window learns of changes, and which queries it then repeats. */
import { toast as sonner } from 'sonner'
import type { BackendEvent } from '../app/contract.ts'
import { stream } from './api.ts'
import { queryClient, queueQuery, renew } from './cache.ts'
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

/**
 * Follow the backend's events until `signal` aborts, over lost connections; every change makes the queries that show it stale.
 * @returns Resolves when the first connection is open, or has failed: what is asked for from then on misses no change.
 */
export function followEvents(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => void follow(signal, resolve))
}

async function follow(signal: AbortSignal, onOpen: () => void): Promise<void> {
  // Each list is refetched at its own pace: one that is slow keeps no other waiting.
  const stale = new Set<string>()
  const asking = new Set<string>()
  const ask = async (name: string, queryKey: readonly unknown[]) => {
    asking.add(name)
    while (stale.delete(name)) {
      const began = performance.now()
      await renew({ queryKey })
      await new Promise((resolve) => setTimeout(resolve, Math.max(LIST_MS, LIST_SHARE * (performance.now() - began))))
    }
    asking.delete(name)
  }
  const invalidate = (...key: unknown[]) => {
    const name = JSON.stringify(key)
    stale.add(name)
    if (!asking.has(name)) void ask(name, key)
  }
  // Thousands of clips may have changed at once, but few are shown.
  const changed = (clipIds: readonly number[]) => {
    const clips = new Set(clipIds)
    for (const { queryKey } of queryClient.getQueryCache().findAll({ queryKey: ['clip'] }))
      if (clips.has(Number(queryKey[1]))) invalidate(...queryKey)
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
          invalidate('clip')
          void renew({ queryKey: ['arranged', 'asked'], refetchType: 'all' })
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
      case 'sharing':
        queryClient.setQueryData(['sharing', event.sharingId], event.share)
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
  const opened = () => {
    onOpen()
    // What was asked for before may lack what changed until now, of which no event comes.
    void renew({ predicate: ({ state: { fetchStatus, dataUpdatedAt } }) => fetchStatus === 'fetching' || dataUpdatedAt > 0 })
  }
  while (!signal.aborted) {
    try {
      for await (const event of stream('events', { signal, opened })) hear(event)
    } catch {
      // The host restarts or sleeps: reconnect, and take everything as changed.
    }
    onOpen()
    await new Promise((resolve) => setTimeout(resolve, 1000))
    void queryClient.invalidateQueries()
  }
}

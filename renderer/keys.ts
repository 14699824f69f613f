/** The keys of the window, in one table: it drives the handler and the list that `?` shows. */
import { useEffect } from 'react'
import type { Clip } from '../app/contract.ts'
import { found } from './find/queries.ts'
import { findSimilar } from './find/similar.ts'
import { isFinding, useFind } from './find/store.ts'
import { skip, step, togglePlay, usePlayer, type FrameTable } from './player.ts'
import { queryClient, review, undo } from './queries.ts'
import { useUi } from './store.ts'

export interface Key {
  /** As pressed: modifiers in the order Ctrl+Shift+Alt, then the key; Ctrl stands for Cmd on a Mac. */
  keys: readonly string[]
  name: string
  group: 'Play' | 'Clips' | 'Review' | 'Window'
  run: () => void
}

const table = (): FrameTable | undefined => queryClient.getQueryData(['frames', useUi.getState().sourceId])
const stepBy = (frames: number) => () => {
  const frameTable = table()
  if (frameTable) step(frameTable, frames)
}
const rate = (factor: number) => () => {
  const { video } = usePlayer.getState()
  if (video) video.playbackRate = Math.min(8, Math.max(0.125, video.playbackRate * factor))
}
/** A clip whose caption was decided leaves the stage to the next; a track stays, its neighbours are on the same picture. */
const decide = (action: 'accept' | 'reject' | 'reset') => () => {
  const { trackId, clipId } = useUi.getState()
  const clip = queryClient.getQueryData<{ annotations: { id: number; body: { kind: string } }[] }>(['clip', clipId])
  const id = trackId ?? clip?.annotations.find(({ body }) => body.kind === 'caption')?.id
  if (id === undefined) return
  void review({ id, action })
  if (trackId === null && action !== 'reset') neighbour(1)()
}
/** Clips in the order of the list at the left, seen or scrolled away. */
export function listed(): { id: number; sourceId: number }[] {
  if (isFinding(useFind.getState())) return found()
  const bySource = Map.groupBy(queryClient.getQueryData<{ clips: Clip[] }>(['clips'])?.clips ?? [], ({ sourceId }) => sourceId)
  return (queryClient.getQueryData<{ sources: { id: number }[] }>(['sources'])?.sources ?? []).flatMap(({ id }) => bySource.get(id) ?? [])
}
/** The next or previous clip; from a video without a chosen clip, its first. */
const neighbour = (by: number) => () => {
  const { clipId, sourceId, selectClip } = useUi.getState()
  const clips = listed()
  const at = clips.findIndex((clip) => clip.id === clipId)
  const next = at === -1 ? (clips.find((clip) => clip.sourceId === sourceId) ?? clips[0]) : clips[at + by]
  if (next) selectClip(next.id, next.sourceId)
}

export const KEYS: readonly Key[] = [
  { keys: ['Space', 'K'], name: 'Play or pause', group: 'Play', run: togglePlay },
  { keys: [',', 'ArrowLeft'], name: 'One frame back', group: 'Play', run: stepBy(-1) },
  { keys: ['.', 'ArrowRight'], name: 'One frame on', group: 'Play', run: stepBy(1) },
  { keys: ['Shift+ArrowLeft'], name: 'One second back', group: 'Play', run: () => skip(-1) },
  { keys: ['Shift+ArrowRight'], name: 'One second on', group: 'Play', run: () => skip(1) },
  { keys: ['J'], name: 'Slower', group: 'Play', run: rate(0.5) },
  { keys: ['L'], name: 'Faster', group: 'Play', run: rate(2) },
  { keys: ['M'], name: 'Sound on or off', group: 'Play', run: () => usePlayer.getState().toggleSound() },
  { keys: ['ArrowUp'], name: 'Previous clip', group: 'Clips', run: neighbour(-1) },
  { keys: ['ArrowDown'], name: 'Next clip', group: 'Clips', run: neighbour(1) },
  { keys: ['A'], name: 'Accept the caption or the selected track', group: 'Review', run: decide('accept') },
  { keys: ['X'], name: 'Reject it', group: 'Review', run: decide('reject') },
  { keys: ['U'], name: 'Back to what the model said', group: 'Review', run: decide('reset') },
  { keys: ['Enter'], name: 'Edit the caption', group: 'Review', run: () => document.querySelector<HTMLElement>('[data-edit-caption]')?.click() },
  { keys: ['Ctrl+Z'], name: 'Undo', group: 'Review', run: () => void undo('undo') },
  { keys: ['Ctrl+Shift+Z', 'Ctrl+Y'], name: 'Redo', group: 'Review', run: () => void undo('redo') },
  { keys: ['/', 'Ctrl+F'], name: 'Search', group: 'Window', run: () => document.querySelector<HTMLElement>('[type=search]')?.focus() },
  { keys: ['Escape'], name: 'Clear the search and the filters', group: 'Window', run: () => useFind.getState().clear() },
  { keys: ['S'], name: 'Find what is similar to the clip or the selected box', group: 'Window', run: findSimilar },
  { keys: ['H'], name: 'Show where the model looked', group: 'Review', run: () => useFind.getState().toggleHeat() },
  { keys: ['Q'], name: 'Ask about the clip', group: 'Window', run: () => document.querySelector<HTMLElement>('#ask')?.focus() },
  { keys: ['Ctrl+O'], name: 'Add videos', group: 'Window', run: () => useUi.getState().open('add') },
  { keys: ['Ctrl+E'], name: 'Export', group: 'Window', run: () => (queryClient.getQueryData<{ sources: unknown[] }>(['sources'])?.sources.length ?? 0) > 0 && useUi.getState().open('export') },
  { keys: ['?'], name: 'Show all keys', group: 'Window', run: () => useUi.getState().open('shortcuts') },
]

/** J, K and L are keys of the hand, so they count by place on the keyboard; all others by what they write. */
export function pressed(event: Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>): string {
  const place = /^Key([JKL])$/.exec(event.code)?.[1]
  const key = place ?? (event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toUpperCase() : event.key)
  // What Shift writes already says so: "?" is not "Shift+?".
  const shifted = event.shiftKey && (key.length > 1 || /[A-Z]/.test(key))
  return [event.ctrlKey || event.metaKey ? 'Ctrl' : '', shifted ? 'Shift' : '', event.altKey ? 'Alt' : '', key].filter(Boolean).join('+')
}

const ON_CONTROLS = new Set(['Space', 'Enter', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'])

export function useKeys(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { target } = event
      if (event.defaultPrevented || !(target instanceof Element) || document.querySelector('dialog[open]')) return
      const combination = pressed(event)
      const typing = target.closest('input, textarea, [contenteditable]') !== null
      if (typing && !/^Ctrl\+[FEO]$/.test(combination)) return
      // A focused control answers these keys itself; a chosen clip in the list leaves them to the player.
      if (ON_CONTROLS.has(combination) && target.closest('button:not([data-clip]), [role=slider], [data-box], select, a') !== null) return
      const key = KEYS.find(({ keys }) => keys.includes(combination))
      if (key === undefined) return
      event.preventDefault()
      key.run()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [])
}

/** A key as people know it. */
export function keyName(combination: string): string {
  const mac = navigator.platform.startsWith('Mac')
  return combination.replace('Ctrl+', mac ? '⌘' : 'Ctrl+').replace('ArrowLeft', '←').replace('ArrowRight', '→').replace('ArrowUp', '↑').replace('ArrowDown', '↓')
}

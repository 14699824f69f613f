/** What an export is to hold, as the dialog asks for it. It is kept while the window is open: people export the same again. */
import { create } from 'zustand'
import type { ReviewState } from '../../app/annotation.ts'
import type { CallArgs } from '../../app/contract.ts'
import type { ExportFormat } from '../../app/contract/export.ts'
import { queryOf } from '../../app/table/spec.ts'
import { isFinding, useFind } from '../find/store.ts'
import { usePicked } from '../overview/store.ts'
import { useUi } from '../store.ts'
import { useTable } from '../table/state.ts'

/** Which clips: all, those of the chosen video, the chosen clip, those picked on the map, those found, the table's rows, or those of a saved view. */
export type Clips = 'all' | 'video' | 'clip' | 'picked' | 'found' | 'table' | `view ${string}`
export const REVIEWED = {
  any: undefined,
  decided: ['accepted', 'edited'],
  open: ['machine'],
  rejected: ['rejected'],
} as const satisfies Record<string, readonly ReviewState[] | undefined>

interface Choice {
  formats: readonly ExportFormat[]
  clips: Clips
  /** Null for all. */
  label: string | null
  by: 'both' | 'machine' | 'people'
  reviewed: keyof typeof REVIEWED
  perVideo: boolean
  /** Of which labels it is said that they were looked for everywhere: those that the pack of boxes looked for, all of the vocabulary, none. */
  lookedFor: 'pack' | 'all' | 'none'
  folder: string | null
  change: (choice: Partial<Omit<Choice, 'change'>>) => void
}

export const useChoice = create<Choice>((set) => ({
  formats: ['coco', 'vtt', 'jsonl'],
  clips: 'all',
  label: null,
  by: 'both',
  reviewed: 'any',
  perVideo: false,
  lookedFor: 'pack',
  folder: null,
  change: (choice) => set(choice),
}))

/** What the call says, with the vocabulary as it is. */
export function requestOf(choice: Choice, exportId: string, vocabulary: readonly string[]): CallArgs<'export'>['body'] {
  const { formats, clips, label, by, reviewed, perVideo, lookedFor, folder } = choice
  const states = REVIEWED[reviewed]
  return {
    exportId,
    formats: [...formats],
    ...(folder === null ? {} : { directory: folder }),
    ...which(clips),
    ...(label === null ? {} : { labels: [label] }),
    ...(by === 'both' ? {} : { by }),
    ...(states === undefined ? {} : { states: [...states] }),
    ...(perVideo ? { perVideo } : {}),
    ...(lookedFor === 'pack' ? {} : { lookedFor: lookedFor === 'all' ? [...vocabulary] : [] }),
  }
}

function which(clips: Clips): Pick<CallArgs<'export'>['body'], 'sourceIds' | 'clipIds' | 'search' | 'table' | 'view'> {
  const { sourceId, clipId } = useUi.getState()
  const { query, filters } = useFind.getState()
  const { spec } = useTable.getState()
  if (clips === 'video' && sourceId !== null) return { sourceIds: [sourceId] }
  if (clips === 'clip' && clipId !== null) return { clipIds: [clipId] }
  if (clips === 'picked') return { clipIds: [...usePicked.getState().clipIds] }
  if (clips === 'found') return { search: { query, filters } }
  if (clips === 'table' && spec !== null) return { table: queryOf(spec) }
  return clips.startsWith('view ') ? { view: clips.slice('view '.length) } : {}
}

/** Which of them there is something for, now. */
export function useOffered(): Record<'clip' | 'picked' | 'found' | 'table', boolean> {
  const hasClip = useUi((ui) => ui.clipId !== null)
  const isFound = useFind(isFinding)
  const isPicked = usePicked(({ clipIds }) => clipIds.size > 0)
  const isNarrowed = useTable(({ spec }) => spec !== null && (spec.filters.length > 0 || spec.picked !== undefined))
  return { clip: hasClip, picked: isPicked, found: isFound, table: isNarrowed }
}

/** What the next export will hold, as chosen in the dialog. Kept while the window is open, since people export the same again. */
import { create } from 'zustand'
import type { ReviewState } from '../../app/annotation.ts'
import type { CallArgs } from '../../app/contract.ts'
import type { ExportFormat, FrameChoice } from '../../app/contract/export.ts'
import { queryOf } from '../../app/table/spec.ts'
import { useLanguage } from '../i18n.ts'
import { isFinding, useFind } from '../find/store.ts'
import { usePicked } from '../overview/store.ts'
import { useUi } from '../store.ts'
import { useTable } from '../table/state.ts'

/**
 * Which clips: all, those of the chosen video, the chosen clip, those picked on the map, search results, the table's rows, those selected
 * in it, or those of a saved view.
 */
export type Clips = 'all' | 'video' | 'clip' | 'picked' | 'found' | 'table' | 'marked' | `view ${string}`
export const REVIEWED = {
  any: undefined,
  decided: ['accepted', 'edited'],
  open: ['machine'],
  rejected: ['rejected'],
} as const satisfies Record<string, readonly ReviewState[] | undefined>

interface Choice {
  formats: readonly ExportFormat[]
  clips: Clips
  /** Empty for all. */
  chosenLabels: readonly string[]
  by: 'both' | 'machine' | 'people'
  reviewed: keyof typeof REVIEWED
  perVideo: boolean
  /** The labels that count as looked for everywhere: those that the detector looked for, the whole vocabulary, or none. */
  lookedFor: 'pack' | 'all' | 'none'
  /** Which frames have pictures; `every` and `numbers` as they are typed. */
  frames: 'annotated' | 'every' | 'numbers'
  every: string
  numbers: string
  cut: 'copy' | 'exact'
  folder: string | null
  change: (choice: Partial<Omit<Choice, 'change'>>) => void
}

export const useChoice = create<Choice>((set) => ({
  formats: ['coco', 'vtt', 'jsonl'],
  clips: 'all',
  chosenLabels: [],
  by: 'both',
  reviewed: 'any',
  perVideo: false,
  lookedFor: 'pack',
  frames: 'annotated',
  every: '25',
  numbers: '0',
  cut: 'copy',
  folder: null,
  change: (choice) => set(choice),
}))

/** Whether any of these is made of chosen frames. */
export function takesFrames(formats: readonly ExportFormat[]): boolean {
  return formats.some((format) => format === 'pictures' || format === 'crops' || format === 'yolo')
}

/** The request for a choice, with the present vocabulary. */
export function requestOf(choice: Choice, exportId: string, vocabulary: readonly string[]): CallArgs<'export'>['body'] {
  const { formats, clips, chosenLabels, by, reviewed, perVideo, lookedFor, cut, folder } = choice
  const states = REVIEWED[reviewed]
  return {
    exportId,
    formats: [...formats],
    ...(folder === null ? {} : { directory: folder }),
    ...which(clips),
    ...(chosenLabels.length === 0 ? {} : { labels: [...chosenLabels] }),
    ...(by === 'both' ? {} : { by }),
    ...(states === undefined ? {} : { states: [...states] }),
    ...(perVideo ? { perVideo } : {}),
    ...(takesFrames(formats) ? { frames: framesOf(choice) } : {}),
    ...(formats.includes('clips') ? { cut } : {}),
    ...(formats.some((format) => format === 'report' || format === 'sheet') ? { language: useLanguage.getState().language } : {}),
    ...(lookedFor === 'pack' ? {} : { lookedFor: lookedFor === 'all' ? [...vocabulary] : [] }),
  }
}

/** Numbers that cannot be read count as none: the field shows them, and the export needs at least one. */
function framesOf({ frames, every, numbers }: Choice): FrameChoice {
  if (frames === 'every') return { every: Math.max(1, Math.trunc(Number(every)) || 1) }
  return frames === 'numbers' ? { numbers: numbersIn(numbers) } : 'annotated'
}

/** "3, 10-12" → 3, 10, 11, 12. */
function numbersIn(text: string): number[] {
  return text.split(/[\s,;]+/).flatMap((part) => {
    const [, from, to = from] = /^(\d+)(?:[-–](\d+))?$/.exec(part) ?? []
    if (from === undefined) return []
    const first = Number(from)
    return Array.from({ length: Math.min(MOST_FRAMES, Math.max(0, Number(to) - first + 1)) }, (_, i) => first + i)
  })
}

/** The contract takes no more. */
const MOST_FRAMES = 100_000

function which(clips: Clips): Pick<CallArgs<'export'>['body'], 'sourceIds' | 'clipIds' | 'search' | 'table' | 'rows' | 'view'> {
  const { sourceId, clipId } = useUi.getState()
  const { query, filters } = useFind.getState()
  const { spec, marked } = useTable.getState()
  if (clips === 'video' && sourceId !== null) return { sourceIds: [sourceId] }
  if (clips === 'clip' && clipId !== null) return { clipIds: [clipId] }
  if (clips === 'picked') return { clipIds: [...usePicked.getState().clipIds] }
  if (clips === 'found') return { search: { query, filters } }
  if (clips === 'marked' && marked !== null) return { rows: marked }
  if (clips === 'table' && spec !== null) return { table: queryOf(spec) }
  return clips.startsWith('view ') ? { view: clips.slice('view '.length) } : {}
}

/** Which of the choices have clips at present. */
export function useOffered(): Record<'clip' | 'picked' | 'found' | 'table', boolean> & { marked: number } {
  const hasClip = useUi((ui) => ui.clipId !== null)
  const isFound = useFind(isFinding)
  const isPicked = usePicked(({ clipIds }) => clipIds.size > 0)
  const isNarrowed = useTable(({ spec }) => spec !== null && (spec.filters.length > 0 || spec.picked !== undefined))
  const marked = useTable((table) => (table.marked === null ? 0 : table.marked.to - table.marked.from))
  return { clip: hasClip, picked: isPicked, found: isFound, table: isNarrowed, marked }
}

/** The earlier choice; all if it has no clips now, for example if the table shows other rows than those that were selected. */
export function stillOffered(clips: Clips, offered: ReturnType<typeof useOffered>): Clips {
  if (clips === 'marked') return offered.marked > 0 ? clips : 'all'
  return clips === 'clip' || clips === 'picked' || clips === 'found' || clips === 'table' ? (offered[clips] ? clips : 'all') : clips
}

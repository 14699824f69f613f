/** Every action of the window in one table; its keys, the list of shortcuts, tooltips and the palette are made from it. */
import type { Bindable } from '../app/bindings.ts'
import { DEEDS } from '../app/deeds.ts'
import { said } from '../app/phrase.ts'
import { fitView, zoomView } from '../app/timeline.ts'
import { findSimilar } from './find/similar.ts'
import { useFind } from './find/store.ts'
import { phrase } from './i18n.ts'
import { takeBackMoves } from './labels/draft.ts'
import { togglePanel } from './parts/Panels.tsx'
import { showFrame, ordinalAt, seekTarget, shuttle, skip, step, togglePlay, usePlayer } from './player.ts'
import { clipQuery, queryClient, sourcesQuery } from './cache.ts'
import { lookAtFile } from './sharing/store.ts'
import { undo } from './undo.ts'
import { neighbourClip } from './review/clips.ts'
import { parts } from './review/drafts.ts'
import { annotationsOf, decideAll } from './review/edits.ts'
import { clipFromMarks } from './review/marked.ts'
import { endWalk, goBack, useWalk } from './review/walk.ts'
import { snapshot } from './review/snapshot.ts'
import { markedSpan, useReview } from './review/store.ts'
import {
  alsoNextTrack,
  copyBoxOn,
  deleteBox,
  deleteTracks,
  drawInMiddle,
  followForward,
  frameTable,
  goToEndOfTrack,
  goToKey,
  holdBox,
  mergeChosen,
  neighbourTrack,
  relabelByNumber,
  retimeHere,
  sayHere,
  splitChosen,
  toggleFlag,
  toggleKey,
  tracksToDecide,
} from './review/tracks.ts'
import { type Page, useUi } from './store.ts'

export interface Action extends Bindable {
  name: string
  group: string
  run: () => void
}

const withFrames = (run: (frames: NonNullable<ReturnType<typeof frameTable>>) => void) => () => {
  const frames = frameTable()
  if (frames && frames.pts.length > 0) run(frames)
}
const changeRate = (factor: number) => () => {
  const { rate, setRate } = usePlayer.getState()
  setRate(Math.min(8, Math.max(0.125, rate * factor)))
}
const click = (selector: string) => () => document.querySelector<HTMLElement>(selector)?.click()
const focus = (selector: string) => () => document.querySelector<HTMLElement>(selector)?.focus()

/** When a clip's caption was decided, the next clip is shown; a track stays, since its neighbours are on the same picture. */
const decide = (action: 'accept' | 'reject' | 'reset') => () => {
  const { clipId } = useUi.getState()
  if (clipId === null) return
  const tracks = tracksToDecide()
  const decided = tracks.length > 0 ? tracks : annotationsOf(clipId).filter(({ body }) => body.kind === 'caption')
  const [first] = decided
  if (first === undefined) return
  const deed = said(DEEDS[first.body.kind][action])
  void decideAll(
    clipId,
    decided.map(({ id }) => id),
    action,
    decided.length > 1 ? said('{{deed}} × {{times}}', { deed, times: decided.length }) : deed,
  )
  if (tracks.length === 0 && action !== 'reset') void neighbourClip(1)
}
const mark = (edge: 'in' | 'out') => withFrames((frames) => useReview.getState().mark(edge, ordinalAt(frames, usePlayer.getState().time)))
const goToMark = (edge: 'markIn' | 'markOut') =>
  withFrames((frames) => {
    const at = useReview.getState()[edge]
    if (at !== null) showFrame(frames, at)
  })
const zoomTimeline = (factor: number) =>
  withFrames((frames) => {
    const { view, setView } = useReview.getState()
    const duration = length(frames)
    const time = usePlayer.getState().time
    const now = view ?? { from: 0, to: duration }
    setView(zoomView(now, Math.min(now.to, Math.max(now.from, time)), factor, duration))
  })
const zoomPicture = (factor: number) => () => {
  const { zoom, setZoom } = useReview.getState()
  setZoom({ ...zoom, scale: zoom.scale * factor })
}
/** The span that the timeline shows when zoomed out: the chosen clip, or the video. */
const fitClip = withFrames((frames) => {
  const { clipId } = useUi.getState()
  const clip = queryClient.getQueryData(clipQuery(clipId).queryKey)?.clip
  const marked = markedSpan(useReview.getState())
  const span = marked
    ? { from: seekTarget(frames, marked.startFrame), to: seekTarget(frames, marked.endFrame) }
    : clip && { from: clip.start, to: clip.end }
  useReview.getState().setView(span ? fitView(span, length(frames)) : null)
})

function length(frames: { pts: readonly number[] }): number {
  const sources = queryClient.getQueryData(sourcesQuery.queryKey)?.sources
  return sources?.find(({ id }) => id === useUi.getState().sourceId)?.probe?.duration ?? frames.pts.length
}

/** Undoes a drag that is not saved yet, if there is one on the screen: it came last. Otherwise the last step. */
function takeBack(): void {
  if (useUi.getState().page !== 'labels' || !takeBackMoves()) void undo('undo')
}

/** Escape, step by step: cancel drawing, then clear the selection, the mark, the search. */
function letGo(): void {
  const { drawing, setDrawing, also, setAlso, markIn, markOut, clearMarks } = useReview.getState()
  const { clipId, trackId, selectTrack } = useUi.getState()
  if (drawing) setDrawing(false)
  else if (clipId !== null && parts.of(clipId)) parts.drop(clipId)
  else if (also.length > 0) setAlso([])
  else if (trackId !== null) {
    selectTrack(null)
    if (document.activeElement instanceof HTMLElement || document.activeElement instanceof SVGElement) document.activeElement.blur()
  } else if (markIn !== null || markOut !== null) clearMarks()
  else if (useWalk.getState().clips !== null) endWalk()
  else useFind.getState().clear()
}

const PLAY = phrase('Play')
const TIMELINE = phrase('Timeline')
const CLIPS = phrase('Clips')
const REVIEW = phrase('Review')
const BOXES = phrase('Boxes and tracks')
const WINDOW = phrase('Window')
const here = 'review' as const

const LABELS = [
  phrase('First label'),
  phrase('Second label'),
  phrase('Third label'),
  phrase('Fourth label'),
  phrase('Fifth label'),
  phrase('Sixth label'),
  phrase('Seventh label'),
  phrase('Eighth label'),
  phrase('Ninth label'),
]

const PAGES: readonly [Page, string][] = [
  ['review', phrase('Go to Review')],
  ['table', phrase('Go to Table')],
  ['overview', phrase('Go to Overview')],
  ['queue', phrase('Go to Queue')],
  ['packs', phrase('Go to Packs')],
  ['settings', phrase('Go to Settings')],
]

export const ACTIONS: readonly Action[] = [
  { id: 'play', scope: here, keys: ['Space', 'K'], name: phrase('Play or pause'), group: PLAY, run: togglePlay },
  {
    id: 'backwards',
    scope: here,
    keys: ['J'],
    name: phrase('Play backwards, again for faster'),
    group: PLAY,
    run: () => shuttle(-1, frameTable()),
  },
  {
    id: 'forwards',
    scope: here,
    keys: ['L'],
    name: phrase('Play forwards, again for faster'),
    group: PLAY,
    run: () => shuttle(1, frameTable()),
  },
  {
    id: 'frame-back',
    scope: here,
    keys: [',', 'ArrowLeft'],
    name: phrase('One frame back'),
    group: PLAY,
    run: withFrames((frames) => step(frames, -1)),
  },
  {
    id: 'frame-on',
    scope: here,
    keys: ['.', 'ArrowRight'],
    name: phrase('One frame on'),
    group: PLAY,
    run: withFrames((frames) => step(frames, 1)),
  },
  { id: 'second-back', scope: here, keys: ['Shift+ArrowLeft'], name: phrase('One second back'), group: PLAY, run: () => skip(-1) },
  { id: 'second-on', scope: here, keys: ['Shift+ArrowRight'], name: phrase('One second on'), group: PLAY, run: () => skip(1) },
  {
    id: 'go-to',
    scope: here,
    keys: ['G'],
    name: phrase('Go to a time or a frame'),
    group: PLAY,
    run: () => useReview.getState().setGoingTo(true),
  },
  { id: 'slower', scope: here, keys: ['['], name: phrase('Slower'), group: PLAY, run: changeRate(0.5) },
  { id: 'faster', scope: here, keys: [']'], name: phrase('Faster'), group: PLAY, run: changeRate(2) },
  { id: 'loop', scope: here, keys: ['R'], name: phrase('Loop on or off'), group: PLAY, run: () => useReview.getState().toggle('loop') },
  { id: 'sound', scope: here, keys: ['M'], name: phrase('Sound on or off'), group: PLAY, run: () => usePlayer.getState().toggleSound() },
  { id: 'fullscreen', scope: here, keys: ['F'], name: phrase('Full screen'), group: PLAY, run: click('[data-fullscreen]') },
  { id: 'snapshot', scope: here, keys: ['C'], name: phrase('Save this frame as a picture'), group: PLAY, run: () => snapshot(true) },
  {
    id: 'snapshot-plain',
    scope: here,
    keys: ['Shift+C'],
    name: phrase('Save this frame without boxes'),
    group: PLAY,
    run: () => snapshot(false),
  },

  { id: 'mark-in', scope: here, keys: ['I'], name: phrase('Mark where a span begins'), group: TIMELINE, run: mark('in') },
  { id: 'mark-out', scope: here, keys: ['O'], name: phrase('Mark where it ends'), group: TIMELINE, run: mark('out') },
  { id: 'go-in', scope: here, keys: ['Shift+I'], name: phrase('Go to where the span begins'), group: TIMELINE, run: goToMark('markIn') },
  { id: 'go-out', scope: here, keys: ['Shift+O'], name: phrase('Go to where the span ends'), group: TIMELINE, run: goToMark('markOut') },
  {
    id: 'new-clip',
    scope: here,
    keys: ['Shift+N'],
    name: phrase('New clip from what is marked'),
    group: TIMELINE,
    run: () => void clipFromMarks(useUi.getState().sourceId),
  },
  {
    id: 'segment',
    scope: here,
    keys: ['T'],
    name: phrase('Caption what is marked, or from here on'),
    group: TIMELINE,
    run: () => sayHere('segment'),
  },
  {
    id: 'note',
    scope: here,
    keys: ['Shift+T'],
    name: phrase('Note on what is marked, or on this moment'),
    group: TIMELINE,
    run: () => sayHere('note'),
  },
  {
    id: 'timeline-in',
    scope: here,
    keys: ['Ctrl+ArrowUp'],
    name: phrase('Show less of the timeline'),
    group: TIMELINE,
    run: zoomTimeline(2),
  },
  {
    id: 'timeline-out',
    scope: here,
    keys: ['Ctrl+ArrowDown'],
    name: phrase('Show more of the timeline'),
    group: TIMELINE,
    run: zoomTimeline(0.5),
  },
  {
    id: 'timeline-fit',
    scope: here,
    keys: ['Z'],
    name: phrase('Show the whole video'),
    group: TIMELINE,
    run: () => useReview.getState().setView(null),
  },
  { id: 'timeline-clip', scope: here, keys: ['Shift+Z'], name: phrase('Show the marked span or the clip'), group: TIMELINE, run: fitClip },

  {
    id: 'clip-back',
    scope: here,
    keys: ['ArrowUp', 'Shift+ArrowUp'],
    name: phrase('Previous clip'),
    group: CLIPS,
    run: () => void neighbourClip(-1),
  },
  {
    id: 'clip-next',
    scope: here,
    keys: ['ArrowDown', 'Shift+ArrowDown'],
    name: phrase('Next clip'),
    group: CLIPS,
    run: () => void neighbourClip(1),
  },
  { id: 'back', scope: here, keys: ['Alt+Enter'], name: phrase('Back to where the clip was opened from'), group: CLIPS, run: goBack },

  { id: 'accept', scope: here, keys: ['A'], name: phrase('Accept the caption or the chosen tracks'), group: REVIEW, run: decide('accept') },
  { id: 'reject', scope: here, keys: ['X'], name: phrase('Reject it'), group: REVIEW, run: decide('reject') },
  { id: 'reset', scope: here, keys: ['U'], name: phrase('Back to what the model said'), group: REVIEW, run: decide('reset') },
  {
    id: 'edit-text',
    scope: here,
    keys: ['Enter'],
    name: phrase('Edit the caption, or the label of the chosen track; while drawing, a box in the middle'),
    group: REVIEW,
    run: () =>
      (useReview.getState().drawing
        ? drawInMiddle
        : useUi.getState().trackId === null
          ? click('[data-edit-caption]')
          : focus(`[data-label-of="${useUi.getState().trackId}"]`))(),
  },
  {
    id: 'heat',
    scope: here,
    keys: ['H'],
    name: phrase('Show where the model looked'),
    group: REVIEW,
    run: () => useFind.getState().toggleHeat(),
  },
  { id: 'undo', scope: 'window', keys: ['Ctrl+Z'], name: phrase('Undo'), group: REVIEW, run: takeBack },
  { id: 'redo', scope: 'window', keys: ['Ctrl+Shift+Z', 'Ctrl+Y'], name: phrase('Redo'), group: REVIEW, run: () => void undo('redo') },

  {
    id: 'draw',
    scope: here,
    keys: ['N'],
    name: phrase('Draw a box'),
    group: BOXES,
    run: () => useReview.getState().setDrawing(!useReview.getState().drawing),
  },
  { id: 'track-back', scope: here, keys: ['Alt+ArrowUp'], name: phrase('Previous track'), group: BOXES, run: () => neighbourTrack(-1) },
  { id: 'track-next', scope: here, keys: ['Alt+ArrowDown'], name: phrase('Next track'), group: BOXES, run: () => neighbourTrack(1) },
  {
    id: 'track-also',
    scope: here,
    keys: ['Shift+Alt+ArrowDown'],
    name: phrase('Choose the next track too'),
    group: BOXES,
    run: alsoNextTrack,
  },
  {
    id: 'hold',
    scope: here,
    keys: ['Shift+Enter'],
    name: phrase('Take hold of the chosen box: arrows move it, with Alt they resize it'),
    group: BOXES,
    run: holdBox,
  },
  { id: 'key-back', scope: here, keys: ['Alt+ArrowLeft'], name: phrase('Previous key frame'), group: BOXES, run: () => goToKey(-1) },
  { id: 'key-on', scope: here, keys: ['Alt+ArrowRight'], name: phrase('Next key frame'), group: BOXES, run: () => goToKey(1) },
  {
    id: 'track-first',
    scope: here,
    keys: ['Home'],
    name: phrase('First frame of the track or the clip'),
    group: BOXES,
    run: () => goToEndOfTrack('first'),
  },
  {
    id: 'track-last',
    scope: here,
    keys: ['End'],
    name: phrase('Last frame of the track or the clip'),
    group: BOXES,
    run: () => goToEndOfTrack('last'),
  },
  { id: 'key-frame', scope: here, keys: ['D'], name: phrase('Key frame here, or none'), group: BOXES, run: toggleKey },
  { id: 'copy', scope: here, keys: ['V'], name: phrase('Copy the box to the next key frame'), group: BOXES, run: copyBoxOn },
  {
    id: 'follow-on',
    scope: here,
    keys: ['Shift+F'],
    name: phrase('Follow the chosen box forward through the clip'),
    group: BOXES,
    run: () => void followForward(),
  },
  {
    id: 'delete-box',
    scope: here,
    keys: ['Delete', 'Backspace'],
    name: phrase('Delete the box on this key frame'),
    group: BOXES,
    run: deleteBox,
  },
  {
    id: 'delete-track',
    scope: here,
    keys: ['Shift+Delete'],
    name: phrase('Delete the chosen tracks'),
    group: BOXES,
    run: () => void deleteTracks(),
  },
  { id: 'split', scope: here, keys: ['B'], name: phrase('Split the track here'), group: BOXES, run: splitChosen },
  { id: 'merge', scope: here, keys: ['Shift+M'], name: phrase('Merge the chosen tracks'), group: BOXES, run: mergeChosen },
  { id: 'start-here', scope: here, keys: ['Shift+E'], name: phrase('The track begins here'), group: BOXES, run: () => retimeHere('first') },
  { id: 'end-here', scope: here, keys: ['E'], name: phrase('The track ends here'), group: BOXES, run: () => retimeHere('last') },
  {
    id: 'outside',
    scope: here,
    keys: ['Shift+P'],
    name: phrase('Out of the picture from here, or back'),
    group: BOXES,
    run: () => toggleFlag('outside'),
  },
  {
    id: 'occluded',
    scope: here,
    keys: ['P'],
    name: phrase('Hidden by something from here, or not'),
    group: BOXES,
    run: () => toggleFlag('occluded'),
  },
  ...LABELS.map(
    (name, i): Action => ({
      id: `label-${i + 1}`,
      scope: here,
      keys: [String(i + 1)],
      name,
      group: BOXES,
      run: () => relabelByNumber(i + 1),
    }),
  ),
  {
    id: 'follow',
    scope: here,
    keys: ['W'],
    name: phrase('Keep the chosen track in view'),
    group: BOXES,
    run: () => useReview.getState().toggle('following'),
  },
  {
    id: 'boxes',
    scope: here,
    keys: ['Shift+B'],
    name: phrase('Show or hide boxes'),
    group: BOXES,
    run: () => useReview.getState().toggle('showBoxes'),
  },
  { id: 'picture-in', scope: here, keys: ['+', '='], name: phrase('Enlarge the picture'), group: BOXES, run: zoomPicture(1.5) },
  { id: 'picture-out', scope: here, keys: ['-'], name: phrase('Make it smaller'), group: BOXES, run: zoomPicture(1 / 1.5) },
  { id: 'picture-fit', scope: here, keys: ['0'], name: phrase('Show the whole picture'), group: BOXES, run: zoomPicture(0) },
  {
    id: 'let-go',
    scope: here,
    keys: ['Escape'],
    name: phrase('Let go: of drawing, of the chosen track, of what is marked, of the search'),
    group: BOXES,
    run: letGo,
  },

  {
    id: 'palette',
    scope: 'window',
    keys: ['Ctrl+K'],
    name: phrase('Do anything by name'),
    group: WINDOW,
    run: () => useUi.getState().open('palette'),
  },
  { id: 'search', scope: 'window', keys: ['/', 'Ctrl+F'], name: phrase('Search'), group: WINDOW, run: focus('[type=search]') },
  {
    id: 'similar',
    scope: here,
    keys: ['S'],
    name: phrase('Find what is similar to the clip or the selected box'),
    group: WINDOW,
    run: findSimilar,
  },
  { id: 'ask', scope: here, keys: ['Q'], name: phrase('Ask about the clip'), group: WINDOW, run: focus('#ask') },
  { id: 'add', scope: 'window', keys: ['Ctrl+O'], name: phrase('Add videos'), group: WINDOW, run: () => useUi.getState().open('add') },
  {
    id: 'import',
    scope: 'window',
    keys: [],
    name: phrase('Import annotations…'),
    group: WINDOW,
    run: () => useUi.getState().open('add'),
  },
  {
    id: 'take-in',
    scope: 'window',
    keys: [],
    name: phrase('Open or take in a file that was handed over…'),
    group: WINDOW,
    run: () => lookAtFile(null),
  },
  {
    id: 'export',
    scope: 'window',
    keys: ['Ctrl+E'],
    name: phrase('Export'),
    group: WINDOW,
    run: () => (queryClient.getQueryData(sourcesQuery.queryKey)?.sources.length ?? 0) > 0 && useUi.getState().open('export'),
  },
  {
    id: 'panel-left',
    scope: here,
    keys: ['Ctrl+Shift+ArrowLeft'],
    name: phrase('Show or hide the library'),
    group: WINDOW,
    run: () => togglePanel('library'),
  },
  {
    id: 'panel-right',
    scope: here,
    keys: ['Ctrl+Shift+ArrowRight'],
    name: phrase('Show or hide what is said about the clip'),
    group: WINDOW,
    run: () => togglePanel('said'),
  },
  {
    id: 'panel-below',
    scope: here,
    keys: ['Ctrl+Shift+ArrowDown'],
    name: phrase('Show or hide the timeline'),
    group: WINDOW,
    run: () => togglePanel('timeline'),
  },
  ...PAGES.map(
    ([page, name], i): Action => ({
      id: `page-${page}`,
      scope: 'window',
      keys: [`Alt+${i + 1}`],
      name,
      group: WINDOW,
      run: () => useUi.getState().goTo(page),
    }),
  ),
  {
    id: 'keys',
    scope: 'window',
    keys: ['?'],
    name: phrase('Show and change all keys'),
    group: WINDOW,
    run: () => useUi.getState().open('shortcuts'),
  },
]

import {
  ArrowRightToLine,
  CircleSlash2,
  Copy,
  Diamond,
  EyeOff,
  Merge,
  Route,
  ScanSearch,
  Split,
  SquareDashedMousePointer,
  Tag,
  Trash2,
} from 'lucide-react'
import type { Annotation, TrackAnnotation } from '../../app/annotation.ts'
import { standingOfAnnotation } from '../../app/review.ts'
import { keyInForce, lifetime } from '../../app/track-edits.ts'
import { labelNamed, withNames } from '../../app/vocabulary.ts'
import { MOST_SURE } from './FactList.tsx'
import { findSimilar } from '../find/similar.ts'
import { percent } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { hint } from '../keys.ts'
import { saveVocabulary, useColours, useVocabulary } from '../labels/vocabulary.ts'
import { doubts } from '../packs/describe.ts'
import { Review, Standing } from './Statement.tsx'
import { showFrame, ordinalAt, usePlayer } from '../player.ts'
import { useFrames, usePackOf } from '../cache.ts'
import { useUi } from '../store.ts'
import { commit } from './edits.ts'
import { useReview } from './store.ts'
import {
  chooseTrack,
  copyBoxOn,
  deleteTracks,
  followForward,
  mergeChosen,
  relabel,
  retimeHere,
  splitChosen,
  toggleFlag,
  toggleKey,
} from './tracks.ts'

/** The tracks of the clip, and the actions on the chosen ones. */
export function TrackList({ annotations }: { annotations: readonly Annotation[] }) {
  const vocabulary = useVocabulary()
  const pack = usePackOf('boxes')
  const detects = pack !== null
  const trackId = useUi((ui) => ui.trackId)
  const { also, drawing, setDrawing } = useReview()
  // A model's rejected track stays listed, to be restored; a track that a person drew and deleted comes back by undo.
  const tracks = annotations.flatMap((one): TrackAnnotation[] =>
    one.body.kind === 'track' && (one.state !== 'rejected' || one.machine !== null) ? [{ ...one, body: one.body }] : [],
  )
  const valid = tracks.filter(({ state }) => state !== 'rejected').length
  const chosen = [trackId, ...also].flatMap((id) => tracks.find((track) => track.id === id && track.state !== 'rejected') ?? [])
  const suggestions = [...new Set([...vocabulary.map(({ name }) => name), ...tracks.map(({ body }) => body.label)])]
  return (
    <section>
      <h3 className="row">
        {t('Boxes')} <span className="muted num">{valid > 0 ? valid : ''}</span>
        <span className="grow" />
        <button className="small" aria-pressed={drawing} title={hint('Draw a box', 'draw')} onClick={() => setDrawing(!drawing)}>
          <SquareDashedMousePointer size={13} aria-hidden />
          {t('Draw')}
        </button>
      </h3>
      {tracks.length === 0 && (
        <p className="muted">
          {!detects
            ? t('Draw one: no pack finds boxes in this library.')
            : pack?.manifest.family === 'detector'
              ? t('Nothing was found that is sure. Draw one, or add labels below: of what is asked for, less sure ones are shown too.')
              : vocabulary.length === 0
                ? t('Draw one, or add labels below to find things in this clip.')
                : t('Nothing was found for the labels below.')}
        </p>
      )}
      {chosen.length > 0 && <TrackTools chosen={chosen} />}
      <ul className="plain tracks">
        {tracks.map((track) => (
          <TrackItem key={track.id} track={track} selected={track.id === trackId || also.includes(track.id)} />
        ))}
      </ul>
      <datalist id="labels">
        {suggestions.map((label) => (
          <option key={label} value={label} />
        ))}
      </datalist>
    </section>
  )
}

function TrackTools({ chosen }: { chosen: readonly TrackAnnotation[] }) {
  const { data: frames } = useFrames(useUi((ui) => ui.sourceId))
  const ordinal = usePlayer(({ time }) => (frames && frames.pts.length > 0 ? ordinalAt(frames, time) : 0))
  // The pack of the search task compares the contents of boxes, if it has a detector of its own; so does a detector of any words.
  const [search, boxes] = [usePackOf('search')?.manifest, usePackOf('boxes')?.manifest]
  const likens = (search?.family === 'mammut' && search.graphs.detector !== undefined) || boxes?.family === 'owl'
  const [first] = chosen
  if (!first) return null
  const key = first.body.boxes.some((one) => one.ordinal === ordinal)
  const now = keyInForce(first.body, ordinal)
  const alive = ordinal <= lifetime(first.body).last && now !== undefined
  const tool = (
    name: string,
    title: string,
    id: string,
    Icon: typeof Diamond,
    run: () => void,
    more: { pressed?: boolean; disabled?: boolean } = {},
  ) => (
    <button
      className="icon"
      aria-label={t(name)}
      title={hint(title, id)}
      aria-pressed={more.pressed}
      disabled={more.disabled ?? false}
      onClick={run}
    >
      <Icon size={15} />
    </button>
  )
  return (
    <div className="row tight track-tools" role="toolbar" aria-label={t('Chosen tracks')}>
      {tool(phrase('Key frame here'), phrase('Key frame here, or none'), 'key-frame', Diamond, toggleKey, {
        pressed: key,
        disabled: !alive,
      })}
      {tool(phrase('Copy to the next key frame'), phrase('Copy the box to the next key frame'), 'copy', Copy, copyBoxOn, {
        disabled: !alive,
      })}
      {tool(phrase('Follow forward'), phrase('Follow the box forward through the clip'), 'follow-on', Route, () => void followForward(), {
        disabled: !alive,
      })}
      {tool(phrase('Split here'), phrase('Split the track here'), 'split', Split, splitChosen, { disabled: !alive || chosen.length > 1 })}
      {tool(phrase('Merge'), phrase('Merge the chosen tracks'), 'merge', Merge, mergeChosen, { disabled: chosen.length < 2 })}
      {tool(phrase('Ends here'), phrase('The track ends here'), 'end-here', ArrowRightToLine, () => retimeHere('last'))}
      {tool(phrase('Hidden'), phrase('Hidden by something from here, or not'), 'occluded', EyeOff, () => toggleFlag('occluded'), {
        pressed: now?.occluded === true,
        disabled: !alive,
      })}
      {tool(
        phrase('Out of the picture'),
        phrase('Out of the picture from here, or back'),
        'outside',
        CircleSlash2,
        () => toggleFlag('outside'),
        { pressed: now?.outside === true, disabled: !alive },
      )}
      {tool(
        phrase('Find similar things'),
        likens ? phrase('Find what is similar to the box') : phrase('The pack that searches does not describe what lies in boxes'),
        'similar',
        ScanSearch,
        findSimilar,
        { disabled: !likens },
      )}
      <span className="grow" />
      {tool(phrase('Delete tracks'), phrase('Delete the chosen tracks'), 'delete-track', Trash2, () => void deleteTracks())}
    </div>
  )
}

/** A track in the list; its label can be changed in place. */
function TrackItem({ track, selected }: { track: TrackAnnotation; selected: boolean }) {
  const { id, clipId, body, state } = track
  const colourOf = useColours()
  const vocabulary = useVocabulary()
  const pack = usePackOf('boxes')
  const { data: frames } = useFrames(useUi((ui) => ui.sourceId))
  const scores = body.boxes.flatMap(({ score }) => (score === null ? [] : [score]))
  // A track that a person decided about shows no machine certainty.
  const surety = state !== 'machine' || scores.length === 0 ? null : Math.min(MOST_SURE, track.evidence?.confidence ?? Math.max(...scores))
  const rename = (label: string) => {
    const wanted = label.trim()
    if (wanted === '' || wanted === body.label) return
    if (useUi.getState().trackId === id) relabel(wanted)
    else void commit(clipId, [{ action: 'edit', annotationId: id, body: { ...body, label: wanted } }])
  }
  const choose = (event: { shiftKey: boolean }) => {
    chooseTrack(id, event.shiftKey)
    const ordinal = frames && ordinalAt(frames, usePlayer.getState().time)
    const { first, last } = lifetime(body)
    if (frames && ordinal !== undefined && !event.shiftKey && (ordinal < first || ordinal > last)) showFrame(frames, first)
  }
  return (
    <li className="track" data-state={state} aria-current={selected} onClick={choose}>
      <span className="swatch" style={{ background: colourOf(body.label) }} aria-hidden />
      <input
        key={body.label}
        aria-label={t('Label of track {{id}}', { id })}
        data-label-of={id}
        list="labels"
        defaultValue={body.label}
        size={Math.max(4, body.label.length)}
        onFocus={() => !selected && chooseTrack(id)}
        onBlur={(event) => rename(event.target.value)}
        onClick={(event) => event.stopPropagation()}
        onKeyDown={(event) => {
          if (event.key === 'Enter') event.currentTarget.blur()
          if (event.key === 'Escape') {
            event.currentTarget.value = body.label
            event.currentTarget.blur()
          }
        }}
      />
      <span className="muted num">
        {t('{{count}} boxes', { count: body.boxes.length })}
        {surety !== null && (
          <span
            title={
              track.evidence
                ? t('How often such a statement is right')
                : ((pack && pack.digest === track.provenance?.packDigest ? doubts(pack.manifest) : null) ?? t('Score of its best box'))
            }
          >
            {' '}
            · {percent(surety)}
          </span>
        )}
      </span>
      <span className="grow" />
      {state !== 'machine' ? (
        <Standing annotation={track} />
      ) : (
        standingOfAnnotation(track) === 'unsure' && (
          <em className="unsure" title={t('?: nobody asked for it, and it is not sure')}>
            {t('perhaps')}
          </em>
        )
      )}
      {state !== 'rejected' && !labelNamed(vocabulary, body.label) && (
        <button
          className="icon"
          aria-label={t('Add “{{label}}” to the labels', { label: body.label })}
          title={t('Nobody asked for “{{label}}”. Add it to the labels', { label: body.label })}
          onClick={(event) => {
            event.stopPropagation()
            void saveVocabulary(withNames(vocabulary, [body.label]), t('{{label}} added', { label: body.label }))
          }}
        >
          <Tag size={13} />
        </button>
      )}
      <Review annotation={track} />
    </li>
  )
}

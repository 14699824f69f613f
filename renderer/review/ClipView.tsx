import { Images, Trash2 } from 'lucide-react'
import { useEffect, useMemo, useState } from 'react'
import type { Annotation, TextAnnotation, TrackAnnotation } from '../../app/annotation.ts'
import type { Clip, Source } from '../../app/contract.ts'
import { problemOf } from '../../app/errors.ts'
import { gapsOf, gapsText } from '../../app/numbered.ts'
import { call } from '../api.ts'
import { addAny } from '../drop.ts'
import { findSimilar } from '../find/similar.ts'
import { t, told } from '../i18n.ts'
import { hint } from '../keys.ts'
import { usePlayer } from '../player.ts'
import { queryClient, useClip, useClipsOf, useFrames, useSources } from '../cache.ts'
import { tell, toast } from '../toast.ts'
import { inOrder, offerUndo } from '../undo.ts'
import { isLost } from '../parts/preview.ts'
import { useAnnotations } from './edits.ts'
import { removeClip } from './marked.ts'
import { useUi } from '../store.ts'
import { pickFolder } from '../parts/AddDialog.tsx'
import { confirmed } from '../parts/Confirm.tsx'
import { Panels } from '../parts/Panels.tsx'
import { Pictures } from './Pictures.tsx'
import { Player } from './Player.tsx'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { Timeline } from './Timeline.tsx'

const NONE: readonly Annotation[] = []
const NO_CLIPS: readonly Clip[] = []

/** The chosen source or clip: picture, boxes, time. */
export function ClipView() {
  const { sourceId, clipId } = useUi()
  const { data: sources } = useSources()
  const { data: clips } = useClipsOf(sourceId)
  const source = sources?.sources.find(({ id }) => id === sourceId)
  // A file that cannot be read has no frames to fetch.
  const { data: frames } = useFrames(source?.probe ? sourceId : null)
  const ofSource = clips ?? NO_CLIPS
  const clip = ofSource.find(({ id }) => id === clipId) ?? null
  useGone(sourceId, clipId)
  useLook(sourceId)
  const passed = usePassed(ofSource, clip)
  const annotations = useAnnotations(clipId) ?? NONE
  const below = useAnnotations(passed) ?? NONE
  const shown = useMemo(() => {
    const valid = below.filter(({ state }) => state !== 'rejected')
    const tracks = valid.flatMap((one): TrackAnnotation[] => (one.body.kind === 'track' ? [{ ...one, body: one.body }] : []))
    const texts = valid.flatMap((one): TextAnnotation[] => (one.body.kind === 'text' ? [{ ...one, body: one.body }] : []))
    return passed === null ? null : { clipId: passed, tracks, texts }
  }, [passed, below])
  if (source === undefined) return <p className="placeholder muted">{t('Choose a video or a clip at the left.')}</p>
  return (
    <>
      <header className="clip-head">
        <div className="row">
          <h2 title={source.path}>{source.title}</h2>
          <span className="grow" />
          {clip?.kind === 'marked' && <button onClick={() => void removeClip(clip.id, clip.sourceId)}>{t('Remove this clip')}</button>}
          {clip?.encoded && (
            <button onClick={findSimilar} aria-label={t('Find similar')} title={hint('Find similar clips', 'similar')}>
              <Images size={15} aria-hidden />
              <span className="roomy">{t('Find similar')}</span>
            </button>
          )}
          <Remove key={source.id} source={source} />
        </div>
        <Pictures source={source} />
        <Gaps source={source} />
        <SourceProblem source={source} />
      </header>
      {source.probe !== null && source.playback !== 'none' && source.state !== 'failed' ? (
        <Panels
          id="clip"
          className="seen"
          vertical
          parts={[
            {
              id: 'player',
              least: '200px',
              content: (
                <Player
                  key={`${source.id} ${isLost(source)}`}
                  source={source}
                  clip={clip}
                  shown={shown}
                  annotations={annotations}
                  frames={frames}
                />
              ),
            },
            {
              id: 'timeline',
              name: t('Timeline'),
              size: '204px',
              least: '96px',
              most: '60%',
              content: <Timeline source={source} clips={ofSource} clip={clip} annotations={annotations} frames={frames} />,
            },
          ]}
        />
      ) : (
        source.problem === null && (
          <p className="placeholder muted">
            {source.file === 'growing'
              ? t('This file is still being written. It is analysed as soon as it rests.')
              : t('This video waits for its turn.')}
          </p>
        )
      )}
    </>
  )
}

/** The missing numbers of numbered pictures. */
function Gaps({ source: { numbered } }: { source: Source }) {
  const gaps = gapsOf(numbered?.runs ?? [])
  if (gaps.length === 0) return null
  return (
    <p className="muted small">
      {t('One video over gaps: these numbers are missing: {{numbers}}. The pictures beside a gap follow each other at once.', {
        numbers: gapsText(gaps),
      })}
    </p>
  )
}

/** Checks for the file when a person opens a video, or returns to it from another program. The result arrives as an event. */
function useLook(sourceId: number | null): void {
  useEffect(() => {
    if (sourceId === null) return
    const look = () => void call('lookForFile', { params: { sourceId } }).catch(() => undefined)
    look()
    window.addEventListener('focus', look)
    return () => window.removeEventListener('focus', look)
  }, [sourceId])
}

/** If the chosen clip is gone, by undo or from elsewhere, its video stays chosen. */
function useGone(sourceId: number | null, clipId: number | null): void {
  const { error } = useClip(clipId)
  const gone = clipId !== null && error !== null && problemOf(error).code === 'not-found'
  useEffect(() => {
    if (!gone) return
    useUi.getState().selectSource(sourceId)
    // It may come back.
    queryClient.removeQueries({ queryKey: ['clip', clipId] })
  }, [gone, sourceId, clipId])
}

/** The clip whose boxes are drawn: the chosen one while the playhead is in it, else the one that contains the playhead. */
function usePassed(clips: readonly Clip[], chosen: Clip | null): number | null {
  return usePlayer(({ time }) => {
    const holds = ({ start, end }: Clip) => time >= start - 0.0005 && time < end - 0.0005
    if (chosen && (holds(chosen) || clips.length === 1)) return chosen.id
    return clips.find((clip) => clip.kind !== 'marked' && holds(clip))?.id ?? chosen?.id ?? null
  })
}

function SourceProblem({ source }: { source: Source }) {
  const retry = () => call('retrySource', { params: { sourceId: source.id } }).catch(tell)
  if (source.state === 'cancelled')
    return (
      <div className="row">
        <span className="muted">{t('Its analysis was cancelled; what was done is kept.')}</span>
        <button onClick={() => void retry()}>{t('Go on')}</button>
      </div>
    )
  if (source.problem === null) return null
  if (isLost(source)) return <Lost source={source} />
  return (
    <ProblemCard problem={source.problem} warning={source.state === 'partial'}>
      <button onClick={() => void retry()}>{t('Retry')}</button>
    </ProblemCard>
  )
}

/** The video's content is no longer at its path: what can be done about it. */
function Lost({ source: { id, path, file, problem } }: { source: Source }) {
  const others = useSources().data?.sources.some((one) => one.id !== id && one.path === path && !isLost(one)) === true
  if (problem === null) return null
  const same = async (anyway?: 'yes'): Promise<void> => {
    try {
      await call('acceptFile', { params: { sourceId: id }, query: { anyway } })
      toast.success(t('It is analysed again; what was decided stays.'))
    } catch (error) {
      const refusal = problemOf(error)
      if (refusal.field !== 'query.anyway') tell(error)
      else if (
        await confirmed({
          title: t('Is it the same video?'),
          text: told(refusal).message,
          yes: t('It is the same video'),
          no: t('Change nothing'),
        })
      )
        await same('yes')
    }
  }
  const again = () => call('retrySource', { params: { sourceId: id } }).then(() => toast.success(t('It is there again.')), tell)
  return (
    <ProblemCard problem={problem} warning>
      {file === 'replaced' && !others && <button onClick={() => void addAny([path])}>{t('Add as a new video')}</button>}
      {file === 'replaced' && !others && <button onClick={() => void same()}>{t('It is the same video')}</button>}
      {(file === 'missing' || others) && <button onClick={() => void pickFolder()}>{t('Show where it is…')}</button>}
      {file === 'missing' && <button onClick={() => void again()}>{t('Look again')}</button>}
    </ProblemCard>
  )
}

/** Needs a second click, since people's corrections are removed as well. */
function Remove({ source }: { source: Source }) {
  const remove = async () => {
    try {
      await inOrder(() => call('removeSource', { params: { sourceId: source.id } }))
      useUi.getState().selectSource(null)
      void queryClient.invalidateQueries({ queryKey: ['history'] })
      offerUndo(t('“{{name}}” lies in the bin for 30 days (Settings)', { name: source.title }), { id: 'review', duration: 12_000 })
    } catch (error) {
      tell(error)
    }
  }
  const loss =
    source.touchedCount > 0
      ? t('Your work on {{count}} clips goes to the bin with it, for 30 days; the file stays.', { count: source.touchedCount })
      : t('The file itself stays where it is.')
  return <Confirmed name={t('Remove from library')} loss={loss} run={() => void remove()} />
}

function Confirmed({ name, loss, run }: { name: string; loss: string; run: () => void }) {
  const [asking, setAsking] = useState(false)
  if (!asking)
    return (
      <button className="icon" aria-label={name} title={name} onClick={() => setAsking(true)}>
        <Trash2 size={15} />
      </button>
    )
  return (
    <div className="row" role="group" aria-label={name}>
      <span className="muted small">{loss}</span>
      <button className="danger" autoFocus onClick={run}>
        {t('Remove')}
      </button>
      <button onClick={() => setAsking(false)}>{t('Keep')}</button>
    </div>
  )
}

import { Images, Trash2 } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { Source } from '../../app/contract.ts'
import { call } from '../api.ts'
import { findSimilar } from '../find/similar.ts'
import { plural } from '../format.ts'
import { t } from '../i18n.ts'
import { useClip, useClips, useFrames, useSources, tell } from '../queries.ts'
import { useUi } from '../store.ts'
import { Player } from './Player.tsx'
import { ProblemCard } from './ProblemCard.tsx'
import { Timeline } from './Timeline.tsx'

/** The chosen source or clip: picture, boxes, time. */
export function ClipView() {
  const { sourceId, clipId } = useUi()
  const { data: sources } = useSources()
  const { data: clips } = useClips()
  const { data: detail } = useClip(clipId)
  const source = sources?.sources.find(({ id }) => id === sourceId)
  // A file that cannot be read has no frames to ask for.
  const { data: frames } = useFrames(source?.probe ? sourceId : null)
  const ofSource = useMemo(() => (clips?.clips ?? []).filter((clip) => clip.sourceId === sourceId), [clips, sourceId])
  const clip = ofSource.find(({ id }) => id === clipId) ?? null
  if (source === undefined) return <p className="placeholder muted">Choose a video or a clip at the left.</p>
  const tracks = detail?.annotations.flatMap((annotation) => (annotation.body.kind === 'track' && annotation.state !== 'rejected' ? [{ ...annotation, body: annotation.body }] : [])) ?? []
  return (
    <>
      <header className="clip-head">
        <div className="row">
          <h2 title={source.path}>{source.name}</h2>
          {clip?.encoded && <button onClick={findSimilar} title={t('Find similar clips (S)')}><Images size={15} aria-hidden />{t('Find similar')}</button>}
          <Remove key={source.id} source={source} />
        </div>
        <SourceProblem source={source} />
      </header>
      {source.probe !== null && source.playback !== 'none' && source.state !== 'failed' ? (
        <>
          <Player key={source.id} source={source} clip={clip} tracks={tracks} annotations={detail?.annotations ?? []} frames={frames} />
          <Timeline source={source} clips={ofSource} clip={clip} annotations={detail?.annotations ?? []} frames={frames} />
        </>
      ) : (
        source.problem === null && <p className="placeholder muted">This video waits for its turn.</p>
      )}
    </>
  )
}

function SourceProblem({ source }: { source: Source }) {
  const retry = () => call('retrySource', { params: { sourceId: source.id } }).catch(tell)
  if (source.state === 'cancelled') return <div className="row"><span className="muted">Its analysis was cancelled; what was done is kept.</span><button onClick={() => void retry()}>Go on</button></div>
  if (source.problem === null) return null
  return (
    <ProblemCard problem={source.problem} warning={source.state === 'partial'}>
      <button onClick={() => void retry()}>Retry</button>
    </ProblemCard>
  )
}

/** Takes a second press: what people have corrected goes with it. */
function Remove({ source }: { source: Source }) {
  const [asking, setAsking] = useState(false)
  const remove = () => call('removeSource', { params: { sourceId: source.id } }).then(() => useUi.getState().selectSource(null), tell)
  if (!asking) return <button className="icon" aria-label="Remove from library" title="Remove from library" onClick={() => setAsking(true)}><Trash2 size={15} /></button>
  return (
    <div className="row" role="group" aria-label="Remove from library">
      <span className="muted small">{source.reviewedCount > 0 ? `Your work on ${plural(source.reviewedCount, 'clip')} goes with it; the file stays.` : 'The file itself stays where it is.'}</span>
      <button className="danger" autoFocus onClick={() => void remove()}>Remove</button>
      <button onClick={() => setAsking(false)}>Keep</button>
    </div>
  )
}

import { useMemo } from 'react'
import type { Source } from '../../app/contract.ts'
import { call } from '../api.ts'
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
        <h2 title={source.path}>{source.name}</h2>
        <SourceProblem source={source} />
      </header>
      {source.probe !== null && source.playback !== 'none' && source.state !== 'failed' ? (
        <>
          <Player key={source.id} source={source} clip={clip} tracks={tracks} frames={frames} />
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
  const remove = () => call('removeSource', { params: { sourceId: source.id } }).then(() => useUi.getState().selectSource(null), tell)
  if (source.state === 'cancelled') return <div className="row"><span className="muted">Its analysis was cancelled; what was done is kept.</span><button onClick={() => void retry()}>Go on</button></div>
  if (source.problem === null) return null
  return (
    <ProblemCard problem={source.problem} warning={source.state === 'partial'}>
      <button onClick={() => void retry()}>Retry</button>
      {source.state === 'failed' && <button onClick={() => void remove()}>Remove from library</button>}
    </ProblemCard>
  )
}

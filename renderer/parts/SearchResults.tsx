import { problemOf } from '../../app/errors.ts'
import { percent, plural } from '../format.ts'
import { useSearch } from '../queries.ts'
import { useUi } from '../store.ts'
import { ClipRow } from './LibraryList.tsx'
import { ProblemCard } from './ProblemCard.tsx'

/** Moments from words: what matches, or plainly that nothing does. */
export function SearchResults({ query }: { query: string }) {
  const { data, error, isFetching } = useSearch(query)
  const clipId = useUi((ui) => ui.clipId)
  if (error !== null) return <ProblemCard problem={problemOf(error)} />
  if (data === undefined) return <p className="pad muted">Searching…</p>
  const { hits, nearest, threshold, searched, total } = data
  const [best] = nearest
  return (
    <div className="scroll" aria-busy={isFetching}>
      <div className="pad" role="status">
        {hits.length > 0 ? (
          <strong>{plural(hits.length, 'clip')} for “{data.query}”</strong>
        ) : (
          <>
            <strong>No clip matches “{data.query}”</strong>
            {best && <p className="muted">The best is {percent(best.probability)}, below the match line of {percent(threshold)}. Try words that a caption would use.</p>}
          </>
        )}
        {searched < total && <p className="muted">Searched {searched} of {plural(total, 'clip')} so far</p>}
      </div>
      {hits.length === 0 && nearest.length > 0 && <h3 className="pad muted">Nearest</h3>}
      <ul className={hits.length > 0 ? 'plain' : 'plain faded'} aria-label={hits.length > 0 ? 'Matches' : 'Nearest, below the match line'}>
        {(hits.length > 0 ? hits : nearest).map(({ clip, probability }) => (
          <li key={clip.id}><ClipRow clip={clip} current={clip.id === clipId} score={percent(probability)} /></li>
        ))}
      </ul>
    </div>
  )
}

import { useMemo, useState } from 'react'
import { analysedToItsEnd } from '../../app/analysed.ts'
import type { Source } from '../../app/contract.ts'
import { call } from '../api.ts'
import { useFind } from '../find/store.ts'
import { percent, unfinishedText } from '../format.ts'
import { t } from '../i18n.ts'
import { useSources } from '../cache.ts'
import { tell } from '../toast.ts'
import { endWalk } from '../review/walk.ts'
import { useUi } from '../store.ts'

/** How much of the model's output people have reviewed, by video and in total. */
export function ReviewProgress() {
  const { data } = useSources()
  const [onlyOpen, setOnlyOpen] = useState(true)
  const sources = useMemo(() => (data?.sources ?? []).filter(({ reviewableCount }) => reviewableCount > 0), [data])
  const [reviewed, total] = sources.reduce(([done, all], source) => [done + source.reviewedCount, all + source.reviewableCount], [0, 0])
  const listed = onlyOpen
    ? sources.filter(({ state, reviewedCount, reviewableCount }) => reviewedCount < reviewableCount || !analysedToItsEnd(state))
    : sources
  return (
    <section aria-labelledby="queue-people">
      <header className="queue-head">
        <div className="grow">
          <h3 id="queue-people">{t('For you: review')}</h3>
          <p className="muted">
            {t('{{done}} of {{count, number}} clips reviewed', { done: reviewed, count: total })}
            {unfinishedText(data?.sources ?? [])}
          </p>
        </div>
        <button className="primary" disabled={reviewed === total} onClick={() => void reviewNext(sources)}>
          {t('Review the next clip')}
        </button>
      </header>
      {total > 0 && <progress className="whole" value={reviewed / total} aria-label={t('Reviewed in all')} />}
      {total > 0 && (
        <label className="row only-open">
          <input type="checkbox" checked={onlyOpen} onChange={({ target }) => setOnlyOpen(target.checked)} />
          {t('Only what is left to review')}
        </label>
      )}
      <ul className="plain reviews" aria-label={t('Videos')}>
        {listed.map((source) => (
          <li key={source.id}>
            <button className="quiet name" onClick={() => void reviewNext([source])}>
              {source.title}
            </button>
            <progress
              // Of how much is not known before all of it was analysed.
              value={analysedToItsEnd(source.state) ? source.reviewedCount / source.reviewableCount : 0}
              aria-label={t('Reviewed of {{name}}', { name: source.title })}
            />
            <span className="num muted">
              {source.reviewedCount}/{source.reviewableCount} ·{' '}
              {analysedToItsEnd(source.state) ? percent(source.reviewedCount / source.reviewableCount) : t('unfinished')}
            </span>
          </li>
        ))}
      </ul>
      {total > 0 && listed.length === 0 && <p className="placeholder muted">{t('Every clip was reviewed.')}</p>}
    </section>
  )
}

/** Open the first clip without any decision; if there is none, the first that is not completely reviewed. */
async function reviewNext(sources: readonly Source[]): Promise<void> {
  try {
    const left = sources.find(({ reviewedCount, reviewableCount }) => reviewedCount < reviewableCount) ?? sources[0]
    if (left === undefined) return
    const first = async (state: 'open' | 'partly') =>
      (await call('search', { body: { query: null, filters: { state, sourceIds: [left.id] }, limit: 1 } })).hits[0]?.clip
    const clip =
      (await first('open')) ?? (await first('partly')) ?? (await call('listClips', { query: { sourceId: left.id, limit: 1 } })).clips[0]
    if (clip === undefined) return
    useFind.getState().clear()
    endWalk()
    useUi.getState().openClip(clip.id, clip.sourceId)
  } catch (error) {
    tell(error)
  }
}

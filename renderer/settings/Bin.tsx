import { useQuery } from '@tanstack/react-query'
import { Undo2 } from 'lucide-react'
import { useState } from 'react'
import type { BinEntry } from '../../app/contract/bin.ts'
import { call } from '../api.ts'
import { when } from '../format.ts'
import { t } from '../i18n.ts'
import { queryClient } from '../cache.ts'
import { tell, toast } from '../toast.ts'
import { useUi } from '../store.ts'

/** Removed videos: each can be restored as it was, until it is deleted for good. */
export function Bin() {
  const { data } = useQuery({ queryKey: ['bin'], queryFn: () => call('listBin') })
  const [asking, setAsking] = useState(false)
  const entries = data?.entries ?? []
  const empty = async () => {
    setAsking(false)
    try {
      const { forgotten } = await call('emptyBin')
      toast(t('{{count, number}} videos were forgotten for good; their files are untouched', { count: forgotten }))
    } catch (error) {
      tell(error)
    }
  }
  if (entries.length === 0)
    return <p className="muted">{t('Empty. A video that is removed lies here for 30 days, with everything that was said about it.')}</p>
  return (
    <>
      <ul className="plain bin" aria-label={t('Removed videos')}>
        {entries.map((entry) => (
          <Entry key={entry.sourceId} entry={entry} />
        ))}
      </ul>
      {asking ? (
        <div className="row" role="group" aria-label={t('Empty the bin')}>
          <span className="muted small">
            {t('What was decided about {{count, number}} videos goes for good; the files stay.', { count: entries.length })}
          </span>
          <button className="danger" autoFocus onClick={() => void empty()}>
            {t('Forget for good')}
          </button>
          <button onClick={() => setAsking(false)}>{t('Keep')}</button>
        </div>
      ) : (
        <div className="row">
          <button onClick={() => setAsking(true)}>{t('Empty the bin')}</button>
        </div>
      )}
    </>
  )
}

function Entry({ entry: { sourceId, name, path, reviewed, removedAt, until } }: { entry: BinEntry }) {
  const restore = async () => {
    try {
      await call('restoreSource', { params: { sourceId } })
      void queryClient.invalidateQueries({ queryKey: ['history'] })
      toast.success(t('{{name}} is in the library again', { name }), { action: { label: t('Show'), onClick: () => show(sourceId) } })
    } catch (error) {
      tell(error)
    }
  }
  return (
    <li className="row">
      <span className="grow">
        <strong title={path}>{name}</strong>
        <span className="muted small">
          {' '}
          {[
            t('removed {{when}}', { when: when(removedAt) }),
            ...(reviewed > 0 ? [t('{{count, number}} clips with decisions', { count: reviewed })] : []),
            t('kept until {{when}}', { when: when(until) }),
          ].join(' · ')}
        </span>
      </span>
      <button aria-label={t('Restore {{name}}', { name })} onClick={() => void restore()}>
        <Undo2 size={14} aria-hidden />
        {t('Restore')}
      </button>
    </li>
  )
}

function show(sourceId: number): void {
  const { goTo, selectSource } = useUi.getState()
  goTo('review')
  selectSource(sourceId)
}

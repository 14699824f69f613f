import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { problemOf } from '../../app/errors.ts'
import { call } from '../api.ts'
import { desktop } from '../desktop.ts'
import { bytes, percent } from '../format.ts'
import { t } from '../i18n.ts'
import { PathPicker } from '../parts/AddDialog.tsx'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { toast } from '../toast.ts'
import { isHandedOver } from './store.ts'

/** Write the library into one file for somebody else. */
export function HandOver({ onDone }: { onDone: () => void }) {
  const { data } = useQuery({ queryKey: ['projects'], queryFn: () => call('projects') })
  const [withVideos, setWithVideos] = useState(false)
  const [handOverId] = useState(() => crypto.randomUUID())
  const [today] = useState(() => new Date().toISOString().slice(0, 10))
  // Set by events while it is written.
  const { data: share = 0 } = useQuery({ queryKey: ['sharing', handOverId], queryFn: () => 0, enabled: false })
  const write = useMutation({
    mutationFn: (path: string) => call('handOver', { body: { path, withVideos, handOverId } }),
    onSuccess: ({ path, bytes: size, left }) => {
      onDone()
      toast.success(t('Handed over: {{size}}', { size: bytes(size) }), {
        description: [
          path,
          ...(left.length > 0 ? [t('Not where they were, so left out: {{names}}', { names: left.slice(0, 5).join(', ') })] : []),
        ].join(' · '),
        duration: 20_000,
        ...(desktop && { action: { label: t('Show in folder'), onClick: () => desktop?.showInFolder(path) } }),
      })
    },
  })
  useEffect(() => {
    if (write.error !== null && problemOf(write.error).code === 'cancelled') onDone()
  }, [write.error, onDone])
  if (write.isPending)
    return (
      <div className="row import-reading">
        <progress className="grow" value={share} aria-label={t('Handing over')} />
        <span className="num muted" role="status">
          {t('Writing… {{share}}', { share: percent(share) })}
        </span>
        <button onClick={() => void call('cancelHandOver', { params: { handOverId } }).catch(() => undefined)}>{t('Cancel')}</button>
      </div>
    )
  const name = `${(data?.current ?? '').replace(/^.*[\\/]/, '') || 'library'} ${today}.tubelet`
  return (
    <>
      <label className="row">
        <input type="checkbox" checked={withVideos} onChange={({ target }) => setWithVideos(target.checked)} />
        {t('With the videos themselves')}
      </label>
      <p className="muted small">
        {t('Choose the folder for the file “{{name}}”, or type another path. Whoever opens it needs no videos to read and decide.', {
          name,
        })}
      </p>
      <PathPicker
        action={t('Hand over')}
        onChoose={(chosen) => write.mutate(isHandedOver(chosen) ? chosen : `${chosen.replace(/[\\/]$/, '')}/${name}`)}
      />
      {write.error && problemOf(write.error).code !== 'cancelled' && <ProblemCard problem={problemOf(write.error)} />}
    </>
  )
}

import { useQuery } from '@tanstack/react-query'
import { History } from 'lucide-react'
import { useState } from 'react'
import type { RouteOutput } from '../../app/contract.ts'
import { type Problem, problemOf } from '../../app/errors.ts'
import { call } from '../api.ts'
import { queryClient } from '../cache.ts'
import { bytes, when } from '../format.ts'
import { t } from '../i18n.ts'
import { confirmed } from '../parts/Confirm.tsx'
import { ProblemCard } from '../parts/ProblemCard.tsx'

type Backup = RouteOutput<'listBackups'>['backups'][number]

/** Backups of the open library: each can take its place. */
export function Backups() {
  const { data } = useQuery({ queryKey: ['backups'], queryFn: () => call('listBackups', { query: {} }) })
  const [problem, setProblem] = useState<Problem | null>(null)
  const [working, setWorking] = useState(false)
  const work = async (deed: () => Promise<unknown>) => {
    setProblem(null)
    setWorking(true)
    try {
      await deed()
    } catch (error) {
      setProblem(problemOf(error))
    }
    setWorking(false)
    void queryClient.invalidateQueries({ queryKey: ['backups'] })
  }
  const shown = problem ?? data?.problem ?? null
  return (
    <>
      <p className="muted">
        {t('While the library is open it is copied now and then. At most four copies are kept, of the last hours, days and weeks.')}
      </p>
      {data && <BackupList path={data.path} backups={data.backups} disabled={working} work={work} />}
      <div className="row">
        <button disabled={working} onClick={() => void work(() => call('makeBackup'))}>
          {t('Make a backup now')}
        </button>
      </div>
      {shown && <ProblemCard problem={shown} />}
    </>
  )
}

/** @param path The library that they are of. */
export function BackupList({
  path,
  backups,
  disabled,
  work,
}: {
  path: string
  backups: readonly Backup[]
  disabled: boolean
  work: (deed: () => Promise<unknown>) => Promise<void>
}) {
  const restore = async ({ name, madeAt }: Backup) => {
    const yes = await confirmed({
      title: t('Restore a backup'),
      text: t(
        'The library becomes what it was at {{when}}. What is in it now is kept beside the backups and can be restored the same way.',
        {
          when: when(madeAt),
        },
      ),
      yes: t('Restore'),
    })
    if (!yes) return
    await work(async () => {
      await call('restoreBackup', { body: { path, name } })
      // Everything in this window belongs to the library that was there before.
      location.reload()
    })
  }
  if (backups.length === 0) return <p className="muted">{t('There is no backup of this library yet.')}</p>
  return (
    <ul className="plain projects" aria-label={t('Backups')}>
      {backups.map((backup) => (
        <li key={backup.name}>
          <button
            disabled={disabled}
            aria-label={t('Restore the backup of {{when}}', { when: when(backup.madeAt) })}
            onClick={() => void restore(backup)}
          >
            <History size={15} aria-hidden />
            {t('Restore')}
          </button>
          <span className="num">{when(backup.madeAt)}</span>
          <span className="muted num">{bytes(backup.bytes)}</span>
          {backup.kind === 'set-aside' && <span className="muted">{t('set aside when another was restored')}</span>}
        </li>
      ))}
    </ul>
  )
}

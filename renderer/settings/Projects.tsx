import { useQuery } from '@tanstack/react-query'
import { FolderOpen } from 'lucide-react'
import { useState } from 'react'
import type { RouteOutput } from '../../app/contract.ts'
import { type Problem, problemOf } from '../../app/errors.ts'
import { call } from '../api.ts'
import { desktop } from '../desktop.ts'
import { when } from '../format.ts'
import { t } from '../i18n.ts'
import { PathPicker } from '../parts/AddDialog.tsx'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { useQueue } from '../cache.ts'
import { BackupList } from './Backups.tsx'

/** The open library, earlier ones, and a way to open another one. */
export function Projects() {
  const { data } = useQuery({ queryKey: ['projects'], queryFn: () => call('projects') })
  const { data: queue } = useQueue()
  const [picking, setPicking] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [opening, setOpening] = useState(false)
  /** A library that is damaged, with its backups. */
  const [damaged, setDamaged] = useState<RouteOutput<'listBackups'> | null>(null)
  const work = async (deed: () => Promise<unknown>) => {
    setProblem(null)
    setOpening(true)
    try {
      await deed()
    } catch (error) {
      setProblem(problemOf(error))
      setOpening(false)
    }
  }
  const open = (path: string) =>
    work(async () => {
      setDamaged(null)
      try {
        await call('openProject', { body: { path } })
      } catch (error) {
        if (problemOf(error).code === 'file-unreadable') setDamaged(await call('listBackups', { query: { path } }))
        throw error
      }
      // Everything in this window belongs to the previous library.
      location.reload()
    })
  const pick = async () => {
    if (desktop === null) {
      setPicking(!picking)
      return
    }
    const [path] = (await desktop.openFolderDialog()) ?? []
    if (path !== undefined) await open(path)
  }
  const others = data?.recent.filter(({ path, there }) => path !== data.current && there) ?? []
  const busy = (queue?.running ?? 0) + (queue?.waiting ?? 0) > 0
  return (
    <>
      <p>{t('A library holds the clips, captions, answers, labels and edits of one piece of work. It is a folder of this computer.')}</p>
      <p>
        <span className="muted">{t('Open now:')}</span> <span className="mono">{data?.current}</span>
      </p>
      {others.length > 0 && (
        <ul className="plain projects" aria-label={t('Recent libraries')}>
          {others.map(({ path, name, openedAt }) => (
            <li key={path}>
              <button disabled={opening} onClick={() => void open(path)}>
                <FolderOpen size={15} aria-hidden />
                <strong>{name}</strong>
              </button>
              <span className="mono muted">{path}</span>
              <span className="muted num">{when(openedAt)}</span>
            </li>
          ))}
        </ul>
      )}
      <div className="row">
        <button disabled={opening} aria-expanded={desktop === null ? picking : undefined} onClick={() => void pick()}>
          {t('Open or begin another library…')}
        </button>
        {busy && <span className="muted small">{t('What runs here goes on when this library is opened again.')}</span>}
      </div>
      {picking && (
        <>
          <p className="muted small">
            {t('Choose the folder of a library, an empty folder, or add the name of a new folder to the path.')}
          </p>
          <PathPicker action={t('Open as library')} onChoose={(path) => void open(path)} />
        </>
      )}
      {problem && <ProblemCard problem={problem} />}
      {damaged && <BackupList path={damaged.path} backups={damaged.backups} disabled={opening} work={work} />}
    </>
  )
}

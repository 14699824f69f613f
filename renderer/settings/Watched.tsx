import { queryOptions, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { SidecarFormat } from '../../app/contract/export.ts'
import type { WatchedFolder } from '../../app/contract/watched.ts'
import { type Problem, problemOf } from '../../app/errors.ts'
import { HOLDS } from '../../app/formats/holds.ts'
import { call } from '../api.ts'
import { queryClient } from '../cache.ts'
import { desktop } from '../desktop.ts'
import { t } from '../i18n.ts'
import { PathPicker } from '../parts/AddDialog.tsx'
import { ProblemCard } from '../parts/ProblemCard.tsx'

const watchedQuery = queryOptions({ queryKey: ['watched'], queryFn: () => call('listWatched') })

/** Folders whose new videos are added by themselves, and the annotation files that are kept of them. */
export function Watched() {
  const { data } = useQuery(watchedQuery)
  const [picking, setPicking] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const work = async (deed: () => Promise<unknown>) => {
    setProblem(null)
    await deed().catch((error: unknown) => setProblem(problemOf(error)))
    void queryClient.invalidateQueries({ queryKey: watchedQuery.queryKey })
  }
  const watch = (folder: string, formats: readonly SidecarFormat[]) =>
    work(() => call('watchFolder', { body: { folder, formats: [...formats] } }).then(() => setPicking(false)))
  const pick = async () => {
    if (desktop === null) {
      setPicking(!picking)
      return
    }
    const [folder] = (await desktop.openFolderDialog()) ?? []
    if (folder !== undefined) await watch(folder, [])
  }
  const folders = data?.folders ?? []
  return (
    <>
      <p className="muted">
        {t(
          'New videos in a watched folder, and in the folders in it, are added by themselves once they are complete. A video that you remove stays removed.',
        )}
      </p>
      {folders.length > 0 && (
        <ul className="plain watched" aria-label={t('Watched folders')}>
          {folders.map((one) => (
            <Folder
              key={one.folder}
              {...one}
              onFormats={(formats) => {
                // At once: a checkbox that waits for an answer looks broken.
                queryClient.setQueryData(watchedQuery.queryKey, {
                  folders: folders.map((old) => (old === one ? { ...one, formats: [...formats] } : old)),
                })
                void watch(one.folder, formats)
              }}
              onStop={() => void work(() => call('unwatchFolder', { query: { folder: one.folder } }))}
            />
          ))}
        </ul>
      )}
      <div className="row">
        <button aria-expanded={desktop === null ? picking : undefined} onClick={() => void pick()}>
          {t('Watch a folder…')}
        </button>
      </div>
      {picking && <PathPicker action={t('Watch')} onChoose={(folder) => void watch(folder, [])} />}
      {problem && <ProblemCard problem={problem} />}
    </>
  )
}

function Folder({
  folder,
  formats,
  problem,
  onFormats,
  onStop,
}: WatchedFolder & { onFormats: (formats: readonly SidecarFormat[]) => void; onStop: () => void }) {
  const toggle = (format: SidecarFormat) =>
    onFormats(formats.includes(format) ? formats.filter((one) => one !== format) : [...formats, format])
  return (
    <li>
      <div className="row">
        <span className="mono grow">{folder}</span>
        <button aria-label={t('Stop watching {{folder}}', { folder })} onClick={onStop}>
          {t('Stop watching')}
        </button>
      </div>
      <fieldset>
        <legend className="muted small">{t('Annotation files that are kept up to date in its folder tubelet-sidecars')}</legend>
        <span className="choices">
          {SidecarFormat.options.map((format) => (
            <label key={format}>
              <input type="checkbox" checked={formats.includes(format)} onChange={() => toggle(format)} />
              {HOLDS[format].name}
            </label>
          ))}
        </span>
      </fieldset>
      {problem && <ProblemCard problem={problem} warning />}
    </li>
  )
}

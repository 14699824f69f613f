import { useQuery } from '@tanstack/react-query'
import { CornerLeftUp, File, Film, Folder, HardDrive } from 'lucide-react'
import { type SubmitEvent, useDeferredValue, useState } from 'react'
import { problemOf } from '../../app/errors.ts'
import { call } from '../api.ts'
import { desktop } from '../desktop.ts'
import { addAny } from '../drop.ts'
import { bytes } from '../format.ts'
import { t } from '../i18n.ts'
import { useUi } from '../store.ts'
import { Dialog } from './Dialog.tsx'
import { ProblemCard } from './ProblemCard.tsx'

/** The system's dialog on the desktop; in a browser, which cannot reveal paths, the app's own. */
export async function pickFolder(): Promise<void> {
  if (desktop === null) {
    useUi.getState().open('add')
    return
  }
  const paths = await desktop.openFolderDialog()
  if (paths !== null) await addAny(paths)
}

/** Choose files and folders of the machine that Tubelet runs on. */
export function AddDialog() {
  const { open, dropped } = useUi()
  const add = (path: string) => {
    open(null)
    void addAny([path])
  }
  return (
    <Dialog title={t('Add videos')} wide>
      {dropped.length > 0 && (
        <p className="note">
          {t(
            'A browser does not tell where dropped files lie ({{names}}). Choose them or their folder here; the desktop app takes drops directly.',
            { names: dropped.join(', ') },
          )}
        </p>
      )}
      <PathPicker action={t('Add')} onChoose={add} files />
    </Dialog>
  )
}

/** Browse the folders of this machine and choose one, or a file. `files`: also list files, of all kinds or only videos to add. */
export function PathPicker({
  action,
  onChoose,
  files = false,
}: {
  action: string
  onChoose: (path: string) => void
  files?: boolean | 'any'
}) {
  const [folder, setFolder] = useState<string | undefined>()
  const [typed, setTyped] = useState<string | null>(null)
  // While a path is typed, its folder is listed, limited to names that begin with the rest.
  const [, into, begins = ''] = /^(.*[\\/])([^\\/]*)$/.exec(typed ?? '') ?? []
  const listed = into ?? folder
  const { data, error } = useQuery({
    queryKey: ['browse', listed],
    queryFn: () => call('browse', { query: { path: listed } }),
    staleTime: 0,
    placeholderData: (earlier) => earlier,
    retry: false,
  })
  const entries =
    data?.entries.filter(
      ({ kind, name }) => (files !== false || kind === 'folder') && name.toLowerCase().startsWith(begins.toLowerCase()),
    ) ?? []
  const path = typed ?? data?.path ?? ''
  const go = (to: string) => {
    setFolder(to)
    setTyped(null)
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (path.trim() !== '') onChoose(path.trim())
  }
  return (
    <form className="picker" onSubmit={submit}>
      <div className="row">
        <input aria-label={t('Path')} value={path} onChange={(event) => setTyped(event.target.value)} spellCheck={false} autoFocus />
        <button className="primary" type="submit">
          {action}
        </button>
      </div>
      {error !== null && typed === null && <ProblemCard problem={problemOf(error)} warning />}
      <ul aria-label={t('Folders and files')}>
        {data?.parent != null && (
          <li>
            <button type="button" onClick={() => go(data.parent ?? '/')}>
              <CornerLeftUp size={15} aria-hidden />
              {t('Up')}
            </button>
          </li>
        )}
        {data?.parent === null &&
          data.starts
            .filter((start) => start !== data.path)
            .map((start) => (
              <li key={start}>
                <button type="button" onClick={() => go(start)}>
                  <HardDrive size={15} aria-hidden />
                  <span className="mono">{start}</span>
                </button>
              </li>
            ))}
        {entries.map((entry) => (
          <li key={entry.path}>
            {entry.kind === 'folder' ? (
              <button type="button" onClick={() => go(entry.path)}>
                <Folder size={15} aria-hidden />
                {entry.name}
              </button>
            ) : (
              <button
                type="button"
                className={entry.kind === 'file' ? 'muted' : ''}
                onClick={() => onChoose(entry.path)}
                title={`${action}: ${entry.name}`}
              >
                {entry.kind === 'video' ? <Film size={15} aria-hidden /> : <File size={15} aria-hidden />}
                {entry.name}
                <span className="muted num">{entry.bytes === null ? '' : bytes(entry.bytes)}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
      {files === true && <Below path={path.trim()} action={action} />}
    </form>
  )
}

/** What adding the chosen or typed folder would include, at any depth. */
function Below({ path, action }: { path: string; action: string }) {
  const wanted = useDeferredValue(path)
  const { data } = useQuery({
    queryKey: ['browse', 'below', wanted],
    queryFn: () => call('lookBelow', { query: { path: wanted } }),
    enabled: wanted !== '',
    staleTime: 0,
    placeholderData: (earlier) => earlier,
    retry: false,
  })
  if (data === undefined) return null
  const { videos, numbered, more } = data
  const found = [
    ...(videos > 0 || numbered === 0 ? [t('{{count, number}} videos', { count: videos })] : []),
    ...(numbered > 0 ? [t('{{count, number}} series of numbered pictures', { count: numbered })] : []),
  ].join(', ')
  return (
    <p className="muted small" role="status">
      {videos + numbered === 0 && !more
        ? t('No video lies there or in the folders below it.')
        : more
          ? t('“{{action}}” takes {{found}} and more, from there and from the folders below it.', { action, found })
          : t('“{{action}}” takes {{found}}, from there and from the folders below it.', { action, found })}
    </p>
  )
}

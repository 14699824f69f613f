import { queryOptions, useQuery } from '@tanstack/react-query'
import { CornerLeftUp, File, Film, Folder, HardDrive } from 'lucide-react'
import { type SubmitEvent, useDeferredValue, useEffect, useRef, useState } from 'react'
import type { RouteOutput } from '../../app/contract.ts'
import { type Problem, problemOf } from '../../app/errors.ts'
import { gapsText } from '../../app/numbered.ts'
import { call } from '../api.ts'
import { queryClient } from '../cache.ts'
import { desktop } from '../desktop.ts'
import { addAny, mayBeAnnotations, readHeld } from '../drop.ts'
import { bytes } from '../format.ts'
import { t, told } from '../i18n.ts'
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
  const { open, dropped, held } = useUi()
  const isAdding = useRef(false)
  // Nothing is added: what came with the videos may be about others.
  useEffect(() => () => void (isAdding.current ? undefined : readHeld([])), [])
  const add = (path: string) => {
    isAdding.current = true
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
      {held.length > 0 && (
        <p className="note">
          {t('After that these are read: {{names}}.', {
            names: held.slice(0, 5).join(', ') + (held.length > 5 ? ', …' : ''),
          })}
        </p>
      )}
      <p className="muted small">
        {t('Annotation files (COCO, CVAT, SRT and others) can be chosen here too: they are shown before anything is imported.')}
      </p>
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
  const [refused, setRefused] = useState<Problem | null>(null)
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
  const field = useRef<HTMLInputElement>(null)
  // What the window fills in is replaced by what is typed or pasted then, also where it comes late.
  useEffect(() => {
    if (typed === null && field.current === document.activeElement) field.current?.select()
  }, [typed, path])
  const go = (to: string) => {
    setFolder(to)
    setTyped(null)
    setRefused(null)
  }
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const chosen = path.trim()
    if (chosen === '') return
    const below = files === true ? await queryClient.query(belowOf(chosen)).catch(() => null) : null
    if (below !== null && isRefused(below)) setRefused(below.trouble)
    else onChoose(below?.path ?? chosen)
  }
  return (
    <form className="picker" onSubmit={(event) => void submit(event)}>
      <div className="row">
        <input
          ref={field}
          aria-label={t('Path')}
          value={path}
          onChange={(event) => {
            setTyped(event.target.value)
            setRefused(null)
          }}
          onFocus={({ target }) => typed === null && target.select()}
          spellCheck={false}
          autoFocus
        />
        <button className="primary" type="submit">
          {action}
        </button>
      </div>
      {refused && <ProblemCard problem={refused} warning />}
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
      {files === true && refused === null && <Below path={path.trim()} action={action} />}
    </form>
  )
}

/** What adding a path would bring; asked anew each time, since files come and go. */
const belowOf = (path: string) =>
  queryOptions({
    queryKey: ['browse', 'below', path],
    queryFn: () => call('lookBelow', { query: { path } }),
    enabled: path !== '',
    staleTime: 0,
    retry: false,
  })

/** What adding the chosen or typed folder would include, at any depth; or why nothing can be added. */
function Below({ path, action }: { path: string; action: string }) {
  const { data, error } = useQuery({ ...belowOf(useDeferredValue(path)), placeholderData: (earlier) => earlier })
  // Where nobody may look around, something can be added all the same.
  const text = error === null ? data && belowText(data, action, path).join(' ') : told(problemOf(error)).stillWorks
  return (
    text !== undefined && (
      <p className="muted small" role="status">
        {text}
      </p>
    )
  )
}

type Looked = RouteOutput<'lookBelow'>

const isRefused = ({ videos, numbered, packs, trouble, more }: Looked) => trouble !== null && videos + numbered + packs === 0 && !more

function belowText(looked: Looked, action: string, path: string): string[] {
  const { isFile, videos, numbered, packs, gaps, unreadable, trouble, more } = looked
  const why = trouble && told(trouble)
  if (isRefused(looked)) return [why?.message ?? '', why?.next ?? '']
  if (isFile && videos > 0) return [t('“{{action}}” takes this file.', { action })]
  if (isFile)
    return [
      mayBeAnnotations(path)
        ? t('“{{action}}” reads this file as annotations and shows them before anything is imported.', { action })
        : t('This file is no video.'),
    ]
  const found = [
    ...(videos > 0 || numbered + packs === 0 ? [t('{{count, number}} videos', { count: videos })] : []),
    ...(numbered > 0 ? [t('{{count, number}} series of numbered pictures', { count: numbered })] : []),
    ...(packs > 0 ? [t('{{count, number}} packs', { count: packs })] : []),
  ].join(', ')
  return [
    videos + numbered + packs === 0 && !more
      ? t('No video lies there or in the folders below it.')
      : more
        ? t('“{{action}}” takes {{found}} and more, from there and from the folders below it.', { action, found })
        : t('“{{action}}” takes {{found}}, from there and from the folders below it.', { action, found }),
    ...(gaps.length > 0
      ? [t('Of the pictures these numbers are missing: {{numbers}}. How they become a video is asked next.', { numbers: gapsText(gaps) })]
      : []),
    ...(why
      ? [
          t('{{count, number}} files or folders cannot be read, the first because: {{why}}', { count: unreadable, why: why.message }),
          why.next ?? '',
        ]
      : []),
  ]
}

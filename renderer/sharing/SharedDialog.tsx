import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Merge, Verdict } from '../../app/contract/sharing.ts'
import { problemOf } from '../../app/errors.ts'
import { call } from '../api.ts'
import { percent, when } from '../format.ts'
import { t } from '../i18n.ts'
import { PathPicker } from '../parts/AddDialog.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { toast } from '../toast.ts'
import { useUi } from '../store.ts'
import { Differences } from './Differences.tsx'
import { putAway, useSharing } from './store.ts'
import './sharing.css'

/** A file that somebody handed over: taken into this library, or opened as one of its own. */
export function SharedDialog() {
  const { file, read } = useSharing()
  useEffect(() => () => putAway(), [])
  return (
    <Dialog title={read ? t('Take in somebody’s work') : t('A file that was handed over')} wide>
      {file === null ? (
        <>
          <p className="muted small">{t('Choose a file that ends with .tubelet.')}</p>
          <PathPicker action={t('Look at it')} files="any" onChoose={(path) => useSharing.setState({ file: path })} />
        </>
      ) : read ? (
        <Found read={read} />
      ) : (
        <Choice file={file} />
      )}
    </Dialog>
  )
}

/** What to do with the file. */
function Choice({ file }: { file: string }) {
  const [search, setSearch] = useState('')
  const merge = useMutation({
    mutationFn: () => call('readMerge', { body: { path: file } }),
    onSuccess: (read) => {
      // Closed meanwhile.
      if (useSharing.getState().file === file) useSharing.setState({ read })
      else void call('leaveMerge', { params: { mergeId: read.mergeId } }).catch(() => undefined)
    },
  })
  const open = useMutation({
    mutationFn: () => call('openHandedOver', { body: { path: file, ...(search.trim() !== '' && { search: search.trim() }) } }),
    // Everything in this window belongs to the library that was open before.
    onSuccess: () => location.reload(),
  })
  const error = merge.error ?? open.error
  const busy = merge.isPending || open.isPending
  return (
    <>
      <p className="mono shared-file">{file}</p>
      <section className="shared-choice">
        <h3>{t('Take it into this library')}</h3>
        <p className="muted">
          {t('What only they did is added, what both did alike stays, and what differs is shown and decided before anything is taken.')}
        </p>
        <button className="primary" disabled={busy} onClick={() => merge.mutate()}>
          {t('Take in somebody’s work…')}
        </button>
      </section>
      <section className="shared-choice">
        <h3>{t('Open it as a library of its own')}</h3>
        <p className="muted">{t('It is put into a new folder beside the file. The library that is open now stays as it is.')}</p>
        <label>
          <span>{t('Folder in which its videos lie, if not beside the file')}</span>
          <input value={search} spellCheck={false} autoComplete="off" onChange={({ target }) => setSearch(target.value)} />
        </label>
        <button disabled={busy} onClick={() => open.mutate()}>
          {t('Open it')}
        </button>
      </section>
      {busy && <Reading name={merge.isPending ? 'merge' : 'open'} />}
      {error && <ProblemCard problem={problemOf(error)} />}
    </>
  )
}

function Reading({ name }: { name: string }) {
  // Set by events while it is read.
  const { data: share = 0 } = useQuery({ queryKey: ['sharing', name], queryFn: () => 0, enabled: false })
  return (
    <div className="row import-reading">
      <progress className="grow" value={share} aria-label={t('Reading the file')} />
      <span className="num muted" role="status">
        {t('Reading… {{share}}', { share: percent(share) })}
      </span>
    </div>
  )
}

function countOf(kind: keyof Merge['taken'], count: number): string {
  switch (kind) {
    case 'caption':
      return t('{{count, number}} captions', { count })
    case 'answer':
      return t('{{count, number}} answers', { count })
    case 'track':
      return t('{{count, number}} tracks', { count })
    case 'note':
      return t('{{count, number}} notes', { count })
    case 'segment':
      return t('{{count, number}} captions of parts', { count })
    case 'text':
      return t('{{count, number}} texts on screen', { count })
  }
}

/** What it would bring, and what differs. */
function Found({ read }: { read: Merge }) {
  const { mergeId, by, madeAt, conflicts, differing, taken } = read
  const [verdicts, setVerdicts] = useState<ReadonlyMap<number, Verdict>>(new Map())
  const [rest, setRest] = useState<Verdict | null>(null)
  const open = useUi((ui) => ui.open)
  const take = useMutation({
    mutationFn: () =>
      call('takeMerge', {
        params: { mergeId },
        body: { verdicts: [...verdicts].map(([id, verdict]) => ({ id, verdict })), ...(rest !== null && { rest }) },
      }),
    onSuccess: ({ step, away }) => {
      useSharing.setState({ read: null })
      open(null)
      if (step === 0) toast.info(t('There was nothing new.'))
      else
        toast.success(t('Taken in. One undo takes all of it back.'), {
          ...(away.length > 0 && { description: t('Videos that are not here: {{names}}', { names: away.slice(0, 5).join(', ') }) }),
        })
    },
  })
  const decideAll = (verdict: Verdict) => {
    setRest(verdict)
    setVerdicts(new Map(conflicts.map((one) => [one.id, verdict === 'both' && !one.canBoth ? 'mine' : verdict])))
  }
  const undecided = differing - (rest === null ? verdicts.size : differing)
  const counts = (Object.keys(taken) as (keyof Merge['taken'])[]).flatMap((kind) => (taken[kind] > 0 ? [countOf(kind, taken[kind])] : []))
  const listed = (names: readonly string[]) => names.slice(0, 8).join(', ') + (names.length > 8 ? ', …' : '')
  const lines: [string, string][] = [
    ...(read.videos.length > 0 ? [[t('New videos'), listed(read.videos)] as [string, string]] : []),
    ...(read.clips > 0 ? [[t('New clips'), String(read.clips)] as [string, string]] : []),
    ...(counts.length > 0 ? [[t('Newer, or only theirs'), counts.join(', ')] as [string, string]] : []),
    ...(read.labels.length > 0 ? [[t('New labels'), listed(read.labels)] as [string, string]] : []),
    ...(read.columns.length > 0 ? [[t('New columns'), listed(read.columns)] as [string, string]] : []),
    ...(read.views.length > 0 ? [[t('New views'), listed(read.views)] as [string, string]] : []),
    ...(read.alike > 0 ? [[t('Decided alike'), String(read.alike)] as [string, string]] : []),
    ...(read.binned.length > 0 ? [[t('In the bin here, so left out'), listed(read.binned)] as [string, string]] : []),
  ]
  const isNothing = lines.every(([name]) => name === t('Decided alike') || name === t('In the bin here, so left out')) && differing === 0
  return (
    <>
      <p>
        {by === null
          ? t('Handed over on {{when}}.', { when: when(madeAt) })
          : t('Handed over by {{name}} on {{when}}.', { name: by, when: when(madeAt) })}
        {isNothing && ` ${t('There is nothing new in it.')}`}
      </p>
      {lines.length > 0 && (
        <dl className="shared-lines">
          {lines.map(([name, what]) => (
            <div key={name}>
              <dt className="muted">{name}</dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      )}
      {differing > 0 && (
        <Differences
          conflicts={conflicts}
          differing={differing}
          by={by}
          verdicts={verdicts}
          onDecide={(id, verdict) => setVerdicts((before) => new Map(before).set(id, verdict))}
          onDecideAll={decideAll}
        />
      )}
      {take.error && <ProblemCard problem={problemOf(take.error)} />}
      <div className="row export-foot">
        <span className="grow muted small" role="status">
          {undecided > 0 && t('{{count, number}} differences are to be decided', { count: undecided })}
        </span>
        <button className="large" onClick={() => open(null)}>
          {isNothing ? t('Close') : t('Cancel')}
        </button>
        {!isNothing && (
          <button className="primary large" disabled={undecided > 0 || take.isPending} onClick={() => take.mutate()}>
            {take.isPending ? t('Taking in…') : t('Take in')}
          </button>
        )}
      </div>
    </>
  )
}

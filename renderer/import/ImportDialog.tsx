import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { Import, ImportFault, Imported, ImportPart } from '../../app/contract/imports.ts'
import { problemOf } from '../../app/errors.ts'
import { call } from '../api.ts'
import { percent } from '../format.ts'
import { shown, t } from '../i18n.ts'
import { Dialog } from '../parts/Dialog.tsx'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { useSources } from '../cache.ts'
import { toast } from '../toast.ts'
import { useUi } from '../store.ts'
import { LookAt } from './LookAt.tsx'
import { putAway, useImport } from './store.ts'
import './import.css'

/** The video that a part is taken onto, and how the file counts. */
interface Choice {
  sourceId: number | null
  firstFrame: 0 | 1
  firstPixel: 0 | 1
}

export function ImportDialog() {
  const { read, reading } = useImport()
  const taken = useRef(false)
  useEffect(() => () => putAway(taken.current), [])
  return (
    <Dialog title={t('Import annotations')} wide>
      {read ? <Found read={read} onTaken={() => (taken.current = true)} /> : <Reading name={reading ?? ''} />}
    </Dialog>
  )
}

function Reading({ name }: { name: string }) {
  // Set by events while it is read.
  const { data: share = 0 } = useQuery({ queryKey: ['importing', name], queryFn: () => 0, enabled: false })
  return (
    <div className="row import-reading">
      <progress className="grow" value={share} aria-label={t('Reading the files')} />
      <span className="num muted" role="status">
        {t('Reading… {{share}}', { share: percent(share) })}
      </span>
    </div>
  )
}

function Found({ read, onTaken }: { read: Import; onTaken: () => void }) {
  const { importId, files, parts, faults } = read
  const [choices, setChoices] = useState(
    () => new Map(parts.map((part): [number, Choice] => [part.id, { sourceId: part.sourceId, ...part.counting }])),
  )
  const [lookedAt, lookAt] = useState(parts[0]?.id ?? null)
  const machines = parts.reduce((sum, { unreviewed }) => sum + unreviewed, 0)
  const all = parts.reduce((sum, { tracks, texts }) => sum + tracks + texts, 0)
  const unknown = parts.reduce((sum, part) => sum + part.unknown, 0)
  const [unreviewed, setUnreviewed] = useState(machines >= all)
  const open = useUi((ui) => ui.open)
  const chosen = parts.flatMap(({ id }) => {
    const { sourceId, ...counting } = choices.get(id) ?? { sourceId: null, firstFrame: 0, firstPixel: 0 }
    return sourceId === null ? [] : [{ part: id, sourceId, ...counting }]
  })
  const take = useMutation({
    mutationFn: () => call('takeImport', { params: { importId }, body: { parts: chosen, unreviewed } }),
    onSuccess: (result) => {
      onTaken()
      sayWhatCame(result)
      if (result.faults.total === 0) open(null)
    },
  })
  const choose = (id: number, change: Partial<Choice>) =>
    setChoices((before) => {
      const now = before.get(id) ?? { sourceId: null, firstFrame: 0, firstPixel: 0 }
      return new Map(before).set(id, { ...now, ...change })
    })
  const part = parts.find(({ id }) => id === lookedAt)
  const choice = part && choices.get(part.id)
  if (take.data)
    return (
      <>
        <p>{summaryOf(take.data)}</p>
        <Faults files={files} list={take.data.faults.list} total={take.data.faults.total} open />
        <div className="row export-foot">
          <span className="grow" />
          <button className="primary large" onClick={() => open(null)}>
            {t('Close')}
          </button>
        </div>
      </>
    )
  return (
    <>
      {files.map(({ path, problem }) => problem && <ProblemCard key={path} problem={problem} />)}
      {parts.length > 0 && (
        <div className="import-parts">
          <ul className="plain" aria-label={t('What is in the files')}>
            {parts.map((one) => (
              <Part
                key={one.id}
                part={one}
                file={files[one.file]?.name ?? ''}
                format={files[one.file]?.format ?? ''}
                choice={choices.get(one.id) ?? null}
                isLookedAt={one.id === lookedAt}
                onLook={() => lookAt(one.id)}
                onChoose={(change) => {
                  lookAt(one.id)
                  choose(one.id, change)
                }}
              />
            ))}
          </ul>
          {part && choice?.sourceId != null && <LookAt importId={importId} part={part} choice={{ ...choice, sourceId: choice.sourceId }} />}
        </div>
      )}
      <Faults files={files} list={faults.list} total={faults.total} />
      {machines > 0 && (
        <label className="row">
          <input type="checkbox" checked={unreviewed} onChange={({ target }) => setUnreviewed(target.checked)} />
          {t('Also what a machine made and nobody looked at: {{machines}} of {{all}}', { machines, all })}
        </label>
      )}
      {unknown > 0 && (
        <p className="import-doubt small">
          {t(
            'The file does not tell who made it ({{unknown}} of {{all}}): it counts as people’s work, imported from the file, and may be a machine’s.',
            { unknown, all },
          )}
        </p>
      )}
      {take.error && <ProblemCard problem={problemOf(take.error)} />}
      {parts.length > 0 && (
        <p className="muted small">
          {t(
            'What is imported counts as people’s work, with the name of its file. What is here already stays as it is. One undo takes all of it back.',
          )}
        </p>
      )}
      <div className="row export-foot">
        <span className="grow" />
        <button className="large" onClick={() => open(null)}>
          {parts.length > 0 ? t('Cancel') : t('Close')}
        </button>
        {parts.length > 0 && (
          <button className="primary large" disabled={chosen.length === 0 || take.isPending} onClick={() => take.mutate()}>
            {take.isPending ? t('Importing…') : t('Import')}
          </button>
        )}
      </div>
    </>
  )
}

/** A video that a file names: what is said of it, and which video of the library it is. */
function Part({
  part,
  file,
  format,
  choice,
  isLookedAt,
  onLook,
  onChoose,
}: {
  part: ImportPart
  file: string
  format: string
  choice: Choice | null
  isLookedAt: boolean
  onLook: () => void
  onChoose: (change: Partial<Choice>) => void
}) {
  const { data } = useSources()
  const { named, boxes, tracks, texts, rejected, labels, why, asks } = part
  const counts = [
    ...(tracks > 0 ? [t('{{count, number}} tracks', { count: tracks }), t('{{count, number}} boxes', { count: boxes })] : []),
    ...(texts > 0 ? [t('{{count, number}} texts', { count: texts })] : []),
    ...(rejected > 0 ? [t('{{rejected}} rejected there: left out', { rejected })] : []),
  ]
  const isProposed = choice?.sourceId === part.sourceId && part.sourceId !== null
  const title = named ?? file
  return (
    <li className="import-part" data-looked={isLookedAt} onFocus={onLook} onClick={onLook}>
      <p>
        <strong>{title}</strong>
        <span className="muted"> · {named === null ? format : `${format} · ${file}`}</span>
      </p>
      <p className="small">{counts.join(', ')}</p>
      {labels.length > 0 && (
        <p className="muted small">
          {labels.slice(0, 12).join(', ')}
          {labels.length > 12 && ', …'}
        </p>
      )}
      <label>
        <span>{t('Video')}</span>
        <select
          aria-label={t('Video of {{name}}', { name: title })}
          value={choice?.sourceId ?? ''}
          onChange={({ target }) => onChoose({ sourceId: target.value === '' ? null : Number(target.value) })}
        >
          <option value="">{t('– leave out –')}</option>
          {data?.sources.map(({ id, title: called, path }) => (
            <option key={id} value={id} title={path}>
              {called}
            </option>
          ))}
        </select>
      </label>
      {isProposed && why && (
        <p className="muted small">
          {part.fits ? t('Because: {{why}}', { why: shown(why) }) : t('A proposal: {{why}}', { why: shown(why) })}
        </p>
      )}
      {part.sourceId === null && choice?.sourceId === null && (
        <p className="import-doubt small">{t('No video here is called so, or several are: choose one.')}</p>
      )}
      {boxes > 0 && (
        <div className="import-counting">
          <label>
            <span>{t('The first frame is')}</span>
            <select value={choice?.firstFrame} onChange={({ target }) => onChoose({ firstFrame: target.value === '1' ? 1 : 0 })}>
              <option value={0}>0</option>
              <option value={1}>1</option>
            </select>
          </label>
          <label>
            <span>{t('The first pixel is')}</span>
            <select value={choice?.firstPixel} onChange={({ target }) => onChoose({ firstPixel: target.value === '1' ? 1 : 0 })}>
              <option value={0}>0</option>
              <option value={1}>1</option>
            </select>
          </label>
        </div>
      )}
      {asks.firstPixel && (
        <p className="import-doubt small">
          {t('MOT Challenge counts pixels from 1, CVAT and others that write its format from 0: compare on the picture.')}
        </p>
      )}
      {asks.firstFrame && (
        <p className="import-doubt small">{t('The file does not say which number its first frame has: compare on the picture.')}</p>
      )}
    </li>
  )
}

function Faults({
  files,
  list,
  total,
  open = false,
}: {
  files: Import['files']
  list: readonly ImportFault[]
  total: number
  open?: boolean
}) {
  if (total === 0) return null
  return (
    <details className="import-faults" open={open}>
      <summary>{t('{{count, number}} things cannot be imported', { count: total })}</summary>
      <ul className="plain small">
        {list.map(({ file, line, what }, at) => (
          <li key={at}>
            <span className="mono">{placeOf(files[file], line)}</span> {shown(what)}
          </li>
        ))}
        {total > list.length && <li className="muted">{t('… and {{more}} more', { more: total - list.length })}</li>}
      </ul>
    </details>
  )
}

function placeOf(file: Import['files'][number] | undefined, line: number | null): string {
  if (file === undefined) return ''
  if (line === null) return file.name
  return file.counts === 'lines'
    ? t('{{name}}, line {{line}}:', { name: file.name, line })
    : t('{{name}}, annotation {{line}}:', { name: file.name, line })
}

function summaryOf({ tracks, texts, there, beside }: Imported): string {
  return [
    ...(tracks > 0 ? [t('{{count, number}} tracks imported.', { count: tracks })] : []),
    ...(texts > 0 ? [t('{{count, number}} texts imported.', { count: texts })] : []),
    ...(tracks + texts === 0 ? [t('Nothing new was imported.')] : []),
    ...(there > 0 ? [t('{{there}} were here already.', { there })] : []),
    ...(beside > 0 ? [t('{{beside}} differ from what people said here: both are kept.', { beside })] : []),
  ].join(' ')
}

function sayWhatCame(result: Imported): void {
  if (useUi.getState().panel === 'import' && result.faults.total > 0) return
  const labels = result.labels.length > 0 ? { description: t('New labels: {{labels}}', { labels: result.labels.join(', ') }) } : {}
  if (result.step > 0) toast.success(summaryOf(result), { id: 'imported', ...labels })
  else toast.info(summaryOf(result), { id: 'imported' })
}

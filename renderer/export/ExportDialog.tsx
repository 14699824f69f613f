import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { toast } from 'sonner'
import { analysedToItsEnd } from '../../app/analysed.ts'
import { ExportFormat } from '../../app/contract/export.ts'
import { problemOf } from '../../app/errors.ts'
import { aboutFormat, holdsAnnotations } from '../../app/formats/holds.ts'
import { JOB_KINDS } from '../../app/job-kinds.ts'
import { call } from '../api.ts'
import { desktop } from '../desktop.ts'
import { percent } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { PathPicker } from '../parts/AddDialog.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { useLabels, useQueue, useSources } from '../cache.ts'
import { tell } from '../toast.ts'
import { useUi } from '../store.ts'
import { Exported } from './Exported.tsx'
import { Held } from './Held.tsx'
import { requestOf, stillOffered, useChoice, useOffered } from './scope.ts'
import { ScopeFields } from './ScopeFields.tsx'

const GROUPS = [
  { legend: phrase('Annotation files'), those: ExportFormat.options.filter(holdsAnnotations) },
  { legend: phrase('Pictures, videos and pages'), those: ExportFormat.options.filter((format) => !holdsAnnotations(format)) },
]

export function ExportDialog() {
  const choice = useChoice()
  const { formats, folder, change } = choice
  const [picking, setPicking] = useState(false)
  const [exportId, setExportId] = useState('')
  const { data: labels } = useLabels()
  const offered = useOffered()
  const request = (id: string) =>
    requestOf({ ...choice, clips: stillOffered(choice.clips, offered) }, id, labels?.labels.map(({ name }) => name) ?? [])
  const run = useMutation({
    mutationFn: () => {
      const id = crypto.randomUUID()
      setExportId(id)
      return call('export', { body: request(id) })
    },
    // The export continues if the dialog was closed meanwhile; then its end is announced.
    onSuccess: ({ files, directory }) => {
      if (useUi.getState().panel !== 'export')
        toast.success(t('Exported'), {
          description: t('{{count, number}} files, each read back after writing, in {{directory}}', { count: files.length, directory }),
          duration: 12_000,
        })
    },
    onError: (error) => {
      if (useUi.getState().panel !== 'export' && problemOf(error).code !== 'cancelled') tell(error)
    },
  })
  // Set by events while it runs.
  const { data: share = 0 } = useQuery({ queryKey: ['exporting', exportId], queryFn: () => 0, enabled: false })
  const toggle = (format: ExportFormat) =>
    change({ formats: formats.includes(format) ? formats.filter((other) => other !== format) : [...formats, format] })
  const choose = async () => {
    if (desktop === null) {
      setPicking(true)
      return
    }
    const [chosen] = (await desktop.openFolderDialog()) ?? []
    if (chosen !== undefined) change({ folder: chosen })
  }
  if (run.data) return <Exported result={run.data} onAgain={() => run.reset()} />
  return (
    <Dialog title={t('Export')} wide>
      {GROUPS.map(({ legend, those }) => (
        <fieldset key={legend} className="formats">
          <legend>{t(legend)}</legend>
          {those.map((format) => (
            <label key={format}>
              <input type="checkbox" checked={formats.includes(format)} onChange={() => toggle(format)} />
              <span>
                <strong>{t(aboutFormat(format).name)}</strong>
                <span className="muted">{t(aboutFormat(format).what)}</span>
              </span>
            </label>
          ))}
        </fieldset>
      ))}
      <ScopeFields offered={offered} request={request('cuts')} />
      {formats.some(holdsAnnotations) && <Held formats={formats.filter(holdsAnnotations)} request={request('counts')} />}
      <Missing />
      <fieldset>
        <legend>{t('Where')}</legend>
        <div className="row">
          <span className={folder === null ? 'grow' : 'mono grow'}>{folder ?? t('In the library’s own exports folder')}</span>
          <button onClick={() => void choose()}>{t('Choose folder…')}</button>
        </div>
        {picking && (
          <PathPicker
            action={t('Use this folder')}
            onChoose={(path) => {
              change({ folder: path })
              setPicking(false)
            }}
          />
        )}
      </fieldset>
      {run.error && problemOf(run.error).code !== 'cancelled' && <ProblemCard problem={problemOf(run.error)} />}
      <p className="muted small">
        {t(
          'A frames.csv with every frame’s PTS goes beside each. Rejected items stay out of all but JSONL; subtitles that the model is not sure of begin with (?). No file of other videos or another part is overwritten.',
        )}
      </p>
      <div className="row export-foot">
        {run.isPending ? (
          <>
            <progress className="grow" value={share} aria-label={t('Export')} />
            <span className="num muted" role="status">
              {t('Writing… {{share}}', { share: percent(share) })}
            </span>
            <button className="large" onClick={() => void call('cancelExport', { params: { exportId } }).catch(tell)}>
              {t('Cancel')}
            </button>
          </>
        ) : (
          <button className="primary large" disabled={formats.length === 0} onClick={() => run.mutate()}>
            {t('Export')}
          </button>
        )}
      </div>
    </Dialog>
  )
}

/** What the files will lack, shown before they are written. */
function Missing() {
  const { data: sources } = useSources()
  const { data: queue } = useQueue()
  // A video that was not probed has no frames to write about.
  const unread = sources?.sources.filter(({ probe }) => probe === null).length ?? 0
  const unfinished = sources?.sources.filter(({ probe, state }) => probe !== null && !analysedToItsEnd(state)) ?? []
  const adding = queue?.jobs.filter(({ kind, state }) => JOB_KINDS[kind].adds && (state === 'queued' || state === 'running')).length ?? 0
  if (unread + unfinished.length + adding === 0) return null
  return (
    <div className="note small" role="status">
      {unfinished.length > 0 && (
        <p>
          {t('{{count, number}} videos are left out, since their analysis is unfinished: {{names}}.', {
            count: unfinished.length,
            names: names(unfinished),
          })}
        </p>
      )}
      {unread > 0 && <p>{t('{{count, number}} videos have nothing to write: they were not read.', { count: unread })}</p>}
      {adding > 0 && <p>{t('{{count, number}} jobs still run or wait; what they find will not be in these files.', { count: adding })}</p>}
    </div>
  )
}

const NAMED = 3

function names(sources: readonly { name: string }[]): string {
  return [...sources.slice(0, NAMED).map(({ name }) => name), ...(sources.length > NAMED ? ['…'] : [])].join(', ')
}

import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { ExportFormat } from '../../app/contract/export.ts'
import { problemOf } from '../../app/errors.ts'
import { call, urlOf } from '../api.ts'
import { desktop } from '../desktop.ts'
import { bytes } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { useSources } from '../queries.ts'
import { useUi } from '../store.ts'
import { PathPicker } from './AddDialog.tsx'
import { Dialog } from './Dialog.tsx'
import { ProblemCard } from './ProblemCard.tsx'

const FORMATS: readonly { format: ExportFormat; name: string; what: string }[] = [
  { format: 'coco', name: 'COCO', what: phrase('Boxes and tracks of all videos in one JSON, with TAO’s track keys') },
  { format: 'cvat', name: 'CVAT video 1.1', what: phrase('Tracks as XML, to go on labelling in CVAT') },
  { format: 'vtt', name: 'WebVTT', what: phrase('Captions as subtitles for the web') },
  { format: 'srt', name: 'SRT', what: phrase('Captions as subtitles for players') },
  { format: 'csv', name: 'CSV', what: phrase('Boxes and spans as tables') },
  { format: 'jsonl', name: 'JSONL', what: phrase('Everything, with who decided what and where it came from') },
]

export function ExportDialog() {
  const sourceId = useUi((ui) => ui.sourceId)
  const { data: sources } = useSources()
  // What was not read has no frames to write anything about.
  const readable = sources?.sources.filter(({ probe }) => probe !== null) ?? []
  const unread = (sources?.sources.length ?? 0) - readable.length
  const current = readable.find(({ id }) => id === sourceId)
  const [formats, setFormats] = useState<readonly ExportFormat[]>(['coco', 'vtt', 'jsonl'])
  const [onlyCurrent, setOnlyCurrent] = useState(false)
  const [folder, setFolder] = useState<string | null>(null)
  const [picking, setPicking] = useState(false)
  const run = useMutation({
    mutationFn: () => call('export', { body: { formats: [...formats], ...(folder === null ? {} : { directory: folder }), ...(onlyCurrent && current ? { sourceIds: [current.id] } : {}) } }),
  })
  const toggle = (format: ExportFormat) => setFormats(formats.includes(format) ? formats.filter((other) => other !== format) : [...formats, format])
  const choose = async () => {
    if (desktop === null) {
      setPicking(true)
      return
    }
    const [chosen] = (await desktop.openFolderDialog()) ?? []
    if (chosen !== undefined) setFolder(chosen)
  }
  if (run.data) {
    const { directory, files, exportId } = run.data
    return (
      <Dialog title={t('Exported')} wide>
        <p>{t('{{count, number}} files, each read back after writing, in', { count: files.length })} <span className="mono">{directory}</span></p>
        <ul className="plain files">{files.map((file) => <li key={file.path}><span>{file.path.slice(directory.length + 1)}</span><span className="muted num">{bytes(file.bytes)}</span></li>)}</ul>
        <div className="row">
          <a className="button primary" href={urlOf('exportZip', { params: { exportId } })} download>{t('Download as zip')}</a>
          {desktop && <button onClick={() => desktop?.showInFolder(files[0]?.path ?? directory)}>{t('Show in folder')}</button>}
          <button onClick={() => run.reset()}>{t('Export again')}</button>
        </div>
      </Dialog>
    )
  }
  return (
    <Dialog title={t('Export')} wide>
      <fieldset className="formats">
        <legend>{t('Formats')}</legend>
        {FORMATS.map(({ format, name, what }) => (
          <label key={format}><input type="checkbox" checked={formats.includes(format)} onChange={() => toggle(format)} /><span><strong>{name}</strong><span className="muted">{t(what)}</span></span></label>
        ))}
      </fieldset>
      <fieldset>
        <legend>{t('Videos')}</legend>
        <label className="row"><input type="radio" name="scope" checked={!onlyCurrent} onChange={() => setOnlyCurrent(false)} />{t('All ({{count, number}})', { count: readable.length })}</label>
        <label className="row"><input type="radio" name="scope" checked={onlyCurrent} disabled={!current} onChange={() => setOnlyCurrent(true)} />{current ? t('Only {{name}}', { name: current.name }) : t('Only the chosen one')}</label>
        {unread > 0 && <p className="muted small">{t('{{count, number}} videos have nothing to write: they were not read.', { count: unread })}</p>}
      </fieldset>
      <fieldset>
        <legend>{t('Where')}</legend>
        <div className="row"><span className={folder === null ? 'grow' : 'mono grow'}>{folder ?? t('In the library’s own exports folder')}</span><button onClick={() => void choose()}>{t('Choose folder…')}</button></div>
        {picking && (
          <PathPicker action={t('Use this folder')} onChoose={(path) => {
            setFolder(path)
            setPicking(false)
          }} />
        )}
      </fieldset>
      {run.error && <ProblemCard problem={problemOf(run.error)} />}
      <div className="row">
        <span className="muted small grow">{t('A frames.csv with every frame’s PTS goes beside each. Rejected items stay out of all but JSONL; subtitles that the model is not sure of begin with (?).')}</span>
        <button className="primary large" disabled={formats.length === 0 || run.isPending} onClick={() => run.mutate()}>{run.isPending ? t('Writing…') : t('Export')}</button>
      </div>
    </Dialog>
  )
}

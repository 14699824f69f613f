import type { PageFormat } from '../../app/contract/export.ts'
import type { RouteOutput } from '../../app/contract.ts'
import { urlOf } from '../api.ts'
import { desktop } from '../desktop.ts'
import { bytes } from '../format.ts'
import { shown, t } from '../i18n.ts'
import { Dialog } from '../parts/Dialog.tsx'
import { printPage } from './print.ts'

function isPage(format: string): format is PageFormat {
  return format === 'report' || format === 'sheet'
}

function PrintButton({ exportId, format }: { exportId: string; format: PageFormat }) {
  return (
    <button className="small" onClick={() => void printPage(exportId, format)}>
      {desktop ? t('Save as PDF…') : t('Print, or save as PDF…')}
    </button>
  )
}

/** What was written, and what was not. */
export function Exported({
  result: { directory, files, exportId, leftOut, notes },
  onAgain,
}: {
  result: RouteOutput<'export'>
  onAgain: () => void
}) {
  return (
    <Dialog title={t('Exported')} wide>
      <p>
        {t('{{count, number}} files, each read back after writing, in', { count: files.length })} <span className="mono">{directory}</span>
      </p>
      {leftOut.length + notes.length > 0 && (
        <div className="note small">
          {leftOut.map(({ sourceId, name, state }) => (
            <p key={sourceId}>
              {state === 'failed'
                ? t('{{name}} is left out: it could not be analysed.', { name })
                : t('{{name}} is left out: its analysis is unfinished.', { name })}
            </p>
          ))}
          {notes.map((note) => (
            <p key={note.text}>{shown(note)}</p>
          ))}
        </div>
      )}
      <ul className="plain files">
        {files.map((file) => (
          <li key={file.path}>
            <span className="grow">{file.path.slice(directory.length + 1)}</span>
            <span className="muted small">
              {file.count !== undefined
                ? t('{{count, number}} files', { count: file.count })
                : file.reader === null
                  ? t('read back by Tubelet')
                  : t('read back by Tubelet and {{reader}}', { reader: file.reader })}
            </span>
            {isPage(file.format) && <PrintButton exportId={exportId} format={file.format} />}
            <span className="muted num">{bytes(file.bytes)}</span>
          </li>
        ))}
      </ul>
      <div className="row">
        <a className="button primary" href={urlOf('exportZip', { params: { exportId } })} download>
          {t('Download as zip')}
        </a>
        {desktop && <button onClick={() => desktop?.showInFolder(files[0]?.path ?? directory)}>{t('Show in folder')}</button>}
        <button onClick={onAgain}>{t('Export again')}</button>
      </div>
    </Dialog>
  )
}

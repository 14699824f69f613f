import { FileInput, FileOutput } from 'lucide-react'
import { useCallback, useState } from 'react'
import { t } from '../i18n.ts'
import { HandOver } from './HandOver.tsx'
import { lookAtFile } from './store.ts'

/** Hand the library over, or look at what somebody else handed over. */
export function Sharing() {
  const [giving, setGiving] = useState(false)
  const done = useCallback(() => setGiving(false), [])
  return (
    <>
      <p className="muted">
        {t('A library can be handed over as one file. Others open it, with or without the videos, and their work is taken in again later.')}
      </p>
      <div className="row">
        <button aria-expanded={giving} onClick={() => setGiving(!giving)}>
          <FileOutput size={15} aria-hidden />
          {t('Hand over…')}
        </button>
        <button onClick={() => lookAtFile(null)}>
          <FileInput size={15} aria-hidden />
          {t('Open or take in a file…')}
        </button>
      </div>
      {giving && <HandOver onDone={done} />}
    </>
  )
}

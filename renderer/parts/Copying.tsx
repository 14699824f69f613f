import type { Source } from '../../app/contract.ts'
import type { Preview } from '../../app/contract/review.ts'
import { call } from '../api.ts'
import { useQueue } from '../cache.ts'
import { percent } from '../format.ts'
import { t, told } from '../i18n.ts'
import { useUi } from '../store.ts'
import { tell } from '../toast.ts'
import { changePreview } from './preview.ts'

/** Shown while the preview copy waits or is being made, and where it was cancelled or could not be made. */
export function Copying({ source: { id, probe }, preview }: { source: Source; preview: Preview | undefined }) {
  const { data: queue } = useQueue()
  const goTo = useUi((ui) => ui.goTo)
  const codec = probe?.codec.toUpperCase() ?? ''
  if (preview?.state === 'cancelled' || preview?.state === 'failed') {
    return (
      <div className="cover" role="status">
        <p>
          {preview.problem
            ? told(preview.problem).message
            : t('A browser cannot play {{codec}} here without a preview copy. Analysis works all the same.', { codec })}
        </p>
        <div className="row">
          <button onClick={() => void changePreview('makePreview', id)}>
            {preview.problem ? t('Try again') : t('Make the preview copy')}
          </button>
        </div>
      </div>
    )
  }
  const { state = 'none', progress = 0 } = preview ?? {}
  return (
    <div className="cover" role="status">
      <p>
        {queue?.paused
          ? t('A browser cannot play {{codec}} here. Its preview copy waits, because the queue is paused.', { codec })
          : state === 'waiting'
            ? t('A browser cannot play {{codec}} here. Its preview copy waits for others.', { codec })
            : t('A browser cannot play {{codec}} here. Analysis works; a preview copy is being made…', { codec })}
      </p>
      <progress value={progress} aria-label={t('Preview copy')} />
      <div className="row">
        <span className="num">{percent(progress)}</span>
        {queue?.paused && <button onClick={() => void call('resumeQueue').catch(tell)}>{t('Resume')}</button>}
        <button onClick={() => void changePreview('cancelPreview', id)}>{t('Cancel')}</button>
        <button onClick={() => goTo('queue')}>{t('Show the queue')}</button>
      </div>
    </div>
  )
}

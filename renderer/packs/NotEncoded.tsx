import { FileDown } from 'lucide-react'
import { call } from '../api.ts'
import { about } from '../format.ts'
import { t } from '../i18n.ts'
import { useQueue } from '../cache.ts'
import { act, usePacks } from './queries.ts'

/**
 * What the pack in use has not encoded, with a button that starts it.
 * @param quiet Show nothing about work in progress.
 */
export function NotEncoded({ quiet = false }: { quiet?: boolean }) {
  const missing = usePacks().data?.missing
  const { data: queue } = useQueue()
  const working = (queue?.running ?? 0) + (queue?.waiting ?? 0) > 0
  if (missing === undefined || missing.clips === 0 || (quiet && working)) return null
  return (
    <p className="note row" role="status">
      <span className="grow">
        {working
          ? t('{{count}} clips are still to be encoded with the pack in use; this goes on in the background.', { count: missing.clips })
          : t('{{count}} clips are not encoded with the pack in use, so they cannot be searched or asked.', { count: missing.clips })}
      </span>
      {!working && (
        <button onClick={() => void act(call('encodeMissing'))}>
          <FileDown size={15} aria-hidden />
          {missing.estimate ? t('Encode them now ({{time}})', { time: about(missing.estimate.seconds) }) : t('Encode them now')}
        </button>
      )}
    </p>
  )
}

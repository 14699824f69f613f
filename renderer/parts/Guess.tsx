import { useMutation } from '@tanstack/react-query'
import { CircleHelp } from 'lucide-react'
import { problemOf } from '../../app/errors.ts'
import { call } from '../api.ts'
import { t } from '../i18n.ts'
import { usePackOf } from '../cache.ts'
import { ProblemCard } from './ProblemCard.tsx'

/**
 * What a pack says about a clip although nothing shows that it knows such footage: shown on request, as a guess, and never stored.
 * @param question Null for the caption.
 */
export function Guess({ clipId, question }: { clipId: number; question: string | null }) {
  const pack = usePackOf(question === null ? 'caption' : 'answer')?.manifest
  const { mutate, data, error, isPending } = useMutation({
    mutationFn: () => call('guessClip', { params: { clipId }, body: { question } }),
  })
  if (!pack) return null
  return (
    <div className="guessing" role="status">
      {data ? (
        <p className="guessed">
          <span className="chip">{t('a guess')}</span> <q>{data.text === '' ? t('(nothing)') : data.text}</q>
          <span className="muted small">
            {t('“{{pack}}” was taught nothing like this clip. This is kept nowhere; teach it with your own corrections.', {
              pack: data.pack,
            })}
          </span>
        </p>
      ) : (
        <button className="quiet small" disabled={isPending} onClick={() => mutate()}>
          <CircleHelp size={14} aria-hidden />
          {isPending ? t('Guessing…') : t('What {{pack}} guesses', { pack: pack.name })}
        </button>
      )}
      {error && <ProblemCard problem={problemOf(error)} />}
    </div>
  )
}

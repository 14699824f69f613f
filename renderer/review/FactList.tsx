import type { ReactNode } from 'react'
import type { ClipFact } from '../../app/contract/clip.ts'
import { percent } from '../format.ts'
import { t, useLanguage } from '../i18n.ts'
import { showFrame } from '../player.ts'
import { useFrames } from '../cache.ts'
import { useUi } from '../store.ts'

/** No measurement is certain. */
export const MOST_SURE = 0.99

/** A statement with its time spans kept from breaking across lines. */
function whole(text: string): ReactNode[] {
  return text.split(/((?:\d+:)+\d+(?:[.,]\d+)?–(?:\d+:)+\d+(?:[.,]\d+)?)/).map((part, at) =>
    at % 2 === 1 ? (
      <span key={at} className="unbroken">
        {part}
      </span>
    ) : (
      part
    ),
  )
}

/**
 * The facts from which a caption is made; each leads to a frame that shows it.
 * @param caption Facts that say just this are not listed.
 */
export function FactList({ facts, caption }: { facts: readonly ClipFact[]; caption: string | undefined }) {
  const language = useLanguage((now) => now.language)
  const { data: frames } = useFrames(useUi((ui) => ui.sourceId))
  if (facts.every(({ text }) => text[language] === caption)) return null
  return (
    <details className="fact-list" open>
      <summary className="muted small">
        {t('What was seen')} <span className="num">{facts.length}</span>
      </summary>
      <ul className="plain" aria-label={t('What was seen')}>
        {facts.map(({ text, ordinals: [first], reliability, people }) => (
          <li key={text.en}>
            <button
              className="quiet small"
              title={t('Go there')}
              disabled={first === undefined || !frames}
              onClick={() => frames && first !== undefined && showFrame(frames, first)}
            >
              {whole(text[language])}
            </button>
            {people ? (
              <span className="muted small" title={t('Drawn, named or accepted by a person')}>
                {t('by a person')}
              </span>
            ) : (
              <span className="muted num small" title={t('How often such a statement is right')}>
                {percent(Math.min(MOST_SURE, reliability))}
              </span>
            )}
          </li>
        ))}
      </ul>
    </details>
  )
}

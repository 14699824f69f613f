import { EyeOff } from 'lucide-react'
import { namesOf } from '../../app/naming.ts'
import { classesOf, nearestWords, nounOf } from '../../app/words.ts'
import { t, useLanguage } from '../i18n.ts'
import { usePackOf } from '../cache.ts'

/** Warns if the boxes pack cannot detect anything with this name. Counting such things would always give 0. */
export function useSees(): (phrases: readonly string[]) => boolean {
  const pack = usePackOf('boxes')?.manifest
  return (phrases) =>
    pack?.family !== 'detector' || phrases.every((phrase) => phrase.trim() === '') || namesOf(phrases, pack.classes).length > 0
}

/**
 * Of names as typed, or of a label: which of them the detector cannot find and what comes nearest, and which it cannot tell from others.
 */
export function CannotSee({ phrases }: { phrases: readonly string[] }) {
  const pack = usePackOf('boxes')?.manifest
  const language = useLanguage((now) => now.language)
  if (pack?.family !== 'detector') return null
  const called = (names: readonly string[]) => names.map((name) => nounOf(name, language).one).join(', ')
  return phrases
    .map((phrase) => phrase.trim())
    .filter((phrase) => phrase !== '')
    .map((phrase) => {
      const meaning = classesOf(phrase, pack.classes)
      const values = { pack: pack.name, word: phrase }
      if (meaning === null) {
        const near = nearestWords(phrase, pack.classes)
        return (
          <p key={phrase} className="cannot-see small" role="note">
            <EyeOff size={14} aria-hidden />
            <span>
              {near.length > 0
                ? t('“{{pack}}” cannot see “{{word}}”. Nearest that it can: {{near}}.', { ...values, near: called(near) })
                : t('“{{pack}}” cannot see “{{word}}”, and knows nothing like it.', values)}
            </span>
          </p>
        )
      }
      if (meaning.wider)
        return (
          <p key={phrase} className="muted small" role="note">
            {t('“{{word}}” finds: {{names}}. It cannot be told from others of the kind.', { ...values, names: called(meaning.classes) })}
          </p>
        )
      return null
    })
}

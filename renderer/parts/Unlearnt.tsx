import type { Task } from '../../app/pack/base.ts'
import { unlearnt } from '../../app/pack/mammut.ts'
import { t } from '../i18n.ts'
import { usePackOf } from '../cache.ts'

/** Lists the words of a text that the pack of a task never learnt; nothing if it knows all of them or does not say. */
export function Unlearnt({ task, text }: { task: Task; text: string }) {
  const pack = usePackOf(task)?.manifest
  const words = pack?.family === 'mammut' ? unlearnt(pack, text) : []
  if (words.length === 0) return null
  return (
    <p className="guess small">
      {t('The model never learnt the words {{words}}: what it makes of them is a guess.', {
        count: words.length,
        words: words.map((word) => `“${word}”`).join(', '),
      })}
    </p>
  )
}

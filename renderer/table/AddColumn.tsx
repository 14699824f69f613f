import { Hash, MessageCircleQuestion, ToggleLeft } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import type { Column, ColumnKind } from '../../app/contract/table.ts'
import { looksYesNo, wantsWords } from '../../app/table/question.ts'
import { call } from '../api.ts'
import { phrase, t } from '../i18n.ts'
import { CannotSee } from '../labels/CannotSee.tsx'
import { useVocabulary } from '../labels/vocabulary.ts'
import { queryClient } from '../cache.ts'
import { tell } from '../toast.ts'
import { inOrder } from '../undo.ts'
import { Popover } from './Popover.tsx'

const KINDS: Record<ColumnKind, { name: string; Icon: typeof Hash; example: string; label: string }> = {
  question: {
    name: phrase('Question'),
    Icon: MessageCircleQuestion,
    example: phrase('What colour is the car?'),
    label: phrase('What do you want to know of every clip?'),
  },
  yesno: {
    name: phrase('Yes or no'),
    Icon: ToggleLeft,
    example: phrase('Is there a person?'),
    label: phrase('What do you want to know of every clip?'),
  },
  count: { name: phrase('Count'), Icon: Hash, example: phrase('person'), label: phrase('What should be counted in every clip?') },
}

/** A new column: the question, how it is answered, and for which clips. */
export function AddColumn({
  at,
  chosen,
  onClose,
  onAdded,
}: {
  at: DOMRect /** Given if more than one row is selected. */
  chosen: { view: string; from: number; to: number } | null
  onClose: () => void
  onAdded: (column: Column) => void
}) {
  const [text, setText] = useState('')
  const [picked, setPicked] = useState<ColumnKind | null>(null)
  const [some, setSome] = useState(false)
  const vocabulary = useVocabulary()
  // Proposed from the first word until a person chooses.
  const kind = picked ?? (looksYesNo(text) ? 'yesno' : 'question')
  const useless = kind === 'yesno' && wantsWords(text)
  const { example, label } = KINDS[kind]
  const add = async (event: SubmitEvent) => {
    event.preventDefault()
    onClose()
    try {
      const rows = some && chosen !== null && kind !== 'count' ? { rows: chosen } : {}
      const column = await inOrder(() => call('addColumn', { body: { kind, text: text.trim(), ...rows } }))
      await queryClient.invalidateQueries({ queryKey: ['table'] })
      onAdded(column)
    } catch (error) {
      tell(error)
    }
  }
  return (
    <Popover at={at} label={t('Add column')} onClose={onClose}>
      <form className="add-column" onSubmit={(event) => void add(event)}>
        <label>
          <span>{t(label)}</span>
          <input
            autoFocus
            value={text}
            maxLength={kind === 'count' ? 60 : 300}
            placeholder={t(example)}
            list={kind === 'count' ? 'table-labels' : undefined}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        {kind === 'count' && (
          <datalist id="table-labels">
            {vocabulary.map(({ name }) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        )}
        {kind === 'count' && <CannotSee phrases={[text]} />}
        <fieldset className="kinds">
          <legend className="visually-hidden">{t('Kind of column')}</legend>
          {(Object.keys(KINDS) as ColumnKind[]).map((name) => {
            const { Icon, name: title } = KINDS[name]
            return (
              <label key={name}>
                <input type="radio" name="kind" checked={kind === name} onChange={() => setPicked(name)} />
                <Icon size={16} aria-hidden />
                {t(title)}
              </label>
            )
          })}
        </fieldset>
        {chosen !== null && kind !== 'count' && (
          <label className="row">
            <input type="checkbox" checked={some} onChange={(event) => setSome(event.target.checked)} />
            {t('Only the {{count}} chosen rows', { count: chosen.to - chosen.from })}
          </label>
        )}
        <p className="muted small">
          {useless
            ? t('Neither yes nor no answers this: add it as a question.')
            : kind === 'count'
              ? t('The most that are seen at once: boxes of this label that reach its threshold and that nobody rejected.')
              : some
                ? t('The rest can be filled later.')
                : t('Answered from what is stored: no video is read again. Clips that come later are asked too.')}
        </p>
        <button className="primary" disabled={text.trim() === '' || useless}>
          {t('Add column')}
        </button>
      </form>
    </Popover>
  )
}

import { Columns2, Merge, Trash2, X } from 'lucide-react'
import { type KeyboardEvent, useRef, useState } from 'react'
import { type Label, labelNamed, PALETTE, phrasesOf } from '../../app/vocabulary.ts'
import { t } from '../i18n.ts'
import { doubts } from '../packs/describe.ts'
import { Unlearnt } from '../parts/Unlearnt.tsx'
import { usePackOf } from '../cache.ts'
import { CannotSee, useSees } from './CannotSee.tsx'
import { Compare } from './Compare.tsx'
import { useDraft } from './draft.ts'
import { Preview } from './Preview.tsx'
import { Threshold } from './Threshold.tsx'
import { Removal } from './Removal.tsx'
import { renameLabel, saveVocabulary } from './vocabulary.ts'

interface Props {
  label: Label
  vocabulary: readonly Label[]
}

/** One label: its names and colour, its threshold, and clips that show the effect. */
export function LabelDetail({ label, vocabulary }: Props) {
  const sees = useSees()
  return (
    <>
      <header className="label-head">
        <Colour label={label} vocabulary={vocabulary} />
        <Name label={label} vocabulary={vocabulary} />
        <span className="grow" />
        <MergeInto label={label} vocabulary={vocabulary} />
        <Remove label={label} />
      </header>
      <section className="also" title={t('The name that fits a box best counts.')}>
        <h3 className="muted">{t('Also called')}</h3>
        <Synonyms label={label} vocabulary={vocabulary} />
        <CannotSee phrases={phrasesOf(label)} />
        <Unlearnt task="boxes" text={phrasesOf(label).join(' ')} />
      </section>
      {sees(phrasesOf(label)) ? (
        <Found label={label} vocabulary={vocabulary} />
      ) : (
        <p className="card muted">
          {t(
            'It is not looked for. Draw it by hand, call it by a word that the pack knows, or bring a pack that looks for any words (Packs page).',
          )}
        </p>
      )}
    </>
  )
}

/** The threshold from which tracks count, and what is found with it. */
function Found({ label, vocabulary }: Props) {
  const [comparing, setComparing] = useState(false)
  const pack = usePackOf('boxes')?.manifest
  const doubt = pack ? doubts(pack) : null
  return (
    <>
      <section className="card" aria-label={t('How sure it must be')}>
        <h3>{t('How sure it must be')}</h3>
        {doubt !== null && <p className="guess small">{doubt}</p>}
        <Threshold label={label} />
      </section>
      <section className="card" aria-label={comparing ? t('Side by side') : t('What that means')}>
        <div className="row">
          <h3>{comparing ? t('Side by side') : t('What that means')}</h3>
          <span className="grow" />
          <button className="quiet small" aria-pressed={comparing} onClick={() => setComparing(!comparing)}>
            <Columns2 size={14} aria-hidden />
            {t('Compare two thresholds or packs')}
          </button>
        </div>
        {comparing ? <Compare label={label} vocabulary={vocabulary} /> : <Preview label={label} vocabulary={vocabulary} />}
      </section>
    </>
  )
}

/** The vocabulary with one label changed. */
function withLabel(vocabulary: readonly Label[], name: string, change: Partial<Label>): Label[] {
  return vocabulary.map((label) => (label.name === name ? { ...label, ...change } : label))
}

function Colour({ label, vocabulary }: Props) {
  const [open, setOpen] = useState(false)
  const set = (colour: string) =>
    void saveVocabulary(withLabel(vocabulary, label.name, { colour }), t('Colour of {{label}} changed', { label: label.name }))
  return (
    <div className="colour" onKeyDown={({ key }) => key === 'Escape' && setOpen(false)}>
      <button
        className="big-swatch"
        style={{ background: label.colour }}
        aria-label={t('Colour of {{label}}', { label: label.name })}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      />
      {open && (
        <div className="palette" role="group" aria-label={t('Colours')}>
          {PALETTE.map((colour) => (
            <button
              key={colour}
              style={{ background: colour }}
              aria-label={colour}
              aria-pressed={colour === label.colour}
              onClick={() => {
                setOpen(false)
                set(colour)
              }}
            />
          ))}
          <label className="row small">
            {t('Other')}
            <input type="color" defaultValue={label.colour} onBlur={({ target }) => target.value !== label.colour && set(target.value)} />
          </label>
        </div>
      )}
    </div>
  )
}

function Name({ label, vocabulary }: Props) {
  const select = useDraft((draft) => draft.select)
  const rename = async (input: HTMLInputElement) => {
    const to = input.value.trim()
    if (to === '' || to === label.name) {
      input.value = label.name
      return
    }
    const into = labelNamed(vocabulary, to)
    select(into && into.name !== label.name ? into.name : to)
    await renameLabel(label.name, to, t('{{from}} is now {{to}}', { from: label.name, to }))
  }
  return (
    <input
      className="label-name"
      aria-label={t('Name')}
      defaultValue={label.name}
      maxLength={60}
      size={Math.max(6, label.name.length)}
      onBlur={({ target }) => void rename(target)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.currentTarget.blur()
        if (event.key !== 'Escape') return
        event.currentTarget.value = label.name
        event.currentTarget.blur()
      }}
    />
  )
}

function MergeInto({ label, vocabulary }: Props) {
  const select = useDraft((draft) => draft.select)
  const others = vocabulary.filter(({ name }) => name !== label.name)
  if (others.length === 0) return null
  const merge = (to: string) => {
    select(to)
    void renameLabel(label.name, to, t('{{from}} merged into {{to}}', { from: label.name, to }))
  }
  return (
    <label className="row merge" title={t('Its names become synonyms there, and its boxes get that label')}>
      <Merge size={14} aria-hidden />
      <select aria-label={t('Merge into another label')} value="" onChange={({ target }) => merge(target.value)}>
        <option value="" disabled>
          {t('Merge into…')}
        </option>
        {others.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

function Remove({ label }: { label: Label }) {
  const [asking, setAsking] = useState(false)
  if (asking) return <Removal name={label.name} onDone={() => setAsking(false)} />
  return (
    <button
      className="icon"
      aria-label={t('Remove {{label}}', { label: label.name })}
      title={t('Remove from the vocabulary')}
      onClick={() => setAsking(true)}
    >
      <Trash2 size={15} />
    </button>
  )
}

function Synonyms({ label, vocabulary }: Props) {
  const [text, setText] = useState('')
  const set = (synonyms: string[]) =>
    saveVocabulary(withLabel(vocabulary, label.name, { synonyms }), t('Synonyms of {{label}} changed', { label: label.name }))
  // Enter and leaving the field may come one after the other.
  const adding = useRef('')
  const add = async () => {
    if (adding.current === text) return
    adding.current = text
    const more = text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '')
    if (more.length === 0 || (await set([...label.synonyms, ...more]))) setText((now) => (now === text ? '' : now))
    adding.current = ''
  }
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Backspace' && text === '' && label.synonyms.length > 0) void set(label.synonyms.slice(0, -1))
  }
  return (
    <form
      className="synonyms chips"
      onSubmit={(event) => {
        event.preventDefault()
        void add()
      }}
    >
      {label.synonyms.map((synonym) => (
        <span key={synonym} className="chip">
          {synonym}
          <button
            type="button"
            className="icon"
            aria-label={t('Remove synonym {{synonym}}', { synonym })}
            onClick={() => void set(label.synonyms.filter((other) => other !== synonym))}
          >
            <X size={12} />
          </button>
        </span>
      ))}
      <input
        aria-label={t('Add a synonym')}
        placeholder={t('Add a synonym…')}
        value={text}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={key}
        // As the name, it is kept where the field is left.
        onBlur={() => void add()}
      />
    </form>
  )
}

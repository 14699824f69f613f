import { SlidersHorizontal, X } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import { withNames } from '../../app/vocabulary.ts'
import { t } from '../i18n.ts'
import { CannotSee, useSees } from '../labels/CannotSee.tsx'
import { useDraft } from '../labels/draft.ts'
import { Removal } from '../labels/Removal.tsx'
import { saveVocabulary, useVocabulary } from '../labels/vocabulary.ts'
import { useLabelCounts, usePackOf } from '../cache.ts'
import { useUi } from '../store.ts'

/** What is detected, in any words; changes are applied to the stored encodings. */
export function LabelEditor() {
  const vocabulary = useVocabulary()
  const pack = usePackOf('boxes')
  const [text, setText] = useState('')
  const [removing, setRemoving] = useState<string | null>(null)
  const { select } = useDraft.getState()
  const { goTo } = useUi.getState()
  const add = async (event: SubmitEvent) => {
    event.preventDefault()
    const grown = withNames(vocabulary, text.split(','))
    if (grown.length === vocabulary.length || (await saveVocabulary(grown))) setText((now) => (now === text ? '' : now))
  }
  const count = useLabelCounts()
  const sees = useSees()
  if (pack === null) {
    return (
      <section>
        <h3>{t('Labels to find')}</h3>
        <p className="muted">{t('No pack finds boxes in this library: see Packs.')}</p>
      </section>
    )
  }
  return (
    <section>
      <div className="row">
        <h3>{t('Labels to find')}</h3>
        <span className="grow" />
        {vocabulary.length > 0 && (
          <button
            className="icon"
            aria-label={t('Thresholds, colours, synonyms')}
            title={t('Thresholds, colours, synonyms')}
            onClick={() => goTo('labels')}
          >
            <SlidersHorizontal size={14} />
          </button>
        )}
      </div>
      <ul className="chips" aria-label={t('Labels')}>
        {vocabulary.map(({ name, colour, synonyms }) => {
          const blind = count(name) === 0 && !sees([name, ...synonyms])
          return (
            <li
              key={name}
              className="chip"
              data-blind={blind}
              title={blind ? t('cannot see') : t('found in {{count}} clips', { count: count(name) })}
            >
              <span className="swatch" style={{ background: colour }} aria-hidden />
              <button
                className="quiet small"
                title={t('Details of {{label}}', { label: name })}
                onClick={() => {
                  select(name)
                  goTo('labels')
                }}
              >
                {name} <span className="muted num">{blind ? t('cannot see') : count(name)}</span>
              </button>
              <button className="icon" aria-label={t('Remove label {{label}}', { label: name })} onClick={() => setRemoving(name)}>
                <X size={12} />
              </button>
            </li>
          )
        })}
      </ul>
      {removing !== null && <Removal key={removing} name={removing} onDone={() => setRemoving(null)} />}
      <form className="ask" onSubmit={(event) => void add(event)}>
        <input
          aria-label={t('Add a label')}
          placeholder={t('person, red car…')}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </form>
      <CannotSee phrases={text.split(',')} />
      <p className="muted small">
        {pack?.manifest.family === 'detector'
          ? t('{{pack}} sees {{count}} kinds of things, in English and German words. No video is read again.', {
              pack: pack.manifest.name,
              count: pack.manifest.classes.length,
            })
          : t('Any words. New labels are looked for in what is already encoded: no video is read again.')}
      </p>
    </section>
  )
}

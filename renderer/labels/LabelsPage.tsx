import { Download, FileUp, Plus, Tags } from 'lucide-react'
import { type ChangeEvent, type SubmitEvent, useRef, useState } from 'react'
import { labelText } from '../../app/review.ts'
import { type Label, labelNamed, phrasesOf, readVocabulary, withNames, writeVocabulary } from '../../app/vocabulary.ts'
import { download } from '../download.ts'
import { t } from '../i18n.ts'
import { NotEncoded } from '../packs/NotEncoded.tsx'
import { Panels } from '../parts/Panels.tsx'
import { useLabelCounts, useLabels, useQueue, usePackOf } from '../cache.ts'
import { toast } from '../toast.ts'
import { CannotSee, useSees } from './CannotSee.tsx'
import { drafted, moved, scoreShown, useDraft } from './draft.ts'
import { LabelDetail } from './LabelDetail.tsx'
import { saveVocabulary, useSuggestions, useVocabulary } from './vocabulary.ts'
import './labels.css'

/** The vocabulary at the left; at the right one label with its threshold and what it finds. */
export function LabelsPage() {
  const vocabulary = useVocabulary()
  const selected = useDraft((draft) => draft.selected)
  const label = labelNamed(vocabulary, selected ?? '') ?? vocabulary[0]
  return (
    <Panels
      id="labels"
      className="labels-page"
      parts={[
        {
          id: 'vocabulary',
          name: t('Vocabulary'),
          size: '22vw',
          least: '220px',
          most: '45%',
          content: (
            <nav className="side" aria-label={t('Vocabulary')}>
              <Vocabulary vocabulary={vocabulary} current={label?.name} />
            </nav>
          ),
        },
        {
          id: 'label',
          least: '420px',
          content: (
            <main id="page" tabIndex={-1} className="label-detail">
              <Unsaved vocabulary={vocabulary} />
              <NotEncoded quiet />
              {label ? <LabelDetail key={label.name} label={label} vocabulary={vocabulary} /> : <NoLabels />}
            </main>
          ),
        },
      ]}
    />
  )
}

function NoLabels() {
  return (
    <div className="no-labels">
      <Tags size={40} strokeWidth={1.25} aria-hidden />
      <h2>{t('Name what you want to find')}</h2>
      <NoLabelsHint />
    </div>
  )
}

/** Which kinds of names can be used. */
function NoLabelsHint() {
  const pack = usePackOf('boxes')?.manifest
  if (pack?.family === 'detector')
    return (
      <p className="muted">
        {t(
          '{{pack}} sees {{count}} kinds of things, in English and German words: person, car, dog, Fahrrad… What nobody names is shown too, with a question mark where it is not sure.',
          { pack: pack.name, count: pack.classes.length },
        )}
      </p>
    )
  return (
    <p className="muted">
      {t(
        'Any words: “person”, “red car”, “open door”. Each is looked for in every clip, in what is already encoded: no video is read again.',
      )}
    </p>
  )
}

function Vocabulary({ vocabulary, current }: { vocabulary: readonly Label[]; current: string | undefined }) {
  const [text, setText] = useState('')
  const count = useLabelCounts()
  const { data } = useLabels()
  const pack = usePackOf('boxes')
  const sees = useSees()
  const select = useDraft((draft) => draft.select)
  const thresholds = useDraft((draft) => draft.thresholds)
  const add = async (names: readonly string[]): Promise<boolean> => {
    const grown = withNames(vocabulary, names)
    const first = grown[vocabulary.length]
    if (!first) return true
    const added = await saveVocabulary(
      grown,
      t('{{label}} added', {
        label: grown
          .slice(vocabulary.length)
          .map(({ name }) => name)
          .join(', '),
      }),
    )
    if (added) select(first.name)
    return added
  }
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (await add(text.split(','))) setText((now) => (now === text ? '' : now))
  }
  return (
    <div className="vocabulary">
      <header>
        <h2>{t('Labels')}</h2>
        <Files vocabulary={vocabulary} />
      </header>
      <form className="ask" onSubmit={(event) => void submit(event)}>
        <input
          aria-label={t('Add labels')}
          placeholder={t('person, red car…')}
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        <button className="icon" aria-label={t('Add')} disabled={text.trim() === ''}>
          <Plus size={16} />
        </button>
      </form>
      <CannotSee phrases={text.split(',')} />
      {pack === null && (
        <p className="note small" role="note">
          {t('No pack finds boxes in this library, so nothing is looked for. What was found and what you draw stays.')}
        </p>
      )}
      {(data?.stale ?? 0) > 0 && <Looking stale={data?.stale ?? 0} />}
      <ul className="label-list" aria-label={t('Labels')}>
        {drafted(vocabulary, thresholds).map((label) => {
          const found = count(label.name)
          const blind = found === 0 && !sees(phrasesOf(label))
          return (
            <li key={label.name}>
              <button className="label-row" aria-current={label.name === current} onClick={() => select(label.name)}>
                <span className="swatch" style={{ background: label.colour }} aria-hidden />
                <span className="text">
                  <strong>{label.name}</strong>
                  {label.synonyms.length > 0 && <span className="muted">{label.synonyms.join(', ')}</span>}
                </span>
                <span className="muted num small" title={t('Threshold')}>
                  ≥ {scoreShown(label.threshold)}
                </span>
                {blind ? (
                  <span className="chip blind">{t('cannot see')}</span>
                ) : (
                  <span className="chip num" title={t('Clips in which it is found')}>
                    {found}
                  </span>
                )}
              </button>
            </li>
          )
        })}
      </ul>
      <Suggestions onAdd={(word) => void add([word])} />
    </div>
  )
}

/** Shown while clips are searched for new words. */
function Looking({ stale }: { stale: number }) {
  const { data: queue } = useQueue()
  const job = queue?.jobs.find(({ kind, state }) => kind === 'detect' && state === 'running')
  return (
    <p className="looking-for small" role="status">
      {t('Looking in {{count}} clips…', { count: stale })}
      {job && <progress value={job.progress} max={1} aria-label={t('Detection')} />}
    </p>
  )
}

function Suggestions({ onAdd }: { onAdd: (word: string) => void }) {
  const { data } = useSuggestions()
  if (!data || data.words.length === 0) return null
  return (
    <section className="suggestions" aria-label={t('Seen in clips')}>
      <h3>{t('Seen in clips')}</h3>
      <div className="chips">
        {data.words.slice(0, 12).map(({ word, clips, unsure }) => (
          <button
            key={word}
            className="chip suggestion"
            title={unsure ? t('Perhaps in {{count}} clips: none is sure', { count: clips }) : t('In {{count}} clips', { count: clips })}
            onClick={() => onAdd(word)}
          >
            <Plus size={11} aria-hidden />
            {labelText(word, unsure)} <span className="muted num">{clips}</span>
          </button>
        ))}
      </div>
    </section>
  )
}

/** Export and import of the vocabulary as a file. */
function Files({ vocabulary }: { vocabulary: readonly Label[] }) {
  const picker = useRef<HTMLInputElement>(null)
  const read = async ({ target }: ChangeEvent<HTMLInputElement>) => {
    const [file] = target.files ?? []
    target.value = ''
    if (!file) return
    try {
      const labels = readVocabulary(await file.text())
      if (labels.length === 0) throw new SyntaxError(t('There is no label in it.'))
      // The file decides about the labels it names; other labels stay.
      const others = vocabulary.filter(({ name }) => !labelNamed(labels, name))
      await saveVocabulary([...others, ...labels], t('{{count}} labels from {{file}}', { count: labels.length, file: file.name }))
    } catch (error) {
      toast.error(t('The file could not be read as a vocabulary.'), {
        description: `${file.name} · ${error instanceof Error ? error.message : ''}`,
        duration: 12_000,
      })
    }
  }
  return (
    <span className="row tight">
      <input
        ref={picker}
        type="file"
        accept=".csv,.txt,text/csv,text/plain"
        hidden
        onChange={(event) => void read(event)}
        aria-label={t('Vocabulary file')}
      />
      <button
        className="icon"
        aria-label={t('Import a vocabulary')}
        title={t('Import: one label a line, with colour, threshold and synonyms in any order after it')}
        onClick={() => picker.current?.click()}
      >
        <FileUp size={15} />
      </button>
      <button
        className="icon"
        aria-label={t('Export the vocabulary')}
        title={t('Export as CSV')}
        disabled={vocabulary.length === 0}
        onClick={() => download('labels.csv', new Blob([writeVocabulary(vocabulary)], { type: 'text/csv' }))}
      >
        <Download size={15} />
      </button>
    </span>
  )
}

/** Dragged thresholds, until they are saved or discarded. */
function Unsaved({ vocabulary }: { vocabulary: readonly Label[] }) {
  const thresholds = useDraft((draft) => draft.thresholds)
  const clear = useDraft((draft) => draft.clear)
  const changed = moved(vocabulary, thresholds)
  if (changed.length === 0) return null
  const said = changed
    .map(({ name, threshold }) => `${name} ${scoreShown(threshold)} → ${scoreShown(thresholds[name] ?? threshold)}`)
    .join(', ')
  const save = () => saveVocabulary(drafted(vocabulary, thresholds), t('Threshold: {{change}}', { change: said })).then(clear)
  return (
    <div className="unsaved" role="region" aria-label={t('Unsaved thresholds')}>
      <span className="num">
        <strong>{t('Not saved:')}</strong> {said}
      </span>
      <span className="grow" />
      <button className="primary" onClick={() => void save()}>
        {t('Save')}
      </button>
      <button onClick={clear}>{t('Reset')}</button>
    </div>
  )
}

import { type ReactNode, useId } from 'react'
import { call } from '../api.ts'
import { LANGUAGES, type Language, t, useLanguage } from '../i18n.ts'
import { useStatus } from '../cache.ts'
import { tell, toast } from '../toast.ts'
import { Backups } from './Backups.tsx'
import { Bin } from './Bin.tsx'
import { Diagnostics } from './Diagnostics.tsx'
import { chime, mayNotify } from './notify.ts'
import { CONTRASTS, MOTIONS, THEMES, usePreferences } from './preferences.ts'
import { Person } from './Person.tsx'
import { Projects } from './Projects.tsx'
import { privacy } from './privacy.ts'
import { Sharing } from '../sharing/Sharing.tsx'
import { Watched } from './Watched.tsx'
import './settings.css'

export function SettingsPage() {
  const { language, choose } = useLanguage()
  // Captions made from facts are in the language of the reader.
  const speak = (next: Language) => {
    void choose(next)
    void call('setLanguage', { body: { language: next } }).catch(tell)
  }
  const { theme, contrast, motion, prefer } = usePreferences()
  return (
    <main className="page settings">
      <h2>{t('Settings')}</h2>
      <Section title={t('Window')}>
        <label className="setting">
          <span>{t('Language')}</span>
          <select value={language} onChange={({ target }) => speak(target.value as Language)}>
            {Object.entries(LANGUAGES).map(([code, name]) => (
              <option key={code} value={code} lang={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <Choice name={t('Colours')} choices={THEMES} value={theme} onChoose={(value) => prefer({ theme: value })} />
        <Choice name={t('Contrast')} choices={CONTRASTS} value={contrast} onChoose={(value) => prefer({ contrast: value })} />
        <Choice name={t('Motion')} choices={MOTIONS} value={motion} onChoose={(value) => prefer({ motion: value })} />
      </Section>
      <Notifications />
      <Section title={t('Working together')}>
        <Person />
        <Sharing />
      </Section>
      <Section title={t('Libraries')}>
        <Projects />
      </Section>
      <Section title={t('Watched folders')}>
        <Watched />
      </Section>
      <Section title={t('Backups')}>
        <Backups />
      </Section>
      <Section title={t('Bin')}>
        <Bin />
      </Section>
      <Privacy />
      <Diagnostics />
    </main>
  )
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  const id = useId()
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {children}
    </section>
  )
}

function Choice<K extends string>({
  name,
  choices,
  value,
  onChoose,
}: {
  name: string
  choices: Record<K, string>
  value: K
  onChoose: (value: K) => void
}) {
  const group = useId()
  return (
    <fieldset className="setting">
      <legend>{name}</legend>
      <span className="choices">
        {(Object.keys(choices) as K[]).map((key) => (
          <label key={key}>
            <input type="radio" name={group} checked={key === value} onChange={() => onChoose(key)} />
            {t(choices[key])}
          </label>
        ))}
      </span>
    </fieldset>
  )
}

function Notifications() {
  const { notify, sound, prefer } = usePreferences()
  const turn = async (on: boolean) => {
    if (on && !(await mayNotify())) {
      toast.error(t('This browser does not allow notifications'), {
        description: t('Allow them for this address in its settings, then switch this on again.'),
      })
      return
    }
    prefer({ notify: on })
  }
  return (
    <Section title={t('Notifications')}>
      <label className="row">
        <input type="checkbox" checked={notify} onChange={({ target }) => void turn(target.checked)} />
        {t('Tell me when a batch ends and this window is not in front')}
      </label>
      <label className="row">
        <input
          type="checkbox"
          checked={sound}
          disabled={!notify}
          onChange={({ target }) => {
            prefer({ sound: target.checked })
            if (target.checked) chime()
          }}
        />
        {t('With a sound')}
      </label>
    </Section>
  )
}

function Privacy() {
  const { data: status } = useStatus()
  return (
    <Section title={t('Privacy')}>
      <p>{privacy(status)}</p>
      <p className="muted">
        {t(
          'Videos, captions, questions and searches stay in the library’s folder. Nothing is reported to anybody, neither use nor faults.',
        )}
      </p>
      {status?.host === 'web' && (
        <p>
          <a href="/api/docs" target="_blank" rel="noreferrer">
            {t('What other programs may ask of this library, with a token')}
          </a>
        </p>
      )}
    </Section>
  )
}

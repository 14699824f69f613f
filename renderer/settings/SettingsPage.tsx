import { LANGUAGES, type Language, t, useLanguage } from '../i18n.ts'

export function SettingsPage() {
  const { language, choose } = useLanguage()
  return (
    <main className="page pad">
      <h2>{t('Settings')}</h2>
      <label className="row">
        {t('Language')}
        <select value={language} onChange={({ target }) => choose(target.value as Language)}>
          {Object.entries(LANGUAGES).map(([code, name]) => <option key={code} value={code} lang={code}>{name}</option>)}
        </select>
      </label>
    </main>
  )
}

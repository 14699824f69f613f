import { FileDown, FolderPlus, Moon, Sun, SunMoon } from 'lucide-react'
import { SearchBox } from '../find/SearchBox.tsx'
import { t } from '../i18n.ts'
import { hint } from '../keys.ts'
import { useSources } from '../cache.ts'
import { type Preferences, THEMES, usePreferences } from '../settings/preferences.ts'
import { useUi } from '../store.ts'

const NEXT_THEME: Record<Preferences['theme'], Preferences['theme']> = { system: 'light', light: 'dark', dark: 'system' }
const THEME_ICON = { system: SunMoon, light: Sun, dark: Moon }

export function TopBar() {
  const open = useUi((ui) => ui.open)
  const { theme, prefer } = usePreferences()
  const { data } = useSources()
  const ThemeIcon = THEME_ICON[theme]
  const none = data === undefined || data.sources.length === 0
  return (
    <header className="topbar">
      <button className="skip" onClick={skipToPage}>
        {t('Skip to the page')}
      </button>
      <h1>
        <span className="mark" aria-hidden />
        Tubelet
      </h1>
      <SearchBox disabled={none} />
      <div className="actions">
        <button onClick={() => open('add')} title={hint('Add videos', 'add')}>
          <FolderPlus size={15} aria-hidden />
          {t('Add videos')}
        </button>
        <button className="primary" disabled={none} onClick={() => open('export')} title={hint('Export', 'export')}>
          <FileDown size={15} aria-hidden />
          {t('Export')}
        </button>
        <button
          className="icon"
          aria-label={t('Colours: {{theme}}', { theme: t(THEMES[theme]) })}
          title={t('Colours: {{theme}}', { theme: t(THEMES[theme]) })}
          onClick={() => prefer({ theme: NEXT_THEME[theme] })}
        >
          <ThemeIcon size={16} />
        </button>
        <button
          className="icon"
          aria-label={t('Keyboard shortcuts')}
          title={hint('Keyboard shortcuts', 'keys')}
          onClick={() => open('shortcuts')}
        >
          <span aria-hidden>?</span>
        </button>
      </div>
    </header>
  )
}

/** Skips the bar and the rail for people who move by Tab. */
function skipToPage(): void {
  const main = document.querySelector('main')
  main?.setAttribute('tabindex', '-1')
  main?.focus()
}

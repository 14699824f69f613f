import { FileDown, FolderPlus, Moon, Search, Sun, SunMoon, X } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import { t } from '../i18n.ts'
import { keyName } from '../keys.ts'
import { useSources } from '../queries.ts'
import { type Theme, THEMES, useUi } from '../store.ts'

const NEXT_THEME: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const THEME_ICON = { system: SunMoon, light: Sun, dark: Moon }
const withKey = (action: string, key: string) => `${action} (${keyName(key)})`

export function TopBar() {
  const { open, setSearch, search, theme, setTheme } = useUi()
  const { data } = useSources()
  const [text, setText] = useState(search)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    setSearch(text.trim())
  }
  const clear = () => {
    setText('')
    setSearch('')
  }
  const ThemeIcon = THEME_ICON[theme]
  const none = data === undefined || data.sources.length === 0
  return (
    <header className="topbar">
      <h1>
        <span className="mark" aria-hidden />
        Tubelet
      </h1>
      <form className="search" role="search" onSubmit={submit}>
        <Search size={15} aria-hidden />
        <input
          type="search" aria-label={t('Search')} placeholder={t('Search for a moment: “a red car drives to the left”')} value={text} disabled={none}
          onChange={(event) => {
            setText(event.target.value)
            if (event.target.value === '') setSearch('')
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return
            clear()
            // The keys of the player work again at once.
            event.currentTarget.blur()
          }}
        />
        {text !== '' ? (
          <button type="button" className="icon" aria-label={t('Clear search')} onClick={clear}><X size={14} /></button>
        ) : (
          <kbd>/</kbd>
        )}
      </form>
      <div className="actions">
        <button onClick={() => open('add')} title={withKey(t('Add videos'), 'Ctrl+O')}><FolderPlus size={15} aria-hidden />{t('Add videos')}</button>
        <button className="primary" disabled={none} onClick={() => open('export')} title={withKey(t('Export'), 'Ctrl+E')}><FileDown size={15} aria-hidden />{t('Export')}</button>
        <button className="icon" aria-label={t('Theme: {{theme}}', { theme: t(THEMES[theme]) })} title={t('Theme: {{theme}}', { theme: t(THEMES[theme]) })} onClick={() => setTheme(NEXT_THEME[theme])}><ThemeIcon size={16} /></button>
        <button className="icon" aria-label={t('Keyboard shortcuts')} title={withKey(t('Keyboard shortcuts'), '?')} onClick={() => open('shortcuts')}><span aria-hidden>?</span></button>
      </div>
    </header>
  )
}

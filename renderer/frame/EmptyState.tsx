import { Clapperboard, FolderPlus } from 'lucide-react'
import { useEffect } from 'react'
import { call } from '../api.ts'
import { desktop } from '../desktop.ts'
import { addAny } from '../drop.ts'
import { shown, t, useLanguage } from '../i18n.ts'
import { keyOf } from '../keys.ts'
import { useStatus } from '../cache.ts'
import { Abilities } from '../packs/Abilities.tsx'
import { privacy } from '../settings/privacy.ts'
import { useUi } from '../store.ts'
import { pickFolder } from '../parts/AddDialog.tsx'

/** The empty library: the whole window is a drop target. */
export function EmptyState({ dragging }: { dragging: boolean }) {
  const { data: status } = useStatus()
  const goTo = useUi((ui) => ui.goTo)
  const language = useLanguage((now) => now.language)
  // The first videos are described in the language of this window.
  useEffect(() => void call('setLanguage', { body: { language } }).catch(() => undefined), [language])
  return (
    <main className="empty" data-dragging={dragging}>
      <Clapperboard size={44} strokeWidth={1.25} aria-hidden />
      <h2>{desktop === null ? t('Add videos or folders') : t('Drop videos or folders here')}</h2>
      <p className="muted">{t('Things, text and movement are found in every clip. Then ask, search, label, correct and export.')}</p>
      <div className="row">
        <button className="primary large" onClick={() => void pickFolder()} autoFocus>
          <FolderPlus size={17} aria-hidden />
          {desktop === null ? t('Choose or type a folder') : t('Choose folder')}
        </button>
        {status?.sample && (
          <button className="large" onClick={() => void addAny([status.sample ?? ''])}>
            {t('Try the sample clip')}
          </button>
        )}
      </div>
      {desktop === null && (
        <p className="muted small">
          {t('A browser tells no program where dropped videos lie: choose their folder, or type it. Checkpoints can be dropped here.')}
        </p>
      )}
      <Abilities />
      <dl className="hints">
        <div>
          <dt>
            <kbd>{keyOf('add')}</kbd>
          </dt>
          <dd>{t('add videos')}</dd>
        </div>
        <div>
          <dt>
            <kbd>{keyOf('search')}</kbd>
          </dt>
          <dd>{t('search for a moment')}</dd>
        </div>
        <div>
          <dt>
            <kbd>{keyOf('keys')}</kbd>
          </dt>
          <dd>{t('all keys')}</dd>
        </div>
      </dl>
      <p className="muted small">{privacy(status)}</p>
      <button className="quiet small" onClick={() => goTo('settings')}>
        {status ? shown(status.engine.sentence) : t('Starting…')}
      </button>
    </main>
  )
}

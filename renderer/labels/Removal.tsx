import { t } from '../i18n.ts'
import { removeLabel, useScores } from './vocabulary.ts'

/** Asks, before a label is removed, what to do with the boxes that people accepted, drew or changed. */
export function Removal({ name, onDone }: { name: string; onDone: () => void }) {
  const { data: scores } = useScores(name)
  const decided = scores?.decided ?? 0
  const remove = (what: 'keep' | 'reject') => {
    onDone()
    void removeLabel(name, what, t('{{label}} removed', { label: name }))
  }
  return (
    <div
      className="row"
      role="group"
      aria-label={t('Remove {{label}}', { label: name })}
      onKeyDown={({ key }) => key === 'Escape' && onDone()}
    >
      <span className="small">
        {decided > 0
          ? t('{{count}} tracks of it are yours: you accepted, drew or changed them.', { count: decided })
          : t('What the model found for it goes; nothing is yours yet.')}
      </span>
      {decided > 0 ? (
        <>
          <button autoFocus onClick={() => remove('keep')}>
            {t('Remove, keep mine')}
          </button>
          <button className="danger" onClick={() => remove('reject')}>
            {t('Remove, reject mine too')}
          </button>
        </>
      ) : (
        <button className="danger" autoFocus onClick={() => remove('keep')}>
          {t('Remove')}
        </button>
      )}
      <button onClick={onDone}>{t('Cancel')}</button>
    </div>
  )
}

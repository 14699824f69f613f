import { Plus, RotateCcw, TriangleAlert, X } from 'lucide-react'
import { type KeyboardEvent, useState } from 'react'
import { PRESETS, type Preset, pressed } from '../../app/bindings.ts'
import { type Action, ACTIONS } from '../actions.ts'
import { t } from '../i18n.ts'
import { currentConflicts, currentKeys, keyName, useBindings } from '../keys.ts'
import { Dialog } from '../parts/Dialog.tsx'

/** Every action with this person's keys; each can be given others. */
export function ShortcutsDialog() {
  const { bindings, choosePreset, restore } = useBindings()
  const [sought, setSought] = useState('')
  const conflicts = currentConflicts(bindings)
  const keys = currentKeys(bindings)
  const words = sought.trim().toLowerCase()
  const shown = ACTIONS.filter(
    ({ id, name }) =>
      words === '' || t(name).toLowerCase().includes(words) || keys.get(id)?.some((key) => keyName(key).toLowerCase() === words),
  )
  const changed = bindings.preset !== 'tubelet' || Object.keys(bindings.changed).length > 0
  return (
    <Dialog title={t('Keyboard shortcuts')} wide>
      <div className="row shortcut-tools">
        <input
          type="text"
          className="grow"
          aria-label={t('Find an action or a key')}
          placeholder={t('Find an action or a key')}
          value={sought}
          onChange={({ target }) => setSought(target.value)}
        />
        <label className="row">
          {t('Keys of')}
          <select value={bindings.preset} onChange={({ target }) => choosePreset(target.value as Preset)}>
            {Object.entries(PRESETS).map(([id, { name }]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <button disabled={!changed} onClick={restore}>
          {t('Restore defaults')}
        </button>
      </div>
      <div role="status">
        {conflicts.size > 0 && (
          <p className="note warning">
            <TriangleAlert size={14} aria-hidden />
            {t('{{count}} keys are wanted by two actions; the upper one has it.', { count: conflicts.size })}
          </p>
        )}
      </div>
      <div className="shortcuts">
        {[...Map.groupBy(shown, ({ group }) => group)].map(([group, actions]) => (
          <section key={group}>
            <h3>{t(group)}</h3>
            <ul>
              {actions.map((action) => (
                <Row
                  key={action.id}
                  action={action}
                  keys={keys.get(action.id) ?? []}
                  conflicts={conflicts}
                  changed={action.id in bindings.changed}
                />
              ))}
            </ul>
          </section>
        ))}
        {shown.length === 0 && <p className="muted">{t('No action is called that.')}</p>}
      </div>
    </Dialog>
  )
}

const MODIFIERS = new Set(['Shift', 'Control', 'Alt', 'Meta', 'AltGraph', 'CapsLock', 'Dead', 'Process', 'Unidentified'])

function Row({
  action,
  keys,
  conflicts,
  changed,
}: {
  action: Action
  keys: readonly string[]
  conflicts: ReadonlyMap<string, readonly string[]>
  changed: boolean
}) {
  const rebind = useBindings((state) => state.rebind)
  const [listening, setListening] = useState(false)
  const name = t(action.name)
  const take = (event: KeyboardEvent) => {
    if (event.key === 'Tab') return
    event.preventDefault()
    event.stopPropagation()
    if (MODIFIERS.has(event.key)) return
    setListening(false)
    const key = pressed(event)
    if (event.key !== 'Escape' && !keys.includes(key)) rebind(action, [...keys, key])
  }
  const other = (key: string) => {
    const rival = conflicts.get(key)?.find((id) => id !== action.id)
    return ACTIONS.find(({ id }) => id === rival)
  }
  return (
    <li>
      <span className="grow">{name}</span>
      {keys.map((key) => {
        const rival = other(key)
        return (
          <span
            key={key}
            className="key-chip"
            data-conflict={rival !== undefined}
            title={rival && t('Also: {{name}}', { name: t(rival.name) })}
          >
            <kbd>{keyName(key)}</kbd>
            <button
              className="icon"
              aria-label={t('Take {{key}} from “{{name}}”', { key: keyName(key), name })}
              onClick={() =>
                rebind(
                  action,
                  keys.filter((one) => one !== key),
                )
              }
            >
              <X size={11} />
            </button>
            {rival && <span className="visually-hidden">{t('Also: {{name}}', { name: t(rival.name) })}</span>}
          </span>
        )
      })}
      {listening ? (
        <button className="listening" autoFocus onKeyDown={take} onBlur={() => setListening(false)}>
          {t('Press a key…')}
        </button>
      ) : (
        <button
          className="icon"
          aria-label={t('Add a key for “{{name}}”', { name })}
          title={t('Add a key')}
          onClick={() => setListening(true)}
        >
          <Plus size={13} />
        </button>
      )}
      <button
        className="icon"
        aria-label={t('Reset “{{name}}”', { name })}
        title={t('Back to its default')}
        disabled={!changed}
        onClick={() => rebind(action, null)}
      >
        <RotateCcw size={12} />
      </button>
    </li>
  )
}

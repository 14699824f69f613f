/** The keys as this person has set them, and which part of the window handles a key press. */
import { useEffect } from 'react'
import { create } from 'zustand'
import { bind, Bindings, conflicts, DEFAULT, keysOf, type Preset, pressed } from '../app/bindings.ts'
import { type Action, ACTIONS } from './actions.ts'
import { t } from './i18n.ts'
import { afterStep } from './undo.ts'
import { useUi } from './store.ts'

const KEY = 'tubelet-keys'

function stored(): Bindings {
  try {
    return Bindings.parse(JSON.parse(localStorage.getItem(KEY) ?? ''))
  } catch {
    // None stored yet, or not valid.
    return DEFAULT
  }
}

interface KeyStore {
  bindings: Bindings
  /** Null restores the preset's keys. */
  rebind: (action: Action, keys: readonly string[] | null) => void
  choosePreset: (preset: Preset) => void
  restore: () => void
}

export const useBindings = create<KeyStore>((set, get) => {
  const keep = (bindings: Bindings) => {
    localStorage.setItem(KEY, JSON.stringify(bindings))
    set({ bindings })
  }
  return {
    bindings: stored(),
    rebind: (action, keys) => keep(bind(get().bindings, action, keys)),
    choosePreset: (preset) => keep({ preset, changed: {} }),
    restore: () => keep(DEFAULT),
  }
})

/** Every action's keys. */
export function currentKeys(bindings = useBindings.getState().bindings): Map<string, readonly string[]> {
  return keysOf(ACTIONS, bindings)
}

/** Keys that two actions claim, with their ids. */
export function currentConflicts(bindings = useBindings.getState().bindings): Map<string, string[]> {
  return conflicts(ACTIONS, bindings)
}

/** The first key of an action as written for people; empty if it has none. */
export function keyOf(id: string): string {
  return keyName(currentKeys().get(id)?.[0] ?? '')
}

/** A tooltip: what a control does, and the key for the same action. */
export function hint(english: string, id: string): string {
  const key = keyOf(id)
  return key === '' ? t(english) : `${t(english)} (${key})`
}

const ON_CONTROLS = new Set(['Space', 'Enter', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'])
/** These work while somebody types, too. */
const WHILE_TYPING = new Set(['search', 'add', 'export', 'palette'])

export function useKeys(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { target } = event
      if (event.defaultPrevented || !(target instanceof Element) || document.querySelector('dialog[open]')) return
      const combination = pressed(event)
      const keys = currentKeys()
      const onPage = useUi.getState().page
      const action = ACTIONS.find(({ id, scope }) => (scope === 'window' || scope === onPage) && keys.get(id)?.includes(combination))
      if (action === undefined) return
      const typing = target.closest('input:not([type=range], [type=checkbox], [type=radio]), textarea, [contenteditable]') !== null
      if (typing && !(combination.includes('Ctrl') && WHILE_TYPING.has(action.id))) return
      // A focused control answers these keys itself; what is chosen in the list leaves them to the player.
      if (
        ON_CONTROLS.has(combination) &&
        target.closest('button:not([data-clip], [data-chosen=true]), [role=slider], input, [data-box], select, a') !== null
      )
        return
      event.preventDefault()
      void afterStep(action.run)
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [])
}

const NAMES: Readonly<Record<string, string>> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Delete: 'Del',
  Escape: 'Esc',
}

/** A key as written for people. */
export function keyName(combination: string): string {
  const mac = navigator.platform.startsWith('Mac')
  return combination
    .replace(/[^+]+$/, (key) => NAMES[key] ?? key)
    .replace('Ctrl+', mac ? '⌘' : 'Ctrl+')
    .replace('Alt+', mac ? '⌥' : 'Alt+')
}

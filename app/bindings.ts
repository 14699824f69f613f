/** Which keys do what: the app's own, those of a preset and those that a person changed; and which keys two actions both claim. */
import { z } from 'zod'

/** An action that keys can be bound to. */
export interface Bindable {
  id: string
  /** Where its keys work: everywhere, or on one page. */
  scope: 'window' | 'review'
  /** As pressed: modifiers in the order Ctrl+Shift+Alt, then the key; Ctrl stands for Cmd on a Mac. */
  keys: readonly string[]
}

type Keys = Readonly<Record<string, readonly string[]>>

/**
 * The keys of other annotation tools, where they differ from ours. Sources: CVAT's shortcuts page, DIVE's keyboard page. A key that a preset
 * gives to one action is removed from the action that had it.
 */
export const PRESETS = {
  tubelet: { name: 'Tubelet', keys: {} },
  cvat: {
    name: 'CVAT',
    keys: {
      'frame-back': ['D'],
      'frame-on': ['F'],
      'second-back': ['C'],
      'second-on': ['V'],
      draw: ['N'],
      merge: ['M'],
      split: ['Alt+M'],
      'key-frame': ['K'],
      'key-back': ['E'],
      'key-on': ['R'],
      occluded: ['Q'],
      outside: ['O'],
      'delete-track': ['Delete'],
      'delete-box': ['Shift+Delete'],
      'track-next': ['Tab'],
      'track-back': ['Shift+Tab'],
      play: ['Space'],
      keys: ['F1'],
      fullscreen: ['Alt+F'],
      snapshot: ['Alt+C'],
      sound: ['Alt+S'],
      'mark-out': ['Shift+O'],
      'mark-in': ['Shift+I'],
      loop: ['Alt+R'],
      copy: ['Ctrl+B'],
      ask: ['Alt+Q'],
      'label-1': ['Ctrl+1'],
      'label-2': ['Ctrl+2'],
      'label-3': ['Ctrl+3'],
      'label-4': ['Ctrl+4'],
      'label-5': ['Ctrl+5'],
      'label-6': ['Ctrl+6'],
      'label-7': ['Ctrl+7'],
      'label-8': ['Ctrl+8'],
      'label-9': ['Ctrl+9'],
    },
  },
  dive: {
    name: 'DIVE',
    keys: {
      'frame-back': ['ArrowLeft', 'D'],
      'frame-on': ['ArrowRight', 'F'],
      'track-back': ['ArrowUp'],
      'track-next': ['ArrowDown'],
      'track-first': ['Home'],
      'track-last': ['End'],
      'edit-text': ['Shift+Enter'],
      merge: ['M'],
      draw: ['N'],
      'delete-track': ['Delete'],
      'delete-box': ['Shift+Delete'],
      'key-frame': ['K'],
      play: ['Space'],
      'timeline-fit': ['Z'],
      'picture-fit': ['R'],
      sound: ['Alt+S'],
      fullscreen: ['Alt+F'],
      loop: ['Alt+R'],
      'clip-back': ['Shift+ArrowUp'],
      'clip-next': ['Shift+ArrowDown'],
    },
  },
} as const satisfies Record<string, { name: string; keys: Keys }>
export type Preset = keyof typeof PRESETS

export const Bindings = z.object({ preset: z.enum(['tubelet', 'cvat', 'dive']), changed: z.record(z.string(), z.array(z.string())) })
export type Bindings = z.infer<typeof Bindings>

export const DEFAULT: Bindings = { preset: 'tubelet', changed: {} }

/** The keys of an action before anybody changes them. */
function given(action: Bindable, preset: Preset): readonly string[] {
  const keys: Keys = PRESETS[preset].keys
  const own = keys[action.id]
  if (own) return own
  const taken = new Set(Object.values(keys).flat())
  return action.keys.filter((key) => !taken.has(key))
}

/** Every action's keys, by id. */
export function keysOf(actions: readonly Bindable[], { preset, changed }: Bindings): Map<string, readonly string[]> {
  return new Map(actions.map((action) => [action.id, changed[action.id] ?? given(action, preset)]))
}

/** Change an action's keys. Setting them to their default removes the change. */
export function bind(bindings: Bindings, action: Bindable, keys: readonly string[] | null): Bindings {
  const changed = Object.fromEntries(Object.entries(bindings.changed).filter(([id]) => id !== action.id))
  const same =
    keys === null ||
    (keys.length === given(action, bindings.preset).length && keys.every((key, i) => key === given(action, bindings.preset)[i]))
  return { ...bindings, changed: same ? changed : { ...changed, [action.id]: [...keys] } }
}

/** Keys that trigger more than one action, with the ids of those actions. Actions of different pages never conflict. */
export function conflicts(actions: readonly Bindable[], bindings: Bindings): Map<string, string[]> {
  const keys = keysOf(actions, bindings)
  const wanted = new Map<string, string[]>()
  for (const { id } of actions) for (const key of keys.get(id) ?? []) wanted.set(key, [...(wanted.get(key) ?? []), id])
  return new Map([...wanted].filter(([, ids]) => ids.length > 1))
}

/** The parts of a keyboard event that count. */
interface Press {
  key: string
  code: string
  ctrlKey: boolean
  metaKey: boolean
  shiftKey: boolean
  altKey: boolean
}

/** A key press as bindings write it. J, K and L are matched by their position on the keyboard, all other keys by the character they type. */
export function pressed(event: Press): string {
  const place = /^Key([JKL])$/.exec(event.code)?.[1]
  const digit = event.altKey || event.ctrlKey || event.metaKey ? /^Digit(\d)$/.exec(event.code)?.[1] : undefined
  const letter = event.altKey ? /^Key([A-Z])$/.exec(event.code)?.[1] : undefined
  // Alt writes other characters on some systems.
  const key = place ?? digit ?? letter ?? (event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toUpperCase() : event.key)
  // A character that needs Shift is written without it: "?", not "Shift+?".
  const shifted = event.shiftKey && (key.length > 1 || /[A-Z]/.test(key))
  return [event.ctrlKey || event.metaKey ? 'Ctrl' : '', shifted ? 'Shift' : '', event.altKey ? 'Alt' : '', key].filter(Boolean).join('+')
}

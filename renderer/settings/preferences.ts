/** This person's preferences for the window: stored on this machine, for all libraries. */
import { create } from 'zustand'
import { phrase } from '../i18n.ts'

export const THEMES = { system: phrase('As the system'), light: phrase('Light'), dark: phrase('Dark') }
export const CONTRASTS = { system: phrase('As the system'), normal: phrase('Normal'), more: phrase('High') }
export const MOTIONS = { system: phrase('As the system'), reduced: phrase('Reduced') }

export interface Preferences {
  theme: keyof typeof THEMES
  contrast: keyof typeof CONTRASTS
  motion: keyof typeof MOTIONS
  /** Send a desktop notification when a batch ends while the window is not in use. */
  notify: boolean
  /** And play a sound. */
  sound: boolean
}

const KEY = 'tubelet-preferences'
const USUAL: Preferences = { theme: 'system', contrast: 'system', motion: 'system', notify: false, sound: false }

function stored(): Preferences {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>
    const one = <K extends keyof Preferences>(key: K, allowed: (value: unknown) => boolean) =>
      allowed(kept[key]) ? { [key]: kept[key] } : {}
    const among = (choices: object) => (value: unknown) => typeof value === 'string' && value in choices
    const flag = (value: unknown) => typeof value === 'boolean'
    return {
      ...USUAL,
      ...one('theme', among(THEMES)),
      ...one('contrast', among(CONTRASTS)),
      ...one('motion', among(MOTIONS)),
      ...one('notify', flag),
      ...one('sound', flag),
    }
  } catch {
    return USUAL
  }
}

export const usePreferences = create<Preferences & { prefer: (choice: Partial<Preferences>) => void }>((set, get) => ({
  ...stored(),
  prefer: (choice) => {
    set(choice)
    const { theme, contrast, motion, notify, sound } = get()
    localStorage.setItem(KEY, JSON.stringify({ theme, contrast, motion, notify, sound } satisfies Preferences))
  },
}))

/** Apply the preferences and the system's settings to the document; the style sheet reads the attributes set here. */
export function applyPreferences(): void {
  const more = matchMedia('(prefers-contrast: more)')
  const apply = () => {
    const { theme, contrast, motion } = usePreferences.getState()
    const { dataset } = document.documentElement
    dataset['theme'] = theme
    dataset['contrast'] = contrast === 'system' ? (more.matches ? 'more' : 'normal') : contrast
    dataset['motion'] = motion
  }
  more.addEventListener('change', apply)
  usePreferences.subscribe(apply)
  apply()
}

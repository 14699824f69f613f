/**
 * The window's words. English is written where it is shown and is the key of its translation: `t('Add videos')`, with values (`t('Searched
 * {{count}} clips', { count })`) and the plural forms of each language. The English files hold only the forms that a key cannot give:
 * singulars. A change of language redraws the whole window (see main.tsx), so `t` needs no hook.
 */
import i18next, { type TOptions } from 'i18next'
import { create } from 'zustand'
import type { Problem } from '../app/errors.ts'
import { withoutDirections } from '../app/inert.ts'
import { type Phrase, plainOf } from '../app/phrase.ts'
import en from './locales/en/index.ts'

export const LANGUAGES = { en: 'English', de: 'Deutsch' }
export type Language = keyof typeof LANGUAGES

const KEY = 'tubelet-language'
const stored = localStorage.getItem(KEY) ?? navigator.language.slice(0, 2)
const first: Language = stored === 'de' ? 'de' : 'en'

void i18next.init({
  lng: first,
  fallbackLng: 'en',
  resources: { en: { translation: en } },
  // Keys are sentences: dots and colons in them mean nothing.
  keySeparator: false,
  nsSeparator: false,
  // React escapes what HTML would read. Values may be names of files, which must not turn the sentence around.
  interpolation: { escape: withoutDirections },
  initAsync: false,
})

export function t(english: string, values?: TOptions): string {
  return i18next.t(english, values ?? {})
}

/** A sentence of the backend in the window's language. */
export function shown({ text, values = {} }: Phrase): string {
  const plain = plainOf(values, momentText)
  const sentences = Object.entries(values).flatMap(([name, value]) =>
    typeof value === 'object' && 'text' in value ? [[name, t(value.text, plain)] as const] : [],
  )
  return t(text, { ...plain, ...Object.fromEntries(sentences) })
}

function momentText(at: string): string {
  return new Intl.DateTimeFormat(i18next.language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at))
}

/** A problem's sentences, each in the window's language. */
export function told({ message, next, stillWorks, values = {} }: Problem): { message: string; next?: string; stillWorks?: string } {
  const part = (text: string) => shown({ text, values })
  return {
    message: part(message),
    ...(next === undefined ? {} : { next: part(next) }),
    ...(stillWorks === undefined ? {} : { stillWorks: part(stillWorks) }),
  }
}

export { phrase } from '../app/phrase.ts'

/** Loads the words of a language. English is part of the window's code; other languages are loaded when needed. */
async function fetchWords(language: Language): Promise<void> {
  if (language === 'en' || i18next.hasResourceBundle(language, 'translation')) return
  i18next.addResourceBundle(language, 'translation', (await import('./locales/de/index.ts')).default)
}

/** Must be awaited before anything is drawn. */
export const wordsHere = () => fetchWords(first)

export const useLanguage = create<{ language: Language; choose: (language: Language) => Promise<void> }>((set) => ({
  language: first,
  choose: async (language) => {
    await fetchWords(language)
    localStorage.setItem(KEY, language)
    document.documentElement.lang = language
    await i18next.changeLanguage(language)
    set({ language })
  },
}))

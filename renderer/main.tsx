import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { desktop } from './desktop.ts'
import { addAny } from './drop.ts'
import { App } from './frame/App.tsx'
import { useLanguage, wordsHere } from './i18n.ts'
import { ErrorBoundary } from './frame/ErrorBoundary.tsx'
import { fetchRest } from './frame/pages.tsx'
import { queryClient } from './cache.ts'
import { followEvents } from './events.ts'
import { applyPreferences } from './settings/preferences.ts'
import './theme.css'
import './review/review.css'

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')
/** A change of language redraws the whole window. */
function Localised() {
  return <App key={useLanguage(({ language }) => language)} />
}

// Before anything is awaited: the desktop passes on the paths it was started with as soon as the page is loaded.
desktop?.onBring((paths) => void addAny(paths))
applyPreferences()
await wordsHere()
document.documentElement.lang = useLanguage.getState().language
await followEvents(new AbortController().signal)
createRoot(root).render(
  <StrictMode>
    <ErrorBoundary>
      <QueryClientProvider client={queryClient}>
        <Localised />
      </QueryClientProvider>
    </ErrorBoundary>
  </StrictMode>,
)
fetchRest()

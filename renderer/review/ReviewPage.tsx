import { t } from '../i18n.ts'
import { ClipView } from '../parts/ClipView.tsx'
import { Inspector } from '../parts/Inspector.tsx'
import { LibraryList } from '../parts/LibraryList.tsx'
import { SearchResults } from '../parts/SearchResults.tsx'
import { useUi } from '../store.ts'

/** The library or what a search found at the left, the clip in the middle, what is said about it at the right. */
export function ReviewPage() {
  const search = useUi((ui) => ui.search)
  return (
    <div className="workspace">
      <nav className="side" aria-label={search === '' ? t('Library') : t('Search results')}>
        {search === '' ? <LibraryList /> : <SearchResults query={search} />}
      </nav>
      <main className="stage">
        <ClipView />
      </main>
      <aside className="inspector" aria-label={t('What is said about the clip')}>
        <Inspector />
      </aside>
    </div>
  )
}

import { FilterBar } from '../find/FilterBar.tsx'
import { Results } from '../find/Results.tsx'
import { isFinding, useFind } from '../find/store.ts'
import { t } from '../i18n.ts'
import '../find/find.css'
import { ClipView } from '../parts/ClipView.tsx'
import { Inspector } from '../parts/Inspector.tsx'
import { LibraryList } from '../parts/LibraryList.tsx'

/** The library or what a search found at the left, the clip in the middle, what is said about it at the right. */
export function ReviewPage() {
  const finding = useFind(isFinding)
  return (
    <div className="workspace">
      <nav className="side" aria-label={finding ? t('Search results') : t('Library')}>
        <FilterBar />
        {finding ? <Results /> : <LibraryList />}
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

import { FilterBar } from '../find/FilterBar.tsx'
import { Results } from '../find/Results.tsx'
import { isFinding, useFind } from '../find/store.ts'
import { t } from '../i18n.ts'
import '../find/find.css'
import { ClipView } from '../parts/ClipView.tsx'
import { Inspector } from '../parts/Inspector.tsx'
import { LibraryList } from '../parts/LibraryList.tsx'
import { Panels } from '../parts/Panels.tsx'

/** The library or what a search found at the left, the clip in the middle, what is said about it at the right. */
export function ReviewPage() {
  const finding = useFind(isFinding)
  return (
    <Panels
      id="review" className="workspace"
      parts={[
        {
          id: 'library', name: finding ? t('Search results') : t('Library'), size: '22vw', least: '220px', most: '40%',
          content: (
            <nav className="side" aria-label={finding ? t('Search results') : t('Library')}>
              <h2 className="visually-hidden">{finding ? t('Search results') : t('Library')}</h2>
              <FilterBar />
              {finding ? <Results /> : <LibraryList />}
            </nav>
          ),
        },
        { id: 'stage', least: '360px', content: <main className="stage"><ClipView /></main> },
        {
          id: 'said', name: t('What is said about the clip'), size: '22vw', least: '260px', most: '45%',
          content: <aside className="inspector" aria-label={t('What is said about the clip')}><Inspector /></aside>,
        },
      ]}
    />
  )
}

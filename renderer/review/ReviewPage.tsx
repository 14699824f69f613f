import { FilterBar } from '../find/FilterBar.tsx'
import { Results } from '../find/Results.tsx'
import { isFinding, useFind } from '../find/store.ts'
import { t } from '../i18n.ts'
import '../find/find.css'
import { ClipView } from './ClipView.tsx'
import { Inspector } from './Inspector.tsx'
import { LibraryList } from '../parts/LibraryList.tsx'
import { Panels } from '../parts/Panels.tsx'
import { useWalk } from './walk.ts'
import { BackBar, WalkList } from './WalkList.tsx'

/** The library or search results at the left, the clip in the middle, its annotations at the right. */
export function ReviewPage() {
  const finding = useFind(isFinding)
  const walk = useWalk(({ clips }) => clips)
  const listName = finding ? t('Search results') : walk ? t('Picked clips') : t('Library')
  return (
    <Panels
      id="review"
      className="workspace"
      parts={[
        {
          id: 'library',
          name: listName,
          size: '22vw',
          least: '220px',
          most: '40%',
          content: (
            <nav className="side" aria-label={listName}>
              <h2 className="visually-hidden">{listName}</h2>
              <BackBar />
              {walk === null || finding ? <FilterBar /> : null}
              {finding ? <Results /> : walk ? <WalkList clips={walk} /> : <LibraryList />}
            </nav>
          ),
        },
        {
          id: 'stage',
          least: '360px',
          content: (
            <main className="stage">
              <ClipView />
            </main>
          ),
        },
        {
          id: 'said',
          name: t('What is said about the clip'),
          size: '22vw',
          least: '260px',
          most: '45%',
          content: (
            <aside className="inspector" aria-label={t('What is said about the clip')}>
              <Inspector />
            </aside>
          ),
        },
      ]}
    />
  )
}

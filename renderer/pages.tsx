/** The pages of the window and the rail at its left edge that leads to them. */
import { Boxes, ChartNoAxesCombined, Clapperboard, ListChecks, Settings, Table2, Tags } from 'lucide-react'
import type { ComponentType } from 'react'
import { phrase, t } from './i18n.ts'
import { LabelsPage } from './labels/LabelsPage.tsx'
import { OverviewPage } from './overview/OverviewPage.tsx'
import { PacksPage } from './packs/PacksPage.tsx'
import { QueuePage } from './queue/QueuePage.tsx'
import { ReviewPage } from './review/ReviewPage.tsx'
import { SettingsPage } from './settings/SettingsPage.tsx'
import { type Page, useUi } from './store.ts'
import { TablePage } from './table/TablePage.tsx'

export const PAGES: Record<Page, { name: string; Icon: typeof Table2; Component: ComponentType }> = {
  review: { name: phrase('Review'), Icon: Clapperboard, Component: ReviewPage },
  table: { name: phrase('Table'), Icon: Table2, Component: TablePage },
  labels: { name: phrase('Labels'), Icon: Tags, Component: LabelsPage },
  overview: { name: phrase('Overview'), Icon: ChartNoAxesCombined, Component: OverviewPage },
  queue: { name: phrase('Queue'), Icon: ListChecks, Component: QueuePage },
  packs: { name: phrase('Packs'), Icon: Boxes, Component: PacksPage },
  settings: { name: phrase('Settings'), Icon: Settings, Component: SettingsPage },
}

export function Rail() {
  const here = useUi((ui) => ui.page)
  const goTo = useUi((ui) => ui.goTo)
  return (
    <nav className="rail" aria-label={t('Pages')}>
      {(Object.keys(PAGES) as Page[]).map((page) => {
        const { name, Icon } = PAGES[page]
        return (
          <button key={page} data-page={page} aria-current={page === here ? 'page' : undefined} onClick={() => goTo(page)}>
            <Icon size={19} strokeWidth={1.75} aria-hidden />
            <span>{t(name)}</span>
          </button>
        )
      })}
    </nav>
  )
}

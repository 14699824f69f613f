/** The pages of the window and the rail at its left edge that leads to them. */
import { Boxes, ChartNoAxesCombined, Clapperboard, ListChecks, Settings, Table2, Tags } from 'lucide-react'
import { type ComponentType, lazy, Suspense, useState } from 'react'
import { phrase, t } from '../i18n.ts'
import { ReviewPage } from '../review/ReviewPage.tsx'
import { type Page, useUi } from '../store.ts'

const coming: (() => Promise<unknown>)[] = []

/**
 * A part of the window that is not needed for its first picture. It is loaded while the window is idle (`fetchRest`), so that it is there
 * when it is needed; if it is needed earlier, it shows as soon as it is loaded.
 */
function later(load: () => Promise<ComponentType>): ComponentType {
  let here: ComponentType | null = null
  const fetched = async () => ({ default: (here = await load()) })
  const Coming = lazy(fetched)
  coming.push(fetched)
  return function Later() {
    // Chosen once: a component on the screen is not replaced by itself.
    const [Shown] = useState(() => here ?? Coming)
    return (
      <Suspense fallback={<main className="page" />}>
        <Shown />
      </Suspense>
    )
  }
}

/** Loads one part after the other, each when nothing else is waiting. */
export function fetchRest(): void {
  const [next] = coming.splice(0, 1)
  if (next) requestIdleCallback(() => void next().then(fetchRest), { timeout: 2000 })
}

export const PAGES: Record<Page, { name: string; Icon: typeof Table2; Component: ComponentType }> = {
  review: { name: phrase('Review'), Icon: Clapperboard, Component: ReviewPage },
  table: { name: phrase('Table'), Icon: Table2, Component: later(async () => (await import('../table/TablePage.tsx')).TablePage) },
  labels: { name: phrase('Labels'), Icon: Tags, Component: later(async () => (await import('../labels/LabelsPage.tsx')).LabelsPage) },
  overview: {
    name: phrase('Overview'),
    Icon: ChartNoAxesCombined,
    Component: later(async () => (await import('../overview/OverviewPage.tsx')).OverviewPage),
  },
  queue: { name: phrase('Queue'), Icon: ListChecks, Component: later(async () => (await import('../queue/QueuePage.tsx')).QueuePage) },
  packs: { name: phrase('Packs'), Icon: Boxes, Component: later(async () => (await import('../packs/PacksPage.tsx')).PacksPage) },
  settings: {
    name: phrase('Settings'),
    Icon: Settings,
    Component: later(async () => (await import('../settings/SettingsPage.tsx')).SettingsPage),
  },
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

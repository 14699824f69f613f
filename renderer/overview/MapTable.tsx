import type { Source } from '../../app/contract.ts'
import type { Facts } from '../../app/overview.ts'
import { captionText } from '../caption.ts'
import { clockSpan } from '../format.ts'
import { t } from '../i18n.ts'
import { useUi } from '../store.ts'
import { DataTable } from './Card.tsx'
import { alike, type Dot } from './likeness.ts'

/** Only the first rows, and a few of the most similar clips for each: a page to read, not the library. */
const [ROWS, LIKEST] = [500, 3]

/** The map as a table, for reading and for screen readers: each clip with those nearest to it. */
export function MapTable({ dots, facts, sources }: { dots: readonly Dot[]; facts: Facts; sources: readonly Source[] }) {
  const rows = () => {
    const clips = new Map(facts.clips.map((clip) => [clip.id, clip]))
    const names = new Map(sources.map(({ id, title }) => [id, title]))
    const named = (id: number) => {
      const clip = clips.get(id)
      return clip ? `${names.get(clip.sourceId) ?? ''} ${clockSpan(clip)}` : ''
    }
    const open = (id: number) => {
      useUi.getState().selectClip(id, clips.get(id)?.sourceId ?? null)
      useUi.getState().goTo('review')
    }
    return dots.slice(0, ROWS).map((dot) => [
      <button key="clip" className="quiet small" onClick={() => open(dot.id)}>
        {named(dot.id)}
      </button>,
      captionText(clips.get(dot.id) ?? { caption: null, state: null, unsure: false }),
      dot.kind,
      alike(dot, dots, LIKEST + 1)
        .filter((id) => id !== dot.id)
        .slice(0, LIKEST)
        .map(named)
        .join(', '),
    ])
  }
  return (
    <>
      <DataTable head={[t('Clip'), t('Caption'), t('Kind'), t('Most alike')]} rows={rows} />
      {dots.length > ROWS && (
        <p className="small muted">{t('The table has the first {{count, number}} clips; the Table page has all.', { count: ROWS })}</p>
      )}
    </>
  )
}

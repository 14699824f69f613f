import { ChevronDown, ChevronRight } from 'lucide-react'
import { memo } from 'react'
import type { Group } from '../../app/contract/table.ts'
import { groupName } from '../../app/table/layout.ts'
import { number } from '../format.ts'
import { t } from '../i18n.ts'
import { useColumns } from './rows.ts'
import { useTable } from './state.ts'
import { headingOf, valueName } from './titles.ts'

interface Props {
  line: number
  group: Group
  open: boolean
  top: number
  width: number
  focus: boolean
  chosen: boolean
  /** The name of the column by which rows are grouped. */
  heading: string
}

/** The heading of a group; selected alone, it stands for all of its rows. */
export const GroupRow = memo(function GroupRow({ line, group, open, top, width, focus, chosen, heading }: Props) {
  const { data } = useColumns()
  const { type } = headingOf(heading, data?.columns ?? [], 'clips')
  const toggleGroup = useTable((table) => table.toggleGroup)
  const name = group.others ? t('Other values') : group.text === null ? t('No value') : valueName(type, group.text)
  return (
    <div
      role="row"
      className="grid-group"
      aria-rowindex={line + 2}
      aria-expanded={open}
      data-line={line}
      style={{ transform: `translateY(${top}px)`, width }}
    >
      <div
        role="gridcell"
        id={`group-${line}`}
        aria-selected={chosen}
        aria-colindex={1}
        aria-label={[
          name,
          t('{{count}} rows', { count: group.count }),
          ...(group.unsure > 0 ? [t('{{count, number}} not sure', { count: group.unsure })] : []),
        ].join(', ')}
        data-focus={focus}
        data-column={0}
      >
        <button
          className="icon"
          tabIndex={-1}
          aria-label={open ? t('Close group') : t('Open group')}
          onClick={() => toggleGroup(groupName(group))}
        >
          {open ? <ChevronDown size={15} /> : <ChevronRight size={15} />}
        </button>
        <strong>{name}</strong>
        <span className="chip num">{number(group.count)}</span>
        {group.unsure > 0 && <em className="unsure small">{t('{{count, number}} not sure', { count: group.unsure })}</em>}
      </div>
    </div>
  )
})

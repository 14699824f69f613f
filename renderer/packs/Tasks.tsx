import type { PackOverview } from '../../app/contract/packs.ts'
import type { Task } from '../../app/pack/base.ts'
import { call } from '../api.ts'
import { bytes } from '../format.ts'
import { t } from '../i18n.ts'
import { TASK_NAMES, worth } from './describe.ts'
import { pace, Plan } from './Plan.tsx'
import { act } from './queries.ts'
import { usePacksUi } from './store.ts'

/** Tasks that a library can work without. */
const SPARED: readonly Task[] = ['boxes', 'text']

/** One row for each task: the pack that does it, its measured quality, and the other packs that could do it. */
export function Tasks({ overview }: { overview: PackOverview }) {
  const { tasks, cost, machine } = overview
  return (
    <section aria-label={t('Who does what')}>
      <h3>{t('Who does what')}</h3>
      <p className="muted small">
        {t(
          'Captions, answers and search come first from what is seen and measured: boxes, text and movement. Their packs are asked where that says nothing, and only about footage that they know.',
        )}
      </p>
      <ul className="panel who">
        {tasks.map((row) => (
          <Row key={row.task} row={row} overview={overview} />
        ))}
      </ul>
      <p className="muted small">
        {t('All packs in use together: {{memory}} of memory ({{free}} are free).', {
          memory: bytes(cost.memory),
          free: bytes(machine.memoryFree),
        })}{' '}
        {t('A minute of video takes: {{pace}}.', { pace: pace(cost.secondsPerMinute) })}
      </p>
    </section>
  )
}

function Row({ row: { task, packId, able }, overview: { packs, works } }: { row: PackOverview['tasks'][number]; overview: PackOverview }) {
  const { considered, set } = usePacksUi()
  const nameOf = (id: string) => {
    const manifest = packs.find((pack) => pack.id === id)?.manifest
    return manifest ? `${manifest.name} ${manifest.version}` : id
  }
  const switching = works.some(({ kind, state }) => kind === 'switch' && state === 'running')
  const planned = considered?.task === task ? considered.packId : null
  const manifest = packs.find(({ id }) => id === (planned ?? packId))?.manifest
  const choose = (id: string) => {
    if (id === '') void act(call('leaveTask', { params: { task } })).then(() => set({ considered: null }))
    else set({ considered: id === packId ? null : { packId: id, task } })
  }
  return (
    <li data-task={task}>
      <div className="row">
        <strong>{t(TASK_NAMES[task])}</strong>
        <select
          aria-label={t('Who does it: {{task}}', { task: t(TASK_NAMES[task]) })}
          value={planned ?? packId ?? ''}
          disabled={switching}
          onChange={({ target }) => choose(target.value)}
        >
          {(packId === null || SPARED.includes(task)) && <option value="">{t('nobody')}</option>}
          {able.map((id) => (
            <option key={id} value={id}>
              {nameOf(id)}
            </option>
          ))}
        </select>
        <span className={manifest ? 'grow' : 'grow muted'}>
          {manifest ? worth(manifest, task) : t('Nobody does this here; what was found before stays.')}
        </span>
      </div>
      {planned !== null && <Plan packId={planned} task={task} />}
    </li>
  )
}

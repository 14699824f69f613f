import type { Task } from '../../app/pack/base.ts'
import { call } from '../api.ts'
import { about, bytes, number } from '../format.ts'
import { t } from '../i18n.ts'
import { TASK_NAMES } from './describe.ts'
import { act, usePacks, usePlan } from './queries.ts'
import { usePacksUi } from './store.ts'

/**
 * What giving tasks to a pack costs and changes, shown before it starts.
 * @param task Null for all tasks that suit the pack.
 */
export function Plan({ packId, task }: { packId: string; task: Task | null }) {
  const { data: plan } = usePlan(packId, task)
  const machine = usePacks().data?.machine
  const set = usePacksUi((ui) => ui.set)
  const leave = () => set({ considered: null })
  if (!plan || !machine) return null
  const { tasks, missing, ready, cost } = plan
  const { clips: count, estimate } = missing
  const [minutes, size, time] = [number(missing.videoSeconds / 60, 1), bytes(missing.bytes), about(estimate?.seconds ?? 0)]
  const tight = cost.then.memory > machine.memoryTotal * 0.8
  return (
    <div className="plan" role="group" aria-label={t('Before you switch')}>
      <ul className="bullets">
        <li>{t('It would do: {{tasks}}.', { tasks: tasks.map((one) => t(TASK_NAMES[one])).join(', ') })}</li>
        {missing.clips > 0 ? (
          <li>
            {estimate === null
              ? t(
                  '{{count}} clips ({{minutes}} min of video) must be seen by it, which takes {{size}} in the library. How long that takes was not measured on this computer.',
                  { count, minutes, size },
                )
              : estimate.from === 'here'
                ? t(
                    '{{count}} clips ({{minutes}} min of video) must be seen by it: {{time}} by what it took on this computer before, and {{size}} in the library.',
                    { count, minutes, time, size },
                  )
                : t(
                    '{{count}} clips ({{minutes}} min of video) must be seen by it: {{time}}, reckoned from one clip on this computer, and {{size}} in the library.',
                    { count, minutes, time, size },
                  )}
          </li>
        ) : (
          <li>{t('No clip must be seen again: it can be used at once.')}</li>
        )}
        {ready > 0 && missing.clips > 0 && <li>{t('{{count}} clips were seen by it already.', { count: ready })}</li>}
        <li>
          {t('Memory of all packs together: {{now}} now, {{then}} then; {{free}} are free.', {
            now: bytes(cost.now.memory),
            then: bytes(cost.then.memory),
            free: bytes(machine.memoryFree),
          })}
        </li>
        <li>
          {t('A minute of video takes all packs together: {{now}} now, {{then}} then.', {
            now: pace(cost.now.secondsPerMinute),
            then: pace(cost.then.secondsPerMinute),
          })}
        </li>
        {tight && <li className="unsure">{t("Together they need most of this computer's memory; everything may become slow.")}</li>}
        <li>{t('What you accepted, edited or rejected stays, and so does what the other packs have seen: going back is free.')}</li>
      </ul>
      <div className="row">
        <button
          className="primary"
          onClick={() => void act(call('usePack', { params: { packId }, body: task === null ? {} : { tasks: [task] } })).then(leave)}
        >
          {t('Switch now')}
        </button>
        <button onClick={leave}>{t('Not now')}</button>
      </div>
    </div>
  )
}

/** Seconds of work per minute of video. */
export function pace(secondsPerMinute: number | null): string {
  return secondsPerMinute === null ? t('not measured here yet') : about(secondsPerMinute)
}

import { Check, Minus, Trash2 } from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import type { InstalledPack, PackOverview } from '../../app/contract/packs.ts'
import type { PackManifest } from '../../app/pack/pack.ts'
import { call } from '../api.ts'
import { about, bytes, number } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { Scores } from '../parts/Scores.tsx'
import { describe, packText } from './describe.ts'
import { act, usePlan } from './queries.ts'
import { usePacksUi } from './store.ts'

type Task = PackManifest['tasks'][number]
const TASKS: Record<Task, string> = { caption: phrase('Captions'), answer: phrase('Answers'), search: phrase('Search'), detect: phrase('Boxes') }

/** One pack on this machine: what it can do, what it costs, how good it was measured to be, and what can be done with it. */
export function PackCard({ pack, overview: { machine, packs } }: { pack: InstalledPack; overview: PackOverview }) {
  const { considered, made, set } = usePacksUi()
  const card = useRef<HTMLLIElement>(null)
  const [deleting, setDeleting] = useState(false)
  const { manifest, id } = pack
  useEffect(() => {
    if (made !== id) return
    card.current?.scrollIntoView({ block: 'nearest' })
    set({ made: null })
  }, [made, id, set])
  if (pack.problem || !manifest) {
    return (
      <li className="panel">
        {pack.problem && <ProblemCard problem={pack.problem}><button onClick={() => void act(call('deletePack', { params: { packId: id } }))}>{t('Delete')}</button></ProblemCard>}
      </li>
    )
  }
  const tight = pack.memory.bytes > machine.memoryTotal * 0.8
  return (
    <li ref={card} className="panel" aria-label={manifest.name} data-current={pack.current}>
      <div className="row">
        <h4 className="grow">
          {manifest.name} <span className="muted num">{manifest.version}</span>
          {packs.some((other) => other.id !== id && other.manifest?.name === manifest.name) && <span className="muted mono small"> {id}</span>}
        </h4>
        {pack.current && <span className="chip" data-state="analysing">{t('In use')}</span>}
        {pack.bundled && <span className="chip">{t('Comes with Tubelet')}</span>}
        {!pack.current && considered !== id && <button onClick={() => set({ considered: id })}>{t('Use this pack')}</button>}
        {!pack.bundled && !pack.current && <button className="icon" aria-label={t('Delete {{name}}', { name: manifest.name })} title={t('Delete {{name}}', { name: manifest.name })} onClick={() => setDeleting(true)}><Trash2 size={15} /></button>}
      </div>
      <p>{describe(manifest)}</p>
      <ul className="tasks" aria-label={t('What it can do')}>
        {(Object.keys(TASKS) as Task[]).map((task) => {
          const can = manifest.tasks.includes(task)
          return <li key={task} data-can={can}>{can ? <Check size={13} aria-hidden /> : <Minus size={13} aria-hidden />}{can ? t(TASKS[task]) : t('No {{task}}', { task: t(TASKS[task]) })}</li>
        })}
      </ul>
      <dl className="facts">
        <Fact name={t('On disk')}>{bytes(pack.bytes)}</Fact>
        <Fact name={t('Memory')} warn={tight}>
          {pack.memory.measured ? t('{{needed}}, measured; {{free}} are free', memory(pack, machine)) : t('about {{needed}}; {{free}} are free', memory(pack, machine))}
        </Fact>
        {pack.secondsPerClip !== null && <Fact name={t('A clip takes')}>{about(pack.secondsPerClip)}</Fact>}
        <Fact name={t('Encoded here')}>{pack.encoded.clips === 0 ? t('nothing yet') : t('{{count}} clips, {{size}}', { count: pack.encoded.clips, size: bytes(pack.encoded.bytes) })}</Fact>
        {manifest.words && <Fact name={t('Words it learnt')}>{number(manifest.words.length)}</Fact>}
        <Fact name={t('Licence')}>{packText(manifest.licence)}</Fact>
      </dl>
      <Scores pack={manifest} />
      {considered === id && !pack.current && <Plan pack={pack} tight={tight} />}
      {deleting && (
        <div className="plan" role="group" aria-label={t('Delete {{name}}', { name: manifest.name })}>
          <p>{pack.encoded.clips === 0 ? t('This frees {{size}}. Captions and decisions stay.', { size: bytes(pack.bytes) }) : t('This frees {{size}}, and what it has encoded in this library is forgotten. Captions and decisions stay.', { size: bytes(pack.bytes) })}</p>
          <div className="row">
            <button className="primary" onClick={() => void act(call('deletePack', { params: { packId: id } })).then(() => setDeleting(false))}>{t('Delete')}</button>
            <button onClick={() => setDeleting(false)}>{t('Keep')}</button>
          </div>
        </div>
      )}
    </li>
  )
}

function memory({ memory: { bytes: needed } }: InstalledPack, { memoryFree }: PackOverview['machine']) {
  return { needed: bytes(needed), free: bytes(memoryFree) }
}

function Fact({ name, warn = false, children }: { name: string; warn?: boolean; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className={warn ? 'num unsure' : 'num'}>{children}</dd>
    </div>
  )
}

/** What a switch costs and changes, said before it starts. */
function Plan({ pack, tight }: { pack: InstalledPack; tight: boolean }) {
  const { data: plan } = usePlan(pack.id)
  const set = usePacksUi((ui) => ui.set)
  const leave = () => set({ considered: null })
  if (!plan) return null
  const { missing, ready, losses } = plan
  const { clips: count, estimate } = missing
  const [minutes, size, time] = [number(missing.videoSeconds / 60, 1), bytes(missing.bytes), about(estimate?.seconds ?? 0)]
  return (
    <div className="plan" role="group" aria-label={t('Before you switch')}>
      <ul className="bullets">
        {missing.clips > 0 ? (
          <li>
            {estimate === null
              ? t('{{count}} clips ({{minutes}} min of video) must be encoded with it, which takes {{size}} in the library. How long that takes was not measured on this computer.', { count, minutes, size })
              : estimate.from === 'here'
                ? t('{{count}} clips ({{minutes}} min of video) must be encoded with it: {{time}} by what it took on this computer before, and {{size}} in the library.', { count, minutes, time, size })
                : t('{{count}} clips ({{minutes}} min of video) must be encoded with it: {{time}}, reckoned from one clip on this computer, and {{size}} in the library.', { count, minutes, time, size })}
          </li>
        ) : (
          <li>{t('Nothing must be encoded: it can be used at once.')}</li>
        )}
        {ready > 0 && missing.clips > 0 && <li>{t('{{count}} clips are encoded with it already and can be searched at once.', { count: ready })}</li>}
        {losses.length > 0 && <li>{t('It does not give all that the pack in use gives; missing: {{tasks}}.', { tasks: losses.map((task) => t(TASKS[task])).join(', ') })}</li>}
        {tight && <li className="unsure">{t('It needs most of this computer\'s memory; everything may become slow.')}</li>}
        <li>{t('What you accepted, edited or rejected stays, and so does what the other packs have encoded: going back is free.')}</li>
      </ul>
      <div className="row">
        <button className="primary" onClick={() => void act(call('usePack', { params: { packId: pack.id } })).then(leave)}>{t('Switch now')}</button>
        <button onClick={leave}>{t('Not now')}</button>
      </div>
    </div>
  )
}

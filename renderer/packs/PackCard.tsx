import { Check, Minus, Trash2 } from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import type { InstalledPack, PackOverview } from '../../app/contract/packs.ts'
import { TASKS } from '../../app/pack/base.ts'
import { does } from '../../app/pack/pack.ts'
import { nounOf } from '../../app/words.ts'
import { call } from '../api.ts'
import { about, bytes, number } from '../format.ts'
import { t, useLanguage } from '../i18n.ts'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { Scores } from './Scores.tsx'
import { describe, packText, TASK_NAMES } from './describe.ts'
import { Plan } from './Plan.tsx'
import { act } from './queries.ts'
import { usePacksUi } from './store.ts'

/** One pack on this machine: its abilities, its cost, its measured quality, and its actions. */
export function PackCard({ pack, overview: { machine, packs } }: { pack: InstalledPack; overview: PackOverview }) {
  const { considered, made, set } = usePacksUi()
  const card = useRef<HTMLLIElement>(null)
  const [deleting, setDeleting] = useState(false)
  const { manifest, id } = pack
  const planned = considered?.packId === id && considered.task === null
  useEffect(() => {
    if (made !== id) return
    card.current?.scrollIntoView({ block: 'nearest' })
    set({ made: null })
  }, [made, id, set])
  if (pack.problem || !manifest) {
    return (
      <li className="panel">
        {pack.problem && (
          <ProblemCard problem={pack.problem}>
            <button onClick={() => void act(call('deletePack', { params: { packId: id } }))}>{t('Delete')}</button>
          </ProblemCard>
        )}
      </li>
    )
  }
  const tight = pack.memory.bytes > machine.memoryTotal * 0.8
  const inUse = pack.does.length > 0
  // Where a detector does the boxes, a MaMMUT can only take them over in the row of that task.
  const detected = packs.some((other) => other.manifest?.family === 'detector' && other.does.includes('boxes'))
  const idle = manifest.tasks.some((task) => !pack.does.includes(task) && !(task === 'boxes' && manifest.family === 'mammut' && detected))
  return (
    <li ref={card} className="panel" aria-label={manifest.name} data-current={inUse}>
      <div className="row">
        <h4 className="grow">
          {manifest.name} <span className="muted num">{manifest.version}</span>
          {packs.some((other) => other.id !== id && other.manifest?.name === manifest.name) && (
            <span className="muted mono small"> {id}</span>
          )}
        </h4>
        {inUse && (
          <span className="chip" data-state="analysing">
            {t('In use: {{tasks}}', { tasks: pack.does.map((task) => t(TASK_NAMES[task])).join(', ') })}
          </span>
        )}
        {pack.bundled && <span className="chip">{t('Comes with Tubelet')}</span>}
        {idle && !planned && <button onClick={() => set({ considered: { packId: id, task: null } })}>{t('Use this pack')}</button>}
        {!pack.bundled && !inUse && (
          <button
            className="icon"
            aria-label={t('Delete {{name}}', { name: manifest.name })}
            title={t('Delete {{name}}', { name: manifest.name })}
            onClick={() => setDeleting(true)}
          >
            <Trash2 size={15} />
          </button>
        )}
      </div>
      <p>{describe(manifest)}</p>
      <ul className="tasks" aria-label={t('What it can do')}>
        {TASKS.map((task) => {
          const can = does(manifest, task)
          return (
            <li key={task} data-can={can}>
              {can ? <Check size={13} aria-hidden /> : <Minus size={13} aria-hidden />}
              {can ? t(TASK_NAMES[task]) : t('No {{task}}', { task: t(TASK_NAMES[task]) })}
            </li>
          )
        })}
      </ul>
      <dl className="facts">
        <Fact name={t('On disk')}>{bytes(pack.bytes)}</Fact>
        <Fact name={t('Memory')} warn={tight}>
          {pack.memory.measured
            ? t('{{needed}}, measured; {{free}} are free', memory(pack, machine))
            : t('about {{needed}}; {{free}} are free', memory(pack, machine))}
        </Fact>
        {pack.secondsPerClip !== null && <Fact name={t('A clip takes')}>{about(pack.secondsPerClip)}</Fact>}
        <Fact name={t('Seen here')}>
          {pack.encoded.clips === 0
            ? t('nothing yet')
            : t('{{count}} clips, {{size}}', { count: pack.encoded.clips, size: bytes(pack.encoded.bytes) })}
        </Fact>
        {manifest.family === 'mammut' && manifest.words && <Fact name={t('Words it learnt')}>{number(manifest.words.length)}</Fact>}
        <Fact name={t('Licence')}>{packText(manifest.licence)}</Fact>
      </dl>
      {manifest.family === 'detector' && <Names classes={manifest.classes} />}
      <Scores pack={manifest} />
      {planned && <Plan packId={id} task={null} />}
      {deleting && (
        <div className="plan" role="group" aria-label={t('Delete {{name}}', { name: manifest.name })}>
          <p>
            {pack.encoded.clips === 0
              ? t('This frees {{size}}. Captions and decisions stay.', { size: bytes(pack.bytes) })
              : t('This frees {{size}}, and what it has encoded in this library is forgotten. Captions and decisions stay.', {
                  size: bytes(pack.bytes),
                })}
          </p>
          <div className="row">
            <button
              className="primary"
              onClick={() => void act(call('deletePack', { params: { packId: id } })).then(() => setDeleting(false))}
            >
              {t('Delete')}
            </button>
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

/** The closed list of a detector: it finds nothing else. */
function Names({ classes }: { classes: readonly string[] }) {
  const language = useLanguage((now) => now.language)
  return (
    <details>
      <summary>{t('The {{count}} things that it knows', { count: classes.length })}</summary>
      <p className="small">{classes.map((name) => nounOf(name, language).one).join(', ')}</p>
    </details>
  )
}

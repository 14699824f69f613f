import { FolderInput } from 'lucide-react'
import { Precision } from '../../app/contract/packs.ts'
import { problemOf } from '../../app/errors.ts'
import { call } from '../api.ts'
import { bytes } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { PathPicker } from '../parts/AddDialog.tsx'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { Catalogue } from './Catalogue.tsx'
import { PackCard } from './PackCard.tsx'
import { NotEncoded } from './NotEncoded.tsx'
import { act, importFile, usePacks } from './queries.ts'
import { usePacksUi } from './store.ts'
import { Tasks } from './Tasks.tsx'
import { Works } from './Works.tsx'
import './packs.css'

const PRECISIONS: Record<Precision, string> = {
  fp32: phrase('full precision, as published'),
  fp16: phrase('half precision, half the room'),
  int8: phrase('8 bits, a quarter of the room, less exact'),
}

/** The models: which one does what, which are on this machine, what they can do, and how to get others. */
export function PacksPage() {
  const { data, error } = usePacks()
  const { choosing, refused, precision, set } = usePacksUi()
  return (
    <main className="page packs">
      <header className="row">
        <div className="grow">
          <h2>{t('Packs')}</h2>
          <p className="muted">
            {t('Packs are the models that watch your videos: each does one task or several, on this computer alone.')}
          </p>
        </div>
        <label className="row small">
          {t('Store weights in')}
          <select value={precision} onChange={({ target }) => set({ precision: Precision.parse(target.value) })}>
            {Precision.options.map((option) => (
              <option key={option} value={option}>
                {t(PRECISIONS[option])}
              </option>
            ))}
          </select>
        </label>
        <button className="primary" onClick={() => set({ choosing: !choosing, refused: [] })} aria-expanded={choosing}>
          <FolderInput size={15} aria-hidden />
          {t('Import a file')}
        </button>
      </header>
      {choosing && (
        <section className="panel" aria-label={t('Import a file')}>
          <p>
            {t(
              'Choose the .safetensors file of a model (openMaMMUT, OWL-ViT, OWLv2, SmolVLM2), its folder, or a pack folder. You can also drop it on this window.',
            )}
          </p>
          <PathPicker action={t('Import')} onChoose={(path) => void importFile(path)} files="any" />
        </section>
      )}
      {refused.map((problem, nth) => (
        <ProblemCard key={nth} problem={problem}>
          <button onClick={() => set({ refused: refused.toSpliced(nth, 1) })}>{t('Put away')}</button>
        </ProblemCard>
      ))}
      {error && !data && <ProblemCard problem={problemOf(error)} />}
      {data && (
        <>
          <Works overview={data} />
          {data.lost !== null && (
            <p className="note">
              {t(
                'The pack “{{lost}}” that this library used is not on this computer any more, so the one that comes with Tubelet is used.',
                { lost: data.lost },
              )}
            </p>
          )}
          <Tasks overview={data} />
          <NotEncoded />
          <section>
            <h3>{t('On this computer')}</h3>
            <ul className="cards">
              {data.packs.map((pack) => (
                <PackCard key={pack.id} pack={pack} overview={data} />
              ))}
            </ul>
            {data.orphans.clips > 0 && (
              <p className="row small muted">
                {t('{{size}} of this library are encodings of packs that are not here.', { size: bytes(data.orphans.bytes) })}
                <button className="quiet small" onClick={() => void act(call('forgetOrphans'))}>
                  {t('Remove them')}
                </button>
              </p>
            )}
          </section>
          <Catalogue overview={data} />
          <p className="muted small">{t('Imported packs lie in {{folder}}.', { folder: data.machine.folder })}</p>
        </>
      )}
    </main>
  )
}

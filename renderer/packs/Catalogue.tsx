import { Check, Download } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import { type CatalogueEntry, engineMemory } from '../../app/catalogue.ts'
import type { PackOverview } from '../../app/contract/packs.ts'
import { call } from '../api.ts'
import { about, bytes } from '../format.ts'
import { t } from '../i18n.ts'
import { TASK_NAMES } from './describe.ts'
import { act } from './queries.ts'
import { usePacksUi } from './store.ts'

/** Checkpoints to download, with what is known about each, and the switch that allows downloads. */
export function Catalogue({ overview }: { overview: PackOverview }) {
  const { catalogue, networkAllowed, machine } = overview
  return (
    <section>
      <h3>{t('To be had')}</h3>
      <p>
        {t(
          'Models that others trained on large collections of pictures from the web. What they do, their licences and their scores are as their makers state them; nothing was measured here.',
        )}{' '}
        {t(
          "The addresses follow the names that such files usually have, and were not tried: where one leads nowhere, the model's page has the right one.",
        )}
      </p>
      <div className="panel row settings">
        <label className="row grow">
          <input
            type="checkbox"
            role="switch"
            checked={networkAllowed}
            onChange={({ target }) => void act(call('setNetwork', { body: { allowed: target.checked } }))}
          />
          <span>
            <strong>{t('Allow downloads')}</strong>
            <span className="muted small">
              {' '}
              {networkAllowed
                ? t('Only what you start here is fetched. Nothing about your videos leaves this computer.')
                : t('Off: Tubelet does not use the network. A file that you bring can be imported all the same.')}
            </span>
          </span>
        </label>
      </div>
      <ul className="cards">
        {catalogue.map((entry) => (
          <Entry key={entry.repo} entry={entry} overview={overview} />
        ))}
        <OtherAddress allowed={networkAllowed} />
      </ul>
      <p className="muted small">
        {t('{{free}} are free on the disk. A download needs its own size, and as much again while it is converted.', {
          free: bytes(machine.diskFree),
        })}
      </p>
    </section>
  )
}

function Entry({ entry, overview: { machine, networkAllowed, works } }: { entry: CatalogueEntry; overview: PackOverview }) {
  const [accepted, setAccepted] = useState(false)
  const { repo, page, address, network, pixels, trainedOn, bytes: size, licence, scores, sha256, tasks, cost } = entry
  const precision = usePacksUi((ui) => ui.precision)
  const busy = works.some(({ url, problem }) => url === address && problem === null)
  const tooLarge = size !== null && size * 2 > machine.diskFree
  return (
    <li className="panel" aria-label={repo}>
      <h4 className="break">{repo}</h4>
      <p className="muted small">
        {[network, pixels === null ? null : t('{{pixels}} pixels', { pixels }), trainedOn].filter(Boolean).join(' · ')}
      </p>
      <ul className="tasks" aria-label={t('What it can do')}>
        {tasks.map((task) => (
          <li key={task} data-can>
            <Check size={13} aria-hidden />
            {t(TASK_NAMES[task])}
          </li>
        ))}
      </ul>
      <dl className="facts">
        <div>
          <dt>{t('Download')}</dt>
          <dd className={tooLarge ? 'num unsure' : 'num'}>
            {size === null ? t('size not known') : t('{{size}}; {{free}} are free', { size: bytes(size), free: bytes(machine.diskFree) })}
          </dd>
        </div>
        {size !== null && (
          <div>
            <dt>{t('Memory')}</dt>
            <dd className="num">
              {t('about {{needed}}; {{free}} are free', {
                needed: bytes(cost?.memory ?? engineMemory(size)),
                free: bytes(machine.memoryFree),
              })}
            </dd>
          </div>
        )}
        <div>
          <dt>{t('A clip takes')}</dt>
          <dd className="num">
            {cost === null
              ? t('not known; measured at the import')
              : t('{{time}} for 8 seconds of video on two cores; not measured here', { time: about(cost.secondsPerClip) })}
          </dd>
        </div>
        <div>
          <dt>{t('Licence')}</dt>
          <dd>{licence ?? t('not known to Tubelet; its page says it')}</dd>
        </div>
        <div>
          <dt>{t('Checksum')}</dt>
          <dd>{sha256 === null ? t('not known to Tubelet; that of the file is recorded') : t('checked')}</dd>
        </div>
        {scores.map(({ measure, value }) => (
          <div key={measure}>
            <dt>{measure}</dt>
            <dd className="num">{value}</dd>
          </div>
        ))}
        <div className="wide">
          <dt>{t('Page')}</dt>
          <dd className="mono">{page}</dd>
        </div>
      </dl>
      {address === null ? (
        <p className="small">
          {t(
            "Its files are PyTorch's (.pt), which Tubelet does not open. Where Python is: python -m models.openmammut convert FILE --out model.safetensors, then import that file.",
          )}
        </p>
      ) : (
        <div className="row">
          <label className="row grow small">
            <input type="checkbox" checked={accepted} onChange={({ target }) => setAccepted(target.checked)} />
            {t('I have read the licence on its page and accept it')}
          </label>
          <button
            disabled={!networkAllowed || !accepted || busy}
            title={networkAllowed ? address : t('Downloads are switched off')}
            onClick={() => void act(call('downloadPack', { body: { url: address, precision } }))}
          >
            <Download size={15} aria-hidden />
            {t('Download and import')}
          </button>
        </div>
      )}
    </li>
  )
}

/** Files move: a field for the address that the model's page gives today. */
function OtherAddress({ allowed }: { allowed: boolean }) {
  const [url, setUrl] = useState('')
  const [sum, setSum] = useState('')
  const precision = usePacksUi((ui) => ui.precision)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const sha256 = sum.trim().toLowerCase()
    const fetched = call('downloadPack', { body: { url: url.trim(), precision, ...(sha256 === '' ? {} : { sha256 }) } })
    void act(fetched)
    // A refused address stays in the field, to be corrected.
    void fetched.then(
      () => {
        setUrl('')
        setSum('')
      },
      () => undefined,
    )
  }
  return (
    <li className="panel">
      <h4>{t('From another address')}</h4>
      <form className="row" onSubmit={submit}>
        <input
          className="grow"
          type="url"
          aria-label={t('Address of a .safetensors file')}
          value={url}
          onChange={({ target }) => setUrl(target.value)}
          disabled={!allowed}
        />
        <input
          className="grow mono"
          aria-label={t('SHA-256, if its page gives one')}
          placeholder={t('SHA-256, if its page gives one')}
          title={t('64 digits and letters from a to f')}
          pattern="\s*[0-9a-fA-F]{64}\s*"
          value={sum}
          onChange={({ target }) => setSum(target.value)}
          disabled={!allowed}
        />
        <button disabled={!allowed || url.trim() === ''}>{t('Download and import')}</button>
      </form>
      {!allowed && <p className="muted small">{t('Downloads are switched off')}</p>}
    </li>
  )
}

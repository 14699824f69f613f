import { useMutation, useQuery } from '@tanstack/react-query'
import { CircleCheck, CircleX } from 'lucide-react'
import { useId, useState } from 'react'
import type { Diagnostics as Facts, ProviderTrial } from '../../app/contract/system.ts'
import { problemOf } from '../../app/errors.ts'
import { call } from '../api.ts'
import { bytes, number } from '../format.ts'
import { phrase, shown, t } from '../i18n.ts'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { describe, packText } from '../packs/describe.ts'
import { Scores } from '../packs/Scores.tsx'
import { useStatus } from '../cache.ts'
import { toast } from '../toast.ts'
import { report } from './report.ts'

const OUTCOMES: Record<ProviderTrial['outcome'], string> = {
  used: phrase('in use'),
  absent: phrase('not on this computer'),
  slow: phrase('works, but slower here'),
  broken: phrase('not to be trusted here'),
}

/** What Tubelet runs on, for troubleshooting; a report of it can be copied. */
export function Diagnostics() {
  const id = useId()
  const { data: status } = useStatus()
  const { data: facts, error } = useQuery({
    queryKey: ['diagnostics', status?.engine.state],
    queryFn: () => call('diagnostics'),
    staleTime: 0,
  })
  const [withPaths, setWithPaths] = useState(false)
  const copy = () => {
    if (status && facts) void navigator.clipboard.writeText(report(status, facts, withPaths)).then(() => toast(t('Report copied')))
  }
  return (
    <section aria-labelledby={id} className="diagnostics">
      <h3 id={id}>{t('Diagnostics')}</h3>
      <p>{status && shown(status.engine.sentence)}</p>
      {status?.engine.problem && <ProblemCard problem={status.engine.problem} />}
      {status?.ffmpegProblem && <ProblemCard problem={status.ffmpegProblem} />}
      {error && <ProblemCard problem={problemOf(error)} />}
      <SelfTest ready={status?.engine.state === 'ready'} />
      {facts && <FactList facts={facts} />}
      <ModelScores />
      <div className="row">
        <button className="primary" disabled={!facts} onClick={copy}>
          {t('Copy report')}
        </button>
        <label className="row">
          <input type="checkbox" checked={withPaths} onChange={({ target }) => setWithPaths(target.checked)} />
          {t('With the paths of files and folders')}
        </label>
      </div>
    </section>
  )
}

function SelfTest({ ready }: { ready: boolean }) {
  const { mutate, data, error, isPending } = useMutation({ mutationFn: () => call('selfTest') })
  return (
    <div className="row self-test">
      <button disabled={!ready || isPending} onClick={() => mutate()}>
        {isPending ? t('Testing…') : t('Run the self-test now')}
      </button>
      <span role="status">
        {data &&
          (data.wrong === null ? (
            <span className="good">
              <CircleCheck size={15} aria-hidden />
              {t('The model gives its known answers ({{seconds}} s).', { seconds: number(data.seconds, 1) })}
            </span>
          ) : (
            <span className="failure">
              <CircleX size={15} aria-hidden />
              {t('The model does not give its known answers: {{what}}. Restart Tubelet; if it stays so, install the pack again.', {
                what: data.wrong,
              })}
            </span>
          ))}
      </span>
      {error && <ProblemCard problem={problemOf(error)} />}
    </div>
  )
}

function FactList({ facts: { versions, processor, ffmpeg, engines, memory, disk } }: { facts: Facts }) {
  const missing = ffmpeg?.decoders.filter(({ works }) => !works).map(({ codec }) => codec) ?? []
  return (
    <dl className="facts">
      <dt>ffmpeg</dt>
      <dd>
        {ffmpeg ? (
          <>
            {ffmpeg.version} · {t('licence {{licence}}', { licence: ffmpeg.licence })} · <span className="mono">{ffmpeg.path}</span>
            <br />
            {t('Reads {{codecs}}', {
              codecs: ffmpeg.decoders
                .filter(({ works }) => works)
                .map(({ codec }) => codec)
                .join(', '),
            })}
            {missing.length > 0 && (
              <>
                <br />
                <span className="failure">{t('Does not read {{codecs}}', { codecs: missing.join(', ') })}</span>
              </>
            )}
            <br />
            {ffmpeg.fence.memory === null
              ? t('This system offers no limit of memory for a hostile file.')
              : t('A hostile file gets at most {{memory}} of memory', { memory: bytes(ffmpeg.fence.memory) })}
            {' · '}
            {ffmpeg.fence.noNetwork ? t('its reader has no network') : t('this system does not keep its reader from the network')}
            {' · '}
            {ffmpeg.fence.noFiles
              ? t('its reader can open no other file')
              : t('this system does not keep its reader from your other files')}
            {ffmpeg.ffprobe === null && (
              <>
                <br />
                {t('ffprobe is missing; ffmpeg itself reads what it would say.')}
              </>
            )}
          </>
        ) : (
          t('not found')
        )}
      </dd>
      <dt>{t('Runs on')}</dt>
      <dd>
        {engines.length === 0
          ? t('no engine is running')
          : engines.map(({ pack, provider, threads }) => (
              <div key={pack}>
                {pack}: {[provider, t('{{count}} threads', { count: threads })].join(', ')}
              </div>
            ))}
      </dd>
      <dt>{t('Tried')}</dt>
      <dd>
        {engines.map(({ pack, tried }) => (
          <div key={pack}>
            {pack}:{' '}
            {tried
              .map(
                ({ provider, outcome, details }) =>
                  `${provider} ${t(OUTCOMES[outcome])}${outcome === 'broken' && details !== '' ? ` (${details})` : ''}`,
              )
              .join('; ')}
          </div>
        ))}
      </dd>
      <dt>{t('Processor')}</dt>
      <dd>{[processor.name, t('{{count}} threads', { count: processor.threads })].join(', ')}</dd>
      <dt>{t('Memory')}</dt>
      <dd>
        {t('{{free}} free of {{total}}; {{host}} used by Tubelet without its model', {
          free: bytes(memory.free),
          total: bytes(memory.total),
          host: bytes(memory.host),
        })}
      </dd>
      <dt>{t('Disk')}</dt>
      <dd>
        {t('library {{library}}, pictures that can be made again {{cache}}, {{free}} free', {
          library: bytes(disk.library),
          cache: bytes(disk.cache),
          free: bytes(disk.free),
        })}
      </dd>
      <dt>{t('Library')}</dt>
      <dd className="mono">{disk.path}</dd>
      <dt>{t('Versions')}</dt>
      <dd>
        {[
          `Tubelet ${versions.tubelet}`,
          `Node ${versions.node}`,
          ...(versions.electron === null ? [] : [`Electron ${versions.electron}`]),
          `SQLite ${versions.sqlite}`,
          versions.system,
        ].join(' · ')}
      </dd>
    </dl>
  )
}

/** How good the models in use are: only their own measured scores. */
function ModelScores() {
  const packs = Object.values(useStatus().data?.packs ?? {}).flatMap((pack) => pack ?? [])
  return [...new Map(packs.map(({ digest, manifest }) => [digest, manifest]))].map(([digest, pack]) => (
    <details className="scores" key={digest}>
      <summary>{t('Model: {{name}} {{version}}, with its scores', { name: pack.name, version: pack.version })}</summary>
      <p>{describe(pack)}</p>
      <Scores pack={pack} />
      <p className="muted small">
        {t('Licence {{licence}}. Learnt from {{data}}.', {
          licence: packText(pack.licence),
          data: pack.data.map(({ name, licence }) => `${name} (${licence})`).join(', '),
        })}
      </p>
    </details>
  ))
}

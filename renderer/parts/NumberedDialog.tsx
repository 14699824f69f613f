import { type SubmitEvent, useState } from 'react'
import { gapsText } from '../../app/numbered.ts'
import { addAny } from '../drop.ts'
import { clock } from '../format.ts'
import { t } from '../i18n.ts'
import { useUi } from '../store.ts'
import { Dialog } from './Dialog.tsx'

/** Usual frame rates of numbered pictures: one per second and less for things that grow or move slowly, the others for films. */
const RATES = [1, 5, 10, 15, 24, 25, 29.97, 30, 50, 60]
const USUAL = 25

/** Asks which of the numbered pictures that were added are a video, and at which frame rate. */
export function NumberedDialog() {
  const { offered, open } = useUi()
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  const [rate, setRate] = useState(String(USUAL))
  const [gaps, setGaps] = useState<'join' | 'split'>('join')
  const chosen = offered.filter(({ path }) => !left.has(path))
  const perSecond = Number(rate.replace(',', '.'))
  const isRate = perSecond >= 0.0001 && perSecond <= 1000
  const hasGaps = chosen.some(({ missing }) => missing > 0)
  const videos = chosen.reduce((sum, offer) => sum + (gaps === 'split' ? offer.gaps.length : 0) + 1, 0)
  const pictures = chosen.reduce((sum, { count }) => sum + count, 0)
  const add = (event: SubmitEvent) => {
    event.preventDefault()
    open(null)
    void addAny(
      chosen.map(({ path }) => path),
      { frameRate: perSecond, gaps },
    )
  }
  return (
    <Dialog title={t('Numbered pictures')} wide>
      <form className="numbered" onSubmit={add}>
        <p>{t('These pictures are numbered. As a video they are shown one after the other; their files stay as they are.')}</p>
        <ul className="plain">
          {offered.map(({ path, count, first, last, missing, gaps: between }) => (
            <li key={path}>
              <label title={path}>
                <input
                  type="checkbox"
                  checked={!left.has(path)}
                  onChange={({ target }) => {
                    const next = new Set(left)
                    if (target.checked) next.delete(path)
                    else next.add(path)
                    setLeft(next)
                  }}
                />
                <span>
                  <strong>{t('{{first}} to {{last}}', { first, last })}</strong>
                  <span className="muted small">
                    {[
                      t('{{count, number}} pictures', { count }),
                      ...(missing > 0
                        ? [
                            t('{{count, number}} numbers are missing between them: {{numbers}}', {
                              count: missing,
                              numbers: gapsText(between),
                            }),
                          ]
                        : []),
                    ].join(' · ')}
                  </span>
                </span>
              </label>
            </li>
          ))}
        </ul>
        {hasGaps && (
          <fieldset className="row">
            <legend>{t('Where numbers are missing')}</legend>
            {(
              [
                ['join', t('one video over the gap')],
                ['split', t('a video of each part')],
              ] as const
            ).map(([how, said]) => (
              <label key={how} className="row">
                <input type="radio" name="gaps" checked={gaps === how} onChange={() => setGaps(how)} />
                {said}
              </label>
            ))}
          </fieldset>
        )}
        <div className="row">
          <label className="row">
            {t('Pictures a second')}
            <input
              className="num"
              value={rate}
              onChange={({ target }) => setRate(target.value)}
              list="numbered-rates"
              inputMode="decimal"
              aria-invalid={!isRate}
            />
          </label>
          <datalist id="numbered-rates">
            {RATES.map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
          <span className="muted" role="status">
            {isRate ? t('{{length}} of video', { length: clock(pictures / perSecond, 1) }) : t('A number such as 25, 29.97 or 0.5')}
          </span>
        </div>
        <div className="row actions">
          <button type="button" onClick={() => open(null)}>
            {t('Not now')}
          </button>
          <button className="primary" type="submit" disabled={!isRate || chosen.length === 0}>
            {t('Add as {{count}} videos', { count: videos })}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

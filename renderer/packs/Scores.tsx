import type { PackManifest } from '../../app/pack/pack.ts'
import { type Kind, tell } from '../../app/scores.ts'
import { number, percent } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { doubts, packText } from './describe.ts'

const KINDS: Record<Kind, string> = {
  what: phrase('what something is'),
  colour: phrase('colours'),
  count: phrase('how many'),
  direction: phrase('which way things move'),
  speed: phrase('how fast'),
  size: phrase('sizes'),
  where: phrase('where something is'),
  camera: phrase('what the camera does'),
  'before-after': phrase('before and after'),
  yesno: phrase('yes or no'),
}

/** A pack's measured scores and nothing else: as sentences and as a table. */
export function Scores({ pack }: { pack: PackManifest }) {
  const { scores } = pack
  const told = tell(scores)
  const doubt = doubts(pack)
  if (!told) return <p className="muted">{t('No scores were measured for this pack: how often it is right is not known.')}</p>
  const { answers, sure, good, poor, search, captions, boxes, on } = told
  const list = (kinds: typeof good) => kinds.map(({ kind, right }) => `${t(KINDS[kind])} (${percent(right)})`).join(', ')
  return (
    <>
      <ul className="bullets">
        {answers !== undefined && (
          <li>
            {t('Of its answers {{right}} are right.', { right: percent(answers) })}{' '}
            {sure &&
              sure.share > 0 &&
              (doubt === null
                ? t('It is sure of {{share}} of them, and of those {{right}} are right.', {
                    share: percent(sure.share),
                    right: percent(sure.right),
                  })
                : t('Above its line of “not sure” are {{share}} of them, and of those {{right}} are right.', {
                    share: percent(sure.share),
                    right: percent(sure.right),
                  }))}
            {sure?.share === 0 && t('It is never sure of one.')}
          </li>
        )}
        {good.length > 0 && <li>{t('Best at: {{kinds}}.', { kinds: list(good) })}</li>}
        {poor.length > 0 && <li>{t('Seldom right, or hardly better than a guess: {{kinds}}.', { kinds: list(poor) })}</li>}
        {captions && (
          <li>
            {t(
              'Its captions name the right colour in {{colour}}, the right thing in {{thing}} and the right direction in {{direction}} of clips.',
              { colour: percent(captions.colour), thing: percent(captions.thing), direction: percent(captions.direction) },
            )}
          </li>
        )}
        {search && (
          <li>
            {t(
              'Searched with its own caption, a clip comes first among {{among}} in {{first}} of searches and under the first ten in {{ten}}.',
              { among: number(search.among), first: percent(search.first), ten: percent(search.ten) },
            )}
          </li>
        )}
        {boxes && 'all' in boxes && <li>{t('Its boxes: {{all}} average precision (AP50).', { all: percent(boxes.all) })}</li>}
        {boxes && 'known' in boxes && (
          <li>
            {t('Boxes of names that it learnt: {{known}} average precision (AP50).', { known: percent(boxes.known) })}{' '}
            {boxes.novel !== null && t('Of names that it did not learn: {{novel}}.', { novel: percent(boxes.novel) })}
          </li>
        )}
        {doubt !== null && <li>{doubt}</li>}
        <li className="muted">
          {on === 'generated validation video'
            ? t('All this on composed video like that which it learnt from; on real footage it is right less often.')
            : t('Measured on: {{on}}.', { on: packText(on) })}
        </li>
      </ul>
      <details>
        <summary>{t('{{count}} measured scores', { count: scores.length })}</summary>
        <div className="scores">
          <table>
            <thead>
              <tr>
                <th>{t('Task')}</th>
                <th>{t('Measure')}</th>
                <th>{t('Score')}</th>
                <th>{t('On')}</th>
              </tr>
            </thead>
            <tbody>
              {scores.map(({ task, metric, value, n, on: set, date }) => (
                <tr key={`${task} ${metric} ${set}`}>
                  <td>{task}</td>
                  <td>{metric}</td>
                  <td className="num">{number(value, 3)}</td>
                  <td className="muted">
                    {number(n)} × {packText(set)}, {date}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  )
}

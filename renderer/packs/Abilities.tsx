import { Check, Minus } from 'lucide-react'
import { t } from '../i18n.ts'
import { usePackOf } from '../cache.ts'
import { useUi } from '../store.ts'

/** What the packs in use can and cannot recognise in a video. */
export function Abilities() {
  const [boxes, text, caption, answer] = [usePackOf('boxes'), usePackOf('text'), usePackOf('caption'), usePackOf('answer')]
  const goTo = useUi((ui) => ui.goTo)
  if (boxes === undefined || text === undefined || caption === undefined || answer === undefined) return null
  const detector = boxes?.manifest.family === 'detector' ? boxes.manifest : null
  const guessing = [caption, answer].flatMap((pack) =>
    pack?.manifest.family === 'mammut' && pack.manifest.calibration.familiar?.taught === null ? [pack.manifest.name] : [],
  )[0]
  const can = [
    detector !== null &&
      t(
        'See {{count}} kinds of things, such as people, cars, dogs and cups, and follow them: when, where, how many, which colour, which way',
        { count: detector.classes.length },
      ),
    detector === null && boxes !== null && t('Look for what you name, as well as {{pack}} learnt it', { pack: boxes.manifest.name }),
    text !== null && t('Read text on screen'),
    t('Tell what the camera does, and dark, black and frozen pictures'),
    t('Answer questions about all this, search it and count it'),
  ].filter((line) => line !== false)
  const cannot = [
    detector !== null && t('See anything that is not one of the {{count}} kinds', { count: detector.classes.length }),
    boxes === null && t('Find things: no pack does it'),
    text === null && t('Read text: no pack does it'),
    t('Tell what somebody does or who it is, and what is heard'),
    guessing !== undefined &&
      t('Write free captions and answer any question: {{pack}} only guesses, until you teach it or bring another pack', { pack: guessing }),
  ].filter((line) => line !== false)
  return (
    <section className="abilities" aria-label={t('What the packs here can do')}>
      <List title={t('The packs here can')} lines={can} able />
      <List title={t('They cannot')} lines={cannot} able={false} />
      <button className="quiet small" onClick={() => goTo('packs')}>
        {t('Packs: who does what, how well, and how to get more')}
      </button>
    </section>
  )
}

function List({ title, lines, able }: { title: string; lines: readonly string[]; able: boolean }) {
  return (
    <div>
      <h3>{title}</h3>
      <ul data-can={able}>
        {lines.map((line) => (
          <li key={line}>
            {able ? <Check size={14} aria-hidden /> : <Minus size={14} aria-hidden />}
            <span>{line}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}

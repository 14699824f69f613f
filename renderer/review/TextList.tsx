import { useState } from 'react'
import type { TextAnnotation } from '../../app/annotation.ts'
import { clock } from '../format.ts'
import { t } from '../i18n.ts'
import { Review, Standing, useTextEdit } from './Statement.tsx'
import { endTime, showFrame, timeOf } from '../player.ts'
import { useFrames, usePackOf } from '../cache.ts'
import { useUi } from '../store.ts'
import { chooseTrack } from './tracks.ts'

/** Number listed before "more" is needed. */
const FIRST = 8

/** The text on the picture, line by line in time order, each with its time; the box of the selected line is shown on the picture. */
export function TextList({ texts }: { texts: readonly TextAnnotation[] }) {
  const [all, setAll] = useState(false)
  const reads = usePackOf('text') !== null
  if (texts.length === 0 && reads) return null
  const inOrder = texts.toSorted((a, b) => a.body.span.startFrame - b.body.span.startFrame || a.body.box.y1 - b.body.box.y1)
  return (
    <section>
      <h3>
        {t('Text on screen')} <span className="muted num">{texts.length > 0 ? texts.length : ''}</span>
      </h3>
      {!reads && texts.length === 0 && <p className="muted">{t('No pack reads text in this library: see Packs.')}</p>}
      <ul className="plain">
        {(all ? inOrder : inOrder.slice(0, FIRST)).map((text) => (
          <TextItem key={text.id} text={text} />
        ))}
      </ul>
      {!all && texts.length > FIRST && (
        <button className="quiet small" onClick={() => setAll(true)}>
          {t('Show all {{count}}', { count: texts.length })}
        </button>
      )}
    </section>
  )
}

function TextItem({ text }: { text: TextAnnotation }) {
  const { id, body, state } = text
  const { data: frames } = useFrames(useUi((ui) => ui.sourceId))
  const selected = useUi((ui) => ui.trackId === id)
  const { form, edit } = useTextEdit(text)
  const there = frames && frames.pts.length > 0
  const choose = () => {
    chooseTrack(id)
    if (there) showFrame(frames, body.span.startFrame)
  }
  if (form) return <li className="statement">{form}</li>
  return (
    <li className="text-item" data-state={state} data-annotation={id} aria-current={selected}>
      <button className="quiet grow" title={t('Go there')} onClick={choose}>
        {there && (
          <span className="muted num">
            {clock(timeOf(frames, body.span.startFrame), 1)}–
            {clock(endTime(frames, body.span.endFrame, timeOf(frames, frames.pts.length - 1)), 1)}
          </span>
        )}
        <span className="read">{body.text}</span>
      </button>
      {state !== 'machine' && <Standing annotation={text} />}
      <Review annotation={text} onEdit={edit} />
    </li>
  )
}

import { useState } from 'react'
import type { TextAnnotation } from '../../app/annotation.ts'
import { said } from '../../app/phrase.ts'
import { clock } from '../format.ts'
import { t } from '../i18n.ts'
import { Review, Standing, TextForm } from './Statement.tsx'
import { endTime, showFrame, timeOf } from '../player.ts'
import { useFrames, usePackOf } from '../cache.ts'
import { useUi } from '../store.ts'
import { texts as drafts } from './drafts.ts'
import { commit } from './edits.ts'
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
  const { id, clipId, body, state } = text
  const { data: frames } = useFrames(useUi((ui) => ui.sourceId))
  const selected = useUi((ui) => ui.trackId === id)
  const draft = drafts.useDraft(id)
  const there = frames && frames.pts.length > 0
  const choose = () => {
    chooseTrack(id)
    if (there) showFrame(frames, body.span.startFrame)
  }
  const save = async (written: string) => {
    const saved =
      written === body.text ||
      (await commit(clipId, [{ action: 'edit', annotationId: id, body: { ...body, text: written } }], said('Saved'))) !== null
    if (saved) drafts.drop(id)
  }
  if (draft)
    return (
      <li className="statement">
        <TextForm
          label={t('Text on screen')}
          draft={draft}
          onWrite={(written) => drafts.change(id, { text: written })}
          onSave={save}
          onCancel={() => drafts.drop(id)}
        />
      </li>
    )
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
      <Review annotation={text} onEdit={() => drafts.open(id, {}, body.text)} />
    </li>
  )
}

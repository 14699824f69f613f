import { Check, Pencil, RotateCcw, X } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import type { Annotation } from '../../app/annotation.ts'
import { EvidenceOf } from '../find/Evidence.tsx'
import { percent } from '../format.ts'
import { useColours } from '../labels/vocabulary.ts'
import { seek, seekTarget } from '../player.ts'
import { review, useFrames } from '../queries.ts'
import { useUi } from '../store.ts'

/** A caption or an answer, with what people can do to it. */
export function Statement({ annotation }: { annotation: Annotation }) {
  const { body, state, machine } = annotation
  const [editing, setEditing] = useState(false)
  if (body.kind !== 'caption' && body.kind !== 'answer') return null
  const save = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const field = event.currentTarget.elements.namedItem('text')
    const text = field instanceof HTMLTextAreaElement ? field.value.trim() : ''
    setEditing(false)
    if (text !== '' && text !== body.text) void review({ id: annotation.id, action: 'edit', body: { ...body, text } })
  }
  return (
    <article className="statement" data-state={state}>
      {body.kind === 'answer' && <p className="muted">{body.question}</p>}
      {editing ? (
        <form onSubmit={save}>
          <textarea
            name="text" aria-label={body.kind === 'caption' ? 'Caption' : 'Answer'} defaultValue={body.text} rows={3} autoFocus
            onKeyDown={(event) => {
              if (event.key === 'Escape') setEditing(false)
              if (event.key === 'Enter' && !event.shiftKey) {
                event.preventDefault()
                event.currentTarget.form?.requestSubmit()
              }
            }}
          />
          <div className="row"><button className="primary">Save</button><button type="button" onClick={() => setEditing(false)}>Cancel</button></div>
        </form>
      ) : (
        <p className="said">{body.text === '' ? <span className="muted">(nothing)</span> : body.text}</p>
      )}
      {state === 'edited' && machine?.kind === body.kind && 'text' in machine && <p className="muted small">The model said: {machine.text}</p>}
      <footer>
        <Standing annotation={annotation} />
        <span className="grow" />
        <Review annotation={annotation} what={body.kind} onEdit={() => setEditing(true)} />
      </footer>
      <EvidenceOf annotation={annotation} />
    </article>
  )
}

function Standing({ annotation: { state, evidence } }: { annotation: Annotation }) {
  if (state !== 'machine') return <span className="chip" data-review={state}>{state}</span>
  if (evidence === null) return null
  return (
    <span className="muted num" title={`The two passes of the model agree by ${evidence.agreement.toFixed(2)} (cosine)`}>
      {evidence.unsure && <em className="unsure">not sure · </em>}
      {percent(evidence.confidence)}
    </span>
  )
}

function Review({ annotation: { id, state, machine }, what, onEdit }: { annotation: Annotation; what: string; onEdit?: () => void }) {
  const act = (action: 'accept' | 'reject' | 'reset') => () => void review({ id, action })
  return (
    <span className="row tight">
      {onEdit && <button className="icon" aria-label={`Edit ${what}`} title="Edit (Enter)" onClick={onEdit} {...(what === 'caption' ? { 'data-edit-caption': true } : {})}><Pencil size={14} /></button>}
      <button className="icon" aria-label={`Accept ${what}`} aria-pressed={state === 'accepted'} title="Accept (A)" onClick={act('accept')}><Check size={15} /></button>
      <button className="icon" aria-label={`Reject ${what}`} aria-pressed={state === 'rejected'} title="Reject (X)" onClick={act('reject')}><X size={15} /></button>
      {state !== 'machine' && machine !== null && <button className="icon" aria-label={`Reset ${what}`} title="Back to what the model said (U)" onClick={act('reset')}><RotateCcw size={14} /></button>}
    </span>
  )
}

/** A track in the list; its label can be changed in place. */
export function TrackItem({ annotation, selected }: { annotation: Annotation; selected: boolean }) {
  const { id, body, state } = annotation
  const colourOf = useColours()
  const selectTrack = useUi((ui) => ui.selectTrack)
  const { data: frames } = useFrames(useUi((ui) => ui.sourceId))
  if (body.kind !== 'track') return null
  const [first] = body.boxes
  const scores = body.boxes.flatMap(({ score }) => (score === null ? [] : [score]))
  const relabel = (label: string) => {
    if (label.trim() !== '' && label.trim() !== body.label) void review({ id, action: 'edit', body: { ...body, label: label.trim() } })
  }
  const choose = () => {
    selectTrack(id)
    if (frames && first) seek(seekTarget(frames, first.ordinal))
  }
  return (
    <li className="track" data-state={state} aria-current={selected} onClick={choose}>
      <span className="swatch" style={{ background: colourOf(body.label) }} aria-hidden />
      <input
        key={body.label} aria-label={`Label of track ${id}`} defaultValue={body.label} size={Math.max(4, body.label.length)} onFocus={() => selectTrack(id)} onBlur={(event) => relabel(event.target.value)}
        onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
      />
      <span className="muted num">{body.boxes.length} {body.boxes.length === 1 ? 'box' : 'boxes'}{scores.length > 0 && ` · ${percent(Math.max(...scores))}`}</span>
      <span className="grow" />
      {state !== 'machine' && <span className="chip" data-review={state}>{state}</span>}
      <Review annotation={annotation} what={`track of ${body.label}`} />
    </li>
  )
}

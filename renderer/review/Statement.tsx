import { Check, Pencil, RotateCcw, Scissors, Trash2, X } from 'lucide-react'
import { type SubmitEvent, useEffect, useRef, useState } from 'react'
import { type Annotation, type AnnotationBody, fromFacts, type Span } from '../../app/annotation.ts'
import { said } from '../../app/phrase.ts'
import { EvidenceOf } from '../find/Evidence.tsx'
import { madeFrom } from '../caption.ts'
import { saidOfDecision } from '../decision.ts'
import { clock, day, percent, when } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { hint } from '../keys.ts'
import { endTime, showFrame, timeOf } from '../player.ts'
import { useFrames, usePackOf } from '../cache.ts'
import { review } from '../undo.ts'
import { type Draft, takesFocus, texts } from './drafts.ts'
import { commit } from './edits.ts'
import { markedSpan, useReview } from './store.ts'
import { sayOfMarked } from './tracks.ts'
import { useUi } from '../store.ts'
import { Unlearnt } from '../parts/Unlearnt.tsx'

/** A caption, an answer, a note or a caption of a part, with its actions. */
export function Statement({ annotation }: { annotation: Annotation }) {
  const { id, clipId, body, state, machine, evidence, provenance } = annotation
  const packInUse = usePackOf('answer')?.digest
  const { form, edit } = useTextEdit(annotation)
  if (body.kind === 'track') return null
  const named = WHAT[body.kind]
  const own = body.kind === 'note' || body.kind === 'segment'
  const span = body.kind === 'answer' ? undefined : body.span
  return (
    <article
      className="statement"
      data-state={state}
      data-annotation={id}
      data-kind={body.kind}
      data-guess={state === 'machine' && evidence?.unfamiliar === true}
    >
      {body.kind === 'answer' && <p className="muted">{body.question}</p>}
      {span && <SpanLine annotation={annotation} span={span} />}
      {form ?? (
        <p className="said" onDoubleClick={edit}>
          {body.text === '' ? <span className="muted">{t('(nothing)')}</span> : body.text}
        </p>
      )}
      {state === 'edited' && machine?.kind === body.kind && 'text' in machine && machine.text !== body.text && (
        <p className="muted small">
          {fromFacts(annotation)
            ? t('What was seen said: {{text}}', { text: machine.text })
            : t('The model said: {{text}}', { text: machine.text })}
        </p>
      )}
      <By annotation={annotation} />
      <footer>
        {own ? <From annotation={annotation} /> : <Standing annotation={annotation} />}
        <span className="grow" />
        {own ? (
          <span className="row tight">
            <button className="icon" aria-label={t(named.edit)} title={t('Edit')} onClick={edit}>
              <Pencil size={14} />
            </button>
            <button
              className="icon"
              aria-label={t(named.reject)}
              title={t('Delete')}
              onClick={() => void commit(clipId, [{ action: 'reject', annotationId: id }], said('Deleted'))}
            >
              <Trash2 size={14} />
            </button>
          </span>
        ) : (
          <Review annotation={annotation} onEdit={edit} />
        )}
      </footer>
      {body.kind === 'answer' && state === 'machine' && provenance?.packDigest === packInUse && (
        <Unlearnt task="answer" text={body.question} />
      )}
      <EvidenceOf annotation={annotation} />
    </article>
  )
}

/** The kinds of text: the name of each, and the names of its actions. */
const WHAT: Record<
  Exclude<AnnotationBody['kind'], 'track'>,
  { name: string; edit: string; accept: string; reject: string; reset: string }
> = {
  caption: {
    name: phrase('Caption'),
    edit: phrase('Edit caption'),
    accept: phrase('Accept caption'),
    reject: phrase('Reject caption'),
    reset: phrase('Reset caption'),
  },
  answer: {
    name: phrase('Answer'),
    edit: phrase('Edit answer'),
    accept: phrase('Accept answer'),
    reject: phrase('Reject answer'),
    reset: phrase('Reset answer'),
  },
  text: {
    name: phrase('Text on screen'),
    edit: phrase('Edit text'),
    accept: phrase('Accept text'),
    reject: phrase('Reject text'),
    reset: phrase('Reset text'),
  },
  note: {
    name: phrase('Note'),
    edit: phrase('Edit note'),
    accept: phrase('Accept note'),
    reject: phrase('Delete note'),
    reset: phrase('Reset note'),
  },
  segment: {
    name: phrase('Caption of a part'),
    edit: phrase('Edit caption of a part'),
    accept: phrase('Accept caption of a part'),
    reject: phrase('Delete caption of a part'),
    reset: phrase('Reset caption of a part'),
  },
}

/** Writing what an annotation says: the form while it is written, and what begins it. */
export function useTextEdit({ id, clipId, body, state }: Annotation): { form: React.ReactNode; edit: () => void } {
  const draft = texts.useDraft(id)
  if (body.kind === 'track') return { form: null, edit: () => undefined }
  /** @param over What is written over: what it said when writing was begun, or what somebody else wrote since and is not to stay. */
  const save = async (text: string, over: string) => {
    const basedOn = { ...body, text: over }
    const saved =
      text === body.text ||
      (await commit(clipId, [{ action: 'edit', annotationId: id, body: { ...body, text }, basedOn }], said('Saved'))) !== null
    if (saved) texts.drop(id)
  }
  const theirs = draft && state !== 'machine' && body.text !== draft.base && body.text !== draft.text.trim() ? body.text : null
  const form = draft && (
    <TextForm
      label={t(WHAT[body.kind].name)}
      draft={draft}
      theirs={theirs}
      onWrite={(text) => texts.change(id, { text })}
      onSave={(text) => save(text, draft.base)}
      onOverwrite={(text) => save(text, body.text)}
      onCancel={() => texts.drop(id)}
    />
  )
  return { form, edit: () => texts.open(id, {}, body.text) }
}

interface TextFormProps {
  label: string
  draft: Draft
  /** What somebody else made of it since it was begun to be written; null where nobody did. */
  theirs?: string | null
  onWrite: (text: string) => void
  /** Resolves when it is saved or was refused; if the form is still there, it can be sent again. */
  onSave: (text: string) => Promise<void>
  /** Save it in the place of `theirs`. */
  onOverwrite?: (text: string) => Promise<void>
  onCancel: () => void
}

/** A field for a text: Enter saves, Shift+Enter breaks the line, Escape leaves. */
export function TextForm({ label, draft, theirs = null, onWrite, onSave, onOverwrite = onSave, onCancel }: TextFormProps) {
  const field = useRef<HTMLTextAreaElement>(null)
  const [saving, setSaving] = useState(false)
  useEffect(() => {
    const { current } = field
    if (!takesFocus(draft) || current === null) return
    current.focus()
    current.setSelectionRange(current.value.length, current.value.length)
  }, [draft])
  const send = async (how: (text: string) => Promise<void>) => {
    if (saving) return
    const typed = draft.text.trim()
    if (typed === '') {
      onCancel()
      return
    }
    setSaving(true)
    await how(typed)
    setSaving(false)
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    void send(onSave)
  }
  return (
    <form onSubmit={submit}>
      <textarea
        ref={field}
        aria-label={label}
        value={draft.text}
        rows={3}
        readOnly={saving}
        onChange={({ target }) => onWrite(target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onCancel()
          if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault()
            event.currentTarget.form?.requestSubmit()
          }
        }}
      />
      {theirs === null ? (
        <div className="row">
          <button className="primary">{t('Save')}</button>
          <button type="button" onClick={onCancel}>
            {t('Cancel')}
          </button>
        </div>
      ) : (
        <div role="alert">
          <p>{t('This was changed in another place meanwhile. It says now: “{{text}}”.', { text: theirs })}</p>
          <div className="row">
            <button type="button" onClick={() => void send(onOverwrite)}>
              {t('Keep mine')}
            </button>
            <button type="button" onClick={onCancel}>
              {t('Take theirs')}
            </button>
          </div>
        </div>
      )}
    </form>
  )
}

/** Its time; a click goes there. */
function SpanLine({ annotation, span }: { annotation: Annotation; span: Span }) {
  const { data: frames } = useFrames(useUi((ui) => ui.sourceId))
  if (!frames || frames.pts.length === 0) return null
  const [from, to] = [timeOf(frames, span.startFrame), endTime(frames, span.endFrame, timeOf(frames, frames.pts.length - 1))]
  const { id, clipId, body } = annotation
  return (
    <div className="row tight">
      <button className="quiet small num" title={t('Go there')} onClick={() => showFrame(frames, span.startFrame)}>
        {clock(from, 2)}–{clock(to, 2)}
      </button>
      {body.kind === 'caption' && (
        <button
          className="icon"
          aria-label={t('Say it of the whole clip')}
          title={t('Say it of the whole clip')}
          onClick={() =>
            void commit(clipId, [{ action: 'edit', annotationId: id, body: { kind: 'caption', text: body.text } }], said('Saved'))
          }
        >
          <X size={12} />
        </button>
      )}
    </div>
  )
}

const STATES: Record<Annotation['state'], string> = {
  machine: phrase('not reviewed'),
  accepted: phrase('accepted'),
  edited: phrase('edited'),
  rejected: phrase('rejected'),
}

/** The file that it was imported from. */
function From({ annotation: { origin } }: { annotation: Annotation }) {
  if (origin === undefined) return null
  const { file, format, at } = origin
  return (
    <span className="muted small" title={t('Imported from {{file}} ({{format}}) on {{when}}', { file, format, when: when(at) })}>
      {t('from {{file}}', { file })}
    </span>
  )
}

/** Who decided it, where that person gave a name. */
function By({ annotation: { state, by, decidedAt = '' } }: { annotation: Annotation }) {
  if (by === undefined || state === 'machine') return null
  return (
    <p className="muted small" title={`${saidOfDecision(state, by, decidedAt)} · ${when(decidedAt)}`}>
      {t('by {{name}}, {{when}}', { name: by, when: day(decidedAt) })}
    </p>
  )
}

export function Standing({ annotation }: { annotation: Annotation }) {
  const { state, evidence, by, decidedAt = '' } = annotation
  if (state !== 'machine')
    return (
      <>
        <span className="chip" data-review={state} title={by === undefined ? undefined : saidOfDecision(state, by, decidedAt)}>
          {t(STATES[state])}
        </span>
        <From annotation={annotation} />
      </>
    )
  if (evidence === null) return null
  const unsure = evidence.unsure && (
    <em className="unsure">
      {t('not sure')}
      <span className="visually-hidden"> · </span>
    </em>
  )
  if (fromFacts(annotation))
    return (
      <span className="muted" title={madeFrom(annotation.provenance)}>
        {unsure}
        <span className={evidence.unsure ? 'visually-hidden' : undefined}>{madeFrom(annotation.provenance)}</span>
      </span>
    )
  // A percentage for footage unlike any that the pack was taught would mean nothing.
  if (evidence.unfamiliar) return <em className="unsure">{t('a guess')}</em>
  return (
    <span
      className="muted num"
      {...(evidence.agreement === null
        ? {}
        : { title: t('The two passes of the model agree by {{agreement}} (cosine)', { agreement: evidence.agreement.toFixed(2) }) })}
    >
      {unsure}
      {evidence.unsure && ' '}
      {percent(evidence.confidence)}
    </span>
  )
}

/** Accept, reject, back to the model's text; edit if there is a text, and change the span if one is marked. */
export function Review({ annotation, onEdit }: { annotation: Annotation; onEdit?: () => void }) {
  const { state, machine, body } = annotation
  const marked = markedSpan({ markIn: useReview((now) => now.markIn), markOut: useReview((now) => now.markOut) })
  const act = (action: 'accept' | 'reject' | 'reset') => () => void review(annotation, action)
  const names = body.kind === 'track' ? TRACK : WHAT[body.kind]
  const values = body.kind === 'track' ? { label: body.label } : {}
  return (
    <span className="row tight">
      {body.kind === 'caption' && marked && (
        <button
          className="icon"
          aria-label={t('Say it of the marked span too')}
          title={t('Say it of the marked span too')}
          onClick={() => sayOfMarked(annotation)}
        >
          <Scissors size={14} />
        </button>
      )}
      {onEdit && (
        <button
          className="icon"
          aria-label={t(names.edit)}
          title={hint('Edit', 'edit-text')}
          onClick={onEdit}
          {...(body.kind === 'caption' ? { 'data-edit-caption': true } : {})}
        >
          <Pencil size={14} />
        </button>
      )}
      <button
        className="icon"
        aria-label={t(names.accept, values)}
        aria-pressed={state === 'accepted' || state === 'edited'}
        title={hint('Accept', 'accept')}
        onClick={act('accept')}
      >
        <Check size={15} />
      </button>
      <button
        className="icon"
        aria-label={t(names.reject, values)}
        aria-pressed={state === 'rejected'}
        title={hint('Reject', 'reject')}
        onClick={act('reject')}
      >
        <X size={15} />
      </button>
      {state !== 'machine' && machine !== null && (
        <button
          className="icon"
          aria-label={t(names.reset, values)}
          title={hint('Back to what the model said', 'reset')}
          onClick={act('reset')}
        >
          <RotateCcw size={14} />
        </button>
      )}
    </span>
  )
}

const TRACK = {
  edit: phrase('Edit track of {{label}}'),
  accept: phrase('Accept track of {{label}}'),
  reject: phrase('Reject track of {{label}}'),
  reset: phrase('Reset track of {{label}}'),
}

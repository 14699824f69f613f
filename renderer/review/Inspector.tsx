import { useQueryClient } from '@tanstack/react-query'
import { ListPlus, Plus, Send } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import { type Annotation, fromFacts, type TextAnnotation } from '../../app/annotation.ts'
import { type Problem, problemOf } from '../../app/errors.ts'
import { said } from '../../app/phrase.ts'
import { looksYesNo } from '../../app/table/question.ts'
import { call, stream } from '../api.ts'
import { clockSpan } from '../format.ts'
import { shown, t, told } from '../i18n.ts'
import { hint } from '../keys.ts'
import { useClip, useSources, useStatus } from '../cache.ts'
import { tell, toast } from '../toast.ts'
import { parts, texts } from './drafts.ts'
import { commit, useAnnotations } from './edits.ts'
import { sayHere } from './tracks.ts'
import { FactList } from './FactList.tsx'
import { TextList } from './TextList.tsx'
import { TrackList } from './TrackList.tsx'
import { useUi } from '../store.ts'
import { Guess } from '../parts/Guess.tsx'
import { LabelEditor } from './LabelEditor.tsx'
import { ProblemCard } from '../parts/ProblemCard.tsx'
import { Statement, TextForm } from './Statement.tsx'

/** The annotations of the clip, and a field to ask more. */
export function Inspector() {
  const clipId = useUi((ui) => ui.clipId)
  const { data } = useClip(clipId)
  const annotations = useAnnotations(clipId)
  if (clipId === null || data === undefined || annotations === undefined) {
    return (
      <div className="scroll">
        <p className="placeholder muted">{t('Choose a clip to see and correct what is said about it.')}</p>
        <LabelEditor />
      </div>
    )
  }
  const { clip } = data
  const of = (kind: Annotation['body']['kind']) => annotations.filter(({ body }) => body.kind === kind)
  return (
    <div className="scroll" key={clipId}>
      <section>
        <h3>
          {t('Caption')} <span className="muted num">{clockSpan(clip)}</span>
        </h3>
        {of('caption').map((annotation) => (
          <Statement key={annotation.id} annotation={annotation} />
        ))}
        {!clip.encoded && (
          <p className="muted">
            {clip.kind === 'beginning' ? t('So far. The clip goes on, and is being analysed…') : t('Being analysed…')}
          </p>
        )}
      </section>
      {/* New boxes are named here: near the top, however many annotations the clip has. */}
      <TrackList annotations={annotations} />
      <section>
        {/* Text has a list of its own. */}
        <FactList
          facts={data.facts.filter(({ kind }) => kind !== 'text')}
          caption={of('caption').flatMap(({ body }) => ('text' in body ? body.text : []))[0]}
        />
        {clip.encoded && !of('caption').some((caption) => caption.provenance !== null && !fromFacts(caption)) && (
          <Guess clipId={clipId} question={null} />
        )}
      </section>
      <section>
        <h3>{t('Ask')}</h3>
        <Ask clipId={clipId} ready={clip.encoded} />
        {of('answer')
          .toReversed()
          .map((annotation) => (
            <Statement key={annotation.id} annotation={annotation} />
          ))}
      </section>
      <TextList texts={annotations.flatMap((one): TextAnnotation[] => (one.body.kind === 'text' ? [{ ...one, body: one.body }] : []))} />
      <Told clipId={clipId} annotations={annotations} />
      <LabelEditor />
    </div>
  )
}

/** Captions of parts and notes, which people write. */
function Told({ clipId, annotations }: { clipId: number; annotations: readonly Annotation[] }) {
  const draft = parts.useDraft(clipId)
  // What is being written stays in sight, also where it is deleted in another window.
  const written = texts.useAll()
  const told = annotations
    .flatMap((one) =>
      (one.body.kind === 'segment' || one.body.kind === 'note') && (one.state !== 'rejected' || written.has(one.id))
        ? [{ ...one, body: one.body }]
        : [],
    )
    .sort((a, b) => (a.body.span?.startFrame ?? 0) - (b.body.span?.startFrame ?? 0))
  const save = async ({ kind, span }: NonNullable<typeof draft>, text: string) => {
    if ((await commit(clipId, [{ action: 'add', clipId, body: { kind, span, text } }], said('Saved'))) !== null) parts.drop(clipId)
  }
  return (
    <section>
      <h3 className="row">
        {t('Moments')} <span className="muted num">{told.length > 0 ? told.length : ''}</span>
        <span className="grow" />
        <span className="row">
          <button className="small" title={hint('Caption what is marked, or from here on', 'segment')} onClick={() => sayHere('segment')}>
            <Plus size={13} aria-hidden />
            {t('Caption')}
          </button>
          <button className="small" title={hint('Note on what is marked, or on this moment', 'note')} onClick={() => sayHere('note')}>
            <Plus size={13} aria-hidden />
            {t('Note')}
          </button>
        </span>
      </h3>
      {draft && (
        <div className="statement">
          <TextForm
            label={draft.kind === 'note' ? t('Note') : t('Caption of a part')}
            draft={draft}
            onWrite={(text) => parts.change(clipId, { text })}
            onSave={(text) => save(draft, text)}
            onCancel={() => parts.drop(clipId)}
          />
        </div>
      )}
      {told.length === 0 && !draft && <p className="muted">{t('Captions of parts of the clip, and notes, each with its time.')}</p>}
      {told.map((annotation) => (
        <Statement key={annotation.id} annotation={annotation} />
      ))}
    </section>
  )
}

/** A question that no facts answer: why, what can be asked instead, and the pack's guess. */
function Unanswered({ clipId, question, problem }: { clipId: number; question: string; problem: Problem }) {
  const { message, next, stillWorks } = told(problem)
  return (
    <div className="statement" data-kind="unanswered" role="status">
      <p className="muted">{question}</p>
      <p>{message}</p>
      {stillWorks !== undefined && <p className="muted small">{t('What can be answered: {{kinds}}', { kinds: stillWorks })}</p>}
      {next !== undefined && <p className="muted small">{next}</p>}
      <Guess clipId={clipId} question={question} />
    </div>
  )
}

/** One question, answered token by token from the stored encoding. */
function Ask({ clipId, ready }: { clipId: number; ready: boolean }) {
  const client = useQueryClient()
  const { data: status } = useStatus()
  const encoded = useSources().data?.sources.reduce((sum, { encodedCount }) => sum + encodedCount, 0) ?? 0
  const [question, setQuestion] = useState('')
  const [running, setRunning] = useState<{ question: string; text: string } | null>(null)
  const [refused, setRefused] = useState<{ question: string; problem: Problem } | null>(null)
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const asked = question.trim()
    if (asked === '' || running) return
    setRefused(null)
    setRunning({ question: asked, text: '' })
    try {
      for await (const step of stream(
        'askClip',
        { signal: new AbortController().signal },
        { params: { clipId }, body: { question: asked } },
      )) {
        if (step.type === 'token') setRunning((now) => now && { ...now, text: now.text + step.text })
        else if (step.type === 'error') setRefused({ question: asked, problem: step.problem })
        else await client.invalidateQueries({ queryKey: ['clip', clipId] })
      }
      // Clear the field, unless the next question was begun while the answer arrived.
      setQuestion((now) => (now.trim() === asked ? '' : now))
    } catch (error) {
      setRefused({ question: asked, problem: problemOf(error) })
    } finally {
      setRunning(null)
    }
  }
  const everyClip = async () => {
    try {
      await call('addColumn', { body: { kind: looksYesNo(question) ? 'yesno' : 'question', text: question.trim() } })
      toast.success(t('Asking {{count}} clips: “{{question}}”', { count: encoded, question: question.trim() }), {
        description: t('It is a column of the table now, and clips that come later are asked too.'),
      })
      setQuestion('')
    } catch (error) {
      tell(error)
    }
  }
  return (
    <>
      <form className="ask" onSubmit={(event) => void submit(event)}>
        <input
          id="ask"
          aria-label={t('Question about this clip')}
          placeholder={t('Ask about the clip')}
          value={question}
          maxLength={300}
          onChange={(event) => setQuestion(event.target.value)}
          disabled={!ready}
        />
        <button
          className="icon"
          aria-label={t('Ask')}
          title={hint('Ask', 'ask')}
          disabled={!ready || running !== null || question.trim() === ''}
        >
          <Send size={15} />
        </button>
        <button
          type="button"
          className="icon"
          aria-label={t('Ask every clip')}
          title={t('Ask all {{count}} clips that are ready', { count: encoded })}
          disabled={encoded === 0 || question.trim() === ''}
          onClick={() => void everyClip()}
        >
          <ListPlus size={16} />
        </button>
      </form>
      {running && (
        <div className="statement" aria-live="polite">
          <p className="muted">{running.question}</p>
          <p className="said">
            {running.text}
            <span className="caret" />
          </p>
        </div>
      )}
      {refused &&
        (refused.problem.code === 'not-answerable' ? (
          <Unanswered key={refused.question} clipId={clipId} question={refused.question} problem={refused.problem} />
        ) : (
          <ProblemCard problem={refused.problem} />
        ))}
      {status?.engine.state === 'restarting' && <p className="muted">{shown(status.engine.sentence)}</p>}
    </>
  )
}

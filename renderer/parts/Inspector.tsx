import { useQueryClient } from '@tanstack/react-query'
import { ListPlus, Send } from 'lucide-react'
import { toast } from 'sonner'
import { type SubmitEvent, useState } from 'react'
import type { Annotation } from '../../app/annotation.ts'
import { type Problem, problemOf } from '../../app/errors.ts'
import { looksYesNo } from '../../app/table/question.ts'
import { call, stream } from '../api.ts'
import { clock, plural } from '../format.ts'
import { shown } from '../i18n.ts'
import { tell, useClip, useClips, useLabels, useStatus } from '../queries.ts'
import { useUi } from '../store.ts'
import { LabelEditor } from './LabelEditor.tsx'
import { ProblemCard } from './ProblemCard.tsx'
import { Statement, TrackItem } from './Statement.tsx'

/** What is said about the clip, and asking it more. */
export function Inspector() {
  const { clipId, trackId } = useUi()
  const { data } = useClip(clipId)
  const { data: wanted } = useLabels()
  if (clipId === null || data === undefined) {
    return (
      <div className="scroll">
        <p className="placeholder muted">Choose a clip to see and correct what is said about it.</p>
        <LabelEditor />
      </div>
    )
  }
  const { clip, annotations } = data
  const of = (kind: Annotation['body']['kind']) => annotations.filter(({ body }) => body.kind === kind)
  const tracks = of('track')
  return (
    <div className="scroll" key={clipId}>
      <section>
        <h3>Caption <span className="muted num">{clock(clip.start, 1)}–{clock(clip.end, 1)}</span></h3>
        {of('caption').map((annotation) => <Statement key={annotation.id} annotation={annotation} />)}
        {!clip.encoded && <p className="muted">Being analysed…</p>}
      </section>
      <section>
        <h3>Ask</h3>
        <Ask clipId={clipId} ready={clip.encoded} />
        {of('answer').toReversed().map((annotation) => <Statement key={annotation.id} annotation={annotation} />)}
      </section>
      <section>
        <h3>Boxes <span className="muted num">{tracks.length > 0 ? tracks.length : ''}</span></h3>
        {tracks.length === 0 && <p className="muted">{wanted?.labels.length === 0 ? 'Add labels below to find things in this clip.' : 'Nothing was found for the labels below.'}</p>}
        <ul className="plain">
          {tracks.map((annotation) => <TrackItem key={annotation.id} annotation={annotation} selected={annotation.id === trackId} />)}
        </ul>
      </section>
      <LabelEditor />
    </div>
  )
}

/** One question, answered token by token from the stored encoding. */
function Ask({ clipId, ready }: { clipId: number; ready: boolean }) {
  const client = useQueryClient()
  const { data: status } = useStatus()
  const { data: clips } = useClips()
  const encoded = clips?.clips.filter((clip) => clip.encoded).length ?? 0
  const [question, setQuestion] = useState('')
  const [running, setRunning] = useState<{ question: string; text: string } | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const asked = question.trim()
    if (asked === '' || running) return
    setProblem(null)
    setRunning({ question: asked, text: '' })
    try {
      for await (const step of stream('askClip', new AbortController().signal, { params: { clipId }, body: { question: asked } })) {
        if (step.type === 'token') setRunning((now) => now && { ...now, text: now.text + step.text })
        else if (step.type === 'error') setProblem(step.problem)
        else await client.invalidateQueries({ queryKey: ['clip', clipId] })
      }
      setQuestion('')
    } catch (error) {
      setProblem(problemOf(error))
    } finally {
      setRunning(null)
    }
  }
  const everyClip = async () => {
    try {
      await call('addColumn', { body: { kind: looksYesNo(question) ? 'yesno' : 'question', text: question.trim() } })
      toast.success(`Asking ${plural(encoded, 'clip')}: “${question.trim()}”`, { description: 'It is a column of the table now, and clips that come later are asked too.' })
      setQuestion('')
    } catch (error) {
      tell(error)
    }
  }
  return (
    <>
      <form className="ask" onSubmit={(event) => void submit(event)}>
        <input id="ask" aria-label="Question about this clip" placeholder="What colour is the car?" value={question} maxLength={300} onChange={(event) => setQuestion(event.target.value)} disabled={!ready} />
        <button className="icon" aria-label="Ask" disabled={!ready || running !== null || question.trim() === ''}><Send size={15} /></button>
        <button type="button" className="icon" aria-label="Ask every clip" title={`Ask all ${plural(encoded, 'clip')} that are ready`} disabled={encoded === 0 || question.trim() === ''} onClick={() => void everyClip()}><ListPlus size={16} /></button>
      </form>
      {running && <div className="statement" aria-live="polite"><p className="muted">{running.question}</p><p className="said">{running.text}<span className="caret" /></p></div>}
      {problem && <ProblemCard problem={problem} />}
      {status?.engine.state === 'restarting' && <p className="muted">{shown(status.engine.sentence)}</p>}
    </>
  )
}

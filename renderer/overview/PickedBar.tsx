/** What can be done with the clips that were picked in a chart. */
import { Check, ListFilter, StickyNote, X } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import { toast } from 'sonner'
import type { Edit } from '../../app/contract/state.ts'
import type { ClipFact } from '../../app/overview.ts'
import { type Phrase, said } from '../../app/phrase.ts'
import { call } from '../api.ts'
import { clock } from '../format.ts'
import { shown, t } from '../i18n.ts'
import { inOrder, queryClient, tell, undo, useSources } from '../queries.ts'
import { useUi } from '../store.ts'
import { urlOf } from '../api.ts'
import { usePicked } from './store.ts'

/** Shown one by one; more is a list that nobody reads. */
const LISTED = 200

export function PickedBar({ clips }: { clips: readonly ClipFact[] }) {
  const picked = usePicked((state) => state.clipIds)
  const from = usePicked((state) => state.from)
  const { clear } = usePicked.getState()
  const [open, setOpen] = useState(false)
  const [noting, setNoting] = useState(false)
  const chosen = clips.filter(({ id }) => picked.has(id))
  if (chosen.length === 0) return null
  const note = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const field = event.currentTarget.elements.namedItem('note')
    const text = field instanceof HTMLInputElement ? field.value.trim() : ''
    setNoting(false)
    if (text !== '') void edit(chosen.map(({ id }) => ({ action: 'add', clipId: id, body: { kind: 'note', text } })), said('Note on {{clips}} clips', { clips: chosen.length }))
  }
  return (
    <aside className="picked" aria-label={t('Picked clips')}>
      {open && <PickedList clips={chosen.slice(0, LISTED)} />}
      <div className="row">
        <strong className="num" role="status">{t('{{count}} clips picked', { count: chosen.length })}</strong>
        {/* At the left: what is told at the lower right of the window must not cover what comes next. */}
        {noting ? (
          <form className="row" onSubmit={note}>
            <input name="note" aria-label={t('Note')} placeholder={t('A word or a note for all of them')} maxLength={300} autoFocus onKeyDown={({ key }) => key === 'Escape' && setNoting(false)} />
            <button className="primary">{t('Add')}</button>
          </form>
        ) : (
          <>
            <button aria-expanded={open} onClick={() => setOpen(!open)}><ListFilter size={14} aria-hidden />{open ? t('Close the list') : t('Open as a list')}</button>
            <button onClick={() => void decide(chosen, 'accept', said('Captions of {{clips}} clips accepted', { clips: chosen.length }))}><Check size={14} aria-hidden />{t('Accept captions')}</button>
            <button onClick={() => void decide(chosen, 'reject', said('Captions of {{clips}} clips rejected', { clips: chosen.length }))}><X size={14} aria-hidden />{t('Reject captions')}</button>
            <button onClick={() => setNoting(true)}><StickyNote size={14} aria-hidden />{t('Note')}</button>
          </>
        )}
        <button className="icon" aria-label={t('Drop the selection')} title={t('Drop the selection')} onClick={clear}><X size={15} /></button>
        <span className="muted small from">{from}</span>
      </div>
    </aside>
  )
}

function PickedList({ clips }: { clips: readonly ClipFact[] }) {
  const { data: sources } = useSources()
  const { selectClip, goTo } = useUi.getState()
  return (
    <ul className="picked-list">
      {clips.map(({ id, sourceId, start, end, caption }) => (
        <li key={id}>
          <button
            onClick={() => {
              selectClip(id, sourceId)
              goTo('review')
            }}
          >
            <img src={urlOf('clipThumbnail', { params: { clipId: id } })} alt="" loading="lazy" />
            <span className="text"><span>{caption ?? t('No caption')}</span><span className="muted num">{sources?.sources.find((source) => source.id === sourceId)?.name} · {clock(start, 1)}–{clock(end, 1)}</span></span>
          </button>
        </li>
      ))}
    </ul>
  )
}

/** The captions of clips: their annotations are asked for first, a page of clips knows only their text. */
async function decide(clips: readonly ClipFact[], action: 'accept' | 'reject', description: Phrase): Promise<void> {
  try {
    const edits: Edit[] = []
    for (const { id } of clips) {
      const { annotations } = await call('getClip', { params: { clipId: id } })
      for (const { id: annotationId, body } of annotations) if (body.kind === 'caption') edits.push({ action, annotationId })
    }
    await edit(edits, description)
  } catch (error) {
    tell(error)
  }
}

async function edit(edits: readonly Edit[], description: Phrase): Promise<void> {
  if (edits.length === 0) return
  try {
    await inOrder(() => call('edit', { body: { edits: [...edits], description } }))
    void queryClient.invalidateQueries({ queryKey: ['history'] })
    toast(shown(description), { id: 'review', action: { label: t('Undo'), onClick: () => void undo('undo') } })
  } catch (error) {
    tell(error)
  }
}

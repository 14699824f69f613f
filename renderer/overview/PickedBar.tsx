/** What can be done with the clips that were picked in a chart. */
import { Check, Clapperboard, ListFilter, StickyNote, Table2, X } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import type { CallArgs } from '../../app/contract.ts'
import type { ClipFact } from '../../app/overview.ts'
import { call } from '../api.ts'
import { captionText } from '../caption.ts'
import { clockSpan } from '../format.ts'
import { t } from '../i18n.ts'
import { queryClient, useSources } from '../cache.ts'
import { tell } from '../toast.ts'
import { offerUndo } from '../undo.ts'
import { endWalk, walkThrough } from '../review/walk.ts'
import { useUi } from '../store.ts'
import { showInTable } from '../table/picked.ts'
import { askedWhose, askingFirst, type Overturning } from '../table/rows.ts'
import { urlOf } from '../api.ts'
import { usePicked } from './store.ts'

/** The most clips shown one by one; nobody reads a longer list. */
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
    if (text !== '') void edit(chosen, { action: 'note', text }, (count) => t('Note on {{count}} clips', { count }))
  }
  return (
    <aside className="picked" aria-label={t('Picked clips')}>
      {open && <PickedList clips={chosen.slice(0, LISTED)} />}
      {open && chosen.length > LISTED && (
        <p className="muted small">
          {t('The first {{n}} of {{count, number}} are listed; Review and the table show all.', { n: LISTED, count: chosen.length })}
        </p>
      )}
      <div className="row">
        <strong className="num" role="status">
          {t('{{count}} clips picked', { count: chosen.length })}
        </strong>
        {noting ? (
          <form className="row" onSubmit={note}>
            <input
              name="note"
              aria-label={t('Note')}
              placeholder={t('A word or a note for all of them')}
              maxLength={300}
              autoFocus
              onKeyDown={({ key }) => key === 'Escape' && setNoting(false)}
            />
            <button className="primary">{t('Add')}</button>
          </form>
        ) : (
          <>
            <button aria-expanded={open} onClick={() => setOpen(!open)}>
              <ListFilter size={14} aria-hidden />
              {open ? t('Close the list') : t('Open as a list')}
            </button>
            <button onClick={() => walkThrough(chosen, from)}>
              <Clapperboard size={14} aria-hidden />
              {t('Review them')}
            </button>
            <button onClick={() => void showInTable({ clipIds: chosen.map(({ id }) => id) })}>
              <Table2 size={14} aria-hidden />
              {t('Show in the table')}
            </button>
            <button onClick={() => void edit(chosen, { action: 'accept' }, (count) => t('{{count}} captions accepted', { count }))}>
              <Check size={14} aria-hidden />
              {t('Accept captions')}
            </button>
            <button onClick={() => void edit(chosen, { action: 'reject' }, (count) => t('{{count}} captions rejected', { count }))}>
              <X size={14} aria-hidden />
              {t('Reject captions')}
            </button>
            <button onClick={() => setNoting(true)}>
              <StickyNote size={14} aria-hidden />
              {t('Note')}
            </button>
          </>
        )}
        <button className="icon" aria-label={t('Drop the selection')} title={t('Drop the selection')} onClick={clear}>
          <X size={15} />
        </button>
        <span className="muted small from">{from}</span>
      </div>
    </aside>
  )
}

function PickedList({ clips }: { clips: readonly ClipFact[] }) {
  const { data: sources } = useSources()
  const { openClip } = useUi.getState()
  return (
    <ul className="picked-list">
      {clips.map(({ id, sourceId, start, end, caption, state, unsure }) => (
        <li key={id}>
          <button
            onClick={() => {
              endWalk()
              openClip(id, sourceId)
            }}
          >
            <img src={urlOf('clipThumbnail', { params: { clipId: id } })} alt="" loading="lazy" />
            <span className="text">
              <span>{captionText({ caption, state, unsure })}</span>
              <span className="muted num">
                {sources?.sources.find((source) => source.id === sourceId)?.title} · {clockSpan({ start, end })}
              </span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}

const OVERTURN: Record<'accept' | 'reject', Overturning> = {
  accept: {
    text: (count) => t('{{count}} captions had been rejected by a person, and were left as they are.', { count }),
    yes: (count) => t('Accept these {{count}} too', { count }),
  },
  reject: {
    text: (count) => t('{{count}} captions had been accepted or written by a person, and were left as they are.', { count }),
    yes: (count) => t('Reject these {{count}} too', { count }),
  },
}

async function edit(
  clips: readonly ClipFact[],
  deed: CallArgs<'editPicked'>['body']['deed'],
  done: (count: number) => string,
  keepMine = false,
): Promise<void> {
  try {
    const clipIds = clips.map(({ id }) => id)
    const basedOn = keepMine || deed.action === 'note' ? undefined : clips.map(({ caption }) => caption)
    const { changed } = await askingFirst(
      (overturn) => call('editPicked', { body: { clipIds, deed, overturn, basedOn: overturn ? undefined : basedOn } }),
      OVERTURN[deed.action === 'reject' ? 'reject' : 'accept'],
    )
    void queryClient.invalidateQueries({ queryKey: ['history'] })
    offerUndo(done(changed), { id: 'review' })
  } catch (error) {
    if (!askedWhose(error, 'review', () => edit(clips, deed, done, true))) tell(error)
  }
}

import { Box, Clapperboard, History, Search, X } from 'lucide-react'
import { type KeyboardEvent, type SubmitEvent, useId, useRef, useState } from 'react'
import type { FindQuery } from '../../app/contract/find.ts'
import { call, urlOf } from '../api.ts'
import { clock } from '../format.ts'
import { t } from '../i18n.ts'
import { queryClient, useClip } from '../cache.ts'
import { tell } from '../toast.ts'
import { useUi } from '../store.ts'
import { found, useSearches } from './queries.ts'
import { useFind } from './store.ts'

/** Words to search for, with earlier searches; or the clip or box that is searched for instead. */
export function SearchBox({ disabled }: { disabled: boolean }) {
  const { query, text, type } = useFind()
  const words = query?.by === 'words' ? query.words : ''
  const [open, setOpen] = useState(false)
  const [chosen, setChosen] = useState(-1)
  const input = useRef<HTMLInputElement>(null)
  const listId = useId()
  const { data } = useSearches(open)

  const typed = text.trim().toLowerCase()
  const earlier =
    open && (typed === '' || text.trim() !== words)
      ? (data?.searches ?? []).filter((search) => search.toLowerCase().startsWith(typed) && search !== text.trim()).slice(0, 8)
      : []
  const search = (next: string) => {
    setOpen(false)
    setChosen(-1)
    if (next === '') useFind.getState().seek(null)
    else useFind.getState().seek({ by: 'words', words: next })
    useUi.getState().goTo('review')
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const pick = earlier[chosen]
    const next = pick ?? text.trim()
    if (next !== '' && next === words) openFirst()
    else search(next)
  }
  /** Opens the first result, and moves the focus to the list. */
  const openFirst = () => {
    const [first] = found()
    if (!first) return
    useUi.getState().selectClip(first.id, first.sourceId)
    input.current?.blur()
  }
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      useFind.getState().seek(null)
      // From now on the player's keys work again.
      input.current?.blur()
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      const by = event.key === 'ArrowDown' ? 1 : -1
      if (earlier.length > 0) setChosen((chosen + by + earlier.length + (chosen === -1 && by === -1 ? 1 : 0)) % earlier.length)
      else if (by === 1) openFirst()
    }
  }
  const forget = () => call('forgetSearches').then(() => queryClient.invalidateQueries({ queryKey: ['searches'] }), tell)
  return (
    <form
      className="search"
      role="search"
      onSubmit={submit}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setOpen(false)}
    >
      <Search size={15} aria-hidden />
      {query !== null && query.by !== 'words' && <Likeness query={query} />}
      <input
        ref={input}
        type="search"
        role="combobox"
        aria-label={t('Search')}
        aria-expanded={earlier.length > 0}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={chosen >= 0 ? `${listId}-${chosen}` : undefined}
        placeholder={
          query !== null && query.by !== 'words' ? t('or search for words') : t('Search for a moment: “a red car moves to the left”')
        }
        value={text}
        disabled={disabled}
        autoComplete="off"
        maxLength={300}
        onFocus={() => setOpen(true)}
        onChange={(event) => {
          if (event.target.value === '' && query?.by === 'words') useFind.getState().seek(null)
          else type(event.target.value)
          setOpen(true)
          setChosen(-1)
        }}
        onKeyDown={key}
      />
      {text !== '' ? (
        <button type="button" className="icon" aria-label={t('Clear search')} onClick={() => search('')}>
          <X size={14} />
        </button>
      ) : (
        <kbd>/</kbd>
      )}
      <div className="earlier" hidden={earlier.length === 0}>
        <ul id={listId} role="listbox" aria-label={t('Earlier searches')}>
          {earlier.map((before, at) => (
            <li
              key={before}
              id={`${listId}-${at}`}
              role="option"
              aria-selected={at === chosen}
              // On pointer down, before the field loses the focus, which closes this list.
              onPointerDown={(event) => {
                event.preventDefault()
                search(before)
              }}
            >
              <History size={13} aria-hidden />
              {before}
            </li>
          ))}
        </ul>
        <button type="button" className="quiet small" onPointerDown={(event) => event.preventDefault()} onClick={() => void forget()}>
          {t('Forget earlier searches')}
        </button>
      </div>
    </form>
  )
}

/** The picture that is searched for instead of words. */
function Likeness({ query }: { query: Exclude<FindQuery, { by: 'words' }> }) {
  const { data } = useClip(query.clipId)
  const Icon = query.by === 'box' ? Box : Clapperboard
  const what = query.by === 'box' ? t('Similar to a box') : t('Similar to a clip')
  return (
    <span className="chip likeness" title={data ? `${data.clip.sourceName} · ${clock(data.clip.start, 1)}` : undefined}>
      <img src={urlOf('clipThumbnail', { params: { clipId: query.clipId } })} alt="" />
      <Icon size={12} aria-hidden />
      <span>{what}</span>
      <button type="button" className="icon" aria-label={t('Clear search')} onClick={() => useFind.getState().seek(null)}>
        <X size={12} />
      </button>
    </span>
  )
}

import { Clapperboard, Film, SquareTerminal } from 'lucide-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { type KeyboardEvent, useDeferredValue, useId, useMemo, useRef, useState } from 'react'
import { fuzzy } from '../../app/fuzzy.ts'
import { call } from '../api.ts'
import { ACTIONS } from '../actions.ts'
import { captionText } from '../caption.ts'
import { clockSpan } from '../format.ts'
import { t } from '../i18n.ts'
import { currentKeys, keyName } from '../keys.ts'
import { useSources } from '../cache.ts'
import { useUi } from '../store.ts'
import { Dialog } from '../parts/Dialog.tsx'

interface Entry {
  id: string
  name: string
  detail: string
  Icon: typeof Film
  key?: string | undefined
  run: () => void
}

/** The most entries listed. */
const MOST = 50
/** The most clips among them, and the fewest letters for which clips are searched. */
const [CLIPS, SHORTEST] = [20, 2]

/** Everything by name: actions, and every video and clip to go to. */
export function Palette() {
  const { data: sources, isPending } = useSources()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const list = useRef<HTMLUListElement>(null)
  const listId = useId()
  const all = useMemo((): Entry[] => {
    const keys = currentKeys()
    const { goTo, selectSource } = useUi.getState()
    return [
      ...ACTIONS.filter(({ id }) => id !== 'palette').map(({ id, name, group, run }): Entry => {
        const key = keys.get(id)?.[0]
        return { id, name: t(name), detail: t(group), Icon: SquareTerminal, key: key && keyName(key), run }
      }),
      ...(sources?.sources ?? []).map(
        ({ id, name }): Entry => ({
          id: `source-${id}`,
          name,
          detail: t('Video'),
          Icon: Film,
          run: () => {
            goTo('review')
            selectSource(id)
          },
        }),
      ),
    ]
  }, [sources])
  const says = useDeferredValue(text.trim())
  // There are too many clips to hold here: the library searches for those that contain the words.
  const { data: clips, isFetching } = useQuery({
    queryKey: ['search', 'palette', says],
    queryFn: () => call('search', { body: { query: null, filters: { says }, limit: CLIPS } }),
    enabled: says.length >= SHORTEST,
    placeholderData: keepPreviousData,
  })
  const found = useMemo(() => {
    if (text.trim() === '') return all.slice(0, MOST)
    const scored = all
      .map((entry) => ({ entry, score: Math.max(fuzzy(text, entry.name), 0.8 * fuzzy(text, `${entry.name} ${entry.detail}`)) }))
      .filter(({ score }) => score > 0)
    const named = scored
      .sort((a, b) => b.score - a.score)
      .slice(0, MOST)
      .map(({ entry }) => entry)
    const said =
      text.trim().length < SHORTEST
        ? []
        : (clips?.hits ?? []).map(
            ({ clip: { id, sourceId, start, end, caption, captionState, captionUnsure, sourceName } }): Entry => ({
              id: `clip-${id}`,
              name: captionText({ caption, state: captionState, unsure: captionUnsure }),
              detail: `${sourceName} · ${clockSpan({ start, end })}`,
              Icon: Clapperboard,
              run: () => {
                useUi.getState().goTo('review')
                useUi.getState().selectClip(id, sourceId)
              },
            }),
          )
    return [...named.slice(0, MOST - said.length), ...said]
  }, [all, text, clips])
  const choose = (entry: Entry | undefined) => {
    if (!entry) return
    useUi.getState().open(null)
    // The dialog first returns the focus.
    setTimeout(entry.run)
  }
  const move = (to: number) => {
    const next = Math.min(Math.max(0, to), found.length - 1)
    setAt(next)
    list.current?.children[next]?.scrollIntoView({ block: 'nearest' })
  }
  const press = (event: KeyboardEvent) => {
    const target = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 }[event.key]
    if (target !== undefined) move(target)
    else if (event.key === 'Enter') choose(found[at])
    else return
    event.preventDefault()
  }
  return (
    <Dialog title={t('Do anything by name')}>
      <input
        type="text"
        role="combobox"
        aria-expanded
        aria-controls={listId}
        aria-activedescendant={found[at] && `${listId}-${at}`}
        aria-autocomplete="list"
        aria-label={t('An action, a page, a video or a clip')}
        placeholder={t('An action, a page, a video or a clip')}
        value={text}
        autoComplete="off"
        onKeyDown={press}
        onChange={({ target }) => {
          setText(target.value)
          setAt(0)
        }}
      />
      <ul ref={list} id={listId} className="named" role="listbox" aria-label={t('Found')}>
        {found.map((entry, i) => (
          <li
            key={entry.id}
            id={`${listId}-${i}`}
            role="option"
            aria-selected={i === at}
            onClick={() => choose(entry)}
            onPointerMove={() => setAt(i)}
          >
            <entry.Icon size={14} aria-hidden />
            <span className="name">{entry.name}</span>
            <span className="muted small detail">{entry.detail}</span>
            {entry.key && <kbd>{entry.key}</kbd>}
          </li>
        ))}
      </ul>
      <p role="status" className={found.length === 0 ? 'muted' : 'sr'}>
        {found.length === 0
          ? t(isPending || isFetching ? 'Looking…' : 'Nothing is called that.')
          : t('{{count}} found', { count: found.length })}
      </p>
    </Dialog>
  )
}

/**
 * Edits that are shown before the backend has stored them, so that a drawn or dragged box does not jump back meanwhile. They cover the
 * library's state until that is the same; a refused edit is dropped with its reason, and the state before it is shown again.
 */
import { useMemo } from 'react'
import { create } from 'zustand'
import type { Annotation } from '../../app/annotation.ts'
import type { Edit } from '../../app/contract/state.ts'
import { overturns } from '../../app/deeds.ts'
import { problemOf } from '../../app/errors.ts'
import type { Phrase } from '../../app/phrase.ts'
import { agreedState } from '../../app/review.ts'
import { call } from '../api.ts'
import { shown, t, told } from '../i18n.ts'
import { confirmed } from '../parts/Confirm.tsx'
import { clipQuery, queryClient, useClip } from '../cache.ts'
import { tell, toast } from '../toast.ts'
import { inOrder, offerUndo } from '../undo.ts'
import { useUi } from '../store.ts'

interface Pending {
  clipId: number
  edits: readonly Edit[]
  /** Ids of added annotations until the backend assigns one: below zero. */
  provisional: readonly number[]
}

const usePending = create<{ pending: readonly Pending[] }>(() => ({ pending: [] }))
let provisional = 0

/**
 * Store edits of one clip as one step of undo; several need a description. They show at once, and are stored in the order in which they
 * were made.
 * Each is based on what is shown, unless it names its own base: if somebody has changed that since, the edit is refused, and the window asks.
 * @param overturn Whether to change annotations that a person decided otherwise as well: in bulk decisions the backend refuses those.
 * @returns The annotation of each edit, in order; null if they were refused.
 */
export async function commit(clipId: number, edits: readonly Edit[], description?: Phrase, overturn = false): Promise<number[] | null> {
  const basis = new Map(annotationsOf(clipId).map(({ id, body }) => [id, body]))
  const based = edits.map((edit) => (edit.action === 'add' ? edit : { basedOn: basis.get(edit.annotationId), ...edit }))
  const own: Pending = { clipId, edits, provisional: edits.map((edit) => (edit.action === 'add' ? (provisional -= 1) : 0)) }
  usePending.setState(({ pending }) => ({ pending: [...pending, own] }))
  try {
    const { annotationIds: ids } = await inOrder(() =>
      call('edit', { body: { edits: based, overturn, ...(description && edits.length > 1 ? { description } : {}) } }),
    )
    if (description) offerUndo(shown(description), { id: 'review' })
    await queryClient.refetchQueries({ queryKey: ['clip', clipId] })
    void queryClient.invalidateQueries({ queryKey: ['history'] })
    chooseStored(own, ids)
    return ids
  } catch (error) {
    if (problemOf(error).field?.endsWith('basedOn') === true) {
      // What the other one made of it is seen before anybody decides which of the two is to stay.
      await queryClient.refetchQueries({ queryKey: ['clip'], type: 'active' })
      refusedFor(error, edits, () => commit(clipId, edits, description, overturn))
    } else tell(error)
    return null
  } finally {
    usePending.setState(({ pending }) => ({ pending: pending.filter((other) => other !== own) }))
  }
}

/** Say that somebody changed it meanwhile. Where no form asks what is to stay, the notice does. */
function refusedFor(error: unknown, edits: readonly Edit[], again: () => Promise<unknown>): void {
  if (edits.some((edit) => edit.action !== 'add' && edit.basedOn !== undefined)) return
  const { message } = told(problemOf(error))
  toast.warning(message, { id: 'review', duration: Infinity, action: { label: t('Keep mine'), onClick: () => void again() } })
}

/**
 * Decide about several annotations of a clip. If that would reverse a person's decisions, say how many and ask first.
 * @returns Whether it was done.
 */
export async function decideAll(
  clipId: number,
  ids: readonly number[],
  action: 'accept' | 'reject' | 'reset',
  description: Phrase,
): Promise<boolean> {
  const states = new Map(annotationsOf(clipId).map(({ id, state }) => [id, state]))
  const count = ids.length < 2 ? 0 : ids.filter((id) => overturns(action, states.get(id) ?? 'machine')).length
  if (count > 0) {
    const text =
      action === 'accept'
        ? t('{{count}} of these had been rejected by a person.', { count })
        : action === 'reject'
          ? t('{{count}} of these had been accepted, drawn or changed by a person.', { count })
          : t('{{count}} of these had been decided by a person.', { count })
    if (!(await confirmed({ title: t('Decided otherwise before'), text, yes: t('Do it with all {{count}}', { count: ids.length }) })))
      return false
  }
  return (
    (await commit(
      clipId,
      ids.map((annotationId) => ({ action, annotationId })),
      description,
      count > 0,
    )) !== null
  )
}

/** An annotation that was chosen under its provisional id stays chosen. */
function chooseStored({ provisional: names }: Pending, ids: readonly number[]): void {
  const { trackId, selectTrack } = useUi.getState()
  const at = trackId === null ? -1 : names.indexOf(trackId)
  const id = ids[at]
  if (id !== undefined) selectTrack(id)
}

/** The annotations of a clip, including edits that are still being stored. */
export function useAnnotations(clipId: number | null): readonly Annotation[] | undefined {
  const { data } = useClip(clipId)
  const pending = usePending((state) => state.pending)
  return useMemo(() => data && pending.filter((one) => one.clipId === clipId).reduce(edited, data.annotations), [data, pending, clipId])
}

/** The same, read once without subscribing. */
export function annotationsOf(clipId: number): readonly Annotation[] {
  const data = queryClient.getQueryData(clipQuery(clipId).queryKey)
  return usePending
    .getState()
    .pending.filter((one) => one.clipId === clipId)
    .reduce(edited, data?.annotations ?? [])
}

function edited(annotations: readonly Annotation[], { clipId, edits, provisional: names }: Pending): Annotation[] {
  return edits.reduce<Annotation[]>(
    (all, edit, i) => {
      if (edit.action === 'add')
        return [
          ...all,
          { id: names[i] ?? 0, clipId, body: edit.body, machine: null, state: 'edited', evidence: null, provenance: null, updatedAt: '' },
        ]
      return all.map((one) => (one.id === edit.annotationId ? { ...one, ...changed(one, edit) } : one))
    },
    [...annotations],
  )
}

function changed({ state, body, machine }: Annotation, edit: Exclude<Edit, { action: 'add' }>): Pick<Annotation, 'body' | 'state'> {
  switch (edit.action) {
    case 'edit':
      return { body: edit.body, state: 'edited' }
    case 'accept':
      return { body, state: agreedState({ state, body, machine }) }
    case 'reject':
      return { body, state: 'rejected' }
    case 'reset':
      return { body: machine ?? body, state: 'machine' }
  }
}

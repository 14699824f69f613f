/** What a person does to the library: in the order in which it was asked for, with a way back. */
import { toast as sonner } from 'sonner'
import type { AnnotationBody } from '../app/annotation.ts'
import type { Phrase } from '../app/phrase.ts'
import { call } from './api.ts'
import { historyQuery, queryClient } from './cache.ts'
import { phrase, shown, t } from './i18n.ts'
import { type Notice, tell, toast } from './toast.ts'

let line: Promise<unknown> = Promise.resolve()
/** How many wait in it, with the one that is being done. */
let waiting = 0
/** The notice that offers to take back what was done last. */
let offer: string | number | null = null

/** What changes the library, in the order in which it was asked for: an undo that is pressed at once takes back the edit before it. */
export function inOrder<T>(work: () => Promise<T>): Promise<T> {
  // Undo takes back the newest step: from here on that is not what the notice speaks of.
  if (offer !== null) sonner.dismiss(offer)
  offer = null
  waiting += 1
  const done = line.then(work).finally(() => (waiting -= 1))
  line = done.catch(() => undefined)
  return done
}

/** Say what was done, as soon as it is done, with a way back as long as nothing else is asked for. */
export function offerUndo(text: string, notice: Notice, show: (text: string, notice: Notice) => string | number = toast): void {
  if (waiting > 0) show(text, notice)
  else offer = show(text, { ...notice, action: { label: t('Undo'), onClick: () => void undo('undo') } })
}

/** A step that is being taken back or done again. */
let stepping: Promise<void> | null = null

/** Run at once, or when the step that is being taken is seen: what a person does next starts from what it leaves. */
export async function afterStep(work: () => void): Promise<void> {
  while (stepping !== null) await stepping
  work()
}

export function undo(direction: 'undo' | 'redo'): Promise<void> {
  const step = takeStep(direction).finally(() => {
    if (stepping === step) stepping = null
  })
  stepping = step
  return step
}

async function takeStep(direction: 'undo' | 'redo'): Promise<void> {
  try {
    await inOrder(async () => {
      const { [direction]: what, elsewhere } = await call('history')
      if (!what) {
        if (direction === 'undo' && elsewhere) offerOthers(elsewhere)
        return
      }
      queryClient.setQueryData(historyQuery.queryKey, await (direction === 'undo' ? call('undo', { query: {} }) : call('redo')))
      // What is edited next must not be edited as it was before.
      await queryClient.refetchQueries({ queryKey: ['clip'], type: 'active' })
      toast(direction === 'undo' ? t('Undone: {{what}}', { what: shown(what) }) : t('Redone: {{what}}', { what: shown(what) }))
    })
  } catch (error) {
    tell(error)
  }
}

/** What was done in another window is taken back only by who has read what it is. */
function offerOthers(what: Phrase): void {
  const takeBack = () => inOrder(() => call('undo', { query: { whose: 'all' } })).then(() => queryClient.invalidateQueries(), tell)
  toast.info(t('Nothing was done in this window that could be taken back. In another one was done last: {{what}}', { what: shown(what) }), {
    id: 'review',
    duration: 12_000,
    action: { label: t('Undo that'), onClick: () => void takeBack() },
  })
}

const REVIEWED = {
  accept: phrase('Accepted'),
  reject: phrase('Rejected'),
  edit: phrase('Saved'),
  reset: phrase('Back to what the model said'),
}

/** Decide about an annotation; one toast at a time says so and offers to take it back. */
export async function review({ id, action, body }: { id: number; action: keyof typeof REVIEWED; body?: AnnotationBody }): Promise<void> {
  try {
    await inOrder(() => call('reviewAnnotation', { params: { annotationId: id }, body: { action, ...(body ? { body } : {}) } }))
    void queryClient.invalidateQueries(historyQuery)
    offerUndo(t(REVIEWED[action]), { id: 'review' })
  } catch (error) {
    tell(error)
  }
}

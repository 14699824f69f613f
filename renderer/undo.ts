/** Changes to the library by a person: run in the order in which they were requested, with a way to undo them. */
import { toast as sonner } from 'sonner'
import type { AnnotationBody } from '../app/annotation.ts'
import type { Phrase } from '../app/phrase.ts'
import { call } from './api.ts'
import { historyQuery, queryClient } from './cache.ts'
import { phrase, shown, t } from './i18n.ts'
import { type Notice, tell, toast } from './toast.ts'

let line: Promise<unknown> = Promise.resolve()
/** How many changes wait, including the one that is running. */
let waiting = 0
/** The notice that offers to undo the last change. */
let offer: string | number | null = null

/** Runs changes to the library in the order in which they were requested: an undo pressed at once reverts the edit before it. */
export function inOrder<T>(work: () => Promise<T>): Promise<T> {
  // Undo reverts the newest step: from here on that is not the one that the notice names.
  if (offer !== null) sonner.dismiss(offer)
  offer = null
  waiting += 1
  const done = line.then(work).finally(() => (waiting -= 1))
  line = done.catch(() => undefined)
  return done
}

/** Say what was done once it is done, and offer undo until something else is requested. */
export function offerUndo(text: string, notice: Notice, show: (text: string, notice: Notice) => string | number = toast): void {
  if (waiting > 0) show(text, notice)
  else offer = show(text, { ...notice, action: { label: t('Undo'), onClick: () => void undo('undo') } })
}

/** The undo or redo that is running. */
let stepping: Promise<void> | null = null

/** Run now, or once the running undo or redo is shown: the person's next action builds on its result. */
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
      // The next edit must not start from the state before this step.
      await queryClient.refetchQueries({ queryKey: ['clip'], type: 'active' })
      toast(direction === 'undo' ? t('Undone: {{what}}', { what: shown(what) }) : t('Redone: {{what}}', { what: shown(what) }))
    })
  } catch (error) {
    tell(error)
  }
}

/** A change made in another window is only undone after the person has read what it is. */
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
  reset: phrase('Back to what the model said'),
}

/** Decide about an annotation as it is shown; one toast at a time reports it and offers to undo it. */
export async function review({ id, body }: { id: number; body: AnnotationBody }, action: keyof typeof REVIEWED): Promise<void> {
  try {
    await inOrder(() => call('reviewAnnotation', { params: { annotationId: id }, body: { action, basedOn: body } }))
    void queryClient.invalidateQueries(historyQuery)
    offerUndo(t(REVIEWED[action]), { id: 'review' })
  } catch (error) {
    tell(error)
    // Where somebody changed it meanwhile, that is seen.
    void queryClient.invalidateQueries({ queryKey: ['clip'] })
  }
}

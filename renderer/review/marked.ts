/** Clips that a person marks: a span of a video, analysed like any other clip. */
import { call } from '../api.ts'
import { t } from '../i18n.ts'
import { queryClient } from '../cache.ts'
import { tell, toast } from '../toast.ts'
import { inOrder, offerUndo } from '../undo.ts'
import { useUi } from '../store.ts'
import { markedSpan, useReview } from './store.ts'

/** Make a clip of the marked span, and go to it. */
export async function clipFromMarks(sourceId: number | null): Promise<void> {
  const span = markedSpan(useReview.getState())
  if (span === null || sourceId === null) {
    toast(t('Mark a span first: where it begins, and where it ends.'), { id: 'review' })
    return
  }
  try {
    const clip = await inOrder(() => call('markClip', { params: { sourceId }, body: { span } }))
    offerUndo(t('A clip was made of it'), { id: 'review' })
    await queryClient.refetchQueries({ queryKey: ['clips'] })
    useReview.getState().clearMarks()
    useUi.getState().selectClip(clip.id, sourceId)
    void queryClient.invalidateQueries({ queryKey: ['history'] })
  } catch (error) {
    tell(error)
  }
}

export async function removeClip(clipId: number, sourceId: number): Promise<void> {
  try {
    await inOrder(() => call('removeClip', { params: { clipId } }))
    useUi.getState().selectSource(sourceId)
    void queryClient.invalidateQueries({ queryKey: ['history'] })
    offerUndo(t('The clip was removed, with what was said about it'), { id: 'review' })
  } catch (error) {
    tell(error)
  }
}

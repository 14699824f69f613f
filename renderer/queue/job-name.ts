import type { Job } from '../../app/contract.ts'
import { t } from '../i18n.ts'

/** What a job does, in a few words. */
export function jobName({ kind, title }: Pick<Job, 'kind' | 'title'>): string {
  switch (kind) {
    case 'analyse':
      return title
    case 'ask':
      return t('Ask “{{question}}”', { question: title })
    case 'mark':
      return t('Marked clips of {{file}}', { file: title })
    case 'preview':
      return t('Preview copy of {{file}}', { file: title })
    case 'detect':
      return title === '' ? t('Clear detections') : t('Detect {{labels}}', { labels: title })
  }
}

import type { Status } from '../../app/contract.ts'
import { t } from '../i18n.ts'

/** What may leave this computer at present, in one sentence. */
export function privacy(status: Pick<Status, 'network'> | undefined): string {
  return status?.network
    ? t('Your videos and what is said about them do not leave this computer. Network: on, for downloading packs only.')
    : t('Nothing leaves this computer. Network: off.')
}

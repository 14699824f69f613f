import type { PageFormat } from '../../app/contract/export.ts'
import { urlOf } from '../api.ts'
import { desktop } from '../desktop.ts'

/** Put a page of an export on paper: on the desktop as a PDF that is saved, in a browser by its own dialog, which can save one too. */
export async function printPage(exportId: string, format: PageFormat): Promise<void> {
  if (desktop) {
    await desktop.savePdf(exportId, format)
    return
  }
  const frame = document.createElement('iframe')
  frame.className = 'printed'
  frame.ariaHidden = 'true'
  frame.tabIndex = -1
  frame.src = urlOf('exportPage', { params: { exportId }, query: { format } })
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve))
  document.body.append(frame)
  await loaded
  // Some browsers return before the dialog is closed.
  frame.contentWindow?.addEventListener('afterprint', () => setTimeout(() => frame.remove()))
  frame.contentWindow?.print()
}

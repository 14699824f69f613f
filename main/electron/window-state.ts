/** Remembers the window's place over restarts, unless its display is gone. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { app, type BrowserWindow, type Rectangle, screen } from 'electron'
import { z } from 'zod'

const State = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().min(400),
  height: z.number().int().min(300),
  maximized: z.boolean(),
})

const file = () => path.join(app.getPath('userData'), 'window.json')

export function windowState(): { bounds: Partial<Rectangle>; maximized: boolean } {
  const fallback = { bounds: { width: 1440, height: 900 }, maximized: false }
  try {
    const { maximized, ...bounds } = State.parse(JSON.parse(readFileSync(file(), 'utf8')))
    const { workArea } = screen.getDisplayMatching(bounds)
    const visible =
      bounds.x < workArea.x + workArea.width &&
      bounds.x + bounds.width > workArea.x &&
      bounds.y >= workArea.y - 1 &&
      bounds.y < workArea.y + workArea.height
    return visible ? { bounds, maximized } : { ...fallback, maximized }
  } catch {
    // The first start, or a damaged file: the system chooses the place.
    return fallback
  }
}

export function keepWindowState(window: BrowserWindow): void {
  window.on('close', () => writeFileSync(file(), JSON.stringify({ ...window.getNormalBounds(), maximized: window.isMaximized() })))
}

/** Opens the window in the person's default browser. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const OPENERS: Partial<Record<NodeJS.Platform, readonly string[]>> = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] }

/**
 * Opens the default browser; if there is none, the printed address has to do. The browser is given a file, readable by this user only, that
 * redirects to the address: everybody on the machine can read a program's arguments, and the address lets a browser in.
 */
export function openBrowser(address: string): void {
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) return
  const [command = '', ...args] = OPENERS[process.platform] ?? ['xdg-open']
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-open-'))
  const file = path.join(folder, 'tubelet.html')
  const forget = () => rmSync(folder, { recursive: true, force: true })
  writeFileSync(file, `<!doctype html><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url=${address}">`, {
    mode: 0o600,
  })
  process.once('exit', forget)
  setTimeout(forget, 60_000).unref()
  spawn(command, [...args, file], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref()
}

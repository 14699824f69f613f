/** A Tubelet for a test: its own project folder, its own port, the real engine, pack and window. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { type CDPSession, expect, type Page, test } from '@playwright/test'
import { type CallArgs, contract, type RouteName, type RouteOutput } from '../app/contract.ts'
import { clip } from './clips.ts'

const cli = path.resolve(import.meta.dirname, '..', 'main', 'cli.ts')

export interface Running {
  /** The address that opens the window, key included. */
  url: string
  projectDir: string
  /** Ends it as Ctrl-C does, or at once as a crash; resolves when the process is gone. */
  stop: (signal?: 'SIGINT' | 'SIGKILL') => Promise<void>
}

function projectFolder(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'tubelet-e2e-'))
}

/** @param more Further arguments of `tubelet serve`. */
export async function start(projectDir = projectFolder(), more: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const packs = path.join(projectDir, 'packs')
  const child: ChildProcess = spawn(process.execPath, [cli, 'serve', '--project', projectDir, '--packs', packs, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  const url = await new Promise<string>((resolve, reject) => {
    let output = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const address = /http:\/\/\S+/.exec(output)?.[0]
      if (address) resolve(address)
    })
    child.once('exit', (code) => reject(new Error(`tubelet serve ended with ${String(code)}: ${output}`)))
  })
  return {
    url,
    projectDir,
    stop: async (signal = 'SIGINT') => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal)
        await once(child, 'exit')
      }
    },
  }
}

export function forget({ projectDir }: Running): void {
  rmSync(projectDir, { recursive: true, force: true })
}

/** The Tubelet of the running spec file and its one window, open from before the first test until after the last. */
export let app: Running
export let page: Page

/**
 * Called once at the top of a spec file: one Tubelet with an empty library and one window with a ready engine, which the tests of the
 * file share in their order.
 *
 * @param clips Names of videos that are analysed before the first test.
 */
export function tubelet(...clips: readonly string[]): void {
  test.describe.configure({ mode: 'serial' })
  test.beforeAll(async ({ browser }) => {
    test.setTimeout(240_000)
    app = await start()
    const context = await browser.newContext({
      locale: 'en-US',
      reducedMotion: 'reduce',
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    page = await context.newPage()
    await opened()
    if (clips.length > 0) await analyse(...clips)
  })
  test.afterAll(async () => {
    await page.context().close()
    await app.stop()
    forget(app)
  })
}

/** The parts that a call of `N` requires: the query of `listClips`, for example, is optional, as all of its fields are. */
type Needs<N extends RouteName> = {
  [K in keyof CallArgs<N>]: Partial<CallArgs<N>[K]> extends CallArgs<N>[K] ? never : K
}[keyof CallArgs<N>]

/** Calls the REST API as the window does. */
export async function call<N extends RouteName>(
  name: N,
  ...[args]: Needs<N> extends never ? [CallArgs<N>?] : [CallArgs<N>]
): Promise<RouteOutput<N>> {
  const {
    params = {},
    query = {},
    body,
  } = (args ?? {}) as { params?: Record<string, unknown>; query?: Record<string, string>; body?: unknown }
  const { method, path: route } = contract[name]
  const { origin, searchParams } = new URL(app.url)
  const url = new URL(
    route.replaceAll(/\{(\w+)\}/g, (_, key: string) => String(params[key])),
    origin,
  )
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value)
  const headers = { authorization: `Bearer ${searchParams.get('token') ?? ''}`, 'content-type': 'application/json' }
  const response = await fetch(url, {
    method: method.toUpperCase(),
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as RouteOutput<N>
}

/** Waits until nothing runs or is queued, and the window shows it. */
export async function done(): Promise<void> {
  await expect
    .poll(async () => ((queue) => queue.running + queue.waiting)(await call('queue')), { timeout: 110_000, intervals: [100] })
    .toBe(0)
  await expect(
    page
      .getByRole('contentinfo')
      .getByRole('status')
      .filter({ hasText: /All done|Nothing runs or waits/ }),
  ).toBeVisible()
}

/** Adds videos of test/clips and waits until they are analysed. */
export async function analyse(...names: string[]): Promise<void> {
  await call('addSources', { body: { paths: names.map(clip) } })
  await done()
}

/** Ends the program and opens it again on the same library. */
export async function restart(signal?: 'SIGINT' | 'SIGKILL'): Promise<void> {
  await app.stop(signal)
  app = await start(app.projectDir)
  await opened()
}

/** Waits until the window takes keys and the engine is ready. */
async function opened(): Promise<void> {
  await page.goto(app.url)
  await expect(page.getByText(/^Ready on/).first()).toBeVisible({ timeout: 60_000 })
}

export const goTo = (name: string) => page.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name, exact: true }).click()

/** Drags files from outside to a place in the window, with Chromium's own drag events. */
export async function dropFiles(
  window: Page,
  devtools: CDPSession,
  files: readonly string[],
  [x, y]: [x: number, y: number] = [700, 400],
): Promise<void> {
  const data = { items: [], files: [...files], dragOperationsMask: 1 }
  const send = (type: 'dragEnter' | 'dragOver' | 'drop') => devtools.send('Input.dispatchDragEvent', { type, x, y, data })
  await expect(window.locator('.app')).toBeVisible()
  await send('dragEnter')
  await send('dragOver')
  // Chromium drops nothing until the page has accepted the drag; a person is never fast enough to drop before that.
  await expect(window.locator('.app[data-dragging=true]')).toBeAttached()
  await send('drop')
  await expect(window.locator('.app[data-dragging=false]')).toBeAttached()
}

/** The rows of the clip list on the left. */
export const clipRows = () => page.getByRole('navigation').locator('[data-clip]')

/** The axe rules that depend on colours and sizes: a theme changes nothing else. */
const RULES_OF_LOOKS = ['color-contrast', 'link-in-text-block', 'target-size']

/** Violations of WCAG 2.2 AA and of axe’s best practices in the window as it is now. */
export async function violations(rules: 'all' | 'of looks' = 'all'): Promise<string[]> {
  const axe = new AxeBuilder({ page }).exclude('[data-sonner-toaster]')
  const { violations: found } = await (rules === 'all'
    ? axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    : axe.withRules(RULES_OF_LOOKS)
  ).analyze()
  const faults = found.flatMap(({ id, nodes }) => nodes.map(({ html, target }) => ({ id, html, target: String(target) })))
  const kept = await Promise.all(faults.map(async ({ id, html, target }) => !(await allowed(id, html, target))))
  return faults.filter((_, nth) => kept[nth]).map(({ id, html }) => `${id} ${html.slice(0, 160)}`)
}

async function allowed(rule: string, html: string, target: string): Promise<boolean> {
  // A cell of the table is not a control that somebody calls by its name: it is read with its column’s name before its text.
  if (rule === 'label-content-name-mismatch') return html.includes('role="gridcell"')
  // A splitter between two parts of a page belongs to neither landmark.
  if (rule === 'region') return html.includes('role="separator"')
  if (rule !== 'target-size') return false
  // A bar of the timeline is as long as the span it shows; rows of the lists and keys do the same at full size (WCAG 2.5.8,
  // “equivalent”). What a sticky head covers can be scrolled into full view.
  return page
    .locator(target)
    .first()
    .evaluate((element) => {
      const { width, height } = element.getBoundingClientRect()
      return element.closest('.timeline') !== null || Math.min(width, height) >= 24
    })
}

/** Asserts that the window as it is now has no violations, in light and in dark. */
export async function accessible(): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme })
    expect(await violations(colorScheme === 'light' ? 'all' : 'of looks'), colorScheme).toEqual([])
  }
}

/** The key of the web host: how the browser gets it, and who does not get it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { app, forget, goTo, page, restart, start, tubelet } from './app.ts'

tubelet()

test('the browser is given a file that leads to the window; no argument of a program holds the key', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-opener-'))
  const said = path.join(folder, 'said')
  writeFileSync(said, '')
  writeFileSync(path.join(folder, 'xdg-open'), `#!/bin/sh\nprintf %s "$*" > ${said}\n`, { mode: 0o755 })
  const other = await start(undefined, ['--open'], { DISPLAY: ':99', PATH: `${folder}:${process.env['PATH'] ?? ''}` })
  try {
    const given = () => readFileSync(said, 'utf8')
    await expect.poll(given).toMatch(/\.html$/)
    expect(given()).not.toContain(new URL(other.url).searchParams.get('token'))
    const window = await (await page.context().browser()?.newContext())?.newPage()
    if (!window) throw new Error('no browser')
    await window.goto(`file://${given()}`)
    await expect(window.getByRole('navigation', { name: 'Pages' })).toBeVisible()
    expect(new URL(window.url()).hostname).toMatch(/^[0-9a-f]{20}\.localhost$/)
    expect(window.url()).not.toContain('token')
    await window.context().close()
  } finally {
    await other.stop()
    forget(other)
    rmSync(folder, { recursive: true })
  }
})

test('an address from the command line opens one window, and what others can read of the running programs opens none', async () => {
  const args = [path.resolve(import.meta.dirname, '..', 'main', 'cli.ts'), 'address', '--project', app.projectDir]
  const address = execFileSync(process.execPath, args, { encoding: 'utf8' }).trim()
  const window = await (await page.context().browser()?.newContext())?.newPage()
  const later = await (await page.context().browser()?.newContext())?.newPage()
  if (!window || !later) throw new Error('no browser')
  try {
    await window.goto(address)
    await expect(window.getByRole('navigation', { name: 'Pages' })).toBeVisible()
    await later.goto(address)
    await expect(later.getByText('This address was used already')).toBeVisible()
    const cookies = (await window.context().cookies()).map(({ value }) => value)
    const secrets = [...cookies, String(new URL(app.url).searchParams.get('token'))]
    expect(secrets).toHaveLength(2)
    for (const pid of process.platform === 'linux' ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [])
      for (const secret of secrets) expect(argumentsOf(pid)).not.toContain(secret)
  } finally {
    await window.context().close()
    await later.context().close()
  }
})

/** What everybody on this machine can read of a program; empty if it has ended. */
function argumentsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

test('another program on this machine gets neither the cookie nor a picture', async () => {
  const heard: (string | undefined)[] = []
  const inside = `${new URL(page.url()).origin}/api/openapi.json`
  const server = createServer((request, response) => {
    heard.push(request.headers.cookie)
    response.setHeader('content-type', 'text/html')
    response.end(`<script src="${inside}"></script><img src="${inside}">`)
  }).listen(0, '127.0.0.1')
  await new Promise((ready) => server.once('listening', ready))
  const { port } = server.address() as AddressInfo
  const stranger = await page.context().newPage()
  try {
    const answers: number[] = []
    stranger.on('response', (response) => response.url() === inside && answers.push(response.status()))
    for (const name of ['127.0.0.1', 'localhost', 'other.localhost']) await stranger.goto(`http://${name}:${port}/`)
    await expect.poll(() => answers.length).toBeGreaterThanOrEqual(3)
    expect(new Set(answers)).toEqual(new Set([403]))
    expect(heard.filter((cookie) => cookie !== undefined)).toEqual([])
  } finally {
    await stranger.close()
    server.close()
  }
  expect(new URL(app.url).hostname).toBe('127.0.0.1')
})

test('what the browser keeps of the window is there after a restart', async () => {
  await goTo('Settings')
  const light = page.getByRole('group', { name: 'Colours' }).getByRole('radio', { name: 'Light' })
  await light.check()
  await restart()
  await goTo('Settings')
  await expect(light).toBeChecked()
})

/** Backups in the settings: one takes the place of the library, and a damaged library is opened by one. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { app, call, goTo, page, tubelet } from './app.ts'

tubelet()

const labels = async () => (await call('getLabels')).labels.map(({ name }) => name)
const library = () => page.getByRole('region', { name: 'Backups' })
const named = (name: string) => ({ name, synonyms: [], colour: '#ff0000', threshold: 0.5 })

/** Answers the question, and waits until the window shows the restored library. */
async function restore(): Promise<void> {
  const reloaded = page.waitForEvent('load')
  await page.getByRole('dialog', { name: 'Restore a backup' }).getByRole('button', { name: 'Restore' }).click()
  await reloaded
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible()
}

test('a backup is made and restored in the settings, and what it took the place of can be restored too', async () => {
  await call('setLabels', { body: { labels: [named('heron')] } })
  await goTo('Settings')
  await library().getByRole('button', { name: 'Make a backup now' }).click()
  await expect(library().getByRole('listitem')).toHaveCount(1)
  await call('setLabels', { body: { labels: [named('stork')] } })
  await library()
    .getByRole('button', { name: /^Restore the backup of/ })
    .click()
  await restore()
  expect(await labels()).toEqual(['heron'])
  await goTo('Settings')
  const aside = library().getByRole('listitem').filter({ hasText: 'set aside when another was restored' })
  await aside.getByRole('button').click()
  await restore()
  expect(await labels()).toEqual(['stork'])
})

test('a library that is damaged is told, and opened by its backup', async () => {
  const first = app.projectDir
  const other = path.join(first, 'other')
  await call('openProject', { body: { path: other } })
  await call('setLabels', { body: { labels: [named('crane')] } })
  await call('makeBackup')
  await call('openProject', { body: { path: first } })
  const file = path.join(other, 'library.sqlite')
  writeFileSync(file, readFileSync(file).fill(0xa5, 0, statSync(file).size / 2))
  await page.reload()
  await goTo('Settings')
  const libraries = page.getByRole('region', { name: 'Libraries' })
  await libraries.getByRole('button', { name: 'other', exact: true }).click()
  await expect(libraries.getByText('The library file is damaged, or is no library.')).toBeVisible()
  expect(await labels()).toEqual(['stork'])
  await libraries.getByRole('button', { name: /^Restore the backup of/ }).click()
  await restore()
  expect(await labels()).toEqual(['crane'])
})

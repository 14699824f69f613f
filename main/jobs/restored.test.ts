/** A video that goes to the bin while it waits is queued again when it comes back. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { openTubelet } from '../open.ts'

test('a video that waited when it was removed waits again: after undo, and from the bin; a cancelled one stays so', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-restored-'))
  const { library, jobs, close, handle } = openTubelet({
    projectDir: path.join(folder, 'project'),
    host: 'cli',
    packsDir: path.join(folder, 'packs'),
  })
  const file = path.join(folder, 'a.mp4')
  writeFileSync(file, 'no video')
  jobs.pause()
  const { id } = library.addSource({ path: file, name: 'a.mp4', bytes: 8, mtimeMs: 0, fingerprint: 'f' }).source
  jobs.retry(id)
  const waits = () => [
    library.source(id).state,
    jobs.queue().jobs.filter(({ sourceId, state }) => sourceId === id && state === 'queued').length,
  ]
  await jobs.removeSource(id)
  await library.history.undo()
  expect(waits()).toEqual(['queued', 1])
  await jobs.removeSource(id)
  expect((await handle(new Request(`http://tubelet/api/bin/${id}/restore`, { method: 'POST' }))).status).toBe(200)
  expect(waits()).toEqual(['queued', 1])
  for (const job of jobs.queue().jobs) if (job.state === 'queued') await jobs.cancel(job.id)
  await jobs.removeSource(id)
  await library.history.undo()
  expect(waits()).toEqual(['cancelled', 0])
  await close()
  rmSync(folder, { recursive: true, force: true })
})

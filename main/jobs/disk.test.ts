import { expect, test, vi } from 'vitest'
import { LibraryDisk } from './disk.ts'

/** A disk of a library at /library, and what it told. */
function watched() {
  const heard: unknown[] = []
  const disk = new LibraryDisk('/library', {
    changed: () => heard.push('changed'),
    goOn: () => heard.push('goes on'),
    fault: (error) => heard.push(error),
  })
  return { disk, heard }
}
const full = () => Object.assign(new Error('no space left'), { code: 'ENOSPC', path: '/library/library.sqlite' })

test('what goes wrong in the background is told, whatever it is, and no rejection is left to end the process', async () => {
  const { disk, heard } = watched()
  const error = new TypeError('x is undefined')
  disk.eventually(() => Promise.reject(error))
  await expect.poll(() => heard).toEqual([error])
})

test('what the disk refuses in the background is done when it takes it', async () => {
  const { disk, heard } = watched()
  let tries = 0
  disk.eventually(() => ((tries += 1) === 1 ? Promise.reject(full()) : Promise.resolve()))
  await expect.poll(() => heard).toEqual(['changed'])
  expect(disk.problem).toMatchObject({ code: 'disk-full' })
  disk.retry()
  expect([tries, disk.problem]).toEqual([2, null])
  expect(heard).toEqual(['changed', 'goes on', 'changed'])
  disk.close()
})

test('a job that was cut off says why also while it is tried again, until it has ended or somebody says that there is room', () => {
  vi.useFakeTimers()
  try {
    const { disk, heard } = watched()
    expect(disk.refusedOf(7)).toBeNull()
    expect(disk.refused(7, full())).toBe(true)
    expect([disk.holdsUp(7), disk.refusedOf(7)?.code]).toEqual([true, 'disk-full'])
    vi.advanceTimersByTime(2_000)
    // The disk took what was small, so the job runs again: that is no proof that there is room.
    expect(heard).toContain('goes on')
    expect([disk.problem, disk.holdsUp(7), disk.refusedOf(7)?.code, disk.isDoubted]).toEqual([null, false, 'disk-full', true])
    disk.forget(7)
    expect([disk.refusedOf(7), disk.isDoubted]).toEqual([null, false])
    disk.refused(8, full())
    disk.retry()
    expect(disk.refusedOf(8)).toBeNull()
    disk.close()
  } finally {
    vi.useRealTimers()
  }
})

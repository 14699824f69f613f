/** The Python of docs/rest.md as it stands there, against a served library with a token. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test, vi } from 'vitest'
import { findMediaTools } from '../main/media/tools.ts'
import { openTubelet } from '../main/open.ts'
import { serve } from '../main/serve.ts'
import { scopeOf, tokenCommand } from '../main/tokens.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-rest-'))
const project = path.join(folder, 'library')
const tubelet = openTubelet({ projectDir: project, packsDir: path.join(folder, 'packs'), host: 'web' })
afterAll(async () => {
  await tubelet.close()
  rmSync(folder, { recursive: true, force: true })
})

test('the example of docs/rest.md reads rows and accepts captions, with a token that may edit', async () => {
  const { ffmpeg } = await findMediaTools()
  const film = path.join(folder, 'film.mp4')
  execFileSync(ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', 'color=black:s=64x48:r=10:d=1', film])
  await tubelet.intake.bring({ paths: [film] })
  await tubelet.jobs.idle()
  const [clip] = tubelet.library.clips({ limit: 1, offset: 0 }).clips
  if (!clip?.caption) expect.fail('the film has no caption')
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  const make = async (...args: string[]) => {
    await tokenCommand(project).parseAsync(['make', ...args], { from: 'user' })
    return String(printed.mock.lastCall?.[0])
  }
  const [edits, reads] = [await make('labels', '--scope', 'edit'), await make('pandas')]
  printed.mockRestore()
  const served = await serve({ handle: tubelet.handle, scopeOf: (token) => scopeOf(project, token) })
  try {
    const [, example = ''] =
      /```python\n([^]*?)```/.exec(readFileSync(path.join(import.meta.dirname, '..', 'docs', 'rest.md'), 'utf8')) ?? []
    const run = (token: string) =>
      promisify(execFile)(process.env['PYTHON'] ?? 'python3', ['-c', example], {
        env: { ...process.env, TUBELET_URL: served.url, TUBELET_TOKEN: token, WANTED: clip.caption ?? '' },
      })
    await expect(run(reads)).rejects.toThrow('HTTP Error 403')
    const { stdout } = await run(edits)
    expect(stdout).toMatch(/^\d+ rows, 1 captions accepted\n$/)
    expect(tubelet.library.annotations(clip.id).find(({ body }) => body.kind === 'caption')?.state).toBe('accepted')
  } finally {
    await served.close()
  }
})

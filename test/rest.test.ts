/** Programs beside the window, against a served library with a token: the Python of docs/rest.md as it stands there, and clients that are generated. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import openapiTS, { astToString } from 'openapi-typescript'
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
  const [edits, reads] = [await tokenOf('labels', '--scope', 'edit'), await tokenOf('pandas')]
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

const root = path.resolve(import.meta.dirname, '..')
const python = path.join(root, '.venv', 'bin', 'python')
const generator = path.join(root, '.venv', 'bin', 'openapi-python-client')
const tokenOf = async (...args: string[]) => {
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  await tokenCommand(project).parseAsync(['make', ...args], { from: 'user' })
  const token = String(printed.mock.lastCall?.[0])
  printed.mockRestore()
  return token
}

const TYPESCRIPT = `import createClient from 'openapi-fetch'
import type { paths } from './tubelet.ts'
const tubelet = createClient<paths>({ baseUrl: process.env['TUBELET_URL'] ?? '', headers: { authorization: 'Bearer ' + process.env['TUBELET_TOKEN'] } })
const { data } = await tubelet.GET('/api/clips', { params: { query: { limit: 1 } } })
const clip = data?.clips[0]
if (clip === undefined) throw new Error('no clip')
// @ts-expect-error There is no such field.
void clip.nothing
const detail = await tubelet.GET('/api/clips/{clipId}', { params: { path: { clipId: clip.id } } })
const caption = detail.data?.annotations.find(({ body }) => body.kind === 'caption')
const { response } = await tubelet.PATCH('/api/annotations/{annotationId}', {
  params: { path: { annotationId: caption?.id ?? 0 } },
  body: { action: 'edit', body: { kind: 'caption', text: 'by a client' } },
})
const refused = await tubelet.GET('/api/clips/{clipId}', { params: { path: { clipId: 999 } } })
console.log(clip.sourceName, response.status, refused.response.status)
`
const PYTHON = `import os
from client import AuthenticatedClient
from client.api.default import get_clip, list_clips, review_annotation
from client.models import ReviewAnnotationBody

tubelet = AuthenticatedClient(base_url=os.environ["TUBELET_URL"], token=os.environ["TUBELET_TOKEN"])
clip = list_clips.sync(client=tubelet, limit=1).clips[0]
caption = next(said for said in get_clip.sync(client=tubelet, clip_id=clip.id).annotations if said.body.kind == "caption")
body = ReviewAnnotationBody.from_dict({"action": "edit", "body": {"kind": "caption", "text": "by another"}})
edited = review_annotation.sync(client=tubelet, annotation_id=caption.id, body=body)
refused = get_clip.sync_detailed(client=tubelet, clip_id=999)
print(clip.source_name, edited.body.text, int(refused.status_code))
`

test('clients that are generated from the OpenAPI document, in TypeScript and Python, read and edit', { timeout: 300_000 }, async () => {
  if (!existsSync(generator)) expect.fail('models/requirements.txt is not installed in .venv')
  const token = await tokenOf('generated', '--scope', 'edit')
  const served = await serve({ handle: tubelet.handle, scopeOf: (given) => scopeOf(project, given) })
  const env = { ...process.env, TUBELET_URL: served.url, TUBELET_TOKEN: token }
  const document = await (await tubelet.handle(new Request('http://tubelet/api/openapi.json'))).text()
  const run = (program: string, args: string[], cwd: string) => promisify(execFile)(program, args, { cwd, env })
  const [clip] = tubelet.library.clips({ limit: 1, offset: 0 }).clips
  const caption = () => tubelet.library.clip(clip?.id ?? 0).caption
  // In the project, where the packages are found.
  const place = path.join(root, 'dist', `clients-${process.pid}`)
  mkdirSync(place, { recursive: true })
  try {
    writeFileSync(path.join(place, 'openapi.json'), document)
    const generated = run(generator, ['generate', '--path', 'openapi.json', '--meta', 'none', '--output-path', 'client'], place)
    generated.catch(() => undefined)
    writeFileSync(path.join(place, 'tubelet.ts'), astToString(await openapiTS(document)))
    writeFileSync(path.join(place, 'use.ts'), TYPESCRIPT)
    const compilerOptions = {
      strict: true,
      module: 'nodenext',
      target: 'es2024',
      types: ['node'],
      noEmit: true,
      allowImportingTsExtensions: true,
    }
    writeFileSync(path.join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['use.ts'] }))
    const checked = run(process.execPath, [path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.'], place)
    expect(await checked.catch((error: unknown) => error)).toMatchObject({ stdout: '' })
    expect((await run(process.execPath, ['use.ts'], place)).stdout).toBe('film.mp4 200 404\n')
    expect(caption()).toBe('by a client')
    await generated
    writeFileSync(path.join(place, 'use.py'), PYTHON)
    expect((await run(python, ['use.py'], place)).stdout).toBe('film.mp4 by another 404\n')
    expect(caption()).toBe('by another')
  } finally {
    rmSync(place, { recursive: true, force: true })
    await served.close()
  }
})

/** A library whose captions and answers come from a SmolVLM2: a tiny one of random weights, a real clip and real ffmpeg. Its words mean nothing. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answerClip } from './jobs/pipeline.ts'
import { clipPath } from './media/clips.testing.ts'
import { findMediaTools } from './media/tools.ts'
import { openTubelet, type Tubelet } from './open.ts'
import { writeSmolVlm } from './packs/checkpoint.testing.ts'

describe('a library whose captions and answers come from a SmolVLM2', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-smolvlm-library-'))
  const PACK = 'smolvlm2-96-wide-fp32'
  let tubelet: Tubelet
  const counts = async () => (await tubelet.engines.words('answer')).counts()
  const clips = () => tubelet.library.clips({ limit: -1, offset: 0 }).clips
  const ask = (clipId: number, question: string, onToken?: (text: string) => void) =>
    answerClip(
      { library: tubelet.library, packs: tubelet.engines, media: findMediaTools, appVersion: '0' },
      clipId,
      question,
      new AbortController().signal,
      onToken,
    )

  beforeAll(async () => {
    process.env['XDG_CACHE_HOME'] = path.join(folder, 'cache')
    tubelet = openTubelet({ projectDir: path.join(folder, 'project'), packsDir: path.join(folder, 'packs'), host: 'web' })
    const { packs, jobs } = tubelet
    await packs.finished(await packs.import(path.dirname(writeSmolVlm(path.join(folder, 'tiny')))))
    expect(packs.plan(PACK)).toMatchObject({ tasks: ['caption', 'answer'], missing: { clips: 0 } })
    await packs.finished(packs.use(PACK))
    const body = JSON.stringify({ paths: [clipPath('d09_dashcam_short.mp4')] })
    await tubelet.handle(new Request('http://tubelet/api/sources', { method: 'POST', body }))
    await jobs.idle()
    expect(tubelet.library.source(clips()[0]?.sourceId ?? expect.fail('nothing was analysed')).state).toBe('done')
  }, 120_000)
  afterAll(async () => {
    await tubelet.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('each clip is seen once, a frame a second, and its caption is not sure', async () => {
    const { digest } = (await tubelet.engines.words('caption')).info
    const frames = clips().map(({ id }) => tubelet.library.clipFrames(id, digest).length)
    expect(frames).toEqual(clips().map(({ start, end }) => Math.max(1, Math.round(end - start))))
    const selfTests = 2
    expect((await counts())['vision']).toBe(selfTests + frames.reduce((sum, count) => sum + count, 0))
    for (const { id } of clips()) {
      const caption = tubelet.library.annotations(id).find(({ body, provenance }) => body.kind === 'caption' && provenance?.packId === PACK)
      expect(caption).toMatchObject({ evidence: { unsure: true, unfamiliar: false, agreement: null } })
      expect(caption?.evidence?.frames.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 3)
    }
  })

  test('what facts cannot answer it answers, without seeing the clip again, word by word; what they can they answer', async () => {
    const [clip] = clips()
    const clipId = clip?.id ?? expect.fail()
    const before = await counts()
    const pieces: string[] = []
    const answer = await ask(clipId, 'Why is the driver in a hurry?', (piece) => pieces.push(piece))
    expect(answer).toMatchObject({ body: { kind: 'answer' }, provenance: { packId: PACK }, evidence: { unsure: true } })
    expect('text' in answer.body && answer.body.text).toBe(pieces.join('').trim())
    expect((await counts())['vision']).toBe(before['vision'])
    const known = await ask(clipId, 'Does the camera move?')
    expect(known.provenance?.packId).not.toBe(PACK)
  })
})

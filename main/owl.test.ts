/** A library whose boxes are found by a detector of any words: a tiny OWL of random weights, a real clip and real ffmpeg. Its boxes mean nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RouteOutput } from '../app/contract.ts'
import type { Label } from '../app/vocabulary.ts'
import { clipPath } from './media/clips.testing.ts'
import { openTubelet, type Tubelet } from './open.ts'
import { tinyOwl, writeSafetensors } from './packs/checkpoint.testing.ts'

const label = (name: string, synonyms: string[] = [], threshold = 0.5): Label => ({ name, synonyms, threshold, colour: '#808080' })

describe('a library whose boxes are found by any words', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-owl-library-'))
  let tubelet: Tubelet
  let sourceId: number
  let digest: string
  let kept: number
  const counts = async () => (await tubelet.engines.boxes())?.counts()
  const clips = () => tubelet.library.clips({ sourceId, limit: -1, offset: 0 }).clips
  const tracks = () =>
    clips()
      .flatMap(({ id }) => tubelet.library.annotations(id))
      .flatMap(({ body, provenance }) => (body.kind === 'track' ? [{ ...body, by: provenance?.packId }] : []))
  const names = () => [...new Set(tracks().map((one) => one.label))].sort()
  const cells = () => clips().flatMap(({ id }) => [...tubelet.library.seen.cells(id, digest)])

  beforeAll(async () => {
    process.env['XDG_CACHE_HOME'] = path.join(folder, 'cache')
    const { tensors, config } = tinyOwl('owlvit')
    const checkpoint = path.join(folder, 'model.safetensors')
    writeSafetensors(checkpoint, tensors)
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config))
    tubelet = openTubelet({ projectDir: path.join(folder, 'project'), packsDir: path.join(folder, 'packs'), host: 'web' })
    const { packs, jobs } = tubelet
    await packs.finished(await packs.import(checkpoint))
    const made = (await packs.overview()).packs.find(({ manifest }) => manifest?.family === 'owl')
    if (made?.manifest?.family !== 'owl' || made.digest === null) return expect.fail('no pack was made')
    expect(made).toMatchObject({ memory: { measured: true } })
    kept = made.manifest.kept
    digest = made.digest
    await packs.finished(packs.use(made.id))
    await packs.leave('text')
    await jobs.setVocabulary([label('dog', ['puppy'])])
    const body = JSON.stringify({ paths: [clipPath('d09_dashcam_short.mp4')] })
    await tubelet.handle(new Request('http://tubelet/api/sources', { method: 'POST', body }))
    await jobs.idle()
    sourceId = tubelet.library.clips({ limit: 1, offset: 0 }).clips[0]?.sourceId ?? expect.fail('nothing was analysed')
    expect(tubelet.library.source(sourceId).state).toBe('done')
  }, 120_000)
  afterAll(async () => {
    await tubelet.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('each sampled picture has one image pass, whose cells are kept in bounded room', async () => {
    const { image = 0, text = 0 } = (await counts()) ?? {}
    const selfTests = 1
    expect(image - selfTests).toBe(new Set(cells().map(([ordinal]) => ordinal)).size)
    expect(image - selfTests).toBeGreaterThan(1)
    expect(text).toBeLessThanOrEqual(selfTests + 1)
    for (const [, bits] of cells()) expect(bits.length).toBe(kept * (7 + 32))
    expect(names()).toEqual(['dog'])
    expect(new Set(tracks().map(({ by }) => by))).toEqual(new Set(['owl-vit-64-8-fp32']))
  })

  test('a new label is found among the kept cells: no image pass, no decoding, one text', async () => {
    const before = await counts()
    await tubelet.jobs.setVocabulary([label('dog', ['puppy']), label('red bicycle')])
    await tubelet.jobs.idle()
    expect(await counts()).toEqual({ ...before, text: (before?.['text'] ?? 0) + 1 })
    expect(names()).toEqual(['dog', 'red bicycle'])
    expect(tubelet.library.detections.stale(digest)).toEqual([])
    for (const { id } of clips()) expect(tubelet.library.detections.candidates(id, digest).length).toBeGreaterThan(0)
    // A threshold and a word that was looked for before cost nothing.
    await tubelet.jobs.setVocabulary([label('red bicycle', [], 0.99), label('puppy')])
    await tubelet.jobs.idle()
    expect(await counts()).toEqual({ ...before, text: (before?.['text'] ?? 0) + 1 })
    expect(names()).toEqual(['puppy'])
  })

  test('what looks like a box is found among the kept cells, the box itself first; no graph runs for it', async () => {
    const before = await counts()
    const [clip] = clips()
    const [track] = tracks()
    const [key] = track?.boxes ?? []
    if (clip === undefined || key === undefined) return expect.fail('nothing to look for')
    const query = { by: 'box', clipId: clip.id, ordinal: key.ordinal, box: key.box }
    const asked = (url: string, body: object) =>
      tubelet.handle(new Request(`http://tubelet${url}`, { method: 'POST', body: JSON.stringify(body) })).then((answer) => answer.json())
    const found = (await asked('/api/search', { query })) as RouteOutput<'search'>
    expect(found.measure).toBe('cosine')
    const [best] = found.hits
    // Its own region has the greatest product with itself, so its frame's best cell overlaps it.
    expect(best?.clip.id).toBe(clip.id)
    expect(best?.score).toBeGreaterThan(found.line ?? 1)
    const curve = (await asked(`/api/sources/${sourceId}/curve`, { query })) as RouteOutput<'curve'>
    expect(curve.moments.length).toBe(cells().length)
    expect(curve.clips.map(({ clipId }) => clipId)).toEqual(clips().map(({ id }) => id))
    expect(await counts()).toEqual(before)
  })

  test('the same frames analysed again are not looked at again, and what is kept is forgotten with the pack', async () => {
    const before = [await counts(), tracks().length, cells().length]
    tubelet.jobs.retry(sourceId)
    await tubelet.jobs.idle()
    expect([await counts(), tracks().length, cells().length]).toEqual(before)
    const { bytes } = tubelet.library.packs.usage().get(digest) ?? expect.fail()
    expect(bytes).toBeGreaterThan(cells().length * kept * (7 + 32) * 2 - 1)
    tubelet.library.packs.forget(digest)
    expect(cells()).toEqual([])
  })
})

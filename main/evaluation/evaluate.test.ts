/** `tubelet evaluate` on small sets in the layouts of the public ones, made of real frames: real packs, real ffmpeg. */
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { inEnglish, problemOf } from '../../app/errors.ts'
import { clipPath } from '../media/clips.testing.ts'
import { PackStore } from '../packs/store.ts'
import { readSet, type SetName } from './layouts.ts'

const Scores = z.array(z.object({ task: z.string(), metric: z.string(), value: z.number(), n: z.number(), on: z.string() }))

describe('a pack is measured on a public set', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-evaluation-'))
  const at = (...parts: string[]) => path.join(folder, ...parts)
  const write = (file: string, content: unknown) => writeFileSync(at(file), typeof content === 'string' ? content : JSON.stringify(content))
  const packJson = () => readFileSync(at('packs', 'mine', 'pack.json'), 'utf8')
  const digest = () => new PackStore([], at('packs')).find('mine').digest

  function evaluate(...args: string[]) {
    const cli = path.resolve(import.meta.dirname, '..', 'cli.ts')
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'evaluate', ...args, '--packs', at('packs'), '--json'], {
      encoding: 'utf8',
      env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CACHE_HOME: folder },
    })
    const scores = stdout === '' ? [] : Scores.parse(JSON.parse(stdout))
    return { status, said: stderr, of: (metric: string) => scores.find((score) => score.metric === metric), scores }
  }

  beforeAll(() => {
    for (const name of ['packs', 'coco/val2017', 'qa/video', 'captions/pictures', 'next']) mkdirSync(at(name), { recursive: true })
    cpSync(path.resolve(import.meta.dirname, '../../models/packs/objects-80'), at('packs', 'mine'), { recursive: true })
    const frame = (clip: string, seconds: number, file: string) =>
      execFileSync('ffmpeg', ['-v', 'error', '-y', '-ss', String(seconds), '-i', clipPath(clip), '-frames:v', '1', '-q:v', '2', at(file)])
    frame('d03_bottles.mp4', 1, 'coco/val2017/000000000001.jpg')
    frame('d09_dashcam_short.mp4', 0.5, 'coco/val2017/000000000002.jpg')
    frame('d03_bottles.mp4', 1, 'captions/pictures/a.jpg')
    frame('d09_dashcam_short.mp4', 0.5, 'captions/pictures/b.jpg')
    writeFileSync(at('coco/val2017/000000000003.jpg'), 'no picture')
    copyFileSync(clipPath('f06_tiny_64x48.mp4'), at('qa', 'video', 'video7.mp4'))
    copyFileSync(clipPath('f06_tiny_64x48.mp4'), at('next', '12.mp4'))
    write('qa/test_qa.json', [
      { question: 'what is there?', answer: 'zebra', video_id: 7, id: 0 },
      { question: 'does the camera move?', answer: 'zebra', video_id: 7, id: 1 },
    ])
    const choices = ['a red ball moves to the left', 'zxqv', 'blorp qqq', 'vvv', 'mmm nnn']
    write('next/test.csv', `video,question,answer,qid,type,a0,a1,a2,a3,a4\n12,what happens,0,1,CW,${choices.join(',')}\n`)
    write('captions/dataset_flickr30k.json', {
      images: ['a.jpg', 'b.jpg', 'left-out.jpg'].map((filename, i) => ({
        filename,
        split: i < 2 ? 'test' : 'train',
        sentences: [{ raw: 'bottles on a belt' }, { raw: 'a street with cars' }],
      })),
    })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('finds the boxes that the app finds: where they are the truth, precision is perfect, and shifted ones cost it', () => {
    const categories = [
      { id: 44, name: 'bottle' },
      { id: 3, name: 'car' },
    ]
    const images = [1, 2, 3].map((id) => ({ id, file_name: `00000000000${id}.jpg` }))
    // By eye, on the picture of 640 x 360.
    const bottles = [
      [58, 108, 62, 204],
      [288, 108, 57, 204],
      [510, 107, 62, 207],
    ]
    const truth = (shift: number) => ({
      images,
      categories,
      annotations: bottles.map(([x = 0, y, w, h], id) => ({ id, image_id: 1, category_id: 44, bbox: [x + shift, y, w, h], iscrowd: 0 })),
    })
    write('coco/instances_val2017.json', truth(0))
    const before = digest()
    const { status, said, of } = evaluate('mine', 'coco-boxes', at('coco'))
    expect(said).toContain('000000000003.jpg')
    expect(status).toBe(1)
    expect(of('AP50')).toMatchObject({ task: 'boxes', n: 2, on: 'COCO boxes, val2017; measured here' })
    expect(of('AP50')?.value).toBeGreaterThan(0.6)
    // It is the same pack, with what was measured in place of what was measured before.
    expect(digest()).toBe(before)
    write('coco/instances_val2017.json', truth(60))
    expect(evaluate('mine', 'coco-boxes', at('coco')).of('AP50')?.value).toBeLessThan(0.3)
    const kept = z
      .object({ scores: Scores })
      .parse(JSON.parse(packJson()))
      .scores.filter(({ on }) => on.includes('measured here'))
    expect(kept.map(({ metric, on }) => [metric, on])).toEqual([
      ['AP50', 'COCO boxes, val2017; measured here'],
      ['AP', 'COCO boxes, val2017; measured here'],
    ])
  })

  it('asks, and compares words; takes the likeliest of choices; searches by captions', () => {
    const asked = evaluate('tubelet-mini', 'msrvtt-qa', at('qa'))
    expect([asked.status, asked.of('exact match'), asked.of('always the commonest answer')]).toMatchObject([
      0,
      { value: 0, n: 2 },
      { value: 1 },
    ])
    expect(asked.said).toContain('not kept')
    // Words that no text has are less likely than a sentence of those that it learnt.
    expect(evaluate('tubelet-mini', 'next-qa', at('next')).of('right choice of five')).toMatchObject({ value: 1, n: 1 })
    const found = evaluate('tubelet-mini', 'flickr30k-retrieval', at('captions'), '--most', '1')
    expect(found.of('R@1 among 1')).toMatchObject({ n: 2, value: 1, on: expect.stringMatching(/, 1 of 2; measured here$/) as string })
  })

  it('says what is missing of a set or is wrong in it, and which packs cannot be measured on it', async () => {
    const problem = (name: SetName, of: string) => readSet(name, at(of)).catch((error: unknown) => inEnglish(problemOf(error)))
    expect(await problem('lvis-boxes', 'coco')).toMatchObject({ message: 'A file of the set is missing: lvis_v1_val.json.' })
    write('qa/youtube_mapping.txt', 'name vid7\n')
    expect(await problem('msvd-qa', 'qa')).toMatchObject({ message: expect.stringContaining('vid7.avi / name.avi') as string })
    write('next/test.csv', 'video,question\n12,what\n')
    expect(await problem('next-qa', 'next')).toMatchObject({ message: 'The list needs the columns video, question and answer.' })
    write('coco/lvis_v1_val.json', { images: [{ id: 'one' }] })
    expect(await problem('lvis-boxes', 'coco')).toMatchObject({ message: 'This list is not in the form in which the set is published.' })
    expect(await problem('coco-boxes', 'nowhere')).toMatchObject({ message: 'There is no folder at this place.' })
    expect(evaluate('mine', 'msrvtt-qa', at('qa'))).toMatchObject({
      status: 1,
      said: expect.stringContaining('This pack does not do what the set measures.') as string,
    })
  })
})

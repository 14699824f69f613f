/** `tubelet analyze` as it is called: everything that is named is told of once, with what became of it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const at = (...parts: string[]) => path.join(folder, ...parts)
const ffmpeg = (...args: string[]) => execFileSync('ffmpeg', ['-v', 'error', '-y', ...args])
const home = at('home')

function analyze(...args: string[]) {
  const cli = path.join(import.meta.dirname, 'cli.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'analyze', ...args, '--packs', at('packs')], {
    encoding: 'utf8',
    env: { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CACHE_HOME: home },
  })
  return { code: status, out: stdout, err: stderr }
}

beforeAll(() => {
  for (const name of ['home', 'in/run', 'in/none', 'in/code']) mkdirSync(at(name), { recursive: true })
  ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=1', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', at('in', 'film.mp4'))
  copyFileSync(at('in', 'film.mp4'), at('in', 'copy.mp4'))
  ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=1', '-frames:v', '6', at('in', 'run', '%d.jpg'))
  for (let n = 1; n <= 3; n += 1) writeFileSync(at('in', `empty${n}.mp4`), '')
  writeFileSync(at('in', 'film.srt'), '1\n')
  writeFileSync(at('in', 'code', 'index.ts'), 'export {}\n')
  const two = ['-f', 'lavfi', '-i', 'color=red:s=64x48:d=1', '-f', 'lavfi', '-i', 'color=blue:s=96x64:d=1', '-map', '0', '-map', '1']
  ffmpeg(...two, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', at('two.mkv'))
})

test('each file is told of once, on its line and in the document', () => {
  const { code, out, err } = analyze(
    at('in'),
    at('in', 'film.mp4'),
    at('in', 'none'),
    at('gone'),
    '--fps',
    '5',
    '--json',
    '--project',
    at('one'),
  )
  expect(code).toBe(1)
  const { files, sources } = JSON.parse(out) as {
    files: { path: string; became: string; of?: string }[]
    sources: { path: string; state: string }[]
  }
  expect(
    files.map(({ path: file, became, of }) => [path.relative(folder, file), became, ...(of ? [path.relative(folder, of)] : [])]).sort(),
  ).toEqual([
    ['gone', 'rejected'],
    ['in/code/index.ts', 'text'],
    ['in/copy.mp4', 'added'],
    ['in/empty1.mp4', 'added'],
    ['in/empty2.mp4', 'added'],
    ['in/empty3.mp4', 'added'],
    ['in/film.mp4', 'duplicate', 'in/copy.mp4'],
    ['in/film.srt', 'sidecar'],
    ['in/none', 'nothing'],
    ['in/run/%d.jpg', 'added'],
  ])
  expect(sources.map(({ path: file, state }) => [path.relative(folder, file), state])).toEqual([
    ['in/copy.mp4', 'done'],
    ['in/empty1.mp4', 'failed'],
    ['in/empty2.mp4', 'failed'],
    ['in/empty3.mp4', 'failed'],
    ['in/run/%d.jpg', 'done'],
  ])
  const lines = err.split('\n')
  for (const name of ['copy.mp4', 'empty1.mp4', 'empty2.mp4', 'empty3.mp4', '#.jpg'])
    expect([name, lines.filter((line) => line.startsWith(`done: ${name}`) || line.startsWith(`failed: ${name}`)).length]).toEqual([name, 1])
  expect(lines.filter((line) => line.includes('film.mp4'))).toEqual([`the same video as ${at('in', 'copy.mp4')}: ${at('in', 'film.mp4')}`])
  expect(lines).toContain('not videos: 1 sidecar file (film.srt)')
  expect(lines).toContain('not videos: 1 text that is called like a video (index.ts)')
  expect(err).toContain(`${at('in', 'none')}: This folder is empty.`)
})

test('numbered pictures are named where no rate was said, and nothing is done', () => {
  const { code, out, err } = analyze(at('in', 'run'), '--project', at('two'))
  expect([code, out]).toEqual([1, ''])
  expect(err).toContain(`${at('in', 'run', '%d.jpg')}: 6 numbered pictures (1.jpg to 6.jpg).`)
  expect(err).toContain('--fps 25')
  expect(analyze(at('in', 'run'), '--fps', 'many', '--project', at('two'))).toMatchObject({
    code: 1,
    err: expect.stringContaining('25 or 29.97') as string,
  })
})

test('a file with several pictures says so, and which ones are analysed', () => {
  const first = analyze(at('two.mkv'), '--project', at('three'))
  expect(first.code).toBe(0)
  expect(first.out).toContain('has 2 pictures (1 64×48, 2 96×64). Analysed: 1. Others: --picture NUMBER, or "all".')
  const { sources } = JSON.parse(analyze(at('two.mkv'), '--picture', 'all', '--json', '--project', at('four')).out) as {
    sources: { picture: number; duration: number }[]
  }
  expect(sources.map(({ picture }) => picture)).toEqual([1, 2])
  const third = analyze(at('two.mkv'), '--picture', '3', '--project', at('five'))
  expect([third.code, third.err]).toEqual([1, expect.stringContaining('This file has no picture 3: it has 2.')])
})

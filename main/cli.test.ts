/** `tubelet analyze` as a person calls it: it reports each named thing once, with what became of it. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { standardLibrary } from './projects.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const at = (...parts: string[]) => path.join(folder, ...parts)
const ffmpeg = (...args: string[]) => execFileSync('ffmpeg', ['-v', 'error', '-y', ...args])
const home = at('home')

const analyze = (...args: string[]) => tubelet('analyze', ...args, '--packs', at('packs'))

const tubelet = (...args: string[]) => tubeletWith({}, ...args)

/** Killed after a minute, which gives the code null: a refused command must not keep running. */
function tubeletWith({ input }: { input?: string }, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(import.meta.dirname, 'cli.ts'), ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    input,
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

test('an option that says something else than it may is refused in a sentence, by each command', () => {
  const film = at('in', 'film.mp4')
  for (const [sentence, ...args] of [
    ...['abc', '12x', '99999', '0', '-1', '', '1e3'].map((port) => ['A port is a number from 1 to 65535.', 'serve', `--port=${port}`]),
    ['25 or 29.97', 'analyze', film, '--fps', '0x19'],
    ['Allowed choices are join, split', 'analyze', film, '--gaps', 'both'],
    ['from 1, or "all"', 'analyze', film, '--picture', '1e1'],
    ['Choose from', 'analyze', film, '--export', 'coco,excel'],
    ['Name at least one.', 'analyze', film, '--labels', ',,'],
    ['A question has words.', 'analyze', film, '--ask', ' '],
    ['a number from 1 on', 'search', 'x', '--limit', '2.5'],
    ['from 1 on', 'export', '--formats', 'csv', '--clips', '1,0x2'],
    ['A search has words.', 'search', ' '],
    ['A search has words.', 'export', '--formats', 'csv', '--search', ' '],
    ['Choose from machine, people', 'export', '--formats', 'csv', '--by', 'robots'],
  ] as const) {
    const { code, out, err } = tubelet(...args)
    expect([args, code, out, err]).toEqual([args, 1, '', expect.stringMatching(/^error: (?:option|command-argument) /)])
    expect(err).toContain(sentence)
    expect(err.trim().split('\n')).toHaveLength(1)
  }
})

test('a port that is taken, or a library that cannot be opened, ends `serve` with a sentence', async () => {
  const other = createServer()
  const port = await new Promise<number>((resolve) => {
    other.listen(0, '127.0.0.1', () => resolve((other.address() as AddressInfo).port))
  })
  try {
    const { code, out, err } = tubelet('serve', '--port', String(port), '--project', at('served'))
    expect([code, out]).toEqual([1, ''])
    // It was never open to anybody, so it is not listed among the libraries.
    expect(existsSync(at('home', 'tubelet', 'projects.json')), 'projects.json').toBe(false)
    expect(err).toBe(`Port ${port} is taken by another program. Give another one with --port, or leave it out to take any that is free.\n`)
  } finally {
    other.close()
  }
  const file = tubelet('serve', '--project', at('in', 'film.mp4'))
  expect([file.code, file.out]).toEqual([1, ''])
  expect(file.err).toMatch(/^.*film\.mp4: .*\n$/)
})

test('a script that has read the address may stop reading: the app stays open', async () => {
  const server = spawn(process.execPath, [path.join(import.meta.dirname, 'cli.ts'), 'serve', at('gone'), '--project', at('left')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CACHE_HOME: home },
  })
  try {
    // It will say here that there is no such file.
    server.stderr.destroy()
    let url: string | undefined
    for await (const text of server.stdout.setEncoding('utf8') as AsyncIterable<string>)
      if ((url = /http:\S+:\d+/.exec(text)?.[0]) !== undefined) break
    for (let i = 0; i < 20; i += 1) {
      expect((await fetch(`${url}/api/status`)).status).toBe(403)
      await setTimeout(100)
    }
  } finally {
    server.kill('SIGKILL')
  }
})

test('a search tells of clips that show the same as a hit, and counts each', () => {
  mkdirSync(at('bottles'))
  ffmpeg('-f', 'lavfi', '-i', 'mandelbrot=s=320x240:r=10', '-t', '2', '-pix_fmt', 'yuv420p', at('bottles', 'bottle.mp4'))
  ffmpeg('-i', at('bottles', 'bottle.mp4'), '-vf', 'scale=240:180', at('bottles', 'bottle small.mp4'))
  expect(analyze(at('bottles'), '--project', at('six')).code).toBe(0)
  const { code, out } = tubelet('search', 'bottle', '--project', at('six'))
  expect(code).toBe(0)
  expect(out).toMatch(/^bottle( small)?\.mp4 {2}\S+ s {2}\(and one alike: bottle( small)?\.mp4 {2}\S+ s\)\n/)
  expect(out).not.toContain('clips match')
  type Named = { clipId: number; file: string }
  const { matches, hits } = JSON.parse(tubelet('search', 'bottle', '--json', '--project', at('six')).out) as {
    matches: number
    hits: (Named & { alike: Named[] })[]
  }
  expect(matches).toBe(2)
  expect(hits.flatMap(({ file, alike }) => [file, ...alike.map((one) => one.file)]).sort()).toEqual(['bottle small.mp4', 'bottle.mp4'])
})

test('another video in the place of one that was analysed is told, on its line and in the document', () => {
  mkdirSync(at('cam'))
  const film = (colour: string) =>
    ffmpeg('-f', 'lavfi', '-i', `color=${colour}:s=64x48:r=5:d=1`, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', at('cam', 'cam.mp4'))
  film('red')
  const again = () => analyze(at('cam'), '--json', '--project', at('seven'))
  const filesOf = ({ code, out }: ReturnType<typeof again>) => [code, ...(JSON.parse(out) as { files: object[] }).files]
  const [cam, told] = [{ path: at('cam', 'cam.mp4'), became: 'added' }, `${at('cam', 'cam.mp4')}: Another video lies here than before.`]
  const first = again()
  expect(filesOf(first)).toEqual([0, cam])
  expect(first.err).not.toContain('than before')

  film('blue')
  const second = again()
  expect(filesOf(second)).toEqual([0, { ...cam, replaces: true }])
  expect(second.err).toContain(told)
  expect(filesOf(again())).toEqual([0, { ...cam, became: 'known', replaces: true }])
})

test('a file that was read only in part is told in a sentence, and the exit code is 1', () => {
  mkdirSync(at('parts'))
  ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=96x64:r=10:d=4', '-c:v', 'mpeg4', '-b:v', '200k', at('parts', 'part.avi'))
  const bytes = readFileSync(at('parts', 'part.avi'))
  writeFileSync(at('parts', 'part.avi'), bytes.subarray(0, Math.round(bytes.length * 0.6)))
  const { code, out } = analyze(at('parts'), '--json', '--project', at('eight'))
  const { sources } = JSON.parse(out) as { sources: { state: string; problem: { message: string } | null }[] }
  expect(sources.map(({ state, problem }) => [state, problem?.message])).toEqual([
    ['partial', expect.stringMatching(/^Damaged: [^{}]*\d[^{}]* be read\.$/)],
  ])
  expect(code).toBe(1)
})

test('the window and the command line work on one library where none is named', () => {
  for (const command of ['serve', 'search'])
    expect(tubelet(command, '--help').out.replaceAll(/\s/g, '')).toContain(`(default:"${path.join(home, 'tubelet', 'library')}")`)
  // What earlier versions analysed on the command line is found again.
  mkdirSync(at('data', 'cli'), { recursive: true })
  writeFileSync(at('data', 'cli', 'library.sqlite'), '')
  expect(standardLibrary(at('data'))).toBe(at('data', 'cli'))
  mkdirSync(at('data', 'library'))
  writeFileSync(at('data', 'library', 'library.sqlite'), '')
  expect(standardLibrary(at('data'))).toBe(at('data', 'library'))
})

test('a script lists files on standard input, then asks and looks for things, and reads a line of JSON for each result', () => {
  const where = ['--project', at('script'), '--packs', at('packs')]
  const lines = (out: string) =>
    out
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  const listed = tubeletWith({ input: `${at('in', 'film.mp4')}\n${at('in', 'empty1.mp4')}\n` }, 'analyze', '-', '--jsonl', ...where)
  expect(listed.code).toBe(1)
  expect(
    lines(listed.out)
      .map(({ path: file, state }) => [path.basename(String(file)), state])
      .sort(),
  ).toEqual([
    ['empty1.mp4', 'failed'],
    ['film.mp4', 'done'],
  ])
  const asked = tubelet('ask', 'does', 'the', 'camera', 'move?', '--jsonl', ...where)
  expect(asked.code).toBe(0)
  expect(lines(asked.out)).toEqual([
    expect.objectContaining({
      file: at('in', 'film.mp4'),
      question: 'does the camera move?',
      state: 'machine',
    }),
  ])
  const unknown = tubelet('ask', 'who won the war?', ...where)
  expect([unknown.code, unknown.out]).toEqual([1, expect.stringContaining('– no answer: Nothing that was seen or measured answers this')])
  const seen = tubelet('detect', 'dog,helmet', '--json', ...where)
  expect([seen.code, JSON.parse(seen.out)]).toEqual([1, []])
  expect(seen.err).toContain('The pack of boxes cannot see “helmet”')
  const none = tubeletWith({ input: '\n' }, 'analyze', '-', ...where)
  expect([none.code, none.err.trim()]).toEqual([1, 'Standard input names no file. Write one path a line, for example with find.'])
})

test('the doctor finds nothing wrong here, and names what is', () => {
  const checks = (out: string) => (JSON.parse(out) as { checks: { what: string; wrong: string | null }[] }).checks
  const well = tubelet('doctor', '--json', '--project', at('script'), '--packs', at('packs'))
  expect(checks(well.out).filter(({ wrong }) => wrong !== null)).toEqual([])
  expect(checks(well.out).map(({ what }) => what)).toEqual([
    'ffmpeg',
    'codecs',
    'pack tubelet-mini',
    'pack objects-80',
    'pack screen-text',
    'library',
    'disk',
  ])
  expect(well.code).toBe(0)
  mkdirSync(at('broken'))
  writeFileSync(at('broken', 'library.sqlite'), 'no library')
  const ill = tubelet('doctor', '--json', '--project', at('broken'), '--packs', at('packs'))
  expect(ill.code).toBe(1)
  expect(
    checks(ill.out)
      .filter(({ wrong }) => wrong !== null)
      .map(({ what }) => what),
  ).toEqual(['library'])
})

test('a shell completes commands, the commands below them, options and their values', () => {
  writeFileSync(at('complete.bash'), tubelet('completion', 'bash').out)
  const completed = (...words: string[]) =>
    execFileSync(
      'bash',
      [
        '-c',
        `source ${at('complete.bash')}; COMP_WORDS=(tubelet "$@"); COMP_CWORD=$#; _tubelet; echo "\${COMPREPLY[*]}"`,
        'bash',
        ...words,
      ],
      {
        encoding: 'utf8',
      },
    ).trim()
  expect(completed('de')).toBe('detect')
  expect(completed('library', 're')).toBe('restore')
  expect(completed('analyze', 'film.mp4', '--jso')).toBe('--json --jsonl')
  expect(completed('analyze', '--gaps', '')).toBe('join split')
})

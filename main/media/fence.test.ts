/** What holds back a child that reads a hostile file: limits that the system keeps, where it has them. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fenced, fenceHere } from './fence.ts'
import { filesOf, writeList } from './numbered.ts'
import { probe } from './probe.ts'
import { ended, findMediaTools, inputFile, type MediaTools, runTool, startTool, tailOf } from './tools.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-fence-'))
const at = (...names: string[]) => path.join(folder, ...names)
const here = fenceHere()
let tools: MediaTools
beforeAll(async () => {
  tools = await findMediaTools()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a program of Node in the fence. */
const node = (code: string, limits = {}) => {
  const child = startTool(process.execPath, ['-e', code], ['ignore', 'pipe', 'pipe'], undefined, limits)
  const said = tailOf(child.stdout)
  return ended(child).then((status) => ({ status, said: said() }))
}

test('the system’s limits are told, and a child has them from its first instruction', async () => {
  if (process.platform !== 'linux' || here.memory === null) {
    console.warn('SKIPPED: limits of children, because this system has no prlimit')
    return
  }
  const child = startTool('/bin/sleep', ['600'], 'ignore', undefined, { seconds: 77, output: { file: at('none'), bytes: 4096 } })
  // It is the child itself, so that it can be stopped, slowed down and killed by its number.
  await expect.poll(() => readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')).toMatch(/^\/bin\/sleep/)
  const told = readFileSync(`/proc/${child.pid}/limits`, 'utf8')
  child.kill('SIGKILL')
  const limit = (name: string) => new RegExp(`^${name} +(\\S+)`, 'm').exec(told)?.[1]
  expect(limit('Max address space')).toBe(String(here.memory))
  expect([limit('Max cpu time'), limit('Max file size'), limit('Max core file size')]).toEqual(['77', '4096', '0'])
})

test('a child that asks for more memory than there may be ends, and nothing else does', async () => {
  if (here.memory === null) return
  const { status, said } = await node('const held = []; for (;;) { held.push(new ArrayBuffer(2 ** 30)); console.log(held.length) }')
  expect(status).not.toBe(0)
  expect(said.trim().split('\n').length).toBeLessThan(here.memory / 2 ** 30)
})

test('a child that computes for ever is ended by the system, should Tubelet be gone by then', async () => {
  if (here.memory === null) return
  await expect(node('for (;;);', { seconds: 1 })).rejects.toMatchObject({ problem: { code: 'tool-killed' } })
})

test('a child that writes without end fills no disk', async () => {
  if (here.memory === null) return
  const file = at('endless')
  const write = `const fs = require('fs'); const f = fs.openSync(${JSON.stringify(file)}, 'w'); for (;;) fs.writeSync(f, Buffer.alloc(65536))`
  // Node reports what the system refuses; a program that does not is ended by it.
  await node(write, { output: { file, bytes: 2 ** 20 } }).catch(() => undefined)
  expect(statSync(file).size).toBe(2 ** 20)
})

test('a child reaches no network, not even this machine’s', async () => {
  if (!here.noNetwork) {
    console.warn('SKIPPED: children without a network, because this system lets nobody make a namespace')
    return
  }
  const heard: string[] = []
  const server = createServer((request, response) => {
    heard.push(request.url ?? '')
    response.end()
  }).listen(0, '127.0.0.1')
  await new Promise((ready) => server.once('listening', ready))
  const { port } = server.address() as AddressInfo
  try {
    const { code } = await runTool(tools.ffmpeg, ['-v', 'error', '-i', `http://127.0.0.1:${port}/fenced.mp4`, '-f', 'null', '-'])
    expect([code === 0, heard]).toEqual([false, []])
    // Without the fence the same command asks.
    await ended(spawn(tools.ffmpeg, ['-v', 'error', '-i', `http://127.0.0.1:${port}/free.mp4`, '-f', 'null', '-'], { stdio: 'ignore' }))
    expect(heard[0]).toBe('/free.mp4')
  } finally {
    server.close()
  }
})

test('a child opens its input and its output, and no other file of anybody', async () => {
  if (!here.noFiles) {
    console.warn('SKIPPED: hiding other files from children, because this system has no Landlock, no Perl and no sandbox-exec')
    return
  }
  const [input, other, hidden, output] = [at("it's – Ä\n.txt"), at('other.txt'), at('.hidden'), at('output')]
  for (const file of [input, other, hidden]) writeFileSync(file, path.basename(file))
  symlinkSync(other, at('link'))
  const isMac = process.platform === 'darwin'
  // macOS hides what is the users'.
  const system = isMac ? [] : ['/etc/passwd', `/proc/${process.pid}/environ`]
  // What is tried, and what comes of it: what was read, or the system's refusal.
  const tries = [
    ...[input, other, hidden, at('link'), ...system].map((file) => `fs.readFileSync(${JSON.stringify(file)}, 'utf8')`),
    `fs.readdirSync(${JSON.stringify(folder)})`,
    `fs.writeFileSync(${JSON.stringify(output)}, 'x')`,
    ...[other, at('new')].map((file) => `fs.writeFileSync(${JSON.stringify(file)}, 'x')`),
    `fs.unlinkSync(${JSON.stringify(other)})`,
    `fs.renameSync(${JSON.stringify(other)}, ${JSON.stringify(at('new'))})`,
    `process.kill(${process.pid}, 0)`,
  ]
  const code = `const fs = require('fs'); const said = [${tries.map((one) => `() => ${one}`).join()}].map((one) => { try { return String(one()) } catch (e) { return e.code } }); console.log(JSON.stringify(said))`
  const run = async (command: string, args: string[]) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const said = tailOf(child.stdout)
    await ended(child)
    return JSON.parse(said()) as string[]
  }
  // The input is named as for ffmpeg; Node takes what follows its code for arguments of the program.
  const said = await run(
    ...fenced(process.execPath, ['-e', code, '--', '-i', `file:${input}`], { output: { file: output, bytes: 2 ** 20 } }),
  )
  const no = isMac ? 'EPERM' : 'EACCES'
  expect(said.slice(0, -1)).toEqual([path.basename(input), no, no, no, ...system.map(() => no), no, 'undefined', no, no, no, no])
  // Kernels before 6.12 let a child signal others of its user.
  expect(['EPERM', 'true']).toContain(said.at(-1))
  expect(readFileSync(other, 'utf8')).toBe('other.txt')
  // Without the fence all of it is done.
  const free = await run(process.execPath, ['-e', code])
  expect(free.filter((one) => one === no)).toEqual([])
})

test('ffmpeg reads the file that it is given, by whatever name or link, and says what it would say of one that is missing', async () => {
  if (!here.noFiles) return
  const [real, link] = [at('real.mp4'), at('-i.mp4')]
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=10:d=1', '-pix_fmt', 'yuv420p', real])
  symlinkSync(real, link)
  expect((await probe(tools, link)).codec).toBe('h264')
  const missing = await runTool(tools.ffmpeg, ['-v', 'error', '-i', `file:${at('gone.mp4')}`, '-f', 'null', '-'])
  expect(missing.stderr).toMatch(/No such file/)
  // A language that is not installed adds no message.
  const before = process.env['LC_ALL']
  process.env['LC_ALL'] = 'xx_YY.UTF-8'
  try {
    expect((await runTool(tools.ffmpeg, ['-v', 'error', '-i', `file:${real}`, '-f', 'null', '-'])).stderr).toBe('')
  } finally {
    if (before === undefined) delete process.env['LC_ALL']
    else process.env['LC_ALL'] = before
  }
})

test('numbered pictures that are links are read where they are', async () => {
  mkdirSync(at('shots'))
  mkdirSync(at('disk'))
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=1:d=3', at('shots', '%04d.png')])
  renameSync(at('shots', '0002.png'), at('disk', 'two.png'))
  symlinkSync(at('disk', 'two.png'), at('shots', '0002.png'))
  const pattern = at('shots', '%04d.png')
  const { runs } = await filesOf(pattern)
  await writeList(at('list'), pattern, { runs, frameRate: { num: 1, den: 1 } })
  const { code, stdout } = await runTool(tools.ffmpeg, ['-v', 'error', ...inputFile(at('list'), true), '-f', 'framemd5', '-'])
  expect([code, stdout.toString().match(/^0,/gm)?.length]).toEqual([0, 3])
})

test('a program that is missing is missed as before, and one that stops is ended', async () => {
  expect(fenced(at('none'), ['-x'])).toEqual([at('none'), ['-x']])
  await expect(runTool(at('none'), [])).rejects.toMatchObject({ problem: { code: 'ffmpeg-missing', values: { tool: 'none' } } })
  await expect(runTool('/bin/sleep', ['600'], { timeoutMs: 200 })).rejects.toMatchObject({ problem: { code: 'decode-timeout' } })
})

/** Texts that name another video, by the format that they are of. Each is harmless: it names a clip that the test made itself. */
const LISTS: Readonly<Record<string, (video: string) => string>> = {
  concat: (video) => `ffconcat version 1.0\nfile '${path.basename(video)}'\n`,
  'concat with a full path': (video) => `ffconcat version 1.0\nfile 'file:${video}'\n`,
  HLS: (video) => `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\n${path.basename(video)}\n#EXT-X-ENDLIST\n`,
  'HLS with a full path': (video) => `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\nfile://${video}\n#EXT-X-ENDLIST\n`,
  DASH: (video) =>
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000"><BaseURL>${path.basename(video)}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
  SDP: () => 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
  'RTSP redirect': () => 'rtsptextrtsp://127.0.0.1:9/film',
  'QuickTime text': (video) => `<?xml version="1.0"?><?quicktime type="application/x-quicktime-media-link"?><embed src="${video}" />`,
  WebVTT: () => 'WEBVTT\n\n00:00.000 --> 00:02.000\ntext\n',
  ffmetadata: () => ';FFMETADATA1\ntitle=x\n',
  'image pattern': () => '%d.jpg',
}

test('a list that names another video is no video under any name, and what it names is not opened', async () => {
  const video = at('named.mp4')
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=10:d=2', '-pix_fmt', 'yuv420p', '-bf', '0', video])
  const opened: string[] = []
  for (const [what, of] of Object.entries(LISTS))
    for (const ending of ['mp4', 'mkv', 'm3u8', 'mjpeg', '%d.jpg']) {
      const file = at(`list.${ending}`)
      writeFileSync(file, of(video))
      const read = await probe(tools, file).then(
        ({ codec }) => codec,
        () => null,
      )
      if (read !== null) opened.push(`${what} as .${ending}: ${read}`)
    }
  expect(opened).toEqual([])
})

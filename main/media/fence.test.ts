/** What holds back a child that reads a hostile file: limits that the system keeps, where it has them. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fenced, fenceHere } from './fence.ts'
import { probe } from './probe.ts'
import { ended, findMediaTools, type MediaTools, runTool, startTool, tailOf } from './tools.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-fence-'))
const at = (name: string) => path.join(folder, name)
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
  const { said } = await node(`console.log(require('fs').readFileSync('/proc/self/limits', 'utf8'))`, { seconds: 77, fileBytes: 4096 })
  const limit = (name: string) => new RegExp(`^${name} +(\\S+)`, 'm').exec(said)?.[1]
  expect(limit('Max address space')).toBe(String(here.memory))
  expect([limit('Max cpu time'), limit('Max file size'), limit('Max core file size')]).toEqual(['77', '4096', '0'])
  // It is the child itself, so that it can be stopped, slowed down and killed by its number.
  const child = startTool('/bin/sleep', ['600'], 'ignore')
  await expect.poll(() => readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')).toMatch(/^\/bin\/sleep/)
  child.kill('SIGKILL')
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
  await node(write, { fileBytes: 2 ** 20 }).catch(() => undefined)
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

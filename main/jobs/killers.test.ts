/** Files that end a model each time, or bring ffmpeg to its limits: they are set aside, and the others go on. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test, vi } from 'vitest'
import type { RouteOutput } from '../../app/contract.ts'
import { problemOf } from '../../app/errors.ts'
import { isAlive } from '../alive.ts'
import { childProcess } from '../channel.ts'
import { Engine, type ForkEngine } from '../engine/engine.ts'
import { Library } from '../library/library.ts'
import { probe } from '../media/probe.ts'
import { sample } from '../media/sample.ts'
import { findMediaTools } from '../media/tools.ts'
import { openTubelet } from '../open.ts'
import { OBJECTS } from '../packs/pack.testing.ts'

/** A message to an engine, as far as it matters here. */
interface Look {
  kind?: string
  input?: { pictures?: { rgb: Uint8Array }[] } | null
}

/** Magenta, which no picture of testsrc2 begins with. */
const isDeadly = ({ kind, input }: Look) =>
  kind === 'see' && input?.pictures?.some(({ rgb: [red = 0, green = 0, blue = 0] }) => red > 200 && green < 60 && blue > 200) === true

test('a video that ends its model again and again is set aside, and all others are analysed', { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-killers-'))
  const project = path.join(folder, 'library')
  /** The detector, which is killed by the system whenever it gets such a picture. */
  const fork: ForkEngine = (entry, args) => {
    const port = childProcess(entry, args)
    if (args[0] !== OBJECTS) return port
    const post = (message: unknown) => {
      port.post(message, [])
      if (isDeadly(message as Look)) port.kill()
    }
    return { ...port, pid: port.pid, post }
  }
  const made = (name: string, picture: string) => {
    const file = path.join(folder, name)
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', picture, '-pix_fmt', 'yuv420p', '-preset', 'ultrafast', file])
    utimesSync(file, 1e9, 1e9)
    return file
  }
  // All pictures of a deadly one are, and differ from each other, so that each is looked at.
  const deadly = [1, 2].map((n) =>
    made(`deadly ${n}.mp4`, `color=magenta:s=96x72:r=3:d=1[a];testsrc2=s=48x48:r=3:d=1,hue=h=${n * 20}[b];[a][b]overlay=30:20`),
  )
  const sound = [1, 2].map((n) => made(`sound ${n}.mp4`, `testsrc2=s=96x72:r=3:d=1,hue=h=${n * 20}`))
  const library = Library.open(project)
  library.packs.use('text', null)
  await library.close()
  const tubelet = openTubelet({ projectDir: project, packsDir: path.join(folder, 'packs'), host: 'cli', fork })
  try {
    const paths = deadly.flatMap((file, n) => [file, sound[n] ?? ''])
    const body = JSON.stringify({ paths })
    await tubelet.handle(new Request('http://tubelet/api/sources', { method: 'POST', body }))
    await tubelet.jobs.idle()
    const { sources } = (await (await tubelet.handle(new Request('http://tubelet/api/sources'))).json()) as RouteOutput<'listSources'>
    const states = sources.map(({ name, state, problem }) => [name, state, problem?.message ?? null])
    const setAside = 'The model “Objects 80” ended each time that it was given a part of this file, so the file is set aside.'
    expect(states.sort()).toEqual([
      ['deadly 1.mp4', 'failed', setAside],
      ['deadly 2.mp4', 'failed', setAside],
      ['sound 1.mp4', 'done', null],
      ['sound 2.mp4', 'done', null],
    ])
    expect(tubelet.engines.list().map(({ engine }) => engine?.state)).not.toContain('failed')
  } finally {
    await tubelet.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('an engine that ends under whatever it is given is given up, and not every file in turn is blamed', async () => {
  let starts = 0
  /** Answers that it is ready, and ends at the next call. */
  const broken: ForkEngine = () => {
    starts += 1
    let answer: (message: unknown) => void = () => undefined
    let end: (cause: Error) => void = () => undefined
    const over = () => end(new Error('broken'))
    return {
      pid: 1,
      post: (message) => {
        const { id, kind } = message as { id: number; kind: string }
        if (kind === 'open') queueMicrotask(() => answer({ id, output: { manifest: { name: 'Broken' } } }))
        else queueMicrotask(over)
      },
      onMessage: (listener) => void (answer = listener),
      onEnd: (listener) => void (end = listener),
      hold: () => undefined,
      kill: over,
    }
  }
  const engine = await Engine.start({ packDir: '/none', fork: broken })
  const outcomes: string[] = []
  for (let file = 0; file < 7; file += 1) {
    const { signal } = new AbortController()
    // The other pictures of a file that was set aside are not tried.
    for (const _ of ['first', 'second'])
      outcomes.push(
        await engine
          .step(() => engine.counts(), signal)
          .then(() => 'done', problemOf)
          .then((one) => JSON.stringify(one)),
      )
  }
  expect(outcomes.filter((one) => one.includes('so the file is set aside'))).toHaveLength(10)
  expect(outcomes.slice(10).every((one) => one.includes('The engine stopped unexpectedly.'))).toBe(true)
  expect([engine.state, starts]).toEqual(['failed', 15])
})

test.skipIf(process.platform !== 'linux')(
  'files that bring their child to its limit of memory, output or time leave the slot to the next one',
  { timeout: 300_000, meta: { needs: 'Linux' } },
  async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-slots-'))
    const tools = await findMediaTools()
    /** A stand-in that does one thing with files of one name, and runs the tool itself with all others. */
    const standIn = (tool: string, name: string, deed: string) => {
      const file = path.join(folder, `${path.basename(tool)} for ${name}`)
      writeFileSync(
        file,
        `#!/bin/sh\ncase "$*" in *filter_complex*'${name}'*|*'${name}'*filter_complex*|*-show*'${name}'*) echo $$ >>'${file}.pid'; ${deed};; esac\nexec '${tool}' "$@"\n`,
      )
      chmodSync(file, 0o755)
      return file
    }
    const made = (name: string, hue: number) => {
      const file = path.join(folder, name)
      const args = ['-f', 'lavfi', '-i', `testsrc2=s=96x72:r=3:d=1,hue=h=${hue}`, '-pix_fmt', 'yuv420p', '-preset', 'ultrafast']
      execFileSync('ffmpeg', ['-v', 'error', ...args, file])
      utimesSync(file, 1e9, 1e9)
      return file
    }
    vi.stubEnv('FFMPEG_PATH', standIn(tools.ffmpeg, 'memory', `exec perl -e 'my $all = "x" x 2**38'`))
    vi.stubEnv('FFPROBE_PATH', standIn(tools.ffprobe ?? '', 'flood', 'exec yes'))
    const tubelet = openTubelet({ projectDir: path.join(folder, 'library'), packsDir: path.join(folder, 'packs'), host: 'cli' })
    try {
      // As many of each kind as there are slots: a slot that stays taken would leave none.
      const paths = ['flood 1', 'flood 2', 'memory 1', 'memory 2', 'sound 1', 'sound 2'].map((name, n) => made(`${name}.mp4`, n * 30))
      await tubelet.handle(new Request('http://tubelet/api/sources', { method: 'POST', body: JSON.stringify({ paths }) }))
      await tubelet.jobs.idle()
      const states = tubelet.library.sources().map(({ name, state, problem }) => `${name} ${state} ${problem?.code ?? ''}`)
      expect(states.sort()).toEqual([
        'flood 1.mp4 failed ffmpeg-failed',
        'flood 2.mp4 failed ffmpeg-failed',
        'memory 1.mp4 failed no-frames',
        'memory 2.mp4 failed no-frames',
        'sound 1.mp4 done ',
        'sound 2.mp4 done ',
      ])
      for (const file of ['flood', 'memory']) expect(readdirSync(folder).find((name) => name.endsWith(`for ${file}.pid`))).toBeDefined()
      const stuck = standIn(tools.ffmpeg, 'sound 1', 'exec sleep 600')
      const [at = ''] = paths.slice(4)
      const found = await probe(tools, at)
      const read = async (ffmpeg: string) => {
        let frames = 0
        for await (const event of sample({ ...tools, ffmpeg }, at, found, [], { stallMs: 300 }))
          if (event.type === 'done') frames = event.pts.length
        return frames
      }
      await expect(read(stuck)).rejects.toMatchObject({ problem: { code: 'decode-timeout' } })
      expect(isAlive(Number(readFileSync(`${stuck}.pid`, 'utf8')))).toBe(false)
      expect(await read(tools.ffmpeg)).toBe(3)
    } finally {
      vi.unstubAllEnvs()
      await tubelet.close()
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

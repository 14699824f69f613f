/** What Tubelet runs on, and which library is open. */
import { readdir, stat, statfs } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Diagnostics, systemRoutes } from '../../app/contract/system.ts'
import type { Engine } from '../engine/engine.ts'
import { wholePath } from '../intake/look.ts'
import { backupsOf } from '../library/backups.ts'
import { fenceHere } from '../media/fence.ts'
import type { MediaTools } from '../media/tools.ts'
import { packageVersion } from '../version.ts'
import type { Handlers, Services } from './handler.ts'

/** The codecs that people bring most: of phones, cameras, the web and archives. */
const CODECS = ['h264', 'hevc', 'av1', 'vp9', 'vp8', 'prores', 'mpeg2video', 'mpeg4', 'mjpeg', 'dnxhd', 'wmv2', 'ffv1']

export function systemHandlers({ pipeline, jobs, projects, backups, places }: Services): Handlers<keyof typeof systemRoutes> {
  const { projectDir } = pipeline.library
  const mustBeOpenable = (folder: string, field: string) => {
    if (folder !== projectDir && !projects.recent().some(({ path: known }) => known === folder)) places.mustBeWritable(folder, field)
  }
  return {
    diagnostics: async () => {
      const [tools, engines] = await Promise.all([pipeline.media().catch(() => null), pipeline.packs.all()])
      const { versions } = process
      const [cpu] = os.cpus()
      return {
        versions: {
          tubelet: packageVersion,
          node: versions.node,
          electron: 'electron' in versions ? versions['electron'] : null,
          sqlite: versions.sqlite ?? '',
          system: `${os.type()} ${os.release()} ${os.arch()}`,
        },
        processor: { name: cpu?.model.trim() ?? '', threads: os.availableParallelism() },
        ffmpeg: tools && ffmpegFacts(tools),
        engines: engines.map(engineFacts),
        memory: { total: os.totalmem(), free: os.freemem(), host: process.memoryUsage.rss() },
        disk: await diskFacts(projectDir),
      }
    },
    selfTest: async () => {
      const began = performance.now()
      let wrong: string | null = null
      for (const engine of await pipeline.packs.all())
        wrong ??= await engine.selfTest().then((fault) => fault && `${engine.info.manifest.name}: ${fault}`)
      return { wrong, seconds: (performance.now() - began) / 1000 }
    },
    setLanguage: ({ body }) => {
      jobs.eventually(() => pipeline.library.setLanguage(body.language))
      return {}
    },
    projects: () => ({ current: projectDir, recent: projects.recent() }),
    openProject: async ({ body }) => {
      mustBeOpenable(body.path, 'body.path')
      await projects.open(body.path)
      return {}
    },
    listBackups: ({ query }) => {
      // A path that depends on where Tubelet was started would be told as a whole one.
      const folder = query.path === undefined ? projectDir : wholePath(query.path)
      mustBeOpenable(folder, 'query.path')
      return { path: folder, backups: backupsOf(folder), problem: folder === projectDir ? backups.problem : null }
    },
    makeBackup: async () => {
      await backups.make()
      return {}
    },
    restoreBackup: async ({ body }) => {
      mustBeOpenable(body.path, 'body.path')
      await projects.restore(body.path, body.name)
      return {}
    },
  }
}

function ffmpegFacts({ ffmpeg, ffprobe, version, licence, decoders, toneMapping }: MediaTools): Diagnostics['ffmpeg'] {
  return {
    path: ffmpeg,
    ffprobe,
    version,
    licence,
    toneMapping,
    fence: fenceHere(),
    decoders: CODECS.map((codec) => ({ codec, works: decoders.has(codec) })),
  }
}

function engineFacts({ info: { manifest, provider, threads, tried } }: Engine): Diagnostics['engines'][number] {
  return { pack: manifest.name, provider, threads, tried }
}

async function diskFacts(folder: string): Promise<Diagnostics['disk']> {
  const [{ bavail, bsize }, cache, library] = await Promise.all([statfs(folder), sizeOf(path.join(folder, 'cache')), sizeOf(folder)])
  return { path: folder, cache, library: library - cache, free: bavail * bsize }
}

/** Bytes of all files in a folder and below; files deleted meanwhile count as 0. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(
    files.map((file) =>
      stat(path.join(file.parentPath, file.name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

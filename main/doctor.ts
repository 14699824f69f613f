/** `tubelet doctor`: tries everything that an analysis needs on this machine, and says what to do where something is wrong. */
import { existsSync, mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Command } from 'commander'
import { type Problem, problemOf } from '../app/errors.ts'
import { sentenceOf, type Where, withWhere } from './command-host.ts'
import { faultsOf } from './library/check.ts'
import { newerLibrary } from './library/schema.ts'
import { fenceHere } from './media/fence.ts'
import { findMediaTools } from './media/tools.ts'
import { openTubelet } from './open.ts'
import { printJson, printLine } from './terminal.ts'
import { packageVersion } from './version.ts'

interface Check {
  what: string
  /** What was found, for a reader; null where it is wrong. */
  found: string | null
  /** What is wrong, and what to do about it; null where nothing is. */
  wrong: string | null
}

/** Codecs without which most people's videos cannot be read. */
const COMMON = ['h264', 'hevc', 'av1', 'vp9', 'mpeg4', 'mjpeg']
/** Bytes free beside a library below which an analysis may fill the disk. */
const LITTLE = 2 ** 30

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('Try what an analysis needs on this machine: ffmpeg, packs and their engines, the library, the disk')
    .option('--json', 'print one JSON document', false)
    .addHelpText(
      'after',
      '\nIt changes nothing, and may run beside an open window.\n\nExit codes:\n  0   nothing is wrong\n  1   something is\n',
    )
    .action(async ({ json, ...where }: Where & { json: boolean }) => {
      const checks: Check[] = []
      for (const check of [ffmpeg, engines, library, disk]) {
        for (const one of await check(where)) {
          checks.push(one)
          if (!json) printLine(one.wrong === null ? `ok     ${one.what}: ${one.found ?? ''}` : `WRONG  ${one.what}: ${one.wrong}`)
        }
      }
      if (json)
        printJson({ version: packageVersion, node: process.versions.node, system: `${os.type()} ${os.release()} ${os.arch()}`, checks })
      if (checks.some(({ wrong }) => wrong !== null)) process.exitCode = 1
    })
  return withWhere(command, 'the library to look at')
}

const right = (what: string, found: string): Check => ({ what, found, wrong: null })
const faulty = (what: string, wrong: string): Check => ({ what, found: null, wrong })

function sentence(problem: Problem): string {
  return [problem.file, sentenceOf(problem)].filter(Boolean).join(': ')
}

async function ffmpeg(): Promise<Check[]> {
  try {
    const tools = await findMediaTools()
    const missing = COMMON.filter((codec) => !tools.decoders.has(codec))
    const { noFiles, noNetwork } = fenceHere()
    const fence = noFiles && noNetwork ? 'kept from other files and the network' : 'not kept from other files or the network on this system'
    return [
      right('ffmpeg', `${tools.version} (${tools.ffmpeg}), ${fence}`),
      missing.length === 0
        ? right('codecs', `${COMMON.join(', ')} can be read`)
        : faulty('codecs', `this ffmpeg cannot read ${missing.join(', ')}. Install a complete ffmpeg, or name one with FFMPEG_PATH.`),
    ]
  } catch (error) {
    return [faulty('ffmpeg', sentence(problemOf(error)))]
  }
}

/** In a library of its own, since the real one may be open in a window. Each pack runs its self-test. */
async function engines({ packs }: Where): Promise<Check[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-doctor-'))
  try {
    const tubelet = openTubelet({ projectDir: folder, packsDir: path.resolve(packs), host: 'cli' })
    try {
      await tubelet.engines.all()
      const running = await Promise.all(
        tubelet.engines.list().map(async ({ engine, problem }) => {
          const fault = problem ?? engine?.problem ?? null
          if (fault !== null) return faulty('pack', sentence(fault))
          if (engine === null) return faulty('pack', 'its engine does not start. Start Tubelet anew, or import the pack again.')
          const { manifest, provider, threads } = engine.info
          const wrong = await engine.selfTest()
          return wrong === null
            ? right(`pack ${manifest.id}`, `its self-test passes on ${provider}, ${threads} threads`)
            : faulty(`pack ${manifest.id}`, `${wrong} Import it again.`)
        }),
      )
      const { packs: all } = await tubelet.packs.overview()
      const broken = all.flatMap(({ id, problem }) => (problem === null ? [] : [faulty(`pack ${id}`, sentence(problem))]))
      return [...running, ...broken]
    } finally {
      await tubelet.close()
    }
  } catch (error) {
    return [faulty('packs', sentence(problemOf(error)))]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function library({ project }: Where): Check[] {
  const folder = path.resolve(project)
  if (statSync(folder, { throwIfNoEntry: false })?.isFile() === true)
    return [faulty('library', `${folder} is a file, not a folder. Name the folder of a library with --project.`)]
  const file = path.join(path.resolve(project), 'library.sqlite')
  if (!existsSync(file)) return [right('library', `${path.dirname(file)} holds none yet; the first analysis makes one`)]
  try {
    const [fault, ...more] = faultsOf(file, 'quick')
    const newer = fault === undefined ? newerLibrary(file) : null
    if (newer !== null) return [faulty('library', sentence(newer))]
    if (fault === undefined) return [right('library', `${path.dirname(file)} is sound`)]
    return [
      faulty(
        'library',
        `${file} is damaged: ${fault}${more.length > 0 ? `, and ${more.length} more` : ''}. tubelet library verify says what to restore.`,
      ),
    ]
  } catch (error) {
    return [faulty('library', sentence({ file, ...problemOf(error) }))]
  }
}

function disk({ project }: Where): Check[] {
  // A library that is not made yet will lie on the disk of the nearest folder that is there.
  let folder = path.resolve(project)
  while (!existsSync(folder)) folder = path.dirname(folder)
  try {
    const { bavail, bsize } = statfsSync(folder)
    const free = bavail * bsize
    const told = `${(free / 1e9).toFixed(1)} GB are free beside the library`
    return [free < LITTLE ? faulty('disk', `only ${told}. Free some space on it.`) : right('disk', told)]
  } catch (error) {
    return [faulty('disk', sentence({ file: folder, ...problemOf(error) }))]
  }
}

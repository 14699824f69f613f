/**
 * The one way in for everything that a person drops, types or gives to the command line: each path is looked at once, and the result names what it is.
 * Videos and numbered pictures become videos of the library, checkpoints and packs become packs, and the rest is reported as neither.
 */
import path from 'node:path'
import type { Bring, BroughtBeside } from '../../app/contract/intake.ts'
import type { Source } from '../../app/contract.ts'
import { type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import { picturesOf, usualPicture } from '../../app/media.ts'
import { gapsOf, partsOf, rateOf } from '../../app/numbered.ts'
import type { Jobs, VideoFile } from '../jobs/jobs.ts'
import { isByToken } from '../made-in.ts'
import { probe } from '../media/probe.ts'
import type { MediaTools } from '../media/tools.ts'
import type { Packs } from '../packs/packs.ts'
import { type Found, scan } from './scan.ts'

export type Brought = BroughtBeside & { added: Source[] }

export class Intake {
  readonly #jobs: Jobs
  readonly #packs: Packs
  readonly #media: () => Promise<MediaTools>

  constructor(jobs: Jobs, packs: Packs, media: () => Promise<MediaTools>) {
    this.#jobs = jobs
    this.#packs = packs
    this.#media = media
  }

  /** Resolves when everything is registered; analysis and the making of packs continue. @throws the signal's reason when aborted. */
  async bring({ paths, frameRate, gaps, picture, precision }: Bring, signal?: AbortSignal): Promise<Brought> {
    const beside: Pick<BroughtBeside, 'packs' | 'numbered' | 'sidecars' | 'texts' | 'nothing'> = {
      packs: [],
      numbered: [],
      sidecars: [],
      texts: [],
      nothing: [],
    }
    const sort = async (found: Exclude<Found, { kind: 'video' | 'trouble' }>): Promise<void> => {
      switch (found.kind) {
        case 'numbered': {
          const { count, first, last, missing, runs } = found.numbered
          beside.numbered.push({ path: found.path, count, first, last, missing, gaps: gapsOf(runs) })
          break
        }
        case 'pack':
          beside.packs.push({ path: found.path, ...(await this.#pack(found.path, precision)) })
          break
        case 'sidecar':
          beside.sidecars.push(found.path)
          break
        case 'text':
          beside.texts.push(found.path)
          break
        case 'nothing':
          beside.nothing.push({ path: found.path, files: found.files })
      }
    }
    // A frame rate that was given before need not be given again.
    const known = new Map(this.#jobs.sources().flatMap((one) => (one.numbered === null ? [] : [[one.path, one.numbered.frameRate]])))
    const picturesAt = ({ path: whole, numbered }: Extract<Found, { kind: 'numbered' }>) => {
      const parts = partsOf(numbered).map((part) => ({ path: path.join(path.dirname(whole), part.pattern), runs: part.runs }))
      const wereParts = gaps === undefined && !known.has(whole) && parts.some((part) => known.has(part.path))
      const taken = gaps === 'split' || wereParts ? parts : [{ path: whole, runs: numbered.runs }]
      const rate = frameRate === undefined ? taken.map((one) => known.get(one.path)).find((one) => one !== undefined) : rateOf(frameRate)
      return rate && taken.map(({ path: file, runs }) => ({ path: file, numbered: { frameRate: rate, runs } }))
    }
    const videos = async function* (): AsyncGenerator<VideoFile> {
      for await (const found of scan(paths, signal)) {
        if (found.kind === 'video') yield { path: found.path }
        else if (found.kind === 'trouble') yield { path: found.path, problem: found.problem }
        else {
          const pictures = found.kind === 'numbered' ? picturesAt(found) : undefined
          if (pictures) yield* pictures
          else await sort(found)
        }
      }
    }
    const files = await this.#jobs.addFiles(picture === undefined ? videos() : this.#chosen(videos(), picture, signal))
    return { ...files, ...beside }
  }

  async #pack(path: string, precision: Bring['precision']): Promise<Pick<BroughtBeside['packs'][number], 'work' | 'problem'>> {
    try {
      if (isByToken())
        throw new TubeletError({
          code: 'forbidden',
          message: 'No token may do this: it reaches beyond the library.',
          next: 'Use the window, or the command line.',
        })
      return { work: await this.#packs.import(path, precision), problem: null }
    } catch (error) {
      return { work: null, problem: problemOf(error) }
    }
  }

  /** The files, and for those with several pictures one entry for each wanted stream. Unreadable files pass: their analysis reports the error. */
  async *#chosen(files: AsyncIterable<VideoFile>, wanted: number | 'all', signal: AbortSignal | undefined): AsyncGenerator<VideoFile> {
    for await (const file of files) {
      const found = 'problem' in file || file.numbered ? null : await probe(await this.#media(), file.path, signal).catch(() => null)
      const pictures = found === null ? [] : picturesOf(found)
      const usual = found && usualPicture(found)
      // The usual picture first: it gets the file's own name.
      const chosen = (wanted === 'all' ? pictures : pictures.slice(wanted - 1, wanted)).toSorted(
        (a, b) => Number(b === usual) - Number(a === usual),
      )
      if (pictures.length < 2) yield file
      else if (chosen.length === 0) yield { path: file.path, problem: noPicture(file.path, wanted, pictures.length) }
      else
        for (const one of chosen)
          yield one === usual ? file : { ...file, picture: { stream: one.index, number: pictures.indexOf(one) + 1 } }
    }
  }
}

function noPicture(file: string, number: number | 'all', count: number): Problem {
  return {
    code: 'not-found',
    message: 'This file has no picture {{number}}: it has {{count}}.',
    values: { number, count },
    file,
    next: 'Choose another number, or leave it out to take the picture that players show.',
  }
}

/** What a person may send when asking for help: facts about the machine, in English, nothing about the videos. */
import type { Status } from '../../app/contract.ts'
import type { Diagnostics } from '../../app/contract/system.ts'
import { inEnglish } from '../../app/errors.ts'
import { english } from '../../app/phrase.ts'

/** @param withPaths Folders reveal who somebody is, so they are left out unless requested. */
export function report(status: Status, { versions, processor, ffmpeg, engines, memory, disk }: Diagnostics, withPaths: boolean): string {
  const mega = (count: number) => `${Math.round(count / 1e6)} MB`
  const problem = status.engine.problem ?? status.ffmpegProblem
  const lines = [
    `Tubelet ${versions.tubelet} (${status.host}), Node ${versions.node}${versions.electron === null ? '' : `, Electron ${versions.electron}`}, SQLite ${versions.sqlite}, ${versions.system}`,
    `Processor: ${processor.name}, ${processor.threads} threads; memory ${mega(memory.free)} free of ${mega(memory.total)}, host ${mega(memory.host)}`,
    `Disk: library ${mega(disk.library)}, cache ${mega(disk.cache)}, free ${mega(disk.free)}`,
    `Engine: ${english(status.engine.sentence)}`,
    ...engines.flatMap(({ pack, provider, threads, tried }) => [
      `  ${pack}: ${provider}, ${threads} threads`,
      ...tried.map((one) => `    ${one.provider}: ${one.outcome}${one.details === '' ? '' : `, ${one.details}`}`),
    ]),
    ...Object.entries(status.packs).map(
      ([task, pack]) => `${task}: ${pack ? `${pack.manifest.id} ${pack.manifest.version} (${pack.digest.slice(0, 12)})` : 'no pack'}`,
    ),
    ffmpeg
      ? `ffmpeg ${ffmpeg.version}, ${ffmpeg.licence}; reads ${ffmpeg.decoders
          .filter(({ works }) => works)
          .map(({ codec }) => codec)
          .join(' ')}; memory ${ffmpeg.fence.memory === null ? 'without a limit' : `limited to ${mega(ffmpeg.fence.memory)}`}, ${
          ffmpeg.fence.noNetwork ? 'no network' : 'network not cut off'
        }, ${ffmpeg.fence.noFiles ? 'other files hidden' : 'other files not hidden'}`
      : 'ffmpeg: not found',
    ...(problem ? [`Problem: ${problem.code}: ${inEnglish(problem).message}`, problem.details ?? ''] : []),
    ...(withPaths ? [`Library: ${disk.path}`, ...(ffmpeg ? [`ffmpeg: ${ffmpeg.path}`] : [])] : []),
  ]
  const text = lines.filter((line) => line !== '').join('\n')
  const paths = [disk.path, ...(ffmpeg ? [ffmpeg.path, ...(ffmpeg.ffprobe === null ? [] : [ffmpeg.ffprobe])] : [])]
  // An error message may quote a path.
  return withPaths
    ? text
    : paths.reduce((hidden, path) => hidden.replaceAll(path, '…'), text).replaceAll(/(?:[A-Za-z]:)?(?:[\\/][^\s\\/:'"]+){2,}/g, '…')
}

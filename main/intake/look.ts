/**
 * What a person typed as a place, and what adding it would bring: said before anything is added. Nothing but names and the beginnings of files is
 * read.
 */
import { stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { RouteOutput } from '../../app/contract.ts'
import { hasCode, problemOf, TubeletError } from '../../app/errors.ts'
import { gapsOf, patternOf } from '../../app/numbered.ts'
import { scan } from './scan.ts'

/** Videos below a folder are counted for at most so many milliseconds. */
const LOOK_MS = 700

/** A path as a person types it: `~` is the home folder of who runs Tubelet, as shells have it. */
function withHome(typed: string): string {
  return /^~(?=$|[\\/])/.test(typed) ? path.join(os.homedir(), typed.slice(1)) : typed
}

/**
 * The folder or file that was typed.
 * @param field The part of the request that it is. @throws TubeletError `bad-request` for a path that is not whole: whoever types in a browser is in no folder.
 */
export function wholePath(typed: string, field = 'query.path'): string {
  const whole = withHome(typed)
  if (path.isAbsolute(whole)) return path.resolve(whole)
  throw new TubeletError({
    code: 'bad-request',
    message: '“{{path}}” is no whole path.',
    values: { path: typed, root: path.parse(os.homedir()).root },
    field,
    next: 'Begin it with {{root}}, or with ~ for your own folder.',
  })
}

type Below = RouteOutput<'lookBelow'>

/**
 * @param mayLook Throws where nobody may look around. That nothing lies at a place may be known everywhere: adding it tells so too.
 * @throws what `mayLook` throws.
 */
export async function lookBelow(typed: string, mayLook: (place: string) => void): Promise<Below> {
  const seen: Below = { path: typed, isFile: false, videos: 0, numbered: 0, packs: 0, gaps: [], unreadable: 0, trouble: null, more: false }
  try {
    seen.path = wholePath(typed)
  } catch (error) {
    return { ...seen, trouble: problemOf(error) }
  }
  const isThere = await stat(seen.path).catch((error: unknown) => !hasCode(error, 'ENOENT'))
  if (isThere || patternOf(seen.path) !== null) mayLook(seen.path)
  const limit = AbortSignal.timeout(LOOK_MS)
  try {
    for await (const found of scan([seen.path], limit)) {
      seen.isFile ||= found.path === seen.path && ['video', 'sidecar', 'text'].includes(found.kind)
      if (found.kind === 'video') seen.videos += 1
      else if (found.kind === 'pack') seen.packs += 1
      else if (found.kind === 'numbered') {
        seen.numbered += 1
        if (found.numbered.missing > 0 && seen.gaps.length === 0) seen.gaps = gapsOf(found.numbered.runs)
      } else if (found.kind === 'trouble') {
        seen.unreadable += 1
        seen.trouble ??= found.problem
      }
    }
  } catch (error) {
    if (!limit.aborted) throw error
    seen.more = true
  }
  return seen
}

/** Who said something, and doing again what a dying engine left undone. */
import type { Provenance } from '../../app/annotation.ts'
import { TubeletError } from '../../app/errors.ts'
import type { Engine } from '../engine/engine.ts'

/** @returns The provenance of what this engine says from now on, by its prompt: the words or the name that it was asked for. */
export function provenanceOf(appVersion: string, { info: { manifest, digest, provider } }: Engine): (prompt: string) => Provenance {
  const at = new Date().toISOString()
  return (prompt) => ({ packId: manifest.id, packVersion: manifest.version, packDigest: digest, provider, prompt, appVersion, at })
}

/** The engine may die at any moment and restarts by itself; the step is then simply done again. */
export async function persevere<T>(step: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step()
    } catch (error) {
      signal.throwIfAborted()
      if (attempt === 3 || !(error instanceof TubeletError) || error.problem.code !== 'engine-unavailable') throw error
    }
  }
}

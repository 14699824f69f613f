/** The provenance of what an engine says, and retrying a step whose engine died. */
import type { Provenance } from '../../app/annotation.ts'
import { TubeletError } from '../../app/errors.ts'
import type { Engine } from '../engine/engine.ts'

/** @returns A function from a prompt (the words or the name that was asked for) to the provenance of the engine's output. */
export function provenanceOf(appVersion: string, { info: { manifest, digest, provider } }: Engine): (prompt: string) => Provenance {
  const at = new Date().toISOString()
  return (prompt) => ({ packId: manifest.id, packVersion: manifest.version, packDigest: digest, provider, prompt, appVersion, at })
}

/** Retry a step whose engine died: the engine restarts by itself. */
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

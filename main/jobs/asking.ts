/** The provenance of what an engine says. */
import type { Provenance } from '../../app/annotation.ts'
import type { Engine } from '../engine/engine.ts'

/** @returns A function from a prompt (the words or the name that was asked for) to the provenance of the engine's output. */
export function provenanceOf(appVersion: string, { info: { manifest, digest, provider } }: Engine): (prompt: string) => Provenance {
  const at = new Date().toISOString()
  return (prompt) => ({ packId: manifest.id, packVersion: manifest.version, packDigest: digest, provider, prompt, appVersion, at })
}

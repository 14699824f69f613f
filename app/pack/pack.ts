/** `pack.json`: a model in a folder. A pack is data and names only files inside its own folder. */
import { z } from 'zod'
import type { Task } from './base.ts'
import { DetectorManifest } from './detector.ts'
import { MammutManifest } from './mammut.ts'
import { OwlManifest } from './owl.ts'
import { SmolVlmManifest } from './smolvlm.ts'
import { TextManifest } from './text.ts'

const Family = z.discriminatedUnion('family', [MammutManifest, DetectorManifest, OwlManifest, TextManifest, SmolVlmManifest])
/** Older packs name no family: they are MaMMUTs. */
export const PackManifest = z.preprocess(
  (json) => (typeof json === 'object' && json !== null && !('family' in json) ? { ...json, family: 'mammut' } : json),
  Family,
)
export type PackManifest = z.infer<typeof PackManifest>

export function does({ tasks }: PackManifest, task: Task): boolean {
  return (tasks as readonly Task[]).includes(task)
}

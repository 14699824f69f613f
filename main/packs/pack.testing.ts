/** A second pack for tests: the one that ships, under another name and so with another digest. Its weights are the same. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { PackManifest } from '../../app/pack/pack.ts'

export const BUNDLED = path.resolve(import.meta.dirname, '../../models/packs/tubelet-mini')

export function copyPack(folder: string, id: string, change: Partial<PackManifest> = {}): string {
  const dir = path.join(folder, id)
  cpSync(BUNDLED, dir, { recursive: true })
  const file = path.join(dir, 'pack.json')
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as PackManifest), id, name: id, ...change }))
  return dir
}

/** Further packs for tests: bundled ones with another name and so another digest, but the same weights. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import type { PackManifest } from '../../app/pack/pack.ts'

const packs = path.resolve(import.meta.dirname, '../../models/packs')
export const BUNDLED = path.join(packs, 'tubelet-mini')
export const OBJECTS = path.join(packs, 'objects-80')
export const SCREEN_TEXT = path.join(packs, 'screen-text')

export function copyPack(folder: string, id: string, change: Partial<PackManifest> = {}, from = BUNDLED): string {
  const dir = path.join(folder, id)
  cpSync(from, dir, { recursive: true })
  const file = path.join(dir, 'pack.json')
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as PackManifest), id, name: id, ...change }))
  return dir
}

/** A pack that is sure of every clip, whereas the bundled one recognises unfamiliar clips. */
export function copyTalkative(folder: string, id: string): string {
  const { calibration } = JSON.parse(readFileSync(path.join(BUNDLED, 'pack.json'), 'utf8')) as MammutManifest
  return copyPack(folder, id, { calibration: { ...calibration, familiar: undefined } })
}

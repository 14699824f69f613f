/** Opens a MaMMUT pack by its folder, as the engine process does for any family. */
import { openMammut, type Pack } from './mammut.ts'
import { openFolder } from './pack.ts'

/** @throws TubeletError `pack-invalid`, also for a pack of another family. */
export async function openPack(dir: string): Promise<Pack> {
  const { folder, manifest, digest } = await openFolder(dir)
  return manifest.family === 'mammut' ? openMammut(folder, manifest, digest) : folder.invalid('It is no MaMMUT.')
}

/** Which pack the engine's tests run: TUBELET_PACK, else the one that ships. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const packDir = process.env['TUBELET_PACK'] ?? fileURLToPath(new URL('../../models/packs/tubelet-mini', import.meta.url))
export const packMissing = !existsSync(`${packDir}/pack.json`)
if (packMissing) console.warn(`SKIPPED: there is no model pack at ${packDir}. Train one with models/ or set TUBELET_PACK.`)

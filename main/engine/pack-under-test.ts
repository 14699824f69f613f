/** The pack that the engine's tests run: TUBELET_PACK, else the bundled one. */
import { fileURLToPath } from 'node:url'

export const packDir = process.env['TUBELET_PACK'] ?? fileURLToPath(new URL('../../models/packs/tubelet-mini', import.meta.url))

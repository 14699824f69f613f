/** The root folder of this Tubelet, and its version from package.json. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

// In the sources this file is in main/, compiled in dist/main/.
export const root = path.resolve(import.meta.dirname, existsSync(path.join(import.meta.dirname, '..', 'package.json')) ? '..' : '../..')

export const packageVersion = (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }).version

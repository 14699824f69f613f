/** Where this Tubelet lies, and its version, as package.json states it. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

// From source this file lies in main/, compiled in dist/main/.
export const root = path.resolve(import.meta.dirname, existsSync(path.join(import.meta.dirname, '..', 'package.json')) ? '..' : '../..')

export const packageVersion = (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }).version

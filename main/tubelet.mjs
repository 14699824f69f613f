#!/usr/bin/env node
/** `npx tubelet …`: the command line on a Node that can run it. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { compileCache, ensureModules, lean, node24, root } from './setup.mjs'

// Installed as a package, it is JavaScript and has its packages; in a clone it is TypeScript, and they may have to be installed first.
const isClone = existsSync(path.join(root, 'main', 'cli.ts'))
if (isClone) ensureModules()
const cli = isClone ? path.join(root, 'main', 'cli.ts') : path.join(root, 'dist', 'main', 'cli.js')
const child = spawn(node24(), [...lean, cli, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: isClone ? { ...process.env, ...compileCache } : process.env,
})
process.on('SIGINT', () => undefined)
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)))

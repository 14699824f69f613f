#!/usr/bin/env node
/** `npx tubelet …`: the command line on a Node that can run it. */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { compileCache, ensureModules, node24, root } from './setup.mjs'

ensureModules()
const child = spawn(node24(), [path.join(root, 'main', 'cli.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, ...compileCache },
})
process.on('SIGINT', () => undefined)
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)))

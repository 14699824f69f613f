/** A Tubelet for a test: its own project folder, its own port, the real engine, pack and window. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const cli = path.resolve(import.meta.dirname, '..', 'main', 'cli.ts')

export interface Running {
  /** The address that opens the window, key included. */
  url: string
  projectDir: string
  process: ChildProcess
  /** Ends it as Ctrl-C does; resolves when the process is gone. */
  stop: () => Promise<void>
  /** Start again on the same project. */
  restart: () => Promise<Running>
}

function projectFolder(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'tubelet-e2e-'))
}

export async function start(projectDir = projectFolder()): Promise<Running> {
  const child = spawn(process.execPath, [cli, 'serve', '--project', projectDir, '--packs', path.join(projectDir, 'packs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await new Promise<string>((resolve, reject) => {
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const address = /http:\/\/\S+/.exec(output)?.[0]
      if (address) resolve(address)
    })
    child.once('exit', (code) => reject(new Error(`tubelet serve ended with ${String(code)}: ${output}`)))
  })
  return {
    url,
    projectDir,
    process: child,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGINT')
        await once(child, 'exit')
      }
    },
    restart: () => start(projectDir),
  }
}

export function forget({ projectDir }: Running): void {
  rmSync(projectDir, { recursive: true, force: true })
}

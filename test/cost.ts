/** The cost of a program with all its child processes: wall and processor time, memory. Linux only; elsewhere the figures are 0. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export interface Cost {
  /** Seconds. */
  wall: number
  /** Seconds of one core, of all processes together. */
  cpu: number
  /** Bytes, the most at once of all processes together. */
  memory: number
}

interface Report {
  sources: { path: string; state: string; duration: number | null; clips: unknown[] }[]
}

/** All tasks over all files as one command from a cold start, of the Tubelet in a folder. @param project Where its library lies afterwards. */
export async function analyseBatch(
  root: string,
  files: readonly string[],
  { labels, project }: { labels: readonly string[]; project: string },
): Promise<Cost & { report: Report }> {
  const tasks = [
    '--ask',
    'What moves?',
    '--labels',
    labels.join(','),
    '--export',
    'coco,vtt',
    '--out',
    path.join(project, 'exports'),
    '--packs',
    path.join(project, 'packs'),
  ]
  const before = childTime()
  const began = performance.now()
  const child = spawn(
    process.execPath,
    [path.join(root, 'main', 'tubelet.mjs'), 'analyze', ...files, ...tasks, '--project', project, '--json'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  let memory = 0
  const meter = setInterval(() => (memory = Math.max(memory, treeMemory(child))), 1000)
  await once(child, 'close')
  clearInterval(meter)
  return { wall: (performance.now() - began) / 1000, cpu: childTime() - before, memory, report: JSON.parse(output) as Report }
}

/** Processor seconds of the children of this process that have ended, and of theirs. Ticks of Linux are hundredths of a second. */
function childTime(): number {
  if (!existsSync('/proc/self/stat')) return 0
  // Split behind the name in brackets, which may contain blanks. Fields 16 and 17 of the whole line are the times of ended children.
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[13]) + Number(fields[14])) / 100
}

/** Proportional set size of a process and all below it, in bytes: shared pages count once. */
function treeMemory(child: ChildProcess): number {
  const parents = new Map<number, number[]>()
  for (const name of existsSync('/proc') ? readdirSync('/proc') : []) {
    try {
      const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1])
      parents.set(parent, [...(parents.get(parent) ?? []), Number(name)])
    } catch {
      // Not a process, or one that has ended meanwhile.
    }
  }
  const sum = (pid: number): number => {
    let own = 0
    try {
      own = Number(/^Pss:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024
    } catch {
      // The process has ended meanwhile.
    }
    return (parents.get(pid) ?? []).reduce((total, below) => total + sum(below), own)
  }
  return child.pid === undefined ? 0 : sum(child.pid)
}

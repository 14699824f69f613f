/** The engine as an Electron utility process. */
import { utilityProcess } from 'electron'
import { ended } from '../channel.ts'
import type { ForkEngine } from '../engine/engine.ts'

export const forkUtility: ForkEngine = (entry, args) => {
  const child = utilityProcess.fork(entry, [...args], { serviceName: 'Tubelet engine' })
  return {
    get pid() {
      return child.pid
    },
    post: (message) => child.postMessage(message),
    onMessage: (listener) => child.on('message', listener),
    onEnd: (listener) => child.once('exit', (code) => listener(ended(`the process ended with exit code ${code}`))),
    hold: () => undefined,
    kill: () => child.kill(),
  }
}

/** Settings and measurements of packs on this machine, shared by all libraries. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { makeFolderSync } from '../folders.ts'

/** The cost of one clip on this machine, measured when the pack was imported. */
const Measured = z.object({
  /** Time to encode and caption. */
  secondsPerClip: z.number().positive(),
  /** Peak memory of the engine process. */
  memoryBytes: z.number().positive(),
})
export type Measured = z.infer<typeof Measured>

const Settings = z.object({
  /** Whether anything may be fetched from the network. */
  network: z.boolean().default(false),
  /** By digest. */
  measured: z.record(z.string(), Measured).default({}),
})

export class PackSettings {
  readonly #file: string
  #values: z.infer<typeof Settings>

  constructor(folder: string) {
    this.#file = path.join(folder, 'settings.json')
    this.#values = read(this.#file)
  }

  get network(): boolean {
    return this.#values.network
  }

  set network(allowed: boolean) {
    this.#write({ network: allowed })
  }

  measured(digest: string): Measured | null {
    return this.#values.measured[digest] ?? null
  }

  remember(digest: string, measured: Measured): void {
    this.#write({ measured: { ...this.#values.measured, [digest]: measured } })
  }

  #write(changes: Partial<z.infer<typeof Settings>>): void {
    // Another Tubelet may have written the file meanwhile.
    this.#values = { ...read(this.#file), ...changes }
    makeFolderSync(path.dirname(this.#file))
    const part = `${this.#file}.${process.pid}`
    writeFileSync(part, JSON.stringify(this.#values, null, 2))
    renameSync(part, this.#file)
  }
}

/** A damaged file is no error: its loss costs only new measurements and the permission for the network. */
function read(file: string): z.infer<typeof Settings> {
  try {
    return Settings.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return Settings.parse({})
  }
}

/** The ONNX graphs of one pack on one execution provider. */
import * as ort from 'onnxruntime-node'

export type Feeds = Record<string, ort.Tensor>

/** ONNX files by the name of their graph: as bytes, so that a graph cannot name further files to load, or as checked paths. */
export type GraphFiles = Record<string, Uint8Array | string>

export interface Placement {
  /** The runtime's name of an execution provider: "cpu", "cuda", "webgpu", ... */
  provider: string
  threads: number
}

export class Graphs {
  readonly #files: GraphFiles
  readonly #options: ort.InferenceSession.SessionOptions
  readonly #sessions = new Map<string, Promise<ort.InferenceSession>>()
  readonly #runs = new Map<string, number>()

  /** @param varied Whether inputs vary in size: the runtime then must not keep memory for each size. */
  constructor(files: GraphFiles, { provider, threads }: Placement, { varied = false } = {}) {
    this.#files = files
    this.#options = {
      executionProviders: [provider],
      intraOpNumThreads: threads,
      logSeverityLevel: 4,
      enableCpuMemArena: !varied,
      enableMemPattern: !varied,
      // Waiting threads must not spin: that takes the cores that ffmpeg needs, and everything becomes slower.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    }
  }

  has(name: string): boolean {
    return this.#files[name] !== undefined
  }

  /** Load the first graph now instead of at its first run. */
  async open(): Promise<void> {
    const [first] = Object.keys(this.#files)
    if (first !== undefined) await this.#session(first)
  }

  /**
   * Run a graph once; its session is made at the first run. Blocks the thread while it computes, but not before the next macrotask.
   * @param into Tensors that its outputs are written to, by name: all of them, of the right shapes.
   */
  async run(name: string, feeds: Feeds, into?: Feeds): Promise<ort.InferenceSession.OnnxValueMapType> {
    this.#runs.set(name, (this.#runs.get(name) ?? 0) + 1)
    const session = await this.#session(name)
    return into === undefined ? session.run(feeds) : session.run(feeds, into)
  }

  /** How often each graph ran. */
  counts(): Record<string, number> {
    return { ...Object.fromEntries(Object.keys(this.#files).map((name) => [name, 0])), ...Object.fromEntries(this.#runs) }
  }

  async release(): Promise<void> {
    const sessions = await Promise.allSettled(this.#sessions.values())
    this.#sessions.clear()
    for (const session of sessions) if (session.status === 'fulfilled') await session.value.release()
  }

  #session(name: string): Promise<ort.InferenceSession> {
    let session = this.#sessions.get(name)
    if (!session) {
      const graph = this.#files[name]
      if (graph === undefined) throw new Error(`the pack has no ${name} graph`)
      session =
        typeof graph === 'string' ? ort.InferenceSession.create(graph, this.#options) : ort.InferenceSession.create(graph, this.#options)
      this.#sessions.set(name, session)
    }
    return session
  }
}

export function floatTensor(data: Float32Array, dims: readonly number[]): ort.Tensor {
  return new ort.Tensor('float32', data, dims)
}

export function byteTensor(data: Uint8Array, dims: readonly number[]): ort.Tensor {
  return new ort.Tensor('uint8', data, dims)
}

/** Token ids [rows, length], all rows equally long. */
export function idTensor(rows: readonly (readonly number[])[]): ort.Tensor {
  return new ort.Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]?.length ?? 0])
}

export function tensorOf(outputs: ort.InferenceSession.OnnxValueMapType, name: string): ort.Tensor {
  const value = outputs[name]
  if (!(value instanceof ort.Tensor)) throw new Error(`a graph of the pack has no output "${name}"`)
  return value
}

/** @param length How many numbers the pack says there are. */
export function floatsOf(outputs: ort.InferenceSession.OnnxValueMapType, name: string, length?: number): Float32Array {
  const { data } = tensorOf(outputs, name)
  if (!(data instanceof Float32Array)) throw new Error(`output "${name}" is not fp32`)
  if (length !== undefined && data.length !== length)
    throw new Error(`output "${name}" has ${data.length} numbers, not ${length} as pack.json says`)
  return data
}

export function integersOf(outputs: ort.InferenceSession.OnnxValueMapType, name: string): Int32Array {
  const { data } = tensorOf(outputs, name)
  if (!(data instanceof Int32Array)) throw new Error(`output "${name}" is not int32`)
  return data
}

/** The execution providers that this build of the runtime knows, best first, the CPU last. */
export function listedProviders(): string[] {
  const known = new Set(ort.listSupportedBackends().map(({ name }) => name))
  return ['cuda', 'dml', 'coreml', 'webgpu', 'cpu'].filter((name) => known.has(name))
}

export const runtimeVersion = ort.env.versions.node ?? ort.env.versions.common

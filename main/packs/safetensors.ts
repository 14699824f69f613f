/**
 * Reads `.safetensors` checkpoints: 8 bytes with the length of a JSON header, the header, the tensors' bytes. A large checkpoint may lie in several
 * such files, with an index that says which tensor is in which. No file is trusted, so every number in it is checked before it is used.
 * Format: github.com/huggingface/safetensors, README "Format".
 */
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { hasCode, type Problem, TubeletError } from '../../app/errors.ts'
import { phrase } from '../../app/phrase.ts'
import { openPlain } from '../plain-file.ts'

/** Bits of an element. Only F32, F16 and BF16 can be converted; the others may lie in a file beside what is needed. */
const BITS: Readonly<Record<string, number>> = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U64: 64,
  U32: 32,
  U16: 16,
  U8: 8,
  BOOL: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
}
/** The next step where a file holds no model that can be imported. */
export const CHOOSE_OTHER = phrase('Choose the .safetensors file of a model that the Packs page lists, or its folder.')
/**
 * Largest header, bytes: forty times that of the largest model that can be imported. The format's own reader takes 100 MB, but the million tensors of
 * such a header would keep the host from everything else for half a minute.
 */
export const MAX_HEADER = 4_000_000
/** As in the format's own reader. */
const MAX_OTHERS = 100_000_000

const Offset = z.int().min(0)
const Entry = z.object({ dtype: z.string(), shape: z.array(z.int().min(0)), data_offsets: z.tuple([Offset, Offset]) })
const Header = z.record(z.string(), z.unknown())

export interface Tensor {
  /** The file that holds it. */
  file: string
  dtype: string
  shape: readonly number[]
  /** The place of its first byte in the file. */
  begin: number
  bytes: number
}
export interface Checkpoint {
  /** What was chosen: the file, or the index of several. */
  file: string
  /** Of all its files. */
  bytes: number
  tensors: ReadonlyMap<string, Tensor>
}

/**
 * @param whole The final size of a file of which only the beginning is here yet.
 * @throws TubeletError `checkpoint-unusable` that says what the file is instead, or what is wrong with it; `file-missing`, `file-unreadable`.
 */
export async function readSafetensors(file: string, whole?: number): Promise<Checkpoint> {
  const handle = await opened(file)
  try {
    const info = await handle.stat()
    const size = whole ?? info.size
    if (info.isDirectory())
      throw refusal({
        code: 'checkpoint-unusable',
        message: 'There is neither a checkpoint nor a pack in this folder.',
        file,
        next: CHOOSE_OTHER,
      })
    const start = await bytesAt(handle, 0, Math.min(512, size))
    refuseStrangers(file, start, size)
    const length = Number(start.readBigUInt64LE(0))
    if (length < 2 || length > MAX_OTHERS || start[8] !== 0x7b) throw notSafetensors(file)
    if (8 + length > size) throw truncated(file, size, 8 + length)
    if (length > MAX_HEADER)
      throw refusal({
        code: 'checkpoint-unusable',
        message: 'The list of contents of this checkpoint is longer than that of any model that can be imported.',
        file,
        next: CHOOSE_OTHER,
      })
    const tensors = parseHeader(file, await bytesAt(handle, 8, length), 8 + length)
    checkLayout(file, tensors, 8 + length, size)
    return { file, bytes: size, tensors }
  } finally {
    await handle.close()
  }
}

/** The name of the index of a checkpoint in several files, as transformers writes it. */
export const INDEX = 'model.safetensors.index.json'
export const isIndex = (file: string): boolean => file.endsWith('.safetensors.index.json')
/** One of several files: `model-00001-of-00003.safetensors`. */
const SHARD = /-\d{5}-of-\d{5}\.safetensors$/

const Index = z.looseObject({
  metadata: z.looseObject({ total_size: z.number().int().positive().optional() }).optional(),
  /** By the name of a tensor: the file that holds it, in the same folder. */
  weight_map: z.record(z.string(), z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*\.safetensors$/, 'the name of a .safetensors file')),
})

/** The files that an index names, and the bytes of their tensors, if it says so. @throws TubeletError `checkpoint-unusable`, `file-missing`, `file-unreadable` */
export async function readIndex(file: string): Promise<{ shards: string[]; of: Readonly<Record<string, string>>; bytes: number | null }> {
  await using handle = await opened(file)
  try {
    if ((await handle.stat()).size > MAX_HEADER) throw new Error('it is far larger than any index')
    const { weight_map: of, metadata } = Index.parse(JSON.parse(await handle.readFile('utf8')))
    const shards = [...new Set(Object.values(of))].sort()
    if (shards.length === 0) throw new Error('it names no files')
    return { shards, of, bytes: metadata?.total_size ?? null }
  } catch (cause) {
    throw refusal(
      {
        code: 'checkpoint-unusable',
        message: 'The index of this checkpoint cannot be read.',
        file,
        next: 'Download it again.',
        details: cause instanceof Error ? cause.message : String(cause),
      },
      cause,
    )
  }
}

/**
 * A checkpoint in one file or, through its index, in several.
 * @param whole The final size of a file of which only the beginning is here yet.
 * @throws TubeletError as `readSafetensors` and `readIndex`; `checkpoint-unusable` where a part is missing or has other tensors than the index says.
 */
export async function readCheckpoint(file: string, whole?: number): Promise<Checkpoint> {
  if (!isIndex(file)) {
    if (SHARD.test(file))
      throw refusal({
        code: 'checkpoint-unusable',
        message: 'This is one of several files of a checkpoint.',
        file,
        next: 'Choose the folder that holds all of them and {{index}}, or give its path.',
        values: { index: INDEX },
      })
    return readSafetensors(file, whole)
  }
  const { shards, of } = await readIndex(file)
  const tensors = new Map<string, Tensor>()
  let bytes = 0
  for (const name of shards) {
    const part = await readSafetensors(path.join(path.dirname(file), name))
    bytes += part.bytes
    for (const [key, tensor] of part.tensors) {
      if (of[key] !== name) throw damaged(file, `tensor "${key}" lies in ${name}, not in ${of[key] ?? 'any file that it names'}`)
      tensors.set(key, tensor)
    }
  }
  const missing = Object.keys(of).find((key) => !tensors.has(key))
  if (missing !== undefined) throw damaged(file, `tensor "${missing}" is not in ${of[missing] ?? ''}`)
  return { file, bytes, tensors }
}

/** A file, open for reading. @throws TubeletError `file-missing`, `file-unreadable` */
async function opened(file: string): Promise<FileHandle> {
  return openPlain(file).catch((error: unknown) => {
    if (error instanceof TubeletError) throw error
    const missing = hasCode(error, 'ENOENT')
    const message = missing ? 'There is no such file.' : 'The file could not be opened.'
    throw refusal(
      {
        code: missing ? 'file-missing' : 'file-unreadable',
        message,
        file,
        next: missing ? 'Choose it again.' : 'Check that you may read it.',
      },
      error,
    )
  })
}

/** Refuses files that people mistake for a checkpoint, recognised by their first bytes. */
function refuseStrangers(file: string, start: Buffer, bytes: number): void {
  const text = start.toString('latin1')
  if (bytes === 0)
    throw refusal({ code: 'checkpoint-unusable', message: 'This file is empty (0 bytes).', file, next: 'Download it again.' })
  const pickle = start[0] === 0x80 && (start[1] ?? 0) >= 2 && (start[1] ?? 0) <= 5
  if (text.startsWith('PK\x03\x04') || pickle) {
    throw refusal({
      code: 'checkpoint-unusable',
      message: 'This is a PyTorch file (.pt, .bin), which can run programs when it is opened, so Tubelet does not open it.',
      file,
      next: 'Use the .safetensors file of the same model, or make one where Python is: python -m models.openmammut convert {{name}} --out model.safetensors, then choose that file here.',
      values: { name: path.basename(file) },
    })
  }
  if (text.startsWith('version https://git-lfs'))
    throw refusal({
      code: 'checkpoint-unusable',
      message: 'This is only a pointer to the checkpoint (Git LFS), not the checkpoint.',
      file,
      next: 'Download the file itself: it is as large as the page says, not a few bytes.',
    })
  if (text.startsWith('GGUF'))
    throw refusal({
      code: 'checkpoint-unusable',
      message: 'This is a GGUF file, which holds a language model.',
      file,
      next: CHOOSE_OTHER,
    })
  if (/^\s*<(!doctype|html|\?xml)/i.test(text))
    throw refusal({
      code: 'checkpoint-unusable',
      message: 'This is a web page that was saved under the name of a checkpoint.',
      file,
      next: 'Download the file itself; where a page asks for an account or a licence first, do that in your browser.',
    })
  if (bytes < 10) throw notSafetensors(file)
}

function parseHeader(file: string, bytes: Buffer, dataBegin: number): Map<string, Tensor> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw notSafetensors(file, error)
  }
  const header = Header.safeParse(json)
  if (!header.success) throw notSafetensors(file)
  const tensors = new Map<string, Tensor>()
  for (const [name, value] of Object.entries(header.data)) {
    if (name === '__metadata__') continue
    const entry = Entry.safeParse(value)
    if (!entry.success) throw damaged(file, `tensor "${name}": ${z.prettifyError(entry.error)}`)
    const {
      dtype,
      shape,
      data_offsets: [begin, end],
    } = entry.data
    const bits = BITS[dtype]
    if (bits === undefined) throw damaged(file, `tensor "${name}" has the unknown type ${dtype}`)
    const size = shape.reduce((product, side) => product * side, bits / 8)
    if (!Number.isSafeInteger(size) || size !== end - begin)
      throw damaged(file, `tensor "${name}" of ${dtype} [${shape.join(', ')}] cannot lie in bytes ${begin} to ${end}`)
    tensors.set(name, { file, dtype, shape, begin: dataBegin + begin, bytes: size })
  }
  return tensors
}

/** The tensors must tile the rest of the file: no overlap, no hole, nothing past its end. */
function checkLayout(file: string, tensors: ReadonlyMap<string, Tensor>, dataBegin: number, fileBytes: number): void {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.bytes - b.bytes)
  let at = dataBegin
  for (const [name, { begin, bytes }] of inOrder) {
    if (begin !== at)
      throw damaged(file, begin < at ? `tensor "${name}" overlaps another one` : `nobody owns the bytes before tensor "${name}"`)
    at = begin + bytes
  }
  if (at > fileBytes) throw truncated(file, fileBytes, at)
  if (at < fileBytes) throw damaged(file, `${fileBytes - at} bytes follow the last tensor`)
}

async function bytesAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/** A checkpoint that cannot be used: why, and what to do. */
export function refusal(problem: Omit<Problem, 'stillWorks'>, cause?: unknown): TubeletError {
  return new TubeletError({ ...problem, stillWorks: phrase('The packs that you have go on working.') }, { cause })
}

function notSafetensors(file: string, cause?: unknown): TubeletError {
  return refusal(
    {
      code: 'checkpoint-unusable',
      message: 'This is not a .safetensors checkpoint, whatever its name says.',
      file,
      next: CHOOSE_OTHER,
    },
    cause,
  )
}

function damaged(file: string, details: string): TubeletError {
  return refusal({
    code: 'checkpoint-unusable',
    message: 'This checkpoint is damaged: its list of contents does not fit what is in it.',
    file,
    next: 'Download it again.',
    details,
  })
}

function truncated(file: string, bytes: number, needed: number): TubeletError {
  const small = needed < 2e6
  const [here, whole] = small ? [bytes, needed] : [Math.floor(bytes / 1e6), Math.floor(needed / 1e6)]
  return refusal({
    code: 'checkpoint-unusable',
    message: small
      ? 'This checkpoint is cut off: {{here}} of {{whole}} bytes are there.'
      : 'This checkpoint is cut off: {{here}} of {{whole}} MB are there.',
    file,
    next: 'Download it again; a download here goes on where it stopped.',
    values: { here, whole },
  })
}

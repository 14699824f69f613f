/** A zip that is made while it is read, so that only part of one file is in memory at a time. */
import { open, stat } from 'node:fs/promises'
import { Zip, ZipDeflate } from 'fflate'
import { TubeletError } from '../../app/errors.ts'

const CHUNK = 1 << 16
/** The limit of the format without ZIP64. */
const MOST_BYTES = 2 ** 32 - 1

/** @param files The path of each file, and its name in the zip. @throws TubeletError `bad-request` if they are too large for a zip. */
export async function zipOf(files: readonly { file: string; name: string }[]): Promise<ReadableStream<Uint8Array>> {
  const sizes = await Promise.all(files.map(async ({ file }) => (await stat(file)).size))
  if (sizes.reduce((sum, size) => sum + size, 0) > MOST_BYTES) {
    throw new TubeletError({
      code: 'bad-request',
      message: 'These files are larger than a zip can be.',
      field: 'path.exportId',
      stillWorks: 'They lie in their folder, whole.',
      next: 'Copy them from there.',
    })
  }
  const parts = compressed(files)
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await parts.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await parts.return(undefined)
    },
  })
}

async function* compressed(files: readonly { file: string; name: string }[]): AsyncGenerator<Uint8Array, undefined> {
  let ready: Uint8Array[] = []
  const zip = new Zip((error, data) => {
    if (error) throw error
    ready.push(data)
  })
  const flushed = () => {
    const now = ready
    ready = []
    return now
  }
  for (const { file, name } of files) {
    const entry = new ZipDeflate(name, { level: 1 })
    zip.add(entry)
    const handle = await open(file)
    try {
      for (;;) {
        // A new buffer each time: the compressor may still refer to earlier ones.
        const { bytesRead, buffer } = await handle.read(new Uint8Array(CHUNK), 0, CHUNK)
        entry.push(buffer.subarray(0, bytesRead), bytesRead === 0)
        yield* flushed()
        if (bytesRead === 0) break
      }
    } finally {
      await handle.close()
    }
  }
  zip.end()
  yield* flushed()
  return undefined
}

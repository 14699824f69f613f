/** Writes PNG: for pictures that are cut out in memory, without loss. */
import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** 8 bits a channel, RGB, deflate, filters by line, not interlaced (PNG specification, 11.2.2). */
const KIND = [8, 2, 0, 0, 0]
/** Each byte as the difference from that of the pixel to its left: photographs become smaller by it. */
const SUB = 1

/** @param rgb RGB24, line by line. */
export function png(rgb: Uint8Array, width: number, height: number): Buffer {
  const stride = width * 3
  const lines = Buffer.alloc((stride + 1) * height)
  for (let y = 0; y < height; y++) {
    const to = y * (stride + 1)
    lines[to] = SUB
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x
      lines[to + 1 + x] = (rgb[at] ?? 0) - (x < 3 ? 0 : (rgb[at - 3] ?? 0))
    }
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set(KIND, 8)
  return Buffer.concat([SIGNATURE, chunk('IHDR', head), chunk('IDAT', deflateSync(lines)), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}

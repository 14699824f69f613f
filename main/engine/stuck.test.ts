/** A pack with a graph that never ends: its process is ended, and that is told. */
import { hash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { problemOf } from '../../app/errors.ts'
import type { DetectorManifest } from '../../app/pack/detector.ts'
import { isAlive } from '../alive.ts'
import { childProcess } from '../channel.ts'
import { copyPack, OBJECTS } from '../packs/pack.testing.ts'
import { Engine, patienceWith } from './engine.ts'

const root = mkdtempSync(path.join(os.tmpdir(), 'tubelet-stuck-'))
process.env['XDG_CACHE_HOME'] = path.join(root, 'cache')
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Protobuf's wire format, as far as onnx.proto needs it here. */
const varint = (value: bigint): number[] => (value > 0x7fn ? [Number(value & 0x7fn) | 0x80, ...varint(value >> 7n)] : [Number(value)])
const number = (field: number, value: number | bigint) => Buffer.from([...varint(BigInt(field << 3)), ...varint(BigInt(value))])
const bytes = (field: number, ...parts: readonly Uint8Array[]) => {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([...varint(BigInt((field << 3) | 2)), ...varint(BigInt(content.length))]), content])
}
const text = (field: number, value: string) => bytes(field, Buffer.from(value))
const node = (op: string, inputs: readonly string[], outputs: readonly string[], ...attributes: Buffer[]) =>
  bytes(1, ...inputs.map((name) => text(1, name)), ...outputs.map((name) => text(2, name)), text(4, op), ...attributes)
const [FLOAT, UINT8, INT64, BOOL] = [1, 2, 7, 9]
const value = (field: number, name: string, type: number, shape: readonly (number | string)[]) => {
  const sides = shape.map((side) => bytes(1, typeof side === 'number' ? number(1, side) : text(2, side)))
  return bytes(field, text(1, name), bytes(2, bytes(1, number(1, type), bytes(2, ...sides))))
}
const tensor = (name: string, type: number, shape: readonly number[], raw: Uint8Array) =>
  bytes(5, ...shape.map((side) => number(1, side)), number(2, type), text(8, name), bytes(9, raw))

/** A detector that adds a number to itself as often as a 64-bit number can count. */
function endless(): Buffer {
  const body = bytes(
    6,
    node('Identity', ['on'], ['still on']),
    node('Add', ['sum', 'sum'], ['more']),
    text(2, 'body'),
    ...[value(11, 'turn', INT64, []), value(11, 'on', BOOL, []), value(11, 'sum', FLOAT, [1, 1, 1])],
    ...[value(12, 'still on', BOOL, []), value(12, 'more', FLOAT, [1, 1, 1])],
  )
  const graph = bytes(
    7,
    node('Loop', ['turns', 'yes', 'start'], ['last'], bytes(5, text(1, 'body'), body, number(20, 5))),
    node('Identity', ['last'], ['scores']),
    node('Identity', ['last'], ['distances']),
    text(2, 'endless'),
    tensor('turns', INT64, [], new Uint8Array(BigInt64Array.of(2n ** 62n).buffer)),
    tensor('yes', BOOL, [], Uint8Array.of(1)),
    tensor('start', FLOAT, [1, 1, 1], new Uint8Array(4)),
    value(11, 'picture', UINT8, [1, 'height', 'width', 3]),
    ...['scores', 'distances'].map((name) => value(12, name, FLOAT, [1, 'cells', 'numbers'])),
  )
  return Buffer.concat([number(1, 8), graph, bytes(8, text(1, ''), number(2, 17))])
}

it('a graph that never ends is ended with its process, and the pack is not started again', async () => {
  const graph = endless()
  const { graphs } = JSON.parse(readFileSync(path.join(OBJECTS, 'pack.json'), 'utf8')) as DetectorManifest
  const detector = { ...graphs.detector, sha256: hash('sha256', graph) }
  const packDir = copyPack(root, 'endless', { graphs: { detector } }, OBJECTS)
  writeFileSync(path.join(packDir, detector.file), graph)
  const pids: (number | undefined)[] = []
  const start = Engine.start({
    packDir,
    stuckAfterMs: 2_000,
    fork: (entry, args) => {
      const port = childProcess(entry, args)
      pids.push(port.pid)
      return port
    },
  })
  const problem = await start.then(() => null, problemOf)
  expect(problem).toMatchObject({
    code: 'engine-unavailable',
    message: expect.stringContaining('without coming to an end') as string,
    values: { pack: 'endless' },
  })
  expect(pids).toHaveLength(1)
  await expect.poll(() => isAlive(pids[0] ?? 0)).toBe(false)
}, 60_000)

it('one that works is not taken for it, however many signs of life are asked for', async () => {
  const engine = await Engine.start({ packDir: OBJECTS, stuckAfterMs: 30_000 })
  const picture = { rgb: new Uint8Array(320 * 320 * 3), width: 320, height: 320 }
  for (let turn = 0; turn < 20; turn++) await engine.see([picture], turn)
  expect(engine.state).toBe('ready')
  await engine.close()
}, 60_000)

it('a large pack is given more time than a small one, and none more than ten minutes', () => {
  const minutes = [0, 60, 480, 50_000].map((megabytes) => {
    const dir = mkdtempSync(path.join(root, 'sized-'))
    writeFileSync(path.join(dir, 'weights.bin'), '')
    truncateSync(path.join(dir, 'weights.bin'), megabytes * 1e6)
    return patienceWith(dir) / 60_000
  })
  expect(minutes).toEqual([2, 3, 10, 10])
  expect(patienceWith(path.join(root, 'nowhere'))).toBe(120_000)
})

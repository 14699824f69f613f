#!/usr/bin/env bash
# Finding: a BullMQ 6.7.0 worker that is given an ioredis 6.0.0 client made with `lazyConnect: true`, while Redis happens to be away, draws no job when Redis is
# back, and says that it runs. With `lazyConnect: false`, and all else alike, it draws. The worker duplicates the client, options included, for the
# connection on which it waits for jobs; for one that is still to connect it awaits the first attempt alone, which fails, and keeps that failure as the
# state of the connection, although the client connects soon afterwards by its own retries. Both are documented options of ioredis (`retryStrategy`,
# `maxRetriesPerRequest: null`), and BullMQ asks for the second one.
#
#   findings/bullmq-worker-on-a-lazy-connection-stays-idle.sh
#
# Needs bash, Node 22 or newer with npm, redis-server, and a way for npm to get the packages. All in a temporary folder; takes some 25 seconds.
# Exit 0: the behaviour is there. 3: it is not (any more). Other: cannot be judged (2: an install failed, or the worker that should draws nothing).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
command -v redis-server >/dev/null || exit 2
npm install --silent --no-audit --no-fund bullmq@6.7.0 ioredis@6.0.0 || exit 2

cat >check.mjs <<'JS'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'

const free = createServer().listen(0, '127.0.0.1')
await once(free, 'listening')
const { port } = free.address()
free.close()
const options = (lazyConnect) => ({ host: '127.0.0.1', port, lazyConnect, maxRetriesPerRequest: null, retryStrategy: () => 200 })
const silent = (emitter) => emitter.on('error', () => undefined)

const drawn = { lazy: 0, 'at once': 0 }
const workers = Object.keys(drawn).map((kind) => {
  const client = silent(new Redis(options(kind === 'lazy')))
  return silent(new Worker(`jobs ${kind}`, async () => void (drawn[kind] += 1), { connection: client, runRetryDelay: 1000 }))
})
await sleep(2_000)
const server = spawn('redis-server', ['--port', String(port), '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'], { stdio: 'ignore' })
await sleep(1_000)
for (const kind of Object.keys(drawn)) await silent(new Queue(`jobs ${kind}`, { connection: options(false) })).add('job', {})
await sleep(20_000)
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version
console.log(`bullmq ${version('bullmq')}, ioredis ${version('ioredis')}; Redis came two seconds after the workers, one job each waits for 20 s`)
console.log(`drawn by the worker whose client connects when used: ${drawn.lazy}; at once: ${drawn['at once']}; both run: ${workers.every((one) => one.isRunning())}`)
server.kill('SIGKILL')
const there = drawn.lazy === 0 && workers[0].isRunning()
console.log(there ? 'the worker on a lazy connection stays idle' : 'the behaviour is not there (any more)')
process.exit(drawn['at once'] === 1 ? (there ? 0 : 3) : 2)
JS
node check.mjs

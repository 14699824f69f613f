#!/usr/bin/env bash
# Finding: hyparquet (1.31.5, and 1.33.0) drops a byte order mark (U+FEFF) with which a text of a Parquet file begins: '\ufeffname' comes back as 'name', a
# text that is nothing but the mark as ''. A STRING of Parquet is "UTF-8 encoded bytes" without exceptions (LogicalTypes.md), and the file holds the
# three bytes: pyarrow 25.0.1 returns them. The cause is a TextDecoder without `ignoreBOM`, in stringFromBytes of src/convert.js; a mark inside a text
# stays. So two texts that differ become equal, and a file does not read back as it was written.
#
#   findings/hyparquet-drops-a-byte-order-mark.sh
#
# Needs bash, Node 22 or newer with npm, Python 3.11 with venv, and a way for npm and pip to get the packages. All in a temporary folder.
# Exit 0: the behaviour is there. 3: it is not (any more). Other: cannot be judged (2: an install failed, or the file does not hold the text).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{
  npm install --silent --no-audit --no-fund hyparquet@1.33.0 hyparquet-writer@0.17.0 old@npm:hyparquet@1.31.5
  python3 -m venv venv
  venv/bin/pip install --quiet --disable-pip-version-check pyarrow==25.0.1
} || exit 2

cat >check.mjs <<'JS'
import { readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { parquetWriteFile } from 'hyparquet-writer'
import * as current from 'hyparquet'
import * as old from 'old'

const texts = ['\ufeffname', '\ufeff', 'na\ufeffme', 'name']
parquetWriteFile({ filename: 'texts.parquet', columnData: [{ name: 'text', data: texts, type: 'STRING' }] })
const command = 'import json, pyarrow.parquet as p; print(json.dumps(p.read_table("texts.parquet")["text"].to_pylist()))'
const arrow = JSON.parse(execFileSync('venv/bin/python', ['-c', command], { encoding: 'utf8' }))
const read = async ({ asyncBufferFromFile, parquetReadObjects }) =>
  (await parquetReadObjects({ file: await asyncBufferFromFile('texts.parquet') })).map(({ text }) => text)
const shown = (list) => JSON.stringify(list).replaceAll('\ufeff', '\\ufeff')
const results = { current: await read(current), old: await read(old) }
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version
console.log(`written ${shown(texts)}; pyarrow reads ${shown(arrow)}`)
console.log(`hyparquet ${version('hyparquet')} reads ${shown(results.current)}; ${version('old')} reads ${shown(results.old)}`)
if (shown(arrow) !== shown(texts)) process.exit(2)
const dropped = shown(['name', '', 'na\ufeffme', 'name'])
const there = shown(results.current) === dropped && shown(results.old) === dropped
console.log(there ? 'a byte order mark is dropped' : 'the behaviour is not there (any more)')
process.exit(there ? 0 : 3)
JS
node check.mjs

const { readdirSync, readFileSync } = require('node:fs')
const path = require('node:path')

/** A room is a folder of renderer/, or a single file beside these folders. */
const RENDERER = path.join(__dirname, 'renderer')
const roomOf = (file) => path.relative(RENDERER, file).split(path.sep)[0]
const escaped = (room) => room.replaceAll('.', '\\.') + (room.includes('.') ? '$' : '/')

/** For every room that imports another, a rule that the other may not import it: no two rooms import each other, not even types. */
function noTwoRoomsImportEachOther() {
  const arrows = new Map()
  for (const entry of readdirSync(RENDERER, { recursive: true })) {
    if (!/\.tsx?$/.test(entry) || entry.includes('.test.')) continue
    const file = path.join(RENDERER, entry)
    for (const [, imported] of readFileSync(file, 'utf8').matchAll(/(?:from |import |import\()'(\.[^']+)'/g)) {
      const to = path.resolve(path.dirname(file), imported)
      if (to.startsWith(RENDERER + path.sep) && roomOf(to) !== roomOf(file))
        arrows.set(`${roomOf(file)} ${roomOf(to)}`, [file, to].map(roomOf))
    }
  }
  return [...arrows.values()].map(([from, to]) => ({
    name: 'no-two-rooms-import-each-other',
    severity: 'error',
    comment: `${from} imports ${to}`,
    from: { path: `^renderer/${escaped(to)}`, pathNot: '\\.test\\.tsx?$' },
    to: { path: `^renderer/${escaped(from)}` },
  }))
}

/** The layer rules: app imports nothing else; renderer and main import app; only main/electron imports Electron. */
module.exports = {
  forbidden: [
    {
      name: 'app-imports-nobody',
      severity: 'error',
      from: { path: '^app/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(main|renderer|test|models)/' },
    },
    { name: 'app-is-pure', severity: 'error', from: { path: '^app/', pathNot: '\\.test\\.ts$' }, to: { dependencyTypes: ['core'] } },
    { name: 'renderer-knows-the-contract-only', severity: 'error', from: { path: '^renderer/' }, to: { path: '^(main|test|models)/' } },
    {
      name: 'renderer-has-no-node',
      severity: 'error',
      from: { path: '^renderer/', pathNot: '\\.test\\.tsx?$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'main-knows-no-renderer',
      severity: 'error',
      from: { path: '^main/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(renderer|test)/' },
    },
    {
      name: 'electron-in-its-room',
      severity: 'error',
      from: { pathNot: '^(main/electron|test)/' },
      to: { path: '(^|node_modules/)electron(/|$)', pathNot: '^main/electron/' },
    },
    { name: 'onnx-in-the-engine-process', severity: 'error', from: { pathNot: '^main/engine/' }, to: { path: 'onnxruntime-node' } },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    ...noTwoRoomsImportEachOther(),
    { name: 'no-drawers', severity: 'error', from: {}, to: { path: '^(app|main|renderer)/.*(utils?|helpers?|common)(/|\\.)' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'] },
  },
}

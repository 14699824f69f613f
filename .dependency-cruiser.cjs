/** The layer rules of the house: app imports nobody; renderer and main import app; only main/electron knows Electron. */
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
    { name: 'no-drawers', severity: 'error', from: {}, to: { path: '^(app|main|renderer)/.*(utils?|helpers?|common)(/|\\.)' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'] },
  },
}

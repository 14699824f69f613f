/** Packs for tests of the library, which needs only a pack's digest and manifest: none of their files exist. */
import type { Provenance } from '../../app/annotation.ts'
import type { DetectorManifest } from '../../app/pack/detector.ts'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import type { Shower } from './detections.ts'

/** Of a pack that no test asks more of than that it made something. */
export const DIGEST = 'd'.repeat(64)
export const provenance: Provenance = {
  packId: 'p',
  packVersion: '1',
  packDigest: DIGEST,
  provider: 'cpu',
  prompt: '',
  appVersion: '0',
  at: '2026-01-01T00:00:00.000Z',
}

const file = { file: 'none', sha256: '0'.repeat(64) }
const pack = { format: 1 as const, id: 'p', version: '1', name: 'p', description: '', licence: '', data: [], selfTest: file, scores: [] }

const MAMMUT: MammutManifest = {
  ...pack,
  family: 'mammut',
  tasks: ['caption', 'search', 'boxes'],
  input: {
    frames: 1,
    width: 32,
    height: 32,
    fit: 'stretch',
    maxClipSeconds: 8,
    tubes: [{ name: 'frame', kernel: [1, 32, 32], stride: [1, 32, 32], offset: [0, 0, 0], depth: [1, 1, 1] }],
  },
  dims: { embedding: 2, memory: 1, tokens: 1, token: 1, layers: 1, crossLayers: 1, heads: 1, headDim: 1, vocab: 1, context: 1, queries: 1 },
  graphs: { vision: file, text: file, cross: file, decoder: file, detector: file },
  weights: [],
  tokenizer: { ...file, pad: 0, start: 1, end: 2, clean: 'none' },
  prompts: { caption: '', search: '{query}', label: '{label}' },
  calibration: {
    measured: true,
    search: { scale: 1, bias: 0, threshold: 0.5 },
    caption: { notSureBelow: 0 },
    detect: { scale: 1, bias: 0, threshold: 0.5 },
  },
}

/** A pack that looks for the words of the vocabulary. */
export function mammut(digest: string): Shower {
  return { digest, manifest: MAMMUT }
}

/** A pack that finds the names of a closed list. */
export function detector(digest: string, classes: string[]): Shower {
  const manifest: DetectorManifest = {
    ...pack,
    family: 'detector',
    tasks: ['boxes'],
    input: { width: 640, height: 640, fit: 'letterbox', multiple: 32, rate: 4 },
    graphs: { detector: file },
    strides: [8, 16, 32],
    classes,
    calibration: { floor: 0.05, asked: 0.4, volunteered: 0.7 },
  }
  return { digest, manifest }
}

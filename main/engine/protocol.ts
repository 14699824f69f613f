/** What crosses between the host and the engine process: plain data, which is cloned (main/channel.ts). */
import type { RelativeBox } from '../../app/boxes.ts'
import type { ProviderTrial } from '../../app/contract/system.ts'
import type { Detection } from '../../app/detections.ts'
import type { Line } from '../../app/text-lines.ts'
import type { PackManifest } from '../../app/pack/pack.ts'
import type { Phrase } from '../../app/phrase.ts'

/** What one encoder pass over a clip leaves. N tokens of width D (for the decoder) and V (for the detector). */
export interface Encoding {
  /** [E], L2-normalised. */
  embedding: Float32Array
  /** fp16 bits, [N, D]. */
  memory: Uint16Array
  /** fp16 bits, [N, V]; null where the pack does not detect. */
  tokens: Uint16Array | null
}

/** A caption or an answer. */
export interface Generated {
  text: string
  /** Calibrated probability 0..1 that the text is right. */
  confidence: number
  /** Below the pack's operating point, of an unfamiliar clip, or asked in words that the pack never learnt. */
  unsure: boolean
  /** The pack learnt from no footage like this clip: see `familiar` in app/pack. */
  unfamiliar: boolean
  /** Cosine of the text with the clip in the contrastive pass. */
  agreement: number
  /** Cross-attention mass of each input frame; sums to 1. */
  frameWeights: number[]
  /** As the decoder read it. */
  prompt: string
}

/** A text as the decoder follows it. Heat is cross-attention mass in [frames, rows, columns], row-major, and sums to 1. */
export interface Followed {
  /** Input frames. */
  frames: number
  rows: number
  columns: number
  /** Mean over the whole text. */
  heat: Float32Array
  words: {
    text: string
    /** 0..1: of this word after those before it, at the pack's temperature; the geometric mean where it has several tokens. */
    probability: number
    heat: Float32Array
  }[]
}

/** What the detector found, whatever it is called. R regions. */
export interface Regions {
  /** [R]: index into the clip's input frames. */
  frames: number[]
  boxes: RelativeBox[]
  /** [R, E], each L2-normalised. */
  vectors: Float32Array
}

/** search: words that a person looks for. label: the name of a thing to detect. Each has its own prompt. */
export type TextUse = 'search' | 'label'

/** What a pack's graphs give for some clips and texts, and what that cost here. */
export interface KnownAnswers {
  embeddings: number[][]
  textEmbeddings: number[][]
  /** Of the first clip. */
  caption: string
  /** To encode and caption the last clip, with everything loaded. */
  secondsPerClip: number
  /** The most memory that the process held until now. */
  memoryBytes: number
}

/** A display-oriented frame, scaled to fit into what its pack takes. RGB24. */
export interface Picture {
  rgb: Uint8Array
  width: number
  height: number
}

/** What a detector of a closed list saw on one picture. */
export interface Spotted {
  /** Of the pack's list. */
  name: string
  /** 0..1 */
  score: number
  /** In shares of the picture. */
  box: RelativeBox
  /** See `Sighting.colours` in app/tracks. */
  colours: number[]
}

export interface EngineInfo<M extends PackManifest = PackManifest> {
  manifest: M
  /** SHA-256 of pack.json, and so of everything that it names. */
  digest: string
  /** "CPU", "CUDA", ... */
  provider: string
  /** For the status bar: "Ready on CPU, 2 threads; GPU not used: ..." */
  sentence: Phrase
  threads: number
  /** Every provider that the runtime lists, and what became of it. */
  tried: ProviderTrial[]
  /** An accelerator was found but cannot be trusted, so the CPU is used instead. */
  fallback: boolean
}

export interface Calls {
  encode: { input: { tubes: Uint8Array[] }; output: Encoding }
  /** Whether the pack learnt from no footage like this clip. */
  unfamiliar: { input: Pick<Encoding, 'embedding'>; output: boolean }
  caption: { input: Pick<Encoding, 'embedding' | 'memory'>; output: Generated }
  /** @param note Text as it is decoded; the pieces joined are the answer's text. */
  answer: { input: Pick<Encoding, 'embedding' | 'memory'> & { question: string }; output: Generated; note: string }
  follow: { input: Pick<Encoding, 'memory'> & { text: string; question: string | null }; output: Followed }
  /** The `most` distinct regions, likeliest objects first; all of them, as the detector orders them, where it is null. */
  regions: { input: { tokens: Uint16Array; most: number | null }; output: Regions }
  embedText: { input: { texts: string[]; as: TextUse }; output: Float32Array[] }
  /** `labels`: for each label the phrases that name it. The detections of each label, in the same order. */
  detect: { input: { tokens: Uint16Array; labels: string[][] }; output: Detection[][] }
  /** Of a detector: on each picture, what is there. `turn`: how many pictures of the video were sampled before the first. */
  see: { input: { pictures: Picture[]; turn: number }; output: Spotted[][] }
  /** Of a text pack: on each picture, the lines that can be read. */
  read: { input: { pictures: Picture[] }; output: Line[][] }
  knownAnswers: { input: { clips: Uint8Array[]; texts: string[] }; output: KnownAnswers }
  counts: { input: null; output: Record<string, number> }
  /** What came out otherwise than the pack says; null when nothing did. */
  selfTest: { input: null; output: string | null }
}
export type CallName = keyof Calls

/** `open` is answered when the pack is loaded and has passed its self-test, or why it is not; the calls after it wait for that. */
export type EngineService = Calls & { open: { input: null; output: EngineInfo } }

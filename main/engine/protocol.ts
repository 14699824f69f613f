/** The messages between the host and the engine process: plain data, which is cloned (main/channel.ts). */
import type { RelativeBox } from '../../app/boxes.ts'
import type { Spot } from '../../app/cells.ts'
import type { ProviderTrial } from '../../app/contract/system.ts'
import type { Detection } from '../../app/detections.ts'
import type { Line } from '../../app/text-lines.ts'
import type { PackManifest } from '../../app/pack/pack.ts'
import type { Phrase } from '../../app/phrase.ts'
import type { ClipTimes } from './smolvlm-text.ts'

/** The result of one encoder pass over a clip: N tokens, of width D for the decoder and V for the detector. */
export interface Encoding {
  /** [E], L2-normalised; empty where the pack finds no clips by words. */
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
  /** The confidence is below the pack's operating point, the clip is unfamiliar, or the question has words that the pack never learnt. */
  unsure: boolean
  /** The clip is unlike all footage that the pack was taught: see `familiar` in app/pack. */
  unfamiliar: boolean
  /** Cosine of the text with the clip in the contrastive pass; null where the pack has none. */
  agreement: number | null
  /** Attention mass of each input frame; sums to 1. */
  frameWeights: number[]
  /** The prompt as the decoder read it. */
  prompt: string
}

/** A clip that is asked about: what was stored of it, and for packs that read it (SmolVLM2) when its frames are shown. */
export interface Asked extends Pick<Encoding, 'embedding' | 'memory'> {
  times?: ClipTimes | undefined
}

/** A text as the decoder follows it. Heat is attention mass in [frames, rows, columns], row-major, and sums to 1. */
export interface Followed {
  /** Number of input frames. */
  frames: number
  rows: number
  columns: number
  /** Mean over all words of the text. */
  heat: Float32Array
  words: {
    text: string
    /** Probability of this word after those before it, 0..1, at the pack's temperature; geometric mean of its tokens. */
    probability: number
    heat: Float32Array
  }[]
}

/** What the detector found, without names. R regions. */
export interface Regions {
  /** [R]: index into the clip's input frames. */
  frames: number[]
  boxes: RelativeBox[]
  /** [R, E], each L2-normalised. */
  vectors: Float32Array
}

/** search: words that a person looks for. label: the name of a thing to detect. Each has its own prompt. */
export type TextUse = 'search' | 'label'

/** The outputs of a pack's graphs for some clips and texts, and their cost on this machine. */
export interface KnownAnswers {
  embeddings: number[][]
  textEmbeddings: number[][]
  /** The caption of the first clip. */
  caption: string
  /** Time to encode and caption the last clip, with everything loaded. */
  secondsPerClip: number
  /** Peak memory of the process so far. */
  memoryBytes: number
}

/** A frame in display orientation, scaled to fit into the pack's input. RGB24. */
export interface Picture {
  rgb: Uint8Array
  width: number
  height: number
}

/** What a detector with a closed list found on one picture. */
export interface Spotted {
  /** A name of the pack's list. */
  name: string
  /** 0..1 */
  score: number
  /** In shares of the picture. */
  box: RelativeBox
  /** See `Sighting.colours` in app/tracks. */
  colours: number[]
}

/** What the graphs of an OWL say of a picture and of texts, and their cost on this machine. */
export interface KnownLook {
  /** [cells, 4] in shares of the picture. */
  boxes: number[]
  /** [texts, cells] */
  logits: number[][]
  /** Time of one image pass, with everything loaded. */
  secondsPerPicture: number
  /** Peak memory of the process so far. */
  memoryBytes: number
}

export interface EngineInfo<M extends PackManifest = PackManifest> {
  manifest: M
  /** As `digestsOf` gives it, which covers everything that pack.json names. */
  digest: string
  /** "CPU", "CUDA", ... */
  provider: string
  /** For the status bar: "Ready on CPU, 2 threads; GPU not used: ..." */
  sentence: Phrase
  threads: number
  /** Every provider that the runtime lists, and the outcome of its trial. */
  tried: ProviderTrial[]
  /** An accelerator was found but cannot be trusted, so the CPU is used instead. */
  fallback: boolean
}

export interface Calls {
  encode: { input: { tubes: Uint8Array[] }; output: Encoding }
  /** Whether the clip is unlike all footage that the pack was taught. */
  unfamiliar: { input: Pick<Encoding, 'embedding'>; output: boolean }
  caption: { input: Asked; output: Generated }
  /** @param note Text as it is decoded; the pieces joined are the answer's text. */
  answer: { input: Asked & { question: string }; output: Generated; note: string }
  follow: { input: Omit<Asked, 'embedding'> & { text: string; question: string | null }; output: Followed }
  /** The `most` distinct regions, likeliest objects first; if it is null, all of them in the detector's order. */
  regions: { input: { tokens: Uint16Array; most: number | null }; output: Regions }
  embedText: { input: { texts: string[]; as: TextUse }; output: Float32Array[] }
  /** `labels`: for each label the phrases that name it. Gives the detections of each label, in the same order. */
  detect: { input: { tokens: Uint16Array; labels: string[][] }; output: Detection[][] }
  /** A detector's boxes on each picture. `turn`: how many pictures of the video were sampled before the first. */
  see: { input: { pictures: Picture[]; turn: number }; output: Spotted[][] }
  /** A text pack's lines on each picture. `video`: tells the video from others that are read at the same time. */
  read: { input: { pictures: Picture[]; video: number }; output: Line[][] }
  /** An OWL's image pass over each picture: what it keeps of its cells (app/cells). */
  look: { input: { pictures: Picture[] }; output: Uint16Array[] }
  /** `labels`: for each label the phrases that name it. Gives its boxes among the kept cells, picture by picture. Needs no picture. */
  spot: { input: { cells: Uint16Array[]; labels: string[][] }; output: Spot[][] }
  /** Boxes among the kept cells of pictures that look like a box of the picture with the cells `from`. */
  liken: { input: { from: Uint16Array; box: RelativeBox; cells: Uint16Array[] }; output: Spot[][] }
  /** @param every Of so many cells one is given. */
  knownLook: { input: { picture: Picture; texts: string[]; every: number }; output: KnownLook }
  knownAnswers: { input: { clips: Uint8Array[]; texts: string[] }; output: KnownAnswers }
  counts: { input: null; output: Record<string, number> }
  /** How the outputs differ from the pack's known answers; null if they do not. */
  selfTest: { input: null; output: string | null }
}
export type CallName = keyof Calls

/** `open` returns when the pack is loaded and has passed its self-test, or throws the reason why not; later calls wait for it. */
export type EngineService = Calls & {
  open: { input: null; output: EngineInfo }
  /** A sign of life, which comes between two runs of graphs. */
  beat: { input: null; output: null }
}

/// <reference lib="esnext.float16" />
/**
 * openMaMMUT checkpoints: recognises one and finds its sizes, from the shapes of its tensors and the config beside it, and says what the pack made of
 * it is. Anything else is refused with a reason.
 */
import { open, readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { z } from 'zod'
import type { Precision } from '../../app/contract/packs.ts'
import type { FileRef } from '../../app/pack/base.ts'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import { phrase } from '../../app/phrase.ts'
import {
  type CheckpointFamily,
  checkTensors,
  few,
  jsonBeside,
  type Made,
  mustAgree,
  mustBeNumbers,
  type Unusable,
  unusableFile,
  readTemplate,
  sizesOf,
  type Tensors,
} from './checkpoint.ts'
import { type Checkpoint, type Tensor } from './safetensors.ts'
import { type Env, Template } from './template.ts'

/** The template of openMaMMUT: its graphs, and what is the same in every pack's manifest. */
export const MammutTemplate = Template.extend({
  frames: z.int().positive(),
  manifest: z.object({
    licence: z.string(),
    prompts: z.object({ caption: z.string(), search: z.string() }),
    decoding: z.object({ beams: z.int(), lengthPenalty: z.number(), longest: z.int() }),
    maxClipSeconds: z.number(),
    threshold: z.number(),
    background: z.array(z.string()),
  }),
  selfTest: z.object({ texts: z.array(z.string()), tolerance: z.number() }),
})
type MammutTemplate = z.infer<typeof MammutTemplate>

interface OpenMammut {
  /** By upstream's keys: the fork's `text.text_projection`, its LM head, is `text.lm_head`. */
  tensors: Tensors
  layout: 'fork' | 'upstream'
  env: Env
  /** Side of the square input picture, pixels. */
  size: number
  fit: 'crop' | 'stretch'
}

/** Token ids of CLIP's tokenizer, see models/openmammut/clip_bpe.py. */
const TOKENS = { pad: 0, start: 49406, end: 49407 }
const LETTERS: Readonly<Record<number, string>> = { 384: 'S', 512: 'M', 768: 'B', 1024: 'L', 1280: 'H' }
const STORED: Readonly<Record<Precision, string>> = { fp32: '', fp16: ', half precision', int8: ', 8 bits' }
/** OpenAI CLIP's preprocessing, open_clip's default. */
const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
const CLIP_STD = [0.26862954, 0.26130258, 0.27577711]
/** Width of a vision head, by the width of the model, where it is not 64. No tensor's shape shows it, so without a config these published sizes decide. */
const HEAD_WIDTHS: Readonly<Record<number, number>> = { 1280: 80, 1408: 88, 1664: 104 }
/** Size of the vocabulary of CLIP's tokenizer. */
const VOCABULARY = 49408
const CONFIG = 'open_clip_config.json'

/** Settings that change the maths without a trace in the tensors; no published openMaMMUT has them, and they are refused. */
const Odd = { norm_kwargs: z.looseObject({}).nullable(), act_kwargs: z.looseObject({}).nullable(), pad_id: z.int() }

const Text = z
  .looseObject({
    width: z.int(),
    layers: z.int(),
    heads: z.int().positive(),
    context_length: z.int(),
    text_arch: z.string(),
    hf_tokenizer_name: z.string().nullable(),
    hf_model_name: z.string().nullable(),
    use_pad_mask: z.boolean(),
    pool_type: z.string(),
    cross_attn_ratio: z.int().positive(),
    tokenizer_kwargs: z.looseObject({}).nullable(),
    ...Odd,
  })
  .partial()
const Config = z
  .looseObject({
    model_cfg: z
      .looseObject({
        embed_dim: z.int(),
        quick_gelu: z.boolean(),
        vision_cfg: z
          .looseObject({
            width: z.int(),
            layers: z.int(),
            patch_size: z.int(),
            image_size: z.union([z.int(), z.array(z.int())]),
            head_width: z.int().positive(),
            pool_type: z.string(),
            final_ln_after_pool: z.boolean(),
            no_ln_pre: z.boolean(),
            ...Odd,
          })
          .partial(),
        text_cfg: Text,
        multimodal_cfg: Text,
      })
      .partial(),
    preprocess_cfg: z
      .looseObject({ mean: z.array(z.number()).length(3), std: z.array(z.number()).length(3), resize_mode: z.string() })
      .partial(),
  })
  .partial()
type Config = z.infer<typeof Config>
/** Some config files have only the content of `model_cfg`. */
const Stated = Config.transform((config): Config => (config.model_cfg ? config : { model_cfg: Config.shape.model_cfg.parse(config) }))

const KIND = 'MaMMUT'

/** @param config As `readConfig` gives it. @throws TubeletError `checkpoint-unusable` with the reason why it is no openMaMMUT checkpoint. */
export function recogniseOpenMammut({ file, tensors: stored }: Checkpoint, template: MammutTemplate, config: Config): OpenMammut {
  const unusable = unusableFile(file)
  const tensors = new Map([...stored].map(([key, tensor]) => [key.replace(/^module\./, ''), tensor]))
  // The bias of a SigLIP-trained model shifts all search scores by the same amount, so it is not needed.
  tensors.delete('logit_bias')
  const lmHead = tensors.get('text.text_projection')
  const layout = tensors.has('text.lm_head') ? 'upstream' : 'fork'
  if (layout === 'fork' && tensors.has('map_viz2txt_kv') && lmHead) {
    tensors.delete('text.text_projection')
    tensors.set('text.lm_head', lmHead)
  }
  const other = otherModel(tensors)
  if (other !== null) throw unusable(other)

  const sizes = { ...sizesOf(template, tensors, KIND, unusable), frames: template.frames }
  const { env, size, fit } = details({ sizes, tensors, layout, config, unusable })

  checkTensors(template, env, tensors, KIND, unusable)
  return { tensors, layout, env, size, fit }
}

/** The config file beside the checkpoint; empty if there is none. @throws TubeletError `checkpoint-unusable` */
export async function readConfig(checkpoint: string): Promise<Config> {
  const stated = await jsonBeside(checkpoint, CONFIG, Stated)
  return stated ?? {}
}

/** The name of the other kind of model that this is; null for an openMaMMUT. */
function otherModel(tensors: ReadonlyMap<string, Tensor>): string | null {
  const some = (pattern: RegExp) => [...tensors.keys()].some((key) => pattern.test(key))
  if (some(/^text_decoder\./)) return phrase('This is a CoCa model, whose decoder works differently. Only MaMMUT models can be imported.')
  if (!tensors.has('map_viz2txt_kv')) {
    return phrase(
      tensors.has('logit_scale') && some(/^(visual|text|transformer)\./)
        ? 'This is a plain CLIP model: it has no decoder that writes captions. Only MaMMUT models can be imported.'
        : 'This is no model of a kind that Tubelet can import.',
    )
  }
  if (some(/^visual\.trunk\./))
    return phrase("Its vision encoder is one of timm's (NaFlex or another), which is not supported; open_clip's own ViT is.")
  if (!tensors.has('text.positional_embedding'))
    return phrase('Its text decoder is of the modern kind, which is not supported; the classic kind is.')
  if (some(/^visual\.attn_pool/)) return phrase('Its vision encoder pools with attention, which no published openMaMMUT does.')
  return null
}

interface Known {
  sizes: Readonly<Record<string, number>>
  tensors: ReadonlyMap<string, Tensor>
  layout: OpenMammut['layout']
  config: Config
  unusable: Unusable
}

/** Everything that the template needs besides the sizes. */
function details({ sizes, tensors, layout, config, unusable }: Known): Pick<OpenMammut, 'env' | 'size' | 'fit'> {
  const of = (name: string) => sizes[name] ?? 0
  const { model_cfg: model = {}, preprocess_cfg: preprocess = {} } = config
  const vision = model.vision_cfg ?? {}
  const text = model.multimodal_cfg ?? model.text_cfg ?? {}
  // If a config leaves something out, open_clip's default for a ViT holds, which is not openMaMMUT's; without a config, the published models' is assumed.
  const [visionSaid, textSaid] = [model.vision_cfg, model.multimodal_cfg ?? model.text_cfg].map((said) => said !== undefined)
  // As in open_clip: a config with `text_cfg` means the fork's maths, whatever the names of the tensors.
  const legacy = model.multimodal_cfg === undefined
  if (layout === 'upstream' && !textSaid)
    throw unusable("It is of open_clip's newer layout, whose tensors do not tell how it pools, and there is no {{config}} beside it.", {
      values: { config: CONFIG },
      next: phrase('Put the {{config}} of the model into the folder of the file, then choose the file again.'),
    })
  mustAgree(
    [
      [model.embed_dim, 'embed', 'embed_dim'],
      [vision.width, 'visionWidth', 'vision width'],
      [vision.layers, 'visionLayers', 'vision layers'],
      [vision.patch_size, 'patch', 'patch size'],
      [text.width, 'width', 'text width'],
      [text.layers, 'layers', 'text layers'],
      [text.context_length, 'context', 'context length'],
    ],
    sizes,
    CONFIG,
    unusable,
  )
  if (text.text_arch === 'modern') throw unusable('Its text decoder is of the modern kind, which is not supported; the classic kind is.')
  const tokenizer = text.hf_tokenizer_name ?? text.hf_model_name ?? Object.keys(text.tokenizer_kwargs ?? {}).join(', ')
  if (tokenizer)
    throw unusable("Its text is split by another tokenizer ({{tokenizer}}); only CLIP's own is supported.", { values: { tokenizer } })
  if (of('vocab') !== VOCABULARY)
    throw unusable("Its vocabulary has {{entries}} entries, so its text is not split by CLIP's tokenizer ({{expected}} entries).", {
      values: { entries: of('vocab'), expected: VOCABULARY },
    })
  const odd = [vision, text].flatMap((part) => [
    ...Object.keys({ ...part.norm_kwargs, ...part.act_kwargs }),
    ...(part.pad_id ? [`pad_id ${part.pad_id}`] : []),
  ])
  if (odd.length > 0) throw unusable('Its config changes how it computes in a way that is not supported.', { details: `See ${few(odd)}.` })
  if (!(vision.final_ln_after_pool ?? !visionSaid) || vision.no_ln_pre === true)
    throw unusable('Its vision encoder normalises in another order than any published openMaMMUT.', {
      details: 'See final_ln_after_pool and no_ln_pre.',
    })
  const projected = tensors.has('text.text_projection')
  if (!projected && of('embed') !== of('width'))
    throw unusable('Its text embedding is {{text}} wide and its picture embedding {{picture}}: they cannot be compared.', {
      values: { text: of('width'), picture: of('embed') },
    })

  const pool = vision.pool_type ?? (visionSaid ? 'tok' : legacy ? 'avg_all' : 'avg')
  const padMask = text.use_pad_mask ?? !legacy
  const textPool = padMask ? 'avg' : 'avg_all'
  if (!['avg', 'avg_all'].includes(pool) || (text.pool_type ?? textPool) !== textPool) {
    throw unusable('It pools in a way that no published openMaMMUT does.', {
      details: `Vision ${pool}, text ${text.pool_type ?? textPool}, padding ${padMask ? 'masked' : 'seen'}.`,
    })
  }
  const patches = of('visionTokens') - 1
  const grid = Math.round(Math.sqrt(patches))
  if (grid * grid !== patches) throw unusable('Its pictures are not square: {{patches}} patches.', { values: { patches } })
  const [side = 0, ...others] = vision.image_size === undefined ? [grid * of('patch')] : [vision.image_size].flat()
  if (others.some((other) => other !== side) || Math.floor(side / of('patch')) !== grid) {
    throw unusable('The {{config}} beside the checkpoint is of another model.', {
      values: { config: CONFIG },
      details: `Pictures of ${[side, ...others].join(' × ')} do not have ${grid} × ${grid} patches of ${of('patch')}.`,
    })
  }
  const resize = preprocess.resize_mode ?? 'shortest'
  if (resize !== 'shortest' && resize !== 'squash')
    throw unusable('It wants pictures fitted in a way that is not supported ({{way}}).', { values: { way: resize } })
  const visionHeadDim = vision.head_width ?? (visionSaid ? undefined : HEAD_WIDTHS[of('visionWidth')]) ?? 64
  const heads = text.heads ?? (textSaid ? 8 : Math.floor(of('width') / 64))
  if (heads === 0 || of('visionWidth') % visionHeadDim !== 0 || of('width') % heads !== 0)
    throw unusable('The number of attention heads does not divide the width.', { details: `Put the model's ${CONFIG} beside the file.` })
  // If the ratio does not divide the layers, the last group is shorter, so the number of cross-attention layers alone may not determine it.
  const every = text.cross_attn_ratio ?? Math.floor(of('layers') / of('crossLayers'))
  if (Math.ceil(of('layers') / every) !== of('crossLayers'))
    throw unusable('{{crossLayers}} cross-attention layers do not fit {{layers}} text layers, one after every {{ratio}}.', {
      values: { crossLayers: of('crossLayers'), layers: of('layers'), ratio: every },
    })
  const [mean, std] = [preprocess.mean ?? CLIP_MEAN, preprocess.std ?? CLIP_STD]
  const layers = Array.from({ length: of('layers') }, (_, layer) => layer)
  const classToken = pool === 'avg_all'
  return {
    size: side,
    fit: resize === 'squash' ? 'stretch' : 'crop',
    env: {
      ...sizes,
      size: side,
      stretch: resize === 'squash',
      patches,
      patchPixels: of('patch') ** 2,
      patchValues: 3 * of('patch') ** 2,
      classToken,
      memoryTokens: patches + Number(classToken),
      patchShare: 1 / patches,
      visionHeads: of('visionWidth') / visionHeadDim,
      visionHeadDim,
      visionScale: visionHeadDim ** -0.5,
      heads,
      headDim: of('width') / heads,
      scale: (of('width') / heads) ** -0.5,
      pixelScale: std.map((value) => 1 / (255 * value)),
      pixelBias: mean.map((value, channel) => -value / (std[channel] ?? 1)),
      quickGelu: model.quick_gelu ?? false,
      padMask,
      projected,
      mlp: layers.map((layer) => tensors.has(`text.resblocks.${layer}.mlp.c_fc.weight`)),
      crossed: layers.map((layer) => layer % every === 0),
      crossIndex: layers.map((layer) => Math.floor(layer / every)),
    },
  }
}

/** Must be the last family that is asked: it says of every other model that it is none of these. */
export const openMammut: CheckpointFamily = {
  folder: 'openmammut',
  owns: () => true,
  async read(checkpoint, precision, dir) {
    const template = await readTemplate(dir, MammutTemplate)
    const model = recogniseOpenMammut(checkpoint, template, await readConfig(checkpoint.file))
    return {
      ...model,
      template,
      files: { 'tokenizer.json': await readFile(path.join(dir, 'tokenizer.json')) },
      // The weights may not be here yet when the checkpoint is read.
      manifest: async (made) => {
        const scale = Math.exp(await scalarOf(model.tensors.get('logit_scale')))
        return manifestOf({ file: checkpoint.file, precision, template, model, scale }, made)
      },
      async knownAnswers(engine, put, signal) {
        const clips = testClips(template.frames, model.size)
        const { secondsPerClip, memoryBytes, ...answers } = await engine.knownAnswers(clips, template.selfTest.texts, signal)
        mustBeNumbers([...answers.embeddings, ...answers.textEmbeddings], checkpoint.file, precision)
        const clipRefs = []
        for (const [i, clip] of clips.entries()) clipRefs.push(await put(`selftest_${i}.u8.gz`, await promisify(gzip)(clip)))
        const selfTest = await put('selftest.json', JSON.stringify({ clips: clipRefs, ...template.selfTest, ...answers }))
        return { selfTest, measured: { secondsPerClip, memoryBytes } }
      },
    }
  },
}

interface Facts {
  file: string
  precision: Precision
  template: MammutTemplate
  model: OpenMammut
  /** The learnt scale of the model's cosines. */
  scale: number
}

function manifestOf(
  { file, precision, template: { manifest }, model: { env, size, fit, layout }, scale }: Facts,
  { graphs, weights, files, selfTest, origin }: Made,
): MammutManifest {
  const of = (name: keyof Env) => Number(env[name])
  const width = of('visionWidth')
  const kind = `ViT-${LETTERS[width] ?? width}/${of('patch')}`
  const patch: [number, number, number] = [1, of('patch'), of('patch')]
  return {
    format: 1,
    family: 'mammut',
    id: `openmammut-${kind.toLowerCase().replace('/', '-')}-${precision}`,
    version: '1.0.0',
    name: `openMaMMUT ${kind}${STORED[precision]}`,
    description: `Made from ${path.basename(file)} on this machine: ${of('frames')} frames of a clip, each seen as a picture. It writes captions and finds clips by words; it answers no questions and finds no boxes.`,
    licence: manifest.licence,
    data: [],
    tasks: ['caption', 'search'],
    input: {
      frames: of('frames'),
      width: size,
      height: size,
      fit,
      maxClipSeconds: manifest.maxClipSeconds,
      tubes: [{ name: 'patch', kernel: patch, stride: patch, offset: [0, 0, 0], depth: [1, 1, 1] }],
    },
    dims: {
      embedding: of('embed'),
      memory: of('width'),
      tokens: of('frames') * of('memoryTokens'),
      token: 0,
      layers: of('layers'),
      crossLayers: of('crossLayers'),
      heads: of('heads'),
      headDim: of('headDim'),
      vocab: of('vocab'),
      context: of('context'),
      queries: 0,
    },
    prompts: manifest.prompts,
    decoding: manifest.decoding,
    // It is not known how often its captions are right, so none is called sure.
    calibration: {
      measured: false,
      search: { scale, background: manifest.background, threshold: manifest.threshold },
      caption: { notSureBelow: 1 },
    },
    scores: [],
    graphs: graphs as MammutManifest['graphs'],
    weights,
    tokenizer: { ...(files['tokenizer.json'] as FileRef), ...TOKENS, clean: 'clip' },
    selfTest,
    source: { file: path.basename(file), layout, precision, ...origin },
  }
}

async function scalarOf(tensor: Tensor | undefined): Promise<number> {
  if (tensor === undefined) throw new Error('a recognised checkpoint has no logit_scale')
  const handle = await open(tensor.file)
  try {
    const { buffer } = await handle.read(new Uint8Array(tensor.bytes), 0, tensor.bytes, tensor.begin)
    const bits = new DataView(buffer.buffer)
    if (tensor.dtype === 'F32') return bits.getFloat32(0, true)
    return tensor.dtype === 'F16'
      ? bits.getFloat16(0, true)
      : (new Float32Array(Uint32Array.of(bits.getUint16(0, true) << 16).buffer)[0] ?? NaN)
  } finally {
    await handle.close()
  }
}

/** Two test clips whose pixels vary everywhere, RGB [frames, height, width, 3]: models/tubes.formula_video, and the same backwards. */
export function testClips(frames: number, width: number, height = width): Uint8Array[] {
  const video = (time: (t: number) => number, mirror: boolean) => {
    const bytes = new Uint8Array(frames * height * width * 3)
    let at = 0
    for (let frame = 0; frame < frames; frame += 1) {
      for (let row = 0; row < height; row += 1) {
        const [t, y] = [time(frame), mirror ? height - 1 - row : row]
        for (let x = 0; x < width; x += 1)
          for (let c = 0; c < 3; c += 1) bytes[at++] = (t * 7 + y * 13 + x * 29 + c * 53 + ((t * y * x) % 17)) % 256
      }
    }
    return bytes
  }
  return [video((frame) => frame, false), video((frame) => frames - 1 - frame, true)]
}

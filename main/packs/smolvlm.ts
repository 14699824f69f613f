/**
 * SmolVLM2 checkpoints: finds a model's sizes from the shapes of its tensors and the config beside it, checks its tokenizer and its processor's settings,
 * and says what the pack made of it is. What the graphs or the prompt do not fit is refused with a reason.
 */
import path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { z } from 'zod'
import type { Precision } from '../../app/contract/packs.ts'
import type { FileRef } from '../../app/pack/base.ts'
import { SmolVlmManifest } from '../../app/pack/smolvlm.ts'
import { phrase } from '../../app/phrase.ts'
import { SmolVlmTokenizer } from '../engine/smolvlm-pack.ts'
import { MARKS, SmolVlmText } from '../engine/smolvlm-text.ts'
import {
  type CheckpointFamily,
  checkTensors,
  jsonBeside,
  type Made,
  mustAgree,
  mustBeNumbers,
  type Unusable,
  unusableFile,
  readTemplate,
  sizesOf,
} from './checkpoint.ts'
import { testClips } from './openmammut.ts'
import { type Env, Template } from './template.ts'
import { BLOCK } from './weights.ts'

const Shape = SmolVlmManifest.shape
const SmolVlmTemplate = Template.extend({
  manifest: z.object({
    licence: z.string(),
    frames: Shape.input.shape.frames,
    rate: Shape.input.shape.rate,
    maxClipSeconds: Shape.input.shape.maxClipSeconds,
    prompts: Shape.prompts,
    decoding: Shape.decoding,
  }),
  selfTest: z.object({ tolerance: z.number() }),
})

const KIND = 'SmolVLM2'
const CONFIG = 'config.json'
const TOKENIZER = 'tokenizer.json'
const STORED: Readonly<Record<Precision, string>> = { fp32: '', fp16: ', half precision', int8: ', 8 bits' }
/** How the makers call a size, by the width of the decoder. */
const SIZES: Readonly<Record<number, string>> = { 576: '256M', 960: '500M', 2048: '2.2B' }

const Side = z.int().positive()
const Config = z.looseObject({
  model_type: z.string(),
  scale_factor: Side,
  image_token_id: z.int().min(0),
  text_config: z.looseObject({
    model_type: z.string(),
    hidden_size: Side,
    intermediate_size: Side,
    num_hidden_layers: Side,
    num_attention_heads: Side,
    num_key_value_heads: Side.optional(),
    head_dim: Side.nullish(),
    vocab_size: Side,
    max_position_embeddings: Side.default(2048),
    /** Older files have the base here, newer ones in `rope_parameters`. */
    rope_theta: z.number().positive().optional(),
    rope_scaling: z.unknown().optional(),
    rope_parameters: z.looseObject({ rope_theta: z.number().positive(), rope_type: z.string().default('default') }).nullish(),
    rms_norm_eps: z.number().positive().default(1e-6),
    hidden_act: z.string().default('silu'),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
  }),
  vision_config: z.looseObject({
    hidden_size: Side,
    intermediate_size: Side,
    num_hidden_layers: Side.default(12),
    num_attention_heads: Side,
    image_size: Side,
    patch_size: Side,
    layer_norm_eps: z.number().positive().default(1e-6),
    hidden_act: z.string().default('gelu_pytorch_tanh'),
  }),
})
type Config = z.infer<typeof Config>

const Three = z.array(z.number()).length(3)
const Edge = z.looseObject({ longest_edge: z.number() }).partial()
/** Settings of the picture processor that change what the model sees. */
const Processing = z
  .looseObject({
    image_mean: Three,
    image_std: Three,
    resample: z.int(),
    max_image_size: Edge,
    video_sampling: z.looseObject({ video_size: Edge }).partial(),
  })
  .partial()
const Processor = z.looseObject({ image_seq_len: z.int() }).partial()
/** Pillow's number for Lanczos. */
const LANCZOS = 1

export const smolVlm: CheckpointFamily = {
  folder: 'smolvlm',
  owns: (tensors) => tensors.has('model.connector.modality_projection.proj.weight') || tensors.has('model.text_model.embed_tokens.weight'),
  async read({ file, tensors }, precision, dir) {
    const unusable = unusableFile(file)
    const template = await readTemplate(dir, SmolVlmTemplate)
    const config = (await jsonBeside(file, CONFIG, Config)) ?? missing(unusable, CONFIG)
    const sizes = sizesOf(template, tensors, KIND, unusable)
    const env = { ...detailsOf(sizes, config, unusable), tied: !tensors.has('lm_head.weight') }
    checkTensors(template, env, tensors, KIND, unusable)
    if (
      precision === 'int8' &&
      [env.width, env.inner, env.heads * env.headDim, env.visionWidth, env.visionInner, env.joined].some((width) => width % BLOCK !== 0)
    )
      throw unusable('Its matrices cannot be stored in 8 bits: their rows are not a multiple of {{block}}.', {
        values: { block: BLOCK },
        next: phrase('Import it in half or full precision.'),
      })
    const tokenizer = (await jsonBeside(file, TOKENIZER, SmolVlmTokenizer)) ?? missing(unusable, TOKENIZER)
    const marks = marksOf(new SmolVlmText(tokenizer), config, unusable)
    checkProcessing(
      (await jsonBeside(file, 'preprocessor_config.json', Processing)) ?? {},
      (await jsonBeside(file, 'processor_config.json', Processor)) ?? {},
      env,
      unusable,
    )
    return {
      tensors,
      template,
      env,
      files: { [TOKENIZER]: Buffer.from(JSON.stringify(tokenizer)) },
      manifest: (made) => Promise.resolve(manifestOf({ file, precision, template, env, marks }, made)),
      async knownAnswers(engine, put, signal) {
        const clips = testClips(1, env.size)
        const answers = await engine.knownAnswers(clips, [], signal)
        mustBeNumbers(answers.embeddings, file, precision)
        const refs = []
        for (const [i, clip] of clips.entries()) refs.push(await put(`selftest_${i}.u8.gz`, await promisify(gzip)(clip)))
        const known = { clips: refs, features: answers.embeddings, caption: answers.caption, ...template.selfTest }
        const { secondsPerClip, memoryBytes } = answers
        return { selfTest: await put('selftest.json', JSON.stringify(known)), measured: { secondsPerClip, memoryBytes } }
      },
    }
  },
}

function missing(unusable: Unusable, name: string): never {
  throw unusable('There is no {{name}} beside this checkpoint, which says what its tensors do not.', {
    values: { name },
    next: phrase('Put the {{name}} of the model into the folder of the file, or choose the whole folder.'),
  })
}

/** Everything that the template needs. @throws what `unusable` makes, where the config is of another model or changes the maths */
function detailsOf(sizes: Readonly<Record<string, number>>, config: Config, unusable: Unusable) {
  const of = (name: string) => sizes[name] ?? 0
  const { text_config: text, vision_config: vision, scale_factor: joins } = config
  const unknown = (details: string) =>
    unusable('This is a {{model}} of a kind that Tubelet does not know.', { values: { model: KIND }, details })
  if (config.model_type !== 'smolvlm' || text.model_type !== 'llama')
    throw unknown(`Its ${CONFIG} says model_type ${config.model_type}, with the text model ${text.model_type}.`)
  mustAgree(
    [
      [text.hidden_size, 'width', 'text hidden_size'],
      [text.intermediate_size, 'inner', 'text intermediate_size'],
      [text.num_hidden_layers, 'layers', 'text num_hidden_layers'],
      [text.vocab_size, 'vocab', 'vocab_size'],
      [vision.hidden_size, 'visionWidth', 'vision hidden_size'],
      [vision.intermediate_size, 'visionInner', 'vision intermediate_size'],
      [vision.num_hidden_layers, 'visionLayers', 'vision num_hidden_layers'],
      [vision.patch_size, 'patch', 'patch_size'],
      [(vision.image_size / vision.patch_size) ** 2, 'patches', 'the square of image_size / patch_size'],
      [vision.hidden_size * joins ** 2, 'joined', 'vision hidden_size times the square of scale_factor'],
    ],
    sizes,
    CONFIG,
    unusable,
  )
  const odd = [
    text.hidden_act !== 'silu' && `hidden_act ${text.hidden_act} of the text model`,
    vision.hidden_act !== 'gelu_pytorch_tanh' && `hidden_act ${vision.hidden_act} of the vision model`,
    (text.attention_bias || text.mlp_bias) && 'biases in the text model',
    text.rope_scaling !== undefined && text.rope_scaling !== null && 'rope_scaling',
    text.rope_parameters && text.rope_parameters.rope_type !== 'default' && `rope_type ${text.rope_parameters.rope_type}`,
  ].filter((one) => typeof one === 'string')
  if (odd.length > 0)
    throw unusable('Its config changes how it computes in a way that is not supported.', { details: `See ${odd.join(', ')}.` })
  const heads = text.num_attention_heads
  const kvHeads = text.num_key_value_heads ?? heads
  const headDim = text.head_dim ?? of('width') / heads
  const grid = Math.sqrt(of('patches'))
  const fits = [headDim / 2, heads / kvHeads, of('visionWidth') / vision.num_attention_heads, grid, grid / joins].every(Number.isInteger)
  if (!fits) throw unknown('Its heads do not divide its width, or its patches are no square of such cells.')
  const base = text.rope_parameters?.rope_theta ?? text.rope_theta ?? 10_000
  const visionHeadDim = of('visionWidth') / vision.num_attention_heads
  return {
    ...sizes,
    width: of('width'),
    inner: of('inner'),
    layers: of('layers'),
    visionWidth: of('visionWidth'),
    visionInner: of('visionInner'),
    joined: of('joined'),
    vocab: of('vocab'),
    size: vision.image_size,
    grid,
    joins,
    cells: grid / joins,
    imageTokens: (grid / joins) ** 2,
    patchValues: 3 * vision.patch_size ** 2,
    pixelScale: 1 / 127.5,
    visionHeads: vision.num_attention_heads,
    visionHeadDim,
    visionScale: visionHeadDim ** -0.5,
    visionEpsilon: vision.layer_norm_eps,
    heads,
    kvHeads,
    headDim,
    shares: heads / kvHeads,
    scale: headDim ** -0.5,
    epsilon: text.rms_norm_eps,
    context: text.max_position_embeddings,
    // In single precision, as the reference computes them.
    frequencies: Array.from({ length: headDim / 2 }, (_, i) => Math.fround(1 / Math.fround(base ** ((2 * i) / headDim)))),
  } satisfies Env
}

/** The ids of the image token and of the mark that ends a text. @throws what `unusable` makes, where the tokenizer is of another model */
function marksOf(text: SmolVlmText, config: Config, unusable: Unusable): { image: number; end: number } {
  const of = (details: string) =>
    unusable('The {{config}} beside the checkpoint is of another model.', { values: { config: TOKENIZER }, details })
  const lacking = MARKS.find((mark) => text.only(mark) === undefined)
  if (lacking !== undefined) throw of(`${lacking} is not one token.`)
  const [image = -1, end = -1] = [text.only('<image>'), text.only('<end_of_utterance>')]
  if (image !== config.image_token_id) throw of(`<image> is token ${image}, ${CONFIG} says ${config.image_token_id}.`)
  if (Math.max(...MARKS.map((mark) => text.only(mark) ?? 0)) >= config.text_config.vocab_size)
    throw of('It has more tokens than the model.')
  return { image, end }
}

function checkProcessing(
  picture: z.infer<typeof Processing>,
  processor: z.infer<typeof Processor>,
  { size, imageTokens }: { size: number; imageTokens: number },
  unusable: Unusable,
): void {
  const edge = picture.video_sampling?.video_size?.longest_edge ?? picture.max_image_size?.longest_edge ?? size
  const odd = [
    [...(picture.image_mean ?? []), ...(picture.image_std ?? [])].some((value) => value !== 0.5) && 'image_mean and image_std',
    (picture.resample ?? LANCZOS) !== LANCZOS && `resample ${picture.resample}`,
    edge !== size && `pictures of ${edge}, not ${size}`,
    (processor.image_seq_len ?? imageTokens) !== imageTokens && `image_seq_len ${processor.image_seq_len}`,
  ].filter((one) => typeof one === 'string')
  if (odd.length > 0)
    throw unusable('Its processor prepares pictures in a way that is not supported.', { details: `See ${odd.join(', ')}.` })
}

interface Facts {
  file: string
  precision: Precision
  template: z.infer<typeof SmolVlmTemplate>
  env: ReturnType<typeof detailsOf>
  marks: { image: number; end: number }
}

function manifestOf({ file, precision, template: { manifest }, env, marks }: Facts, made: Made): SmolVlmManifest {
  const kind = SIZES[env.width] ?? `${env.width}-wide`
  const { width, imageTokens, layers, kvHeads, headDim, vocab, context, size } = env
  return {
    format: 1,
    family: 'smolvlm',
    id: `smolvlm2-${kind.toLowerCase()}-${precision}`,
    version: '1.0.0',
    name: `SmolVLM2 ${kind}${STORED[precision]}`,
    description: `Made from ${path.basename(file)} on this machine: a frame a second of a clip, each seen as a picture. It writes captions and answers questions in English; it finds no clips by words and no boxes.`,
    licence: manifest.licence,
    data: [],
    tasks: ['caption', 'answer'],
    input: {
      width: size,
      height: size,
      fit: 'stretch',
      frames: manifest.frames,
      rate: manifest.rate,
      maxClipSeconds: manifest.maxClipSeconds,
    },
    dims: { width, imageTokens, layers, kvHeads, headDim, vocab, context },
    prompts: manifest.prompts,
    decoding: manifest.decoding,
    scores: [],
    graphs: made.graphs as SmolVlmManifest['graphs'],
    weights: made.weights,
    tokenizer: { ...(made.files[TOKENIZER] as FileRef), ...marks },
    selfTest: made.selfTest,
    source: { file: path.basename(file), precision, ...made.origin },
  }
}

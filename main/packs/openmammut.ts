/**
 * Recognises an openMaMMUT checkpoint and finds its sizes, from the shapes of its tensors and the config beside it. Anything else is
 * refused with a reason.
 */
import path from 'node:path'
import { z } from 'zod'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { phrase } from '../../app/phrase.ts'
import { openPlain } from '../plain-file.ts'
import { type Checkpoint, refusal, type Tensor } from './safetensors.ts'
import { type Env, expectedKeys, type Template } from './template.ts'

export interface OpenMammut {
  /** By upstream's keys: the fork's `text.text_projection`, its LM head, is `text.lm_head`. */
  tensors: ReadonlyMap<string, Tensor>
  layout: 'fork' | 'upstream'
  env: Env
  /** Side of the square input picture, pixels. */
  size: number
  fit: 'crop' | 'stretch'
}

/** OpenAI CLIP's preprocessing, open_clip's default. */
const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
const CLIP_STD = [0.26862954, 0.26130258, 0.27577711]
/** Width of a vision head, by the width of the model, where it is not 64. No tensor's shape shows it, so without a config these published sizes decide. */
const HEAD_WIDTHS: Readonly<Record<number, number>> = { 1280: 80, 1408: 88, 1664: 104 }
/** Size of the vocabulary of CLIP's tokenizer. */
const VOCABULARY = 49408
export const CONFIG = 'open_clip_config.json'

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

/** Further parts of a refusal beside its sentence. */
type Aside = Partial<Pick<Problem, 'values' | 'details' | 'next'>>

/** @param config As `readConfig` gives it. @throws TubeletError `checkpoint-unusable` with the reason why it is no openMaMMUT checkpoint. */
export function recogniseOpenMammut({ file, tensors: stored }: Checkpoint, template: Template, config: Config): OpenMammut {
  function refuse(message: string, more: Aside = {}): Error {
    return refusal({
      code: 'checkpoint-unusable',
      message,
      file,
      next: 'Choose the .safetensors file of an openMaMMUT model; the Packs page lists some.',
      ...more,
    })
  }
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
  if (other !== null) throw refuse(other)

  const sizes: Record<string, number> = { frames: template.frames }
  for (const [name, [key, axis]] of Object.entries(template.dims)) {
    const side = tensors.get(key)?.shape[axis]
    if (side === undefined || side === 0)
      throw refuse('This MaMMUT checkpoint is not complete.', { details: `The tensor ${key} is missing or not of the right shape.` })
    sizes[name] = side
  }
  for (const [name, pattern] of Object.entries(template.counts)) {
    let count = 0
    while (tensors.has(pattern.replace('{i}', String(count)))) count += 1
    if (count === 0)
      throw refuse('This MaMMUT checkpoint is not complete.', { details: `The tensor ${pattern.replace('{i}', '0')} is missing.` })
    sizes[name] = count
  }
  const { env, size, fit } = details({ sizes, tensors, layout, config, refuse })

  const expected = expectedKeys(template, env)
  const missing = [...expected.keys()].filter((key) => !tensors.has(key))
  if (missing.length > 0) throw refuse('This MaMMUT checkpoint is not complete.', { details: `Tensors are missing: ${few(missing)}.` })
  const unexpected = [...tensors.keys()].filter((key) => !expected.has(key))
  if (unexpected.length > 0)
    throw refuse('This is a MaMMUT of a kind that Tubelet does not know.', {
      details: `There are tensors that no openMaMMUT has: ${few(unexpected)}.`,
    })
  const misfits = [...expected].flatMap(([key, shape]) => {
    const found = tensors.get(key)?.shape ?? []
    // A scalar may be stored as a vector of one.
    return String(found) === String(shape) || (shape.length === 0 && String(found) === '1')
      ? []
      : [`${key} is [${found.join(', ')}], not [${shape.join(', ')}]`]
  })
  if (misfits.length > 0)
    throw refuse('This is a MaMMUT of a kind that Tubelet does not know.', { details: `Tensors do not fit each other: ${few(misfits)}.` })
  const types = [...tensors]
    .filter(([, { dtype }]) => !['F32', 'F16', 'BF16'].includes(dtype))
    .map(([key, { dtype }]) => `${key} is ${dtype}`)
  if (types.length > 0)
    throw refuse('The weights are stored in a way that cannot be converted here.', { details: `F32, F16 and BF16 can be; ${few(types)}.` })
  return { tensors, layout, env, size, fit }
}

async function textOf(file: string): Promise<string> {
  await using handle = await openPlain(file)
  return await handle.readFile('utf8')
}

/** The config file beside the checkpoint; empty if there is none. @throws TubeletError `checkpoint-unusable` */
export async function readConfig(checkpoint: string): Promise<Config> {
  const file = path.join(path.dirname(checkpoint), CONFIG)
  const text = await textOf(file).catch((error: unknown) => {
    if (error instanceof TubeletError) throw error
    return null
  })
  if (text === null) return {}
  try {
    const config = Config.parse(JSON.parse(text))
    // Some config files have only the content of `model_cfg`.
    return config.model_cfg ? config : { model_cfg: Config.shape.model_cfg.parse(JSON.parse(text)) }
  } catch (cause) {
    throw refusal(
      {
        code: 'checkpoint-unusable',
        message: 'The {{config}} beside the checkpoint cannot be read.',
        file,
        next: 'Download it again, or move it away to import without it.',
        values: { config: CONFIG },
        details: cause instanceof Error ? cause.message : String(cause),
      },
      cause,
    )
  }
}

/** The name of the other kind of model that this is; null for an openMaMMUT. */
function otherModel(tensors: ReadonlyMap<string, Tensor>): string | null {
  const some = (pattern: RegExp) => [...tensors.keys()].some((key) => pattern.test(key))
  if (some(/^text_decoder\./)) return phrase('This is a CoCa model, whose decoder works differently. Only MaMMUT models can be imported.')
  if (!tensors.has('map_viz2txt_kv')) {
    return phrase(
      tensors.has('logit_scale') && some(/^(visual|text|transformer)\./)
        ? 'This is a plain CLIP model: it has no decoder that writes captions. Only MaMMUT models can be imported.'
        : 'This is no MaMMUT model.',
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
  refuse: (message: string, more?: Aside) => Error
}

/** Everything that the template needs besides the sizes. */
function details({ sizes, tensors, layout, config, refuse }: Known): Pick<OpenMammut, 'env' | 'size' | 'fit'> {
  const of = (name: string) => sizes[name] ?? 0
  const { model_cfg: model = {}, preprocess_cfg: preprocess = {} } = config
  const vision = model.vision_cfg ?? {}
  const text = model.multimodal_cfg ?? model.text_cfg ?? {}
  // If a config leaves something out, open_clip's default for a ViT holds, which is not openMaMMUT's; without a config, the published models' is assumed.
  const [visionSaid, textSaid] = [model.vision_cfg, model.multimodal_cfg ?? model.text_cfg].map((said) => said !== undefined)
  // As in open_clip: a config with `text_cfg` means the fork's maths, whatever the names of the tensors.
  const legacy = model.multimodal_cfg === undefined
  if (layout === 'upstream' && !textSaid)
    throw refuse("It is of open_clip's newer layout, whose tensors do not tell how it pools, and there is no {{config}} beside it.", {
      values: { config: CONFIG },
      next: phrase('Put the {{config}} of the model into the folder of the file, then choose the file again.'),
    })
  const said: [number | undefined, string, string][] = [
    [model.embed_dim, 'embed', 'embed_dim'],
    [vision.width, 'visionWidth', 'vision width'],
    [vision.layers, 'visionLayers', 'vision layers'],
    [vision.patch_size, 'patch', 'patch size'],
    [text.width, 'width', 'text width'],
    [text.layers, 'layers', 'text layers'],
    [text.context_length, 'context', 'context length'],
  ]
  for (const [value, name, what] of said) {
    if (value !== undefined && value !== of(name))
      throw refuse('The {{config}} beside the checkpoint is of another model.', {
        values: { config: CONFIG },
        details: `It says ${what} ${value}, the tensors say ${of(name)}.`,
      })
  }
  if (text.text_arch === 'modern') throw refuse('Its text decoder is of the modern kind, which is not supported; the classic kind is.')
  const tokenizer = text.hf_tokenizer_name ?? text.hf_model_name ?? Object.keys(text.tokenizer_kwargs ?? {}).join(', ')
  if (tokenizer)
    throw refuse("Its text is split by another tokenizer ({{tokenizer}}); only CLIP's own is supported.", { values: { tokenizer } })
  if (of('vocab') !== VOCABULARY)
    throw refuse("Its vocabulary has {{entries}} entries, so its text is not split by CLIP's tokenizer ({{expected}} entries).", {
      values: { entries: of('vocab'), expected: VOCABULARY },
    })
  const odd = [vision, text].flatMap((part) => [
    ...Object.keys({ ...part.norm_kwargs, ...part.act_kwargs }),
    ...(part.pad_id ? [`pad_id ${part.pad_id}`] : []),
  ])
  if (odd.length > 0) throw refuse('Its config changes how it computes in a way that is not supported.', { details: `See ${few(odd)}.` })
  if (!(vision.final_ln_after_pool ?? !visionSaid) || vision.no_ln_pre === true)
    throw refuse('Its vision encoder normalises in another order than any published openMaMMUT.', {
      details: 'See final_ln_after_pool and no_ln_pre.',
    })
  const projected = tensors.has('text.text_projection')
  if (!projected && of('embed') !== of('width'))
    throw refuse('Its text embedding is {{text}} wide and its picture embedding {{picture}}: they cannot be compared.', {
      values: { text: of('width'), picture: of('embed') },
    })

  const pool = vision.pool_type ?? (visionSaid ? 'tok' : legacy ? 'avg_all' : 'avg')
  const padMask = text.use_pad_mask ?? !legacy
  const textPool = padMask ? 'avg' : 'avg_all'
  if (!['avg', 'avg_all'].includes(pool) || (text.pool_type ?? textPool) !== textPool) {
    throw refuse('It pools in a way that no published openMaMMUT does.', {
      details: `Vision ${pool}, text ${text.pool_type ?? textPool}, padding ${padMask ? 'masked' : 'seen'}.`,
    })
  }
  const patches = of('visionTokens') - 1
  const grid = Math.round(Math.sqrt(patches))
  if (grid * grid !== patches) throw refuse('Its pictures are not square: {{patches}} patches.', { values: { patches } })
  const [side = 0, ...others] = vision.image_size === undefined ? [grid * of('patch')] : [vision.image_size].flat()
  if (others.some((other) => other !== side) || Math.floor(side / of('patch')) !== grid) {
    throw refuse('The {{config}} beside the checkpoint is of another model.', {
      values: { config: CONFIG },
      details: `Pictures of ${[side, ...others].join(' × ')} do not have ${grid} × ${grid} patches of ${of('patch')}.`,
    })
  }
  const resize = preprocess.resize_mode ?? 'shortest'
  if (resize !== 'shortest' && resize !== 'squash')
    throw refuse('It wants pictures fitted in a way that is not supported ({{way}}).', { values: { way: resize } })
  const visionHeadDim = vision.head_width ?? (visionSaid ? undefined : HEAD_WIDTHS[of('visionWidth')]) ?? 64
  const heads = text.heads ?? (textSaid ? 8 : Math.floor(of('width') / 64))
  if (heads === 0 || of('visionWidth') % visionHeadDim !== 0 || of('width') % heads !== 0)
    throw refuse('The number of attention heads does not divide the width.', { details: `Put the model's ${CONFIG} beside the file.` })
  // If the ratio does not divide the layers, the last group is shorter, so the number of cross-attention layers alone may not determine it.
  const every = text.cross_attn_ratio ?? Math.floor(of('layers') / of('crossLayers'))
  if (Math.ceil(of('layers') / every) !== of('crossLayers'))
    throw refuse('{{crossLayers}} cross-attention layers do not fit {{layers}} text layers, one after every {{ratio}}.', {
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

function few(names: readonly string[]): string {
  return names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '')
}

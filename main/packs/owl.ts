/**
 * OWL-ViT and OWLv2 checkpoints, as transformers stores them: recognises one and finds its sizes, from the shapes of its tensors and from config.json and
 * preprocessor_config.json beside it, and says what the pack made of it is. What the app would compute otherwise is refused with a reason.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { z } from 'zod'
import type { Precision } from '../../app/contract/packs.ts'
import type { FileRef } from '../../app/pack/base.ts'
import type { OwlManifest } from '../../app/pack/owl.ts'
import {
  type CheckpointFamily,
  checkTensors,
  jsonBeside,
  type Made,
  mustBeNumbers,
  readTemplate,
  sizesOf,
  unusableFile,
} from './checkpoint.ts'
import type { Checkpoint } from './safetensors.ts'
import { type Env, Template } from './template.ts'

export const OwlTemplate = Template.extend({
  /** What is the same in every pack. */
  licence: z.string(),
  prompts: z.object({ label: z.array(z.string()) }),
  selfTest: z.object({ texts: z.array(z.string()), tolerance: z.number() }),
})

const KIND = { owlvit: 'OWL-ViT', owlv2: 'OWLv2' } as const
type Kind = keyof typeof KIND

const Tower = z
  .looseObject({
    hidden_size: z.int(),
    num_attention_heads: z.int().positive(),
    hidden_act: z.string(),
    layer_norm_eps: z.number(),
    image_size: z.int(),
    patch_size: z.int(),
    max_position_embeddings: z.int(),
  })
  .partial()
const Config = z.looseObject({ model_type: z.string(), vision_config: Tower, text_config: Tower }).partial()
const Length = z.union([z.int(), z.array(z.int()), z.looseObject({ height: z.int(), width: z.int() })])
const Channels = z.tuple([z.number(), z.number(), z.number()])
const Preprocessor = z
  .looseObject({
    size: Length,
    resample: z.int(),
    do_resize: z.boolean(),
    do_rescale: z.boolean(),
    do_normalize: z.boolean(),
    do_pad: z.boolean().nullable(),
    rescale_factor: z.number(),
    image_mean: Channels,
    image_std: Channels,
  })
  .partial()

/** OpenAI CLIP's. */
const MEAN: z.infer<typeof Channels> = [0.48145466, 0.4578275, 0.40821073]
const STD: z.infer<typeof Channels> = [0.26862954, 0.26130258, 0.27577711]
const TOKENS = { pad: 0, start: 49406, end: 49407 }
const VOCABULARY = 49408
const HEAD = 64
const BICUBIC = 3
/** Of every published model. */
const ACTIVATION = 'quick_gelu'
const EPSILON = 1e-5
/** In the file without a use: the buffers of positions that older versions stored, and what only compares whole pictures with texts. */
const UNUSED = /(?:^|\.)(?:position_ids|box_bias)$|^(?:visual_projection\.weight|logit_scale)$/

/**
 * Pictures a second, and how many cells of each are kept (app/cells): of 576 or 3600. OWLv2 takes ten times as long for a picture.
 * Larger pictures are first scaled down to this side when they are decoded; others reach the model's own resampling as they are.
 */
const PACE: Readonly<Record<Kind, { rate: number; kept: number }>> = { owlvit: { rate: 1, kept: 150 }, owlv2: { rate: 0.2, kept: 300 } }
const MOST_SIDE = 1920
/** transformers' default threshold, and a fifth of it. Nothing was measured here. */
const ASKED = 0.1
const FLOOR = 0.02
const STORED: Readonly<Record<Precision, string>> = { fp32: '', fp16: ', half precision', int8: ', 8 bits' }
/** Clips that are made without cuts have this length at most, seconds: what a clip takes is told for it. */
const CLIP_SECONDS = 8

interface OwlCheckpoint {
  kind: Kind
  /** Without the family's prefix. */
  tensors: Checkpoint['tensors']
  env: Env
  mean: z.infer<typeof Channels>
  std: z.infer<typeof Channels>
}

/** The kind by its tensors; null if they are of no OWL. */
function kindOf(tensors: Checkpoint['tensors']): Kind | null {
  const kinds = ['owlvit', 'owlv2'] as const
  return kinds.find((kind) => [...tensors.keys()].some((key) => key.startsWith(`${kind}.`))) ?? null
}

/** @throws TubeletError `checkpoint-unusable` with the reason why it cannot be used. */
export async function recogniseOwl({ file, tensors: stored }: Checkpoint, template: z.infer<typeof OwlTemplate>): Promise<OwlCheckpoint> {
  const unusable = unusableFile(file)
  const kind = kindOf(stored) ?? 'owlvit'
  const model = KIND[kind]
  const tensors = new Map(
    [...stored]
      // Older code spells the first norm without its "e".
      .map(([key, tensor]) => [key.replace(new RegExp(`^${kind}\\.`), '').replace('.pre_layrnorm.', '.pre_layernorm.'), tensor] as const)
      .filter(([key]) => !UNUSED.test(key)),
  )
  const sizes = sizesOf(template, tensors, model, unusable)
  const of = (name: string) => sizes[name] ?? 0
  const [config, preprocessor] = [
    (await jsonBeside(file, 'config.json', Config)) ?? {},
    (await jsonBeside(file, 'preprocessor_config.json', Preprocessor)) ?? {},
  ]
  const { vision_config: vision = {}, text_config: text = {} } = config
  const other = (name: string, details: string) =>
    unusable('The {{config}} beside the checkpoint is of another model.', { values: { config: name }, details })

  const cells = of('visionTokens') - 1
  const grid = Math.round(Math.sqrt(cells))
  if (grid * grid !== cells) throw unusable('Its pictures are not square: {{patches}} patches.', { values: { patches: cells } })
  const side = grid * of('patch')
  const said: [number | string | undefined, number | string, string][] = [
    [config.model_type, kind, 'model_type'],
    [vision.hidden_size, of('visionWidth'), 'vision hidden_size'],
    [vision.patch_size, of('patch'), 'patch_size'],
    [vision.image_size, side, 'image_size'],
    [text.hidden_size, of('width'), 'text hidden_size'],
    [text.max_position_embeddings, of('context'), 'max_position_embeddings'],
  ]
  for (const [value, found, name] of said)
    if (value !== undefined && value !== found) throw other('config.json', `It says ${name} ${value}, the tensors say ${found}.`)
  const odd = [vision, text].flatMap(({ hidden_act: act = ACTIVATION, layer_norm_eps: epsilon = EPSILON }) => [
    ...(act === ACTIVATION ? [] : [`hidden_act ${act}`]),
    ...(epsilon === EPSILON ? [] : [`layer_norm_eps ${epsilon}`]),
  ])
  if (odd.length > 0)
    throw unusable('Its config changes how it computes in a way that is not supported.', { details: `See ${odd.join(', ')}.` })
  if (of('vocab') !== VOCABULARY)
    throw unusable("Its vocabulary has {{entries}} entries, so its text is not split by CLIP's tokenizer ({{expected}} entries).", {
      values: { entries: of('vocab'), expected: VOCABULARY },
    })
  const [visionHeads, heads] = [
    vision.num_attention_heads ?? Math.floor(of('visionWidth') / HEAD),
    text.num_attention_heads ?? Math.floor(of('width') / HEAD),
  ]
  if (visionHeads === 0 || heads === 0 || of('visionWidth') % visionHeads !== 0 || of('width') % heads !== 0)
    throw unusable('The number of attention heads does not divide the width.', { details: "Put the model's config.json beside the file." })

  const { size } = preprocessor
  const sides = size === undefined ? [] : typeof size === 'number' ? [size] : Array.isArray(size) ? size : [size.height, size.width]
  if (sides.some((one) => one !== side))
    throw other('preprocessor_config.json', `Pictures of ${sides.join(' × ')} do not have ${grid} × ${grid} patches of ${of('patch')}.`)
  const skipped = (['do_resize', 'do_rescale', 'do_normalize'] as const).filter((step) => preprocessor[step] === false)
  const ways = [
    ...skipped,
    ...(kind === 'owlvit' && (preprocessor.resample ?? BICUBIC) !== BICUBIC ? [`resample ${preprocessor.resample}`] : []),
    ...(kind === 'owlv2' && preprocessor.do_pad === false ? ['do_pad'] : []),
    ...(Math.abs((preprocessor.rescale_factor ?? 1 / 255) - 1 / 255) > 1e-9 ? ['rescale_factor'] : []),
  ]
  if (ways.length > 0)
    throw unusable('It wants pictures fitted in a way that is not supported ({{way}}).', { values: { way: ways.join(', ') } })

  const env = {
    ...sizes,
    size: side,
    cells,
    objectness: kind === 'owlv2',
    visionHeads,
    visionHeadDim: of('visionWidth') / visionHeads,
    visionScale: (of('visionWidth') / visionHeads) ** -0.5,
    heads,
    headDim: of('width') / heads,
    scale: (of('width') / heads) ** -0.5,
    boxBias: boxBias(grid),
  }
  checkTensors(template, env, tensors, model, unusable)
  return { kind, tensors, env, mean: preprocessor.image_mean ?? MEAN, std: preprocessor.image_std ?? STD }
}

/**
 * [cells, 4]: what is added to a box before the sigmoid: a cell's far corner, and the size of a cell. In single precision step by step, as the reference
 * computes it: at the last row and column, where the logarithm is steep, that shows.
 */
function boxBias(grid: number): number[] {
  const f = Math.fround
  const small = f(1e-4)
  const logit = (share: number) => f(f(Math.log(f(share + small))) - f(Math.log1p(f(small - share))))
  const size = logit(f(1 / grid))
  const along = Array.from({ length: grid }, (_, i) => logit(f((i + 1) / grid)))
  return along.flatMap((y) => along.flatMap((x) => [x, y, size, size]))
}

export const owl: CheckpointFamily = {
  folder: 'owl',
  owns: (tensors) => kindOf(tensors) !== null,
  async read(checkpoint, precision, dir) {
    const template = await readTemplate(dir, OwlTemplate)
    const model = await recogniseOwl(checkpoint, template)
    return {
      ...model,
      template,
      // CLIP's, which openMaMMUT has too.
      files: { 'tokenizer.json': await readFile(path.join(dir, '..', 'openmammut', 'tokenizer.json')) },
      manifest: (made) => Promise.resolve(manifestOf(checkpoint.file, precision, template, model, made)),
      async knownAnswers(engine, put, signal) {
        const [width, height] = [Number(model.env['size']) + 32, Number(model.env['size']) - 16]
        const rgb = testPicture(width, height)
        const every = Math.ceil(Number(model.env['cells']) / 64)
        const { texts, tolerance } = template.selfTest
        const { boxes, logits, secondsPerPicture, memoryBytes } = await engine.knownLook({ rgb, width, height }, texts, every, signal)
        mustBeNumbers([boxes, ...logits], checkpoint.file, precision)
        const picture = { ...(await put('selftest.u8.gz', await promisify(gzip)(rgb))), width, height }
        const selfTest = await put('selftest.json', JSON.stringify({ picture, texts, every, boxes, logits, tolerance }))
        const secondsPerClip = secondsPerPicture * PACE[model.kind].rate * CLIP_SECONDS
        return { selfTest, measured: { secondsPerClip, memoryBytes } }
      },
    }
  },
}

function manifestOf(
  file: string,
  precision: Precision,
  { licence, prompts }: z.infer<typeof OwlTemplate>,
  { kind, env, mean, std }: OwlCheckpoint,
  { graphs, weights, files, selfTest, origin }: Made,
): OwlManifest {
  const of = (name: string) => Number(env[name])
  const { rate, kept } = PACE[kind]
  const letter = of('visionWidth') === 768 ? 'B' : of('visionWidth') === 1024 ? 'L' : String(of('visionWidth'))
  const name = `${KIND[kind]} ${letter}/${of('patch')}`
  return {
    format: 1,
    family: 'owl',
    id: `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-${precision}`,
    version: '1.0.0',
    name: `${name}${STORED[precision]}`,
    description: `Made from ${path.basename(file)} on this machine: it finds boxes of any words, and of what looks like a box.`,
    licence,
    data: [],
    tasks: ['boxes'],
    input: { width: MOST_SIDE, height: MOST_SIDE, fit: 'inside', rate },
    square: { side: of('size'), fit: kind === 'owlv2' ? 'pad' : 'stretch', mean, std },
    dims: { cells: of('cells'), region: of('embed'), context: of('context') },
    graphs: graphs as OwlManifest['graphs'],
    weights,
    tokenizer: { ...(files['tokenizer.json'] as FileRef), ...TOKENS, clean: 'clip' },
    prompts,
    kept: Math.min(kept, of('cells')),
    calibration: { measured: false, floor: FLOOR, asked: ASKED },
    selfTest,
    scores: [],
    source: { file: path.basename(file), precision, ...origin },
  }
}

/** A picture whose pixels vary everywhere, RGB. */
function testPicture(width: number, height: number): Uint8Array {
  const rgb = new Uint8Array(width * height * 3)
  for (let y = 0, at = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      for (let c = 0; c < 3; c += 1) rgb[at++] = (y * 3 + x * 2 + c * 53 + (((x >> 4) * (y >> 4)) % 7) * 30) % 256
  return rgb
}

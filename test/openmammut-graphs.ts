/**
 * `node test/openmammut-graphs.ts CHECKPOINT OUT PRECISION FRAMES [GRAPH…]`: the graphs that an import makes of a checkpoint for clips of so many
 * frames, and weights.bin with what they need, without the rest of the pack. models/openmammut/test_openmammut.py runs them and holds them to the reference code.
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { Precision } from '../app/contract/packs.ts'
import { mammutTemplate } from '../main/packs/checkpoint.testing.ts'
import { onnxFile } from '../main/packs/onnx-writer.ts'
import { readConfig, recogniseOpenMammut } from '../main/packs/openmammut.ts'
import { readSafetensors } from '../main/packs/safetensors.ts'
import { expandTemplate } from '../main/packs/template.ts'
import { planWeights, writeWeights } from '../main/packs/weights.ts'

const [checkpoint = '', out = '', precision, frames, ...names] = process.argv.slice(2)
const template = { ...mammutTemplate(), frames: Number(frames) }
const model = recogniseOpenMammut(await readSafetensors(checkpoint), template, await readConfig(checkpoint))
const graphs = expandTemplate(template, model.env, Precision.parse(precision)).filter(
  ({ name }) => names.length === 0 || names.includes(name),
)
const { places } = planWeights(graphs, model.tensors)
const location = 'weights.bin'
await writeWeights({ out: path.join(out, location), plan: [...places.values()] }, () => undefined, new AbortController().signal)
for (const graph of graphs) writeFileSync(path.join(out, `${graph.name}.onnx`), onnxFile(graph, places, { ...template, location }))

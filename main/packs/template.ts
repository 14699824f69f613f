/**
 * The graphs of a family of models at any size, expanded from one description that was written by hand: template.json in the family's folder of
 * models/packs.
 *
 * A body item is a line, `{"for": "i", "in": count, "do": […]}` or `{"if": flag, "do": […], "else": […]}`. A line is
 * `out, out2 = Op(arg, …) attr=value …`, an ONNX operator or a macro. Names can be assigned again; `list[] = …` appends and `list...`
 * spreads as arguments; each macro call has its own names. Arguments: a name; `@key|transform|…`, a tensor of the checkpoint;
 * `[0, -1, heads*2]`, `#i` and `~scale`, an int64 vector, an int64 scalar and a float32 constant. `$parameter` and `{i}` are replaced in
 * the text before it is read. Inputs and outputs may be repeated by a "for" too.
 */
import { z } from 'zod'

/** The variables of a template: numbers, flags, and lists with one of them for each layer. */
export type Env = Readonly<Record<string, number | boolean | readonly number[] | readonly boolean[]>>
export type Precision = 'fp32' | 'fp16' | 'int8'

interface ForItem {
  for: string
  in: string
  do: Item[]
}
interface IfItem {
  if: string
  do: Item[]
  else?: Item[] | undefined
}
type KeyItem = [string, (string | number)[]]
type Item = string | KeyItem | ForItem | IfItem

const Dims = z.array(z.union([z.string(), z.number()]))
const Key: z.ZodType<KeyItem> = z.tuple([z.string(), Dims])
const Item: z.ZodType<Item> = z.lazy(() =>
  z.union([
    z.string(),
    Key,
    z.object({ for: z.string(), in: z.string(), do: z.array(Item) }),
    z.object({ if: z.string(), do: z.array(Item), else: z.array(Item).optional() }),
  ]),
)
const Value = z.tuple([z.string(), z.enum(['uint8', 'int64', 'float32']), Dims])
const Input = z.union([Value, z.object({ for: z.string(), in: z.string(), do: z.array(Value) })])
export const Template = z.object({
  format: z.literal(1),
  opset: z.int(),
  ir: z.int(),
  /** Name → a tensor of the checkpoint and the axis whose length it is. */
  dims: z.record(z.string(), z.tuple([z.string(), z.int()])),
  /** Name → how many of these tensors there are, from {i} = 0. */
  counts: z.record(z.string(), z.string()),
  keys: z.array(Item),
  macros: z.record(z.string(), z.object({ in: z.array(z.string()), out: z.array(z.string()), body: z.array(Item) })),
  graphs: z.record(z.string(), z.object({ inputs: z.array(Input), outputs: z.array(Input), body: z.array(Item) })),
})
export type Template = z.infer<typeof Template>

export interface Node {
  op: string
  inputs: string[]
  outputs: string[]
  /** As written: an integer, a number with a point or an exponent, a list of integers, or a word. */
  attributes: [name: string, value: string][]
}
export interface GraphValue {
  name: string
  type: 'uint8' | 'int64' | 'float32'
  /** A string is a length that varies. */
  shape: (number | string)[]
}
/** A tensor of the checkpoint and the transforms that a graph needs. */
export interface WeightRef {
  key: string
  /**
   * `perm 1 0` (to that order, then 2-D [-1, last]), `rows k n` (the k-th of n equal row blocks), `fp16`, `int8` and `scale` (a column), `block8` and
   * `blockscale` (32 numbers of a row, as the operator MatMulNBits has them).
   */
  transforms: readonly (readonly string[])[]
}
export interface Graph {
  name: string
  inputs: GraphValue[]
  outputs: GraphValue[]
  nodes: Node[]
  /** By initializer name, which is the reference as the template writes it: the same name in several graphs means the same tensor. */
  weights: Map<string, WeightRef>
  constants: Map<string, { type: 'int64' | 'float32'; value: number | readonly number[] }>
}

/** An integer, a name, `name[index]`, or a product of them. */
function evaluate(expression: string | number, env: Env): Env[string] {
  const factors = String(expression)
    .split('*')
    .map((factor): Env[string] => {
      const found = /^(?:(-?\d+)|(\w+)(?:\[(\w+)\])?)$/.exec(factor.trim())
      if (!found) throw new Error(`the template has the expression "${expression}"`)
      const [, literal, name = '', index] = found
      if (literal !== undefined) return Number(literal)
      const value = env[name]
      const chosen = index === undefined ? value : Array.isArray(value) ? (value as (number | boolean)[])[integer(index, env)] : undefined
      if (chosen === undefined) throw new Error(`the template knows no ${factor}`)
      return chosen
    })
  const [only] = factors
  return only !== undefined && factors.length === 1 ? only : factors.reduce<number>((product, factor) => product * Number(factor), 1)
}

function integer(expression: string | number, env: Env): number {
  const value = evaluate(expression, env)
  if (!Number.isInteger(value)) throw new Error(`the template wants "${expression}" to be an integer`)
  return Number(value)
}

const fill = (text: string, env: Env) => text.replaceAll(/\{([^}]+)\}/g, (_, expression: string) => String(evaluate(expression, env)))

/** The items with loops and conditions expanded, each with its environment. */
function* unrolled(items: readonly Item[], env: Env): Generator<{ item: string | KeyItem; env: Env }> {
  for (const item of items) {
    if (typeof item === 'string' || Array.isArray(item)) yield { item, env }
    else if ('if' in item) {
      const negated = item.if.startsWith('!')
      yield* unrolled(Boolean(evaluate(item.if.replace('!', ''), env)) !== negated ? item.do : (item.else ?? []), env)
    } else {
      for (let i = 0, count = integer(item.in, env); i < count; i += 1) yield* unrolled(item.do, { ...env, [item.for]: i })
    }
  }
}

/** Every tensor that a checkpoint of these sizes has, with its shape. */
export function expectedKeys(template: Template, env: Env): Map<string, number[]> {
  const keys = new Map<string, number[]>()
  for (const { item, env: here } of unrolled(template.keys, env)) {
    if (typeof item !== 'string')
      keys.set(
        fill(item[0], here),
        item[1].map((dim) => integer(dim, here)),
      )
  }
  return keys
}

/** The graphs in the order of the template. */
export function expandTemplate(template: Template, env: Env, precision: Precision): Graph[] {
  return Object.entries(template.graphs).map(([name, body]) => new Expansion(template.macros, name, body, env, precision).graph)
}

type Names = Map<string, string | string[]>

class Expansion {
  readonly graph: Graph
  readonly #macros: Template['macros']
  readonly #precision: Precision
  /** Outputs keep their names. */
  readonly #fixed: ReadonlySet<string>
  #count = 0

  constructor(
    macros: Template['macros'],
    name: string,
    { inputs, outputs, body }: Template['graphs'][string],
    env: Env,
    precision: Precision,
  ) {
    const side = (dim: string | number, here: Env) =>
      typeof dim === 'string' && /^\w+$/.test(dim) && !(dim in here) ? dim : integer(dim, here)
    const values = (items: readonly z.infer<typeof Input>[]): GraphValue[] =>
      items.flatMap((item) => {
        const [each, count, repeated] = 'for' in item ? [item.do, integer(item.in, env), item.for] : [[item], 1, null]
        return Array.from({ length: count }, (_, i) => (repeated === null ? env : { ...env, [repeated]: i })).flatMap((here) =>
          each.map(([valueName, type, dims]) => ({ name: fill(valueName, here), type, shape: dims.map((dim) => side(dim, here)) })),
        )
      })
    this.#macros = macros
    this.#precision = precision
    this.graph = { name, inputs: values(inputs), outputs: values(outputs), nodes: [], weights: new Map(), constants: new Map() }
    this.#fixed = new Set(this.graph.outputs.map((output) => output.name))
    this.#run(body, new Map(this.graph.inputs.map((input) => [input.name, input.name])), env, true)
  }

  #run(body: readonly Item[], names: Names, env: Env, top: boolean): void {
    for (const { item, env: here } of unrolled(body, env)) if (typeof item === 'string') this.#line(fill(item, here), names, here, top)
  }

  #line(line: string, names: Names, env: Env, top: boolean): void {
    const found = /^(.+?) = (\w+)\((.*)\)((?: \w+=\S+)*)$/.exec(line)
    if (!found) throw new Error(`the template has the line "${line}"`)
    const [, targetList = '', op = '', argumentList = '', attributeList = ''] = found
    const targets = targetList.split(', ')
    const args = argumentList.split(/,(?![^[]*\])/).map((part) => part.trim())
    const macro = this.#macros[op] ?? this.#macros[`${op}.${this.#precision}`]
    let results: string[]
    if (macro) {
      // Values of this scope are passed by their names in the graph, marked with %, since their local names are unknown inside the macro.
      const given = args.map((arg) => (names.has(arg) ? `%${named(names, arg)}` : arg))
      results = this.#call(macro, new Map(macro.in.map((parameter, i) => [parameter, given[i] ?? ''])), env)
    } else {
      const inputs = args.flatMap((arg) => this.#argument(arg, names, env))
      results = targets.map((target) => this.#fresh(target, top))
      const attributes = attributeList
        .split(' ')
        .filter((pair) => pair !== '')
        .map((pair): [string, string] => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
      this.graph.nodes.push({ op, inputs, outputs: results, attributes })
    }
    targets.forEach((target, i) => {
      const result = results[i]
      if (result === undefined) throw new Error(`"${line}" gives no ${target}`)
      if (!target.endsWith('[]')) names.set(target, result)
      else {
        const list = names.get(target.slice(0, -2))
        names.set(target.slice(0, -2), Array.isArray(list) ? [...list, result] : [result])
      }
    })
  }

  #call(macro: Template['macros'][string], given: ReadonlyMap<string, string>, env: Env): string[] {
    const put = (item: Item): Item => {
      if (typeof item === 'string') return item.replaceAll(/\$(\w+)/g, (_, parameter: string) => given.get(parameter) ?? '')
      if (Array.isArray(item)) return item
      return 'if' in item ? { ...item, do: item.do.map(put), else: item.else?.map(put) } : { ...item, do: item.do.map(put) }
    }
    const names: Names = new Map()
    this.#run(macro.body.map(put), names, env, false)
    return macro.out.map((out) => named(names, out))
  }

  #fresh(target: string, top: boolean): string {
    if (top && this.#fixed.has(target)) return target
    this.#count += 1
    return `${target.replace('[]', '')}.${this.#count}`
  }

  #argument(text: string, names: Names, env: Env): string[] {
    const { weights, constants } = this.graph
    if (text.endsWith('...')) {
      const list = names.get(text.slice(0, -3))
      return Array.isArray(list) ? list : []
    }
    const rest = text.slice(1)
    switch (text[0]) {
      case '%':
        return [rest]
      case '@': {
        const [key = '', ...transforms] = rest.split('|')
        weights.set(rest, { key, transforms: transforms.map((transform) => transform.split(' ')) })
        return [rest]
      }
      case '[': {
        const value = rest
          .slice(0, -1)
          .split(',')
          .map((part) => integer(part, env))
        constants.set(`[${value.join(',')}]`, { type: 'int64', value })
        return [`[${value.join(',')}]`]
      }
      case '#': {
        const value = integer(rest, env)
        constants.set(`#${value}`, { type: 'int64', value })
        return [`#${value}`]
      }
      case '~': {
        const known = env[rest]
        constants.set(text, { type: 'float32', value: Array.isArray(known) ? (known as number[]) : Number(known ?? rest) })
        return [text]
      }
      default:
        return [named(names, text)]
    }
  }
}

function named(names: Names, name: string): string {
  const value = names.get(name)
  if (typeof value !== 'string') throw new Error(`the template uses "${name}" before it has a value`)
  return value
}

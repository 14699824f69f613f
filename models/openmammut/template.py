"""The graphs of any openMaMMUT size from one description, packs/openmammut/template.json, which main/packs expands to the same nodes.

A body item is a line, `{"for": "i", "in": count, "do": […]}` or `{"if": flag, "do": […], "else": […]}`. A line is
`out, out2 = Op(arg, …) attr=value …`, an ONNX operator or a macro. Names can be assigned again; `list[] = …` appends and `list...` spreads as
arguments; each macro call has its own names. Arguments: a name; `@key|transform|…`, a tensor of the checkpoint; `[0, -1, heads*2]`, `#i`, `~scale`,
an int64 vector, an int64 scalar and a float32 constant. `$parameter` and `{i}` are replaced in the text before it is read. Transforms: `perm 1 0`
(to that order, then 2-D [-1, last]), `rows k n` (the k-th of n equal row blocks), `fp16`, `int8` and `scale` (symmetric, for each column:
scale = max |w| / 127).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "packs" / "openmammut"

Value = int | float | bool | list[Any]
Env = dict[str, Value]
Shape = tuple[int | str, ...]


@dataclass
class Node:
    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, str]
    """As the template writes them; each value is JSON."""


@dataclass
class Graph:
    name: str
    inputs: list[tuple[str, str, Shape]]
    outputs: list[tuple[str, str, Shape]]
    nodes: list[Node] = field(default_factory=list)
    weights: dict[str, tuple[str, list[list[str]]]] = field(default_factory=dict)
    """Initializer name, which is the reference itself -> key and transforms."""
    constants: dict[str, tuple[str, list[int] | int | list[float] | float]] = field(default_factory=dict)
    """Initializer name -> "int64" or "float32", and a vector or a scalar."""

    def lines(self) -> list[str]:
        """What must be the same in both languages."""
        values = [" ".join(map(str, (name, kind, *shape))) for name, kind, shape in (*self.inputs, *self.outputs)]
        nodes = [" ".join([*n.outputs, "=", n.op, *n.inputs, *(f"{key}={value}" for key, value in n.attributes.items())]) for n in self.nodes]
        return [self.name, *values, *nodes, *self.weights]

    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.lines()).encode()).hexdigest()


def load() -> dict[str, Any]:
    out: dict[str, Any] = json.loads((FOLDER / "template.json").read_text())
    return out


def evaluate(expression: str, env: Env) -> Any:
    """An integer, a name, name[i], or a product of them."""
    product: Any = None
    for factor in expression.strip().split("*"):
        found = re.fullmatch(r"(-?\d+)|(\w+)(?:\[(\w+)\])?", factor.strip())
        if not found:
            raise ValueError(f"not an expression: {expression}")
        literal, name, index = found.groups()
        value: Any = int(literal) if literal else env[name]
        if index:
            value = value[env[index]]
        product = value if product is None else product * value
    return product


def chosen(item: dict[str, Any], env: Env) -> list[Any]:
    """The branch of an `if`."""
    flag: str = item["if"]
    negated = flag.startswith("!")
    branch: list[Any] = item["do"] if bool(evaluate(flag.removeprefix("!"), env)) != negated else item.get("else", [])
    return branch


def fill(text: str, env: Env) -> str:
    return re.sub(r"\{([^}]+)\}", lambda m: str(evaluate(m[1], env)), text)


def expected_keys(template: dict[str, Any], env: Env) -> dict[str, tuple[int, ...]]:
    """Every tensor that a checkpoint of these sizes has."""
    found: dict[str, tuple[int, ...]] = {}

    def walk(items: list[Any], env: Env) -> None:
        for item in items:
            if isinstance(item, list):
                key, shape = item
                found[fill(key, env)] = tuple(evaluate(str(dim), env) for dim in shape)
            elif "if" in item:
                walk(chosen(item, env), env)
            else:
                for i in range(evaluate(item["in"], env)):
                    walk(item["do"], {**env, item["for"]: i})

    walk(template["keys"], env)
    return found


class _Expansion:
    def __init__(self, template: dict[str, Any], name: str, env: Env, precision: str) -> None:
        description = template["graphs"][name]

        def shape(dims: list[Any]) -> Shape:
            return tuple(d if isinstance(d, str) and re.fullmatch(r"\w+", d) and d not in env else evaluate(str(d), env) for d in dims)

        self.macros, self.precision = template["macros"], precision
        self.graph = Graph(
            name,
            [(n, kind, shape(dims)) for n, kind, dims in description["inputs"]],
            [(n, kind, shape(dims)) for n, kind, dims in description["outputs"]],
        )
        self.fixed = {n for n, _, _ in self.graph.outputs}
        self.count = 0
        self.run(description["body"], {n: n for n, _, _ in self.graph.inputs}, env, top=True)

    def run(self, body: list[Any], names: dict[str, Any], env: Env, *, top: bool = False) -> None:
        for item in body:
            if isinstance(item, str):
                self.line(fill(item, env), names, env, top)
            elif "if" in item:
                self.run(chosen(item, env), names, env, top=top)
            else:
                for i in range(evaluate(item["in"], env)):
                    self.run(item["do"], names, {**env, item["for"]: i}, top=top)

    def line(self, line: str, names: dict[str, Any], env: Env, top: bool) -> None:
        found = re.fullmatch(r"(.+?) = (\w+)\((.*)\)((?: \w+=\S+)*)", line)
        if not found:
            raise ValueError(f"not a line of a template: {line}")
        targets, op = found[1].split(", "), found[2]
        arguments = [part.strip() for part in re.split(r",(?![^\[]*\])", found[3])]
        macro = self.macros.get(op) or self.macros.get(f"{op}.{self.precision}")
        if macro:
            given = [f"%{names[a]}" if a in names else a for a in arguments]
            results = self.call(macro, dict(zip(macro["in"], given, strict=True)), env)
        else:
            inputs = [name for a in arguments for name in self.argument(a, names, env)]
            results = [self.fresh(t, top) for t in targets]
            self.graph.nodes.append(Node(op, inputs, results, dict(pair.split("=") for pair in found[4].split())))
        for target, result in zip(targets, results, strict=True):
            if target.endswith("[]"):
                names.setdefault(target[:-2], []).append(result)
            else:
                names[target] = result

    def call(self, macro: dict[str, Any], given: dict[str, str], env: Env) -> list[str]:
        def put(item: Any) -> Any:
            if isinstance(item, str):
                return re.sub(r"\$(\w+)", lambda m: given[m[1]], item)
            return {key: [put(one) for one in value] if isinstance(value, list) else value for key, value in item.items()}

        names: dict[str, Any] = {}
        self.run([put(item) for item in macro["body"]], names, env)
        return [names[out] for out in macro["out"]]

    def fresh(self, target: str, top: bool) -> str:
        if top and target in self.fixed:
            return target
        self.count += 1
        return f"{target.removesuffix('[]')}.{self.count}"

    def argument(self, text: str, names: dict[str, Any], env: Env) -> list[str]:
        if text.endswith("..."):
            return list(names[text[:-3]])
        mark, rest = text[0], text[1:]
        if mark == "%":
            return [rest]
        if mark == "@":
            key, *transforms = rest.split("|")
            self.graph.weights[rest] = (key, [t.split() for t in transforms])
            return [rest]
        if mark == "[":
            numbers = [evaluate(part, env) for part in rest.rstrip("]").split(",")]
            name = f"[{','.join(map(str, numbers))}]"
            self.graph.constants[name] = ("int64", numbers)
            return [name]
        if mark == "#":
            value = evaluate(rest, env)
            self.graph.constants[f"#{value}"] = ("int64", value)
            return [f"#{value}"]
        if mark == "~":
            number: Any = env[rest] if rest in env else float(rest)
            self.graph.constants[text] = ("float32", number)
            return [text]
        return [str(names[text])]


GRAPHS = ("vision", "text", "cross", "decoder")


def expand(template: dict[str, Any], env: Env, precision: str) -> list[Graph]:
    """The four graphs. `env` as `checkpoint.sizes` gives it; precision "fp32", "fp16" or "int8"."""
    return [_Expansion(template, name, env, precision).graph for name in GRAPHS]

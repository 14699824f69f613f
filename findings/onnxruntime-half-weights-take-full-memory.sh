#!/usr/bin/env bash
# Finding: onnxruntime (1.30.0 and 1.32.0, CPU) takes no less memory for a model whose weights are stored in half precision behind a Cast, but as much as for
# the same model in full precision, and some more: the Casts of constants are computed when the session is made, and the results are kept at full
# size. Half the file is not half the memory. With all graph optimisations off both copies are held, which is more still. The outputs are the same, so
# nothing shows it but the memory: a pack that must fit a small machine needs weights in 8 bits, not in 16.
#
#   findings/onnxruntime-half-weights-take-full-memory.sh
#
# Needs Linux, bash, Python 3.11 with venv, a gigabyte of memory, and a way for pip to get the packages. All in a temporary folder.
# Exit 0: the behaviour is there. 3: it is not (any more). Other: cannot be judged (2: an install failed, or the outputs differ).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 1.30.0 1.32.0; do
  python3 -m venv "venv-$version"
  "venv-$version/bin/pip" install --quiet --disable-pip-version-check "onnxruntime==$version" onnx==1.19.1 numpy==2.3.5 || exit 2
done

# Sixteen matrices of 2048 x 2048 one after the other: 256 MB in full precision.
cat >make.py <<'PY'
import numpy as np, onnx
from onnx import TensorProto, helper, numpy_helper

SIDE, COUNT = 2048, 16
for kind, dtype in (("half", np.float16), ("full", np.float32)):
    rng = np.random.default_rng(0)
    nodes, weights, last = [], [], "x"
    for i in range(COUNT):
        values = (rng.standard_normal((SIDE, SIDE)) / SIDE**0.5).astype(np.float16)
        weights.append(numpy_helper.from_array(values.astype(dtype), f"w{i}"))
        name = f"w{i}"
        if kind == "half":
            nodes.append(helper.make_node("Cast", [name], [f"c{i}"], to=TensorProto.FLOAT))
            name = f"c{i}"
        nodes.append(helper.make_node("MatMul", [last, name], [f"y{i}"]))
        last = f"y{i}"
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, SIDE])
    graph = helper.make_graph(nodes, "g", [value("x")], [value(last)], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save_model(model, f"{kind}.onnx", save_as_external_data=True, location=f"{kind}.data")
PY
cat >measure.py <<'PY'
import json, sys
import numpy as np, onnxruntime


def resident() -> int:
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1])


options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
if sys.argv[2] == "off":
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
before = resident()
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
(out,) = session.run(None, {"x": np.ones((1, 2048), np.float32)})
print(json.dumps({"mb": (resident() - before) / 1024, "sum": float(np.abs(out).sum())}))
PY

venv-1.32.0/bin/python make.py || exit 2
there=0
for version in 1.30.0 1.32.0; do
  read -r half full off same < <(
    for arguments in "half.onnx on" "full.onnx on" "half.onnx off"; do
      # shellcheck disable=SC2086
      "venv-$version/bin/python" measure.py $arguments
    done | python3 -c '
import json, sys
half, full, off = map(json.loads, sys.stdin)
print(*(round(one["mb"]) for one in (half, full, off)), int(abs(half["sum"] - full["sum"]) < 1e-3 * full["sum"]))'
  )
  [ "$same" = 1 ] || exit 2
  echo "onnxruntime $version: 128 MB of half-precision weights take $half MB, the same in full precision (256 MB) $full MB; half precision with optimisations off $off MB"
  if [ "$half" -ge "$full" ] && [ "$off" -ge "$full" ]; then there=$((there + 1)); fi
done
[ "$there" = 2 ] && exit 0
exit 3

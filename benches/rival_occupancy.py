"""The space classifier on one thread: parkq's whole reading of a space against ONNX Runtime's run of the net alone.

    pip install onnxruntime numpy && python benches/rival_occupancy.py

Rounds alternate between the two; the ratio is of the rounds' medians.
"""

import json
import os
import pathlib
import statistics
import subprocess
import time

import numpy
import onnxruntime

ROOT = pathlib.Path(__file__).parents[1]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
ROUNDS, SPACES = 5, 40
BENCH = f"occupancy/one thread/{SPACES}"

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
model = ROOT / "models/space-classifier.onnx"
session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
crop = numpy.random.default_rng(0).standard_normal((1, 4, 80, 80), numpy.float32)


def rival() -> float:
    """Milliseconds a space."""
    times = []
    for _ in range(50):
        start = time.perf_counter()
        for _ in range(20):
            session.run(None, {"crop": crop})
        times.append((time.perf_counter() - start) / 20)
    return 1e3 * statistics.median(times)


def ours() -> float:
    """Milliseconds a space, cropping from the NV12 frame included."""
    command = ["cargo", "bench", "-q", "-p", "parkq-core", "--bench", "occupancy", "--", BENCH]
    brief = ["--warm-up-time", "1", "--measurement-time", "3"]
    subprocess.run(command + brief, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    folder = TARGET / "criterion" / BENCH.replace("occupancy/one", "occupancy_one")
    return json.loads((folder / "new/estimates.json").read_text())["median"]["point_estimate"] / 1e6 / SPACES


pairs = [(ours(), rival()) for _ in range(ROUNDS)]
mine, theirs = (statistics.median(side) for side in zip(*pairs))
ratio = statistics.median(a / b for a, b in pairs)
print(f"parkq {mine:.3f} ms a space, onnxruntime {onnxruntime.__version__} {theirs:.3f} ms: ratio {ratio:.2f} ({ROUNDS} rounds)")

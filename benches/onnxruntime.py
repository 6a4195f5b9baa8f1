"""ONNX Runtime on the space classifier, one space at a time on one thread: the rival of `cargo bench --bench occupancy`.

    pip install onnxruntime numpy && python benches/onnxruntime.py
"""

import pathlib
import statistics
import time

import numpy
import onnxruntime

MODEL = pathlib.Path(__file__).parents[1] / "models/space-classifier.onnx"
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(str(MODEL), options, providers=["CPUExecutionProvider"])
crop = numpy.random.default_rng(0).standard_normal((1, 4, 80, 80), numpy.float32)
times = []
for _ in range(50):
    start = time.perf_counter()
    for _ in range(20):
        session.run(None, {"crop": crop})
    times.append((time.perf_counter() - start) / 20)
print(f"onnxruntime {onnxruntime.__version__}: {1e3 * statistics.median(times):.3f} ms a space (median of 50)")

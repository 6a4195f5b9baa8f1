"""Makes the tiny ONNX models beside it: `pip install onnx numpy && python models.py`.

The well-behaved ones pass their input through: what they say is the picture's own values, so a test says what it wants
to hear. The hostile ones would fill the memory, read a file or never end if they were let.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
SIDE = 64


def save(name: str, nodes: list, outputs: dict, constants: dict | None = None, shape=(1, 3, SIDE, SIDE), kind=TensorProto.FLOAT) -> None:
    tensors = [numpy_helper.from_array(np.asarray(value), key) for key, value in (constants or {}).items()]
    inputs = [helper.make_tensor_value_info("image", kind, shape)]
    infos = [helper.make_tensor_value_info(key, TensorProto.FLOAT, value) for key, value in outputs.items()]
    graph = helper.make_graph(nodes, name, inputs, infos, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="parkq")
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())


def node(kind: str, inputs: list, output: str, **attributes):
    return helper.make_node(kind, inputs, [output], output, **attributes)


def told(outputs: dict, factors: dict | None = None) -> tuple[list, dict]:
    """The input's values in order, cut into these outputs, each times its factor (broadcast)."""
    nodes, constants, at = [node("Flatten", ["image"], "flat", axis=1)], {"axis": np.array([1])}, 0
    for key, shape in outputs.items():
        size = int(np.prod(shape))
        constants |= {f"{key}.from": np.array([at]), f"{key}.to": np.array([at + size]), f"{key}.shape": np.array(shape)}
        nodes.append(node("Slice", ["flat", f"{key}.from", f"{key}.to", "axis"], f"{key}.part"))
        factor = (factors or {}).get(key)
        nodes.append(node("Reshape", [f"{key}.part", f"{key}.shape"], key if factor is None else f"{key}.raw"))
        if factor is not None:
            constants[f"{key}.factor"] = np.asarray(factor, np.float32)
            nodes.append(node("Mul", [f"{key}.raw", f"{key}.factor"], key))
        at += size
    return nodes, constants


def well_behaved() -> None:
    places = sum((SIDE // stride) ** 2 for stride in (8, 16, 32))
    pixels = [64, 64, 32, 32, 1, 1, 1]
    for name, outputs, factors in [
        ("cells", {"cells": (1, 10, 8, 8)}, {"cells": 8}),
        ("yolox", {"out": (1, places, 7)}, None),
        ("yolov5", {"out": (1, places, 7)}, {"out": pixels}),
        ("yolov8", {"out": (1, 6, places)}, {"out": np.reshape(pixels[:6], (1, 6, 1))}),
        ("nanodet", {"out": (1, places, 2 + 4 * 8)}, {"out": [1] * 2 + [6] * 32}),
        ("centernet", {"heat": (1, 1, 16, 16), "size": (1, 2, 16, 16), "offset": (1, 2, 16, 16)}, {"size": 3}),
        ("ssd", {"boxes": (1, 50, 4), "scores": (1, 50, 3)}, None),
    ]:
        nodes, constants = told(outputs, factors)
        save(name, nodes, outputs, constants)
    nodes, constants = told({"out": (1, 84, 7)}, {"out": pixels})
    save("nhwc", nodes, {"out": (1, 84, 7)}, constants, shape=(1, SIDE, SIDE, 3))
    # A bright square of 8 px is a box of 16 px round it: cells whose mean is above the middle.
    mean = [node("ReduceMean", ["image"], "gray", axes=[1], keepdims=1), node("AveragePool", ["gray"], "mean", kernel_shape=[8, 8], strides=[8, 8])]
    scores = [node("Mul", ["mean", "factor"], "factored"), node("Add", ["factored", "summand"], "score"), node("Mul", ["score", "zero"], "none"), node("Concat", ["score", "none", "none", "none", "none"], "cells", axis=1)]
    constants = {"factor": np.float32(0.1), "summand": np.float32(-6), "zero": np.float32(0)}
    save("bright", mean + scores, {"cells": (1, 5, 8, 8)}, constants)
    # Says of a space that it is occupied if the square round it is bright.
    means = [node("GlobalAveragePool", ["image"], "means"), node("Flatten", ["means"], "four", axis=1), node("MatMul", ["four", "factor"], "out")]
    save("space", means, {"out": (1, 1)}, {"factor": np.float32([[1], [1], [1], [0]])}, shape=(1, 4, 80, 80))
    nodes, constants = told({"out": (1, 84, 7)})
    nodes[0] = node("Flatten", ["nan"], "flat", axis=1)
    nodes = [node("Sub", ["image", "image"], "none"), node("Div", ["none", "none"], "nan"), *nodes]
    save("not-a-number", nodes, {"out": (1, 84, 7)}, constants)


def hostile() -> None:
    out = {"out": (1, 84, 7)}
    far = 1 << 40
    save("huge-constant", [node("ConstantOfShape", ["shape"], "big"), node("Add", ["image", "big"], "out")], out, {"shape": np.array([far])})
    save("huge-expand", [node("Expand", ["one", "shape"], "big"), node("Add", ["image", "big"], "out")], out, {"one": np.float32([1]), "shape": np.array([far])})
    save("huge-range", [node("Range", ["from", "to", "step"], "big"), node("Add", ["image", "big"], "out")], out, {"from": np.float32(0), "to": np.float32(1e15), "step": np.float32(1)})
    save("huge-resize", [node("Resize", ["image", "", "scales"], "out", mode="nearest")], out, {"scales": np.float32([1, 1, 1e4, 1e4])})
    save("huge-pad", [node("Pad", ["image", "pads"], "out")], out, {"pads": np.array([0, 0, 0, 0, 0, 0, 1 << 30, 1 << 30])})
    save("huge-tile", [node("Tile", ["image", "times"], "out")], out, {"times": np.array([1, 1, 1 << 20, 1 << 20])})
    save("huge-shape-of-image", [node("Shape", ["image"], "s0"), *[node("Mul", [f"s{i}", f"s{i}"], f"s{i + 1}") for i in range(4)], node("ConstantOfShape", ["s4"], "big"), node("Add", ["image", "big"], "out")], out)
    save("doubling", [*[node("Concat", [f"c{i}", f"c{i}"], f"c{i + 1}", axis=0) for i in range(50)], node("Add", ["image", "c50"], "out")], out, {"c0": np.zeros(64, np.float32)})
    # The engine takes the later "row" and "column", and computes a huge "big" from them.
    twice = [node("Add", ["row", "column"], "big"), node("Identity", ["long"], "row"), node("Identity", ["tall"], "column")]
    save("given-twice", [*twice, node("Add", ["image", "big"], "out")], out, {"row": np.zeros((1, 1), np.float32), "column": np.zeros((1, 1), np.float32), "long": np.zeros((1, 3000), np.float32), "tall": np.zeros((3000, 1), np.float32)})
    flat = [node("Flatten", ["image"], "row", axis=0), node("Transpose", ["row"], "column"), node("EyeLike", ["column"], "eye")]
    save("eye-like", [*flat, node("MatMul", ["eye", "row"], "out")], out)
    texts = [node("Cast", ["image"], "texts", to=TensorProto.STRING), node("Cast", ["texts"], "out", to=TensorProto.FLOAT)]
    save("texts", texts, out)
    save("normalised", [node("LRN", ["image"], "out", size=3)], out)
    save("recurrent", [node("RNN", ["image", "weights", "again"], "out", hidden_size=1)], out, {"weights": np.zeros((1, 1, 64), np.float32), "again": np.zeros((1, 1, 1), np.float32)})
    save("outer", [node("Add", ["row", "column"], "big"), node("Add", ["image", "big"], "out")], out, {"row": np.zeros((1, 1, 1, 2100), np.float32), "column": np.zeros((1, 1, 2100, 1), np.float32)})
    save("outer-of-image", [node("Flatten", ["image"], "row", axis=0), node("Transpose", ["row"], "column"), node("MatMul", ["column", "row"], "big"), node("MatMul", ["big", "column"], "out")], out)
    save("huge-pool", [node("MaxPool", ["image"], "out", kernel_shape=[60000, 60000], auto_pad="SAME_UPPER")], out)
    doubled = [node("Concat", [f"c{i}", f"c{i}"], f"c{i + 1}", axis=0) for i in range(11)]
    wide = [node("Reshape", ["c11", "sides"], "kernel"), node("ConvTranspose", ["image", "kernel"], "out")]
    # Windows as large as may be, and too many of them.
    near = {"c0": np.zeros(192, np.float32), "sides": np.array([3, 2, 256, 256])}
    save("wide-transposed", [*doubled, *wide], out, near)
    padded = [node("Pad", ["image", "pads"], "large"), node("MaxPool", ["large"], "out", kernel_shape=[256, 256], auto_pad="SAME_UPPER")]
    save("wide-pool", padded, out, {"pads": np.array([0, 0, 0, 0, 0, 0, 4032, 3008])})
    save("huge-transposed", [*doubled, *wide], out, {"c0": np.zeros(192, np.float32), "sides": np.array([3, 1, 256, 512])})
    kernel = onnx.TensorProto(name="kernel", data_type=TensorProto.FLOAT, dims=[1, 3, far])
    graph = helper.make_graph([node("Conv", ["image", "kernel"], "out")], "g", [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 3, SIDE, SIDE))], [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)], [kernel])
    (HERE / "huge-kernel.onnx").write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
    beside = onnx.TensorProto(name="beside", data_type=TensorProto.FLOAT, dims=[3], data_location=TensorProto.EXTERNAL)
    beside.external_data.add(key="location", value="models.py")
    graph.initializer[0].CopyFrom(beside)
    graph.node[0].CopyFrom(node("Add", ["image", "beside"], "out"))
    (HERE / "external.onnx").write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
    body = helper.make_graph([node("Identity", ["going"], "on"), node("Add", ["x", "x"], "y")], "body", [helper.make_tensor_value_info("i", TensorProto.INT64, []), helper.make_tensor_value_info("going", TensorProto.BOOL, []), helper.make_tensor_value_info("x", TensorProto.FLOAT, None)], [helper.make_tensor_value_info("on", TensorProto.BOOL, []), helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    save("endless", [node("Loop", ["times", "", "image"], "out", body=body)], out, {"times": np.array(1 << 60)})
    save("cycle", [node("Add", ["image", "b"], "a"), node("Add", ["a", "image"], "b"), node("Add", ["a", "b"], "out")], out)
    save("bytes", [node("Identity", ["image"], "out")], out, kind=TensorProto.UINT8)
    # At 128 x 128 as YOLOX's strides 8, 16 and 32 want it, at any other size not.
    size = {"pooled.shape": np.array([1, 6, -1]), "more": np.ones((1, 80, 6), np.float32)}
    pooled = [node("AveragePool", ["image"], "mean", kernel_shape=[8, 8], strides=[8, 8]), node("Concat", ["mean", "mean"], "six", axis=1), node("Reshape", ["six", "pooled.shape"], "columns"), node("Transpose", ["columns"], "rows", perm=[0, 2, 1])]
    save("of-one-size", [*pooled, node("Concat", ["rows", "more"], "out", axis=1)], {"out": (1, None, 6)}, size, shape=(1, 3, None, None))
    save("no-output", [node("Identity", ["image"], "other")], out)


well_behaved()
hostile()

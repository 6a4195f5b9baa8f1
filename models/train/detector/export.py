"""Writes the trained nets as ONNX: batch norms and calibration folded in, weights as 16-bit floats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from infer import GROW
from net import LABELS, Detector, Trunk
from second import LOOKED, WINDOW, ImageNetLook, Second

NAME, SECOND = "detector", "second-look"


def folded(layer: nn.Conv2d, norm: nn.BatchNorm2d | None) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias of a convolution with its batch norm."""
    weight = layer.weight.detach()
    bias = layer.bias.detach() if layer.bias is not None else torch.zeros(layer.out_channels)
    if norm is not None:
        scale = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach()
        weight = weight * scale[:, None, None, None]
        bias = (bias - norm.running_mean) * scale + norm.bias.detach()
    return weight.numpy(), bias.numpy()


class Graph:
    def __init__(self, half: bool) -> None:
        self.nodes, self.weights, self.half = [], [], half

    def add(self, kind: str, inputs: list[str], **attributes) -> str:
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        name = f"w{len(self.weights)}"
        if not self.half:
            self.weights.append(numpy_helper.from_array(values.astype(np.float32), name))
            return name
        self.weights.append(numpy_helper.from_array(values.astype(np.float16), name))
        return self.add("Cast", [name], to=TensorProto.FLOAT)

    def layer(
        self,
        x: str,
        layer: nn.Conv2d,
        norm: nn.BatchNorm2d | None = None,
        pads: list[int] | None = None,  # top, left, bottom, right; the layer's own if none
        scale: np.ndarray | None = None,
        shift: np.ndarray | None = None,
    ) -> str:
        weight, bias = folded(layer, norm)
        if scale is not None:
            weight, bias = weight * scale[:, None, None, None], bias * scale + shift
        return self.add("Conv", [x, self.constant(weight), self.constant(bias)], kernel_shape=list(layer.kernel_size),
                        strides=list(layer.stride), pads=pads or [*layer.padding] * 2, group=layer.groups)

    def conv(self, x: str, block: nn.Module) -> str:
        """A convolution, and if they follow, its batch norm and activation."""
        if isinstance(block, nn.Conv2d):
            return self.layer(x, block)
        y = self.layer(x, block[0], next((m for m in block if isinstance(m, nn.BatchNorm2d)), None))
        return self.add("Relu", [y]) if isinstance(block[-1], nn.ReLU) else self.add("LeakyRelu", [y], alpha=0.1)

    def csp(self, x: str, block: nn.Module) -> str:
        x = y = self.conv(x, block.enter)
        for residual in block.residuals:
            y = self.conv(y, residual.enter)
            y = self.add("Concat", [self.conv(y, residual.middle), y], axis=1)
        return self.add("Concat", [self.conv(y, block.leave), x], axis=1)

    def trunk(self, net: Trunk) -> tuple[str, str]:
        """What the trunk sees of `image` at stride 8 and at stride 16."""
        x = self.add("MaxPool", [self.conv("image", net.stem)], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        c8 = self.csp(self.csp(x, net.csp4), net.csp8)
        return c8, self.csp(c8, net.csp16)

    def lite(self, net: ImageNetLook) -> str:
        """What EfficientNet-lite0's first blocks see of `image`."""
        for name, value in (("mean", net.MEAN), ("unit", 1 / net.DEVIATION), ("zero", 0.0), ("six", 6.0)):
            self.weights.append(numpy_helper.from_array(np.float32(value), name))

        def padded(x: str, layer: nn.Module, norm: nn.BatchNorm2d) -> str:
            # The package's own layer pads at the right and below by one more.
            left, right, top, bottom = getattr(layer.static_padding, "padding", (0, 0, 0, 0))
            return self.layer(x, layer, norm, [top, left, bottom, right])

        def active(x: str) -> str:
            return self.add("Clip", [x, "zero", "six"])

        x = self.add("Mul", [self.add("Sub", ["image", "mean"]), "unit"])
        x = active(padded(x, net.stem, net.bn))
        for block in net.blocks:
            y = active(padded(x, block._expand_conv, block._bn0)) if hasattr(block, "_expand_conv") else x
            y = active(padded(y, block._depthwise_conv, block._bn1))
            y = padded(y, block._project_conv, block._bn2)
            same = block._depthwise_conv.stride[0] == 1 and block._project_conv.out_channels == block._block_args.input_filters
            x = self.add("Add", [y, x]) if same else y
        return x

    def up(self, x: str) -> str:
        scales = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), scales))
        return self.add("Resize", [x, "", scales], mode="nearest", nearest_mode="floor",
                        coordinate_transformation_mode="asymmetric")


    def model(self, name: str, image: list, output: str, shape: list) -> onnx.ModelProto:
        inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, image)]
        outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)]
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="parkq")
        model.ir_version = 8
        onnx.checker.check_model(model)
        return model


def build(net: Detector, slope: np.ndarray, bias: np.ndarray, g: Graph) -> onnx.ModelProto:
    """`slope` and `bias` of each label are applied to its logit."""
    c8, c16 = g.trunk(net)
    c32 = g.conv(g.conv(c16, net.down), net.context)
    p16 = g.conv(g.add("Add", [g.conv(c16, net.from16), g.up(g.conv(c32, net.from32))]), net.mix16)
    p8 = g.conv(g.add("Add", [g.conv(c8, net.from8), g.up(p16)]), net.head)
    ones = np.ones(4 * len(LABELS))
    shift = np.concatenate([bias, np.log(1 + 2 * GROW).repeat(4)])
    out = g.layer(p8, net.cells, scale=np.concatenate([slope, ones]), shift=shift)
    g.nodes[-1].output[0] = "cells"
    assert out
    return g.model(NAME, [1, 3, "height", "width"], "cells", [1, 5 * len(LABELS), "rows", "columns"])


def build_second(net: Second, slope: np.ndarray, bias: np.ndarray, g: Graph) -> onnx.ModelProto:
    """`slope` and `bias` of plates, faces and persons are applied to their logits."""
    detector, image_net = net.looks
    seen = [g.trunk(detector)[1], g.lite(image_net)]

    def mean(heads: list[nn.Module], scale: np.ndarray, shift: np.ndarray) -> str:
        said = [g.conv(g.conv(x, head.wide), head.gather) for x, head in zip(seen, heads)]
        return g.add("Add", [g.layer(x, head.out, scale=scale / 2, shift=shift / 2) for x, head in zip(said, heads)])

    edges = 4 * len(LOOKED)
    scale, shift = np.concatenate([slope[:-1], np.ones(edges)]), np.concatenate([bias[:-1], np.zeros(edges)])
    looked = mean([detector.head, image_net.head], scale, shift)
    person = mean(list(net.persons.heads), slope[-1:], bias[-1:])
    g.add("Flatten", [g.add("Concat", [looked, person], axis=1)])
    g.nodes[-1].output[0] = "judgement"
    return g.model(SECOND, [1, 3, WINDOW, WINDOW], "judgement", [1, 5 * len(LOOKED) + 1])


def run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"image": x})[0]


def write(net: Detector, slope: np.ndarray, bias: np.ndarray, path: Path, half: bool = True) -> None:
    model = build(net, slope, bias, Graph(half))
    x = np.random.default_rng(1).uniform(0, 255, (1, 3, 96, 160)).astype(np.float32)
    with torch.no_grad():
        want = net.eval()(torch.from_numpy(x)).numpy()
    n = len(LABELS)
    want[:, :n] = want[:, :n] * slope[:, None, None] + bias[:, None, None]
    want[:, n:] += np.log(1 + 2 * GROW).repeat(4)[:, None, None]
    save(model, x, want, path)


def write_second(net: Second, slope: np.ndarray, bias: np.ndarray, path: Path, half: bool = True) -> None:
    model = build_second(net, slope, bias, Graph(half))
    x = np.random.default_rng(1).uniform(0, 255, (1, 3, WINDOW, WINDOW)).astype(np.float32)
    with torch.no_grad():
        want = net.eval()(torch.from_numpy(x)).numpy()
    logits = [*range(len(LOOKED)), -1]
    want[:, logits] = want[:, logits] * slope + bias
    save(model, x, want, path)


def save(model: onnx.ModelProto, x: np.ndarray, want: np.ndarray, path: Path) -> None:
    """Writes a model that gives what the net gives."""
    off = np.abs(run(model, x) - want).max()
    assert off < 0.05 * max(1, np.abs(want).max()), off
    path.write_bytes(model.SerializeToString())

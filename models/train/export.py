"""Writes the trained net as ONNX: batch norms folded into the convolutions, calibration into the last layer."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from crop import SIZE
from net import SpaceNet

NAME = "space-classifier"


def build(net: SpaceNet, slope: float, bias: float) -> onnx.ModelProto:
    """`slope` and `bias` are applied to the logit."""
    nodes, weights, last, i = [], [], "crop", 0
    body = list(net.body)
    for conv, bn in zip(body[0::3], body[1::3]):
        scale = (bn.weight / torch.sqrt(bn.running_var + bn.eps)).detach()
        w = (conv.weight.detach() * scale[:, None, None, None]).numpy()
        b = (bn.bias.detach() - bn.running_mean * scale).numpy()
        weights += [numpy_helper.from_array(w, f"w{i}"), numpy_helper.from_array(b, f"b{i}")]
        stride = list(conv.stride)
        nodes.append(
            helper.make_node("Conv", [last, f"w{i}", f"b{i}"], [f"c{i}"], kernel_shape=[3, 3], strides=stride,
                             pads=[1, 1, 1, 1])
        )
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        last, i = f"r{i}", i + 1
    w = (net.head.weight.detach() * slope).numpy().astype(np.float32)
    b = (net.head.bias.detach() * slope + bias).numpy().astype(np.float32)
    weights += [numpy_helper.from_array(w, "w_out"), numpy_helper.from_array(b, "b_out")]
    nodes.append(helper.make_node("GlobalAveragePool", [last], ["pool"]))
    nodes.append(helper.make_node("Flatten", ["pool"], ["features"], axis=1))
    nodes.append(helper.make_node("Gemm", ["features", "w_out", "b_out"], ["logit"], transB=1))
    graph = helper.make_graph(
        nodes,
        NAME,
        [helper.make_tensor_value_info("crop", TensorProto.FLOAT, [1, 4, SIZE, SIZE])],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, [1, 1])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="parkq")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def write(net: SpaceNet, fitted: dict, out: Path) -> None:
    """ONNX and JSON, each replaced at once."""
    model = build(net, fitted["slope"], fitted["bias"])
    import onnxruntime

    x = np.random.default_rng(1).standard_normal((1, 4, SIZE, SIZE), np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    got = session.run(None, {"crop": x})[0]
    with torch.no_grad():
        want = net(torch.from_numpy(x)).item() * fitted["slope"] + fitted["bias"]
    assert abs(got.item() - want) < 1e-3 * max(1, abs(want)), (got, want)
    card = {
        "input": [1, 4, SIZE, SIZE],
        "free_below": fitted["free_below"],
        "occupied_above": fitted["occupied_above"],
        "dispersion": fitted["dispersion"],
        "calibration": {"slope": fitted["slope"], "bias": fitted["bias"], "folded": True},
    }
    for path, content in (
        (out / f"{NAME}.onnx", model.SerializeToString()),
        (out / f"{NAME}.json", (json.dumps(card, indent=2) + "\n").encode()),
    ):
        temporary = path.with_suffix(path.suffix + ".tmp")
        temporary.write_bytes(content)
        os.replace(temporary, path)

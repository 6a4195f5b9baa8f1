"""Writes the shipped nets as the checkpoints that they were: `python models/train/detector/shipped.py --work FOLDER`, then
`train.py --work FOLDER` with the stages that shall go on from them (`--stages persons,export`). Their calibration and batch
norms are folded in, so that those are neutral here.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from calibrate import GROWN
from export import NAME, SECOND, Graph, build, build_second
from infer import GROW
from net import LABELS, Detector
from second import LOOKED, Second

ROOT = Path(__file__).resolve().parents[3]


class Layers(Graph):
    """Notes the convolutions in the order in which a graph has them."""

    def __init__(self) -> None:
        super().__init__(half=True)
        self.layers: list[tuple[nn.Conv2d, nn.BatchNorm2d | None, bool]] = []

    def layer(self, x: str, layer: nn.Conv2d, norm: nn.BatchNorm2d | None = None, pads: list[int] | None = None,
              scale: np.ndarray | None = None, shift: np.ndarray | None = None) -> str:
        self.layers.append((layer, norm, scale is not None))
        return super().layer(x, layer, norm, pads, scale, shift)

    @torch.no_grad()
    def read(self, path: Path, times: float, shift: np.ndarray) -> None:
        """Fills the layers from a file; what was scaled is `times` that, less `shift`."""
        graph = onnx.load(path).graph
        values = {w.name: torch.from_numpy(numpy_helper.to_array(w).astype(np.float32)) for w in graph.initializer}
        values |= {node.output[0]: values[node.input[0]] for node in graph.node if node.op_type == "Cast"}
        convs = [node for node in graph.node if node.op_type == "Conv"]
        for node, (layer, norm, scaled) in zip(convs, self.layers, strict=True):
            weight, bias = (values[name] for name in node.input[1:])
            if scaled:
                weight, bias = times * weight, times * bias - torch.from_numpy(shift[: len(bias)]).float()
            layer.weight.copy_(weight)
            if norm is None:
                layer.bias.copy_(bias)
            else:
                norm.running_mean.zero_()
                norm.running_var.fill_(1 - norm.eps)
                norm.weight.fill_(1)
                norm.bias.copy_(bias)


def detector(path: Path) -> Detector:
    net, layers, n = Detector(), Layers(), len(LABELS)
    build(net, np.ones(n), np.zeros(n), layers)
    layers.read(path, 1, np.concatenate([np.zeros(n), np.log(1 + 2 * GROW).repeat(4)]))
    return net.eval()


def second(path: Path) -> Second:
    net, layers, n = Second().eval(), Layers(), len(LOOKED) + 1
    build_second(net, np.ones(n), np.zeros(n), layers)
    layers.read(path, 2, np.zeros(5 * n))
    return net


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=Path, default=ROOT / "target/train")
    p.add_argument("--models", type=Path, default=ROOT / "models")
    args = p.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    net, looks = detector(args.models / f"{NAME}.onnx"), second(args.models / f"{SECOND}.onnx").looks
    nets = {"detector": net, "second": looks[0], "second-imagenet": looks[1]}
    for name, done in nets.items():
        torch.save({"average": done.state_dict()}, args.work / f"{name}.pt")
    neutral = {"slope": [1.0] * len(LABELS), "bias": [0.0] * len(LABELS)}
    (args.work / "detector.json").write_text(json.dumps(neutral))
    said = {name: values[: len(LOOKED)] for name, values in neutral.items()}
    said |= {"weight": [0.19, 0.17], "grown": [GROWN[label] for label in LOOKED]}  # as in parkq-core/src/detect/second.rs
    (args.work / "second.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main()

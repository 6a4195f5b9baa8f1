"""The space classifier: plain 3x3 convolutions, mean pool, one logit."""

from __future__ import annotations

import torch
from torch import nn

CHANNELS = (16, 32, 32, 64, 64, 64, 96, 96)
STRIDES = (2, 2, 1, 2, 1, 1, 2, 1)
#: Sixteen-bit arithmetic: only where the processor has it, for elsewhere it takes ten times as long.
HALF = torch.cpu._is_avx512_bf16_supported()


class SpaceNet(nn.Module):
    def __init__(self, channels: tuple[int, ...] = CHANNELS, strides: tuple[int, ...] = STRIDES) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        last = 4
        for out, stride in zip(channels, strides):
            layers += [nn.Conv2d(last, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
            last = out
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(last, 1)

    def read(self, views: torch.Tensor) -> torch.Tensor:
        """Logits of views [n, SIZE, SIZE, 4] in 0..255 with the mask last; normalised as in crop.py."""
        rgb = views[..., :3]
        mean = rgb.mean((1, 2, 3), keepdim=True)
        deviation = rgb.std((1, 2, 3), keepdim=True, correction=0)
        x = torch.cat([(rgb - mean) / (deviation + 10), views[..., 3:]], 3)
        return self(x.permute(0, 3, 1, 2))  # channels last in memory

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x).mean((2, 3)).float())[:, 0]

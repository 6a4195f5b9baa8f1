"""One cycle of learning: AdamW, averaged weights, resumed after each epoch where it stopped."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import torch
from torch import nn


class Course:
    """`groups` are AdamW's; `steps` make an epoch; `cycle` are OneCycleLR's further arguments."""

    def __init__(self, net: nn.Module, groups: list[dict], epochs: int, steps: int, path: Path, clip: float, **cycle: float) -> None:
        self.net, self.path, self.clip = net, path, clip
        self.average = copy.deepcopy(net)
        self.optimiser = torch.optim.AdamW(groups, weight_decay=0.02)
        rates = [group["lr"] for group in groups]
        self.cycle = torch.optim.lr_scheduler.OneCycleLR(self.optimiser, rates, total_steps=epochs * steps + 1, **cycle)
        self.start = 0
        if path.exists():
            state = torch.load(path, weights_only=True)
            net.load_state_dict(state["net"])
            self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.start = state["epoch"]
        self.step = self.start * steps
        for _ in range(self.step):
            self.cycle.step()

    def learn(self, loss: torch.Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.clip)
        self.optimiser.step()
        self.cycle.step()
        self.step += 1
        keep = min(0.998, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for a, b in zip(self.average.state_dict().values(), self.net.state_dict().values()):
                a.lerp_(b, 1 - keep) if a.dtype.is_floating_point else a.copy_(b)

    def save(self, epochs: int) -> None:
        """After so many epochs."""
        state = dict(
            net=self.net.state_dict(),
            average=self.average.state_dict(),
            optimiser=self.optimiser.state_dict(),
            epoch=epochs,
        )
        torch.save(state, self.path.with_suffix(".tmp"))
        os.replace(self.path.with_suffix(".tmp"), self.path)

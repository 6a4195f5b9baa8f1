"""From the data pack to the committed network: `python models/train/train.py`.

Stages, each resumed where it stopped: `fold` (a net that has not seen the held-out lots and cameras), `final`
(the net that ships, trained on everything), `export` (calibration on the fold, then ONNX and JSON). Checkpoints
and cut patches go to --work, outside the sources. Keep --epochs and --epoch-size the same when resuming.
"""

from __future__ import annotations

import argparse
import copy
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

import augment
from data import Spaces, load_people, sources
from net import SpaceNet

ROOT = Path(__file__).resolve().parents[2]
#: Lots and cameras that the `fold` stage never sees; calibration is fitted to them.
HELD_OUT = ("acpds/6545", "acpds/6654", "overhead_cars", "atl_vehicles/roundabout")
#: Share of an epoch drawn from each source.
SHARES = {
    "acpds": 0.42,
    "from_acpds": 0.08,
    "from_atl_vehicles": 0.16,
    "from_highway_od": 0.14,
    "from_openimages_plates": 0.06,
    "from_indonesia_plates": 0.05,
    "from_overhead_cars": 0.07,
    "rendered": 0.14,
}


def held_out(group: str) -> bool:
    return any(group == h or group.startswith(h + "/") for h in HELD_OUT)


class Views(Dataset):
    """Batches of random views; batch i of epoch e is the same in every run."""

    def __init__(self, pools: list, epoch_size: int, batch: int, size: int, seed: int, people: np.ndarray) -> None:
        self.pools, self.batch, self.size, self.seed, self.people = pools, batch, size, seed, people
        self.batches, self.epoch = epoch_size // batch, 0

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng((self.seed, self.epoch, i))
        shares = np.array([p[2] for p in self.pools])
        picks = rng.choice(len(self.pools), self.batch, p=shares / shares.sum())
        x = np.empty((self.batch, self.size, self.size, 4), np.float32)
        y = np.empty(self.batch, np.float32)
        for j, k in enumerate(picks):
            spaces, rows, _, target, overhead = self.pools[k]
            r = rows[rng.integers(len(rows))]
            x[j] = augment.view(spaces.patches[r], spaces.quads[r], self.size, rng, self.people, overhead)
            y[j] = target[r]
        return torch.from_numpy(x), torch.from_numpy(y)


def prepare(x: torch.Tensor) -> torch.Tensor:
    """Normalise a batch of views and put channels first."""
    rgb = x[..., :3]
    m = rgb.mean((1, 2, 3), keepdim=True)
    s = rgb.std((1, 2, 3), keepdim=True, correction=0)
    x = torch.cat([(rgb - m) / (s + 10), x[..., 3:]], 3)
    return x.permute(0, 3, 1, 2)  # channels_last in memory


def pools_of(found: dict[str, Spaces], fold: bool) -> list:
    """(spaces, rows, share, targets, overhead) per source and label."""
    pools = []
    for name, spaces in found.items():
        usable = spaces.labels >= 0
        if fold:
            usable &= ~np.array([held_out(g) for g in spaces.groups])
        rows_all = np.nonzero(usable)[0]
        for value in (0, 1):
            rows = rows_all[spaces.labels[rows_all] == value]
            if len(rows):
                part = 0.5 if len(rows) < len(rows_all) else 0.7
                pools.append((spaces, rows, SHARES[name] * part, spaces.labels, name == "from_overhead_cars"))
    return pools


def train(
    name: str,
    net: torch.nn.Module,
    pools: list,
    people: np.ndarray,
    work: Path,
    *,
    epochs: int,
    epoch_size: int,
    batch: int,
    size: int,
    rate: float,
    seed: int,
    decay: float = 0.02,
    workers: int = 2,
) -> torch.nn.Module:
    """AdamW, one cycle, averaged weights; returns the averaged net."""
    torch.manual_seed(seed)
    net = net.to(memory_format=torch.channels_last)
    average = copy.deepcopy(net)
    views = Views(pools, epoch_size, batch, size, seed, people)
    total = epochs * len(views)
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=total + 1, pct_start=0.15)
    path, start = work / f"{name}.pt", 0
    if path.exists():
        state = torch.load(path, weights_only=True)
        net.load_state_dict(state["net"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        cycle.load_state_dict(state["cycle"])
        start = state["epoch"]
    step = start * len(views)
    for epoch in range(start, epochs):
        views.epoch, began, losses = epoch, time.time(), []
        net.train()
        for x, y in DataLoader(views, batch_size=None, num_workers=workers, prefetch_factor=4):
            with torch.autocast("cpu", torch.bfloat16):
                logit = net(prepare(x))
            y = y * 0.98 + 0.01
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logit.float(), y)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            cycle.step()
            step += 1
            keep = min(0.998, (1 + step) / (10 + step))
            with torch.no_grad():
                for a, b in zip(average.state_dict().values(), net.state_dict().values()):
                    if a.dtype.is_floating_point:
                        a.lerp_(b, 1 - keep)
                    else:
                        a.copy_(b)
            losses.append(loss.item())
        torch.save(
            dict(
                net=net.state_dict(),
                average=average.state_dict(),
                optimiser=optimiser.state_dict(),
                cycle=cycle.state_dict(),
                epoch=epoch + 1,
            ),
            path.with_suffix(".tmp"),
        )
        os.replace(path.with_suffix(".tmp"), path)
        print(f"{name} epoch {epoch + 1}/{epochs} loss {np.mean(losses):.4f} {time.time() - began:.0f} s", flush=True)
    return average.eval()


@torch.no_grad()
def predict(net: torch.nn.Module, spaces: Spaces, rows: np.ndarray, size: int, mirror: bool = False) -> np.ndarray:
    """Logits of plain views."""
    out = []
    for i in range(0, len(rows), 256):
        views = np.stack([augment.plain(spaces.patches[r], spaces.quads[r], size) for r in rows[i : i + 256]])
        x = prepare(torch.from_numpy(views))
        with torch.autocast("cpu", torch.bfloat16, enabled=mirror):
            z = net(x).float()
            if mirror:
                z = (z + net(x.flip(3)).float()) / 2
        out.append(z.numpy())
    return np.concatenate(out) if out else np.zeros(0, np.float32)


def report(net: torch.nn.Module, found: dict[str, Spaces], size: int) -> dict[str, tuple[np.ndarray, np.ndarray, list]]:
    """Accuracy on each held-out group; returns logits, labels and pictures by source."""
    kept = {}
    for name, spaces in found.items():
        rows = np.nonzero([held_out(g) and y >= 0 for g, y in zip(spaces.groups, spaces.labels)])[0]
        if not len(rows):
            continue
        z, y = predict(net, spaces, rows, size), spaces.labels[rows]
        kept[name] = (z, y, [spaces.pictures[r] for r in rows])
        for g in sorted({spaces.groups[r] for r in rows}):
            m = np.array([spaces.groups[r] == g for r in rows])
            ok = (z[m] > 0) == (y[m] > 0.5)
            p = [100 * ok[y[m] == v].mean() if (y[m] == v).any() else float("nan") for v in (1, 0)]
            print(f"  held out {name}: {g}: {100 * ok.mean():.2f} % (occupied {p[0]:.2f}, free {p[1]:.2f}, n {m.sum()})")
    return kept


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", type=Path, default=Path(os.environ.get("PARKQ_DATA", ROOT.parent / "shared/data")))
    p.add_argument("--work", type=Path, default=ROOT / "target/train")
    p.add_argument("--rendered", type=Path, help="pictures made by scenes/render.py (default: <work>/rendered)")
    p.add_argument("--out", type=Path, default=ROOT / "models")
    p.add_argument("--stages", default="fold,final,export")
    p.add_argument("--epochs", type=int, default=24)
    p.add_argument("--epoch-size", type=int, default=24576)
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--threads", type=int, default=2)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    args.work.mkdir(parents=True, exist_ok=True)
    found = sources(args.data, args.rendered or args.work / "rendered", args.work / "cache", args.seed)
    people = load_people(args.data / "highway_od", args.work / "cache")
    stages = args.stages.split(",")
    common = dict(people=people, work=args.work, seed=args.seed, epoch_size=args.epoch_size)

    if "fold" in stages:
        net = train("fold", SpaceNet(), pools_of(found, True), epochs=args.epochs, batch=128, size=64,
                    rate=3e-3, **common)
        report(net, found, 64)
    if "final" in stages:
        train("final", SpaceNet(), pools_of(found, False), epochs=args.epochs, batch=128, size=64,
              rate=3e-3, **common)
    if "export" in stages:
        from calibrate import calibrate
        from export import load_average, write

        fitted = calibrate(load_average(args.work / "fold.pt"), found)
        write(load_average(args.work / "final.pt"), fitted, args.out)


if __name__ == "__main__":
    main()

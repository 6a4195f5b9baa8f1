"""From the sets in PARKQ_DATA to the committed network: `python models/train/train.py`.

Stages, each resumed where it stopped: `teachers` (large pre-trained nets, fine-tuned without the held-out lots and
cameras), `views` (augmented views of every space and the teachers' opinion of each; some of them as they are in the
anonymized picture, for which the package `parkq` is needed: `pip install ./parkq-py`), `fold` (the small net, without
the held-out lots and cameras), `final` (the net that ships, on everything), `export` (calibration on the fold, then
ONNX and JSON). Checkpoints, cut patches and views go to --work, outside the sources.
"""

from __future__ import annotations

import argparse
import copy
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

import augment
from crop import SIZE
from data import Spaces, anonymized, labelled_sources, load_people, sources
from net import HALF, SpaceNet
from teacher import BACKBONES, Teacher, Teachers

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
    "rendered": 0.28,
}
#: How far a label is trusted against the teachers' opinion. Labels by people and by the renderer are good, those
#: derived from boxes are rough; the teachers have not seen a whole set such as overhead_cars.
TRUST = {"acpds": 0.5, "rendered": 0.8, "from_overhead_cars": 0.8}


def held_out(group: str) -> bool:
    return any(group == h or group.startswith(h + "/") for h in HELD_OUT)


@dataclass
class Pool:
    """Spaces of one source and one label."""

    name: str
    spaces: Spaces
    rows: np.ndarray
    label: float  # -1: not known
    share: float  # of the draws
    trust: float  # 1: the label alone is the target, 0: the teachers' opinion alone
    overhead: bool


class Views(Dataset):
    """Batches of fresh random views; batch i of epoch e is the same in every run."""

    def __init__(self, pools: list[Pool], epoch_size: int, batch: int, seed: int, people: np.ndarray) -> None:
        self.pools, self.batch, self.seed, self.people = pools, batch, seed, people
        self.batches, self.epoch = epoch_size // batch, 0

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Views uint8 [batch, SIZE, SIZE, 4], labels, and how far the labels are trusted."""
        return self.batch_of(i, None)

    def batch_of(self, i: int, others: dict[str, Spaces] | None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """A batch; with `others`, the very same views of the other patches of the same spaces."""
        rng = np.random.default_rng((self.seed, self.epoch, i))
        picks = rng.choice(len(self.pools), self.batch, p=[p.share for p in self.pools])
        x = np.empty((self.batch, SIZE, SIZE, 4), np.uint8)
        for j, k in enumerate(picks):
            pool = self.pools[k]
            r = pool.rows[rng.integers(len(pool.rows))]
            patches = (pool.spaces if others is None else others[pool.name]).patches
            x[j] = augment.view(patches[r], pool.spaces.quads[r], SIZE, rng, self.people, pool.overhead) + 0.5
        label = torch.tensor([self.pools[k].label for k in picks])
        return torch.from_numpy(x), label, torch.tensor([self.pools[k].trust for k in picks])


class Pairs(Dataset):
    """The batches of `views`, and the same ones of the anonymized pictures: their views, plain views, labels, trust."""

    def __init__(self, views: Views, others: dict[str, Spaces]) -> None:
        self.views, self.others = views, others

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, ...]:
        return self.views.batch_of(i, self.others)[0], *self.views.batch_of(i, None)


class Stored(Dataset):
    """Batches of the stored views in an order of the epoch's own, mirrored at random."""

    def __init__(self, folders: list[Path], batch: int, seed: int) -> None:
        files = sorted(f for folder in folders for f in folder.glob("*.views.npy"))
        self.views = [np.load(f, mmap_mode="r") for f in files]
        self.targets = np.concatenate([np.load(str(f).replace(".views.", ".targets.")) for f in files])
        self.at = [(k, r) for k, v in enumerate(self.views) for r in range(len(v))]
        self.batch, self.seed, self.epoch = batch, seed, 0

    def __len__(self) -> int:
        return len(self.at) // self.batch

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.at))
        picks = order[i * self.batch : (i + 1) * self.batch]
        rng = np.random.default_rng((self.seed, self.epoch, i))
        x = np.stack([self.views[k][r] for k, r in (self.at[p] for p in picks)])
        mirrored = rng.random(len(x)) < 0.5
        x[mirrored] = x[mirrored, :, ::-1]
        return torch.from_numpy(x), torch.from_numpy(self.targets[picks]), torch.ones(len(x))


def pools_of(found: dict[str, Spaces], held: bool, unlabelled: float = 0.0) -> list[Pool]:
    """The spaces that are held out, or all others. Of the labelled draws half are occupied."""
    pools = []
    for name, spaces in found.items():
        usable = np.array([held_out(g) == held for g in spaces.groups])
        for label in (0, 1, -1):
            rows = np.nonzero(usable & (spaces.labels == label))[0]
            if len(rows):
                share, trust = SHARES[name], TRUST.get(name, 0.3) if label >= 0 else 0.0
                pools.append(Pool(name, spaces, rows, label, share, trust, name == "from_overhead_cars"))
    part = {0: 0.5 * (1 - unlabelled), 1: 0.5 * (1 - unlabelled), -1: unlabelled}
    pools = [p for p in pools if part[p.label] > 0]
    for label in {p.label for p in pools}:
        total = sum(p.share for p in pools if p.label == label)
        for p in pools:
            if p.label == label:
                p.share *= part[label] / total
    whole = sum(p.share for p in pools)
    for p in pools:
        p.share /= whole
    return pools


def train(
    name: str,
    net: torch.nn.Module,
    views: Dataset,
    work: Path,
    *,
    epochs: int,
    rate: float,
    seed: int,
    decay: float = 0.02,
    bfloat16: bool = HALF,
) -> torch.nn.Module:
    """AdamW, one cycle, averaged weights; returns the averaged net."""
    torch.manual_seed(seed)
    net = net.to(memory_format=torch.channels_last)
    average = copy.deepcopy(net)
    total = epochs * len(views)
    optimiser = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], rate, weight_decay=decay)
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
        for x, y, _ in DataLoader(views, batch_size=None, num_workers=2, prefetch_factor=4):
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                logit = net.read(x.float())
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
def predict(net: torch.nn.Module, spaces: Spaces, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits of plain views, and of their mirror images."""
    out = []
    for i in range(0, len(rows), 128):
        x = torch.from_numpy(np.stack([augment.plain(spaces.patches[r], spaces.quads[r], SIZE) for r in rows[i : i + 128]]))
        out.append(torch.stack([net.read(x), net.read(x.flip(2))]).numpy())
    return tuple(np.concatenate(out, 1)) if out else (np.zeros(0, np.float32),) * 2


def report(net: torch.nn.Module, found: dict[str, Spaces]) -> dict[str, tuple[np.ndarray, np.ndarray, list, np.ndarray]]:
    """Accuracy on each held-out group; returns logits, labels, pictures and logits of mirror images by source."""
    kept = {}
    for name, spaces in found.items():
        rows = np.nonzero([held_out(g) and y >= 0 for g, y in zip(spaces.groups, spaces.labels)])[0]
        if not len(rows):
            continue
        (z, mirrored), y = predict(net, spaces, rows), spaces.labels[rows]
        kept[name] = (z, y, [spaces.pictures[r] for r in rows], mirrored)
        for g in sorted({spaces.groups[r] for r in rows}):
            m = np.array([spaces.groups[r] == g for r in rows])
            ok = (z[m] > 0) == (y[m] > 0.5)
            p = [100 * ok[y[m] == v].mean() if (y[m] == v).any() else float("nan") for v in (1, 0)]
            print(f"  held out {name}: {g}: {100 * ok.mean():.2f} % (occupied {p[0]:.2f}, free {p[1]:.2f}, n {m.sum()})")
    return kept


def load_average(net: torch.nn.Module, path: Path) -> torch.nn.Module:
    """`net` with the averaged weights of a checkpoint."""
    net.load_state_dict(torch.load(path, weights_only=True)["average"])
    return net.eval()


@torch.no_grad()
def store(teachers: Teachers, views: Views, folder: Path, chunks: int, others: dict[str, Spaces] | None = None) -> None:
    """Views and their targets, in files of `len(views)` batches each; with `others`, theirs, while the teachers see
    the plain ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for chunk in range(chunks):
        path = folder / f"{chunk:03d}.views.npy"
        if path.exists():
            continue
        views.epoch, kept, targets, began = chunk, [], [], time.time()
        batches = Pairs(views, others) if others else views
        for *shown, x, label, trust in DataLoader(batches, batch_size=None, num_workers=2, prefetch_factor=4):
            with torch.autocast("cpu", torch.bfloat16, enabled=HALF):
                opinion = torch.sigmoid(teachers.read(x.float()).float())
            targets.append((trust * label + (1 - trust) * opinion).numpy())
            kept.append((shown or [x])[0].numpy())
        np.save(folder / f"{chunk:03d}.targets.npy", np.concatenate(targets).astype(np.float32))
        np.save(folder / "part.npy", np.concatenate(kept))
        os.replace(folder / "part.npy", path)
        print(f"{folder.name} {chunk + 1}/{chunks} {time.time() - began:.0f} s", flush=True)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", type=Path, default=Path(os.environ.get("PARKQ_DATA", ROOT.parent / "shared/data")))
    p.add_argument("--work", type=Path, default=ROOT / "target/train")
    p.add_argument("--rendered", type=Path, help="pictures made by scenes/render.py (default: <work>/rendered)")
    p.add_argument("--out", type=Path, default=ROOT / "models")
    p.add_argument("--stages", default="teachers,views,fold,final,export")
    p.add_argument("--teacher-epochs", type=int, default=12, help="of 8192 views each")
    p.add_argument("--views", type=int, default=16, help="chunks of 8192 stored views; half as many more are anonymized")
    p.add_argument("--epochs", type=int, default=7, help="of the small net over the stored views")
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--threads", type=int, default=2)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    work, seed, stages = args.work, args.seed, args.stages.split(",")
    work.mkdir(parents=True, exist_ok=True)
    rendered = args.rendered or work / "rendered"
    found = sources(args.data, rendered, work / "cache", seed)
    people = load_people(args.data / "highway_od", work / "cache")
    seen, unseen = [work / "views", work / "views_anonymized"], [work / "views_held_out", work / "views_anonymized_held_out"]

    if "teachers" in stages:
        for i, name in enumerate(BACKBONES):
            views = Views(pools_of(found, False), 8192, 64, seed + 10 * i, people)
            net = train(name, Teacher(name), views, work, epochs=args.teacher_epochs, rate=1.5e-3, seed=seed, decay=0.01,
                        bfloat16=False)  # fmt: skip
            report(net, found)
    if "views" in stages:
        teachers = Teachers([load_average(Teacher(name), work / f"{name}.pt") for name in BACKBONES]).eval()
        report(teachers, found)
        others = labelled_sources(args.data, rendered, work / "cache", "_anonymized", anonymized)
        labelled = {name: found[name] for name in others}
        for held, size, folders in ((False, 8192, seen), (True, 2048, unseen)):
            plain = Views(pools_of(found, held, 0.12), size, 128, seed + 1 + held, people)
            store(teachers, plain, folders[0], args.views)
            more = Views(pools_of(labelled, held), size, 128, seed + 3 + held, people)
            store(teachers, more, folders[1], -(-args.views // 2), others)
    for name, folders in (("fold", seen), ("final", seen + unseen)):
        if name in stages:
            views = Stored(folders, 128, seed)
            train(name, SpaceNet(), views, work, epochs=args.epochs, rate=3e-3, seed=seed)
    if "export" in stages:
        from calibrate import calibrate
        from export import write

        fitted = calibrate(load_average(SpaceNet(), work / "fold.pt"), found, args.data / "acpds")
        write(load_average(SpaceNet(), work / "final.pt"), fitted, args.out)


if __name__ == "__main__":
    main()

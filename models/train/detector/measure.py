"""How good is the detector, by the words of DESIGN.md: `python measure.py --checkpoint FILE SET[:SPLIT] ..`. A quick look;
the figures in the card come from parkq itself (example `evaluate`)."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from boxes import intersection, overlap
from data import Picture, load
from infer import detect
from net import LABELS, Detector

FLOORS = {"vehicle": 12, "person": 16, "plate": 0, "face": 0}


def excused(box: np.ndarray, ignored: np.ndarray) -> bool:
    """Whether half of a box [1, 4] lies in boxes to be ignored."""
    return len(ignored) > 0 and intersection(box, ignored).sum() >= 0.5 * np.prod(box[0, 2:] - box[0, :2])


def reduced(picture: Picture, height: float) -> Picture | None:
    """The picture with its median plate so high; none if it has none, or a smaller one."""
    plates = picture.boxes[(picture.labels == LABELS.index("plate")) & ~picture.ignore, 3]
    if not len(plates) or np.median(plates) <= height:
        return None
    f = height / np.median(plates)
    size = [max(1, round(side * f)) for side in picture.image.shape[1::-1]]
    return replace(picture, image=cv2.resize(picture.image, size, interpolation=cv2.INTER_AREA), boxes=picture.boxes * f)


def covered_share(box: np.ndarray, found: np.ndarray, grow: float) -> float:
    """The share of a box, shrunk by a pixel on each side, inside the union of the grown detections."""
    x0, y0, x1, y1 = box + (1, 1, -1, -1) if min(box[2] - box[0], box[3] - box[1]) > 3 else box
    n = 48
    xs, ys = x0 + (np.arange(n) + 0.5) / n * (x1 - x0), y0 + (np.arange(n) + 0.5) / n * (y1 - y0)
    inside = np.zeros((n, n), bool)
    for l, t, r, b in found:
        w, h = grow * (r - l), grow * (b - t)
        inside |= ((ys >= t - h) & (ys <= b + h))[:, None] & ((xs >= l - w) & (xs <= r + w))[None]
    return float(inside.mean())


class Tally:
    def __init__(self) -> None:
        self.rows: list[tuple[float, float, float]] = []  # height, IoU of the best, covered share
        self.false, self.pictures = 0, 0


def judge(picture: Picture, rows: np.ndarray, tallies: dict[str, Tally]) -> list[tuple[int, float, bool]]:
    """Adds a picture's results; returns label, score and truth of each detection that counts."""
    counted = []
    for c, label in enumerate(LABELS):
        mine = rows[rows[:, 0] == c]
        real, ignored = picture.corners(c)
        tally = tallies[label]
        boxes = mine[:, 2:]
        iou = overlap(real, boxes)
        for i, box in enumerate(real):
            near = boxes[iou[i] > 0]
            tally.rows.append((box[3] - box[1], iou[i].max(initial=0), covered_share(box, near, 0.1)))
        if not picture.known[c]:
            continue
        tally.pictures += 1
        taken = np.zeros(len(real), bool)
        for k in range(len(boxes)):
            best = iou[:, k].argmax() if len(real) else -1
            hit = best >= 0 and iou[best, k] >= 0.5 and not taken[best]
            if hit:
                taken[best] = True
            elif excused(boxes[k : k + 1], ignored):
                continue
            else:
                tally.false += 1
            counted.append((c, mine[k, 1], hit))
    return counted


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("sets", nargs="+", help="SET:SPLIT, SPLIT one of val, held, all")
    p.add_argument("--data", type=Path, default=Path(os.environ.get("PARKQ_DATA", "../shared/data")))
    p.add_argument("--checkpoint", type=Path, required=True)
    p.add_argument("--threshold", type=float, nargs=4, default=[0.3, 0.3, 0.3, 0.3])
    p.add_argument("--limit", type=int, default=10_000)
    p.add_argument("--shrink", type=float, default=0, help="reduce each picture until its median plate is so high")
    args = p.parse_args()
    net = Detector().to(memory_format=torch.channels_last)
    net.load_state_dict(torch.load(args.checkpoint, weights_only=True)["average"])
    net.eval()
    for name in args.sets:
        name, split = name.split(":")
        if split == "held":
            pictures = load(args.data, name, True)
        else:
            pictures = load(args.data, name, False, "val") + (load(args.data, name, False) + load(args.data, name, True) if split == "all" else [])
        tallies = {label: Tally() for label in LABELS}
        for picture in pictures[: args.limit]:
            picture = reduced(picture, args.shrink) if args.shrink else picture
            if picture is None:
                continue
            judge(picture, detect(net, picture.image, np.array(args.threshold)), tallies)
        print(f"{name}:{split} {len(pictures)} pictures")
        for label, tally in tallies.items():
            if not tally.rows:
                continue
            rows = np.array(tally.rows)
            line = f"  {label:8}"
            for low, high in ((0, 8), (8, 16), (16, 32), (32, 96), (96, 1e9), (0, 1e9)):
                part = rows[(rows[:, 0] >= low) & (rows[:, 0] < high)]
                if len(part):
                    line += f" | {low:g}-{high:g}: n {len(part)} rec {np.mean(part[:, 1] >= 0.5):.3f} cov {np.mean(part[:, 2] >= 0.95):.3f}"
            print(line, f"| false {tally.false / max(tally.pictures, 1):.2f}", flush=True)


if __name__ == "__main__":
    main()

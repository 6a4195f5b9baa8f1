"""Fits slope and bias of each label's logit on pictures that training never saw, so that of the detections at score 0.5 half
are right, then those of the second look; prints what each threshold would give there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from boxes import overlap
from data import REAL, load
from infer import detect, logit, nms
from measure import Tally, excused, judge, reduced
from net import LABELS, Detector
from second import LOOKED, PERSONS, TALL, Second, again, look, said

FLOOR = 0.02


def platt(right: np.ndarray, *logits: np.ndarray) -> list[float]:
    """Logistic regression by Newton's method, with Platt's smoothed targets (Platt, 1999): the logits' slopes and the bias."""
    target = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))
    x = np.stack([*logits, np.ones(len(right))], 1)
    w = start = np.array([1 / len(logits)] * len(logits) + [0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ w))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(len(w))
        w = w - np.linalg.solve(hessian, x.T @ (p - target) + 1e-3 * (w - start))
    return w.tolist()


def summary(tallies: dict[str, Tally]) -> str:
    parts = ""
    for label, tally in tallies.items():
        if tally.rows:
            rows = np.array(tally.rows)
            parts += f" | {label} n {len(rows)} recall {np.mean(rows[:, 1] >= 0.5):.3f} covered {np.mean(rows[:, 2] >= 0.95):.3f}"
            parts += f" false {tally.false / max(tally.pictures, 1):.2f}"
    return parts


def calibrate(net: Detector, data: Path) -> dict:
    seen = [(picture, detect(net, picture.image, np.full(4, FLOOR))) for name in REAL for picture in load(data, name, True)]
    counted = [row for picture, rows in seen for row in judge(picture, rows, {label: Tally() for label in LABELS})]
    fitted: dict[str, list[float]] = {"slope": [], "bias": []}
    for c in range(len(LABELS)):
        score = np.array([s for label, s, _ in counted if label == c])
        right = np.array([hit for label, _, hit in counted if label == c], bool)
        slope, bias = platt(right, logit(score))
        fitted["slope"].append(slope)
        fitted["bias"].append(bias)
        print(f"{LABELS[c]}: {len(right)} detections, {right.sum()} right, slope {slope:.3f}, bias {bias:.3f}")
    slope, bias = np.array(fitted["slope"]), np.array(fitted["bias"])
    for threshold in (0.03, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6):
        for name in REAL:
            tallies = {label: Tally() for label in LABELS}
            for picture, rows in seen:
                if picture.set == name:
                    c = rows[:, 0].astype(int)
                    score = 1 / (1 + np.exp(-(logit(rows[:, 1]) * slope[c] + bias[c])))
                    judge(picture, rows[score >= threshold], tallies)
            print(f"{threshold:.2f} {name:18}" + summary(tallies), flush=True)
    return fitted


#: What is looked at again on held-out pictures, as in parkq-core/src/detect/second.rs.
LOOKS = np.array([1.1, 1.1, 0.005, 0.005])
#: To what height of the median plate the plate sets' pictures are reduced, too.
HEIGHTS = (None, 24, 16, 12, 8)
#: By how much a box is grown to each side, across and down, in sides of its window: that covers more of them whole.
GROWN = {"plate": (0.04, 0.025), "face": (0.04, 0.04)}


class Candidates:
    """What both looks say of candidates of one label, and which of them are right; what the labels excuse does not count."""

    def __init__(self) -> None:
        self.once, self.twice, self.right = [], [], []

    def add(self, scores: np.ndarray, logits: np.ndarray, boxes: np.ndarray, true: np.ndarray, ignored: np.ndarray) -> None:
        """The first look's scores, the second's log-odds, and boxes [n, 4], of one picture."""
        for score, z, box in zip(scores, logits, boxes):
            right = len(true) > 0 and overlap(box[None], true).max() >= 0.5
            if right or not excused(box[None], ignored):
                self.once.append(score)
                self.twice.append(z)
                self.right.append(right)

    def fit(self, label: str) -> list[float]:
        """Weight, slope and bias."""
        once, twice, right = logit(np.array(self.once)), np.array(self.twice), np.array(self.right, bool)
        weight, slope, bias = fitted = platt(right, once, twice)
        cross = lambda z: np.logaddexp(0, np.where(right, -z, z)).mean()  # noqa: E731
        print(f"{label}: {len(right)} candidates, {right.sum()} right, weight {weight:.3f}, slope {slope:.3f}, bias {bias:.3f}, "
              f"cross-entropy {cross(once):.3f} -> {cross(weight * once + slope * twice + bias):.3f}")
        return fitted


def calibrate_second(net: Detector, second: Second, first: dict, data: Path) -> dict:
    """Of plates and faces the log-odds are `weight` times the first look's, `slope` times the second's, and `bias`."""
    fit = np.array([first["slope"], first["bias"]])
    seen = []
    for name in REAL:
        heights = HEIGHTS if name.endswith("_plates") else HEIGHTS[:1]
        shown = ((height, reduced(p, height) if height else p) for p in load(data, name, True) for height in heights)
        for height, picture in shown:
            if picture is None:
                continue
            rows = detect(net, picture.image, LOOKS, fit)
            seen.append((height, picture, rows, look(second, picture.image, rows)))
    fitted: dict = {"weight": [], "slope": [], "bias": [], "grown": []}
    for k, label in enumerate(LOOKED):
        c = LABELS.index(label)
        candidates = Candidates()
        for _, picture, rows, (logits, boxes, _) in seen:
            if picture.known[c]:
                mine = rows[:, 0] == c
                candidates.add(rows[mine, 1], logits[mine], boxes[mine], *picture.corners(c))
        for name, value in zip(fitted, (*candidates.fit(label), GROWN[label])):
            fitted[name].append(value)
    for threshold in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6):
        for height in HEIGHTS:
            tallies = {label: Tally() for label in LABELS}
            for reduced_to, picture, rows, looks in seen:
                if reduced_to == height:
                    judged = again(rows, looks, fitted)
                    judge(picture, judged[judged[:, 1] >= threshold], tallies)
            print(f"{threshold:.2f} {height or 'full'}" + summary({label: tallies[label] for label in LOOKED}), flush=True)
    return fitted


def calibrate_persons(net: Detector, second: Second, first: dict, data: Path) -> dict:
    """Of persons the log-odds are `weight` times the first look's, `slope` times the second's, and `bias`."""
    fit, c = np.array([first["slope"], first["bias"]]), LABELS.index("person")
    seen, candidates = [], Candidates()
    for picture in (picture for name in REAL for picture in load(data, name, True) if picture.known[c]):
        for fine in sorted(set(PERSONS.fine)):
            rows = detect(net, picture.image, PERSONS.floor, fit, fine)
            small = rows[:, 5] - rows[:, 3] < TALL
            logits = np.zeros(len(rows))
            if small.any():
                logits[small] = said(second, picture.image, rows[small])[:, -1]
            seen.append((fine, picture, rows, small, logits))
            candidates.add(rows[small, 1], logits[small], rows[small, 2:], *picture.corners(c))
    weight, slope, bias = candidates.fit("person")
    for name in REAL:
        for fine in sorted(set(PERSONS.fine)):
            shown = [part[1:] for part in seen if part[0] == fine and part[1].set == name]
            for threshold in (0.02, 0.03, 0.04, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5) if shown else ():
                before, after = ({label: Tally() for label in LABELS} for _ in range(2))
                for picture, rows, small, logits in shown:
                    judge(picture, rows[rows[:, 1] >= threshold], before)
                    z = logit(rows[:, 1])
                    z = np.where(small, weight * z + slope * logits + bias, z)
                    kept = np.concatenate([rows[:, :1], 1 / (1 + np.exp(-z[:, None])), rows[:, 2:]], 1)
                    judge(picture, nms(kept[kept[:, 1] >= threshold]), after)
                persons = [summary({"person": tallies["person"]}) for tallies in (before, after)]
                print(f"{name} {fine} {threshold:.2f} once{persons[0]}, twice{persons[1]}", flush=True)
    return {"weight": [weight], "slope": [slope], "bias": [bias]}

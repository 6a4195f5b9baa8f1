"""Fits slope and bias of each label's logit on pictures that training never saw, so that of the detections at score 0.5 half
are right; prints what each threshold would give there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data import REAL, load
from infer import detect
from measure import Tally, judge
from net import LABELS, Detector

FLOOR = 0.02


def platt(logits: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Logistic regression by Newton's method, with Platt's smoothed targets (Platt, 1999)."""
    target = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))
    x = np.stack([logits, np.ones_like(logits)], 1)
    w = np.array([1.0, 0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ w))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(2)
        w -= np.linalg.solve(hessian, x.T @ (p - target) + 1e-3 * (w - (1, 0)))
    return float(w[0]), float(w[1])


def calibrate(net: Detector, data: Path) -> dict:
    seen = [(picture, detect(net, picture.image, np.full(4, FLOOR))) for name in REAL for picture in load(data, name, True)]
    counted = [row for picture, rows in seen for row in judge(picture, rows, {label: Tally() for label in LABELS})]
    fitted: dict[str, list[float]] = {"slope": [], "bias": []}
    for c in range(len(LABELS)):
        score = np.array([s for label, s, _ in counted if label == c]).clip(1e-6, 1 - 1e-6)
        right = np.array([hit for label, _, hit in counted if label == c], bool)
        slope, bias = platt(np.log(score / (1 - score)), right)
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
                    score = 1 / (1 + np.exp(-(np.log(rows[:, 1] / (1 - rows[:, 1] + 1e-9)) * slope[c] + bias[c])))
                    judge(picture, rows[score >= threshold], tallies)
            line = f"{threshold:.2f} {name:18}"
            for label, tally in tallies.items():
                if tally.rows:
                    rows = np.array(tally.rows)
                    line += f" | {label} n {len(rows)} recall {np.mean(rows[:, 1] >= 0.5):.3f} covered {np.mean(rows[:, 2] >= 0.95):.3f}"
                    line += f" false {tally.false / max(tally.pictures, 1):.2f}"
            print(line, flush=True)
    return fitted

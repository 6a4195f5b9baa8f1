"""Calibration, thresholds and the spread of the count, fitted to lots and cameras the net has not seen.

The count's interval is the library's (parkq-core/src/occupancy/count.rs): the Poisson binomial's 2.5 % and 97.5 %
quantiles, stretched about the mean by the root of the dispersion, rounded outward, cut to 0..number of spaces.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from data import Spaces, labelled_pictures, load_rgb
from second_look import SecondLook


def _fit(z: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple[float, float]:
    """Slope and bias of the logit by weighted cross-entropy."""
    zt, yt, wt = (torch.tensor(v, dtype=torch.float64) for v in (z, y, w))
    p = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([p], max_iter=200)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(zt * p[0] + p[1], yt, wt) + 0.001 * p[1] ** 2
        loss.backward()
        return loss

    optimiser.step(closure)
    return p[0].item(), p[1].item()


def interval(p: np.ndarray, dispersion: float) -> tuple[int, int]:
    mass = np.ones(1)
    for q in p.astype(float):
        mass = np.convolve(mass, [1 - q, q])
    low, high = (np.searchsorted(mass.cumsum(), q) for q in (0.025, 0.975))
    mean, spread = p.sum(), np.sqrt(dispersion)
    low, high = np.floor(mean + (low - mean) * spread + 1e-6), np.ceil(mean + (high - mean) * spread - 1e-6)
    return int(np.clip(low, 0, len(p))), int(np.clip(high, 0, len(p)))


#: Calibrated log-odds nearer to zero than this are unsure: the library reads the mirror image too, and takes the mean; if
#: that is unsure too, there is a second look.
UNSURE = 2.5
#: The band of unknown spaces is at least so wide, in log-odds: what the rule gave with the detector before. With the present
#: one a single held-out space would narrow it to 1.72.
LEAST_BAND = 2.14


def read_twice(z: np.ndarray, mirrored: np.ndarray, slope: float, bias: float) -> np.ndarray:
    """Calibrated log-odds, of unsure spaces the mean with those of the mirror image."""
    z, mirrored = z * slope + bias, mirrored * slope + bias
    return np.where(np.abs(z) < UNSURE, (z + mirrored) / 2, z)


def look_again(z: np.ndarray, image: np.ndarray, quads: list[np.ndarray], second: SecondLook) -> np.ndarray:
    """Log-odds of a picture's spaces after the second look."""
    says = [second.evidence(image, q.astype(np.float64)) if abs(odds) < UNSURE else 0.0 for odds, q in zip(z, quads)]
    return z + np.array(says)


def calibrate(net: torch.nn.Module, found: dict[str, Spaces], acpds: Path) -> dict:
    from train import held_out, report

    kept = report(net, found)
    # Labelled slots count most: the derived spaces carry label noise of their own.
    names = [n for n in ("acpds", "from_atl_vehicles", "from_overhead_cars") if n in kept]
    z = np.concatenate([kept[n][0] for n in names])
    y = np.concatenate([kept[n][1] for n in names])
    w = np.concatenate([np.full(len(kept[n][0]), (1.0 if n == "acpds" else 0.15) / len(kept[n][0])) for n in names])
    slope, bias = _fit(z, y, w * len(z))
    z, y, pictures, mirrored = kept["acpds"]
    z = read_twice(z, mirrored, slope, bias)
    second, at = SecondLook(), 0
    for picture in (p for p in labelled_pictures(acpds, "train") if held_out(p.group)):
        rows = slice(at, at + len(picture.quads))
        assert (y[rows] == picture.labels).all()
        z[rows], at = look_again(z[rows], load_rgb(picture.path), picture.quads, second), rows.stop
    assert at == len(z)
    right, entropy = ((z > 0) == (y > 0.5)).mean(), np.logaddexp(0, -z * (2 * y - 1)).mean()
    print(f"with the second look: {100 * right:.2f} %, cross-entropy {entropy:.4f}", flush=True)
    p = 1 / (1 + np.exp(-z))
    # The narrowest band, symmetric in the logit, whose answers are right often enough.
    band = LEAST_BAND
    for band in np.arange(LEAST_BAND, 4, 0.02):
        lo, hi = 1 / (1 + np.exp(band)), 1 / (1 + np.exp(-band))
        answered = (p < lo) | (p > hi)
        if ((p > 0.5) == (y > 0.5))[answered].mean() >= 0.99 or answered.mean() < 0.95:
            break
    by_picture = [np.array([q == name for q in pictures]) for name in sorted(set(pictures))]
    dispersion = 1.0
    for dispersion in np.arange(1, 8, 0.1):
        hits = [lo <= y[m].sum() <= hi for m in by_picture for lo, hi in [interval(p[m], dispersion)]]
        if np.mean(hits) >= 0.94:
            break
    fitted = dict(
        slope=slope,
        bias=bias,
        free_below=round(float(1 / (1 + np.exp(band))), 4),
        occupied_above=round(float(1 / (1 + np.exp(-band))), 4),
        dispersion=round(float(dispersion), 2),
    )
    print("calibration", fitted, f"held-out pictures {len(by_picture)}, covered {np.mean(hits):.3f}", flush=True)
    return fitted

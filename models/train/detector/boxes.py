"""What boxes have in common."""

from __future__ import annotations

import numpy as np


def intersection(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of boxes [n, 4] and [m, 4], corners."""
    lo = np.maximum(a[:, None, :2], b[None, :, :2])
    hi = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.prod(np.clip(hi - lo, 0, None), 2)


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU of boxes [n, 4] and [m, 4], corners."""
    area = lambda t: np.prod(t[:, 2:] - t[:, :2], 1)  # noqa: E731
    common = intersection(a, b)
    return common / (area(a)[:, None] + area(b)[None] - common + 1e-9)

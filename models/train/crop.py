"""The crop the network reads: the same arithmetic as the library's.

The square round a space is 1.5 times the longer side of its quad's bounding box. It is resampled with a
triangle filter that widens when shrinking (Pillow's BILINEAR); pixels outside the picture repeat the edge.
"""

from __future__ import annotations

import numpy as np

SIZE = 80
MARGIN = 1.5


def square(quad: np.ndarray, margin: float = MARGIN) -> tuple[float, float, float]:
    """Left, top and side of the square round a quad."""
    lo, hi = quad.min(0), quad.max(0)
    side = float(margin * (hi - lo).max())
    cx, cy = (lo + hi) / 2
    return float(cx - side / 2), float(cy - side / 2), side


def _weights(start: float, side: float, size: int) -> tuple[int, np.ndarray]:
    """First source index and the dense weights [size, n] of one axis."""
    scale = side / size
    support = max(1.0, scale)
    centres = start + (np.arange(size) + 0.5) * scale
    first = int(np.floor(centres[0] - support))
    last = int(np.ceil(centres[-1] + support)) + 1
    taps = np.arange(first, last) + 0.5
    w = np.maximum(0.0, 1.0 - np.abs(taps[None] - centres[:, None]) / support)
    return first, (w / w.sum(1, keepdims=True)).astype(np.float32)


def resample(image: np.ndarray, left: float, top: float, side: float, size: int = SIZE) -> np.ndarray:
    """The square of an RGB picture as float32 [size, size, 3]."""
    h, w = image.shape[:2]
    x0, wx = _weights(left, side, size)
    y0, wy = _weights(top, side, size)
    ys = np.clip(np.arange(y0, y0 + wy.shape[1]), 0, h - 1)
    xs = np.clip(np.arange(x0, x0 + wx.shape[1]), 0, w - 1)
    y_lo, y_hi, x_lo, x_hi = ys[0], ys[-1] + 1, xs[0], xs[-1] + 1
    region = image[y_lo:y_hi, x_lo:x_hi].astype(np.float32)
    # Taps beyond the picture read the edge: add their weights to the edge column.
    fold_x = np.zeros((size, x_hi - x_lo), np.float32)
    fold_y = np.zeros((size, y_hi - y_lo), np.float32)
    np.add.at(fold_x.T, xs - x_lo, wx.T)
    np.add.at(fold_y.T, ys - y_lo, wy.T)
    rows = (fold_y @ region.reshape(region.shape[0], -1)).reshape(size, -1, 3)
    return np.einsum("xw,ywc->yxc", fold_x, rows, optimize=True)


def fill(quad: np.ndarray, size: int = SIZE) -> np.ndarray:
    """1.0 where a pixel's centre lies inside the quad (even-odd), quad in output pixels."""
    c = np.arange(size) + 0.5
    return inside(quad, c[None], c[:, None]).astype(np.float32)


def inside(quad: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which points lie in a quad (even-odd)."""
    within = np.zeros(np.broadcast_shapes(x.shape, y.shape), bool)
    for (x1, y1), (x2, y2) in zip(quad, np.roll(quad, -1, 0)):
        if y1 != y2:
            within ^= ((y1 > y) != (y2 > y)) & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return within


def normalise(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Network input [4, size, size] from a crop in 0..255 and its mask."""
    rgb = (rgb - rgb.mean()) / (rgb.std() + 10.0)
    return np.concatenate([rgb, mask[..., None]], 2).transpose(2, 0, 1).astype(np.float32)


def network_input(image: np.ndarray, quad: np.ndarray, size: int = SIZE) -> np.ndarray:
    left, top, side = square(quad)
    rgb = resample(image, left, top, side, size)
    mask = fill((quad - (left, top)) * (size / side), size)
    return normalise(rgb, mask)

"""What the library does with the net, for calibration: an image pyramid, decoding, NMS. parkq-core is the reference."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from net import HALF, LABELS, RAW, STRIDE, Detector

FINE, ENLARGED, COARSE, LEAST = 896, 3.0, 0.317, 90  # as in parkq-core/src/detect/views.rs
MAX_OVERLAP = 0.5
#: Boxes of vehicles, persons, plates and faces are widened by these shares of their sides, on each side (folded into the
#: exported net): on held-out pictures that covers more objects whole and costs next to no recall.
GROW = np.array([0.05, 0.1, 0.08, 0.05])


def levels(width: int, height: int, fine: float = FINE) -> list[float]:
    side = max(width, height)
    scales = [min(ENLARGED, fine / side)]
    while scales[-1] * COARSE * side >= LEAST:
        scales.append(scales[-1] * COARSE)
    return scales


@torch.no_grad()
def cells_of(net: Detector, image: np.ndarray, scale: float) -> tuple[np.ndarray, float, float]:
    height, width = image.shape[:2]
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    resized = image if scale == 1 else cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    padded = np.full((-(-h // 32) * 32, -(-w // 32) * 32, 3), 114, np.uint8)
    padded[:h, :w] = resized
    x = torch.from_numpy(padded).permute(2, 0, 1)[None].float().contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled=HALF):
        cells = net(x)
    return cells[0].float().numpy(), w / width, h / height


def logit(p: np.ndarray) -> np.ndarray:
    """The log-odds of scores."""
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def decode(cells: np.ndarray, kx: float, ky: float, floor: np.ndarray, fit: np.ndarray | None = None) -> np.ndarray:
    """Rows of label, score, left, top, right, bottom in the picture's pixels; `fit` is slope and bias of each logit."""
    n = len(LABELS)
    found = []
    for c in range(n):
        odds = cells[c] if fit is None else cells[c] * fit[0, c] + fit[1, c]
        score = 1 / (1 + np.exp(-odds))
        y, x = np.nonzero(score >= floor[c])
        reach = STRIDE * (1 + 2 * GROW[c]) * np.exp(np.clip(cells[n + 4 * c : n + 4 * c + 4, y, x], *RAW))
        cx, cy = (x + 0.5) * STRIDE, (y + 0.5) * STRIDE
        box = np.stack([(cx - reach[0]) / kx, (cy - reach[1]) / ky, (cx + reach[2]) / kx, (cy + reach[3]) / ky], 1)
        found.append(np.concatenate([np.full((len(x), 1), c), score[y, x][:, None], box], 1))
    return np.concatenate(found)


def nms(rows: np.ndarray) -> np.ndarray:
    kept = []
    for c in range(len(LABELS)):
        mine = rows[rows[:, 0] == c]
        mine = mine[np.argsort(-mine[:, 1], kind="stable")]
        while len(mine):
            best, mine = mine[0], mine[1:]
            kept.append(best)
            if len(mine):
                lo, hi = np.maximum(mine[:, 2:4], best[2:4]), np.minimum(mine[:, 4:6], best[4:6])
                inter = np.prod(np.clip(hi - lo, 0, None), 1)
                area = lambda r: (r[..., 4] - r[..., 2]) * (r[..., 5] - r[..., 3])  # noqa: E731
                mine = mine[inter / (area(mine) + area(best) - inter + 1e-9) <= MAX_OVERLAP]
    return np.array(kept).reshape(-1, rows.shape[1])


def detect(net: Detector, image: np.ndarray, floor: np.ndarray, fit: np.ndarray | None = None, fine: float = FINE) -> np.ndarray:
    height, width = image.shape[:2]
    rows = [decode(*cells_of(net, image, scale), floor, fit) for scale in levels(width, height, fine)]
    rows = np.concatenate(rows)
    rows[:, [2, 4]] = rows[:, [2, 4]].clip(0, width)
    rows[:, [3, 5]] = rows[:, [3, 5]].clip(0, height)
    return nms(rows)

"""What the library's second look says of spaces: the bundled detector, shown the square round a space. parkq-core
(occupancy/estimator.rs) is the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from crop import inside, resample, square

DETECTOR = Path(__file__).resolve().parents[2] / "models/detector.onnx"

#: Side of the square, as a multiple of the longer side of the quad's bounding box, and pixels of the input.
MARGIN, PIXELS = 1.2, 128
#: A vehicle adds the first and so many times its log-odds (those of 0.99 at most) to the log-odds of the space.
VEHICLE, SUREST, NO_VEHICLE = (1.0, 0.7), np.log(99.0), -1.2
#: Boxes that overlap more are one vehicle; a vehicle of lower log-odds says no more than none.
MAX_OVERLAP, LEAST = 0.5, np.log(0.04 / 0.96)
#: Mean and deviation to which the square is brought, of 255; a deviation below the last is left in proportion.
EVEN = (115.0, 50.0, 10.0)
STRIDE, CLASSES, RAW = 8, 4, (-4.0, 5.0)


class SecondLook:
    def __init__(self, detector: Path = DETECTOR) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(detector), options, providers=["CPUExecutionProvider"])

    def evidence(self, image: np.ndarray, quad: np.ndarray) -> float:
        """What it adds to a space's log-odds."""
        left, top, side = square(quad, MARGIN)
        shown = resample(image, left, top, side, PIXELS)
        shown = np.clip((shown - shown.mean()) * (EVEN[1] / max(shown.std(), EVEN[2])) + EVEN[0], 0, 255)
        shown = np.ascontiguousarray(shown.transpose(2, 0, 1)[None], np.float32)
        cells = self.session.run(None, {"image": shown})[0][0]
        (height, width), scale = image.shape[:2], side / PIXELS
        picture = np.array([[-left, -top], [width - left, height - top]]) / scale
        odds, boxes = vehicles(cells, *picture)
        x, y = (boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 1] + 0.75 * (boxes[:, 3] - boxes[:, 1])
        on_it = inside((quad - (left, top)) * (PIXELS / side), x, y)
        said = VEHICLE[0] + VEHICLE[1] * np.minimum(odds[on_it], SUREST)
        return float(max(said.max(initial=NO_VEHICLE), NO_VEHICLE))


def vehicles(cells: np.ndarray, least: np.ndarray, most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds and boxes (left, top, right, bottom in the input's pixels), one for each vehicle; boxes are clipped to the
    picture, which reaches from `least` to `most`."""
    rows, columns = np.nonzero(cells[0] >= LEAST)
    odds = cells[0, rows, columns]
    reach = STRIDE * np.exp(np.clip(cells[CLASSES : CLASSES + 4, rows, columns], *RAW))
    x, y = (columns + 0.5) * STRIDE, (rows + 0.5) * STRIDE
    boxes = np.stack([x - reach[0], y - reach[1], x + reach[2], y + reach[3]], 1)
    boxes = np.clip(boxes, np.tile(least, 2), np.tile(most, 2))
    seen = (boxes[:, 2:] > boxes[:, :2]).all(1)
    odds, boxes = odds[seen], boxes[seen]
    left, kept = list(np.argsort(-odds, kind="stable")), []
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while left:
        best = left.pop(0)
        kept.append(best)
        low, high = np.maximum(boxes[left, :2], boxes[best, :2]), np.minimum(boxes[left, 2:], boxes[best, 2:])
        common = np.prod(np.clip(high - low, 0, None), 1)
        left = [i for i, c in zip(left, common) if c <= MAX_OVERLAP * (area[i] + area[best] - c)]
    return odds[kept], boxes[kept]

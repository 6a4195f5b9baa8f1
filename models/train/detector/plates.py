"""Number plates of many layouts, drawn and pasted onto vehicles in true size, turned and lit like their place."""

from __future__ import annotations

import string

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

HEIGHT = 96  # of a drawn plate, pixels
LETTERS = "".join(c for c in string.ascii_uppercase)

# width over height, background, ink, blue band, patterns of one or two lines (A letter, 9 digit), weight
LAYOUTS = (
    (4.7, (240, 240, 236), (12, 12, 14), True, ("AA AA 999", "AA-999-AA", "A 999 AA", "999-AAA", "AAA 9999"), 6),
    (4.7, (240, 240, 236), (12, 12, 14), False, ("AA 999999", "AA99 AAA", "AA 99999"), 4),
    (4.7, (236, 190, 30), (12, 12, 14), False, ("AA99 AAA", "99-AAA-9", "AA 999 AA"), 3),
    (4.7, (240, 240, 236), (150, 24, 28), True, ("9-AAA-999",), 1),
    (2.0, (232, 236, 244), (24, 34, 110), False, ("AAA 9999", "9AAA999", "999 AAA"), 2),
    (2.0, (240, 240, 236), (20, 90, 50), False, ("999|9999", "AA 99|99"), 2),
    (3.1, (16, 16, 18), (236, 236, 236), False, ("A 9999 AA", "AA 9999 A"), 4),
    (3.1, (240, 240, 240), (12, 12, 14), False, ("A 9999 AA", "AA9A999", "99A 9999"), 3),
    (3.1, (20, 64, 170), (240, 240, 240), False, ("A A9999", "A A 99999"), 2),
    (3.1, (60, 150, 90), (12, 12, 14), False, ("A AA99999",), 1),
    (1.5, (240, 240, 236), (12, 12, 14), False, ("AA 99|AA 999", "A 99|9999"), 2),
    (1.5, (16, 16, 18), (236, 236, 236), False, ("A 999|AA", "AA|9999"), 1),
)  # fmt: skip


def draw(layout: tuple, rng: np.random.Generator) -> np.ndarray:
    """One plate, RGB, HEIGHT pixels high."""
    ratio, back, ink, band, patterns, _ = layout
    width = int(HEIGHT * ratio)
    image = Image.new("RGB", (width, HEIGHT), tuple(int(np.clip(c + rng.normal(0, 8), 0, 255)) for c in back))
    pen = ImageDraw.Draw(image)
    left = 0
    if band:
        left = int(HEIGHT * 0.4)
        pen.rectangle([0, 0, left, HEIGHT], fill=(20, 50, 150))
    if rng.random() < 0.7:
        pen.rectangle([1, 1, width - 2, HEIGHT - 2], outline=ink, width=int(rng.integers(2, 5)))
    pattern = patterns[rng.integers(len(patterns))]
    text = "".join(
        LETTERS[rng.integers(26)] if c == "A" else str(rng.integers(10)) if c == "9" else c for c in pattern
    )
    lines = text.split("|")
    for i, line in enumerate(lines):
        size = HEIGHT * 0.9 / len(lines)
        font = ImageFont.load_default(size)
        box = pen.textbbox((0, 0), line, font=font, stroke_width=2)
        room = (width - left) * rng.uniform(0.84, 0.94)
        if box[2] - box[0] > room:
            font = ImageFont.load_default(size * room / (box[2] - box[0]))
            box = pen.textbbox((0, 0), line, font=font, stroke_width=2)
        x = left + (width - left - (box[2] - box[0])) / 2 - box[0]
        y = HEIGHT * (i + 0.5) / len(lines) - (box[1] + box[3]) / 2
        pen.text((x, y), line, ink, font, stroke_width=int(rng.integers(0, 3)), stroke_fill=ink)
    return np.asarray(image)


class Plates:
    """Drawn plates, and those cut out of training pictures."""

    def __init__(self, rng: np.random.Generator, cut: list[np.ndarray], count: int = 800) -> None:
        weights = np.array([layout[-1] for layout in LAYOUTS], float)
        self.bank = [draw(LAYOUTS[rng.choice(len(LAYOUTS), p=weights / weights.sum())], rng) for _ in range(count)]
        self.bank += cut

    def paste(self, view: np.ndarray, vehicles: np.ndarray, rng: np.random.Generator, share: float = 0.6) -> list[np.ndarray]:
        """Pastes plates onto some of the vehicles (x, y, w, h); returns the plates' boxes."""
        pasted: list[np.ndarray] = []
        for x, y, w, h in vehicles:
            if rng.random() > share or w < 28 or h < 18:
                continue
            plate = self.bank[rng.integers(len(self.bank))]
            ratio = plate.shape[1] / plate.shape[0]
            # A plate is a quarter to a third of a car's width when seen head-on.
            across = min(w, 1.6 * h) * rng.uniform(0.2, 0.34) * (1 if ratio > 2.5 else 0.65)
            tall = across / ratio * rng.uniform(0.85, 1.15)
            across *= rng.uniform(0.45, 1.0)  # turned away
            if tall < 5 or across < 8:
                continue
            cx = x + w * (0.5 + rng.normal(0, 0.14))
            cy = y + h * rng.uniform(0.5, 0.92)
            box = self.put(view, plate, cx, cy, across, tall, rng)
            if box is not None and not any(overlaps(box, other) for other in pasted):
                pasted.append(box)
        return pasted

    def renew(self, view: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draws another plate over the one in a box (x, y, w, h); returns its box, or the old one if there is no room."""
        x, y, w, h = box
        if h < 5 or w < 6:
            return box
        plate = self.bank[rng.integers(len(self.bank))]
        ratio = plate.shape[1] / plate.shape[0]
        if not 0.5 < (w / h) / ratio < 1.7:
            return box
        new = self.put(view, plate, x + w / 2, y + h / 2, w * rng.uniform(0.9, 1.08), h * rng.uniform(0.9, 1.1), rng, 0.35)
        return box if new is None else new

    @staticmethod
    def put(
        view: np.ndarray,
        plate: np.ndarray,
        cx: float,
        cy: float,
        across: float,
        tall: float,
        rng: np.random.Generator,
        turned: float = 1.0,
    ) -> np.ndarray | None:
        """One plate; `turned` scales how far it is turned and slanted."""
        side = view.shape[0]
        # Most stand nearly level; some are seen from a camera that hangs askew, or from the side.
        turn, shear = turned * rng.normal(0, 0.08 if rng.random() < 0.62 else 0.4), turned * rng.normal(0, 0.2)
        a = np.array([[across, shear * 0.3 * tall], [shear * across, tall]])
        c, s = np.cos(turn), np.sin(turn)
        a = np.array([[c, -s], [s, c]]) @ a
        corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) @ a.T + (cx, cy)
        lo, hi = corners.min(0), corners.max(0)
        x0, y0 = np.floor(lo).astype(int) - 1
        x1, y1 = np.ceil(hi).astype(int) + 1
        if x0 < 0 or y0 < 0 or x1 > side or y1 > side:
            return None
        # Drawn three times as large, then averaged down: no aliasing.
        k = 3
        size = ((x1 - x0) * k, (y1 - y0) * k)
        small = cv2.resize(plate, (max(4, round(across * k)), max(4, round(tall * k))), interpolation=cv2.INTER_AREA)
        source = np.float32([[0, 0], [small.shape[1], 0], [small.shape[1], small.shape[0]]])
        m = cv2.getAffineTransform(source, ((corners[:3] - (x0, y0)) * k).astype(np.float32))
        drawn = cv2.warpAffine(small, m, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(np.full(small.shape[:2], 255, np.uint8), m, size)
        drawn = cv2.resize(drawn, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA).astype(np.float32)
        alpha = cv2.resize(alpha, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255
        place = view[y0:y1, x0:x1].astype(np.float32)
        light = np.clip(np.percentile(place, 80) / 170, 0.12, 1.1) * rng.uniform(0.7, 1.35)
        if rng.random() < 0.3:  # dirt or a shadow over a part
            drawn = drawn * (1 - rng.uniform(0.2, 0.6) * (np.linspace(0, 1, y1 - y0)[:, None, None] > rng.uniform(0, 1)))
        if rng.random() < 0.06:  # headlights beside it, or the plate itself overexposed
            light *= 2
        shaded = np.clip(drawn * light * (1 + rng.normal(0, 0.03, 3)), 0, 255)
        view[y0:y1, x0:x1] = np.clip(place + (shaded - place) * alpha, 0, 255).astype(np.uint8)
        return np.array([lo[0], lo[1], hi[0] - lo[0], hi[1] - lo[1]], np.float32)


def overlaps(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((np.maximum(a[:2], b[:2]) < np.minimum(a[:2] + a[2:], b[:2] + b[2:])).all())

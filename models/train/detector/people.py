"""Persons cut out of training pictures, to be pasted small into pictures of high cameras, where few are labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from data import Picture

HEIGHT = 160  # of a kept cut-out, pixels, at most


def overlap(box: np.ndarray, others: np.ndarray) -> float:
    """The share of `box` that the others cover, at most."""
    if not len(others):
        return 0.0
    lo = np.maximum(others[:, :2], box[:2])
    hi = np.minimum(others[:, :2] + others[:, 2:], box[:2] + box[2:])
    return float((np.clip(hi - lo, 0, None).prod(1) / box[2:].prod()).max())


def cut_out(image: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """RGBA of the person in a box, by GrabCut (Rother et al., 2004), or nothing if the outline is not that of a person."""
    x, y, w, h = box
    left, top = max(0, int(x - 0.2 * w)), max(0, int(y - 0.08 * h))
    right, bottom = min(image.shape[1], int(x + 1.2 * w)), min(image.shape[0], int(y + 1.08 * h))
    scale = min(1.0, HEIGHT / h)
    part = cv2.resize(image[top:bottom, left:right], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    inner = tuple(int(round(v * scale)) for v in (x - left, y - top, w, h))
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.setRNGSeed(1)
    cv2.grabCut(part, mask, inner, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_RECT)
    inside = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(inside)
    if count < 2:
        return None
    best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    l, t, pw, ph, area = stats[best]
    if ph < 0.85 * inner[3] or pw < 0.5 * inner[2] or not 0.3 < area / (pw * ph) < 0.85:
        return None
    alpha = cv2.GaussianBlur((parts == best).astype(np.float32), (0, 0), 0.8) * 255
    return np.dstack([part, alpha.astype(np.uint8)])[t : t + ph, l : l + pw]


class People:
    def __init__(self, pictures: list[Picture], label: int) -> None:
        self.bank = []
        for picture in pictures:
            mine = np.nonzero((picture.labels == label) & ~picture.ignore)[0]
            for k in mine:
                box = picture.boxes[k]
                others = np.delete(picture.boxes, k, 0)[np.delete(picture.labels, k) != 3]  # a face is part of it
                height, width = picture.image.shape[:2]
                whole = box[0] > 2 and box[1] > 2 and box[0] + box[2] < width - 2 and box[1] + box[3] < height - 2
                if whole and box[3] >= 48 and 0.2 < box[2] / box[3] < 0.75 and overlap(box, others) < 0.3:
                    found = cut_out(picture.image, box)
                    if found is not None:
                        self.bank.append(found)

    def paste(self, view: np.ndarray, vehicles: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        """Pastes a few persons near the vehicles (x, y, w, h), of a height that fits theirs; returns the persons' boxes."""
        pasted: list[np.ndarray] = []
        if not len(vehicles) or not self.bank:
            return pasted
        side = view.shape[0]
        for _ in range(rng.integers(1, 5)):
            x, y, w, h = vehicles[rng.integers(len(vehicles))]
            tall = min(w, h) * rng.uniform(0.65, 1.35)
            person = self.bank[rng.integers(len(self.bank))]
            wide = tall * person.shape[1] / person.shape[0] * rng.uniform(0.85, 1.2)
            left = round(x + w / 2 + rng.normal(0, 0.9) * w - wide / 2)
            top = round(y + h + rng.normal(0, 0.4) * h - tall)
            tall, wide = round(tall), max(3, round(wide))
            if not 12 <= tall <= 200 or left < 0 or top < 0 or left + wide > side or top + tall > side:
                continue
            box = np.array([left, top, wide, tall], np.float32)
            if overlap(box, np.array(pasted).reshape(-1, 4)) > 0.5:
                continue
            small = cv2.resize(person, (wide, tall), interpolation=cv2.INTER_AREA).astype(np.float32)
            if rng.random() < 0.5:
                small = small[:, ::-1]
            place = view[top : top + tall, left : left + wide].astype(np.float32)
            alpha = small[..., 3:] / 255 * rng.uniform(0.9, 1.0)
            light = np.clip(place.mean() / max(small[..., :3].mean(), 20), 0.3, 1.5) ** rng.uniform(0.3, 1.0)
            shaded = np.clip((small[..., :3] - 110) * rng.uniform(0.6, 1.1) + 110, 0, 255) * light
            view[top : top + tall, left : left + wide] = np.clip(place + (shaded - place) * alpha, 0, 255).astype(np.uint8)
            pasted.append(box)
        return pasted

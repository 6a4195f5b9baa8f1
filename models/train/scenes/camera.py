"""The camera: where it hangs, how it projects, and its barrel distortion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layout import Lot


@dataclass
class Camera:
    """A pinhole camera with one radial distortion coefficient.

    A point at distance r from the middle of the finished picture (in units
    of half the diagonal) lies at r (1 + k r^2) / (1 + k) in the rendered one.
    """

    position: np.ndarray
    matrix: np.ndarray  # columns: right, up, backwards, in world axes
    focal: float  # pixels, of the rendered (undistorted) picture
    size: tuple[int, int]
    k: float = 0.0

    def depth(self, points: np.ndarray) -> np.ndarray:
        return -((points - self.position) @ self.matrix)[:, 2]

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (N, 3) to pixels of the finished picture; points behind become NaN."""
        local = (np.asarray(points, float) - self.position) @ self.matrix
        z = np.where(local[:, 2] < -0.1, -local[:, 2], np.nan)
        flat = np.stack([local[:, 0] / z, -local[:, 1] / z], -1) * self.focal
        unit = np.hypot(*self.size) / 2
        rendered = np.hypot(*flat.T) / unit
        r = np.minimum(rendered, 3.0)
        for _ in range(12):  # Newton steps for the inverse of the distortion
            r = r - (r * (1 + self.k * r**2) / (1 + self.k) - rendered) / ((1 + 3 * self.k * r**2) / (1 + self.k))
        scale = np.where(rendered > 1e-9, r / np.maximum(rendered, 1e-9), 1.0)
        return flat * scale[:, None] + np.array(self.size) / 2

    def source_grid(self) -> tuple[np.ndarray, np.ndarray]:
        """For each pixel of the finished picture the x and y to sample in the rendered one."""
        width, height = self.size
        x, y = np.meshgrid(np.arange(width) + 0.5 - width / 2, np.arange(height) + 0.5 - height / 2)
        scale = (1 + self.k * (x**2 + y**2) / (width**2 + height**2) * 4) / (1 + self.k)
        return x * scale + width / 2 - 0.5, y * scale + height / 2 - 0.5


def look_at(position: np.ndarray, target: np.ndarray, roll: float) -> np.ndarray:
    """Camera axes for a look from `position` to `target`, turned by `roll`."""
    back = position - target
    back = back / np.linalg.norm(back)
    guide = np.array([0.0, 0.0, 1.0]) if abs(back[2]) < 0.995 else np.array([0.0, 1.0, 0.0])
    right = np.cross(guide, back)
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    c, s = np.cos(roll), np.sin(roll)
    return np.stack([c * right + s * up, -s * right + c * up, back], axis=1)


def hang_camera(rng: np.random.Generator, lot: Lot, size: tuple[int, int], kind: str) -> Camera:
    """Choose a place, a look and a focal length for a kind of camera.

    Kinds: mast (5-11 m), building (8-25 m), low (3-5 m), overhead (8-25 m, steep).
    Tries until enough spaces lie in the picture at a useful size.
    """
    best, best_score = None, -1.0
    for _ in range(60):
        camera = _candidate(rng, lot, size, kind)
        boxes = [visible_quad(camera, slot.corners) for slot in lot.slots]
        shown = [q for q in boxes if q is not None]
        sizes = np.array([short_side(q) for q in shown]) if shown else np.zeros(0)
        score = min(len(shown), 0.75 * len(lot.slots), 24) + (sizes > 18).sum() * 0.5
        if score > best_score:
            best, best_score = camera, score
        if len(shown) >= min(8, len(lot.slots)) and np.median(sizes) > 22 and rng.random() < 0.5:
            return camera
    return best


def _candidate(rng: np.random.Generator, lot: Lot, size: tuple[int, int], kind: str) -> Camera:
    low, high = {"mast": (5, 11), "building": (8, 25), "low": (3, 5), "overhead": (8, 25)}[kind]
    height = rng.uniform(low, high)
    points = np.concatenate([s.corners for s in lot.slots])
    if lot.parallel:
        points = points[np.abs(points[:, 0]) < 28]
    x0, y0 = points.min(axis=0)
    x1, y1 = points.max(axis=0)
    aim = np.array([rng.uniform(0.3, 0.7) * (x1 - x0) + x0, rng.uniform(0.3, 0.7) * (y1 - y0) + y0, 0.0])
    if kind == "overhead":
        away = height * np.tan(np.radians(rng.uniform(2, 28)))
        turn = rng.uniform(0, 2 * np.pi)
        spot = aim[:2] + away * np.array([np.cos(turn), np.sin(turn)])
    else:
        # Stand outside the outline of the spaces (or over it, for lamp posts in the middle).
        turn = rng.uniform(0, 2 * np.pi)
        ray = np.array([np.cos(turn), np.sin(turn)])
        reach = min((x1 - x0) / 2 / max(abs(ray[0]), 1e-6), (y1 - y0) / 2 / max(abs(ray[1]), 1e-6), 26.0)
        beyond = {"mast": (0.5, 9), "building": (3, 28), "low": (0.5, 7)}[kind]
        spot = np.array([(x0 + x1) / 2, (y0 + y1) / 2]) + ray * (reach + rng.uniform(*beyond))
        pull = rng.uniform(0.0, 0.45)
        aim[:2] = aim[:2] * (1 - pull) + np.clip(spot, [x0, y0], [x1, y1]) * pull
    position = np.array([spot[0], spot[1], height])
    roll = rng.normal(0, np.radians(2.0)) if rng.random() < 0.85 else rng.uniform(-1, 1) * np.radians(12)
    matrix = look_at(position, aim, roll)
    k = rng.uniform(0.03, 0.22) if rng.random() < 0.4 else 0.0
    camera = Camera(position, matrix, size[0] * 0.7, size, 0.0)
    flat = camera.project(np.pad(points, ((0, 0), (0, 1)))) - np.array(size) / 2
    flat = flat[np.isfinite(flat).all(axis=1)]
    spread = np.abs(flat) / (np.array(size) / 2)
    wanted = np.quantile(spread.max(axis=1), rng.uniform(0.6, 1.0)) if len(flat) else 1.0
    field = np.clip(size[0] * 0.7 / max(wanted, 1e-3) * rng.uniform(0.85, 1.1), size[0] * 0.40, size[0] * 2.4)
    return Camera(position, matrix, float(field) / (1 + k), size, k)


def visible_quad(camera: Camera, corners: np.ndarray) -> np.ndarray | None:
    """A space's corners in the picture, or nothing if it leaves the picture or is tiny."""
    quad = camera.project(np.pad(corners, ((0, 0), (0, 1))))
    width, height = camera.size
    margin = 0.01 * width
    if not np.isfinite(quad).all():
        return None
    if (quad < -margin).any() or (quad[:, 0] > width + margin).any() or (quad[:, 1] > height + margin).any():
        return None
    quad = np.clip(quad, 0, [width, height])
    return quad if short_side(quad) >= 8 and area(quad) > 150 else None


def short_side(quad: np.ndarray) -> float:
    """The smaller width of a quad: its area over its longest side, and its shortest side."""
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    return float(min(sides.min(), area(quad) / sides.max()))


def area(quad: np.ndarray) -> float:
    x, y = quad.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)

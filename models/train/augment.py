"""Random views of a context patch: geometry, careless quads, light, weather, optics and compression."""

from __future__ import annotations

import cv2
import numpy as np

cv2.setNumThreads(1)


def careless(quad: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The quad as a hurried person might have drawn it."""
    size = np.ptp(quad, 0)
    quad = quad + rng.normal(0, 0.02, (4, 2)) * size + rng.normal(0, 0.02, 2) * size
    kind = rng.random()
    if kind < 0.14:  # axis-aligned
        lo, hi = quad.min(0), quad.max(0)
        quad = np.array([[lo[0], lo[1]], [hi[0], lo[1]], [hi[0], hi[1]], [lo[0], hi[1]]])
    elif kind < 0.24:  # smaller or larger
        quad = quad.mean(0) + (quad - quad.mean(0)) * rng.uniform(0.75, 1.15)
    elif kind < 0.30:  # only the vertices' jitter
        quad = quad + rng.normal(0, 0.06, (4, 2)) * size
    return quad


def geometry(
    patch: np.ndarray, quad: np.ndarray, size: int, rng: np.random.Generator, overhead: bool
) -> tuple[np.ndarray, np.ndarray]:
    """RGB [size, size, 3] uint8 and mask uint8 of a turned, shifted and scaled view."""
    angle = rng.normal(0, 0.12) if not overhead else rng.uniform(-np.pi, np.pi)
    if rng.random() < 0.08:
        angle += rng.uniform(-0.5, 0.5)
    c, s = np.cos(angle), np.sin(angle)
    stretch = np.exp(rng.normal(0, 0.12))
    a = np.array([[c, -s], [s, c]]) @ np.diag([stretch, 1 / stretch])
    a = a @ np.array([[1, rng.normal(0, 0.08)], [0, 1]])
    if rng.random() < 0.5:
        a = np.diag([-1.0, 1.0]) @ a
    if overhead and rng.random() < 0.5:
        a = np.diag([1.0, -1.0]) @ a
    q = quad @ a.T
    q = careless(q, rng)
    lo, hi = q.min(0), q.max(0)
    side = 1.5 * (hi - lo).max() * np.exp(rng.normal(0, 0.08))
    left, top = (lo + hi) / 2 - side / 2 + rng.normal(0, 0.035, 2) * side
    k = size / side
    m = np.concatenate([a * k, [[-left * k], [-top * k]]], 1)
    m[:, 2] += m[:, :2].sum(1) / 2 - 0.5  # half-pixel centres
    flags = cv2.INTER_LINEAR if k > 0.6 else cv2.INTER_AREA
    rgb = cv2.warpAffine(patch, m, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    pts = np.round((q - (left, top)) * k * 16 - 8).astype(np.int32)
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [pts], 1, shift=4)
    return rgb, mask


def _blob(size: int, rng: np.random.Generator, corners: int = 5, soft: float = 0.04) -> np.ndarray:
    """A random polygon with soft edges, 0..1."""
    m = np.zeros((size, size), np.float32)
    centre, r = rng.uniform(0, size, 2), size * rng.uniform(0.15, 0.8)
    t = np.sort(rng.uniform(0, 2 * np.pi, corners))
    pts = centre + np.stack([np.cos(t), np.sin(t)], 1) * r * rng.uniform(0.5, 1, (corners, 1))
    cv2.fillPoly(m, [pts.astype(np.int32)], 1.0)
    return cv2.GaussianBlur(m, (0, 0), max(0.5, size * soft * rng.uniform(0.3, 2)))


def things(x: np.ndarray, mask: np.ndarray, people: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shadows, painted lines and small occluders that leave the label as it is."""
    size = x.shape[0]
    if rng.random() < 0.22:
        x = x * (1 - _blob(size, rng)[..., None] * rng.uniform(0.25, 0.75))
    if rng.random() < 0.04:  # glare, puddles
        x = x + _blob(size, rng, soft=0.1)[..., None] * rng.uniform(30, 160)
    if rng.random() < 0.1:  # painted lines
        x = np.ascontiguousarray(x, np.float32)
        colour = rng.choice([(235, 235, 235), (220, 190, 60), (60, 90, 190), (200, 60, 50)])
        layer = np.zeros((size, size), np.float32)
        for _ in range(rng.integers(1, 4)):
            p = rng.uniform(0, size, (2, 2)).astype(int)
            cv2.line(layer, p[0].tolist(), p[1].tolist(), 1.0, int(rng.integers(1, 4)), cv2.LINE_AA)
        x = x + (np.array(colour) - x) * layer[..., None] * rng.uniform(0.2, 0.8)
    if rng.random() < 0.14:  # a person, a trolley, a post
        for _ in range(rng.integers(1, 3)):
            ys, xs = np.nonzero(mask)
            if not len(ys):
                break
            j = rng.integers(len(ys))
            extent = max(np.ptp(ys), np.ptp(xs)) + 1
            h = int(max(3, extent * rng.uniform(0.12, 0.4)))
            w = int(max(2, h * rng.uniform(0.25, 0.7)))
            y0, x0 = int(np.clip(ys[j] - h, 0, size - 1)), int(np.clip(xs[j] - w // 2, 0, size - 1))
            y1, x1 = min(size, y0 + h), min(size, x0 + w)
            if y1 - y0 < 2 or x1 - x0 < 2:
                continue
            alpha = np.zeros((y1 - y0, x1 - x0), np.float32)
            if rng.random() < 0.7 and len(people):
                thing = cv2.resize(people[rng.integers(len(people))], (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
                centre = ((x1 - x0) // 2, (y1 - y0) // 2)
                cv2.ellipse(alpha, centre, (max(1, (x1 - x0) // 2), max(1, (y1 - y0) // 2)), 0, 0, 360, 1.0, -1)
            else:
                thing = np.full((y1 - y0, x1 - x0, 3), rng.uniform(10, 245, 3), np.float32)
                alpha[:] = rng.random((y1 - y0, 1)) < rng.uniform(0.5, 1)
            x = x.astype(np.float32)
            part = x[y0:y1, x0:x1]
            x[y0:y1, x0:x1] = part + (thing - part) * alpha[..., None]
    return x


def weather(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size = x.shape[0]
    kind = rng.random()
    if kind < 0.05:  # fog
        x = x + (rng.uniform(130, 230) - x) * rng.uniform(0.2, 0.75)
    elif kind < 0.08:  # rain streaks
        layer = (rng.random((size, size)) < rng.uniform(0.01, 0.05)).astype(np.float32)
        kernel = np.zeros((9, 9), np.float32)
        cv2.line(kernel, (4 + int(rng.integers(-2, 3)), 0), (4, 8), 1.0, 1)
        x = x + cv2.filter2D(layer, -1, kernel)[..., None] * rng.uniform(15, 70)
    elif kind < 0.11:  # falling snow
        layer = (rng.random((size, size)) < rng.uniform(0.005, 0.05)).astype(np.float32)
        layer = np.minimum(1, cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.4, 1.0)) * 4)
        x = x + (240 - x) * layer[..., None] * rng.uniform(0.4, 0.9)
    elif kind < 0.14:  # lying snow, frost: the bright parts go white
        low = cv2.resize(rng.random((5, 5)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
        x = x + (rng.uniform(190, 240) - x) * (np.clip(low * 2 - 0.6, 0, 1)[..., None] * rng.uniform(0.3, 0.9))
    return x


def optics(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size = x.shape[0]
    # light
    if rng.random() < 0.7:
        x = (x - 110) * np.exp(rng.normal(0, 0.25)) + 110 + rng.normal(0, 18)
    if rng.random() < 0.3:
        x = 255 * (np.clip(x, 0, 255) / 255) ** np.exp(rng.normal(0, 0.4))
    if rng.random() < 0.12:  # dark or washed out
        x = x * rng.uniform(0.2, 0.6) if rng.random() < 0.5 else (x - 110) * rng.uniform(0.2, 0.6) + rng.uniform(80, 150)
    r = rng.random()
    if r < 0.12:
        x = np.repeat(x @ np.array([[0.299], [0.587], [0.114]], x.dtype), 3, 2)
    elif r < 0.6:
        grey = x.mean(2, keepdims=True)
        x = grey + (x - grey) * rng.uniform(0.3, 1.6)
        x = x * np.exp(rng.normal(0, 0.08, 3))
    x = np.clip(x, 0, 255).astype(np.float32)
    # optics and resolution
    if rng.random() < 0.16:
        x = cv2.GaussianBlur(x, (0, 0), size / 64 * rng.uniform(0.4, 1.8))
    if rng.random() < 0.1:
        n = int(rng.integers(3, 10))
        kernel = np.zeros((n, n), np.float32)
        t = rng.uniform(0, np.pi)
        d = np.array([np.cos(t), np.sin(t)]) * n / 2
        p = np.array([n / 2, n / 2])
        cv2.line(kernel, (p - d).astype(int).tolist(), (p + d).astype(int).tolist(), 1.0, 1)
        if kernel.sum() > 0:
            x = cv2.filter2D(x, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    low = None
    if rng.random() < 0.4:
        low = int(rng.integers(12, 45))
        x = cv2.resize(x, (low, low), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.3:
        sigma = rng.exponential(8) + (rng.uniform(15, 35) if rng.random() < 0.15 else 0)
        noise = rng.standard_normal(x.shape, np.float32)
        if rng.random() < 0.4:
            noise = noise[..., :1]
        x = x + noise * sigma
    if rng.random() < 0.35:
        q = int(rng.integers(10, 60))
        u8 = np.clip(x, 0, 255).astype(np.uint8)
        x = cv2.imdecode(cv2.imencode(".jpg", u8, [cv2.IMWRITE_JPEG_QUALITY, q])[1], cv2.IMREAD_COLOR)
    if low:
        x = cv2.resize(np.asarray(x, np.float32), (size, size), interpolation=cv2.INTER_LINEAR)
    return np.clip(x, 0, 255).astype(np.float32)


def view(
    patch: np.ndarray,
    quad: np.ndarray,
    size: int,
    rng: np.random.Generator,
    people: np.ndarray,
    overhead: bool = False,
) -> np.ndarray:
    """One training view [size, size, 4] as float32, not yet normalised."""
    rgb, mask = geometry(patch, quad, size, rng, overhead)
    x = things(rgb.astype(np.float32), mask, people, rng)
    if rng.random() < 0.7:
        x = optics(weather(x, rng), rng)
    return np.concatenate([x, mask[..., None]], 2)


def plain(patch: np.ndarray, quad: np.ndarray, size: int) -> np.ndarray:
    """The view the library would cut."""
    lo, hi = quad.min(0), quad.max(0)
    side = 1.5 * (hi - lo).max()
    left, top = (lo + hi) / 2 - side / 2
    k = size / side
    m = np.array([[k, 0, -left * k], [0, k, -top * k]])
    # Half-pixel centres, as in crop.py.
    m[:, 2] += k / 2 - 0.5
    rgb = cv2.warpAffine(patch, m, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [np.round((quad - (left, top)) * k * 16 - 8).astype(np.int32)], 1, shift=4)
    return np.concatenate([rgb.astype(np.float32), mask[..., None]], 2)

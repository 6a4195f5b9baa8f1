"""The ground as a picture: surface, markings, wear, stains, puddles, snow.

Row 0 of the arrays is the smallest y, so array axes and world axes agree;
signs are flipped where they are drawn. Colours are sRGB, 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from layout import Lot, Slot

MAX_SIDE = 2600  # pixels of the longer side
BEST_SCALE = 55.0  # pixels per metre


@dataclass
class Ground:
    """The painted ground: colour, roughness and the rectangle of the world it covers."""

    colour: np.ndarray  # (H, W, 3) uint8, sRGB
    rough: np.ndarray  # (H, W) uint8
    area: tuple[float, float, float, float]


def noise(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> np.ndarray:
    """Smooth noise of mean 0 and deviation about 1, with features of `cell` pixels."""
    height, width = shape
    small = (max(2, int(height / cell) + 2), max(2, int(width / cell) + 2))
    grid = rng.normal(size=small).astype(np.float32)
    return np.asarray(Image.fromarray(grid, "F").resize((width, height), Image.BICUBIC)) * 1.2


class Painter:
    """Draws masks in world coordinates onto a colour and a roughness picture."""

    def __init__(self, rng: np.random.Generator, area: tuple[float, float, float, float]) -> None:
        self.rng, self.area = rng, area
        x0, y0, x1, y1 = area
        self.scale = min(BEST_SCALE, MAX_SIDE / max(x1 - x0, y1 - y0))
        self.shape = (int((y1 - y0) * self.scale), int((x1 - x0) * self.scale))
        self.colour = np.zeros((*self.shape, 3), np.float32)
        self.rough = np.full(self.shape, 0.9, np.float32)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        return (np.asarray(points) - np.array(self.area[:2])) * self.scale

    def mask(self) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        image = Image.new("L", (self.shape[1], self.shape[0]), 0)
        return image, ImageDraw.Draw(image)

    def line(self, pen: ImageDraw.ImageDraw, points: np.ndarray, width: float, fill: int = 255) -> None:
        """A band of given width in metres along a polyline."""
        points = np.asarray(points, float)
        for a, b in zip(points[:-1], points[1:]):
            along = (b - a) / max(np.linalg.norm(b - a), 1e-9)
            n = np.array([-along[1], along[0]]) * width / 2
            pen.polygon([tuple(p) for p in self.pixels([a + n, b + n, b - n, a - n])], fill=fill)

    def blend(self, mask: np.ndarray, colour, rough: float | None = None) -> None:
        """Mix a colour in where the mask (0 to 1) says so."""
        rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            return
        box = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        m = mask[box].astype(np.float32)
        self.colour[box] += (np.asarray(colour, np.float32) - self.colour[box]) * m[..., None]
        if rough is not None:
            self.rough[box] += (rough - self.rough[box]) * m

    def spot(self, centre: np.ndarray, radius: float, colour, strength: float, rough: float | None = None, ragged: float = 0.6) -> None:
        """A soft stain with an uneven edge."""
        cx, cy = self.pixels(centre)
        half = int(radius * 1.8 * self.scale) + 2
        x0, x1 = max(0, int(cx) - half), min(self.shape[1], int(cx) + half)
        y0, y1 = max(0, int(cy) - half), min(self.shape[0], int(cy) + half)
        if x1 - x0 < 3 or y1 - y0 < 3:
            return
        y, x = np.mgrid[y0:y1, x0:x1]
        stretch = self.rng.uniform(0.6, 1.6)
        r = np.hypot((x - cx) * stretch, (y - cy) / stretch) / (radius * self.scale)
        r = r + ragged * 0.4 * noise(self.rng, r.shape, max(2.0, radius * self.scale * 0.4))
        m = strength * np.clip((1.0 - r) / 0.35, 0, 1)
        box = np.s_[y0:y1, x0:x1]
        self.colour[box] += (np.asarray(colour, np.float32) - self.colour[box]) * m[..., None]
        if rough is not None:
            self.rough[box] += (rough - self.rough[box]) * np.clip(m * 1.5, 0, 1)

    def stamp(self, mask: Image.Image, centre: np.ndarray, heading: float, width: float, colour, strength: float) -> None:
        """Paint an upright mask so that its top points along `heading`; `width` in metres."""
        w = max(2, int(width * self.scale))
        image = mask.resize((w, max(2, int(w * mask.height / mask.width))), Image.BILINEAR)
        image = image.transpose(Image.FLIP_TOP_BOTTOM).rotate(-np.degrees(heading) + 90, expand=True, resample=Image.BILINEAR)
        canvas, _ = self.mask()
        cx, cy = self.pixels(centre)
        canvas.paste(image, (int(cx - image.width / 2), int(cy - image.height / 2)))
        self.blend(np.asarray(canvas, np.float32) / 255 * strength * self.wear, colour, 0.6)


def surface(p: Painter, kind: str) -> None:
    """Lay the base surface over the whole picture."""
    rng, shape, s = p.rng, p.shape, p.scale
    grain = rng.normal(size=shape).astype(np.float32)
    broad = noise(rng, shape, 3 * s) * 0.5 + noise(rng, shape, 0.8 * s) * 0.35 + noise(rng, shape, 8 * s) * 0.5
    tint = np.array([1, 1, 1]) + rng.normal(0, 0.012, 3) + rng.uniform(-0.02, 0.03) * np.array([1, 0, -1])
    if kind == "asphalt":
        base = rng.uniform(0.24, 0.52)
        value = base + 0.035 * grain + 0.02 * broad
    elif kind == "concrete":
        base = rng.uniform(0.55, 0.72)
        value = base + 0.015 * grain + 0.025 * broad
        step = rng.uniform(3.0, 6.0) * s
        slab = _tiles(rng, shape, step, step, 0.0)
        value += slab * 0.018
        value -= _joints(shape, step, step, 0.02 * s, 0.0) * 0.2
    elif kind == "paving":
        base = rng.uniform(0.38, 0.62)
        along, across = rng.choice([0.20, 0.30, 0.5]) * s, rng.choice([0.10, 0.20, 0.30]) * s
        value = base + 0.02 * grain + 0.02 * broad + _tiles(rng, shape, along, across, 0.5) * 0.035
        value -= _joints(shape, along, across, max(1.0, 0.01 * s), 0.5) * 0.10
        if rng.random() < 0.35:
            tint = np.array([1.15, 0.93, 0.84])
    elif kind == "gravel":
        base = rng.uniform(0.42, 0.62)
        value = base + 0.07 * grain + 0.05 * noise(rng, shape, 0.06 * s) + 0.04 * broad
        tint = np.array([1.05, 1.0, 0.90])
    else:  # grass stones: concrete grids with turf in the holes
        step = 0.20 * s
        frame = _joints(shape, step, step, max(1.5, 0.085 * s), 0.5)
        value = 0.5 + 0.03 * grain + 0.03 * broad
        grass = np.stack([0.30 + 0.05 * grain, 0.37 + 0.05 * grain + 0.03 * broad, 0.20 + 0.03 * grain], -1)
        growth = np.clip(frame - 0.25 * (broad + 0.6 > 0), 0, 1)[..., None]
        p.colour[:] = grass * (1 - growth) + value[..., None] * growth
        return
    p.colour[:] = value[..., None] * tint


def _tiles(rng, shape, along: float, across: float, shift: float) -> np.ndarray:
    """One random value per tile of a running bond."""
    y, x = np.arange(shape[0]), np.arange(shape[1])
    row = (y / across).astype(int)
    column = ((x[None] / along) + (row[:, None] % 2) * shift).astype(int)
    table = rng.normal(size=(row.max() + 1, column.max() + 1)).astype(np.float32)
    return table[row[:, None], column]


def _joints(shape, along: float, across: float, width: float, shift: float) -> np.ndarray:
    y, x = np.arange(shape[0]), np.arange(shape[1])
    row = (y / across).astype(int)
    in_row = (y % across) < width
    in_column = ((x[None] + (row[:, None] % 2) * shift * along) % along) < width
    return (in_row[:, None] | in_column).astype(np.float32)


def mark(p: Painter, lot: Lot, style: str, colour, width: float) -> None:
    """Paint the borders of the spaces: full, open, corners, studs, or nothing."""
    if style == "none":
        return
    image, pen = p.mask()
    for slot in lot.slots:
        a, b, c, d = slot.corners
        if style == "studs":
            for start, end in ((a, d), (b, c)):
                for t in np.arange(0, 1.001, 0.4 / np.linalg.norm(end - start)):
                    x, y = p.pixels(start + (end - start) * t)
                    r = max(1.5, 0.06 * p.scale)
                    pen.ellipse([x - r, y - r, x + r, y + r], fill=255)
        elif style == "corners":
            for here, ahead, behind in ((a, b, d), (b, c, a), (c, d, b), (d, a, c)):
                for other in (ahead, behind):
                    step = (other - here) / np.linalg.norm(other - here)
                    p.line(pen, [here, here + step * 0.55], width)
        else:
            p.line(pen, [a, d], width)
            p.line(pen, [b, c], width)
            if style == "full":
                p.line(pen, [c, d], width)
                if lot.parallel:
                    p.line(pen, [a, b], width)
    p.blend(np.asarray(image, np.float32) / 255 * p.wear, colour, 0.6)


def _wheelchair() -> Image.Image:
    """The sign of a space for disabled people."""
    image = Image.new("L", (100, 120), 0)
    pen = ImageDraw.Draw(image)
    pen.ellipse([38, 4, 56, 22], fill=255)
    pen.line([(47, 24), (49, 62), (74, 62), (84, 96), (94, 92)], fill=255, width=9, joint="curve")
    pen.line([(48, 42), (72, 42)], fill=255, width=8)
    pen.arc([16, 46, 76, 108], 20, 260, fill=255, width=9)
    return image


def _letters(text: str) -> Image.Image:
    font = ImageFont.load_default(90)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8), 0)
    ImageDraw.Draw(image).text((4 - left, 4 - top), text, fill=255, font=font, stroke_width=2)
    return image


def _arrow(turn: int) -> Image.Image:
    image = Image.new("L", (80, 240), 0)
    pen = ImageDraw.Draw(image)
    pen.rectangle([34, 60, 46, 236], fill=255)
    if turn:
        side = 70 if turn > 0 else 10
        pen.line([(40, 90), (side, 60)], fill=255, width=12)
        pen.polygon([(side - 10, 80), (side + 10, 60 - 22), (side + 8, 84)], fill=255)
    pen.polygon([(40, 2), (66, 70), (14, 70)], fill=255)
    return image


def signs(p: Painter, lot: Lot, colour, numbers: bool, arrows: bool) -> None:
    """Symbols and numbers in the spaces, arrows on the lanes."""
    for i, slot in enumerate(lot.slots):
        across = slot.size[1] if lot.parallel else slot.size[0]
        spot = slot.centre + (slot.corners[:2].mean(axis=0) - slot.centre) * p.rng.uniform(0.0, 0.4)
        facing = _facing(slot)
        if slot.sign == "disabled":
            if p.rng.random() < 0.6:
                image, pen = p.mask()
                if p.rng.random() < 0.4:
                    quad = slot.corners
                else:
                    u = np.array([np.cos(facing), np.sin(facing)]) * 0.85
                    v = np.array([-u[1], u[0]])
                    quad = spot + np.array([u + v, u - v, -u - v, -u + v])
                pen.polygon([tuple(q) for q in p.pixels(quad)], fill=255)
                p.blend(np.asarray(image, np.float32) / 255 * p.wear, (0.12, 0.28, 0.62), 0.6)
            p.stamp(_wheelchair(), spot, facing, min(1.15, across * 0.5), (0.88, 0.88, 0.86), 0.95)
        elif slot.sign == "electric":
            image, pen = p.mask()
            pen.polygon([tuple(q) for q in p.pixels(slot.corners)], fill=255)
            p.blend(np.asarray(image, np.float32) / 255 * p.wear * 0.8, (0.25, 0.50, 0.28), 0.7)
            p.stamp(_letters("E"), spot, facing, 0.8, (0.88, 0.88, 0.86), 0.9)
        elif numbers:
            edge = slot.centre + (slot.corners[:2].mean(axis=0) - slot.centre) * 0.8
            p.stamp(_letters(str(i + 1)), edge, facing, 0.55, colour, 0.9)
    if arrows:
        for a, b, width in lot.lanes:
            for t in np.arange(p.rng.uniform(0.1, 0.25), 0.95, p.rng.uniform(0.2, 0.4)):
                way = 1 if p.rng.random() < 0.5 else -1
                spot = a + (b - a) * t + np.array([0, -way * width * 0.22])
                p.stamp(_arrow(int(p.rng.integers(-1, 2))), spot, 0.0 if way > 0 else np.pi, 0.9, colour, 0.95)


def _facing(slot: Slot) -> float:
    inward = slot.centre - slot.corners[:2].mean(axis=0)
    return float(np.arctan2(inward[1], inward[0]))


def wear(p: Painter, lot: Lot, amount: float, wet: float) -> None:
    """Patches, cracks, oil, tyre marks, covers, leaves and puddles."""
    rng = p.rng
    x0, y0, x1, y1 = p.area
    anywhere = lambda: rng.uniform([lot.area[0], lot.area[1]], [lot.area[2], lot.area[3]])  # noqa: E731
    for _ in range(rng.poisson(4 * amount)):  # repaired rectangles and trenches
        image, pen = p.mask()
        centre, angle = anywhere(), rng.choice([0, np.pi / 2]) + rng.normal(0, 0.1)
        u = np.array([np.cos(angle), np.sin(angle)])
        length, width = (rng.uniform(4, 20), rng.uniform(0.3, 0.8)) if rng.random() < 0.4 else rng.uniform(0.7, 3.5, 2)
        p.line(pen, [centre - u * length / 2, centre + u * length / 2], width)
        shade = np.clip(p.colour.mean() * rng.uniform(0.55, 1.25), 0.1, 0.8)
        p.blend(np.asarray(image, np.float32) / 255 * rng.uniform(0.5, 0.9), np.full(3, shade))
    image, pen = p.mask()
    for _ in range(rng.poisson(10 * amount)):  # cracks, some sealed with tar
        spot, angle = anywhere(), rng.uniform(0, 2 * np.pi)
        points = [spot]
        for _ in range(int(rng.integers(8, 40))):
            angle += rng.normal(0, 0.35)
            points.append(points[-1] + 0.25 * np.array([np.cos(angle), np.sin(angle)]))
        p.line(pen, points, rng.choice([0.015, 0.02, 0.05]), int(rng.uniform(110, 230)))
    p.blend(np.asarray(image, np.float32) / 255, (0.10, 0.10, 0.10))
    for slot in lot.slots:  # oil under the engines, dirt along the back
        axis = slot.corners[2:].mean(axis=0) - slot.centre
        side = (slot.corners[1] - slot.corners[0]) / 2
        for _ in range(rng.poisson(1.3 * amount)):
            spot = slot.centre + axis * rng.uniform(-0.8, 0.8) + side * rng.normal(0, 0.25)
            p.spot(spot, rng.uniform(0.08, 0.55), np.full(3, rng.uniform(0.08, 0.2)), rng.uniform(0.2, 0.75), rng.choice([0.9, 0.4]))
        if rng.random() < 0.25 * amount:
            p.spot(slot.centre + axis * 0.2, rng.uniform(0.8, 1.6), p.colour.mean(axis=(0, 1)) * rng.uniform(0.6, 1.3), 0.4)
    for _ in range(rng.poisson(5 * amount)):  # broad stains
        p.spot(anywhere(), rng.uniform(0.5, 3.0), np.full(3, rng.uniform(0.15, 0.6)), rng.uniform(0.1, 0.35))
    image, pen = p.mask()
    for _ in range(rng.poisson(5 * amount)):  # tyre marks
        a, b, width = lot.lanes[rng.integers(len(lot.lanes))]
        spot, angle = a + (b - a) * rng.random() + rng.normal(0, width / 3, 2), rng.uniform(0, 2 * np.pi)
        bend = rng.normal(0, 0.12)
        for shift in (-0.75, 0.75):
            here, turn, points = spot.copy(), angle, []
            for _ in range(16):
                points.append(here + shift * np.array([-np.sin(turn), np.cos(turn)]))
                turn += bend
                here = here + 0.4 * np.array([np.cos(turn), np.sin(turn)])
            p.line(pen, points, 0.18, int(rng.uniform(30, 110)))
    p.blend(np.asarray(image.filter(ImageFilter.GaussianBlur(float(p.scale * 0.03))), np.float32) / 255, (0.08, 0.08, 0.08))
    for _ in range(rng.poisson(2.0)):  # manhole covers and gully grates
        image, pen = p.mask()
        x, y = p.pixels(anywhere())
        r = p.scale * rng.uniform(0.25, 0.36)
        draw = pen.ellipse if rng.random() < 0.65 else pen.rectangle
        draw([x - r, y - r, x + r, y + r], fill=255)
        draw([x - r * 0.85, y - r * 0.85, x + r * 0.85, y + r * 0.85], fill=150)
        for t in np.linspace(-0.6, 0.6, 5):
            pen.line([x - r * 0.6, y + t * r, x + r * 0.6, y + t * r], fill=240, width=max(1, int(p.scale * 0.03)))
        p.blend(np.asarray(image, np.float32) / 255, np.full(3, rng.uniform(0.14, 0.34)), 0.5)
    if rng.random() < 0.25:  # fallen leaves
        image, pen = p.mask()
        focus = anywhere()
        for spot in rng.normal(0, rng.uniform(3, 9), (int(rng.integers(150, 900)), 2)) + focus:
            x, y = p.pixels(spot)
            rx, ry = rng.uniform(0.02, 0.07, 2) * p.scale
            pen.ellipse([x - rx, y - ry, x + rx, y + ry], fill=int(rng.uniform(120, 255)))
        p.blend(np.asarray(image, np.float32) / 255, ((0.62, 0.42, 0.12), (0.40, 0.24, 0.12), (0.70, 0.58, 0.18))[rng.integers(3)])
    if wet > 0:
        p.colour *= 1 - 0.42 * wet
        p.rough *= 1 - 0.62 * wet
    for _ in range(rng.poisson(1.0 + 12 * wet)):  # puddles
        if rng.random() < 0.5 * (wet > 0) + 0.3:
            p.spot(anywhere(), rng.uniform(0.4, 2.2), p.colour.mean(axis=(0, 1)) * 0.55, 0.8, 0.03, 1.0)


def snow(p: Painter, lot: Lot, depth: float) -> None:
    """Cover the ground with snow, thinner on the lanes and in wheel tracks."""
    rng, s = p.rng, p.scale
    cover = np.full(p.shape, depth, np.float32) + 0.22 * noise(rng, p.shape, 1.5 * s) + 0.12 * noise(rng, p.shape, 0.3 * s)
    image, pen = p.mask()
    for a, b, width in lot.lanes:
        for _ in range(int(rng.integers(3, 9))):
            y = rng.normal(0, width / 4)
            for shift in (-0.75, 0.75):
                p.line(pen, [a + [0, y + shift], b + [0, y + rng.normal(0, 0.5) + shift]], 0.24, 255)
    for slot in lot.slots:  # tracks into spaces, and bare rectangles where a car has just left
        a, b, c, d = slot.corners
        side = (b - a) / np.linalg.norm(b - a)
        middle = (a + b) / 2
        if rng.random() < 0.6:
            for shift in (-0.72, 0.72):
                p.line(pen, [middle + side * shift - (d - a) * 0.3, (c + d) / 2 + side * shift - (d - a) * 0.15], 0.22, 220)
        if rng.random() < 0.25:
            inner = slot.centre + (slot.corners - slot.centre) * [0.78, 0.85]
            pen.polygon([tuple(q) for q in p.pixels(inner)], fill=int(rng.uniform(90, 220)))
    cover -= np.asarray(image.filter(ImageFilter.GaussianBlur(float(s * 0.05))), np.float32) / 255 * rng.uniform(0.35, 0.8)
    m = np.clip((cover - 0.35) / 0.25, 0, 1)
    p.colour *= 0.75  # wet where bare
    p.rough *= 0.6
    white = 0.86 + 0.02 * noise(rng, p.shape, 0.1 * s) + 0.03 * noise(rng, p.shape, s)
    dirt = np.clip(noise(rng, p.shape, 2 * s) * 0.06, 0, 0.2)
    p.colour += ((white - dirt)[..., None] * np.array([0.985, 0.99, 1.0]) - p.colour) * m[..., None]
    p.rough += (0.9 - p.rough) * m


def paint_ground(
    rng: np.random.Generator,
    lot: Lot,
    kind: str,
    style: str,
    colour: tuple[float, float, float],
    line_width: float,
    worn: float,
    dirt: float,
    wet: float,
    snow_depth: float,
) -> Ground:
    """Paint the ground of a lot."""
    x0, y0, x1, y1 = lot.area
    if lot.parallel:
        x0, x1 = max(x0, -34.0), min(x1, 34.0)
    p = Painter(rng, (x0, y0, x1, y1))
    surface(p, kind)
    if kind == "asphalt" and rng.random() < 0.3:  # spaces in another material than the lanes
        image, pen = p.mask()
        for slot in lot.slots:
            pen.polygon([tuple(q) for q in p.pixels(slot.corners)], fill=255)
        p.blend(np.asarray(image, np.float32) / 255 * rng.uniform(0.2, 0.5), np.full(3, rng.uniform(0.3, 0.6)))
    patchy = noise(rng, p.shape, 0.12 * p.scale) + noise(rng, p.shape, 1.2 * p.scale)
    p.wear = np.clip(1.0 - worn * (0.75 + 0.35 * patchy), 0.0, 1.0)
    mark(p, lot, style, colour, line_width)
    signs(p, lot, colour, numbers=rng.random() < 0.2 and style != "none", arrows=rng.random() < 0.35)
    wear(p, lot, dirt, wet)
    if snow_depth > 0:
        snow(p, lot, snow_depth)
    colour8 = (np.clip(p.colour, 0.02, 0.95) * 255 + 0.5).astype(np.uint8)
    return Ground(colour8, (np.clip(p.rough, 0.02, 1) * 255).astype(np.uint8), p.area)

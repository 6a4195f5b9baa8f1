"""People, street furniture, trees and houses."""

from __future__ import annotations

from typing import Callable

import numpy as np

from shapes import GLASS, LAMP, MATTE, METAL, Colour, Shape

STEEL = (0.45, 0.46, 0.48)


def person(rng: np.random.Generator) -> Shape:
    """A standing or walking figure of ellipsoids and tapered limbs."""
    shape = Shape()
    tall = rng.uniform(1.52, 1.90) if rng.random() < 0.88 else rng.uniform(1.05, 1.35)
    s = tall / 1.75
    skin = tuple(np.array([0.62, 0.40, 0.28]) * rng.choice([1.0, 0.8, 0.45, 0.25]))
    hair = ((0.02, 0.015, 0.01), (0.12, 0.06, 0.02), (0.35, 0.25, 0.10), (0.45, 0.45, 0.45))[rng.integers(4)]
    top, legs = _cloth(rng), _cloth(rng, dark=0.8)
    stride = rng.uniform(0.3, 0.65) if rng.random() < 0.7 else 0.05
    coat = rng.random() < 0.3
    hip, shoulder = 0.90 * s, 1.42 * s
    for side in (-1, 1):
        swing = side * stride
        knee = np.array([0.42 * s * np.sin(swing * 0.8), side * 0.09, hip - 0.42 * s * np.cos(swing * 0.8)])
        foot = knee + np.array([0.44 * s * np.sin(swing * 0.8 - 0.25 * stride), 0, -0.44 * s])
        foot[2] = max(foot[2], 0.05)
        shape.tube((0, side * 0.09, hip), knee, (0.088 * s, 0.062 * s), MATTE, legs)
        shape.tube(knee, foot, (0.062 * s, 0.045 * s), MATTE, legs)
        shape.ellipsoid(foot + [0.06, 0, -0.01], (0.13 * s, 0.05 * s, 0.05 * s), MATTE, (0.03, 0.025, 0.02), 8)
        elbow = np.array([-0.26 * s * np.sin(swing), side * 0.24 * s, shoulder - 0.28 * s])
        hand = elbow + np.array([-0.20 * s * np.sin(swing) + 0.08, 0, -0.25 * s])
        shape.tube((0, side * 0.20 * s, shoulder), elbow, (0.058 * s, 0.045 * s), MATTE, top)
        shape.tube(elbow, hand, (0.045 * s, 0.036 * s), MATTE, top)
        shape.ellipsoid(hand, (0.045, 0.035, 0.055), MATTE, skin, 6)
    shape.ellipsoid((0, 0, 1.20 * s), (0.125 * s, 0.205 * s, 0.32 * s), MATTE, top, 12)
    shape.ellipsoid((0, 0, 0.96 * s), (0.12 * s, 0.165 * s, 0.16 * s), MATTE, top if coat else legs, 10)
    if coat:
        shape.tube((0, 0, 1.1 * s), (0, 0, 0.60 * s), (0.16 * s, 0.22 * s), MATTE, top, 12)
    shape.tube((0, 0, 1.42 * s), (0, 0, 1.54 * s), 0.055 * s, MATTE, skin)
    shape.ellipsoid((0.01, 0, 1.62 * s), (0.10 * s, 0.08 * s, 0.125 * s), MATTE, skin, 10)
    shape.ellipsoid((-0.015, 0, 1.655 * s), (0.105 * s, 0.088 * s, 0.105 * s), MATTE, hair, 10)
    if rng.random() < 0.25:
        shape.box((-0.17 * s, 0, 1.22 * s), (0.16, 0.30, 0.40), MATTE, _cloth(rng))  # rucksack
    elif rng.random() < 0.25:
        shape.box((0.05, 0.30 * s, 0.62 * s), (0.30, 0.12, 0.32), MATTE, _cloth(rng))  # bag
    return shape


def _cloth(rng: np.random.Generator, dark: float = 0.5) -> Colour:
    if rng.random() < dark:
        return tuple(rng.uniform(0.01, 0.10) * rng.uniform(0.6, 1.4, 3))
    return tuple(rng.uniform(0.03, 0.75, 3))


def trolley(rng: np.random.Generator) -> Shape:
    """A wire shopping trolley."""
    shape = Shape()
    colour = STEEL if rng.random() < 0.7 else (0.4, 0.05, 0.04)
    for z, lx, wy in ((0.45, 0.32, 0.19), (0.62, 0.38, 0.22), (0.80, 0.43, 0.25), (0.97, 0.46, 0.27)):
        corners = [(lx, wy), (lx, -wy), (-lx, -wy), (-lx, wy)]
        for a, b in zip(corners, corners[1:] + corners[:1]):
            shape.tube((*a, z), (*b, z), 0.012, METAL, colour, 4)
    for t in np.linspace(-1, 1, 7):
        for w in (-1, 1):
            shape.tube((t * 0.32, w * 0.19, 0.45), (t * 0.46, w * 0.27, 0.97), 0.008, METAL, colour, 4)
        shape.tube((0.32, t * 0.19, 0.45), (0.46, t * 0.27, 0.97), 0.008, METAL, colour, 4)
        shape.tube((-0.32, t * 0.19, 0.45), (0.32, t * 0.19, 0.45), 0.008, METAL, colour, 4)
    for x in (-0.36, 0.36):
        for y in (-0.2, 0.2):
            shape.tube((x, y, 0.1), (x * 0.85, y * 0.9, 0.46), 0.014, METAL, colour, 4)
            shape.tube((x, y - 0.02, 0.07), (x, y + 0.02, 0.07), 0.07, MATTE, (0.03, 0.03, 0.03), 8)
    shape.tube((-0.52, -0.27, 1.03), (-0.52, 0.27, 1.03), 0.02, MATTE, (0.5, 0.05, 0.03), 6)
    return shape


def cone(rng: np.random.Generator) -> Shape:
    shape = Shape()
    high = rng.uniform(0.45, 0.9)
    orange, white = (0.75, 0.12, 0.01), (0.8, 0.8, 0.8)
    shape.box((0, 0, 0.02), (0.40, 0.40, 0.04), MATTE, (0.04, 0.04, 0.04))
    levels = [(0.0, 0.16, orange), (0.35, 0.11, white), (0.60, 0.075, orange), (1.0, 0.025, orange)]
    for (z0, r0, colour), (z1, r1, _) in zip(levels, levels[1:]):
        shape.tube((0, 0, 0.03 + z0 * high), (0, 0, 0.03 + z1 * high), (r0, r1), MATTE, colour, 12)
    return shape


def cardboard(rng: np.random.Generator) -> Shape:
    shape = Shape()
    for _ in range(int(rng.integers(1, 4))):
        size = rng.uniform(0.25, 0.8, 3) * (1, 1, rng.choice([0.06, 0.7, 1.0]))
        centre = (*rng.uniform(-0.4, 0.4, 2), size[2] / 2)
        shape.box(centre, size, MATTE, tuple(np.array([0.40, 0.26, 0.13]) * rng.uniform(0.7, 1.2)), rng.uniform(0, 3))
    return shape


def bin_(rng: np.random.Generator) -> Shape:
    shape = Shape()
    colour = ((0.03, 0.03, 0.035), (0.02, 0.09, 0.03), (0.03, 0.06, 0.20), (0.55, 0.42, 0.03))[rng.integers(4)]
    shape.box((0, 0, 0.52), (0.60, 0.52, 0.90), MATTE, (0.04, 0.04, 0.045))
    shape.box((0, 0, 1.0), (0.66, 0.58, 0.08), MATTE, colour)
    return shape


def bag(rng: np.random.Generator) -> Shape:
    shape = Shape()
    colour = ((0.02, 0.02, 0.02), (0.7, 0.7, 0.72), (0.06, 0.10, 0.35))[rng.integers(3)]
    for _ in range(int(rng.integers(1, 3))):
        radius = rng.uniform(0.15, 0.32)
        shape.ellipsoid((*rng.uniform(-0.3, 0.3, 2), radius * 0.8), (radius, radius * 0.9, radius), MATTE, colour, 8)
    return shape


def pallet(rng: np.random.Generator) -> Shape:
    shape = Shape()
    wood = (0.32, 0.22, 0.12)
    for level in range(int(rng.integers(1, 5))):
        for i in range(5):
            shape.box((0, -0.34 + 0.17 * i, 0.13 + level * 0.15), (1.2, 0.11, 0.025), MATTE, wood)
        for x in (-0.55, 0, 0.55):
            shape.box((x, 0, 0.06 + level * 0.15), (0.1, 0.8, 0.10), MATTE, wood)
    return shape


def snowheap(rng: np.random.Generator) -> Shape:
    shape = Shape()
    for _ in range(int(rng.integers(3, 8))):
        radius = rng.uniform(0.25, 0.75)
        spot = (*rng.normal(0, 0.5, 2), 0.0)
        shape.ellipsoid(spot, (radius, radius * rng.uniform(0.7, 1.2), radius * rng.uniform(0.4, 0.9)), MATTE, (0.78, 0.79, 0.82), 10)
    return shape


THINGS: dict[str, Callable[[np.random.Generator], Shape]] = {
    "person": person, "trolley": trolley, "cone": cone, "cardboard": cardboard,
    "bin": bin_, "bag": bag, "pallet": pallet, "snowheap": snowheap,
}  # fmt: skip


def tree(rng: np.random.Generator, bare: bool = False, snow: bool = False) -> Shape:
    """A broad-leaved tree: trunk, boughs and clumps of leaf cards."""
    shape = Shape()
    high = rng.uniform(4.5, 9.0)
    crown = high * rng.uniform(0.28, 0.40)
    fork = high * rng.uniform(0.30, 0.42)
    bark = tuple(np.array([0.10, 0.075, 0.055]) * rng.uniform(0.6, 1.4))
    shape.tube((0, 0, 0), (0, 0, fork), (0.02 * high, 0.014 * high), MATTE, bark, 8)
    tips = []
    for _ in range(int(rng.integers(7, 12))):
        turn, rise = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1.3)
        reach = crown * rng.uniform(0.6, 1.0)
        tip = np.array([np.cos(turn) * np.cos(rise) * reach, np.sin(turn) * np.cos(rise) * reach, fork + np.sin(rise) * (high - fork)])
        shape.tube((0, 0, fork * rng.uniform(0.8, 1.0)), tip, (0.008 * high, 0.003 * high), MATTE, bark, 5)
        tips.append(tip)
        for _ in range(5 if bare else 1):
            twig = tip + rng.normal(0, 0.25 * crown, 3)
            shape.tube(tip * 0.7 + np.array([0, 0, fork]) * 0.3, twig, (0.004 * high, 0.001 * high), MATTE, bark, 4)
    if bare:
        return shape
    season = rng.random()
    green = np.array([0.055, 0.12, 0.025]) if season < 0.75 else np.array([0.30, 0.16, 0.02])
    points = []
    for tip in tips + [np.array([0, 0, high * 0.8])]:
        count = int(rng.integers(90, 160))
        direction = rng.normal(size=(count, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        points.append(tip + direction * crown * 0.52 * rng.uniform(0.35, 1.0, (count, 1)))
    centres = np.concatenate(points)
    shape.quads(_cards(rng, centres, 0.06 * crown + 0.10), MATTE, _tints(rng, green, len(centres), snow))
    return shape


def conifer(rng: np.random.Generator, snow: bool = False) -> Shape:
    """A spruce: rings of drooping cards round a stem."""
    shape = Shape()
    high = rng.uniform(4.0, 10.0)
    shape.tube((0, 0, 0), (0, 0, high * 0.95), (0.02 * high, 0.005), MATTE, (0.08, 0.06, 0.05), 7)
    z = rng.uniform(0.08, 1.0, 650) * high
    radius = (1 - z / high) * high * 0.24 * rng.uniform(0.3, 1.0, 650)
    turn = rng.uniform(0, 2 * np.pi, 650)
    centres = np.stack([radius * np.cos(turn), radius * np.sin(turn), z], -1)
    shape.quads(_cards(rng, centres, 0.26), MATTE, _tints(rng, np.array([0.02, 0.055, 0.03]), 650, snow))
    return shape


def hedge(rng: np.random.Generator, length: float, snow: bool = False) -> Shape:
    """A clipped hedge along x."""
    shape = Shape()
    deep, high = rng.uniform(0.6, 1.0), rng.uniform(0.7, 1.6)
    shape.box((0, 0, high / 2), (length, deep, high), MATTE, (0.02, 0.045, 0.015))
    count = int(min(1600, 45 * length))
    centres = rng.uniform(-0.5, 0.5, (count, 3)) * (length, deep * 1.1, high * 1.05) + (0, 0, high / 2)
    shape.quads(_cards(rng, centres, 0.13), MATTE, _tints(rng, np.array([0.04, 0.09, 0.025]), count, snow))
    return shape


def _cards(rng: np.random.Generator, centres: np.ndarray, size: float) -> np.ndarray:
    """Randomly turned quads at the centres."""
    count = len(centres)
    a, b = rng.normal(size=(2, count, 3))
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b -= a * (a * b).sum(axis=1, keepdims=True)
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    scale = size * rng.uniform(0.6, 1.4, (count, 1))
    a, b = a * scale, b * scale
    return centres[:, None] + np.stack([a, b, -a, -b], axis=1)


def _tints(rng: np.random.Generator, base: np.ndarray, count: int, snow: bool) -> list[Colour]:
    tints = base * rng.uniform(0.55, 1.5, (count, 1)) * rng.uniform(0.9, 1.1, (count, 3))
    if snow:
        white = rng.random(count) < 0.45
        tints[white] = rng.uniform(0.6, 0.8, (white.sum(), 1))
    return [tuple(t) for t in tints]


def lamp_post(high: float, arm: float, lit: Colour | None) -> Shape:
    """A lamp post whose arm points along +x; `lit` is the lamp's colour at night."""
    shape = Shape()
    shape.tube((0, 0, 0), (0, 0, high), (0.09, 0.05), METAL, (0.25, 0.26, 0.27), 8)
    shape.tube((0, 0, high), (arm, 0, high + 0.15), 0.035, METAL, (0.25, 0.26, 0.27), 6)
    shape.box((arm, 0, high + 0.15), (0.6, 0.22, 0.10), METAL, (0.25, 0.26, 0.27))
    shape.box((arm, 0, high + 0.09), (0.5, 0.18, 0.02), LAMP if lit else MATTE, lit or (0.7, 0.7, 0.68))
    return shape


def sign_post(rng: np.random.Generator) -> Shape:
    shape = Shape()
    shape.tube((0, 0, 0), (0, 0, 2.5), 0.03, METAL, STEEL, 6)
    shape.box((0.04, 0, 2.25), (0.02, 0.5, 0.6), MATTE, ((0.02, 0.10, 0.45), (0.7, 0.7, 0.7))[rng.integers(2)])
    return shape


def bollard(rng: np.random.Generator) -> Shape:
    shape = Shape()
    shape.tube((0, 0, 0), (0, 0, 0.9), 0.06, METAL, STEEL, 8)
    shape.tube((0, 0, 0.65), (0, 0, 0.78), 0.063, MATTE, (0.7, 0.05, 0.03), 8)
    return shape


def fence(length: float) -> Shape:
    """A rail fence along x."""
    shape = Shape()
    for x in np.arange(-length / 2, length / 2 + 0.01, 2.0):
        shape.box((x, 0, 0.55), (0.06, 0.06, 1.1), METAL, STEEL)
    for z in (0.45, 0.75, 1.05):
        shape.box((0, 0, z), (length, 0.03, 0.05), METAL, STEEL)
    return shape


def house(rng: np.random.Generator, length: float, depth: float, floors: int, lit: float = 0.0, snow: bool = False) -> Shape:
    """A house whose front faces +x and stands at x = 0; `lit` is the share of bright windows."""
    shape = Shape()
    storey = rng.uniform(2.8, 3.4)
    high = floors * storey
    walls = [(0.50, 0.47, 0.41), (0.30, 0.13, 0.09), (0.55, 0.55, 0.54), (0.42, 0.34, 0.22), (0.20, 0.21, 0.22)]
    wall = tuple(np.array(walls[rng.integers(len(walls))]) * rng.uniform(0.8, 1.15))
    shape.box((-depth / 2, 0, high / 2), (depth, length, high), MATTE, wall)
    shape.box((0.02, 0, 0.3), (0.06, length, 0.6), MATTE, tuple(np.array(wall) * 0.5))
    pitch = rng.uniform(2.2, 3.6)
    count = max(1, int(length / pitch))
    for floor in range(floors):
        for i in range(count):
            y = (i - (count - 1) / 2) * pitch
            z = floor * storey + storey * 0.55
            bright = rng.random() < lit
            shape.box((0.03, y, z), (0.08, 1.35, 1.55), MATTE, (0.65, 0.65, 0.63))
            shape.box((0.05, y, z), (0.08, 1.15, 1.35), LAMP if bright else GLASS, (0.9, 0.6, 0.3))
    roof = (0.7, 0.71, 0.74) if snow else tuple(np.array([0.22, 0.08, 0.05]) * rng.uniform(0.5, 1.2))
    if floors <= 2:
        rise, over = depth * rng.uniform(0.25, 0.4), 0.4
        y, x0, x1 = length / 2 + over, over, -depth - over
        v = [(x0, -y, high), (x0, y, high), (x1, y, high), (x1, -y, high), (-depth / 2, -y, high + rise), (-depth / 2, y, high + rise)]
        shape.add(np.array(v), [(0, 1, 5, 4), (2, 3, 4, 5), (0, 4, 3), (1, 2, 5)], MATTE, roof)
    else:
        shape.box((-depth / 2, 0, high + 0.2), (depth + 0.3, length + 0.3, 0.4), MATTE, (0.3, 0.3, 0.3))
    return shape

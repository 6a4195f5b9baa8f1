"""Parametric vehicles: a body lofted along its length, with cabin, glass, wheels and lamps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shapes import GLASS, LAMP, MATTE, METAL, PAINT, Shape, grid_faces

RUBBER = (0.018, 0.018, 0.018)
TRIM = (0.03, 0.03, 0.032)
RIM = (0.55, 0.56, 0.58)
WHITE_LAMP = (0.85, 0.87, 0.90)
RED_LAMP = (0.45, 0.01, 0.01)


@dataclass
class Style:
    """Side profile of a kind of vehicle; positions are shares of the length from the front."""

    height: tuple[float, float]
    cowl: float  # foot of the windscreen
    screen: float  # top of the windscreen
    roof: float  # rear end of the roof
    tail: float  # foot of the rear window
    nose: float  # height of the bonnet's front edge, share of the belt height
    belt: float  # height of the window sills, share of the total height
    clearance: float
    wheel: float  # radius
    windows: bool = True  # side windows behind the front doors


STYLES = {
    "hatchback": Style((1.44, 1.54), 0.25, 0.43, 0.85, 0.955, 0.76, 0.64, 0.17, 0.31),
    "sedan": Style((1.41, 1.48), 0.28, 0.44, 0.70, 0.85, 0.76, 0.655, 0.16, 0.32),
    "estate": Style((1.44, 1.54), 0.28, 0.43, 0.90, 0.97, 0.76, 0.645, 0.17, 0.32),
    "suv": Style((1.62, 1.80), 0.26, 0.40, 0.88, 0.965, 0.83, 0.645, 0.22, 0.36),
    "minivan": Style((1.62, 1.80), 0.17, 0.37, 0.92, 0.975, 0.74, 0.60, 0.17, 0.32),
    "van": Style((1.95, 2.45), 0.14, 0.27, 0.975, 0.99, 0.78, 0.56, 0.20, 0.34, windows=False),
    "pickup": Style((1.75, 1.88), 0.25, 0.37, 0.58, 0.64, 0.86, 0.61, 0.25, 0.38),
}

# Paint colours as seen on roads (linear RGB) with their weights.
PAINTS = [
    ((0.80, 0.80, 0.79), 0.20), ((0.012, 0.012, 0.014), 0.20), ((0.14, 0.145, 0.15), 0.17),
    ((0.42, 0.43, 0.44), 0.14), ((0.03, 0.07, 0.22), 0.09), ((0.33, 0.02, 0.02), 0.08),
    ((0.05, 0.055, 0.06), 0.05), ((0.33, 0.28, 0.20), 0.02), ((0.03, 0.10, 0.05), 0.02),
    ((0.10, 0.22, 0.42), 0.02), ((0.70, 0.42, 0.02), 0.005), ((0.55, 0.16, 0.02), 0.005),
]  # fmt: skip


def pick_paint(rng: np.random.Generator, kind: str) -> tuple[float, float, float]:
    """A plausible paint colour; vans and trucks are mostly white."""
    if kind in ("van", "truck") and rng.random() < 0.6:
        return (0.78, 0.78, 0.77)
    weights = np.array([w for _, w in PAINTS])
    colour = np.array(PAINTS[rng.choice(len(PAINTS), p=weights / weights.sum())][0])
    return tuple(np.clip(colour * rng.uniform(0.75, 1.3) * rng.uniform(0.93, 1.07, 3), 0.004, 0.9))


@dataclass
class Vehicle:
    """A built vehicle and where its number plates belong (point and facing direction)."""

    shape: Shape
    plates: list[tuple[np.ndarray, float]]


def build_vehicle(rng: np.random.Generator, kind: str, length: float, width: float) -> Vehicle:
    """Build a vehicle of the given kind and footprint, standing on z = 0, facing +x."""
    if kind == "motorcycle":
        return _motorcycle(rng, length)
    if kind == "truck":
        return _truck(rng, length, width)
    style = STYLES[kind]
    shape = Shape()
    height = float(rng.uniform(*style.height))
    if kind == "van" and length > 5.3:
        height = max(height, 2.25)
    jitter = lambda value, by=0.012: value + rng.uniform(-by, by)  # noqa: E731
    cowl, screen, roof, tail = jitter(style.cowl), jitter(style.screen), jitter(style.roof, 0.02), style.tail
    belt = height * jitter(style.belt, 0.015)
    nose = belt * jitter(style.nose, 0.03)
    wheel = style.wheel * rng.uniform(0.97, 1.05)
    axles = (jitter(0.185), jitter(0.80 if kind not in ("pickup", "van") else 0.78))
    _body(shape, kind, style, length, width, height, belt, nose, (cowl, screen, roof, tail), wheel, axles, rng)
    _wheels(shape, length, width, wheel, axles, rng)
    _fittings(shape, kind, length, width, height, belt, nose, cowl, rng)
    front_z, rear_z = 0.42 + style.clearance * 0.3, (0.75 if kind != "sedan" else 0.72) * rng.uniform(0.75, 1.1)
    return Vehicle(
        shape,
        [(np.array([length / 2 + 0.012, 0.0, front_z]), 0.0), (np.array([-length / 2 - 0.012, 0.0, rear_z]), np.pi)],
    )


def _body(shape, kind, style, length, width, height, belt, nose, cabin, wheel, axles, rng) -> None:
    """Loft the body: one ring of points per station along the length."""
    cowl, screen, roof, tail = cabin
    boxy = kind == "van"
    pillar_b = screen + (roof - screen) * (0.42 if kind != "pickup" else 0.45)
    pillar_c = screen + (roof - screen) * 0.90
    marks = [cowl, cowl + 0.35 * (screen - cowl), screen, pillar_b - 0.009, pillar_b + 0.009]
    marks += [pillar_c - 0.01, pillar_c + 0.01, roof, tail]
    arch = wheel + 0.06
    for axle in axles:
        marks += [axle + np.cos(t) * arch / length for t in np.linspace(0, np.pi, 9)]
        marks += [axle + (arch + 0.01) / length, axle - (arch + 0.01) / length]
    marks += [0.0, 0.006, 0.02, 0.045, 0.09, 0.5, 0.97, 0.985, 0.995, 1.0]
    stations = np.array(sorted(m for m in marks if 0 <= m <= 1))
    stations = stations[np.insert(np.diff(stations) > 0.0012, 0, True)]

    back = belt * (1.03 if kind != "pickup" else 0.97)
    top_x = [0.0, 0.012, 0.045, cowl, screen, (screen + roof) / 2, roof, tail, 0.99, 1.0]
    deck = back + (0.03 if kind == "sedan" else 0.01)
    end = deck * (0.93 if kind != "van" else 1.0)
    roof_end = height * (0.955 if kind in ("hatchback", "sedan", "suv") else 0.985)
    top_z = [nose * 0.84, nose * 0.95, nose, belt + 0.04, height * 0.975, height, roof_end, deck, end, end * 0.9]
    if boxy:
        top_z[7:] = [height * 0.97, height * 0.95, height * 0.90]
    z_top = np.interp(stations, top_x, top_z)
    z_belt = np.interp(
        stations, [0, 0.045, cowl, 0.94, 0.99, 1], [nose * 0.80, nose * 0.93, belt, back, back * 0.95, back * 0.88]
    )
    z_belt = np.minimum(z_belt, z_top - 0.015)
    low = np.full_like(stations, style.clearance) + np.interp(stations, [0, 0.03, 0.97, 1], [0.06, 0, 0, 0.09])
    z_low = low.copy()
    for axle in axles:
        rise = arch**2 - ((stations - axle) * length) ** 2
        z_low = np.maximum(z_low, np.where(rise > 0, wheel * 0.97 + np.sqrt(np.maximum(rise, 0)), 0))
    plan = [0.78, 0.86, 0.93, 0.985, 1, 1, 0.985, 0.955, 0.86] if not boxy else [0.86, 0.92, 0.96, 0.99, 1, 1, 1, 0.99, 0.96]
    half = width / 2 * np.interp(stations, [0, 0.008, 0.03, 0.10, 0.25, 0.75, 0.93, 0.985, 1], plan)

    lean = 0.10 if boxy else 0.34  # how far the cabin sides lean inwards per metre
    rise = np.maximum(z_top - z_belt, 0)
    edge = half * 0.955 - 0.015 - lean * rise
    crown = np.where(rise > 0.2, 0.03, 0.015)
    z3 = np.maximum(z_low + 0.05, low + (z_belt - low) * 0.45)
    z4 = np.maximum(z3 + 0.02, low + (z_belt - low) * 0.82)
    z4 = np.minimum(z4, z_belt - 0.01)
    rings = [
        (np.zeros_like(half), z_low), (half * 0.82, z_low), (half * 0.975, z_low + 0.012), (half * 1.0, z3),
        (half * 0.992, z4), (half * 0.972, z_belt - 0.006), (half * 0.955, z_belt),
        (half * 0.955 - 0.012, z_belt + np.minimum(0.012, rise * 0.3)),
        (edge, z_top - np.minimum(0.10, rise * 0.45) - crown * 0.5), (edge - 0.07, z_top - crown * 0.7),
        (edge * 0.5, z_top - crown * 0.1), (np.zeros_like(half), z_top),
    ]  # fmt: skip
    x = length * (0.5 - stations)
    right = [np.stack([x, y, z], -1) for y, z in rings]
    left = [p * np.array([1, -1, 1]) for p in right[-2:0:-1]]
    grid = np.stack(right + left, axis=1)  # stations x ring
    count, around = grid.shape[:2]
    faces = grid_faces(count, around, closed=True)

    mid = (stations[1:] + stations[:-1]) / 2
    materials, colours = [], []
    paint_pillars = rng.random() < 0.5
    two_tone = kind == "suv" and rng.random() < 0.5  # grey plastic sills
    for i in range(count - 1):
        for j in range(around):
            k = min(j, around - 1 - j)  # mirror the left side onto the right
            material, colour = PAINT, TRIM
            if k <= 1 or (two_tone and k == 2 and z3[i] - z_low[i] < 0.16):
                material = MATTE
            side_glass = k == 7 and cowl + 0.3 * (screen - cowl) < mid[i] < roof + 0.4 * (tail - roof)
            if side_glass:
                pillar = abs(mid[i] - pillar_b) < 0.009
                last = mid[i] > pillar_c - 0.01 and kind not in ("estate", "suv", "minivan")
                if not style.windows and mid[i] > pillar_b:
                    material = PAINT
                elif pillar or last or abs(mid[i] - pillar_c) < 0.01:
                    material = PAINT if last or paint_pillars else MATTE
                else:
                    material = GLASS
            screen_glass = k >= 9 and cowl + 0.1 * (screen - cowl) < mid[i] < screen
            rear_glass = k >= 9 and roof < mid[i] < tail and not boxy
            if screen_glass or rear_glass:
                material = GLASS
            if kind == "pickup" and mid[i] > tail and k >= 9 and mid[i] < 0.985:
                material = MATTE
            materials.append(material)
            colours.append(colour)
    before = len(shape.colours)
    shape.add(grid.reshape(-1, 3), faces, materials, smooth=True)
    shape.colours[before:] = colours
    for i in (0, count - 1):
        shape.add(grid[i], [range(around)], PAINT)


def _wheels(shape, length, width, radius, axles, rng) -> None:
    rim = tuple(np.array(RIM) * rng.choice([1.0, 0.9, 0.25]))
    for axle in axles:
        x = length * (0.5 - axle)
        for side in (-1, 1):
            y = side * (width / 2 - 0.03)
            shape.tube((x, y - side * 0.20, radius), (x, y, radius), radius, MATTE, RUBBER, 18)
            shape.tube((x, y - side * 0.05, radius), (x, y + side * 0.004, radius), radius * 0.66, METAL, rim, 12)
            shape.tube((x, y, radius), (x, y + side * 0.008, radius), radius * 0.2, METAL, TRIM, 8)


def _fittings(shape, kind, length, width, height, belt, nose, cowl, rng) -> None:
    """Lamps, grille, mirrors, bumpers, rear window, roof rails."""
    front, rear = length / 2, -length / 2
    y = width / 2
    lamp_z = nose * 0.86
    for side in (-1, 1):
        shape.box((front - 0.09, side * y * 0.72, lamp_z), (0.20, y * 0.30, 0.12), LAMP, WHITE_LAMP, side * -0.30)
        shape.box((front - 0.015, side * y * 0.62, 0.36), (0.04, 0.22, 0.09), MATTE, TRIM)
        tall = 0.42 if kind in ("van", "minivan", "estate", "suv") and rng.random() < 0.6 else 0.16
        lamp_y = y * (0.93 if kind == "van" else 0.84)
        shape.box((rear + 0.055, side * (lamp_y - 0.09), belt * 0.93 - 0.05), (0.13, 0.20, tall), LAMP, RED_LAMP, side * 0.25)
        # Door mirrors.
        mirror_x = length * (0.5 - cowl) - 0.25
        shape.box((mirror_x, side * (y + 0.07), belt + 0.07), (0.10, 0.17, 0.12), PAINT if rng.random() < 0.7 else MATTE, TRIM)
    shape.box((front - 0.012, 0, nose * 0.70), (0.03, width * rng.uniform(0.35, 0.55), nose * 0.16), MATTE, TRIM)
    shape.box((front - 0.012, 0, 0.30), (0.03, width * 0.60, 0.10), MATTE, TRIM)
    shape.box((rear + 0.012, 0, 0.34), (0.03, width * 0.62, 0.12), MATTE, TRIM)
    if kind == "van":
        for side in (-1, 1):
            if rng.random() < 0.6:
                shape.box((rear + 0.01, side * y * 0.45, height * 0.72), (0.03, y * 0.68, height * 0.22), GLASS, TRIM)
    if kind in ("estate", "suv") and rng.random() < 0.6:
        for side in (-1, 1):
            shape.box((-length * 0.15, side * y * 0.60, height + 0.025), (length * 0.38, 0.035, 0.035), METAL, RIM if rng.random() < 0.5 else TRIM)


def _truck(rng: np.random.Generator, length: float, width: float) -> Vehicle:
    """A small cab-over truck with a box or a flat bed."""
    shape = Shape()
    cab, wheel = 1.75, 0.40
    front, rear, y = length / 2, -length / 2, width / 2
    side = np.array([[0, 0.45], [0, 1.15], [0.22, 2.05], [0.45, 2.15], [1.0, 2.15], [1.0, 0.45]])
    profile = np.stack([front - side[:, 0] * cab, side[:, 1]], -1)
    vertices = np.array([[px, s * y * 0.94, pz] for s in (-1, 1) for px, pz in profile])
    n = len(profile)
    shape.add(vertices, [(i, (i + 1) % n, n + (i + 1) % n, n + i) for i in range(n)],
              [PAINT, GLASS, PAINT, PAINT, PAINT, MATTE], TRIM)  # fmt: skip
    shape.add(vertices, [range(n), range(n, 2 * n)], PAINT)
    for s in (-1, 1):
        shape.box((front - cab * 0.52, s * y * 0.942, 1.55), (cab * 0.5, 0.02, 0.6), GLASS)
        shape.box((front - 0.02, s * y * 0.7, 0.75), (0.06, 0.32, 0.18), LAMP, WHITE_LAMP)
        shape.box((front - 0.15, s * (y + 0.12), 1.6), (0.08, 0.2, 0.38), MATTE, TRIM)
        shape.box((rear + 0.02, s * y * 0.8, 0.75), (0.05, 0.3, 0.13), LAMP, RED_LAMP)
    shape.box((front - 0.01, 0, 0.8), (0.04, width * 0.5, 0.2), MATTE, TRIM)
    shape.box((-cab / 2, 0, 0.72), (length - cab, width * 0.85, 0.16), MATTE, TRIM)
    bed = length - cab - 0.1
    grey = tuple(np.full(3, rng.choice([0.75, 0.6, 0.35])) * rng.uniform(0.9, 1.1, 3))
    if rng.random() < 0.65:
        high = rng.uniform(1.7, 2.2)
        shape.box((rear + bed / 2, 0, 0.85 + high / 2), (bed, width, high), MATTE, grey)
    else:
        shape.box((rear + bed / 2, 0, 0.88), (bed, width, 0.1), MATTE, (0.12, 0.09, 0.06))
        for s in (-1, 1):
            shape.box((rear + bed / 2, s * (y - 0.02), 1.1), (bed, 0.04, 0.4), METAL, grey)
        shape.box((rear + 0.02, 0, 1.1), (0.04, width, 0.4), METAL, grey)
    _wheels(shape, length, width * 0.97, wheel, (0.14, 0.76), rng)
    plates = [(np.array([front + 0.02, 0, 0.55]), 0.0), (np.array([rear - 0.02, 0, 0.62]), np.pi)]
    return Vehicle(shape, plates)


def _motorcycle(rng: np.random.Generator, length: float) -> Vehicle:
    """A motorcycle or a scooter, leaning on its side stand."""
    shape = Shape()
    scooter = rng.random() < 0.5
    radius = 0.24 if scooter else 0.30
    fx, rx = length / 2 - radius, -length / 2 + radius
    for x in (fx, rx):
        shape.tube((x, -0.06, radius), (x, 0.06, radius), radius, MATTE, RUBBER, 16)
        shape.tube((x, -0.065, radius), (x, 0.065, radius), radius * 0.62, METAL, RIM, 10)
    if scooter:
        shape.box((0.0, 0, 0.33), (0.75, 0.30, 0.10), MATTE, TRIM)
        shape.ellipsoid((fx - 0.18, 0, 0.62), (0.14, 0.24, 0.38), PAINT)
        shape.ellipsoid((rx + 0.12, 0, 0.58), (0.42, 0.19, 0.22), PAINT)
        shape.ellipsoid((rx + 0.18, 0, 0.79), (0.42, 0.16, 0.08), MATTE, TRIM)
        if rng.random() < 0.5:
            shape.box((rx - 0.1, 0, 0.98), (0.36, 0.38, 0.30), MATTE, TRIM)
    else:
        shape.ellipsoid((0.0, 0, 0.50), (0.38, 0.18, 0.22), METAL, (0.2, 0.2, 0.2))
        shape.ellipsoid((0.12, 0, 0.80), (0.34, 0.17, 0.15), PAINT)
        shape.ellipsoid((-0.42, 0, 0.80), (0.42, 0.14, 0.07), MATTE, TRIM)
        shape.tube((rx, -0.14, 0.38), (0.1, -0.14, 0.30), 0.05, METAL, RIM)
    bar = 0.98 if scooter else 1.02
    for side in (-1, 1):
        shape.tube((fx, side * 0.09, radius), (fx - 0.28, side * 0.09, bar - 0.08), 0.025, METAL, RIM, 6)
        shape.tube((fx - 0.28, 0, bar - 0.05), (fx - 0.36, side * 0.36, bar), 0.018, MATTE, TRIM, 6)
        shape.ellipsoid((fx - 0.27, side * 0.30, bar + 0.12), (0.02, 0.07, 0.05), MATTE, TRIM, 6)
    shape.ellipsoid((fx - 0.16, 0, bar - 0.12), (0.09, 0.10, 0.10), LAMP, WHITE_LAMP)
    shape.box((rx - 0.26, 0, 0.62), (0.06, 0.14, 0.07), LAMP, RED_LAMP)
    return Vehicle(shape, [(np.array([rx - 0.29, 0.0, 0.48]), np.pi)])

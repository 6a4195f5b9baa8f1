"""Where the parking spaces are, and what stands in and between them. No Blender here.

The lot lies in the plane z = 0 with its rows along x. A space's corners run
round its outline: open side left, open side right, far right, far left.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

COVERED_IS_TAKEN = 0.40  # a space is taken if a parked vehicle covers more than this share of it


@dataclass
class Slot:
    """One parking space."""

    name: str
    corners: np.ndarray  # (4, 2) metres
    size: tuple[float, float]  # width and depth in metres
    heading: float  # direction of a vehicle that drove in forwards
    sign: str = ""  # "disabled" or "electric" if painted so
    occupied: bool = False

    @property
    def centre(self) -> np.ndarray:
        return self.corners.mean(axis=0)


@dataclass
class Parked:
    """A vehicle and where it stands."""

    kind: str
    position: np.ndarray
    heading: float
    size: tuple[float, float]  # length and width of the footprint
    seed: int
    moving: bool = False

    @property
    def footprint(self) -> np.ndarray:
        half = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) / 2 * np.array(self.size)
        return half @ rotation(self.heading).T + self.position


@dataclass
class Thing:
    """Anything else on the ground: a person, a trolley, a cone, a heap of snow."""

    kind: str
    position: np.ndarray
    heading: float
    seed: int


@dataclass
class Lot:
    """The plan of a scene."""

    slots: list[Slot]
    lanes: list[tuple[np.ndarray, np.ndarray, float]]  # centre line from, to, and width
    area: tuple[float, float, float, float]  # paved rectangle: x0, y0, x1, y1
    backs: list[tuple[np.ndarray, np.ndarray]]  # lines behind rows: kerbs, fences
    parallel: bool = False
    vehicles: list[Parked] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)


# Length and width ranges of each kind of vehicle, and how common it is in a lot.
VEHICLES: dict[str, tuple[tuple[float, float], tuple[float, float], float]] = {
    "hatchback": ((3.6, 4.3), (1.66, 1.82), 0.28),
    "sedan": ((4.4, 4.95), (1.76, 1.88), 0.18),
    "estate": ((4.4, 4.9), (1.76, 1.88), 0.13),
    "suv": ((4.2, 4.8), (1.80, 1.96), 0.20),
    "minivan": ((4.2, 4.7), (1.76, 1.88), 0.05),
    "van": ((4.8, 5.7), (1.90, 2.02), 0.06),
    "pickup": ((4.9, 5.5), (1.82, 1.98), 0.03),
    "truck": ((5.6, 6.6), (2.05, 2.25), 0.02),
    "motorcycle": ((1.9, 2.2), (0.70, 0.85), 0.05),
}


def rotation(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def inside(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Which points lie in a convex polygon of either winding."""
    edge = np.roll(polygon, -1, axis=0) - polygon
    rel = points[:, None, :] - polygon[None]
    side = edge[None, :, 0] * rel[..., 1] - edge[None, :, 1] * rel[..., 0]
    return (side >= 0).all(axis=1) | (side <= 0).all(axis=1)


def covered(slot: np.ndarray, footprint: np.ndarray) -> float:
    """Share of a space's area under a footprint, on a grid of points."""
    u, v = np.meshgrid((np.arange(16) + 0.5) / 16, (np.arange(32) + 0.5) / 32)
    u, v = u.reshape(-1, 1), v.reshape(-1, 1)
    a, b, c, d = slot
    grid = (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * c)
    return float(inside(grid, footprint).mean())


def overlap(a: np.ndarray, b: np.ndarray, gap: float = 0.12) -> bool:
    """Whether two convex polygons come closer than about `gap` (separating axes)."""
    for polygon in (a, b):
        edges = np.roll(polygon, -1, axis=0) - polygon
        for edge in edges:
            normal = np.array([-edge[1], edge[0]]) / np.linalg.norm(edge)
            pa, pb = a @ normal, b @ normal
            if pa.max() + gap < pb.min() or pb.max() + gap < pa.min():
                return False
    return True


def plan_lot(rng: np.random.Generator, kind: str) -> Lot:
    """Lay out spaces: `kind` is perpendicular, angled or parallel."""
    slots: list[Slot] = []
    lanes, backs = [], []
    letters = iter("ABCDEFGHIJ")

    def row(y: float, up: bool, count: int, width: float, depth: float, skew: float, x: float, along: bool) -> float:
        """Add a row whose open side is at y; returns how far it reaches in y."""
        letter = next(letters)
        sign = 1.0 if up else -1.0
        v = np.array([0.0, sign])
        axis = np.array([np.sin(skew), sign * np.cos(skew)])
        pitch = width / np.cos(skew)
        gaps = set(rng.integers(1, count, size=1)) if count > 6 and rng.random() < 0.35 else set()
        for i in range(count):
            start = np.array([x, y])
            x += pitch
            if i in gaps:
                x += rng.uniform(1.0, 2.5)
            end = start + np.array([pitch, 0.0])
            corners = np.array([start, end, end + axis * depth, start + axis * depth])
            heading = float(np.arctan2(axis[1], axis[0]))
            if along:
                heading = 0.0 if up else np.pi
            size = (depth, width) if along else (width, depth)
            slots.append(Slot(f"{letter}{i + 1}", corners, size, heading))
        reach = depth * np.cos(skew)
        first = np.array([slots[-count].corners[3][0] - 0.3, y + v[1] * reach])
        last = np.array([x + axis[0] * depth + 0.3, y + v[1] * reach])
        backs.append((first, last))
        return reach

    if kind == "parallel":
        length, depth = rng.uniform(5.2, 6.5), rng.uniform(2.0, 2.4)
        road = rng.uniform(5.0, 8.0)
        count = int(rng.integers(5, 10))
        row(road / 2, True, count, length, depth, 0.0, -count * length / 2, True)
        if rng.random() < 0.6:
            other = int(rng.integers(4, 10))
            row(-road / 2, False, other, length, depth, 0.0, -other * length / 2 + rng.uniform(-4, 4), True)
        lanes.append((np.array([-50.0, 0.0]), np.array([50.0, 0.0]), road))
    else:
        skew = 0.0 if kind == "perpendicular" else float(rng.choice([-1, 1])) * np.radians(rng.uniform(15, 45))
        width, depth = rng.uniform(2.3, 2.8), rng.uniform(4.7, 5.4)
        lane = rng.uniform(5.5, 7.5) if skew == 0 else rng.uniform(3.8, 6.0)
        count = int(rng.integers(6, 15))
        x0 = -count * width / np.cos(skew) / 2
        rows = int(rng.choice([1, 2, 3, 4], p=[0.15, 0.35, 0.30, 0.20]))
        y = 0.0
        for i in range(rows):
            n = max(4, count - int(rng.integers(0, 3)))
            if i % 2 == 0:  # a lane above this row, its spaces reach down from it
                reach = depth * np.cos(skew)
                row(y + reach, False, n, width, depth, skew, x0, False)
                y += reach
                lanes.append((np.array([x0 - 8, y + lane / 2]), np.array([-x0 + 8, y + lane / 2]), lane))
                y += lane
            else:
                y += row(y, True, n, width, depth, skew, x0, False)
    return finish_lot(rng, slots, lanes, backs, kind == "parallel")


def finish_lot(rng, slots, lanes, backs, parallel: bool) -> Lot:
    """Centre the plan and give the paved area its extent."""
    points = np.concatenate([s.corners for s in slots])
    lane_y = [(p[1] - w / 2, p[1] + w / 2) for p, _, w in lanes]
    low = np.array([points[:, 0].min(), min(points[:, 1].min(), min(a for a, _ in lane_y))])
    high = np.array([points[:, 0].max(), max(points[:, 1].max(), max(b for _, b in lane_y))])
    middle = (low + high) / 2
    for s in slots:
        s.corners = s.corners - middle
    lanes = [(a - middle, b - middle, w) for a, b, w in lanes]
    backs = [(a - middle, b - middle) for a, b in backs]
    low, high = low - middle, high - middle
    side = rng.uniform(2, 9, size=2)
    ends = rng.uniform(0.3, 3.0, size=2) if not parallel else np.array([0.05, 0.05])
    area = (low[0] - side[0], low[1] - ends[0], high[0] + side[1], high[1] + ends[1])
    if parallel:
        area = (-45.0, area[1], 45.0, area[3])
    return Lot(slots, lanes, area, backs, parallel)


def park(
    rng: np.random.Generator, lot: Lot, share: float, tidy: float = 0.85, motorcycles: float = VEHICLES["motorcycle"][2]
) -> None:
    """Fill about `share` of the spaces; `tidy` is the share of well-parked vehicles, `motorcycles` that of motorcycles."""
    kinds = list(VEHICLES)
    weights = np.array([VEHICLES[k][2] for k in kinds])
    weights[kinds.index("motorcycle")] = (1 - VEHICLES["motorcycle"][2]) * motorcycles / (1 - motorcycles)
    for slot in lot.slots:
        if rng.random() < 0.04:
            slot.sign = str(rng.choice(["disabled", "electric"], p=[0.75, 0.25]))
        if rng.random() >= share:
            continue
        for _ in range(4):
            kind = str(rng.choice(kinds, p=weights / weights.sum()))
            vehicle = place(rng, slot, kind, rng.random() < tidy)
            if not any(overlap(vehicle.footprint, v.footprint) for v in lot.vehicles):
                lot.vehicles.append(vehicle)
                break
    decide(lot)


def place(rng: np.random.Generator, slot: Slot, kind: str, tidy: bool) -> Parked:
    """Stand one vehicle in a space, well or badly."""
    (l0, l1), (w0, w1), _ = VEHICLES[kind]
    size = (float(rng.uniform(l0, l1)), float(rng.uniform(w0, w1)))
    width, depth = slot.size
    axis = np.array([np.cos(slot.heading), np.sin(slot.heading)])
    side = np.array([-axis[1], axis[0]])
    along, across, yaw = rng.normal(0, 0.18), rng.normal(0, 0.10), rng.normal(0, 0.022)
    along += min(0.0, (depth - size[0]) / 2 + 0.3)  # long vehicles stick out into the lane
    if not tidy:
        yaw += rng.choice([-1, 1]) * np.radians(rng.uniform(2, 9))
        across += rng.choice([-1, 1]) * rng.uniform(0.2, 0.75)
        if rng.random() < 0.4:
            along -= rng.uniform(0.5, 1.7)
    if kind == "motorcycle":
        along, across = rng.uniform(-1.2, 1.2), rng.uniform(-0.6, 0.6)
        yaw = rng.normal(0, 0.25) + (np.pi / 2 if rng.random() < 0.2 else 0.0)
    heading = slot.heading + yaw + (np.pi if rng.random() < 0.35 else 0.0)
    return Parked(kind, slot.centre + axis * along + side * across, heading, size, int(rng.integers(1 << 31)))


def decide(lot: Lot) -> None:
    """Set which spaces are taken, from where the vehicles stand."""
    for slot in lot.slots:
        slot.occupied = any(
            inside(v.position[None], slot.corners)[0] or covered(slot.corners, v.footprint) > COVERED_IS_TAKEN
            for v in lot.vehicles
            if not v.moving
        )


def drive(rng: np.random.Generator, lot: Lot, count: int) -> None:
    """Put moving vehicles on the lanes."""
    for _ in range(count):
        a, b, width = lot.lanes[rng.integers(len(lot.lanes))]
        kind = str(rng.choice(["hatchback", "sedan", "suv", "van", "estate"]))
        (l0, l1), (w0, w1), _ = VEHICLES[kind]
        size = (float(rng.uniform(l0, l1)), float(rng.uniform(w0, w1)))
        direction = 1 if rng.random() < 0.5 else -1
        spot = a + (b - a) * rng.uniform(0.25, 0.75) + np.array([0.0, -direction * min(width / 4, 1.6)])
        heading = (0.0 if direction > 0 else np.pi) + rng.normal(0, 0.06)
        vehicle = Parked(kind, spot, heading, size, int(rng.integers(1 << 31)), moving=True)
        if not any(overlap(vehicle.footprint, v.footprint, 0.3) for v in lot.vehicles):
            if not any(covered(s.corners, vehicle.footprint) > 0.1 for s in lot.slots):
                lot.vehicles.append(vehicle)


def scatter(rng: np.random.Generator, lot: Lot, clutter: float, people: int, snow: bool) -> None:
    """Put people and things into free spaces and onto the lanes."""

    def clear(spot: np.ndarray, radius: float) -> bool:
        disc = spot + radius * np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]])
        return not any(overlap(disc, v.footprint, 0.05) for v in lot.vehicles)

    def put(kind: str, spot: np.ndarray, radius: float) -> None:
        if clear(spot, radius):
            lot.things.append(Thing(kind, spot, float(rng.uniform(0, 2 * np.pi)), int(rng.integers(1 << 31))))

    free = [s for s in lot.slots if not s.occupied]
    kinds = ["trolley", "cone", "cardboard", "person", "bin", "bag", "pallet"]
    weights = np.array([0.2, 0.2, 0.15, 0.25, 0.07, 0.08, 0.05])
    if snow:
        kinds, weights = kinds + ["snowheap"], np.append(weights * 0.7, 0.3)
    for slot in free:
        if rng.random() < clutter:
            for _ in range(int(rng.choice([1, 1, 2, 3]))):
                kind = str(rng.choice(kinds, p=weights))
                u, v = rng.uniform(0.15, 0.85, size=2)
                a, b, c, d = slot.corners
                put(kind, (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * c), 0.45)
    for _ in range(people):
        a, b, width = lot.lanes[rng.integers(len(lot.lanes))]
        spot = a + (b - a) * rng.uniform(0.15, 0.85) + rng.uniform(-width / 2, width / 2) * np.array([0, 1])
        put("person", spot, 0.35)

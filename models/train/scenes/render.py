"""Renders car parks with known truth, to train and to test parkq's classifier.

    python render.py --bundled                     the example scene of the repository
    python render.py --seeds 1000-1389 --out DIR   a data set (see `merge`), resumable

Everything in a picture is made here from numbers drawn with the seed: no
photographs, no foreign models.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

import layout
import post
import props
from camera import Camera, hang_camera, look_at, visible_quad
from ground import paint_ground
from layout import Lot, Parked, Slot, Thing
from plates import COUNTRIES, draw_plates
from post import Look
from shapes import MATTE, Shape
from stage import Picture, Stage
from vehicles import build_vehicle, pick_paint

REPOSITORY = Path(__file__).resolve().parents[3]
BUNDLED_SEED = 20261124  # fixed before any net had seen the picture; never to be changed
KIND_OF = {"van": "car", "truck": "truck", "motorcycle": "motorcycle"}  # all others: car


@dataclass
class Plan:
    """Everything about a scene that is decided before anything is built."""

    seed: int
    size: tuple[int, int]
    rows: str  # perpendicular, angled, parallel
    camera: str  # mast, building, low, overhead
    light: str  # noon, low sun, overcast, dusk, night
    weather: str  # dry, wet, rain, fog, snow
    surface: str
    style: str  # markings
    line_colour: tuple[float, float, float]
    line_width: float
    worn: float
    dirt: float
    share: float  # of spaces taken
    clutter: float
    people: int
    moving: int
    trees: int
    houses: int
    samples: int
    look: Look = field(default_factory=Look)


def draw_plan(rng: np.random.Generator, seed: int, size: tuple[int, int]) -> Plan:
    """Draw the plan of a training or test scene."""
    pick = lambda options: str(rng.choice(list(options), p=np.array(list(options.values())) / sum(options.values())))  # noqa: E731
    weather = pick({"dry": 0.58, "wet": 0.11, "rain": 0.10, "fog": 0.07, "snow": 0.14})
    if weather == "dry":
        light = pick({"noon": 0.36, "low sun": 0.26, "overcast": 0.16, "dusk": 0.08, "night": 0.14})
    elif weather in ("rain", "fog"):
        light = pick({"overcast": 0.65, "dusk": 0.15, "night": 0.20})
    else:
        light = pick({"noon": 0.20, "low sun": 0.20, "overcast": 0.35, "dusk": 0.10, "night": 0.15})
    colour = {"white": (0.86, 0.86, 0.84), "yellow": (0.85, 0.65, 0.12), "blue": (0.18, 0.32, 0.62)}
    night = light in ("dusk", "night")
    balance = 1 + rng.normal(0, 0.035, 3) + rng.normal(0, 0.04) * np.array([1, 0, -1])
    look = Look(
        exposure=float(rng.normal(0.0, 0.35)),
        fog=float(rng.uniform(0.008, 0.05)) if weather == "fog" else float(rng.choice([0, 0.0015])),
        rain=float(rng.uniform(0.15, 0.9)) if weather == "rain" else 0.0,
        flakes=float(rng.uniform(0.1, 0.8)) if weather == "snow" and rng.random() < 0.4 else 0.0,
        noise=float(rng.uniform(0.05, 0.20) if light == "night" else rng.uniform(0.03, 0.10) if night else rng.uniform(0.01, 0.05)),
        blur=float(rng.uniform(0.2, 1.0)) if rng.random() < 0.85 else float(rng.uniform(1.0, 1.8)),
        balance=tuple(float(b) for b in balance),
        saturation=float(rng.uniform(0.6, 1.15)) if rng.random() < 0.92 else 0.0,
        quality=int(rng.integers(50, 93)),
        key={"night": 0.07, "dusk": 0.13}.get(light, 0.30 if weather == "snow" else 0.19),
        sharpen=float(rng.uniform(0.3, 1.0)) if rng.random() < 0.35 else 0.0,
    )
    return Plan(
        seed=seed,
        size=size,
        rows=pick({"perpendicular": 0.58, "angled": 0.22, "parallel": 0.20}),
        camera=pick({"mast": 0.42, "building": 0.26, "low": 0.14, "overhead": 0.18}),
        light=light,
        weather=weather,
        surface=pick({"asphalt": 0.52, "concrete": 0.12, "paving": 0.19, "gravel": 0.09, "grass stones": 0.08}),
        style=pick({"open": 0.42, "full": 0.18, "corners": 0.10, "studs": 0.08, "none": 0.22}),
        line_colour=colour[pick({"white": 0.74, "yellow": 0.20, "blue": 0.06})],
        line_width=float(rng.uniform(0.08, 0.15)),
        worn=float(rng.choice([rng.uniform(0.0, 0.3), rng.uniform(0.3, 0.95)])),
        dirt=float(rng.uniform(0.1, 1.6)),
        share=float(rng.choice([rng.uniform(0.05, 0.4), rng.uniform(0.35, 0.75), rng.uniform(0.7, 1.0)], p=[0.35, 0.45, 0.2])),
        clutter=float(rng.uniform(0.05, 0.45)),
        people=int(rng.integers(0, 5)),
        moving=int(rng.choice([0, 1, 2], p=[0.5, 0.35, 0.15])),
        trees=int(rng.integers(0, 9)),
        houses=int(rng.choice([0, 1, 2, 3])),
        samples=10 if night else 8,
        look=look,
    )


# Building a scene ----------------------------------------------------------------


@dataclass
class Scene:
    """A rendered scene with its truth."""

    picture: Picture
    camera: Camera
    lot: Lot
    owners: dict[int, tuple[str, int]]  # object number -> ("vehicle" | "person" | "plate", which)


def build(rng: np.random.Generator, plan: Plan, lot: Lot, camera: Camera, threads: int) -> Scene:
    """Put everything on the stage and render it."""
    snowy, wet = plan.weather == "snow", {"wet": 0.75, "rain": 1.0}.get(plan.weather, 0.0)
    cover = float(rng.uniform(0.0, 1.0)) if snowy else 0.0  # how much snow lies on cars
    stage = Stage(plan.size, plan.samples, threads, plan.seed, cover, wet)
    stage.ground(
        paint_ground(
            rng, lot, plan.surface, plan.style, plan.line_colour, plan.line_width, plan.worn, plan.dirt,
            wet, float(rng.uniform(0.25, 1.3)) if snowy else 0.0,
        ),
        bumps=0.25 if plan.surface == "gravel" else 0.10,
    )  # fmt: skip
    _surround(rng, stage, plan, lot, camera, snowy)
    _light(rng, stage, plan, lot, camera)
    owners: dict[int, tuple[str, int]] = {}
    _vehicles(rng, stage, plan, lot, owners)
    for i, thing in enumerate(lot.things):
        number = stage.number()
        own = np.random.default_rng(thing.seed)
        stage.place(props.THINGS[thing.kind](own), (*thing.position, 0.0), thing.heading, number=number)
        if thing.kind == "person":
            owners[number] = ("person", i)
    picture = stage.shoot(camera)
    return Scene(post.unbend(picture, camera), camera, lot, owners)


def _vehicles(rng: np.random.Generator, stage: Stage, plan: Plan, lot: Lot, owners: dict) -> None:
    country = str(rng.choice(list(COUNTRIES)))
    texture, spots, plate_size = draw_plates(rng, country, max(1, 2 * len(lot.vehicles)))
    stage.plates(texture)
    dark = plan.light in ("dusk", "night")
    contrast = rng.random()  # a few lots hold mostly cars of the ground's own shade
    for i, parked in enumerate(lot.vehicles):
        own = np.random.default_rng(parked.seed)
        vehicle = build_vehicle(own, parked.kind, *parked.size)
        colour = pick_paint(own, parked.kind)
        if contrast < 0.10 and own.random() < 0.6:
            shade = 0.80 if plan.weather == "snow" else 0.012 if plan.weather in ("wet", "rain") else 0.09
            colour = tuple(np.full(3, shade * own.uniform(0.7, 1.2)).clip(0, 0.85))
        number = stage.number()
        owners[number] = ("vehicle", i)
        lit = parked.moving and (dark or own.random() < 0.3)
        stage.place(vehicle.shape, (*parked.position, 0.0), parked.heading, colour, glow=(6.0 if dark else 3.0) if lit else 0.0, number=number)
        turn = layout.rotation(parked.heading)
        for j, (spot, facing) in enumerate(vehicle.plates):
            if own.random() < 0.06 or (country == "us" and j == 0 and own.random() < 0.4):
                continue
            at = np.array([*(turn @ spot[:2] + parked.position), spot[2]])
            number = stage.number()
            owners[number] = ("plate", i)
            size = plate_size if parked.kind != "motorcycle" else (0.22, 0.14)
            stage.plate(at, facing + parked.heading, size, spots[2 * i + j], number)
        if lit and dark:
            for side in (-1, 1):
                at = turn @ np.array([parked.size[0] / 2 + 0.05, side * 0.6]) + parked.position
                to = turn @ np.array([14.0, side * 0.8]) + parked.position
                stage.spot(np.array([*at, 0.68]), np.array([*to, 0.0]), 260.0, (1.0, 0.93, 0.8), 1.0, 0.06)


def _surround(rng: np.random.Generator, stage: Stage, plan: Plan, lot: Lot, camera: Camera, snowy: bool) -> None:
    """Kerbs, the land around, trees, houses, lamp posts and other furniture."""
    x0, y0, x1, y1 = lot.area
    land = str(rng.choice(["grass", "paving", "earth"], p=[0.6, 0.3, 0.1]))
    colour = {"grass": (0.065, 0.105, 0.03), "paving": (0.22, 0.21, 0.20), "earth": (0.16, 0.12, 0.08)}[land]
    stage.surroundings((0.68, 0.69, 0.72) if snowy else np.array(colour) * rng.uniform(0.7, 1.3, 1), 3.0)
    shape = Shape()
    concrete = tuple(np.full(3, rng.uniform(0.25, 0.5)))
    for a, b in (((x0, y0), (x1, y0)), ((x0, y1), (x1, y1)), ((x0, y0), (x0, y1)), ((x1, y0), (x1, y1))):
        if rng.random() < 0.8:
            length = abs(b[0] - a[0]) + abs(b[1] - a[1])
            size = (length, 0.16, 0.24) if a[1] == b[1] else (0.16, length, 0.24)
            shape.box(((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, 0.0), size, MATTE, concrete)
    for slot in lot.slots if not lot.parallel and rng.random() < 0.15 else []:  # wheel stops
        back = slot.corners[2:].mean(axis=0)
        spot = back + (slot.centre - back) * 0.22
        shape.box((*spot, 0.06), (0.18, slot.size[0] * 0.65, 0.12), MATTE, concrete, slot.heading)
    if shape.faces:
        stage.place(shape)

    view = -camera.matrix[:2, 2]
    view = view / max(np.linalg.norm(view), 1e-6)

    def blocks(spot: np.ndarray, radius: float, high: float) -> bool:
        """Whether something tall would stand between the camera and the lot."""
        away = spot - camera.position[:2]
        ahead = float(away @ view)
        near = np.hypot(*away) < radius + 4.0
        target = np.clip(spot, [x0, y0], [x1, y1])
        between = np.linalg.norm(spot - target) > 0.1 and ahead > 0 and np.linalg.norm(target - camera.position[:2]) > np.hypot(*away) + 1.0
        return near or (between and high > camera.position[2] * 0.35)

    def on_slots(spot: np.ndarray, radius: float) -> bool:
        disc = spot + radius * np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]])
        return any(layout.overlap(disc, s.corners, 0.2) for s in lot.slots) or any(abs(spot[1] - a[1]) < w / 2 + radius for a, _, w in lot.lanes)

    for _ in range(plan.trees):
        for _ in range(8):
            side = rng.integers(4)
            out = rng.uniform(0.6, 6.0)
            spot = np.array(
                [(rng.uniform(x0, x1), y0 - out), (rng.uniform(x0, x1), y1 + out), (x0 - out, rng.uniform(y0, y1)), (x1 + out, rng.uniform(y0, y1))][side]
            )
            if not on_slots(spot, 0.5) and not blocks(spot, 3.0, 7.0):
                conifer = rng.random() < 0.2
                bare = rng.random() < (0.85 if snowy else 0.12)
                stage.place(props.conifer(rng, snowy) if conifer else props.tree(rng, bare, snowy), (*spot, 0.0))
                break
    for _ in range(plan.houses):
        for _ in range(8):
            side, out = rng.integers(4), rng.uniform(2.0, 14.0)
            length, depth, floors = rng.uniform(10, 40), rng.uniform(8, 14), int(rng.integers(1, 6))
            spot = np.array([((x0 + x1) / 2, y0 - out), ((x0 + x1) / 2, y1 + out), (x0 - out, (y0 + y1) / 2), (x1 + out, (y0 + y1) / 2)][side])
            spot[0 if side < 2 else 1] += rng.uniform(-12, 12)
            heading = (np.pi / 2, -np.pi / 2, 0.0, np.pi)[side]
            box = np.array([[0, -1], [0, 1], [-1, 1], [-1, -1]]) * [depth, length / 2] @ layout.rotation(heading).T + spot
            spread = np.stack([np.linspace(box[i % 4], box[(i + 1) % 4], 9) for i in range(4)]).reshape(-1, 2)
            hidden = layout.inside(camera.position[None, :2], box)[0] or any(blocks(p, 1.0, floors * 3.0) for p in spread)
            lane_end = lot.parallel and side > 1
            if not hidden and not lane_end:
                lit = {"dusk": 0.3, "night": 0.4}.get(plan.light, 0.0)
                stage.place(props.house(rng, length, depth, floors, lit, snowy), (*spot, 0.0), heading, glow=1.2 if lit else 0.0)
                break
    for a, b in lot.backs:
        if rng.random() < 0.35:
            middle, length = (a + b) / 2, np.linalg.norm(b - a)
            shift = np.array([0.0, np.sign(middle[1] or 1.0) * 0.8])
            if abs(middle[1]) > 0.75 * max(abs(y0), y1) and not on_slots(middle + shift, 0.3) and not blocks(middle + shift, length / 4, 1.5):
                stage.place(props.fence(length) if rng.random() < 0.5 else props.hedge(rng, length, snowy), (*(middle + shift), 0.0))
    for _ in range(int(rng.integers(0, 4))):
        spot = np.array([rng.uniform(x0, x1), (y0 - 0.8, y1 + 0.8)[rng.integers(2)]])
        if not blocks(spot, 0.5, 2.5) and not on_slots(spot, 0.1):
            stage.place(props.sign_post(rng) if rng.random() < 0.5 else props.bollard(rng), (*spot, 0.0), rng.uniform(0, 6.28))


def _light(rng: np.random.Generator, stage: Stage, plan: Plan, lot: Lot, camera: Camera) -> None:
    azimuth = float(rng.uniform(0, 2 * np.pi))
    x0, y0, x1, y1 = lot.area
    if plan.light == "noon":
        stage.sky((0.22, 0.38, 0.75), (0.70, 0.80, 0.95), float(rng.uniform(0.5, 0.9)), float(rng.uniform(0, 1)))
        stage.sun(azimuth, np.radians(rng.uniform(35, 65)), float(rng.uniform(3.0, 5.0)), (1.0, 0.96, 0.90), 0.012)
    elif plan.light == "low sun":
        stage.sky((0.25, 0.38, 0.70), (0.95, 0.80, 0.62), float(rng.uniform(0.4, 0.7)), float(rng.uniform(0, 1)))
        stage.sun(azimuth, np.radians(rng.uniform(8, 28)), float(rng.uniform(2.5, 5.0)), (1.0, 0.82, 0.62), 0.015)
    elif plan.light == "overcast":
        stage.sky((0.80, 0.83, 0.88), (0.62, 0.65, 0.70), 1.0, 0.5)
        if rng.random() < 0.4:
            stage.sun(azimuth, np.radians(rng.uniform(30, 60)), 1.0, (1, 1, 1), 0.5)
    elif plan.light == "dusk":
        stage.sky((0.16, 0.20, 0.38), (0.60, 0.40, 0.32), 0.16, 0.5)
    else:
        stage.sky((0.020, 0.022, 0.035), (0.05, 0.042, 0.038), float(rng.uniform(0.15, 0.6)), 0.0)
    posts = int(rng.integers(1, 6)) if plan.light in ("dusk", "night") else int(rng.integers(0, 4))
    sodium = rng.random() < 0.5
    glow = (1.0, 0.52, 0.16) if sodium else (0.92, 0.96, 1.0)
    high = float(rng.uniform(4.5, 9.0))
    lit = plan.light == "night" or (plan.light == "dusk" and rng.random() < 0.8)
    for _ in range(posts):
        side = rng.integers(2)
        spot = np.array([rng.uniform(x0 + 2, x1 - 2), (y0 - 0.7, y1 + 0.7)[side]])
        heading = (np.pi / 2, -np.pi / 2)[side]
        if np.hypot(*(spot - camera.position[:2])) < 4:
            continue
        arm = float(rng.uniform(0.4, 2.0))
        stage.place(props.lamp_post(high, arm, glow if lit else None), (*spot, 0.0), heading, glow=30.0)
        if lit:
            head = np.array([*(spot + layout.rotation(heading) @ np.array([arm, 0])), high])
            aim = head + np.array([0, np.sin(heading) * 2.5, -high])
            stage.spot(head, aim, 55.0 * high**2 * float(rng.uniform(0.7, 1.3)), glow, 2.6, 0.2)
    if lit and rng.random() < 0.6:  # a floodlight by the camera
        aim = np.array([(x0 + x1) / 2, (y0 + y1) / 2, 0.0])
        stage.spot(camera.position + [2.0, 2.0, 1.5], aim, 3000.0 * float(rng.uniform(0.4, 1.5)), glow if rng.random() < 0.5 else (1, 1, 1), 1.9, 0.2)


# Truth ---------------------------------------------------------------------------


def annotations(scene: Scene) -> list[dict]:
    """Boxes of the visible vehicles, persons and plates."""
    index = scene.picture.index
    boxes: dict[int, list[int]] = {}
    counts = np.bincount(index.ravel(), minlength=max(scene.owners, default=0) + 1)
    for number in scene.owners:
        if counts[number]:
            rows, columns = np.nonzero(index == number)
            boxes[number] = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    found = []
    for number, (category, which) in scene.owners.items():
        if number not in boxes:
            continue
        x0, y0, x1, y1 = boxes[number]
        entry = {"category": category, "source": "render"}
        if category == "vehicle":
            for other, owner in scene.owners.items():  # the plates belong to the vehicle's box
                if owner == ("plate", which) and other in boxes:
                    px0, py0, px1, py1 = boxes[other]
                    x0, y0, x1, y1 = min(x0, px0), min(y0, py0), max(x1, px1), max(y1, py1)
            entry["kind"] = KIND_OF.get(scene.lot.vehicles[which].kind, "car")
        least = {"vehicle": (60, 8, 8), "person": (20, 3, 7), "plate": (8, 5, 2)}[category]
        if counts[number] < least[0] or x1 - x0 < least[1] or y1 - y0 < least[2]:
            continue
        entry["bbox"] = [int(x0), int(y0), int(x1 - x0), int(y1 - y0)]
        found.append(entry)
    return found


def slots(scene: Scene) -> list[tuple[Slot, np.ndarray]]:
    """The spaces in the picture of which at least something can be seen, with their outlines."""
    from PIL import Image, ImageDraw

    index = scene.picture.index
    height, width = index.shape
    shown = []
    for slot in scene.lot.slots:
        quad = visible_quad(scene.camera, slot.corners)
        if quad is None:
            continue
        mask = Image.new("1", (width, height))
        ImageDraw.Draw(mask).polygon([tuple(p) for p in quad], fill=1)
        inside = np.asarray(mask)
        if slot.occupied:
            own = {
                number
                for number, (category, which) in scene.owners.items()
                if category == "vehicle"
                and (
                    layout.inside(scene.lot.vehicles[which].position[None], slot.corners)[0]
                    or layout.covered(slot.corners, scene.lot.vehicles[which].footprint) > 0.2
                )
            }
            seen = np.isin(index, list(own)).sum() / max(inside.sum(), 1)
        else:
            # The ground is object 0, and so is the land around it with its trees and houses;
            # tell those apart by distance.
            floor = _floor_depth(scene.camera, quad)
            seen = (inside & (index == 0) & (scene.picture.depth > floor * 0.93)).sum() / max(inside.sum(), 1)
        if seen >= (0.12 if not slot.occupied else 0.06):
            shown.append((slot, quad))
    return shown


def _floor_depth(camera: Camera, quad: np.ndarray) -> float:
    """Distance of the nearest of a space's corners along the view (undistorted approximation)."""
    flat = (quad - np.array(camera.size) / 2) / (camera.focal * (1 + camera.k))
    rays = np.stack([flat[:, 0], -flat[:, 1], -np.ones(4)], -1) @ camera.matrix.T
    return float((camera.position[2] / np.maximum(-rays[:, 2], 1e-3)).min())


# Data sets -----------------------------------------------------------------------


def render_seed(seed: int, size: tuple[int, int], threads: int, motorcycles: float) -> tuple[Plan, Scene]:
    """The scene of a seed, in which `motorcycles` of the vehicles that are parked are motorcycles."""
    rng = np.random.default_rng([seed, 7])
    plan = draw_plan(rng, seed, size)
    lot = layout.plan_lot(rng, plan.rows)
    layout.park(rng, lot, plan.share, tidy=float(rng.uniform(0.65, 0.95)), motorcycles=motorcycles)
    layout.drive(rng, lot, plan.moving)
    layout.scatter(rng, lot, plan.clutter, plan.people, plan.weather == "snow")
    camera = hang_camera(rng, lot, size, plan.camera)
    return plan, build(rng, plan, lot, camera, threads)


def render_set(
    first: int, last: int, out: Path, size: tuple[int, int], threads: int, split: str, motorcycles: float
) -> None:
    """Render the seeds that are not there yet and merge everything."""
    (out / "images").mkdir(parents=True, exist_ok=True)
    (out / "parts").mkdir(exist_ok=True)
    made = 0
    for seed in range(first, last + 1):
        name = f"scene{seed:06d}"
        part = out / "parts" / f"{name}.json"
        if part.exists():
            continue
        start = time.time()
        plan, scene = render_seed(seed, size, threads, motorcycles)
        image = post.develop(np.random.default_rng([seed, 8]), scene.picture, plan.look)
        image.save(out / "images" / f"{name}.jpg", quality=plan.look.quality)
        spaces = [{"polygon": np.round(q, 1).tolist(), "occupied": s.occupied} for s, q in slots(scene)]
        about = {"id": seed, "file_name": f"images/{name}.jpg", "width": size[0], "height": size[1], "split": split, "group": name}
        text = {"image": about, "annotations": annotations(scene), "slots": spaces, "light": plan.light, "weather": plan.weather}
        part.with_suffix(".tmp").write_text(json.dumps(text))
        part.with_suffix(".tmp").replace(part)
        taken = sum(s["occupied"] for s in spaces)
        print(f"{name}: {plan.light}, {plan.weather}, {plan.rows}, {plan.camera}, {plan.surface}, {plan.style}: "
              f"{taken} of {len(spaces)} taken, {time.time() - start:.1f} s", flush=True)  # fmt: skip
        made += 1
        if made % 10 == 0:
            merge(out)
    merge(out)


def merge(out: Path) -> None:
    """Write labels.json from the parts of all pictures."""
    labels = {
        "set": "rendered",
        "labelled": {"vehicle": True, "person": True, "plate": True, "face": False},
        "images": [],
        "annotations": [],
        "slots": [],
    }
    for path in sorted((out / "parts").glob("*.json")):
        part = json.loads(path.read_text())
        labels["images"].append(part["image"])
        for entry in part["annotations"]:
            labels["annotations"].append({"id": len(labels["annotations"]) + 1, "image_id": part["image"]["id"], **entry})
        labels["slots"] += [{"image_id": part["image"]["id"], **slot} for slot in part["slots"]]
    temporary = out / "labels.json.tmp"
    temporary.write_text(json.dumps(labels))
    temporary.replace(out / "labels.json")


# The bundled scene ---------------------------------------------------------------


def bundled_lot(rng: np.random.Generator) -> Lot:
    """Three rows of ten, two of them back to back, and two lanes."""
    width, depth, lane, x0 = 2.5, 5.0, 6.2, -12.5
    spaces = []
    for letter, y, sign in (("A", 0.0, -1.0), ("B", lane, 1.0), ("C", lane + 2 * depth, -1.0)):
        for i in range(10):
            a = np.array([x0 + i * width, y])
            b, back = a + [width, 0], np.array([0.0, sign * depth])
            spaces.append(Slot(f"{letter}{i + 1}", np.array([a, b, b + back, a + back]), (width, depth), sign * np.pi / 2))
    middle = [lane / 2, lane + 2 * depth + lane / 2]
    lanes = [(np.array([x0, y]), np.array([-x0, y]), lane) for y in middle]
    line = lambda y: (np.array([x0, y]), np.array([-x0, y]))  # noqa: E731
    return layout.finish_lot(rng, spaces, lanes, [line(-depth), line(lane + depth)], False)


def render_bundled(out: Path, threads: int) -> None:
    """The scene of the examples: a dry, sunny day from a mast of 9 m."""
    size = (1280, 800)
    rng = np.random.default_rng([BUNDLED_SEED, 7])
    plan = Plan(
        seed=BUNDLED_SEED, size=size, rows="perpendicular", camera="mast", light="noon", weather="dry",
        surface="asphalt", style="open", line_colour=(0.86, 0.86, 0.84), line_width=0.12, worn=0.1, dirt=0.5,
        share=0.6, clutter=0.0, people=0, moving=0, trees=4, houses=1, samples=32,
    )  # fmt: skip
    lot = bundled_lot(rng)
    layout.park(rng, lot, plan.share, tidy=0.9)
    free = [slot for slot in lot.slots if not slot.occupied]
    taken = next(slot for slot in lot.slots if slot.occupied)
    if not any(v.kind == "van" for v in lot.vehicles):  # there has to be one
        first = next(i for i, v in enumerate(lot.vehicles) if layout.inside(v.position[None], taken.corners)[0])
        lot.vehicles[first] = layout.place(rng, taken, "van", True)
    for spot in (free[len(free) // 2].centre, np.array([4.0, -5.6])):  # one in a free space, one in the lane
        lot.things.append(layout.Thing("person", spot, float(rng.uniform(0, 2 * np.pi)), int(rng.integers(1 << 31))))
    position = np.array([0.0, -27.5, 10.0])
    camera = Camera(position, look_at(position, np.array([0.0, -5.5, 0.0]), 0.0), 860.0, size, 0.0)
    scene = build(rng, plan, lot, camera, threads)
    image = post.develop(np.random.default_rng([BUNDLED_SEED, 8]), scene.picture, plan.look)
    image.save(out / "scene.jpg", quality=88)
    relative = lambda quad: np.round(np.asarray(quad) / size, 5).clip(0, 1).tolist()  # noqa: E731
    shown = slots(scene)
    spaces = [{"id": slot.name, "quad": relative(quad), "size_m": list(slot.size)} for slot, quad in shown]
    mask = [[0.0, 0.0], [1.0, 0.0], [1.0, 0.12], [0.0, 0.12]]
    about = {"version": 1, "name": "bundled scene", "spaces": spaces, "masks": [mask]}
    (out / "scene.lot.json").write_text(json.dumps(about, indent=1) + "\n")
    truth = {"occupied": {slot.name: slot.occupied for slot, _ in shown}, "annotations": annotations(scene)}
    (out / "scene.truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    print(f"{len(shown)} spaces, {sum(slot.occupied for slot, _ in shown)} occupied")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundled", action="store_true", help="write examples/data/scene.*")
    parser.add_argument("--seeds", metavar="A-B", help="first and last seed of a data set")
    parser.add_argument("--out", type=Path, help="folder of the data set")
    parser.add_argument("--size", default="960x640", metavar="WxH")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--motorcycles", type=float, default=layout.VEHICLES["motorcycle"][2], help="share of the vehicles")
    parser.add_argument("--split", choices=["train", "val"], help="default: train from seed 1000 on, val below")
    arguments = parser.parse_args()
    if arguments.bundled:
        render_bundled(REPOSITORY / "examples/data", arguments.threads)
    elif arguments.seeds and arguments.out:
        first, _, last = arguments.seeds.partition("-")
        split = arguments.split or ("train" if int(first) >= 1000 else "val")
        width, height = map(int, arguments.size.split("x"))
        render_set(int(first), int(last or first), arguments.out, (width, height), arguments.threads, split, arguments.motorcycles)
    else:
        parser.error("say --bundled, or --seeds and --out")


if __name__ == "__main__":
    main()

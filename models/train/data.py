"""Spaces to learn from: labelled slots, and spaces derived from vehicle boxes in other pictures.

Every space is kept as a context patch (2.7 times the longer side of its quad, 144 px) with the quad in patch
pixels, so that training can turn, shift and scale it without reading the picture again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from crop import resample, square

CONTEXT = 144
CONTEXT_MARGIN = 2.7
VERSION = 4
#: Training sources; the other sets of the pack are for validation only.
DERIVED = ("atl_vehicles", "highway_od", "openimages_plates", "indonesia_plates", "overhead_cars", "acpds")
BLOCKS = (0, 6545, 6564, 6603, 6654, 6723)


@dataclass
class Spaces:
    patches: np.ndarray  # uint8 [n, CONTEXT, CONTEXT, 3]
    quads: np.ndarray  # float32 [n, 4, 2] in patch pixels
    labels: np.ndarray  # float32 [n], 1 occupied, 0 free, -1 not known
    groups: list[str]  # source/camera or source/lot of each space
    pictures: list[str]  # source/picture of each space

    def __len__(self) -> int:
        return len(self.labels)


@dataclass
class Picture:
    path: Path
    group: str
    quads: list[np.ndarray] = field(default_factory=list)
    labels: list[float] = field(default_factory=list)


def load_rgb(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def as_it_is(picture: Picture) -> np.ndarray:
    return load_rgb(picture.path)


def block_of(source_id: str) -> int:
    number = int("".join(c for c in source_id if c.isdigit()))
    return max(b for b in BLOCKS if b <= number)


def labelled_pictures(root: Path, split: str | None) -> list[Picture]:
    """Pictures with slots, as labelled by people (or by the renderer)."""
    data = json.loads((root / "labels.json").read_text())
    name = data.get("set", root.name) if root.name != "acpds" else "acpds"
    by_id: dict[int, Picture] = {}
    for im in data["images"]:
        if split is None or im.get("split", split) == split:
            group = f"acpds/{block_of(im['source_id'])}" if name == "acpds" else "rendered"
            by_id[im["id"]] = Picture(root / im["file_name"], group)
    for slot in data["slots"]:
        if slot["image_id"] in by_id and slot.get("occupied") is not None:
            quad = np.array(slot["polygon"], np.float32)
            if len(quad) == 4 and np.ptp(quad, 0).max() >= 6:
                by_id[slot["image_id"]].quads.append(quad)
                by_id[slot["image_id"]].labels.append(float(slot["occupied"]))
    return [p for p in by_id.values() if p.quads]


def ground_quad(x: float, y: float, w: float, h: float, rng: np.random.Generator) -> np.ndarray:
    """A slanted trapezoid under the lower half of a box."""
    bottom = y + h * rng.uniform(0.9, 1.08)
    top = y + h * rng.uniform(0.25, 0.6)
    cx = x + w / 2 + w * rng.normal(0, 0.05)
    half = w * rng.uniform(0.42, 0.58)
    narrow = rng.uniform(0.65, 1.0)
    slant = w * rng.uniform(-0.35, 0.35)
    return np.array(
        [
            [cx - half - slant / 2, bottom],
            [cx + half - slant / 2, bottom],
            [cx + half * narrow + slant / 2, top],
            [cx - half * narrow + slant / 2, top],
        ],
        np.float32,
    )


def quad_for_box(box: tuple[float, float, float, float], shape: str, rng: np.random.Generator) -> np.ndarray:
    x, y, w, h = box
    if shape == "ground":
        return ground_quad(x, y, w, h, rng)
    if shape == "box":
        x0, x1 = x + w * rng.normal(0, 0.06), x + w * (1 + rng.normal(0, 0.06))
        y0, y1 = y + h * rng.normal(0.04, 0.06), y + h * (1 + rng.normal(0, 0.06))
        return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    if shape == "diamond":
        t = rng.uniform(0.25, 0.75, 4)
        q = [[x + w * t[0], y + h * 0.15], [x + w, y + h * (0.2 + 0.7 * t[1])]]
        q += [[x + w * t[2], y + h * 1.02], [x, y + h * (0.2 + 0.7 * t[3])]]
        return np.array(q, np.float32)
    # A space seen from the side and above: a parallelogram over the middle of the box.
    lean = w * rng.uniform(-0.3, 0.3)
    y0, y1 = y + h * rng.uniform(0.1, 0.35), y + h * rng.uniform(0.85, 1.1)
    x0, x1 = x + w * rng.uniform(-0.05, 0.15), x + w * rng.uniform(0.85, 1.05)
    return np.array([[x0 + lean, y0], [x1 + lean, y0], [x1 - lean, y1], [x0 - lean, y1]], np.float32)


SHAPES = ("ground", "box", "diamond", "lean")


def _overlap(box: tuple[float, float, float, float], others: np.ndarray) -> float:
    """Largest share of `box` that one of the other boxes covers."""
    if not len(others):
        return 0.0
    x, y, w, h = box
    ow = np.minimum(x + w, others[:, 0] + others[:, 2]) - np.maximum(x, others[:, 0])
    oh = np.minimum(y + h, others[:, 1] + others[:, 3]) - np.maximum(y, others[:, 1])
    return float((np.maximum(ow, 0) * np.maximum(oh, 0)).max() / max(w * h, 1e-6))


def derived_pictures(root: Path, rng: np.random.Generator) -> list[Picture]:
    """Spaces made from vehicle boxes: occupied on them, free where none is near."""
    data = json.loads((root / "labels.json").read_text())
    name = root.name
    boxes: dict[int, list[dict]] = {}
    for a in data["annotations"]:
        if a["category"] == "vehicle":
            boxes.setdefault(a["image_id"], []).append(a)
    per_box = {"atl_vehicles": 2, "highway_od": 3, "openimages_plates": 3, "indonesia_plates": 3, "overhead_cars": 2}
    free_per_picture = {"atl_vehicles": 50, "highway_od": 10, "overhead_cars": 40}
    pictures: list[Picture] = []
    for im in data["images"]:
        if im["split"] != "train":
            continue
        camera = str(block_of(im["source_id"])) if name == "acpds" else im.get("group", "")
        pic = Picture(root / im["file_name"], f"{name}/{camera}" if camera else name)
        anns = boxes.get(im["id"], [])
        everything = np.array([a["bbox"] for a in anns], np.float32).reshape(-1, 4)
        cars = [a for a in anns if not a.get("ignore") and a.get("kind") not in ("motorcycle", "bicycle")]
        cars = [a for a in cars if min(a["bbox"][2:]) >= 9]
        shapes = SHAPES if name != "overhead_cars" else ("box", "box", "lean", "diamond")
        for a in cars:
            box = tuple(a["bbox"])
            if name == "acpds" and rng.random() > 0.4:
                continue
            for shape in rng.choice(shapes, per_box.get(name, 1), replace=False):
                quad = quad_for_box(box, shape, rng)
                if quad[:, 0].min() > -0.25 * box[2] and quad[:, 0].max() < im["width"] + 0.25 * box[2]:
                    pic.quads.append(quad)
                    pic.labels.append(1.0)
        for a in anns:  # a motorcycle takes a space too, much larger than itself
            x, y, w, h = a["bbox"]
            if a.get("kind") == "motorcycle" and not a.get("ignore") and min(w, h) >= 12:
                sx, sy = rng.uniform(1.2, 3), rng.uniform(0.9, 1.6)
                around = (x + w * (rng.uniform(0.2, 0.8) - sx / 2), y + h * (rng.uniform(1.0, 1.15) - sy), w * sx, h * sy)
                pic.quads.append(quad_for_box(around, str(rng.choice(shapes)), rng))
                pic.labels.append(1.0)
        exhaustive = data["labelled"].get("vehicle") and "vehicle" not in im.get("mask", [])
        if exhaustive and name in free_per_picture:
            sizes = [a["bbox"][2:] for a in cars] or [[im["width"] * 0.15, im["height"] * 0.12]]
            made = 0
            for _ in range(free_per_picture[name] * 4):
                if made >= free_per_picture[name]:
                    break
                bw, bh = np.array(sizes[rng.integers(len(sizes))]) * rng.uniform(0.7, 1.3)
                if cars and rng.random() < 0.5:  # next to a vehicle
                    nx, ny, nw, nh = cars[rng.integers(len(cars))]["bbox"]
                    bw, bh = nw * rng.uniform(0.8, 1.2), nh * rng.uniform(0.8, 1.2)
                    side = rng.choice([-1, 1])
                    x = nx + nw + nw * rng.uniform(0, 0.4) if side > 0 else nx - bw - nw * rng.uniform(0, 0.4)
                    y = ny + nh * rng.uniform(-0.3, 0.3)
                    if name == "overhead_cars" and rng.random() < 0.5:
                        x, y = nx, ny + rng.choice([-1, 1]) * nh * rng.uniform(1, 1.4)
                else:
                    x = rng.uniform(0, max(1, im["width"] - bw))
                    y = rng.uniform(0.2, 1) * max(1, im["height"] - bh)
                if x < -0.1 * bw or y < 0 or x + bw > im["width"] + 0.1 * bw or y + bh > im["height"] + 0.1 * bh:
                    continue
                quad = quad_for_box((x, y, bw, bh), str(rng.choice(shapes)), rng)
                lo, hi = quad.min(0), quad.max(0)
                if _overlap((*lo, *(hi - lo)), everything) <= 0.04:
                    pic.quads.append(quad)
                    pic.labels.append(0.0)
                    made += 1
        # Places of which nothing is known (label -1): cut, but not trained on.
        sizes = [a["bbox"][2:] for a in cars]
        unknown = {"openimages_plates": 6, "indonesia_plates": 6, "acpds": 20, "atl_vehicles": 20, "highway_od": 4}
        for _ in range(unknown.get(name, 0) if sizes else 0):
            bw, bh = np.array(sizes[rng.integers(len(sizes))]) * rng.uniform(0.7, 1.4)
            x, y = rng.uniform(0, max(1, im["width"] - bw)), rng.uniform(0.15, 1) * max(1, im["height"] - bh)
            pic.quads.append(quad_for_box((x, y, bw, bh), str(rng.choice(shapes)), rng))
            pic.labels.append(-1.0)
        pictures.append(pic)
    return [p for p in pictures if p.quads]


def anonymized(picture: Picture) -> np.ndarray:
    """The picture as the library's pipeline reads it: anonymized by the default policy, on the picture's own lot."""
    import parkq

    image = load_rgb(picture.path)
    sides = np.array([image.shape[1], image.shape[0]])
    quads = [np.clip(quad / sides, 0, 1) for quad in picture.quads]
    lot = parkq.Lot([parkq.Space(str(i), quad.tolist()) for i, quad in enumerate(quads)])
    return parkq.Anonymizer(lot=lot).anonymize(image)


def cut(pictures: list[Picture], source: str, read: Callable[[Picture], np.ndarray]) -> Spaces:
    n = sum(len(p.quads) for p in pictures)
    patches = np.empty((n, CONTEXT, CONTEXT, 3), np.uint8)
    quads = np.empty((n, 4, 2), np.float32)
    labels, groups, names, i = [], [], [], 0
    for pic in pictures:
        image = read(pic)
        for quad, label in zip(pic.quads, pic.labels):
            left, top, side = square(quad, CONTEXT_MARGIN)
            patches[i] = np.clip(resample(image, left, top, side, CONTEXT) + 0.5, 0, 255)
            quads[i] = (quad - (left, top)) * (CONTEXT / side)
            labels.append(label)
            groups.append(pic.group)
            names.append(f"{source}/{pic.path.stem}")
            i += 1
    return Spaces(patches, quads, np.array(labels, np.float32), groups, names)


def cached(cache: Path, name: str, make, read: Callable[[Picture], np.ndarray] = as_it_is) -> Spaces:
    """Spaces of one source, cut once and then mapped from disk."""
    meta, pixels = cache / f"{name}.v{VERSION}.json", cache / f"{name}.v{VERSION}.npy"
    if not meta.exists():
        cache.mkdir(parents=True, exist_ok=True)
        s = cut(make(), name, read)
        np.save(pixels, s.patches)
        meta.write_text(
            json.dumps(dict(quads=s.quads.tolist(), labels=s.labels.tolist(), groups=s.groups, pictures=s.pictures))
        )
    m = json.loads(meta.read_text())
    return Spaces(
        np.load(pixels, mmap_mode="r"),
        np.array(m["quads"], np.float32),
        np.array(m["labels"], np.float32),
        m["groups"],
        m["pictures"],
    )


def labelled_sources(
    data: Path, rendered: Path, cache: Path, suffix: str = "", read: Callable[[Picture], np.ndarray] = as_it_is
) -> dict[str, Spaces]:
    """The sources with labelled spaces by name; the rendered one only if it is there. Row by row the same, however read."""
    out = {"acpds": cached(cache, f"acpds{suffix}", lambda: labelled_pictures(data / "acpds", "train"), read)}
    if (rendered / "labels.json").exists():
        count = len(json.loads((rendered / "labels.json").read_text())["images"])
        out["rendered"] = cached(cache, f"rendered_{count}{suffix}", lambda: labelled_pictures(rendered, None), read)
    return out


def sources(data: Path, rendered: Path, cache: Path, seed: int) -> dict[str, Spaces]:
    """All training sources by name."""
    labelled, derived = labelled_sources(data, rendered, cache), {}
    for i, name in enumerate(DERIVED):
        rng = np.random.default_rng(seed * 100 + i)
        derived[f"from_{name}"] = cached(cache, f"from_{name}", lambda: derived_pictures(data / name, rng))
    return {"acpds": labelled["acpds"], **derived, **labelled}  # training draws by this order


def load_people(root: Path, cache: Path) -> np.ndarray:
    """Persons cut from training pictures, to stand on free spaces: uint8 [n, 48, 20, 3]."""
    path = cache / f"people.v{VERSION}.npy"
    if not path.exists():
        data = json.loads((root / "labels.json").read_text())
        cuts = []
        for im in data["images"]:
            boxes = [
                a["bbox"]
                for a in data["annotations"]
                if a["image_id"] == im["id"] and a["category"] == "person" and not a.get("ignore")
            ]
            boxes = [b for b in boxes if b[3] >= 40 and 0.2 < b[2] / b[3] < 0.7]
            if im["split"] == "train" and boxes:
                image = Image.open(root / im["file_name"]).convert("RGB")
                cuts += [np.asarray(image.resize((20, 48), box=(x, y, x + w, y + h))) for x, y, w, h in boxes]
        cache.mkdir(parents=True, exist_ok=True)
        np.save(path, np.array(cuts, np.uint8))
    return np.load(path)

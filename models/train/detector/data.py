"""Training views for the detector: crops of labelled pictures at every scale, with plates pasted onto vehicles and
persons beside them.

A view is SIDE x SIDE pixels. Its targets are one map per label: `score` (1 on the cells at an object's middle), `weight`
(0 where nothing may be learnt: ignored boxes, labels that the set does not know) and `box` (left, top, right, bottom).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from boxes import overlap
from net import LABELS, STRIDE, Detector
from people import People
from plates import Plates

cv2.setNumThreads(1)
SIDE = 320
#: How often each set is drawn.
SHARES = {
    "acpds": 0.24,
    "atl_vehicles": 0.12,
    "highway_od": 0.32,
    "openimages_plates": 0.22,
    "indonesia_plates": 0.11,
    "overhead_cars": 0.04,
    "rendered": 0.12,
}
#: Those that are photographs.
REAL = [name for name in SHARES if name != "rendered"]
#: Sizes in view pixels that are learnt, and drawn log-uniformly: height for plates, faces and persons, longer side for vehicles.
#: Larger ones are left to a coarser level, which shows everything at a third of the size.
SIZES = {"vehicle": (12, 300), "person": (14, 240), "plate": (6, 72), "face": (7, 90)}
#: The least size in pixels to which an object is reduced before it is enlarged again.
LEAST = {"vehicle": 9, "person": 9, "plate": 4.5, "face": 5}
#: How often an object of each label is the one that a view is made for.
ANCHORS = {"vehicle": 1.0, "person": 1.4, "plate": 2.0, "face": 1.0}
#: Of the labelled plates this share gets another plate drawn over it.
RENEWED = 0.35
#: Plates found by the net of the cycle before where none are labelled: from SURE on they are learnt, from MAYBE on left alone.
GUESSED, SURE, MAYBE = ("highway_od", "atl_vehicles"), 0.68, 0.45
#: Sets of whose spaces people say which are occupied: on those a vehicle that the net of the cycle before finds is believed
#: from PARKED on, beside them from SURE_VEHICLE on.
SPACES, PARKED, SURE_VEHICLE = ("acpds",), 0.35, 0.65
#: Pictures of high cameras, into which persons are pasted, and how often.
HIGH, PASTE_PEOPLE = ("acpds", "atl_vehicles"), 0.45
#: Share of views that are put together from four.
MOSAIC = 0.4
#: Cameras, lots and pictures that training never sees: thresholds and calibration are chosen on them.
HELD_OUT_GROUPS = ("roundabout", "acpds6654")
HELD_OUT_SHARE = 10  # one picture in so many of the sets without groups


@dataclass
class Picture:
    set: str
    image: np.ndarray  # RGB
    boxes: np.ndarray  # [n, 4] x, y, w, h
    labels: np.ndarray  # [n] index into LABELS
    ignore: np.ndarray  # [n] bool
    wheeled: np.ndarray  # [n] bool: a vehicle that may carry a plate where none is labelled
    known: np.ndarray  # [4] bool: the label is exhaustively labelled
    file: str
    spaces: list[tuple[np.ndarray, bool]]  # corners [4, 2], and whether people say that it is occupied

    def corners(self, label: int) -> tuple[np.ndarray, np.ndarray]:
        """Left, top, right, bottom of the boxes of a label that count, and of those to be ignored."""
        own, corners = self.labels == label, self.boxes.copy()
        corners[:, 2:] += corners[:, :2]
        return corners[own & ~self.ignore], corners[own & self.ignore]


def acpds_lot(source_id: str) -> str:
    """The lot of a picture: the camera numbered its pictures through, lot by lot."""
    number = int("".join(c for c in source_id if c.isdigit()))
    return f"acpds{max(b for b in (0, 6545, 6564, 6603, 6654, 6723) if b <= number)}"


def is_held_out(name: str, image: dict, order: int) -> bool:
    group = acpds_lot(image["source_id"]) if name == "acpds" else image.get("group", "")
    if group in HELD_OUT_GROUPS:
        return True
    return name not in ("acpds", "atl_vehicles") and order % HELD_OUT_SHARE == 7


def edge_on(a: dict) -> bool:
    """A rendered plate that no one could read."""
    return a["source"] == "render" and a["category"] == "plate" and min(a["bbox"][2] / 1.5, a["bbox"][3]) < 7


def load(root: Path, name: str, held_out: bool, split: str = "train") -> list[Picture]:
    data = json.loads((root / name / "labels.json").read_text())
    by_image: dict[int, list[dict]] = {}
    for a in data["annotations"]:
        by_image.setdefault(a["image_id"], []).append(a)
    spaces: dict[int, list[tuple[np.ndarray, bool]]] = {}
    for slot in data.get("slots", []):
        spaces.setdefault(slot["image_id"], []).append((np.array(slot["polygon"], np.float32), slot["occupied"]))
    pictures = []
    chosen = [im for im in data["images"] if im["split"] == split]
    for order, im in enumerate(chosen):
        if split == "train" and is_held_out(name, im, order) != held_out:
            continue
        notes = by_image.get(im["id"], [])
        known = np.array([bool(data["labelled"].get(c)) and c not in im.get("mask", []) for c in LABELS])
        pictures.append(
            Picture(
                name,
                np.asarray(Image.open(root / name / im["file_name"]).convert("RGB")),
                np.array([a["bbox"] for a in notes], np.float32).reshape(-1, 4),
                np.array([LABELS.index(a["category"]) for a in notes], int),
                np.array([bool(a.get("ignore")) or edge_on(a) for a in notes], bool),
                np.array([a["category"] == "vehicle" and a.get("kind") not in ("motorcycle", "bicycle") for a in notes], bool),
                known,
                im["file_name"],
                spaces.get(im["id"], []),
            )
        )
    return pictures


def stands_on(box: np.ndarray, quad: np.ndarray) -> bool:
    """Whether a vehicle (x, y, w, h) stands on a space: three quarters down its middle is in the quad."""
    x, y, w, h = (float(v) for v in box[:4])
    return cv2.pointPolygonTest(quad, (x + w / 2, y + 0.75 * h), False) >= 0


def guess(net: Detector, pictures: list[Picture], sets: tuple[str, ...], label: str, least: float,
          fine: tuple[float, ...]) -> dict[str, list[list[float]]]:
    """What the net finds of a label, from a score on, in the pictures of some sets, by file: x, y, w, h, score, without the
    widening of boxes. `fine` are the longer sides of the finest levels that it looks at."""
    from infer import GROW, detect, nms

    c = LABELS.index(label)
    floor = np.where(np.array(LABELS) == label, least, 1.0)
    margin = GROW[c] / (1 + 2 * GROW[c])
    found = {}
    for picture in pictures:
        if picture.set in sets:
            rows = nms(np.concatenate([detect(net, picture.image, floor, fine=side) for side in fine]))
            sides = rows[:, 4:] - rows[:, 2:4]
            boxes = np.concatenate([rows[:, 2:4] + margin * sides, sides * (1 - 2 * margin), rows[:, 1:2]], 1)
            found[picture.file] = boxes.tolist()
    return found


def guess_vehicles(net: Detector, pictures: list[Picture]) -> dict[str, list[list[float]]]:
    """Vehicles in pictures whose spaces are labelled."""
    return guess(net, pictures, SPACES, "vehicle", PARKED, (896, 1344))


def guess_plates(net: Detector, pictures: list[Picture]) -> dict[str, list[list[float]]]:
    """Plates in pictures whose plates are not labelled."""
    return guess(net, pictures, GUESSED, "plate", MAYBE, (896,))


def add_vehicles(picture: Picture, guesses: list[list[float]]) -> None:
    """Corrects a picture's vehicles by what people say of its spaces: on an occupied one on which the teachers found none,
    the surest guess stands; a vehicle on a free one is left alone. Where the teachers found so few that vehicles were not
    to be learnt at all, guesses beside the spaces are, too, if they are sure. Where a sure guess and a teacher mean the same
    vehicle, their mean counts."""
    c, more, left_alone = LABELS.index("vehicle"), [], []
    free = [quad for quad, occupied in picture.spaces if not occupied]
    taken = [quad for quad, occupied in picture.spaces if occupied]
    mine = (picture.labels == c) & ~picture.ignore
    found = np.array(sorted(guesses, key=lambda guess: -guess[4])).reshape(-1, 5)
    for k in np.nonzero(mine)[0]:
        box = picture.boxes[k]
        if any(stands_on(box, quad) for quad in free) and not any(stands_on(box, quad) for quad in taken):
            picture.ignore[k] = True
        alike = iou(box, found)
        if alike.max(initial=0) > 0.5 and found[alike.argmax(), 4] >= SURE_VEHICLE:
            picture.boxes[k] = (box + found[alike.argmax(), :4].astype(np.float32)) / 2
    labelled = picture.boxes[mine & ~picture.ignore]
    for quad in taken:
        if not any(stands_on(box, quad) for box in (*labelled, *more)):
            best = next((one for one in found if stands_on(one, quad)), None)
            low, high = quad.min(0), quad.max(0)
            if best is None:
                left_alone.append([*(low - 0.2 * (high - low)), *(1.4 * (high - low))])
            elif not (iou(best, labelled) > 0.5).any():
                more.append(best)
    if not picture.known[c]:
        picture.known[c] = True
        for one in found:
            if not any(stands_on(one, quad) for quad in (*free, *taken)) and not (iou(one, labelled) > 0.5).any():
                (more if one[4] >= SURE_VEHICLE else left_alone).append(one)
    add(picture, c, more, False)
    add(picture, c, left_alone, True)


def add(picture: Picture, label: int, boxes: list, ignore: bool) -> None:
    if boxes:
        picture.boxes = np.concatenate([picture.boxes, np.array([box[:4] for box in boxes], np.float32)])
        picture.labels = np.concatenate([picture.labels, np.full(len(boxes), label)])
        picture.ignore = np.concatenate([picture.ignore, np.full(len(boxes), ignore)])
        picture.wheeled = np.concatenate([picture.wheeled, np.full(len(boxes), label == 0 and not ignore)])


def iou(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of a box (x, y, w, h) and each of some others."""
    corners = lambda b: np.concatenate([b[:, :2], b[:, :2] + b[:, 2:4]], 1)  # noqa: E731
    return overlap(corners(box[None]), corners(others))[0]


def add_plates(picture: Picture, guesses: list[list[float]]) -> None:
    """Adds guessed plates to a picture's labels."""
    c = LABELS.index("plate")
    add(picture, c, [one for one in guesses if one[4] >= SURE], False)
    add(picture, c, [one for one in guesses if one[4] < SURE], True)


def cut_plate(picture: Picture, k: int) -> np.ndarray | None:
    """The picture of a labelled plate, if it is a whole and a sharp one."""
    x, y, w, h = picture.boxes[k].round().astype(int)
    height, width = picture.image.shape[:2]
    if h < 18 or not 1.0 < w / h < 6 or x < 2 or y < 2 or x + w > width - 2 or y + h > height - 2:
        return None
    return picture.image[y : y + h, x : x + w]


class Targets:
    """The maps of one view."""

    def __init__(self, known: np.ndarray, side: int) -> None:
        self.side, n = side, side // STRIDE
        self.score = np.zeros((len(LABELS), n, n), np.float32)
        self.weight = np.repeat(known.astype(np.float32), n * n).reshape(self.score.shape)
        self.box = np.zeros((len(LABELS), 4, n, n), np.float32)

    def _cells(self, x0: float, y0: float, x1: float, y1: float) -> tuple[slice, slice]:
        """The cells whose centres lie in a rectangle."""
        first = lambda v: int(np.clip(np.ceil(v / STRIDE - 0.5), 0, self.side // STRIDE))  # noqa: E731
        return slice(first(y0), first(y1)), slice(first(x0), first(x1))

    def ignore(self, label: int, box: np.ndarray) -> None:
        x, y, w, h = box
        rows, columns = self._cells(x - 2, y - 2, x + w + 2, y + h + 2)
        self.weight[label, rows, columns] = 0

    def doubt(self, label: int, keep: list[np.ndarray], weight: float) -> None:
        """The label is not labelled here, but may be taken as absent outside the given boxes."""
        if self.weight[label].any():
            return
        plane = np.full(self.weight.shape[1:], weight, np.float32)
        for x, y, w, h in keep:
            rows, columns = self._cells(x - 0.1 * w - 6, y - 0.1 * h - 6, x + 1.1 * w + 6, y + 1.1 * h + 6)
            plane[rows, columns] = 0
        self.weight[label] = plane

    def put(self, label: int, box: np.ndarray) -> None:
        x, y, w, h = box
        cx, cy = x + w / 2, y + h / 2
        rows, columns = self._cells(x, y, x + w, y + h)
        self.weight[label, rows, columns] = 0  # between middle and edge nothing is asked
        rx = min(max(0.22 * w, 0.55 * STRIDE), 2.5 * STRIDE)
        ry = min(max(0.22 * h, 0.55 * STRIDE), 2.5 * STRIDE)
        rows, columns = self._cells(cx - rx, cy - ry, cx + rx, cy + ry)
        self.score[label, rows, columns] = 1
        self.weight[label, rows, columns] = 1
        for edge, value in enumerate((x, y, x + w, y + h)):
            self.box[label, edge, rows, columns] = value


class Views:
    """View `i` of epoch `e` is the same in every run."""

    def __init__(self, pictures: list[Picture], length: int, seed: int) -> None:
        self.sets = {name: [p for p in pictures if p.set == name] for name in SHARES}
        self.sets = {name: found for name, found in self.sets.items() if found}
        shares = np.array([SHARES[name] for name in self.sets])
        self.shares = shares / shares.sum()
        self.length, self.seed, self.epoch = length, seed, 0
        real = [p for p in pictures if p.known[2] and p.set != "rendered"]
        plates = [cut_plate(p, k) for p in real for k in np.nonzero((p.labels == 2) & ~p.ignore)[0]]
        self.plates = Plates(np.random.default_rng(seed), [plate for plate in plates if plate is not None])
        self.people = People(self.sets.get("highway_od", []), LABELS.index("person"))

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        rng = np.random.default_rng((self.seed, self.epoch, i))
        if rng.random() < MOSAIC:  # four views of half the side
            parts = [self._part(SIDE // 2, rng) for _ in range(4)]
            join = lambda a, b, c, d: np.concatenate([np.concatenate([a, b], -1), np.concatenate([c, d], -1)], -2)  # noqa: E731
            view = join(*(view.transpose(2, 0, 1) for view, _ in parts)).transpose(1, 2, 0)
            for (_, targets), (dx, dy) in zip(parts, ((0, 0), (1, 0), (0, 1), (1, 1))):
                targets.box += np.array([dx, dy, dx, dy]).reshape(1, 4, 1, 1) * (SIDE // 2)
            score, weight, box = (join(*(getattr(t, name) for _, t in parts)) for name in ("score", "weight", "box"))
        else:
            view, targets = self._part(SIDE, rng)
            score, weight, box = targets.score, targets.weight, targets.box
        view = damage(np.ascontiguousarray(view), rng)
        if rng.random() < 0.5:
            view, score, weight, box = view[:, ::-1], score[:, :, ::-1], weight[:, :, ::-1], box[:, [2, 1, 0, 3], :, ::-1]
            box[:, ::2] = SIDE - box[:, ::2]
        return tuple(np.ascontiguousarray(a) for a in (view, score, weight, box))

    def _part(self, side: int, rng: np.random.Generator) -> tuple[np.ndarray, Targets]:
        found = list(self.sets.values())[rng.choice(len(self.sets), p=self.shares)]
        picture = found[rng.integers(len(found))]
        view, boxes, shown = cut(picture, side, rng)
        carriers = boxes[picture.wheeled & shown & ~picture.ignore]
        if picture.known[2]:
            for k in np.nonzero((picture.labels == 2) & shown & ~picture.ignore)[0]:
                if rng.random() < RENEWED:
                    boxes[k] = self.plates.renew(view, boxes[k], rng)
        high = picture.set in HIGH and rng.random() < PASTE_PEOPLE
        people = self.people.paste(view, carriers, rng) if high else []
        pasted = self.plates.paste(view, carriers, rng) if rng.random() < 0.5 else []
        targets = Targets(picture.known, side)
        if picture.known[0] and not picture.known[2]:
            targets.doubt(LABELS.index("plate"), list(boxes[(picture.labels == 0) & shown]), 0.5)
        order = np.argsort(-boxes[:, 2] * boxes[:, 3])  # so that small ones lie on top
        for k in order:
            if picture.ignore[k]:
                targets.ignore(picture.labels[k], boxes[k])
        for k in order:
            if picture.ignore[k] or not shown[k]:
                continue
            label, box = LABELS[picture.labels[k]], boxes[k]
            clipped = np.array([*np.clip(box[:2], 0, side), *np.clip(box[:2] + box[2:], 0, side)])
            clipped[2:] -= clipped[:2]
            size = max(box[2:]) if label == "vehicle" else box[3]
            low, high = SIZES[label]
            seen = clipped[2] * clipped[3] / max(box[2] * box[3], 1e-6)
            if size > high * 1.6:
                continue  # a coarser level finds it: at this one it is background, and so are its parts
            if seen < 0.4 or not low * 0.8 <= size <= high * 1.25:
                targets.ignore(picture.labels[k], box)
            else:
                targets.put(picture.labels[k], clipped)
        for x, y, w, h in people:
            targets.put(LABELS.index("person"), np.array([x, y, w, h]))
            targets.ignore(LABELS.index("face"), np.array([x, y, w, 0.3 * h]))
        for box in pasted:
            targets.put(LABELS.index("plate"), box)
        return view, targets


def cut(picture: Picture, side: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A view, the boxes in its pixels, and which of them it shows."""
    height, width = picture.image.shape[:2]
    real = np.nonzero(~picture.ignore)[0]
    if len(real) and rng.random() < 0.85:
        chances = np.array([ANCHORS[LABELS[picture.labels[k]]] for k in real])
        counts = np.bincount(picture.labels[real], minlength=len(LABELS))
        chances /= counts[picture.labels[real]]
        k = real[rng.choice(len(real), p=chances / chances.sum())]
        box, label = picture.boxes[k], LABELS[picture.labels[k]]
        low, high = SIZES[label]
        size = max(box[2:]) if label == "vehicle" else box[3]
        drawn = np.exp(rng.uniform(np.log(low), np.log(high)))
        scale, least = drawn / max(size, 1), LEAST[label] / drawn
        cx, cy = box[0] + box[2] / 2, box[1] + box[3] / 2
    else:
        scale, least = side / max(height, width) * np.exp(rng.uniform(-0.2, 1.2)), 0.5
        cx, cy = rng.uniform(0, width), rng.uniform(0, height)
    # Not coarser than 0.6 of the view, nor finer than three times the picture.
    scale = float(np.clip(scale, 0.6 * side / max(height, width), 3.0))
    sx, sy = scale * np.exp(rng.normal(0, 0.1)), scale * np.exp(rng.normal(0, 0.1))
    w, h = side / sx, side / sy
    x0, y0 = cx - w * rng.uniform(0.15, 0.85), cy - h * rng.uniform(0.15, 0.85)
    # Within the picture where it is larger than the view; else somewhere in the view.
    x0 = rng.uniform(width - w, 0) if w >= width else float(np.clip(x0, 0, width - w))
    y0 = rng.uniform(height - h, 0) if h >= height else float(np.clip(y0, 0, height - h))
    view = np.full((side, side, 3), 114, np.uint8)
    left, top = max(0, int(x0)), max(0, int(y0))
    right, bottom = min(width, int(np.ceil(x0 + w))), min(height, int(np.ceil(y0 + h)))
    part = picture.image[top:bottom, left:right]
    u0, v0 = max(0, round((left - x0) * sx)), max(0, round((top - y0) * sy))
    u1, v1 = min(side, round((right - x0) * sx)), min(side, round((bottom - y0) * sy))
    if u1 - u0 > 1 and v1 - v0 > 1:
        how = cv2.INTER_AREA if scale < 0.9 else (cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_CUBIC)
        # Sometimes through a smaller picture: small things are often enlarged, and blurred.
        if rng.random() < 0.4 and least < 0.9:
            f = np.exp(rng.uniform(np.log(max(least, 0.25)), np.log(0.95)))
            part = cv2.resize(part, (max(2, int((u1 - u0) * f)), max(2, int((v1 - v0) * f))), interpolation=cv2.INTER_AREA)
            how = cv2.INTER_LINEAR
        view[v0:v1, u0:u1] = cv2.resize(part, (u1 - u0, v1 - v0), interpolation=how)
        kx, ky = (u1 - u0) / (right - left), (v1 - v0) / (bottom - top)
    else:
        kx, ky = sx, sy
    boxes = picture.boxes.copy()
    boxes[:, 0], boxes[:, 1] = (boxes[:, 0] - left) * kx + u0, (boxes[:, 1] - top) * ky + v0
    boxes[:, 2], boxes[:, 3] = boxes[:, 2] * kx, boxes[:, 3] * ky
    shown = (boxes[:, 0] < side) & (boxes[:, 1] < side) & (boxes[:, 0] + boxes[:, 2] > 0) & (boxes[:, 1] + boxes[:, 3] > 0)
    return view, boxes, shown


def damage(view: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light, colour, optics, sensor and compression."""
    kind = rng.random()
    x = view
    if rng.random() < 0.75:
        table = np.arange(256, dtype=np.float32) / 255
        gamma = np.exp(rng.normal(0, 0.35))
        gain, lift = np.exp(rng.normal(0, 0.25)), rng.normal(0, 0.06)
        if rng.random() < 0.12:  # night
            gain, gamma = rng.uniform(0.25, 0.6), rng.uniform(1.0, 1.6)
        tint = np.exp(rng.normal(0, 0.06, 3))
        tables = np.clip(((table[:, None] ** gamma) * gain * tint + lift) * 255, 0, 255).astype(np.uint8)
        x = cv2.LUT(x, tables[:, None, :].transpose(1, 0, 2))
    if rng.random() < 0.3:  # saturation
        gray = cv2.cvtColor(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        f = float(rng.choice([0.0, rng.uniform(0.2, 1.6)], p=[0.25, 0.75]))
        x = cv2.addWeighted(x, f, gray, 1 - f, 0)
    if kind < 0.12:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.3))
    elif kind < 0.2:
        n = int(rng.integers(3, 8))
        kernel = np.zeros((n, n), np.float32)
        t = rng.uniform(0, np.pi)
        d = np.array([np.cos(t), np.sin(t)]) * n / 2
        cv2.line(kernel, tuple((n / 2 - d).astype(int).tolist()), tuple((n / 2 + d).astype(int).tolist()), 1.0, 1)
        x = cv2.filter2D(x, -1, kernel / max(kernel.sum(), 1))
    if rng.random() < 0.25:
        noise = np.empty(x.shape, np.int16)
        cv2.setRNGSeed(int(rng.integers(1 << 30)))
        cv2.randn(noise, 0, rng.uniform(2, 16))
        x = np.clip(x.astype(np.int16) + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(18, 85))]
        x = cv2.imdecode(cv2.imencode(".jpg", x, quality)[1], cv2.IMREAD_COLOR)
    return x

"""What comes out: plain values, tables, plans; nothing that shows anybody."""

import hashlib
import inspect
import json
import pickle
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import parkq
import pytest
from conftest import DATA, REPOSITORY

ERRORS = {
    "frame": parkq.FrameError,
    "decode": parkq.DecodeError,
    "option": parkq.OptionError,
    "lot": parkq.LotError,
    "model": parkq.ModelError,
}
EXPECTATIONS = json.loads((DATA / "expectations.json").read_text())


def test_the_scene_is_as_expected_in_every_language() -> None:
    expected = EXPECTATIONS["scene"]
    lot = parkq.Lot.from_json((DATA / expected["lot"]).read_text())
    found = parkq.Pipeline(lot).process((DATA / expected["picture"]).read_bytes()).occupancy
    assert {state: found.count(state) for state in expected["counts"]} == expected["counts"]
    assert list(found.occupied_interval) == expected["occupied_interval"]
    for reading, row in zip(found.readings, expected["readings"], strict=True):
        assert (reading.id, reading.state) == (row["id"], row["state"])
        assert reading.probability == pytest.approx(row["probability"], abs=expected["tolerance"])


def cases() -> list[object]:
    blank = np.zeros((4, 4, 3), np.uint8)
    estimator = parkq.Estimator(parkq.Lot())
    errors = EXPECTATIONS["errors"]
    shapes = {"RGB8": (3,), "GRAY8": (), "YUYV": (2,)}
    found = [(case, lambda t=case["json"]: parkq.Lot.from_json(t)) for case in errors["lots"]]
    for case in errors["options"]:
        found.append((case, lambda o=case["options"]: parkq.Estimator(parkq.Lot(), **o)))
    for case in errors["models"]:
        model = case["text"].encode()
        found.append((case, lambda m=model: parkq.Estimator(parkq.Lot(), model=m)))
    for case in errors["pictures"]:
        found.append((case, lambda t=case["text"]: estimator.occupancy(t.encode())))
    for case in errors["buffers"]:
        if "bytes" in case["message"]:
            continue  # an array's length is that of its shape: Python cannot say this
        height, width = case["height"], case["width"]
        planar = case["format"] not in shapes
        shape = (height * 3 // 2, width) if planar else (height, width, *shapes[case["format"]])
        array, word = np.zeros(shape, np.uint8), case["format"].lower().rstrip("8")
        found.append((case, lambda a=array, w=word: estimator.occupancy(a, format=w)))
    assert len(found) >= 10 and blank.size
    return found


@pytest.mark.parametrize(("case", "do"), cases())
def test_errors_are_as_expected_in_every_language(case: dict[str, str], do) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(parkq.Error) as caught:
        do()
    assert type(caught.value) is ERRORS[case["kind"]]
    assert str(caught.value).startswith(case["message"])


def test_an_occupancy_is_a_table_and_a_record(
    estimator: parkq.Estimator, scene: np.ndarray
) -> None:
    occupancy = estimator.occupancy(scene)
    table = pd.DataFrame(occupancy.records())
    assert list(table) == ["id", "state", "probability", "pixels_per_metre", "unknown"]
    assert (table["state"] == "free").sum() == occupancy.free == occupancy.count("free")
    assert occupancy.to_dict() == json.loads(occupancy.to_json())
    assert occupancy.to_dict()["model"]["sha256"] == occupancy.model.sha256
    assert occupancy.lot == estimator.lot and len(occupancy) == len(estimator.lot)
    assert [r.to_dict() for r in occupancy.readings] == occupancy.records()
    least, most = occupancy.occupied_interval
    assert 0 <= least <= most <= len(occupancy)


def test_notebooks_show_plans_without_pixels(pipeline: parkq.Pipeline, scene: np.ndarray) -> None:
    outcome = pipeline.process(scene)
    shown = (outcome._repr_html_(), outcome.occupancy._repr_html_(), outcome.occupancy._repr_svg_())
    for text in shown:
        assert "<svg" in text and "<image" not in text and "data:" not in text
    assert outcome.picture is not None
    assert outcome.picture._repr_jpeg_().startswith(b"\xff\xd8")


def test_reprs_say_what_matters(
    estimator: parkq.Estimator,
    pipeline: parkq.Pipeline,
    anonymizer: parkq.Anonymizer,
    scene: np.ndarray,
) -> None:
    outcome = pipeline.process(scene)
    things = [estimator, pipeline, anonymizer, outcome, outcome.picture, outcome.occupancy]
    things += [outcome.redactions[0], outcome.occupancy.readings[0], outcome.occupancy.model]
    things += [parkq.Stream(anonymizer), parkq.Detector(), estimator.lot.spaces[0]]
    for thing in things:
        assert "parkq." in repr(thing) and " object at " not in repr(thing)
        assert len(repr(thing)) < 300


def test_what_could_show_somebody_does_not_pickle(
    estimator: parkq.Estimator,
    pipeline: parkq.Pipeline,
    anonymizer: parkq.Anonymizer,
    detector: parkq.Detector,
) -> None:
    for thing in (estimator, pipeline, anonymizer, detector, parkq.Stream(anonymizer)):
        with pytest.raises(TypeError, match="cannot pickle"):
            pickle.dumps(thing)


def test_results_are_frozen(estimator: parkq.Estimator, scene: np.ndarray) -> None:
    occupancy = estimator.occupancy(scene)
    for thing, name in ((occupancy, "free"), (occupancy.readings[0], "state"), (estimator, "lot")):
        with pytest.raises(AttributeError):
            setattr(thing, name, None)
        with pytest.raises(AttributeError):
            thing.anything = 1  # type: ignore[attr-defined]


def test_documented_defaults_are_the_cores(
    estimator: parkq.Estimator, detector: parkq.Detector, anonymizer: parkq.Anonymizer
) -> None:
    for thing in (estimator, detector, anonymizer):
        doc = inspect.getdoc(type(thing)) or ""
        for name, value in thing.options.items():
            entry = re.search(rf"^    {name}: (.*?)(?=^    \w+: |^\w)", doc, re.M | re.S)
            assert entry, name
            default = re.search(r"Default:\s+(.*)\.$", entry[1].strip(), re.S)
            if isinstance(value, dict):
                same = set(value.values())
                told = (
                    str(same.pop())
                    if len(same) == 1
                    else ", ".join(f"{k} {v}" for k, v in value.items())
                )
            elif value is None:
                continue
            else:
                told = f'"{value}"' if isinstance(value, str) else str(value)
            assert default and " ".join(default[1].split()) == told, name
            assert inspect.signature(type(thing)).parameters[name].default is None


def test_options_are_set_and_checked() -> None:
    options = {"free_below": 0.4, "occupied_above": 0.6, "dispersion": 2.0, "min_side": 12.0}
    options |= {"max_masked": 0.5, "second_look": False, "threads": 1}
    assert parkq.Estimator(parkq.Lot(), **options).options == options
    found = {"max_overlap": 0.25, "max_detections": 5, "tiling": "whole", "threads": 2}
    detector = parkq.Detector(min_score={"plate": 0.25}, **found)
    scores = parkq.Detector().options["min_score"] | {"plate": 0.25}
    assert detector.options == {"min_score": scores, **found}
    policy = {
        "plates": True, "faces": False, "persons": True, "scores": dict.fromkeys(scores, 0.5),
        "sure_plate": 0.25, "plate_margin": 0.3, "face_margin": 0.4, "person_margin": 0.2,
        "head_margin": 0.2, "min_margin": 3.0, "fallback": "whole_vehicle",
        "plate_zone": (0.5, 0.9), "min_pixels_per_metre": 80.0, "fill": None,
        "mosaic": (2, 1, 4), "max_leak_bits": 4.0,
    }  # fmt: skip
    given = {k: v for k, v in policy.items() if v is not None} | {"scores": 0.5}
    assert parkq.Anonymizer(detector, **given).options == policy
    assert parkq.Anonymizer(detector, fill=(1, 2, 3)).options["fill"] == (1, 2, 3)
    assert parkq.Anonymizer(detector, fill="surroundings").options["fill"] == "surroundings"
    for wrong in (
        {"mosaic": (8, 2, 255)}, {"plate_margin": -1.0}, {"fallback": "x"}, {"fill": "x"},
        {"fill": (0, 0, 0), "mosaic": (1, 1, 2)}, {"scores": {"cat": 0.5}}, {"scores": 2.0},
    ):  # fmt: skip
        with pytest.raises(parkq.OptionError):
            parkq.Anonymizer(detector, **wrong)
    for wrong in ({"tiling": "x"}, {"max_overlap": 2.0}, {"spec": "{}"}, {"model": b""}):
        with pytest.raises(parkq.Error):
            parkq.Detector(**wrong)
    with pytest.raises(parkq.ModelError):
        parkq.Detector(model=b"no model", spec="{}")


QUAD = [(0.1, 0.5), (0.2, 0.5), (0.2, 0.8), (0.1, 0.8)]
WHOLE = [
    (lambda n: parkq.Estimator(parkq.Lot(), threads=n), "threads"),
    (lambda n: parkq.Detector(threads=n), "threads"),
    (lambda n: parkq.Detector(max_detections=n), "max_detections"),
    (lambda n: parkq.Stream(parkq.Anonymizer(), keep_frames=n), "keep_frames"),
    (lambda n: parkq.Anonymizer(fill=(n, 0, 0)), "fill"),
    (lambda n: parkq.Anonymizer(mosaic=(2, n, 2)), "cells"),
    (lambda n: parkq.Anonymizer(mosaic=(2, 1, n)), "levels"),
    (lambda n: parkq.row(QUAD, n), "count"),
    (lambda n: parkq.Space("A", QUAD, max_stay_minutes=n), "max_stay_minutes"),
    (lambda n: parkq.Imported.pklot("", n, 1), "width"),
    (lambda n: parkq.Imported.ultralytics("", 1, n), "height"),
    (lambda n: parkq.Space("A", QUAD).pixels_per_metre(n, 1), "width"),
]


@pytest.mark.parametrize(("use", "name"), WHOLE)
def test_whole_numbers_have_names_and_ranges(use, name: str) -> None:  # type: ignore[no-untyped-def]
    for number in (-1, 2**70):
        with pytest.raises(parkq.OptionError, match=f"option {name}: {number} is not in [0-9]"):
            use(number)
    for thing in (1.5, "2"):
        with pytest.raises(TypeError, match=f"{name} is a whole number, not <class"):
            use(thing)


@pytest.mark.parametrize("fill", [(0, 0), 5, (0, 0, 0, 0), "black"])
def test_a_fill_is_three_numbers(fill: object) -> None:
    with pytest.raises(parkq.OptionError, match=r"surroundings, .red"):
        parkq.Anonymizer(fill=fill)  # type: ignore[arg-type]
    assert parkq.Anonymizer(fill=np.array([1, 2, 3])).options["fill"] == (1, 2, 3)


def test_a_model_of_ones_own_reads_and_looks(
    lot: parkq.Lot, scene: np.ndarray, bright: parkq.Detector
) -> None:
    onnx = (REPOSITORY / "models" / "space-classifier.onnx").read_bytes()
    own, bundled = parkq.Estimator(lot, model=onnx, model_name="mine"), parkq.Estimator(lot)
    assert own.model == own.occupancy(scene).model and own.model.name == "mine"
    assert own.model.sha256 == bundled.model.sha256 == hashlib.sha256(onnx).hexdigest()
    dark = np.zeros((64, 64, 3), np.uint8)
    assert bright.model.name == "bright" and bright.detect(dark) == []
    dark[16:40, 16:40] = 255
    [face, *_] = bright.detect(dark)
    x, y, width, height = face.rect
    assert face.label == "face" and 16 <= x + width / 2 <= 40 and 16 <= y + height / 2 <= 40
    hidden = parkq.Anonymizer(bright, plates=False, persons=False).anonymize(dark)
    assert not hidden.any()
    with pytest.raises(parkq.ModelError, match="looks for face; for the policy's plates"):
        parkq.Anonymizer(bright)


def test_threads_share_one_pipeline(pipeline: parkq.Pipeline, small: np.ndarray) -> None:
    expected = pipeline.process(small)
    with ThreadPoolExecutor(8) as pool:
        for outcome in pool.map(lambda _: pipeline.process(small), range(16)):
            assert outcome.occupancy == expected.occupancy
            assert outcome.picture == expected.picture


FORKS = """
import multiprocessing, parkq
estimator = parkq.Estimator(parkq.Lot.from_json(parkq.demo_lot()), threads=4)
def read(_):
    return estimator.occupancy(parkq.demo_picture()).records()
expected = read(0)
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(read, range(2)) == [expected] * 2
"""


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_a_forked_process_reads_on() -> None:
    """No lock and no thread of the parent's is missed in the child."""
    subprocess.run([sys.executable, "-c", FORKS], check=True, timeout=120)


def test_the_interpreter_runs_on_meanwhile(detector: parkq.Detector, scene: np.ndarray) -> None:
    """If the lock were kept, this thread could not count while the other one looks."""
    done, steps = threading.Event(), 0

    def look() -> None:
        detector.detect(scene)
        done.set()

    worker = threading.Thread(target=look)
    worker.start()
    while not done.is_set():
        steps += 1
    worker.join()
    assert steps > 1000


def test_the_demo_is_the_bundled_scene() -> None:
    assert parkq.demo_picture() == (DATA / "scene.jpg").read_bytes()
    assert parkq.demo_lot() == (DATA / "scene.lot.json").read_text()


def test_vehicles_are_weighed() -> None:
    """Where a detector found vehicles counts; that it found none does, too."""
    picture, lot = parkq.demo_picture(), parkq.Lot.from_json(parkq.demo_lot())
    estimator = parkq.Estimator(lot, second_look=False)
    found = parkq.Detector().detect(picture)

    def probabilities(**given: list[parkq.Detection]) -> list[float | None]:
        return [r.probability for r in estimator.occupancy(picture, **given).readings]

    alone, none, all_of_them = (
        probabilities(),
        probabilities(vehicles=[]),
        probabilities(vehicles=found),
    )
    for before, absent, present in zip(alone, none, all_of_them, strict=True):
        assert before is not None and absent is not None and present is not None
        assert absent < before and (present > before or present == absent)
    assert none != all_of_them
    # Where the classifier is unsure the detector looks, unless what it found is given.
    twice = parkq.Estimator(lot).occupancy(picture)
    changed = [a for a, b in zip(alone, twice.readings, strict=True) if a != b.probability]
    assert changed and all(p is not None and 0.05 < p < 0.95 for p in changed)
    assert twice.second_look and twice.second_look.name == "detector"
    assert twice.to_dict()["second_look"]["sha256"] == parkq.Detector().model.sha256
    assert estimator.occupancy(picture).second_look is None
    with pytest.raises(TypeError):
        estimator.occupancy(picture, vehicles=[1])  # type: ignore[list-item]

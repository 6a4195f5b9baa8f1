"""Nobody and no plate is left, and what fails shows nothing."""

import io

import numpy as np
import pandas as pd
import parkq
import pytest
from PIL import Image

Array = np.ndarray


def inside(redactions: list[parkq.Redacted], shape: tuple[int, ...]) -> Array:
    mask = np.zeros(shape[:2], bool)
    for part in (part for region in redactions for part in region.parts):
        x, y, w, h = (round(v) for v in part.rect)
        mask[y : y + h, x : x + w] = True
    return mask


def test_a_new_array_differs_only_in_the_regions(
    anonymizer: parkq.Anonymizer, scene: Array
) -> None:
    before = scene.copy()
    picture, redactions = anonymizer.anonymize(scene, return_redactions=True)
    assert np.array_equal(scene, before)
    assert picture.shape == scene.shape and picture.dtype == np.uint8
    assert picture.flags.writeable and not np.shares_memory(picture, scene)
    mask = inside(redactions, scene.shape)
    assert redactions and np.array_equal(picture[~mask], scene[~mask])
    assert not picture[mask].any()  # black
    table = pd.DataFrame(r.to_dict() for r in redactions)
    assert list(table) == ["label", "cause", "leak_bits", "x", "y", "width", "height"]
    assert (table["leak_bits"] == 0).all()
    for region in redactions:
        x, y, w, h = region.rect
        for part in region.parts:
            left, top, width, height = part.rect
            assert x <= left and y <= top and left + width <= x + w and top + height <= y + h
            assert list(part.to_dict()) == ["label", "cause", "x", "y", "width", "height"]
            assert part.cause in ("detected", "fallback") and "RedactedPart" in repr(part)


def test_in_place_is_the_same(anonymizer: parkq.Anonymizer, small: Array) -> None:
    expected = anonymizer.anonymize(small)
    lent = small.copy()
    assert anonymizer.anonymize(lent, inplace=True) is lent
    assert np.array_equal(lent, expected)
    again, redactions = anonymizer.anonymize(small.copy(), inplace=True, return_redactions=True)
    assert np.array_equal(again, expected) and redactions


def test_in_place_needs_memory_that_it_can_write(
    anonymizer: parkq.Anonymizer, small: Array
) -> None:
    locked = small.copy()
    locked.flags.writeable = False
    for array, problem in (
        (locked, "writable"),
        (small.copy()[::-1], "C-contiguous"),
        (small.astype(float), "uint8"),
        (parkq.demo_picture(), "NumPy array"),
        (Image.fromarray(small), "NumPy array"),
    ):
        with pytest.raises(parkq.FrameError, match=problem):
            anonymizer.anonymize(array, inplace=True)  # type: ignore[call-overload]


@pytest.mark.parametrize("kind", ["nv12", "i420", "yuyv", "gray", "bgra"])
def test_every_format_keeps_its_shape(
    anonymizer: parkq.Anonymizer, small: Array, kind: str
) -> None:
    h, w = small.shape[:2]
    shape = {"yuyv": (h, w, 2), "gray": (h, w), "bgra": (h, w, 4)}.get(kind, (h * 3 // 2, w))
    array = np.resize(small[..., 1], shape).copy()
    picture = anonymizer.anonymize(array, format=kind)
    assert picture.shape == shape
    frame = anonymizer.anonymize_frame(array, format=kind)
    assert (frame.format, frame.width, frame.height) == (kind, w, h)
    assert np.array_equal(np.asarray(frame), picture)
    assert frame.to_rgb().shape == (h, w, 3)
    lent = array.copy()
    anonymizer.anonymize(lent, format=kind, inplace=True)
    assert np.array_equal(lent, picture)


def test_planes_that_lie_apart_are_written(anonymizer: parkq.Anonymizer, small: Array) -> None:
    h, w = small.shape[:2]
    luma = np.ascontiguousarray(small[..., 1])
    chroma = np.full((h // 2, w // 2, 2), 128, np.uint8)
    packed = np.concatenate([luma, chroma.reshape(h // 2, w)])
    expected = anonymizer.anonymize(packed, format="nv12")
    assert np.array_equal(anonymizer.anonymize((luma, chroma), format="nv12"), expected)
    anonymizer.anonymize((luma, chroma), format="nv12", inplace=True)
    assert np.array_equal(np.concatenate([luma, chroma.reshape(h // 2, w)]), expected)


def test_frames_are_encoded(anonymizer: parkq.Anonymizer, small: Array) -> None:
    frame = anonymizer.anonymize_frame(small)
    png = np.asarray(Image.open(io.BytesIO(frame.to_png())))
    assert np.array_equal(png, np.asarray(frame))
    assert Image.open(io.BytesIO(frame.to_jpeg(80))).size == (frame.width, frame.height)
    with pytest.raises(parkq.OptionError, match="quality"):
        frame.to_jpeg(0)
    with pytest.raises(ValueError, match="copy"):
        np.array(frame, copy=False)


def test_anonymized_frames_are_read(
    estimator: parkq.Estimator, detector: parkq.Detector, scene: Array
) -> None:
    policy = parkq.Anonymizer(
        detector,
        lot=estimator.lot,
        fallback="whole_vehicle",
        sure_plate=1.0,
        min_pixels_per_metre=0.0,
    )
    frame = policy.anonymize_frame(scene)
    found = estimator.occupancy(frame)
    # What was destroyed with the vehicle on it is not free, as the pixels alone may say.
    redacted = {reading.id for reading in found.readings if reading.unknown == "redacted"}
    assert redacted
    pixels = estimator.occupancy(np.asarray(frame)).readings
    assert any(reading.state == "free" for reading in pixels if reading.id in redacted)
    assert detector.detect(frame) == detector.detect(np.asarray(frame))
    for again in (policy.anonymize_frame, policy.anonymize):
        with pytest.raises(parkq.FrameError, match="it is anonymized already"):
            again(frame)  # type: ignore[call-overload,arg-type]


def test_masks_are_burnt_in_first(detector: parkq.Detector, small: Array) -> None:
    lot = parkq.Lot(masks=[[(0, 0), (0.5, 0), (0.5, 1), (0, 1)]])
    picture, redactions = parkq.Anonymizer(detector, lot=lot).anonymize(
        small, return_redactions=True
    )
    assert not picture[:, : small.shape[1] // 2].any()
    assert redactions[0].cause == "mask"


def test_a_stream_remembers(anonymizer: parkq.Anonymizer, small: Array) -> None:
    blank = np.full_like(small, 110)
    assert not anonymizer.anonymize(blank, return_redactions=True)[1]
    stream = parkq.Stream(anonymizer, keep_frames=2)
    assert stream.anonymize(small, return_redactions=True)[1]
    causes = {r.cause for r in stream.anonymize_frame(blank).redactions}
    assert causes == {"remembered"}
    with pytest.raises(parkq.OptionError, match="keep_frames"):
        parkq.Stream(anonymizer, keep_frames=5000)


def test_a_pipeline_in_place(estimator: parkq.Estimator, anonymizer: parkq.Anonymizer,
                             scene: Array) -> None:  # fmt: skip
    pipeline = parkq.Pipeline(estimator, anonymizer)
    apart = pipeline.process(scene)
    lent = scene.copy()
    outcome = pipeline.process(lent, inplace=True)
    assert outcome.occupancy == apart.occupancy and outcome.redactions == apart.redactions
    assert outcome.picture is None and apart.picture is None
    kept = parkq.Pipeline(estimator, anonymizer, keep_picture=True).process(scene)
    assert kept.picture is not None and np.array_equal(np.asarray(kept.picture), lent)
    assert set(outcome.to_dict()) == {"occupancy", "redactions"}
    with pytest.raises(TypeError, match="a Lot or an Estimator is needed, not int"):
        parkq.Pipeline(3)  # type: ignore[arg-type]
    elsewhere = parkq.Lot([], masks=[[(0, 0), (1, 0), (1, 1)]])
    with pytest.raises(parkq.LotError, match="mask 0 is none of the estimator's lot"):
        parkq.Pipeline(estimator, parkq.Anonymizer(lot=elsewhere))


def test_detections_are_rows(detector: parkq.Detector, lot: parkq.Lot, scene: Array) -> None:
    found = detector.detect(scene)
    vehicles = [d for d in found if d.label == "vehicle"]
    assert len(vehicles) > 10
    table = pd.DataFrame(d.to_dict() for d in found)
    assert list(table) == ["label", "score", "x", "y", "width", "height"]
    height, width = scene.shape[:2]
    assert (table["x"] >= 0).all() and (table["x"] + table["width"] <= width + 0.01).all()
    assert (table["y"] + table["height"] <= height + 0.01).all()
    assert detector.detect(scene, lot=lot)


def test_only_anonymized_pictures_are_drawn_on(
    pipeline: parkq.Pipeline, detector: parkq.Detector, scene: Array
) -> None:
    outcome = pipeline.process(scene)
    assert outcome.picture is not None
    drawn = parkq.draw(
        outcome.picture, occupancy=outcome.occupancy, detections=detector.detect(scene)
    )
    assert drawn.size == (outcome.picture.width, outcome.picture.height)
    for raw in (scene, Image.fromarray(scene), parkq.demo_picture()):
        with pytest.raises(TypeError, match="an AnonymizedFrame is drawn on"):
            parkq.draw(raw)  # type: ignore[arg-type]

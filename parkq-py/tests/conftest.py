"""What the tests share: the bundled scene, and things that are slow to make."""

import io
from pathlib import Path

import numpy as np
import parkq
import pytest
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = REPOSITORY / "examples" / "data"


@pytest.fixture(scope="session")
def lot() -> parkq.Lot:
    return parkq.Lot.from_json(parkq.demo_lot())


@pytest.fixture(scope="session")
def scene() -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(parkq.demo_picture())))


@pytest.fixture(scope="session")
def estimator(lot: parkq.Lot) -> parkq.Estimator:
    return parkq.Estimator(lot)


@pytest.fixture(scope="session")
def detector() -> parkq.Detector:
    return parkq.Detector()


@pytest.fixture(scope="session")
def anonymizer(detector: parkq.Detector) -> parkq.Anonymizer:
    return parkq.Anonymizer(detector)


@pytest.fixture(scope="session")
def pipeline(estimator: parkq.Estimator, anonymizer: parkq.Anonymizer) -> parkq.Pipeline:
    return parkq.Pipeline(estimator, anonymizer, keep_picture=True)


BRIGHT = """{
    "input": {"size": {"fixed": [64, 64]}, "pad": 0}, "classes": 1, "labels": {"0": "face"},
    "logits": true, "output": {"convention": "cells", "stride": 8}
}"""


@pytest.fixture(scope="session")
def bright() -> parkq.Detector:
    """A detector of one convolution, which takes what is bright for a face."""
    model = (REPOSITORY / "parkq-core" / "tests" / "data" / "bright.onnx").read_bytes()
    return parkq.Detector(model=model, model_name="bright", spec=BRIGHT)


@pytest.fixture(scope="session")
def small(scene: np.ndarray) -> np.ndarray:
    """A part of the scene with vehicles in it, 320 x 200, for what needs many runs."""
    return np.ascontiguousarray(scene[240:440, 160:480])

"""Anonymizes a camera's frames where they lie, and reads the lot, until the frames end.

    python examples/python/camera.py [--frames N]

`Camera` has the `read()` of OpenCV's `cv2.VideoCapture`, and its frames: BGR arrays. It makes
them of the bundled scene; with a camera put `cv2.VideoCapture(0)` in its place.
"""

import argparse
import io
import time

import numpy as np
import numpy.typing as npt
import parkq
from PIL import Image


class Camera:
    """Stands in for `cv2.VideoCapture`: the scene, shaken by a pixel, with noise."""

    def __init__(self, frames: int) -> None:
        """Hand out this many frames."""
        scene = np.asarray(Image.open(io.BytesIO(parkq.demo_picture())))
        self._scene = np.ascontiguousarray(scene[..., ::-1])
        self._left = frames
        self._random = np.random.default_rng(0)

    def read(self) -> tuple[bool, npt.NDArray[np.uint8] | None]:
        """Return whether there is a frame, and the frame: (height, width, 3), BGR."""
        if self._left == 0:
            return False, None
        self._left -= 1
        dx, dy = self._random.integers(-1, 2, 2)
        shaken = np.roll(self._scene, (dy, dx), (0, 1)).astype(np.int16)
        noisy = shaken + self._random.integers(-4, 5, shaken.shape)
        return True, noisy.clip(0, 255).astype(np.uint8)


def main() -> None:
    """Run the loop."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=4)
    camera = Camera(parser.parse_args().frames)
    lot = parkq.Lot.from_json(parkq.demo_lot())
    stream = parkq.Stream(parkq.Anonymizer(lot=lot))
    estimator = parkq.Estimator(lot)
    while True:
        there_is, frame = camera.read()
        if not there_is:
            break
        start = time.perf_counter()
        # From here on nobody can be recognised in `frame`: store it, show it, send it.
        _, redactions = stream.anonymize(frame, format="bgr", inplace=True, return_redactions=True)
        occupancy = estimator.occupancy(frame, format="bgr")
        took = 1e3 * (time.perf_counter() - start)
        print(f"{occupancy.free} free, {len(redactions)} regions destroyed, {took:.0f} ms")


if __name__ == "__main__":
    main()
